//! The points of a range answer as servers write them, `[[1777600000,"0.5"],…]`, read in one go: most bytes of most answers
//! are these. What is written in any other way is nothing here, and is left to serde, which also says what is wrong with it.

use crate::domain::time::Timestamp;

/// More digits than any instant has that the calendar knows.
const DIGITS: usize = 12;

/// The instants of the series before: the next one nearly always has the same.
#[derive(Debug, Default)]
pub(super) struct Instants(Vec<(i64, Timestamp)>);

impl Instants {
    /// The instant of the point at a place, from milliseconds since 1970.
    fn at(&mut self, place: usize, ms: i64) -> Option<Timestamp> {
        if let Some((_, at)) = self.0.get(place).filter(|(known, _)| *known == ms) {
            return Some(*at);
        }
        let at = Timestamp::from_timestamp_millis(ms)?;
        self.0.truncate(place);
        self.0.push((ms, at));
        Some(at)
    }
}

/// Reads all points of a series; `None` where they are not written like that.
pub(super) fn read(text: &str, instants: &mut Instants) -> Option<Vec<(Timestamp, f64)>> {
    let mut rest = text.strip_prefix('[')?;
    if rest == "]" {
        return Some(Vec::new());
    }
    let mut points = Vec::with_capacity(instants.0.len());
    loop {
        let (ms, after) = milliseconds(rest.strip_prefix('[')?)?;
        let (value, after) = quoted(after.strip_prefix(",\"")?)?;
        // An escape in a number is no number.
        points.push((instants.at(points.len(), ms)?, value.parse().ok()?));
        rest = after.strip_prefix(']')?;
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (rest == "]").then_some(points),
        }
    }
}

/// What stands before the next quotation mark, and what after it. The texts are short: no search is as quick as looking.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (value, rest) = text.split_at_checked(text.bytes().position(|byte| byte == b'"')?)?;
    Some((value, rest.strip_prefix('"')?))
}

/// Seconds with at most three decimals, and what follows.
fn milliseconds(text: &str) -> Option<(i64, &str)> {
    let (whole, rest, digits) = integer(text)?;
    if !(1..=DIGITS).contains(&digits) {
        return None;
    }
    let Some(decimals) = rest.strip_prefix('.') else { return Some((whole * 1_000, rest)) };
    let (part, rest, digits) = integer(decimals)?;
    let unit = match digits {
        1 => 100,
        2 => 10,
        3 => 1,
        _ => return None,
    };
    Some((whole * 1_000 + part * unit, rest))
}

/// Digits, what follows, and how many they were; `None` where they are too many.
fn integer(text: &str) -> Option<(i64, &str, usize)> {
    let (mut value, mut digits) = (0_i64, 0);
    for digit in text.bytes().take_while(u8::is_ascii_digit) {
        value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        digits += 1;
    }
    Some((value, text.split_at_checked(digits)?.1, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(text: &str) -> Option<Vec<(i64, f64)>> {
        let read = read(text, &mut Instants::default())?;
        Some(read.into_iter().map(|(at, value)| (at.timestamp_millis(), value)).collect())
    }

    #[test]
    fn what_servers_write_is_read_and_the_rest_is_not() {
        assert_eq!(
            ms(r#"[[1,"2"],[1777600000.5,"-1e3"],[61.25,"+Inf"]]"#).unwrap()[..2],
            [(1_000, 2.0), (1_777_600_000_500, -1e3)]
        );
        assert!(ms(r#"[[1,"NaN"]]"#).unwrap()[0].1.is_nan());
        assert_eq!(ms("[]"), Some(vec![]));
        for odd in [
            "",
            "[",
            "[]]",
            "null",
            "[[1,2]]",
            r#"[[1,"2"]"#,
            r#"[[1,"2"],]"#,
            r#"[ [1,"2"]]"#,
            r#"[[1 ,"2"]]"#,
            r#"[["1","2"]]"#,
            r#"[[-1,"2"]]"#,
            r#"[[1.2345,"2"]]"#,
            r#"[[1.,"2"]]"#,
            r#"[[1e3,"2"]]"#,
            r#"[[1,"x"]]"#,
            r#"[[1,"2",3]]"#,
            r#"[[9999999999999,"2"]]"#,
            r#"[[99999999999999999999,"2"]]"#,
            r#"[[1,"\u0031"]]"#,
            r#"[[,"2"]]"#,
            r#"[[1,""]]"#,
        ] {
            assert_eq!(ms(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(series in prop::collection::vec(prop::collection::vec((0..4_000_000_000_000_i64, proptest::num::f64::ANY), 0..5), 0..4)) {
            let mut instants = Instants::default();
            for points in series {
                let text: Vec<String> = points.iter().map(|(at, v)| format!("[{}.{:03},\"{v}\"]", at / 1_000, at % 1_000)).collect();
                let got = read(&format!("[{}]", text.join(",")), &mut instants).unwrap();
                prop_assert_eq!(got.len(), points.len());
                for ((at, value), (ms, want)) in got.iter().zip(&points) {
                    prop_assert_eq!(at.timestamp_millis(), *ms);
                    prop_assert!(value.to_bits() == want.to_bits() || value.is_nan() && want.is_nan());
                }
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "[\\[\\],\"0-9.eé-]{0,40}") {
            let _ = read(&text, &mut Instants::default());
        }
    }
}
