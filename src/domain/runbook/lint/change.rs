//! What a change needs: a way back or the reason why there is none, a proof that it helped, an objective that exists.

use super::Linter;
use crate::domain::document::{Mark, nearest};
use crate::domain::runbook::model::{Condition, Mutation, Risk, Rollback, RunCommand};

impl Linter<'_> {
    /// RB006 over all changes; the plain form cannot say any of it and is not asked.
    pub(super) fn changes(&mut self) {
        if !self.is_v1() {
            return;
        }
        let runbook = self.runbook;
        let none = Mutation::default();
        for step in &runbook.steps {
            for command in &step.commands {
                self.change(command, command.mutation.as_deref().unwrap_or(&none), command.mark);
            }
            for option in &step.options {
                if let Some(command) = &option.command {
                    self.change(command, &option.mutation, option.mark);
                }
            }
        }
    }

    fn change(&mut self, command: &RunCommand, mutation: &Mutation, mark: Mark) {
        self.objective(mutation);
        if !matches!(command.risk, Risk::Change | Risk::Destroy) {
            return;
        }
        let says = command.risk.word();
        match &mutation.rollback {
            Rollback::Unstated => {
                let message = format!("a {says} without a way back (give `rollback`, or rollback: {{none: why not}})");
                self.error(mark, "RB006", message);
            }
            Rollback::None { reason } if reason.trim().is_empty() => {
                self.error(mark, "RB006", "no way back needs a reason (write rollback: {none: why not})");
            }
            Rollback::None { .. } | Rollback::Command(_) => {}
        }
        if mutation.verify.is_none() {
            self.warn(
                mark,
                "RB006",
                format!("a {says} that nothing verifies: say in `verify` what shows that it helped"),
            );
        }
    }

    fn objective(&mut self, mutation: &Mutation) {
        let facts = self.facts;
        let (Some(slos), Some(verify)) = (&facts.slos, &mutation.verify) else { return };
        if let Condition::Slo { slo, .. } = &verify.what
            && !slos.contains(slo)
        {
            let near = nearest(slo.as_str(), slos.iter().map(|s| s.as_str()));
            let hint = near.map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
            self.error(verify.mark, "RB001", format!("there is no objective `{slo}`, so this can never hold{hint}"));
        }
    }
}
