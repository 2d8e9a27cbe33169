//! The word before an incident is closed, with what is still open about it.

use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::model::Model;
use crate::app::screen::Overlay;
use crate::app::update::sources;
use crate::domain::ids::IncidentId;
use crate::domain::incident::decide::{Command, Refusal};

/// Asks for the word before an incident is closed.
pub fn confirm_resolve(model: &mut Model, id: &IncidentId, summary: String) -> Result<(), Refusal> {
    let summary = crate::domain::incident::decide::text(&summary, "a summary")?;
    let case = model.desk.cases.get(id).ok_or_else(|| Refusal(format!("there is no incident {id}")))?;
    let firing = case.shown.alerts.values().filter(|a| a.state == "firing").count();
    let mut rows =
        vec![("incident".to_owned(), format!("{id} {}", case.shown.title)), ("summary".into(), summary.clone())];
    if firing > 0 {
        rows.push(("still firing".into(), format!("{firing} linked alert(s)")));
    }
    let unknown = case.shown.alerts.values().filter(|a| a.state == sources::UNKNOWN).count();
    if unknown > 0 {
        rows.push(("not known".into(), format!("{unknown} linked alert(s), whose source was exchanged")));
    }
    if case.shown.times.mitigated.is_none() {
        rows.push(("mitigated".into(), "never marked; the moment of resolving will count".into()));
    }
    rows.push(("then".into(), format!("timers stop, the postmortem draft is written to {}", model.setup.drafts_in)));
    let token: String = id.0.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "resolve".into(),
        question: format!("Resolve {id}?"),
        rows,
        token: Some(token),
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Incident(id.clone(), Command::Resolve(summary)),
    })));
    Ok(())
}
