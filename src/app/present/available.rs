//! Whether an action may be taken now, and the reason that greys it out.

use crate::app::action::{Action, Scope};
use crate::app::keymap::scopes;
use crate::app::model::Model;
use crate::app::present::replay::LOOK_ONLY;
use crate::app::recent::Subject;
use crate::app::screen::Screen;
use crate::app::update::{chats, target, why_no_room};
use crate::domain::outward::capability::{Can, Capability, Lack};
use crate::domain::time::Timestamp;

/// Why an action cannot be taken now. Read-only mode and the place of an action are judged here and nowhere else.
pub fn why_not(model: &Model, now: Timestamp, action: Action) -> Option<String> {
    let entry = action.entry();
    if let Some(why) = replayed(model, action) {
        return why;
    }
    if entry.changes && model.setup.read_only {
        return Some("read-only: nothing is changed and nothing is run".into());
    }
    let open = model.replay.is_some() || !model.open_cases().is_empty();
    let needs_incident = || (!open).then(|| "there is no open incident; i on the overview declares one".to_owned());
    match action {
        Action::Status
        | Action::Severity
        | Action::Roles
        | Action::Mitigated
        | Action::Resolve
        | Action::Escalate
        | Action::Task
        | Action::Propose
        | Action::Merge => match shown_incident(model) {
            Some(false) => Some("it is resolved; :reopen opens it again".into()),
            Some(true) => None,
            None => needs_incident(),
        },
        Action::Note
        | Action::Decision
        | Action::Hypothesis
        | Action::Finding
        | Action::ActionItem
        | Action::Update
        | Action::HandOff
        | Action::Relate
        | Action::People
        | Action::Board
        | Action::LinkAlert => {
            if shown_incident(model).is_some() {
                None
            } else {
                needs_incident()
            }
        }
        Action::Pin | Action::Tag | Action::Exclude | Action::Redact => {
            let entry = matches!(model.nav.screen(), Screen::Incident(_)) && model.nav.spot().cursor.is_some();
            (!entry).then(|| "select an entry of an incident's timeline first".into())
        }
        Action::Incident => needs_incident(),
        Action::Reopen => match shown_incident(model) {
            Some(true) => Some("it is open".into()),
            Some(false) => None,
            None => Some("open the incident first".into()),
        },
        Action::Room => match target(model) {
            None => needs_incident(),
            Some(_) if chats(model).is_empty() => Some("no chat that can be written to is configured (chat)".into()),
            Some(_) => None,
        },
        Action::RoomPost | Action::RoomInvite => match target(model) {
            None => needs_incident(),
            Some(id) => why_no_room(model, &id),
        },
        Action::Tickets => match target(model) {
            None => needs_incident(),
            Some(_) => lacks(model, &[Capability::CreateTicket]),
        },
        Action::StatusPage => match target(model) {
            None => needs_incident(),
            Some(_) => lacks(model, &[Capability::OpenNotice]),
        },
        Action::Volunteer => match target(model) {
            None => needs_incident(),
            Some(id) => model.rooms.volunteers.get(&id).is_none_or(Vec::is_empty).then(|| "nobody volunteered".into()),
        },
        Action::AnswerTimer => crate::app::present::timers::live(model, now).is_empty().then(|| "no timer runs".into()),
        Action::Arm if model.armed(now) => Some("commands are allowed already".into()),
        Action::RollBack => {
            let any = model.open_cases().iter().any(|c| c.shown.in_force().next().is_some());
            (!any).then(|| "no change is in force".into())
        }
        Action::Disarm if !model.armed(now) => Some("commands are off".into()),
        Action::Stop if model.exec.running.is_empty() => Some("no command runs".into()),
        Action::SilenceAlert | Action::AckAlert => lacks(model, &[Capability::CreateSilence]),
        Action::ExtendSilence => lacks(model, &[Capability::ExtendSilence]),
        Action::ExpireSilence => lacks(model, &[Capability::ExpireSilence]),
        Action::Backend => lacks(model, &[Capability::ReadIncidents]),
        Action::PageOnCall => match shown_incident(model) {
            Some(_) => lacks(model, &[Capability::Trigger, Capability::Declare]),
            None => needs_incident().or_else(|| lacks(model, &[Capability::Trigger, Capability::Declare])),
        },
        Action::Undo if model.desk.last_act.is_none() => Some("there is nothing to take back".into()),
        _ => None,
    }
}

/// What a replay says to an action: `None` where it has nothing to say. It takes nothing that changes, asks or writes; what
/// winds is there in a replay alone.
fn replayed(model: &Model, action: Action) -> Option<Option<String>> {
    let entry = action.entry();
    let winds = entry.scopes == [Scope::Replay];
    if model.replay.is_none() {
        return winds.then(|| Some("only in a replay: midwatch replay INC-…".into()));
    }
    let asks = matches!(
        action,
        Action::Search | Action::Postmortem | Action::EditDraft | Action::Retry | Action::Arm | Action::Disarm
    );
    if entry.changes || asks {
        return Some(Some(LOOK_ONLY.into()));
    }
    winds.then_some(None)
}

/// Why no target can do one of these, with the target's own reason where it has one; `None` when one can.
pub fn lacks(model: &Model, any: &[Capability]) -> Option<String> {
    if any.iter().any(|capability| model.outbox.able(*capability).next().is_some()) {
        return None;
    }
    let first = any.first()?;
    let said = model.outbox.targets.values().find_map(|target| {
        let missing =
            any.iter().find(|c| matches!(target.facts.caps.of(**c), Can::No(lack, _) if lack != Lack::Unsupported));
        missing.and_then(|c| {
            Some(format!("{} cannot {}: {}", target.facts.name, c.title(), target.facts.caps.why_not(*c)?))
        })
    });
    said.or_else(|| Some(format!("no target that can {} is configured", first.title())))
}

/// Whether the incident in view is open; `None` when none is in view.
fn shown_incident(model: &Model) -> Option<bool> {
    match model.nav.screen() {
        Screen::Incident(id)
        | Screen::Board(id)
        | Screen::HandOff(id)
        | Screen::Postmortem(id)
        | Screen::Walk(Some(id), _)
        | Screen::WhatChanged(Subject::Incident(id)) => model.desk.cases.get(id).map(|c| c.shown.is_open()),
        _ => None,
    }
}

/// Whether an action belongs to the shown screen.
pub fn belongs(model: &Model, action: Action) -> bool {
    let here = scopes(model.nav.screen());
    let replays = model.replay.is_some();
    action.entry().scopes.iter().any(|s| here.contains(s) || (replays && *s == Scope::Replay))
}
