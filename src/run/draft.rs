//! The postmortem draft of an incident, from its events to its file: the same for the cockpit's `w`, for `incident resolve`
//! and for `postmortem`. Never writes over a person's edits.

use crate::domain::document::Finding;
use crate::domain::fault::Fault;
use crate::domain::incident::event::Event;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::facts::facts;
use crate::domain::postmortem::render::{Draft, Template, render};
use crate::domain::search::Similar;
use crate::domain::slo::reading::History;
use crate::domain::time::Timestamp;
use crate::io::files::draft::{Written, write_draft, write_picture};
use crate::io::files::folders::own_folder;
use chrono::FixedOffset;
use std::path::Path;

#[expect(clippy::too_many_arguments, reason = "everything that a draft is made of")]
/// The draft as text. The finding names the template and the line that is wrong.
pub fn make(
    template: Template<'_>,
    state: &Incident,
    events: &[Event],
    histories: &[History],
    offset: FixedOffset,
    now: Timestamp,
    similar: &[Similar],
) -> Result<Draft, Finding> {
    render(template, &facts(state, events, histories, offset, now).with_similar(similar))
}

/// Writes a draft into its folder under the incident's name, and its pictures beside it; the folder is made when it is not
/// there. `raw` is the draft before its blanks are counted.
pub fn write(folder: &Path, name: &str, raw: &str, pictures: &[(String, String)]) -> Result<Written, Fault> {
    // A folder of the team's stays as it is; only one that is made here is private.
    if !folder.is_dir() {
        own_folder(folder)?;
    }
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    for (name, text) in pictures {
        if !write_picture(&folder.join(name), text)? {
            tracing::warn!(file = %name, "is no picture of ours and is left alone");
        }
    }
    write_draft(&folder.join(name), raw)
}

/// The key under which the record holds once that a draft was written there.
pub fn once(path: &Path) -> String {
    format!("draft:{}", path.display())
}
