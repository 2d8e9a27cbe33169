//! What an answer must be: a text, a number between two, one of some, or what a regular expression finds. Judges text that
//! was read; asks nobody.

use crate::domain::runbook::hold::Look;
use crate::domain::text::{clean, truncate};
use regex::RegexBuilder;

/// The largest answer that is judged, in bytes.
pub const MOST: usize = 256 * 1024;

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Tolerance {
    /// Its first line is this text, blanks at its ends aside; numbers are compared as numbers.
    Equals(String),
    /// Its first line is a number between these, both included.
    Between(f64, f64),
    /// Its first line is one of these.
    OneOf(Vec<String>),
    /// Found somewhere in it.
    Matches(String),
}

impl Tolerance {
    /// `between 1 and 2`.
    pub fn words(&self) -> String {
        match self {
            Self::Equals(text) => format!("== {}", truncate(text, 60)),
            Self::Between(low, high) => format!("between {low} and {high}"),
            Self::OneOf(texts) => format!("one of {}", truncate(&texts.join(", "), 60)),
            Self::Matches(regex) => format!("matches /{}/", truncate(regex, 60)),
        }
    }

    /// What an answer says. One that is cut or no number where a number is needed was not understood: no data.
    pub fn judge(&self, answer: &str) -> Look {
        if answer.len() > MOST {
            return Look::NoData("the answer is too long to be judged".to_owned());
        }
        let first = answer.lines().next().unwrap_or_default().trim();
        let shown = clean(&truncate(first, 60)).into_owned();
        let same = |text: &String| text.trim() == first || numbers(text, first).is_some_and(|(a, b)| a == b);
        let holds = match self {
            Self::Equals(text) => same(text),
            Self::OneOf(texts) => texts.iter().any(same),
            Self::Between(low, high) => match first.parse::<f64>().ok().filter(|n| n.is_finite()) {
                Some(number) => (*low..=*high).contains(&number),
                None => return Look::NoData(format!("`{shown}` is no number")),
            },
            Self::Matches(said) => match RegexBuilder::new(said).multi_line(true).size_limit(4 << 20).build() {
                Ok(regex) => regex.is_match(answer),
                Err(_) => return Look::NoData("its regular expression cannot be used".to_owned()),
            },
        };
        let seen = if shown.is_empty() { "an empty answer".to_owned() } else { shown };
        if holds { Look::Holds(seen) } else { Look::Fails(seen) }
    }
}

fn numbers(a: &str, b: &str) -> Option<(f64, f64)> {
    Some((a.trim().parse().ok()?, b.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_held_against_what_is_tolerated() {
        let holds = |t: &Tolerance, answer: &str| match t.judge(answer) {
            Look::Holds(_) => Some(true),
            Look::Fails(_) => Some(false),
            Look::NoData(_) => None,
        };
        let equals = Tolerance::Equals("ok".into());
        assert_eq!((holds(&equals, " ok \nmore"), holds(&equals, "nok")), (Some(true), Some(false)));
        assert_eq!(holds(&Tolerance::Equals("3".into()), "3.0"), Some(true));
        let between = Tolerance::Between(1.0, 2.0);
        for (answer, want) in
            [("1", Some(true)), ("2.0", Some(true)), ("2.1", Some(false)), ("many", None), ("NaN", None), ("", None)]
        {
            assert_eq!(holds(&between, answer), want, "{answer}");
        }
        assert_eq!(holds(&Tolerance::OneOf(vec!["a".into(), "b".into()]), "b"), Some(true));
        let regex = Tolerance::Matches("^ready: true$".into());
        assert_eq!((holds(&regex, "x\nready: true\n"), holds(&regex, "ready: false")), (Some(true), Some(false)));
        assert_eq!(holds(&Tolerance::Matches("(".into()), "("), None);
        assert_eq!(holds(&equals, &"x".repeat(MOST + 1)), None);
        assert_eq!(Tolerance::Equals("y".into()).judge("\u{1b}[2J"), Look::Fails("␛[2J".into()));
    }
}
