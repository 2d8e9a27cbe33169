//! A page of Markdown as a runbook, for reading and copying: `front` takes out what is no Markdown, `piece` says what
//! CommonMark sees, `outline` makes steps, `block` tells commands from output, `line`, `prompt` and `session` judge one
//! line, `blank` knows what is left to fill in, `write` makes a file of format v1 for a person to review.
//!
//! Nothing that comes from here can run: a page is of the dialect `Markdown`, and every command of it has the risk
//! `unknown`, whatever its words are. A page never fails; what could not be used is told beside it.

pub mod blank;
pub mod block;
pub mod front;
mod html;
pub mod line;
pub mod outline;
pub mod piece;
mod prompt;
pub mod session;
mod step;
pub mod write;

use crate::domain::document::{Finding, Level, Mark, SIZE_LIMIT};
use crate::domain::ids::RunbookId;
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::markdown::front::Front;
use crate::domain::runbook::markdown::outline::outline;
use crate::domain::runbook::markdown::piece::pieces;
use crate::domain::runbook::markdown::step::Maker;
use crate::domain::runbook::model::{Dialect, Runbook, Trigger, default_review};
use crate::domain::runbook::pieces::slug;
use crate::domain::text::{clean, truncate};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The most steps that a page yields.
pub const STEP_LIMIT: usize = 500;

/// The most commands that a page offers.
pub const COMMAND_LIMIT: usize = 1_000;
/// The most values that its commands ask for.
pub const INPUT_LIMIT: usize = 200;

/// A page that was read.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What can be walked; `None` where the page says nothing.
    pub runbook: Option<Runbook>,
    /// What looked like a command and was not taken for one.
    pub rejected: Vec<Rejected>,
    /// What a person should know of the page.
    pub warnings: Vec<Finding>,
}

impl Page {
    /// Everything to tell of a page that is opened: its warnings, and for each refused line why it is not offered. In the
    /// order of the file.
    pub fn findings(&self, path: &str) -> Vec<Finding> {
        let refused = self.rejected.iter().map(|it| {
            let message = format!("`{}` is not offered as a command: {}", truncate(&clean(&it.text), 60), it.why);
            finding(path, it.mark, Level::Info, "MD010", &message)
        });
        let mut all: Vec<Finding> = self.warnings.iter().cloned().chain(refused).collect();
        all.sort_by_key(|f| (f.line, f.column));
        all
    }
}

/// A line that was not taken for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The line, raw.
    pub text: String,
    /// Why.
    pub why: String,
    /// Where it stands.
    pub mark: Mark,
}

/// Whether a file is Markdown by its name.
pub fn is_markdown(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.ends_with(".md") || lower.ends_with(".markdown")
}

/// Whether a file describes its folder, and is no page that answers an alert.
pub fn is_about_folder(path: &str) -> bool {
    let stem = stem(path).to_ascii_lowercase();
    matches!(
        stem.as_str(),
        "readme"
            | "contributing"
            | "changelog"
            | "license"
            | "licence"
            | "code_of_conduct"
            | "security"
            | "index"
            | "_index"
            | "template"
            | "_template"
            | "maintainers"
            | "owners"
            | "summary"
            | "agents"
    )
}

/// Reads a page. Never fails: what it cannot use is a warning.
pub fn read(path: &str, text: &str) -> Page {
    let mut page = Page::default();
    if text.len() > SIZE_LIMIT {
        let message = format!("the file has {} bytes (the limit is {SIZE_LIMIT}); it is not read", text.len());
        page.warnings.push(finding(path, Mark { line: 1, column: 1 }, Level::Error, "too-large", &message));
        return page;
    }
    let (front, body) = front::split(text);
    let mut plan = outline(pieces(&body));
    for (title, mark) in &plan.empty {
        let message = format!("the section `{}` is empty", clean(title));
        page.warnings.push(finding(path, *mark, Level::Warning, "MD001", &message));
    }
    if plan.steps.len() > STEP_LIMIT {
        let message = format!("the page has {} steps; those after {STEP_LIMIT} are left out", plan.steps.len());
        page.warnings.push(finding(path, Mark { line: 1, column: 1 }, Level::Warning, "MD002", &message));
        plan.steps.truncate(STEP_LIMIT);
    }
    let title = plan.title.take();
    let mut maker = Maker::new(path);
    let steps = plan.steps.into_iter().map(|draft| maker.step(draft)).collect::<Vec<_>>();
    if steps.is_empty() {
        let message = "there is nothing to read on the page; it is not loaded";
        page.warnings.push(finding(path, Mark { line: 1, column: 1 }, Level::Error, "MD003", message));
        return page;
    }
    if maker.over > 0 {
        let message = format!("{} commands after the first {COMMAND_LIMIT} are left out", maker.over);
        page.warnings.push(finding(path, Mark { line: 1, column: 1 }, Level::Warning, "MD002", &message));
    }
    page.rejected = maker.rejected;
    page.warnings.extend(maker.warnings);
    page.warnings.sort_by_key(|f| (f.line, f.column));
    let Front { title: named, description, owner, reviewed } = front;
    let name = title.filter(|t| !t.is_empty()).or(named).unwrap_or_else(|| stem(path).to_owned());
    page.runbook = Some(Runbook {
        id: RunbookId(slug(stem(path), "runbook")),
        triggers: trigger(stem(path), &name).into_iter().collect(),
        name,
        description: description.unwrap_or_default(),
        severity: None,
        owner,
        reviewed,
        review_every: default_review(),
        dialect: Dialect::Markdown,
        links: Vec::new(),
        inputs: maker.inputs,
        guards: Vec::new(),
        targets: Vec::new(),
        cwd: None,
        steps,
        escalation: Vec::new(),
        path: path.to_owned(),
        sha256: Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
    });
    page
}

/// What a command's words suggest to a person who reviews it. Never applied.
pub fn proposal(text: &str) -> &'static str {
    const READS: [&str; 24] = [
        "get", "describe", "logs", "top", "status", "list", "ls", "cat", "grep", "ps", "df", "du", "free", "uptime",
        "show", "version", "history", "head", "tail", "dig", "nslookup", "ping", "explain", "info",
    ];
    if destructive_word(text).is_some() {
        return "destroy";
    }
    let words: BTreeSet<&str> = text.split_whitespace().collect();
    if READS.iter().any(|word| words.contains(word)) {
        "read, if it only looks"
    } else {
        "change, unless it only looks"
    }
}

/// A page is named after its alert in most collections: `KubePodCrashLooping.md`, `etcdMembersDown.md`.
fn trigger(stem: &str, name: &str) -> Option<Trigger> {
    let plain = stem.len() >= 3 && stem.chars().all(|c| c.is_ascii_alphanumeric());
    let chars: Vec<char> = stem.chars().collect();
    let humps = chars.windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let capital = stem.starts_with(|c: char| c.is_ascii_uppercase()) && stem.chars().any(|c| c.is_ascii_lowercase());
    let named = humps || (capital && name.trim() == stem);
    (plain && named && !is_about_folder(stem)).then(|| Trigger {
        alert: stem.to_owned(),
        matchers: Vec::new(),
        expr: None,
        for_: None,
        mark: Mark { line: 1, column: 1 },
    })
}

fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

fn finding(path: &str, mark: Mark, level: Level, rule: &str, message: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line: mark.line,
        column: mark.column,
        rule: rule.to_owned(),
        level,
        message: clean(message).into_owned(),
    }
}
