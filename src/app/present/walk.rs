//! A runbook for the screen: its steps, what can be done in the shown one, output.

use crate::app::model::{Model, Running, Transcript};
use crate::app::present::view::{Bit, Output, Pane, StepRow, Tone, WalkItem, WalkPage};
use crate::app::present::{bit, changes, ran, replay, slos, suggestions};
use crate::app::screen::{Item, Screen};
use crate::app::update::output_key;
use crate::domain::ids::{IncidentId, RunbookId};
use crate::domain::incident::change::{Change, VerifyEnd};
use crate::domain::incident::event::{At, StepEnd};
use crate::domain::incident::state::Walk;
use crate::domain::runbook::gate::{Need, Wanted};
use crate::domain::runbook::hold;
use crate::domain::runbook::inputs::{self, Known};
use crate::domain::runbook::model::{Exec, Mutation, Part, Risk, Rollback, RunCommand, Runbook, Step, Target};
use crate::domain::runbook::offer::risk;
use crate::domain::runbook::route::{Stand, again, route};
use crate::domain::runbook::values::{Values, first_alert};
use crate::domain::runbook::walk::focus;
use crate::domain::text::sequences::strip;
use crate::domain::time::{Span, Timestamp, clock_minutes, compact, secs};

/// Where something in a runbook happens.
pub fn place(book: &Runbook, step: &Step) -> At {
    At { runbook: book.id.clone(), step: step.id.clone(), name: step.name.clone() }
}

/// The values that commands of a runbook get for an incident.
pub fn values(model: &Model, id: &IncidentId, book: &Runbook) -> Values {
    let Some(case) = model.desk.cases.get(id) else { return Values::default() };
    let alert = first_alert(&case.shown).and_then(|(fingerprint, _)| model.alerts.get(fingerprint));
    let backend = crate::app::present::backend::values(&case.shown);
    let known = Known {
        incident: Some(&case.shown),
        annotations: alert.map(|a| &a.annotations),
        backend: Some(&backend),
        walk: case.shown.walks.get(&book.id),
        secrets: model.exec.secrets.of(id, &book.id),
        ..Known::default()
    };
    inputs::values(book, known)
}

/// The same on the walk in view; a runbook that is only read has no incident.
fn values_in_view(model: &Model, book: &Runbook) -> Values {
    match model.nav.screen() {
        Screen::Walk(Some(id), _) => values(model, id, book),
        _ => inputs::values(book, Known::default()),
    }
}

/// The step shown: the one turned to, else where the walk is.
pub fn shown_step<'b>(model: &Model, book: &'b Runbook, walk: &Walk) -> Option<&'b Step> {
    match model.nav.spot().step {
        Some(n) => book.steps.get(n),
        None => focus(book, walk, &values_in_view(model, book)),
    }
}

fn walk_of(model: &Model, incident: Option<&IncidentId>, runbook: &RunbookId) -> Walk {
    incident
        .and_then(|id| model.desk.cases.get(id))
        .and_then(|c| c.shown.walks.get(runbook))
        .cloned()
        .unwrap_or_default()
}

/// The state of the walk in view; empty where a runbook is only read.
pub fn walk_in_view(model: &Model) -> Walk {
    match model.nav.screen() {
        Screen::Walk(incident, runbook) => walk_of(model, incident.as_ref(), runbook),
        _ => Walk::default(),
    }
}

/// What can be selected in the shown step.
pub fn items(model: &Model, incident: Option<&IncidentId>, runbook: &RunbookId) -> Vec<Item> {
    let Some(book) = model.runbook(runbook) else { return Vec::new() };
    let walk = walk_of(model, incident, runbook);
    shown_step(model, book, &walk).map(of_step).unwrap_or_default()
}

fn of_step(step: &Step) -> Vec<Item> {
    let mut items = Vec::new();
    let trial = |mutation: Option<&Mutation>| {
        let command = mutation.and_then(|m| m.dry_run.as_deref());
        command.map(|c| Item::Trial(c.id.clone()))
    };
    for (n, command) in step.commands.iter().enumerate() {
        items.push(Item::Command(n));
        items.extend(trial(command.mutation.as_deref()));
    }
    for (n, option) in step.options.iter().enumerate() {
        items.push(Item::Choice(n));
        items.extend(trial(Some(&option.mutation)));
    }
    items.extend((0..step.checks.len()).map(Item::Check));
    items.extend((0..step.prose.len() + step.todos.len()).map(Item::Prose));
    items.extend((0..step.links.len()).map(Item::Link));
    items
}

/// What is selected in a step.
pub fn selected(model: &Model, step: &Step) -> Option<Item> {
    let all = of_step(step);
    model.nav.spot().cursor.filter(|c| all.contains(c)).or_else(|| all.first().cloned())
}

/// The list of steps. `shown` is the one whose content is on the screen.
pub fn step_rows(book: &Runbook, walk: &Walk, values: &Values, shown: Option<&Step>) -> Vec<StepRow> {
    let stands = route(book, walk, values);
    let current = crate::domain::runbook::walk::current(book, walk, values);
    let row = |(n, step): (usize, &Step)| {
        let mark = walk.steps.get(&step.id);
        let stand = stands.get(n);
        let sign = match mark.map(|m| &m.end) {
            Some(StepEnd::Done) => "[x]",
            Some(StepEnd::Skipped(_)) => "[-]",
            Some(StepEnd::Failed(_)) => "[!]",
            _ if current.is_some_and(|c| c.id == step.id) => "[>]",
            _ => match stand {
                Some(Stand::Skipped(_)) => "[.]",
                Some(Stand::Stopped(_)) => "[-]",
                Some(Stand::Unsure(_)) => "[?]",
                _ => "[ ]",
            },
        };
        let who = mark.map(|m| {
            let why = match &m.end {
                StepEnd::Skipped(why) => format!("  skipped: {why}"),
                StepEnd::Failed(why) => format!("  failed: {why}"),
                _ => String::new(),
            };
            format!("{} {}{why}", clock_minutes(m.at), m.actor)
        });
        let answered = walk.answers.get(&step.id).map_or(0, std::collections::BTreeMap::len);
        let checks =
            if step.checks.is_empty() { String::new() } else { format!("{answered}/{} checks", step.checks.len()) };
        let why = stand.and_then(|stand| match stand {
            Stand::Skipped(why) => Some(format!("passed by: {why}")),
            Stand::Unsure(why) => Some(format!("perhaps: {why}")),
            Stand::Stopped(why) => Some(why.clone()),
            Stand::Open | Stand::Ended => None,
        });
        let checks = if why.is_some() { String::new() } else { checks };
        let note = [who.unwrap_or_default(), why.unwrap_or_default(), checks]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join("   ");
        StepRow {
            mark: sign,
            name: format!("{} {}", n + 1, step.name),
            note,
            current: shown.is_some_and(|s| s.id == step.id),
        }
    };
    book.steps.iter().enumerate().map(row).collect()
}

/// Silence after which a running command is said to be silent.
const QUIET: Span = Span::seconds(10);

/// What stands around a change, in a few words.
fn company(mutation: &Mutation) -> String {
    let mut words = Vec::new();
    words.extend(mutation.impact.iter().map(|impact| format!("impact: {impact}")));
    words.push(match &mutation.rollback {
        Rollback::Command(_) => "rollback: yes".to_owned(),
        Rollback::None { reason } => format!("no rollback: {reason}"),
        Rollback::Unstated => "rollback: not stated".to_owned(),
    });
    words.extend(mutation.verify.as_ref().map(|v| format!("verify: {}", hold::words(&v.what))));
    words.join("   ")
}

/// The walk screen.
pub fn page(model: &Model, now: Timestamp, incident: Option<&IncidentId>, runbook: &RunbookId) -> WalkPage {
    let Some(book) = model.runbook(runbook) else {
        return WalkPage {
            title: format!("runbook {runbook} cannot be read (midwatch check says why)"),
            ..WalkPage::default()
        };
    };
    let walk = walk_of(model, incident, runbook);
    let progress = crate::domain::runbook::walk::progress(book, &walk);
    let title = match incident {
        Some(id) => format!("{} for {id}", book.name),
        None => format!("{} (read only: open it from an incident to walk it)", book.name),
    };
    let step = shown_step(model, book, &walk);
    let number = step.and_then(|s| book.steps.iter().position(|t| t.id == s.id)).map_or(0, |n| n + 1);
    let mut page = WalkPage {
        title,
        progress: format!("step {number} of {}, {} ended", progress.total, progress.ended),
        steps: step_rows(book, &walk, &values_in_view(model, book), step),
        exec: exec_line(model, now, book),
        burn: burn(model, now, incident),
        ..WalkPage::default()
    };
    let Some(step) = step else { return page };
    page.step.clone_from(&step.name);
    page.say = step.say.lines().map(str::to_owned).collect();
    if page.say.is_empty() && !book.description.is_empty() && number == 1 {
        page.say = book.description.lines().map(str::to_owned).collect();
    }
    page.watch = watch(model, now, incident, book, step);
    suggestions::mark(model, now, (book, step, &walk), &mut page.steps);
    crate::app::present::step_findings::mark(model, book, &step.id, &mut page.steps, &mut page.say);
    page.items = OnScreen { model, now, incident, book, step, walk: &walk }.pane();
    page.output = output(model, now, incident, book, step);
    page
}

fn exec_line(model: &Model, now: Timestamp, book: &Runbook) -> Bit {
    if !book.is_runnable() {
        return bit("[page of prose] commands are copied, never run", Tone::Muted);
    }
    if model.setup.read_only {
        return bit("[read-only] commands are copied, not run", Tone::Muted);
    }
    match model.exec.armed_until.filter(|u| *u > now) {
        Some(until) => bit(
            format!("[ARMED] Enter shows the exact command, y runs it; off again in {}", compact(until - now)),
            Tone::Warn,
        ),
        None => bit(
            format!(
                "[exec off] commands are copied, not run.  :arm allows running for {}",
                compact(model.setup.arm_for)
            ),
            Tone::Muted,
        ),
    }
}

fn burn(model: &Model, now: Timestamp, incident: Option<&IncidentId>) -> Option<Bit> {
    let case = model.desk.cases.get(incident?)?;
    let (objective, status) =
        slos::ranked(model, now).into_iter().find(|(o, _)| case.shown.objectives.contains(&o.id))?;
    let row = slos::row(&objective, &status, now);
    Some(bit(
        format!("{}  burn 1h {}  5m {}  budget {}", row.name, row.burn_1h, row.burn_5m, row.left),
        row.sign.tone(),
    ))
}

/// What is watched after a change of this step, else how many changes are in force.
fn watch(model: &Model, now: Timestamp, incident: Option<&IncidentId>, book: &Runbook, step: &Step) -> Option<Bit> {
    let id = incident?;
    let case = model.desk.cases.get(id)?;
    let here = |c: &&Change| c.place.runbook == book.id && c.place.step == step.id;
    let watched = case.shown.in_force().filter(here).find_map(|c| Some((c, changes::helped(model, now, id, c)?)));
    if let Some((change, words)) = watched {
        let tone = match change.verify.as_ref().and_then(|v| v.end.as_ref()) {
            Some(VerifyEnd::Held(_)) => Tone::Ok,
            Some(VerifyEnd::Failed(_)) => Tone::Crit,
            None => Tone::Warn,
        };
        return Some(bit(words, tone));
    }
    match changes::count(model, id) {
        0 => None,
        n => Some(bit(format!("{n} change(s) in force: 8 shows them, b takes the last one back"), Tone::Warn)),
    }
}

/// The step on the screen and everything its rows are drawn from.
struct OnScreen<'m> {
    model: &'m Model,
    now: Timestamp,
    incident: Option<&'m IncidentId>,
    book: &'m Runbook,
    step: &'m Step,
    walk: &'m Walk,
}

impl OnScreen<'_> {
    fn pane(&self) -> Pane<WalkItem> {
        let (model, step) = (self.model, self.step);
        let items = of_step(step);
        let chosen = selected(model, step);
        let cursor = items.iter().position(|i| chosen.as_ref() == Some(i));
        let rows = items.iter().map(|i| self.item(i)).collect();
        Pane {
            title: String::new(),
            rows,
            cursor,
            empty: "nothing to run or answer: d ends the step".into(),
            ..Pane::default()
        }
    }

    fn item(&self, item: &Item) -> WalkItem {
        let (step, walk) = (self.step, self.walk);
        match item {
            Item::Command(n) => step.commands.get(*n).map(|c| {
                let slot = format!("command {}", n + 1);
                let label = format!("command {}/{}", n + 1, step.commands.len());
                self.command_item(c, Part::Run, label, &slot)
            }),
            Item::Choice(n) => step.options.get(*n).map(|o| {
                let slot = format!("option {}", n + 1);
                let label = format!("option {}/{}", n + 1, step.options.len());
                let mut row = match &o.command {
                    Some(c) => self.command_item(c, Part::Run, label, &slot),
                    None => WalkItem { label, detail: o.prose.clone().unwrap_or_default(), ..WalkItem::default() },
                };
                row.detail = if row.text.is_empty() { row.detail } else { format!("{}   {}", row.text, row.detail) };
                row.text.clone_from(&o.action);
                if row.state.text.is_empty() && walk.chosen.get(&step.id).is_some_and(|c| c.contains(n)) {
                    row.state = bit("chosen", Tone::Ok);
                }
                row
            }),
            Item::Trial(id) => step.parts().find(|(_, c)| c.id == *id).map(|(_, c)| {
                let slot = format!("dry run {id}");
                self.command_item(c, Part::DryRun, "dry run".into(), &slot)
            }),
            Item::Check(n) => step.checks.get(*n).map(|c| {
                let round = again(step, *n, walk).map(|(round, of)| format!("ask again {round}/{of}"));
                let measured = suggestions::of(self.model, self.now, (self.book, step, walk), *n);
                let state = match walk.answers.get(&step.id).and_then(|a| a.get(n)) {
                    Some(_) if round.is_some() => bit(round.clone().unwrap_or_default(), Tone::Warn),
                    Some(answer) => bit(format!("({})", answer.word()), Tone::Ok),
                    None if measured.as_ref().is_some_and(|(yes, _)| *yes) => bit("( ) suggested: yes", Tone::Accent),
                    None => bit("( )", Tone::Text),
                };
                let told = c.hint.iter().cloned().chain(measured.map(|(_, words)| words));
                let detail = told.collect::<Vec<_>>().join("   ");
                WalkItem { label: "check".into(), text: c.question.clone(), detail, state, ..WalkItem::default() }
            }),
            Item::Prose(n) => {
                let (label, text) = match step.prose.get(*n) {
                    Some(line) => ("by hand", Some(line)),
                    None => ("to do", step.todos.get(n.saturating_sub(step.prose.len()))),
                };
                text.map(|t| WalkItem { label: label.into(), text: t.clone(), ..WalkItem::default() })
            }
            Item::Link(n) => step.links.get(*n).map(|l| WalkItem {
                label: format!("link {}", n + 1),
                text: l.url.clone(),
                ..WalkItem::default()
            }),
            _ => None,
        }
        .unwrap_or_default()
    }

    fn command_item(&self, command: &RunCommand, part: Part, label: String, slot: &str) -> WalkItem {
        let (raised, _) = risk(command, part);
        let risk = match raised {
            Risk::Read => "READS",
            Risk::Change => "CHANGES",
            Risk::Destroy => "DESTROYS",
            Risk::Unknown => "UNKNOWN",
        };
        let state = self.incident.map(|id| self.command_state(id, command, slot)).unwrap_or_default();
        let detail = match self.incident.map(|id| self.standing(id, command, part)) {
            Some(Err(why)) => format!("cannot run: {why}"),
            Some(Ok(Some(first))) => format!("{}   {first}", self.place(command)),
            _ => self.place(command),
        };
        let around = self.step.mutation(&command.id).filter(|_| part == Part::Run && raised.is_dangerous());
        let around = around.map(|m| format!("   {}", company(m))).unwrap_or_default();
        WalkItem { label, risk: risk.into(), text: command.text.clone(), detail: format!("{detail}{around}"), state }
    }

    /// Where it runs, as whom, for how long.
    fn place(&self, command: &RunCommand) -> String {
        let setup = &self.model.setup;
        let host = match self.book.target(command) {
            Some(Target::Ssh { host }) => format!("{host} over ssh"),
            _ if matches!(command.exec, Exec::Query(_)) => "the metrics server".into(),
            _ => setup.host.clone(),
        };
        format!("on {host} as {}   limit {}", setup.user, compact(command.timeout))
    }

    /// What Enter would do first, or why nothing can be done.
    fn standing(&self, id: &IncidentId, command: &RunCommand, part: Part) -> Result<Option<String>, String> {
        let case = self.model.desk.cases.get(id).ok_or("the incident is gone")?;
        let values = values(self.model, id, self.book);
        let option = self.step.options.iter().position(|o| o.command.as_ref().is_some_and(|c| c.id == command.id));
        let wanted = Wanted { book: self.book, step: self.step, part, command, option };
        if !self.book.is_runnable() {
            return Err("it comes from a page of prose: copy it".into());
        }
        let need = wanted.need(&case.shown, self.walk, &values, self.now).map_err(|r| r.0)?;
        let first = match need {
            Need::Inputs(inputs) => {
                let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
                Some(format!("Enter first asks for {}", names.join(", ")))
            }
            Need::Reads(reads) => Some(format!("Enter first looks where we are ({} reads)", reads.len())),
            Need::DryRun(_) => Some("Enter first tries it dry".into()),
            Need::Approval => Some(self.second_person(wanted, &values)),
            Need::Nothing => None,
        };
        if !matches!(first, Some(ref words) if words.contains("first")) {
            crate::domain::runbook::prepare::ready(self.book, command, &values).map_err(|r| r.0)?;
        }
        Ok(first)
    }

    /// Whether a second person was asked, and what came of it.
    fn second_person(&self, wanted: Wanted<'_>, values: &Values) -> String {
        let alone = || "needs a second person".to_owned();
        let Some(case) = self.incident.and_then(|id| self.model.desk.cases.get(id)) else { return alone() };
        let Ok(offer) = wanted.offer("", &case.shown, values, self.now) else { return alone() };
        let sum = offer.sha256();
        match (&offer.approval, case.shown.waiting(&sum, self.now)) {
            (Some((_, by, _)), _) => format!("approved by {by}: Enter shows the command"),
            (None, Some(waiting)) => {
                let left = compact(waiting.until() - self.now);
                format!("waits for a second person: code {}, {left} left", waiting.request.code)
            }
            (None, None) => alone(),
        }
    }

    fn command_state(&self, id: &IncidentId, command: &RunCommand, slot: &str) -> Bit {
        let (model, now, book, step) = (self.model, self.now, self.book, self.step);
        let mine = |r: &&Running| {
            let offer = &r.run.offer;
            offer.incident == *id && offer.place == place(book, step) && offer.slot == slot
        };
        if let Some(running) = model.exec.running.iter().find(mine) {
            let word = if running.stopping { "stopping" } else { "running" };
            let quiet = now - running.heard;
            let hint = if quiet >= QUIET { format!(", silent {}", compact(quiet)) } else { String::new() };
            return bit(format!("{word} {}{hint}", compact(now - running.since)), Tone::Warn);
        }
        let case = model.desk.cases.get(id).map(|c| &c.shown);
        let last = case.and_then(|i| ran::last(i, &place(book, step), command));
        match last.filter(|run| replay::runs(model, run)) {
            Some(run) => bit(format!("running {}", compact(now - run.at)), Tone::Warn),
            None => last.map(ran::words).unwrap_or_default(),
        }
    }
}

fn output(model: &Model, now: Timestamp, incident: Option<&IncidentId>, book: &Runbook, step: &Step) -> Option<Output> {
    let id = incident?;
    let slot = match selected(model, step) {
        Some(Item::Command(n)) => format!("command {}", n + 1),
        Some(Item::Choice(n)) => format!("option {}", n + 1),
        Some(Item::Trial(id)) => format!("dry run {id}"),
        _ => return None,
    };
    let of = |slot: &str| model.exec.outputs.get(&output_key(id, &book.id, step.id.as_str(), slot));
    // Until it ran itself, what was looked at before it is what there is to read.
    let before = format!("{slot} before");
    let (slot, transcript): (String, &Transcript) = match of(&slot) {
        Some(own) => (slot, own),
        None => (before.clone(), of(&before)?),
    };
    let running = model.exec.running.iter().find(|r| r.run.offer.slot == slot && r.run.offer.incident == *id);
    let since = running.map(|r| now - r.since);
    let how = match (&transcript.end, since) {
        (None, since) => {
            let quiet = running.map_or(secs(0), |r| now - r.heard);
            let hint = match quiet >= QUIET {
                true => format!(", no output for {}; Ctrl-X stops it", compact(quiet)),
                false => String::new(),
            };
            format!("running {}{hint}", compact(since.unwrap_or_else(|| secs(0))))
        }
        (Some(end), _) => {
            let code = end
                .exit
                .map_or_else(|| end.reason.clone().unwrap_or_else(|| "unknown".into()), |c| format!("exit {c}"));
            let dropped = if end.dropped > 0 { format!(", {} bytes not kept", end.dropped) } else { String::new() };
            format!("{code}  {:.1}s  {} bytes{dropped}", end.took.as_secs_f64(), end.bytes)
        }
    };
    let mut lines: Vec<String> = transcript.lines.iter().map(|line| seen(line)).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if transcript.lost > 0 {
        lines.insert(0, format!("({} lines above are not kept)", transcript.lost));
    }
    if let Some(file) = transcript.end.as_ref().and_then(|end| end.file.as_ref()) {
        lines.push(format!("(more of it is in {file})"));
    }
    Some(Output { title: format!("{slot}   {how}"), lines, running: transcript.end.is_none() })
}

/// Bytes of a line that are shown: more than any screen is wide. A line without an end must not cost every key its length.
const SHOWN: usize = 2 * 1024;

/// A line of output as it can be read.
fn seen(line: &str) -> String {
    match line.get(..line.floor_char_boundary(SHOWN)) {
        Some(begin) if begin.len() < line.len() => format!("{}...", strip(begin)),
        _ => strip(line),
    }
}
