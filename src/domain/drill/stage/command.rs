//! What commands of the players answer and change. A command is read, never run: it is known by its id in the runbook or by
//! its words, and what nobody thought of answers as the scenario says and is noted.

use crate::domain::drill::scenario::{Canned, Out, Pattern, Tool};
use crate::domain::drill::stage::told::Happened;
use crate::domain::drill::stage::{Later, Ran, Stage};
use crate::domain::exec::CommandSpec;
use crate::domain::incident::command::CommandStart;
use crate::domain::runbook::model::Risk;
use crate::domain::time::{Span, Timestamp, secs};

/// What a command is told to have done.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its output, line by line, without line ends.
    pub lines: Vec<String>,
    /// Its exit code.
    pub exit: i32,
    /// How long it takes until it says it.
    pub delay: Span,
    /// Names it, to stop it before it ended.
    pub ticket: u64,
}

/// A command that was begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// Which of the scenario's answers it got.
    canned: Option<usize>,
    /// What it is called by conditions and expectations.
    action: String,
    /// As it was shown.
    shown: String,
    exit: i32,
    ok: bool,
    actor: String,
}

impl Stage {
    /// A command is about to run: how it was recorded, or will be in a moment, so that it is known by its id in the runbook.
    pub fn expect_command(&mut self, actor: &str, start: &CommandStart) {
        self.facts.expect_command(actor, start);
    }

    /// Whether a run was told of.
    pub fn knows_run(&self, run: &str) -> bool {
        self.facts.started(run).is_some()
    }

    /// Begins a command: what it says, and when it will have said it. Its effects come then, unless it is stopped.
    pub fn begin(&mut self, spec: &CommandSpec, now: Timestamp) -> Told {
        self.advance(now);
        let start = spec.spill.as_ref().and_then(|run| self.facts.started(run)).cloned();
        let shown = start.as_ref().map_or_else(|| spec.argv.join(" "), |(_, s)| s.command.clone());
        let actor = start.as_ref().map(|(actor, _)| actor.clone()).unwrap_or_default();
        if let Some(how) = self.failing(Tool::Shell) {
            let lines = vec![format!("simulated: the shell's far end is {}", how.word().replace('_', " "))];
            let started = Started { canned: None, action: String::new(), shown, exit: 255, ok: false, actor };
            return self.begun(started, lines, secs(2), now);
        }
        let command = start.as_ref().map(|(_, s)| s);
        let words = said(&spec.argv, &spec.env);
        let matches = |canned: &Canned| {
            fits(&canned.pattern, command, &spec.argv, &words)
                && canned.only_if.as_ref().is_none_or(|given| self.holds(given, now))
                && canned.unless.as_ref().is_none_or(|given| !self.holds(given, now))
        };
        let place = self.scenario.commands.iter().position(matches);
        let canned = place.and_then(|i| self.scenario.commands.get(i)).cloned();
        let reply = canned.as_ref().map_or(&self.scenario.fallback, |c| &c.reply).clone();
        let named = canned.as_ref().and_then(|c| c.action.clone());
        let by_id = || command.map(|c| c.id.rsplit('.').next().unwrap_or("").to_owned()).unwrap_or_default();
        // What belongs to a change (a look before, a dry run, the way back) is not the change itself.
        let belongs = command.is_some_and(|c| c.part.is_some());
        let action = named.unwrap_or_else(|| if belongs { String::new() } else { by_id() });
        let said_risk = command.and_then(|c| c.risk.as_deref());
        let said_risk = Risk::ALL.into_iter().find(|r| Some(r.word()) == said_risk);
        let risk = canned.as_ref().and_then(|c| c.risk).or(said_risk).unwrap_or(Risk::Unknown);
        if command.is_some() {
            let matched = canned.is_some();
            let (actor, command, action) = (actor.clone(), shown.clone(), action.clone());
            self.facts.ran(Ran { at: now, actor, command, action, risk, matched });
        }
        if canned.is_none() {
            self.tell(now, Happened::Unmatched { command: shown.clone(), actor: actor.clone() });
        }
        let ok = if spec.ok_exit.is_empty() { reply.exit == 0 } else { spec.ok_exit.contains(&reply.exit) };
        let text = match &reply.out {
            Out::Text(text) => text.clone(),
            Out::File(_) => String::new(),
        };
        let lines = text.lines().map(str::to_owned).collect();
        self.begun(Started { canned: place, action, shown, exit: reply.exit, ok, actor }, lines, reply.delay, now)
    }

    fn begun(&mut self, started: Started, lines: Vec<String>, delay: Span, now: Timestamp) -> Told {
        let exit = started.exit;
        let ends = now.checked_add_signed(delay).unwrap_or(now);
        let ticket = self.later(ends, Later::CommandEnds(Box::new(started)));
        Told { lines, exit, delay, ticket }
    }

    /// A command was stopped before it ended: it changes nothing.
    pub fn stop(&mut self, ticket: u64) {
        self.due.retain(|d| d.number != ticket || !matches!(d.what, Later::CommandEnds(_)));
    }

    pub(super) fn command_ends(&mut self, at: Timestamp, started: Started) {
        let Started { canned, action, shown, exit, ok, actor } = started;
        self.tell(at, Happened::Ran { command: shown, actor: actor.clone(), exit });
        if ok && !action.is_empty() {
            self.facts.act(at, &action, &actor);
        }
        let effects = canned.filter(|_| ok).and_then(|i| self.scenario.commands.get(i)).map(|c| c.effects.clone());
        for effect in effects.unwrap_or_default() {
            self.act(at, &action, &effect);
        }
    }
}

/// The words of a command: of a shell line its text, with the variables that it sees put in, for reading only.
fn said(argv: &[String], env: &[(String, String)]) -> Vec<String> {
    let [shell, flag, text, ..] = argv else { return argv.to_vec() };
    if !(shell.ends_with("sh") && flag.ends_with('c')) {
        return argv.to_vec();
    }
    let mut text = text.clone();
    let mut by_length: Vec<&(String, String)> = env.iter().collect();
    // A longer name first, so that `$POD` does not eat the beginning of `$POD_NAME`.
    by_length.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in by_length {
        for form in [format!("${{{name}}}"), format!("${name}")] {
            text = text.replace(&form, value);
        }
    }
    shlex::split(&text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect())
}

fn fits(pattern: &Pattern, command: Option<&CommandStart>, argv: &[String], words: &[String]) -> bool {
    match pattern {
        Pattern::Step { runbook, id } => command.is_some_and(|c| {
            let whole = |c: &CommandStart| c.id == *id || format!("{}.{}", c.place.step, c.id) == *id;
            whole(c) && runbook.as_ref().is_none_or(|book| c.place.runbook.as_str() == book)
        }),
        Pattern::Argv(pattern) => like_all(pattern, argv) || like_all(pattern, words),
    }
}

/// Whether arguments are like a pattern; a last `*` stands for any number of them.
fn like_all(pattern: &[String], argv: &[String]) -> bool {
    match pattern {
        [] => argv.is_empty(),
        [last] if last == "*" => true,
        [first, rest @ ..] => {
            argv.split_first().is_some_and(|(arg, others)| like(first, arg) && like_all(rest, others))
        }
    }
}

/// Whether a text is like a pattern in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or("");
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn patterns_match_whole_arguments() {
        for (pattern, argv, want) in [
            ("kubectl rollout undo *", "kubectl rollout undo deploy/api -n x", true),
            ("kubectl rollout undo *", "kubectl rollout undo", true),
            ("kubectl rollout undo *", "kubectl rollout status", false),
            ("kubectl get pods", "kubectl get pods -A", false),
            ("kubectl scale deploy/* --replicas=*", "kubectl scale deploy/api --replicas=9", true),
            ("kubectl scale deploy/* --replicas=*", "kubectl scale sts/api --replicas=9", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("*", "anything at all", true),
        ] {
            assert_eq!(like_all(&words(pattern), &words(argv)), want, "{pattern} / {argv}");
        }
    }

    #[test]
    fn shell_lines_are_read_as_their_words() {
        let argv = ["/bin/sh", "-c", "kubectl get pods -n \"$NS\" -l app=$NS_APP"].map(str::to_owned);
        let env = [("NS", "prod uction"), ("NS_APP", "api")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(said(&argv, &env), ["kubectl", "get", "pods", "-n", "prod uction", "-l", "app=api"]);
    }
}
