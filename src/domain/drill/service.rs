//! The six services and how much they are asked at which hour. Knows nothing of errors.

use crate::domain::drill::chance;

/// A simulated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Takes orders; the one that breaks.
    Checkout,
    /// Charges cards for checkout.
    Payments,
    /// The gateway in front of all.
    Api,
    /// Finds things.
    Search,
    /// Lets people in.
    Login,
    /// Describes things.
    Catalog,
}

/// Share of the busiest hour's demand at each full hour, UTC.
const DAY: [f64; 24] = [
    0.46, 0.42, 0.40, 0.40, 0.42, 0.47, 0.55, 0.66, 0.76, 0.83, 0.87, 0.89, 0.90, 0.88, 0.86, 0.86, 0.88, 0.92, 0.97,
    1.00, 0.97, 0.88, 0.73, 0.58,
];

/// Factor per day, Monday first.
const WEEK: [f64; 7] = [1.00, 1.02, 1.03, 1.02, 1.06, 0.88, 0.84];

impl Service {
    /// All of them, in the order of the books.
    pub const ALL: [Self; 6] = [Self::Checkout, Self::Payments, Self::Api, Self::Search, Self::Login, Self::Catalog];

    /// Its name in labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Payments => "payments",
            Self::Api => "api",
            Self::Search => "search",
            Self::Login => "login",
            Self::Catalog => "catalog",
        }
    }

    /// Requests per second in the busiest hour of an ordinary day.
    pub fn peak(self) -> f64 {
        match self {
            Self::Checkout => 180.0,
            Self::Payments => 150.0,
            Self::Api => 1_400.0,
            Self::Search => 520.0,
            Self::Login => 95.0,
            Self::Catalog => 760.0,
        }
    }

    /// How much clients ask on top when checkout is at its worst: they retry.
    pub fn surge(self) -> f64 {
        match self {
            Self::Checkout => 3.2,
            Self::Payments => 0.8,
            Self::Api => 0.15,
            _ => 0.0,
        }
    }

    /// Whether turning customers away at checkout's door reaches it.
    pub fn behind_the_door(self) -> bool {
        matches!(self, Self::Checkout | Self::Payments)
    }

    /// Requests per second at an instant (Unix seconds), without noise.
    pub fn demand(self, unix: i64) -> f64 {
        let hour = unix.rem_euclid(86_400) / 3_600;
        let into = unix.rem_euclid(3_600) as f64 / 3_600.0;
        let at = |h: i64| usize::try_from(h).ok().and_then(|h| DAY.get(h % 24)).copied().unwrap_or(1.0);
        // Day 0 of Unix time was a Thursday.
        let weekday = (unix.div_euclid(86_400) + 3).rem_euclid(7);
        let week = usize::try_from(weekday).ok().and_then(|d| WEEK.get(d)).copied().unwrap_or(1.0);
        self.peak() * week * (at(hour) + (at(hour + 1) - at(hour)) * into)
    }

    /// Requests in the cell of `length` seconds that begins at `unix`, with noise.
    pub fn requests(self, seed: u64, unix: i64, length: i64) -> f64 {
        let step = unix.div_euclid(length);
        self.demand(unix + length / 2) * length as f64 * chance::around_one(0.05, seed, self.stream(), step)
    }

    fn stream(self) -> u64 {
        match self {
            Self::Checkout => 1,
            Self::Payments => 2,
            Self::Api => 3,
            Self::Search => 4,
            Self::Login => 5,
            Self::Catalog => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn days_and_weeks_have_a_shape() {
        let at = |text: &str| Service::Api.demand(text.parse::<Timestamp>().unwrap().timestamp());
        assert_eq!(at("2026-05-04T19:00:00Z"), 1_400.0);
        assert!(at("2026-05-04T03:00:00Z") < at("2026-05-04T12:00:00Z"));
        assert!(at("2026-05-03T19:00:00Z") < at("2026-05-04T19:00:00Z"), "Sundays are quieter");
        let across = at("2026-05-05T00:00:00Z") / at("2026-05-04T23:59:59Z");
        assert!((across - 1.02).abs() < 0.001, "midnight joins up but for the day's own factor: {across}");
    }
}
