//! Keys and signs, in as many pages as it takes.

use crate::app::present::view::{HelpView, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::modal::{BORDER, modal};

type Group = (String, Vec<(String, String, String)>);

/// One line of help: a title, or key, words and note, or a blank.
enum Line<'v> {
    Title(&'v str),
    Key(&'v (String, String, String)),
    Blank,
}

fn flatten(groups: &[Group]) -> Vec<Line<'_>> {
    let mut out = Vec::new();
    for (title, keys) in groups {
        if !out.is_empty() {
            out.push(Line::Blank);
        }
        out.push(Line::Title(title));
        out.extend(keys.iter().map(Line::Key));
    }
    out
}

/// Column, row and line, column after column; no column begins with a blank.
fn placed<'l, 'v>(lines: &'l [Line<'v>], rows: usize) -> Vec<(usize, usize, &'l Line<'v>)> {
    let mut out = Vec::with_capacity(lines.len());
    let (mut column, mut row) = (0, 0);
    for line in lines {
        if row == rows {
            (column, row) = (column + 1, 0);
        }
        if row == 0 && matches!(line, Line::Blank) {
            continue;
        }
        out.push((column, row, line));
        row += 1;
    }
    out
}

/// Draws the help. Two columns where they fit; a page number beyond the last shows the last.
pub fn help(pen: &mut Pen<'_>, view: &HelpView) {
    let lines = flatten(&view.groups);
    let columns: usize = if pen.width() >= 76 { 2 } else { 1 };
    let width = if columns == 2 { pen.width().saturating_sub(8).min(104) } else { pen.width().saturating_sub(8) };
    let most = usize::from(pen.height().saturating_sub(BORDER)).max(1);
    let rows = lines.len().div_ceil(columns).clamp(1, most);
    let places = placed(&lines, rows);
    let pages = places.last().map_or(0, |(column, _, _)| column / columns) + 1;
    let page = view.page.min(pages - 1);
    let number = if pages > 1 { format!("  ({}/{pages})", page + 1) } else { String::new() };
    let title = format!("HELP {}{number}", view.screen);
    let mut inside = modal(pen, &title, width, u16::try_from(rows).unwrap_or(u16::MAX));
    let keys = view.groups.iter().flat_map(|(_, k)| k).map(|(k, _, _)| cells(k)).max().unwrap_or(0).min(16);
    let column = (inside.width() + 2) / u16::try_from(columns).unwrap_or(1);
    for (at, y, line) in places.iter().filter(|(at, _, _)| at / columns == page) {
        let x = u16::try_from(at % columns).unwrap_or(0).saturating_mul(column);
        let y = u16::try_from(*y).unwrap_or(u16::MAX);
        let mut cell = inside.part(x, y, column.saturating_sub(2), 1);
        match line {
            Line::Blank => {}
            Line::Title(text) => {
                cell.say(0, 0, column, text, Tone::Accent);
            }
            Line::Key((key, words, note)) => {
                cell.say(0, 0, keys, key, Tone::Accent);
                let note_cells = cells(note);
                let end = cell.width().saturating_sub(if note_cells > 0 { note_cells + 1 } else { 0 });
                cell.say(keys + 2, 0, end.saturating_sub(keys + 2), words, Tone::Text);
                let from = cell.width().saturating_sub(note_cells);
                cell.say_right(from, 0, note_cells, note, if note == "TYPED" { Tone::Warn } else { Tone::Muted });
            }
        }
    }
}
