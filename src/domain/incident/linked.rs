//! Incidents of a paging product that belong to one of ours: linked by a person or by their key, with the lines of their
//! log. What the product says wins over what we think of it, and a difference is told; nothing here overwrites either.

use crate::domain::ids::SourceName;
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::Incident;
use crate::domain::outward::backend::{BackendIncident, BackendStatus, LogEntry};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::entry::Ending;
use crate::domain::outward::outcome::Reference;
use crate::domain::time::{Timestamp, clock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most lines of a page's log whose ids are kept: what is older is not asked for any more.
const MOST_LINES: usize = 2_000;

/// An incident there, as it was when it was linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendLink {
    /// Of which target.
    pub target: SourceName,
    /// Its id there.
    pub page: String,
    /// The number people say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its title; outside text.
    pub title: String,
    /// Its page; outside text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its service there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where it stood.
    pub status: BackendStatus,
    /// Why it belongs here, in words.
    pub why: String,
}

impl BackendLink {
    /// The link to an incident as it was read.
    pub fn to(target: &SourceName, there: &BackendIncident, why: impl Into<String>) -> Self {
        Self {
            target: target.clone(),
            page: there.id.clone(),
            number: there.number.clone(),
            title: there.title.clone(),
            url: there.url.clone(),
            service: there.service.as_ref().map(|service| service.name.clone()),
            key: there.key.clone(),
            status: there.status.clone(),
            why: why.into(),
        }
    }

    /// `pagerduty #123`.
    pub fn name(&self) -> String {
        format!("{} {}", self.target, self.number.as_deref().unwrap_or(&self.page))
    }
}

/// A line of its log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendLine {
    /// Of which target.
    pub target: SourceName,
    /// The incident's id there.
    pub page: String,
    /// The number people say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The line's id there.
    pub line: String,
    /// `acknowledge`, `escalate`, `notify` … or another word of the product.
    pub action: String,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In words; outside text.
    pub text: String,
}

impl BackendLine {
    /// The line as it was read.
    pub fn of(link: &BackendLink, entry: &LogEntry) -> Self {
        Self {
            target: link.target.clone(),
            page: link.page.clone(),
            number: link.number.clone(),
            line: entry.id.clone(),
            action: entry.kind.clone(),
            by: entry.actor.clone(),
            text: entry.text.clone(),
        }
    }

    /// `pagerduty #123`.
    pub fn name(&self) -> String {
        format!("{} {}", self.target, self.number.as_deref().unwrap_or(&self.page))
    }

    /// The status that it tells.
    fn status(&self) -> Option<BackendStatus> {
        match self.action.as_str() {
            "trigger" | "unacknowledge" | "reopen" => Some(BackendStatus::Triggered),
            "acknowledge" => Some(BackendStatus::Acknowledged),
            "resolve" => Some(BackendStatus::Resolved),
            _ => None,
        }
    }
}

/// A linked incident, folded from its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// What it was when it was linked.
    pub link: BackendLink,
    /// Where it stands, as far as its log was read.
    pub status: BackendStatus,
    /// Who brought it there.
    #[serde(default)]
    pub by: Option<String>,
    /// When; the instant of the link, before any line.
    pub since: Timestamp,
    /// When its newest line happened.
    #[serde(default)]
    pub newest: Option<Timestamp>,
    /// The lines that are recorded, by their ids there.
    #[serde(default)]
    pub lines: BTreeSet<String>,
}

impl Linked {
    /// Whether it is this one.
    pub fn is(&self, target: &SourceName, page: &str) -> bool {
        self.link.target == *target && self.link.page == page
    }

    /// What to tell a person where the two do not agree; `None` when they do. `there` is the newest reading, where there is
    /// one.
    pub fn conflict(&self, ours: &Incident, there: Option<&BackendIncident>) -> Option<String> {
        let status = there.map_or(&self.status, |there| &there.status);
        let read = there.and_then(|there| Some(there.acknowledged_by.last()?.0.name.clone()));
        let by = read.or_else(|| self.by.clone()).map(|by| format!(" by {by}")).unwrap_or_default();
        let since = clock(self.since);
        let merged = there.and_then(|there| there.merged_into.as_ref());
        match (status, ours.is_open(), ours.times.acknowledged) {
            (BackendStatus::Resolved, true, _) if merged.is_some() => {
                Some(format!("merged there into {}; open here", merged.map_or("another", String::as_str)))
            }
            (BackendStatus::Resolved, true, _) => {
                let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                Some(format!("resolved there{by} {since}; open here"))
            }
            (BackendStatus::Triggered | BackendStatus::Acknowledged, false, _) => {
                Some(format!("{} there; resolved here", status.word()))
            }
            (BackendStatus::Acknowledged, true, None) => Some(format!("acknowledged there{by}; not acknowledged here")),
            (BackendStatus::Triggered, true, Some(_)) => Some("acknowledged here; nobody has it there".into()),
            _ => None,
        }
    }
}

impl Incident {
    /// A linked incident of a paging product.
    pub fn page(&self, target: &SourceName, page: &str) -> Option<&Linked> {
        self.pages.iter().find(|linked| linked.is(target, page))
    }

    pub(super) fn apply_page(&mut self, event: &Event) {
        match &event.body {
            Body::BackendLinked(link) => self.link_page((**link).clone(), event.at),
            Body::BackendUnlinked { target, page, .. } => self.pages.retain(|linked| !linked.is(target, page)),
            Body::BackendLogged(line) => {
                let Some(linked) = self.pages.iter_mut().find(|linked| linked.is(&line.target, &line.page)) else {
                    return;
                };
                if linked.lines.len() < MOST_LINES {
                    linked.lines.insert(line.line.clone());
                }
                // Lines may come in any order: the youngest one that tells a status is right.
                if let Some(status) = line.status()
                    && (linked.newest.is_none() || event.at >= linked.since)
                {
                    linked.status = status;
                    linked.by.clone_from(&line.by);
                    linked.since = event.at;
                }
                linked.newest = linked.newest.max(Some(event.at));
            }
            _ => {}
        }
    }

    /// An incident that an operation of ours opened there belongs to ours from then on.
    pub(super) fn opened(&mut self, event: &Event) {
        let Body::OutgoingOutcome { target, capability: Capability::Declare, words, end, .. } = &event.body else {
            return;
        };
        let (Ending::Done { reference } | Ending::AlreadyDone { reference }) = end else { return };
        let Reference { id: Some(page), name, url } = reference.clone() else { return };
        let link = BackendLink {
            target: target.clone(),
            page,
            number: name,
            title: words.clone(),
            url,
            service: None,
            key: None,
            status: BackendStatus::Triggered,
            why: "opened from here".into(),
        };
        self.link_page(link, event.at);
    }

    fn link_page(&mut self, link: BackendLink, at: Timestamp) {
        if self.page(&link.target, &link.page).is_none() {
            let status = link.status.clone();
            self.pages.push(Linked { link, status, by: None, since: at, newest: None, lines: BTreeSet::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::EventKey;
    use crate::domain::outward::backend::Party;

    fn at(text: &str) -> Timestamp {
        format!("2026-05-01T{text}Z").parse().unwrap()
    }

    fn event(seq: u64, at: Timestamp, body: Body) -> Event {
        Event {
            key: EventKey { origin: "here".into(), seq },
            id: String::new(),
            incident: "INC-1".into(),
            order: seq,
            at,
            recorded_at: at,
            actor: "midwatch".into(),
            body,
            hash: String::new(),
        }
    }

    fn there(status: BackendStatus) -> BackendIncident {
        let mut there = BackendIncident::new("P1", "api 5xx", status);
        there.number = Some("#7".into());
        there
    }

    fn line(seq: u64, when: &str, action: &str, by: &str) -> Event {
        let entry = LogEntry {
            id: format!("R{when}"),
            at: at(when),
            kind: action.into(),
            actor: Some(by.into()),
            actor_id: None,
            by_itself: false,
            text: format!("{action} by {by}"),
        };
        let link = BackendLink::to(&"pd".into(), &there(BackendStatus::Triggered), "by hand");
        event(seq, at(when), Body::BackendLogged(Box::new(BackendLine::of(&link, &entry))))
    }

    fn declared() -> Vec<Event> {
        let declared = Body::Declared {
            title: "api".into(),
            severity: "SEV2".into(),
            service: None,
            detected_by: None,
            detected_at: None,
        };
        let link = BackendLink::to(&"pd".into(), &there(BackendStatus::Acknowledged), "by hand");
        vec![event(1, at("03:10:00"), declared), event(2, at("03:10:00"), Body::BackendLinked(Box::new(link)))]
    }

    #[test]
    fn the_youngest_line_that_tells_a_status_is_right_whatever_came_first() {
        let lines = [
            line(3, "03:00:00", "trigger", "api"),
            line(4, "03:20:00", "resolve", "grace"),
            line(5, "03:05:00", "acknowledge", "ada"),
            line(6, "03:21:00", "annotate", "ada"),
            line(7, "03:20:00", "resolve", "grace"),
        ];
        let all: Vec<Event> = declared().into_iter().chain(lines).collect();
        let incident = Incident::fold(&all).unwrap();
        let page = incident.page(&"pd".into(), "P1").unwrap();
        assert_eq!(
            (&page.status, page.by.as_deref(), page.since),
            (&BackendStatus::Resolved, Some("grace"), at("03:20:00"))
        );
        assert_eq!((page.newest, page.lines.len()), (Some(at("03:21:00")), 4));
        assert_eq!(page.conflict(&incident, None).as_deref(), Some("resolved there by grace 03:20:00Z; open here"));
        assert_eq!(incident.times.responded, None, "what happened there is no act of ours");
    }

    #[test]
    fn a_difference_is_told_and_agreement_is_not() {
        let base = Incident::fold(&declared()).unwrap();
        let act = |body: Body| {
            let mut incident = base.clone();
            incident.apply(&event(9, at("03:15:00"), body));
            incident
        };
        let (acked, over) = (act(Body::Acknowledged), act(Body::Resolved { summary: "done".into() }));
        for (ours, status, want) in [
            (&base, BackendStatus::Triggered, None),
            (&base, BackendStatus::Acknowledged, Some("acknowledged there by Ada; not acknowledged here")),
            (&acked, BackendStatus::Acknowledged, None),
            (&acked, BackendStatus::Triggered, Some("acknowledged here; nobody has it there")),
            (&acked, BackendStatus::Resolved, Some("resolved there 03:10:00Z; open here")),
            (&over, BackendStatus::Resolved, None),
            (&over, BackendStatus::Triggered, Some("triggered there; resolved here")),
            (&base, BackendStatus::Other("parked".into()), None),
        ] {
            let mut read = there(status.clone());
            if status == BackendStatus::Acknowledged {
                read.acknowledged_by = vec![(Party { name: "Ada".into(), ..Party::default() }, None)];
            }
            let said = ours.pages[0].conflict(ours, Some(&read));
            assert_eq!(said.as_deref(), want, "{status:?}");
        }
        let mut merged = there(BackendStatus::Resolved);
        merged.merged_into = Some("P9".into());
        assert_eq!(base.pages[0].conflict(&base, Some(&merged)).as_deref(), Some("merged there into P9; open here"));
    }

    #[test]
    fn a_link_is_one_however_often_it_is_made_and_goes_with_its_reason() {
        let mut events = declared();
        let link = BackendLink::to(&"pd".into(), &there(BackendStatus::Triggered), "by its key");
        events.push(event(3, at("03:11:00"), Body::BackendLinked(Box::new(link))));
        assert_eq!(Incident::fold(&events).unwrap().pages.len(), 1);
        let gone = Body::BackendUnlinked { target: "pd".into(), page: "P1".into(), reason: "another service".into() };
        events.push(event(4, at("03:12:00"), gone));
        // A line that comes after that belongs to nothing.
        events.push(line(5, "03:13:00", "resolve", "grace"));
        assert!(Incident::fold(&events).unwrap().pages.is_empty());
    }
}
