//! One line of text being typed. Cursor in characters, so that no byte arithmetic can split one.

use crate::app::key::{Code, Key};
use crate::app::present::view::LineView;

/// The longest line that can be typed.
const LIMIT: usize = 2_000;

/// A line and its cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    chars: Vec<char>,
    cursor: usize,
    edited: bool,
}

impl Editor {
    /// A line that holds a text already, cursor at its end.
    pub fn with(text: &str) -> Self {
        let chars: Vec<char> = text.chars().take(LIMIT).collect();
        Self { cursor: chars.len(), chars, edited: false }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Whether a person typed in it.
    pub fn edited(&self) -> bool {
        self.edited && !self.chars.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts in a pasted text; its line breaks become blanks, so that no paste is more than a text.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars() {
            self.insert(if c.is_control() { ' ' } else { c });
        }
    }

    fn insert(&mut self, c: char) {
        self.edited = true;
        if self.chars.len() < LIMIT {
            self.chars.insert(self.cursor.min(self.chars.len()), c);
            self.cursor += 1;
        }
    }

    /// Takes an editing key; `false` when the key is not one.
    pub fn key(&mut self, key: Key) -> bool {
        match (key.ctrl, key.code) {
            (false, Code::Char(c)) => self.insert(c),
            (false, Code::Backspace) if self.cursor > 0 => {
                self.cursor -= 1;
                self.chars.remove(self.cursor);
            }
            (false, Code::Delete) if self.cursor < self.chars.len() => drop(self.chars.remove(self.cursor)),
            (false, Code::Backspace | Code::Delete) => {}
            (false, Code::Left) => self.cursor = self.cursor.saturating_sub(1),
            (false, Code::Right) => self.cursor = (self.cursor + 1).min(self.chars.len()),
            (false, Code::Home) => self.cursor = 0,
            (false, Code::End) => self.cursor = self.chars.len(),
            (true, Code::Char('u')) => {
                self.chars.drain(..self.cursor.min(self.chars.len()));
                self.cursor = 0;
            }
            (true, Code::Char('k')) => self.chars.truncate(self.cursor),
            (true, Code::Char('w')) => self.delete_word(),
            _ => return false,
        }
        true
    }

    fn delete_word(&mut self) {
        while self.cursor > 0 && self.chars.get(self.cursor - 1) == Some(&' ') {
            self.cursor -= 1;
            self.chars.remove(self.cursor);
        }
        while self.cursor > 0 && self.chars.get(self.cursor - 1) != Some(&' ') {
            self.cursor -= 1;
            self.chars.remove(self.cursor);
        }
    }

    /// As it is shown.
    pub fn view(&self) -> LineView {
        LineView { text: self.text(), cursor: self.cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn editing() {
        let mut line = Editor::with("db pool é");
        for key in [Key::plain(Code::Left), Key::plain(Code::Backspace), Key::char('x')] {
            line.key(key);
        }
        assert_eq!(line.text(), "db poolxé");
        line.key(Key::ctrl('w'));
        assert_eq!(line.text(), "db é");
        line.key(Key::ctrl('u'));
        assert_eq!((line.text().as_str(), line.view().cursor), ("é", 0));
        line.paste("a\nb\u{1b}");
        assert_eq!(line.text(), "a b é");
    }

    proptest! {
        #[test]
        fn the_cursor_stays_inside(keys in proptest::collection::vec(0u8..12, 0..60)) {
            let mut line = Editor::default();
            for k in keys {
                line.key(match k {
                    0 => Key::plain(Code::Backspace), 1 => Key::plain(Code::Delete), 2 => Key::plain(Code::Left),
                    3 => Key::plain(Code::Right), 4 => Key::plain(Code::Home), 5 => Key::ctrl('w'), 6 => Key::ctrl('u'),
                    7 => Key::ctrl('k'), 8 => Key::char(' '), _ => Key::char('日'),
                });
                prop_assert!(line.view().cursor <= line.text().chars().count());
            }
        }
    }
}
