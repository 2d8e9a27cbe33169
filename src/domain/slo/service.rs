//! A service and the signals that say how it does: rate, errors, latency, saturation (the golden signals; the RED and USE
//! words are taken too). Read from the block `services` of our own format. Holds queries, never asks them.

use crate::domain::document::{Key, Level, Node, Reader, nearest};
use crate::domain::ids::SourceName;
use crate::domain::slo::promql::{self, Refusal};

/// What a signal tells of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalKind {
    /// How much is asked of it (traffic).
    Rate,
    /// How much of that fails.
    Errors,
    /// How long it takes (duration).
    Latency,
    /// How much of its resources is in use.
    Utilization,
    /// How much waits because they are full.
    Saturation,
}

impl SignalKind {
    /// All of them, in the order of a screen.
    pub const ALL: [Self; 5] = [Self::Rate, Self::Errors, Self::Latency, Self::Utilization, Self::Saturation];

    /// The word in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Utilization => "utilization",
            Self::Saturation => "saturation",
        }
    }

    /// Reads its word, or what the four golden signals, RED and USE call it.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "rate" | "traffic" => Some(Self::Rate),
            "errors" => Some(Self::Errors),
            "latency" | "duration" => Some(Self::Latency),
            "utilization" | "utilisation" => Some(Self::Utilization),
            "saturation" => Some(Self::Saturation),
            _ => None,
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Rate => Unit::PerSecond,
            Self::Latency => Unit::Seconds,
            Self::Errors | Self::Utilization | Self::Saturation => Unit::Ratio,
        }
    }
}

/// What a signal's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Events per second.
    PerSecond,
    /// A share, 0..1.
    Ratio,
    /// A share, 0..100.
    Percent,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

impl Unit {
    /// The words in files, with their meaning.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("per_second", Self::PerSecond),
        ("ratio", Self::Ratio),
        ("percent", Self::Percent),
        ("seconds", Self::Seconds),
        ("milliseconds", Self::Milliseconds),
        ("bytes", Self::Bytes),
        ("count", Self::Count),
    ];

    /// Its word in files and JSON.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, unit)| *unit == self).map_or("count", |(word, _)| word)
    }
}

/// One question about a service, answered with one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// What it tells.
    pub kind: SignalKind,
    /// PromQL with one value; several are added up for a rate, otherwise the highest counts.
    pub query: String,
    /// What the number counts.
    pub unit: Unit,
    /// A value over this is too much.
    pub limit: Option<f64>,
}

/// A service with its signals, in the order of [`SignalKind`].
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name: that of `Objective::service`.
    pub name: String,
    /// What it is, raw; may be empty.
    pub description: String,
    /// The source that is asked; `None` means the first one configured.
    pub source: Option<SourceName>,
    /// What is asked.
    pub signals: Vec<Signal>,
    /// `file:line` where it stands.
    pub declared: String,
}

/// The keys of one service.
pub const KEYS: [&str; 10] = [
    "description",
    "source",
    "rate",
    "traffic",
    "errors",
    "latency",
    "duration",
    "utilization",
    "utilisation",
    "saturation",
];
/// The keys of one signal that is more than a query.
pub const SIGNAL_KEYS: [&str; 3] = ["query", "unit", "limit"];

/// Reads the block `services`: a map of names. A service or signal with an error is left out.
pub fn read(reader: &mut Reader<'_>, path: &str, node: &Node) -> Vec<Service> {
    let Some(entries) = reader.entries(node, "services") else { return Vec::new() };
    entries.iter().filter_map(|(key, node)| service(reader, path, key, node)).collect()
}

fn service(reader: &mut Reader<'_>, path: &str, key: &Key, node: &Node) -> Option<Service> {
    let fields = reader.map(node, &format!("service `{}`", key.text), &KEYS)?;
    let description = fields.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default();
    let source = fields.get("source").and_then(|n| reader.string(n, "source")).map(SourceName);
    let mut signals: Vec<Signal> = Vec::new();
    for (word, node) in reader.entries(node, "a service")? {
        let Some(kind) = SignalKind::parse(&word.text) else { continue };
        if signals.iter().any(|s| s.kind == kind) {
            let message = format!("service `{}` has two signals `{}`; the first one counts", key.text, kind.word());
            reader.error(word.mark, "duplicate-key", message);
            continue;
        }
        signals.extend(signal(reader, kind, node));
    }
    signals.sort_by_key(|s| s.kind);
    if signals.is_empty() {
        let message = format!("service `{}` has no signal (expected rate, errors, latency or saturation)", key.text);
        reader.report(key.mark, Level::Warning, "no-signal", message);
    }
    Some(Service {
        name: key.text.clone(),
        description,
        source,
        signals,
        declared: format!("{path}:{}", key.mark.line),
    })
}

fn signal(reader: &mut Reader<'_>, kind: SignalKind, node: &Node) -> Option<Signal> {
    let (query, unit, limit) = if node.text().is_some() {
        (node, None, None)
    } else {
        let fields = reader.map(node, &format!("signal `{}`", kind.word()), &SIGNAL_KEYS)?;
        let unit = match fields.get("unit") {
            Some(n) => Some(unit(reader, n)?),
            None => None,
        };
        let limit = match fields.get("limit") {
            Some(n) => Some(reader.number(n, "limit")?),
            None => None,
        };
        (fields.need(reader, "query")?, unit, limit)
    };
    let text = reader.string(query, kind.word())?;
    match promql::parse(&text) {
        Ok(_) => {}
        Err(Refusal::Unknown(why)) if !text.trim().is_empty() => {
            let message = format!("the query of `{}` is not understood ({why}); it is sent as it is", kind.word());
            reader.report(query.mark, Level::Warning, "promql", message);
        }
        Err(Refusal::Unknown(why) | Refusal::TooMuch(why)) => {
            reader.error(query.mark, "promql", format!("the query of `{}` is not read: {why}", kind.word()));
            return None;
        }
    }
    Some(Signal { kind, query: text, unit: unit.unwrap_or(kind.unit()), limit })
}

fn unit(reader: &mut Reader<'_>, node: &Node) -> Option<Unit> {
    let text = reader.string(node, "unit")?;
    let found = Unit::WORDS.iter().find(|(word, _)| *word == text).map(|(_, unit)| *unit);
    if found.is_none() {
        let words = Unit::WORDS.map(|(word, _)| word);
        let near = nearest(&text, words).map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        reader.wrong(node, "unit", &format!("{}{near}", words.join(", ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::parse;

    fn read_text(text: &str) -> (Vec<Service>, Vec<String>) {
        let (node, mut findings) = parse("s.yaml", text);
        let mut reader = Reader::new("s.yaml");
        let services = read(&mut reader, "s.yaml", node.unwrap().get("services").unwrap());
        findings.extend(reader.findings);
        (services, findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_words_of_three_schools() {
        let text = "services:\n  api:\n    description: the front door\n    source: main\n    saturation: max(queue_fill)\n\
            \x20   traffic: sum(rate(http_requests_total[5m]))\n    duration: {query: 'p99_ms', unit: milliseconds, limit: 500}\n    errors: error_ratio\n  db:\n    utilisation: {query: disk, unit: percent}\n";
        let (services, findings) = read_text(text);
        assert_eq!(findings, Vec::<String>::new());
        let told: Vec<String> = services
            .iter()
            .flat_map(|s| {
                s.signals.iter().map(|g| format!("{} {} {} {:?}", s.name, g.kind.word(), g.unit.word(), g.limit))
            })
            .collect();
        assert_eq!(
            told,
            [
                "api rate per_second None",
                "api errors ratio None",
                "api latency milliseconds Some(500.0)",
                "api saturation ratio None",
                "db utilization percent None",
            ]
        );
        assert_eq!((services[0].source.clone(), services[1].declared.as_str()), (Some("main".into()), "s.yaml:9"));
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let text = "services:\n  api: {rate: x, traffic: y, latncy: z, latency: {query: q, unit: sconds}, errors: ''}\n  db: {}\n  web: 3\n";
        let (services, findings) = read_text(text);
        assert_eq!(services.len(), 2);
        let want = [
            "s.yaml:2:30: error: unknown key `latncy` in service `api` (nearest: `latency`) [unknown-key]",
            "s.yaml:2:18: error: service `api` has two signals `rate`; the first one counts [duplicate-key]",
            "s.yaml:2:67: error: unit is `sconds` (expected per_second, ratio, percent, seconds, milliseconds, bytes, count; nearest: `seconds`) [wrong-type]",
        ];
        assert_eq!(findings.iter().take(3).collect::<Vec<_>>(), want.iter().collect::<Vec<_>>());
        assert!(findings[3].starts_with("s.yaml:2:84: error: the query of `errors` is not read"), "{}", findings[3]);
        assert_eq!(
            findings[4],
            "s.yaml:3:3: warning: service `db` has no signal (expected rate, errors, latency or saturation) [no-signal]"
        );
        assert_eq!(findings[5], "s.yaml:4:8: error: service `web` is `3` (expected a map) [wrong-type]");
    }
}
