//! Values: every name that a command uses is declared above it, has a rule to keep to, and stands where it cannot become a
//! command.

use super::Linter;
use crate::domain::document::{Level, Mark, nearest};
use crate::domain::runbook::model::{Condition, Dialect, Exec, Expect, InputFrom, Mutation, RunCommand, Step, When};
use crate::domain::runbook::shell::{Quoting, Scan, is_name, places, scan};
use crate::domain::runbook::values::{AMBIENT, KNOWN, is_known};
use std::collections::{BTreeMap, BTreeSet};

/// Shells that read a text as commands.
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "dash", "ksh", "ash"];

/// Names in the order in which they get values.
struct Names<'r> {
    inputs: BTreeMap<&'r str, &'r InputFrom>,
    /// Every capture of the runbook with its line.
    captures: BTreeMap<&'r str, usize>,
    /// Those of the commands above.
    captured: BTreeSet<&'r str>,
    secrets: BTreeSet<&'r str>,
}

/// Whether a name has a value by now.
enum Known {
    Yes,
    Later(usize),
    No,
}

impl Names<'_> {
    fn known(&self, name: &str) -> Known {
        match self.inputs.get(name) {
            Some(InputFrom::Step(capture)) => self.captured_by_now(capture),
            Some(_) => Known::Yes,
            None if self.captures.contains_key(name) => self.captured_by_now(name),
            None if is_known(name) => Known::Yes,
            None => Known::No,
        }
    }

    fn captured_by_now(&self, name: &str) -> Known {
        match self.captures.get(name) {
            Some(_) if self.captured.contains(name) => Known::Yes,
            Some(line) => Known::Later(*line),
            None => Known::No,
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().chain(self.captures.keys()).copied().chain(KNOWN)
    }
}

impl<'r> Linter<'r> {
    /// RB003 and RB004 over the whole runbook, in the order of its file.
    pub(super) fn names(&mut self) {
        let runbook = self.runbook;
        let mut names = Names {
            inputs: runbook.inputs.iter().map(|i| (i.name.as_str(), &i.from)).collect(),
            captures: BTreeMap::new(),
            captured: BTreeSet::new(),
            secrets: runbook.inputs.iter().filter(|i| i.secret).map(|i| i.name.as_str()).collect(),
        };
        for capture in runbook.parts().flat_map(|(_, command)| &command.capture) {
            names.captures.entry(capture.name.as_str()).or_insert(capture.mark.line);
        }
        self.inputs(&names);
        for guard in &runbook.guards {
            self.use_of(&guard.command, &mut names);
            let (Expect::Equals(text) | Expect::Matches(text)) = &guard.expect;
            self.not_replaced(guard.mark, text);
        }
        for step in &runbook.steps {
            self.step_names(step, &mut names);
        }
    }

    fn inputs(&mut self, names: &Names<'_>) {
        let runbook = self.runbook;
        for input in &runbook.inputs {
            if input.pattern.is_none() && input.from.is_outside() {
                let message = format!("the input `{}` has no pattern: say which values can be right", input.name);
                self.error(input.mark, "RB003", message);
            }
            if let InputFrom::Step(capture) = &input.from
                && !names.captures.contains_key(capture.as_str())
            {
                let near = nearest(capture, names.captures.keys().copied());
                let hint = near.map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
                self.error(input.mark, "RB003", format!("no command captures `{capture}`{hint}"));
            }
        }
    }

    fn step_names(&mut self, step: &'r Step, names: &mut Names<'r>) {
        if let Some(When::Compare(compare)) = &step.when {
            compare.names().for_each(|name| self.need(compare.mark, name, names, false));
        }
        if self.is_v1() {
            let checks = step.checks.iter().flat_map(|c| [Some(c.question.as_str()), c.hint.as_deref()]).flatten();
            let words = [step.name.as_str(), step.say.as_str()].into_iter();
            for words in words.chain(checks).chain(step.todos.iter().map(String::as_str)) {
                self.shown_as_written(step.mark, words);
            }
        }
        for command in &step.commands {
            self.group(Some(command), command.mutation.as_deref(), names);
        }
        for option in &step.options {
            if self.is_v1() {
                self.shown_as_written(option.mark, &option.action);
            }
            self.group(option.command.as_ref(), Some(&option.mutation), names);
        }
        for suggest in step.checks.iter().filter_map(|c| c.suggest.as_ref()) {
            self.not_replaced(suggest.mark, &suggest.promql);
        }
    }

    /// A command with what stands around it, in the order in which values come to be.
    fn group(&mut self, command: Option<&'r RunCommand>, mutation: Option<&'r Mutation>, names: &mut Names<'r>) {
        let mut required = mutation.and_then(|m| m.require.as_ref());
        for (part, command) in crate::domain::runbook::model::mutation::around(command, mutation) {
            let past_before = part != crate::domain::runbook::model::Part::Before;
            if let Some(compare) = required.take_if(|_| past_before) {
                compare.names().for_each(|name| self.need(compare.mark, name, names, false));
            }
            self.use_of(command, names);
        }
        let Some(mutation) = mutation else { return };
        if let Some(verify) = &mutation.verify
            && let Condition::Promql { query, .. } = &verify.what
        {
            self.not_replaced(verify.mark, query);
        }
        if let (Some(impact), Some(command)) = (&mutation.impact, command) {
            self.shown_as_written(command.mark, impact);
        }
    }

    /// What a command uses, then what it captures.
    fn use_of(&mut self, command: &'r RunCommand, names: &mut Names<'r>) {
        match &command.exec {
            Exec::Sh(text) => self.shell(command, &scan(text), names),
            Exec::Argv(argv) => self.elements(command, argv, names),
            Exec::Query(text) => self.not_replaced(command.mark, text),
        }
        if let Some(cwd) = &command.cwd {
            self.not_replaced(command.mark, cwd);
        }
        names.captured.extend(command.capture.iter().map(|c| c.name.as_str()));
    }

    fn shell(&mut self, command: &RunCommand, scan: &Scan, names: &Names<'_>) {
        let assigned = scan.assigned();
        for mention in &scan.mentions {
            let name = mention.name.as_str();
            if assigned.contains(&name) {
                continue;
            }
            if mention.quoting == Quoting::Bare {
                let message = format!("${name} is not quoted: its value is split and globbed (write \"${name}\")");
                let level = if self.is_v1() { Level::Error } else { Level::Warning };
                self.report(command.mark, level, "RB004", message);
            }
            let foreign = mention.quoting != Quoting::Single && !mention.has_default;
            if foreign && !AMBIENT.contains(&name) {
                self.need(command.mark, name, names, false);
            }
        }
        let word = |text: &str| scan.words.iter().any(|w| w.text == text);
        if word("eval") {
            self.error(command.mark, "RB004", "`eval` reads values as commands");
        }
        let shell = scan.words.iter().any(|w| is_shell(&w.text)) && scan.words.iter().any(|w| is_c(&w.text));
        let nested = word("ssh") || word("su") || shell;
        let ours = |name: &str| !assigned.contains(&name) && !matches!(names.known(name), Known::No);
        let expanded = scan.mentions.iter().find(|m| m.quoting != Quoting::Single && ours(&m.name));
        if let (true, Some(mention)) = (nested, expanded) {
            let message =
                format!("${} is read again by a second shell; a value can become a command there", mention.name);
            self.error(command.mark, "RB004", message);
        }
    }

    fn elements(&mut self, command: &RunCommand, argv: &[String], names: &Names<'_>) {
        for name in argv.iter().flat_map(|element| places(element)) {
            self.need(command.mark, name, names, true);
        }
        if argv.first().is_some_and(|program| !places(program).is_empty()) {
            self.error(command.mark, "RB004", "a value must not choose the program that runs");
        }
        if let Some(name) = read_again(argv) {
            let message = format!("${name} is read again by a second shell; a value can become a command there");
            self.error(command.mark, "RB004", message);
        }
        let bare = argv.iter().find_map(|e| {
            e.split('$').skip(1).find_map(|tail| {
                let name: String = tail.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                is_name(&name).then_some(name)
            })
        });
        // A text that a second shell is given may have variables of its own.
        if let Some(name) = bare.filter(|_| !argv.iter().any(|e| is_shell(e))) {
            self.warn(command.mark, "RB003", format!("${name} stays as it is in a list (write ${{{name}}})"));
        }
    }

    /// Tells a name that has no value here.
    fn need(&mut self, mark: Mark, name: &str, names: &Names<'_>, argument: bool) {
        if argument && names.secrets.contains(name) {
            let message =
                format!("${name} is secret, and arguments can be read by everybody here (use `sh` and \"${name}\")");
            self.error(mark, "RB004", message);
        }
        match names.known(name) {
            Known::Yes => {}
            Known::Later(line) => {
                let message = format!("${name} is captured only at line {line}; here it has no value yet");
                self.error(mark, "RB003", message);
            }
            Known::No => {
                let hint = match nearest(name, names.all()) {
                    Some(near) => format!("nearest: {near}"),
                    None if self.runbook.dialect == Dialect::V1 => "declare it under `inputs`".to_owned(),
                    None => format!("expected one of: {}, MW_LABEL_<NAME>", KNOWN.join(", ")),
                };
                let message = format!("nothing gives ${name} a value, so the command will be refused ({hint})");
                self.error(mark, "RB003", message);
            }
        }
    }

    fn not_replaced(&mut self, mark: Mark, text: &str) {
        if let (true, Some(name)) = (self.is_v1(), places(text).first()) {
            self.error(mark, "RB003", format!("${{{name}}} is replaced only inside an element of `argv`, not here"));
        }
    }

    fn shown_as_written(&mut self, mark: Mark, words: &str) {
        if let (true, Some(name)) = (self.is_v1(), places(words).first()) {
            self.warn(mark, "RB003", format!("${{{name}}} is not replaced in words; it is shown as it stands"));
        }
    }
}

fn is_shell(word: &str) -> bool {
    word.rsplit('/').next().is_some_and(|name| SHELLS.contains(&name))
}

/// `-c`, or flags with it: `-ec`, `-lc`.
fn is_c(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|flags| flags.ends_with('c') && flags.chars().all(|c| c.is_ascii_alphabetic()))
}

/// The value in a list that a second shell would read as commands: in the text behind `sh -c`, or anywhere behind `ssh`.
fn read_again(argv: &[String]) -> Option<&str> {
    let shell = argv.iter().position(|word| is_shell(word) || word == "su");
    let text = shell.and_then(|at| {
        let rest = argv.get(at + 1..)?;
        rest.get(rest.iter().position(|word| is_c(word))? + 1)
    });
    let eval = argv.iter().position(|word| word == "eval").and_then(|at| argv.get(at + 1..));
    let remote = argv.first().filter(|p| p.rsplit('/').next() == Some("ssh")).and_then(|_| argv.get(2..));
    let behind = remote.or(eval).unwrap_or_default();
    text.into_iter().chain(behind).flat_map(|element| places(element)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_shell_is_seen() {
        let told = |argv: &[&str]| {
            let argv: Vec<String> = argv.iter().map(|s| (*s).to_owned()).collect();
            read_again(&argv).map(str::to_owned)
        };
        assert_eq!(told(&["sh", "-c", "echo ${A}"]).as_deref(), Some("A"));
        assert_eq!(told(&["sh", "-c", "echo \"$1\"", "_", "${A}"]), None);
        assert_eq!(told(&["kubectl", "exec", "${POD}", "--", "/bin/bash", "-lc", "ls ${A}"]).as_deref(), Some("A"));
        assert_eq!(told(&["ssh", "${HOST}", "ls"]), None);
        assert_eq!(told(&["ssh", "host", "ls", "${A}"]).as_deref(), Some("A"));
        assert_eq!(told(&["tar", "-c", "${A}"]), None);
    }
}
