//! Forms of acts on an incident: which fields they need, and what happens when they are filled in.

use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::update::forms::{back_dated, capital, offset};
use crate::app::update::{entry, incident, paging, resolve};
use crate::domain::ids::IncidentId;
use crate::domain::incident::decide::{Command, Refusal};
use crate::domain::incident::event::{Mark, Role, Status};
use crate::domain::incident::state::ActionType;
use crate::domain::time::{Timestamp, parse_when};
use std::iter::once;

/// Title and fields.
pub fn fields(model: &Model, now: Timestamp, purpose: &Purpose) -> (String, Vec<Field>) {
    let state = |id: &IncidentId| model.desk.cases.get(id).map(|c| &c.shown);
    let back_date = "end with @-7m or @03:10 to back-date";
    match purpose {
        Purpose::Note(id, sort) => {
            (format!("{} for {id}", capital(sort.word())), vec![Field::typed("text", "", back_date)])
        }
        Purpose::Action(id) => {
            let does = once("-").chain(ActionType::ALL.map(ActionType::word)).map(str::to_owned).collect();
            let fields = vec![
                Field::typed("text", "", "what is to be done"),
                Field::typed("owner", "", "who"),
                Field::typed("due", "", "by when"),
                Field::choice("does", does, 0, "Left and Right choose: what it does about the next time"),
            ];
            (format!("Action item for {id}"), fields)
        }
        Purpose::Status(id) => {
            let words: Vec<String> =
                Status::ALL.iter().filter(|s| **s != Status::Resolved).map(|s| s.word().to_owned()).collect();
            let at = state(id).map_or(0, |i| Status::ALL.iter().position(|s| *s == i.status).unwrap_or(0));
            let told = state(id).map(|i| incident::last_told(i, now)).unwrap_or_default();
            let title = format!("Status of {id} ({told})");
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
                case.tail.find(key).map(|e| crate::domain::incident::timeline::tell(e, Some(i)))
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
        _ => (String::new(), Vec::new()),
    }
}

/// It was filled in.
pub fn fill(model: &mut Model, now: Timestamp, form: &Form, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let some = |label: &str| Some(form.value(label)).filter(|v| !v.is_empty());
    match form.purpose.clone() {
        Purpose::Note(id, sort) => {
            let (text, at) = back_dated(model, now, &form.value("text"))?;
            incident::command(model, now, at, &id, Command::Note(sort, text), out)
        }
        Purpose::Action(id) => {
            let does = form.index("does").checked_sub(1).and_then(|n| ActionType::ALL.get(n)).copied();
            let command = Command::Action(form.value("text"), some("owner"), some("due"), does);
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
        _ => Err(Refusal("this form is about no incident".into())),
    }
}
