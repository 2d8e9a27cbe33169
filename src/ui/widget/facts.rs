//! Labelled facts and lines of prose, wrapped and cut to the rows there are.

use crate::app::present::view::{Bit, Tone};
use crate::domain::text::{clean, wrap};
use crate::ui::pen::{Pen, cells};

/// Draws label and text pairs in two columns; long texts wrap under themselves. Returns the rows used.
pub fn pairs(pen: &mut Pen<'_>, rows: &[(String, String)]) -> u16 {
    let labels = rows.iter().map(|(l, _)| cells(l)).max().unwrap_or(0).min(16);
    let width = pen.width();
    let room = width.saturating_sub(labels + 2);
    let mut y: u16 = 0;
    for (label, text) in rows {
        if y >= pen.height() {
            break;
        }
        pen.say(0, y, labels, label, Tone::Muted);
        for line in wrap(&clean(text), usize::from(room)) {
            pen.say(labels + 2, y, room, &line, Tone::Text);
            y = y.saturating_add(1);
        }
    }
    y.min(pen.height())
}

/// Draws groups on one line, as many as fit whole; the first is cut if it must be. Returns the cells used.
pub fn groups(pen: &mut Pen<'_>, y: u16, bits: &[Bit]) -> u16 {
    let width = pen.width();
    let mut x: u16 = 0;
    for bit in bits {
        let room = width.saturating_sub(x);
        if x > 0 && cells(&bit.text) > room {
            continue;
        }
        x = x.saturating_add(pen.bit(x, y, room, bit)).saturating_add(3);
    }
    x.saturating_sub(3)
}

/// Splits groups into lines: a group that does not fit goes to the next line, none is lost.
pub fn flow(bits: &[Bit], width: u16) -> Vec<Vec<Bit>> {
    let mut lines: Vec<Vec<Bit>> = Vec::new();
    let mut used: u16 = 0;
    for bit in bits {
        let needs = cells(&bit.text);
        match lines.last_mut() {
            Some(line) if used.saturating_add(3).saturating_add(needs) <= width => {
                line.push(bit.clone());
                used = used.saturating_add(3).saturating_add(needs);
            }
            _ => {
                lines.push(vec![bit.clone()]);
                used = needs;
            }
        }
    }
    lines
}

/// Draws pieces, one line each. Returns the rows used.
pub fn lines(pen: &mut Pen<'_>, bits: &[Bit]) -> u16 {
    let width = pen.width();
    let mut y: u16 = 0;
    for bit in bits {
        for line in wrap(&clean(&bit.text), usize::from(width)) {
            pen.bit(0, y, width, &Bit { text: line, tone: bit.tone, reversed: bit.reversed });
            y = y.saturating_add(1);
        }
    }
    y.min(pen.height())
}

/// Draws prose, wrapped. Returns the rows used.
pub fn prose(pen: &mut Pen<'_>, text: &[String], tone: Tone) -> u16 {
    let width = pen.width();
    let mut y: u16 = 0;
    for line in text.iter().flat_map(|t| wrap(&clean(t), usize::from(width))).take(usize::from(pen.height())) {
        pen.say(0, y, width, &line, tone);
        y = y.saturating_add(1);
    }
    y
}
