//! A page as a file of format v1, for a person to review: what the page says is written, what it only suggests stands in
//! comments. A command that cannot be written so that a value in it stays one word is left out, and told. Makes a text;
//! writes no file.

use crate::domain::document::write::quoted;
use crate::domain::runbook::markdown::blank::{blanks, filled, variables};
use crate::domain::runbook::markdown::{Page, Rejected, proposal};
use crate::domain::runbook::model::{Exec, Input, InputFrom, RunCommand, Runbook, Step};
use crate::domain::runbook::pieces::slug;
use crate::domain::text::clean;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A file of format v1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Its text.
    pub yaml: String,
    /// The commands in it, as the page has them.
    pub commands: Vec<String>,
    /// Commands of the page that are not in it, and why.
    pub left_out: Vec<Rejected>,
}

/// Writes a page. `None` where it has nothing to walk.
pub fn write(page: &Page) -> Option<Written> {
    let book = page.runbook.as_ref()?;
    let mut writer = Writer { out: Written::default(), ours: names(book) };
    writer.head(book);
    writer.line(0, "steps:");
    for step in &book.steps {
        writer.step(step);
    }
    writer.comment(0, "blank: whom to call when it lasts");
    writer.comment(0, "escalation:");
    writer.comment(0, "  - {after: 15m, clock: unmitigated, contact: WHO}");
    Some(writer.out)
}

/// Every name that the file gives a value to.
fn names(book: &Runbook) -> BTreeSet<String> {
    let captured = book.commands().flat_map(|(_, c)| c.capture.iter().map(|c| c.name.clone()));
    book.inputs.iter().map(|i| i.name.clone()).chain(captured).collect()
}

struct Writer {
    out: Written,
    ours: BTreeSet<String>,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        let yaml = &mut self.out.yaml;
        yaml.push_str(&" ".repeat(indent));
        yaml.push_str(text);
        yaml.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        self.line(indent, &format!("# {}", clean(text)));
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        self.line(indent, &format!("{key}: {}", quoted(value)));
    }

    fn head(&mut self, book: &Runbook) {
        self.comment(
            0,
            &format!("From {}. Nothing here was judged: every command has the risk `unknown` until", book.path),
        );
        self.comment(0, "a person replaces it. Lines that begin with `proposal` or `blank` are for that person.");
        self.line(0, "apiVersion: midwatch/v1");
        self.line(0, "kind: Runbook");
        self.pair(0, "id", book.id.as_str());
        self.pair(0, "name", &book.name);
        if !book.description.is_empty() {
            self.pair(0, "description", &book.description);
        }
        match &book.owner {
            Some(owner) => self.pair(0, "owner", owner),
            None => self.comment(0, "blank: owner: the team that keeps it right"),
        }
        match book.reviewed {
            Some(date) => self.line(0, &format!("reviewed: {date}")),
            None => self.comment(0, "blank: reviewed: the day on which somebody read it against reality (YYYY-MM-DD)"),
        }
        match book.triggers.as_slice() {
            [] => self.comment(0, "blank: triggers: [{alert: NAME}]"),
            some => {
                self.line(0, "triggers:");
                some.iter().for_each(|t| self.line(2, &format!("- alert: {}", quoted(&t.alert))));
            }
        }
        if !book.inputs.is_empty() {
            self.line(0, "inputs:");
            book.inputs.iter().for_each(|input| self.input(input));
        }
    }

    fn input(&mut self, input: &Input) {
        let InputFrom::Ask { prompt } = &input.from else { return };
        let mut keys = format!("name: {}, from: ask, prompt: {}", input.name, quoted(prompt));
        if let Some(pattern) = &input.pattern {
            let _infallible = write!(keys, ", pattern: {}", quoted(pattern));
        }
        if let Some(default) = &input.default {
            let _infallible = write!(keys, ", default: {}", quoted(default));
        }
        if input.secret {
            keys.push_str(", secret: true");
        }
        self.line(2, &format!("- {{{keys}}}"));
        let label = input.name.to_ascii_lowercase();
        if matches!(
            label.as_str(),
            "namespace" | "pod" | "node" | "instance" | "job" | "service" | "cluster" | "deployment"
        ) {
            self.comment(4, &format!("proposal: from: 'label:{label}'"));
        }
    }

    fn step(&mut self, step: &Step) {
        self.line(2, &format!("- id: {}", quoted(step.id.as_str())));
        self.pair(4, "name", &step.name);
        if let Some(phase) = step.phase {
            self.line(4, &format!("phase: {}", phase.word()));
        }
        let mut say: Vec<String> = step.say.lines().map(str::to_owned).collect();
        let mut written: Vec<(&RunCommand, String)> = Vec::new();
        for command in &step.commands {
            match self.command(command) {
                Ok(text) => written.push((command, text)),
                Err(why) => {
                    say.push(format!("by hand: {}", command.text));
                    self.out.left_out.push(Rejected {
                        text: command.text.clone(),
                        why: why.to_owned(),
                        mark: command.mark,
                    });
                }
            }
        }
        say.extend(step.prose.iter().map(|line| format!("by hand: {line}")));
        let nothing = written.is_empty() && step.links.is_empty();
        if say.is_empty() && nothing {
            say.push("(the page says nothing here)".to_owned());
        }
        self.block(4, "say", &say);
        if !written.is_empty() {
            self.line(4, "run:");
            for (n, (command, text)) in written.iter().enumerate() {
                self.run(command, text, n + 1);
            }
        }
        if !step.links.is_empty() {
            self.line(4, "links:");
            for link in &step.links {
                self.line(6, &format!("- {{title: {}, url: {}}}", quoted(&link.title), quoted(&link.url)));
            }
        }
    }

    /// The text of a command with variables where something is left to fill in.
    fn command(&self, command: &RunCommand) -> Result<String, &'static str> {
        match &command.exec {
            Exec::Sh(text) => filled(text, &self.ours),
            Exec::Query(query) if !blanks(query).is_empty() || !variables(query).is_empty() => {
                Err("a query cannot have values put into it; write it out, or read it in Prometheus")
            }
            Exec::Query(query) => Ok(query.clone()),
            Exec::Argv(_) => Ok(command.text.clone()),
        }
    }

    fn run(&mut self, command: &RunCommand, text: &str, number: usize) {
        let query = matches!(command.exec, Exec::Query(_));
        let program = text.split_whitespace().find(|w| !w.contains('=')).unwrap_or("command");
        let program =
            if query { "query".to_owned() } else { slug(program.rsplit('/').next().unwrap_or(program), "command") };
        let program: String = program.chars().take(40).collect();
        self.line(6, &format!("- id: {}", quoted(&format!("{program}-{number}"))));
        self.pair(8, if query { "promql" } else { "sh" }, text);
        if !query {
            self.comment(8, &format!("proposal: risk: {}", proposal(text)));
            self.line(8, "risk: unknown");
        }
        if command.tty {
            self.line(8, "tty: true");
        }
        for capture in &command.capture {
            self.line(8, &format!("capture: {{name: {}, regex: {}}}", capture.name, quoted(&capture.regex)));
        }
        self.out.commands.push(command.text.clone());
    }

    /// Several lines as they stand, without blanks at their ends.
    fn block(&mut self, indent: usize, key: &str, lines: &[String]) {
        let lines: Vec<String> = lines.iter().map(|line| clean(line.trim_end()).into_owned()).collect();
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |n| n + 1);
        let start = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
        match lines.get(start..end).unwrap_or_default() {
            [] => {}
            [line] => self.pair(indent, key, line),
            several => {
                // The number says how deep the text stands, where its own first line is indented.
                let depth = if several.iter().any(|line| line.starts_with(' ')) { "2" } else { "" };
                self.line(indent, &format!("{key}: |{depth}-"));
                for line in several {
                    if line.is_empty() { self.out.yaml.push('\n') } else { self.line(indent + 2, line) }
                }
            }
        }
    }
}
