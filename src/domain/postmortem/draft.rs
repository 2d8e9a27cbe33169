//! Reads a draft back: its sections for the preview, the blanks that people still have to fill. Never changes it.

/// How a blank begins and ends.
pub const BLANK: (&str, &str) = ("[[BLANK:", "]]");

/// A part of a draft under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The heading's text as it stands in the draft; raw.
    pub title: String,
    /// 1 for the document's own heading, 2 for a section, 3 for a part of one.
    pub level: usize,
    /// The line of the heading, from 1.
    pub line: usize,
    /// Blanks in it, without those of deeper parts.
    pub blanks: usize,
    /// Its lines without the heading; raw.
    pub lines: Vec<String>,
}

/// The draft by headings; what is before the first one has an empty title and level 0, and is left out when it is empty.
pub fn outline(text: &str) -> Vec<Section> {
    let mut sections = vec![Section { title: String::new(), level: 0, line: 1, blanks: 0, lines: Vec::new() }];
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if let Some((level, title)) = heading(line).filter(|_| !fenced) {
            let title = title.to_owned();
            sections.push(Section { title, level, line: index + 1, blanks: 0, lines: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push(line.to_owned());
        }
    }
    for section in &mut sections {
        section.blanks =
            section.lines.iter().map(|line| blanks(line).len()).sum::<usize>() + blanks(&section.title).len();
    }
    sections.retain(|s| s.level > 0 || s.lines.iter().any(|line| !line.trim().is_empty()));
    sections
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len().saturating_sub(rest.len());
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| (level, rest.trim()))
}

/// Every blank that is left: its line, from 1, and what is missing. One that is not closed ends with its line.
pub fn check(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    lines.flat_map(|(index, line)| blanks(line).into_iter().map(move |missing| (index + 1, missing))).collect()
}

fn blanks(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, tail)) = rest.split_once(BLANK.0) {
        let (missing, after) = tail.split_once(BLANK.1).unwrap_or((tail, ""));
        found.push(missing.trim().to_owned());
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_reads_back() {
        let text = "<!-- note -->\n# One\nx [[BLANK: a]] [[BLANK: b]]\n## Two\n```\n# no heading [[BLANK: c]]\n```\n### Three\n[[BLANK: open\n#hash\n";
        let sections = outline(text);
        let told: Vec<_> = sections.iter().map(|s| (s.title.as_str(), s.level, s.line, s.blanks)).collect();
        assert_eq!(told, [("", 0, 1, 0), ("One", 1, 2, 2), ("Two", 2, 4, 1), ("Three", 3, 8, 1)]);
        let left = check(text);
        assert_eq!(left, [(3, "a".into()), (3, "b".into()), (6, "c".into()), (9, "open".into())]);
        assert_eq!(left.len(), sections.iter().map(|s| s.blanks).sum::<usize>());
        assert_eq!(outline(""), vec![]);
    }
}
