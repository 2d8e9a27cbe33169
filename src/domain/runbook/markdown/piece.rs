//! A Markdown text as a flat list of pieces in their order: headings, texts, list items, code. What CommonMark says they
//! are, except that a code block which was never closed ends where the next heading or code block begins, because nobody
//! meant it to swallow them.

use crate::domain::document::Mark;
use crate::domain::runbook::markdown::html;
use crate::domain::runbook::model::Link;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// How often a text is read on behind a code block that was not closed.
const RECOVERIES: usize = 16;
/// The deepest list whose depth is shown.
const DEPTH_SHOWN: usize = 6;

/// A piece.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A heading of level 1 to 6.
    Heading(u8, String, Mark),
    /// A paragraph, with the list item it stands in.
    Text(Text),
    /// An item of an outermost list begins; its number where the list is ordered.
    Item(Option<u64>, Mark),
    /// That item ends.
    ItemEnd,
    /// A code block.
    Code(Code),
}

/// A paragraph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// Its lines; raw outside text.
    pub lines: Vec<String>,
    /// Links in it.
    pub links: Vec<Link>,
    /// How many lists it stands in.
    pub depth: usize,
    /// The sign of its list item, where it is the item's first paragraph.
    pub bullet: String,
    /// It is the heading of what follows.
    pub head: bool,
    /// Where it begins.
    pub mark: Mark,
}

impl Text {
    /// A heading as a line of text.
    pub fn head(title: &str, mark: Mark) -> Self {
        let sign = if title.ends_with(['?', ':', '!', '.']) { "" } else { ":" };
        Self { lines: vec![format!("{title}{sign}")], head: true, mark, ..Self::default() }
    }

    /// Its lines as they are read, indented as list items below the depth `from`.
    pub fn read(&self, from: usize) -> Vec<String> {
        let below = self.depth.saturating_sub(from);
        let bullet = if below == 0 || self.bullet.is_empty() { "" } else { self.bullet.as_str() };
        let indent = "  ".repeat(below.min(DEPTH_SHOWN).saturating_sub(usize::from(!bullet.is_empty())));
        let hang = " ".repeat(bullet.len());
        let line = |(n, line): (usize, &String)| format!("{indent}{}{line}", if n == 0 { bullet } else { &hang });
        self.lines.iter().enumerate().map(line).collect()
    }
}

/// A code block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// What stands behind the opening fence; empty for an indented block.
    pub info: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// The line of the first of `lines`.
    pub first: usize,
    /// Where the block begins.
    pub mark: Mark,
    /// Its fence is not closed, or is closed by the next one's opening.
    pub open: bool,
}

/// The lines of a text by offset.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn mark(&self, at: usize) -> Mark {
        let line = self.0.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|n| self.0.get(n)).copied().unwrap_or(0);
        Mark { line: line.max(1), column: at.saturating_sub(start) + 1 }
    }
}

/// The pieces of a text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let lines = Lines::of(text);
    let mut out = Vec::new();
    let mut from = 0;
    for round in 0..=RECOVERIES {
        let Some(rest) = text.get(from..) else { break };
        let mut builder =
            Builder { text: rest, from, lines: &lines, recover: round < RECOVERIES, ..Builder::new(&lines) };
        match builder.run() {
            Some(again) => {
                out.append(&mut builder.out);
                from += again;
            }
            None => {
                out.append(&mut builder.out);
                break;
            }
        }
    }
    out
}

struct Builder<'t> {
    text: &'t str,
    from: usize,
    lines: &'t Lines,
    recover: bool,
    out: Vec<Piece>,
    /// Open lists: the number of the next item where it is ordered.
    lists: Vec<Option<u64>>,
    bullet: String,
    quoted: usize,
    inline: Option<Inline>,
    link: Option<(String, String, Mark)>,
    code: Option<OpenCode>,
    html: Option<(String, Mark)>,
}

/// A code block that is being put together.
struct OpenCode {
    code: Code,
    text: String,
    range: Range<usize>,
    fenced: bool,
}

/// A heading or paragraph that is being put together: lines, and whether each was ended on purpose.
#[derive(Default)]
struct Inline {
    heading: Option<u8>,
    lines: Vec<(String, bool)>,
    links: Vec<Link>,
    mark: Mark,
}

impl Inline {
    fn push(&mut self, text: &str) {
        match self.lines.last_mut() {
            Some((last, _)) => last.push_str(text),
            None => self.lines.push((text.to_owned(), false)),
        }
    }

    fn end_line(&mut self, on_purpose: bool) {
        if let Some((_, hard)) = self.lines.last_mut() {
            *hard = on_purpose;
        }
        self.lines.push((String::new(), false));
    }

    /// Lines that only the file's width broke are joined; rows of a table are not.
    fn joined(self) -> Vec<String> {
        let table = self.lines.len() > 1 && self.lines.iter().all(|(l, _)| l.contains('|'));
        let mut out: Vec<String> = Vec::new();
        let mut fresh = true;
        for (line, hard) in self.lines {
            match out.last_mut() {
                Some(last) if !fresh => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => out.push(line.trim().to_owned()),
            }
            fresh = hard || table;
        }
        out.retain(|line| !line.is_empty());
        out
    }
}

impl<'t> Builder<'t> {
    fn new(lines: &'t Lines) -> Self {
        Self {
            text: "",
            from: 0,
            lines,
            recover: true,
            out: Vec::new(),
            lists: Vec::new(),
            bullet: String::new(),
            quoted: 0,
            inline: None,
            link: None,
            code: None,
            html: None,
        }
    }

    fn mark(&self, at: usize) -> Mark {
        self.lines.mark(self.from + at)
    }

    /// Reads on to the end, or gives the offset at which to begin again.
    fn run(&mut self) -> Option<usize> {
        let text = self.text;
        for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
            match event {
                Event::Start(tag) => self.start(tag, range),
                Event::End(TagEnd::CodeBlock) => {
                    if let Some(again) = self.end_code() {
                        let open = self.lists.len();
                        if open > 0 {
                            self.out.push(Piece::ItemEnd);
                        }
                        return Some(again);
                    }
                }
                Event::End(tag) => self.end(tag),
                Event::Text(text) => self.words(&text, range.start),
                Event::Code(text) => self.words(&format!("`{text}`"), range.start),
                Event::InlineHtml(tag) => match html::inline(&tag) {
                    html::Inline::Break => self.line_end(true, range.start),
                    html::Inline::Nothing => {}
                    html::Inline::Words => self.words(&tag, range.start),
                },
                Event::Html(text) => {
                    if let Some((all, _)) = &mut self.html {
                        all.push_str(&text);
                    }
                }
                Event::SoftBreak => self.line_end(false, range.start),
                Event::HardBreak => self.line_end(true, range.start),
                _ => {}
            }
        }
        self.flush();
        None
    }

    fn words(&mut self, words: &str, at: usize) {
        if let Some(open) = &mut self.code {
            open.text.push_str(words);
            return;
        }
        if let Some((_, title, _)) = &mut self.link {
            title.push_str(words);
        }
        self.inline_at(at).push(words);
    }

    fn line_end(&mut self, on_purpose: bool, at: usize) {
        self.inline_at(at).end_line(on_purpose);
    }

    /// The open paragraph; in a tight list nothing announces one.
    fn inline_at(&mut self, at: usize) -> &mut Inline {
        let mark = self.mark(at);
        self.inline.get_or_insert_with(|| Inline { mark, ..Inline::default() })
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        let mark = self.mark(range.start);
        match tag {
            Tag::Paragraph => {
                self.flush();
                self.inline = Some(Inline { mark, ..Inline::default() });
            }
            Tag::Heading { level, .. } => {
                self.flush();
                self.inline = Some(Inline { heading: Some(number(level)), mark, ..Inline::default() });
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quoted += 1;
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.item(mark);
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let fenced = matches!(kind, CodeBlockKind::Fenced(_));
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let first = mark.line + usize::from(fenced);
                let code = Code { info, mark, first, ..Code::default() };
                self.code = Some(OpenCode { code, text: String::new(), range, fenced });
            }
            Tag::HtmlBlock => {
                self.flush();
                self.html = Some((String::new(), mark));
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some((dest_url.to_string(), String::new(), mark));
            }
            _ => {}
        }
    }

    fn item(&mut self, mark: Mark) {
        let depth = self.lists.len();
        let number = self.lists.last_mut().and_then(|next| {
            let own = *next;
            *next = next.map(|n| n.saturating_add(1));
            own
        });
        self.bullet = number.map_or_else(|| "- ".to_owned(), |n| format!("{n}. "));
        if depth == 1 {
            self.out.push(Piece::Item(number, mark));
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) => self.flush(),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quoted = self.quoted.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.bullet.clear();
                if self.lists.len() == 1 {
                    self.out.push(Piece::ItemEnd);
                }
            }
            TagEnd::HtmlBlock => {
                if let Some((text, mark)) = self.html.take() {
                    let lines = html::block(&text);
                    if !lines.is_empty() {
                        self.text_piece(lines, Vec::new(), mark);
                    }
                }
            }
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    /// An address of its own becomes a link; one inside the repository stays readable behind its words.
    fn end_link(&mut self) {
        let Some((url, title, mark)) = self.link.take() else { return };
        let Some(inline) = &mut self.inline else { return };
        if url.starts_with("http://") || url.starts_with("https://") {
            let title = if title.trim().is_empty() { url.clone() } else { title };
            inline.links.push(Link { title, url, mark });
        } else if !url.is_empty() && !url.starts_with('#') && url != title {
            inline.push(&format!(" ({url})"));
        }
    }

    fn flush(&mut self) {
        let Some(inline) = self.inline.take() else { return };
        let (mark, heading) = (inline.mark, inline.heading);
        let links = inline.links.clone();
        let lines = inline.joined();
        match heading {
            Some(level) => {
                let title = lines.join(" ");
                self.out.push(Piece::Heading(level, title.trim_end_matches('#').trim().to_owned(), mark));
            }
            None if lines.is_empty() => {}
            None => self.text_piece(lines, links, mark),
        }
    }

    fn text_piece(&mut self, mut lines: Vec<String>, links: Vec<Link>, mark: Mark) {
        if self.quoted > 0 {
            lines.iter_mut().for_each(|line| line.insert_str(0, "> "));
        }
        let bullet = std::mem::take(&mut self.bullet);
        self.out.push(Piece::Text(Text { lines, links, depth: self.lists.len(), bullet, head: false, mark }));
    }

    /// Ends a code block. An offset where its fence was not closed and something else must have begun.
    fn end_code(&mut self) -> Option<usize> {
        let OpenCode { mut code, text, range, fenced } = self.code.take()?;
        self.bullet.clear();
        code.lines = text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect();
        if !fenced {
            self.out.push(Piece::Code(code));
            return None;
        }
        let source = self.text.get(range.clone()).unwrap_or_default();
        let opener = source.lines().next().unwrap_or_default().trim_start();
        let sign = opener.chars().next().unwrap_or('`');
        let width = opener.chars().take_while(|c| *c == sign).count();
        let closed = source.lines().skip(1).last().is_some_and(|line| closes(line, sign, width));
        let stray = self.recover.then(|| stray(source, sign, width, closed)).flatten();
        code.open = !closed || stray.is_some();
        if let Some((line, _)) = stray {
            code.lines.truncate(line.saturating_sub(1));
        }
        self.out.push(Piece::Code(code));
        stray.map(|(_, at)| range.start + at)
    }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn bare(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '>']).trim_end()
}

fn closes(line: &str, sign: char, width: usize) -> bool {
    let line = bare(line);
    line.chars().count() >= width && line.chars().all(|c| c == sign)
}

/// The first line inside a fenced block that must be outside it, by its number in the block and its offset. A block that
/// never ends, or in which another one opens, ends before the next heading or opening; one `#` is a comment of a shell.
fn stray(source: &str, sign: char, width: usize, closed: bool) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut heading = None;
    let mut opening = None;
    for (n, line) in source.split_inclusive('\n').enumerate() {
        if n > 0 {
            let text = bare(line);
            let signs = text.chars().take_while(|c| *c == sign).count();
            let label = text.trim_start_matches(sign);
            if signs >= width && label.starts_with(|c: char| c.is_ascii_alphabetic()) && !label.contains(sign) {
                opening = Some((n, at));
                break;
            }
            let titled = text.starts_with("##") && text.trim_start_matches('#').starts_with(' ');
            heading = heading.or(titled.then_some((n, at)));
        }
        at += line.len();
    }
    if closed && opening.is_none() { None } else { heading.or(opening) }
}
