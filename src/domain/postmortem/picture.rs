//! The burn charts of a draft as pictures that lie beside it. Makes text; whoever wants a file writes it.

use crate::domain::chart::svg::svg;
use crate::domain::ids::SloId;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::facts::drawn;
use crate::domain::slo::reading::History;

/// How a picture of ours ends; a file without it is somebody else's.
pub const MARK: &str = "<!-- midwatch chart -->\n";

/// The name of the picture of an objective, beside the draft of an incident: letters, digits, `-` and `.` only. Names that
/// differ in what is left out here stay apart by a number.
pub fn file_name(incident: &Incident, slo: &SloId) -> String {
    let draft = crate::domain::postmortem::file_name(incident);
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let short: String = slo.as_str().chars().take(40).map(safe).collect();
    let apart = match short == slo.as_str() {
        true => String::new(),
        false => format!(
            "-{:08x}",
            slo.as_str().bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
        ),
    };
    format!("{}.{short}{apart}.svg", draft.trim_end_matches(".md"))
}

/// The pictures of a draft: the name of each file, and its text.
pub fn pictures(incident: &Incident, histories: &[History]) -> Vec<(String, String)> {
    let picture = |history: &History| {
        let (chart, caption) = drawn(history)?;
        let name = file_name(incident, &history.slo);
        Some((name, format!("{}{MARK}", svg(&chart, &caption))))
    };
    histories
        .iter()
        .filter(|h| incident.objectives.contains(&h.slo) || incident.budget.contains_key(&h.slo))
        .filter_map(picture)
        .collect()
}
