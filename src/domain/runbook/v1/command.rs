//! What can be run: `argv`, `sh` or `promql`, with its risk, its place and its limits.

use super::{File, query};
use crate::domain::document::{Fields, Level, Node, Value};
use crate::domain::runbook::keys::v1::{ACT, CAPTURE, COMMAND, GUARD, RETRY};
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{Capture, DEFAULT_TIMEOUT, Exec, Expect, Probe, Retry, Risk, RunCommand};
use crate::domain::runbook::pieces::{joined, text, word};
use crate::domain::text::truncate;
use crate::domain::time::Span;

/// The most tries of a read after its first.
const TRIES: u32 = 10;
/// What does nothing for a query.
const PROCESS_KEYS: [&str; 6] = ["target", "cwd", "ok_exit", "capture", "retry", "tty"];

/// What a command is before its keys are read.
pub(super) struct Frame {
    /// Its id in the runbook.
    pub id: String,
    /// What it may do.
    pub risk: Risk,
    /// What it belongs to, for its place.
    pub near: Option<(Option<String>, Option<String>)>,
    /// It says itself that it changes nothing.
    pub dry: bool,
}

impl Frame {
    pub(super) fn new(id: impl Into<String>, risk: Risk) -> Self {
        Self { id: id.into(), risk, near: None, dry: false }
    }

    /// Runs where this command runs.
    pub(super) fn beside(self, command: &RunCommand) -> Self {
        Self { near: Some((command.target.clone(), command.cwd.clone())), ..self }
    }
}

impl File<'_, '_> {
    /// A command of a step.
    pub(super) fn command(&mut self, node: &Node, id: impl FnOnce(Option<String>) -> String) -> Option<RunCommand> {
        let own = self.fields(node, &COMMAND)?;
        let said = own.get("id").and_then(|n| self.id(n, "id"));
        let risk = self.risk(&own).unwrap_or(Risk::Unknown);
        let mut command = self.run(&own, Frame::new(id(said), risk))?;
        command.mark = node.mark;
        command.retry = own.get("retry").and_then(|n| self.retry(n, &command));
        let mutation = self.mutation(&own, Some(&command));
        command.mutation = (mutation != Default::default()).then(|| Box::new(mutation));
        Some(command)
    }

    /// What an option runs.
    pub(super) fn act(&mut self, node: &Node, frame: Frame) -> Option<RunCommand> {
        let own = self.fields(node, &ACT)?;
        let command = self.run(&own, frame)?;
        Some(RunCommand { mark: node.mark, ..command })
    }

    /// Where we are.
    pub(super) fn guards(&mut self, top: &Fields<'_>) -> Vec<Probe> {
        let mut guards = Vec::new();
        for (n, node) in self.several(top, "guard").iter().enumerate() {
            let Some(own) = self.fields(node, &GUARD) else { continue };
            let expect = match (own.get("equals"), own.get("matches")) {
                (Some(node), None) => self.reader.string(node, "equals").map(Expect::Equals),
                (None, Some(node)) => {
                    self.regex(node, "matches", "RB001", false).map(|(said, _)| Expect::Matches(said))
                }
                _ => {
                    self.error(own.mark(), "a guard has either `equals` or `matches`: what its first line must be");
                    None
                }
            };
            let command = self.run(&own, Frame::new(format!("guard.{}", n + 1), Risk::Read));
            guards.extend(command.zip(expect).map(|(command, expect)| Probe { command, expect, mark: node.mark }));
        }
        guards
    }

    /// The keys that every command shares.
    pub(super) fn run(&mut self, own: &Fields<'_>, frame: Frame) -> Option<RunCommand> {
        let (exec, written) = self.exec(own)?;
        let (near_target, near_cwd) = frame.near.unwrap_or((self.defaults.target.clone(), None));
        let risk = match exec {
            Exec::Query(_) => self.query_alone(own),
            _ => self.raised(own, &written, frame.risk, frame.dry),
        };
        let timeout = self.timeout(own);
        let said_target = own.get("target").is_some();
        let target = if said_target { self.target(own) } else { near_target };
        let query = matches!(exec, Exec::Query(_));
        if target.is_some() && !query && timeout.or(self.defaults.timeout).is_none() {
            let message =
                "no timeout on a command that runs elsewhere; 1m is used (stopping ssh does not stop what it began)";
            self.reader.report(own.mark(), Level::Warning, "RB012", message);
        }
        let tty = own.get("tty").and_then(|n| self.reader.boolean(n, "tty")).unwrap_or(false);
        let capture = self.captures(own);
        if tty && !capture.is_empty() {
            self.error(own.mark(), "`tty` keeps no output, so nothing can be captured from it");
        }
        Some(RunCommand {
            timeout: timeout.or(self.defaults.timeout).unwrap_or(DEFAULT_TIMEOUT),
            own_limit: timeout.or(self.defaults.timeout).is_some(),
            target,
            cwd: text(self.reader, own, "cwd").filter(|cwd| cwd != ".").or(near_cwd),
            ok_exit: self.ok_exit(own),
            capture,
            tty,
            ..RunCommand::new(frame.id, written, exec, risk, own.mark())
        })
    }

    /// Exactly one of what can run.
    fn exec(&mut self, own: &Fields<'_>) -> Option<(Exec, String)> {
        let mut found = None;
        for key in ["argv", "sh", "promql"] {
            let Some(node) = own.get(key) else { continue };
            if let Some(first) = found {
                self.error(
                    node.mark,
                    &format!("`{key}` beside `{first}`; only `{first}` is used (expected one of them)"),
                );
                continue;
            }
            found = Some(key);
        }
        let Some(key) = found else {
            self.error(own.mark(), "nothing to run here (expected `argv: [program, argument]` or `sh: line`)");
            return None;
        };
        let node = own.get(key)?;
        match key {
            "argv" => {
                let argv = self.argv(node)?;
                let written = joined(&argv);
                Some((Exec::Argv(argv), written))
            }
            "sh" => {
                let line = self.reader.string(node, "sh")?.trim().to_owned();
                if line.is_empty() {
                    self.error(node.mark, "`sh` is empty");
                    return None;
                }
                Some((Exec::Sh(line.clone()), line))
            }
            _ => query(self.reader, node, "promql").map(|said| (Exec::Query(said.clone()), said)),
        }
    }

    /// A list of texts, all of them good: a command that lost an argument is another command.
    fn argv(&mut self, node: &Node) -> Option<Vec<String>> {
        let Value::Seq(nodes) = &node.value else {
            self.reader.wrong(node, "argv", "a list: [program, argument, …]; a line for the shell goes under `sh`");
            return None;
        };
        let argv: Vec<Option<String>> = nodes.iter().map(|n| self.reader.string(n, "an argument")).collect();
        let argv: Vec<String> = argv.into_iter().collect::<Option<_>>()?;
        if argv.first().is_none_or(|program| program.trim().is_empty()) {
            self.error(node.mark, "`argv` names no program (expected [program, argument, …])");
            return None;
        }
        Some(argv)
    }

    /// The declared risk.
    pub(super) fn risk(&mut self, own: &Fields<'_>) -> Option<Risk> {
        own.get("risk").and_then(|n| word(self.reader, n, "risk", &Risk::ALL.map(|r| (r.word(), r))))
    }

    fn query_alone(&mut self, own: &Fields<'_>) -> Risk {
        for key in PROCESS_KEYS {
            if let Some(node) = own.get(key) {
                self.error(node.mark, &format!("`{key}` does nothing for a query, which is no program"));
            }
        }
        if let Some(node) = own.get("risk").filter(|n| n.text() != Some("read")) {
            self.error(node.mark, "a query only reads; its risk is `read`");
        }
        Risk::Read
    }

    /// Words may raise what was said, never lower it.
    fn raised(&mut self, own: &Fields<'_>, written: &str, said: Risk, dry: bool) -> Risk {
        let rehearses = |w: &str| matches!(w, "--dry-run" | "--dry-run=server" | "--dry-run=client" | "--check");
        let Some(destroys) = destructive_word(written) else { return said };
        if dry && written.split_whitespace().any(rehearses) {
            return said;
        }
        if matches!(said, Risk::Read | Risk::Change) {
            let message =
                format!("`{destroys}` destroys, but the risk says `{}`; it is treated as `destroy`", said.word());
            self.reader.error(own.mark(), "RB005", message);
        }
        Risk::Destroy
    }

    fn ok_exit(&mut self, own: &Fields<'_>) -> Vec<i32> {
        let Some(node) = own.get("ok_exit") else { return vec![0] };
        let mut codes = Vec::new();
        for item in self.reader.list(node, "ok_exit") {
            match item.text().and_then(|said| said.parse().ok()).filter(|code| (0..=255).contains(code)) {
                Some(code) => codes.push(code),
                None => self.reader.wrong(item, "ok_exit", "exit codes from 0 to 255"),
            }
        }
        if codes.is_empty() { vec![0] } else { codes }
    }

    fn captures(&mut self, own: &Fields<'_>) -> Vec<Capture> {
        let mut captures: Vec<Capture> = Vec::new();
        for node in self.several(own, "capture") {
            let Some(inner) = self.fields(node, &CAPTURE) else { continue };
            let name = inner.need(self.reader, "name").and_then(|n| self.name(n));
            let regex = inner.need(self.reader, "regex").and_then(|n| self.regex(n, "regex", "RB001", true));
            let (Some(name), Some((said, groups))) = (name, regex) else { continue };
            if groups == 0 {
                let at = inner.get("regex").map_or(node.mark, |n| n.mark);
                self.error(at, &format!("`{}` has no group: put the value in parentheses", truncate(&said, 40)));
                continue;
            }
            captures.push(Capture { name, regex: said, mark: node.mark });
        }
        captures
    }

    fn retry(&mut self, node: &Node, command: &RunCommand) -> Option<Retry> {
        let own = self.fields(node, &RETRY)?;
        let times = own.need(self.reader, "times")?;
        let Some(count) = times.text().and_then(|n| n.parse().ok()).filter(|n| (1..=TRIES).contains(n)) else {
            self.reader.wrong(times, "times", "a whole number from 1 to 10");
            return None;
        };
        let delay = own.get("delay").and_then(|n| self.reader.span(n, "delay")).unwrap_or(Span::seconds(5));
        if command.risk.is_dangerous() {
            let message = format!("only a read is tried again by itself; this one says `{}`", command.risk.word());
            self.error(node.mark, &message);
            return None;
        }
        Some(Retry { times: count, delay })
    }
}
