//! The command palette: every action of the table, best match first, greyed with the reason where it cannot be taken.

use crate::app::action::{ACTIONS, Action, Tier};
use crate::app::model::Model;
use crate::app::present::available::{belongs, why_not};
use crate::app::present::replay::offered;
use crate::app::present::view::{PaletteRow, PaletteView, Pane};
use crate::domain::time::Timestamp;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The actions that match what was typed, each with the reason why it cannot be taken.
pub fn matching(model: &Model, now: Timestamp, query: &str) -> Vec<(Action, Option<String>)> {
    let pattern = Pattern::parse(query.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut found: Vec<(u32, bool, usize, Action)> = Vec::new();
    for (n, entry) in ACTIONS.iter().enumerate().filter(|(_, entry)| offered(model, entry)) {
        if matches!(
            entry.action,
            Action::Palette | Action::Cancel | Action::Up | Action::Down | Action::Left | Action::Right
        ) {
            continue;
        }
        let text = format!("{} {}", entry.title, entry.id);
        let mut buffer = Vec::new();
        if let Some(score) = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher) {
            found.push((score, belongs(model, entry.action), n, entry.action));
        }
    }
    found.sort_by_key(|(score, here, n, _)| (std::cmp::Reverse(*here), std::cmp::Reverse(*score), *n));
    if !query.trim().is_empty() {
        found.sort_by_key(|(score, here, n, _)| (std::cmp::Reverse(*score), std::cmp::Reverse(*here), *n));
    }
    let mut out: Vec<_> = found.into_iter().map(|(.., action)| (action, why_not(model, now, action))).collect();
    out.sort_by_key(|(_, why)| why.is_some());
    out
}

/// As it is shown.
pub fn view(model: &Model, now: Timestamp, query: &crate::app::editor::Editor, cursor: usize) -> PaletteView {
    let found = matching(model, now, &query.text());
    let target = crate::app::update::target(model).map(|id| id.0).unwrap_or_default();
    let rows: Vec<PaletteRow> = found
        .iter()
        .map(|(action, why)| {
            let entry = action.entry();
            PaletteRow {
                title: entry.title.into(),
                key: model.setup.keymap.key_of(*action).unwrap_or_default(),
                tier: match entry.tier {
                    Tier::Typed => "typed".into(),
                    Tier::Asks => "asks".into(),
                    _ => String::new(),
                },
                target: if entry.changes && !matches!(action, Action::Declare | Action::Arm | Action::Undo) {
                    target.clone()
                } else {
                    String::new()
                },
                why_not: why.clone(),
            }
        })
        .collect();
    let total = ACTIONS.iter().filter(|entry| offered(model, entry)).count();
    let title = format!("{} of {total} commands match", rows.len());
    let cursor = (!rows.is_empty()).then(|| cursor.min(rows.len() - 1));
    PaletteView {
        query: query.view(),
        rows: Pane { title, rows, cursor, empty: "no command matches".into(), ..Pane::default() },
        total,
    }
}
