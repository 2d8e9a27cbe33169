//! What in a runbook will hurt at three in the morning. Judges a runbook that was read; says nothing about servers,
//! programs or files, and never hides a runbook because of what it found.

use crate::domain::document::{Finding, Level, Mark, nearest};
use crate::domain::runbook::model::{Exec, Link, Phase, RunCommand, Runbook, Step};
use crate::domain::runbook::shell::{Quoting, Scan, is_name, places, scan};
use crate::domain::runbook::values::{AMBIENT, KNOWN, is_known};
use crate::domain::text::{clean, is_hidden, truncate};
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Linter<'r> {
    runbook: &'r Runbook,
    findings: Vec<Finding>,
}

/// Findings in a runbook, in the order of its file. `now` dates its review; without it only a missing date is told.
/// What cannot be read at all was already reported by [`crate::domain::runbook::format::read`].
pub fn lint(runbook: &Runbook, now: Option<Timestamp>) -> Vec<Finding> {
    let mut linter = Linter { runbook, findings: Vec::new() };
    linter.head(now);
    linter.steps();
    if !runbook.is_runnable() {
        // A page of prose is read; its commands are judged when somebody makes a runbook of it.
        linter.findings.sort_by_key(|f| (f.line, f.column));
        return linter.findings;
    }
    let mut spaces = Vec::new();
    for (_, command) in runbook.commands() {
        linter.command(command);
        spaces.extend(literal_namespace(command).map(|space| (command.mark, space)));
    }
    linter.namespaces(&spaces);
    linter.escalation();
    let mut findings = linter.findings;
    findings.sort_by_key(|f| (f.line, f.column));
    findings
}

/// Findings that take several runbooks: one id or one alert claimed twice.
pub fn lint_together(runbooks: &[Arc<Runbook>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids: BTreeMap<&str, &Runbook> = BTreeMap::new();
    let mut alerts: BTreeMap<(String, Vec<String>), &Runbook> = BTreeMap::new();
    for runbook in runbooks {
        let first = *ids.entry(runbook.id.as_str()).or_insert(runbook);
        if first.path != runbook.path {
            let message = format!("the id `{}` belongs to {} already; that one is used", runbook.id, first.path);
            findings.push(finding(runbook, Mark { line: 1, column: 1 }, Level::Error, "RB001", &message));
        }
        for trigger in &runbook.triggers {
            let mut matchers: Vec<String> = trigger.matchers.iter().map(ToString::to_string).collect();
            matchers.sort();
            let first = *alerts.entry((trigger.alert.clone(), matchers)).or_insert(runbook);
            if first.id != runbook.id {
                let message = format!("{} claims the alert {} too, with the same matchers", first.path, trigger.alert);
                findings.push(finding(runbook, trigger.mark, Level::Warning, "RB010", &message));
            }
        }
    }
    findings
}

fn finding(runbook: &Runbook, mark: Mark, level: Level, rule: &str, message: &str) -> Finding {
    Finding {
        path: runbook.path.clone(),
        line: mark.line,
        column: mark.column,
        rule: rule.to_owned(),
        level,
        message: clean(message).into_owned(),
    }
}

impl Linter<'_> {
    fn report(&mut self, mark: Mark, level: Level, rule: &str, message: impl AsRef<str>) {
        self.findings.push(finding(self.runbook, mark, level, rule, message.as_ref()));
    }

    fn warn(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Warning, rule, message);
    }

    fn head(&mut self, now: Option<Timestamp>) {
        let top = Mark { line: 1, column: 1 };
        let runbook = self.runbook;
        if runbook.triggers.is_empty() {
            self.warn(top, "RB010", "no trigger names an alert; the runbook is found by its name only");
        }
        let missing: Vec<&str> = [("owner", runbook.owner.is_none()), ("reviewed", runbook.reviewed.is_none())]
            .into_iter()
            .filter_map(|(key, missing)| missing.then_some(key))
            .collect();
        if !missing.is_empty() {
            self.warn(top, "RB009", format!("nobody is known to keep it right: no `{}`", missing.join("`, no `")));
        }
        if let (Some(reviewed), Some(now)) = (runbook.reviewed, now) {
            let age = now.date_naive().signed_duration_since(reviewed);
            if age > runbook.review_every {
                let limit = runbook.review_every.num_days();
                let message = format!("last reviewed {} days ago (a review holds {limit} days)", age.num_days());
                self.warn(top, "RB009", message);
            }
        }
        self.links(&runbook.links);
    }

    fn links(&mut self, links: &[Link]) {
        for link in links.iter().filter(|link| !link.url.starts_with("https://")) {
            let url = truncate(&link.url, 60).into_owned();
            self.warn(link.mark, "RB011", format!("`{url}` is not an https address"));
        }
    }

    fn steps(&mut self) {
        let runbook = self.runbook;
        for step in &runbook.steps {
            self.links(&step.links);
            if step.is_bare() && step.say.trim().is_empty() {
                self.warn(step.mark, "RB013", format!("step `{}` says nothing to do", step.id));
            } else if let Some(word) = unfinished(&step.name).or_else(|| unfinished(&step.say)) {
                self.warn(step.mark, "RB013", format!("step `{}` is not written yet: `{word}`", step.id));
            }
        }
        let mitigates =
            |step: &Step| !step.options.is_empty() || (step.phase == Some(Phase::Mitigate) && !step.is_bare());
        if !runbook.steps.iter().any(mitigates) {
            let top = Mark { line: 1, column: 1 };
            self.warn(top, "RB013", "no step stops the pain (expected one with `options` or `phase: mitigate`)");
        }
    }

    fn command(&mut self, command: &RunCommand) {
        if command.text.chars().any(is_hidden) {
            self.report(command.mark, Level::Error, "RB002", "the command holds a hidden character and cannot be run");
        }
        if let Some(left) = placeholder(&command.text) {
            let message = format!("`{left}` is left to fill in; the command cannot be right as it stands");
            self.report(command.mark, Level::Error, "RB007", message);
        }
        match &command.exec {
            Exec::Sh(text) => self.shell(command, &scan(text)),
            Exec::Argv(argv) => self.elements(command, argv),
            Exec::Query(_) => {}
        }
        if let Some(verb) = change_without_namespace(command) {
            let message = format!(
                "`{verb}` without a namespace acts in whatever namespace is current (add -n \"$MW_LABEL_NAMESPACE\")"
            );
            self.warn(command.mark, "RB008", message);
        }
    }

    fn shell(&mut self, command: &RunCommand, scan: &Scan) {
        let assigned = scan.assigned();
        for mention in &scan.mentions {
            let name = mention.name.as_str();
            let ours = is_known(name) && !assigned.contains(&name);
            if mention.quoting == Quoting::Bare && !assigned.contains(&name) {
                let message = format!("${name} is not quoted: its value is split and globbed (write \"${name}\")");
                self.warn(command.mark, "RB004", message);
            }
            let foreign = mention.quoting != Quoting::Single && !mention.has_default;
            if foreign && !ours && !AMBIENT.contains(&name) && !assigned.contains(&name) {
                self.undeclared(command.mark, name);
            }
        }
        let word = |text: &str| scan.words.iter().any(|w| w.text == text);
        if word("eval") {
            self.report(command.mark, Level::Error, "RB004", "`eval` reads values as commands");
        }
        let shell = ["sh", "bash", "zsh", "dash", "/bin/sh", "/bin/bash"].into_iter().any(word);
        let nested = word("ssh") || word("su") || (shell && word("-c"));
        let expanded = scan.mentions.iter().find(|m| m.quoting != Quoting::Single && is_known(&m.name));
        if let (true, Some(mention)) = (nested, expanded) {
            let message =
                format!("${} is read again by a second shell; a value can become a command there", mention.name);
            self.report(command.mark, Level::Error, "RB004", message);
        }
    }

    fn elements(&mut self, command: &RunCommand, argv: &[String]) {
        for name in argv.iter().flat_map(|element| places(element)).filter(|name| !is_known(name)) {
            self.undeclared(command.mark, name);
        }
        let bare = argv.iter().find_map(|e| {
            e.split('$').skip(1).find_map(|tail| {
                let name: String = tail.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                is_name(&name).then_some(name)
            })
        });
        if let Some(name) = bare {
            self.warn(command.mark, "RB003", format!("${name} stays as it is in a list (write ${{{name}}})"));
        }
    }

    fn undeclared(&mut self, mark: Mark, name: &str) {
        let hint = match nearest(name, KNOWN) {
            Some(near) => format!("nearest: {near}"),
            None => format!("expected one of: {}, MW_LABEL_<NAME>", KNOWN.join(", ")),
        };
        let message = format!("nothing gives ${name} a value, so the command will be refused ({hint})");
        self.report(mark, Level::Error, "RB003", message);
    }

    fn namespaces(&mut self, spaces: &[(Mark, String)]) {
        let Some((_, first)) = spaces.first() else { return };
        for (mark, other) in spaces.iter().filter(|(_, space)| space != first) {
            self.warn(*mark, "RB008", format!("namespace `{other}` here, `{first}` in an earlier command"));
        }
    }

    fn escalation(&mut self) {
        let runbook = self.runbook;
        if runbook.escalation.is_empty() {
            let top = Mark { line: 1, column: 1 };
            self.warn(top, "RB014", "no escalation: nobody is named who could be called for help");
        }
        let mut before = None;
        for rung in &runbook.escalation {
            if rung.assumed {
                let message =
                    format!("{}: no clock is named; `unmitigated` is assumed (until the pain stops)", rung.contact);
                self.report(rung.mark, Level::Info, "RB014", message);
            }
            if before.is_some_and(|before| rung.after < before) {
                self.warn(rung.mark, "RB014", format!("{} comes earlier than the one above", rung.contact));
            }
            before = Some(rung.after);
        }
    }
}

/// The first word that says the step is still to be written.
fn unfinished(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| matches!(*word, "TODO" | "TBD" | "FIXME" | "XXX"))
}

/// A place that somebody meant to fill in: `<name>`, `XXX`, `CHANGEME`.
fn placeholder(text: &str) -> Option<String> {
    let marker =
        |w: &&str| matches!(*w, "TODO" | "TBD" | "FIXME" | "CHANGEME") || (w.len() >= 3 && w.chars().all(|c| c == 'X'));
    if let Some(word) = text.split(|c: char| !c.is_ascii_alphanumeric()).find(marker) {
        return Some(word.to_owned());
    }
    text.split('<').skip(1).find_map(|tail| {
        let (inner, _) = tail.split_once('>')?;
        let named = inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || "-_ ".contains(c))
            && !inner.ends_with(' ');
        named.then(|| format!("<{inner}>"))
    })
}

/// The word of a command that removes what cannot be brought back.
pub fn destructive_word(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 11] = [
        "delete",
        "drop",
        "truncate",
        "mkfs",
        "--force",
        "drain",
        "destroy",
        "wipefs",
        "--grace-period=0",
        "shred",
        "dropdb",
    ];
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || "\"'`();|&,".contains(c)).collect();
    if let Some(word) = WORDS.into_iter().find(|word| {
        words
            .iter()
            .any(|w| w == word || (*word == "mkfs" && w.starts_with("mkfs.")) || w.strip_prefix('-') == Some(*word))
    }) {
        return Some(word);
    }
    let after = |first: &str, rest: &dyn Fn(&str) -> bool| {
        let mut found = words.iter().skip_while(|w| w.rsplit('/').next() != Some(first)).skip(1);
        found.any(|w| rest(w))
    };
    if after("rm", &|w| (w.starts_with('-') && !w.starts_with("--") && w.contains('r')) || w == "--recursive") {
        return Some("rm -r");
    }
    if words.contains(&"reset") && words.contains(&"--hard") {
        return Some("reset --hard");
    }
    None
}

fn elements(command: &RunCommand) -> Vec<String> {
    match &command.exec {
        Exec::Argv(argv) => argv.clone(),
        Exec::Sh(text) => scan(text).words.into_iter().map(|w| w.text).collect(),
        Exec::Query(_) => Vec::new(),
    }
}

/// The value after `-n` or `--namespace` of a kubectl or helm command.
fn namespace(words: &[String]) -> Option<String> {
    words.iter().enumerate().find_map(|(i, word)| match word.as_str() {
        "-n" | "--namespace" => words.get(i + 1).cloned(),
        "-A" | "--all-namespaces" => Some("$all".to_owned()),
        word => word.strip_prefix("--namespace=").or_else(|| word.strip_prefix("-n=")).map(str::to_owned),
    })
}

fn is_cluster_tool(words: &[String]) -> bool {
    words.iter().any(|w| matches!(w.rsplit('/').next(), Some("kubectl" | "oc" | "helm")))
}

fn literal_namespace(command: &RunCommand) -> Option<String> {
    let words = elements(command);
    let space = namespace(&words).filter(|_| is_cluster_tool(&words))?;
    (!space.contains('$')).then_some(space)
}

/// The verb of a command that changes things in a namespace without naming one.
fn change_without_namespace(command: &RunCommand) -> Option<String> {
    const VERBS: [&str; 13] = [
        "scale",
        "set",
        "delete",
        "rollout",
        "apply",
        "patch",
        "edit",
        "create",
        "replace",
        "exec",
        "rollback",
        "upgrade",
        "uninstall",
    ];
    let words = elements(command);
    if !is_cluster_tool(&words) || namespace(&words).is_some() {
        return None;
    }
    let mut after = words.iter().skip_while(|w| !matches!(w.rsplit('/').next(), Some("kubectl" | "oc" | "helm")));
    let tool = after.next()?;
    let verb = after.find(|w| !w.starts_with('-'))?;
    VERBS.contains(&verb.as_str()).then(|| format!("{tool} {verb}"))
}
