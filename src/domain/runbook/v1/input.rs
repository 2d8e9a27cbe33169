//! Inputs: the names that commands use, where each value comes from, and the rule that it must keep to.

use super::File;
use crate::domain::document::{Fields, Node};
use crate::domain::runbook::keys::v1::INPUT;
use crate::domain::runbook::model::{Input, InputFrom};
use crate::domain::runbook::pattern::anchored;
use crate::domain::runbook::pieces::text;
use crate::domain::runbook::values::steers;
use regex::Regex;

impl File<'_, '_> {
    /// All inputs; of two with one name the first counts.
    pub(super) fn inputs(&mut self, top: &Fields<'_>) -> Vec<Input> {
        let mut inputs: Vec<Input> = Vec::new();
        for node in self.several(top, "inputs") {
            let Some(input) = self.input(node) else { continue };
            if let Some(first) = inputs.iter().find(|other| other.name == input.name) {
                let message = format!(
                    "the input `{}` is declared at line {} already; that one counts",
                    input.name, first.mark.line
                );
                self.error(node.mark, &message);
                continue;
            }
            inputs.push(input);
        }
        inputs
    }

    fn input(&mut self, node: &Node) -> Option<Input> {
        let own = self.fields(node, &INPUT)?;
        let name = own.need(self.reader, "name").and_then(|n| self.name(n));
        let from = own.need(self.reader, "from").and_then(|n| self.source(n));
        let (mut from, name) = (from?, name?);
        if let Some(prompt) = own.get("prompt") {
            match &mut from {
                InputFrom::Ask { prompt: own } => {
                    *own = self.reader.string(prompt, "prompt").unwrap_or_else(|| name.clone())
                }
                _ => self.error(prompt.mark, "`prompt` is for `from: ask`; nobody is asked here"),
            }
        } else if let InputFrom::Ask { prompt } = &mut from {
            prompt.clone_from(&name);
        }
        let pattern = own.get("pattern").and_then(|n| self.regex(n, "pattern", "RB003", false)).map(|(said, _)| said);
        let bound = |file: &mut Self, key: &str| own.get(key).and_then(|n| file.reader.number(n, key));
        let (min, max) = (bound(self, "min"), bound(self, "max"));
        if let (Some(low), Some(high)) = (min, max)
            && low > high
        {
            self.error(own.mark(), &format!("no value of `{name}` can be right: min {low} is greater than max {high}"));
        }
        let input = Input {
            default: text(self.reader, &own, "default"),
            secret: own.get("secret").and_then(|n| self.reader.boolean(n, "secret")).unwrap_or(false),
            name,
            from,
            pattern,
            min,
            max,
            mark: node.mark,
        };
        self.given(&own, &input);
        Some(input)
    }

    /// What the file itself gives must keep to the file's own rules.
    fn given(&mut self, own: &Fields<'_>, input: &Input) {
        let (key, value) = match (&input.from, &input.default) {
            (InputFrom::Const(value), None) => ("from", value),
            (InputFrom::Const(_), Some(_)) => {
                let mark = own.get("default").map_or(own.mark(), |n| n.mark);
                return self.error(mark, "a constant has no `default`: it is always there");
            }
            (_, Some(value)) => ("default", value),
            (_, None) => return,
        };
        let mark = own.get(key).map_or(own.mark(), |n| n.mark);
        let anchored = input.pattern.as_ref().and_then(|p| Regex::new(&anchored(p)).ok());
        if anchored.is_some_and(|pattern| !pattern.is_match(value)) {
            self.reader.error(mark, "RB003", format!("`{value}` does not keep to the pattern of `{}`", input.name));
        }
        if input.min.is_some() || input.max.is_some() {
            let number = value.parse::<f64>().ok().filter(|n| n.is_finite());
            let inside = |n: f64| input.min.is_none_or(|min| n >= min) && input.max.is_none_or(|max| n <= max);
            if !number.is_some_and(inside) {
                self.reader.error(mark, "RB003", format!("`{value}` is not between the bounds of `{}`", input.name));
            }
        }
    }

    /// The name of an input or a capture.
    pub(super) fn name(&mut self, node: &Node) -> Option<String> {
        let said = self.reader.string(node, "name")?;
        let shaped = said.starts_with(|c: char| c.is_ascii_uppercase())
            && said.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && said.len() <= 64;
        if !shaped {
            self.reader.wrong(node, "name", "upper case, digits and underscores: NAMESPACE");
            return None;
        }
        if said.starts_with("MW_") {
            self.reader.error(
                node.mark,
                "RB003",
                format!("`{said}`: names with MW_ are given by midwatch; take another"),
            );
            return None;
        }
        if steers(&said) {
            self.reader.error(node.mark, "RB003", format!("`{said}` steers programs and shells; take another name"));
            return None;
        }
        Some(said)
    }

    fn source(&mut self, node: &Node) -> Option<InputFrom> {
        let said = self.reader.string(node, "from")?;
        let word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let found = match said.split_once(':') {
            None if said == "ask" => Some(InputFrom::Ask { prompt: String::new() }),
            Some(("label", name)) if word(name) => Some(InputFrom::Label(name.to_owned())),
            Some(("annotation", name)) if word(name) => Some(InputFrom::Annotation(name.to_owned())),
            Some(("backend", name)) if word(name) => Some(InputFrom::Backend(name.to_owned())),
            Some(("const", value)) if !value.is_empty() => Some(InputFrom::Const(value.to_owned())),
            Some(("step", name)) if word(name) => Some(InputFrom::Step(name.to_owned())),
            _ => None,
        };
        if found.is_none() {
            let expected = "ask, label:NAME, annotation:NAME, backend:NAME, const:VALUE or step:CAPTURE";
            self.reader.wrong(node, "from", expected);
        }
        found
    }
}
