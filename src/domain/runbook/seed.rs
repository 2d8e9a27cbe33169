//! Format v0: the plain form with `name`, `triggers`, `steps` and `escalation`. A line of `commands` is a command only if
//! it has the shape of one; everything else stays a sentence. Optional keys say more (`id`, `owner`, `phase`, `risk` …).
//! Guesses no risk: what is not said is unknown, and destructive words only ever raise it.

use crate::domain::document::{Fields, Level, Mark, Node, Reader, Value};
use crate::domain::ids::{RunbookId, StepId};
use crate::domain::labels::Matcher;
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{
    Check, Choice, Choose, Clock, DEFAULT_TIMEOUT, Dialect, Exec, Go, Link, Mutation, OnFail, Phase, Risk, RunCommand,
    Runbook, Rung, Step, Trigger, default_review,
};
use crate::domain::runbook::shape;
use crate::domain::severity::Severity;
use crate::domain::text::truncate;
use crate::domain::time::Span;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const TOP: [&str; 11] = [
    "id",
    "name",
    "description",
    "owner",
    "reviewed",
    "review_every",
    "triggers",
    "severity",
    "links",
    "steps",
    "escalation",
];
const STEP: [&str; 11] =
    ["id", "name", "description", "phase", "risk", "timeout", "commands", "links", "checks", "options", "actions"];

/// Reads a tree of format v0. `None` when it has no step.
pub fn read(reader: &mut Reader<'_>, path: &str, text: &str, root: &Node) -> Option<Runbook> {
    let top = reader.map(root, "the runbook", &TOP)?;
    let id = runbook_id(reader, &top, path);
    let string = |reader: &mut Reader<'_>, key: &str| top.get(key).and_then(|n| reader.string(n, key));
    let name = top.need(reader, "name").and_then(|n| reader.string(n, "name")).unwrap_or_else(|| id.0.clone());
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
    let list = |reader: &mut Reader<'_>, key: &str| top.get(key).map(|n| reader.list(n, key)).unwrap_or_default();
    Some(Runbook {
        name,
        description: string(reader, "description").unwrap_or_default(),
        severity: string(reader, "severity").map(Severity),
        owner: string(reader, "owner"),
        reviewed: top.get("reviewed").and_then(|n| date(reader, n)),
        review_every: top.get("review_every").and_then(|n| reader.span(n, "review_every")).unwrap_or(default_review()),
        triggers: list(reader, "triggers").iter().filter_map(|n| trigger(reader, n)).collect(),
        links: list(reader, "links").iter().filter_map(|n| link(reader, n)).collect(),
        escalation: list(reader, "escalation").iter().filter_map(|n| rung(reader, n)).collect(),
        steps,
        dialect: Dialect::Seed,
        inputs: Vec::new(),
        guards: Vec::new(),
        targets: Vec::new(),
        cwd: None,
        id,
        path: path.to_owned(),
        sha256: Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
    })
}

fn runbook_id(reader: &mut Reader<'_>, top: &Fields<'_>, path: &str) -> RunbookId {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let fallback = slug(stem, "runbook");
    let Some((node, said)) = top.get("id").and_then(|n| Some((n, reader.string(n, "id")?))) else {
        return RunbookId(fallback);
    };
    let right = slug(&said, &fallback);
    if right != said {
        let said = truncate(&said, 40);
        let message = format!("id `{said}` is not a name in lower case with dashes; `{right}` is used");
        reader.report(node.mark, Level::Warning, "RB001", message);
    }
    RunbookId(right)
}

/// Lower case, digits and single dashes, at most 64 characters.
pub fn slug(text: &str, fallback: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(64) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { fallback.to_owned() } else { out.to_owned() }
}

fn date(reader: &mut Reader<'_>, node: &Node) -> Option<NaiveDate> {
    let text = reader.string(node, "reviewed")?;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    if date.is_none() {
        reader.wrong(node, "reviewed", "a date such as 2026-05-01");
    }
    date
}

fn trigger(reader: &mut Reader<'_>, node: &Node) -> Option<Trigger> {
    let fields = reader.map(node, "a trigger", &["alert", "match", "expr", "for"])?;
    let alert = fields.need(reader, "alert").and_then(|n| reader.string(n, "alert"))?;
    let mut matchers = Vec::new();
    for item in fields.get("match").map(|n| reader.list(n, "match")).unwrap_or_default() {
        let Some(text) = reader.string(item, "match") else { continue };
        match Matcher::parse(&text) {
            Ok(matcher) => matchers.push(matcher),
            Err(why) => {
                // Without the matcher the runbook would claim alerts it is not for.
                reader.error(item.mark, "wrong-type", format!("{why}; the trigger is not used"));
                return None;
            }
        }
    }
    Some(Trigger {
        alert,
        matchers,
        expr: fields.get("expr").and_then(|n| reader.string(n, "expr")),
        for_: fields.get("for").and_then(|n| reader.span(n, "for")),
        mark: node.mark,
    })
}

fn link(reader: &mut Reader<'_>, node: &Node) -> Option<Link> {
    if let Some(url) = node.text() {
        return Some(Link { title: url.to_owned(), url: url.to_owned(), mark: node.mark });
    }
    let fields = reader.map(node, "a link", &["title", "url"])?;
    let url = fields.need(reader, "url").and_then(|n| reader.string(n, "url"))?;
    let title = fields.get("title").and_then(|n| reader.string(n, "title")).unwrap_or_else(|| url.clone());
    Some(Link { title, url, mark: node.mark })
}

fn rung(reader: &mut Reader<'_>, node: &Node) -> Option<Rung> {
    let fields = reader.map(node, "an escalation", &["after", "contact", "clock"])?;
    let after = fields.need(reader, "after").and_then(|n| reader.span(n, "after"));
    let contact = fields.need(reader, "contact").and_then(|n| reader.string(n, "contact"));
    let said = fields.get("clock").and_then(|n| word(reader, n, "clock", &Clock::ALL.map(|c| (c.word(), c))));
    let clock = said.unwrap_or(Clock::Unmitigated);
    let assumed = fields.get("clock").is_none();
    Some(Rung { after: after?, contact: contact?, clock, assumed, mark: node.mark })
}

fn word<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
    let said = reader.string(node, what)?;
    let found = words.iter().find(|(word, _)| *word == said).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        reader.wrong(node, what, &known.join(", "));
    }
    found
}

fn risk(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Risk> {
    let words = [Risk::Read, Risk::Change, Risk::Destroy].map(|r| (r.word(), r));
    fields.get("risk").and_then(|n| word(reader, n, "risk", &words))
}

/// What is said once for a step and holds for its commands.
struct Defaults {
    step: StepId,
    risk: Risk,
    timeout: Span,
}

fn step(reader: &mut Reader<'_>, node: &Node, index: usize, taken: &mut BTreeSet<String>) -> Option<Step> {
    let fields = reader.map(node, "a step", &STEP)?;
    let name = fields.need(reader, "name").and_then(|n| reader.string(n, "name"));
    let name = name.unwrap_or_else(|| format!("Step {}", index + 1));
    let id = step_id(reader, &fields, &name, index, taken);
    let risk = risk(reader, &fields).unwrap_or(Risk::Unknown);
    let timeout = fields.get("timeout").and_then(|n| reader.span(n, "timeout")).unwrap_or(DEFAULT_TIMEOUT);
    let defaults = Defaults { step: id.clone(), risk, timeout };
    let mut step = Step {
        id,
        name,
        say: fields.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default(),
        phase: fields.get("phase").and_then(|n| word(reader, n, "phase", &Phase::ALL.map(|p| (p.word(), p)))),
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
    for item in fields.get("links").map(|n| reader.list(n, "links")).unwrap_or_default() {
        step.links.extend(link(reader, item));
    }
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
    let fields = reader.map(node, "an option", &["action", "command", "risk", "timeout"])?;
    let action = fields.need(reader, "action").and_then(|n| reader.string(n, "action"))?;
    let own = Defaults {
        step: defaults.step.clone(),
        risk: risk(reader, &fields).unwrap_or(defaults.risk),
        timeout: fields.get("timeout").and_then(|n| reader.span(n, "timeout")).unwrap_or(defaults.timeout),
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
        (shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_else(|_| argv.join(" ")), Exec::Argv(argv))
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
    Some(Line::Command(Box::new(RunCommand { timeout: defaults.timeout, ..command })))
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
