//! What can be done to an incident at a paging product, and the write that it means: the same for the form of the cockpit
//! and for the command line.

use crate::app::model::Model;
use crate::app::update::paging;
use crate::domain::ids::SourceName;
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::Body;
use crate::domain::outward::backend::{BackendWrite, Party};
use crate::domain::outward::capability::{Capability, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::time::Timestamp;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deal {
    /// Take it.
    Acknowledge,
    /// Keep it quiet for minutes.
    Snooze,
    /// Send it to a level of its policy.
    Escalate,
    /// Give it to a person.
    Reassign,
    /// Ask a person to join, with words.
    Responders,
    /// Add a line to it.
    Note,
    /// Tell its subscribers.
    StatusUpdate,
    /// Set its priority, by name.
    Priority,
    /// Set its title.
    Title,
    /// Give it back.
    GiveBack,
    /// Join others into it, by number or id.
    Merge,
    /// End it, with words or without.
    Resolve,
    /// Link it to an incident of ours, or unlink it. Nothing is sent for it.
    Link,
}

/// In the order of the choice.
pub const DEALS: [(Deal, &str); 13] = [
    (Deal::Acknowledge, "acknowledge"),
    (Deal::Snooze, "snooze (minutes)"),
    (Deal::Escalate, "escalate (level)"),
    (Deal::Reassign, "give to"),
    (Deal::Responders, "ask to join (words)"),
    (Deal::Note, "note (words)"),
    (Deal::StatusUpdate, "tell subscribers (words)"),
    (Deal::Priority, "priority (name)"),
    (Deal::Title, "title (words)"),
    (Deal::GiveBack, "give back"),
    (Deal::Merge, "merge into it (ids)"),
    (Deal::Resolve, "resolve there (words)"),
    (Deal::Link, "link, or unlink (why)"),
];

impl Deal {
    /// What a target must be able to do for it; `None` where nothing is sent.
    pub fn capability(self) -> Option<Capability> {
        Some(match self {
            Self::Acknowledge => Capability::Acknowledge,
            Self::Snooze => Capability::Snooze,
            Self::Escalate => Capability::Escalate,
            Self::Reassign => Capability::Reassign,
            Self::Responders => Capability::RequestResponders,
            Self::Note => Capability::Note,
            Self::StatusUpdate => Capability::StatusUpdate,
            Self::Priority => Capability::SetPriority,
            Self::Title => Capability::SetTitle,
            Self::GiveBack => Capability::Unacknowledge,
            Self::Merge => Capability::Merge,
            Self::Resolve => Capability::Resolve,
            Self::Link => return None,
        })
    }

    /// The write that it means for the incident `page` at `name`. `typed` is minutes, a level, a name, ids or words.
    pub fn write(
        self,
        model: &Model,
        name: &SourceName,
        page: &str,
        who: Option<Party>,
        typed: &str,
    ) -> Result<BackendWrite, Refusal> {
        let incident = page.to_owned();
        let words = |what: &str| text(typed, what);
        let who = || who.ok_or_else(|| Refusal("nobody is known there to choose from".into()));
        Ok(match self {
            Self::Acknowledge => BackendWrite::Acknowledge { incident },
            Self::GiveBack => BackendWrite::Unacknowledge { incident },
            Self::Resolve => {
                BackendWrite::Resolve { incident, resolution: Some(typed.to_owned()).filter(|t| !t.is_empty()) }
            }
            Self::Snooze => BackendWrite::Snooze { incident, seconds: number(typed, "minutes", 7 * 24 * 60)? * 60 },
            Self::Escalate => {
                let level = u32::try_from(number(typed, "a level", 20)?).unwrap_or(1);
                BackendWrite::Escalate { incident, level }
            }
            Self::Reassign => BackendWrite::Reassign { incident, to: vec![who()?] },
            Self::Responders => {
                let message = words("a message in text")?;
                BackendWrite::RequestResponders { incident, people: vec![who()?], message }
            }
            Self::Note => BackendWrite::Note { incident, text: words("a text")? },
            Self::StatusUpdate => {
                BackendWrite::StatusUpdate { incident, subject: None, message: words("a message in text")? }
            }
            Self::Title => BackendWrite::SetTitle { incident, title: words("a title in text")? },
            Self::Priority => {
                let wanted = words("a priority in text")?;
                let known = model.outbox.targets.get(name).and_then(|t| t.readings.priorities.as_ref());
                let list = known.map_or(&[][..], |(_, list)| list.as_slice());
                let found = list.iter().find(|p| p.name.eq_ignore_ascii_case(&wanted)).cloned();
                let names: Vec<&str> = list.iter().map(|p| p.name.as_str()).collect();
                let priority = found.ok_or_else(|| {
                    Refusal(format!("there is no priority {wanted} there (expected one of: {})", names.join(", ")))
                })?;
                BackendWrite::SetPriority { incident, priority }
            }
            Self::Merge => {
                let sources = sources(model, name, page, &words("numbers or ids in text")?)?;
                BackendWrite::Merge { incident, sources }
            }
            Self::Link => return Err(Refusal("nothing is sent for a link".into())),
        })
    }
}

fn number(typed: &str, what: &str, most: u64) -> Result<u64, Refusal> {
    let read = typed.trim().trim_end_matches('m').trim().parse::<u64>().ok().filter(|n| (1..=most).contains(n));
    read.ok_or_else(|| Refusal(format!("{what} is needed in text: 1 to {most}")))
}

/// Open incidents there by number or id, separated by spaces or commas.
fn sources(model: &Model, name: &SourceName, into: &str, typed: &str) -> Result<Vec<String>, Refusal> {
    let Some(target) = model.outbox.targets.get(name) else { return Err(Refusal(format!("{name} is gone"))) };
    let wanted = typed.split([' ', ',']).filter(|word| !word.is_empty());
    wanted
        .map(|word| match target.open_incidents().iter().find(|there| there.is(word)) {
            Some(there) if there.id == into => Err(Refusal(format!("{word} is the one that it is merged into"))),
            Some(there) => Ok(there.id.clone()),
            None => Err(Refusal(format!("{word} is not open there"))),
        })
        .collect()
}

/// The people that are known there: on call first, then those who have it.
pub fn people(model: &Model, name: &SourceName, page: &str) -> Vec<(String, Party)> {
    let Some(target) = model.outbox.targets.get(name) else { return Vec::new() };
    let mut known: Vec<(String, Party)> = Vec::new();
    let mut add = |label: String, party: &Party| {
        if !known.iter().any(|(_, there)| there.id == party.id) {
            known.push((label, party.clone()));
        }
    };
    let on_call = target.readings.on_call.values().chain(&target.on_call).flat_map(|(_, people)| people);
    for duty in on_call {
        let level = duty.level.map(|level| format!(", level {level}")).unwrap_or_default();
        let policy = duty.policy.as_ref().map(|policy| format!(" of {}", policy.name)).unwrap_or_default();
        add(format!("{} on call{level}{policy}", duty.person.name), &duty.person);
    }
    for party in target.seen(page).into_iter().flat_map(|there| &there.assigned) {
        add(format!("{} has it", party.name), party);
    }
    known
}

/// Whether a person is asked before it leaves: it cannot be repeated safely, or it wakes or tells others.
pub fn asks(body: &Body) -> bool {
    matches!(body, Body::Outgoing(op) if op.class == Class::AskPerson || op.intent.pages())
}

/// Whom it wakes, each with the time that it is for them.
pub fn woken(model: &Model, now: Timestamp, name: &SourceName, intent: &Intent) -> Vec<String> {
    let people = match intent {
        Intent::Backend(BackendWrite::Reassign { to, .. }) => to,
        Intent::Backend(BackendWrite::RequestResponders { people, .. }) => people,
        Intent::Backend(BackendWrite::Escalate { incident, level }) => {
            return at_level(model, now, name, incident, *level);
        }
        _ => return Vec::new(),
    };
    people.iter().map(|party| paging::local_time(party, model.setup.zone, now)).collect()
}

/// Who is on the level that an escalation goes to.
fn at_level(model: &Model, now: Timestamp, name: &SourceName, incident: &str, level: u32) -> Vec<String> {
    let Some(target) = model.outbox.targets.get(name) else { return Vec::new() };
    let policy = target.seen(incident).and_then(|there| there.policy.as_ref()).map(|policy| policy.id.clone());
    let all = target.readings.on_call.values().chain(&target.on_call).flat_map(|(_, people)| people);
    let there = |duty: &&crate::domain::outward::backend::OnCall| {
        duty.level == Some(level) && duty.policy.as_ref().map(|p| p.id.clone()) == policy
    };
    let mut woken: Vec<String> =
        all.filter(there).map(|duty| paging::local_time(&duty.person, model.setup.zone, now)).collect();
    woken.dedup();
    if woken.is_empty() {
        woken.push(format!("whoever is on level {level}; not known here"));
    }
    woken
}
