//! Which characters gauges and charts are made of. Everything else is the same 7-bit text in every set.

/// A set of characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Glyphs {
    /// Full blocks for gauges, braille (2 x 4 dots a cell) for charts.
    #[default]
    Unicode,
    /// Full blocks for gauges, half blocks (1 x 2 dots a cell) for charts: for fonts without braille.
    Block,
    /// `#`, `.` and `*`: for serial lines, the Linux console and fonts of ambiguous width.
    Ascii,
}

impl Glyphs {
    /// A set by its configured name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "unicode" => Some(Self::Unicode),
            "block" => Some(Self::Block),
            "ascii" => Some(Self::Ascii),
            _ => None,
        }
    }

    /// A filled gauge cell.
    pub fn full(self) -> char {
        if self == Self::Ascii { '#' } else { '\u{2588}' }
    }

    /// An empty gauge cell.
    pub fn empty(self) -> char {
        if self == Self::Ascii { '.' } else { '\u{2591}' }
    }

    /// Chart dots in one cell: across, down.
    pub fn dots(self) -> (usize, usize) {
        match self {
            Self::Unicode => (2, 4),
            Self::Block => (1, 2),
            Self::Ascii => (1, 1),
        }
    }

    /// The cell for a set of dots; bit `down * across_count + across` is a dot, from the top left.
    pub fn cell(self, bits: u8) -> char {
        match self {
            Self::Unicode => {
                // Braille numbers its dots down the left column, down the right one, then the two at the bottom.
                const ORDER: [u8; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
                let code =
                    ORDER.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).fold(0, |sum, (_, b)| sum | b);
                char::from_u32(0x2800 + u32::from(code)).unwrap_or('*')
            }
            Self::Block => match bits & 3 {
                1 => '\u{2580}',
                2 => '\u{2584}',
                _ => '\u{2588}',
            },
            Self::Ascii => '*',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_become_the_cell_that_shows_them() {
        assert_eq!(Glyphs::Unicode.cell(0b1), '\u{2801}');
        assert_eq!(Glyphs::Unicode.cell(0b10), '\u{2808}');
        assert_eq!(Glyphs::Unicode.cell(0xff), '\u{28ff}');
        assert_eq!(Glyphs::Block.cell(0b11), '\u{2588}');
        assert_eq!(Glyphs::Ascii.cell(0b1), '*');
    }
}
