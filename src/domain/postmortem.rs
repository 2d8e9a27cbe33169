//! The draft of a postmortem: what is known is filled in, what only people know is a visible blank. `entry` is the timeline
//! in order, `escape` keeps outside text in its place, `facts` is what a template can say, `render` runs a template,
//! `draft` reads a draft back, `keep` carries
//! what people wrote into a draft that is made anew, `picture` draws charts, `reference` tells what a template may say. Never writes a sentence about cause, fault or lesson; never touches a file.

pub mod draft;
pub mod entry;
pub mod escape;
pub mod facts;
pub mod keep;
pub mod picture;
pub mod reference;
pub mod render;

/// The name of the draft's file: `2026-05-01-INC-20260501-031204.md`. Letters, digits, `-` and `_` only, so that an id from
/// elsewhere cannot name another folder.
pub fn file_name(incident: &crate::domain::incident::state::Incident) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let id: String = incident.id.as_str().chars().take(80).map(safe).collect();
    format!("{}-{id}.md", incident.times.declared.format("%Y-%m-%d"))
}
