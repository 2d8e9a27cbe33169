//! What runs, what it wrote, what is being watched, and the secret values that were typed for it. In memory alone.

use crate::app::confirm::Run;
use crate::domain::exec::CommandEnd;
use crate::domain::ids::{IncidentId, ReqId, RunbookId};
use crate::domain::runbook::hold::Hold;
use crate::domain::runbook::model::Verify;
use crate::domain::text::sequences::strip;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Running commands.
#[derive(Clone, Debug, Default)]
pub struct Exec {
    /// Commands may be run until then.
    pub armed_until: Option<Timestamp>,
    /// Those that run: one, or up to four reads.
    pub running: Vec<Running>,
    /// Conditions that are being watched, by incident and the run of their change.
    pub watches: BTreeMap<(IncidentId, String), Watch>,
    /// What guards said so far, by incident and runbook, until all of them have.
    pub probes: BTreeMap<(IncidentId, RunbookId), BTreeMap<usize, (bool, String)>>,
    /// Secret values that were typed here.
    pub secrets: Secrets,
    /// Outputs by incident, runbook, step and slot.
    pub outputs: BTreeMap<(IncidentId, RunbookId, String), Transcript>,
}

/// The command that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Its request.
    pub req: ReqId,
    /// What was confirmed.
    pub run: Run,
    /// When it began.
    pub since: Timestamp,
    /// When it told something last.
    pub heard: Timestamp,
    /// It was asked to stop.
    pub stopping: bool,
}

/// A condition that is being watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// How far it came.
    pub hold: Hold,
    /// How to look; `None` when the runbook does not say so any more.
    pub verify: Option<Verify>,
    /// A look that is under way, since when.
    pub asked: Option<(ReqId, Timestamp)>,
}

/// Secret values by incident, runbook and name. Held in memory alone; does not print them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<(IncidentId, RunbookId), BTreeMap<String, String>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.values().map(BTreeMap::len).sum::<usize>())
    }
}

impl Secrets {
    /// Keeps a value.
    pub fn keep(&mut self, id: &IncidentId, runbook: &RunbookId, name: &str, value: String) {
        self.0.entry((id.clone(), runbook.clone())).or_default().insert(name.to_owned(), value);
    }

    /// The values of a walk.
    pub fn of(&self, id: &IncidentId, runbook: &RunbookId) -> Option<&BTreeMap<String, String>> {
        self.0.get(&(id.clone(), runbook.clone()))
    }

    /// An incident got another id.
    pub fn rename(&mut self, from: &IncidentId, to: &IncidentId) {
        let all = std::mem::take(&mut self.0);
        self.0 = all
            .into_iter()
            .map(|((id, book), values)| ((if id == *from { to.clone() } else { id }, book), values))
            .collect();
    }
}

/// What a command wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The command as shown.
    pub command: String,
    /// The last lines; the newest may be unfinished.
    pub lines: VecDeque<String>,
    /// Lines that are no longer kept.
    pub lost: u64,
    /// How it ended.
    pub end: Option<CommandEnd>,
    /// Bytes of all lines.
    pub bytes: usize,
}

/// Lines of output that the screen keeps.
pub const OUTPUT_LINES: usize = 2_000;
/// Bytes of output that the screen keeps, and of one line of it.
pub const OUTPUT_BYTES: usize = 512 * 1024;
const LINE_BYTES: usize = 16 * 1024;

impl Transcript {
    /// Takes in a piece of output. A line that never ends is kept up to a length, all lines together up to another.
    pub fn push(&mut self, piece: &str) {
        for (n, part) in piece.split('\n').enumerate() {
            if n > 0 || self.lines.is_empty() {
                self.lines.push_back(String::new());
            }
            let Some(line) = self.lines.back_mut() else { continue };
            let room = LINE_BYTES.saturating_sub(line.len());
            let kept = part.get(..part.floor_char_boundary(room)).unwrap_or_default();
            line.push_str(kept);
            self.bytes += kept.len();
            while self.lines.len() > OUTPUT_LINES || (self.bytes > OUTPUT_BYTES && self.lines.len() > 1) {
                let Some(gone) = self.lines.pop_front() else { break };
                self.bytes = self.bytes.saturating_sub(gone.len());
                self.lost += 1;
            }
        }
    }

    /// Everything that was written, without control sequences; `None` when some of it is not kept.
    pub fn whole(&self) -> Option<String> {
        let dropped = self.end.as_ref().is_some_and(|end| end.dropped > 0);
        let cut = self.lines.iter().any(|line| line.len() >= LINE_BYTES);
        if self.lost > 0 || dropped || cut {
            return None;
        }
        let lines: Vec<String> = self.lines.iter().map(|line| strip(line)).collect();
        Some(lines.join("\n"))
    }
}
