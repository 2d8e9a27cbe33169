//! How a command ends: the promised exit codes, and what went wrong in a form that prints. Never prints.

use crate::domain::document::Finding;
use std::fmt;
use std::process::ExitCode;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Done.
    pub const DONE: Self = Self(0);
    /// The answer is no: findings, a refused command, a failed check.
    pub const NO: Self = Self(1);
    /// Wrong usage or configuration.
    pub const USAGE: Self = Self(2);
    /// A source could not be reached or answered only in part.
    pub const PARTIAL: Self = Self(3);
    /// Interrupted.
    pub const INTERRUPTED: Self = Self(130);

    /// Another code, such as 128 and the number of a signal.
    pub fn of(code: u8) -> Self {
        Self(code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Why a command printed no result.
#[derive(Debug)]
pub enum Failure {
    /// It was called wrongly.
    Usage(String),
    /// The settings cannot be used.
    Config(Vec<Finding>),
    /// The answer is no.
    Refused(String),
    /// A source gave nothing.
    Source(String),
    /// Standard output took no more.
    Output(std::io::Error),
    /// A person pressed Ctrl-C.
    Interrupted,
}

impl Failure {
    /// The exit code. A reader that went away is no failure.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Config(_) => Exit::USAGE,
            Self::Refused(_) => Exit::NO,
            Self::Source(_) => Exit::PARTIAL,
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::DONE,
            Self::Output(_) => Exit::NO,
            Self::Interrupted => Exit::INTERRUPTED,
        }
    }

    /// A command whose machine is not built in.
    pub fn unavailable(command: &str) -> Self {
        Self::Refused(format!("`midwatch {command}` is not available in this build"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Refused(text) | Self::Source(text) => f.write_str(text),
            Self::Config(findings) => write!(f, "the configuration cannot be used ({} findings)", findings.len()),
            Self::Output(error) => write!(f, "standard output: {error}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
