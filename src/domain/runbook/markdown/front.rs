//! What stands in a Markdown file and is no Markdown: a byte-order mark, the front matter, the shortcodes of a site
//! generator. Taken out before CommonMark sees the text, because there a front matter is a heading. Lines stay where they
//! were, so that every later mark is right.

use crate::domain::document::{Node, Value, parse};
use chrono::NaiveDate;
use std::borrow::Cow;

/// The longest shortcode, in bytes.
const SHORTCODE_LIMIT: usize = 500;

/// What a front matter says that a runbook has a place for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// `title`
    pub title: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `owner`
    pub owner: Option<String>,
    /// `reviewed`
    pub reviewed: Option<NaiveDate>,
}

/// Splits a file into its front matter and its Markdown; the Markdown has as many lines as the file.
pub fn split(text: &str) -> (Front, String) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front, blank, body) = match front_matter(text) {
        Some((front, lines, body)) => (front, lines, body),
        None => (Front::default(), 0, text),
    };
    let mut out = "\n".repeat(blank);
    out.push_str(&without_shortcodes(body));
    (front, out)
}

/// The front matter, how many lines it took, and what follows. A rule between two paragraphs is none.
fn front_matter(text: &str) -> Option<(Front, usize, &str)> {
    let fence = text.lines().next()?.trim_end();
    if fence != "---" && fence != "+++" {
        return None;
    }
    let mut inner = String::new();
    let mut rest = text.split_once('\n')?.1;
    let mut lines = 1;
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        lines += 1;
        let bare = line.trim_end();
        if bare == fence || (fence == "---" && bare == "...") {
            let front = if fence == "---" { yaml(&inner)? } else { toml(&inner) };
            return Some((front, lines, after));
        }
        inner.push_str(line);
        inner.push('\n');
        if after.is_empty() {
            return None;
        }
        rest = after;
    }
}

/// `None` where the text between the lines is no mapping, and so no front matter.
fn yaml(inner: &str) -> Option<Front> {
    let node = parse("", inner).0;
    let Some(node) = node else {
        // Broken YAML under `key:` lines is still a front matter, only one that says nothing.
        let keyed = inner.lines().find(|l| !l.trim().is_empty()).is_some_and(|l| l.contains(':'));
        return keyed.then(Front::default);
    };
    match node.value {
        Value::Map(_) => {}
        _ if inner.trim().is_empty() => return Some(Front::default()),
        _ => return None,
    }
    let said = |key: &str| node.get(key).and_then(Node::text).map(str::trim).filter(|t| !t.is_empty());
    Some(Front {
        title: said("title").map(str::to_owned),
        description: said("description").map(str::to_owned),
        owner: said("owner").map(str::to_owned),
        reviewed: said("reviewed").and_then(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").ok()),
    })
}

fn toml(inner: &str) -> Front {
    let said = |key: &str| {
        let value = inner.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        });
        value.filter(|v| !v.is_empty())
    };
    Front {
        title: said("title"),
        description: said("description"),
        owner: said("owner"),
        reviewed: said("reviewed").and_then(|t| NaiveDate::parse_from_str(&t, "%Y-%m-%d").ok()),
    }
}

/// `{{< … >}}` and `{{% … %}}` on one line are instructions to a site generator.
fn without_shortcodes(text: &str) -> Cow<'_, str> {
    if !text.contains("{{<") && !text.contains("{{%") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let end = match after.chars().next() {
            Some('<') => Some(">}}"),
            Some('%') => Some("%}}"),
            _ => None,
        };
        // Looked for nearby only, so that a line of nothing but openings costs no more than any other.
        let near = after.get(..after.floor_char_boundary(SHORTCODE_LIMIT)).unwrap_or_default();
        let line = near.lines().next().unwrap_or_default();
        let inner = end.and_then(|end| line.split_once(end).map(|(inner, _)| inner.len() + end.len()));
        match inner.and_then(|len| after.get(len..)) {
            Some(tail) => rest = tail,
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_matter_is_taken_out_and_lines_stay() {
        let (front, body) =
            split("\u{feff}---\ntitle: Kube Down\nowner: team\nreviewed: 2026-01-02\n---\n# Kube Down\n");
        assert_eq!(front.title.as_deref(), Some("Kube Down"));
        assert_eq!(front.owner.as_deref(), Some("team"));
        assert_eq!(front.reviewed, NaiveDate::from_ymd_opt(2026, 1, 2));
        assert_eq!(body, "\n\n\n\n\n# Kube Down\n");
        let (front, body) = split("+++\ntitle = \"T\"\n+++\nx\n");
        assert_eq!((front.title.as_deref(), body.as_str()), (Some("T"), "\n\n\nx\n"));
    }

    #[test]
    fn what_only_looks_like_a_front_matter_stays() {
        for text in
            ["---\n\nSome words\n\n---\nmore\n", "---\ntitle: never closed\n", "# T\n---\na: b\n---\n", "---", ""]
        {
            let (front, body) = split(text);
            assert_eq!((front, body.as_str()), (Front::default(), text), "{text}");
        }
        assert_eq!(split("---\na: [\n---\nx\n").1, "\n\n\nx\n", "a broken one is one");
    }

    #[test]
    fn shortcodes_go_and_templates_stay() {
        let text = "{{< tabs >}}a{{% note %}}\n{{ .Values }} {{<never closed\n{{< x\n>}}";
        assert_eq!(without_shortcodes(text), "a\n{{ .Values }} {{<never closed\n{{< x\n>}}");
    }
}
