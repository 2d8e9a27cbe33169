//! A runbook in the plain form, written anew as `midwatch/v1`. What the file says is kept, what it does not say is proposed in
//! comments, and nothing proposed is in force: a command that nobody classified stays `risk: unknown`, and gains no verify,
//! rollback or guard. A command keeps its words; a plain line becomes a list of the same words. Makes a text, writes no file.

mod argv;
mod propose;

pub use propose::risk as proposed_risk;

use crate::domain::document::write::scalar;
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{Check, Choice, DEFAULT_TIMEOUT, Exec, Risk, RunCommand, Runbook, Step};
use crate::domain::runbook::pieces::slug;
use crate::domain::text::clean;
use crate::domain::time::prometheus;
use propose::Proposals;

/// A runbook written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The text of the new file.
    pub text: String,
    /// What a person must fill in before the runbook says everything, in the order of the file.
    pub blanks: Vec<String>,
}

/// Writes a runbook of the plain form as `midwatch/v1`. `source` is its text: whole lines of comment are kept, at the step
/// that they stood above.
pub fn convert(runbook: &Runbook, source: &str) -> Converted {
    let mut writer = Writer {
        out: String::new(),
        blanks: Vec::new(),
        comments: comments(source),
        first_key: first_key(source),
        proposals: Proposals::of(runbook),
    };
    writer.head(runbook);
    writer.line(0, "steps:");
    for step in &runbook.steps {
        writer.step(step);
    }
    writer.kept(usize::MAX, 0);
    writer.escalation(runbook);
    Converted { text: writer.out, blanks: writer.blanks }
}

/// Lines that are nothing but a comment, with their number.
fn comments(source: &str) -> Vec<(usize, String)> {
    let lines = source.trim_start_matches('\u{feff}').lines().enumerate();
    let comment =
        |(n, line): (usize, &str)| line.trim_start().strip_prefix('#').map(|text| (n + 1, text.trim().to_owned()));
    lines.filter_map(comment).filter(|(_, text)| !text.is_empty()).collect()
}

fn first_key(source: &str) -> usize {
    let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    source.trim_start_matches('\u{feff}').lines().position(content).map_or(usize::MAX, |n| n + 1)
}

struct Writer {
    out: String,
    blanks: Vec<String>,
    /// Comments of the old file that are not written yet.
    comments: Vec<(usize, String)>,
    /// The line of the first key: what stands above it is about the file.
    first_key: usize,
    proposals: Proposals,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        let text = format!("# {}", clean(text));
        self.line(indent, &text);
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        let text = format!("{key}: {}", scalar(value));
        self.line(indent, &text);
    }

    fn blank(&mut self, indent: usize, what: String, comment: &str) {
        self.comment(indent, &format!("blank: {comment}"));
        self.blanks.push(what);
    }

    /// The comments of the old file that stood above a line.
    fn kept(&mut self, line: usize, indent: usize) {
        let later = self.comments.split_off(self.comments.partition_point(|(at, _)| *at < line));
        for (_, text) in std::mem::replace(&mut self.comments, later) {
            self.comment(indent, &text);
        }
    }

    /// Words of one or several lines.
    fn words(&mut self, indent: usize, key: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.pair(indent, key, text.trim_end());
    }

    fn head(&mut self, book: &Runbook) {
        self.kept(self.first_key, 0);
        self.comment(0, "Written anew by `midwatch runbook convert`. Nothing was judged: every `risk: unknown` stays until a person");
        self.comment(
            0,
            "replaces it. Lines that begin with `proposed` or `blank` are for that person, and hold nothing in force.",
        );
        self.line(0, "apiVersion: midwatch/v1");
        self.line(0, "kind: Runbook");
        self.pair(0, "id", book.id.as_str());
        self.pair(0, "name", &book.name);
        self.words(0, "description", &book.description);
        match &book.owner {
            Some(owner) => self.pair(0, "owner", owner),
            None => self.blank(0, "owner".to_owned(), "owner: the team that keeps it right"),
        }
        match book.reviewed {
            Some(date) => self.line(0, &format!("reviewed: {date}")),
            None => self.blank(
                0,
                "reviewed".to_owned(),
                "reviewed: the day somebody last read it against reality, YYYY-MM-DD",
            ),
        }
        if book.review_every != crate::domain::runbook::model::default_review() {
            self.line(0, &format!("review_every: {}", prometheus(book.review_every)));
        }
        if let Some(severity) = &book.severity {
            self.pair(0, "severity", &severity.0);
        }
        self.triggers(book);
        self.links(0, &book.links);
        self.inputs();
        let has_change = book.commands().any(|(_, command)| self.said(command).is_dangerous());
        if has_change {
            self.blank(
                0,
                "guard".to_owned(),
                "guard: what proves that we are where we think we are, before anything changes",
            );
            self.comment(0, "guard:");
            self.comment(0, "  - {argv: [kubectl, config, current-context], equals: THE-CONTEXT}");
        }
    }

    fn triggers(&mut self, book: &Runbook) {
        if book.triggers.is_empty() {
            return self.blank(0, "triggers".to_owned(), "triggers: [{alert: NAME}]");
        }
        self.line(0, "triggers:");
        for trigger in &book.triggers {
            self.pair(2, "- alert", &trigger.alert);
            if !trigger.matchers.is_empty() {
                let matchers: Vec<String> = trigger.matchers.iter().map(|m| scalar(&m.to_string())).collect();
                self.line(4, &format!("match: [{}]", matchers.join(", ")));
            }
            if let Some(expr) = &trigger.expr {
                self.pair(4, "firing", expr);
            }
            if let Some(span) = trigger.for_ {
                self.line(4, &format!("for: {}", prometheus(span)));
            }
        }
    }

    fn links(&mut self, indent: usize, links: &[crate::domain::runbook::model::Link]) {
        if links.is_empty() {
            return;
        }
        self.line(indent, "links:");
        for link in links {
            if link.title == link.url {
                let text = format!("- {}", scalar(&link.url));
                self.line(indent + 2, &text);
            } else {
                let text = format!("- {{title: {}, url: {}}}", scalar(&link.title), scalar(&link.url));
                self.line(indent + 2, &text);
            }
        }
    }

    fn inputs(&mut self) {
        let inputs = std::mem::take(&mut self.proposals.inputs);
        if !inputs.is_empty() {
            self.line(0, "inputs:");
        }
        for input in &inputs {
            self.comment(2, &format!("proposed: {}", input.why));
            let text = format!(
                "- {{name: {}, from: {}, pattern: {}}}",
                input.name,
                scalar(&input.from),
                scalar(input.pattern)
            );
            self.line(2, &text);
            self.blanks.push(format!("where {} comes from, and its pattern", input.name));
        }
        self.proposals.inputs = inputs;
        for name in self.proposals.unnamable.clone() {
            let comment = format!("${name} needs a name in upper case, here and in its command; then declare it");
            self.blank(0, format!("a name and a source for ${name}"), &comment);
        }
    }

    fn step(&mut self, step: &Step) {
        self.kept(step.mark.line, 2);
        self.pair(2, "- id", step.id.as_str());
        self.pair(4, "name", &step.name);
        if let Some(phase) = step.phase {
            self.line(4, &format!("phase: {}", phase.word()));
        } else if let Some(phase) = propose::phase(step) {
            self.comment(4, &format!("proposed: phase: {}", phase.word()));
        }
        self.words(4, "say", &step.say);
        if !step.commands.is_empty() {
            self.line(4, "run:");
            for command in &step.commands {
                let number = command.id.rsplit('.').next().unwrap_or_default();
                let text = format!("- id: {}", scalar(&slug(number, "command")));
                self.line(6, &text);
                self.command(8, command);
            }
        }
        if !step.checks.is_empty() {
            self.line(4, "ask:");
            step.checks.iter().for_each(|check| self.check(check));
        }
        if !step.options.is_empty() {
            self.comment(4, "proposed: choose: one");
            self.line(4, "choose: any");
            self.line(4, "options:");
            step.options.iter().for_each(|option| self.option(option));
        }
        self.links(4, &step.links);
        self.todo(step);
    }

    fn check(&mut self, check: &Check) {
        self.pair(6, "- q", &check.question);
        if let Some(hint) = &check.hint {
            self.pair(8, "hint", hint);
        }
    }

    fn todo(&mut self, step: &Step) {
        if step.prose.is_empty() && step.todos.is_empty() {
            return;
        }
        self.line(4, "todo:");
        if !step.prose.is_empty() {
            self.comment(6, "these stood among the commands, and are none");
        }
        for line in step.prose.iter().chain(&step.todos) {
            let text = format!("- {}", scalar(line));
            self.line(6, &text);
        }
    }

    /// What runs, what it may do, and what is proposed around it.
    fn command(&mut self, indent: usize, command: &RunCommand) {
        self.exec(indent, command);
        self.risk(indent, command);
        self.limits(indent, command);
        self.around(indent, command);
    }

    fn option(&mut self, option: &Choice) {
        self.pair(6, "- id", &option.id);
        self.pair(8, "action", &option.action);
        if let Some(prose) = &option.prose {
            self.pair(8, "say", prose);
        }
        let Some(command) = &option.command else { return };
        self.risk(8, command);
        self.line(8, "run:");
        self.exec(10, command);
        self.limits(10, command);
        self.around(8, command);
    }

    fn exec(&mut self, indent: usize, command: &RunCommand) {
        let list = match &command.exec {
            Exec::Argv(argv) => Some(argv.clone()),
            Exec::Sh(line) => argv::plain(line),
            Exec::Query(_) => None,
        };
        if propose::lacks_namespace(command) {
            self.comment(indent, "blank: no namespace: add -n '${NAMESPACE}', or it acts wherever the last person was");
            self.blanks.push(format!("the namespace of {}", command.id));
        }
        match list {
            Some(argv) => {
                let elements: Vec<String> = argv.iter().map(|e| scalar(e)).collect();
                self.line(indent, &format!("argv: [{}]", elements.join(", ")));
            }
            None => self.pair(indent, "sh", &command.text),
        }
    }

    /// What a person said of it; words that raised it are a proposal like any other.
    fn said(&self, command: &RunCommand) -> Risk {
        match command.risk {
            Risk::Destroy if destructive_word(&command.text).is_some() => Risk::Unknown,
            risk => risk,
        }
    }

    fn risk(&mut self, indent: usize, command: &RunCommand) {
        let said = self.said(command);
        if said == Risk::Unknown {
            let (risk, why) = propose::risk(&command.text);
            self.comment(indent, &format!("proposed: risk: {} ({why})", risk.word()));
            self.blanks.push(format!("the risk of {}", command.id));
        }
        self.line(indent, &format!("risk: {}", said.word()));
    }

    fn limits(&mut self, indent: usize, command: &RunCommand) {
        if command.timeout != DEFAULT_TIMEOUT {
            self.line(indent, &format!("timeout: {}", prometheus(command.timeout)));
        }
    }

    /// Blanks for what a change needs, where it may be one.
    fn around(&mut self, indent: usize, command: &RunCommand) {
        let said = self.said(command);
        if said == Risk::Read || (said == Risk::Unknown && propose::risk(&command.text).0 == Risk::Read) {
            return;
        }
        for line in propose::around(command) {
            self.comment(indent, &line);
        }
        self.blanks.push(format!("verify and rollback of {}", command.id));
    }

    fn escalation(&mut self, book: &Runbook) {
        if book.escalation.is_empty() {
            self.blank(0, "escalation".to_owned(), "escalation: whom to call when it lasts");
            return self.comment(0, "escalation: [{after: 15m, clock: unmitigated, contact: WHO}]");
        }
        self.line(0, "escalation:");
        for rung in &book.escalation {
            if rung.assumed {
                self.comment(2, "proposed: this clock; the old file named none");
            }
            let text = format!(
                "- {{after: {}, clock: {}, contact: {}}}",
                prometheus(rung.after),
                rung.clock.word(),
                scalar(&rung.contact)
            );
            self.line(2, &text);
        }
    }
}
