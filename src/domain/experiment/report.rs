//! The report of a run, in Markdown: the hypothesis and what it came to, what was done and taken back, what was measured, what
//! people said, and blanks for what only they can say. A function of the journal. Outside text cannot act in it.

use crate::domain::experiment::entry::{Body, Entry, Outcome};
use crate::domain::experiment::record::{Judged, Record};
use crate::domain::postmortem::draft::BLANK;
use crate::domain::postmortem::entry::dated;
use crate::domain::postmortem::escape::{code, field};
use crate::domain::time::{clock, compact};
use std::fmt::Write as _;

/// The report.
pub fn markdown(entries: &[Entry]) -> String {
    let record = Record::fold(entries);
    let mut out = String::new();
    head(&mut out, &record);
    if !record.refused.is_empty() {
        let _ = writeln!(out, "## What kept it from beginning\n");
        for why in &record.refused {
            let _ = writeln!(out, "- {}", field(why));
        }
        out.push('\n');
    }
    done(&mut out, &record);
    table(&mut out, "Steady state before", &record.before, ("held", "did not hold"));
    table(&mut out, "While it was in force", &record.criteria, ("met", "NOT MET"));
    table(&mut out, "Steady state after the rollback", &record.after, ("back", "NOT BACK"));
    table(&mut out, "What could not be measured", &record.answers, ("yes", "NO"));
    timeline(&mut out, entries);
    let _ = writeln!(out, "## In our words\n");
    for what in ["what surprised us", "what we change because of it, who, until when", "when it is run again"] {
        let _ = writeln!(out, "- {} {what}{}", BLANK.0, BLANK.1);
    }
    if let Some(opened) = &record.opened {
        let _ = writeln!(out, "\n## The file as it was confirmed\n\n{}", fenced(&opened.source));
    }
    out
}

/// What it came to, in words.
pub fn verdict(record: &Record) -> &'static str {
    match (record.closed.as_ref().map(|(_, outcome, _)| *outcome), record.hypothesis()) {
        _ if record.owes_rollback() => "ITS ROLLBACK IS OWED",
        (None, _) => "still running, or left by its process",
        (Some(Outcome::Refused), _) => "did not begin: refused",
        (Some(Outcome::Left), _) => "did not begin: left",
        (Some(_), Some(true)) => "the hypothesis holds",
        (Some(_), Some(false)) => "the hypothesis does NOT hold",
        (Some(_), None) => "whether the hypothesis holds is not known",
    }
}

fn head(out: &mut String, record: &Record) {
    let Some(opened) = &record.opened else {
        let _ = writeln!(out, "# An experiment whose beginning cannot be read\n");
        return;
    };
    let mark = if opened.dry { "DRY RUN: " } else { "" };
    let _ = writeln!(out, "# {mark}{}\n", field(&opened.title));
    if opened.dry {
        let _ = writeln!(
            out,
            "> On the simulated production: nothing was run. What it does not know was assumed to go well.\n"
        );
    }
    let _ = writeln!(out, "**Hypothesis:** {}\n", field(&opened.hypothesis));
    let _ = writeln!(out, "**Result:** {}\n", verdict(record));
    let _ = writeln!(out, "- **Run:** {}", field(&opened.run));
    let _ = writeln!(out, "- **Experiment:** {} ({})", field(&opened.experiment), code(&opened.path));
    let _ = writeln!(out, "- **Environment:** {}", field(&opened.environment));
    let _ = writeln!(out, "- **By:** {} from {}", field(&opened.by), field(&opened.host));
    if let Some((limit, seen, why)) = &record.touched {
        let limit = limit.as_deref().unwrap_or("no share was given");
        let seen =
            seen.as_ref().map_or_else(|| format!("NOT MEASURED: {why}"), |seen| format!("measured last: {seen}"));
        let _ = writeln!(out, "- **Blast radius:** {}; {}", field(limit), field(&seen));
    }
    if let Some(begun) = record.begun {
        let _ = writeln!(out, "- **Begun:** {}", dated(begun));
        if let Some((at, cause)) = &record.cause {
            let _ =
                writeln!(out, "- **Ended:** {} after {}: {}", dated(*at), compact(*at - begun), field(&cause.words()));
        }
        let _ = match (&record.rolled_back, &record.settled) {
            (_, Some((by, note))) => writeln!(out, "- **Rollback:** by hand, says {}: {}", field(by), field(note)),
            (Some((at, true)), _) => writeln!(out, "- **Rollback:** done at {}", dated(*at)),
            (Some((at, false)), _) => writeln!(out, "- **Rollback:** NOT DONE, tried until {}", dated(*at)),
            (None, _) if record.changed() => writeln!(out, "- **Rollback:** OWED"),
            (None, _) => writeln!(out, "- **Rollback:** nothing was changed"),
        };
    }
    out.push('\n');
}

fn done(out: &mut String, record: &Record) {
    if record.done.is_empty() {
        return;
    }
    let _ = writeln!(out, "## What was done\n\n| part | what | from | to | how |\n|---|---|---|---|---|");
    for done in &record.done {
        let (to, how) = match &done.ended {
            Some((at, ok, how)) => {
                let word = match ok {
                    Some(true) => "done",
                    Some(false) => "FAILED",
                    None => "not known",
                };
                (clock(*at), format!("{word}, {}", field(how)))
            }
            None => ("?".to_owned(), "its end is not known".to_owned()),
        };
        let _ =
            writeln!(out, "| {} | {} | {} | {to} | {how} |", field(&done.id), cell(&done.shown), clock(done.started));
    }
    out.push('\n');
}

/// Code in a cell: a bar would end it.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn table(out: &mut String, title: &str, rows: &[Judged], (yes, no): (&str, &str)) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n\n| what | result | seen |\n|---|---|---|");
    for row in rows {
        let word = match row.met {
            Some(true) => yes,
            Some(false) => no,
            None => "not known",
        };
        let _ = writeln!(out, "| {} | {word} | {} |", field(&row.name), field(&row.seen));
    }
    out.push('\n');
}

fn timeline(out: &mut String, entries: &[Entry]) {
    let _ = writeln!(out, "## Journal\n");
    for entry in entries {
        let _ = writeln!(out, "- {} {}", clock(entry.at), field(&told(&entry.body)));
        if let Body::Ended { excerpt, .. } = &entry.body {
            for line in excerpt.iter().take(8) {
                let _ = writeln!(out, "  - {}", code(line));
            }
        }
    }
    out.push('\n');
}

/// One thing that happened, in one line.
pub fn told(body: &Body) -> String {
    let known = |ok: Option<bool>| match ok {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    };
    match body {
        Body::Opened(opened) => format!("{} wants {}", opened.by, opened.experiment),
        Body::Checked { found } => format!("preflight: {}", found.join("; ")),
        Body::Refused { why } => format!("refused: {}", why.join("; ")),
        Body::Guard { id, ok, found } => format!("{id} {}: {found}", if *ok { "holds" } else { "DOES NOT HOLD" }),
        Body::Steady { after, name, since, seen } => {
            let when = if *after { "after" } else { "before" };
            let held =
                since.map_or_else(|| "does not hold".to_owned(), |since| format!("holds since {}", clock(since)));
            format!("steady state {when}: {name} {held} ({seen})")
        }
        Body::Confirmed { id, shown } => format!("{id} confirmed: {shown}"),
        Body::Begun { rollback } => format!("begun; rollback on every way out: {}", rollback.join("; ")),
        Body::Touched { limit, seen, why } => {
            let limit = limit.as_deref().unwrap_or("no share was given");
            let seen = seen.as_ref().map_or_else(|| format!("not measured: {why}"), |seen| format!("measured {seen}"));
            format!("blast radius: {limit}; {seen}")
        }
        Body::Started { id, shown } => format!("{id}: {shown}"),
        Body::Ended { id, ok, how, .. } => format!("{id} ended, done: {} ({how})", known(*ok)),
        Body::Leaving { cause } => format!("ending: {}", cause.words()),
        Body::RolledBack { ok } => if *ok { "rolled back" } else { "THE ROLLBACK IS NOT DONE" }.to_owned(),
        Body::Judged { name, met, seen } => format!("{name}: met: {} ({seen})", known(*met)),
        Body::Answered { question, answer } => format!("{question}: {}", known(*answer)),
        Body::TakenOver { by, host } => format!("{by} goes on from {host}"),
        Body::Settled { by, note } => format!("{by} says that the rollback was done by hand: {note}"),
        Body::Closed { outcome, hypothesis } => {
            format!("over: {}; hypothesis: {}", outcome.word().replace('_', " "), known(*hypothesis))
        }
    }
}

/// A block of code that its content cannot end.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<String> = text.lines().map(|line| crate::domain::text::clean(line).into_owned()).collect();
    format!("{fence}yaml\n{}\n{fence}", lines.join("\n"))
}
