//! A buffer as an SVG picture: exact, deterministic, the same on every machine. For pictures made from the program's
//! own frames. Gauges and chart dots are drawn as shapes, so that they do not depend on a font.

use crate::ui::theme::rgb;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

/// Cell size and type size in units of the picture; coordinates are tenths, written without rounding errors.
const CELL: (u32, u32) = (84, 180);
const TYPE: u32 = 14;
const PAD: u32 = 160;

/// The picture of a buffer on a dark or a light ground.
pub fn svg(buf: &Buffer, theme_is_dark: bool) -> String {
    let (w, h) = (u32::from(buf.area.width), u32::from(buf.area.height));
    let (width, height) = (w * CELL.0 + PAD * 2, h * CELL.1 + PAD * 2);
    let ground = Ground::of(theme_is_dark);
    let mut out = String::with_capacity(32_768);
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}">"#,
        tenth(width),
        tenth(height)
    );
    let _ = writeln!(out, r#"<rect width="{}" height="{}" rx="8" fill="{}"/>"#, tenth(width), tenth(height), ground.bg);
    let _ = writeln!(
        out,
        r#"<g font-family="'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="{TYPE}">"#
    );
    for y in 0..buf.area.height {
        row(&mut out, buf, y, &ground);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

struct Ground {
    bg: String,
    fg: String,
}

impl Ground {
    fn of(dark: bool) -> Self {
        let (bg, fg) = if dark { ("#0d1117", "#dadada") } else { ("#ffffff", "#1c1c1c") };
        Self { bg: bg.into(), fg: fg.into() }
    }

    /// Foreground and background of a cell; the background only where it differs from the ground.
    fn of_cell(&self, cell: &Cell) -> (String, Option<String>) {
        let fg = hex(cell.fg).unwrap_or_else(|| self.fg.clone());
        let bg = hex(cell.bg);
        if cell.modifier.contains(Modifier::REVERSED) {
            (bg.unwrap_or_else(|| self.bg.clone()), Some(fg))
        } else {
            (fg, bg)
        }
    }
}

fn hex(colour: Color) -> Option<String> {
    let index = match colour {
        Color::Indexed(index) => index,
        _ => return None,
    };
    let (r, g, b) = rgb(index);
    Some(format!("#{r:02x}{g:02x}{b:02x}"))
}

fn tenth(units: u32) -> String {
    if units.is_multiple_of(10) { (units / 10).to_string() } else { format!("{}.{}", units / 10, units % 10) }
}

fn row(out: &mut String, buf: &Buffer, y: u16, ground: &Ground) {
    let cells: Vec<&Cell> = (0..buf.area.width)
        .filter_map(|x| buf.cell((buf.area.x.saturating_add(x), buf.area.y.saturating_add(y))))
        .collect();
    let top = PAD + u32::from(y) * CELL.1;
    let mut from = 0;
    while let Some(first) = cells.get(from) {
        let bg = ground.of_cell(first).1;
        let same = cells.iter().skip(from).take_while(|c| ground.of_cell(c).1 == bg).count();
        if let Some(bg) = bg {
            rect(out, [PAD + from as u32 * CELL.0, top, same as u32 * CELL.0, CELL.1], &bg, "");
        }
        from += same;
    }
    let mut x = 0;
    while let Some(cell) = cells.get(x) {
        let shape = cell.symbol().chars().next().unwrap_or(' ');
        let left = PAD + x as u32 * CELL.0;
        if is_shape(shape) {
            shapes(out, shape, left, top, &ground.of_cell(cell).0);
            x += 1;
        } else if shape == ' ' {
            x += 1;
        } else {
            let run: Vec<&&Cell> = cells.iter().skip(x).take_while(|c| joins(cell, c)).collect();
            words(out, &run, left, top, &ground.of_cell(cell).0);
            x += run.len().max(1);
        }
    }
}

fn is_shape(c: char) -> bool {
    matches!(c, '\u{2580}' | '\u{2584}' | '\u{2588}' | '\u{2591}' | '\u{2800}'..='\u{28ff}')
}

/// Whether two cells are one piece of text: same look, no blank, one cell wide each.
fn joins(first: &Cell, next: &Cell) -> bool {
    let c = next.symbol().chars().next().unwrap_or(' ');
    c != ' ' && !is_shape(c) && (first.fg, first.bg, first.modifier) == (next.fg, next.bg, next.modifier)
}

fn words(out: &mut String, run: &[&&Cell], left: u32, top: u32, fg: &str) {
    let bold = run.first().is_some_and(|c| c.modifier.contains(Modifier::BOLD));
    let mut text = String::new();
    let mut wide = 0;
    for c in run.iter().flat_map(|c| c.symbol().chars()) {
        match c {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            c => text.push(c),
        }
    }
    wide += run.iter().map(|c| crate::domain::text::width(c.symbol())).sum::<usize>();
    let weight = if bold { r#" font-weight="bold""# } else { "" };
    let _ = writeln!(
        out,
        r#"<text x="{}" y="{}" textLength="{}" lengthAdjust="spacingAndGlyphs" fill="{fg}"{weight}>{text}</text>"#,
        tenth(left),
        tenth(top + 135),
        tenth(wide as u32 * CELL.0)
    );
}

fn rect(out: &mut String, [x, y, w, h]: [u32; 4], fill: &str, more: &str) {
    let _ = writeln!(
        out,
        r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{fill}"{more}/>"#,
        tenth(x),
        tenth(y),
        tenth(w),
        tenth(h)
    );
}

fn shapes(out: &mut String, c: char, left: u32, top: u32, fg: &str) {
    match c {
        '\u{2588}' => rect(out, [left, top + 20, CELL.0, CELL.1 - 40], fg, ""),
        '\u{2591}' => rect(out, [left, top + 20, CELL.0, CELL.1 - 40], fg, r#" opacity="0.22""#),
        '\u{2580}' => rect(out, [left, top, CELL.0, CELL.1 / 2], fg, ""),
        '\u{2584}' => rect(out, [left, top + CELL.1 / 2, CELL.0, CELL.1 / 2], fg, ""),
        c => {
            const PLACES: [(u32, u32); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
            let bits = u32::from(c).saturating_sub(0x2800);
            for (i, (x, y)) in PLACES.iter().enumerate() {
                if bits & (1 << i) != 0 {
                    rect(out, [left + x * 42 + 6, top + y * 45 + 7, 30, 30], fg, r#" rx="1.5""#);
                }
            }
        }
    }
}
