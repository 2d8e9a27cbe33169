//! The facilitator's screen: the drill's state, its injects, the score so far, the log, and the keys, all at 80x24.

use crate::app::facilitator::{Facilitator, Focus};
use crate::app::present::view::{Bit, Hint, Pane, Tone};
use crate::domain::drill::facilitation::{Inject, Line, Observed, Scored};
use crate::domain::drill::real_world::Real;
use crate::domain::text::wrap_to;
use crate::domain::time::{compact, secs};
use crate::ui::glyphs::Glyphs;
use crate::ui::layout::{SMALLEST, Want, stack};
use crate::ui::pen::Pen;
use crate::ui::theme::Theme;
use crate::ui::widget::banner::banner;
use crate::ui::widget::field::field;
use crate::ui::widget::hints::hints;
use crate::ui::widget::list::{Rows, pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Keys and what they do, most important first.
const KEYS: [(&str, &str); 12] = [
    ("f", "fire"),
    ("s", "skip"),
    ("d", "delay"),
    ("h", "hint"),
    ("p", "persona"),
    ("z", "pause"),
    ("v", "speed"),
    ("x", "abort"),
    ("q", "leave"),
    ("Tab", "next list"),
    ("n", "next inject"),
    ("+ -", "faster, slower"),
];

/// Draws the whole frame.
pub fn draw(view: &Facilitator, theme: &Theme, glyphs: Glyphs, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, area, theme, glyphs);
    pen.clear();
    let (width, height) = (pen.width(), pen.height());
    if width < SMALLEST.0 || height < SMALLEST.1 {
        pen.say(0, 0, width, "too small: 40x10 needed", Tone::Accent);
        return;
    }
    banner(&mut pen, &format!("DRILL FACILITATOR   {}   players must not see this", view.seen.name), "");
    let top = head(&mut pen, &view.seen);
    let detail = detail(view, width, height);
    let bottom = height.saturating_sub(1).saturating_sub(u16::try_from(detail.len()).unwrap_or(1));
    let mut middle = pen.part(0, top, width, bottom.saturating_sub(top));
    body(&mut middle, view);
    for (y, line) in (bottom..).zip(&detail) {
        pen.bit(1, y, width, line);
    }
    foot(&mut pen, view, height);
}

/// What came of the last act, else the row that is read, in full.
fn detail(view: &Facilitator, width: u16, height: u16) -> Vec<Bit> {
    let most = if height >= 24 { 2 } else { 1 };
    let (words, tone) = match (&view.lost, &view.said) {
        (Some(why), _) => (why.clone(), None),
        (None, Some((tone, words))) => (words.clone(), Some(*tone)),
        (None, None) => (view.detail().unwrap_or_default(), Some(Tone::Muted)),
    };
    let mut lines = wrap_to(&words, usize::from(width.saturating_sub(2)), most);
    lines.resize(most, String::new());
    let bit = |line: String| match tone {
        Some(tone) => Bit::new(line, tone),
        None => Bit::loud(line, Tone::Crit),
    };
    lines.into_iter().map(bit).collect()
}

/// Three lines, the secret in as many as it needs where there are rows, and one for why it stands or ended.
fn head(pen: &mut Pen<'_>, seen: &Observed) -> u16 {
    let width = pen.width();
    let long = |s: f64| compact(secs(s.round() as i64));
    let clock = format!(
        "{}   +{} of {}   {}x   {} of {} points",
        seen.scenario,
        long(seen.elapsed),
        long(seen.duration),
        seen.speed,
        seen.points,
        seen.of
    );
    pen.say(1, 1, width, &clock, Tone::Accent);
    let real = match seen.real {
        Real::NotKnown { .. } => Bit::new(seen.real.words(), Tone::Warn),
        Real::Quiet { .. } => Bit::new(seen.real.words(), Tone::Ok),
        Real::Page { .. } => Bit::loud(seen.real.words(), Tone::Crit),
    };
    pen.bit(1, 2, width, &real);
    let players = if seen.players.is_empty() { "nobody".to_owned() } else { seen.players.join(", ") };
    let acted = if seen.acted.is_empty() { "nobody yet".to_owned() } else { seen.acted.join(", ") };
    pen.say(1, 3, width, &format!("players: {players}   acted: {acted}"), Tone::Text);
    let mut y = 4;
    // In a small frame there is no room for it; `drill control observe` tells it too.
    let most = if pen.height() >= 24 && !seen.secret.is_empty() { 3 } else { 0 };
    for line in &wrap_to(&format!("secret: {}", seen.secret), usize::from(width.saturating_sub(2)), most) {
        pen.say(1, y, width, line, Tone::Muted);
        y += 1;
    }
    let stands = match (&seen.ended, seen.paused.is_empty()) {
        (Some(why), _) => Some(format!("OVER: {why}")),
        (None, false) => Some(format!("STANDS STILL: {}", seen.paused.join(", "))),
        (None, true) => None,
    };
    if let Some(words) = &stands {
        pen.bit(1, y, width, &Bit::loud(words.as_str(), Tone::Warn));
        y += 1;
    }
    y
}

fn body(pen: &mut Pen<'_>, view: &Facilitator) {
    let seen = &view.seen;
    let (width, height) = (pen.width(), pen.height());
    let wants =
        [Want::rows(seen.injects.len(), 5, 0), Want::rows(seen.items.len(), 4, 2), Want::rows(seen.log.len(), 4, 1)];
    let places = stack(height, &wants);
    let mut part = |n: usize, draw: &mut dyn FnMut(&mut Pen<'_>)| {
        if let Some((top, rows)) = places.get(n).filter(|(_, rows)| *rows > 1) {
            draw(&mut pen.part(0, *top, width, *rows));
        }
    };
    let list = Pane {
        title: format!("INJECTS {}", seen.injects.len()),
        rows: seen.injects.clone(),
        cursor: view.place(),
        empty: "the scenario has none".into(),
        ..Pane::default()
    };
    part(0, &mut |pen| pane(pen, &list, Rows { select_from: 1, ..Rows::default() }, inject));
    let score = Pane {
        title: format!("SCORE SO FAR {} of {}", seen.points, seen.of),
        rows: seen.items.clone(),
        cursor: view.read(Focus::Score),
        empty: "nothing is expected".into(),
        ..Pane::default()
    };
    part(1, &mut |pen| pane(pen, &score, Rows::default(), scored));
    let log = Pane {
        title: "LOG".into(),
        rows: seen.log.clone(),
        cursor: view.read(Focus::Log),
        empty: "nothing yet".into(),
        ..Pane::default()
    };
    part(2, &mut |pen| pane(pen, &log, Rows { follow: true, ..Rows::default() }, line));
}

fn inject(pen: &mut Pen<'_>, it: &Inject) {
    let width = pen.width();
    let seconds = it.seconds.map(|s| s.round() as i64);
    let (when, tone) = match (it.state.as_str(), seconds) {
        ("waits", Some(s)) => (format!("in {}", compact(secs(s.max(0)))), Tone::Accent),
        ("waits", None) => ("waits".to_owned(), Tone::Text),
        (state, _) => (state.to_owned(), Tone::Muted),
    };
    pen.say_right(2, 0, 2, &it.number.to_string(), tone);
    pen.say(5, 0, 10, &when, tone);
    let words = if it.id.starts_with('#') { it.words() } else { format!("{}: {}", it.id, it.words()) };
    pen.say(16, 0, width.saturating_sub(16), &words, if tone == Tone::Muted { tone } else { Tone::Text });
}

fn scored(pen: &mut Pen<'_>, it: &Scored) {
    let width = pen.width();
    let tone = if it.ok { Tone::Ok } else { Tone::Text };
    pen.say(2, 0, 2, if it.ok { "ok" } else { "-" }, tone);
    pen.say_right(4, 0, 10, &format!("{}/{}", it.points, it.of), tone);
    let why = if it.ok || it.why.is_empty() { String::new() } else { format!(" ({})", it.why) };
    pen.say(16, 0, width.saturating_sub(16), &format!("{}{why}", it.what), tone);
}

fn line(pen: &mut Pen<'_>, it: &Line) {
    let width = pen.width();
    pen.say(2, 0, 12, &format!("+{}", compact(secs(it.elapsed.round() as i64))), Tone::Muted);
    let tone = if matches!(it.kind.as_str(), "steering" | "hint" | "real_world") { Tone::Accent } else { Tone::Text };
    pen.say(16, 0, width.saturating_sub(16), &it.text, tone);
}

fn foot(pen: &mut Pen<'_>, view: &Facilitator, height: u16) {
    let (width, last) = (pen.width(), height.saturating_sub(1));
    if let Some((prompt, line)) = &view.prompt {
        let used = pen.say(1, last, width, prompt.words(), Tone::Accent).saturating_add(2);
        return field(pen, used, last, width.saturating_sub(used), &line.view());
    }
    let keys: Vec<Hint> = KEYS
        .iter()
        .map(|(key, text)| Hint { key: (*key).to_owned(), text: (*text).to_owned(), why_not: None })
        .collect();
    hints(pen, last, None, &keys);
}
