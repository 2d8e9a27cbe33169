//! Where the person is: a stack of screens, what is selected on each (by id, never by row), and what lies on top.

use crate::app::confirm::Confirm;
use crate::app::editor::Editor;
use crate::app::form::Form;
use crate::app::recent::Subject;
use crate::domain::ids::{Fingerprint, IncidentId, RunbookId, SloId, SourceName, TimerId};
use crate::domain::incident::board::Phase;
use crate::domain::incident::event::EventKey;
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// A screen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    /// What burns, fires, is open, comes next.
    Overview,
    /// All objectives.
    Slos,
    /// One objective.
    Slo(SloId),
    /// All alerts.
    Alerts,
    /// One incident.
    Incident(IncidentId),
    /// The commander's desk of an incident.
    Board(IncidentId),
    /// What the next commander must know.
    HandOff(IncidentId),
    /// All timers.
    Timers,
    /// Changes in force.
    Changes,
    /// What changed around a start, or lately.
    WhatChanged(Subject),
    /// The library.
    Runbooks,
    /// A runbook; walked when there is an incident, read otherwise.
    Walk(Option<IncidentId>, RunbookId),
    /// A draft.
    Postmortem(IncidentId),
    /// Sources and the record.
    Sources,
    /// Everything that leaves.
    Outbox,
    /// What was said so far.
    Messages,
    /// No configuration yet.
    FirstRun,
}

/// Something that can be selected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// An objective.
    Slo(SloId),
    /// An alert.
    Alert(Fingerprint),
    /// An incident.
    Incident(IncidentId),
    /// A timer.
    Timer(IncidentId, TimerId),
    /// An event of a timeline.
    Event(EventKey),
    /// A task of the shown incident.
    Task(EventKey),
    /// A line of the playbook.
    Tick(Phase, usize),
    /// A decision of the shown incident.
    Decision(EventKey),
    /// A hypothesis of the shown incident.
    Hypothesis(EventKey),
    /// A runbook.
    Runbook(RunbookId),
    /// A command of the shown step.
    Command(usize),
    /// A check of the shown step.
    Check(usize),
    /// An option of the shown step.
    Choice(usize),
    /// The trial run of a command or option of the shown step, by its own id.
    Trial(String),
    /// A change, by the run of its command.
    Change(IncidentId, String),
    /// A request for a second person.
    Approval(IncidentId, String),
    /// A link of the shown step.
    Link(usize),
    /// A line of the shown step that a person ticks by hand.
    Prose(usize),
    /// A section of a draft.
    Section(usize),
    /// A source.
    Source(SourceName),
    /// An incident of a paging product that belongs to none of ours: its target and its id there.
    Page(SourceName, String),
    /// An operation in the outbox.
    Operation(OpId),
    /// A recent change: who tells of it, when it was, and what.
    Recent(SourceName, Timestamp, String),
    /// A silence: its target and its id there.
    Silence(SourceName, String),
    /// A row of a list without ids: messages, first-run choices.
    Row(usize),
}

/// What lies on top of a screen; at most one.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// Keys and signs, from this page.
    Help(usize),
    /// Every action.
    Palette {
        /// What was typed.
        query: Editor,
        /// Which of the matches.
        cursor: usize,
    },
    /// The search over all timelines and postmortems.
    Search {
        /// What was typed.
        query: Editor,
        /// Which of the hits.
        cursor: usize,
    },
    /// A text to type.
    Form(Box<Form>),
    /// Something that must be confirmed.
    Confirm(Box<Confirm>),
    /// Links to copy.
    Links(usize),
    /// The filter of the screen.
    Filter(Editor),
    /// Something pages in the real world while a drill is played: leave it, or go on with it.
    RealPage {
        /// What lay on top before.
        under: Option<Box<Overlay>>,
        /// It was on the screen: keys that were typed before are thrown away.
        painted: bool,
    },
}

/// What a screen remembers while another is on top of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spot {
    /// What is selected.
    pub cursor: Option<Item>,
    /// The filter.
    pub filter: String,
    /// A timeline: the end is not kept in view.
    pub unfollowed: bool,
    /// A walk: the step shown, when it is not the current one.
    pub step: Option<usize>,
    /// A chart: which window.
    pub window: usize,
    /// An objective: its numbers take the place of its charts.
    pub numbers: bool,
}

/// Where the person is.
#[derive(Clone, Debug, PartialEq)]
pub struct Nav {
    /// Screens, the shown one last; never empty.
    stack: Vec<Screen>,
    /// What each screen remembers.
    spots: BTreeMap<Screen, Spot>,
    /// What lies on top.
    pub overlay: Option<Overlay>,
    /// Lists show local time.
    pub local_time: bool,
}

impl Nav {
    /// At a first screen.
    pub fn at(screen: Screen) -> Self {
        Self { stack: vec![screen], spots: BTreeMap::new(), overlay: None, local_time: false }
    }

    /// The shown screen.
    pub fn screen(&self) -> &Screen {
        self.stack.last().unwrap_or(&Screen::Overview)
    }

    /// All screens, the shown one last.
    pub fn screens(&self) -> &[Screen] {
        &self.stack
    }

    /// How many screens lie under the shown one.
    pub fn depth(&self) -> usize {
        self.stack.len().saturating_sub(1)
    }

    /// What the shown screen remembers.
    pub fn spot(&self) -> Spot {
        self.spots.get(self.screen()).cloned().unwrap_or_default()
    }

    /// What the shown screen remembers, to change it.
    pub fn spot_mut(&mut self) -> &mut Spot {
        let screen = self.screen().clone();
        self.spots.entry(screen).or_default()
    }

    /// Opens a screen on top; one that is open already comes to the top instead of opening twice.
    pub fn open(&mut self, screen: Screen) {
        self.overlay = None;
        self.stack.retain(|s| *s != screen);
        self.stack.push(screen);
    }

    /// Opens a main screen: it takes the place of the whole stack.
    pub fn go(&mut self, screen: Screen) {
        self.overlay = None;
        self.stack = if screen == Screen::Overview { vec![screen] } else { vec![Screen::Overview, screen] };
    }

    /// Back to the screen below; `false` on the last one.
    pub fn back(&mut self) -> bool {
        if self.stack.len() < 2 {
            return false;
        }
        self.stack.pop();
        true
    }

    /// An incident got another id when it was recorded.
    pub fn rename(&mut self, from: &IncidentId, to: &IncidentId) {
        let rename = |screen: &mut Screen| match screen {
            Screen::Incident(id)
            | Screen::Board(id)
            | Screen::HandOff(id)
            | Screen::Postmortem(id)
            | Screen::Walk(Some(id), _)
            | Screen::WhatChanged(Subject::Incident(id))
                if id == from =>
            {
                *id = to.clone();
            }
            _ => {}
        };
        self.stack.iter_mut().for_each(rename);
        let spots = std::mem::take(&mut self.spots);
        self.spots = spots
            .into_iter()
            .map(|(mut screen, mut spot)| {
                rename(&mut screen);
                if let Some(Item::Incident(id) | Item::Change(id, _) | Item::Approval(id, _) | Item::Timer(id, _)) =
                    &mut spot.cursor
                    && id == from
                {
                    id.clone_from(to);
                }
                (screen, spot)
            })
            .collect();
    }
}
