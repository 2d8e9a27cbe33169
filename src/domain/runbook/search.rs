//! Finding runbooks by what a person types: parts of words in any order, the best first. For people; an alert's own runbook
//! is found by [`crate::domain::runbook::matching`].

use crate::domain::runbook::model::Runbook;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;
use std::sync::Arc;

/// The longest text that is looked through, in characters.
const TEXT_LIMIT: usize = 400;

/// The runbooks whose id, name or alerts fit what was typed, best first; all in their order when nothing was.
pub fn search<'b>(books: &'b [Arc<Runbook>], typed: &str) -> Vec<&'b Arc<Runbook>> {
    if typed.trim().is_empty() {
        return books.iter().collect();
    }
    let pattern = Pattern::parse(typed.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize, &Arc<Runbook>)> = Vec::new();
    for (n, book) in books.iter().enumerate() {
        let alerts: Vec<&str> = book.triggers.iter().map(|t| t.alert.as_str()).collect();
        let text = format!("{} {} {}", book.id, book.name, alerts.join(" "));
        let text: String = text.chars().take(TEXT_LIMIT).collect();
        if let Some(score) = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher) {
            found.push((score, n, book));
        }
    }
    found.sort_by_key(|(score, n, _)| (Reverse(*score), *n));
    found.into_iter().map(|(_, _, book)| book).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    fn found(typed: &str) -> Vec<String> {
        let books: Vec<Arc<Runbook>> = ["high-api-latency", "disk-full", "etcd-down"]
            .iter()
            .map(|id| {
                let text = format!("name: {id}\ntriggers: [{{alert: Alert{id}}}]\nsteps: [{{name: One}}]\n");
                Arc::new(read(&format!("{id}.yaml"), &text).0.unwrap())
            })
            .collect();
        search(&books, typed).into_iter().map(|b| b.id.0.clone()).collect()
    }

    #[test]
    fn parts_of_words_in_any_order_find() {
        assert_eq!(found("lat api"), ["high-api-latency"]);
        assert_eq!(found("DSKFL"), ["disk-full"]);
        assert_eq!(found("  "), ["high-api-latency", "disk-full", "etcd-down"]);
        assert_eq!(found("zzz"), Vec::<String>::new());
        assert_eq!(found("down")[0], "etcd-down");
    }
}
