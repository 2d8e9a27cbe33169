//! Reads the answers of the Prometheus HTTP API as its relatives really write them: numbers as strings or numbers, unknown
//! fields ignored, NaN and infinities kept. What has the wrong type is an error that says what was found where; nothing is
//! guessed, and nothing is dropped without a warning.

mod points;
pub mod server;

use crate::domain::alert::rule::AlertRule;
use crate::domain::alert::{Alert, AlertState, fingerprint};
use crate::domain::fault::FaultKind;
use crate::domain::ids::SourceName;
use crate::domain::labels::Labels;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::time::Timestamp;
use crate::io::http::Explained;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// The most alerting rules of one server.
pub const RULE_LIMIT: usize = 20_000;

/// Why a body could not be used.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Not the format: what was found where.
    Malformed(String),
    /// The server's own error, with its `errorType`.
    Server(String),
}

/// Data with the server's side notes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The data.
    pub data: T,
    /// Warnings, infos, and ours.
    pub warnings: Vec<String>,
    /// Warnings of the server, or `isPartial`.
    pub partial: bool,
    /// Samples that the server read, where it says so.
    pub samples: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    #[serde(default = "Option::default")]
    data: Option<T>,
    #[serde(default, rename = "errorType")]
    error_type: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    infos: Option<Vec<String>>,
    #[serde(default, rename = "isPartial")]
    is_partial: Option<bool>,
}

fn open<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<Decoded<T>, Refusal> {
    // A body may be an error without the data that T wants, so that a failing T is looked at once more.
    let envelope: Envelope<T> = serde_json::from_slice(body).map_err(|error| match server_error(body) {
        Some(said) => Refusal::Server(said),
        None => malformed(&error),
    })?;
    if envelope.status != "success" {
        let (kind, text) = (envelope.error_type.unwrap_or_default(), envelope.error.unwrap_or_default());
        return Err(Refusal::Server(said(&kind, &text, &envelope.status)));
    }
    let data = envelope.data.ok_or_else(|| Refusal::Malformed("`data` is missing".into()))?;
    let mut warnings = envelope.warnings.unwrap_or_default();
    let partial = envelope.is_partial.unwrap_or(false) || !warnings.is_empty();
    warnings.extend(envelope.infos.unwrap_or_default());
    Ok(Decoded { data, warnings, partial, samples: None })
}

fn malformed(error: &serde_json::Error) -> Refusal {
    match error.is_eof() {
        true => Refusal::Malformed(format!("the JSON breaks off at line {} column {}", error.line(), error.column())),
        false => Refusal::Malformed(error.to_string()),
    }
}

fn said(kind: &str, text: &str, status: &str) -> String {
    match (kind, text) {
        ("", "") => format!("status {status:?} without an error text"),
        ("", text) => text.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, text) => format!("{kind}: {text}"),
    }
}

fn server_error(body: &[u8]) -> Option<String> {
    let envelope: Envelope<IgnoredAny> = serde_json::from_slice(body).ok()?;
    let failed = envelope.status != "success";
    failed
        .then(|| said(&envelope.error_type.unwrap_or_default(), &envelope.error.unwrap_or_default(), &envelope.status))
}

/// Reads the error body of a 4xx or 5xx: `errorType` and `error`, or plain text.
pub fn explain(body: &[u8]) -> Explained {
    #[derive(Deserialize)]
    struct Wrong {
        #[serde(default, rename = "errorType")]
        kind: Option<String>,
        #[serde(default)]
        error: Option<String>,
    }
    match serde_json::from_slice::<Wrong>(body) {
        Ok(Wrong { kind, error }) => {
            let kind = kind.unwrap_or_default();
            let better = match kind.as_str() {
                "timeout" => Some(FaultKind::Timeout),
                "bad_data" | "execution" => Some(FaultKind::Rejected),
                _ => None,
            };
            Explained { kind: better, text: said(&kind, &error.unwrap_or_default(), "error"), ..Explained::default() }
        }
        Err(_) => Explained { text: String::from_utf8_lossy(body).into_owned(), ..Explained::default() },
    }
}

/// Seconds since 1970 as an instant, to the millisecond.
fn instant(seconds: f64) -> Option<Timestamp> {
    let ms = (seconds * 1_000.0).round();
    let fits = ms.is_finite() && ms.abs() < 9.0e15;
    fits.then(|| Timestamp::from_timestamp_millis(ms as i64)).flatten()
}

/// A number written as one, or as a string.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a number in a string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format_args!("{text:?} is not a number")))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Number, E> {
                Ok(Number(n))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Number, E> {
                Ok(Number(n as f64))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Number, E> {
                Ok(Number(n as f64))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// `[unix time, "value"]`, parsed on the way so that no string is kept.
struct Point(Timestamp, f64);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Point;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a point [unix time, \"value\"]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Point, A::Error> {
                let Number(at) = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let Number(value) = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    return Err(A::Error::invalid_length(3, &self));
                }
                let at = instant(at).ok_or_else(|| A::Error::custom(format_args!("{at} is not an instant")))?;
                Ok(Point(at, value))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

/// A series, with points of the shape in which they are wanted.
#[derive(Deserialize)]
struct Series<P> {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    value: Option<Point>,
    #[serde(default = "Option::default")]
    values: Option<P>,
    #[serde(default)]
    histogram: Option<IgnoredAny>,
    #[serde(default)]
    histograms: Option<IgnoredAny>,
}

/// One element of `result`: a series, or a half of a scalar's or string's pair.
enum Item<P> {
    Series(Series<P>),
    Number(f64),
    Text(String),
}

impl<'de, P: Deserialize<'de>> Deserialize<'de> for Item<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<P>(PhantomData<P>);
        impl<'de, P: Deserialize<'de>> Visitor<'de> for Read<P> {
            type Value = Item<P>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series in `data.result`")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<P>, A::Error> {
                Series::deserialize(MapAccessDeserializer::new(map)).map(Item::Series)
            }
            fn visit_str<E>(self, text: &str) -> Result<Item<P>, E> {
                Ok(Item::Text(text.to_owned()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Item<P>, E> {
                Ok(Item::Number(n))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Item<P>, E> {
                Ok(Item::Number(n as f64))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Item<P>, E> {
                Ok(Item::Number(n as f64))
            }
        }
        deserializer.deserialize_any(Read(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(bound = "P: Deserialize<'de>")]
struct QueryData<P> {
    #[serde(rename = "resultType")]
    kind: String,
    /// `null` is how some servers write an empty list.
    result: Option<Vec<Item<P>>>,
    /// Of any shape: what it holds is worth showing, and never worth failing for.
    #[serde(default)]
    stats: Option<serde_json::Value>,
}

impl<P> QueryData<P> {
    /// `stats.samples.totalQueryableSamples`, a number or a number in a string.
    fn samples(&self) -> Option<u64> {
        let value = self.stats.as_ref()?.get("samples")?.get("totalQueryableSamples")?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }
}

fn skipped(count: usize) -> Option<String> {
    (count > 0)
        .then(|| format!("{count} series hold native histograms, which are not read here; use histogram_count()"))
}

fn mixed(kind: &str) -> Refusal {
    Refusal::Malformed(format!("`data.result` does not hold what `data.resultType` {kind:?} says"))
}

/// Reads an instant answer: a vector, or a scalar as one sample without labels. Samples that are native histograms are left
/// out with a warning.
pub fn vector(body: &[u8]) -> Result<Decoded<Vec<Sample>>, Refusal> {
    let Decoded { data, mut warnings, partial, .. } = open::<QueryData<IgnoredAny>>(body)?;
    let read = data.samples();
    let items = data.result.unwrap_or_default();
    let mut samples = Vec::with_capacity(items.len());
    match data.kind.as_str() {
        "vector" => {
            let mut histograms = 0;
            for item in items {
                match item {
                    Item::Series(Series { metric, value: Some(Point(at, value)), .. }) => {
                        samples.push(Sample { labels: metric, at, value });
                    }
                    Item::Series(Series { histogram: Some(_), .. }) => histograms += 1,
                    Item::Series(_) => return Err(Refusal::Malformed("a sample without `value`".into())),
                    _ => return Err(mixed("vector")),
                }
            }
            warnings.extend(skipped(histograms));
        }
        "scalar" => samples.push(scalar(&items).ok_or_else(|| mixed("scalar"))?),
        other => return Err(Refusal::Malformed(format!("resultType {other:?} (expected vector or scalar)"))),
    }
    Ok(Decoded { data: samples, warnings, partial, samples: read })
}

fn scalar(items: &[Item<IgnoredAny>]) -> Option<Sample> {
    let [Item::Number(at), value] = items else { return None };
    let value = match value {
        Item::Text(text) => text.parse().ok()?,
        Item::Number(n) => *n,
        Item::Series(_) => return None,
    };
    Some(Sample { labels: Labels::default(), at: instant(*at)?, value })
}

/// Reads a range answer. A series of native histograms alone is left out with a warning.
pub fn matrix(body: &[u8]) -> Result<Decoded<Vec<RangeSeries>>, Refusal> {
    // As servers write it; whatever is written in another way, or is wrong, is read by the book.
    if let Some(read) = as_written(body) {
        return Ok(read);
    }
    let by_the_book = |points: Vec<Point>| Some(points.into_iter().map(|Point(at, value)| (at, value)).collect());
    lines(open::<QueryData<Vec<Point>>>(body)?, by_the_book)
}

/// A range answer whose points are all written as servers do, in series that have them each once and in order.
fn as_written(body: &[u8]) -> Option<Decoded<Vec<RangeSeries>>> {
    let (left, all) = points::taken_out(std::str::from_utf8(body).ok()?)?;
    let mut all = all.into_iter().enumerate();
    let read = |number: usize| all.next().filter(|(expected, _)| *expected == number).map(|(_, points)| points);
    let read = lines(open::<QueryData<usize>>(left.as_bytes()).ok()?, read).ok()?;
    all.next().is_none().then_some(read)
}

fn lines<P>(
    opened: Decoded<QueryData<P>>,
    mut read: impl FnMut(P) -> Option<Vec<(Timestamp, f64)>>,
) -> Result<Decoded<Vec<RangeSeries>>, Refusal> {
    let Decoded { data, mut warnings, partial, .. } = opened;
    let samples = data.samples();
    if data.kind != "matrix" {
        return Err(Refusal::Malformed(format!("resultType {:?} (expected matrix)", data.kind)));
    }
    let items = data.result.unwrap_or_default();
    let mut all = Vec::with_capacity(items.len());
    let mut histograms = 0;
    for item in items {
        let Item::Series(series) = item else { return Err(mixed("matrix")) };
        histograms += usize::from(series.histograms.is_some());
        match series.values {
            Some(values) => {
                let points = read(values).ok_or_else(|| Refusal::Malformed("points of another shape".into()))?;
                all.push(RangeSeries { labels: series.metric, points });
            }
            None if series.histograms.is_some() => {}
            None => return Err(Refusal::Malformed("a series without `values`".into())),
        }
    }
    warnings.extend(skipped(histograms));
    Ok(Decoded { data: all, warnings, partial, samples })
}

/// Reads `/api/v1/alerts`. An alert with a state of another name, or without a start, fails the whole answer: leaving it out
/// would look like health.
pub fn alerts(body: &[u8], source: &SourceName) -> Result<Vec<Alert>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        alerts: Vec<Wire>,
    }
    #[derive(Deserialize)]
    struct Wire {
        labels: Labels,
        #[serde(default)]
        annotations: Option<Labels>,
        state: String,
        #[serde(rename = "activeAt")]
        active_at: Timestamp,
    }
    let read = |wire: Wire| {
        let state = match wire.state.as_str() {
            "firing" => AlertState::Firing,
            "pending" => AlertState::Pending,
            other => return Err(Refusal::Malformed(format!("alert state {other:?} (expected firing or pending)"))),
        };
        Ok(Alert {
            fingerprint: fingerprint(&wire.labels),
            name: wire.labels.get("alertname").to_owned(),
            labels: wire.labels,
            annotations: wire.annotations.unwrap_or_default(),
            state,
            started_at: wire.active_at,
            source: source.clone(),
            held_by: Vec::new(),
            generator_url: None,
        })
    };
    open::<Data>(body)?.data.alerts.into_iter().map(read).collect()
}

/// Reads `/api/v1/series`: label sets.
pub fn series(body: &[u8]) -> Result<Decoded<Vec<Labels>>, Refusal> {
    let Decoded { data, warnings, partial, samples } = open::<Option<Vec<Labels>>>(body)?;
    Ok(Decoded { data: data.unwrap_or_default(), warnings, partial, samples })
}

/// Reads `/api/v1/rules`: the alerting rules, recording rules left out. A rule without a name fails the whole answer, and
/// so do more than [`RULE_LIMIT`]: a list that is silently shorter would count as covered what it leaves out.
pub fn rules(body: &[u8]) -> Result<Vec<AlertRule>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        /// `null` is how some servers write an empty list.
        groups: Option<Vec<Group>>,
    }
    #[derive(Deserialize)]
    struct Group {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        rules: Option<Vec<Wire>>,
    }
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default, rename = "type")]
        kind: Option<String>,
        name: String,
        #[serde(default)]
        labels: Option<Labels>,
        #[serde(default)]
        annotations: Option<Labels>,
    }
    let mut all = Vec::new();
    for group in open::<Data>(body)?.data.groups.unwrap_or_default() {
        let name = group.name.unwrap_or_default();
        for rule in group.rules.unwrap_or_default() {
            if rule.kind.as_deref().is_some_and(|kind| kind != "alerting") {
                continue;
            }
            if all.len() >= RULE_LIMIT {
                return Err(Refusal::Malformed(format!("more than {RULE_LIMIT} alerting rules")));
            }
            all.push(AlertRule {
                name: rule.name,
                labels: rule.labels.unwrap_or_default(),
                annotations: rule.annotations.unwrap_or_default(),
                group: name.clone(),
            });
        }
    }
    Ok(all)
}

/// Reads `/api/v1/status/buildinfo`: the version.
pub fn version(body: &[u8]) -> Result<Option<String>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        version: Option<String>,
    }
    Ok(open::<Data>(body)?.data.version.filter(|v| !v.is_empty()))
}

#[cfg(test)]
mod tests;
