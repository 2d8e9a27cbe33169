//! `midwatch man`: the manual page, generated from the definitions, one section per command.

use crate::cli::args::Args;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use clap::CommandFactory;

/// Exit codes, files and the environment, which the definitions do not hold.
const MORE: &str = include_str!("../../assets/man-tail.roff");

/// Prints the page as roff.
pub fn run(output: &mut Output) -> Result<Exit, Failure> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut text = String::from_utf8_lossy(&page).into_owned();
    text.push_str(".SH COMMANDS\n");
    commands(&command, "", &mut text);
    text.push_str(MORE);
    output.verbatim(&text)?;
    Ok(Exit::DONE)
}

fn commands(command: &clap::Command, prefix: &str, text: &mut String) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let mut name = prefix.to_owned();
        name.push_str(sub.get_name());
        if sub.has_subcommands() && sub.is_subcommand_required_set() {
            commands(sub, &format!("{name} "), text);
            continue;
        }
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let line: Vec<String> = sub
            .get_arguments()
            .filter(|arg| {
                !arg.is_hide_set() && !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version")
            })
            .map(|arg| if arg.is_required_set() { arg.to_string() } else { format!("[{}]", plain(&arg.to_string())) })
            .collect();
        let tag = format!("\\fB{}\\fR {}", escape(&name), escape(&line.join(" ")));
        text.push_str(&format!(".TP\n{}\n{}\n", tag.trim_end(), escape(&about)));
        if sub.has_subcommands() {
            commands(sub, &format!("{name} "), text);
        }
    }
}

fn plain(arg: &str) -> &str {
    arg.trim_start_matches('[').strip_suffix("]...").unwrap_or(arg)
}

fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
