//! Runbooks told: which there are, what is in one, which fits an alert, what is wrong with them.

use crate::app::present::report;
use crate::cli::check;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::{expand, is_runbook, read_text};
use crate::cli::library::Library;
use crate::cli::output::{Output, Table};
use crate::cli::runbook::around::Around;
use crate::cli::runbook::dry_run::labels;
use crate::cli::runbook::suggesting;
use crate::config::Config;
use crate::domain::document::Finding;
use crate::domain::fault::Fault;
use crate::domain::labels::Labels;
use crate::domain::runbook::format;
use crate::domain::runbook::lint::{Facts, lint_knowing, lint_together};
use crate::domain::runbook::matching::matches;
use crate::domain::runbook::model::{Runbook, Step, Suggest};
use crate::domain::runbook::search::search;
use crate::domain::runbook::suggest::words;
use crate::domain::time::{compact, rfc3339};
use crate::io::clock;
use crate::io::files::presence::Presence;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One row per runbook that fits what was typed; `{"runbooks": [{"id", "name", "severity", "steps", "triggers", "path"}]}`.
pub fn list(library: &Library, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let books = search(&library.books, typed);
    if output.is_json() {
        let row = |b: &Arc<Runbook>| {
            let triggers: Vec<&str> = b.triggers.iter().map(|t| t.alert.as_str()).collect();
            json!({"id": b.id, "name": b.name, "severity": b.severity, "steps": b.steps.len(), "triggers": triggers,
                "path": b.path})
        };
        output.json(&json!({"runbooks": books.into_iter().map(row).collect::<Vec<Value>>()}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["ID", "NAME", "SEVERITY", ">STEPS", "ALERTS", "PATH"]);
    for book in books {
        let severity = book.severity.as_ref().map_or("-", |s| s.0.as_str());
        let triggers: Vec<&str> = book.triggers.iter().map(|t| t.alert.as_str()).collect();
        table.row([
            book.id.as_str(),
            &book.name,
            severity,
            &book.steps.len().to_string(),
            &triggers.join(" "),
            &book.path,
        ]);
    }
    match table.is_empty() {
        true if library.books.is_empty() => output.note("no runbook is configured: name files under `runbooks:`"),
        true => output.note(&format!("no runbook fits `{typed}`")),
        false => output.table(&table)?,
    }
    Ok(Exit::DONE)
}

/// One runbook with its steps. With `ask`, its Prometheus is asked once what the checks suggest now: each check that
/// measures something gets `"suggested"`, and the document `"as_of"`, `"partial"`, `"faults"`. Exit 3 when it did not answer.
pub fn show(book: &Runbook, ask: Option<&Config>, output: &mut Output) -> Result<Exit, Failure> {
    let asked = ask.map(|config| (clock::now(), measured(config, book)));
    let faults: Vec<&Fault> = asked.iter().flat_map(|(_, all)| all).filter_map(|m| m.said.1.as_ref()).collect();
    let exit = if faults.is_empty() { Exit::DONE } else { Exit::PARTIAL };
    if output.is_json() {
        let mut document = report::runbook(book);
        if let (Some((now, all)), Some(object)) = (&asked, document.as_object_mut()) {
            let fault = |f: &&Fault| json!({"kind": f.kind.word(), "message": f.to_string()});
            object.insert("as_of".to_owned(), json!(rfc3339(*now)));
            object.insert("partial".to_owned(), json!(!faults.is_empty()));
            object.insert("faults".to_owned(), json!(faults.iter().map(fault).collect::<Vec<Value>>()));
            for it in all {
                let check = document.pointer_mut(&format!("/steps/{}/checks/{}", it.step, it.check));
                if let Some(check) = check.and_then(Value::as_object_mut) {
                    let said = suggesting::document(book, it.step, it.check, &it.said.0);
                    check.insert("suggested".to_owned(), said);
                }
            }
        }
        output.json(&document)?;
        return Ok(exit);
    }
    let severity = book.severity.as_ref().map(|s| format!("  {s}")).unwrap_or_default();
    output.line(&format!("{}  {}{severity}", book.id, book.name))?;
    for line in crate::domain::text::clean_lines(&book.description) {
        output.line(&line)?;
    }
    for trigger in &book.triggers {
        let matchers: Vec<String> = trigger.matchers.iter().map(ToString::to_string).collect();
        let with = if matchers.is_empty() { String::new() } else { format!(" with {}", matchers.join(", ")) };
        output.line(&format!("alert {}{with}", trigger.alert))?;
    }
    for (n, step) in book.steps.iter().enumerate() {
        output.line("")?;
        for line in lines(step, n + 1, book.steps.len()) {
            output.line(&line)?;
        }
        for it in asked.iter().flat_map(|(_, all)| all).filter(|it| it.step == n) {
            output.line(&format!("  check {}, {}: {}", it.check + 1, it.what, it.said.0.words()))?;
        }
    }
    if !book.escalation.is_empty() {
        output.line("")?;
    }
    for rung in &book.escalation {
        let assumed = if rung.assumed { ", assumed" } else { "" };
        let (after, clock) = (compact(rung.after), rung.clock.word());
        output.line(&format!("after {after}: {} (while {clock}{assumed})", rung.contact))?;
    }
    Ok(exit)
}

/// What the measurement of a check said.
struct Said {
    step: usize,
    check: usize,
    what: String,
    said: suggesting::Measured,
}

/// Every check of a runbook that measures something.
fn measured(config: &Config, book: &Runbook) -> Vec<Said> {
    let checks = book.steps.iter().enumerate().flat_map(|(n, step)| {
        step.checks.iter().enumerate().filter_map(move |(c, check)| Some((n, c, check.suggest.as_ref()?)))
    });
    let all: Vec<(usize, usize, &Suggest)> = checks.collect();
    let answers = suggesting::measure(config, &all.iter().map(|(_, _, suggest)| *suggest).collect::<Vec<_>>());
    let said = |((step, check, suggest), said)| Said { step, check, what: words(suggest), said };
    all.into_iter().zip(answers).map(said).collect()
}

/// A step as lines, each thing with the number by which a walk calls it.
pub fn lines(step: &Step, number: usize, of: usize) -> Vec<String> {
    let phase = step.phase.map(|p| format!(" ({})", p.word())).unwrap_or_default();
    let mut out = vec![format!("step {number} of {of}: {}{phase}", step.name)];
    out.extend(crate::domain::text::clean_lines(&step.say).into_iter().map(|line| format!("  {line}")));
    for (n, command) in step.commands.iter().enumerate() {
        out.push(format!("  command {}, {}: {}", n + 1, command.risk.word(), command.text));
    }
    for line in step.prose.iter().chain(&step.todos) {
        out.push(format!("  by hand: {line}"));
    }
    for (n, check) in step.checks.iter().enumerate() {
        let hint = check.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        out.push(format!("  check {}: {}{hint}", n + 1, check.question));
    }
    for (n, option) in step.options.iter().enumerate() {
        let how = match (&option.command, &option.prose) {
            (Some(command), _) => format!(": {}, {}", command.risk.word(), command.text),
            (None, Some(prose)) => format!(": {prose}"),
            (None, None) => String::new(),
        };
        out.push(format!("  option {}: {}{how}", n + 1, option.action));
    }
    for link in &step.links {
        let title = if link.title == link.url { String::new() } else { format!("{} ", link.title) };
        out.push(format!("  link: {title}{}", link.url));
    }
    out
}

/// Which runbook fits an alert, best first. Exit 1 when none does.
pub fn matching(
    library: &Library,
    alert: &str,
    pairs: &[(String, String)],
    url: Option<&str>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let annotations = url.map(|url| Labels::from([("runbook_url", url)])).unwrap_or_default();
    let found = matches(&library.books, alert, &labels(alert, pairs), &annotations);
    let path = |id: &crate::domain::ids::RunbookId| library.books.iter().find(|b| b.id == *id).map(|b| b.path.clone());
    if output.is_json() {
        let mut document = report::matches(&found, path);
        if let (Some(url), Some(object)) = (url, document.as_object_mut()) {
            object.insert("url".to_owned(), json!(url));
        }
        output.json(&document)?;
    } else {
        let mut table = Table::new(&["ID", "WHY", "PATH"]);
        for it in &found {
            table.row([it.runbook.as_str(), &it.why, &path(&it.runbook).unwrap_or_default()]);
        }
        match found.is_empty() {
            true => output.note(&format!("no runbook answers {alert}")),
            false => output.table(&table)?,
        }
        if let Some(url) = url {
            output.note(&format!("the alert's own link: {url}"));
        }
    }
    Ok(if found.is_empty() { Exit::NO } else { Exit::DONE })
}

/// What would fail at three in the morning: in the named files and folders, else in the configured ones. The document of
/// `check`, with `unjudged` for the rules that need what is not known here; with `online` the servers' rules are asked.
pub fn lint(context: &Context, paths: &[PathBuf], online: bool, output: &mut Output) -> Result<Exit, Failure> {
    let (files, mut findings) = match paths {
        [] => context.runbook_files(),
        named => (named.iter().flat_map(|path| named_files(path.as_path())).collect(), Vec::new()),
    };
    let mut around = Around::configured(context);
    match online {
        true => around.ask(context)?,
        false => around.unjudged.push(("RB010", "whether an alert exists: the servers are asked with --online".into())),
    }
    around.facts.slos = context.slo_ids().map(Arc::new);
    let facts = Facts { now: Some(clock::now()), ..around.facts.clone() };
    let mut presence = Presence::here();
    let mut books = Vec::new();
    for path in &files {
        match read_text(path) {
            Ok(text) => {
                let (book, found) = one(&path.to_string_lossy(), &text, |book| presence.facts(book, &facts));
                findings.extend(found);
                books.extend(book);
            }
            Err(finding) => findings.push(finding),
        }
    }
    // Files that were named may include those that are configured.
    let named: BTreeSet<String> = books.iter().map(|book| book.path.clone()).collect();
    if !paths.is_empty() {
        books.extend(Library::load(context).books.into_iter().filter(|book| !named.contains(&book.path)));
    }
    findings.extend(lint_together(&books).into_iter().filter(|finding| named.contains(&finding.path)));
    findings.extend(around.findings.iter().cloned());
    findings.extend(around.undrilled(named.len()));
    let mut fields = around.fields();
    if online {
        fields.extend(check::asked(&around.faults));
    }
    let exit = check::print(files.len(), &findings, (fields, &around.notes()), output)?;
    Ok(if around.faults.is_empty() { exit } else { Exit::PARTIAL })
}

/// A folder is what is in it; what is not there stays, so that its absence is told.
fn named_files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { expand(&path.to_string_lossy(), is_runbook) } else { vec![path.to_owned()] }
}

fn one(name: &str, text: &str, facts: impl FnOnce(&Runbook) -> Facts) -> (Option<Arc<Runbook>>, Vec<Finding>) {
    let (book, mut findings) = format::read(name, text);
    if let Some(book) = &book {
        findings.extend(lint_knowing(book, &facts(book)));
    }
    findings.sort_by_key(|finding| (finding.line, finding.column));
    (book.map(Arc::new), findings)
}
