//! What a machine that replays an incident knows: the recorded reel, the instant that is shown, and how fast it goes on. Such
//! a machine changes nothing and asks nobody; `update/replay.rs` sees to that, `present/replay.rs` shows where it is.

use crate::domain::ids::{IncidentId, SloId, SourceName};
use crate::domain::incident::reel::Reel;
use crate::domain::outward::silence::Silence;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many times as fast as it happened it may go on.
pub const SPEEDS: [u32; 10] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_000];

/// An incident that is being replayed.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Which.
    pub incident: IncidentId,
    /// All of it.
    pub reel: Arc<Reel>,
    /// Slices of events that outlived it, by objective.
    pub slices: BTreeMap<SloId, Arc<EventSlices>>,
    /// Silences that were made for it, as they stood at the shown instant, by their Alertmanager.
    pub silences: BTreeMap<SourceName, Vec<Silence>>,
    /// The instant that is shown.
    pub at: Timestamp,
    /// How many times as fast as it happened.
    pub speed: u32,
    /// It goes on by itself.
    pub playing: bool,
    /// The wall clock when that instant was set.
    pub wall: Timestamp,
    /// The instant that the screens were made for; `None` before the first time.
    pub settled: Option<Timestamp>,
    /// Messages up to here were said before the last key.
    pub quiet: usize,
}

impl Replay {
    /// Stands at the beginning.
    pub fn new(incident: IncidentId, reel: Reel, speed: u32, wall: Timestamp) -> Self {
        let at = reel.start();
        Self {
            incident,
            reel: Arc::new(reel),
            slices: BTreeMap::new(),
            silences: BTreeMap::new(),
            at,
            speed: speed.clamp(1, 1_000),
            playing: false,
            wall,
            settled: None,
            quiet: 0,
        }
    }

    /// Shows another instant, and stops there.
    pub fn seek(&mut self, at: Timestamp) {
        self.at = at.clamp(self.reel.start(), self.reel.end());
        self.playing = false;
    }

    /// Where the shown instant is between the beginning and the end, 0..=1.
    pub fn share(&self, at: Timestamp) -> f64 {
        let whole = (self.reel.end() - self.reel.start()).num_milliseconds();
        if whole <= 0 {
            return 1.0;
        }
        ((at - self.reel.start()).num_milliseconds() as f64 / whole as f64).clamp(0.0, 1.0)
    }
}
