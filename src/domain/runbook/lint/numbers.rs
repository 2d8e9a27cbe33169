//! A number in words beside another one in the command they belong to. Quiet on purpose: it speaks only where both sides
//! name one length of time, or one count of replicas, and the two differ.

use super::Linter;
use crate::domain::document::Mark;
use crate::domain::runbook::lint::place::elements;
use crate::domain::runbook::model::{Exec, RunCommand};
use crate::domain::time::{Span, compact, parse_span};

/// Units of time as words, with their seconds.
const UNITS: [(&str, i64); 8] = [
    ("second", 1),
    ("seconds", 1),
    ("minute", 60),
    ("minutes", 60),
    ("hour", 3_600),
    ("hours", 3_600),
    ("day", 86_400),
    ("days", 86_400),
];
/// What replicas are called.
const COPIES: [&str; 6] = ["replicas", "pods", "instances", "copies", "replica", "pod"];

impl Linter<'_> {
    /// RB016 over all steps and options.
    pub(super) fn numbers(&mut self) {
        let runbook = self.runbook;
        for step in &runbook.steps {
            if let [command] = step.commands.as_slice() {
                self.beside(step.mark, &step.say, command);
            }
            for option in &step.options {
                if let Some(command) = &option.command {
                    self.beside(option.mark, &option.action, command);
                }
            }
        }
    }

    fn beside(&mut self, mark: Mark, words: &str, command: &RunCommand) {
        if matches!(command.exec, Exec::Query(_)) {
            return;
        }
        let elements = elements(command);
        if let (Some(said), Some(done)) = (only(spoken_spans(words)), only(written_spans(&elements)))
            && said != done
        {
            let message = format!("the words say {}, the command {}", compact(said), compact(done));
            self.warn(mark, "RB016", message);
        }
        if let (Some(said), Some(done)) = (only(spoken_copies(words)), only(written_copies(&elements)))
            && said != done
        {
            self.warn(mark, "RB016", format!("the words say {said} replicas, the command {done}"));
        }
    }
}

/// The one thing in a list that has one thing.
fn only<T: Copy>(found: Vec<T>) -> Option<T> {
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

fn words(text: &str) -> Vec<String> {
    let split = |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-';
    text.split(split).map(|w| w.trim_matches(['.', '-']).to_ascii_lowercase()).filter(|w| !w.is_empty()).collect()
}

/// `one hour`, `30 minutes`, `10m`.
fn spoken_spans(text: &str) -> Vec<Span> {
    let words = words(text);
    let mut found: Vec<Span> = words.iter().filter_map(|word| short_span(word)).collect();
    for pair in words.windows(2) {
        let [count, unit] = pair else { continue };
        let Some((_, seconds)) = UNITS.iter().find(|(name, _)| name == unit) else { continue };
        let count = if matches!(count.as_str(), "one" | "an" | "a") { Some(1) } else { count.parse::<i64>().ok() };
        found.extend(count.and_then(|n| n.checked_mul(*seconds)).and_then(Span::try_seconds));
    }
    found
}

/// Digits and one letter of time: `10m`, never `10` or `10Mi`.
fn short_span(word: &str) -> Option<Span> {
    let digits = word.strip_suffix(['s', 'm', 'h', 'd'])?;
    let shaped = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    shaped.then(|| parse_span(word).ok()).flatten()
}

fn written_spans(elements: &[String]) -> Vec<Span> {
    elements.iter().filter_map(|e| short_span(e.rsplit('=').next().unwrap_or(e))).collect()
}

fn spoken_copies(text: &str) -> Vec<u32> {
    let words = words(text);
    let pair = |pair: &[String]| match pair {
        [count, what] if COPIES.contains(&what.as_str()) => count.parse().ok(),
        _ => None,
    };
    words.windows(2).filter_map(pair).collect()
}

fn written_copies(elements: &[String]) -> Vec<u32> {
    elements.iter().filter_map(|e| e.strip_prefix("--replicas=")?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_plainly_a_length_of_time_is_one() {
        let spans = |text: &str| spoken_spans(text).iter().map(Span::num_seconds).collect::<Vec<_>>();
        assert_eq!(spans("older than one hour"), [3_600]);
        assert_eq!(spans("wait 30 minutes, then look"), [1_800]);
        assert_eq!(spans("the last 10m of p95"), [600]);
        assert_eq!(spans("10 pods with 10Mi, 3 times"), Vec::<i64>::new());
        let done = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            written_spans(&words).iter().map(Span::num_seconds).collect::<Vec<_>>()
        };
        assert_eq!(done("kubectl logs --since=10m --tail=100"), [600]);
        assert_eq!(done("timeout 1800 x"), Vec::<i64>::new());
    }
}
