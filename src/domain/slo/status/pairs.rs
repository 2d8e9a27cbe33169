//! Alert pairs as they stand: whether each fires, could fire, waits for its hold, is held by planned work, or would fire on
//! a single bad event.

use crate::domain::slo::burn;
use crate::domain::slo::objective::AlertPair;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::{Around, View};
use crate::domain::time::{Span, Timestamp};

/// One alert pair as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PairState {
    /// `page` or `ticket`.
    pub severity: String,
    /// Long window.
    pub long: Window,
    /// Short window.
    pub short: Window,
    /// Both must burn faster than this.
    pub factor: f64,
    /// Burn rate of the long window.
    pub long_burn: Option<f64>,
    /// Burn rate of the short window.
    pub short_burn: Option<f64>,
    /// Whether it fires; `None` when that cannot be told.
    pub firing: Option<bool>,
    /// Whether both windows are over the factor, whatever its hold and planned work say.
    pub over: Option<bool>,
    /// It would fire, and planned work holds it.
    pub held: bool,
    /// It is over the factor and fires when it still is then.
    pub fires_at: Option<Timestamp>,
    /// False when not even a total failure could make it fire.
    pub can_fire: bool,
    /// How long after the beginning of a total failure it fires.
    pub time_to_fire: Option<Span>,
    /// Events in the long window, where so few came that one bad one is over the factor.
    pub low_traffic: Option<f64>,
}

impl View<'_> {
    /// The objective's pairs.
    pub(super) fn pairs(&self, around: &Around<'_>) -> Vec<PairState> {
        let pairs = self.objective.pairs.iter().enumerate();
        pairs.map(|(at, pair)| self.pair(pair, around.over_since.get(&at).copied())).collect()
    }

    fn pair(&self, pair: &AlertPair, over_since: Option<Timestamp>) -> PairState {
        let (target, least) = (self.objective.target, self.objective.min_failures);
        let gross = burn::fires(pair, target, least, self.fresh(pair.long), self.fresh(pair.short));
        let net = burn::fires(pair, target, least, self.net(pair.long), self.net(pair.short));
        let planned = self.known.work.now.is_some();
        let held = gross == Some(true) && (planned || net != Some(true));
        let over = if held { Some(false) } else { net };
        // A pair that must be over for a while does not fire before: how long it has been is not in one reading.
        let since = over_since.unwrap_or(self.now);
        let due = since.checked_add_signed(pair.hold).filter(|due| *due > self.now && over == Some(true));
        let alone = least.is_none_or(|l| l <= 1.0);
        PairState {
            severity: pair.severity.clone(),
            long: pair.long,
            short: pair.short,
            factor: pair.factor,
            long_burn: self.rate(pair.long),
            short_burn: self.rate(pair.short),
            firing: if due.is_some() { Some(false) } else { over },
            over,
            held,
            fires_at: due,
            can_fire: burn::can_fire(pair.factor, target),
            time_to_fire: burn::time_to_fire(pair, target, 1.0).and_then(|t| t.checked_add(&pair.hold)),
            low_traffic: burn::low_traffic(pair, target, self.net(pair.long)).filter(|_| alone),
        }
    }
}
