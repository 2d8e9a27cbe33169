//! A command as it is handed over to be run, and what it tells while it runs. Values only; nothing here runs anything.

use crate::domain::mask::Masks;

/// What is to be run, exactly. Nothing is substituted after this value was shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CommandSpec {
    /// Program and arguments; for shell text `["/bin/sh", "-c", TEXT]`.
    pub argv: Vec<String>,
    /// Variables beside the allow-listed ones of our own environment.
    pub env: Vec<(String, String)>,
    /// Names that are passed through from our own environment beside the allow-listed ones.
    pub pass: Vec<String>,
    /// Working folder.
    pub cwd: Option<std::path::PathBuf>,
    /// After which it is stopped.
    pub timeout: std::time::Duration,
    /// Bytes kept: this many from the head and three times as many from the tail.
    pub keep_head: usize,
    /// Values that nothing it writes may show.
    pub masks: Masks,
    /// The files that it was read from: as they were when it was shown, or it does not begin.
    pub files: Vec<FileSeen>,
    /// It gets the terminal itself; its output is not kept.
    pub tty: bool,
    /// Name of the file for output that is more than what is kept; `None` keeps none.
    pub spill: Option<String>,
    /// Further tries of a read that fails.
    pub tries: u32,
    /// Between two tries.
    pub pause: std::time::Duration,
    /// Exit codes that are no failure; without any, 0 alone.
    pub ok_exit: Vec<i32>,
}

/// Does not print what must be masked.
impl std::fmt::Debug for CommandSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let env: Vec<(&String, String)> = self.env.iter().map(|(n, v)| (n, self.masks.apply(v))).collect();
        f.debug_struct("CommandSpec").field("argv", &self.argv).field("env", &env).finish_non_exhaustive()
    }
}

/// A file as it was when somebody looked at what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSeen {
    /// Which.
    pub path: String,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
    /// Nobody but its owner may be able to write it: what it says changes production.
    pub private: bool,
}

/// What a running command told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandNews {
    /// It runs, in a process group of this id.
    Started(i32),
    /// A piece of its output, lossily UTF-8, without secrets, else raw outside text.
    Output(String),
    /// It is over.
    Ended(CommandEnd),
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandEnd {
    /// Exit code; `None` when a signal ended it or it never began.
    pub exit: Option<i32>,
    /// Why it has no exit code: `stopped`, `time limit`, `signal 9`, `not found: kubectl`.
    pub reason: Option<String>,
    /// It ran; one that never began has changed nothing.
    pub began: bool,
    /// How long it ran.
    pub took: std::time::Duration,
    /// Bytes it wrote, and how many of them were not kept.
    pub bytes: u64,
    /// Bytes that were not kept.
    pub dropped: u64,
    /// SHA-256 of all it wrote, hex.
    pub sha256: String,
    /// The file that holds more of its output than what was told.
    pub file: Option<String>,
    /// Processes of the group that outlived TERM and KILL.
    pub survivors: bool,
}

impl CommandEnd {
    /// One that never began, and why.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }
}
