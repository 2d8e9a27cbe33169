//! Which way a walk takes through a runbook: forward, with comparisons as the only expressions, so that every way can be
//! drawn and checked before anybody walks it.

use crate::domain::document::Mark;
use crate::domain::ids::StepId;
use crate::domain::incident::event::Answer;

/// When a step is walked.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// A check of an earlier step was answered so.
    Answer {
        /// The step with the check.
        step: StepId,
        /// Which of its checks, from 0.
        check: usize,
        /// The answer that opens this step.
        is: Answer,
        /// Where it stands.
        mark: Mark,
    },
    /// A comparison of what was captured or given.
    Compare(Compare),
}

/// `LEFT op RIGHT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// The left side.
    pub left: Operand,
    /// How they are compared.
    pub op: Op,
    /// The right side.
    pub right: Operand,
    /// Where it stands.
    pub mark: Mark,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A capture or an input.
    Name(String),
    /// A number.
    Number(f64),
    /// A word, written in quotes.
    Text(String),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq, Self::Ne];

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
            Self::Ne => "!=",
        }
    }

    /// Whether it holds for two numbers. Nothing holds for what is no number, not even `!=`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            _ if left.is_nan() || right.is_nan() => false,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Eq => left == right,
            Self::Ne => left != right,
        }
    }
}

impl Compare {
    /// Whether it holds; `Err` says, harmlessly for our own words, what cannot be compared. Two numbers are compared as
    /// numbers; other texts only for being the same.
    pub fn holds<'v>(&'v self, value: impl Fn(&str) -> Option<&'v str>) -> Result<bool, String> {
        let side = |operand: &'v Operand| match operand {
            Operand::Name(name) => value(name).map(str::to_owned).ok_or_else(|| format!("${name} has no value")),
            Operand::Number(number) => Ok(number.to_string()),
            Operand::Text(text) => Ok(text.clone()),
        };
        let (left, right) = (side(&self.left)?, side(&self.right)?);
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        match (number(&left), number(&right), self.op) {
            (Some(left), Some(right), op) => Ok(op.holds(left, right)),
            (_, _, Op::Eq) => Ok(left == right),
            (_, _, Op::Ne) => Ok(left != right),
            (_, _, op) => Err(format!("`{}` compares numbers", op.word())),
        }
    }

    /// The names that it reads.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.left, &self.right].into_iter().filter_map(|operand| match operand {
            Operand::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Where a walk goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Go {
    /// To the next step.
    #[default]
    Next,
    /// To a later step; what lies between is skipped with its reason.
    Goto(StepId),
    /// Through the same step again, so many times at most; then to the next.
    Again {
        /// Further rounds after the first.
        limit: u32,
    },
}

/// What follows a command that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnFail {
    /// The responder decides.
    #[default]
    Ask,
    /// The step has failed.
    Stop,
    /// The next command.
    Continue,
    /// A later step.
    Goto(StepId),
}

/// How many options may be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choose {
    /// One; another only after the first was rolled back or has failed.
    #[default]
    One,
    /// As many as help.
    Any,
}

impl Choose {
    /// Its word in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Any => "any",
        }
    }
}

/// A measurement that suggests `yes` to a check when it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggest {
    /// What is asked.
    pub promql: String,
    /// How its value is compared.
    pub op: Op,
    /// With what.
    pub value: f64,
    /// Where it stands.
    pub mark: Mark,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers_and_words_only_for_being_the_same() {
        let compare = |left: &str, op, right: Operand| {
            let compare = Compare { left: Operand::Name("V".into()), op, right, mark: Mark::default() };
            compare.holds(|name| (name == "V").then_some(left))
        };
        assert_eq!(compare("9", Op::Lt, Operand::Number(10.0)), Ok(true));
        assert_eq!(compare("10", Op::Eq, Operand::Number(10.0)), Ok(true));
        assert_eq!(compare("a", Op::Eq, Operand::Text("a".into())), Ok(true));
        assert_eq!(compare("a", Op::Ne, Operand::Number(1.0)), Ok(true));
        assert_eq!(compare("a", Op::Lt, Operand::Number(1.0)), Err("`<` compares numbers".to_owned()));
        assert_eq!(compare("nan", Op::Ge, Operand::Number(1.0)), Err("`>=` compares numbers".to_owned()));
        assert_eq!(compare("1", Op::Eq, Operand::Name("W".into())), Err("$W has no value".to_owned()));
        assert!(Op::ALL.into_iter().all(|op| !op.holds(f64::NAN, 1.0)));
    }
}
