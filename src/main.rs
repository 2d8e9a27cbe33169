//! The entry point: a panic report that suits the terminal, then the command line, then its exit code.

use color_eyre::config::{HookBuilder, Theme};
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let theme = if std::io::stderr().is_terminal() { Theme::dark() } else { Theme::new() };
    // A second installation fails, and the report is a comfort only: going on without it is right.
    let installed = HookBuilder::default().theme(theme).display_env_section(false).install();
    drop(installed);
    midwatch::cli::run().into()
}
