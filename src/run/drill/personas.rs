//! A thread that keeps a drill going while nobody looks, and lets those speak whom the drill plays: their words go to every
//! cockpit and into every open incident. Ends with the drill.

use crate::app::msg::{Feed, Msg};
use crate::domain::drill::stage::facts::PERSONA;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::incident::event::{Body, NewEvent, NoteKind};
use crate::domain::time::Timestamp;
use crate::io::fake::staged::Staged;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::run::drill::hall::Hall;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the drill, on the real clock.
const LOOK: Duration = Duration::from_millis(200);

/// Begins to let them speak, once somebody is there to hear them.
pub fn begin(staged: Staged, record: PathBuf, hall: Arc<Hall>) -> Result<(), Fault> {
    let speak = move || {
        loop {
            std::thread::sleep(LOOK);
            if hall.seated() == 0 {
                continue;
            }
            let now = staged.now();
            let (said, ended) = staged.with(|stage| {
                stage.advance(now);
                (stage.take_messages(), stage.ended().cloned())
            });
            for (at, from, text) in said {
                write_down(&record, at, &from, &text);
                hall.tell(&Msg::Feed(Feed::Said(from, text)));
            }
            if let Some(ended) = ended {
                let text = format!("the drill is over ({}); leave the cockpit for the score", ended.why);
                hall.tell(&Msg::Feed(Feed::Said("DRILL".into(), text)));
                hall.changed();
                return;
            }
        }
    };
    let started = std::thread::Builder::new().name("drill".into()).spawn(speak);
    started.map(drop).map_err(|e| Fault::new(FaultKind::Local, "drill thread", e.to_string()))
}

/// Into every open incident. What cannot be written was still said on the screen, and is in the drill's log.
fn write_down(record: &Path, at: Timestamp, from: &str, text: &str) {
    let Ok(mut store) = Sqlite::open(record) else { return };
    let open = store.heads().unwrap_or_default().into_iter().filter(|incident| incident.is_open());
    let events: Vec<NewEvent> = open
        .map(|incident| NewEvent {
            incident: incident.id,
            at,
            recorded_at: at,
            actor: format!("{from}{PERSONA}"),
            body: Body::Note { sort: NoteKind::Note, text: text.to_owned() },
            once: None,
        })
        .collect();
    if !events.is_empty()
        && let Err(fault) = store.append(events)
    {
        tracing::warn!(%fault, "what a persona said was not written down");
    }
}
