//! The two files of a captured incident as text. Every outside text is quoted as YAML and freed of secrets first.

use super::{Course, Cure, Source, action, limit, milestones, redact};
use crate::domain::document::write::quoted;
use crate::domain::drill::scenario::Milestone;
use crate::domain::incident::event::{Body, Event, StepEnd};
use crate::domain::incident::state::CommandRun;
use crate::domain::time::{Span, Timestamp, mins, rfc3339, secs};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How long a cure takes to work, and how long it must be well then, where the record leaves the time, in seconds.
const HEALS: i64 = 60;
/// Lines of an answer.
const MOST_LINES: usize = 40;

pub(super) struct Builder<'b> {
    pub source: &'b Source<'b>,
    pub start: Timestamp,
    pub id: &'b str,
    pub courses: &'b [Course],
    pub cure: Option<&'b Cure>,
}

fn text(raw: &str) -> String {
    quoted(&redact(raw))
}

/// `5m` as a scenario has it: whole seconds.
fn span(span: Span) -> String {
    format!("{}s", span.num_seconds().max(0))
}

impl Builder<'_> {
    fn at(&self, when: Timestamp) -> Span {
        secs((when - self.start).num_seconds().max(0))
    }

    /// When the pain stopped, seconds since the beginning.
    fn well_at(&self) -> i64 {
        let times = &self.source.incident.times;
        let at = times.mitigated.or(times.resolved).unwrap_or(times.declared + mins(60));
        self.at(at).num_seconds()
    }

    /// Seconds for healing, and as many again for staying well: what was done then must be able to end as it ended, so that
    /// both fit between what healed it and the last that was recorded.
    fn heals_in(&self) -> i64 {
        let incident = self.source.incident;
        let healed = self.cure.and_then(|cure| incident.commands.iter().find(|run| run.start.run == cure.run));
        let from = healed.map_or_else(|| self.heals_at(), |run| self.at(run.at).num_seconds());
        let last = [incident.times.resolved, incident.times.mitigated].into_iter().flatten().max();
        last.map_or(HEALS, |last| ((self.at(last).num_seconds() - from) / 3).clamp(0, HEALS))
    }

    /// When it heals by itself, where no command is known to have ended it.
    fn heals_at(&self) -> i64 {
        self.well_at().max(BEGINS + 60)
    }

    fn ends_at(&self) -> Span {
        let times = &self.source.incident.times;
        let last = [times.resolved, times.mitigated].into_iter().flatten().max().unwrap_or(times.declared + mins(60));
        (self.at(last) + mins(20)).min(Span::hours(12)).max(mins(10))
    }

    pub(super) fn scenario(&self) -> String {
        let incident = self.source.incident;
        let mut out = String::new();
        let _ = writeln!(
            out,
            "# Made from {}. Read it before you play it: names, answers and numbers are those of the incident as far as they\n\
             # were recorded; what looked like a secret was struck out.",
            incident.id
        );
        let _ = writeln!(out, "apiVersion: midwatch/v1\nkind: Scenario\nid: {}", self.id);
        let _ = writeln!(out, "title: {}", text(&incident.title));
        let service = incident.service.clone().unwrap_or_else(|| "production".into());
        let brief = format!("You are on call. This happened before, to {service}.");
        let _ = writeln!(out, "brief: {}", text(&brief));
        let _ = writeln!(out, "secret: {}", text(&self.secret()));
        let _ = writeln!(out, "begins: {}", quoted(&rfc3339(self.start)));
        let _ = writeln!(out, "duration: {}", span(self.ends_at()));
        let _ = writeln!(out, "services: [{}]", text(&service));
        if !self.source.runbooks.is_empty() {
            let all: Vec<String> = self.source.runbooks.iter().map(|r| quoted(r)).collect();
            let _ = writeln!(out, "runbooks: [{}]", all.join(", "));
        }
        self.signals(&mut out);
        self.injects(&mut out);
        self.commands(&mut out);
        self.expectations(&mut out);
        let _ = writeln!(out, "debrief:\n  - What was different from the night it happened?");
        out
    }

    /// How it was resolved, which is what the facilitator knows.
    fn secret(&self) -> String {
        let said = self.source.events.iter().rev().find_map(|e| match &e.body {
            Body::Resolved { summary } => Some(summary.clone()),
            _ => None,
        });
        said.unwrap_or_else(|| "It is not recorded how it was resolved.".into())
    }

    fn signal(course: &Course) -> String {
        let name: String = course
            .slo
            .as_str()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' })
            .collect();
        format!("{}.bad", name.trim_start_matches(['_', '-']).chars().take(60).collect::<String>())
    }

    /// The values while it hurt, the worst of them, and where it came to rest.
    fn shape(&self, course: &Course) -> (f64, Vec<(i64, f64)>, f64) {
        let well = self.well_at();
        let calm = (1.0 - course.left.clamp(0.0, 1.0)) * (1.0 - course.target);
        let ill: Vec<(i64, f64)> = course.points.iter().copied().filter(|(at, _)| *at <= well).collect();
        let rest = course.points.iter().filter(|(at, _)| *at > well).map(|(_, v)| *v).fold(f64::NAN, f64::min);
        // A burn rate over five minutes is still high when the pain is gone.
        let rest = if rest.is_finite() { rest.min(calm.max(1e-6)) } else { calm.max(1e-6) };
        (calm.max(1e-6), ill, rest)
    }

    fn signals(&self, out: &mut String) {
        let _ = writeln!(out, "signals:");
        let queries = self.queries();
        for (n, (_, value)) in (1..).zip(&queries) {
            let _ = writeln!(out, "  - {{id: query-{n}, value: {value}}}");
        }
        if self.courses.is_empty() {
            let _ = writeln!(out, "  - {{id: pain, value: 0, unit: ''}}");
        }
        for course in self.courses {
            let (calm, ..) = self.shape(course);
            let _ = writeln!(out, "  - {{id: {}, value: {calm}, noise: 0.05}}", quoted(&Self::signal(course)));
        }
        if !self.courses.is_empty() {
            let _ = writeln!(out, "objectives:");
        }
        for course in self.courses {
            let _ = writeln!(
                out,
                "  - {{id: {}, service: {}, target: {}, ratio: {}, rate: 50, left: {}}}",
                quoted(course.slo.as_str()),
                text(&course.service),
                course.target,
                quoted(&Self::signal(course)),
                course.left
            );
        }
        if !queries.is_empty() {
            let _ = writeln!(out, "queries:");
        }
        for (n, (promql, _)) in (1..).zip(&queries) {
            let _ = writeln!(out, "  - {{promql: {}, signal: query-{n}}}", text(promql));
        }
    }

    /// Queries that were asked, each with the first value of its last answer.
    fn queries(&self) -> Vec<(&str, f64)> {
        let mut all: Vec<(&str, f64)> = Vec::new();
        for run in self.source.incident.commands.iter().filter(|run| run.start.argv.is_empty()) {
            let first =
                run.finish.as_ref().and_then(|f| f.excerpt.first()).and_then(|line| line.split_whitespace().next());
            let Some(value) = first.and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite()) else { continue };
            all.retain(|(promql, _)| *promql != run.start.command);
            all.push((&run.start.command, value));
        }
        all
    }

    fn injects(&self, out: &mut String) {
        let incident = self.source.incident;
        let _ = writeln!(out, "injects:");
        for course in self.courses {
            let (calm, ill, _) = self.shape(course);
            let first = ill.first().map_or(60, |(at, _)| *at);
            // It was bad before anybody measured it: straight up from the first sign to the first measurement.
            let begins = (BEGINS).min((first - 1).max(0));
            let points: Vec<String> = std::iter::once((0, calm))
                .chain(ill.iter().map(|(at, v)| (at - begins, *v)).filter(|(at, _)| *at > 0))
                .map(|(at, v)| format!("[{at}s, {v}]"))
                .collect();
            let _ = writeln!(
                out,
                "  - {{at: {begins}s, do: signal, signal: {}, kind: recorded, points: [{}]}}",
                quoted(&Self::signal(course)),
                points.join(", ")
            );
        }
        if self.courses.is_empty() {
            let _ = writeln!(out, "  - {{at: 60s, do: signal, signal: pain, kind: step, to: 1}}");
        }
        for alert in incident.alerts.values() {
            let labels: Vec<String> = alert
                .labels
                .0
                .iter()
                .filter(|(name, _)| *name != "alertname")
                .map(|(name, value)| format!("{}: {}", quoted(name), text(value)))
                .collect();
            let at = self.at(alert.started_at).max(secs(BEGINS));
            let _ = writeln!(
                out,
                "  - {{at: {}, do: alert, alert: {}, labels: {{{}}}}}",
                span(at),
                text(&alert.name),
                labels.join(", ")
            );
        }
        if incident.alerts.is_empty() {
            let said = format!("Something is wrong: {}", incident.title);
            let _ = writeln!(out, "  - {{at: {BEGINS}s, do: message, from: support, text: {}}}", text(&said));
        }
        if self.cure.is_none() {
            let at = secs(self.heals_at());
            for line in self.heals() {
                let _ = writeln!(out, "  - {{at: {}, do: {line}}}", span(at));
            }
        }
    }

    /// What makes it well again, each as the inside of an inject.
    fn heals(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .courses
            .iter()
            .map(|course| {
                let (.., rest) = self.shape(course);
                let signal = quoted(&Self::signal(course));
                match self.heals_in() {
                    0 => format!("signal, signal: {signal}, kind: step, to: {rest}"),
                    over => format!("signal, signal: {signal}, kind: ramp, to: {rest}, over: {over}s"),
                }
            })
            .collect();
        if self.courses.is_empty() {
            lines.push("signal, signal: pain, kind: step, to: 0".into());
        }
        let names: BTreeSet<&str> = self.source.incident.alerts.values().map(|a| a.name.as_str()).collect();
        lines.extend(names.into_iter().map(|name| format!("clear, alert: {}", text(name))));
        lines
    }

    fn commands(&self, out: &mut String) {
        let runs = &self.source.incident.commands;
        let _ = writeln!(out, "commands:");
        let mut told: BTreeSet<(&str, &str, bool)> = BTreeSet::new();
        let cured = self.cure.and_then(|cure| runs.iter().find(|r| r.start.run == cure.run)).map(|r| r.at);
        // The last answer before the cure, and the last one after it.
        for run in runs.iter().rev().filter(|run| !run.start.argv.is_empty()) {
            let after = cured.is_some_and(|cured| run.at > cured);
            if told.insert((run.start.place.runbook.as_str(), key(run), after)) {
                self.command(out, run, after);
            }
        }
        let _ = writeln!(out, "  - {{default: {{exit: 127, out: not recorded in this incident}}}}");
    }

    fn command(&self, out: &mut String, run: &CommandRun, after: bool) {
        let start = &run.start;
        let pattern = match start.id.is_empty() {
            false => {
                let book = quoted(start.place.runbook.as_str());
                format!("{{runbook: {book}, step: {}}}", quoted(&start.id))
            }
            true => {
                let argv: Vec<String> = start.argv.iter().map(|arg| text(arg)).collect();
                format!("{{argv: [{}]}}", argv.join(", "))
            }
        };
        let _ = writeln!(out, "  - match: {pattern}");
        let cures = self.cure.is_some_and(|cure| cure.run == start.run);
        if let (true, false, Some(cure)) = (after, cures, self.cure) {
            let _ = writeln!(out, "    if: {{action: {}}}", quoted(&cure.action));
        } else if let (false, false, Some(cure)) = (after, cures, self.cure) {
            let _ = writeln!(out, "    unless: {{action: {}}}", quoted(&cure.action));
        }
        if start.part.is_none() {
            let _ = writeln!(out, "    action: {}", quoted(&action(run)));
        }
        if let Some(risk) = &start.risk {
            let _ = writeln!(out, "    risk: {risk}");
        }
        if let Some(finish) = &run.finish {
            let lines: Vec<String> = finish.excerpt.iter().take(MOST_LINES).map(|line| redact(line)).collect();
            let _ = writeln!(out, "    out: {}", quoted(&lines.join("\n")));
            let exit = finish.exit.unwrap_or(1).clamp(0, 255);
            let took = secs(i64::try_from(finish.took_ms / 1_000).unwrap_or(1).clamp(0, 3_600));
            let _ = writeln!(out, "    exit: {exit}\n    delay: {}", span(took));
        }
        if cures {
            let _ = writeln!(out, "    effects:");
            for line in self.heals() {
                let effect = line.strip_prefix("signal, ").map(str::to_owned);
                let effect =
                    effect.or_else(|| line.strip_prefix("clear, alert: ").map(|name| format!("clear: {name}")));
                let _ = writeln!(out, "      - {{{}}}", effect.unwrap_or_default());
            }
        }
    }

    fn expectations(&self, out: &mut String) {
        let incident = self.source.incident;
        let page = incident.alerts.values().map(|a| a.started_at).min().unwrap_or(self.start).max(self.start);
        let _ = writeln!(out, "expect:");
        for (milestone, at) in milestones(self.source) {
            let word = milestone.word();
            let points = if milestone == Milestone::Updated { 15 } else { 10 };
            let _ = writeln!(
                out,
                "  - {{id: {word}, event: {word}, within: {}, points: {points}}}",
                span(limit(at - page))
            );
        }
        let _ = writeln!(out, "  - {{id: severity, event: severity, is: {}, points: 5}}", quoted(&incident.severity.0));
        if let Some(cure) = self.cure {
            let _ = writeln!(out, "  - {{id: cure, action: {}, points: 25}}", quoted(&cure.action));
        }
        let (well, long) = (secs(self.well_at()), self.heals_in());
        match self.courses.iter().max_by(|a, b| worst(a).total_cmp(&worst(b))) {
            Some(course) => {
                let (calm, ..) = self.shape(course);
                let line = (worst(course) * calm).sqrt().max(calm * 2.0).min(1.0);
                let _ = writeln!(
                    out,
                    "  - {{id: well, condition: {{signal: {}, op: '<', value: {line}, for: {long}s}}, within: {}, points: 30}}",
                    quoted(&Self::signal(course)),
                    span(limit(well).min(self.ends_at()))
                );
            }
            None => {
                let _ = writeln!(
                    out,
                    "  - {{id: well, condition: {{signal: pain, op: '<', value: 0.5, for: {long}s}}, within: {}, points: 30}}",
                    span(limit(well).min(self.ends_at()))
                );
            }
        }
        let _ = writeln!(out, "  - {{id: no-destroy, never: {{risk: destroy}}, points: -20}}");
        match incident.times.resolved {
            Some(_) => drop(writeln!(out, "end: [{{event: resolved}}]")),
            None => drop(writeln!(out, "end: [{{condition: well}}]")),
        }
    }

    /// What people did, in the order of the record.
    pub(super) fn script(&self) -> String {
        let mut out = format!(
            "# What was done in {}, for `midwatch drill run --headless --responder script`.\nacts:\n",
            self.source.incident.id
        );
        for event in self.source.events.iter().filter(|e| e.actor != "midwatch") {
            if let Some(act) = self.act(event) {
                let _ = writeln!(out, "  - {{at: {}, {act}}}", span(self.at(event.recorded_at).max(secs(BEGINS))));
            }
        }
        out
    }

    fn act(&self, event: &Event) -> Option<String> {
        Some(match &event.body {
            Body::Declared { title, severity, .. } => {
                format!("declare: {}, severity: {}", text(title), quoted(&severity.0))
            }
            Body::Acknowledged => "ack: true".into(),
            Body::RoleSet { role, person: Some(person) } => format!("role: {}, person: {}", role.word(), text(person)),
            Body::SeveritySet { to, reason } => format!("severity: {}, reason: {}", quoted(&to.0), text(reason)),
            Body::StatusSet { to, message } => {
                let told = message.as_ref().map(|m| format!(", message: {}", text(m))).unwrap_or_default();
                format!("status: {}{told}", to.word())
            }
            Body::Note { sort, text: said } => format!("note: {}, kind: {}", text(said), sort.word()),
            Body::RunbookOpened { runbook, .. } => format!("open: {}", quoted(runbook.as_str())),
            Body::StepEnded { place, end } => {
                let step = quoted(place.step.as_str());
                match end {
                    StepEnd::Done => format!("step: {step}"),
                    StepEnd::Skipped(why) => format!("step: {step}, how: skip, reason: {}", text(why)),
                    StepEnd::Failed(why) => format!("step: {step}, how: fail, reason: {}", text(why)),
                    StepEnd::Reopened => return None,
                }
            }
            Body::CheckAnswered { place, check, answer, .. } => {
                format!("step: {}, check: {check}, answer: {}", quoted(place.step.as_str()), quoted(answer.word()))
            }
            // What belongs to a change is asked for by the cockpit itself.
            Body::CommandStarted(start) if start.part.is_none() && !start.id.is_empty() => {
                format!("run: {}", quoted(&start.id))
            }
            Body::Mitigated => "mitigated: true".into(),
            Body::Resolved { summary } => format!("resolve: {}", text(summary)),
            _ => return None,
        })
    }
}

/// Seconds into the drill at which it begins to hurt.
const BEGINS: i64 = 60;

fn key(run: &CommandRun) -> &str {
    if run.start.id.is_empty() { &run.start.command } else { &run.start.id }
}

fn worst(course: &Course) -> f64 {
    course.points.iter().map(|(_, v)| *v).fold(0.0, f64::max)
}
