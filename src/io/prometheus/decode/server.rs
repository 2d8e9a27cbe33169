//! Reads what a Prometheus says about itself: targets, rules, metadata, retention. Fields that a relative leaves out are
//! not known; an element of another form is left out, for these answers advise and decide nothing.

use crate::domain::labels::Labels;
use crate::domain::slo::lint::facts::FailingRecord;
use crate::domain::time::{Span, parse_span};
use crate::io::prometheus::decode::{Refusal, open};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads `/api/v1/targets`: the longest scrape interval of each job.
pub fn intervals(body: &[u8]) -> Result<BTreeMap<String, Span>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(rename = "activeTargets")]
        active: Option<Vec<Target>>,
    }
    #[derive(Deserialize)]
    struct Target {
        #[serde(default)]
        labels: Labels,
        #[serde(default, rename = "scrapeInterval")]
        interval: Option<String>,
    }
    let mut jobs: BTreeMap<String, Span> = BTreeMap::new();
    for target in open::<Data>(body)?.data.active.unwrap_or_default() {
        let Some(interval) = target.interval.as_deref().and_then(|text| parse_span(text).ok()) else { continue };
        let job = jobs.entry(target.labels.get("job").to_owned()).or_insert(interval);
        *job = interval.max(*job);
    }
    Ok(jobs)
}

/// Reads `/api/v1/status/runtimeinfo`: how long samples are kept. `None` where only their size is limited.
pub fn retention(body: &[u8]) -> Result<Option<Span>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(default, rename = "storageRetention")]
        retention: Option<String>,
    }
    let text = open::<Data>(body)?.data.retention.unwrap_or_default();
    Ok(text.split(" or ").find_map(|part| parse_span(part.trim()).ok()).filter(|kept| *kept > Span::zero()))
}

/// Reads `/api/v1/rules`: recording rules whose last evaluation failed.
pub fn failing_records(body: &[u8]) -> Result<Vec<FailingRecord>, Refusal> {
    #[derive(Deserialize)]
    struct Data {
        groups: Option<Vec<Group>>,
    }
    #[derive(Deserialize)]
    struct Group {
        #[serde(default)]
        name: String,
        #[serde(default)]
        rules: Vec<Value>,
    }
    let text = |rule: &Value, key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut failing = Vec::new();
    for group in open::<Data>(body)?.data.groups.unwrap_or_default() {
        let broken = group.rules.iter().filter(|r| text(r, "type") == "recording" && text(r, "health") == "err");
        failing.extend(broken.map(|rule| FailingRecord {
            record: text(rule, "name"),
            group: group.name.clone(),
            error: text(rule, "lastError"),
        }));
    }
    Ok(failing)
}

/// Reads `/api/v1/metadata`: the type of each metric, where all targets agree.
pub fn types(body: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let data = open::<BTreeMap<String, Value>>(body)?.data;
    let types = data.into_iter().filter_map(|(name, entries)| {
        let kinds: Vec<&str> = entries.as_array()?.iter().filter_map(|e| e.get("type")?.as_str()).collect();
        let (first, rest) = kinds.split_first()?;
        rest.iter().all(|kind| kind == first).then(|| (name, (*first).to_owned()))
    });
    Ok(types.collect())
}

/// Reads `/api/v1/series`: how many there are.
pub fn series(body: &[u8]) -> Result<usize, Refusal> {
    Ok(open::<Option<Vec<IgnoredAny>>>(body)?.data.map_or(0, |list| list.len()))
}

/// Reads the answer of `/api/v1/format_query`; the text itself is of no use here.
pub fn formatted(body: &[u8]) -> Result<(), Refusal> {
    open::<String>(body).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::secs;
    use proptest::prelude::*;

    fn body(data: &str) -> Vec<u8> {
        format!(r#"{{"status":"success","data":{data}}}"#).into_bytes()
    }

    #[test]
    fn answers_of_real_servers() {
        let targets = r#"{"activeTargets":[
            {"discoveredLabels":{},"labels":{"instance":"a","job":"api"},"scrapePool":"api","scrapeUrl":"http://a","health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"},
            {"labels":{"job":"api"},"scrapeInterval":"1m0s"},{"labels":{"job":"old"}},{"labels":{"job":"odd"},"scrapeInterval":"soon"}],"droppedTargets":[]}"#;
        assert_eq!(intervals(&body(targets)).unwrap(), [("api".to_owned(), secs(60))].into());
        assert_eq!(intervals(&body(r#"{"activeTargets":null}"#)).unwrap(), BTreeMap::new());
        for (text, want) in [
            ("15d", Some(Span::days(15))),
            ("15d or 10GiB", Some(Span::days(15))),
            ("10GiB", None),
            ("0s", None),
            ("", None),
        ] {
            let got = retention(&body(&format!(r#"{{"startTime":"x","storageRetention":"{text}"}}"#)));
            assert_eq!(got.unwrap(), want, "{text}");
        }
        let rules = r#"{"groups":[{"name":"g","file":"f","interval":15,"rules":[
            {"name":"a:b","query":"x","health":"err","lastError":"many-to-many","type":"recording"},
            {"name":"c:d","health":"ok","type":"recording"},{"name":"Alert","health":"err","type":"alerting"},7]}]}"#;
        let failing = failing_records(&body(rules)).unwrap();
        assert_eq!(failing, [FailingRecord { record: "a:b".into(), group: "g".into(), error: "many-to-many".into() }]);
        let metadata =
            r#"{"a":[{"type":"counter","help":"h","unit":""}],"b":[{"type":"gauge"},{"type":"counter"}],"c":[],"d":3}"#;
        assert_eq!(types(&body(metadata)).unwrap(), [("a".to_owned(), "counter".to_owned())].into());
        assert_eq!(series(&body(r#"[{"__name__":"x"},{"__name__":"x","a":"b"}]"#)).unwrap(), 2);
        assert_eq!(formatted(&body("\"x\"")), Ok(()));
        let refused = br#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#;
        assert_eq!(formatted(refused), Err(Refusal::Server("bad_data: 1:5: parse error".into())));
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), data in "[\\[\\]{}\":,a-z0-9]{0,60}") {
            for body in [bytes, body(&data)] {
                let _ = (intervals(&body), retention(&body), failing_records(&body), types(&body), series(&body), formatted(&body));
            }
        }
    }
}
