//! A review of objectives over a calendar period: what was attained, what was spent, what it was spent on, and what is to be
//! decided. As Markdown for a meeting and as CSV for a spreadsheet. The same facts always give the same text; what is not
//! known is said, and never counted as well.

use crate::domain::export::cell;
use crate::domain::postmortem::escape::field;
use crate::domain::time::{Timestamp, rfc3339};
use std::fmt::Write;

/// A review.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// `month`.
    pub period: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// What is known is known at this instant.
    pub as_of: Timestamp,
    /// The zone in which its days begin.
    pub zone: String,
    /// The policy's name.
    pub policy: String,
    /// The objectives, those with the least budget left first.
    pub objectives: Vec<Row>,
    /// Incidents by what they cost, the dearest first.
    pub incidents: Vec<IncidentRow>,
    /// Policy bands that were crossed in the period, oldest first.
    pub crossings: Vec<CrossingRow>,
    /// What is to be decided, most urgent first.
    pub decisions: Vec<Decision>,
    /// What this review does not know.
    pub unknown: Vec<String>,
}

/// One objective over the period. Shares are of the period's budget and signed; `None` is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub objective: String,
    /// Its service.
    pub service: String,
    /// Share that must be good.
    pub target: f64,
    /// Share that was good.
    pub attained: Option<f64>,
    /// Bad events.
    pub bad: Option<f64>,
    /// All events.
    pub total: Option<f64>,
    /// Share of the budget that was spent.
    pub spent: Option<f64>,
    /// Share that will be spent at its end; the same as `spent` once it is over.
    pub projected: Option<f64>,
    /// Share of the period so far for which there is data, 0..1.
    pub coverage: f64,
    /// The budget that the objective has by its own window, now.
    pub remaining: Option<f64>,
    /// The policy band it is in now.
    pub band: Option<String>,
    /// When that budget will be gone.
    pub exhausts_at: Option<Timestamp>,
    /// The budget recovers as its window rolls.
    pub recovers: bool,
    /// Share of the period's budget that its incidents took.
    pub incidents: f64,
    /// Events that planned work excluded.
    pub excluded: Option<f64>,
}

impl Row {
    /// Whether the target was kept; `None` where that is not known.
    pub fn met(&self) -> Option<bool> {
        self.attained.map(|a| a >= self.target)
    }

    /// What is left of the period's budget.
    pub fn left(&self) -> Option<f64> {
        self.spent.map(|s| 1.0 - s)
    }
}

/// What one incident cost one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentRow {
    /// Its id.
    pub id: String,
    /// Its title; raw outside text.
    pub title: String,
    /// How bad it was.
    pub severity: String,
    /// When it began.
    pub began: Timestamp,
    /// When the pain stopped; `None` while it goes on.
    pub ended: Option<Timestamp>,
    /// The objective; empty for an incident that belongs to none.
    pub objective: String,
    /// Share of the budget, every bad event.
    pub gross: Option<f64>,
    /// The same without what would have been bad anyway.
    pub net: Option<f64>,
    /// What these are shares of.
    pub of: String,
}

/// A policy band that was left for another.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossingRow {
    /// When.
    pub at: Timestamp,
    /// Of which objective.
    pub objective: String,
    /// The band before; `None` for the first that was seen.
    pub from: Option<String>,
    /// The band after.
    pub to: String,
    /// What was left then.
    pub remaining: f64,
    /// What the policy asks for.
    pub action: String,
}

/// Something to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Of which objective.
    pub objective: String,
    /// What is due, in the policy's own words where it is the policy's.
    pub what: String,
    /// Why.
    pub why: String,
}

fn percent(share: Option<f64>, digits: usize) -> String {
    share.filter(|s| s.is_finite()).map_or_else(|| "unknown".to_owned(), |s| format!("{:.digits$} %", s * 100.0))
}

fn count(events: Option<f64>) -> String {
    events.map_or_else(|| "unknown".to_owned(), |e| format!("{e:.0}"))
}

fn day(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

fn band(name: &str) -> String {
    name.replace('_', " ")
}

impl Review {
    /// Whether the period is over.
    pub fn complete(&self) -> bool {
        self.as_of >= self.to
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.decisions_md(&mut out);
        self.objectives_md(&mut out);
        self.incidents_md(&mut out);
        self.crossings_md(&mut out);
        self.unknown_md(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let kept = |met: Option<bool>| self.objectives.iter().filter(|r| r.met() == met).count();
        let state = if self.complete() { "over" } else { "not over: estimates are marked ~" };
        line(out, &format!("# Error budget review: {} from {} to {}", self.period, day(self.from), day(self.to)));
        line(out, "");
        line(
            out,
            &format!("- As of {}; the period is {state}. Days begin in {}.", rfc3339(self.as_of), field(&self.zone)),
        );
        line(
            out,
            &format!("- Objectives: {} kept, {} missed, {} unknown.", kept(Some(true)), kept(Some(false)), kept(None)),
        );
        line(out, &format!("- Policy: {}.", field(&self.policy)));
        line(out, "");
    }

    fn decisions_md(&self, out: &mut String) {
        line(out, "## Decisions due");
        line(out, "");
        if self.decisions.is_empty() {
            line(out, "None.");
        }
        for d in &self.decisions {
            line(out, &format!("- **{}**: {}", field(&d.objective), field(&format!("{} ({})", d.what, d.why))));
        }
        line(out, "");
    }

    fn objectives_md(&self, out: &mut String) {
        let about = if self.complete() { "" } else { "~" };
        line(out, "## Attainment and budget");
        line(out, "");
        line(
            out,
            "| objective | service | target | attained | kept | bad of all | spent | left | at the end | now left | band | gone | data |",
        );
        line(out, "|---|---|---:|---:|---|---:|---:|---:|---:|---:|---|---|---:|");
        for r in &self.objectives {
            let kept = match r.met() {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "unknown",
            };
            let estimate = |share: Option<f64>| {
                let text = percent(share, 1);
                if share.is_some() { format!("{about}{text}") } else { text }
            };
            let gone = match (r.exhausts_at, r.recovers) {
                _ if r.remaining.is_some_and(|left| left <= 0.0) => "already".to_owned(),
                (Some(at), _) => day(at),
                (None, true) => "recovers".to_owned(),
                (None, false) => "not at this rate".to_owned(),
            };
            let cells = [
                field(&r.objective),
                field(&r.service),
                percent(Some(r.target), 3),
                percent(r.attained, 4),
                kept.to_owned(),
                match (r.total, r.attained) {
                    (Some(_), _) => format!("{} of {}", count(r.bad), count(r.total)),
                    // What is made of others has no events of its own.
                    (None, Some(_)) => "by its parts".to_owned(),
                    (None, None) => "unknown".to_owned(),
                },
                estimate(r.spent),
                estimate(r.left()),
                estimate(r.projected),
                percent(r.remaining, 1),
                r.band.as_deref().map_or_else(|| "unknown".to_owned(), |b| field(&band(b))),
                if r.remaining.is_none() { "unknown".to_owned() } else { gone },
                percent(Some(r.coverage), 0),
            ];
            line(out, &format!("| {} |", cells.join(" | ")));
        }
        line(out, "");
    }

    fn incidents_md(&self, out: &mut String) {
        line(out, "## Incidents by cost");
        line(out, "");
        if self.incidents.is_empty() {
            line(out, "None in the record.");
            line(out, "");
            return;
        }
        line(out, "| incident | severity | began | lasted | objective | cost (net) | of |");
        line(out, "|---|---|---|---|---|---:|---|");
        for i in &self.incidents {
            let lasted = i.ended.map_or_else(|| "goes on".to_owned(), |e| crate::domain::time::compact(e - i.began));
            let cost = match (i.gross, i.net) {
                (None, _) => "unknown".to_owned(),
                (gross, None) => format!("{} (net unknown)", percent(gross, 1)),
                (gross, net) => format!("{} ({})", percent(gross, 1), percent(net, 1)),
            };
            let name = field(&format!("{} {}", i.id, i.title));
            let objective = if i.objective.is_empty() { "none linked".to_owned() } else { field(&i.objective) };
            let cells = [name, field(&i.severity), day(i.began), lasted, objective, cost, field(&i.of)];
            line(out, &format!("| {} |", cells.join(" | ")));
        }
        line(out, "");
    }

    fn crossings_md(&self, out: &mut String) {
        line(out, "## Policy bands crossed");
        line(out, "");
        if self.crossings.is_empty() {
            line(out, "None in the record.");
        }
        for c in &self.crossings {
            let from = c.from.as_deref().map_or_else(|| "first seen".to_owned(), band);
            let what = format!("{from} to {}", band(&c.to));
            let left = percent(Some(c.remaining), 1);
            line(
                out,
                &format!(
                    "- {} {}: {} at {left} left: {}",
                    day(c.at),
                    field(&c.objective),
                    field(&what),
                    field(&c.action)
                ),
            );
        }
        line(out, "");
    }

    fn unknown_md(&self, out: &mut String) {
        line(out, "## What this review does not know");
        line(out, "");
        if self.unknown.is_empty() {
            line(out, "Nothing is missing.");
        }
        for what in &self.unknown {
            line(out, &format!("- {}", field(what)));
        }
    }

    /// As CSV: one row per objective. Unknown cells are empty.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "period,from,to,as_of,objective,service,target,attained,kept,bad,total,spent,left,projected,coverage,\
             remaining_now,band,exhausts_at,recovers,incidents,excluded\r\n",
        );
        let number = |x: Option<f64>| {
            x.filter(|x| x.is_finite())
                .map_or_else(String::new, |x| format!("{}", crate::domain::slo::budget::round12(x)))
        };
        // Counts are extrapolated from samples: beyond a thousandth they are dust.
        let events = |x: Option<f64>| number(x.map(|x| (x * 1e3).round() / 1e3));
        for r in &self.objectives {
            let cells = [
                cell(&self.period),
                rfc3339(self.from),
                rfc3339(self.to),
                rfc3339(self.as_of),
                cell(&r.objective),
                cell(&r.service),
                number(Some(r.target)),
                number(r.attained),
                r.met().map_or_else(String::new, |met| met.to_string()),
                events(r.bad),
                events(r.total),
                number(r.spent),
                number(r.left()),
                number(r.projected),
                number(Some(r.coverage)),
                number(r.remaining),
                cell(r.band.as_deref().unwrap_or_default()),
                r.exhausts_at.map(rfc3339).unwrap_or_default(),
                r.recovers.to_string(),
                number(Some(r.incidents)),
                events(r.excluded),
            ];
            // A string takes any text.
            let _: std::fmt::Result = write!(out, "{}\r\n", cells.join(","));
        }
        out
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn review() -> Review {
        let row = Row {
            objective: "api|avail".into(),
            service: "=cmd()".into(),
            target: 0.999,
            attained: Some(0.9985),
            bad: Some(1_500.0),
            total: Some(1e6),
            spent: Some(1.5),
            projected: Some(1.5),
            coverage: 1.0,
            remaining: Some(-0.2),
            band: Some("exhausted".into()),
            exhausts_at: None,
            recovers: true,
            incidents: 1.1,
            excluded: Some(12.0),
        };
        let blind = Row {
            objective: "web".into(),
            attained: None,
            bad: None,
            total: None,
            spent: None,
            projected: None,
            coverage: 0.0,
            remaining: None,
            band: None,
            recovers: false,
            incidents: 0.0,
            excluded: None,
            ..row.clone()
        };
        Review {
            period: "month".into(),
            from: at("2026-04-01T00:00:00Z"),
            to: at("2026-05-01T00:00:00Z"),
            as_of: at("2026-05-02T03:00:00Z"),
            zone: "UTC".into(),
            policy: "Error Budget Policy".into(),
            objectives: vec![row, blind],
            incidents: vec![IncidentRow {
                id: "INC-1".into(),
                title: "db | down <b>".into(),
                severity: "SEV1".into(),
                began: at("2026-04-03T10:00:00Z"),
                ended: Some(at("2026-04-03T10:40:00Z")),
                objective: "api|avail".into(),
                gross: Some(1.1),
                net: None,
                of: "the month's events".into(),
            }],
            crossings: vec![CrossingRow {
                at: at("2026-04-03T10:30:00Z"),
                objective: "api|avail".into(),
                from: Some("full_velocity".into()),
                to: "exhausted".into(),
                remaining: -0.1,
                action: "Full reliability focus, no feature releases".into(),
            }],
            decisions: vec![Decision {
                objective: "api|avail".into(),
                what: "Full reliability focus, no feature releases".into(),
                why: "-20.0 % of its budget left".into(),
            }],
            unknown: vec!["web: no events are known".into()],
        }
    }

    #[test]
    fn a_meeting_reads_it() {
        let text = review().markdown();
        assert_eq!(text, review().markdown());
        for want in [
            "# Error budget review: month from 2026-04-01 00:00Z to 2026-05-01 00:00Z",
            "- Objectives: 0 kept, 1 missed, 1 unknown.",
            "- **api\\|avail**: Full reliability focus, no feature releases (-20.0 % of its budget left)",
            "| 99.900 % | 99.8500 % | **no** | 1500 of 1000000 | 150.0 % | -50.0 % |",
            "| unknown | unknown | unknown | unknown |",
            "| 40m |",
            "110.0 % (net unknown)",
            "full velocity to exhausted at -10.0 % left",
            "- web: no events are known",
        ] {
            assert!(text.contains(want), "{want}\n{text}");
        }
        assert!(!text.contains("<b>"), "{text}");
    }

    #[test]
    fn a_spreadsheet_reads_it() {
        let text = review().csv();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 4);
        let columns = lines[0].split(',').count();
        assert!(lines[1..3].iter().all(|l| l.split(',').count() == columns), "{text}");
        assert!(lines[1].contains("'=cmd()"), "no formula: {text}");
        assert!(lines[2].contains(",0.999,,,,,,,,0,,"), "{text}");
    }

    #[test]
    fn a_period_that_is_not_over_is_marked() {
        let text = Review { as_of: at("2026-04-20T00:00:00Z"), ..review() }.markdown();
        assert!(text.contains("| ~150.0 % | ~-50.0 % |") && text.contains("not over"), "{text}");
    }
}
