//! What a person does to an incident at a paging product: one form for all of it. What pages or tells other people is
//! asked first, with who they are and what time it is for them.

use crate::app::backend;
use crate::app::confirm::{Confirm, Deed, Sending};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::backend_deal::{DEALS, Deal, asks, people, woken};
use crate::app::update::{act, backend as reading, outward, record};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::{Body, OUTWARD_LOG};
use crate::domain::incident::linked::BackendLink;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;

/// Opens the form: for what is selected, else for what is linked to the incident in view.
pub fn open(model: &mut Model, now: Timestamp, selected: Option<Item>) -> Result<(), String> {
    if let Some(Item::Page(name, page)) = selected {
        form(model, now, Purpose::Backend(owner(model, &name, &page), name, page));
        return Ok(());
    }
    if let Some(Item::Alert(fingerprint)) = &selected
        && !model.open_cases().iter().any(|case| case.shown.alerts.contains_key(fingerprint))
    {
        let about = model.alerts.get(fingerprint).map(|alert| backend::of_alert(model, alert)).unwrap_or_default();
        let (name, there, _) = about.first().ok_or("nothing open at a paging product is about this alert")?;
        let (name, page) = ((*name).clone(), there.id.clone());
        form(model, now, Purpose::Backend(owner(model, &name, &page), name, page));
        return Ok(());
    }
    let id = act::target(model).ok_or("there is no open incident, and no page is selected")?;
    let case = model.desk.cases.get(&id).ok_or("there is no such incident")?;
    let open = |linked: &&crate::domain::incident::linked::Linked| {
        linked.status != crate::domain::outward::backend::BackendStatus::Resolved
    };
    let linked = case.shown.pages.iter().find(open).or_else(|| case.shown.pages.first());
    if let Some(linked) = linked {
        let (name, page) = (linked.link.target.clone(), linked.link.page.clone());
        form(model, now, Purpose::Backend(id, name, page));
        return Ok(());
    }
    if backend::unlinked(model).is_empty() {
        return Err(format!("nothing at a paging product belongs to {id}, and nothing is open there"));
    }
    form(model, now, Purpose::LinkPage(id));
    Ok(())
}

/// The open incident of ours that a page belongs to, else the log of pages.
fn owner(model: &Model, name: &SourceName, page: &str) -> IncidentId {
    let case = model.open_cases().into_iter().find(|case| case.shown.page(name, page).is_some());
    case.map_or_else(|| IncidentId(OUTWARD_LOG.to_owned()), |case| case.shown.id.clone())
}

fn form(model: &mut Model, now: Timestamp, purpose: Purpose) {
    crate::app::update::forms::open(model, now, purpose);
}

/// The fields of the form about an incident there.
pub fn fields(model: &Model, name: &SourceName, page: &str) -> (String, Vec<Field>) {
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let title = match there {
        Some(there) => {
            let number = there.number.as_deref().unwrap_or(page);
            format!("{name} {number} {}: {}", there.status.word(), there.title)
        }
        None => format!("{name} {page}"),
    };
    let mut who: Vec<String> = people(model, name, page).into_iter().map(|(label, _)| label).collect();
    if who.is_empty() {
        who.push("nobody is known there".into());
    }
    let deals = DEALS.iter().map(|(deal, words)| choice(model, name, *deal, words)).collect();
    let fields = vec![
        Field::choice("do", deals, 0, "Left and Right choose"),
        Field::choice("who", who, 0, "for: give to, ask to join"),
        Field::typed("text", "", "minutes, a level or words, by what is done"),
    ];
    (title, fields)
}

/// What can be done, in words; with the reason where this target cannot do it.
fn choice(model: &Model, name: &SourceName, deal: Deal, words: &str) -> String {
    let target = model.outbox.targets.get(name);
    let why = deal.capability().and_then(|capability| target?.facts.caps.why_not(capability));
    why.map_or_else(|| words.to_owned(), |why| format!("{words}   cannot: {why}"))
}

/// The fields of the form that links an open incident there.
pub fn link_fields(model: &Model, id: &IncidentId) -> (String, Vec<Field>) {
    let open = backend::unlinked(model);
    let word = |(name, there): &(&SourceName, &crate::domain::outward::backend::BackendIncident)| {
        format!("{name} {} {}", there.number.as_deref().unwrap_or(&there.id), there.title)
    };
    (
        format!("Which page belongs to {id}?"),
        vec![Field::choice("page", open.iter().map(word).collect(), 0, "Left and Right choose")],
    )
}

/// Links the chosen one.
pub fn link(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let open = backend::unlinked(model);
    let chosen = open.get(form.index("page")).filter(|(_, there)| form.value("page").contains(&there.title));
    let Some((name, there)) = chosen else { return Err(Refusal("the list has changed; choose again".into())) };
    let (name, link) = ((*name).clone(), BackendLink::to(name, there, "linked by hand"));
    join(model, now, id, link, out);
    model.say(now, Tone::Accent, format!("linked to {name}"));
    Ok(())
}

fn join(model: &mut Model, now: Timestamp, id: &IncidentId, link: BackendLink, out: &mut Vec<Effect>) {
    let back =
        Body::BackendUnlinked { target: link.target.clone(), page: link.page.clone(), reason: "taken back".into() };
    let words = format!("{} linked", link.name());
    let req = record::person(model, now, now, id, vec![Body::BackendLinked(Box::new(link))], out);
    record::remember(model, id, req, Some(back), words);
}

/// Enter in the form.
pub fn submit(
    model: &mut Model,
    now: Timestamp,
    (id, name, page): (&IncidentId, &SourceName, &str),
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let Some((deal, _)) = DEALS.get(form.index("do")) else { return Err(Refusal("choose what to do".into())) };
    if *deal == Deal::Link {
        return link_or_not(model, now, (id, name, page), &form.value("text"), out);
    }
    let who = people(model, name, page).into_iter().nth(form.index("who")).map(|(_, party)| party);
    let write = deal.write(model, name, page, who, &form.value("text"))?;
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let expected = there.map(backend::expected).unwrap_or_default();
    let intent = Intent::Backend(write);
    // What cannot be sent is refused before it is asked.
    let body = outward::outgoing(model, now, name, intent.clone(), expected.clone())?;
    if asks(&body) {
        confirm(model, now, (id, name), intent, expected);
        return Ok(());
    }
    outward::queue(model, now, id, name, intent, expected, None, out)
}

fn link_or_not(
    model: &mut Model,
    now: Timestamp,
    (id, name, page): (&IncidentId, &SourceName, &str),
    reason: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let belongs = model.desk.cases.get(id).and_then(|case| case.shown.page(name, page)).cloned();
    if let Some(linked) = belongs {
        let reason = text(reason, "why it does not belong here")?;
        let back = Body::BackendLinked(Box::new(linked.link.clone()));
        let body = Body::BackendUnlinked { target: name.clone(), page: page.to_owned(), reason };
        let req = record::person(model, now, now, id, vec![body], out);
        record::remember(model, id, req, Some(back), format!("{} unlinked", linked.link.name()));
        model.say(now, Tone::Accent, format!("{} unlinked from {id}   u takes it back", linked.link.name()));
        return Ok(());
    }
    let Some(case) = model.open_cases().first().map(|case| case.shown.id.clone()) else {
        return Err(Refusal("there is no open incident to link it to; i declares one from it".into()));
    };
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let link = there.map(|there| BackendLink::to(name, there, "linked by hand"));
    let link = link.ok_or_else(|| Refusal("it is gone".into()))?;
    let words = format!("{} linked to {case}   u takes it back", link.name());
    join(model, now, &case, link, out);
    model.say(now, Tone::Accent, words);
    Ok(())
}

/// Asks before anybody is paged or told.
fn confirm(
    model: &mut Model,
    now: Timestamp,
    (id, name): (&IncidentId, &SourceName),
    intent: Intent,
    expected: Expected,
) {
    let mut rows = vec![("what".to_owned(), intent.words()), ("through".into(), name.to_string())];
    rows.extend(woken(model, now, name, &intent).into_iter().map(|who| ("pages".to_owned(), who)));
    let question = match intent.capability() {
        Capability::StatusUpdate => "Tell the subscribers?",
        _ => "Page them?",
    };
    let sending = Sending { incident: id.clone(), target: name.clone(), intent, expected };
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "page".into(),
        question: question.into(),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        enter: false,
        deed: Deed::Send(Box::new(sending)),
    })));
}

/// The person said `y`.
pub fn send(model: &mut Model, now: Timestamp, sending: Sending, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let Sending { incident, target, intent, expected } = sending;
    outward::queue(model, now, &incident, &target, intent, expected, None, out)
}

/// Who is on call for the service is read while a form about it is open.
pub fn prepare(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let service = match model.nav.screen() {
        Screen::Incident(id) => model.desk.cases.get(id).and_then(|case| case.shown.service.clone()),
        _ => None,
    };
    if let Some(service) = service {
        reading::ask_on_call(model, now, &service, out);
    }
}
