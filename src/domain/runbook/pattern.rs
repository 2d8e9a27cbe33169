//! Whether a regular expression of a file can be used: its syntax, its groups, and how large it would become. Reads the
//! expression and does not make it, because a folder of a thousand runbooks is read at every start; who applies one makes it.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The greatest size, in places that a match can be at. An expression of this size stays below the bytes that whoever
/// applies it allows ([`crate::domain::runbook::values`]): what is said to be usable here is used there.
const LIMIT: usize = 32_000;

/// The groups of an expression; `Err` says why it cannot be used. `lines` makes `^` and `$` the ends of a line.
pub fn groups(said: &str, lines: bool) -> Result<usize, String> {
    let hir = parse(said, lines)?;
    // As it is applied: what is whole only without its neighbours, such as a comment to the end of the line, would undo
    // the anchors.
    parse(&anchored(said), lines)?;
    if size(&hir) > LIMIT {
        return Err("it becomes too large (repeat less)".to_owned());
    }
    Ok(hir.properties().explicit_captures_len())
}

/// What a range of characters weighs, and what one that has every length of UTF-8 weighs more; measured on what is made.
const RANGE: usize = 3;
const WIDE: usize = 30;

/// The expression that matches whole values only.
pub fn anchored(said: &str) -> String {
    format!("^(?:{said})$")
}

fn parse(said: &str, lines: bool) -> Result<Hir, String> {
    let read = ParserBuilder::new().multi_line(lines).nest_limit(60).build().parse(said);
    read.map_err(|why| {
        let why = why.to_string();
        why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// How many places a match can be at; the parser limits how deep this goes.
fn size(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(text) => text.0.len(),
        HirKind::Class(Class::Unicode(class)) => {
            let wide = class.ranges().iter().any(|range| range.end().len_utf8() > range.start().len_utf8() + 1);
            class.ranges().len() * RANGE + if wide { WIDE } else { 0 }
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() * RANGE,
        HirKind::Repetition(again) => {
            let times = again.max.unwrap_or(again.min.saturating_add(1)).max(1);
            size(&again.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(group) => size(&group.sub).saturating_add(10),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(size).fold(1, usize::saturating_add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::{Regex, RegexBuilder};

    #[test]
    fn what_can_be_used_is_told_from_what_cannot() {
        for (said, want) in [
            ("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", Some(1)),
            ("^([0-9]+)$", Some(1)),
            ("[A-Za-z0-9.-]{1,253}", Some(0)),
            ("\\w{1,12}", Some(0)),
            ("\\w{1,64}", None),
            ("[a-z", None),
            ("a)|(b", None),
            ("(?x)[a-z]+ # letters", None),
            ("(a{1000}){1000}", None),
            ("a(?=b)", None),
            ("(a)\\1", None),
        ] {
            assert_eq!(groups(said, false).ok(), want, "{said}");
        }
        assert!(groups(&"(".repeat(5_000), false).is_err());
    }

    #[test]
    fn the_largest_that_can_be_used_can_be_made_within_the_bytes_of_its_user() {
        for piece in ["a", "[a-z]", "[a-z0-9.-]", "\\w", "\\d", "[^a]", "(a|b|[0-9])", ".", "(?i:k)"] {
            let times = LIMIT / size(&parse(piece, false).unwrap());
            let largest = format!("{piece}{{{}}}", times.saturating_sub(1).max(1));
            assert!(groups(&largest, false).is_ok(), "{largest}");
            let largest = anchored(&largest);
            let made = RegexBuilder::new(&largest).size_limit(1 << 20).build();
            assert!(made.is_ok(), "{largest}");
        }
    }

    proptest! {
        /// What is said to be usable can be made, alone and anchored.
        #[test]
        fn what_can_be_used_can_be_made(said in "[a-c(){}\\[\\]|?*+0-9,.^$\\\\#x: -]{0,24}") {
            if groups(&said, true).is_ok() {
                prop_assert!(Regex::new(&said).is_ok(), "{}", said);
                prop_assert!(RegexBuilder::new(&anchored(&said)).multi_line(true).build().is_ok(), "{}", said);
            }
        }
    }
}
