//! Format v0: the plain form with `name`, `triggers`, `steps` and `escalation`. A line of `commands` is a command only if
//! it has the shape of one; everything else stays a sentence. Optional keys say more (`id`, `owner`, `phase`, `risk` …).
//! Guesses no risk: what is not said is unknown, and destructive words only ever raise it.

pub use crate::domain::runbook::pieces::slug;

use crate::domain::document::{Fields, Level, Mark, Node, Reader, Value};
use crate::domain::ids::StepId;
use crate::domain::runbook::keys::seed::{OPTION, RUNBOOK, STEP, TRIGGER};
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{
    Check, Choice, Choose, DEFAULT_TIMEOUT, Dialect, Exec, Go, Mutation, OnFail, Risk, RunCommand, Runbook, Step,
    Trigger, default_review,
};
use crate::domain::runbook::pieces::{
    fields, items, joined, links, matchers, needed, phase, reviewed, runbook_id, rungs, sha256, text, word,
};
use crate::domain::runbook::shape;
use crate::domain::severity::Severity;
use crate::domain::text::truncate;
use crate::domain::time::Span;
use std::collections::BTreeSet;

/// Reads a tree of format v0. `None` when it has no step.
pub fn read(reader: &mut Reader<'_>, path: &str, source: &str, root: &Node) -> Option<Runbook> {
    let top = fields(reader, root, &RUNBOOK)?;
    let id = runbook_id(reader, &top, path, Level::Warning);
    let name = needed(reader, &top, "name").unwrap_or_else(|| id.0.clone());
    let nodes = top.need(reader, "steps").map(|n| (n, reader.list(n, "steps")));
    let mut taken = BTreeSet::new();
    let mut steps = Vec::new();
    for (index, node) in nodes.map(|(_, list)| list).unwrap_or_default().iter().enumerate() {
        steps.extend(step(reader, node, index, &mut taken));
    }
    if steps.is_empty() {
        if let Some((node, _)) = nodes {
            reader.error(node.mark, "missing-key", "the runbook has no step; it is not loaded");
        }
        return None;
    }
    Some(Runbook {
        name,
        description: text(reader, &top, "description").unwrap_or_default(),
        severity: text(reader, &top, "severity").map(Severity),
        owner: text(reader, &top, "owner"),
        reviewed: reviewed(reader, &top),
        review_every: top.get("review_every").and_then(|n| reader.span(n, "review_every")).unwrap_or(default_review()),
        triggers: items(reader, &top, "triggers").iter().filter_map(|n| trigger(reader, n)).collect(),
        links: links(reader, &top),
        escalation: rungs(reader, &top),
        steps,
        dialect: Dialect::Seed,
        inputs: Vec::new(),
        guards: Vec::new(),
        targets: Vec::new(),
        cwd: None,
        id,
        path: path.to_owned(),
        sha256: sha256(source),
    })
}

fn trigger(reader: &mut Reader<'_>, node: &Node) -> Option<Trigger> {
    let own = fields(reader, node, &TRIGGER)?;
    let alert = needed(reader, &own, "alert")?;
    let matchers = matchers(reader, &own)?;
    Some(Trigger {
        alert,
        matchers,
        expr: text(reader, &own, "expr"),
        for_: own.get("for").and_then(|n| reader.span(n, "for")),
        mark: node.mark,
    })
}

fn risk(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Risk> {
    let words = [Risk::Read, Risk::Change, Risk::Destroy].map(|r| (r.word(), r));
    fields.get("risk").and_then(|n| word(reader, n, "risk", &words))
}

/// What is said once for a step and holds for its commands.
struct Defaults {
    step: StepId,
    risk: Risk,
    timeout: Option<Span>,
}

fn step(reader: &mut Reader<'_>, node: &Node, index: usize, taken: &mut BTreeSet<String>) -> Option<Step> {
    let fields = fields(reader, node, &STEP)?;
    let name = fields.need(reader, "name").and_then(|n| reader.string(n, "name"));
    let name = name.unwrap_or_else(|| format!("Step {}", index + 1));
    let id = step_id(reader, &fields, &name, index, taken);
    let risk = risk(reader, &fields).unwrap_or(Risk::Unknown);
    let timeout = fields.get("timeout").and_then(|n| reader.span(n, "timeout"));
    let defaults = Defaults { step: id.clone(), risk, timeout };
    let mut step = Step {
        id,
        name,
        say: fields.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default(),
        phase: phase(reader, &fields),
        when: None,
        commands: Vec::new(),
        parallel: false,
        on_fail: OnFail::Ask,
        prose: Vec::new(),
        checks: Vec::new(),
        options: Vec::new(),
        choose: Choose::Any,
        include: None,
        go: Go::Next,
        approval: false,
        links: Vec::new(),
        todos: fields.get("actions").map(|n| reader.strings(n, "actions")).unwrap_or_default(),
        mark: node.mark,
    };
    for item in fields.get("commands").map(|n| reader.list(n, "commands")).unwrap_or_default() {
        let id = format!("{}.{}", step.id, step.commands.len() + 1);
        match command(reader, item, id, &defaults) {
            Some(Line::Command(command)) => step.commands.push(*command),
            Some(Line::Prose(text)) => step.prose.push(text),
            None => {}
        }
    }
    for item in fields.get("checks").map(|n| reader.list(n, "checks")).unwrap_or_default() {
        step.checks.extend(reader.string(item, "checks").map(|text| check(&text, item.mark)));
    }
    for (index, item) in fields.get("options").map(|n| reader.list(n, "options")).unwrap_or_default().iter().enumerate()
    {
        step.options.extend(choice(reader, item, index, &defaults));
    }
    step.links = links(reader, &fields);
    Some(step)
}

fn step_id(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    name: &str,
    index: usize,
    taken: &mut BTreeSet<String>,
) -> StepId {
    let fallback = format!("step-{}", index + 1);
    let said = fields.get("id").and_then(|n| Some((n.mark, reader.string(n, "id")?)));
    let (mark, wanted) = match said {
        Some((mark, said)) => (mark, slug(&said, &fallback)),
        None => (fields.mark(), slug(name, &fallback)),
    };
    let mut id = wanted.clone();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{wanted}-{number}");
        number += 1;
    }
    if id != wanted {
        let message = format!("a step `{wanted}` stands above; this one is `{id}` (give each its own name or id)");
        reader.report(mark, Level::Warning, "RB001", message);
    }
    StepId(id)
}

/// The question up to its mark, the rest as a hint.
fn check(text: &str, mark: Mark) -> Check {
    let (question, hint) = match text.split_once('?') {
        Some((question, hint)) => (format!("{}?", question.trim()), hint.trim()),
        None => (text.trim().to_owned(), ""),
    };
    Check {
        question,
        hint: Some(hint).filter(|h| !h.is_empty()).map(str::to_owned),
        suggest: None,
        if_yes: Go::Next,
        if_no: Go::Next,
        if_unsure: Go::Next,
        mark,
    }
}

fn choice(reader: &mut Reader<'_>, node: &Node, index: usize, defaults: &Defaults) -> Option<Choice> {
    let fields = fields(reader, node, &OPTION)?;
    let action = fields.need(reader, "action").and_then(|n| reader.string(n, "action"))?;
    let own = Defaults {
        step: defaults.step.clone(),
        risk: risk(reader, &fields).unwrap_or(defaults.risk),
        timeout: fields.get("timeout").and_then(|n| reader.span(n, "timeout")).or(defaults.timeout),
    };
    let id = format!("option-{}", index + 1);
    let full = format!("{}.{id}", own.step);
    let (command, prose) = match fields.get("command").and_then(|n| command(reader, n, full, &own)) {
        Some(Line::Command(command)) => (Some(*command), None),
        Some(Line::Prose(text)) => (None, Some(text)),
        None => (None, None),
    };
    Some(Choice { id, action, command, prose, mutation: Mutation::default(), mark: node.mark })
}

enum Line {
    Command(Box<RunCommand>),
    Prose(String),
}

/// A list is a command by itself; a text must have the shape of one.
fn command(reader: &mut Reader<'_>, node: &Node, id: String, defaults: &Defaults) -> Option<Line> {
    let (text, exec) = if let Value::Seq(_) = node.value {
        let argv = reader.strings(node, "a command");
        if argv.first().is_none_or(|program| program.trim().is_empty()) {
            reader.error(node.mark, "wrong-type", "a command list is empty (expected [program, argument, …])");
            return None;
        }
        (joined(&argv), Exec::Argv(argv))
    } else {
        let text = reader.string(node, "a command")?.trim().to_owned();
        if let Err(why) = shape::command(&text) {
            let shown = truncate(&text, 60).into_owned();
            let message = format!(
                "`{shown}` is not taken for a command, because {why}; it is shown as a task to tick by hand (a command can \
                 always be written as a list: [program, argument])"
            );
            reader.report(node.mark, Level::Warning, "RB002", message);
            return Some(Line::Prose(text));
        }
        (text.clone(), Exec::Sh(text))
    };
    let risk = raised(reader, node, &text, defaults.risk);
    let command = RunCommand::new(id, text, exec, risk, node.mark);
    let (own_limit, timeout) = (defaults.timeout.is_some(), defaults.timeout.unwrap_or(DEFAULT_TIMEOUT));
    Some(Line::Command(Box::new(RunCommand { timeout, own_limit, ..command })))
}

/// Words may raise what was said, never lower it: what destroys is never run as a mere look.
fn raised(reader: &mut Reader<'_>, node: &Node, text: &str, said: Risk) -> Risk {
    let Some(word) = destructive_word(text) else { return said };
    if matches!(said, Risk::Read | Risk::Change) {
        let message = format!("`{word}` destroys, but the risk says `{}`; it is treated as `destroy`", said.word());
        reader.error(node.mark, "RB005", message);
    }
    Risk::Destroy
}
