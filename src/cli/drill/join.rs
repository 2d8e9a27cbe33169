//! `midwatch drill join`: a seat at a running drill, in a terminal of one's own. The cockpit runs in the drill's process; here
//! is a terminal and nothing else.

use super::{control, failed};
use crate::cli::cockpit::{beside_screen, unusable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::config::{Glyphs as Chosen, word};
use crate::domain::drill::facilitation::Joining;
use crate::run::drill::join;
use crate::ui::glyphs::Glyphs;

/// Plays until the drill is over or the player leaves.
pub fn run(context: &Context, drill: Option<&str>, person: Option<&str>, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        return Err(Failure::Usage("a seat has no JSON; `midwatch drill control -o json` observes".into()));
    }
    if let Some(why) = unusable(context) {
        let more = "a seat needs a terminal; `midwatch drill run` has plain lines";
        return Err(Failure::Refused(format!("{why}: {more}")));
    }
    let configured = &context.config().responder.name;
    let user = ["USER", "LOGNAME"].iter().find_map(|n| context.environment.get(*n)).cloned().unwrap_or_default();
    let person = match person {
        Some(person) => person.to_owned(),
        None if !configured.is_empty() => configured.clone(),
        None => user,
    };
    let found = control::find(context, drill)?;
    let looks = crate::cli::cockpit::looks(context)?;
    let joining = Joining {
        person,
        size: (0, 0),
        theme: word(context.config().screen.theme).to_owned(),
        glyphs: name(looks.glyphs).to_owned(),
        synchronized: looks.synchronized,
        zone: context.config().time_zone.name().to_owned(),
        keys: Some(context.config().keys.clone()),
    };
    beside_screen(context);
    let (said, code) = join::run(&found.socket, joining).map_err(failed)?;
    output.line(&format!("DRILL {said}"))?;
    Ok(Exit::of(code))
}

fn name(glyphs: Glyphs) -> &'static str {
    word(match glyphs {
        Glyphs::Unicode => Chosen::Unicode,
        Glyphs::Block => Chosen::Block,
        Glyphs::Ascii => Chosen::Ascii,
    })
}
