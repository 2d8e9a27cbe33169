//! The machine without a screen, for one look: every source is asked once, then the model is handed over. For `slo`,
//! `alerts`, `status`. Records nothing.

use crate::app::model::{AlertBook, Model};
use crate::app::msg::Msg;
use crate::app::update::update;
use crate::domain::fault::Fault;
use crate::run::engine::Engine;
use crate::run::world::World;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The longest that one look may take beyond the sources' own time-outs.
const SLACK: Duration = Duration::from_secs(5);

/// Polls every source once and waits until each has answered or failed, and until the record (if there is one) was read.
/// `patience` is the longest time-out of the sources.
pub fn poll_once(mut model: Model, world: World, patience: Duration) -> Result<Model, Fault> {
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
    let give_up = now() + chrono::TimeDelta::from_std(patience + SLACK).unwrap_or(chrono::TimeDelta::seconds(30));
    let step = |model: &mut Model, msg: Msg| {
        for effect in update(model, now(), msg) {
            drop(engine.perform(effect));
        }
    };
    step(&mut model, Msg::Wake);
    let mut library = false;
    loop {
        let asked = model.links.values().all(|l| l.out.is_empty() && (l.good.is_some() || l.fault.is_some()));
        if (asked
            && !model.fleet.reading
            && library
            && (!with_record || (model.desk.loaded && model.fleet.bands.loaded)))
            || now() > give_up
        {
            break;
        }
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok(msg) => {
                library |= matches!(msg, Msg::Feed(crate::app::msg::Feed::Library(..)));
                step(&mut model, msg);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    engine.stop(Duration::from_secs(2));
    model.setup.read_only = read_only;
    Ok(model)
}
