//! Hands at a simulated cockpit: everything is done with keys and by what is on the screen, as a person would, so that what
//! the cockpit refuses a person is refused here too. Knows the cockpit, not the scenario.

use crate::app::action::Action;
use crate::app::key::Key;
use crate::app::msg::Msg;
use crate::app::present::items;
use crate::app::present::walk::shown_step;
use crate::app::screen::{Item, Overlay, Screen};
use crate::domain::alert::AlertState;
use crate::domain::ids::{IncidentId, RunbookId, StepId};
use crate::domain::incident::decide::Refusal;
use crate::domain::runbook::model::{Runbook, Step};
use crate::domain::time::secs;
use crate::run::sim::Simulator;
use std::sync::Arc;

/// How often a key is pressed to reach something before it counts as not there.
const REACH: usize = 200;
/// Questions that may come before a command runs.
const QUESTIONS: usize = 12;

/// Why something could not be done.
pub type Refused = Refusal;

fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refusal(why.into()))
}

/// Hands at a cockpit.
#[derive(Debug)]
pub struct Hands<'s> {
    sim: &'s mut Simulator,
}

impl<'s> Hands<'s> {
    /// Hands at this cockpit.
    pub fn at(sim: &'s mut Simulator) -> Self {
        Self { sim }
    }

    fn press(&mut self, keys: &str) {
        keys.split(' ').filter_map(|key| Key::parse(key).ok()).for_each(|key| self.sim.key(key));
    }

    /// What was said last.
    fn said(&self) -> String {
        self.sim.model().messages.back().map(|m| m.text.clone()).unwrap_or_default()
    }

    /// The screen is free of boxes.
    fn clear(&mut self) {
        for _ in 0..6 {
            if self.sim.model().nav.overlay.is_none() {
                return;
            }
            self.press("Esc");
        }
    }

    /// The open incident that was declared first.
    fn incident(&self) -> Result<IncidentId, Refused> {
        let open = self.sim.model().open_cases();
        let oldest = open.iter().min_by_key(|case| case.shown.times.declared);
        oldest.map(|case| case.shown.id.clone()).ok_or_else(|| Refusal("there is no open incident".into()))
    }

    fn go_to_incident(&mut self) -> Result<IncidentId, Refused> {
        self.clear();
        let id = self.incident()?;
        self.press("3");
        match self.sim.model().nav.screen() {
            Screen::Incident(_) => Ok(id),
            _ => refuse(self.said()),
        }
    }

    fn select(&mut self, wanted: &Item) -> Result<(), Refused> {
        self.press("g");
        for _ in 0..REACH {
            let now = self.sim.now();
            if items::selected(self.sim.model(), now).as_ref() == Some(wanted) {
                return Ok(());
            }
            self.press("j");
        }
        refuse(format!("{wanted:?} cannot be selected"))
    }

    /// Fills in the form that is open, by the labels of its fields, and sends it.
    fn fill(&mut self, values: &[(&str, &str)]) -> Result<(), Refused> {
        let Some(Overlay::Form(form)) = self.sim.model().nav.overlay.clone() else {
            return refuse(format!("no form opened: {}", self.said()));
        };
        for field in &form.fields {
            if let Some((_, value)) = values.iter().find(|(label, _)| *label == field.label) {
                match field.choices.iter().position(|choice| choice.eq_ignore_ascii_case(value)) {
                    Some(place) => self.press(&(place + 1).to_string()),
                    None if !field.choices.is_empty() => {
                        self.clear();
                        return refuse(format!("{} cannot be `{value}`", field.label));
                    }
                    None => {
                        self.sim.key(Key::ctrl('u'));
                        self.sim.type_text(value);
                    }
                }
            }
            self.press("Tab");
        }
        self.press("Enter");
        if let Some(Overlay::Form(form)) = &self.sim.model().nav.overlay
            && let Some(error) = form.error.clone()
        {
            self.clear();
            return refuse(error);
        }
        Ok(())
    }

    /// Says yes to the box that is open, once it was on the screen.
    fn confirm(&mut self) -> Result<(), Refused> {
        self.sim.pass(secs(1));
        let Some(Overlay::Confirm(confirm)) = self.sim.model().nav.overlay.clone() else {
            return refuse(format!("nothing to confirm: {}", self.said()));
        };
        match &confirm.token {
            Some(token) => {
                self.sim.type_text(token);
                self.press("Enter");
            }
            None => self.press("y"),
        }
        Ok(())
    }

    /// Declares an incident from the first alert that fires, or by hand where none does.
    pub fn declare(&mut self, title: Option<&str>, severity: Option<&str>) -> Result<(), Refused> {
        self.clear();
        let firing = |a: &&crate::domain::alert::Alert| a.state == AlertState::Firing;
        let alert = self.sim.model().alerts.all().filter(firing).min_by_key(|a| (a.started_at, a.name.clone()));
        match alert.map(|a| a.fingerprint.clone()) {
            Some(fingerprint) => {
                self.press("6");
                self.select(&Item::Alert(fingerprint))?;
            }
            None => self.press("1"),
        }
        self.press("i");
        let mut values: Vec<(&str, &str)> = Vec::new();
        values.extend(title.map(|title| ("title", title)));
        values.extend(severity.map(|severity| ("severity", severity)));
        self.fill(&values)?;
        self.sim.pass(secs(1));
        // The policy may ask whether to wake somebody: a drill wakes nobody real.
        if matches!(&self.sim.model().nav.overlay, Some(Overlay::Confirm(_))) {
            self.confirm()?;
        }
        Ok(())
    }

    /// Takes the incident.
    pub fn ack(&mut self) -> Result<(), Refused> {
        let id = self.go_to_incident()?;
        self.press("a");
        let taken = self.sim.model().desk.cases.get(&id).is_some_and(|c| c.shown.times.acknowledged.is_some());
        if taken { Ok(()) } else { refuse(self.said()) }
    }

    /// Opens a form on the incident and fills it in.
    pub fn on_incident(&mut self, key: &str, values: &[(&str, &str)]) -> Result<(), Refused> {
        self.go_to_incident()?;
        self.press(key);
        self.fill(values)
    }

    /// An action without a key on the incident, and its form.
    pub fn act_on_incident(&mut self, action: Action, values: &[(&str, &str)]) -> Result<(), Refused> {
        self.go_to_incident()?;
        self.sim.send(Msg::Act(action));
        self.fill(values)
    }

    /// Resolves the incident.
    pub fn resolve(&mut self, summary: &str) -> Result<(), Refused> {
        self.on_incident("x", &[("summary", summary)])?;
        self.confirm()
    }

    /// Opens a runbook for the incident: this one, or the best for its alerts.
    pub fn open(&mut self, runbook: Option<&str>) -> Result<(), Refused> {
        self.go_to_incident()?;
        self.press("r");
        if matches!(self.sim.model().nav.screen(), Screen::Walk(Some(_), id) if runbook.is_none_or(|r| id.as_str() == r))
        {
            return Ok(());
        }
        let wanted = match runbook {
            Some(id) => RunbookId::from(id),
            None => match self.sim.model().library.first() {
                Some(book) => book.id.clone(),
                None => return refuse("there is no runbook"),
            },
        };
        // From the library a runbook opens for the incident that is open.
        self.press("5");
        self.select(&Item::Runbook(wanted))?;
        self.press("Enter");
        match self.sim.model().nav.screen() {
            Screen::Walk(Some(_), _) => Ok(()),
            _ => refuse(format!("the runbook does not open: {}", self.said())),
        }
    }

    /// The walk on the screen; opens the incident's where another screen is shown.
    fn walk(&mut self) -> Result<(IncidentId, Arc<Runbook>), Refused> {
        self.clear();
        if !matches!(self.sim.model().nav.screen(), Screen::Walk(Some(_), _)) {
            let id = self.incident()?;
            let last = self.sim.model().desk.cases.get(&id).and_then(|c| c.shown.runbook.clone());
            self.open(last.as_ref().map(RunbookId::as_str))?;
        }
        let Screen::Walk(Some(id), runbook) = self.sim.model().nav.screen().clone() else {
            return refuse("no runbook is open");
        };
        let book = self.sim.model().runbook(&runbook).cloned();
        book.map(|book| (id, book)).ok_or_else(|| Refusal("the runbook is gone".into()))
    }

    fn shown(&self, id: &IncidentId, book: &Runbook) -> Option<StepId> {
        let model = self.sim.model();
        let walk = model.desk.cases.get(id).and_then(|c| c.shown.walks.get(&book.id)).cloned().unwrap_or_default();
        shown_step(model, book, &walk).map(|step| step.id.clone())
    }

    fn go_to_step(&mut self, step: &str) -> Result<(IncidentId, Arc<Runbook>), Refused> {
        let (id, book) = self.walk()?;
        if !book.steps.iter().any(|s| s.id.as_str() == step) {
            return refuse(format!("{} has no step `{step}`", book.id));
        }
        for key in ["h", "l"] {
            for _ in 0..=book.steps.len() {
                if self.shown(&id, &book).is_some_and(|shown| shown.as_str() == step) {
                    return Ok((id, book));
                }
                self.press(key);
            }
        }
        refuse(format!("step `{step}` is not shown"))
    }

    /// Ends a step: `d` done, `s` skipped and `f` failed with a reason.
    pub fn end_step(&mut self, step: &str, key: &str, reason: &str) -> Result<(), Refused> {
        self.go_to_step(step)?;
        self.press(key);
        if reason.is_empty() {
            return Ok(());
        }
        self.fill(&[("reason", reason)])
    }

    /// Answers a question of a step: `y`, `N` or `m`.
    pub fn answer(&mut self, step: &str, check: usize, key: &str) -> Result<(), Refused> {
        self.go_to_step(step)?;
        self.select(&Item::Check(check))?;
        self.press(key);
        Ok(())
    }

    /// Allows commands for a while, where they are not.
    fn arm(&mut self) -> Result<(), Refused> {
        let now = self.sim.now();
        if self.sim.model().armed(now) {
            return Ok(());
        }
        self.sim.send(Msg::Act(Action::Arm));
        self.confirm()
    }

    /// Runs a command of the opened runbook by its id, or the id of its option, and waits for its end.
    pub fn run(&mut self, command: &str) -> Result<(), Refused> {
        let (_, book) = self.walk()?;
        let found = book.steps.iter().find_map(|step| Some((step.id.clone(), place(step, command)?)));
        let Some((step, (item, full))) = found else {
            return refuse(format!("{} has no command `{command}`", book.id));
        };
        self.arm()?;
        let (id, _) = self.go_to_step(step.as_str())?;
        self.select(&item)?;
        let runs = |hands: &Self| {
            let case = hands.sim.model().desk.cases.get(&id);
            case.map_or(0, |c| c.shown.commands.iter().filter(|run| run.start.id == full).count())
        };
        let before = runs(self);
        for _ in 0..QUESTIONS {
            match self.sim.model().nav.overlay.clone() {
                Some(Overlay::Confirm(_)) => self.confirm()?,
                Some(Overlay::Form(form)) => {
                    // A value that nobody gave: what stands there, else a small number, which most patterns take.
                    let empty = form.fields.iter().filter(|f| f.choices.is_empty() && f.line.is_empty());
                    let labels: Vec<String> = empty.map(|f| f.label.to_string()).collect();
                    let values: Vec<(&str, &str)> = labels.iter().map(|label| (label.as_str(), "2")).collect();
                    self.fill(&values)?;
                }
                Some(_) => self.clear(),
                None => self.press("Enter"),
            }
            self.rest();
            if runs(self) > before {
                return Ok(());
            }
        }
        refuse(format!("{full} does not run: {}", self.said()))
    }

    /// Until no command runs any more; at most as long as a command may take.
    fn rest(&mut self) {
        for _ in 0..600 {
            if self.sim.model().exec.running.is_empty() {
                return;
            }
            self.sim.pass(secs(1));
        }
    }
}

/// Where a command is selected in its step, and its whole id.
fn place(step: &Step, command: &str) -> Option<(Item, String)> {
    let fits =
        |id: &str| id == command || id.rsplit('.').next() == Some(command) || format!("{}.{command}", step.id) == id;
    let own = step.commands.iter().position(|c| fits(&c.id));
    if let Some(n) = own {
        return Some((Item::Command(n), step.commands.get(n)?.id.clone()));
    }
    let option = |o: &crate::domain::runbook::model::Choice| {
        o.command.as_ref().is_some_and(|c| fits(&c.id)) || o.id == command || format!("{}.{}", step.id, o.id) == command
    };
    let n = step.options.iter().position(option)?;
    Some((Item::Choice(n), step.options.get(n)?.command.as_ref()?.id.clone()))
}
