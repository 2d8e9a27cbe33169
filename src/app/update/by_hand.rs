//! Asks before an operation counts as done by a person: what the record says then nobody sends any more.

use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::model::Model;
use crate::app::screen::Overlay;
use crate::domain::outward::operation::OpId;

/// Opens the question.
pub fn ask(model: &mut Model, op: OpId) -> Result<(), String> {
    let entry = model.outbox.entries.get(&op).ok_or("it is gone")?;
    let rows = vec![
        ("what".to_owned(), entry.op.intent.words()),
        ("to".into(), entry.op.target.to_string()),
        ("then".into(), "it is never sent, and the timeline says that you did it".into()),
    ];
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "done by hand".into(),
        question: "Did you do this yourself?".into(),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        enter: false,
        deed: Deed::ByHand(op),
    })));
    Ok(())
}
