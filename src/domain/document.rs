//! YAML as a tree that knows where every value stands, and a reader that reports everything wrong at once.
//! The one module that touches the YAML parser. Knows nothing of files: text in, tree and findings out.

pub mod write;

use crate::domain::time::{Span, parse_span};
use serde::Serialize;
use serde_yaml::granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::fmt;

/// The largest text that is read, in bytes.
pub const SIZE_LIMIT: usize = 1 << 20;
/// A thousand objectives in one file of the largest size stay below it; what aliases unfold to does not.
const NODE_LIMIT: usize = 200_000;
const DEPTH_LIMIT: usize = 32;
const ALIAS_LIMIT: usize = 100;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Works, but not as intended.
    Warning,
    /// The thing it stands at is not used.
    Error,
}

/// One thing wrong in one place of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file as it was named.
    pub path: String,
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    /// From 1; 0 where the whole file is meant.
    pub column: usize,
    /// A stable short name: `yaml`, `unknown-key`, `duplicate-key`, `wrong-type`, `missing-key`, `RB002` …
    pub rule: String,
    /// How bad.
    pub level: Level,
    /// What is wrong, what was expected, the nearest valid name.
    pub message: String,
}

impl Level {
    /// `info`, `warning`, `error`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.word();
        write!(f, "{}:{}:{}: {level}: {} [{}]", self.path, self.line, self.column, self.message, self.rule)
    }
}

/// A place in a file, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub value: Value,
}

/// The three shapes of YAML. A plain empty scalar, `~` and `null` are `Null`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A scalar's text; `plain` when it was not quoted, so that it may be read as a number or a boolean.
    Scalar {
        /// The text after YAML escapes.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A list.
    Seq(Vec<Node>),
    /// A map in file order; keys are scalars; duplicates were reported and only the first is kept.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// Whether both say the same, wherever it stands in its file.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k.text == l.text && a.same(b))
            }
            (a, b) => a == b,
        }
    }
}

/// A map key and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where it begins.
    pub mark: Mark,
    /// Its text.
    pub text: String,
}

/// Reads one document. An empty text is `Null` at 1:1. Never panics; limits depth, nodes, aliases and size.
pub fn parse(path: &str, text: &str) -> (Option<Node>, Vec<Finding>) {
    let mut findings = Vec::new();
    let Some(mut builder) = Builder::new(path, text, &mut findings) else { return (None, findings) };
    match builder.document(&mut findings) {
        Ok(node) => (Some(node), findings),
        Err(finding) => {
            findings.push(finding);
            (None, findings)
        }
    }
}

/// Reads every document of a text, JSON included; the items of a list at the root count as documents of their own. Empty
/// documents are left out. Where the text stops being YAML, what came before is still given. Limits as in [`parse`].
pub fn parse_all(path: &str, text: &str) -> (Vec<Node>, Vec<Finding>) {
    let (mut findings, mut roots) = (Vec::new(), Vec::new());
    if let Some(mut builder) = Builder::new(path, text, &mut findings) {
        loop {
            match builder.next_document(&mut findings) {
                Ok(Some(Node { value: Value::Seq(items), .. })) => roots.extend(items),
                Ok(Some(Node { value: Value::Null, .. })) => {}
                Ok(Some(node)) => roots.push(node),
                Ok(None) => break,
                Err(finding) => {
                    findings.push(finding);
                    break;
                }
            }
        }
    }
    (roots, findings)
}

struct Builder<'t> {
    path: &'t str,
    parser: Parser<'t, serde_yaml::granit_parser::StrInput<'t>>,
    nodes: usize,
    aliases: usize,
    anchors: HashMap<usize, Node>,
}

impl<'t> Builder<'t> {
    /// `None` with a finding for a text over the limit.
    fn new(path: &'t str, text: &'t str, findings: &mut Vec<Finding>) -> Option<Self> {
        let it = Self { path, parser: Parser::new_from_str(text), nodes: 0, aliases: 0, anchors: HashMap::new() };
        if text.len() > SIZE_LIMIT {
            let message = format!("the file has {} bytes (the limit is {SIZE_LIMIT}); it is not read", text.len());
            findings.push(it.error(Mark { line: 1, column: 1 }, "too-large", message));
            return None;
        }
        Some(it)
    }

    fn error(&self, mark: Mark, rule: &str, message: impl Into<String>) -> Finding {
        Finding {
            path: self.path.to_owned(),
            line: mark.line,
            column: mark.column,
            rule: rule.to_owned(),
            level: Level::Error,
            message: message.into(),
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Mark)>, Finding> {
        match self.parser.next() {
            None => Ok(None),
            Some(Err(e)) => {
                let mark = Mark { line: e.marker().line(), column: e.marker().col() + 1 };
                let text = crate::domain::text::clean(&e.info()).into_owned();
                Err(self.error(mark, "yaml", format!("not valid YAML: {text}")))
            }
            Some(Ok((event, span))) => {
                let mark = Mark { line: span.start.line(), column: span.start.col() + 1 };
                Ok(Some((event, mark)))
            }
        }
    }

    fn document(&mut self, findings: &mut Vec<Finding>) -> Result<Node, Finding> {
        let first = Mark { line: 1, column: 1 };
        let mut root = None;
        while let Some((event, mark)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                event if root.is_none() => root = Some(self.node(event, mark, 0, findings)?),
                _ => return Err(self.error(mark, "yaml", "a second document begins here (expected one per file)")),
            }
        }
        Ok(root.unwrap_or(Node { mark: first, value: Value::Null }))
    }

    /// The next document of several; `None` at the end of the text.
    fn next_document(&mut self, findings: &mut Vec<Finding>) -> Result<Option<Node>, Finding> {
        while let Some((event, mark)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                // An anchor belongs to its document.
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::StreamEnd => break,
                event => return self.node(event, mark, 0, findings).map(Some),
            }
        }
        Ok(None)
    }

    fn node(
        &mut self,
        event: Event<'t>,
        mark: Mark,
        depth: usize,
        findings: &mut Vec<Finding>,
    ) -> Result<Node, Finding> {
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            return Err(self.error(mark, "too-large", format!("more than {NODE_LIMIT} values; the file is not read")));
        }
        if depth > DEPTH_LIMIT {
            return Err(self.error(mark, "too-deep", format!("nested deeper than {DEPTH_LIMIT} levels")));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    findings.push(self.error(mark, "tag", "YAML tags are not used here; the tag is ignored"));
                }
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar { text: text.into_owned(), plain } };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Some((Event::SequenceEnd, _)) => break,
                        Some((event, at)) => items.push(self.node(event, at, depth + 1, findings)?),
                        None => return Err(self.error(mark, "yaml", "this list never ends")),
                    }
                }
                (Value::Seq(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.map(mark, depth, findings)?, anchor),
            Event::Alias(id) => {
                self.aliases += 1;
                if self.aliases > ALIAS_LIMIT {
                    return Err(self.error(mark, "too-large", format!("more than {ALIAS_LIMIT} aliases")));
                }
                let target = self.anchors.get(&id).cloned();
                let target = target.ok_or_else(|| self.error(mark, "yaml", "an alias inside its own anchor"))?;
                self.nodes += count(&target);
                if self.nodes > NODE_LIMIT {
                    let message = format!("aliases unfold to more than {NODE_LIMIT} values; the file is not read");
                    return Err(self.error(mark, "too-large", message));
                }
                return Ok(Node { mark, value: target.value });
            }
            _ => return Err(self.error(mark, "yaml", "a value was expected here")),
        };
        let node = Node { mark, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn map(&mut self, mark: Mark, depth: usize, findings: &mut Vec<Finding>) -> Result<Value, Finding> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, at) = match self.next()? {
                Some((Event::MappingEnd, _)) => return Ok(Value::Map(entries)),
                Some(pair) => pair,
                None => return Err(self.error(mark, "yaml", "this map never ends")),
            };
            let key = self.node(event, at, depth + 1, findings)?;
            let text = match key.value {
                Value::Scalar { text, .. } => Some(text),
                _ => None,
            };
            let (event, value_at) = self.next()?.ok_or_else(|| self.error(at, "yaml", "this key has no value"))?;
            let value = self.node(event, value_at, depth + 1, findings)?;
            let Some(text) = text else {
                findings.push(self.error(at, "wrong-type", "a map key must be a plain word"));
                continue;
            };
            if let Some(first) = seen.get(&text) {
                let message = format!("duplicate key `{text}` (first at line {first}); the first one counts");
                findings.push(self.error(at, "duplicate-key", crate::domain::text::clean(&message)));
                continue;
            }
            seen.insert(text.clone(), at.line);
            entries.push((Key { mark: at, text }, value));
        }
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Seq(items) => items.iter().map(count).sum::<usize>(),
        Value::Map(entries) => entries.iter().map(|(_, v)| 1 + count(v)).sum::<usize>(),
        _ => 0,
    }
}

impl Node {
    /// What a person would call it.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value under a key, without any check.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Whether it is a list without items.
    pub fn is_empty_list(&self) -> bool {
        matches!(&self.value, Value::Seq(items) if items.is_empty())
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Collects findings while values are taken out of a tree. Every method returns `None` (or what is good) and records
/// a finding where something is wrong, so that one pass finds everything.
#[derive(Debug)]
pub struct Reader<'a> {
    path: &'a str,
    /// What was found so far.
    pub findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    /// A reader for one file.
    pub fn new(path: &'a str) -> Self {
        Self { path, findings: Vec::new() }
    }

    /// Records a finding at a place.
    pub fn report(&mut self, mark: Mark, level: Level, rule: &str, message: impl AsRef<str>) {
        self.findings.push(Finding {
            path: self.path.to_owned(),
            line: mark.line,
            column: mark.column,
            rule: rule.to_owned(),
            level,
            message: crate::domain::text::clean(message.as_ref()).into_owned(),
        });
    }

    /// The file as it was named.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Records an error at a place.
    pub fn error(&mut self, mark: Mark, rule: &str, message: impl AsRef<str>) {
        self.report(mark, Level::Error, rule, message);
    }

    /// The entries of a map whose keys are all known; unknown ones are errors that name the nearest known one.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        self.checked(node, what, known, Level::Error)
    }

    /// The entries of a map of somebody else's format, which drops unknown keys silently: they are warnings here.
    pub fn foreign<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        self.checked(node, what, known, Level::Warning)
    }

    fn checked<'n>(&mut self, node: &'n Node, what: &str, known: &[&str], level: Level) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        let ignored = if level == Level::Error { "" } else { ", it is ignored" };
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) {
                let hint = match nearest(&key.text, known.iter().copied()) {
                    Some(name) => format!("nearest: `{name}`"),
                    None => format!("expected one of: {}", known.join(", ")),
                };
                let message = format!("unknown key `{}` in {what}{ignored} ({hint})", key.text);
                self.report(key.mark, level, "unknown-key", message);
            }
        }
        Some(Fields { mark: node.mark, what: what.to_owned(), entries })
    }

    /// The entries of a map with free keys.
    pub fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            _ => {
                self.wrong(node, what, "a map");
                None
            }
        }
    }

    /// The items of a list; a single value is taken as a list of one.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Seq(items) => items,
            Value::Null => &[],
            Value::Scalar { .. } => std::slice::from_ref(node),
            Value::Map(_) => {
                self.wrong(node, what, "a list");
                &[]
            }
        }
    }

    /// A text; numbers and booleans are taken as written.
    pub fn string(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.wrong(node, what, "a text");
                None
            }
        }
    }

    /// A list of texts.
    pub fn strings(&mut self, node: &Node, what: &str) -> Vec<String> {
        self.list(node, what).iter().filter_map(|item| self.string(item, what)).collect()
    }

    /// A finite number.
    pub fn number(&mut self, node: &Node, what: &str) -> Option<f64> {
        let number = match &node.value {
            Value::Scalar { text, .. } => text.parse::<f64>().ok().filter(|n| n.is_finite()),
            _ => None,
        };
        if number.is_none() {
            self.wrong(node, what, "a number");
        }
        number
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                self.wrong(node, what, "true or false");
                None
            }
        }
    }

    /// A duration.
    pub fn span(&mut self, node: &Node, what: &str) -> Option<Span> {
        let text = self.string(node, what)?;
        match parse_span(&text) {
            Ok(span) => Some(span),
            Err(message) => {
                self.error(node.mark, "wrong-type", format!("{what}: {message}"));
                None
            }
        }
    }

    /// Reports a value of the wrong shape.
    pub fn wrong(&mut self, node: &Node, what: &str, expected: &str) {
        let got = match node.text() {
            Some(text) => format!("`{}`", crate::domain::text::truncate(text, 40)),
            None => node.kind().to_owned(),
        };
        self.error(node.mark, "wrong-type", format!("{what} is {got} (expected {expected})"));
    }
}

/// The entries of a checked map.
#[derive(Debug)]
pub struct Fields<'n> {
    mark: Mark,
    what: String,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// Where the map begins.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The value under a key; an explicit null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, v)| k.text == key && v.value != Value::Null).map(|(_, v)| v)
    }

    /// The value under a key that must be there.
    pub fn need(&self, reader: &mut Reader<'_>, key: &str) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() {
            reader.error(self.mark, "missing-key", format!("{} has no `{key}`", self.what));
        }
        node
    }
}

/// The known name that is nearest to what was written, if it is near at all (Damerau-Levenshtein, at most a third).
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (written.chars().count() / 3).clamp(1, 4);
    let written = letters(written);
    known
        .into_iter()
        .filter_map(|name| Some((distance(&written, &letters(name), limit)?, name)))
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// What of a name is compared.
fn letters(name: &str) -> Vec<char> {
    name.to_lowercase().chars().take(64).collect()
}

/// How many letters differ, if no more than `limit` do: a thousand names are mostly done with after a few letters.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(x != y)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        // A row takes from the two before it, so that it is over when both are.
        if next.iter().chain(&row).all(|d| *d > limit) {
            return None;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|d| *d <= limit)
}

#[cfg(test)]
mod tests;
