//! `midwatch drill run`: plays a scenario and keeps what came of it: the report, the record, the log and one line of history,
//! all in the drill's own folder below the data folder.

use super::{failed, find};
use crate::cli::args::drill::{DrillRunArgs, Speed};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_text;
use crate::cli::output::{Output, Table};
use crate::domain::document::Level;
use crate::domain::drill::history::{Player, Record};
use crate::domain::drill::report::{Played, markdown};
use crate::domain::drill::score::{Item, Score, Sort, rehearsed, score};
use crate::domain::drill::script;
use crate::domain::drill::stage::Stage;
use crate::domain::incident::event::Event;
use crate::domain::runbook::model::Runbook;
use crate::domain::time::{Timestamp, compact, rfc3339, secs};
use crate::io::clock;
use crate::io::files::drills::{REPORT, add_to_history, claim, write};
use crate::run::drill::WORD;
use crate::run::drill::headless::{Responder, play};
use crate::run::drill::shelf::{Shelved, books};
use crate::run::world::RunbookText;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Plays, scores, writes. JSON: `{"scenario", "seed", "ended_at", "score": {"points", "of", "items", "times"}, "events",
/// "report", …}`. Exit 1 where an invariant of the cockpit did not hold.
pub fn run(context: &Context, args: &DrillRunArgs, output: &mut Output) -> Result<Exit, Failure> {
    let shelved = find(context, &args.scenario, output)?;
    if !args.headless {
        return super::play::run(context, args, &shelved, output);
    }
    let responder = responder(args, output)?;
    let seed = args.seed.unwrap_or(shelved.scenario.seed);
    let library = library(context, &shelved);
    let player = responder.player();
    let began = clock::now();
    let pace = match args.speed {
        Some(Speed::Times(n)) => Some(Duration::from_secs(1) / n),
        Some(Speed::Max) | None => None,
    };
    let mut tick = || {
        if let Some(pause) = pace {
            std::thread::sleep(pause);
        }
    };
    let who = &context.config().responder.name;
    let stage = Stage::new(Arc::clone(&shelved.scenario), seed);
    let finished = play(stage, library.clone(), who, responder, &mut tick);
    for refused in &finished.refused {
        output.note(&format!("script: {refused}"));
    }
    for wrong in &finished.wrong {
        output.note(&format!("midwatch: an invariant does not hold, please report it: {wrong}"));
    }
    let ended = Ended {
        stage: &finished.stage,
        events: &finished.events,
        drafts: &finished.drafts,
        library: &library,
        player,
        real: (began, clock::now()),
    };
    let kept = keep(&context.folders.data, &ended)?;
    tell(&ended, &kept, output)?;
    Ok(if finished.wrong.is_empty() { Exit::DONE } else { Exit::NO })
}

/// A drill that was played, whoever played it.
pub struct Ended<'e> {
    /// The stage at its end.
    pub stage: &'e Stage,
    /// What was recorded.
    pub events: &'e [Event],
    /// Drafts that were written: name and text.
    pub drafts: &'e [(String, String)],
    /// The runbooks that were there.
    pub library: &'e [Arc<Runbook>],
    /// Who acted.
    pub player: Player,
    /// When it began and ended, on the real clock.
    pub real: (Timestamp, Timestamp),
}

/// What was kept of it.
pub struct Kept {
    /// Its line in the history.
    pub record: Record,
    /// Its score.
    pub score: Score,
    /// The after-action report.
    pub report: PathBuf,
}

fn responder(args: &DrillRunArgs, output: &mut Output) -> Result<Responder, Failure> {
    let words: Vec<&str> = args.responder.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["nobody"] => Ok(Responder::Nobody),
        ["random"] => Ok(Responder::Random),
        ["script", file] => {
            let text =
                read_text(Path::new(file)).map_err(|f| Failure::Refused(format!("{}: {}", f.path, f.message)))?;
            let (lines, findings) = script::read(file, &text);
            if findings.iter().any(|f| f.level == Level::Error) {
                output.notes(&findings);
                return Err(Failure::Refused(format!("{file} is not played before its errors are mended")));
            }
            output.notes(&findings);
            Ok(Responder::Script(lines))
        }
        ["script"] => Err(Failure::Usage("--responder script needs a FILE".into())),
        other => {
            Err(Failure::Usage(format!("--responder {} (expected nobody, random, or script FILE)", other.join(" "))))
        }
    }
}

/// The scenario's own runbooks, else those of the configuration: what a team rehearses is what it will use.
pub fn library(context: &Context, shelved: &Shelved) -> Vec<Arc<Runbook>> {
    if !shelved.scenario.runbooks.is_empty() {
        return books(&shelved.runbooks);
    }
    let files = context.runbook_files().0;
    books(&files.into_iter().map(RunbookText::File).collect::<Vec<_>>())
}

/// Writes everything to the drill's own folder, and its line into the history.
pub fn keep(data: &Path, ended: &Ended<'_>) -> Result<Kept, Failure> {
    let (drill, folder) = claim(data, &ended.real.0.format("DRILL-%Y%m%d-%H%M%S").to_string()).map_err(failed)?;
    keep_in(data, &drill, &folder, ended)
}

/// The same in a folder that was claimed before.
pub fn keep_in(data: &Path, drill: &str, folder: &Path, ended: &Ended<'_>) -> Result<Kept, Failure> {
    let score = score(ended.stage);
    let played = Played {
        drill,
        stage: ended.stage,
        events: ended.events,
        score: &score,
        library: ended.library,
        player: ended.player,
        real: Some(ended.real),
    };
    let report = write(folder, REPORT, &markdown(&played)).map_err(failed)?;
    let events: String = ended.events.iter().map(|e| serde_json::to_string(e).unwrap_or_default() + "\n").collect();
    write(folder, "DRILL-events.jsonl", &events).map_err(failed)?;
    let log: String = ended.stage.log().iter().map(|entry| format!("{}\n", entry.json())).collect();
    write(folder, "DRILL-log.jsonl", &log).map_err(failed)?;
    let text = serde_json::to_string_pretty(&score.json()).unwrap_or_default() + "\n";
    write(folder, "DRILL-score.json", &text).map_err(failed)?;
    for (name, text) in ended.drafts {
        let name = name.replace('/', "-");
        let name = if name.starts_with(WORD) { name } else { format!("{WORD}-{name}") };
        write(folder, &name, text).map_err(failed)?;
    }
    let end = ended.stage.ended();
    let record = Record {
        drill: drill.to_owned(),
        scenario: ended.stage.scenario().id.clone(),
        seed: ended.stage.seed(),
        people: match ended.player {
            Player::Nobody => Vec::new(),
            _ => ended.stage.facts().people().map(str::to_owned).collect(),
        },
        player: ended.player,
        began_at: ended.real.0,
        ended_at: ended.real.1,
        end: end.map_or_else(|| "left".to_owned(), |e| e.why.clone()),
        points: score.points,
        of: score.of,
        times: score.times,
        runbooks: rehearsed(ended.stage),
        report: Some(report.to_string_lossy().into_owned()),
    };
    add_to_history(data, &record).map_err(failed)?;
    Ok(Kept { record, score, report })
}

/// Prints what came of it.
pub fn tell(ended: &Ended<'_>, kept: &Kept, output: &mut Output) -> Result<(), Failure> {
    let (stage, end) = (ended.stage, ended.stage.ended());
    let over = end.map_or(stage.start(), |e| e.at);
    if output.is_json() {
        let document: Value = json!({
            "scenario": stage.scenario().id,
            "title": stage.scenario().title,
            "drill": kept.record.drill,
            "seed": stage.seed(),
            "responder": ended.player,
            "people": kept.record.people,
            "began_at": rfc3339(stage.start()),
            "ended_at": rfc3339(over),
            "end": kept.record.end,
            "score": kept.score.json(),
            "events": ended.events.len(),
            "report": kept.report.to_string_lossy(),
        });
        return output.json(&document);
    }
    output.line(&format!(
        "DRILL {} ended after {}: {}",
        stage.scenario().id,
        compact(over - stage.start()),
        kept.record.end
    ))?;
    let mut table = Table::new(&[">POINTS", ">OF", "EXPECTED", ">TOOK", "WHY"]);
    // What was seen beside is as long as somebody's words are, and would tear the table apart.
    let wanted = |item: &&Item| matches!(item.sort, Sort::Expected | Sort::Banned);
    for item in kept.score.items.iter().filter(wanted) {
        let took = item.took.map_or_else(|| "-".to_owned(), |s| compact(secs(s.round() as i64)));
        table.row([&item.points.to_string(), &item.of.to_string(), &item.what, &took, &item.why]);
    }
    output.table(&table)?;
    for item in kept.score.items.iter().filter(|item| !wanted(item)) {
        let why = if item.why.is_empty() { String::new() } else { format!(": {}", item.why) };
        let points = if item.points == 0 { String::new() } else { format!(" ({} points)", item.points) };
        output.line(&format!("{}{why}{points}", item.what))?;
    }
    for (name, objective, actual, kept) in kept.score.recovery.iter().flat_map(|r| r.rows()) {
        output.line(&format!("{name} {objective}: {actual}, {}", if kept { "kept" } else { "not kept" }))?;
    }
    output.line(&format!("{} of {} points; report: {}", kept.score.points, kept.score.of, kept.report.display()))?;
    Ok(())
}
