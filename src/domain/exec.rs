//! A command as it is handed over to be run, and what it tells while it runs. Values only; nothing here runs anything.

/// What is to be run, exactly. Nothing is substituted after this value was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// Program and arguments; for shell text `["/bin/sh", "-c", TEXT]`.
    pub argv: Vec<String>,
    /// Variables beside the allow-listed ones of our own environment.
    pub env: Vec<(String, String)>,
    /// Working folder.
    pub cwd: Option<std::path::PathBuf>,
    /// After which it is stopped.
    pub timeout: std::time::Duration,
    /// Bytes kept per stream: this many from the head and three times as many from the tail.
    pub keep_head: usize,
}

/// What a running command told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandNews {
    /// It runs, in a process group of this id.
    Started(i32),
    /// A piece of its output, lossily UTF-8, raw outside text.
    Output(String),
    /// It is over.
    Ended(CommandEnd),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    /// Exit code; `None` when a signal ended it or it never began.
    pub exit: Option<i32>,
    /// Why it has no exit code: `stopped`, `time limit`, `signal 9`, `not found: kubectl`.
    pub reason: Option<String>,
    /// How long it ran.
    pub took: std::time::Duration,
    /// Bytes it wrote, and how many of them were not kept.
    pub bytes: u64,
    /// Bytes that were not kept.
    pub dropped: u64,
    /// SHA-256 of all it wrote, hex.
    pub sha256: String,
    /// Processes of the group that outlived TERM and KILL.
    pub survivors: bool,
}
