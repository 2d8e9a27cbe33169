//! Sets of alert pairs by the length of the budget's window: the factors of the SRE workbook, those that stay as they are,
//! Sloth's and Pyrra's. Measures nothing.

use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::AlertPair;
use crate::domain::slo::reading::Window;
use crate::domain::time::{Span, mins, seconds};

/// A set that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Shares of the budget (2 % in 1 h, 5 % in 6 h, 10 % in 1 d and in 3 d): factors grow with the window.
    Google,
    /// The same, with Sloth's own shares for 7 d.
    Sloth,
    /// Factors 14, 7, 2, 1 with windows and waiting times that grow with the budget's window.
    Pyrra,
    /// Factors 14.4, 6, 3, 1 whatever the window, as for 30 d.
    Fixed,
}

impl Named {
    /// The sets and their names.
    pub const WORDS: [(&'static str, Self); 4] =
        [("google", Self::Google), ("sloth", Self::Sloth), ("pyrra", Self::Pyrra), ("fixed", Self::Fixed)];

    /// Its pairs for a budget over a window, most urgent first.
    pub fn pairs(self, window: Span) -> Vec<AlertPair> {
        match self {
            Self::Google => shares(window, [2.0, 5.0, 10.0, 10.0]),
            Self::Sloth if window == Span::days(7) => shares(window, [8.0, 12.5, 20.0, 42.0]),
            Self::Sloth => shares(window, [2.0, 5.0, 10.0, 10.0]),
            Self::Pyrra => scaled(window),
            Self::Fixed => shares(Span::days(30), [2.0, 5.0, 10.0, 10.0]),
        }
    }
}

/// The pairs of an objective that says nothing of them: the shares of [`Named::Google`] from 28 days on. Shorter budgets keep
/// the factors of 30 days, because scaled down they would alert while less than the budget is spent.
pub fn usual(window: Span) -> Vec<AlertPair> {
    if window >= Span::days(28) { Named::Google.pairs(window) } else { Named::Fixed.pairs(window) }
}

const ROWS: [(&str, Window, Window); 4] = [
    ("page", Window::H1, Window::M5),
    ("page", Window::H6, Window::M30),
    ("ticket", Window::D1, Window::H2),
    ("ticket", Window::D3, Window::H6),
];

/// The burn rate that spends a share of the budget (percent) in a long window.
pub fn factor(percent: f64, window: Span, long: Span) -> f64 {
    round12(percent / 100.0 * seconds(window) / seconds(long).max(1.0))
}

fn shares(window: Span, percents: [f64; 4]) -> Vec<AlertPair> {
    let row = |((severity, long, short), percent): ((&str, Window, Window), f64)| AlertPair {
        severity: severity.to_owned(),
        long,
        short,
        factor: factor(percent, window, long.span()),
        hold: Span::zero(),
    };
    ROWS.into_iter().zip(percents).map(row).collect()
}

/// Pyrra's: made for 28 d, stretched with the window and rounded to minutes.
fn scaled(window: Span) -> Vec<AlertPair> {
    let minutes = |of_28d: i64| {
        let exact = seconds(window) / seconds(Span::days(28)) * of_28d as f64;
        mins(exact.round() as i64)
    };
    let least = |of_28d: i64| Window::of(minutes(of_28d).max(mins(1)));
    [
        ("page", 60, 5, 2, 14.0),
        ("page", 360, 30, 15, 7.0),
        ("ticket", 1_440, 120, 60, 2.0),
        ("ticket", 5_760, 360, 180, 1.0),
    ]
    .into_iter()
    .map(|(severity, long, short, hold, factor)| AlertPair {
        severity: severity.to_owned(),
        long: least(long),
        short: least(short),
        factor,
        hold: minutes(hold),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(set: Named, days: i64) -> Vec<f64> {
        set.pairs(Span::days(days)).iter().map(|p| p.factor).collect()
    }

    #[test]
    fn factors_grow_with_the_window() {
        assert_eq!(factors(Named::Google, 7), [3.36, 1.4, 0.7, 0.233_333_333_333]);
        assert_eq!(factors(Named::Google, 28), [13.44, 5.6, 2.8, 0.933_333_333_333]);
        assert_eq!(factors(Named::Sloth, 28), factors(Named::Google, 28));
        assert_eq!(factors(Named::Google, 30), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(factors(Named::Google, 90), [43.2, 18.0, 9.0, 3.0]);
        assert_eq!(factors(Named::Sloth, 7), [13.44, 3.5, 1.4, 0.98]);
        assert_eq!(factors(Named::Fixed, 90), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(Named::Google.pairs(Span::days(30)), crate::domain::slo::windows::standard());
        assert_eq!(usual(Span::days(90)), Named::Google.pairs(Span::days(90)));
        assert!(usual(Span::days(1)).iter().all(|p| p.factor >= 1.0));
    }

    #[test]
    fn windows_of_pyrra_are_stretched() {
        let rows = |days: i64| -> Vec<(i64, i64, i64)> {
            let minutes = |w: Window| w.span().num_minutes();
            let pairs = Named::Pyrra.pairs(Span::days(days));
            pairs.iter().map(|p| (minutes(p.short), minutes(p.long), p.hold.num_minutes())).collect()
        };
        assert_eq!(rows(28), [(5, 60, 2), (30, 360, 15), (120, 1_440, 60), (360, 5_760, 180)]);
        let of_7d = [(1, 15, 1), (8, 90, 4), (30, 360, 15), (90, 1_440, 45)];
        assert_eq!(rows(7), of_7d);
        let of_30d: Vec<(i64, i64)> = rows(30).iter().map(|(s, l, _)| (*s, *l)).collect();
        assert_eq!(of_30d, [(5, 64), (32, 386), (129, 1_543), (386, 6_171)]);
        assert!(Named::Pyrra.pairs(Span::hours(1)).iter().all(|p| p.short.0 >= 60));
    }
}
