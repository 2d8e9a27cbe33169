//! Steps: their ids first, because ways may lead to any of them, then what is in each.

use super::File;
use super::command::Frame;
use crate::domain::document::{Fields, Node, Value};
use crate::domain::ids::{RunbookId, StepId};
use crate::domain::runbook::keys::v1::{CHECK, OPTION, STEP};
use crate::domain::runbook::model::{Check, Choice, Choose, Go, OnFail, Risk, RunCommand, Step};
use crate::domain::runbook::pieces::{links, needed, phase, slug, text, word};
use std::collections::BTreeSet;

impl File<'_, '_> {
    /// The id of every step, unique, by its place in the list. Anything that is no map has one too.
    pub(super) fn name_steps(&mut self, top: &Fields<'_>) -> Vec<StepId> {
        let mut taken = BTreeSet::new();
        let mut ids = Vec::new();
        // A list that is none is told when the steps are read.
        let Some(Node { value: Value::Seq(nodes), .. }) = top.get("steps") else { return ids };
        for (index, node) in nodes.iter().enumerate() {
            let said = node.get("id").and_then(Node::text);
            let name = node.get("name").and_then(Node::text).unwrap_or_default();
            let wanted = slug(said.unwrap_or(name), &format!("step-{}", index + 1));
            let id = free(&wanted, &mut taken);
            if id != wanted {
                let mark = node.get("id").map_or(node.mark, |n| n.mark);
                self.error(
                    mark,
                    &format!("a step `{wanted}` stands above; this one is `{id}` (give it an id of its own)"),
                );
            }
            ids.push(StepId(id));
        }
        ids
    }

    /// All steps in their order.
    pub(super) fn steps(&mut self, top: &Fields<'_>) -> Vec<Step> {
        let Some(node) = top.need(self.reader, "steps") else { return Vec::new() };
        if !matches!(node.value, Value::Seq(_)) {
            self.reader.wrong(node, "steps", "a list");
            return Vec::new();
        }
        let mut steps: Vec<Step> = Vec::new();
        for (index, node) in self.several(top, "steps").iter().enumerate() {
            let step = self.step(node, index, &steps);
            steps.extend(step);
        }
        steps
    }

    fn step(&mut self, node: &Node, index: usize, above: &[Step]) -> Option<Step> {
        let own = self.fields(node, &STEP)?;
        let id = self.ids.get(index)?.clone();
        if let Some(said) = own.get("id") {
            self.id(said, "id");
        }
        let name = needed(self.reader, &own, "name").unwrap_or_else(|| id.0.clone());
        let mut taken = BTreeSet::new();
        let mut step = Step {
            name,
            say: text(self.reader, &own, "say").unwrap_or_default(),
            phase: phase(self.reader, &own),
            when: own.get("when").and_then(|n| self.when(n, above)),
            commands: self.commands(&own, &id, &mut taken),
            parallel: own.get("parallel").and_then(|n| self.reader.boolean(n, "parallel")).unwrap_or(false),
            on_fail: self.step_on_fail(&own, index),
            prose: Vec::new(),
            checks: self.several(&own, "ask").iter().filter_map(|n| self.check(n, index)).collect(),
            options: self.options(&own, &id, &mut taken),
            choose: self.choose(&own),
            include: own.get("include").and_then(|n| self.id(n, "include")).map(RunbookId),
            go: Go::Next,
            approval: self.approval(&own),
            links: links(self.reader, &own),
            todos: own.get("todo").map(|n| self.reader.strings(n, "todo")).unwrap_or_default(),
            mark: node.mark,
            id,
        };
        if let Some(node) = own.get("goto") {
            let said = self.reader.string(node, "goto");
            let to = said.and_then(|said| self.forward(&said, node.mark, Some(index)));
            step.go = to.map_or(Go::Next, Go::Goto);
        }
        self.held_together(&own, &mut step);
        Some(step)
    }

    /// Keys that cannot stand beside each other.
    fn held_together(&mut self, own: &Fields<'_>, step: &mut Step) {
        let at = |key: &str| own.get(key).map_or(own.mark(), |n| n.mark);
        if step.parallel && step.commands.iter().any(|c| c.risk.is_dangerous() || c.tty) {
            self.error(at("parallel"), "only reads without a terminal run side by side; they run one after the other");
            step.parallel = false;
        }
        if step.include.is_some() {
            for key in ["run", "ask", "options", "goto"] {
                if own.get(key).is_some() {
                    let message = format!("`{key}` beside `include`: put it into a step of its own");
                    self.error(at(key), &message);
                }
            }
        }
        if own.get("choose").is_some() && step.options.is_empty() {
            self.error(at("choose"), "`choose` without `options`: there is nothing to choose from");
        }
    }

    fn commands(&mut self, own: &Fields<'_>, step: &StepId, taken: &mut BTreeSet<String>) -> Vec<RunCommand> {
        let mut commands = Vec::new();
        for (n, node) in self.several(own, "run").iter().enumerate() {
            let fallback = (n + 1).to_string();
            let mut twice = None;
            let command = self.command(node, |said| {
                let wanted = said.unwrap_or(fallback);
                let id = free(&wanted, taken);
                twice = (id != wanted).then_some(wanted);
                format!("{step}.{id}")
            });
            if let Some(wanted) = twice {
                self.error(node.mark, &format!("`{wanted}` is used above in this step (give it an id of its own)"));
            }
            commands.extend(command);
        }
        commands
    }

    fn options(&mut self, own: &Fields<'_>, step: &StepId, taken: &mut BTreeSet<String>) -> Vec<Choice> {
        let mut options = Vec::new();
        for (n, node) in self.several(own, "options").iter().enumerate() {
            let Some(fields) = self.fields(node, &OPTION) else { continue };
            let said = fields.get("id").and_then(|n| self.id(n, "id"));
            let wanted = said.unwrap_or_else(|| format!("option-{}", n + 1));
            let id = free(&wanted, taken);
            if id != wanted {
                self.error(node.mark, &format!("`{wanted}` is used above in this step (give it an id of its own)"));
            }
            options.extend(self.choice(node, &fields, step, id));
        }
        options
    }

    fn choice(&mut self, node: &Node, own: &Fields<'_>, step: &StepId, id: String) -> Option<Choice> {
        let action = needed(self.reader, own, "action");
        let risk = self.risk(own).unwrap_or(Risk::Unknown);
        let command = own.get("run").and_then(|n| self.act(n, Frame::new(format!("{step}.{id}"), risk)));
        if own.get("run").is_none() {
            for key in ["before", "require", "dry_run", "verify", "rollback"] {
                if let Some(node) = own.get(key) {
                    self.error(node.mark, &format!("`{key}` without `run`: nothing is changed here"));
                }
            }
        }
        let mutation = self.mutation(own, command.as_ref());
        Some(Choice { action: action?, prose: text(self.reader, own, "say"), command, mutation, id, mark: node.mark })
    }

    fn check(&mut self, node: &Node, index: usize) -> Option<Check> {
        let mut check = Check {
            question: String::new(),
            hint: None,
            suggest: None,
            if_yes: Go::Next,
            if_no: Go::Next,
            if_unsure: Go::Next,
            mark: node.mark,
        };
        if let Some(said) = node.text() {
            said.trim().clone_into(&mut check.question);
            return Some(check);
        }
        let own = self.fields(node, &CHECK)?;
        let question = needed(self.reader, &own, "q");
        check.hint = text(self.reader, &own, "hint");
        check.suggest = own.get("suggest").and_then(|n| self.suggest(n));
        let ways = [("if_yes", &mut check.if_yes), ("if_no", &mut check.if_no), ("if_unsure", &mut check.if_unsure)];
        for (key, way) in ways {
            if let Some(node) = own.get(key) {
                *way = self.way(node, index);
            }
        }
        check.question = question?;
        Some(check)
    }

    fn choose(&mut self, own: &Fields<'_>) -> Choose {
        let words = [Choose::One, Choose::Any].map(|c| (c.word(), c));
        own.get("choose").and_then(|n| word(self.reader, n, "choose", &words)).unwrap_or_default()
    }

    /// What the step says, else the default where that leads forward from here.
    fn step_on_fail(&mut self, own: &Fields<'_>, index: usize) -> OnFail {
        if let Some(node) = own.get("on_fail") {
            return self.on_fail(node, Some(index));
        }
        match &self.defaults.on_fail {
            OnFail::Goto(to) if !self.ids.iter().skip(index + 1).any(|id| id == to) => OnFail::Ask,
            other => other.clone(),
        }
    }
}

/// The name, or the name with the first number that makes it free.
fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut id = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{wanted}-{number}");
        number += 1;
    }
    id
}
