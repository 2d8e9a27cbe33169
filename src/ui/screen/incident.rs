//! One incident: what it is, who does what, what is due, what happened.

use crate::app::present::view::{Bit, IncidentPage, Tone};
use crate::ui::layout::{GUTTER, Size, Want, columns, share, spaced, stack};
use crate::ui::pen::{Pen, cells};
use crate::ui::widget::rule::{bar, rule};
use crate::ui::widget::{chart, event_rows, facts, slo_rows, step_rows, timer_rows};

/// Draws the screen.
pub fn draw(pen: &mut Pen<'_>, view: &IncidentPage, size: Size) {
    match size {
        Size::L => three(pen, view),
        Size::M => two(pen, view),
        _ => narrow(pen, view),
    }
}

fn narrow(pen: &mut Pen<'_>, view: &IncidentPage) {
    let (width, height) = (pen.width(), pen.height());
    let short = height < 12;
    let mut lines: Vec<Vec<Bit>> = view.facts.iter().flat_map(|f| facts::flow(f, width)).collect();
    lines.extend(likest(view));
    let facts_rows = if short { 0 } else { u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1) };
    // A low frame has the title and the nearest timer in its status lines already.
    let least = u16::try_from(view.timers.len().min(2)).unwrap_or(2) + 1;
    let all = Want { least, ..Want::rows(view.timers.len(), 2, 0) };
    let timers = if short { Want { least: 2, most: 2, rank: 0 } } else { all };
    let title = u16::from(!short);
    let room = usize::from(!short && !view.room.is_empty());
    let facts_rows = facts_rows.saturating_add(u16::try_from(room).unwrap_or(1));
    let wants = [
        Want { least: title, most: title, rank: 0 },
        Want { least: facts_rows.min(if room > 0 { 4 } else { 3 }), most: facts_rows, rank: 2 },
        timers,
        Want { least: 3, most: u16::MAX, rank: 1 },
    ];
    let heights = share(height, &wants);
    let [_, above, middle, below] = heights.as_slice() else { return };
    if !short {
        rule(pen, 0, &view.title, &view.state);
    }
    let mut y = title;
    for line in lines.iter().take(usize::from(above.saturating_sub(1)).saturating_sub(room)) {
        facts::groups(pen, y, line);
        y += 1;
    }
    if *above > 0 {
        roles_line(pen, y, view);
    }
    // The last line is the one that wants something.
    if let Some(line) = view.room.last().filter(|_| *above > y - title + 1) {
        let width = pen.say(0, y + 1, pen.width(), "room", Tone::Muted) + 3;
        pen.bit(width, y + 1, pen.width(), line);
    }
    timers_block(&mut pen.part(0, title + above, width, *middle), view);
    timeline(&mut pen.part(0, title + above + middle, width, *below), view);
}

/// The past incident that is most like it, and why.
fn likest(view: &IncidentPage) -> Option<Vec<Bit>> {
    view.similar.first().map(|(which, why)| vec![Bit::new(format!("like {which} ({why})"), Tone::Muted)])
}

fn roles_line(pen: &mut Pen<'_>, y: u16, view: &IncidentPage) {
    let width = pen.width();
    let mut x = 0;
    for (role, person) in &view.roles {
        if x + cells(role) + cells(&person.text) >= width {
            break;
        }
        x += pen.say(x, y, width, role, Tone::Muted) + 1;
        x += pen.bit(x, y, width, person) + 3;
    }
}

fn timers_block(pen: &mut Pen<'_>, view: &IncidentPage) {
    let done =
        if view.timers_done.is_empty() { String::new() } else { format!("done: {}", view.timers_done.join(", ")) };
    rule(pen, 0, "TIMERS", &done);
    timer_rows::timer_rows(&mut pen.below(1), &view.timers);
}

fn timeline(pen: &mut Pen<'_>, view: &IncidentPage) {
    if pen.height() > 0 {
        event_rows::event_pane(pen, &view.timeline, view.following);
    }
}

/// `like`: with the past incident that is most like it, where no block has room for it.
fn head(pen: &mut Pen<'_>, view: &IncidentPage, like: bool) -> u16 {
    rule(pen, 0, &view.title, &view.state);
    let width = pen.width();
    let mut lines: Vec<Vec<Bit>> = view.facts.iter().flat_map(|f| facts::flow(f, width)).collect();
    lines.extend(likest(view).filter(|_| like));
    for (line, y) in lines.iter().zip(1..) {
        facts::groups(pen, y, line);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2)
}

fn two(pen: &mut Pen<'_>, view: &IncidentPage) {
    let (width, height) = (pen.width(), pen.height());
    let strip = runbook_rows(view, height);
    let upper = height.saturating_sub(strip.saturating_add(u16::from(strip > 0)));
    let parts = columns(width, &[73, 44]);
    let [a, b] = parts.as_slice() else { return };
    let mut top = pen.part(0, 0, width, upper);
    {
        let mut left = top.part(a.0, 0, a.1, upper);
        let used = head(&mut left, view, true);
        timeline(&mut left.below(used), view);
    }
    bar(&mut top, b.0.saturating_sub(GUTTER - 1));
    side(&mut top.part(b.0, 0, b.1, upper), view, true);
    runbook(&mut pen.below(height.saturating_sub(strip)), view);
}

fn three(pen: &mut Pen<'_>, view: &IncidentPage) {
    let (width, height) = (pen.width(), pen.height());
    let parts = columns(width, &[94, 50, 50]);
    let [a, b, c] = parts.as_slice() else { return };
    {
        let mut left = pen.part(a.0, 0, a.1, height);
        let used = head(&mut left, view, false);
        timeline(&mut left.below(used), view);
    }
    bar(pen, b.0.saturating_sub(GUTTER - 1));
    bar(pen, c.0.saturating_sub(GUTTER - 1));
    side(&mut pen.part(b.0, 0, b.1, height), view, false);
    let mut right = pen.part(c.0, 0, c.1, height);
    let wants = [
        Want { least: 0, most: runbook_rows(view, height), rank: 0 },
        Want {
            least: 0,
            most: if view.checklist.1.is_empty() { 0 } else { Want::rows(view.checklist.1.len(), 3, 1).most + 2 },
            rank: 1,
        },
        Want {
            least: 0,
            most: if view.links.is_empty() { 0 } else { Want::rows(view.links.len(), 2, 2).most },
            rank: 2,
        },
        like_rows(view, 3),
    ];
    let places = stack(height, &wants);
    let [steps, phase, links, like] = places.as_slice() else { return };
    let w = right.width();
    runbook(&mut right.part(0, steps.0, w, steps.1), view);
    checklist(&mut right.part(0, phase.0, w, phase.1), view);
    links_block(&mut right.part(0, links.0, w, links.1), view);
    like_block(&mut right.part(0, like.0, w, like.1), view);
}

/// Two rows for each past incident that is like this one, and the rule.
fn like_rows(view: &IncidentPage, rank: u8) -> Want {
    let most = if view.similar.is_empty() { 0 } else { Want::rows(view.similar.len().min(3) * 2, 2, rank).most };
    Want { least: 0, most, rank }
}

fn like_block(pen: &mut Pen<'_>, view: &IncidentPage) {
    if pen.height() > 1 {
        rule(pen, 0, "LIKE THIS ONE", "^f Enter opens");
        let width = pen.width();
        for ((which, why), y) in view.similar.iter().zip((1..).step_by(2)) {
            pen.say(0, y, width, which, Tone::Text);
            pen.say(2, y + 1, width.saturating_sub(2), why, Tone::Muted);
        }
    }
}

/// Roles, timers, objectives with their chart, and links where no other column has them.
fn side(pen: &mut Pen<'_>, view: &IncidentPage, links: bool) {
    let width = pen.width();
    let picture = if view.chart.is_some() { (pen.height() / 3).clamp(9, 14) } else { 0 };
    let wants = [
        Want::rows(view.roles.len(), 3, 1),
        Want::rows(view.timers.len() + view.timers_done.len().min(3), 3, 0),
        Want { least: 3, ..Want::rows(view.slos.len() * 2, 2, 2) },
        room_want(view),
        Want { least: 0, most: picture, rank: 3 },
        Want {
            least: 0,
            most: if links && !view.links.is_empty() { Want::rows(view.links.len(), 0, 4).most } else { 0 },
            rank: 4,
        },
    ];
    let places = spaced(pen.height(), &wants);
    let [roles, timers, slos, room, picture, tail] = places.as_slice() else { return };
    roles_block(&mut pen.part(0, roles.0, width, roles.1), view);
    {
        let mut part = pen.part(0, timers.0, width, timers.1);
        rule(&mut part, 0, "TIMERS", "");
        timer_rows::timer_rows(&mut part.below(1), &view.timers);
        let rows = u16::try_from(view.timers.len().max(1)).unwrap_or(u16::MAX).saturating_add(1);
        for (done, y) in view.timers_done.iter().rev().take(3).zip(rows..) {
            part.say(3, y, width, &format!("done   {done}"), Tone::Muted);
        }
    }
    {
        let mut part = pen.part(0, slos.0, width, slos.1);
        rule(&mut part, 0, "OBJECTIVES", "");
        for (row, y) in view.slos.iter().zip((1..).step_by(2)) {
            slo_rows::brief(&mut part, y, row);
        }
    }
    room_block(&mut pen.part(0, room.0, width, room.1), view);
    if let Some(one) = view.chart.as_ref().filter(|_| picture.1 >= 8) {
        chart::titled(&mut pen.part(0, picture.0, width, picture.1), one);
    }
    links_block(&mut pen.part(0, tail.0, width, tail.1), view);
}

fn room_want(view: &IncidentPage) -> Want {
    match view.room.is_empty() {
        true => Want { least: 0, most: 0, rank: 2 },
        false => Want::rows(view.room.len(), 1, 1),
    }
}

fn room_block(pen: &mut Pen<'_>, view: &IncidentPage) {
    if pen.height() > 1 && !view.room.is_empty() {
        rule(pen, 0, "ROOM", "> post, @ invite");
        let width = pen.width();
        for (line, y) in view.room.iter().zip(1..) {
            pen.bit(0, y, width, line);
        }
    }
}

fn roles_block(pen: &mut Pen<'_>, view: &IncidentPage) {
    rule(pen, 0, "ROLES", "");
    let labels = view.roles.iter().map(|(r, _)| cells(r)).max().unwrap_or(0).min(14);
    let width = pen.width();
    for ((role, person), y) in view.roles.iter().zip(1..) {
        pen.say(0, y, labels, role, Tone::Muted);
        pen.bit(labels + 3, y, width, person);
    }
}

fn runbook_rows(view: &IncidentPage, height: u16) -> u16 {
    let Some((_, _, steps)) = &view.runbook else { return 0 };
    u16::try_from(steps.len()).unwrap_or(u16::MAX).saturating_add(1).min(height / 3)
}

fn runbook(pen: &mut Pen<'_>, view: &IncidentPage) {
    let Some((name, progress, steps)) = &view.runbook else { return };
    if pen.height() > 0 {
        rule(pen, 0, &format!("RUNBOOK {name}"), progress);
        step_rows::step_rows(&mut pen.below(1), steps);
    }
}

fn checklist(pen: &mut Pen<'_>, view: &IncidentPage) {
    if pen.height() > 1 {
        rule(pen, 0, &format!("PLAYBOOK {}", view.checklist.0), "");
        let lines: Vec<Bit> = view.checklist.1.iter().map(|l| Bit::new(l.as_str(), Tone::Text)).collect();
        facts::lines(&mut pen.below(1), &lines);
    }
}

fn links_block(pen: &mut Pen<'_>, view: &IncidentPage) {
    if pen.height() > 1 {
        rule(pen, 0, "LINKS", "o list, y copy");
        let width = pen.width();
        for (link, y) in view.links.iter().zip(1..) {
            pen.say(0, y, 3, &y.to_string(), Tone::Accent);
            pen.say(3, y, width, link, Tone::Text);
        }
    }
}
