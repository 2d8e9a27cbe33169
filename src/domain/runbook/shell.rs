//! Words and variables of a shell line, seen without running it. Understands quotes, escapes and substitutions as far as
//! needed to tell a quoted variable from a bare one; it is no shell and never expands anything.

/// How a variable stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// Outside quotes: its value is split and globbed.
    Bare,
    /// Inside double quotes: one word, whatever its value.
    Double,
    /// Inside single quotes: the shell does not expand it, an inner one may.
    Single,
}

/// A variable that the text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub quoting: Quoting,
    /// The text says what to use when it is missing (`${NAME:-x}`).
    pub has_default: bool,
}

/// A word at the outer level, quotes kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As written.
    pub text: String,
    /// Some of it is quoted.
    pub quoted: bool,
}

/// What a shell line holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Words and operators in order.
    pub words: Vec<Word>,
    /// Variables in order.
    pub mentions: Vec<Mention>,
    /// Every quote and parenthesis is closed.
    pub balanced: bool,
}

impl Scan {
    /// Names that the line itself gives a value to: `NAME=…`, `for NAME in`, `read NAME`.
    pub fn assigned(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut before = "";
        for word in &self.words {
            if let Some((name, _)) = word.text.split_once('=')
                && is_name(name)
            {
                names.push(name);
            }
            if matches!(before, "for" | "read") && is_name(&word.text) {
                names.push(word.text.as_str());
            }
            before = word.text.as_str();
        }
        names
    }
}

/// Whether a text is a variable's name.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Double,
    Single,
    Paren,
    Tick,
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    frames: Vec<Frame>,
    word: String,
    quoted: bool,
    scan: Scan,
}

/// Sees the words and variables of a line.
pub fn scan(text: &str) -> Scan {
    let mut scanner = Scanner {
        chars: text.chars().collect(),
        at: 0,
        frames: Vec::new(),
        word: String::new(),
        quoted: false,
        scan: Scan::default(),
    };
    while let Some(c) = scanner.peek(0) {
        scanner.step(c);
    }
    scanner.end_word();
    scanner.scan.balanced = scanner.frames.is_empty();
    scanner.scan
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn take(&mut self, count: usize) {
        for _ in 0..count {
            self.word.extend(self.peek(0));
            self.at += 1;
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.scan.words.push(Word { text: std::mem::take(&mut self.word), quoted: self.quoted });
        }
        self.quoted = false;
    }

    fn toggle(&mut self, frame: Frame) {
        if self.frames.last() == Some(&frame) {
            self.frames.pop();
        } else {
            self.frames.push(frame);
        }
        self.quoted = true;
        self.take(1);
    }

    fn step(&mut self, c: char) {
        let top = self.frames.last().copied();
        match (c, top) {
            ('\'', Some(Frame::Double)) => self.take(1),
            ('\'', _) => self.toggle(Frame::Single),
            ('$', _) => self.dollar(),
            (_, Some(Frame::Single)) => self.take(1),
            ('\\', _) => self.take(2),
            ('"', _) => self.toggle(Frame::Double),
            ('`', _) => self.toggle(Frame::Tick),
            ('(', Some(Frame::Paren)) => {
                self.frames.push(Frame::Paren);
                self.take(1);
            }
            (')', Some(Frame::Paren)) => {
                self.frames.pop();
                self.take(1);
            }
            (c, None) if c.is_whitespace() => {
                self.end_word();
                self.at += 1;
            }
            ('|' | ';' | '&', None) => {
                self.end_word();
                self.take(1);
                self.end_word();
            }
            _ => self.take(1),
        }
    }

    fn dollar(&mut self) {
        let quoting = match self.frames.last() {
            Some(Frame::Single) => Quoting::Single,
            Some(Frame::Double) => Quoting::Double,
            _ => Quoting::Bare,
        };
        if quoting != Quoting::Single && self.peek(1) == Some('(') {
            self.frames.push(Frame::Paren);
            self.take(2);
            return;
        }
        let braced = self.peek(1) == Some('{');
        let mut skip = 1 + usize::from(braced);
        if braced && matches!(self.peek(skip), Some('#' | '!')) {
            skip += 1;
        }
        self.take(skip);
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
            self.take(1);
        }
        if is_name(&name) {
            let has_default = braced
                && match self.peek(0) {
                    Some('-') => true,
                    Some(':') => self.peek(1) == Some('-'),
                    _ => false,
                };
            self.scan.mentions.push(Mention { name, quoting, has_default });
        }
    }
}

/// The names in `${NAME}` places of one argv element.
pub fn places(element: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = element;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        if is_name(name) {
            names.push(name);
            rest = tail;
        } else {
            rest = after;
        }
    }
    names
}

/// Replaces every `${NAME}` of one argv element; what is replaced is not looked at again.
pub fn fill<'v>(element: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::new();
    let mut rest = element;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let found = after.split_once('}').and_then(|(name, tail)| Some((value(name)?, tail)));
        match found {
            Some((value, tail)) => {
                out.push_str(value);
                rest = tail;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> Vec<(String, Quoting)> {
        scan(text).mentions.into_iter().map(|m| (m.name, m.quoting)).collect()
    }

    #[test]
    fn variables_are_seen_with_their_quotes() {
        use Quoting::{Bare, Double, Single};
        for (text, want) in [
            ("pd ack --id $ID", vec![("ID", Bare)]),
            ("echo \"$A\" $B '$C' \\$D", vec![("A", Double), ("B", Bare), ("C", Single)]),
            ("echo \"$(get $A \"$B\")\" \"$C\"", vec![("A", Bare), ("B", Double), ("C", Double)]),
            ("echo \"${A}x${B:-y}\"", vec![("A", Double), ("B", Double)]),
            ("echo $1 $? $$ $@ $((1 + 2))", vec![]),
            ("echo `get $A`", vec![("A", Bare)]),
            ("echo \"it's $A\"", vec![("A", Double)]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(n, q)| (n.to_owned(), q)).collect();
            assert_eq!(told(text), want, "{text}");
        }
        assert!(scan("x ${A:-b}").mentions[0].has_default);
        assert!(!scan("don't do it").balanced);
    }

    #[test]
    fn words_and_assignments() {
        let scan = scan("X=1 for y in a|b; read z");
        let words: Vec<&str> = scan.words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(words, ["X=1", "for", "y", "in", "a", "|", "b", ";", "read", "z"]);
        assert_eq!(scan.assigned(), ["X", "y", "z"]);
    }

    #[test]
    fn an_element_is_filled_once() {
        let value = |name: &str| match name {
            "A" => Some("${B}"),
            "B" => Some("b"),
            _ => None,
        };
        assert_eq!(fill("x-${A}-${B}-${C}-${", value), "x-${B}-b-${C}-${");
        assert_eq!(places("x-${A}-${not a name}-${B}-$C"), ["A", "B"]);
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_whole(text in any::<String>()) {
            let scan = scan(&text);
            let kept: String = scan.words.iter().flat_map(|w| w.text.chars()).filter(|c| !c.is_whitespace()).collect();
            let all: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert_eq!(kept, all);
        }
    }
}
