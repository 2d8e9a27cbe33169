//! The terms that every format of objectives shares, read with the same limits and told with the same words: shares,
//! percents, windows, labels, words out of a few. Knows no format.

use crate::domain::document::{Level, Mark, Node, Reader, Value, nearest};
use crate::domain::labels::Labels;
use crate::domain::slo::budget::round12;
use crate::domain::time::{Span, prometheus};

/// The slice of a threshold or a ratio that cannot be split, unless its file says otherwise.
pub const SLICE: Span = Span::minutes(5);
/// The longest window and the longest slice: a window of the model counts whole seconds in 32 bits, and no series is older.
pub const LONGEST: Span = Span::days(3_653);

/// How many errors were found so far.
pub fn errors(reader: &Reader<'_>) -> usize {
    reader.findings.iter().filter(|f| f.level == Level::Error).count()
}

/// A share in 0..1 exclusive, or an error that says what was probably meant.
pub fn share(reader: &mut Reader<'_>, mark: Mark, what: &str, share: f64) -> Option<f64> {
    if share > 0.0 && share < 1.0 {
        return Some(share);
    }
    let message = if share == 1.0 {
        format!("{what} is 1: that leaves no error budget (expected less than 1, such as 0.999)")
    } else if share > 1.0 && share < 100.0 {
        let meant = round12(share / 100.0);
        format!("{what} is {share}: a share is below 1 (did you mean {meant}?)")
    } else {
        format!("{what} is {share} (expected a share between 0 and 1, such as 0.999)")
    };
    reader.error(mark, "target", message);
    None
}

/// A percentage as a share in 0..1 exclusive. A share in its place is taken as written; the lint says so.
pub fn percent(reader: &mut Reader<'_>, mark: Mark, what: &str, percent: f64) -> Option<f64> {
    if percent == 100.0 {
        let message = format!("{what} is 100: that leaves no error budget (expected below 100, such as 99.9)");
        reader.error(mark, "target", message);
        return None;
    }
    if !(percent > 0.0 && percent < 100.0) {
        reader.error(mark, "target", format!("{what} is {percent} (expected percent between 0 and 100, such as 99.9)"));
        return None;
    }
    Some(round12(percent / 100.0)).filter(|share| *share > 0.0 && *share < 1.0).or_else(|| {
        reader.error(mark, "target", format!("{what} is {percent}: that is too near to an end of the scale"));
        None
    })
}

/// A length of time in whole seconds, from `least` to ten years.
pub fn positive(reader: &mut Reader<'_>, node: &Node, what: &str, least: Span) -> Option<Span> {
    let span = reader.span(node, what)?;
    within(reader, node, what, least, span)
}

/// Checks a length of time that was read already.
pub fn within(reader: &mut Reader<'_>, node: &Node, what: &str, least: Span, span: Span) -> Option<Span> {
    if span < least || span > LONGEST || span.subsec_nanos() != 0 {
        reader.wrong(node, what, &format!("whole seconds, {} to 10y", prometheus(least)));
        return None;
    }
    Some(span)
}

/// One of a few words.
pub fn choice<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
    let text = reader.string(node, what)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let near = nearest(&text, names.iter().copied()).map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        reader.wrong(node, what, &format!("{}{near}", names.join(", ")));
    }
    found
}

/// A map of label names to texts. What is no label of Prometheus is an error and is left out; a list of texts (as OpenSLO
/// has it) is joined by commas.
pub fn labels(reader: &mut Reader<'_>, node: &Node, what: &str, strict: bool) -> Labels {
    let mut labels = Labels::default();
    for (key, value) in reader.entries(node, what).unwrap_or_default() {
        let text = match &value.value {
            Value::Seq(items) => Some(items.iter().filter_map(|item| reader.string(item, what)).collect::<Vec<_>>())
                .map(|texts| texts.join(",")),
            _ => reader.string(value, &format!("{what} `{}`", key.text)),
        };
        let Some(text) = text else { continue };
        if strict && !is_label(&key.text) {
            let message = format!("`{}` is no label name (expected letters, digits and _)", key.text);
            reader.error(key.mark, "label", message);
        } else if strict && text.is_empty() {
            reader.error(value.mark, "label", format!("the label `{}` is empty (expected a text)", key.text));
        } else {
            labels.0.insert(key.text.clone(), text);
        }
    }
    labels
}

fn is_label(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The first word of a name, for an objective whose file names no service.
pub fn first_word(name: &str) -> String {
    let word = name.split(|c: char| !c.is_alphanumeric()).find(|w| !w.is_empty());
    word.unwrap_or(name).to_owned()
}
