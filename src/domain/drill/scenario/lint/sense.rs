//! Sense: SC011 a condition that excludes itself, SC012 an expectation that can never be met or is met by doing nothing,
//! SC013 an end or points that mean nothing, SC014 answers that are never given or missing, SC015 a brief that tells the
//! secret, SC016 hidden characters in what players read.

use super::{Linter, TOP};
use crate::domain::document::{Level, Mark};
use crate::domain::drill::scenario::{Act, Ban, Canned, Given, Hold, Milestone, Pattern, Shape, Tool, Want};
use crate::domain::runbook::model::{Exec, Op, Part};
use crate::domain::severity::SeverityTable;
use crate::domain::text::is_hidden;
use std::collections::BTreeSet;

impl Linter<'_> {
    pub(super) fn sense(&mut self) {
        self.conditions();
        self.expected();
        self.points();
        self.answers();
        self.missing_answers();
        self.secret();
        self.hidden();
    }

    fn conditions(&mut self) {
        let s = self.scenario;
        let injects = s.injects.iter().map(|i| (&i.only_if, &i.unless, i.mark, format!("`{}`", i.id)));
        let commands = s.commands.iter().map(|c| (&c.only_if, &c.unless, c.mark, "this answer".to_owned()));
        let both: Vec<(Mark, String)> = injects
            .chain(commands)
            .filter(|(only_if, unless, ..)| only_if.is_some() && same(only_if.as_ref(), unless.as_ref()))
            .map(|(_, _, mark, who)| (mark, who))
            .collect();
        for (mark, who) in both {
            self.error(mark, "SC011", format!("`if` and `unless` say the same: {who} never comes"));
        }
        for inject in &s.injects {
            let own = [&inject.only_if, &inject.unless].into_iter().flatten();
            if own.into_iter().any(|g| *g == Given::Inject(inject.id.clone())) {
                self.error(inject.mark, "SC011", format!("`{}` waits for itself", inject.id));
            }
        }
    }

    /// The values that a signal may take, as far as its shapes say: from the least to the greatest.
    fn reach(&self, signal: &str) -> Option<(f64, f64)> {
        let s = self.scenario;
        let first = s.signal(signal)?;
        let changes = s.acts().filter_map(|(act, _)| match act {
            Act::Signal(change) if change.signal == signal => Some(&change.shape),
            _ => None,
        });
        let mut reach: Option<(f64, f64)> = None;
        for shape in std::iter::once(&first.shape).chain(changes) {
            let (low, high) = bounds(shape)?;
            reach = Some(reach.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
        }
        let wide = 1.0 + first.noise;
        reach.map(|(low, high)| ((low * wide).min(low / wide).min(low), (high * wide).max(high / wide).max(high)))
    }

    /// Whether something makes a signal ill, and whether something brings it back to where the hold is so.
    fn recovery_of(&self, hold: &Hold) -> Option<(bool, bool)> {
        let s = self.scenario;
        let first = s.signal(&hold.signal)?;
        let of = |shape: &Shape| {
            let (low, high) = bounds(shape)?;
            Some(judged(hold, low * (1.0 - first.noise), high * (1.0 + first.noise)))
        };
        let (well, ill) = of(&first.shape)?;
        let (mut makes_ill, mut heals) = (ill, well && ill);
        for (act, _) in s.acts() {
            if let Act::Signal(change) = act
                && change.signal == hold.signal
            {
                let (well, ill) = of(&change.shape)?;
                makes_ill |= ill;
                heals |= well;
            }
        }
        Some((makes_ill, heals))
    }

    /// Whether a hold can be so, and whether it can be otherwise.
    fn possible(&self, hold: &Hold) -> Option<(bool, bool)> {
        let (low, high) = self.reach(&hold.signal)?;
        Some(judged(hold, low, high))
    }

    fn expected(&mut self) {
        let s = self.scenario;
        for e in &s.expect {
            match &e.want {
                Want::Well(hold) => match self.recovery_of(hold) {
                    Some((false, _)) => {
                        let message = format!(
                            "`{}` can never be met: nothing makes {} ill, so it cannot be well again",
                            e.id, hold.signal
                        );
                        self.error(e.mark, "SC012", message);
                    }
                    Some((true, false)) => {
                        let message = format!(
                            "`{}` can never be met: nothing brings {} back to {} {}",
                            e.id,
                            hold.signal,
                            hold.op.word(),
                            hold.value
                        );
                        self.error(e.mark, "SC012", message);
                    }
                    _ => {}
                },
                Want::Never(Ban::Signal(hold)) => {
                    if let Some((false, _)) = self.possible(hold) {
                        let message = format!("`{}` can never happen: {} does not get there", e.id, hold.signal);
                        self.warn(e.mark, "SC012", message);
                    }
                }
                Want::Severity(severity) => {
                    let known = SeverityTable::defaults();
                    if known.find(severity).is_none() {
                        let names: Vec<&str> = known.levels.iter().map(|level| level.code.0.as_str()).collect();
                        let message = format!(
                            "`{}` can never be met: a drill has no severity `{severity}` (expected one of: {})",
                            e.id,
                            names.join(", ")
                        );
                        self.warn(e.mark, "SC012", message);
                    }
                }
                Want::Reached(Milestone::Paged) => {
                    self.warn(
                        e.mark,
                        "SC012",
                        format!("`{}` is met by the scenario itself: the players do nothing for a page", e.id),
                    );
                }
                _ => {}
            }
        }
        for rule in &s.alerts {
            if let Some((false, _)) = self.possible(&rule.when) {
                let message = format!("`{}` can never fire: {} does not get there", rule.alert, rule.when.signal);
                self.error(rule.mark, "SC012", message);
            }
            if let Some((_, false)) = self.possible(&rule.when) {
                self.error(
                    rule.mark,
                    "SC012",
                    format!("`{}` fires always: {} never leaves it", rule.alert, rule.when.signal),
                );
            }
        }
        for (tool, mark) in s.acts().filter_map(|(act, mark)| match act {
            Act::Mend(tool) => Some((*tool, mark)),
            _ => None,
        }) {
            if !s.acts().any(|(act, _)| matches!(act, Act::Fail { tool: failed, .. } if *failed == tool)) {
                self.warn(mark, "SC012", format!("nothing makes {} fail: there is nothing to mend", tool.word()));
            }
        }
        let pages =
            s.acts().any(|(act, _)| matches!(act, Act::Alert { red_herring: false, .. })) || !s.alerts.is_empty();
        if !pages {
            self.warn(TOP, "SC012", "no alert ever fires; times are measured from the first inject");
        }
    }

    fn points(&mut self) {
        let s = self.scenario;
        for e in &s.expect {
            let banned = matches!(e.want, Want::Never(_));
            match (banned, e.points) {
                (true, points) if points > 0 => {
                    let message = format!("`{}` gives points for what did not happen (expected points below 0)", e.id);
                    self.warn(e.mark, "SC013", message);
                }
                (false, points) if points < 0 => {
                    let message =
                        format!("`{}` takes points for what is expected (expected points above 0, or `never`)", e.id);
                    self.error(e.mark, "SC013", message);
                }
                (_, 0) => self.report(e.mark, Level::Info, "SC013", format!("`{}` is worth nothing", e.id)),
                _ => {}
            }
        }
        for e in &s.expect {
            let Want::Action(action) = &e.want else { continue };
            let ban = s.expect.iter().find(|b| matches!(&b.want, Want::Never(Ban::Action(never)) if never == action));
            if let Some(ban) = ban {
                let message = format!("`{}` expects {action} and `{}` forbids it", e.id, ban.id);
                self.error(ban.mark, "SC011", message);
            }
        }
        if s.expect.iter().all(|e| e.points <= 0) {
            self.warn(TOP, "SC013", "no expectation brings points");
        }
    }

    /// An answer that another one always takes.
    fn answers(&mut self) {
        let s = self.scenario;
        for (n, later) in s.commands.iter().enumerate() {
            let free = |c: &&Canned| c.only_if.is_none() && c.unless.is_none();
            let taken = s.commands.iter().take(n).filter(free).find(|earlier| covers(&earlier.pattern, &later.pattern));
            if let Some(earlier) = taken {
                let message =
                    format!("this answer is never given: the one at line {} takes its commands", earlier.mark.line);
                self.error(later.mark, "SC014", message);
            }
        }
    }

    /// Commands of the runbooks that nobody thought of.
    fn missing_answers(&mut self) {
        let Some(books) = self.facts.runbooks else { return };
        let s = self.scenario;
        let mut missing: BTreeSet<&str> = BTreeSet::new();
        let mut queries: BTreeSet<&str> = BTreeSet::new();
        for (part, command) in books.iter().flat_map(|book| book.parts()) {
            let words: Vec<String> = match &command.exec {
                Exec::Argv(argv) => argv.clone(),
                Exec::Sh(text) => shlex::split(text).unwrap_or_default(),
                Exec::Query(promql) => {
                    let flat = |text: &str| text.split_whitespace().collect::<String>();
                    let known = s.queries.iter().any(|q| flat(&q.promql) == flat(promql))
                        || s.signals.iter().any(|x| x.id == flat(promql) || x.id.replace('.', ":") == flat(promql));
                    if !known {
                        queries.insert(promql);
                    }
                    continue;
                }
            };
            let answered = s.commands.iter().any(|c| match &c.pattern {
                Pattern::Step { id, .. } => command.id == *id,
                Pattern::Argv(pattern) => starts_like(pattern, &words),
            });
            // A way back or a dry run may well be left to the default.
            if !answered && matches!(part, Part::Run | Part::Guard | Part::Before) {
                missing.insert(&command.id);
            }
        }
        if !missing.is_empty() {
            let names: Vec<&str> = missing.into_iter().take(8).collect();
            self.warn(
                TOP,
                "SC014",
                format!("no answer is prepared for commands of the runbooks: {}", names.join(", ")),
            );
        }
        if !queries.is_empty() {
            let names: Vec<String> = queries.into_iter().take(4).map(|q| format!("`{q}`")).collect();
            self.warn(TOP, "SC014", format!("queries of the runbooks are not simulated: {}", names.join(", ")));
        }
        let shell = s.acts().any(|(act, _)| matches!(act, Act::Fail { tool: Tool::Shell, .. }));
        if shell && s.commands.is_empty() {
            self.warn(TOP, "SC014", "the shell fails, and no command would have been answered anyway");
        }
    }

    fn secret(&mut self) {
        let s = self.scenario;
        let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
        let secret = words(&s.secret);
        for (what, told, mark) in [("title", &s.title, s.told_at.0), ("brief", &s.brief, s.told_at.1)] {
            if secret.len() >= 12 && words(told).contains(&secret) {
                self.error(mark, "SC015", format!("the {what} tells the secret"));
            }
        }
    }

    fn hidden(&mut self) {
        let s = self.scenario;
        let mut texts: Vec<(&str, Mark)> = vec![(&s.title, s.told_at.0), (&s.brief, s.told_at.1)];
        for inject in &s.injects {
            if let Act::Message { from, text } = &inject.act {
                texts.extend([(from.as_str(), inject.mark), (text.as_str(), inject.mark)]);
            }
        }
        let hidden = |text: &str| text.chars().any(|c| is_hidden(c) && c != '\n' && c != '\t');
        let found: Vec<Mark> = texts.into_iter().filter(|(text, _)| hidden(text)).map(|(_, mark)| mark).collect();
        for mark in found {
            self.error(mark, "SC016", "a text that players read holds a hidden character");
        }
    }
}

/// Whether a hold is so somewhere between two values, and whether it is otherwise somewhere.
fn judged(hold: &Hold, low: f64, high: f64) -> (bool, bool) {
    let v = hold.value;
    match hold.op {
        Op::Lt => (low < v, high >= v),
        Op::Le => (low <= v, high > v),
        Op::Gt => (high > v, low <= v),
        Op::Ge => (high >= v, low < v),
        Op::Eq => (low <= v && v <= high, low < v || high > v),
        Op::Ne => (low < v || high > v, low <= v && v <= high),
    }
}

fn same(a: Option<&Given>, b: Option<&Given>) -> bool {
    match (a, b) {
        (Some(Given::Signal(a)), Some(Given::Signal(b))) => (&a.signal, a.op, a.value) == (&b.signal, b.op, b.value),
        (a, b) => a == b,
    }
}

/// The least and the greatest value of a shape; `None` where a file says it that was not read.
fn bounds(shape: &Shape) -> Option<(f64, f64)> {
    match shape {
        Shape::Const(value) => Some((*value, *value)),
        Shape::Ramp { to, .. } => Some((*to, *to)),
        Shape::Sine { middle, amplitude, .. } => Some((middle - amplitude.abs(), middle + amplitude.abs())),
        Shape::Recorded(points) => {
            let values = || points.iter().map(|(_, value)| *value);
            Some((values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)))
        }
        Shape::File { .. } => None,
    }
}

/// Whether an earlier pattern takes everything that a later one could.
fn covers(earlier: &Pattern, later: &Pattern) -> bool {
    match (earlier, later) {
        (Pattern::Step { runbook: a, id: x }, Pattern::Step { runbook: b, id: y }) => x == y && (a.is_none() || a == b),
        (Pattern::Argv(a), Pattern::Argv(b)) => {
            a == b
                || (a.last().is_some_and(|last| last == "*")
                    && b.starts_with(a.split_last().map_or(&[], |(_, rest)| rest)))
        }
        // Which command a step is depends on the runbook.
        _ => false,
    }
}

/// Whether the words of a command could be like a pattern: up to the first value that is only known when it runs.
fn starts_like(pattern: &[String], words: &[String]) -> bool {
    for (n, part) in pattern.iter().enumerate() {
        if part == "*" && n + 1 == pattern.len() {
            return true;
        }
        let Some(word) = words.get(n) else { return false };
        if word.contains('$') {
            return true;
        }
        let plain = part.split('*').next().unwrap_or("");
        let fits = if part.contains('*') { word.starts_with(plain) } else { word == part };
        if !fits {
            return false;
        }
    }
    pattern.len() == words.len()
}
