//! A person publishes on a public status page: a form, then exactly what customers would read with every component that
//! changes, then through the outbox, once. Nothing is published without that yes.

use crate::app::confirm::{Confirm, Deed, Publishing};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::available::lacks;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::{forms, publishes, record};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{NewEvent, Status};
use crate::domain::incident::notices::{IMPACTS, STATUSES, Words, components, notice};
use crate::domain::incident::sent::Standing;
use crate::domain::incident::state::Incident;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::outward::status_page::{Component, StatusWrite};
use crate::domain::time::Timestamp;

/// The field of components: their names depend on the page.
const COMPONENTS: &str = "components";

/// Opens the form for the first page that can be written to, and asks that page for its components.
pub fn open(model: &mut Model, now: Timestamp, id: IncidentId, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let page = pages(model).into_iter().next();
    let page = page.ok_or_else(|| Refusal(lacks(model, &[Capability::OpenNotice]).unwrap_or_default()))?;
    incident(model, &id)?;
    for name in pages(model) {
        let question = Question::Notices;
        let can =
            model.outbox.targets.get(&name).is_some_and(|t| t.facts.caps.class(Capability::ReadNotices).is_some());
        if !can || model.pending.any(|a| *a == Asked::Target(name.clone(), Question::Notices)) {
            continue;
        }
        let req = model.pending.ask(Asked::Target(name.clone(), question.clone()));
        out.push(Effect::AskTarget { req, target: name, question });
    }
    forms::open(model, now, Purpose::Publish(id, page));
    Ok(())
}

fn pages(model: &Model) -> Vec<SourceName> {
    model.outbox.able(Capability::OpenNotice).map(|target| target.facts.name.clone()).collect()
}

fn incident<'m>(model: &'m Model, id: &IncidentId) -> Result<&'m Incident, Refusal> {
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    Ok(&case.shown)
}

/// The page told its components, or did not; a form that is open says so.
pub fn told(model: &mut Model, page: &SourceName, result: Result<Answer, Fault>) {
    let known = match result {
        Ok(Answer::Notices(_, components)) => Ok(components),
        Ok(_) => Ok(Vec::new()),
        Err(fault) => Err(fault.to_string()),
    };
    model.status_pages.known.insert(page.clone(), known);
    let Some(Overlay::Form(form)) = &model.nav.overlay else { return };
    let Purpose::Publish(_, first) = &form.purpose else { return };
    let hint = hint(model, &chosen(form, first));
    if let Some(Overlay::Form(form)) = &mut model.nav.overlay
        && let Some(field) = form.fields.iter_mut().find(|f| f.label == COMPONENTS)
    {
        field.hint = hint.into();
    }
}

/// The page that a form is for.
fn chosen(form: &Form, first: &SourceName) -> SourceName {
    let named = form.value("page");
    if named.is_empty() { first.clone() } else { SourceName(named) }
}

fn hint(model: &Model, page: &SourceName) -> String {
    match model.status_pages.known.get(page) {
        None => "NAME=STATE, …; the page is being asked for its names".into(),
        Some(Err(why)) => format!("cannot be changed: {why}"),
        Some(Ok(known)) if known.is_empty() => "the page lists none".into(),
        Some(Ok(known)) => {
            let named: Vec<String> = known.iter().map(|c| format!("{} ({})", c.name, c.status)).collect();
            format!("NAME=STATE, …; {}", named.join(", "))
        }
    }
}

/// The fields: of a notice that is there only what can still be said.
pub fn fields(model: &Model, id: &IncidentId, page: &SourceName) -> (String, Vec<Field>) {
    let pages = pages(model);
    let Ok(i) = incident(model, id) else { return (format!("Publish for {id}"), Vec::new()) };
    let there = matches!(notice(i, page), Standing::There(..));
    let mut fields = Vec::new();
    if pages.len() > 1 {
        let at = pages.iter().position(|name| name == page).unwrap_or(0);
        fields.push(Field::choice("page", pages.iter().map(|name| name.0.clone()).collect(), at, "who reads it"));
    }
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let status = match i.status {
        Status::Investigating => 0,
        Status::Identified | Status::Mitigating => 1,
        Status::Monitoring => 2,
        Status::Resolved => 3,
    };
    // With several pages it depends on the page whether the notice is new.
    if !there || pages.len() > 1 {
        fields.push(Field::typed("title", &i.title, "what customers read first, of a new notice"));
    }
    fields.push(Field::typed("text", "", "what customers read; nothing internal"));
    fields.push(Field::choice("status", words(&STATUSES), status, "Left and Right choose"));
    if !there || pages.len() > 1 {
        let rank = model.setup.severities.rank(&i.severity);
        let impact = if rank == 0 { 3 } else { 3_usize.saturating_sub(rank).max(1) };
        fields.push(Field::choice("impact", words(&IMPACTS), impact, "how bad, of a new notice"));
    }
    fields.push(Field::typed(COMPONENTS, "", hint(model, page)));
    let verb = if there { "Update the notice" } else { "Publish a notice" };
    (format!("{verb} at {page} for {id}"), fields)
}

/// The form was filled in: exactly what would be read is shown.
pub fn ask(model: &mut Model, now: Timestamp, id: &IncidentId, page: &SourceName, form: &Form) -> Result<(), Refusal> {
    let page = chosen(form, page);
    let typed = form.value(COMPONENTS);
    let known: &[Component] = match model.status_pages.known.get(&page) {
        _ if typed.is_empty() => &[],
        Some(Ok(known)) => known,
        Some(Err(why)) => return Err(Refusal(format!("the components of {page} are not known: {why}"))),
        None => return Err(Refusal(format!("{page} has not said yet which components it has"))),
    };
    let parts = components(&typed, known)?;
    let names: Vec<(String, String)> = parts.iter().map(|(id, to)| ("component".into(), part(known, id, to))).collect();
    let said = |label: &str| Some(form.value(label)).filter(|text| !text.is_empty());
    let words = Words {
        title: said("title"),
        status: form.value("status"),
        body: form.value("text"),
        impact: said("impact"),
        components: parts,
    };
    let (_, write, _) = publishes(model, now, incident(model, id)?, &page, words.clone())?;
    let mut rows = vec![("at".to_owned(), format!("{page}, for everybody to read"))];
    rows.extend(shown(&write));
    rows.extend(names);
    rows.push((
        "then".into(),
        format!("sent once through the outbox; u takes it back for {}s", model.outbox.hold.num_seconds()),
    ));
    let deed = Deed::Publish(Box::new(Publishing { incident: id.clone(), page, words, write }));
    let (title, question) = ("status page".into(), "Publish this for customers?".into());
    let confirm =
        Confirm { title, question, rows, token: None, typed: Editor::default(), painted: false, enter: false, deed };
    model.nav.overlay = Some(Overlay::Confirm(Box::new(confirm)));
    Ok(())
}

/// `Checkout: operational -> major_outage`
fn part(known: &[Component], id: &str, to: &str) -> String {
    match known.iter().find(|c| c.id == id) {
        Some(c) => format!("{}: {} -> {to}", c.name, c.status),
        None => format!("{id}: {to}"),
    }
}

/// What is written, label and text, nothing left out.
fn shown(write: &StatusWrite) -> Vec<(String, String)> {
    let row = |label: &str, text: &str| (label.to_owned(), text.to_owned());
    match write {
        StatusWrite::Open { title, status, body, impact, .. } => {
            let mut rows = vec![row("new notice", title), row("status", status)];
            rows.extend(impact.as_ref().map(|impact| row("impact", impact)));
            rows.push(row("text", body));
            rows
        }
        StatusWrite::Update { notice, status, body, .. } => {
            vec![row("update of", notice), row("status", status), row("text", body)]
        }
    }
}

/// The person said yes to what was shown, and to nothing else.
pub fn publish(
    model: &mut Model,
    now: Timestamp,
    publishing: Publishing,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let Publishing { incident: id, page, words, write } = publishing;
    let (once, fresh, body) = publishes(model, now, incident(model, &id)?, &page, words)?;
    if fresh != write {
        return Err(Refusal("the notice changed meanwhile; nothing was published, look at it again".into()));
    }
    let (words, actor) = (write.words(), model.setup.responder.clone());
    let event = NewEvent { incident: id.clone(), at: now, recorded_at: now, actor, body, once: Some(once) };
    let req = record::append(model, &id, vec![event], out);
    record::remember(model, &id, req, None, words.clone());
    model.say(now, Tone::Accent, format!("to {page}: {words}   u takes it back"));
    Ok(())
}
