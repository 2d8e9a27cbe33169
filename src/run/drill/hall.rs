//! The middle of a drill with people: who sits at it, what holds its clock, what the real world does. Facilitators ask it,
//! every cockpit is told by it. Everything that is done to the drill through it goes into the drill's log.

use crate::app::msg::{Feed, Msg};
use crate::app::rehearsal::Rehearsal;
use crate::domain::drill::facilitation::{Answer, Around, Ask, Observed};
use crate::domain::drill::real_world::Real;
use crate::domain::drill::stage::{Happened, Stage};
use crate::domain::time::{Timestamp, compact, secs};
use crate::io::fake::staged::Staged;
use crate::run::drill::clock::{DrillClock, Hold};
use crate::run::engine::Tell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most players of one drill.
const MOST: usize = 12;

#[derive(Default)]
struct State {
    seats: BTreeMap<u64, (String, Tell)>,
    numbered: u64,
    real: Real,
    /// Real pages that wait for an answer.
    asks: Vec<String>,
    /// Real pages that were answered and still fire.
    answered: BTreeSet<String>,
    /// What was told last, so that nothing is told twice.
    told: Option<Rehearsal>,
    /// What those who still sit there are told at the end.
    over: Option<String>,
}

/// The middle of a drill.
pub struct Hall {
    name: String,
    staged: Staged,
    clock: Arc<DrillClock>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Hall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hall").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Hall {
    /// An empty one.
    pub fn new(name: &str, staged: Staged, clock: Arc<DrillClock>) -> Self {
        Self { name: name.to_owned(), staged, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A player sits down; the first one lets the clock run. `Err` says why not. The number is for [`Self::leave`].
    pub fn sit(&self, person: &str, tell: Tell) -> Result<u64, String> {
        let number = {
            let mut state = self.state();
            if state.over.is_some() {
                return Err("the drill is over".into());
            }
            if state.seats.len() >= MOST {
                return Err(format!("{MOST} players are the most"));
            }
            if state.seats.values().any(|(name, _)| name.eq_ignore_ascii_case(person)) {
                return Err(format!("{person} plays already; choose another name with --as"));
            }
            state.numbered += 1;
            let number = state.numbered;
            state.seats.insert(number, (person.to_owned(), tell));
            // Whoever is new is told everything.
            state.told = None;
            number
        };
        let now = self.clock.now();
        let brief = self.staged.with(|stage| {
            stage.record(Happened::Seat(format!("{person} sits down")), now);
            stage.scenario().brief.clone()
        });
        // What was printed before the screen was taken can be read again there.
        if let Some((_, tell)) = self.state().seats.get(&number) {
            tell(Msg::Feed(Feed::Said("brief".into(), brief)));
        }
        self.clock.release(Hold::Table);
        self.changed();
        Ok(number)
    }

    /// A player leaves.
    pub fn leave(&self, number: u64) {
        let gone = self.state().seats.remove(&number);
        if let Some((person, _)) = gone {
            let now = self.clock.now();
            self.staged.with(|stage| stage.record(Happened::Seat(format!("{person} leaves")), now));
            self.changed();
        }
    }

    /// How many sit there.
    pub fn seated(&self) -> usize {
        self.state().seats.len()
    }

    /// Tells every cockpit something.
    pub fn tell(&self, msg: &Msg) {
        let seats: Vec<Tell> = self.state().seats.values().map(|(_, tell)| Arc::clone(tell)).collect();
        for tell in seats {
            tell(msg.clone());
        }
    }

    /// Tells every cockpit how the drill stands, if that is not what it was told last.
    pub fn changed(&self) {
        let ended = self.staged.with(|stage| stage.ended().map(|ended| ended.why.clone()));
        let paused = self.paused();
        let mut state = self.state();
        let now = Rehearsal {
            real: state.real.clone(),
            paused,
            speed: self.clock.speed(),
            players: state.seats.values().map(|(name, _)| name.clone()).collect(),
            asks: state.asks.clone(),
            ended,
        };
        if state.told.as_ref() == Some(&now) {
            return;
        }
        state.told = Some(now.clone());
        // Told while nobody else can: two changes must not reach a cockpit in the wrong order.
        for (_, tell) in state.seats.values() {
            tell(Msg::Feed(Feed::Rehearsal(Box::new(now.clone()))));
        }
    }

    fn paused(&self) -> Vec<String> {
        self.clock.holds().into_iter().map(|hold| hold.words().to_owned()).collect()
    }

    /// The real world was looked at. A page that nobody answered yet makes the drill stand, whatever becomes of it.
    pub fn real(&self, real: Real) {
        let mut rings = None;
        {
            let mut state = self.state();
            let firing: BTreeSet<String> = real.pages().iter().cloned().collect();
            // A look that failed does not say that a page is over.
            if !matches!(real, Real::NotKnown { .. }) {
                state.answered.retain(|page| firing.contains(page));
            }
            let new: Vec<String> = firing.into_iter().filter(|p| !state.answered.contains(p)).collect();
            let more: Vec<String> = new.into_iter().filter(|p| !state.asks.contains(p)).collect();
            if !more.is_empty() {
                state.asks.extend(more);
                rings = Some(state.asks.join(", "));
            }
            state.real = real;
        }
        if let Some(pages) = rings {
            self.clock.hold(Hold::RealPage);
            self.of_real_world(format!("a real page, the drill stands: {pages}"));
        }
        self.changed();
    }

    /// A player answered the real page with going on.
    pub fn go_on(&self) {
        {
            let mut state = self.state();
            // What is over and fires again is new.
            let firing = state.real.pages().to_vec();
            let asks = std::mem::take(&mut state.asks);
            state.answered.extend(asks.into_iter().filter(|page| firing.contains(page)));
        }
        if self.clock.release(Hold::RealPage) {
            self.of_real_world("the real page was answered, the drill goes on".into());
        }
        self.changed();
    }

    fn of_real_world(&self, what: String) {
        let now = self.clock.now();
        self.staged.with(|stage| stage.record(Happened::RealWorld(what), now));
    }

    /// Nothing more comes: whoever still sits there is told this. Waits a while, not for ever, until they are gone.
    pub fn close(&self, words: &str) {
        self.state().over = Some(words.to_owned());
        self.tell(&Msg::Wake);
        for _ in 0..100 {
            // Whoever has the drill's own terminal never gets up.
            if self.seated() <= 1 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is told at the end, once there is one.
    pub fn over(&self) -> Option<String> {
        self.state().over.clone()
    }

    /// Where the drill stands.
    pub fn observed(&self) -> Observed {
        let around = {
            let state = self.state();
            Around {
                name: self.name.clone(),
                speed: self.clock.speed(),
                paused: Vec::new(),
                players: state.seats.values().map(|(name, _)| name.clone()).collect(),
                real: state.real.clone(),
            }
        };
        let now = self.clock.now();
        let around = Around { paused: self.paused(), ..around };
        self.staged.with(|stage| {
            stage.advance(now);
            Observed::of(stage, now, around)
        })
    }

    /// Does what a facilitator asks, and says what was done. Joining is not for here.
    pub fn carry_out(&self, ask: Ask) -> Answer {
        let now = self.clock.now();
        let did = match ask {
            Ask::Observe => return Answer { drill: Some(Box::new(self.observed())), ..Answer::default() },
            Ask::Join(_) => return Answer::error("only a line of its own can join"),
            ask => self.staged.with(|stage| {
                stage.advance(now);
                match stage.ended() {
                    Some(ended) => Err(format!("the drill is over ({})", ended.why)),
                    None => self.steer(stage, ask, now),
                }
            }),
        };
        self.changed();
        match did {
            Ok(did) => Answer::did(did, self.observed()),
            Err(why) => Answer::error(why),
        }
    }

    fn steer(&self, stage: &mut Stage, ask: Ask, now: Timestamp) -> Result<String, String> {
        let named = |stage: &Stage, typed: &str| {
            let place = stage.find_inject(typed);
            place.and_then(|n| stage.scenario().injects.get(n)).map_or_else(|| typed.to_owned(), |i| i.id.clone())
        };
        Ok(match ask {
            Ask::Fire { inject } => {
                stage.fire(&inject, now)?;
                format!("{} came", named(stage, &inject))
            }
            Ask::Skip { inject } => {
                stage.skip(&inject, now)?;
                format!("{} will not come", named(stage, &inject))
            }
            Ask::Delay { inject, seconds } => {
                stage.delay(&inject, secs(seconds), now)?;
                let way = if seconds < 0 { "nearer" } else { "later" };
                format!("{} comes {} {way}", named(stage, &inject), compact(secs(seconds.abs())))
            }
            Ask::Hint { text, points } => {
                stage.hint(&text, points, now);
                format!("the players got the hint, it costs {points}")
            }
            Ask::Say { from, text } => {
                stage.speak(&from, &text, now);
                format!("{from} said it")
            }
            Ask::Speed { times } => {
                self.clock.set_speed(times);
                steered(stage, now, &format!("lets the clock run {times} times as fast as time"));
                format!("the clock runs {times} times as fast as time")
            }
            Ask::Jump => self.jump(stage, now)?,
            Ask::Pause if self.clock.hold(Hold::Facilitator) => {
                steered(stage, now, "pauses the drill");
                "the drill is paused".into()
            }
            Ask::Pause => return Err("the drill is paused already".into()),
            Ask::Continue if self.clock.release(Hold::Facilitator) => {
                steered(stage, now, "lets the drill go on");
                match self.clock.holds().first() {
                    Some(hold) => format!("not paused any more, but it stands: {}", hold.words()),
                    None => "the drill goes on".into(),
                }
            }
            Ask::Continue => {
                return Err(match self.clock.holds().first() {
                    Some(hold) => format!("not yours to let go: {}", hold.words()),
                    None => "the drill is not paused".into(),
                });
            }
            Ask::Abort { why } => {
                stage.abort(&why, now);
                "the drill is over: aborted".into()
            }
            Ask::Observe | Ask::Join(_) => return Err("not here".into()),
        })
    }

    /// The clock goes to where the next inject comes. What lies between happens: alerts wait their time, timers fall due.
    fn jump(&self, stage: &mut Stage, now: Timestamp) -> Result<String, String> {
        if let Some(hold) = self.clock.holds().first() {
            return Err(format!("the clock stands: {}", hold.words()));
        }
        let open = stage.upcoming().into_iter().filter(|it| !it.stand.over());
        let next = open.filter_map(|it| Some((it.at.filter(|at| *at > now)?, it.inject))).min();
        let (at, inject) = next.ok_or("no inject is to come by the clock")?;
        steered(stage, now, &format!("lets the clock jump to {inject}, by {}", compact(at - now)));
        self.clock.jump(at);
        stage.advance(at);
        Ok(format!("the clock jumped to {inject}, by {}", compact(at - now)))
    }
}

fn steered(stage: &mut Stage, now: Timestamp, what: &str) {
    stage.record(Happened::Steered(what.to_owned()), now);
}
