//! `midwatch drill control`: steers a running drill over its private socket: a screen where there is a terminal, else one act
//! and its answer. Also finds the drills that run, for whoever wants to join one.

use super::failed;
use crate::cli::args::drill::ControlAct;
use crate::cli::cockpit::{beside_screen, looks, unusable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::nearest;
use crate::domain::drill::facilitation::{Answer, Ask, Observed};
use crate::domain::time::{compact, secs};
use crate::io::files::drills::running;
use crate::run::drill::control::{Line, screen};
use crate::run::drill::reception::socket;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Steers. JSON: `{"did": null|"…", "drill": {…}}`, the drill as it stands then. Exit 1 where the drill refused.
pub fn run(
    context: &Context,
    drill: Option<&str>,
    act: Option<&ControlAct>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut line = find(context, drill)?.line;
    if act.is_none() && !output.is_json() && unusable(context).is_none() {
        beside_screen(context);
        let looks = looks(context)?;
        return screen(line, &looks).map(Exit::of).map_err(failed);
    }
    let ask = act.map_or(Ask::Observe, asking).checked().map_err(Failure::Usage)?;
    let answer = line.ask(&ask).map_err(failed)?;
    if let Some(why) = answer.error {
        return Err(Failure::Refused(why));
    }
    tell(&ask, answer, output)?;
    Ok(Exit::DONE)
}

fn asking(act: &ControlAct) -> Ask {
    match act.clone() {
        ControlAct::Observe => Ask::Observe,
        ControlAct::Fire { inject } => Ask::Fire { inject },
        ControlAct::Skip { inject } => Ask::Skip { inject },
        ControlAct::Delay { inject, by } => Ask::Delay { inject, seconds: by },
        ControlAct::Hint { text, cost } => Ask::Hint { text, points: cost },
        ControlAct::Say { persona, text } => Ask::Say { from: persona, text },
        ControlAct::Speed { times } => Ask::Speed { times },
        ControlAct::Jump => Ask::Jump,
        ControlAct::Pause => Ask::Pause,
        ControlAct::Continue => Ask::Continue,
        ControlAct::Abort { why } => Ask::Abort { why: why.unwrap_or_default() },
    }
}

fn tell(ask: &Ask, answer: Answer, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let drill = answer.drill.map_or(Value::Null, |d| serde_json::to_value(*d).unwrap_or(Value::Null));
        return output.json(&json!({"did": answer.did, "drill": drill}));
    }
    if let Some(did) = &answer.did {
        output.line(did)?;
    }
    match (ask, answer.drill) {
        (Ask::Observe, Some(drill)) => observed(&drill, output),
        _ => Ok(()),
    }
}

fn observed(seen: &Observed, output: &mut Output) -> Result<(), Failure> {
    let long = |s: f64| compact(secs(s.round() as i64));
    output.line(&format!("DRILL {} {}: {}", seen.name, seen.scenario, seen.title))?;
    let state = match (&seen.ended, seen.paused.is_empty()) {
        (Some(why), _) => format!("over: {why}"),
        (None, false) => format!("stands still: {}", seen.paused.join(", ")),
        (None, true) => "runs".to_owned(),
    };
    output.line(&format!("+{} of {}, {}x, {state}", long(seen.elapsed), long(seen.duration), seen.speed))?;
    output.line(&seen.real.words())?;
    let names = |all: &[String]| if all.is_empty() { "nobody".to_owned() } else { all.join(", ") };
    output.line(&format!("players: {}; acted: {}", names(&seen.players), names(&seen.acted)))?;
    if !seen.secret.is_empty() {
        output.line(&format!("secret, not for players: {}", seen.secret))?;
    }
    let mut table = Table::new(&[">NR", "INJECT", "STATE", ">IN", "WHAT"]);
    for it in &seen.injects {
        let when = match (it.state.as_str(), it.seconds) {
            ("waits", Some(s)) => long(s.max(0.0)),
            _ => "-".to_owned(),
        };
        table.row([&it.number.to_string(), &it.id, &it.state, &when, &it.words()]);
    }
    output.table(&table)?;
    let mut table = Table::new(&[">POINTS", ">OF", "EXPECTED", "WHY"]);
    for it in &seen.items {
        table.row([&it.points.to_string(), &it.of.to_string(), &it.what, &it.why]);
    }
    output.table(&table)?;
    output.line(&format!("{} of {} points so far", seen.points, seen.of))
}

/// A drill that runs.
pub struct Found {
    /// Its socket.
    pub socket: PathBuf,
    /// A line to it.
    pub line: Line,
}

/// The drill that is meant: by its name, the end of one, or its scenario; without a word the only one that runs.
pub fn find(context: &Context, typed: Option<&str>) -> Result<Found, Failure> {
    let mut all = Vec::new();
    for (name, folder) in running(&context.folders.data).map_err(failed)? {
        let socket = socket(&folder);
        // What nobody listens at any more is the socket of a drill that was killed.
        let Ok(mut line) = Line::to(&socket) else { continue };
        let Ok(Answer { drill: Some(seen), .. }) = line.ask(&Ask::Observe) else { continue };
        all.push((name, seen.scenario.clone(), Found { socket, line }));
    }
    if all.is_empty() {
        return Err(Failure::Refused("no drill runs here; `midwatch drill run SCENARIO` begins one".into()));
    }
    let names: Vec<String> = all.iter().map(|(name, scenario, _)| format!("{name} ({scenario})")).collect();
    let fits = |name: &str, scenario: &str| {
        typed.is_none_or(|typed| scenario == typed || (!typed.is_empty() && name.ends_with(typed)))
    };
    let mut fitting: Vec<(String, String, Found)> =
        all.into_iter().filter(|(name, scenario, _)| fits(name, scenario)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some((_, _, found)), true) => Ok(found),
        (Some(_), false) => Err(Failure::Refused(format!("several drills run: {}; say which", names.join(", ")))),
        (None, _) => {
            let typed = typed.unwrap_or_default();
            let near = nearest(typed, names.iter().map(String::as_str)).unwrap_or_default();
            let hint = if near.is_empty() { names.join(", ") } else { near.to_owned() };
            Err(Failure::Refused(format!("no drill `{typed}` runs (there is {hint})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::facilitator::signed;

    #[test]
    fn every_act_asks_what_it_says() {
        let by = signed("-2m").unwrap_or_default();
        assert_eq!(
            asking(&ControlAct::Delay { inject: "3".into(), by }),
            Ask::Delay { inject: "3".into(), seconds: -120 }
        );
        assert_eq!(asking(&ControlAct::Abort { why: None }), Ask::Abort { why: String::new() });
        assert!(asking(&ControlAct::Speed { times: 61 }).checked().is_err());
    }
}
