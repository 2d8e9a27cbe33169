//! What else happened, on the time axis of a chart: deploys and other changes, as a source tells of them. Says when a series
//! tells of a change, and for whom. Whoever else has marks (annotations of a dashboard) makes the same [`Mark`]s of them.
//! Never asks.

use crate::domain::labels::Labels;
use crate::domain::slo::promql::WINDOW;
use crate::domain::slo::sample::RangeSeries;
use crate::domain::text::clean;
use crate::domain::time::{Span, Timestamp, prometheus};
use std::collections::BTreeMap;

/// The most markers of one source: each is one query.
pub const MARKERS: usize = 8;
/// The most marks of one marker; older ones are left out, and that is said.
const MOST: usize = 50;
/// Points of a query over the range of a chart.
const POINTS: i64 = 360;
/// The shortest stretch that one point looks back over: several scrapes of anybody.
const LEAST: Span = Span::minutes(5);
/// The longest text of a mark, in characters.
const TEXT: usize = 80;

/// Whose charts show the marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Those of all objectives of the source.
    #[default]
    Everyone,
    /// Those of these services.
    Services(Vec<String>),
    /// Those of the service that this label names.
    Label(String),
}

/// A query that tells of changes: where a series of its answer rises from nothing or from zero, something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What kind of change it tells of: `deploy`.
    pub name: String,
    /// PromQL; `$window` is the stretch that one point looks back over.
    pub query: String,
    /// What a mark says; `{{label}}` is the value of a label. The name alone where it is empty.
    pub text: String,
    /// Whose charts show it.
    pub whose: Whose,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When, as exactly as the points of the answer stand apart.
    pub at: Timestamp,
    /// What kind of change.
    pub name: String,
    /// What it says.
    pub text: String,
    /// The services whose charts show it; empty for all of the source.
    pub services: Vec<String>,
}

impl Mark {
    /// Whether the charts of a service show it.
    pub fn is_for(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|s| s == service)
    }
}

/// The marks of a source over a range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// Oldest first.
    pub marks: Vec<Mark>,
    /// Markers that could not be read, or whose older marks were left out: what is said of it.
    pub remarks: Vec<String>,
}

impl Marks {
    /// Adds those of one more marker.
    pub fn add(&mut self, marker: &Marker, (marks, left_out): (Vec<Mark>, usize)) {
        self.marks.extend(marks);
        self.marks.sort();
        if left_out > 0 {
            self.remarks.push(format!("{}: {left_out} older marks are not shown", marker.name));
        }
    }
}

/// The distance of two points of a query over a range, and the stretch that each looks back over.
pub fn grid(range: Span) -> (Span, Span) {
    let minutes = (range.num_seconds() / POINTS / 60).max(1);
    let step = Span::minutes(minutes);
    (step, step.max(LEAST))
}

impl Marker {
    /// The query with the stretch that one point looks back over.
    pub fn promql(&self, window: Span) -> String {
        self.query.replace(WINDOW, &prometheus(window))
    }

    /// The newest marks that an answer tells of, and how many older ones are left out. What is there at the first instant
    /// of the range began before it. Several series that say the same at once are one mark.
    pub fn read(&self, lines: &[RangeSeries], start: Timestamp, step: Span) -> (Vec<Mark>, usize) {
        let mut found: BTreeMap<Mark, usize> = BTreeMap::new();
        for line in lines {
            let text = self.says(&line.labels);
            let services = match &self.whose {
                Whose::Everyone => Vec::new(),
                Whose::Services(services) => services.clone(),
                Whose::Label(label) => vec![line.labels.get(label).to_owned()],
            };
            for at in rises(&line.points, start, step) {
                let mark = Mark { at, name: self.name.clone(), text: text.clone(), services: services.clone() };
                *found.entry(mark).or_default() += 1;
            }
        }
        let mut marks: Vec<Mark> = found
            .into_iter()
            .map(|(mark, many)| match many {
                1 => mark,
                _ => Mark { text: format!("{} ({many} times)", mark.text), ..mark },
            })
            .collect();
        let left_out = marks.len().saturating_sub(MOST);
        (marks.split_off(left_out), left_out)
    }

    fn says(&self, labels: &Labels) -> String {
        if self.text.is_empty() {
            return self.name.clone();
        }
        let (mut out, mut rest) = (String::new(), self.text.as_str());
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((label, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            out.push_str(labels.get(label.trim().trim_start_matches("$labels.").trim_start_matches('.')));
            rest = after;
        }
        out.push_str(rest);
        clean(&out).trim().chars().take(TEXT).collect()
    }
}

/// The instants at which a line is over zero after it was not, or was not there. Nothing is known of what was before the
/// range: what is there at its first instant is no rise.
fn rises(points: &[(Timestamp, f64)], start: Timestamp, step: Span) -> Vec<Timestamp> {
    let (mut out, mut up) = (Vec::new(), None);
    for (at, _) in points.iter().filter(|(_, value)| *value > 0.0) {
        if up.map_or(*at > start, |up| *at - up > step + step / 2) {
            out.push(*at);
        }
        up = Some(*at);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{mins, secs};
    use proptest::prelude::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + minute * 60, 0).unwrap()
    }

    fn line(labels: Labels, points: &[(i64, f64)]) -> RangeSeries {
        RangeSeries { labels, points: points.iter().map(|(m, v)| (at(*m), *v)).collect() }
    }

    fn marker(text: &str, whose: Whose) -> Marker {
        Marker { name: "deploy".into(), query: "changes(x[$window])".into(), text: text.into(), whose }
    }

    #[test]
    fn a_mark_stands_where_something_begins() {
        for (points, want) in [
            (&[(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.0), (4, 0.0), (5, 2.0)][..], vec![2, 5]),
            // What is filtered is not there instead of zero.
            (&[(2, 1.0), (3, 1.0), (7, 1.0)], vec![2, 7]),
            (&[(0, 1.0), (1, 1.0), (2, 0.0)], vec![]),
            (&[(0, 0.0), (1, 1.0)], vec![1]),
            (&[(1, 1.0), (2, 1.0)], vec![1]),
            (&[(0, f64::NAN), (1, f64::NAN), (2, -1.0)], vec![]),
            (&[], vec![]),
        ] {
            let (marks, left) = marker("", Whose::Everyone).read(&[line(Labels::default(), points)], at(0), mins(1));
            let minutes: Vec<i64> = marks.iter().map(|m| (m.at - at(0)).num_minutes()).collect();
            assert_eq!((minutes, left), (want, 0), "{points:?}");
        }
    }

    #[test]
    fn texts_services_and_limits() {
        let labels = Labels::from([("version", "v1.2\u{1b}[31m"), ("job", "api")]);
        let two = [line(labels.clone(), &[(0, 0.0), (3, 1.0)]), line(labels.clone(), &[(0, 0.0), (3, 1.0)])];
        let deploy = marker("{{ job }} {{$labels.version}} {{none}}!", Whose::Label("job".into()));
        let (marks, _) = deploy.read(&two, at(0), mins(1));
        assert_eq!(marks.len(), 1);
        assert!(marks[0].text.starts_with("api v1.2") && marks[0].text.ends_with("(2 times)"), "{}", marks[0].text);
        assert!(!marks[0].text.contains('\u{1b}'));
        assert!(marks[0].is_for("api") && !marks[0].is_for("web"));
        let (all, _) = marker("open {{", Whose::Everyone).read(&two[..1], at(0), mins(1));
        assert_eq!((all[0].text.as_str(), all[0].is_for("web")), ("open {{", true));
        let many: Vec<(i64, f64)> = (0..200).map(|m| (m, f64::from(u8::from(m % 2 == 1)))).collect();
        let (marks, left) = marker("", Whose::Everyone).read(&[line(Labels::default(), &many)], at(0), mins(1));
        assert_eq!((marks.len(), left), (50, 50), "the newest stay");
        assert_eq!(marks.last().map(|m| m.at), Some(at(199)));
        let mut out = Marks::default();
        out.add(&deploy, (marks, left));
        assert_eq!(out.remarks, ["deploy: 50 older marks are not shown"]);
    }

    #[test]
    fn a_query_is_bounded_whatever_the_range() {
        for (hours, step, window) in [(1, 1, 5), (6, 1, 5), (24, 4, 5), (72, 12, 12), (720, 120, 120)] {
            let got = grid(Span::hours(hours));
            assert_eq!(got, (mins(step), mins(window)), "{hours}");
            assert!(Span::hours(hours).num_seconds() / got.0.num_seconds() <= 480);
        }
        assert_eq!(marker("", Whose::Everyone).promql(mins(5)), "changes(x[5m])");
    }

    proptest! {
        #[test]
        fn marks_lie_inside_and_are_in_order(values in prop::collection::vec((0..100_i64, proptest::num::f64::ANY), 0..60)) {
            let mut points: Vec<(i64, f64)> = values;
            points.sort_by_key(|p| p.0);
            points.dedup_by_key(|p| p.0);
            let (marks, _) = marker("", Whose::Everyone).read(&[line(Labels::default(), &points)], at(0), secs(60));
            prop_assert!(marks.windows(2).all(|w| w[0].at < w[1].at));
            prop_assert!(marks.iter().all(|m| m.at > at(0) && points.iter().any(|(p, v)| at(*p) == m.at && *v > 0.0)));
        }
    }
}
