//! A runbook for the screen: its steps, what can be done in the shown one, output.

use crate::app::model::{Model, Transcript};
use crate::app::present::view::{Bit, Output, Pane, StepRow, Tone, WalkItem, WalkPage};
use crate::app::present::{bit, slos};
use crate::app::screen::Item;
use crate::app::update::output_key;
use crate::domain::ids::{IncidentId, RunbookId};
use crate::domain::incident::event::{At, StepEnd};
use crate::domain::incident::state::Walk;
use crate::domain::runbook::model::{Risk, RunCommand, Runbook, Step};
use crate::domain::runbook::values::Values;
use crate::domain::runbook::walk::focus;
use crate::domain::time::{Timestamp, clock_minutes, compact, secs};

/// Where something in a runbook happens.
pub fn place(book: &Runbook, step: &Step) -> At {
    At { runbook: book.id.clone(), step: step.id.clone(), name: step.name.clone() }
}

/// The values that commands of an incident get.
pub fn values(model: &Model, id: &IncidentId) -> Values {
    model.desk.cases.get(id).map(|c| Values::of_incident(&c.shown)).unwrap_or_default()
}

/// The step shown: the one turned to, else where the walk is.
pub fn shown_step<'b>(model: &Model, book: &'b Runbook, walk: &Walk) -> Option<&'b Step> {
    match model.nav.spot().step {
        Some(n) => book.steps.get(n),
        None => focus(book, walk),
    }
}

fn walk_of(model: &Model, incident: Option<&IncidentId>, runbook: &RunbookId) -> Walk {
    incident
        .and_then(|id| model.desk.cases.get(id))
        .and_then(|c| c.shown.walks.get(runbook))
        .cloned()
        .unwrap_or_default()
}

/// What can be selected in the shown step.
pub fn items(model: &Model, incident: Option<&IncidentId>, runbook: &RunbookId) -> Vec<Item> {
    let Some(book) = model.runbook(runbook) else { return Vec::new() };
    let walk = walk_of(model, incident, runbook);
    shown_step(model, book, &walk).map(of_step).unwrap_or_default()
}

fn of_step(step: &Step) -> Vec<Item> {
    let mut items: Vec<Item> = (0..step.commands.len()).map(Item::Command).collect();
    items.extend((0..step.options.len()).map(Item::Choice));
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
pub fn step_rows(book: &Runbook, walk: &Walk, shown: Option<&Step>) -> Vec<StepRow> {
    let current = crate::domain::runbook::walk::current(book, walk);
    let row = |(n, step): (usize, &Step)| {
        let mark = walk.steps.get(&step.id);
        let sign = match mark.map(|m| &m.end) {
            Some(StepEnd::Done) => "[x]",
            Some(StepEnd::Skipped(_)) => "[-]",
            Some(StepEnd::Failed(_)) => "[!]",
            _ if current.is_some_and(|c| c.id == step.id) => "[>]",
            _ => "[ ]",
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
        let note =
            [who.unwrap_or_default(), checks].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("   ");
        StepRow {
            mark: sign,
            name: format!("{} {}", n + 1, step.name),
            note,
            current: shown.is_some_and(|s| s.id == step.id),
        }
    };
    book.steps.iter().enumerate().map(row).collect()
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
        steps: step_rows(book, &walk, step),
        exec: exec_line(model, now),
        burn: burn(model, now, incident),
        ..WalkPage::default()
    };
    let Some(step) = step else { return page };
    page.step.clone_from(&step.name);
    page.say = step.say.lines().map(str::to_owned).collect();
    if page.say.is_empty() && !book.description.is_empty() && number == 1 {
        page.say = book.description.lines().map(str::to_owned).collect();
    }
    crate::app::present::step_findings::mark(model, book, &step.id, &mut page.steps, &mut page.say);
    page.items = OnScreen { model, now, incident, book, step, walk: &walk }.pane();
    page.output = output(model, now, incident, book, step);
    page
}

fn exec_line(model: &Model, now: Timestamp) -> Bit {
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
                self.command_item(c, label, &slot)
            }),
            Item::Choice(n) => step.options.get(*n).map(|o| {
                let slot = format!("option {}", n + 1);
                let label = format!("option {}/{}", n + 1, step.options.len());
                let mut row = match &o.command {
                    Some(c) => self.command_item(c, label, &slot),
                    None => WalkItem { label, detail: o.prose.clone().unwrap_or_default(), ..WalkItem::default() },
                };
                row.detail = if row.text.is_empty() { row.detail } else { format!("{}   {}", row.text, row.detail) };
                row.text.clone_from(&o.action);
                if row.state.text.is_empty() && walk.chosen.get(&step.id).is_some_and(|c| c.contains(n)) {
                    row.state = bit("chosen", Tone::Ok);
                }
                row
            }),
            Item::Check(n) => step.checks.get(*n).map(|c| {
                let state = match walk.answers.get(&step.id).and_then(|a| a.get(n)) {
                    Some(answer) => bit(format!("({})", answer.word()), Tone::Ok),
                    None => bit("( )", Tone::Text),
                };
                let detail = c.hint.clone().unwrap_or_default();
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

    fn command_item(&self, command: &RunCommand, label: String, slot: &str) -> WalkItem {
        let model = self.model;
        let risk = match command.risk {
            Risk::Read => "READS",
            Risk::Change => "CHANGES",
            Risk::Destroy => "DESTROYS",
            Risk::Unknown => "UNKNOWN",
        };
        let state = self.incident.map(|id| self.command_state(id, command, slot)).unwrap_or_default();
        let refused =
            self.incident.and_then(|id| crate::domain::runbook::values::prepare(command, &values(model, id)).err());
        let detail = match refused {
            Some(why) => format!("cannot run: {}", why.0),
            None => format!("on {} as {}   limit {}", model.setup.host, model.setup.user, compact(command.timeout)),
        };
        WalkItem { label, risk: risk.into(), text: command.text.clone(), detail, state }
    }

    fn command_state(&self, id: &IncidentId, command: &RunCommand, slot: &str) -> Bit {
        let (model, now, book, step) = (self.model, self.now, self.book, self.step);
        if let Some(running) = &model.exec.running
            && running.run.incident == *id
            && running.run.place == place(book, step)
            && running.run.slot == slot
        {
            let word = if running.stopping { "stopping" } else { "running" };
            return bit(format!("{word} {}", compact(now - running.since)), Tone::Warn);
        }
        let runs = model.desk.cases.get(id).map(|c| c.shown.commands.iter());
        let last = runs
            .into_iter()
            .flatten()
            .rev()
            .find(|r| r.start.place == place(book, step) && r.start.command == command.text);
        match last.map(|r| &r.finish) {
            None => Bit::default(),
            Some(None) => bit("unknown, check before re-running", Tone::Warn),
            Some(Some(end)) => match (end.exit, &end.reason) {
                (Some(0), _) => bit(format!("exit 0  {:.1}s", end.took_ms as f64 / 1_000.0), Tone::Ok),
                (Some(code), _) => bit(format!("exit {code}  {:.1}s", end.took_ms as f64 / 1_000.0), Tone::Warn),
                (None, reason) => bit(reason.clone().unwrap_or_else(|| "unknown".into()), Tone::Warn),
            },
        }
    }
}

fn output(model: &Model, now: Timestamp, incident: Option<&IncidentId>, book: &Runbook, step: &Step) -> Option<Output> {
    let id = incident?;
    let slot = match selected(model, step) {
        Some(Item::Command(n)) => format!("command {}", n + 1),
        Some(Item::Choice(n)) => format!("option {}", n + 1),
        _ => return None,
    };
    let transcript: &Transcript = model.exec.outputs.get(&output_key(id, &book.id, step.id.as_str(), &slot))?;
    let since = model.exec.running.as_ref().filter(|r| r.run.slot == slot).map(|r| now - r.since);
    let how = match (&transcript.end, since) {
        (None, since) => format!("running {}", compact(since.unwrap_or_else(|| secs(0)))),
        (Some(end), _) => {
            let code = end
                .exit
                .map_or_else(|| end.reason.clone().unwrap_or_else(|| "unknown".into()), |c| format!("exit {c}"));
            let dropped = if end.dropped > 0 { format!(", {} bytes not kept", end.dropped) } else { String::new() };
            format!("{code}  {:.1}s  {} bytes{dropped}", end.took.as_secs_f64(), end.bytes)
        }
    };
    let mut lines: Vec<String> = transcript.lines.iter().cloned().collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if transcript.lost > 0 {
        lines.insert(0, format!("({} lines above are not kept)", transcript.lost));
    }
    Some(Output { title: format!("{slot}   {how}"), lines, running: transcript.end.is_none() })
}
