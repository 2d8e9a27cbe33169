//! Forms: which fields an act needs, and what happens when they are filled in.

use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::{
    act, approval, backend_act, board, entry, incident, outward, paging, record, resolve, room, silences, timers, walk,
};
use crate::domain::ids::{Fingerprint, IncidentId, RunbookId, SourceName};
use crate::domain::incident::decide::{Command, Refusal};
use crate::domain::incident::event::{Body, Mark, NoteKind, Role, Status, StepEnd};
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

#[expect(clippy::too_many_lines, reason = "a table: an arm for each form")]
fn fields(model: &Model, now: Timestamp, purpose: &Purpose) -> (String, Vec<Field>) {
    let state = |id: &IncidentId| model.desk.cases.get(id).map(|c| &c.shown);
    let back_date = "end with @-7m or @03:10 to back-date";
    match purpose {
        Purpose::Declare(fingerprint) => declare_fields(model, fingerprint.as_ref()),
        Purpose::DeclareFrom(name, page) => declare_from_fields(model, name, page),
        Purpose::Backend(_, name, page) => backend_act::fields(model, name, page),
        Purpose::LinkPage(id) => backend_act::link_fields(model, id),
        Purpose::Note(id, sort) => {
            (format!("{} for {id}", capital(sort.word())), vec![Field::typed("text", "", back_date)])
        }
        Purpose::Action(id) => (
            format!("Action item for {id}"),
            vec![
                Field::typed("text", "", "what is to be done"),
                Field::typed("owner", "", "who"),
                Field::typed("due", "", "by when"),
            ],
        ),
        Purpose::Status(id) => {
            let words: Vec<String> =
                Status::ALL.iter().filter(|s| **s != Status::Resolved).map(|s| s.word().to_owned()).collect();
            let at = state(id).map_or(0, |i| Status::ALL.iter().position(|s| *s == i.status).unwrap_or(0));
            let since =
                state(id).map(|i| incident::since_update(i, now)).map(crate::domain::time::compact).unwrap_or_default();
            let title = format!("Status of {id} (last update {since} ago)");
            (
                title,
                vec![
                    Field::choice("status", words, at, "Left and Right choose"),
                    Field::typed("message", "", "what to tell; empty tells nobody"),
                ],
            )
        }
        Purpose::Severity(id) => {
            let codes: Vec<String> = model.setup.severities.levels.iter().map(|l| l.code.0.clone()).collect();
            let at =
                state(id).map_or(0, |i| model.setup.severities.rank(&i.severity)).min(codes.len().saturating_sub(1));
            (
                format!("Severity of {id}"),
                vec![Field::choice("severity", codes, at, "Left and Right choose"), Field::typed("reason", "", "why")],
            )
        }
        Purpose::Role(id) => {
            let words: Vec<String> = Role::ALL.iter().map(|r| r.word().to_owned()).collect();
            let me = model.setup.responder.clone();
            (
                format!("Roles of {id}"),
                vec![
                    Field::choice("role", words, 0, "Left and Right choose"),
                    Field::typed("person", &me, "empty makes it vacant"),
                ],
            )
        }
        Purpose::Task(_)
        | Purpose::TaskAnswer(..)
        | Purpose::Propose(_)
        | Purpose::Decide(..)
        | Purpose::Judge(..)
        | Purpose::Update(_)
        | Purpose::Merge(_)
        | Purpose::Relate(_)
        | Purpose::People(_) => board::fields(model, now, purpose),
        Purpose::Mitigated(id) => (
            format!("When did the pain of {id} stop?"),
            vec![Field::typed("time", "-0m", "-7m, 03:10, or a full time")],
        ),
        Purpose::Resolve(id) => {
            (format!("Resolve {id}"), vec![Field::typed("summary", "", "how it was resolved; then a word to type")])
        }
        Purpose::Reopen(id) => (format!("Reopen {id}"), vec![Field::typed("reason", "", "why it is not over")]),
        Purpose::Correct(id, key) => {
            let old = state(id).and_then(|i| {
                let case = model.desk.cases.get(id)?;
                case.tail.iter().find(|e| e.key == *key).map(|e| crate::domain::incident::timeline::tell(e, Some(i)))
            });
            (
                format!("Correct an entry of {id}"),
                vec![Field::typed("text", &old.unwrap_or_default(), "the old text stays in the record")],
            )
        }
        Purpose::Tag(..) => ("Tag an entry".into(), vec![Field::typed("tag", "", "one word")]),
        Purpose::Redact(id, _) => (
            format!("Take a text out of {id}"),
            vec![Field::typed("reason", "", "why, not the text itself; then a word to type")],
        ),
        Purpose::Import(id, text) => (
            format!("Take {} pasted line(s) into {id}", text.lines().count()),
            vec![Field::typed(
                "zone",
                model.setup.zone.name(),
                "of times that have none; then you see what it becomes",
            )],
        ),
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
        Purpose::RoomOpen(id) => {
            let (target, name) = room::proposed(model, id).unwrap_or_else(|_| ("no chat".into(), String::new()));
            (format!("Open a room for {id} in {target}"), vec![Field::typed("name", &name, "a-z, 0-9, - and _")])
        }
        Purpose::RoomPost(id) => {
            (format!("Post to the room of {id}"), vec![Field::typed("text", "", "everybody there reads it")])
        }
        Purpose::RoomInvite(id) => (
            format!("Invite into the room of {id}"),
            vec![Field::typed("person", "", "a name, an address, or an id there")],
        ),
        Purpose::Timer(id, timer) => timers::form(model, now, id, timer),
        Purpose::Inputs(id, runbook, names) => inputs_fields(model, id, runbook, names),
        Purpose::Witness(id, request) => witness_fields(state(id), request),
        Purpose::Connect => ("Connect to a Prometheus".into(), vec![Field::typed("url", "http://127.0.0.1:9090", "")]),
        Purpose::Silence(alert) => silences::form(model, alert.as_ref()),
        Purpose::Extend(found) => silences::form_of(model, now, found, true),
        Purpose::Expire(found) => silences::form_of(model, now, found, false),
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

fn capital(word: &str) -> String {
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

#[expect(clippy::too_many_lines, reason = "a table: an arm for each form")]
fn fill(model: &mut Model, now: Timestamp, form: &Form, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let some = |label: &str| Some(form.value(label)).filter(|v| !v.is_empty());
    match form.purpose.clone() {
        Purpose::Declare(fingerprint) => {
            let severity = crate::domain::severity::Severity(form.value("severity"));
            let alert = fingerprint.and_then(|f| model.alerts.get(&f).cloned());
            let (title, service) = (form.value("title"), some("service"));
            let what = incident::Declaration { title, severity, service, alert, page: None };
            let id = incident::declare(model, now, what, out)?;
            paging::by_policy(model, now, &id, out);
            Ok(())
        }
        Purpose::DeclareFrom(name, page) => {
            let severity = crate::domain::severity::Severity(form.value("severity"));
            let (title, service) = (form.value("title"), some("service"));
            let page = Some((name, page));
            let what = incident::Declaration { title, severity, service, alert: None, page };
            // Somebody was paged: that is where it comes from.
            incident::declare(model, now, what, out).map(drop)
        }
        Purpose::Backend(id, name, page) => backend_act::submit(model, now, (&id, &name, &page), form, out),
        Purpose::LinkPage(id) => backend_act::link(model, now, &id, form, out),
        Purpose::Note(id, sort) => {
            let (text, at) = back_dated(model, now, &form.value("text"))?;
            incident::command(model, now, at, &id, Command::Note(sort, text), out)
        }
        Purpose::Action(id) => {
            let command = Command::Action(form.value("text"), some("owner"), some("due"));
            incident::command(model, now, now, &id, command, out)
        }
        Purpose::Status(id) => {
            let status = Status::ALL.get(form.index("status")).copied().unwrap_or(Status::Investigating);
            incident::command(model, now, now, &id, Command::SetStatus(status, some("message")), out)
        }
        Purpose::Severity(id) => {
            let to = crate::domain::severity::Severity(form.value("severity"));
            incident::command(model, now, now, &id, Command::SetSeverity(to, form.value("reason")), out)?;
            paging::by_policy(model, now, &id, out);
            Ok(())
        }
        Purpose::Role(id) => {
            let role = Role::ALL.get(form.index("role")).copied().unwrap_or(Role::Commander);
            incident::command(model, now, now, &id, Command::SetRole(role, some("person")), out)
        }
        Purpose::Task(_)
        | Purpose::TaskAnswer(..)
        | Purpose::Propose(_)
        | Purpose::Decide(..)
        | Purpose::Judge(..)
        | Purpose::Update(_)
        | Purpose::Merge(_)
        | Purpose::Relate(_)
        | Purpose::People(_) => board::fill(model, now, form, out),
        Purpose::Mitigated(id) => {
            let at = parse_when(&form.value("time"), now, offset(model, now)).map_err(Refusal)?;
            incident::command(model, now, at, &id, Command::Mitigated, out)
        }
        Purpose::Resolve(id) => resolve::confirm_resolve(model, &id, form.value("summary")),
        Purpose::Reopen(id) => incident::command(model, now, now, &id, Command::Reopen(form.value("reason")), out),
        Purpose::Correct(id, key) => {
            incident::command(model, now, now, &id, Command::Correct(key, form.value("text")), out)
        }
        Purpose::Tag(id, key) => {
            let command = Command::Mark(key, Mark::Tag(form.value("tag")), true);
            incident::command(model, now, now, &id, command, out)
        }
        Purpose::Redact(id, key) => entry::confirm_redact(model, &id, key, &form.value("reason")),
        Purpose::Import(id, text) => entry::confirm_import(model, now, &id, &text, &form.value("zone")),
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
        Purpose::RoomOpen(id) => {
            let (target, _) = room::proposed(model, &id)?;
            room::open(model, now, &id, &target, &form.value("name"), out)
        }
        Purpose::RoomPost(id) => room::post(model, now, &id, &form.value("text"), out),
        Purpose::RoomInvite(id) => room::invite(model, now, &id, &form.value("person"), out),
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
