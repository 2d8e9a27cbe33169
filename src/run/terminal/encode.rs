//! From cells to bytes: the cells that differ from what is shown, in as few bytes as plain ANSI allows, inside one
//! synchronized frame. Writes to memory only.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::io::Write;

/// How frames are written.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// Bracket frames so that the terminal shows them at once. Harmless where it is not known.
    pub synchronized: bool,
}

#[derive(Clone, Copy, PartialEq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// The bytes that turn `shown` into `wanted`; empty when nothing differs. `full` clears first.
pub fn frame(shown: &Buffer, wanted: &Buffer, full: bool, encoding: Encoding) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let blank;
    let from = if full || shown.area != wanted.area {
        out.extend_from_slice(b"\x1b[0m\x1b[2J");
        blank = Buffer::empty(wanted.area);
        &blank
    } else {
        shown
    };
    let mut pen = PLAIN;
    let mut at: Option<(u16, u16)> = None;
    for (x, y, cell) in from.diff(wanted) {
        if at != Some((x, y)) {
            // Writing to memory cannot fail.
            drop(write!(out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1)));
        }
        style(&mut out, &mut pen, cell);
        out.extend_from_slice(cell.symbol().as_bytes());
        let width = u16::try_from(crate::domain::text::width(cell.symbol()).max(1)).unwrap_or(1);
        at = Some((x.saturating_add(width), y));
    }
    if pen != PLAIN {
        out.extend_from_slice(b"\x1b[0m");
    }
    if out.is_empty() || !encoding.synchronized {
        return out;
    }
    let mut framed = Vec::with_capacity(out.len() + 16);
    framed.extend_from_slice(b"\x1b[?2026h");
    framed.extend_from_slice(&out);
    framed.extend_from_slice(b"\x1b[?2026l");
    framed
}

/// Changes the pen; a modifier is only taken away by a reset.
fn style(out: &mut Vec<u8>, pen: &mut Pen, cell: &Cell) {
    let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
    if wanted == *pen {
        return;
    }
    let mut codes: Vec<String> = Vec::new();
    let mut from = *pen;
    let back_to_plain = wanted.fg == Color::Reset && wanted.bg == Color::Reset && wanted.modifier.is_empty();
    if !wanted.modifier.contains(from.modifier) || back_to_plain {
        codes.push("0".into());
        from = PLAIN;
    }
    let added = wanted.modifier.difference(from.modifier);
    for (modifier, code) in [(Modifier::BOLD, "1"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")] {
        if added.contains(modifier) {
            codes.push(code.into());
        }
    }
    if wanted.fg != from.fg {
        codes.push(colour(wanted.fg, 30));
    }
    if wanted.bg != from.bg {
        codes.push(colour(wanted.bg, 40));
    }
    drop(write!(out, "\x1b[{}m", codes.join(";")));
    *pen = wanted;
}

fn colour(colour: Color, base: u8) -> String {
    let ansi = |n: u8| format!("{}", base + n);
    let bright = |n: u8| format!("{}", base + 60 + n);
    match colour {
        Color::Reset => format!("{}", base + 9),
        Color::Black => ansi(0),
        Color::Red => ansi(1),
        Color::Green => ansi(2),
        Color::Yellow => ansi(3),
        Color::Blue => ansi(4),
        Color::Magenta => ansi(5),
        Color::Cyan => ansi(6),
        Color::Gray => ansi(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn with(lines: &[(&str, Style)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
        for (y, (text, style)) in lines.iter().enumerate() {
            buffer.set_string(0, y as u16, text, *style);
        }
        buffer
    }

    fn shown(bytes: &[&[u8]]) -> vt100::Parser {
        let mut parser =
            vt100::Parser::new(std::num::NonZeroU16::new(3).unwrap(), std::num::NonZeroU16::new(20).unwrap(), 0);
        for piece in bytes {
            parser.process(piece);
        }
        parser
    }

    const SYNC: Encoding = Encoding { synchronized: true };

    #[test]
    fn nothing_changed_is_no_byte() {
        let a = with(&[("same", Style::new())]);
        assert_eq!(frame(&a, &a, false, SYNC), Vec::<u8>::new());
    }

    #[test]
    fn a_terminal_shows_what_was_wanted() {
        let a = with(&[("first line", Style::new()), ("日本 wide", Style::new().fg(Color::Indexed(203)))]);
        let b = with(&[
            ("first LINE", Style::new().add_modifier(Modifier::BOLD)),
            ("日本 WIDE", Style::new().fg(Color::Indexed(39)).add_modifier(Modifier::REVERSED)),
            ("third", Style::new()),
        ]);
        let empty = Buffer::empty(a.area);
        let first = frame(&empty, &a, true, SYNC);
        let second = frame(&a, &b, false, SYNC);
        let parser = shown(&[&first, &second]);
        assert_eq!(parser.screen().contents(), "first LINE\n日本 WIDE\nthird");
        let cell = parser.screen().cell(1, 5).unwrap();
        assert!(cell.inverse());
        assert_eq!(cell.fgcolor(), vt100::Color::Idx(39));
        assert!(!parser.screen().cell(2, 0).unwrap().bold());
    }

    #[test]
    fn one_digit_costs_few_bytes() {
        let a = with(&[("03:14:07Z", Style::new())]);
        let b = with(&[("03:14:08Z", Style::new())]);
        assert_eq!(frame(&a, &b, false, Encoding { synchronized: false }), b"\x1b[1;8H8");
    }
}
