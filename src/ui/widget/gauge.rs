//! A gauge of ten cells in brackets. Takes any number: what is not a number is drawn as unknown, never as empty or full.

use crate::app::present::view::Tone;
use crate::ui::pen::Pen;

/// Cells of a gauge with its brackets.
pub const GAUGE: u16 = 12;
const FILL: u16 = 10;

/// How many of ten cells are filled. Anything left shows at least one cell.
pub fn filled(ratio: f64) -> u16 {
    let ratio = ratio.clamp(0.0, 1.0);
    let cells = (ratio * f64::from(FILL)).round() as u16;
    if ratio > 0.0 { cells.max(1) } else { cells }
}

/// Draws a gauge. Old values are filled with `~`.
pub fn gauge(pen: &mut Pen<'_>, x: u16, y: u16, ratio: Option<f64>, stale: bool, tone: Tone) {
    let frame = pen.theme.words(Tone::Muted);
    let fill = pen.theme.glyph(tone);
    let (full, empty) = (if stale { '~' } else { pen.glyphs.full() }, pen.glyphs.empty());
    let cells = ratio.filter(|r| !r.is_nan()).map_or(0, filled);
    pen.dot(x, y, '[', frame);
    pen.fill(x.saturating_add(1), y, FILL, empty, frame);
    pen.fill(x.saturating_add(1), y, cells, full, fill);
    pen.dot(x.saturating_add(FILL + 1), y, ']', frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_a_number_of_cells() {
        for (ratio, want) in [
            (0.118, 1),
            (0.583, 6),
            (0.93, 9),
            (0.991, 10),
            (0.0, 0),
            (0.001, 1),
            (-3.0, 0),
            (7.0, 10),
            (f64::INFINITY, 10),
        ] {
            assert_eq!(filled(ratio), want, "{ratio}");
        }
    }
}
