//! The status lines of every screen. The clock, the execution state and the timer never give way; what is loud gives
//! way last.

use crate::app::present::view::{Bit, Head, Tone};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::scrub::scrub;

/// Rows the head takes in a frame of this width: the banner, two lines, and a third for the timer in narrow frames.
pub fn rows(head: &Head, width: u16) -> u16 {
    2 + u16::from(head.replay.is_some() || head.drill.is_some()) + u16::from(width < 80 && head.timer.is_some())
}

/// Draws the head at the top of the pen.
pub fn status(pen: &mut Pen<'_>, head: &Head) {
    let mut y = 0;
    if let Some(bar) = &head.replay {
        scrub(pen, bar);
        y = 1;
    } else if let Some(word) = &head.drill {
        drill(pen, word);
        y = 1;
    }
    first(pen, y, head);
    second(pen, y.saturating_add(1), head);
}

/// A full-width reversed row; the word is repeated so that it is read wherever one looks.
fn drill(pen: &mut Pen<'_>, word: &str) {
    let (width, style) = (pen.width(), pen.theme.loud(Tone::Drill));
    pen.fill(0, 0, width, ' ', style);
    let step = cells(word).max(1).saturating_add(if cells(word) > 12 { width } else { 1 });
    let mut x: u16 = u16::from(cells(word) > 12);
    while x < width {
        let fits = cells(word) <= width.saturating_sub(x) || x <= 1;
        if fits {
            pen.put(x, 0, width, word, style);
        }
        x = x.saturating_add(step);
    }
}

fn gap(width: u16) -> u16 {
    match width {
        0..60 => 1,
        60..120 => 2,
        _ => 3,
    }
}

fn first(pen: &mut Pen<'_>, y: u16, head: &Head) {
    let width = pen.width();
    let gap = gap(width);
    let clock = pen.say(0, y, width, &head.utc, Tone::Accent);
    let mut right = width;
    if width >= 120 && !head.host.is_empty() {
        right = right.saturating_sub(cells(&head.host).min(24));
        pen.say(right, y, 24, &head.host, Tone::Muted);
        right = right.saturating_sub(gap);
    }
    if !head.exec.text.is_empty() {
        right = right.saturating_sub(cells(&head.exec.text)).max(clock.saturating_add(1));
        pen.bit(right, y, width, &head.exec);
        right = right.saturating_sub(gap);
    }
    let mut room = right.saturating_sub(clock).saturating_sub(gap);
    let queue = std::slice::from_ref(&head.queue);
    let bits: Vec<&Bit> = head.sources.iter().chain(queue).filter(|b| !b.text.is_empty()).collect();
    let mut keep = vec![false; bits.len()];
    keep_bits(&bits, &mut keep, |b| b.reversed, gap, &mut room);
    let short = head.local.match_indices(' ').nth(1).and_then(|(at, _)| head.local.get(..at)).unwrap_or(&head.local);
    let plain: u16 =
        bits.iter().zip(&keep).filter(|(_, k)| !**k).map(|(b, _)| cells(&b.text).saturating_add(gap)).sum();
    let local = [head.local.as_str(), short]
        .into_iter()
        .find(|text| cells(text).saturating_add(gap).saturating_add(plain) <= room)
        .or_else(|| Some(short).filter(|text| cells(text) <= room && width >= 60))
        .unwrap_or_default();
    if !local.is_empty() {
        room = room.saturating_sub(cells(local).saturating_add(gap));
    }
    keep_bits(&bits, &mut keep, |_| true, gap, &mut room);
    let mut x = clock.saturating_add(gap);
    if !local.is_empty() {
        x = x.saturating_add(pen.say(x, y, width, local, Tone::Text)).saturating_add(gap);
    }
    for (bit, _) in bits.iter().zip(&keep).filter(|(_, keep)| **keep) {
        x = x.saturating_add(pen.bit(x, y, right.saturating_sub(x), bit)).saturating_add(gap);
    }
}

/// Takes the bits that are wanted, from the front, as long as there is room.
fn keep_bits(bits: &[&Bit], keep: &mut [bool], wanted: impl Fn(&Bit) -> bool, gap: u16, room: &mut u16) {
    for (bit, keep) in bits.iter().zip(keep) {
        let needs = cells(&bit.text).saturating_add(gap);
        if !*keep && wanted(bit) && needs <= room.saturating_add(gap) {
            *keep = true;
            *room = room.saturating_sub(needs);
        }
    }
}

fn second(pen: &mut Pen<'_>, y: u16, head: &Head) {
    let width = pen.width();
    let gap = gap(width);
    let mut right = width;
    if let Some(timer) = &head.timer {
        if width < 80 {
            pen.bit(0, y.saturating_add(1), width, timer);
        } else {
            // The timer keeps its cells, up to three fifths of the line.
            let most = width / 5 * 3;
            right = width.saturating_sub(cells(&timer.text).min(most));
            pen.bit(right, y, most, timer);
            right = right.saturating_sub(gap);
        }
    }
    let bits: Vec<&Bit> = head.incident.iter().filter(|b| !b.text.is_empty()).collect();
    let mut keep = vec![false; bits.len()];
    let mut room = right;
    if let (Some(bit), Some(keep)) = (bits.first(), keep.first_mut()) {
        *keep = true;
        room = room.saturating_sub(cells(&bit.text).saturating_add(gap));
    }
    keep_bits(&bits, &mut keep, |b| b.reversed, gap, &mut room);
    keep_bits(&bits, &mut keep, |_| true, gap, &mut room);
    let mut x = 0;
    for (bit, _) in bits.iter().zip(&keep).filter(|(_, keep)| **keep) {
        x += pen.bit(x, y, right.saturating_sub(x), bit);
        x = x.saturating_add(gap);
    }
}
