//! The golden signals of services as they are read: few requests for many signals, and what came back, told apart again.
//! What is not known stays unknown. Never sends anything.

use crate::domain::fault::Fault;
use crate::domain::slo::plan::{TAG, balanced, tagged};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::service::{Service, Signal, SignalKind, Unit};
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// The most signals in one request.
const TOGETHER: usize = 50;

/// What one signal said.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalValue {
    /// A number in the signal's unit.
    Value(f64),
    /// The server has no such series, or it holds no number.
    NoData,
    /// The server could not be read, or refused the query.
    Failed(Fault),
}

impl SignalValue {
    /// The number, if there is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Value(v) => Some(*v),
            _ => None,
        }
    }
}

/// One signal as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalReading {
    /// What it tells.
    pub kind: SignalKind,
    /// What its number counts.
    pub unit: Unit,
    /// A value over this is too much.
    pub limit: Option<f64>,
    /// What it said.
    pub value: SignalValue,
}

impl SignalReading {
    /// Whether it is over its limit; `None` without a limit or a number.
    pub fn over(&self) -> Option<bool> {
        Some(self.value.number()? > self.limit?)
    }

    /// Its number for people: `412/s`, `0.3%`, `210ms`; `unknown` where there is none.
    pub fn text(&self) -> String {
        self.value.number().map_or_else(|| "unknown".to_owned(), |v| amount(v, self.unit))
    }
}

/// A number in a unit, for people.
pub fn amount(value: f64, unit: Unit) -> String {
    let short = |v: f64| match v.abs() {
        a if a >= 1e9 => format!("{:.1}G", v / 1e9),
        a if a >= 1e6 => format!("{:.1}M", v / 1e6),
        a if a >= 1e4 => format!("{:.1}k", v / 1e3),
        a if a >= 100.0 || v.fract() == 0.0 => format!("{v:.0}"),
        a if a >= 1.0 => format!("{v:.1}"),
        _ => format!("{v:.3}"),
    };
    match unit {
        Unit::PerSecond => format!("{}/s", short(value)),
        Unit::Ratio => percent(value * 100.0),
        Unit::Percent => percent(value),
        Unit::Seconds if value.abs() < 1.0 => format!("{:.0}ms", value * 1_000.0),
        Unit::Seconds => format!("{value:.2}s"),
        Unit::Milliseconds => format!("{value:.0}ms"),
        Unit::Bytes => format!("{}B", short(value)),
        Unit::Count => short(value),
    }
}

fn percent(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.1 { format!("{value:.3}%") } else { format!("{value:.1}%") }
}

/// The signals of one service at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceReading {
    /// The service.
    pub service: String,
    /// When it was evaluated.
    pub at: Timestamp,
    /// Its signals, in the order of [`SignalKind`].
    pub signals: Vec<SignalReading>,
}

/// One instant query for several signals: each is named by the index of its service and of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalRequest {
    /// What it asks: service, signal, expression.
    pub asks: Vec<(usize, usize, String)>,
}

impl SignalRequest {
    /// The PromQL: every signal tagged, joined by a balanced tree of `or`.
    pub fn query(&self) -> String {
        let tagged: Vec<String> = self.asks.iter().map(|(s, g, expr)| tagged(expr, &format!("{s}:{g}"))).collect();
        balanced(&tagged)
    }

    /// Two halves, for finding the one that a server refuses; `None` when it is for one only.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let (a, b) = self.asks.split_at_checked(self.asks.len() / 2).filter(|(a, _)| !a.is_empty())?;
        Some((Self { asks: a.to_vec() }, Self { asks: b.to_vec() }))
    }
}

/// Plans all signals of services.
pub fn requests(services: &[Arc<Service>]) -> Vec<SignalRequest> {
    let all: Vec<(usize, usize, String)> = services
        .iter()
        .enumerate()
        .flat_map(|(s, service)| service.signals.iter().enumerate().map(move |(g, one)| (s, g, one.query.clone())))
        .collect();
    all.chunks(TOGETHER).map(|asks| SignalRequest { asks: asks.to_vec() }).collect()
}

/// Tells answers apart. A rate or count of several series is their sum, anything else the worst of them.
pub fn join(
    services: &[Arc<Service>],
    now: Timestamp,
    answers: &[(SignalRequest, Result<Vec<Sample>, Fault>)],
) -> Vec<ServiceReading> {
    let mut values: HashMap<String, SignalValue> = HashMap::new();
    for (request, answer) in answers {
        match answer {
            Err(fault) => {
                for (s, g, _) in &request.asks {
                    values.insert(format!("{s}:{g}"), SignalValue::Failed(fault.clone()));
                }
            }
            Ok(samples) => {
                for (s, g, _) in &request.asks {
                    let tag = format!("{s}:{g}");
                    let numbers = samples.iter().filter(|x| x.labels.get(TAG) == tag).map(|x| x.value);
                    let kind = services.get(*s).and_then(|service| service.signals.get(*g));
                    let value =
                        kind.and_then(|kind| folded(kind, numbers)).map_or(SignalValue::NoData, SignalValue::Value);
                    values.insert(tag, value);
                }
            }
        }
    }
    let reading = |s: usize, service: &Arc<Service>| {
        let one = |(g, signal): (usize, &Signal)| SignalReading {
            kind: signal.kind,
            unit: signal.unit,
            limit: signal.limit,
            value: values.get(&format!("{s}:{g}")).cloned().unwrap_or(SignalValue::NoData),
        };
        let signals = service.signals.iter().enumerate().map(one).collect();
        ServiceReading { service: service.name.clone(), at: now, signals }
    };
    services.iter().enumerate().map(|(s, service)| reading(s, service)).collect()
}

fn folded(signal: &Signal, numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let adds = matches!(signal.unit, Unit::PerSecond | Unit::Count);
    // A quantile without traffic is NaN: that is no number.
    let finite = numbers.filter(|n| n.is_finite());
    finite.reduce(|a, b| if adds { a + b } else { a.max(b) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;
    use crate::domain::labels::Labels;

    fn service(name: &str, kinds: &[SignalKind]) -> Arc<Service> {
        let signal = |kind: &SignalKind| Signal {
            kind: *kind,
            query: format!("{name}_{}", kind.word()),
            unit: if *kind == SignalKind::Rate { Unit::PerSecond } else { Unit::Ratio },
            limit: Some(0.5),
        };
        Arc::new(Service {
            name: name.into(),
            description: String::new(),
            source: None,
            signals: kinds.iter().map(signal).collect(),
            declared: String::new(),
        })
    }

    fn sample(tag: &str, value: f64) -> Sample {
        Sample { labels: Labels::from([(TAG, tag)]), at: Timestamp::default(), value }
    }

    #[test]
    fn one_request_tells_all_apart() {
        let services = [
            service("api", &[SignalKind::Rate, SignalKind::Errors, SignalKind::Saturation]),
            service("db", &[SignalKind::Saturation]),
        ];
        let mut asked = requests(&services);
        assert_eq!(asked.len(), 1);
        let request = asked.remove(0);
        assert!(
            request.query().contains("label_replace(api_rate, \"midwatch\", \"0:0\", \"\", \"\")"),
            "{}",
            request.query()
        );
        let samples = vec![
            sample("0:0", 1.5),
            sample("0:0", 2.0),
            sample("0:1", f64::NAN),
            sample("0:2", 0.4),
            sample("0:2", 0.9),
        ];
        let read = join(&services, Timestamp::default(), &[(request.clone(), Ok(samples))]);
        let numbers: Vec<Option<f64>> = read.iter().flat_map(|r| r.signals.iter().map(|s| s.value.number())).collect();
        assert_eq!(numbers, [Some(3.5), None, Some(0.9), None]);
        assert_eq!(read[0].signals[2].over(), Some(true));
        let fault = Fault::new(FaultKind::Rejected, "prom", "parse error");
        let read = join(&services, Timestamp::default(), &[(request.clone(), Err(fault.clone()))]);
        assert_eq!(read[1].signals[0].value, SignalValue::Failed(fault));
        let (a, b) = request.halves().unwrap();
        assert_eq!((a.asks.len(), b.asks.len()), (2, 2));
        assert_eq!(SignalRequest { asks: vec![(0, 0, "x".into())] }.halves(), None);
    }

    #[test]
    fn many_signals_are_few_requests() {
        let all: Vec<_> = (0..60).map(|i| service(&format!("s{i}"), &[SignalKind::Rate, SignalKind::Errors])).collect();
        assert_eq!(requests(&all).len(), 3);
        assert_eq!(requests(&[]).len(), 0);
    }

    #[test]
    fn numbers_for_people() {
        for (value, unit, want) in [
            (412.0, Unit::PerSecond, "412/s"),
            (0.25, Unit::PerSecond, "0.250/s"),
            (48_123.0, Unit::PerSecond, "48.1k/s"),
            (0.003, Unit::Ratio, "0.3%"),
            (0.000_21, Unit::Ratio, "0.021%"),
            (0.0, Unit::Ratio, "0.0%"),
            (0.21, Unit::Seconds, "210ms"),
            (2.5, Unit::Seconds, "2.50s"),
            (3.2e9, Unit::Bytes, "3.2GB"),
            (17.0, Unit::Count, "17"),
            (83.0, Unit::Percent, "83.0%"),
        ] {
            assert_eq!(amount(value, unit), want);
        }
    }
}
