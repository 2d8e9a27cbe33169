//! Label sets and Prometheus matchers.

use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Names to values, sorted; raw outside text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(pub BTreeMap<String, String>);

impl Labels {
    /// The value of a label; absent and empty are the same to Prometheus.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Labels {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }
}

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One matcher, such as `team=~"api|web"`.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

impl Matcher {
    /// Reads `name op value`; the value may be quoted. Says what is wrong otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let end = text.find(['=', '!']).ok_or_else(|| format!("`{text}` is not a matcher (expected team=\"api\")"))?;
        let (name, rest) = text.split_at(end);
        let (op, value) =
            [("=~", MatchOp::Regex), ("!~", MatchOp::NotRegex), ("!=", MatchOp::NotEqual), ("=", MatchOp::Equal)]
                .into_iter()
                .find_map(|(sign, op)| rest.strip_prefix(sign).map(|value| (op, value)))
                .ok_or_else(|| format!("`{text}` has no operator (expected = != =~ or !~)"))?;
        let value = value.trim();
        let value = match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
            Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => value.to_owned(),
        };
        if name.trim().is_empty() {
            return Err(format!("`{text}` has no label name"));
        }
        Self::new(name.trim(), op, &value)
    }

    /// Builds a matcher; a bad regular expression is refused.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, String> {
        let regex = match op {
            MatchOp::Regex | MatchOp::NotRegex => Some(
                Regex::new(&format!("^(?:{value})$")).map_err(|_| format!("`{value}` is not a regular expression"))?,
            ),
            _ => None,
        };
        Ok(Self { name: name.to_owned(), op, value: value.to_owned(), regex })
    }

    /// The label that it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a label set satisfies it.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name);
        let hit = self.regex.as_ref().is_some_and(|r| r.is_match(value));
        match self.op {
            MatchOp::Equal => value == self.value,
            MatchOp::NotEqual => value != self.value,
            MatchOp::Regex => hit,
            MatchOp::NotRegex => !hit,
        }
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{:?}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_follow_prometheus() {
        let labels = Labels::from([("team", "api"), ("env", "prod")]);
        for (text, want) in [
            ("team=\"api\"", true),
            ("team=api", true),
            ("team!=api", false),
            ("team=~\"a.i|web\"", true),
            ("team=~a", false),
            ("team!~\"w.*\"", true),
            ("missing=", true),
            ("missing!=x", true),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().matches(&labels), want, "{text}");
        }
        for bad in ["team", "=x", "team=~(", "team!x"] {
            assert!(Matcher::parse(bad).is_err(), "{bad}");
        }
    }
}
