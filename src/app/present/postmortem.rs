//! A draft for the screen.

use crate::app::model::Model;
use crate::app::present::items;
use crate::app::present::view::{Bit, Pane, PostmortemPage, Sign, Tone};
use crate::app::screen::Item;
use crate::domain::ids::IncidentId;
use crate::domain::postmortem::draft::outline;
use crate::domain::time::{Timestamp, clock};

/// The postmortem screen.
pub fn page(model: &Model, now: Timestamp, id: &IncidentId) -> PostmortemPage {
    let Some(draft) = model.desk.drafts.get(id) else {
        return PostmortemPage { title: format!("{id}: the draft is being made"), ..PostmortemPage::default() };
    };
    let sections = outline(&draft.text);
    let need = sections.iter().filter(|s| s.blanks > 0).count();
    let file = match (&draft.fault, &draft.written) {
        (Some(why), _) => Bit::loud(format!("not written: {why}"), Tone::Crit),
        (None, Some((at, path))) => Bit::new(format!("file {path}   saved {}", clock(*at)), Tone::Muted),
        (None, None) => Bit::new("not written yet: w writes it (resolving writes it too)", Tone::Muted),
    };
    let chosen = match items::selected(model, now) {
        Some(Item::Section(n)) => n,
        _ => 0,
    };
    let rows = sections
        .iter()
        .map(|s| match s.blanks {
            0 => (Sign::Ok, s.title.clone(), format!("{} lines", s.lines.len())),
            n => (Sign::Ticket, s.title.clone(), format!("{n} blank(s) for people")),
        })
        .collect();
    let shown = sections.get(chosen);
    PostmortemPage {
        title: format!("{id}   {need} of {} sections need you, {} blank(s)", sections.len(), draft.blanks),
        file,
        outline: Pane {
            title: "OUTLINE".into(),
            rows,
            cursor: (!sections.is_empty()).then_some(chosen),
            empty: "empty".into(),
            ..Pane::default()
        },
        section: shown.map(|s| s.title.clone()).unwrap_or_default(),
        preview: shown.map(|s| s.lines.clone()).unwrap_or_default(),
    }
}
