//! Whoever comes to a running drill through its socket: a facilitator is answered line by line, a player gets a seat. Each
//! on a thread of its own; nobody's garbage ends anything but, at most, their own connection.

use crate::domain::drill::facilitation::{Answer, Ask, LONGEST_ASK};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::line_socket::{Door, Heard, Wire};
use crate::run::drill::seat;
use crate::run::drill::table::Table;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The socket in the runtime folder of a drill.
const SOCKET: &str = "DRILL.sock";
/// The runtime folder in the folder of a drill.
const FOLDER: &str = "DRILL-run";
/// Connections at once.
const MOST: usize = 32;

/// Where the socket of a drill with this folder is.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join(SOCKET)
}

/// Opens the socket and receives whoever comes, until the process ends. Gives the file that is to be taken away then.
pub fn open(table: Arc<Table>) -> Result<PathBuf, Fault> {
    let door = Door::open(&table.folder().join(FOLDER), SOCKET)?;
    let path = door.path().to_owned();
    let receive = move || {
        let inside = Arc::new(AtomicUsize::new(0));
        loop {
            match door.next() {
                Ok(wire) => receive(&table, wire, &inside),
                Err(fault) => {
                    tracing::warn!(%fault, "nobody was let in");
                    // Out of handles, or refused: not in a circle.
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    };
    let started = std::thread::Builder::new().name("door".into()).spawn(receive);
    started.map(|_| path).map_err(|e| Fault::new(FaultKind::Local, "drill socket", e.to_string()))
}

fn receive(table: &Arc<Table>, mut wire: Wire, inside: &Arc<AtomicUsize>) {
    if inside.load(Ordering::SeqCst) >= MOST {
        // Whoever hangs up first is not answered.
        drop(wire.say(&Answer::error(format!("{MOST} are connected, which is the most")).line()));
        return;
    }
    inside.fetch_add(1, Ordering::SeqCst);
    let (table, count) = (Arc::clone(table), Arc::clone(inside));
    let started = std::thread::Builder::new().name("guest".into()).spawn(move || {
        serve(&table, wire);
        count.fetch_sub(1, Ordering::SeqCst);
    });
    if started.is_err() {
        inside.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(table: &Arc<Table>, mut wire: Wire) {
    loop {
        let answer = match wire.hear(LONGEST_ASK, None) {
            Heard::Line(line) if line.trim().is_empty() => continue,
            Heard::Line(line) => match Ask::read(&line) {
                Ok(Ask::Join(joining)) => return seat::play(table, wire, joining),
                Ok(ask) => table.hall().carry_out(ask),
                Err(why) => Answer::error(why),
            },
            Heard::TooLong => Answer::error(format!("a line has at most {LONGEST_ASK} bytes")),
            Heard::NoText => Answer::error("not understood: not UTF-8"),
            Heard::Nothing => continue,
            Heard::Closed => return,
        };
        if wire.say(&answer.line()).is_err() {
            return;
        }
    }
}
