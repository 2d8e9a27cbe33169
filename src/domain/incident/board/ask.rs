//! What a person may do to the board of an incident: a wish becomes events, or is refused with what would help.

use crate::domain::ids::IncidentId;
use crate::domain::incident::board::{
    Belief, Bond, Decision, DecisionEvent, Hypothesis, Phase, Stand, Task, TaskEvent,
};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::{BackendLink, Body, EventKey};
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::severity::Playbook;
use crate::domain::time::{Span, Timestamp, clock, compact, mins};

/// The longest time box and the latest promise, in days.
const FARTHEST_DAYS: i64 = 7;

/// The origin of events that are not on disk yet.
const UNSAVED: &str = "~";

/// What a person wants of the board.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Somebody is to do something, and comes back in so long.
    Give(String, Option<String>, Option<Span>),
    /// A task gets so much time from now on.
    Extend(EventKey, Span),
    /// A task gets another owner; `None` is nobody.
    Hand(EventKey, Option<String>),
    /// A task was done (or dropped); what came of it.
    End(EventKey, bool, Option<String>),
    /// Something is proposed.
    Propose(String),
    /// An objection to a decision.
    Object(EventKey, String),
    /// A proposal is what we do.
    Choose(EventKey),
    /// A proposal is not what we do.
    Drop(EventKey, String),
    /// A hypothesis is so, is not so, or is open again; and why.
    Judge(EventKey, Belief, String),
    /// A line of the playbook is done, or is not.
    Tick(Phase, String, bool),
    /// Stakeholders were told, and hear again in so long.
    Tell(String, String, Option<Span>),
    /// The two have to do with each other.
    Relate(IncidentId, String),
    /// Somebody takes part, or has left.
    Present(String, bool),
}

impl Ask {
    /// Whether it may still be done when the incident is over.
    pub fn after_the_end(&self) -> bool {
        match self {
            Self::Give(..) | Self::Extend(..) | Self::Hand(..) | Self::Propose(_) | Self::Choose(_) => false,
            Self::Tick(phase, ..) => *phase == Phase::Resolution,
            _ => true,
        }
    }
}

fn known<'i, T>(all: &'i [T], of: &EventKey, key: impl Fn(&T) -> &EventKey, what: &str) -> Result<&'i T, Refusal> {
    if of.origin.as_str() == UNSAVED {
        return Err(Refusal(format!("this {what} is not on disk yet; try again in a moment")));
    }
    all.iter().find(|one| key(one) == of).ok_or_else(|| Refusal(format!("there is no {what} {}", key_text(of))))
}

fn task<'i>(incident: &'i Incident, of: &EventKey) -> Result<&'i Task, Refusal> {
    let task = known(&incident.board.tasks, of, |t| &t.key, "task")?;
    match task.is_open() {
        true => Ok(task),
        false => Err(Refusal(format!("\"{}\" is {} already", task.text, task.word()))),
    }
}

fn decision<'i>(incident: &'i Incident, of: &EventKey) -> Result<&'i Decision, Refusal> {
    known(&incident.board.decisions, of, |d| &d.key, "decision")
}

fn proposal<'i>(incident: &'i Incident, of: &EventKey) -> Result<&'i Decision, Refusal> {
    let one = decision(incident, of)?;
    match one.stand {
        Stand::Proposed => Ok(one),
        _ => Err(Refusal(format!("\"{}\" is {} already; decide anew", one.text, one.stand.word()))),
    }
}

fn hypothesis<'i>(incident: &'i Incident, of: &EventKey) -> Result<&'i Hypothesis, Refusal> {
    known(&incident.board.hypotheses, of, |h| &h.key, "hypothesis")
}

fn ahead(at: Timestamp, by: Span) -> Result<Timestamp, Refusal> {
    let fits = by > Span::zero() && by <= mins(FARTHEST_DAYS * 24 * 60);
    fits.then(|| at.checked_add_signed(by))
        .flatten()
        .ok_or_else(|| Refusal(format!("a time lies between a second and {FARTHEST_DAYS} days ahead")))
}

/// Turns a wish into events. `at` is when it happened.
pub fn ask(incident: &Incident, ask: Ask, at: Timestamp) -> Result<Vec<Body>, Refusal> {
    let refuse = |why: String| Err(Refusal(why));
    let name = |name: Option<String>| name.filter(|n| !n.trim().is_empty()).map(|n| text(&n, "a name")).transpose();
    let body = match ask {
        Ask::Give(what, owner, within) => Body::Task(TaskEvent::Given {
            text: text(&what, "a task")?,
            owner: name(owner)?,
            until: within.map(|by| ahead(at, by)).transpose()?,
        }),
        Ask::Extend(of, by) => {
            let owner = task(incident, &of)?.owner.clone();
            Body::Task(TaskEvent::Moved { of, owner, until: Some(ahead(at, by)?) })
        }
        Ask::Hand(of, owner) => {
            let (task, owner) = (task(incident, &of)?, name(owner)?);
            if task.owner == owner {
                return refuse(format!("{} has it already", owner.as_deref().unwrap_or("nobody")));
            }
            Body::Task(TaskEvent::Moved { of, owner, until: task.until })
        }
        Ask::End(of, done, how) => {
            task(incident, &of)?;
            let how = how.filter(|h| !h.trim().is_empty()).map(|h| text(&h, "a text")).transpose()?;
            if !done && how.is_none() {
                return refuse("why it is dropped is needed".into());
            }
            Body::Task(TaskEvent::Ended { of, done, text: how })
        }
        Ask::Propose(what) => Body::Deciding(DecisionEvent::Proposed { text: text(&what, "a proposal")? }),
        Ask::Object(of, why) => {
            decision(incident, &of)?;
            Body::Deciding(DecisionEvent::Objected { of, text: text(&why, "an objection")? })
        }
        Ask::Choose(of) => {
            proposal(incident, &of)?;
            Body::Deciding(DecisionEvent::Chosen { of })
        }
        Ask::Drop(of, why) => {
            proposal(incident, &of)?;
            Body::Deciding(DecisionEvent::Dropped { of, reason: text(&why, "a reason")? })
        }
        Ask::Judge(of, belief, why) => {
            let one = hypothesis(incident, &of)?;
            if one.belief == belief {
                return refuse(format!("\"{}\" is {} already", one.text, belief.word()));
            }
            Body::HypothesisJudged { of, belief, why: text(&why, "why it is believed")? }
        }
        Ask::Tick(phase, line, done) => {
            if incident.board.tick(phase, &line).is_some() == done {
                return refuse(format!("\"{line}\" is {} already", if done { "ticked" } else { "open" }));
            }
            Body::Ticked { phase, line: text(&line, "a line of the playbook")?, done }
        }
        Ask::Tell(audience, what, next) => Body::Update {
            audience: text(&audience, "an audience")?,
            text: text(&what, "a text")?,
            next_at: next.map(|by| ahead(at, by)).transpose()?,
        },
        Ask::Relate(other, why) => {
            if other == incident.id {
                return refuse("an incident has to do with itself already".into());
            }
            if incident.board.ties.iter().any(|t| t.other == other) {
                return refuse(format!("{} and {other} are linked already", incident.id));
            }
            Body::Tied { other, bond: Bond::Related, why: text(&why, "why they belong together")? }
        }
        Ask::Present(person, here) => {
            let person = text(&person, "a name")?;
            let in_now = incident.board.people.get(&person).is_some_and(|p| !p.left);
            if in_now == here {
                return refuse(format!("{person} is {} already", if here { "in" } else { "not in" }));
            }
            Body::Presence { person, here, how: "said to be in".into() }
        }
    };
    Ok(vec![body])
}

/// The events that merge an incident into another one: first those of the one that goes on, then those of the one that
/// is closed. The alerts, the objectives and the linked pages go over, so that they end with the one that goes on; both
/// timelines stay.
pub fn merge(gone: &Incident, into: &Incident) -> Result<(Vec<Body>, Vec<Body>), Refusal> {
    if gone.id == into.id {
        return Err(Refusal("an incident cannot be merged into itself".into()));
    }
    for one in [gone, into] {
        if !one.is_open() {
            return Err(Refusal(format!("{} is resolved; reopen it first", one.id)));
        }
    }
    let tie = |other: &Incident, bond| Body::Tied { other: other.id.clone(), bond, why: other.title.clone() };
    let mut goes_on = vec![tie(gone, Bond::Absorbed)];
    let alerts = gone.alerts.iter().filter(|(print, _)| !into.alerts.contains_key(print));
    goes_on.extend(alerts.map(|(print, a)| Body::AlertLinked {
        fingerprint: print.clone(),
        name: a.name.clone(),
        labels: a.labels.clone(),
        started_at: a.started_at,
    }));
    let slos = gone.objectives.difference(&into.objectives);
    goes_on.extend(slos.map(|slo| Body::ObjectiveLinked { slo: slo.clone() }));
    let mut closed = vec![tie(into, Bond::MergedInto)];
    for linked in &gone.pages {
        let (target, page) = (&linked.link.target, &linked.link.page);
        if into.page(target, page).is_none() {
            let why = format!("came over with {}", gone.id);
            let link = BackendLink { status: linked.status.clone(), why, ..linked.link.clone() };
            goes_on.push(Body::BackendLinked(Box::new(link)));
        }
        let reason = format!("it goes on as {}", into.id);
        closed.push(Body::BackendUnlinked { target: target.clone(), page: page.clone(), reason });
    }
    let summary = format!("merged into {}: {}", into.id, into.title);
    closed.push(Body::Resolved { summary });
    Ok((goes_on, closed))
}

/// The line of a playbook that was typed: its number (from 1) in the whole list, or a piece that only it has.
pub fn line(book: &Playbook, typed: &str) -> Result<(Phase, String), Refusal> {
    let all: Vec<(Phase, &String)> =
        Phase::ALL.into_iter().flat_map(|p| p.lines(book).iter().map(move |l| (p, l))).collect();
    if let Ok(number) = typed.trim().parse::<usize>() {
        return number
            .checked_sub(1)
            .and_then(|i| all.get(i))
            .map(|(p, l)| (*p, (*l).clone()))
            .ok_or_else(|| Refusal(format!("the playbook has lines 1 to {}", all.len())));
    }
    let wanted = typed.trim().to_lowercase();
    let found: Vec<&(Phase, &String)> =
        all.iter().filter(|(_, l)| !wanted.is_empty() && l.to_lowercase().contains(&wanted)).collect();
    match found.as_slice() {
        [(phase, line)] => Ok((*phase, (*line).clone())),
        [] => Err(Refusal(format!("no line of the playbook has `{typed}`; `checklist ID` shows them with numbers"))),
        _ => Err(Refusal(format!("`{typed}` fits {} lines of the playbook; type more of it", found.len()))),
    }
}

/// `back in 08:20`, `was to be back 3m ago`, for a task; empty when nothing was said.
pub fn back(task: &Task, now: Timestamp) -> String {
    match (&task.ended, task.until) {
        (Some((_, at, _)), _) => format!("{} {}", task.word(), clock(*at)),
        (None, Some(until)) if until <= now => format!("OVERDUE {}", compact(now - until)),
        (None, Some(until)) => format!("back in {}", crate::domain::time::countdown(until - now)),
        (None, None) => "no time said".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::Event;
    use crate::domain::outward::backend::BackendStatus;

    fn event(incident: &str, seq: u64, body: Body) -> Event {
        let at = "2026-05-01T03:00:00Z".parse().unwrap();
        Event {
            key: EventKey { origin: "here".into(), seq },
            id: String::new(),
            incident: IncidentId(incident.into()),
            order: seq,
            at,
            recorded_at: at,
            actor: "ada".into(),
            body,
            hash: String::new(),
        }
    }

    fn declared(incident: &str) -> Event {
        let body = Body::Declared {
            title: incident.into(),
            severity: "SEV2".into(),
            service: None,
            detected_by: None,
            detected_at: None,
        };
        event(incident, 1, body)
    }

    fn link(page: &str) -> BackendLink {
        BackendLink {
            target: "pd".into(),
            page: page.into(),
            number: None,
            title: "t".into(),
            url: None,
            service: None,
            key: None,
            status: BackendStatus::Triggered,
            why: "by hand".into(),
        }
    }

    #[test]
    fn the_pages_of_a_merged_incident_end_with_the_one_that_goes_on() {
        let linked = |n: u64, page: &str| event("INC-A", n, Body::BackendLinked(Box::new(link(page))));
        let gone = vec![declared("INC-A"), linked(2, "P1"), linked(3, "P2")];
        let into = vec![declared("INC-B"), event("INC-B", 2, Body::BackendLinked(Box::new(link("P2"))))];
        let (a, b) = (Incident::fold(&gone).unwrap(), Incident::fold(&into).unwrap());
        let (on, closed) = merge(&a, &b).unwrap();
        let after = |mut log: Vec<Event>, bodies: Vec<Body>| {
            let id = log[0].incident.0.clone();
            log.extend(bodies.into_iter().zip(10..).map(|(body, n)| event(&id, n, body)));
            Incident::fold(&log).unwrap()
        };
        let (a, b) = (after(gone, closed), after(into, on));
        let pages = |i: &Incident| i.pages.iter().map(|p| p.link.page.clone()).collect::<Vec<_>>();
        assert_eq!((pages(&a), pages(&b)), (vec![], vec!["P2".to_owned(), "P1".to_owned()]));
        assert!(!a.is_open() && a.board.merged_into() == Some(&b.id));
        assert_eq!(b.page(&"pd".into(), "P1").unwrap().link.why, "came over with INC-A");
    }
}
