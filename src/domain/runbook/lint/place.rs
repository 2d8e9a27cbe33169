//! Where cluster commands act: a change without a namespace acts wherever the last person was, and two namespaces or
//! contexts in one runbook are usually one too many.

use super::Linter;
use crate::domain::document::Mark;
use crate::domain::runbook::model::{Exec, RunCommand};
use crate::domain::runbook::shell::scan;

/// Verbs that change what is in a namespace.
const VERBS: [&str; 15] = [
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
    "annotate",
    "label",
];
/// Verbs of `rollout` that only look.
const LOOKS: [&str; 2] = ["status", "history"];

impl Linter<'_> {
    /// RB008 over all commands.
    pub(super) fn places(&mut self) {
        let runbook = self.runbook;
        let mut spaces: Vec<(Mark, String)> = Vec::new();
        let mut contexts: Vec<(Mark, String)> = Vec::new();
        for (_, command) in runbook.parts() {
            let words = elements(command);
            if !words.iter().any(|w| is_cluster_tool(w)) {
                continue;
            }
            if let Some(verb) = change_without_namespace(&words) {
                let fix = if self.is_v1() { "-n '${NAMESPACE}'" } else { "-n \"$MW_LABEL_NAMESPACE\"" };
                let message = format!("`{verb}` without a namespace acts in whatever namespace is current (add {fix})");
                self.warn(command.mark, "RB008", message);
            }
            let seen = |value: &String| self.is_v1() || !value.contains('$');
            spaces.extend(namespace(&words).filter(seen).map(|space| (command.mark, unquoted(&space))));
            contexts.extend(context(&words).map(|context| (command.mark, unquoted(&context))));
        }
        self.differing("namespace", &spaces);
        self.differing("context", &contexts);
    }

    fn differing(&mut self, what: &str, found: &[(Mark, String)]) {
        let Some((_, first)) = found.first() else { return };
        for (mark, other) in found.iter().filter(|(_, other)| other != first) {
            self.warn(*mark, "RB008", format!("{what} `{other}` here, `{first}` in an earlier command"));
        }
    }
}

/// The words of a command as they were written.
pub(super) fn elements(command: &RunCommand) -> Vec<String> {
    match &command.exec {
        Exec::Argv(argv) => argv.clone(),
        Exec::Sh(text) => scan(text).words.into_iter().map(|w| w.text).collect(),
        Exec::Query(_) => Vec::new(),
    }
}

/// A value may be written with or without quotes and braces.
fn unquoted(value: &str) -> String {
    value.chars().filter(|c| !"\"'{}".contains(*c)).collect()
}

fn option(words: &[String], short: Option<&str>, long: &[&str]) -> Option<String> {
    words.iter().enumerate().find_map(|(i, word)| {
        if Some(word.as_str()) == short || long.contains(&word.as_str()) {
            return words.get(i + 1).cloned();
        }
        let (name, value) = word.split_once('=')?;
        (Some(name) == short || long.contains(&name)).then(|| value.to_owned())
    })
}

/// The value after `-n` or `--namespace`.
fn namespace(words: &[String]) -> Option<String> {
    if words.iter().any(|w| w == "-A" || w == "--all-namespaces") {
        return Some("$all".to_owned());
    }
    option(words, Some("-n"), &["--namespace"])
}

fn context(words: &[String]) -> Option<String> {
    option(words, None, &["--context", "--kube-context", "--cluster"])
}

fn is_cluster_tool(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("kubectl" | "oc" | "helm"))
}

/// The tool and verb of a command that changes a cluster and names no namespace.
pub fn lacks_namespace(command: &RunCommand) -> Option<String> {
    change_without_namespace(&elements(command))
}

/// The verb of a command that changes things in a namespace without naming one.
fn change_without_namespace(words: &[String]) -> Option<String> {
    if namespace(words).is_some() {
        return None;
    }
    let mut after = words.iter().skip_while(|w| !is_cluster_tool(w));
    let tool = after.next()?;
    let mut verbs = after.filter(|w| !w.starts_with('-'));
    let verb = verbs.next()?;
    let looks = verb == "rollout" && verbs.next().is_some_and(|sub| LOOKS.contains(&sub.as_str()));
    (VERBS.contains(&verb.as_str()) && !looks).then(|| format!("{tool} {verb}"))
}
