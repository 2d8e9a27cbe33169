//! What in an experiment would not keep it safe or would teach nothing. Judges an experiment that was read; each rule has a
//! number that is never used again. An error keeps it from running.

use crate::domain::document::{Finding, Level, Mark, nearest};
use crate::domain::experiment::model::{Act, Call, Deed, Experiment, Look, Watched};
use crate::domain::ids::SloId;
use crate::domain::runbook::model::{Condition, Risk, RunCommand};
use crate::domain::runbook::pieces::TOP;
use crate::domain::runbook::prepare::ready;
use crate::domain::runbook::values::Values;
use crate::domain::text::clean;
use crate::domain::time::{Span, compact, secs};
use std::collections::BTreeSet;

/// What is known of the world around an experiment; `None` keeps the rules that need it silent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'f> {
    /// Objectives that there are.
    pub slos: Option<&'f BTreeSet<SloId>>,
}

struct Linter<'e> {
    it: &'e Experiment,
    findings: Vec<Finding>,
}

/// Findings in an experiment, in the order of its file.
pub fn lint(experiment: &Experiment, facts: &Facts<'_>) -> Vec<Finding> {
    let mut linter = Linter { it: experiment, findings: Vec::new() };
    linter.place();
    linter.forbidden();
    linter.hosts();
    linter.runnable();
    linter.times();
    linter.sense();
    linter.objectives(facts);
    linter.findings.sort_by_key(|f| (f.line, f.column));
    linter.findings
}

impl Linter<'_> {
    fn report(&mut self, mark: Mark, level: Level, rule: &str, message: impl AsRef<str>) {
        self.findings.push(Finding {
            path: self.it.path().to_owned(),
            line: mark.line,
            column: mark.column,
            rule: rule.to_owned(),
            level,
            message: clean(message.as_ref()).into_owned(),
        });
    }

    fn error(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Error, rule, message);
    }

    fn warn(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Warning, rule, message);
    }

    /// Where we are, and who keeps it right.
    fn place(&mut self) {
        let it = self.it;
        if it.book.guards.is_empty() {
            let message = format!("no `guard` proves that this is {} before anything changes", it.blast.environment);
            self.warn(it.blast.mark, "EX001", message);
        }
        if it.owner.is_none() {
            self.report(TOP, Level::Info, "EX004", "no `owner`: nobody keeps it right");
        }
        if it.blast.max_share.is_none() || it.blast.targets.is_empty() {
            let message = "`blast_radius` does not say `targets` and `max_share`: how much may break is not shown before it is confirmed";
            self.report(it.blast.mark, Level::Info, "EX008", message);
        }
        if it.blast.max_share.is_some_and(|share| share < 1.0) && it.blast.share.is_none() {
            let message = "`max_share` is shown and not kept: no `share_promql` measures what is touched";
            self.report(it.blast.mark, Level::Info, "EX021", message);
        }
        let name = it.blast.environment.to_ascii_lowercase();
        if name.starts_with("prod") || name == "live" {
            let message = format!("it runs in {}: rehearse it elsewhere first", it.blast.environment);
            self.warn(it.blast.mark, "EX012", message);
        }
    }

    /// Words that stand for what must not be touched.
    fn forbidden(&mut self) {
        for (mark, message) in forbidden(self.it) {
            self.error(mark, "EX002", message);
        }
        let it = self.it;
        for watched in it.watched() {
            if let Look::Condition(condition @ Condition::Promql { .. }) = &watched.what {
                let words = crate::domain::runbook::hold::words(condition);
                if let Some((word, _)) = it.blast.forbid.iter().find(|(word, _)| has_word(&words, word)) {
                    let message = format!("`{}` looks at `{word}`, which is not where it runs", watched.name);
                    self.warn(watched.mark, "EX015", message);
                }
            }
        }
    }

    /// Calls go to this machine or where the file says.
    fn hosts(&mut self) {
        for (call, message) in strangers(self.it) {
            self.error(call.mark, "EX003", message);
        }
    }

    /// Everything that would be run can be run as it stands.
    fn runnable(&mut self) {
        let it = self.it;
        let mut commands: Vec<(&RunCommand, Mark)> = Vec::new();
        for deed in it.deeds() {
            if let Act::Command(command) = &deed.act {
                commands.push((command, deed.mark));
            }
        }
        for watched in it.watched() {
            if let Look::Command(command, _) = &watched.what {
                commands.push((command, watched.mark));
            }
        }
        commands.extend(it.book.guards.iter().map(|guard| (&guard.command, guard.mark)));
        for (command, mark) in commands {
            if let Err(why) = ready(&it.book, command, &Values::default()) {
                self.error(mark, "EX010", format!("{} cannot be run as it stands: {}", command.id, why.0));
            }
        }
        let twice: Vec<&Deed> =
            it.rollback.iter().filter(|back| it.method.iter().any(|deed| deed.line() == back.line())).collect();
        for deed in twice {
            self.warn(deed.mark, "EX018", "this way back is the very thing that the method does");
        }
        for deed in &it.rollback {
            if deed.risk == Risk::Destroy {
                let message = "this way back destroys, and is not asked for again: its name is typed once, before anything changes";
                self.warn(deed.mark, "EX005", message);
            }
        }
    }

    fn times(&mut self) {
        let it = self.it;
        for abort in it.abort.iter().filter(|abort| abort.for_ >= it.duration) {
            let message = format!(
                "`{}` must hold for {}, but the experiment lasts {}: it can never end it",
                abort.name,
                compact(abort.for_),
                compact(it.duration)
            );
            self.error(abort.mark, "EX006", message);
        }
        let pauses = it.method.iter().fold(secs(0), |sum, deed| sum + deed.before + deed.after);
        if pauses >= it.duration {
            let message = format!(
                "the pauses of the method take {}, but the experiment lasts {}: it is over before it is done",
                compact(pauses),
                compact(it.duration)
            );
            self.error(it.method.first().map_or(TOP, |deed| deed.mark), "EX017", message);
        }
        if it.no_data < it.every * 2 {
            let message = format!(
                "`no_data: {}` with a look every {}: one late answer would end it (expected at least {})",
                compact(it.no_data),
                compact(it.every),
                compact(it.every * 2)
            );
            self.error(it.abort.first().map_or(TOP, |abort| abort.mark), "EX020", message);
        }
        if it.duration < it.every * 2 {
            let message =
                format!("it lasts {} with a look every {}: nothing is seen", compact(it.duration), compact(it.every));
            self.error(TOP, "EX013", message);
        }
        if it.window.hours.is_empty() {
            self.report(
                it.window.mark,
                Level::Info,
                "EX014",
                "no `hours`: it may begin when nobody is there to see it",
            );
        }
    }

    fn sense(&mut self) {
        let it = self.it;
        if it.success.is_empty() && it.manual.is_empty() {
            let message = "neither `success` nor `manual`: nothing would say whether the hypothesis holds";
            self.warn(TOP, "EX009", message);
        }
        if it.method.iter().all(|deed| deed.risk == Risk::Read) {
            let mark = it.method.first().map_or(TOP, |deed| deed.mark);
            self.warn(mark, "EX011", "the method only reads: nothing is tried");
        }
        for deed in it.deeds().filter(|deed| deed.risk == Risk::Unknown) {
            self.report(
                deed.mark,
                Level::Info,
                "EX007",
                format!("{} says no `risk`; it is treated as a change", deed.id),
            );
        }
        for pair in contradictions(it) {
            let (steady, abort) = pair;
            let message =
                format!("`{}` is looked at like `{}`, which must hold: it would never begin", abort.name, steady.name);
            self.error(abort.mark, "EX019", message);
        }
    }

    fn objectives(&mut self, facts: &Facts<'_>) {
        let Some(known) = facts.slos else { return };
        for watched in self.it.watched() {
            let Look::Condition(Condition::Slo { slo, .. }) = &watched.what else { continue };
            self.objective(slo, known, watched.mark);
        }
        for slo in &self.it.slos {
            self.objective(slo, known, TOP);
        }
    }

    fn objective(&mut self, slo: &SloId, known: &BTreeSet<SloId>, mark: Mark) {
        if known.contains(slo) {
            return;
        }
        let near = nearest(slo.as_str(), known.iter().map(SloId::as_str));
        let hint =
            near.map_or_else(|| "`midwatch slo list` shows them".to_owned(), |near| format!("nearest: `{near}`"));
        self.error(mark, "EX016", format!("there is no objective `{slo}` ({hint})"));
    }
}

/// Steady and abort conditions that are the very same.
fn contradictions(it: &Experiment) -> Vec<(&Watched, &Watched)> {
    let same = |steady: &&Watched, abort: &Watched| match (&steady.what, &abort.what) {
        (Look::Condition(a), Look::Condition(b)) => {
            crate::domain::runbook::hold::words(a)
                == crate::domain::runbook::hold::words(b).trim_start_matches("any of ")
        }
        (a, b) => a.words() == b.words(),
    };
    let mut pairs = Vec::new();
    for abort in &it.abort {
        pairs.extend(it.steady.iter().find(|steady| same(steady, abort)).map(|steady| (steady, abort)));
    }
    pairs
}

/// Where a forbidden word stands in what would be touched: environment, targets, commands, addresses, hosts of ssh.
pub fn forbidden(it: &Experiment) -> Vec<(Mark, String)> {
    let mut places: Vec<(Mark, &str, String)> = vec![
        (it.blast.mark, "the environment", it.blast.environment.clone()),
        (it.blast.mark, "`targets`", it.blast.targets.clone()),
    ];
    places.extend(it.blast.hosts.iter().map(|host| (it.blast.mark, "`hosts`", host.clone())));
    for (name, target) in &it.book.targets {
        let host = match target {
            crate::domain::runbook::model::Target::Local => String::new(),
            crate::domain::runbook::model::Target::Ssh { host } => host.clone(),
        };
        places.push((it.blast.mark, "a target", format!("{name} {host}")));
    }
    for deed in it.deeds() {
        let more = match &deed.act {
            Act::Command(command) => format!(
                "{} {}",
                command.target.as_deref().unwrap_or_default(),
                command.cwd.as_deref().unwrap_or_default()
            ),
            Act::Http(call) => call.headers.iter().map(|(name, value)| format!("{name}: {value} ")).collect(),
        };
        places.push((deed.mark, "what is done", format!("{} {more}", deed.line())));
    }
    places.extend(it.watched().filter_map(|w| Some((w.mark, "what is looked at", w.what.reach()?))));
    let mut found = Vec::new();
    for (mark, what, text) in places {
        if let Some((word, _)) = it.blast.forbid.iter().find(|(word, _)| has_word(&text, word)) {
            found.push((mark, format!("{what} names `{word}`, which `blast_radius` forbids")));
        }
    }
    found
}

/// Whether a text has a word, whatever its case. Words end where letters and digits do, so that `production` is in
/// `--context=eu_production-1` and not in `reproduction`.
pub fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(&word).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|t| t.chars().next());
        let begins = word.chars().next();
        let ends = word.chars().next_back();
        !(inner(before) && inner(begins) || inner(after) && inner(ends))
    })
}

/// Calls to a host that the file does not allow.
pub fn strangers(it: &Experiment) -> Vec<(&Call, String)> {
    let deeds = it.deeds().filter_map(|deed| match &deed.act {
        Act::Http(call) => Some(call),
        Act::Command(_) => None,
    });
    let looks = it.watched().filter_map(|watched| match &watched.what {
        Look::Http(call, _) => Some(call),
        Look::Condition(_) | Look::Command(..) => None,
    });
    let mut found = Vec::new();
    for call in deeds.chain(looks) {
        if !call.is_local() && !it.blast.hosts.contains(&call.host) {
            let message =
                format!("`{}` is neither this machine nor under `blast_radius.hosts`; it is not called", call.host);
            found.push((call, message));
        }
    }
    found
}

/// How long it may take from its beginning to its end, the return of the steady state included.
pub fn longest(it: &Experiment) -> Span {
    it.duration + it.recovery
}
