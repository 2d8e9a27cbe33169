//! Pieces that both dialects write alike: ids, dates, words of a closed set, matchers, links, escalations. Reads trees
//! only; which keys stand where is told by [`crate::domain::runbook::keys`].

use crate::domain::document::{Fields, Level, Mark, Node, Reader};
use crate::domain::ids::RunbookId;
use crate::domain::labels::Matcher;
use crate::domain::runbook::keys::Object;
use crate::domain::runbook::keys::v1::{ESCALATION, LINK};
use crate::domain::runbook::model::{Clock, Link, Phase, Rung};
use crate::domain::text::truncate;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

/// The fields of a map with the keys of an object.
pub fn fields<'n>(reader: &mut Reader<'_>, node: &'n Node, object: &Object) -> Option<Fields<'n>> {
    reader.map(node, object.what, object.names)
}

/// The runbook's id: what it says, made right with a finding, else a slug of its file's name.
pub fn runbook_id(reader: &mut Reader<'_>, top: &Fields<'_>, path: &str, level: Level) -> RunbookId {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let fallback = slug(stem, "runbook");
    let Some((node, said)) = top.get("id").and_then(|n| Some((n, reader.string(n, "id")?))) else {
        return RunbookId(fallback);
    };
    let right = slug(&said, &fallback);
    if right != said {
        let said = truncate(&said, 40);
        let message = format!("id `{said}` is not a name in lower case with dashes; `{right}` is used");
        reader.report(node.mark, level, "RB001", message);
    }
    RunbookId(right)
}

/// Lower case, digits and single dashes, at most 64 characters.
pub fn slug(text: &str, fallback: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(64) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { fallback.to_owned() } else { out.to_owned() }
}

/// SHA-256 of a file's text, hex.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// A text under a key.
pub fn text(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    fields.get(key).and_then(|node| reader.string(node, key))
}

/// A text under a key that must be there.
pub fn needed(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    fields.need(reader, key).and_then(|node| reader.string(node, key))
}

/// The items of a list under a key.
pub fn items<'n>(reader: &mut Reader<'_>, fields: &Fields<'n>, key: &str) -> &'n [Node] {
    fields.get(key).map(|node| reader.list(node, key)).unwrap_or_default()
}

/// The date under `reviewed`.
pub fn reviewed(reader: &mut Reader<'_>, top: &Fields<'_>) -> Option<NaiveDate> {
    let node = top.get("reviewed")?;
    let text = reader.string(node, "reviewed")?;
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    if date.is_none() {
        reader.wrong(node, "reviewed", "a date such as 2026-05-01");
    }
    date
}

/// One of some words.
pub fn word<T: Clone>(reader: &mut Reader<'_>, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
    let said = reader.string(node, what)?;
    let found = words.iter().find(|(word, _)| *word == said).map(|(_, value)| value.clone());
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        reader.wrong(node, what, &known.join(", "));
    }
    found
}

/// The phase of a step.
pub fn phase(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Phase> {
    fields.get("phase").and_then(|n| word(reader, n, "phase", &Phase::ALL.map(|p| (p.word(), p))))
}

/// The matchers of a trigger; `None` when one is wrong, because without it the runbook would claim alerts it is not for.
pub fn matchers(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Vec<Matcher>> {
    let mut matchers = Vec::new();
    for item in items(reader, fields, "match") {
        let Some(text) = reader.string(item, "match") else { continue };
        match Matcher::parse(&text) {
            Ok(matcher) => matchers.push(matcher),
            Err(why) => {
                reader.error(item.mark, "wrong-type", format!("{why}; the trigger is not used"));
                return None;
            }
        }
    }
    Some(matchers)
}

/// A place to look: an address, or a map.
pub fn link(reader: &mut Reader<'_>, node: &Node) -> Option<Link> {
    if let Some(url) = node.text() {
        return Some(Link { title: url.to_owned(), url: url.to_owned(), mark: node.mark });
    }
    let own = fields(reader, node, &LINK)?;
    let url = needed(reader, &own, "url")?;
    let title = text(reader, &own, "title").unwrap_or_else(|| url.clone());
    Some(Link { title, url, mark: node.mark })
}

/// All links under `links`.
pub fn links(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Link> {
    items(reader, fields, "links").iter().filter_map(|node| link(reader, node)).collect()
}

/// Whom to call, and when.
pub fn rungs(reader: &mut Reader<'_>, top: &Fields<'_>) -> Vec<Rung> {
    items(reader, top, "escalation").iter().filter_map(|node| rung(reader, node)).collect()
}

fn rung(reader: &mut Reader<'_>, node: &Node) -> Option<Rung> {
    let own = fields(reader, node, &ESCALATION)?;
    let after = own.need(reader, "after").and_then(|n| reader.span(n, "after"));
    let contact = needed(reader, &own, "contact");
    let said = own.get("clock").and_then(|n| word(reader, n, "clock", &Clock::ALL.map(|c| (c.word(), c))));
    let clock = said.unwrap_or(Clock::Unmitigated);
    let assumed = own.get("clock").is_none();
    Some(Rung { after: after?, contact: contact?, clock, assumed, mark: node.mark })
}

/// A list of words as one line, quoted where a word needs it.
pub fn joined(argv: &[String]) -> String {
    shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_else(|_| argv.join(" "))
}

/// The place of a node, for what is told about a whole map.
pub const TOP: Mark = Mark { line: 1, column: 1 };
