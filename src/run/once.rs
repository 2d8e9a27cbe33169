//! The machine without a screen, for one look: every source is asked once, history that is missing is read for a while,
//! then the model is handed over. For `slo`, `alerts`, `status`. Records nothing.

use crate::app::health::{Link, LinkKind};
use crate::app::model::{AlertBook, Model};
use crate::app::msg::Msg;
use crate::app::pending::Asked;
use crate::app::update::{source_of, update};
use crate::domain::fault::Fault;
use crate::domain::slo::objective::{Objective, Sli};
use crate::run::engine::Engine;
use crate::run::world::World;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The longest that one look may take beyond the sources' own time-outs.
const SLACK: Duration = Duration::from_secs(5);

/// The longest that history is read beyond that; what is read by then is kept for the next look.
const HISTORY: Duration = Duration::from_secs(30);
/// Steps of history in a row that may fail.
const FAILURES: u32 = 2;

/// How long a look may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until every source has answered or failed.
    pub answers: Duration,
    /// Until history that is missing is read.
    pub history: Duration,
}

impl Limits {
    /// For sources whose longest time-out this is.
    pub fn of(patience: Duration) -> Self {
        Self { answers: patience + SLACK, history: patience + SLACK + HISTORY }
    }

    /// Both together in this time.
    pub fn within(limit: Duration) -> Self {
        Self { answers: limit, history: limit }
    }
}

/// How far history is to be read, and who is told how much of it is left.
pub enum History<'t> {
    /// Not at all: nobody asks for budgets.
    Skip,
    /// Until nothing is left or time is over; told after each step how many slices are left.
    Read(&'t mut dyn FnMut(usize)),
}

impl std::fmt::Debug for History<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Skip) { "Skip" } else { "Read" })
    }
}

/// Polls every source once and waits until each has answered or failed, and until the record (if there is one) was read.
pub fn poll_once(mut model: Model, world: World, limits: Limits, mut history: History<'_>) -> Result<Model, Fault> {
    // Nothing is recorded by a look: not what fell due, not what changed.
    let read_only = std::mem::replace(&mut model.setup.read_only, true);
    // Last known values are for a screen that shows their age; a command prints what is, or that it is unknown.
    model.fleet.measured.clear();
    model.fleet.cached = None;
    model.alerts = AlertBook::default();
    let with_record = world.store.is_some();
    let now = world.now.clone();
    let (sender, receiver) = channel();
    let tell = Arc::new(move |msg: Msg| drop(sender.send(msg)));
    let engine = Engine::start(world, tell)?;
    let later = |span: Duration| now() + chrono::TimeDelta::from_std(span).unwrap_or(chrono::TimeDelta::seconds(30));
    let (give_up, enough) = (later(limits.answers), later(limits.history));
    let step = |model: &mut Model, msg: Msg| {
        for effect in update(model, now(), msg) {
            drop(engine.perform(effect));
        }
    };
    step(&mut model, Msg::Wake);
    let (mut library, mut answered) = (false, false);
    loop {
        let asked = model
            .links
            .values()
            .filter(|l| l.kind.polled())
            .all(|l| l.out.is_empty() && (l.good.is_some() || l.fault.is_some()));
        let recorded = !with_record || (model.desk.loaded && model.fleet.bands.loaded);
        answered |= asked && !model.fleet.reading && library && recorded;
        let left = unread(&model);
        let marks = model.pending.any(|asked| matches!(asked, Asked::Marks(..)));
        let missing = left != Some(0) || unmeasured(&model) || marks;
        let wait = matches!(history, History::Read(_)) && missing && now() <= enough;
        if (answered && !wait) || (!answered && now() > give_up) {
            break;
        }
        if let (History::Read(tell), true, Some(left)) = (&mut history, answered, left) {
            tell(left);
        }
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok(msg) => {
                library |= matches!(msg, Msg::Feed(crate::app::msg::Feed::Library(..)));
                step(&mut model, msg);
            }
            // A rest between two steps may be over.
            Err(RecvTimeoutError::Timeout) if answered => step(&mut model, Msg::Wake),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    engine.stop(Duration::from_secs(2));
    model.setup.read_only = read_only;
    Ok(model)
}

/// Whether an objective of a source that answers was not measured yet: rows of templates are known only after a first poll.
fn unmeasured(model: &Model) -> bool {
    let answers = |o: &Objective| {
        let link = source_of(model, o).and_then(|name| model.links.get(&name));
        link.is_some_and(|l| l.good.is_some() && l.fault.is_none())
    };
    let asked = |o: &&Arc<Objective>| !matches!(o.sli, Sli::Composite(_)) && answers(o);
    model.fleet.objectives.iter().filter(asked).any(|o| !model.fleet.measured.contains_key(&o.id))
}

/// Slices that are still worth waiting for; `None` where that is not known yet.
fn unread(model: &Model) -> Option<usize> {
    let measures = |l: &&Link| matches!(l.kind, LinkKind::Prometheus { .. }) && l.fault.is_none();
    let worth = |l: &&Link| l.warming.failures < FAILURES;
    model.links.values().filter(measures).filter(worth).map(|l| l.left).sum()
}
