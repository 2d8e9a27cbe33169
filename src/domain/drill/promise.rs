//! What the simulated services promise: nine objectives, the troubles each had, and how the incident hurts it.

use crate::domain::drill::service::Service;
use crate::domain::slo::objective::Bad;
use crate::domain::slo::objective::Compare;
use crate::domain::slo::objective::Kind;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::objective::PolicyRule;
use crate::domain::slo::objective::Sli;
use crate::domain::time::mins;

/// The objectives as a file in the format that the demo teaches.
pub const FILE: &str = include_str!("../../../assets/demo/slo.yaml");

/// A trouble of the past.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// How long before the demo it began, minutes.
    pub ago: f64,
    /// How long it took, minutes.
    pub lasted: f64,
    /// How bad it was beside the others of this objective.
    pub weight: f64,
}

/// Where an objective's bad events come from.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// Share of requests with a 5xx answer.
    Failures,
    /// Share of requests slower than this, seconds.
    Slow(f64),
    /// The p99 of five minutes is over this, seconds.
    P99Over(f64),
}

/// One objective of the simulated production.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Its name.
    pub id: &'static str,
    /// Whose it is.
    pub service: Service,
    /// What is measured.
    pub measure: Measure,
    /// Share that must be good.
    pub target: f64,
    /// Share of the thirty-day budget left when the demo begins.
    pub left: f64,
    /// Burn rate of an ordinary hour.
    pub ordinary: f64,
    /// What happened before; scaled so that `left` comes true.
    pub troubles: &'static [Trouble],
    /// Error ratio of the deploy while it ran on a few pods only, from forty minutes before the demo.
    pub canary: f64,
    /// Error ratio that the incident adds at its worst.
    pub hurt: f64,
    /// The policy as written; its action and share.
    pub policy: Option<(&'static str, &'static str, f64)>,
}

const fn trouble(ago_days: f64, lasted: f64, weight: f64) -> Trouble {
    Trouble { ago: ago_days * 1_440.0, lasted, weight }
}

const HALT: Option<(&str, &str, f64)> = Some(("halt_deployments_at_50_percent_burn", "halt deployments", 0.5));
const ALERT: Option<(&str, &str, f64)> = Some(("alert_at_25_percent_burn", "alert", 0.25));

const QUIET: Promise = Promise {
    id: "",
    service: Service::Api,
    measure: Measure::Failures,
    target: 0.999,
    left: 1.0,
    ordinary: 0.1,
    troubles: &[],
    canary: 0.0,
    hurt: 0.0,
    policy: HALT,
};

/// Five-minute slices of the gateway's p99 that were bad: once about every five hours since a migration three days ago,
/// and a bad hour twelve days ago. Minutes before the demo's own slice.
const SLOW_SLICES: [Trouble; 16] = [
    slice(130.0),
    slice(325.0),
    slice(655.0),
    slice(970.0),
    slice(1_275.0),
    slice(1_590.0),
    slice(1_900.0),
    slice(2_205.0),
    slice(2_520.0),
    slice(2_830.0),
    slice(3_135.0),
    slice(3_450.0),
    slice(3_760.0),
    slice(4_075.0),
    Trouble { ago: 17_300.0, lasted: 75.0, weight: 1.0 },
    Trouble { ago: 52_000.0, lasted: 110.0, weight: 1.0 },
];

const fn slice(ago: f64) -> Trouble {
    Trouble { ago, lasted: 5.0, weight: 1.0 }
}

/// All nine, worst first in the story.
pub const ALL: [Promise; 9] = [
    Promise {
        id: "checkout_success",
        service: Service::Checkout,
        left: 0.58,
        ordinary: 0.22,
        troubles: &[
            trouble(4.31, 47.0, 1.0),
            trouble(11.72, 25.0, 1.4),
            trouble(20.16, 95.0, 0.4),
            trouble(34.6, 60.0, 1.0),
            trouble(47.2, 30.0, 0.8),
        ],
        canary: 0.004,
        hurt: 0.23,
        ..QUIET
    },
    Promise {
        id: "checkout_latency",
        service: Service::Checkout,
        measure: Measure::Slow(0.8),
        target: 0.99,
        left: 0.71,
        ordinary: 0.16,
        troubles: &[trouble(4.31, 62.0, 1.0), trouble(20.16, 190.0, 0.5), trouble(35.0, 120.0, 0.6)],
        canary: 0.012,
        hurt: 0.38,
        policy: ALERT,
    },
    Promise {
        id: "payments_success",
        service: Service::Payments,
        left: 0.74,
        ordinary: 0.14,
        troubles: &[trouble(7.45, 38.0, 1.0), trouble(22.9, 21.0, 0.7), trouble(40.1, 45.0, 1.0)],
        hurt: 0.014,
        ..QUIET
    },
    Promise {
        id: "api_availability",
        service: Service::Api,
        left: 0.93,
        ordinary: 0.045,
        troubles: &[trouble(15.62, 12.0, 1.0), trouble(38.3, 20.0, 1.0)],
        ..QUIET
    },
    Promise {
        id: "api_latency",
        service: Service::Api,
        measure: Measure::P99Over(0.5),
        target: 0.99,
        // 29 bad slices of a budget of 86.4.
        left: 0.664_351_851_851_851_9,
        ordinary: 0.0,
        troubles: &SLOW_SLICES,
        policy: ALERT,
        ..QUIET
    },
    Promise {
        id: "login_success",
        service: Service::Login,
        target: 0.9995,
        left: 0.81,
        ordinary: 0.11,
        troubles: &[trouble(9.27, 16.0, 1.0), trouble(26.4, 8.0, 0.5), trouble(44.0, 12.0, 1.0)],
        ..QUIET
    },
    Promise {
        id: "search_success",
        service: Service::Search,
        target: 0.995,
        left: 0.64,
        ordinary: 0.24,
        troubles: &[trouble(2.83, 84.0, 1.0), trouble(17.3, 140.0, 0.6), trouble(36.0, 60.0, 1.0)],
        ..QUIET
    },
    Promise {
        id: "search_latency",
        service: Service::Search,
        measure: Measure::Slow(0.3),
        target: 0.95,
        left: 0.88,
        ordinary: 0.06,
        troubles: &[trouble(2.83, 310.0, 1.0), trouble(41.0, 240.0, 1.0)],
        policy: ALERT,
        ..QUIET
    },
    Promise {
        id: "catalog_success",
        service: Service::Catalog,
        left: 0.99,
        ordinary: 0.007,
        troubles: &[trouble(13.9, 6.0, 1.0)],
        ..QUIET
    },
];

/// The promise of a name.
pub fn find(id: &str) -> Option<&'static Promise> {
    const EVERY: &[Promise] = &ALL;
    EVERY.iter().find(|p| p.id == id)
}

impl Promise {
    /// The objective as every other part of the product sees it.
    pub fn objective(&self) -> Objective {
        let (says, written, kind) = self.words();
        Objective {
            id: self.id.into(),
            service: self.service.name().to_owned(),
            kind,
            target: self.target,
            window: mins(30 * 1_440),
            sli: self.sli(),
            source: None,
            policy: self.policy.map(|(text, action, share)| PolicyRule {
                text: text.to_owned(),
                action: Some((action.to_owned(), share)),
            }),
            pairs: crate::domain::slo::windows::standard(),
            description: String::new(),
            gap: crate::domain::slo::objective::Gap::default(),
            period: None,
            identity: crate::domain::slo::objective::Identity::Own,
            labels: crate::domain::labels::Labels::default(),
            grouping: Vec::new(),
            min_failures: None,
            says,
            written,
            declared: declared(self.id),
        }
    }

    fn words(&self) -> (String, String, Kind) {
        let job = self.service.name();
        let target = percent(self.target);
        match self.measure {
            Measure::Failures => (
                format!("good answers (not 5xx) >= {target} of requests over 30d"),
                format!(
                    "sum(rate(http_requests_total{{job=\"{job}\",code!~\"5..\"}}[1m])) / sum(rate(http_requests_total{{job=\"{job}\"}}[1m]))"
                ),
                Kind::Ratio,
            ),
            Measure::Slow(limit) => (
                format!("answers within {limit} s >= {target} of requests over 30d"),
                format!(
                    "sum(rate(http_request_duration_seconds_bucket{{job=\"{job}\",le=\"{limit}\"}}[1m])) / sum(rate(http_request_duration_seconds_count{{job=\"{job}\"}}[1m]))"
                ),
                Kind::Ratio,
            ),
            Measure::P99Over(limit) => (
                format!("p99 <= {limit} in >= {target} of 5m slices over 30d (assumed)"),
                format!(
                    "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{{job=\"{job}\"}}[1m])) by (le))"
                ),
                Kind::Threshold,
            ),
        }
    }

    fn sli(&self) -> Sli {
        let job = self.service.name();
        match self.measure {
            Measure::Failures => Sli::Events {
                bad: Bad::Counted(format!(
                    "sum(increase(http_requests_total{{job=\"{job}\",code=~\"5..\"}}[$window]))"
                )),
                total: format!("sum(increase(http_requests_total{{job=\"{job}\"}}[$window]))"),
            },
            Measure::Slow(limit) => Sli::Events {
                bad: Bad::TotalMinus(format!(
                    "sum(increase(http_request_duration_seconds_bucket{{job=\"{job}\",le=\"{limit}\"}}[$window]))"
                )),
                total: format!("sum(increase(http_request_duration_seconds_count{{job=\"{job}\"}}[$window]))"),
            },
            Measure::P99Over(limit) => Sli::Slices {
                value: format!(
                    "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{{job=\"{job}\"}}[5m])) by (le))"
                ),
                compare: Compare::AtMost,
                threshold: limit,
                slice: mins(5),
            },
        }
    }
}

/// `99.9 %`: rounded to what was meant, not to what binary made of it.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1e8).round() / 1e6)
}

fn declared(id: &str) -> String {
    let key = format!("  {id}:");
    let line = FILE.lines().position(|line| line == key).map_or(1, |i| i + 1);
    format!("demo/slo.yaml:{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_objective_stands_in_the_file_as_written() {
        for promise in &ALL {
            let objective = promise.objective();
            let line: usize = objective.declared.rsplit(':').next().unwrap().parse().unwrap();
            let entry: Vec<&str> = FILE.lines().skip(line - 1).take(5).collect();
            assert_eq!(entry[0], format!("  {}:", promise.id));
            let sli = entry[1].trim().trim_start_matches("sli: '").trim_end_matches('\'');
            assert_eq!(sli, objective.written);
            assert!(entry.iter().any(|l| l.contains(promise.policy.unwrap().0)), "{entry:?}");
        }
    }

    #[test]
    fn targets_are_said_as_meant() {
        assert_eq!(
            find("login_success").unwrap().objective().says,
            "good answers (not 5xx) >= 99.95 % of requests over 30d"
        );
        assert_eq!(
            find("api_latency").unwrap().objective().says,
            "p99 <= 0.5 in >= 99 % of 5m slices over 30d (assumed)"
        );
        assert!(find("nope").is_none());
    }
}
