//! The only place that writes cells. Every text is made harmless here, cut by cells and kept inside its area, so that
//! no screen can forget it. Decides nothing about what is shown.

use crate::app::present::view::{Bit, Sign, Tone};
use crate::domain::text::{clean, truncate, width};
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Combining marks are kept up to this many bytes a cell; a tower of them would leave its row.
const MARKS_LIMIT: usize = 12;

/// Writes in one area of a buffer; positions count from its top left corner.
#[derive(Debug)]
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    /// The styles.
    pub theme: &'a Theme,
    /// The characters of gauges and charts.
    pub glyphs: Glyphs,
}

impl<'a> Pen<'a> {
    /// A pen for an area; what lies outside the buffer is not written.
    pub fn new(buf: &'a mut Buffer, area: Rect, theme: &'a Theme, glyphs: Glyphs) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area, theme, glyphs }
    }

    /// Cells across.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Cells down.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// A pen for a part of the area, cut to it.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Pen<'_> {
        let x = x.min(self.area.width);
        let y = y.min(self.area.height);
        let area = Rect {
            x: self.area.x.saturating_add(x),
            y: self.area.y.saturating_add(y),
            width: width.min(self.area.width.saturating_sub(x)),
            height: height.min(self.area.height.saturating_sub(y)),
        };
        Pen { buf: self.buf, area, theme: self.theme, glyphs: self.glyphs }
    }

    /// Everything from a row down.
    pub fn below(&mut self, y: u16) -> Pen<'_> {
        let (w, h) = (self.width(), self.height());
        self.part(0, y, w, h)
    }

    /// Empties the area. A wide character that would reach into it from the left is emptied as well.
    pub fn clear(&mut self) {
        let base = self.theme.base();
        for y in self.area.top()..self.area.bottom() {
            if let Some(left) = self.area.x.checked_sub(1)
                && let Some(cell) = self.buf.cell_mut((left, y))
                && width(cell.symbol()) > 1
            {
                cell.set_char(' ');
            }
            for x in self.area.left()..self.area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(base);
                }
            }
        }
    }

    /// Writes a text in at most `max` cells, cut with `..`; returns the cells used.
    pub fn put(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let room = max.min(self.area.width.saturating_sub(x));
        if room == 0 || y >= self.area.height {
            return 0;
        }
        let safe = clean(text);
        let fitting = truncate(&safe, usize::from(room));
        self.write(x, y, &fitting, style)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place in which text becomes cells, after it was cleaned")]
    fn write(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let (left, row) = (self.area.x.saturating_add(x), self.area.y.saturating_add(y));
        let mut used: u16 = 0;
        let mut bytes = [0; 4];
        for c in text.chars() {
            let cells = if c.is_ascii() { 1 } else { width(c.encode_utf8(&mut bytes)) as u16 };
            if cells == 0 {
                let before = left.saturating_add(used.saturating_sub(1));
                if used > 0
                    && let Some(cell) = self.buf.cell_mut((before, row))
                    && cell.symbol().len() < MARKS_LIMIT
                {
                    let joined = format!("{}{c}", cell.symbol());
                    cell.set_symbol(&joined);
                }
                continue;
            }
            if let Some(cell) = self.buf.cell_mut((left.saturating_add(used), row)) {
                cell.set_char(c).set_style(style);
            }
            for rest in 1..cells {
                if let Some(cell) = self.buf.cell_mut((left.saturating_add(used).saturating_add(rest), row)) {
                    cell.set_char(' ').set_style(style);
                }
            }
            used = used.saturating_add(cells);
        }
        used
    }

    /// Writes words of a tone.
    pub fn say(&mut self, x: u16, y: u16, max: u16, text: &str, tone: Tone) -> u16 {
        let style = self.theme.words(tone);
        self.put(x, y, max, text, style)
    }

    /// Writes words of a tone so that they end before `x + max`.
    pub fn say_right(&mut self, x: u16, y: u16, max: u16, text: &str, tone: Tone) -> u16 {
        let cells = (width(&clean(text)).min(usize::from(max))) as u16;
        self.say(x.saturating_add(max - cells), y, cells, text, tone)
    }

    /// Writes a piece of a line.
    pub fn bit(&mut self, x: u16, y: u16, max: u16, bit: &Bit) -> u16 {
        let style = if bit.reversed { self.theme.loud(bit.tone) } else { self.theme.words(bit.tone) };
        self.put(x, y, max, &bit.text, style)
    }

    /// Writes a sign: always two cells.
    pub fn sign(&mut self, x: u16, y: u16, sign: Sign) {
        let style = self.theme.sign(sign);
        // Only what stands there is styled: a badge must not colour the blank of `! `.
        self.put(x, y, 2, sign.glyph().trim_end(), style);
    }

    /// Writes one character of ours.
    pub fn dot(&mut self, x: u16, y: u16, c: char, style: Style) {
        if x < self.area.width
            && y < self.area.height
            && let Some(cell) = self.buf.cell_mut((self.area.x.saturating_add(x), self.area.y.saturating_add(y)))
        {
            cell.set_char(c).set_style(style);
        }
    }

    /// Fills a part of a row with one character of ours.
    pub fn fill(&mut self, x: u16, y: u16, cells: u16, c: char, style: Style) {
        for i in 0..cells.min(self.area.width.saturating_sub(x)) {
            self.dot(x.saturating_add(i), y, c, style);
        }
    }

    /// Marks a row as selected: one calm bar in the colour of plain words, behind the sign that keeps its own.
    pub fn select(&mut self, y: u16, from: u16) {
        if y >= self.area.height {
            return;
        }
        let style = self.theme.base().patch(self.theme.selection());
        for x in from..self.area.width {
            if let Some(cell) = self.buf.cell_mut((self.area.x.saturating_add(x), self.area.y.saturating_add(y))) {
                // A reversed gauge would read as its opposite: blocks keep their own colours.
                if !matches!(cell.symbol(), "\u{2588}" | "\u{2591}") {
                    cell.set_style(Style::reset().patch(style));
                }
            }
        }
        if self.theme.marks_selection {
            self.dot(from, y, '>', Style::reset().patch(style));
        }
    }
}

/// Cells a text takes once it was made harmless.
pub fn cells(text: &str) -> u16 {
    u16::try_from(width(&clean(text))).unwrap_or(u16::MAX)
}
