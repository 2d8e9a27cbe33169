//! The points of a range answer as servers write them, `[[1777600000,"0.5"],…]`, read in one go: most bytes of most answers
//! are these. What is written in any other way is nothing here, and is left to serde, which also says what is wrong with it.

use crate::domain::time::Timestamp;

/// More digits than any instant has that the calendar knows.
const DIGITS: usize = 12;
/// Digits of a whole number that every double holds, and the powers of ten that are doubles themselves: such a number over
/// such a power is rounded once, as a reader of decimals rounds it.
const EXACT: usize = 15;
const TENS: [f64; EXACT + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// How the points of a series begin. Inside a string its quotation marks would be escaped: it is a key.
const KEY: &str = "\"values\":[[";

/// One point.
pub(super) type Read = (Timestamp, f64);

/// The instants of the series before as they were written: the next one nearly always has the same.
#[derive(Debug, Default)]
struct Instants<'b>(Vec<(&'b str, Timestamp)>);

impl<'b> Instants<'b> {
    /// The instant of the point at a place, and what follows its comma.
    fn at(&mut self, place: usize, text: &'b str) -> Option<(Timestamp, &'b str)> {
        if let Some((known, at)) = self.0.get(place)
            && let Some(after) = text.strip_prefix(known)
            && let Some(after) = after.strip_prefix(',')
        {
            return Some((*at, after));
        }
        let (ms, after) = milliseconds(text)?;
        let at = Timestamp::from_timestamp_millis(ms)?;
        let written = text.split_at_checked(text.len() - after.len())?.0;
        self.0.truncate(place);
        self.0.push((written, at));
        Some((at, after.strip_prefix(',')?))
    }
}

/// Takes the points of all series out of an answer: what is left has a number in the place of each, by which they are given
/// in their order. `None` where any is not written as servers do.
pub(super) fn taken_out(body: &str) -> Option<(String, Vec<Vec<Read>>)> {
    let mut instants = Instants::default();
    let (mut left, mut all, mut rest) = (String::with_capacity(body.len() / 8), Vec::new(), body);
    while let Some(at) = rest.find(KEY) {
        let (before, points) = rest.split_at_checked(at + KEY.len() - 2)?;
        let (read, after) = read(points, &mut instants)?;
        left.push_str(before);
        left.push_str(&all.len().to_string());
        all.push(read);
        rest = after;
    }
    left.push_str(rest);
    Some((left, all))
}

/// Reads the points of one series, and gives what follows; `None` where they are not written like that.
fn read<'b>(text: &'b str, instants: &mut Instants<'b>) -> Option<(Vec<Read>, &'b str)> {
    let mut rest = text.strip_prefix('[')?;
    let mut points = Vec::with_capacity(instants.0.len());
    loop {
        let (at, after) = instants.at(points.len(), rest.strip_prefix('[')?)?;
        let (value, after) = number(after.strip_prefix('"')?)?;
        points.push((at, value));
        rest = after.strip_prefix(']')?;
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((points, rest.strip_prefix(']')?)),
        }
    }
}

/// A number up to its quotation mark, and what follows that.
fn number(text: &str) -> Option<(f64, &str)> {
    if let Some((value, length)) = decimal(text) {
        return Some((value, text.split_at_checked(length)?.1.strip_prefix('"')?));
    }
    let (value, rest) = quoted(text)?;
    // An escape in a number is no number.
    Some((value.parse().ok()?, rest))
}

/// A plain decimal of few digits, and its length; `None` for any other.
fn decimal(text: &str) -> Option<(f64, usize)> {
    let (mut whole, mut digits, mut point) = (0_u64, 0, None);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' if digits < EXACT => {
                whole = whole * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() && digits > 0 => point = Some(digits),
            b'"' if digits > 0 && point != Some(digits) => {
                let power = TENS.get(point.map_or(0, |point| digits - point))?;
                return Some((whole as f64 / power, place));
            }
            _ => return None,
        }
    }
    None
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
        let (read, rest) = read(text, &mut Instants::default())?;
        assert_eq!(rest, "");
        Some(read.into_iter().map(|(at, value)| (at.timestamp_millis(), value)).collect())
    }

    #[test]
    fn what_servers_write_is_read_and_the_rest_is_not() {
        assert_eq!(
            ms(r#"[[1,"2"],[1777600000.5,"-1e3"],[61.25,"+Inf"]]"#).unwrap()[..2],
            [(1_000, 2.0), (1_777_600_000_500, -1e3)]
        );
        assert!(ms(r#"[[1,"NaN"]]"#).unwrap()[0].1.is_nan());
        for (text, want) in
            [("0", 0.0), ("0.1", 0.1), ("999999999999999", 999_999_999_999_999.0), ("0.00000000000001", 1e-14)]
        {
            assert_eq!(ms(&format!(r#"[[1,"{text}"]]"#)).unwrap(), [(1_000, want)], "{text}");
        }
        let more: Vec<f64> = [r#"[[1,"1.7976931348623157e308"]]"#, r#"[[1,"9007199254740993"]]"#, r#"[[1,"1."]]"#]
            .iter()
            .map(|text| ms(text).unwrap()[0].1)
            .collect();
        assert_eq!(more, [f64::MAX, 9_007_199_254_740_992.0, 1.0]);
        for odd in [
            "",
            "[",
            "[]",
            r#"[[1,".."]]"#,
            r#"[[1,"1.2.3"]]"#,
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

    #[test]
    fn points_are_taken_out_of_an_answer() {
        let body =
            r#"[{"metric":{"a":"\"values\":[[é"},"values":[[1,"2"],[2,"3"]]},{"values":[[1,"4"]]},{"values":[]}]"#;
        let (left, points) = taken_out(body).unwrap();
        assert_eq!(left, r#"[{"metric":{"a":"\"values\":[[é"},"values":0},{"values":1},{"values":[]}]"#);
        assert_eq!(points.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(taken_out(r#"{"values":[[1,2]]}"#), None);
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(series in prop::collection::vec(prop::collection::vec((0..4_000_000_000_000_i64, proptest::num::f64::ANY), 1..5), 0..4)) {
            let text = |points: &[(i64, f64)]| {
                let text: Vec<String> = points.iter().map(|(at, v)| format!("[{}.{:03},\"{v}\"]", at / 1_000, at % 1_000)).collect();
                format!("{{\"values\":[{}]}}", text.join(","))
            };
            let body: Vec<String> = series.iter().map(|points| text(points)).collect();
            let body = body.join(",");
            let (_, all) = taken_out(&body).unwrap();
            prop_assert_eq!(all.len(), series.len());
            for (got, points) in all.iter().zip(&series) {
                prop_assert_eq!(got.len(), points.len());
                for ((at, value), (ms, want)) in got.iter().zip(points) {
                    prop_assert_eq!(at.timestamp_millis(), *ms);
                    prop_assert!(value.to_bits() == want.to_bits() || value.is_nan() && want.is_nan());
                }
            }
        }

        #[test]
        fn decimals_are_what_the_standard_reader_says(text in "[0-9]{0,17}[.]?[0-9]{0,17}") {
            let quoted = format!("{text}\"");
            if let Some((value, length)) = decimal(&quoted) {
                prop_assert_eq!((value.to_bits(), length), (text.parse::<f64>().unwrap().to_bits(), text.len()));
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "[\\[\\],\"0-9.eé-]{0,40}") {
            let _ = read(&text, &mut Instants::default());
            let _ = taken_out(&format!("\"values\":[[{text}"));
        }
    }
}
