//! The processes of one command: asking them to end, ending them, and telling what is left. Never signals anything that
//! is not the command's own group.

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

/// The process group of a command, whose number is that of the command itself. When it is dropped before its end, as when
/// the program leaves, the group is killed.
#[derive(Debug)]
pub struct Group {
    id: i32,
    /// Whether the command itself has not ended: only then is its number certainly its own.
    leader: bool,
    finished: bool,
    /// Descendants that had left the group when it was asked to end.
    away: Vec<Process>,
}

/// A process, told apart from a later one of the same number by its start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    group: i32,
    dead: bool,
    started: u64,
}

impl Group {
    /// The group of the command of this process number.
    pub fn new(id: i32) -> Self {
        Self { id, leader: true, finished: false, away: Vec::new() }
    }

    /// The command itself has ended and was waited for.
    pub fn leader_gone(&mut self) {
        self.leader = false;
    }

    /// Nothing more is to be done.
    pub fn finished(&mut self) {
        self.finished = true;
    }

    /// Asks all to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends all.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Never 1 or less: to the system those would mean everybody.
    fn pid(&self) -> Option<Pid> {
        if self.id > 1 { Pid::from_raw(self.id) } else { None }
    }

    fn signal(&self, signal: Signal) {
        let Some(id) = self.pid() else { return };
        // Just after its start the child has not made its session yet: then there is only itself.
        if kill_process_group(id, signal).is_err() && self.leader {
            let _: Result<(), _> = kill_process(id, signal);
        }
    }

    /// Whether any process of the group runs. A dead one that nobody waits for does not count where the system tells.
    pub fn alive(&self) -> bool {
        let Some(id) = self.pid() else { return false };
        // No permission means that somebody is there.
        if test_kill_process_group(id) == Err(rustix::io::Errno::SRCH) {
            return false;
        }
        processes().is_none_or(|all| all.iter().any(|p| p.group == self.id && !p.dead))
    }

    /// Remembers the descendants that left the group while their parents still show whose they are.
    pub fn watch_escapes(&mut self) {
        let all = processes().unwrap_or_default();
        let mut family = vec![self.id];
        let mut grown = true;
        while grown {
            let more: Vec<i32> =
                all.iter().filter(|p| family.contains(&p.parent) && !family.contains(&p.id)).map(|p| p.id).collect();
            grown = !more.is_empty();
            family.extend(more);
        }
        self.away = all.into_iter().filter(|p| family.contains(&p.id) && p.group != self.id).collect();
    }

    /// Whether one of those still runs.
    pub fn escaped(&self) -> bool {
        self.away.iter().any(|p| process(p.id).is_some_and(|now| now.started == p.started && !now.dead))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.finished {
            self.kill();
        }
    }
}

/// All processes, `None` where the system has no `/proc`.
fn processes() -> Option<Vec<Process>> {
    let entries = std::fs::read_dir("/proc").ok()?;
    let all: Vec<Process> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(process).collect();
    (!all.is_empty()).then_some(all)
}

fn process(id: i32) -> Option<Process> {
    parse(id, &String::from_utf8_lossy(&std::fs::read(format!("/proc/{id}/stat")).ok()?))
}

/// A line of `/proc/ID/stat`; the name in it may hold anything, its last parenthesis ends it.
fn parse(id: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let dead = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of the line, and the parent is field 4.
    let started = fields.nth(16)?.parse().ok()?;
    Some(Process { id, parent, group, dead, started })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let line = "12 (a) R 1 (x) S 7 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 22 33";
        let want = Process { id: 12, parent: 7, group: 12, dead: false, started: 987_654 };
        assert_eq!(parse(12, line), Some(want));
        assert_eq!(parse(12, "12 (a"), None);
    }

    #[test]
    fn groups_that_never_were_are_not_alive_and_not_signalled() {
        for id in [0, 1, -1, i32::MAX] {
            let group = Group::new(id);
            group.terminate();
            assert!(!group.alive(), "{id}");
        }
    }
}
