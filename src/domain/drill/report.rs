//! The after-action report of a drill, in Markdown: what was played and how it went, the injects revealed, expected against
//! actual, what the runbooks lacked, and blanks for what only people can say. Outside text cannot act in it.

use crate::domain::drill::history::Player;
use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::score::{Item, Score, Sort};
use crate::domain::drill::stage::{Happened, Stage};
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::Incident;
use crate::domain::incident::timeline::tell;
use crate::domain::postmortem::draft::BLANK;
use crate::domain::postmortem::entry::dated;
use crate::domain::postmortem::escape::{code, field};
use crate::domain::runbook::model::Runbook;
use crate::domain::time::{Span, Timestamp, compact, secs};
use std::fmt::Write as _;
use std::sync::Arc;

/// Everything that the report is made of.
#[derive(Debug)]
pub struct Played<'p> {
    /// The drill's name.
    pub drill: &'p str,
    /// The stage at its end.
    pub stage: &'p Stage,
    /// Everything that was recorded, incident by incident.
    pub events: &'p [Event],
    /// What it was worth.
    pub score: &'p Score,
    /// The runbooks that were there.
    pub library: &'p [Arc<Runbook>],
    /// Who acted.
    pub player: Player,
    /// When it was played, on the real clock; `None` where the same run shall give the same report.
    pub real: Option<(Timestamp, Timestamp)>,
}

/// The report.
pub fn markdown(played: &Played<'_>) -> String {
    let mut out = String::new();
    head(&mut out, played);
    numbers(&mut out, played);
    expectations(&mut out, played);
    beside(&mut out, played);
    timeline(&mut out, played);
    gaps(&mut out, played);
    recovery(&mut out, played);
    words_of_people(&mut out, played);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn blank(what: &str) -> String {
    format!("{} {what}{}", BLANK.0, BLANK.1)
}

fn head(out: &mut String, played: &Played<'_>) {
    let scenario = played.stage.scenario();
    let (start, end) = (played.stage.start(), played.stage.ended());
    let _ = writeln!(out, "# DRILL: {}\n", field(&scenario.title));
    line(out, "> This was a drill on a simulated production. Nothing in it happened to customers.\n");
    let _ = writeln!(out, "- **Drill:** {}", field(played.drill));
    let _ = writeln!(out, "- **Scenario:** {} (seed {})", field(&scenario.id), played.stage.seed());
    let _ = writeln!(out, "- **Drill's clock:** {} to {}", dated(start), end.map_or("?".into(), |e| dated(e.at)));
    if let Some((began, ended)) = played.real {
        let _ = writeln!(out, "- **Played:** {} to {}", dated(began), dated(ended));
    }
    if let Some(end) = end {
        let _ = writeln!(out, "- **Ended:** {} after {}", field(&end.why), compact(end.at - start));
    }
    let people: Vec<String> = played.stage.facts().people().map(field).collect();
    let people = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
    let _ = writeln!(out, "- **Players:** {people} ({})", played.player.word());
    let _ = writeln!(out, "- **Points:** {} of {}\n", played.score.points, played.score.of);
    let _ = writeln!(out, "**Brief:** {}\n", field(&scenario.brief));
    if !scenario.secret.is_empty() {
        let _ = writeln!(out, "**What was really the matter:** {}\n", field(&scenario.secret));
    }
}

fn span(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "did not happen".to_owned(), |s| compact(secs(s.round() as i64)))
}

fn numbers(out: &mut String, played: &Played<'_>) {
    let times = &played.score.times;
    line(out, "## Times\n");
    match played.stage.reached(Milestone::Paged) {
        Some(at) => {
            let _ = writeln!(out, "From the first page, {} after the beginning.\n", compact(at - played.stage.start()));
        }
        None => line(out, "Nothing paged; from the first inject.\n"),
    }
    line(out, "| | took |\n|---|---|");
    for (what, took) in [
        ("acknowledge", times.acknowledge),
        ("declare", times.declare),
        ("first update to stakeholders", times.first_update),
        ("pain stopped", times.mitigate),
    ] {
        let _ = writeln!(out, "| {what} | {} |", span(took));
    }
    out.push('\n');
}

fn expectations(out: &mut String, played: &Played<'_>) {
    line(out, "## Expected against actual\n");
    line(out, "| expected | actual | points |\n|---|---|---|");
    let expected = |item: &&Item| matches!(item.sort, Sort::Expected | Sort::Banned);
    for item in played.score.items.iter().filter(expected) {
        let actual = match (item.sort, item.ok) {
            (Sort::Banned, true) => "never happened".to_owned(),
            (Sort::Banned, false) => format!("happened: {}", field(&item.why)),
            (_, true) => item.took.map_or_else(|| "done".to_owned(), |_| format!("after {}", span(item.took))),
            (_, false) if item.at.is_some() => format!("after {}, {}", span(item.took), field(&item.why)),
            (_, false) => field(&item.why),
        };
        let points = if item.of > 0 { format!("{} of {}", item.points, item.of) } else { item.points.to_string() };
        let _ = writeln!(out, "| {} | {actual} | {points} |", field(&item.what));
    }
    out.push('\n');
}

fn beside(out: &mut String, played: &Played<'_>) {
    let beside: Vec<&Item> =
        played.score.items.iter().filter(|i| !matches!(i.sort, Sort::Expected | Sort::Banned)).collect();
    if beside.is_empty() {
        return;
    }
    line(out, "## Seen beside\n");
    for item in beside {
        let what = if item.sort == Sort::Command { code(&item.what) } else { field(&item.what) };
        let why = if item.why.is_empty() { String::new() } else { format!(": {}", field(&item.why)) };
        let points = if item.points == 0 { String::new() } else { format!(" ({} points)", item.points) };
        let _ = writeln!(out, "- {} {what}{why}{points}", clock(played, item.at));
    }
    out.push('\n');
}

fn clock(played: &Played<'_>, at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!("`+{}`", minutes(at - played.stage.start())))
}

/// `03:20` since the beginning; longer than an hour `1:03:20`.
fn minutes(span: Span) -> String {
    let s = span.num_seconds().max(0);
    let (h, m, s) = (s / 3_600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m:02}:{s:02}") }
}

/// What happened in the world and what the players did, in one order.
fn timeline(out: &mut String, played: &Played<'_>) {
    line(out, "## Timeline, injects revealed\n");
    let mut lines: Vec<(Timestamp, u8, String)> = Vec::new();
    for entry in played.stage.log() {
        let bold = matches!(
            entry.what,
            Happened::Injected { .. } | Happened::NotInjected { .. } | Happened::Steered(_) | Happened::Hint { .. }
        );
        // What the record tells better is told from there.
        let told_below = matches!(entry.what, Happened::Reached { .. } | Happened::Ran { .. });
        // An alert or a message of an inject was told with it.
        let told_above = matches!(&entry.what, Happened::Said { from, .. } if spoken(played, from));
        if !told_below && !told_above {
            let text = match &entry.what {
                Happened::Unmatched { command, actor } => {
                    format!("{} by {}: nobody thought of it", code(command), field(actor))
                }
                Happened::NotSimulated(promql) => format!("query not simulated: {}", code(promql)),
                other => field(&other.words()),
            };
            lines.push((entry.at, 0, if bold { format!("**{text}**") } else { text }));
        }
    }
    for event in played.events.iter().filter(|e| !matches!(e.body, Body::BudgetSampled(_))) {
        let own = played.events.iter().filter(|e| e.incident == event.incident);
        let incident = Incident::fold(own);
        let text = tell(event, incident.as_ref());
        let text = if text.trim().is_empty() { event.body.kind().to_owned() } else { text };
        lines.push((event.recorded_at, 1, format!("{}: {}", field(&event.actor), field(&text))));
    }
    if let Some(end) = played.stage.ended() {
        let open = played.stage.upcoming().into_iter().filter(|it| !it.stand.over());
        lines.extend(open.map(|it| {
            let given = if it.given.is_empty() { String::new() } else { format!(" ({})", it.given) };
            let text = format!("inject {} did not come before the end: {}{given}", it.inject, it.what);
            (end.at, 2, format!("**{}**", field(&text)))
        }));
    }
    lines.sort_by_key(|line| (line.0, line.1));
    for (at, _, text) in lines {
        let _ = writeln!(out, "- `+{}` {text}", minutes(at - played.stage.start()));
    }
    out.push('\n');
}

fn spoken(played: &Played<'_>, from: &str) -> bool {
    use crate::domain::drill::scenario::Act;
    played.stage.scenario().injects.iter().any(|i| matches!(&i.act, Act::Message { from: said, .. } if said == from))
}

/// What the runbooks and the scenario lacked.
fn gaps(out: &mut String, played: &Played<'_>) {
    line(out, "## Gaps\n");
    let mut found: Vec<String> = Vec::new();
    for item in played.score.items.iter().filter(|i| i.sort == Sort::Step) {
        found.push(format!("runbook step {} {}: {}", field(&item.id), field(&item.what), field(&item.why)));
    }
    let opened: Vec<&str> = played.stage.facts().runbooks().collect();
    if opened.is_empty() {
        found.push("no runbook was opened".into());
    }
    for book in played.library.iter().filter(|book| opened.contains(&book.id.as_str())) {
        let ended = played.stage.facts().steps();
        let open = book.steps.iter().filter(|s| !ended.iter().any(|e| e.runbook == book.id.0 && e.step == s.id.0));
        let open: Vec<String> = open.map(|s| field(s.id.as_str())).collect();
        if !open.is_empty() {
            found.push(format!("steps of {} that nobody ended: {}", field(book.id.as_str()), open.join(", ")));
        }
    }
    let mut unmatched: Vec<&str> = Vec::new();
    for entry in played.stage.log() {
        match &entry.what {
            Happened::Unmatched { command, .. } if !unmatched.contains(&command.as_str()) => unmatched.push(command),
            Happened::NotSimulated(promql) => found.push(format!("the scenario does not answer {}", code(promql))),
            _ => {}
        }
    }
    found.extend(unmatched.iter().map(|command| format!("no answer was prepared for {}", code(command))));
    if found.is_empty() {
        line(out, "None was seen.\n");
        return;
    }
    for gap in found {
        let _ = writeln!(out, "- {gap}");
    }
    out.push('\n');
}

fn recovery(out: &mut String, played: &Played<'_>) {
    let Some(recovery) = played.score.recovery else { return };
    line(out, "## Recovery objectives\n\n| | objective | actual | kept |\n|---|---|---|---|");
    for (name, objective, actual, kept) in recovery.rows() {
        let _ = writeln!(out, "| {name} | {objective} | {actual} | {} |", if kept { "yes" } else { "no" });
    }
    out.push('\n');
}

fn words_of_people(out: &mut String, played: &Played<'_>) {
    line(out, "## What people say\n");
    for question in [
        "what went well",
        "what was confusing, and where people looked first",
        "which step of the runbook was not trusted, and why",
        "where luck helped",
    ] {
        let _ = writeln!(out, "- {}", blank(question));
    }
    out.push('\n');
    if !played.stage.scenario().debrief.is_empty() {
        line(out, "## Debrief\n");
        for question in &played.stage.scenario().debrief {
            let _ = writeln!(out, "- {}\n  {}", field(question), blank("the answer"));
        }
        out.push('\n');
    }
    line(out, "## Action items\n\n| what | who | by when |\n|---|---|---|");
    let _ = writeln!(out, "| {} | {} | {} |", blank("what is to be changed"), blank("owner"), blank("date"));
}
