//! What a Markdown reader would make of a document, without a parser: enough to tell that two have one structure.

/// What a Markdown reader would make of a line: its block, its cells, and what is live inside it.
#[derive(Debug, PartialEq)]
pub struct Shape {
    pub block: String,
    pub cells: usize,
    pub live: String,
}

/// The structure of a document, line by line. Code is read as GitHub reads it: pipes split cells before code is seen.
pub fn structure(text: &str) -> Vec<Shape> {
    let mut fenced = false;
    let mut shapes = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            shapes.push(Shape { block: "fence".into(), cells: 0, live: String::new() });
            continue;
        }
        let start = line.trim_start();
        let indent = line.len() - start.len();
        let digits = start.trim_start_matches(|c: char| c.is_ascii_digit());
        let block = match start.chars().next() {
            _ if fenced => "code".to_owned(),
            None => "blank".to_owned(),
            Some('#') => format!("heading {}", start.len() - start.trim_start_matches('#').len()),
            Some('-' | '+' | '*') if !start.starts_with("**") => format!("item {indent}"),
            Some('=') => "setext".to_owned(),
            Some('>') => "quote".to_owned(),
            Some('|') => "row".to_owned(),
            Some(_) if digits.len() < start.len() && digits.starts_with(['.', ')']) => "ordered".to_owned(),
            Some(_) => format!("text {}", indent.min(4)),
        };
        let (cells, live) = if fenced { (0, String::new()) } else { inline(line) };
        shapes.push(Shape { block, cells, live });
    }
    shapes
}

/// Unescaped pipes anywhere, and unescaped signs outside code.
fn inline(line: &str) -> (usize, String) {
    let chars: Vec<char> = line.chars().collect();
    let mut pipes = 0;
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '|' => pipes += 1,
            _ => {}
        }
        i += 1;
    }
    let mut live = String::new();
    let run = |from: usize| chars[from..].iter().take_while(|c| **c == '`').count();
    i = 0;
    while i < chars.len() {
        let c = chars[i];
        let rest: String = chars[i..].iter().take(4).collect();
        if c == '\\' && chars.get(i + 1).is_some_and(char::is_ascii_punctuation) {
            // A mention is looked for after escapes are undone.
            live.extend(chars.get(i + 1).filter(|next| **next == '@'));
            i += 2;
            continue;
        }
        if c == '`' {
            let long = run(i);
            let mut end = i + long;
            while end < chars.len() && (chars[end] != '`' || run(end) != long) {
                end += if chars[end] == '`' { run(end) } else { 1 };
            }
            if end < chars.len() {
                i = end + long;
                continue;
            }
            live.push('`');
            i += long;
            continue;
        }
        if matches!(c, '<' | '>' | '[' | ']' | '!' | '*' | '_' | '~' | '&' | '@') {
            live.push(c);
        } else if rest.starts_with("://") || rest.to_lowercase().starts_with("www.") {
            live.push_str("link");
        }
        i += 1;
    }
    (pipes, live)
}
