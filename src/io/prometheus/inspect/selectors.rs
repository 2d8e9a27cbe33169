//! What a server has of selectors: series now, at the beginning of a window and within it, and how often they are scraped.

use crate::domain::fault::Fault;
use crate::domain::slo::lint::facts::Matched;
use crate::domain::slo::plan::pace::usual;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::time::{Span, Timestamp, prometheus};
use crate::io::prometheus::inspect::{Asked, Inspector};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far back the spacing of samples is looked at.
const SPACING: Span = Span::minutes(20);

/// What is known of a selector, and what hindered knowing more.
#[derive(Debug, Default)]
pub(super) struct MatchedSo {
    pub(super) matched: Matched,
    pub(super) fault: Option<Fault>,
}

impl MatchedSo {
    fn take<T>(&mut self, answer: Result<T, Fault>) -> Option<T> {
        answer.map_err(|fault| self.fault = Some(fault)).ok()
    }
}

impl Inspector {
    /// What there is of each selector over its window.
    pub(super) async fn matched(
        &self,
        selectors: &BTreeMap<String, Span>,
        jobs: &BTreeMap<String, Span>,
        now: Timestamp,
    ) -> BTreeMap<String, MatchedSo> {
        let all: Vec<(&String, Span)> = selectors.iter().map(|(selector, window)| (selector, *window)).collect();
        let texts: Vec<String> = all.iter().map(|(s, _)| format!("count by (job) ({s})")).collect();
        let mut told: BTreeMap<String, MatchedSo> = BTreeMap::new();
        let (mut there, mut empty, mut unpaced) = (Vec::new(), Vec::new(), Vec::new());
        for ((selector, window), found) in all.into_iter().zip(self.together(&texts, now).await) {
            let so = told.entry(selector.clone()).or_default();
            let Some(found) = so.take(found) else {
                self.done(1);
                continue;
            };
            so.matched.now = Some(series(&found));
            if found.is_empty() {
                empty.push((selector.clone(), window));
                continue;
            }
            there.push((selector.clone(), window));
            so.matched.interval = told_by_jobs(&found, jobs);
            if so.matched.interval.is_none() {
                unpaced.push(selector.clone());
            }
        }
        self.began(&there, now, &mut told).await;
        let ever = self.each(empty, |asked, (selector, window)| async move {
            let start = now.checked_sub_signed(window).unwrap_or(now);
            asked.heard(asked.client.any_series(&selector, start, now).await)
        });
        for ((selector, _), answer) in ever.await {
            let so = told.entry(selector).or_default();
            so.matched.in_window = so.take(answer);
        }
        self.paced(unpaced, now, &mut told).await;
        told
    }

    /// Whether they were there when their windows began.
    async fn began(&self, there: &[(String, Span)], now: Timestamp, told: &mut BTreeMap<String, MatchedSo>) {
        let text = |(s, window): &(String, Span)| format!("count({s} offset {})", prometheus(*window));
        let texts: Vec<String> = there.iter().map(text).collect();
        for ((selector, _), answer) in there.iter().zip(self.together(&texts, now).await) {
            let so = told.entry(selector.clone()).or_default();
            so.matched.at_start = so.take(answer).map(|found| !found.is_empty());
        }
    }

    /// How often they are scraped, where no target says so: by how many samples the fullest series has, else by the distance
    /// of the samples of one series.
    async fn paced(&self, selectors: Vec<String>, now: Timestamp, told: &mut BTreeMap<String, MatchedSo>) {
        self.add(selectors.len());
        let text = |s: &String| format!("max(count_over_time({s}[{}]))", prometheus(SPACING));
        let texts: Vec<String> = selectors.iter().map(text).collect();
        let mut unusual = Vec::new();
        for (selector, answer) in selectors.into_iter().zip(self.together(&texts, now).await) {
            let so = told.entry(selector.clone()).or_default();
            let Some(found) = so.take(answer) else { continue };
            let Some(samples) = found.first().map(|s| s.value) else { continue };
            so.matched.interval = usual(samples, SPACING).map(|seconds| Span::seconds(i64::from(seconds)));
            if so.matched.interval.is_none() {
                unusual.push(selector);
            }
        }
        self.add(unusual.len());
        let spaced = self.each(unusual, |asked, selector| async move { asked.spacing(&selector, now).await });
        for (selector, answer) in spaced.await {
            let so = told.entry(selector).or_default();
            so.matched.interval = so.take(answer).flatten();
        }
    }
}

impl Asked {
    /// The usual distance between two samples of one of the series.
    async fn spacing(self: Arc<Self>, selector: &str, now: Timestamp) -> Result<Option<Span>, Fault> {
        // One series is enough, and its labels are what `topk` leaves as they were.
        let one = self.instant(&format!("topk(1, timestamp({selector}))"), now).await?;
        let Some(one) = one.first() else { return Ok(None) };
        let name = metric_of(selector);
        let labels: Vec<String> =
            one.labels.0.iter().filter(|(k, _)| *k != "__name__").map(|(k, v)| format!("{k}={v:?}")).collect();
        let query = format!("{name}{{{}}}[{}]", labels.join(","), prometheus(SPACING));
        let answer = self.heard(self.client.samples(&query, now).await)?;
        Ok(answer.data.first().and_then(usual_distance))
    }
}

/// How many series these counts are of.
fn series(found: &[Sample]) -> u64 {
    found.iter().map(|s| s.value).filter(|v| v.is_finite()).sum::<f64>().max(0.0) as u64
}

/// The longest interval among the jobs of these counts, where the targets of all of them say theirs.
fn told_by_jobs(found: &[Sample], jobs: &BTreeMap<String, Span>) -> Option<Span> {
    let told = found.iter().map(|s| jobs.get(s.labels.get("job")).copied()).collect::<Option<Vec<Span>>>()?;
    told.into_iter().max()
}

/// The name a selector begins with; nothing for `{…}`.
fn metric_of(selector: &str) -> &str {
    selector.split('{').next().unwrap_or_default()
}

/// The median distance, in whole seconds. `None` under four samples.
fn usual_distance(series: &RangeSeries) -> Option<Span> {
    let mut gaps: Vec<Span> =
        series.points.windows(2).filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0)).collect();
    gaps.sort_unstable();
    let middle = gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= 3)?;
    let seconds = (middle.num_milliseconds() as f64 / 1_000.0).round().max(1.0);
    Some(Span::seconds(seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::time::secs;

    #[test]
    fn the_usual_distance_forgives_a_gap() {
        let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        let of = |at: &[i64]| {
            let points = at.iter().map(|ms| (start + Span::milliseconds(*ms), 0.0)).collect();
            usual_distance(&RangeSeries { labels: Labels::default(), points })
        };
        assert_eq!(of(&[0, 15_004, 29_998, 75_000, 90_001]), Some(secs(15)));
        assert_eq!(of(&[0, 60_000, 120_000]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(metric_of("x{a=\"{\"}"), "x");
        assert_eq!(metric_of("{a=\"b\"}"), "");
    }

    #[test]
    fn intervals_of_jobs_count_only_together() {
        let at = Timestamp::UNIX_EPOCH;
        let of = |job: &str| Sample { labels: Labels::from([("job", job)]), at, value: 3.0 };
        let jobs = BTreeMap::from([("a".to_owned(), secs(15)), ("b".to_owned(), secs(60))]);
        assert_eq!(told_by_jobs(&[of("a"), of("b")], &jobs), Some(secs(60)));
        assert_eq!(told_by_jobs(&[of("a"), of("c")], &jobs), None);
        assert_eq!(series(&[of("a"), of("b"), Sample { value: f64::NAN, ..of("a") }]), 6);
    }
}
