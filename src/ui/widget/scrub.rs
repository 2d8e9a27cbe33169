//! Where a replay is, in one reversed row over everything: the word, the shown instant, a bar with what stands out, and how
//! it goes on. The word and the instant never give way.

use crate::app::present::view::{ScrubBar, Tone};
use crate::ui::pen::{Pen, cells};

/// A bar of fewer cells says nothing.
const LEAST: u16 = 10;

/// Draws the row at the top of the pen.
pub fn scrub(pen: &mut Pen<'_>, bar: &ScrubBar) {
    let (width, style) = (pen.width(), pen.theme.loud(Tone::Drill));
    pen.fill(0, 0, width, ' ', style);
    let when = match width {
        0..60 => bar.time.clone(),
        _ => format!("{} {}", bar.day, bar.time),
    };
    let name = if width >= 100 { format!("{} ", bar.incident) } else { String::new() };
    let mut x = 1 + pen.put(1, 0, width.saturating_sub(1), &format!("REPLAY {name}{when}"), style);
    let tail = format!("{} {}", bar.place, bar.how);
    let right = width.saturating_sub(cells(&tail).saturating_add(1));
    if right > x {
        pen.put(right, 0, width.saturating_sub(right), &tail, style);
    }
    x = x.saturating_add(1);
    let room = right.saturating_sub(x).saturating_sub(1);
    if room >= LEAST {
        pen.put(x, 0, room, &line(bar, usize::from(room)), style);
    }
}

/// `[D===d==|----M---R]`
fn line(bar: &ScrubBar, room: usize) -> String {
    let inner = room.saturating_sub(2).max(1);
    let cell = |share: f64| ((share * (inner - 1) as f64).round() as usize).min(inner - 1);
    let here = cell(bar.share);
    let mut out: Vec<char> = (0..inner).map(|n| if n < here { '=' } else { '-' }).collect();
    // Of several in one cell the one that is rarer stays.
    for wanted in ['d', 'D', 'M', 'R'] {
        for (share, letter) in bar.marks.iter().filter(|(_, letter)| *letter == wanted) {
            if let Some(slot) = out.get_mut(cell(*share)) {
                *slot = *letter;
            }
        }
    }
    if let Some(slot) = out.get_mut(here) {
        *slot = '|';
    }
    format!("[{}]", out.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_its_marks_and_never_loses_the_place() {
        let bar = |share| ScrubBar {
            share,
            marks: vec![(0.0, 'D'), (0.5, 'd'), (0.8, 'M'), (1.0, 'R')],
            ..ScrubBar::default()
        };
        assert_eq!(line(&bar(0.0), 13), "[|----d--M-R]");
        assert_eq!(line(&bar(0.4), 13), "[D===|d--M-R]");
        assert_eq!(line(&bar(1.0), 13), "[D====d==M=|]");
        assert_eq!(line(&bar(0.4), 0), "[|]");
    }
}
