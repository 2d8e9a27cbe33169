//! What changed lately, whoever tells of it, on one list: deploys of a paging product, marks on dashboards, commits,
//! rollouts. Says how far from the start of an incident each is. Never asks, and never says that something was the cause.

use crate::domain::ids::SourceName;
use crate::domain::outward::annotation::Annotation;
use crate::domain::outward::backend::Change;
use crate::domain::slo::marks::Mark;
use crate::domain::text::clean;
use crate::domain::time::{Span, Timestamp, compact, mins};

/// How long before the start is looked back, unless somebody says otherwise.
pub const BEFORE: Span = Span::hours(2);
/// How long after it changes may still have to do with it.
pub const AFTER: Span = Span::minutes(30);
/// The longest text on a list, in characters.
const TEXT: usize = 200;

/// A change, from whatever source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recent {
    /// When.
    pub at: Timestamp,
    /// Until when, for what lasted.
    pub until: Option<Timestamp>,
    /// Who tells of it, by its name in the configuration.
    pub source: SourceName,
    /// `change`, `annotation`, or the name of a mark.
    pub kind: String,
    /// In words, harmless and in one line.
    pub text: String,
    /// Who made it.
    pub author: Option<String>,
    /// What it changed.
    pub service: Option<String>,
    /// Its page; outside text.
    pub url: Option<String>,
}

fn one_line(raw: &str) -> String {
    // A dashboard's text may be a paragraph of HTML; its words are what is wanted.
    let mut plain = String::with_capacity(raw.len());
    let mut inside = false;
    for c in raw.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    // A sign alone is no markup.
    let words = if inside { raw } else { &plain };
    let words: Vec<&str> = words.split_whitespace().collect();
    clean(&words.join(" ")).chars().take(TEXT).collect()
}

impl Recent {
    /// Out of what a paging product, a repository or a command tells.
    pub fn of_change(source: &SourceName, change: &Change) -> Self {
        Self {
            at: change.at,
            until: None,
            source: source.clone(),
            kind: "change".into(),
            text: one_line(&change.summary),
            author: change.author.as_deref().map(one_line).filter(|a| !a.is_empty()),
            service: change.service.as_deref().map(one_line).filter(|s| !s.is_empty()),
            url: change.url.clone(),
        }
    }

    /// Out of a mark on a dashboard; a tag `service:NAME` says what it changed.
    pub fn of_annotation(source: &SourceName, annotation: &Annotation) -> Self {
        let service = annotation.tags.iter().find_map(|tag| tag.strip_prefix("service:"));
        let others: Vec<&str> =
            annotation.tags.iter().map(String::as_str).filter(|t| !t.starts_with("service:")).collect();
        let text = match (one_line(&annotation.text), others.is_empty()) {
            (text, true) => text,
            (text, false) if text.is_empty() => one_line(&others.join(" ")),
            (text, false) => format!("{text} ({})", one_line(&others.join(" "))),
        };
        Self {
            at: annotation.from,
            until: annotation.to,
            source: source.clone(),
            kind: "annotation".into(),
            text,
            author: None,
            service: service.map(one_line),
            url: None,
        }
    }

    /// Out of a mark that a metrics source tells of.
    pub fn of_mark(source: &SourceName, mark: &Mark) -> Self {
        let service = mark.services.first().filter(|_| mark.services.len() == 1).cloned();
        let (at, source, kind, text) = (mark.at, source.clone(), mark.name.clone(), one_line(&mark.text));
        Self { at, until: None, source, kind, text, author: None, service, url: None }
    }

    /// As it stands on the charts of those it concerns.
    pub fn mark(&self) -> Mark {
        let author = self.author.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
        Mark {
            at: self.at,
            name: self.source.to_string(),
            text: format!("{}{author}", self.text).chars().take(80).collect(),
            services: self.service.iter().cloned().collect(),
        }
    }

    /// `14m before`, `3m after`, `at the start`.
    pub fn distance(&self, start: Timestamp) -> String {
        let away = self.at - start;
        match away.abs() < Span::seconds(1) {
            true => "at the start".into(),
            false if away < Span::zero() => format!("{} before", compact(-away)),
            false => format!("{} after", compact(away)),
        }
    }
}

/// The stretch that is looked at around a start: `before` it, and as long after it as it may matter, never ahead of now.
pub fn around(start: Timestamp, before: Span, now: Timestamp) -> (Timestamp, Timestamp) {
    (start - before, (start + AFTER).min(now).max(start - before + mins(1)))
}

/// One list, newest first; what two sources tell in the same words at the same instant stays twice, since both say it.
pub fn listed(mut all: Vec<Recent>) -> Vec<Recent> {
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| (&a.source, &a.text).cmp(&(&b.source, &b.text))));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn change(summary: &str, when: &str) -> Recent {
        let change = Change {
            id: "1".into(),
            at: at(when),
            summary: summary.into(),
            service: Some("api".into()),
            author: Some("ada\nb".into()),
            url: None,
        };
        Recent::of_change(&"deploys".into(), &change)
    }

    #[test]
    fn texts_are_one_harmless_line() {
        let recent = change("<b>deploy</b>\n\u{1b}[31m42 <a href=\"https://x\">log</a>", "2026-05-01T03:00:00Z");
        assert!(recent.text.starts_with("deploy") && recent.text.ends_with("42 log"), "{}", recent.text);
        assert!(!recent.text.contains('\u{1b}') && !recent.text.contains('\n'));
        assert_eq!(recent.author.as_deref(), Some("ada b"));
        assert_eq!(change("5 < 6", "2026-05-01T03:00:00Z").text, "5 < 6");
        assert_eq!(change(&"x".repeat(900), "2026-05-01T03:00:00Z").text.len(), TEXT);
    }

    #[test]
    fn an_annotation_says_its_tags_and_its_service() {
        let tags = vec!["deploy".to_owned(), "service:api".into()];
        let from = at("2026-05-01T03:00:00Z");
        let mark = Annotation { id: "1".into(), from, to: None, text: String::new(), tags };
        let recent = Recent::of_annotation(&"grafana".into(), &mark);
        assert_eq!((recent.text.as_str(), recent.service.as_deref()), ("deploy", Some("api")));
        assert!(recent.mark().is_for("api") && !recent.mark().is_for("shop"));
    }

    #[test]
    fn the_list_is_newest_first_with_the_distance_from_the_start() {
        let start = at("2026-05-01T03:00:00Z");
        let all = ["2026-05-01T02:46:00Z", "2026-05-01T03:03:00Z", "2026-05-01T03:00:00Z", "2026-05-01T02:46:00Z"];
        let listed = listed(all.iter().map(|when| change("x", when)).collect());
        let told: Vec<String> = listed.iter().map(|r| r.distance(start)).collect();
        assert_eq!(told, ["3m after", "at the start", "14m before"]);
    }

    #[test]
    fn the_stretch_ends_now_at_the_latest_and_is_never_empty() {
        let start = at("2026-05-01T03:00:00Z");
        let (from, to) = around(start, BEFORE, at("2026-05-01T03:10:00Z"));
        assert_eq!((from, to), (at("2026-05-01T01:00:00Z"), at("2026-05-01T03:10:00Z")));
        assert_eq!(around(start, BEFORE, at("2026-05-02T00:00:00Z")).1, at("2026-05-01T03:30:00Z"));
        // A clock that was set back.
        assert!(around(start, mins(5), at("2026-04-01T00:00:00Z")).1 > start - mins(5));
    }
}
