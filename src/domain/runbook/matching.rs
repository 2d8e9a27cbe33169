//! Which runbook an alert asks for. A trigger beats a link, a link beats a beginning, that beats a likeness of names. Never opens a link: the
//! page behind it may be down with everything else.

use crate::domain::ids::RunbookId;
use crate::domain::labels::{Labels, Matcher};
use crate::domain::runbook::model::{Runbook, Trigger};
use crate::domain::runbook::pieces::slug;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The highest score of a likeness of names, which is a hint and no answer.
pub const LIKENESS: u32 = 499;

/// A runbook for an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Which.
    pub runbook: RunbookId,
    /// Why, in words; may hold raw outside text.
    pub why: String,
    /// Greater is better: from 1000 a trigger, 800 a link, from 500 a beginning of the alert's name, below a likeness.
    pub score: u32,
}

/// The runbooks that fit, best first; equals by id, so that the order never depends on the order of loading.
pub fn matches(runbooks: &[Arc<Runbook>], alert: &str, labels: &Labels, annotations: &Labels) -> Vec<Match> {
    let books: Vec<Book<'_>> = runbooks.iter().map(|runbook| Book::of(runbook)).collect();
    fitting(&books, &Asked::of(alert, labels, annotations))
}

fn fitting(books: &[Book<'_>], asked: &Asked<'_>) -> Vec<Match> {
    let mut found: Vec<Match> = books
        .iter()
        .filter_map(|book| {
            let best = by_trigger(book.runbook, asked.alert, asked.labels)
                .or_else(|| by_link(book, &asked.linked))
                .or_else(|| by_prefix(book, asked))
                .or_else(|| by_name(book, asked));
            best.map(|(score, why)| Match { runbook: book.runbook.id.clone(), why, score })
        })
        .collect();
    found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.runbook.cmp(&b.runbook)));
    found.dedup_by(|b, a| a.runbook == b.runbook);
    found
}

/// A runbook with its names taken apart, once for all alerts.
#[derive(Debug)]
struct Book<'a> {
    runbook: &'a Runbook,
    /// What the last part of a link to it may be, as slugs.
    slugs: Vec<String>,
    /// The words of its id and of its file's name.
    begins: [Vec<String>; 2],
    /// The words of the alerts of its triggers, of its id and of its name.
    names: Vec<BTreeSet<String>>,
}

impl<'a> Book<'a> {
    fn of(runbook: &'a Runbook) -> Self {
        let file = runbook.path.rsplit(['/', '\\']).next().unwrap_or("");
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let alerts = || runbook.triggers.iter().map(|t| t.alert.as_str());
        let mut slugs = vec![runbook.id.0.clone(), slug(stem, ""), slug(&runbook.name, "")];
        slugs.extend(alerts().map(|alert| slug(alert, "")));
        let names = alerts().chain([runbook.id.as_str(), runbook.name.as_str()]).map(words).collect();
        Self { runbook, slugs, begins: [runbook.id.as_str(), stem].map(in_order), names }
    }
}

/// An alert with its name taken apart, once for all runbooks.
struct Asked<'a> {
    alert: &'a str,
    labels: &'a Labels,
    linked: Vec<String>,
    order: Vec<String>,
    words: BTreeSet<String>,
}

impl<'a> Asked<'a> {
    fn of(alert: &'a str, labels: &'a Labels, annotations: &Labels) -> Self {
        let order = in_order(alert);
        let words = order.iter().cloned().collect();
        Self { alert, labels, linked: linked_names(annotations.get("runbook_url")), order, words }
    }
}

/// What is looked at of an alert.
type Look<'a> = (&'a str, &'a str, Vec<&'a str>);

/// The runbooks for many alerts at once, as in a storm: alerts that differ in nothing that any runbook looks at are matched
/// once.
#[derive(Debug)]
pub struct Matching<'a> {
    books: Vec<Book<'a>>,
    /// The labels that triggers for an alert of this name look at.
    heeded: HashMap<&'a str, Vec<&'a str>>,
    /// What was found, by the alert's name, its link, and its labels that are looked at.
    found: HashMap<Look<'a>, Arc<[Match]>>,
    none: Arc<[Match]>,
}

impl<'a> Matching<'a> {
    /// In these runbooks.
    pub fn of(library: &'a [Arc<Runbook>]) -> Self {
        let mut heeded: HashMap<&str, Vec<&str>> = HashMap::new();
        for trigger in library.iter().flat_map(|runbook| &runbook.triggers).filter(|t| !t.matchers.is_empty()) {
            let labels = heeded.entry(trigger.alert.as_str()).or_default();
            labels.extend(trigger.matchers.iter().map(Matcher::name));
            labels.sort_unstable();
            labels.dedup();
        }
        let books = library.iter().map(|runbook| Book::of(runbook)).collect();
        Self { books, heeded, found: HashMap::new(), none: Arc::from([]) }
    }

    /// What [`matches()`] finds for an alert.
    pub fn find(&mut self, alert: &'a str, labels: &'a Labels, annotations: &'a Labels) -> Arc<[Match]> {
        if self.books.is_empty() {
            return Arc::clone(&self.none);
        }
        let heeded = self.heeded.get(alert).map_or(&[][..], Vec::as_slice);
        let values = heeded.iter().map(|label| labels.get(label)).collect();
        let books = &self.books;
        let found = self.found.entry((alert, annotations.get("runbook_url"), values));
        Arc::clone(found.or_insert_with(|| fitting(books, &Asked::of(alert, labels, annotations)).into()))
    }
}

fn by_trigger(runbook: &Runbook, alert: &str, labels: &Labels) -> Option<(u32, String)> {
    let fits = runbook.triggers.iter().filter(|t| t.alert == alert && t.matchers.iter().all(|m| m.matches(labels)));
    let best = fits.max_by_key(|t| t.matchers.len())?;
    let matchers: Vec<String> = best.matchers.iter().map(ToString::to_string).collect();
    let why = match matchers.as_slice() {
        [] => format!("trigger {alert}"),
        some => format!("trigger {alert} with {}", some.join(", ")),
    };
    Some((1_000 + 10 * u32::try_from(matchers.len().min(50)).unwrap_or(0), why))
}

/// The last part of an address's path and its fragment, as slugs.
fn linked_names(url: &str) -> Vec<String> {
    let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
    let address = address.split('?').next().unwrap_or("");
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let last = address.split_once('/').map_or("", |(_, path)| path.trim_end_matches('/'));
    let last = last.rsplit('/').next().unwrap_or("");
    let last =
        [".html", ".markdown", ".md", ".yaml", ".yml"].iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last);
    // Pages that list many alerts name each heading after its alert.
    let heading = fragment.to_ascii_lowercase();
    let heading = heading.strip_prefix("alert-name-").or_else(|| heading.strip_prefix("user-content-")).unwrap_or("");
    [fragment, heading, last].iter().map(|name| slug(name, "")).filter(|name| !name.is_empty()).collect()
}

/// A runbook for a family of alerts: all words of its id or file stem begin the alert's name, as `etcd` does
/// `etcdMembersDown`. A word that many alerts share begins none.
fn by_prefix(book: &Book<'_>, asked: &Asked<'_>) -> Option<(u32, String)> {
    if is_for_others(book.runbook, asked.alert, asked.labels) {
        return None;
    }
    let begins = book.begins.iter().find(|own| {
        let telling = own.iter().any(|word| !COMMON.contains(&word.as_str()));
        telling && own.len() < asked.order.len() && asked.order.starts_with(own)
    })?;
    let score = 500 + u32::try_from(begins.len().min(20)).unwrap_or(0) * 10;
    Some((score, format!("its name begins the alert's: {}", begins.join(" "))))
}

/// A runbook whose trigger has the very name but other labels is for something else.
fn is_for_others(runbook: &Runbook, alert: &str, labels: &Labels) -> bool {
    let others = |t: &Trigger| t.alert == alert && t.matchers.iter().any(|m| !m.matches(labels));
    runbook.triggers.iter().any(others)
}

fn by_link(book: &Book<'_>, linked: &[String]) -> Option<(u32, String)> {
    let name = linked.iter().find(|name| book.slugs.contains(name))?;
    Some((800, format!("runbook_url names {name}")))
}

/// Words that many alerts share; alone they are no likeness.
const COMMON: [&str; 12] =
    ["alert", "high", "low", "error", "errors", "down", "warning", "critical", "too", "many", "is", "the"];

/// At least half of the telling words must be shared.
fn by_name(book: &Book<'_>, asked: &Asked<'_>) -> Option<(u32, String)> {
    if is_for_others(book.runbook, asked.alert, asked.labels) {
        return None;
    }
    let best = book
        .names
        .iter()
        .filter_map(|own| {
            let shared: Vec<&String> = asked.words.intersection(own).collect();
            let telling = shared.iter().filter(|w| !COMMON.contains(&w.as_str())).count();
            let union = asked.words.len() + own.len() - shared.len();
            let alike = telling > 0 && shared.len() * 2 >= union;
            let score = u32::try_from(shared.len() * 400 / union.max(1)).unwrap_or(0);
            alike.then(|| (score, shared.into_iter().cloned().collect::<Vec<_>>()))
        })
        .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)))?;
    Some((best.0, format!("a similar name: {}", best.1.join(", "))))
}

/// The words of `APILatencyHigh`, `api-latency-high` or `API latency high` in lower case.
fn words(name: &str) -> BTreeSet<String> {
    in_order(name).into_iter().collect()
}

fn in_order(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().take(200).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| chars.get(b));
        let after = chars.get(i + 1);
        let begins =
            c.is_uppercase() && (before.is_some_and(|b| !b.is_uppercase()) || after.is_some_and(|a| a.is_lowercase()));
        if begins || !c.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    fn book(path: &str, triggers: &str) -> Arc<Runbook> {
        let text = format!("name: {path}\ntriggers: [{triggers}]\nsteps: [{{name: One}}]\n");
        Arc::new(read(&format!("runbooks/{path}.yaml"), &text).0.unwrap())
    }

    #[test]
    fn many_alerts_are_matched_as_each_alone_is() {
        let books = [
            book("checkout", "{alert: Slow, match: ['team=pay', 'env=~p.*']}, {alert: Slow, match: ['team!=web']}"),
            book("web-only", "{alert: Slow, match: ['team=web']}, {alert: Down}"),
            book("slow", "{alert: Other, match: ['pod=a']}"),
        ];
        let mut asked = Vec::new();
        for alert in ["Slow", "Down", "Other", "SlowDown", "Nothing"] {
            for url in ["", "https://w.example/slow.md", "https://w.example/web-only"] {
                for team in ["pay", "web", ""] {
                    for (env, pod) in [("prod", "a"), ("test", "b")] {
                        let labels = Labels::from([("team", team), ("env", env), ("pod", pod)]);
                        asked.push((alert, labels, Labels::from([("runbook_url", url)])));
                    }
                }
            }
        }
        let mut matching = Matching::of(&books);
        for (alert, labels, annotations) in asked.iter().chain(asked.iter().rev()) {
            let alone = matches(&books, alert, labels, annotations);
            assert_eq!(*matching.find(alert, labels, annotations), *alone, "{alert} {labels:?} {annotations:?}");
        }
        assert!(matching.found.len() < asked.len(), "what nothing looks at makes no difference");
        assert!(Matching::of(&[]).find("Slow", &asked[0].1, &asked[0].2).is_empty());
    }

    fn found(books: &[Arc<Runbook>], alert: &str, labels: &Labels, url: &str) -> Vec<String> {
        let annotations = Labels::from([("runbook_url", url)]);
        matches(books, alert, labels, &annotations)
            .into_iter()
            .map(|m| format!("{} {}: {}", m.score, m.runbook, m.why))
            .collect()
    }

    #[test]
    fn the_best_reason_comes_first() {
        let books = [
            book("high-api-latency", "{alert: APILatencyHigh}"),
            book("disk-full", "{alert: DiskFull}"),
            book("web-only", "{alert: CheckoutLatencyHigh, match: ['team=web']}"),
            book(
                "checkout",
                "{alert: CheckoutLatencyHigh, match: ['team=pay', 'env=~p.*']}, {alert: CheckoutLatencyHigh}",
            ),
        ];
        let labels = Labels::from([("team", "pay"), ("env", "prod")]);
        assert_eq!(
            found(&books, "CheckoutLatencyHigh", &labels, "https://wiki.example/x/Disk-Full.md?v=2"),
            [
                "1020 checkout: trigger CheckoutLatencyHigh with team=\"pay\", env=~\"p.*\"",
                "800 disk-full: runbook_url names disk-full",
                "200 high-api-latency: a similar name: high, latency"
            ]
        );
        assert_eq!(
            found(&books, "ApiLatencyHigh", &labels, "")[0],
            "400 high-api-latency: a similar name: api, high, latency"
        );
        assert_eq!(found(&books, "NothingAtAll", &labels, "not a url"), Vec::<String>::new());
        assert_eq!(
            found(&books, "X", &labels, "https://w.example/all#diskfull"),
            ["800 disk-full: runbook_url names diskfull"]
        );
        let mut turned = books.to_vec();
        turned.reverse();
        assert_eq!(
            found(&turned, "CheckoutLatencyHigh", &labels, ""),
            found(&books, "CheckoutLatencyHigh", &labels, "")
        );
    }

    #[test]
    fn a_link_names_a_runbook_by_its_last_part_in_any_case() {
        let books = [book("kubepodcrashlooping", "{alert: Unlike}"), book("etcd", "{alert: EtcdX}")];
        for url in [
            "https://runbooks.example/runbooks/kubernetes/kubepodcrashlooping",
            "https://github.example/x/blob/main/KubePodCrashLooping.md",
            "https://github.example/mixin/runbook.md#alert-name-kubepodcrashlooping",
            "https://wiki.example/all#KubePodCrashLooping",
            "http://wiki.example/kubepodcrashlooping/?a=b",
        ] {
            assert_eq!(
                found(&books, "Q", &Labels::default(), url)[0],
                "800 kubepodcrashlooping: runbook_url names kubepodcrashlooping",
                "{url}"
            );
        }
        for url in [
            "https://kubepodcrashlooping",
            "https://x.example/kubepodcrashlooping/other",
            "kubepodcrashlooping.example",
        ] {
            assert_eq!(found(&books, "Q", &Labels::default(), url), Vec::<String>::new(), "{url}");
        }
    }

    #[test]
    fn a_family_of_alerts_shares_a_runbook() {
        let books = [
            book("etcd", "{alert: EtcdX}"),
            book("high", "{alert: Y}"),
            book("etcd-members", "{alert: Z, match: ['a=b']}"),
        ];
        assert_eq!(
            found(&books, "etcdMembersDown", &Labels::default(), ""),
            [
                "520 etcd-members: its name begins the alert's: etcd members",
                "510 etcd: its name begins the alert's: etcd"
            ]
        );
        assert_eq!(
            found(&books, "HighLatency", &Labels::default(), ""),
            Vec::<String>::new(),
            "a word that many share"
        );
        assert_eq!(found(&books, "Z", &Labels::default(), ""), Vec::<String>::new(), "for other labels");
    }

    #[test]
    fn names_fall_into_words() {
        let list = |name: &str| words(name).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(list("APILatencyHigh"), "api high latency");
        assert_eq!(list("api-latency_high"), "api high latency");
        assert_eq!(list("KubePodOOMKilled"), "killed kube oom pod");
        assert_eq!(list(""), "");
    }
}
