//! Forms: which fields an act needs, and what happens when they are filled in.

mod of_incident;

use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::{
    act, approval, backend_act, board, incident, outward, paging, publish, record, room_acts, silences, timers, walk,
};
use crate::domain::ids::{Fingerprint, IncidentId, RunbookId, SourceName};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{Body, NoteKind, StepEnd};
use crate::domain::runbook::model::InputFrom;
use crate::domain::runbook::values::judge;
use crate::domain::text::clean;
use crate::domain::time::{Timestamp, parse_when};
use chrono::Offset;

/// Opens the form of a purpose.
pub fn open(model: &mut Model, now: Timestamp, purpose: Purpose) {
    let (title, fields) = fields(model, now, &purpose);
    model.nav.overlay =
        Some(Overlay::Form(Box::new(Form { purpose, title, fields, focus: 0, error: None, discard: false })));
}

fn fields(model: &Model, now: Timestamp, purpose: &Purpose) -> (String, Vec<Field>) {
    let state = |id: &IncidentId| model.desk.cases.get(id).map(|c| &c.shown);
    match purpose {
        Purpose::Declare(fingerprint) => declare_fields(model, fingerprint.as_ref()),
        Purpose::DeclareFrom(name, page) => declare_from_fields(model, name, page),
        Purpose::Backend(_, name, page) => backend_act::fields(model, name, page),
        Purpose::LinkPage(id) => backend_act::link_fields(model, id),
        Purpose::Publish(id, page) => publish::fields(model, id, page),
        Purpose::Task(_)
        | Purpose::TaskAnswer(..)
        | Purpose::Propose(_)
        | Purpose::Decide(..)
        | Purpose::Judge(..)
        | Purpose::Update(_)
        | Purpose::Merge(_)
        | Purpose::Relate(_)
        | Purpose::People(_) => board::fields(model, now, purpose),
        Purpose::Skip(_, place) => {
            (format!("Skip: {}", place.name), vec![Field::typed("reason", "", "why it is not needed")])
        }
        Purpose::Fail(_, place) => {
            (format!("Failed: {}", place.name), vec![Field::typed("reason", "", "what went wrong")])
        }
        Purpose::Drop(op) => {
            let what = model.outbox.entries.get(op).map(|e| e.op.intent.words()).unwrap_or_default();
            (format!("Do not send: {what}"), vec![Field::typed("reason", "", "why it is not wanted any more")])
        }
        Purpose::RoomOpen(_) | Purpose::RoomPost(_) | Purpose::RoomInvite(_) => room_acts::fields(model, purpose),
        Purpose::Timer(id, timer) => timers::form(model, now, id, timer),
        Purpose::Inputs(id, runbook, names) => inputs_fields(model, id, runbook, names),
        Purpose::Witness(id, request) => witness_fields(state(id), request),
        Purpose::Connect => ("Connect to a Prometheus".into(), vec![Field::typed("url", "http://127.0.0.1:9090", "")]),
        Purpose::Silence(alert) => silences::form(model, alert.as_ref()),
        Purpose::Extend(found) => silences::form_of(model, now, found, true),
        Purpose::Expire(found) => silences::form_of(model, now, found, false),
        Purpose::Note(..)
        | Purpose::Action(..)
        | Purpose::Status(..)
        | Purpose::Severity(..)
        | Purpose::Role(..)
        | Purpose::Mitigated(..)
        | Purpose::Resolve(..)
        | Purpose::Reopen(..)
        | Purpose::Correct(..)
        | Purpose::Tag(..)
        | Purpose::Redact(..)
        | Purpose::Import(..) => of_incident::fields(model, now, purpose),
    }
}

/// A second person gives a name and reads a code aloud.
fn witness_fields(state: Option<&crate::domain::incident::state::Incident>, request: &str) -> (String, Vec<Field>) {
    let asked = state.and_then(|i| i.approvals.iter().find(|a| a.request.id == request));
    let (command, code) = asked.map(|a| (a.request.command.clone(), a.request.code.clone())).unwrap_or_default();
    (
        format!("A second person for: {command}"),
        vec![
            Field::typed("name", "", "who stands beside you and has read the command; recorded as unverified"),
            Field::typed("code", "", format!("they read it aloud: {code}")),
        ],
    )
}

fn declare_from_fields(model: &Model, name: &SourceName, page: &str) -> (String, Vec<Field>) {
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let codes: Vec<String> = model.setup.severities.levels.iter().map(|l| l.code.0.clone()).collect();
    let low = there.is_some_and(|there| there.urgency.as_deref() == Some("low"));
    let suggested = if low { 2 } else { 1 }.min(codes.len().saturating_sub(1));
    let number = there.and_then(|there| there.number.clone()).unwrap_or_else(|| page.to_owned());
    let service = there.and_then(|there| there.service.as_ref()).map_or("", |service| service.name.as_str());
    let fields = vec![
        Field::typed("title", there.map_or("", |there| there.title.as_str()), "what users notice, in a few words"),
        Field::choice("severity", codes, suggested, "Left and Right choose"),
        Field::typed("service", service, "links the objectives of this service"),
    ];
    (format!("Declare an incident from {name} {number}"), fields)
}

fn declare_fields(model: &Model, fingerprint: Option<&Fingerprint>) -> (String, Vec<Field>) {
    let alert = fingerprint.and_then(|f| model.alerts.get(f));
    let title = alert.map(|a| {
        [a.annotations.get("summary"), a.name.as_str()].into_iter().find(|t| !t.is_empty()).unwrap_or("").to_owned()
    });
    let codes: Vec<String> = model.setup.severities.levels.iter().map(|l| l.code.0.clone()).collect();
    let suggested = alert
        .and_then(|a| suggest_severity(model, a))
        .unwrap_or(if alert.is_some_and(crate::domain::alert::Alert::pages) { 1 } else { 2 });
    let service = alert.map(|a| a.service().to_owned()).unwrap_or_default();
    let name =
        alert.map(|a| format!("Declare an incident from {}", a.name)).unwrap_or_else(|| "Declare an incident".into());
    let fields = vec![
        Field::typed("title", &title.unwrap_or_default(), "what users notice, in a few words"),
        Field::choice("severity", codes.clone(), suggested.min(codes.len().saturating_sub(1)), "Left and Right choose"),
        Field::typed("service", &service, "links the objectives of this service"),
    ];
    (name, fields)
}

/// The severity that a matching runbook suggests.
fn suggest_severity(model: &Model, alert: &crate::domain::alert::Alert) -> Option<usize> {
    let found = crate::app::present::alerts::runbooks_for(model, &alert.name, &alert.labels, &alert.annotations);
    let runbook = found.first().and_then(|m| model.runbook(&m.runbook))?;
    let severity = runbook.severity.as_ref()?;
    model.setup.severities.levels.iter().position(|l| l.code == *severity)
}

/// One field for each value that a person must give.
fn inputs_fields(model: &Model, id: &IncidentId, runbook: &RunbookId, names: &[String]) -> (String, Vec<Field>) {
    let book = model.runbook(runbook);
    let field = |name: &String| {
        let input = book.and_then(|b| b.input(name));
        let prompt = match input.map(|i| &i.from) {
            Some(InputFrom::Ask { prompt }) if !prompt.is_empty() => prompt.clone(),
            _ => "a value for the commands of this runbook".into(),
        };
        let rule = input.and_then(|i| i.pattern.as_ref()).map(|p| format!("  ({p})")).unwrap_or_default();
        let secret = input.is_some_and(|i| i.secret);
        Field { secret, ..Field::typed(name.clone(), "", clean(&format!("{prompt}{rule}")).into_owned()) }
    };
    (format!("Values for {runbook}, {id}"), names.iter().map(field).collect())
}

/// Values were given: each is judged by its own rule before anything is shown or stored.
fn give_inputs(
    model: &mut Model,
    now: Timestamp,
    form: &Form,
    (id, runbook, names): (&IncidentId, &RunbookId, &[String]),
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let gone = || Refusal(format!("there is no runbook {runbook} any more"));
    let book = model.runbook(runbook).cloned().ok_or_else(gone)?;
    let mut given = Vec::new();
    for name in names {
        let input = book.input(name).ok_or_else(|| Refusal(format!("the runbook does not declare {name} any more")))?;
        let value = form.value(name);
        judge(input, &value)?;
        given.push((input, value));
    }
    let mut bodies = Vec::new();
    for (input, value) in given {
        let (runbook, name) = (runbook.clone(), input.name.clone());
        let value = if input.secret {
            model.exec.secrets.keep(id, &runbook, &name, value);
            None
        } else {
            Some(value)
        };
        bodies.push(Body::InputGiven { runbook, name, value });
    }
    record::person(model, now, now, id, bodies, out);
    model.say(now, Tone::Accent, "values are given; Enter goes on");
    Ok(())
}

pub fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// Enter in a form: done, or refused with the reason shown in the form, which keeps what was typed.
pub fn submit(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let Some(Overlay::Form(form)) = model.nav.overlay.take() else { return };
    match fill(model, now, &form, out) {
        Ok(()) => {}
        Err(why) => {
            let mut form = form;
            form.error = Some(why.0);
            model.nav.overlay = Some(Overlay::Form(form));
        }
    }
}

/// Declares what the form says, from an alert or from a page.
fn declare(
    model: &mut Model,
    now: Timestamp,
    form: &Form,
    (alert, page): (Option<crate::domain::alert::Alert>, Option<(SourceName, String)>),
    out: &mut Vec<Effect>,
) -> Result<IncidentId, Refusal> {
    let severity = crate::domain::severity::Severity(form.value("severity"));
    let service = Some(form.value("service")).filter(|service| !service.is_empty());
    let what = incident::Declaration { title: form.value("title"), severity, service, alert, page };
    incident::declare(model, now, what, out)
}

fn fill(model: &mut Model, now: Timestamp, form: &Form, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    match form.purpose.clone() {
        Purpose::Declare(fingerprint) => {
            let alert = fingerprint.and_then(|f| model.alerts.get(&f).cloned());
            let id = declare(model, now, form, (alert, None), out)?;
            paging::by_policy(model, now, &id, out);
            Ok(())
        }
        // Somebody was paged: that is where it comes from.
        Purpose::DeclareFrom(name, page) => declare(model, now, form, (None, Some((name, page))), out).map(drop),
        Purpose::Backend(id, name, page) => backend_act::submit(model, now, (&id, &name, &page), form, out),
        Purpose::LinkPage(id) => backend_act::link(model, now, &id, form, out),
        Purpose::Publish(id, page) => publish::ask(model, now, &id, &page, form),
        Purpose::Task(_)
        | Purpose::TaskAnswer(..)
        | Purpose::Propose(_)
        | Purpose::Decide(..)
        | Purpose::Judge(..)
        | Purpose::Update(_)
        | Purpose::Merge(_)
        | Purpose::Relate(_)
        | Purpose::People(_) => board::fill(model, now, form, out),
        Purpose::Skip(id, place) => {
            let reason = crate::domain::incident::decide::text(&form.value("reason"), "a reason")?;
            walk::end_step(model, now, &id, place, StepEnd::Skipped(reason), out)
        }
        Purpose::Fail(id, place) => {
            let reason = crate::domain::incident::decide::text(&form.value("reason"), "a reason")?;
            walk::end_step(model, now, &id, place, StepEnd::Failed(reason), out)
        }
        Purpose::Drop(op) => {
            let reason = crate::domain::incident::decide::text(&form.value("reason"), "a reason")?;
            outward::discard(model, now, &op, reason, out)
        }
        Purpose::RoomOpen(_) | Purpose::RoomPost(_) | Purpose::RoomInvite(_) => room_acts::fill(model, now, form, out),
        Purpose::Timer(id, timer) => timers::answer(model, now, &id, &timer, form, out),
        Purpose::Inputs(id, runbook, names) => give_inputs(model, now, form, (&id, &runbook, &names), out),
        Purpose::Witness(id, request) => approval::witness(model, now, &id, &request, form, out),
        Purpose::Connect => {
            let url = crate::domain::incident::decide::text(&form.value("url"), "an address")?;
            out.push(Effect::Begin(Some(url)));
            Ok(())
        }
        Purpose::Silence(alert) => silences::given(model, now, form, alert.as_ref()),
        Purpose::Extend(found) => silences::extend(model, now, form, &found, out),
        Purpose::Expire(found) => {
            let chosen = found.get(form.index("silence")).cloned().into_iter().collect::<Vec<_>>();
            silences::ask_expire(model, now, &chosen).map_err(Refusal)
        }
        Purpose::Note(..)
        | Purpose::Action(..)
        | Purpose::Status(..)
        | Purpose::Severity(..)
        | Purpose::Role(..)
        | Purpose::Mitigated(..)
        | Purpose::Resolve(..)
        | Purpose::Reopen(..)
        | Purpose::Correct(..)
        | Purpose::Tag(..)
        | Purpose::Redact(..)
        | Purpose::Import(..) => of_incident::fill(model, now, form, out),
    }
}

/// The zone's offset at an instant.
pub fn offset(model: &Model, now: Timestamp) -> chrono::FixedOffset {
    now.with_timezone(&model.setup.zone).offset().fix()
}

/// `db pool full @-7m`: the text and when it was.
pub fn back_dated(model: &Model, now: Timestamp, text: &str) -> Result<(String, Timestamp), Refusal> {
    if let Some((before, when)) = text.rsplit_once(" @")
        && (when.starts_with('-') || when.starts_with(|c: char| c.is_ascii_digit()))
    {
        let at = parse_when(when, now, offset(model, now)).map_err(Refusal)?;
        return Ok((before.to_owned(), at));
    }
    Ok((text.to_owned(), now))
}

/// A note from any screen goes to the incident in view, else to the worst one.
pub fn open_note(model: &mut Model, now: Timestamp, sort: NoteKind) -> Result<(), String> {
    let id = act::target(model).ok_or("there is no open incident; i declares one")?;
    open(model, now, Purpose::Note(id, sort));
    Ok(())
}
