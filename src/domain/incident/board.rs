//! What the commander keeps of an incident: tasks with an owner and a time box, the playbook's checklist, decisions with
//! their objections, hypotheses, ties to other incidents, and who is in. Folded from events; `ask` is what a person may do
//! to it, `can` the update and the hand-off that are written from it. Reads no clock, sends nothing.

pub mod ask;
pub mod can;
pub mod handoff;

use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Body, Event, EventKey, NoteKind};
use crate::domain::severity::Playbook;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A task in the record. `of` names the event that gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum TaskEvent {
    /// Somebody is to do something, and comes back by then.
    Given {
        /// What.
        text: String,
        /// Who; `None` is nobody yet.
        owner: Option<String>,
        /// When they come back.
        until: Option<Timestamp>,
    },
    /// It gets another owner or another time.
    Moved {
        /// Which.
        of: EventKey,
        /// Who.
        owner: Option<String>,
        /// When they come back now.
        until: Option<Timestamp>,
    },
    /// It is over.
    Ended {
        /// Which.
        of: EventKey,
        /// It was done; otherwise dropped.
        done: bool,
        /// What came of it, or why it was dropped.
        text: Option<String>,
    },
}

/// A decision that is being made, in the record. `of` names the event that proposed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum DecisionEvent {
    /// Somebody proposes something.
    Proposed {
        /// What.
        text: String,
    },
    /// Somebody objects, also to what was decided at once.
    Objected {
        /// To which.
        of: EventKey,
        /// Why.
        text: String,
    },
    /// It is what we do.
    Chosen {
        /// Which.
        of: EventKey,
    },
    /// It is not what we do.
    Dropped {
        /// Which.
        of: EventKey,
        /// Why.
        reason: String,
    },
}

/// What is believed of a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Belief {
    /// It may be so.
    Open,
    /// It is so.
    Confirmed,
    /// It is not so.
    Rejected,
}

impl Belief {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Confirmed, Self::Rejected];

    /// Its word in commands and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }
}

/// How two incidents belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bond {
    /// This one goes on as the other one, and is closed.
    MergedInto,
    /// The other one goes on as this one.
    Absorbed,
    /// They have to do with each other.
    Related,
}

impl Bond {
    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::MergedInto => "merged into",
            Self::Absorbed => "took over",
            Self::Related => "related to",
        }
    }
}

/// A phase of the playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The first minutes.
    Immediate,
    /// While it hurts.
    Mitigation,
    /// Afterwards.
    Resolution,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Immediate, Self::Mitigation, Self::Resolution];

    /// Its word in commands and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Mitigation => "mitigation",
            Self::Resolution => "resolution",
        }
    }

    /// Its lines in a playbook.
    pub fn lines(self, book: &Playbook) -> &[String] {
        match self {
            Self::Immediate => &book.immediate,
            Self::Mitigation => &book.mitigation,
            Self::Resolution => &book.resolution,
        }
    }
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The event that gave it.
    pub key: EventKey,
    /// What.
    pub text: String,
    /// Who; `None` is nobody yet.
    pub owner: Option<String>,
    /// Who gave it, and when.
    pub by: (String, Timestamp),
    /// When the owner comes back; `None` is not said.
    pub until: Option<Timestamp>,
    /// How it ended: done or dropped, when, with which words.
    pub ended: Option<(bool, Timestamp, Option<String>)>,
}

impl Task {
    /// Whether it is still to be done.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// `open`, `done` or `dropped`.
    pub fn word(&self) -> &'static str {
        match &self.ended {
            None => "open",
            Some((true, ..)) => "done",
            Some((false, ..)) => "dropped",
        }
    }
}

/// Where a decision stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Proposed.
    Proposed,
    /// Decided.
    Chosen,
    /// Dropped, and why.
    Dropped(String),
}

impl Stand {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Chosen => "decided",
            Self::Dropped(_) => "dropped",
        }
    }
}

/// A decision, made or being made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The event it came from.
    pub key: EventKey,
    /// What.
    pub text: String,
    /// Who said it first, and when.
    pub by: (String, Timestamp),
    /// Objections: who, what.
    pub objections: Vec<(String, String)>,
    /// Where it stands.
    pub stand: Stand,
    /// Who decided, and when.
    pub decided: Option<(String, Timestamp)>,
}

/// A guess at the cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// The note it came from.
    pub key: EventKey,
    /// What.
    pub text: String,
    /// Who said it, and when.
    pub by: (String, Timestamp),
    /// What is believed.
    pub belief: Belief,
    /// Why, and since when.
    pub why: Option<(String, Timestamp)>,
}

/// A line of the playbook that was ticked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Of which phase.
    pub phase: Phase,
    /// The line, as the playbook had it.
    pub line: String,
    /// Who, and when.
    pub by: (String, Timestamp),
}

/// Another incident that belongs to this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tie {
    /// Which.
    pub other: IncidentId,
    /// How.
    pub bond: Bond,
    /// Why, in words.
    pub why: String,
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Seen or announced last.
    pub seen: Timestamp,
    /// How it is known: `acts here`, `has a task`, `in the room` …
    pub how: String,
    /// Said to have left.
    pub left: bool,
}

/// What the commander keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// In the order in which they were given.
    pub tasks: Vec<Task>,
    /// In the order in which they were proposed or made.
    pub decisions: Vec<Decision>,
    /// In the order in which they were thought of.
    pub hypotheses: Vec<Hypothesis>,
    /// Lines of the playbook that are done.
    pub ticks: Vec<Tick>,
    /// Other incidents.
    pub ties: Vec<Tie>,
    /// Who takes part, by name.
    pub people: BTreeMap<String, Person>,
    /// When the next update was promised, with the last one.
    pub promised: Option<Timestamp>,
}

impl Board {
    /// The incident that this one goes on as.
    pub fn merged_into(&self) -> Option<&IncidentId> {
        self.ties.iter().find(|t| t.bond == Bond::MergedInto).map(|t| &t.other)
    }

    /// Tasks that are still to be done, the one that is due first at the front.
    pub fn open_tasks(&self) -> Vec<&Task> {
        let mut open: Vec<&Task> = self.tasks.iter().filter(|t| t.is_open()).collect();
        open.sort_by_key(|t| (t.until.is_none(), t.until));
        open
    }

    /// Whether a line of the playbook is ticked, by whom and when.
    pub fn tick(&self, phase: Phase, line: &str) -> Option<&Tick> {
        self.ticks.iter().find(|t| t.phase == phase && t.line == line)
    }

    /// Who takes part, those who were seen last first.
    pub fn present(&self) -> Vec<(&str, &Person)> {
        let mut here: Vec<(&str, &Person)> =
            self.people.iter().filter(|(_, p)| !p.left).map(|(name, p)| (name.as_str(), p)).collect();
        here.sort_by_key(|(name, p)| (std::cmp::Reverse(p.seen), *name));
        here
    }

    /// Takes in an event of any kind: what it says of the board, and that its author takes part.
    pub fn apply(&mut self, event: &Event) {
        if event.actor != "midwatch" {
            self.seen(&event.actor, event.at, "acts here");
        }
        let by = || (event.actor.clone(), event.at);
        match &event.body {
            Body::Task(task) => self.task(event, task),
            Body::Deciding(step) => self.decision(event, step),
            Body::Note { sort: NoteKind::Decision, text } => self.decisions.push(Decision {
                key: event.key.clone(),
                text: text.clone(),
                by: by(),
                objections: Vec::new(),
                stand: Stand::Chosen,
                decided: Some(by()),
            }),
            Body::Note { sort: NoteKind::Hypothesis, text } => self.hypotheses.push(Hypothesis {
                key: event.key.clone(),
                text: text.clone(),
                by: by(),
                belief: Belief::Open,
                why: None,
            }),
            Body::HypothesisJudged { of, belief, why } => {
                if let Some(one) = self.hypotheses.iter_mut().find(|h| h.key == *of) {
                    one.belief = *belief;
                    one.why = Some((why.clone(), event.at));
                }
            }
            Body::Ticked { phase, line, done } => {
                self.ticks.retain(|t| t.phase != *phase || t.line != *line);
                if *done {
                    self.ticks.push(Tick { phase: *phase, line: line.clone(), by: by() });
                }
            }
            Body::Tied { other, bond, why } => {
                self.ties.retain(|t| t.other != *other || t.bond != *bond);
                self.ties.push(Tie { other: other.clone(), bond: *bond, why: why.clone() });
            }
            Body::Presence { person, here, how } => match here {
                true => self.seen(person, event.at, how),
                false => drop(self.people.get_mut(person).map(|p| p.left = true)),
            },
            Body::RoleSet { person: Some(person), role } => self.seen(person, event.at, role.word()),
            Body::Update { next_at, .. } => self.promised = *next_at,
            Body::StatusSet { message: Some(_), .. } => self.promised = None,
            // It goes on by itself again.
            Body::Reopened { .. } => self.ties.retain(|t| t.bond != Bond::MergedInto),
            Body::Corrected { of, text } => self.correct(of, text),
            Body::Retracted { of, .. } => {
                self.tasks.retain(|t| t.key != *of);
                self.decisions.retain(|d| d.key != *of);
                self.hypotheses.retain(|h| h.key != *of);
            }
            _ => {}
        }
    }

    fn seen(&mut self, name: &str, at: Timestamp, how: &str) {
        let person =
            self.people.entry(name.to_owned()).or_insert_with(|| Person { seen: at, how: how.to_owned(), left: false });
        person.left = false;
        person.seen = person.seen.max(at);
    }

    fn correct(&mut self, of: &EventKey, text: &str) {
        let texts = (self.tasks.iter_mut().map(|t| (&t.key, &mut t.text)))
            .chain(self.decisions.iter_mut().map(|d| (&d.key, &mut d.text)))
            .chain(self.hypotheses.iter_mut().map(|h| (&h.key, &mut h.text)));
        for (key, old) in texts {
            if key == of {
                text.clone_into(old);
            }
        }
    }

    fn task(&mut self, event: &Event, task: &TaskEvent) {
        match task {
            TaskEvent::Given { text, owner, until } => {
                if let Some(owner) = owner {
                    self.seen(owner, event.at, "has a task");
                }
                self.tasks.push(Task {
                    key: event.key.clone(),
                    text: text.clone(),
                    owner: owner.clone(),
                    by: (event.actor.clone(), event.at),
                    until: *until,
                    ended: None,
                });
            }
            TaskEvent::Moved { of, owner, until } => {
                if let Some(task) = self.tasks.iter_mut().find(|t| t.key == *of) {
                    task.owner.clone_from(owner);
                    task.until = *until;
                }
                if let Some(owner) = owner {
                    self.seen(owner, event.at, "has a task");
                }
            }
            TaskEvent::Ended { of, done, text } => {
                if let Some(task) = self.tasks.iter_mut().find(|t| t.key == *of) {
                    task.ended = Some((*done, event.at, text.clone()));
                }
            }
        }
    }

    fn decision(&mut self, event: &Event, step: &DecisionEvent) {
        let by = (event.actor.clone(), event.at);
        let (of, stand) = match step {
            DecisionEvent::Proposed { text } => {
                self.decisions.push(Decision {
                    key: event.key.clone(),
                    text: text.clone(),
                    by,
                    objections: Vec::new(),
                    stand: Stand::Proposed,
                    decided: None,
                });
                return;
            }
            DecisionEvent::Objected { of, .. } => (of, None),
            DecisionEvent::Chosen { of } => (of, Some(Stand::Chosen)),
            DecisionEvent::Dropped { of, reason } => (of, Some(Stand::Dropped(reason.clone()))),
        };
        let Some(one) = self.decisions.iter_mut().find(|d| d.key == *of) else { return };
        match (step, stand) {
            (DecisionEvent::Objected { text, .. }, _) => one.objections.push((by.0, text.clone())),
            (_, Some(stand)) => (one.stand, one.decided) = (stand, Some(by)),
            (_, None) => {}
        }
    }
}
