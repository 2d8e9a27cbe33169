//! What lies on top of a screen, and the keys of its last line.

use crate::app::action::{ACTIONS, Action, Entry, Scope, Tier};
use crate::app::confirm::Confirm;
use crate::app::keymap::scopes;
use crate::app::model::Model;
use crate::app::present::available::why_not;
use crate::app::present::view::{ConfirmView, FieldView, FormView, HelpView, Hint, LineView, Overlay as Shown, Pane};
use crate::app::present::{links, palette, past};
use crate::app::screen::{Overlay, Screen};
use crate::domain::time::Timestamp;

/// The keys of the shown screen, most important first.
pub fn hints(model: &Model, now: Timestamp) -> Vec<Hint> {
    if let Some(overlay) = &model.nav.overlay {
        return on_top(overlay);
    }
    let [own, global] = scopes(model.nav.screen());
    let mut hints: Vec<Hint> = ACTIONS
        .iter()
        .filter(|e| !e.hint.is_empty() && (e.scopes.contains(&own) || e.scopes.contains(&global) || winds(model, e)))
        .filter(|e| e.action != Action::AnswerTimer || timer_due(model, now))
        .filter(|e| !(e.changes && model.setup.read_only))
        .filter(|e| !matches!((e.action, model.nav.screen()), (Action::Stop, _) if model.exec.running.is_empty()))
        .filter_map(|e| {
            let key = model.setup.keymap.key_of(e.action)?;
            let text = if e.action == Action::Back && model.nav.depth() == 0 { "quit" } else { e.hint };
            Some(Hint { key, text: text.into(), why_not: why_not(model, now, e.action) })
        })
        .collect();
    if let Screen::Walk(..) = model.nav.screen()
        && let Some(first) = hints.first_mut()
    {
        first.text = if model.armed(now) { "run".into() } else { "copy".into() };
    }
    // Where everything is over, winding comes first.
    hints.sort_by_key(|h| !ACTIONS.iter().any(|e| winds(model, e) && e.hint == h.text));
    // The keys that always help stay in view however narrow the line is.
    let tail: Vec<Hint> =
        ["?", "q"].iter().filter_map(|k| hints.iter().position(|h| h.key == *k).map(|i| hints.remove(i))).collect();
    let keep = hints.len().min(if model.replay.is_some() { 4 } else { 7 });
    hints.splice(keep..keep, tail);
    hints
}

/// Whether an action winds a replay that is open.
fn winds(model: &Model, entry: &Entry) -> bool {
    model.replay.is_some() && entry.scopes == [Scope::Replay]
}

/// The keys of what lies on top: the screen's own do nothing then.
fn on_top(overlay: &Overlay) -> Vec<Hint> {
    let keys: &[(&str, &str)] = match overlay {
        Overlay::Help(_) => &[("Down", "next page"), ("Up", "page before"), ("Esc", "close")],
        Overlay::Palette { .. } => &[("Enter", "run"), ("Down", "choose"), ("Tab", "complete"), ("Esc", "close")],
        Overlay::Search { .. } => &[("Enter", "open"), ("Down", "choose"), ("Esc", "close")],
        Overlay::Form(_) => &[("Enter", "save"), ("Tab", "next field"), ("Right", "choose"), ("Esc", "cancel")],
        Overlay::Confirm(confirm) if confirm.token.is_some() => &[("Enter", "confirm the word"), ("Esc", "cancel")],
        Overlay::Confirm(confirm) if confirm.enter => &[("Enter", "do it"), ("Esc", "cancel")],
        Overlay::Confirm(_) => &[("y", "do it"), ("Esc", "cancel")],
        Overlay::Links(_) => &[("y", "copy"), ("Down", "choose"), ("Esc", "close")],
        Overlay::Filter(_) => &[("Enter", "keep"), ("Esc", "clear")],
        Overlay::RealPage { .. } => &[("Ctrl-X", "leave the drill"), ("Ctrl-G", "go on with it")],
    };
    keys.iter().map(|(key, text)| Hint { key: (*key).into(), text: (*text).into(), why_not: None }).collect()
}

fn timer_due(model: &Model, now: Timestamp) -> bool {
    use crate::domain::escalation::timer::TimerState;
    crate::app::present::timers::live(model, now).iter().any(|t| t.state == TimerState::Due)
}

/// The mode, when it is not the normal one.
pub fn mode(model: &Model) -> Option<&'static str> {
    match model.nav.overlay {
        Some(Overlay::Form(_)) => Some("INPUT"),
        Some(Overlay::Filter(_)) => Some("FILTER"),
        Some(Overlay::Palette { .. }) => Some("PALETTE"),
        Some(Overlay::Search { .. }) => Some("SEARCH"),
        Some(Overlay::Confirm(_)) => Some("CONFIRM"),
        Some(Overlay::RealPage { .. }) => Some("REAL PAGE"),
        _ => None,
    }
}

/// What lies on top.
pub fn overlay(model: &Model, now: Timestamp) -> Option<Shown> {
    Some(match model.nav.overlay.as_ref()? {
        Overlay::Help(page) => Shown::Help(help(model, *page)),
        Overlay::Palette { query, cursor } => Shown::Palette(palette::view(model, now, query, *cursor)),
        Overlay::Search { query, cursor } => Shown::Search(past::view(model, query, *cursor)),
        Overlay::Form(form) => Shown::Form(FormView {
            title: form.title.clone(),
            fields: form
                .fields
                .iter()
                .map(|f| FieldView {
                    label: f.label.clone().into_owned(),
                    line: if f.secret { hidden(&f.line.view()) } else { f.line.view() },
                    choices: f.choices.clone(),
                    chosen: f.chosen,
                    hint: f.hint.clone().into_owned(),
                })
                .collect(),
            focus: form.focus,
            error: form.error.clone(),
            keys: "Enter save   Tab next field   Esc cancel".into(),
        }),
        Overlay::Confirm(confirm) => {
            let shown = confirmation(confirm);
            // The practice is the same, word by word; only the title says that nothing can come of it.
            let drill = model.setup.simulated == Some("DRILL");
            let title = if drill { format!("SIMULATED  {}", shown.title) } else { shown.title };
            Shown::Confirm(ConfirmView { title, ..shown })
        }
        Overlay::Links(cursor) => {
            let rows = links::links(model, now);
            let cursor = (!rows.is_empty()).then(|| (*cursor).min(rows.len() - 1));
            Shown::Links(Pane {
                title: format!("LINKS {}", rows.len()),
                rows,
                cursor,
                empty: "no links here".into(),
                note: "y copies".into(),
            })
        }
        Overlay::Filter(line) => Shown::Filter(line.view()),
        Overlay::RealPage { .. } => Shown::Confirm(real_page(model)),
    })
}

/// Something pages in the real world.
fn real_page(model: &Model) -> ConfirmView {
    let asks = model.rehearsal.as_ref().map(|r| r.asks.as_slice()).unwrap_or_default();
    ConfirmView {
        title: "REAL PAGE, this is not the drill".into(),
        question: format!("{} in the real world", if asks.len() == 1 { "A page fires" } else { "Pages fire" }),
        rows: vec![
            ("fires".into(), asks.join(", ")),
            ("the drill".into(), "stands still for everybody until one player answers".into()),
            ("Ctrl-X".into(), "leaves the drill; open `midwatch` for the real cockpit".into()),
            ("Ctrl-G".into(), "goes on with the drill: somebody else has it".into()),
        ],
        token: None,
        typed: LineView::default(),
        prompt: "Ctrl-X leaves it   Ctrl-G goes on   no other key does anything".into(),
    }
}

/// How much was typed, not what.
fn hidden(line: &LineView) -> LineView {
    let text = "*".repeat(line.text.chars().count());
    LineView { text, cursor: line.cursor }
}

fn help(model: &Model, page: usize) -> HelpView {
    let [own, global] = scopes(model.nav.screen());
    let group = |scope, title: &str| {
        let rows = ACTIONS
            .iter()
            .filter(|e| e.scopes.contains(&scope))
            .filter_map(|e| {
                let keys = model.setup.keymap.keys_of(e.action);
                let note = match e.tier {
                    Tier::Typed => "TYPED",
                    Tier::Asks => "asks",
                    Tier::Reversible if e.changes => "u undoes",
                    _ => "",
                };
                (!keys.is_empty()).then(|| (keys.join(" "), e.title.to_owned(), note.to_owned()))
            })
            .collect();
        (title.to_owned(), rows)
    };
    let signs = vec![
        ("!!".to_owned(), "page-level, or empty".to_owned(), String::new()),
        ("!".into(), "ticket-level".into(), String::new()),
        ("ok".into(), "fine".into(), String::new()),
        ("~".into(), "old value, with its age".into(), String::new()),
        ("??".into(), "no data: not zero, not fine".into(), String::new()),
        (">>".into(), "counts down".into(), String::new()),
        ("q3".into(), "3 events not on disk yet".into(), String::new()),
    ];
    HelpView {
        screen: own.word().into(),
        groups: model
            .replay
            .iter()
            .map(|_| group(Scope::Replay, "REPLAY"))
            .chain([group(own, "HERE"), group(global, "EVERYWHERE"), ("SIGNS".into(), signs)])
            .collect(),
        page,
    }
}

/// What must be confirmed, as it is shown.
pub fn confirmation(confirm: &Confirm) -> ConfirmView {
    ConfirmView {
        title: confirm.title.clone(),
        question: confirm.question.clone(),
        rows: confirm.rows.clone(),
        token: confirm.token.clone(),
        typed: confirm.typed.view(),
        prompt: match &confirm.token {
            Some(token) => format!("type {token} and Enter; anything else cancels"),
            None if confirm.enter => "Enter or y does it; anything else cancels".into(),
            None => "y does it; anything else cancels".into(),
        },
    }
}
