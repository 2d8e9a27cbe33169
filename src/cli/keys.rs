//! `midwatch keys`: the key table, from the one table of actions.

use crate::cli::args::KeysArgs;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

/// Prints one row per action: keys, id, what it does, how dangerous; `--md` as a Markdown table.
pub fn run(_args: &KeysArgs, _output: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::unavailable("keys"))
}
