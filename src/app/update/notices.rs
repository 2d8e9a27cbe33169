//! Notices on a status page: the event that publishes one. Nothing is published by itself.

use crate::app::model::Model;
use crate::app::update::outward;
use crate::domain::ids::SourceName;
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::Body;
use crate::domain::incident::notices::{NOTICE, Words, next_write, write};
use crate::domain::incident::state::Incident;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::outward::status_page::StatusWrite;
use crate::domain::time::Timestamp;

/// The key under which the incident holds it once, what is published, and the event that does it.
pub fn publishes(
    model: &Model,
    now: Timestamp,
    i: &Incident,
    target: &SourceName,
    words: Words,
) -> Result<(String, StatusWrite, Body), Refusal> {
    let write = write(i, target, words)?;
    let intent = Intent::StatusPage(write.clone());
    match outward::outgoing(model, now, target, intent, Expected::default())? {
        Body::Outgoing(op) => Ok((next_write(i, target), write, Body::Outgoing(Box::new(op.about(NOTICE))))),
        other => Ok((next_write(i, target), write, other)),
    }
}
