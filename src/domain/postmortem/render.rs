//! Runs a postmortem template. A template has the facts and nothing else: no files, no includes, no environment, and a
//! bounded number of steps. A name that does not exist is an error with its line, not an empty place.

use crate::domain::document::{Finding, Level, nearest};
use crate::domain::postmortem::draft::check;
use crate::domain::postmortem::facts::Facts;
use crate::domain::text::clean;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context};

/// The template of the first seed: prose sections and lists. The default.
pub const A: &str = include_str!("../../../assets/postmortem/a.md");
/// The template of the second seed: analysis in parts, actions as a table.
pub const B: &str = include_str!("../../../assets/postmortem/b.md");

/// The third one: one page that asks for contributing factors, luck and surprises, and no root cause.
pub const C: &str = include_str!("../../../assets/postmortem/c.md");

/// The largest template, in bytes.
const SIZE_LIMIT: usize = 256 * 1024;
/// Steps that a template may take: enough for a timeline of a hundred thousand events.
const FUEL: u64 = 10_000_000;
/// Stands for the number of blanks until they are counted. Outside text cannot hold it: its control characters are marks.
const COUNT: &str = "\u{1}blanks\u{1}";

/// Which template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Template<'t> {
    /// The default.
    #[default]
    A,
    /// The other one.
    B,
    /// The third one.
    C,
    /// A team's own.
    Own {
        /// The file it came from, for errors.
        path: &'t str,
        /// Its text.
        text: &'t str,
    },
}

impl Template<'static> {
    /// `a`, `b` or `c`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "a" => Some(Self::A),
            "b" => Some(Self::B),
            "c" => Some(Self::C),
            _ => None,
        }
    }
}

/// A postmortem that people have to finish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Markdown.
    pub text: String,
    /// How many blanks are left for people.
    pub blanks: usize,
    /// The text in which a mark stands for that number, until it is known what people have filled: see [`finish`].
    pub raw: String,
}

/// A draft whose blanks are counted.
pub fn finish(raw: &str) -> (String, usize) {
    let blanks = check(raw).len();
    (raw.replace(COUNT, &blanks.to_string()), blanks)
}

/// Renders a template. The error names the template, the line and what is wrong there.
pub fn render(template: Template<'_>, facts: &Facts) -> Result<Draft, Finding> {
    let (path, text) = match template {
        Template::A => ("a.md (built in)", A),
        Template::B => ("b.md (built in)", B),
        Template::C => ("c.md (built in)", C),
        Template::Own { path, text } => (path, text),
    };
    if text.len() > SIZE_LIMIT {
        let message = format!("the template has {} bytes (the limit is {SIZE_LIMIT}); no draft is made", text.len());
        return Err(finding(path, 1, message));
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // An error knows the place of the expression then.
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| finding(path, 1, what(&error)))?);
    // What is not known is said so; `none` would be a word of the template language.
    environment.set_formatter(|out, state, value| {
        let value = if value.is_none() { &Value::from("unknown") } else { value };
        minijinja::escape_formatter(out, state, value)
    });
    let known = Value::from(Serde(facts));
    let text = environment
        .render_named_str("postmortem.md", text, context! { blanks => COUNT, ..known })
        .map_err(|error| wrong(path, text, &error, facts))?;
    let (finished, blanks) = finish(&text);
    Ok(Draft { text: finished, blanks, raw: text })
}

/// The error at its line and column, with the expression and the nearest name where it names nothing.
fn wrong(path: &str, text: &str, error: &Error, facts: &Facts) -> Finding {
    let expression = error.range().and_then(|range| text.get(range));
    let before = error.range().and_then(|range| text.get(..range.start));
    let (line, column) = before.map_or((error.line().unwrap_or(1), 1), |before| {
        let begun = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, begun.chars().count() + 1)
    });
    let message = match expression.filter(|_| error.kind() == ErrorKind::UndefinedError) {
        None => what(error),
        Some(expression) => {
            let near = nearest_name(expression, facts).map(|name| format!(" (did you mean `{name}`?)"));
            let said = format!("undefined: `{expression}`{}", near.unwrap_or_default());
            clean(&format!("{said}; no draft is made; `midwatch schema postmortem --reference` tells every name"))
                .into_owned()
        }
    };
    Finding { column, ..finding(path, line, message) }
}

/// The known name that is most like a dotted one, when its beginning is known.
fn nearest_name(expression: &str, facts: &Facts) -> Option<String> {
    let all = serde_json::to_value(facts).ok()?;
    let mut place = &all;
    let mut known: Vec<&str> = Vec::new();
    for part in expression.split('.').map(str::trim) {
        let fields = place.as_object()?;
        if !fields.contains_key(part) {
            known.push(nearest(part, fields.keys().map(String::as_str))?);
            return Some(known.join("."));
        }
        known.push(part);
        place = fields.get(part)?;
    }
    None
}

fn what(error: &Error) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    clean(&format!("{}{detail}; no draft is made", error.kind())).into_owned()
}

fn finding(path: &str, line: usize, message: String) -> Finding {
    Finding { path: path.to_owned(), line, column: 1, rule: "template".into(), level: Level::Error, message }
}
