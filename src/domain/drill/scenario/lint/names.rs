//! Names: SC001 a signal, SC002 an inject, SC003 an expectation, SC004 an alert, SC005 a step or command of the runbooks,
//! SC006 a name that two things have, SC007 an action that no command has.

use super::Linter;
use crate::domain::document::Mark;
use crate::domain::drill::scenario::{
    Act, Ban, Ending, Given, Hold, Measure, Moment, Pattern, Rate, Scenario, Since, Want,
};
use crate::domain::runbook::model::Runbook;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Linter<'_> {
    pub(super) fn names(&mut self) {
        self.twice();
        self.signals();
        self.injects();
        self.expectations();
        self.alerts();
        self.runbooks();
        self.actions();
    }

    fn twice(&mut self) {
        let s = self.scenario;
        let all = [
            ("signal", s.signals.iter().map(|x| (x.id.clone(), x.mark)).collect::<Vec<_>>()),
            ("objective", s.objectives.iter().map(|x| (x.id.clone(), x.mark)).collect()),
            ("inject", s.injects.iter().map(|x| (x.id.clone(), x.mark)).collect()),
            ("expectation", s.expect.iter().map(|x| (x.id.clone(), x.mark)).collect()),
            ("query", s.queries.iter().map(|x| (x.promql.split_whitespace().collect(), x.mark)).collect()),
        ];
        for (what, names) in all {
            let mut seen: BTreeMap<&str, Mark> = BTreeMap::new();
            for (name, mark) in &names {
                if let Some(first) = seen.get(name.as_str()) {
                    let message = format!("two {what}s are called `{name}` (the first stands at line {})", first.line);
                    self.error(*mark, "SC006", message);
                }
                seen.entry(name).or_insert(*mark);
            }
        }
    }

    fn signals(&mut self) {
        let s = self.scenario;
        let names: Vec<&str> = s.signals.iter().map(|x| x.id.as_str()).collect();
        for (name, mark) in signals_named(s) {
            self.known(mark, "SC001", "signal", &name, &names);
        }
    }

    fn injects(&mut self) {
        let s = self.scenario;
        let names: Vec<&str> = s.injects.iter().map(|x| x.id.as_str()).collect();
        let of_given = |given: &Option<Given>| match given {
            Some(Given::Inject(name)) => Some(name.clone()),
            _ => None,
        };
        let mut named: Vec<(String, Mark)> = Vec::new();
        for inject in &s.injects {
            if let Moment::After { inject: other, .. } = &inject.moment {
                named.push((other.clone(), inject.mark));
            }
            named.extend([&inject.only_if, &inject.unless].into_iter().filter_map(of_given).map(|n| (n, inject.mark)));
        }
        for command in &s.commands {
            named.extend(
                [&command.only_if, &command.unless].into_iter().filter_map(of_given).map(|n| (n, command.mark)),
            );
        }
        for expectation in &s.expect {
            if let Since::Inject(name) = &expectation.from {
                named.push((name.clone(), expectation.mark));
            }
        }
        for (name, mark) in named {
            self.known(mark, "SC002", "inject", &name, &names);
        }
    }

    fn expectations(&mut self) {
        let s = self.scenario;
        let names: Vec<&str> = s.expect.iter().map(|x| x.id.as_str()).collect();
        let mut named: Vec<(String, Mark)> = Vec::new();
        for end in &s.end {
            if let Ending::Met(name) = end {
                named.push((name.name.clone(), name.mark));
            }
        }
        for (given, mark) in givens(s) {
            if let Given::Expect(name) = given {
                named.push((name.clone(), mark));
            }
        }
        for (name, mark) in named {
            self.known(mark, "SC003", "expectation", &name, &names);
        }
        for end in &s.end {
            let Ending::Met(name) = end else { continue };
            let banned = s.expect.iter().any(|e| e.id == name.name && matches!(e.want, Want::Never(_)));
            if banned {
                let message =
                    format!("`{}` is about what must never happen; it is never met and ends nothing", name.name);
                self.error(name.mark, "SC013", message);
            }
        }
    }

    fn alerts(&mut self) {
        let s = self.scenario;
        let raised = s.acts().filter_map(|(act, _)| match act {
            Act::Alert { alert, .. } => Some(alert.as_str()),
            _ => None,
        });
        let names: Vec<&str> = raised.collect();
        let cleared: Vec<(String, Mark)> = s
            .acts()
            .filter_map(|(act, mark)| match act {
                Act::Clear(alert) => Some((alert.clone(), mark)),
                _ => None,
            })
            .collect();
        for (name, mark) in cleared {
            if s.alerts.iter().any(|rule| rule.alert == name) {
                let message = format!(
                    "`{name}` comes from a rule over a signal: it ends when the signal says so, not by `clear`"
                );
                self.error(mark, "SC004", message);
            } else {
                self.known(mark, "SC004", "alert that an inject fires", &name, &names);
            }
        }
    }

    fn runbooks(&mut self) {
        let Some(books) = self.facts.runbooks else { return };
        let s = self.scenario;
        let commands: BTreeSet<&str> =
            books.iter().flat_map(|b| b.parts()).map(|(_, command)| command.id.as_str()).collect();
        let commands: Vec<&str> = commands.into_iter().collect();
        let book_names: Vec<&str> = books.iter().map(|b| b.id.as_str()).collect();
        for canned in &s.commands {
            let Pattern::Step { runbook, id } = &canned.pattern else { continue };
            if let Some(name) = runbook {
                self.known(canned.mark, "SC005", "runbook", name, &book_names);
            }
            self.known(canned.mark, "SC005", "command in the runbooks", id, &commands);
        }
        let steps = steps_of(books);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        for expectation in &s.expect {
            if let Want::Step(step) = &expectation.want {
                self.known(expectation.mark, "SC005", "step in the runbooks", step, &steps);
            }
        }
        for (given, mark) in givens(s) {
            if let Given::Step(step) = given {
                self.known(mark, "SC005", "step in the runbooks", step, &steps);
            }
        }
    }

    /// Actions have the names of commands' answers, of commands and of options.
    fn actions(&mut self) {
        let s = self.scenario;
        let mut names: BTreeSet<String> = s.commands.iter().filter_map(|c| c.action.clone()).collect();
        for canned in &s.commands {
            if let (Pattern::Step { id, .. }, None) = (&canned.pattern, &canned.action) {
                names.extend(id.rsplit('.').next().map(str::to_owned));
            }
        }
        let of_books = self.facts.runbooks.into_iter().flatten().flat_map(|b| b.parts());
        let patterns = s.commands.iter().any(|c| matches!(c.pattern, Pattern::Argv(_)) && c.action.is_none());
        if patterns && self.facts.runbooks.is_none() {
            // Which commands these are depends on runbooks that are not known here.
            return;
        }
        names.extend(of_books.filter_map(|(_, c)| c.id.rsplit('.').next().map(str::to_owned)));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = s.expect.iter().filter_map(|e| match &e.want {
            Want::Action(action) | Want::Never(Ban::Action(action)) => Some((action.clone(), e.mark)),
            _ => None,
        });
        let given = givens(s).into_iter().filter_map(|(given, mark)| match given {
            Given::Action(action) => Some((action.clone(), mark)),
            _ => None,
        });
        let all: Vec<(String, Mark)> = wanted.chain(given).collect();
        for (action, mark) in all {
            self.known(mark, "SC007", "command with the action", &action, &names);
        }
    }
}

fn steps_of(books: &[Arc<Runbook>]) -> BTreeSet<String> {
    let both = |book: &Arc<Runbook>| {
        let id = book.id.clone();
        let steps: Vec<String> = book.steps.iter().map(|s| s.id.0.clone()).collect();
        steps.into_iter().flat_map(move |step| [format!("{id}/{step}"), step])
    };
    books.iter().flat_map(both).collect()
}

/// Every condition of an inject or a command.
pub(super) fn givens(s: &Scenario) -> Vec<(&Given, Mark)> {
    let injects =
        s.injects.iter().flat_map(|i| [&i.only_if, &i.unless].into_iter().flatten().map(move |g| (g, i.mark)));
    let commands =
        s.commands.iter().flat_map(|c| [&c.only_if, &c.unless].into_iter().flatten().map(move |g| (g, c.mark)));
    injects.chain(commands).collect()
}

/// Every hold over a signal that the scenario has, with what it is for.
pub(super) fn holds(s: &Scenario) -> Vec<&Hold> {
    let rules = s.alerts.iter().map(|rule| &rule.when);
    let wants = s.expect.iter().filter_map(|e| match &e.want {
        Want::Well(hold) | Want::Never(Ban::Signal(hold)) => Some(hold),
        _ => None,
    });
    let ends = s.end.iter().filter_map(|end| match end {
        Ending::Well(hold) => Some(hold),
        _ => None,
    });
    let conditions = givens(s).into_iter().filter_map(|(given, _)| match given {
        Given::Signal(hold) => Some(hold),
        _ => None,
    });
    let whiles = s.acts().filter_map(|(act, _)| match act {
        Act::Alert { while_, .. } => while_.as_ref(),
        _ => None,
    });
    let restored = s.recovery.iter().filter_map(|r| r.restored.as_ref());
    rules.chain(wants).chain(ends).chain(conditions).chain(whiles).chain(restored).collect()
}

fn signals_named(s: &Scenario) -> Vec<(String, Mark)> {
    let mut named: Vec<(String, Mark)> = holds(s).into_iter().map(|h| (h.signal.clone(), h.mark)).collect();
    for promise in &s.objectives {
        match &promise.measure {
            Measure::Events { ratio, rate } => {
                named.push((ratio.clone(), promise.mark));
                if let Rate::Signal(rate) = rate {
                    named.push((rate.clone(), promise.mark));
                }
            }
            Measure::Threshold { signal, .. } => named.push((signal.clone(), promise.mark)),
        }
    }
    named.extend(s.queries.iter().map(|q| (q.signal.clone(), q.mark)));
    named.extend(s.acts().filter_map(|(act, mark)| match act {
        Act::Signal(change) => Some((change.signal.clone(), mark)),
        _ => None,
    }));
    named.extend(s.recovery.iter().filter_map(|r| r.data_loss.as_ref()).map(|n| (n.name.clone(), n.mark)));
    named
}
