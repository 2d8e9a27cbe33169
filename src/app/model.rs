//! Everything the machine knows. Only `update` changes it.

pub mod exec;
pub mod tail;

pub use crate::app::alert_book::{AlertBook, RuleBook};
pub use crate::app::model::exec::{Exec, Running, Secrets, Transcript, Watch};
pub use crate::app::model::tail::Tail;

use crate::app::cache::Cached;
pub use crate::app::fleet::{Bands, Fleet};
use crate::app::health::{Link, LinkKind};
use crate::app::keymap::Keymap;
use crate::app::outbox::{Outbox, TargetState};
use crate::app::past::Past;
use crate::app::pending::Pending;
use crate::app::present::view::Tone;
use crate::app::recent::Heard;
use crate::app::rehearsal::Rehearsal;
use crate::app::reload::Reload;
use crate::app::replay::Replay;
use crate::app::rooms::Rooms;
use crate::app::screen::{Nav, Screen};
use crate::app::status_pages::StatusPages;
use crate::app::suggested::Suggested;
use crate::domain::document::Finding;
use crate::domain::ids::{IncidentId, Origin, ReqId, RunbookId, SourceName};
use crate::domain::incident::event::{Body, Event, EventKey, NewEvent, Redaction};
use crate::domain::incident::redaction::redacted;
use crate::domain::incident::state::Incident;
use crate::domain::outward::operation::OpId;
use crate::domain::outward::target::TargetFacts;
use crate::domain::postmortem::render::Template;
use crate::domain::runbook::model::Runbook;
use crate::domain::severity::SeverityTable;
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Span, Timestamp, secs};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What does not change while the program runs.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who sits here.
    pub responder: String,
    /// On which host.
    pub host: String,
    /// As which user; commands run as this one.
    pub user: String,
    /// The zone of the local clock.
    pub zone: chrono_tz::Tz,
    /// Nothing is changed and nothing is run.
    pub read_only: bool,
    /// Simulated production: the word that is shown on every screen (`DEMO`).
    pub simulated: Option<&'static str>,
    /// Minute clock, fewer repaints.
    pub slow: bool,
    /// Ring when a timer falls due or a page fires.
    pub bell: bool,
    /// Severity levels and playbook.
    pub severities: SeverityTable,
    /// Keys.
    pub keymap: Keymap,
    /// Names of our own environment that commands also get.
    pub env_pass: Vec<String>,
    /// How long a command may run whose runbook does not say.
    pub command_timeout: Span,
    /// How long commands stay allowed.
    pub arm_for: Span,
    /// Values worth keeping are kept.
    pub cache: bool,
    /// Layout of postmortem drafts.
    pub template: Layout,
    /// Folder of drafts, for the screen.
    pub drafts_in: String,
    /// Where the configuration was looked for.
    pub config_path: String,
    /// There is a configuration, or a simulation.
    pub configured: bool,
    /// What is wrong in the files.
    pub findings: Vec<Finding>,
}

/// Layout of postmortem drafts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Layout {
    /// The default.
    #[default]
    A,
    /// The other one.
    B,
    /// The third one.
    C,
    /// A team's own: path and text.
    Own(String, String),
}

impl Layout {
    /// As the renderer takes it.
    pub fn template(&self) -> Template<'_> {
        match self {
            Self::A => Template::A,
            Self::B => Template::B,
            Self::C => Template::C,
            Self::Own(path, text) => Template::Own { path, text },
        }
    }
}

/// An incident with what is not on disk yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// As it is on disk; `None` while its declaration is not.
    pub saved: Option<Incident>,
    /// With everything that is still to be saved.
    pub shown: Incident,
    /// The last events, in the order of the fold.
    pub tail: Tail,
    /// The tail holds every event.
    pub complete: bool,
    /// Events that are not on disk, by request.
    pub unsaved: Vec<(ReqId, Vec<NewEvent>)>,
    /// What the filter of the timeline found, kept from key to key; gone as soon as anything else is shown.
    pub found: Option<Found>,
}

/// What a filter found in a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The filter, as it was typed.
    pub filter: String,
    /// Which entries, counted from the first.
    pub entries: Vec<usize>,
}

impl Case {
    /// A case of the record.
    pub fn of(incident: Incident, tail: Vec<Event>) -> Self {
        let complete = tail.len() as u64 >= incident.events;
        let tail = Tail::of(tail);
        Self { saved: Some(incident.clone()), shown: incident, tail, complete, unsaved: Vec::new(), found: None }
    }

    /// Takes in events that are on disk; those it has are left out.
    pub fn take(&mut self, events: &[Event]) {
        let mut late = false;
        for event in events {
            if self.tail.find(&event.key).is_some() {
                continue;
            }
            if let Body::Redacted(redaction) = &event.body {
                self.take_out(redaction);
                late = true;
            }
            match &mut self.saved {
                Some(saved) if saved.precedes(event) => saved.apply(event),
                Some(_) => late = true,
                None => self.saved = Incident::begin(event),
            }
            self.tail.insert(event.clone());
        }
        // Only what belongs before something that was folded already needs all of it folded anew.
        if late
            && self.complete
            && let Some(folded) = Incident::fold(&*self.tail)
        {
            self.saved = Some(folded);
        }
        self.reshow();
    }

    /// All events were read: the timeline has every one.
    pub fn whole(&mut self, mut events: Vec<Event>) {
        // What was recorded after the reading is kept.
        let later = |e: &&Event| events.last().is_none_or(|last| last.rank() < e.rank());
        let kept: Vec<Event> = self.tail.iter().filter(later).cloned().collect();
        events.extend(kept);
        self.saved = Incident::fold(&events).or(self.saved.take());
        self.complete = true;
        self.tail = Tail::of(events);
        self.reshow();
    }

    /// A text was taken out of the record: it leaves here as well. The kept state may hold it until it is folded anew.
    fn take_out(&mut self, redaction: &Redaction) {
        let event = self.tail.find(&redaction.of).filter(|e| e.hash == redaction.hash);
        if let Some(left) = event.and_then(|event| redacted(&event.body, &redaction.places)) {
            self.tail.reword(&redaction.of, left);
        }
    }

    /// All events were read: the state is folded from them, and the timeline shows them as they are now. `false`:
    /// something was recorded after the reading.
    pub fn refold(&mut self, events: &[Event]) -> bool {
        let Some(state) = Incident::fold(events) else { return true };
        if self.tail.last().is_some_and(|newest| state.precedes(newest)) {
            return false;
        }
        self.tail.reread(events);
        self.saved = Some(state);
        self.reshow();
        true
    }

    /// Makes `shown` anew: what is saved, then what is not.
    pub fn reshow(&mut self) {
        self.found = None;
        let mut shown = self.saved.clone();
        for event in self.provisional() {
            match &mut shown {
                Some(shown) => shown.apply(&event),
                None => shown = Incident::begin(&event),
            }
        }
        if let Some(shown) = shown {
            self.shown = shown;
        }
    }

    /// Unsaved events in the form of saved ones: their origin is `~`, their hash empty.
    pub fn provisional(&self) -> Vec<Event> {
        let first = self.saved.as_ref().map_or(0, |s| s.last.0);
        let flat = self.unsaved.iter().flat_map(|(req, events)| events.iter().map(move |e| (*req, e)));
        flat.enumerate()
            .map(|(i, (req, new))| Event {
                key: EventKey { origin: Origin("~".into()), seq: req.0 * 100 + i as u64 },
                id: String::new(),
                incident: new.incident.clone(),
                order: first + 1 + i as u64,
                at: new.at,
                recorded_at: new.recorded_at,
                actor: new.actor.clone(),
                body: new.body.clone(),
                hash: String::new(),
            })
            .collect()
    }
}

/// Incidents and their record.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Cases by id.
    pub cases: BTreeMap<IncidentId, Case>,
    /// The record is open and was read.
    pub loaded: bool,
    /// The record's own name.
    pub origin: Option<Origin>,
    /// Why the last events could not be saved, since when, and when it is tried again.
    pub trouble: Option<(Timestamp, String, Timestamp)>,
    /// Drafts by incident.
    pub drafts: BTreeMap<IncidentId, DraftState>,
    /// The person's last act that can be taken back.
    pub last_act: Option<LastAct>,
}

/// What can be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct LastAct {
    /// Of which incident.
    pub incident: IncidentId,
    /// The request that recorded it.
    pub req: ReqId,
    /// Its event, once it is on disk.
    pub key: Option<EventKey>,
    /// What takes it back, for acts that are not a line of text.
    pub reverse: Option<Body>,
    /// What was to leave the house with it, once it is on disk.
    pub ops: Vec<OpId>,
    /// In words.
    pub words: String,
}

/// A draft as it is known here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftState {
    /// Its text.
    pub text: String,
    /// Blanks left for people.
    pub blanks: usize,
    /// Where it was written and when.
    pub written: Option<(Timestamp, String)>,
    /// Why it could not be made or written.
    pub fault: Option<String>,
    /// It is to be written when its events came.
    pub write: bool,
}

/// Something that was said, or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// How loud.
    pub tone: Tone,
    /// What.
    pub text: String,
}

/// Everything the machine knows.
#[derive(Clone, Debug)]
pub struct Model {
    /// What does not change.
    pub setup: Setup,
    /// Objectives and readings.
    pub fleet: Fleet,
    /// Alerts.
    pub alerts: AlertBook,
    /// Sources and their health.
    pub links: BTreeMap<SourceName, Link>,
    /// Incidents.
    pub desk: Desk,
    /// What leaves the house.
    pub outbox: Outbox,
    /// Incident rooms, beside what the record knows of them.
    pub rooms: Rooms,
    /// Runbooks.
    pub library: Vec<Arc<Runbook>>,
    /// The files of each version of a runbook, by its SHA-256: path and SHA-256 of the text that was read.
    pub files: BTreeMap<String, Vec<(String, String)>>,
    /// Findings in the files of the runbooks.
    pub library_findings: Vec<Finding>,
    /// Alerting rules and what they mean for the runbooks.
    pub rules: RuleBook,
    /// The files and their newer versions.
    pub reload: Reload,
    /// Running commands.
    pub exec: Exec,
    /// What is suggested for the checks in view.
    pub suggested: Suggested,
    /// Where the person is.
    pub nav: Nav,
    /// What was found of what was written before.
    pub past: Past,
    /// What status pages said of their components.
    pub status_pages: StatusPages,
    /// What feeds told of changes, for the screen that asks.
    pub recent: Heard,
    /// The drill itself, where one is played with people.
    pub rehearsal: Option<Rehearsal>,
    /// How many times as fast as time its clock runs, where that is simulated.
    pub pace: u32,
    /// Requests that are not answered yet.
    pub pending: Pending,
    /// What was said, newest last.
    pub messages: VecDeque<Message>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// There is a window of that size; where lines are printed there is none, and nothing is ever cut.
    pub windowed: bool,
    /// The terminal has the focus.
    pub focused: bool,
    /// Ctrl-C was pressed then.
    pub quit_asked: Option<Timestamp>,
    /// Values were kept last then.
    pub cached_at: Option<Timestamp>,
    /// It shows what was, and nothing else.
    pub replay: Option<Replay>,
}

impl Model {
    /// A machine that knows its settings and nothing else.
    pub fn new(setup: Setup, objectives: Vec<Arc<Objective>>, links: Vec<Link>) -> Self {
        let first = if setup.configured { Screen::Overview } else { Screen::FirstRun };
        let mut fleet = Fleet::default();
        fleet.take(objectives);
        Self {
            setup,
            fleet,
            alerts: AlertBook::default(),
            links: links.into_iter().map(|l| (l.name.clone(), l)).collect(),
            desk: Desk::default(),
            outbox: Outbox::default(),
            rooms: Rooms::default(),
            library: Vec::new(),
            files: BTreeMap::new(),
            library_findings: Vec::new(),
            rules: RuleBook::default(),
            reload: Reload::default(),
            exec: Exec::default(),
            suggested: Suggested::default(),
            nav: Nav::at(first),
            past: Past::default(),
            status_pages: StatusPages::default(),
            recent: Heard::default(),
            rehearsal: None,
            pace: 1,
            pending: Pending::default(),
            messages: VecDeque::new(),
            size: (80, 24),
            windowed: false,
            focused: true,
            quit_asked: None,
            cached_at: None,
            replay: None,
        }
    }

    /// A target is there, new or in another form: it begins with a clean health. Its source, where it has none of its own,
    /// is shown among the others.
    pub fn connect(&mut self, facts: TargetFacts, now: Timestamp) {
        let name = facts.name.clone();
        let reads = facts.reads_every_ms.is_some();
        let every = facts.reads_every_ms.and_then(|ms| i64::try_from(ms).ok()).map_or(secs(60), |ms| secs(ms / 1_000));
        let own = self.links.get(&name).is_none_or(|link| matches!(link.kind, LinkKind::Target { .. }));
        if own {
            let (kind, address) = (LinkKind::Target { reads }, facts.address.clone());
            self.links.insert(name.clone(), Link::new(name.clone(), name.0.clone(), kind, address, every, now));
        }
        self.outbox.targets.insert(name, TargetState::new(facts, now));
    }

    /// A target is gone; what is to be sent to it waits, and says why.
    pub fn disconnect(&mut self, name: &SourceName) {
        self.outbox.targets.remove(name);
        if self.links.get(name).is_some_and(|link| matches!(link.kind, LinkKind::Target { .. })) {
            self.links.remove(name);
        }
    }

    /// Says something to the person; it is shown for a while and kept on the messages screen.
    pub fn say(&mut self, now: Timestamp, tone: Tone, text: impl Into<String>) {
        self.messages.push_back(Message { at: now, tone, text: text.into() });
        if self.messages.len() > 500 {
            self.messages.pop_front();
        }
    }

    /// Open incidents, worst first, then oldest first.
    pub fn open_cases(&self) -> Vec<&Case> {
        let mut open: Vec<&Case> = self.desk.cases.values().filter(|c| c.shown.is_open()).collect();
        open.sort_by_key(|c| (self.setup.severities.rank(&c.shown.severity), c.shown.times.declared));
        open
    }

    /// What is wrong in any file: configuration, objectives, runbooks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.setup.findings.iter().chain(&self.fleet.findings).chain(self.runbook_findings())
    }

    /// What is wrong in the runbooks: in their files, and with what the servers said of their rules.
    pub fn runbook_findings(&self) -> impl Iterator<Item = &Finding> {
        self.library_findings.iter().chain(&self.rules.findings)
    }

    /// How to reach a contact, where the configuration says it.
    pub fn reach(&self, contact: &str) -> Option<&str> {
        self.reload.settings.as_ref()?.config.contacts.get(contact)?.as_deref()
    }

    /// A runbook by its id.
    pub fn runbook(&self, id: &RunbookId) -> Option<&Arc<Runbook>> {
        self.library.iter().find(|r| r.id == *id)
    }

    /// Whether commands may be run now.
    pub fn armed(&self, now: Timestamp) -> bool {
        !self.setup.read_only && self.exec.armed_until.is_some_and(|until| until > now)
    }

    /// Events that are not on disk.
    pub fn unsaved(&self) -> usize {
        let events: usize = self.desk.cases.values().flat_map(|c| &c.unsaved).map(|(_, events)| events.len()).sum();
        let outward: usize = self.outbox.unsaved.iter().map(|(_, events)| events.len()).sum();
        events + outward + self.fleet.bands.unsaved.len()
    }

    /// The instant that the screens are about: that of the wall, or the shown one of a replay.
    pub fn instant(&self, wall: Timestamp) -> Timestamp {
        self.replay.as_ref().map_or(wall, |replay| replay.at)
    }

    /// Takes in the objectives that were read; an objective that names an unknown source is told and stays without data.
    pub fn learn(&mut self, objectives: Vec<Arc<Objective>>, mut findings: Vec<Finding>, now: Timestamp) {
        for objective in &objectives {
            let known = |s: &SourceName| self.links.contains_key(s);
            if let Some(source) = objective.source.as_ref().filter(|s| !known(s)) {
                let nearest =
                    crate::domain::document::nearest(source.as_str(), self.links.keys().map(SourceName::as_str));
                let hint = nearest.map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
                findings.push(Finding {
                    path: objective.declared.clone(),
                    line: 1,
                    column: 1,
                    rule: "unknown-source".into(),
                    level: crate::domain::document::Level::Warning,
                    message: format!("{}: there is no source `{source}`{hint}", objective.id),
                });
            }
        }
        self.fleet.findings = findings;
        self.fleet.take(objectives);
        // A template may be new.
        self.links.values_mut().for_each(|link| link.next_rows = now);
        self.fleet.reading = false;
        self.fleet.assessed = None;
        if let Some(cached) = self.fleet.cached.take() {
            self.recall(&cached, now);
        }
    }

    /// Takes in last known values; they are shown with their age until a source answers.
    pub fn recall(&mut self, cached: &Cached, now: Timestamp) {
        if self.fleet.reading {
            self.fleet.cached = Some(cached.clone());
        }
        for objective in &self.fleet.objectives {
            if !self.fleet.measured.contains_key(&objective.id)
                && let Some(measurement) = cached.measurement(objective.id.as_str(), now)
            {
                self.fleet.measured.insert(objective.id.clone(), measurement);
            }
        }
        for (source, alerts) in &cached.alerts {
            let source = SourceName(source.clone());
            if self.links.contains_key(&source) {
                self.alerts.by_source.entry(source).or_insert_with(|| alerts.clone());
            }
        }
        self.alerts.arrange(&self.library);
        self.fleet.assessed = None;
    }
}

/// How long a message stays on the screen, by the clock that it is shown on: as long as it takes to read.
pub fn flash_for(model: &Model) -> Span {
    secs(8 * i64::from(model.pace.max(1)))
}
