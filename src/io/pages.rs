//! What the adapters of paging products share: the options that name our services there, what is compared before a write,
//! how an incident there is told in a conflict. Never sends anything.

use crate::config::{Address, Auth, OutsideConfig};
use crate::domain::document::{Fields, Node, Reader};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, Party};
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reach, Reference};
use crate::io::http::Failure;
use std::time::Duration;

/// Options of every product that has services.
pub const SERVICES: (&str, &str) =
    ("services", "our services, each with the id of its service there: where incidents are opened, who is on call");
/// See [`SERVICES`].
pub const DEFAULT_SERVICE: (&str, &str) = ("default_service", "the id of the service there for everything else");
/// Options of every event sink.
pub const AUDIENCE: (&str, &str) = ("audience", "event_sinks: who is paged by it, for the question before a page");

/// The most ids of one kind.
const MOST_IDS: usize = 50;

/// Our services, and theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Our name and the id there.
    named: Vec<(String, String)>,
    other: Option<String>,
}

impl Services {
    /// Reads both options.
    pub fn read(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>) -> Self {
        let other = fields.and_then(|fields| fields.get(DEFAULT_SERVICE.0));
        let other = other.and_then(|node| id(reader, node, DEFAULT_SERVICE.0));
        Self { other, ..Self::mapped(reader, fields, SERVICES.0) }
    }

    /// Reads a map of our services to something else there, under another key.
    pub fn mapped(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>, key: &str) -> Self {
        let mut out = Self::default();
        let Some(node) = fields.and_then(|fields| fields.get(key)) else { return out };
        for (name, value) in reader.entries(node, key).unwrap_or(&[]) {
            let read = id(reader, value, &format!("{key}.{}", name.text));
            out.named.extend(read.map(|id| (name.text.clone(), id)));
        }
        if out.named.len() > MOST_IDS {
            reader.error(node.mark, "out-of-range", format!("{key} may name at most {MOST_IDS} services"));
        }
        out
    }

    /// The service there for one of ours.
    pub fn of(&self, ours: Option<&str>) -> Option<&str> {
        let mapped = self.named.iter().find(|(name, _)| Some(name.as_str()) == ours).map(|(_, id)| id.as_str());
        mapped.or(self.other.as_deref())
    }

    /// The service there that an incident is opened for: the one that was given, else that of ours.
    pub fn wanted<'s>(&'s self, given: Option<&'s Party>) -> Result<&'s str, Outcome> {
        let ours = given.map(|party| party.name.as_str());
        let there = given.map(|party| party.id.as_str()).filter(|id| is_id(id));
        there.or_else(|| self.of(ours)).ok_or_else(|| {
            let words = format!("no service there is known for `{}` (options.services)", ours.unwrap_or("no service"));
            Outcome::Refused { kind: Obstacle::Invalid, words }
        })
    }

    /// The services there whose on-call people are asked for: that of ours, else all, each once. A fault when there is none.
    pub fn asked(&self, ours: Option<&str>, what: &str) -> Result<Vec<&str>, Fault> {
        let mut ids: Vec<&str> = match ours {
            Some(_) => self.of(ours).into_iter().collect(),
            None => self.named.iter().map(|(_, id)| id.as_str()).chain(self.other.as_deref()).collect(),
        };
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            let detail = format!("no service there is known for `{}` (options.services)", ours.unwrap_or("any"));
            return Err(Fault::new(FaultKind::Rejected, what, detail));
        }
        Ok(ids)
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.other.is_none()
    }
}

/// Whether a text can be an id there, and a part of a path.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// An option that is an id.
pub fn id(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.string(node, what)?;
    if is_id(&text) {
        return Some(text);
    }
    reader.wrong(node, what, "an id of letters, digits, - and _");
    None
}

/// An option that is a list of ids.
pub fn ids(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>, key: &str) -> Vec<String> {
    let Some(node) = fields.and_then(|fields| fields.get(key)) else { return Vec::new() };
    let read: Vec<String> = reader.list(node, key).iter().filter_map(|item| id(reader, item, key)).collect();
    if read.len() > MOST_IDS {
        reader.error(node.mark, "out-of-range", format!("{key} may name at most {MOST_IDS} ids"));
    }
    read
}

/// Reports an address that is not encrypted: tokens that page people go over https alone.
pub fn encrypted(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let Some(Address::Plain(url)) = &config.url else { return };
    let local = ["http://127.", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start));
    if !url.starts_with("https://") && !local {
        let message = format!("{} is asked over https alone (expected https://…)", config.kind);
        reader.error(config.mark, "unencrypted", message);
    }
}

/// Reports an entry without a password, for a product that takes an address and a token.
pub fn wants_basic(config: &OutsideConfig, reader: &mut Reader<'_>) {
    if !matches!(config.connection.auth, Auth::Basic { .. }) {
        let message =
            format!("{} needs auth: {{basic: {{username: YOU@EXAMPLE.COM, password: {{file: PATH}}}}}}", config.kind);
        reader.error(config.mark, "missing-key", message);
    }
}

/// Reports options that stand where they mean nothing.
pub fn misplaced(config: &OutsideConfig, reader: &mut Reader<'_>, keys: &[&str], belongs: &str) {
    for key in keys {
        if let Some(node) = config.options.as_ref().and_then(|options| options.get(key)) {
            reader.error(node.mark, "not-allowed", format!("{key} belongs to an entry of {belongs}"));
        }
    }
}

/// How often an entry is read.
pub fn every(config: &OutsideConfig) -> Duration {
    Duration::from_millis(u64::try_from(config.connection.poll_interval.num_milliseconds()).unwrap_or(0))
}

/// An incident there as the outcome of a write tells it.
pub fn reference(incident: &BackendIncident) -> Reference {
    Reference { id: Some(incident.id.clone()), name: incident.number.clone(), url: incident.url.clone() }
}

/// An incident in words, for a conflict.
pub fn current(incident: &BackendIncident) -> String {
    let names: Vec<&str> = incident.acknowledged_by.iter().map(|(party, _)| party.name.as_str()).collect();
    match (&incident.status, names.is_empty()) {
        (BackendStatus::Acknowledged, false) => format!("acknowledged by {}", names.join(", ")),
        (status, _) => match &incident.merged_into {
            Some(other) => format!("merged into {other}"),
            None => status.word().to_owned(),
        },
    }
}

/// A question before the write failed: nothing was sent.
pub fn before(failure: Failure) -> Outcome {
    let reach = if failure.reach == Reach::Sent { Reach::NotSent } else { failure.reach };
    Failure { reach, ..failure }.outcome()
}

/// Refused: the text cannot be the id of anything there.
pub fn no_such(text: &str) -> Outcome {
    Outcome::Refused { kind: Obstacle::NotFound, words: format!("{text:?} cannot be the id of an incident there") }
}

/// The answer about something that is not there.
pub fn gone(what: &str, detail: impl Into<String>) -> Failure {
    let fault = Fault::new(FaultKind::Rejected, what, format!("answered 404: {}", detail.into()));
    Failure { fault, reach: Reach::Declined, status: Some(404), code: None, bar: None }
}

fn assigned<'p>(people: impl IntoIterator<Item = &'p Party>) -> Vec<&'p str> {
    let mut ids: Vec<&str> = people.into_iter().map(|party| party.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whether the incident is as a write wants it; `None` where its state does not tell.
pub fn reached(there: &BackendIncident, write: &BackendWrite) -> Option<bool> {
    match write {
        BackendWrite::Acknowledge { .. } => Some(there.status == BackendStatus::Acknowledged),
        BackendWrite::Unacknowledge { .. } => Some(there.status == BackendStatus::Triggered),
        BackendWrite::Resolve { .. } => Some(there.status == BackendStatus::Resolved),
        BackendWrite::SetTitle { title, .. } => Some(there.title == *title),
        BackendWrite::SetPriority { priority, .. } => Some(there.priority.as_ref() == Some(&priority.name)),
        BackendWrite::Reassign { to, .. } => Some(assigned(&there.assigned) == assigned(to)),
        _ => None,
    }
}

/// Whether a write is to be sent, now that the incident was read: an outcome when it is done already, when the incident is
/// over (only a note is taken then), or when somebody else has it than the person saw.
pub fn judge(there: &BackendIncident, op: &Operation, write: &BackendWrite) -> Result<(), Outcome> {
    if reached(there, write) == Some(true) {
        return Err(Outcome::AlreadyDone(reference(there)));
    }
    if there.status == BackendStatus::Resolved && !matches!(write, BackendWrite::Note { .. }) {
        return Err(Outcome::Conflict { current: current(there) });
    }
    if let BackendWrite::Reassign { to, .. } = write {
        if to.is_empty() || to.iter().any(|party| party.id.is_empty()) {
            return Err(Outcome::Refused { kind: Obstacle::Invalid, words: "nobody to give it to".into() });
        }
        let mut seen: Vec<&str> = op.expected.assigned.iter().map(String::as_str).collect();
        seen.sort_unstable();
        if !seen.is_empty() && seen != assigned(&there.assigned) {
            let names: Vec<&str> = there.assigned.iter().map(|party| party.name.as_str()).collect();
            return Err(Outcome::Conflict { current: format!("assigned to {}", names.join(", ")) });
        }
    }
    Ok(())
}

/// What the state of an incident tells of a write.
pub fn found(there: &BackendIncident, write: &BackendWrite) -> Found {
    match reached(there, write) {
        Some(true) => Found::Done(reference(there)),
        Some(false) if there.status == BackendStatus::Resolved => Found::Conflict { current: current(there) },
        Some(false) => Found::Absent,
        None => Found::NoWay,
    }
}

/// A look whose request failed. An incident that is gone will not come back.
pub fn unseen(failure: &Failure) -> Found {
    match failure.outcome() {
        Outcome::Refused { kind: kind @ Obstacle::NotFound, words } => Found::Refused { kind, words },
        _ => failure.found(),
    }
}

/// The outcome of a write that is nothing for an incident backend.
pub fn no_backend(product: &str, op: &Operation) -> Outcome {
    Outcome::unsupported(format!("{product} cannot {}", op.intent.capability().title()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outward::capability::Class;
    use crate::domain::outward::intent::Intent;
    use crate::domain::outward::operation::Expected;

    fn party(id: &str) -> Party {
        Party { id: id.into(), name: id.to_uppercase(), ..Party::default() }
    }

    fn judged(status: BackendStatus, seen: &[&str], write: BackendWrite) -> String {
        let mut there = BackendIncident::new("7", "api", status);
        there.assigned = vec![party("ada")];
        let at = "2026-05-01T03:00:00Z".parse().unwrap();
        let expected = Expected { assigned: seen.iter().map(|s| (*s).to_owned()).collect(), ..Expected::default() };
        let op = Operation::new("x".into(), Intent::Backend(write.clone()), Class::Compare, at, "ada");
        match judge(&there, &op.expecting(expected), &write) {
            Ok(()) => "send".into(),
            Err(outcome) => outcome.word().into(),
        }
    }

    #[test]
    fn what_is_done_is_not_sent_again_and_what_is_over_stays_over() {
        use BackendStatus::{Acknowledged, Resolved, Triggered};
        let incident = || "7".to_owned();
        let ack = || BackendWrite::Acknowledge { incident: incident() };
        let resolve = || BackendWrite::Resolve { incident: incident(), resolution: None };
        let note = || BackendWrite::Note { incident: incident(), text: "x".into() };
        let give = |to: &str| BackendWrite::Reassign { incident: incident(), to: vec![party(to)] };
        for (status, seen, write, want) in [
            (Triggered, &[][..], ack(), "send"),
            (Acknowledged, &[], ack(), "already done"),
            (Resolved, &[], ack(), "conflict"),
            (BackendStatus::Other("silenced".into()), &[], ack(), "send"),
            (Resolved, &[], resolve(), "already done"),
            (Resolved, &[], note(), "send"),
            (Triggered, &["ada"], give("grace"), "send"),
            (Triggered, &["bob"], give("grace"), "conflict"),
            (Triggered, &["bob"], give("ada"), "already done"),
            (Triggered, &[], give(""), "refused"),
            (Resolved, &[], BackendWrite::Snooze { incident: incident(), seconds: 60 }, "conflict"),
        ] {
            assert_eq!(judged(status.clone(), seen, write.clone()), want, "{status:?} {write:?}");
        }
    }
}
