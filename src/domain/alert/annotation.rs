//! What the annotations of an alert say, as far as a timeline cares: the texts that people act on, and whether they say
//! something else than before. Values that change at every evaluation are no news.

use crate::domain::labels::Labels;
use sha2::{Digest, Sha256};

/// The annotations that tell people what is wrong and what to do. Others are for machines.
pub const TOLD: [&str; 9] =
    ["summary", "description", "message", "impact", "runbook_url", "runbook", "dashboard_url", "dashboard", "playbook"];
/// The most characters of one that are kept.
const LONGEST: usize = 400;

/// The annotations that say something else than before, with what they say now: empty where one was taken away. Numbers
/// and the units behind them do not count, but in an address every character does.
pub fn changed(before: &Labels, after: &Labels) -> Vec<(&'static str, String)> {
    let other = |name: &&str| {
        let (was, is) = (before.get(name), after.get(name));
        was != is && (is_address(was) || is_address(is) || !meaning(was).eq(meaning(is)))
    };
    let now = |name: &str| after.get(name).trim().chars().take(LONGEST).collect::<String>();
    TOLD.into_iter().filter(other).map(|name| (name, now(name))).collect()
}

/// A short mark of a text, so that it is told once: not the text itself, which may have to be taken out of the record.
pub fn mark(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains(char::is_whitespace)
}

/// The words that are left without those that hold a digit and the one behind a bare number: `5.3 %`, `12 ms`, `3 pods`.
fn meaning(text: &str) -> impl Iterator<Item = &str> {
    let mut behind = false;
    text.split_whitespace().filter(move |word| {
        let bare = word.chars().any(|c| c.is_ascii_digit()) && !word.chars().any(char::is_alphabetic);
        let unit = std::mem::replace(&mut behind, bare);
        // NaN and infinity are values too.
        let value = matches!(*word, "NaN" | "NaN%" | "+Inf" | "-Inf" | "Inf");
        behind |= value;
        !(unit || value || word.chars().any(|c| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<&'static str> {
        let of = |all: &[(&str, &str)]| Labels(all.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect());
        changed(&of(before), &of(after)).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn numbers_and_units_are_no_news_and_words_are() {
        for (was, is, news) in [
            ("error rate is 5.3% of requests", "error rate is 17.25% of requests", false),
            ("p99 at 120 ms for api", "p99 at 1.2 s for api", false),
            ("p99 at 120ms for api", "p99 at 1.2s for api", false),
            ("3 of 5 pods are down", "4 of 5 pods are down", false),
            ("ratio is NaN for api", "ratio is 0.5 for api", false),
            ("api-7d9f is down", "api-66ab2 is down", false),
            ("error rate is 5 %", "error rate is 5 % and the database is down", true),
            ("the database is slow", "the database is down", true),
            ("", "the database is down", true),
            ("the database is down", "", true),
            ("same  words", "same words", false),
        ] {
            assert_eq!(!names(&[("summary", was)], &[("summary", is)]).is_empty(), news, "{was} / {is}");
        }
    }

    #[test]
    fn an_address_counts_to_the_last_digit_and_what_is_for_machines_does_not() {
        let url = |n: u32| format!("https://wiki.example/runbooks/{n}");
        assert_eq!(names(&[("runbook_url", &url(1))], &[("runbook_url", &url(2))]), ["runbook_url"]);
        assert_eq!(names(&[("runbook_url", &url(1))], &[("runbook_url", &url(1))]), Vec::<&str>::new());
        assert_eq!(names(&[("__value__", "a"), ("grafana_panel", "b")], &[("__value__", "c")]), Vec::<&str>::new());
        let long = "x".repeat(5_000);
        let told = changed(&Labels::default(), &Labels::from([("summary", long.as_str())]));
        assert_eq!(told[0].1.chars().count(), 400);
    }
}
