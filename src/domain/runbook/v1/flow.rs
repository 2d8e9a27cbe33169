//! Ways and conditions: comparisons, `when`, `goto`, `on_fail`. Every way leads forward, or round the same step for a
//! limited number of times; anything else is told and not taken.

use super::{File, above, hint};
use crate::domain::document::{Mark, Node, Value};
use crate::domain::ids::StepId;
use crate::domain::incident::event::Answer;
use crate::domain::runbook::keys::v1::{ON_FAIL, WAY, WHEN};
use crate::domain::runbook::model::{Compare, Go, OnFail, Op, Operand, Step, When};
use crate::domain::runbook::pieces::{needed, word};
use crate::domain::runbook::shell::is_name;

/// The most rounds through one step.
const ROUNDS: u32 = 100;

impl File<'_, '_> {
    /// A step that stands below the step of this index.
    pub(super) fn forward(&mut self, said: &str, mark: Mark, from: Option<usize>) -> Option<StepId> {
        let Some(at) = self.ids.iter().position(|id| id.as_str() == said) else {
            let names: Vec<&str> = self.ids.iter().map(StepId::as_str).collect();
            let message = format!("there is no step `{said}` ({})", hint(said, &names));
            self.error(mark, &message);
            return None;
        };
        if from.is_some_and(|from| at <= from) {
            let message = format!(
                "`{said}` does not stand below: goto goes forward only (a question repeats its own step with {{goto: self, \
                 limit: 3}})"
            );
            self.error(mark, &message);
            return None;
        }
        self.ids.get(at).cloned()
    }

    /// Where a walk goes on after an answer.
    pub(super) fn way(&mut self, node: &Node, from: usize) -> Go {
        if let Some(said) = node.text() {
            if said != "next" {
                self.reader.wrong(node, "a way on", "next, {goto: step} or {goto: self, limit: 3}");
            }
            return Go::Next;
        }
        let Some(own) = self.fields(node, &WAY) else { return Go::Next };
        let Some(said) = needed(self.reader, &own, "goto") else { return Go::Next };
        let at = own.get("goto").map_or(own.mark(), |n| n.mark);
        let limit = own.get("limit");
        if said != "self" {
            if let Some(limit) = limit {
                self.error(limit.mark, "`limit` is for {goto: self}; a way forward is taken once");
            }
            return self.forward(&said, at, Some(from)).map_or(Go::Next, Go::Goto);
        }
        let rounds = limit.and_then(Node::text).and_then(|n| n.parse().ok()).filter(|n| (1..=ROUNDS).contains(n));
        match (rounds, limit) {
            (Some(limit), _) => Go::Again { limit },
            (None, Some(limit)) => {
                self.reader.wrong(limit, "limit", "a whole number from 1 to 100");
                Go::Next
            }
            (None, None) => {
                self.error(at, "`goto: self` needs a `limit`: how many further rounds, 1 to 100");
                Go::Next
            }
        }
    }

    /// What follows a failure; `from` is `None` for the default of the whole file.
    pub(super) fn on_fail(&mut self, node: &Node, from: Option<usize>) -> OnFail {
        if node.text().is_some() {
            let words = [("ask", OnFail::Ask), ("stop", OnFail::Stop), ("continue", OnFail::Continue)];
            return word(self.reader, node, "on_fail", &words).unwrap_or_default();
        }
        let Some(own) = self.fields(node, &ON_FAIL) else { return OnFail::Ask };
        let Some(said) = needed(self.reader, &own, "goto") else { return OnFail::Ask };
        let at = own.get("goto").map_or(own.mark(), |n| n.mark);
        self.forward(&said, at, from).map_or(OnFail::Ask, OnFail::Goto)
    }

    /// When a step is walked. `steps` are those above it.
    pub(super) fn when(&mut self, node: &Node, steps: &[Step]) -> Option<When> {
        if !matches!(node.value, Value::Map(_)) {
            return self.compare(node, "when").map(When::Compare);
        }
        let own = self.fields(node, &WHEN)?;
        let said = needed(self.reader, &own, "answer");
        let words = [Answer::Yes, Answer::No, Answer::Unsure].map(|a| (a.word(), a));
        let is = own.need(self.reader, "is").and_then(|n| word(self.reader, n, "is", &words));
        let (said, is) = (said?, is?);
        let mark = own.get("answer").map_or(own.mark(), |n| n.mark);
        let Some((step, check)) = said.rsplit_once('.').and_then(|(step, n)| Some((step, n.parse::<usize>().ok()?)))
        else {
            self.error(mark, &format!("`{said}` names no question (expected STEP.NUMBER, from 0: bottleneck.0)"));
            return None;
        };
        let Some(found) = above(steps, step) else {
            let names: Vec<&str> = steps.iter().map(|s| s.id.as_str()).collect();
            let message = format!("no step `{step}` stands above ({})", hint(step, &names));
            self.error(mark, &message);
            return None;
        };
        if check >= found.checks.len() {
            let message = format!("step `{step}` has {} questions, and they are counted from 0", found.checks.len());
            self.error(mark, &message);
            return None;
        }
        Some(When::Answer { step: found.id.clone(), check, is, mark })
    }

    /// `LEFT op RIGHT`.
    pub(super) fn compare(&mut self, node: &Node, what: &str) -> Option<Compare> {
        let said = self.reader.string(node, what)?;
        let found = compare(&said, node.mark);
        if found.is_none() {
            self.reader.wrong(node, what, "LEFT op RIGHT with one of < <= > >= == !=, such as OLD < REPLICAS");
        }
        found
    }
}

fn compare(said: &str, mark: Mark) -> Option<Compare> {
    let mut quote = None;
    let at = said.char_indices().find(|(_, c)| {
        match (quote, *c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(*c),
            _ => {}
        }
        quote.is_none() && "<>=!".contains(*c)
    })?;
    let (left, rest) = said.split_at_checked(at.0)?;
    let longest = |op: &Op| std::cmp::Reverse(op.word().len());
    let mut ops = Op::ALL;
    ops.sort_by_key(longest);
    let (op, right) = ops.into_iter().find_map(|op| Some((op, rest.strip_prefix(op.word())?)))?;
    Some(Compare { left: operand(left)?, op, right: operand(right)?, mark })
}

fn operand(said: &str) -> Option<Operand> {
    let said = said.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = said.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (!inner.contains(quote)).then(|| Operand::Text(inner.to_owned()));
        }
    }
    let name = said.strip_prefix('$').unwrap_or(said);
    if is_name(name) && name.chars().any(|c| c.is_ascii_uppercase()) && !name.chars().any(|c| c.is_ascii_lowercase()) {
        return Some(Operand::Name(name.to_owned()));
    }
    said.parse::<f64>().ok().filter(|n| n.is_finite()).map(Operand::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comparisons_are_read() {
        let told = |said: &str| compare(said, Mark::default()).map(|c| (c.left, c.op, c.right));
        let name = |n: &str| Operand::Name(n.into());
        assert_eq!(told("OLD < REPLICAS"), Some((name("OLD"), Op::Lt, name("REPLICAS"))));
        assert_eq!(told("$OLD<=3.5"), Some((name("OLD"), Op::Le, Operand::Number(3.5))));
        assert_eq!(told("MODE != 'a<b'"), Some((name("MODE"), Op::Ne, Operand::Text("a<b".into()))));
        assert_eq!(told("\"x\" == MODE"), Some((Operand::Text("x".into()), Op::Eq, name("MODE"))));
        for bad in ["", "OLD", "OLD <", "OLD = 3", "OLD < 3 < 4", "old < 3", "OLD < nan", "OLD == 'x", "OLD & 3"] {
            assert_eq!(told(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_comparison_or_none(said in any::<String>()) {
            let _ = compare(&said, Mark::default());
        }
    }
}
