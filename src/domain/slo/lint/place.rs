//! Where in its file an objective says what: the place of its query, target, window or service. Works on the tree of any
//! format and falls back to the line of the objective; never reads a file.

use crate::domain::document::{Key, Mark, Node, Value, parse_all};
use crate::domain::slo::objective::Objective;

/// What of an objective is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its name.
    Name,
    /// Its query.
    Query,
    /// Its target.
    Target,
    /// Its window.
    Window,
    /// Its service.
    Service,
}

impl Part {
    /// The keys that hold it in the formats, the most telling first.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Name => &[],
            Self::Query => &["sli", "error_query", "errorQuery", "error_ratio_query", "indicator", "indicatorRef"],
            Self::Target => &["target", "objective", "goal", "targetPercent"],
            Self::Window => &["window", "timeWindow"],
            Self::Service => &["service"],
        }
    }
}

/// The trees of one file, a tree per document.
#[derive(Clone, Debug, Default)]
pub struct Places {
    path: String,
    roots: Vec<Node>,
}

/// The file and the line (from 1) where an objective is declared; line 0 where that is not known.
pub fn declared(objective: &Objective) -> (&str, usize) {
    let parts = objective.declared.rsplit_once(':');
    parts.and_then(|(path, line)| Some((path, line.parse().ok()?))).unwrap_or((&objective.declared, 0))
}

impl Places {
    /// The places of a file.
    pub fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), roots: parse_all(path, text).0 }
    }

    /// The place of a part: its value where it is found, else the objective's name, else column 1 of its line.
    pub fn mark(&self, objective: &Objective, part: Part) -> Mark {
        let (path, line) = declared(objective);
        let fallback = Mark { line, column: usize::from(line > 0) };
        if path != self.path {
            return fallback;
        }
        let Some((name, scope)) = self.scope(line) else { return fallback };
        let written = (part == Part::Query).then(|| by_text(scope, &objective.written)).flatten();
        written.or_else(|| part.keys().iter().find_map(|key| by_key(scope, key))).unwrap_or(name)
    }
}

impl Places {
    /// The map of the objective that is declared in a line. An object of its own (it has a `spec`) is one whatever line
    /// of it is named: the last that begins at or above the line.
    fn scope(&self, line: usize) -> Option<(Mark, &Node)> {
        let object = || {
            let begun = self.roots.iter().filter(|root| root.mark.line <= line && root.get("spec").is_some());
            let root = begun.max_by_key(|root| root.mark.line)?;
            let name = root.get("metadata").and_then(|meta| meta.get("name")).map(|name| name.mark);
            Some((name.unwrap_or(root.mark), root))
        };
        match object() {
            Some(found) => Some(found),
            None => self.roots.iter().find_map(|root| named(root, line)),
        }
    }
}

/// The map that begins in a line, as the value of a key or as an item, and the place of its name.
fn named(root: &Node, line: usize) -> Option<(Mark, &Node)> {
    let at = |key: &Key, node: &Node| key.mark.line == line && matches!(node.value, Value::Map(_));
    let entry = visit(root, &mut |node| match &node.value {
        Value::Map(entries) => entries.iter().find(|(key, node)| at(key, node)).map(|(key, node)| (key.mark, node)),
        _ => None,
    });
    let item = || {
        visit(root, &mut |node| match &node.value {
            Value::Seq(items) => {
                items.iter().find(|i| i.mark.line == line && matches!(i.value, Value::Map(_))).map(|i| (i.mark, i))
            }
            _ => None,
        })
    };
    entry.or_else(item)
}

/// The first answer of a walk through a tree, outer nodes first.
fn visit<'n, T>(node: &'n Node, ask: &mut dyn FnMut(&'n Node) -> Option<T>) -> Option<T> {
    if let Some(found) = ask(node) {
        return Some(found);
    }
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(_, inner)| visit(inner, ask)),
        Value::Seq(items) => items.iter().find_map(|inner| visit(inner, ask)),
        _ => None,
    }
}

fn by_text(scope: &Node, text: &str) -> Option<Mark> {
    let text = text.trim();
    let same = |node: &Node| (!text.is_empty() && node.text().is_some_and(|t| t.trim() == text)).then_some(node.mark);
    visit(scope, &mut |node| same(node))
}

fn by_key(scope: &Node, key: &str) -> Option<Mark> {
    visit(scope, &mut |node| node.get(key).map(|value| value.mark))
}
