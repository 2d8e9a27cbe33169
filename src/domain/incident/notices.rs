//! The notice of an incident on a public status page: which words may be published, and where the notice stands. Sends nothing.

use crate::domain::document::nearest;
use crate::domain::ids::SourceName;
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::sent::{Standing, asked, standing};
use crate::domain::incident::state::Incident;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::status_page::{Component, StatusWrite};

/// What an operation is about that opens the notice.
pub const NOTICE: &str = "notice";
/// What a notice may say of where the incident stands.
pub const STATUSES: [&str; 4] = ["investigating", "identified", "monitoring", "resolved"];
/// What it may say of how bad it is.
pub const IMPACTS: [&str; 4] = ["none", "minor", "major", "critical"];
/// What it may say of a component.
pub const COMPONENT: [&str; 5] =
    ["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"];

/// What is to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Its title, for a new notice.
    pub title: Option<String>,
    /// One of [`STATUSES`].
    pub status: String,
    /// What customers read.
    pub body: String,
    /// One of [`IMPACTS`], for a new notice.
    pub impact: Option<String>,
    /// Components by id there, with one of [`COMPONENT`].
    pub components: Vec<(String, String)>,
}

/// Where the notice of an incident stands on a page.
pub fn notice(i: &Incident, target: &SourceName) -> Standing {
    standing(i, Capability::OpenNotice, NOTICE, Some(target))
}

/// A new notice, or one more entry to the one that is there. Refused while one is on its way: it has no id yet.
pub fn write(i: &Incident, target: &SourceName, words: Words) -> Result<StatusWrite, Refusal> {
    let Words { title, status, body, impact, components } = words;
    known(&status, "a status", &STATUSES)?;
    if let Some(impact) = &impact {
        known(impact, "an impact", &IMPACTS)?;
    }
    for (_, state) in &components {
        known(state, "a state of a component", &COMPONENT)?;
    }
    let body = text(&body, "what customers read")?;
    match notice(i, target) {
        Standing::UnderWay(_) => {
            Err(Refusal(format!("the notice is on its way to {target}; try again when it is there")))
        }
        Standing::There(_, reference) => match reference.id {
            Some(notice) => Ok(StatusWrite::Update { notice, status, body, components }),
            None => Err(Refusal("the notice was made by hand; its id is not known here".into())),
        },
        Standing::Nowhere | Standing::Failed(..) => {
            let title = text(title.as_deref().unwrap_or(&i.title), "a title")?;
            Ok(StatusWrite::Open { title, status, body, impact, components })
        }
    }
}

fn known(word: &str, what: &str, all: &[&str]) -> Result<(), Refusal> {
    match all.contains(&word) {
        true => Ok(()),
        false => Err(Refusal(format!("`{word}` is no word for {what} (expected one of: {})", all.join(", ")))),
    }
}

/// `Checkout=major_outage, API=operational`: components by their name or id there, each with its state.
pub fn components(typed: &str, known: &[Component]) -> Result<Vec<(String, String)>, Refusal> {
    typed.split(',').map(str::trim).filter(|piece| !piece.is_empty()).map(|piece| component(piece, known)).collect()
}

/// One of them; only the last `=` separates.
pub fn component(typed: &str, known: &[Component]) -> Result<(String, String), Refusal> {
    let (name, state) =
        typed.rsplit_once('=').ok_or_else(|| Refusal(format!("`{typed}` has no state (expected NAME=STATE)")))?;
    let (name, state) = (name.trim(), state.trim());
    let found = known.iter().find(|c| c.id == name || c.name.eq_ignore_ascii_case(name));
    let found = found.ok_or_else(|| {
        let near = nearest(name, known.iter().map(|c| c.name.as_str()));
        let hint = near.map(|near| format!(" (nearest: {near})")).unwrap_or_default();
        Refusal(format!("the page has no component `{name}`{hint}"))
    })?;
    Ok((found.id.clone(), state.to_owned()))
}

/// The key of the next write: every one that was asked for counts.
pub fn next_write(i: &Incident, target: &SourceName) -> String {
    let all = [Capability::OpenNotice, Capability::UpdateNotice];
    let count: usize = all.iter().map(|c| asked(i, *c, NOTICE).filter(|o| o.target == *target).count()).sum();
    format!("{NOTICE}:{target}:{count}")
}
