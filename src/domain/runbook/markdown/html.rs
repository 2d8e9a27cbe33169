//! HTML inside Markdown as plain words: comments and markup go, words stay, and what merely looks like a tag (`<pod>`)
//! stays as it was written. Never interprets anything.

const TAGS: [&str; 48] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "nobr",
    "ol",
    "p",
    "picture",
    "pre",
    "s",
    "small",
    "source",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// What an inline tag stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// A line ends.
    Break,
    /// Markup or a comment.
    Nothing,
    /// No tag of HTML: words in angle brackets, such as a placeholder.
    Words,
}

/// What an inline tag stands for.
pub fn inline(tag: &str) -> Inline {
    if tag.starts_with("<!") || tag.starts_with("<?") {
        return Inline::Nothing;
    }
    match name(tag).as_str() {
        "br" => Inline::Break,
        name if TAGS.contains(&name) => Inline::Nothing,
        _ => Inline::Words,
    }
}

fn name(tag: &str) -> String {
    let name = tag.trim_start_matches('<').trim_start_matches('/');
    name.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The words of an HTML block, line by line. The summary of a `<details>` block is marked as the head of what it folds.
pub fn block(text: &str) -> Vec<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, tail)| tail);
            continue;
        }
        let Some((inside, tail)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        let own = name(inside);
        if own == "summary" && !inside.starts_with('/') {
            out.push_str("Details: ");
        } else if !TAGS.contains(&own.as_str()) && !inside.starts_with(['!', '?']) {
            out.push_str(&format!("<{inside}>"));
        } else if matches!(own.as_str(), "br" | "li" | "p" | "tr") {
            out.push('\n');
        }
        rest = tail;
    }
    out.push_str(rest);
    out.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_words_stay() {
        assert_eq!(block("<details>\n<summary>More <b>here</b></summary>\n"), ["Details: More here"]);
        assert_eq!(block("<!-- a\n```\nrm -rf /\n``` -->\nafter<br/>it\n"), ["after", "it"]);
        assert_eq!(block("<!-- never closed\nrm\n"), Vec::<String>::new());
        assert_eq!(block("the <pod-name> of a < b"), ["the <pod-name> of a < b"]);
        assert_eq!(inline("<pod>"), Inline::Words);
        assert_eq!(inline("</B>"), Inline::Nothing);
        assert_eq!(inline("<br />"), Inline::Break);
        assert_eq!(inline("<!-- x -->"), Inline::Nothing);
    }
}
