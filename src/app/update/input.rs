//! Keys and pastes: to the thing on top when there is one, else through the keymap to an action.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::effect::Effect;
use crate::app::form::Form;
use crate::app::key::{Code, Key};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::present::{overlays, palette};
use crate::app::screen::Overlay;
use crate::app::update::{
    act, approval, backend_act, board, entry, exec, forms, incident, outward, paging, past, publish, rehearsal,
    silences,
};
use crate::domain::incident::decide::Command;
use crate::domain::time::Timestamp;

/// Handles a key press.
pub fn key(model: &mut Model, now: Timestamp, key: Key, out: &mut Vec<Effect>) {
    let ctrl_c = key == Key::ctrl('c');
    if key == Key::ctrl('l') {
        return act::act(model, now, Action::Redraw, out);
    }
    match model.nav.overlay.take() {
        None => match model.setup.keymap.action(model.nav.screen(), key) {
            Some(action) => act::act(model, now, action, out),
            None => unknown(model, now, key),
        },
        Some(Overlay::RealPage { under, painted }) => rehearsal::key(model, under, painted, key, out),
        Some(_) if ctrl_c => {}
        Some(Overlay::Help(page)) => model.nav.overlay = help(page, key),
        Some(Overlay::Palette { query, cursor }) => in_palette(model, now, query, cursor, key, out),
        Some(Overlay::Search { query, cursor }) => past::key(model, now, query, cursor, key, out),
        Some(Overlay::Form(form)) => in_form(model, now, form, key, out),
        Some(Overlay::Confirm(confirm)) => in_confirm(model, now, confirm, key, out),
        Some(Overlay::Links(cursor)) => in_links(model, now, cursor, key, out),
        Some(Overlay::Filter(mut line)) => match key.code {
            Code::Enter => {}
            Code::Esc => model.nav.spot_mut().filter.clear(),
            _ => {
                line.key(key);
                model.nav.spot_mut().filter = line.text();
                model.nav.overlay = Some(Overlay::Filter(line));
            }
        },
    }
}

/// A key that means nothing here says so; letters of another layout get a hint instead of silence.
fn unknown(model: &mut Model, now: Timestamp, key: Key) {
    if let Code::Char(c) = key.code
        && !c.is_ascii()
    {
        model.say(now, Tone::Muted, "letter keys need a Latin layout; arrows, Enter, Tab and F1 work");
    }
}

fn help(page: usize, key: Key) -> Option<Overlay> {
    match key.code {
        Code::Esc | Code::Enter | Code::Char('q' | '?') | Code::F(1) => None,
        Code::Down | Code::PageDown | Code::Right | Code::Char('j' | 'l' | ' ') => Some(Overlay::Help(page + 1)),
        Code::Up | Code::PageUp | Code::Left | Code::Char('k' | 'h') => Some(Overlay::Help(page.saturating_sub(1))),
        _ => Some(Overlay::Help(page)),
    }
}

fn in_palette(
    model: &mut Model,
    now: Timestamp,
    mut query: crate::app::editor::Editor,
    cursor: usize,
    key: Key,
    out: &mut Vec<Effect>,
) {
    let found = palette::matching(model, now, &query.text());
    match key.code {
        Code::Esc => {}
        Code::Enter => match found.get(cursor) {
            Some((action, None)) => act::act(model, now, *action, out),
            Some((_, Some(why))) => {
                model.say(now, Tone::Warn, why.clone());
                model.nav.overlay = Some(Overlay::Palette { query, cursor });
            }
            None => {}
        },
        Code::Up => model.nav.overlay = Some(Overlay::Palette { query, cursor: cursor.saturating_sub(1) }),
        Code::Down => {
            let last = found.len().saturating_sub(1);
            model.nav.overlay = Some(Overlay::Palette { query, cursor: (cursor + 1).min(last) });
        }
        Code::Tab => {
            let title = found.get(cursor).map(|(a, _)| a.entry().title.to_owned());
            let query = title.map_or(query, |t| crate::app::editor::Editor::with(&t));
            model.nav.overlay = Some(Overlay::Palette { query, cursor: 0 });
        }
        _ => {
            query.key(key);
            model.nav.overlay = Some(Overlay::Palette { query, cursor: 0 });
        }
    }
}

fn in_form(model: &mut Model, now: Timestamp, mut form: Box<Form>, key: Key, out: &mut Vec<Effect>) {
    let count = form.fields.len().max(1);
    match key.code {
        // An escape may be the first byte of a cut arrow key: what was typed is only thrown away by a second one.
        Code::Esc if !form.discard && form.fields.iter().any(|f| f.choices.is_empty() && f.line.edited()) => {
            form.discard = true;
            form.error = Some("Esc again throws away what you typed".into());
        }
        Code::Esc => return,
        Code::Enter => {
            model.nav.overlay = Some(Overlay::Form(form));
            return forms::submit(model, now, out);
        }
        Code::Tab | Code::Down => form.focus = (form.focus + 1) % count,
        Code::BackTab | Code::Up => form.focus = (form.focus + count - 1) % count,
        _ => {
            form.error = None;
            form.discard = false;
            if let Some(field) = form.fields.get_mut(form.focus) {
                let choices = field.choices.len();
                match (key.code, choices) {
                    (Code::Left, n) if n > 0 => field.chosen = (field.chosen + n - 1) % n,
                    (Code::Right | Code::Char(' '), n) if n > 0 => field.chosen = (field.chosen + 1) % n,
                    (Code::Char(c), n) if n > 0 => {
                        let starts = |s: &String| s.to_lowercase().starts_with(c.to_ascii_lowercase());
                        let digit = c.to_digit(10).map(|d| d as usize).filter(|d| (1..=n).contains(d)).map(|d| d - 1);
                        if let Some(i) = digit.or_else(|| field.choices.iter().position(starts)) {
                            field.chosen = i;
                        }
                    }
                    (_, n) if n > 0 => {}
                    _ => drop(field.line.key(key)),
                }
            }
        }
    }
    model.nav.overlay = Some(Overlay::Form(form));
}

fn in_confirm(model: &mut Model, now: Timestamp, mut confirm: Box<Confirm>, key: Key, out: &mut Vec<Effect>) {
    // What was typed before the box was on the screen cannot have been meant for it.
    if !confirm.painted {
        model.nav.overlay = Some(Overlay::Confirm(confirm));
        return;
    }
    match (&confirm.token, key.code) {
        (_, Code::Esc) => cancelled(model, now, &confirm),
        (None, Code::Char('y')) if !key.ctrl => deed(model, now, *confirm, out),
        (None, Code::Enter) if confirm.enter => deed(model, now, *confirm, out),
        // Enter is never yes to a change; it is not no either, so that a held key neither confirms nor closes.
        (None, Code::Enter) => model.nav.overlay = Some(Overlay::Confirm(confirm)),
        (None, _) => cancelled(model, now, &confirm),
        (Some(token), Code::Enter) => {
            if confirm.typed.text().trim() == *token {
                deed(model, now, *confirm, out);
            } else if confirm.typed.is_empty() {
                model.nav.overlay = Some(Overlay::Confirm(confirm));
            } else {
                model.say(now, Tone::Warn, "that was not the word: cancelled");
            }
        }
        (Some(_), _) => {
            confirm.typed.key(key);
            model.nav.overlay = Some(Overlay::Confirm(confirm));
        }
    }
}

fn cancelled(model: &mut Model, now: Timestamp, confirm: &Confirm) {
    match confirm.deed {
        Deed::Page(..) => paging::cancelled(model, now),
        _ => model.say(now, Tone::Muted, "cancelled"),
    }
}

/// Whether something would be done of which not all is on the screen: a command, a silence, what customers read.
fn unseen(model: &Model, confirm: &Confirm) -> bool {
    model.windowed
        && matches!(
            confirm.deed,
            Deed::Run(_) | Deed::Reads(_) | Deed::Approve(..) | Deed::Silences(_) | Deed::Publish(_)
        )
        && !overlays::confirmation(confirm).fits(model.size)
}

fn deed(model: &mut Model, now: Timestamp, confirm: Confirm, out: &mut Vec<Effect>) {
    if unseen(model, &confirm) {
        model.nav.overlay = Some(Overlay::Confirm(Box::new(confirm)));
        model.say(now, Tone::Warn, "not all of what would be done can be seen: enlarge the window, or Esc");
        return;
    }
    let done = match confirm.deed {
        Deed::Incident(id, command) => {
            let over = matches!(command, Command::Resolve(_));
            let done = incident::command(model, now, now, &id, command, out).map_err(|r| r.0);
            if done.is_ok() && over {
                silences::offer_expiry(model, now, &id);
            }
            done
        }
        Deed::Run(run) => exec::run(model, now, *run, out),
        Deed::Reads(runs) => exec::reads(model, now, runs, out),
        Deed::Approve(id, request) => approval::give(model, now, &id, &request, out),
        Deed::Arm => {
            model.exec.armed_until = Some(now + model.setup.arm_for);
            model.say(
                now,
                Tone::Warn,
                format!("commands may be run for {}", crate::domain::time::compact(model.setup.arm_for)),
            );
            Ok(())
        }
        Deed::Stop => exec::stop(model, now, out),
        Deed::Page(id, target) => paging::page(model, now, &id, &target, out).map_err(|r| r.0),
        Deed::Merge(id, into) => board::merged(model, now, &id, &into, out).map_err(|r| r.0),
        Deed::Send(sending) => backend_act::send(model, now, *sending, out).map_err(|r| r.0),
        Deed::Publish(publishing) => publish::publish(model, now, *publishing, out).map_err(|r| r.0),
        Deed::Silences(silencing) => silences::perform(model, now, *silencing, out).map_err(|r| r.0),
        Deed::ByHand(op) => outward::by_hand(model, now, &op, out).map_err(|r| r.0),
        Deed::Import(id, events) => {
            entry::import(model, now, &id, events, out);
            Ok(())
        }
        Deed::Quit => {
            out.push(Effect::Quit(0));
            Ok(())
        }
    };
    if let Err(why) = done {
        model.say(now, Tone::Warn, why);
    }
}

fn in_links(model: &mut Model, now: Timestamp, cursor: usize, key: Key, out: &mut Vec<Effect>) {
    let links = crate::app::present::links::links(model, now);
    match key.code {
        Code::Esc | Code::Char('q') => {}
        Code::Up | Code::Char('k') => model.nav.overlay = Some(Overlay::Links(cursor.saturating_sub(1))),
        Code::Down | Code::Char('j') => {
            model.nav.overlay = Some(Overlay::Links((cursor + 1).min(links.len().saturating_sub(1))));
        }
        Code::Enter | Code::Char('y') => {
            if let Some(link) = links.get(cursor) {
                act::copy(model, link.clone(), out);
            }
        }
        _ => model.nav.overlay = Some(Overlay::Links(cursor)),
    }
}

/// A paste goes into a text field and nowhere else.
pub fn paste(model: &mut Model, now: Timestamp, text: &str, out: &mut Vec<Effect>) {
    let placed = match &mut model.nav.overlay {
        Some(Overlay::Form(form)) => {
            let focus = form.focus;
            match form.fields.get_mut(focus).filter(|f| f.choices.is_empty()) {
                Some(field) => {
                    field.line.paste(text);
                    true
                }
                None => false,
            }
        }
        Some(Overlay::Palette { query, .. }) => {
            query.paste(text);
            true
        }
        Some(Overlay::Search { query, cursor }) => {
            query.paste(text);
            *cursor = 0;
            let typed = query.text();
            past::ask(model, &typed, out);
            true
        }
        Some(Overlay::Filter(line)) => {
            line.paste(text);
            let filter = line.text();
            model.nav.spot_mut().filter = filter;
            true
        }
        _ => false,
    };
    if !placed && !entry::pasted(model, now, text) {
        model.say(now, Tone::Muted, "pasted text does nothing here");
    }
}
