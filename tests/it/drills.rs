//! Drills from end to end without a screen: the shipped scenarios played by scripts, by nobody and by chance; hostile
//! scenarios each with their message; one seed, one run; the promised commands; a real run under a system-call trace; and an
//! incident that becomes a scenario and ends as it ended. `MIDWATCH_DRILL_NIGHTS=1000 cargo test --test it drills::` plays
//! more random responders.

use crate::cli::Machine;
use midwatch::domain::document::Level;
use midwatch::domain::drill::capture::{Source, capture};
use midwatch::domain::drill::history::Player;
use midwatch::domain::drill::report::{Played, markdown};
use midwatch::domain::drill::scenario::{Milestone, schema};
use midwatch::domain::drill::score::score;
use midwatch::domain::drill::script;
use midwatch::domain::drill::stage::Stage;
use midwatch::domain::ids::Origin;
use midwatch::domain::incident::event::Event;
use midwatch::domain::incident::state::Incident;
use midwatch::domain::runbook::lint::lint;
use midwatch::domain::runbook::model::Runbook;
use midwatch::domain::time::{Timestamp, mins};
use midwatch::io::store::Store;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::sqlite::open::default_path;
use midwatch::run::drill::headless::{Finished, Responder, play};
use midwatch::run::drill::shelf::{self, Shelved, books};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn shipped() -> Vec<Shelved> {
    let (all, findings) = shelf::shipped();
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(told, Vec::<String>::new());
    all
}

fn acts(scenario: &str) -> Responder {
    let path = fixtures(&format!("drills/{scenario}.yaml"));
    let (lines, findings) = script::read("acts", &std::fs::read_to_string(path).unwrap());
    assert!(findings.is_empty(), "{findings:?}");
    Responder::Script(lines)
}

fn played(shelved: &Shelved, seed: u64, responder: Responder) -> Finished {
    let stage = Stage::new(Arc::clone(&shelved.scenario), seed);
    play(stage, books(&shelved.runbooks), "ada", responder, &mut || {})
}

fn sound(finished: &Finished, what: &str) {
    assert!(finished.wrong.is_empty(), "{what}: {}", finished.wrong.join("\n"));
    assert!(finished.stage.ended().is_some(), "{what} did not end");
}

/// Everything that a run leaves, as text.
fn traces(finished: &Finished) -> String {
    let score = score(&finished.stage);
    let played = Played {
        drill: "DRILL-1",
        stage: &finished.stage,
        events: &finished.events,
        score: &score,
        library: &[],
        player: Player::Random,
        real: None,
    };
    let events: Vec<String> = finished.events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    let log: Vec<String> = finished.stage.log().iter().map(|e| e.json().to_string()).collect();
    let drafts: Vec<String> = finished.drafts.iter().map(|(name, text)| format!("{name}\n{text}")).collect();
    [events.join("\n"), log.join("\n"), score.json().to_string(), markdown(&played), drafts.join("\n")].join("\n\n")
}

#[test]
fn there_are_six_scenarios_and_their_runbooks_are_clean() {
    let all = shipped();
    assert_eq!(all.len(), 6);
    for shelved in &all {
        let books = books(&shelved.runbooks);
        assert_eq!((books.len(), shelved.scenario.difficulty.is_some()), (1, true), "{}", shelved.scenario.id);
        for book in &books {
            let found: Vec<String> = lint(book, Some("2026-05-20T00:00:00Z".parse().unwrap()))
                .into_iter()
                .filter(|f| f.level > Level::Info)
                .map(|f| f.to_string())
                .collect();
            assert_eq!(found, Vec::<String>::new(), "{}", book.id);
        }
    }
}

#[test]
fn every_scenario_is_won_by_those_who_do_what_is_expected() {
    for shelved in shipped() {
        let id = shelved.scenario.id.clone();
        let finished = played(&shelved, shelved.scenario.seed, acts(&id));
        sound(&finished, &id);
        assert_eq!(finished.refused, Vec::<String>::new(), "{id}");
        let score = score(&finished.stage);
        let missed: Vec<String> =
            score.items.iter().filter(|i| i.points < i.of).map(|i| format!("{}: {}", i.id, i.why)).collect();
        assert_eq!(missed, Vec::<String>::new(), "{id}");
        assert_eq!(score.points, score.of, "{id}: {:?}", score.items);
        assert_ne!(finished.stage.ended().unwrap().why, "time", "{id}");
        let gaps =
            finished.stage.log().iter().filter(|e| matches!(e.what.kind(), "unmatched" | "not_simulated")).count();
        assert_eq!(gaps, 0, "{id} has an answer for everything that its own runbook asks");
        assert!(score.times.acknowledge.is_some() && score.times.mitigate.is_some(), "{id}");
    }
}

#[test]
fn left_to_themselves_they_end_by_the_clock_and_earn_nothing() {
    for shelved in shipped() {
        let id = &shelved.scenario.id;
        let finished = played(&shelved, 5, Responder::Nobody);
        sound(&finished, id);
        let score = score(&finished.stage);
        assert_eq!((finished.stage.ended().unwrap().why.as_str(), score.points), ("time", 0), "{id}");
        assert_eq!(finished.stage.ended().unwrap().at - finished.stage.start(), shelved.scenario.duration, "{id}");
        assert!(finished.stage.reached(Milestone::Paged).is_some(), "{id} pages");
        assert!(finished.events.is_empty(), "{id}: nobody recorded anything");
    }
}

#[test]
fn the_same_seed_is_the_same_run_to_the_byte() {
    let all = shipped();
    for (shelved, responder) in [(&all[1], acts("pool-exhaustion")), (&all[4], Responder::Random)] {
        let (one, two) = (played(shelved, 11, responder.clone()), played(shelved, 11, responder.clone()));
        assert!(traces(&one) == traces(&two), "{} differs from itself", shelved.scenario.id);
        assert!(traces(&one).len() > 2_000);
        assert!(traces(&one) != traces(&played(shelved, 12, responder)), "another seed is another night");
    }
}

/// Random responders in every scenario; half of the nights on a second thread.
#[test]
fn random_responders_break_nothing() {
    let nights: u64 = std::env::var("MIDWATCH_DRILL_NIGHTS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let all = shipped();
    let failed = |from: u64| -> Vec<String> {
        (from..nights)
            .step_by(2)
            .filter_map(|seed| {
                let shelved = &all[usize::try_from(seed / 2).unwrap() % all.len()];
                let name = format!("{} with seed {seed}", shelved.scenario.id);
                let run = std::panic::catch_unwind(|| {
                    let finished = played(shelved, seed, Responder::Random);
                    let score = score(&finished.stage);
                    let most: i64 = score.items.iter().map(|i| i.of).sum();
                    assert!(score.points <= score.of && score.of == most, "{:?}", score.items);
                    drop(traces(&finished));
                    (finished.wrong.join("\n  "), finished.stage.ended().is_some())
                });
                match run {
                    Ok((wrong, true)) if wrong.is_empty() => None,
                    Ok((wrong, ended)) => Some(format!("{name} (ended: {ended}): {wrong}")),
                    Err(_) => Some(format!("{name} panicked")),
                }
            })
            .collect()
    };
    let mut all_failed = std::thread::scope(|scope| {
        let other = scope.spawn(|| failed(1));
        let mut mine = failed(0);
        mine.extend(other.join().unwrap());
        mine
    });
    all_failed.sort();
    assert!(all_failed.is_empty(), "{} of {nights} nights failed:\n{}", all_failed.len(), all_failed.join("\n"));
}

#[test]
fn wrong_acts_cost_and_are_told() {
    let all = shipped();
    let text = "acts:\n  - {page: 10s, declare: true, severity: SEV2}\n  - {then: 5s, ack: true}\n  - {then: 5s, open: true}\n  - {then: 5s, run: mitigate.scale}\n  - {then: 5s, step: look, how: skip, reason: no time}\n  - {then: 5s, run: nope}\n";
    let (lines, _) = script::read("acts", text);
    let finished = played(&all[1], 3, Responder::Script(lines));
    sound(&finished, "scaled");
    assert_eq!(finished.refused.len(), 1, "{:?}", finished.refused);
    let score = score(&finished.stage);
    let beside: Vec<(&str, &str)> =
        score.items.iter().filter(|i| i.of == 0 && !i.ok).map(|i| (i.id.as_str(), i.sort.word())).collect();
    assert_eq!(beside, [("api-latency-high/look", "step"), ("scale", "command")]);
    assert!(finished.stage.came("#7").is_some(), "scaling makes it worse at 25 minutes");
    let report = traces(&finished);
    for word in [
        "# DRILL: ",
        "Find the bottleneck skipped",
        "no time",
        "did not happen",
        "[[BLANK:",
        "Deploy 412",
        "## Debrief",
    ] {
        assert!(report.contains(word), "{word}");
    }
}

#[test]
fn hostile_scenarios_each_get_their_message() {
    let folder = fixtures("scenarios/bad");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 60, "{}", names.len());
    let mut told = String::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let (_, findings) = shelf::of_text(&folder.join(name), &text);
        let first = findings.iter().find(|f| f.level == Level::Error).unwrap_or_else(|| panic!("{name}: no error"));
        assert!(first.line > 0 && first.column > 0, "{name}: {first}");
        told += &format!("{name}:{}:{}: {} [{}]\n", first.line, first.column, first.message, first.rule);
    }
    let path = folder.join("expected.txt");
    if std::env::var_os("MIDWATCH_EXPECTED").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (is, want) in told.lines().zip(expected.lines()) {
        assert_eq!(is, want);
    }
    assert_eq!(told.lines().count(), expected.lines().count(), "MIDWATCH_EXPECTED=1 writes the file anew");
    let mut messages: Vec<&str> = told.lines().map(|l| l.split_once(": ").unwrap().1).collect();
    messages.sort_unstable();
    let all = messages.len();
    messages.dedup();
    assert!(messages.len() + 3 >= all, "nearly every one has a message of its own");
}

#[test]
fn any_prefix_of_a_scenario_is_read_without_a_panic() {
    let text = include_str!("../../assets/scenarios/alert-storm.yaml");
    for end in (0..text.len()).filter(|n| text.is_char_boundary(*n)).step_by(7) {
        drop(shelf::of_text(Path::new("x.yaml"), &text[..end]));
    }
}

#[test]
fn the_schema_takes_every_shipped_scenario_and_knows_every_object() {
    let schema: Value = serde_json::from_str(&schema::text()).unwrap();
    let defined = schema["definitions"].as_object().unwrap();
    for object in
        ["scenario", "signal", "objective", "alert", "inject", "command", "expect", "end", "recovery", "given"]
    {
        assert!(defined.contains_key(object), "{object}");
    }
    let properties = |object: &str| defined[object]["properties"].as_object().cloned().unwrap_or_default();
    for shelved in shipped() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(&shelved.scenario.path);
        let value: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for key in value.as_object().unwrap().keys() {
            assert!(properties("scenario").contains_key(key), "{key}");
        }
        for inject in value["injects"].as_array().unwrap() {
            for key in inject.as_object().unwrap().keys() {
                assert!(properties("inject").contains_key(key), "{key}");
            }
        }
    }
    assert!(schema::markdown().contains("`injects[].unless`"));
}

#[test]
fn the_promised_commands_say_the_promised_names() {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: ada}\n");
    let list = machine.run("drill list -o json");
    assert_eq!(list.code, 0, "{}", list.err);
    assert_eq!(list.json()["scenarios"].as_array().unwrap().len(), 6);
    assert!(!list.out.contains("Deploy 412"), "the secret is not told");

    let file = fixtures("drills/bad-deploy.yaml");
    let line =
        format!("drill run bad-deploy --headless --speed max --seed 9 --responder script {} -o json", file.display());
    let run = machine.run(&line);
    assert_eq!(run.code, 0, "{}", run.err);
    let json = run.json();
    for name in ["scenario", "seed", "ended_at", "score", "events", "report"] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!((json["scenario"].as_str(), json["seed"].as_u64()), (Some("bad-deploy"), Some(9)));
    assert_eq!(json["score"]["points"], json["score"]["of"]);
    assert!(json["score"]["items"].as_array().unwrap().len() >= 8);
    assert!(json["events"].as_u64().unwrap() > 20);
    let report = std::fs::read_to_string(json["report"].as_str().unwrap()).unwrap();
    assert!(report.starts_with("# DRILL: "), "{report}");
    for entry in std::fs::read_dir(Path::new(json["report"].as_str().unwrap()).parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.starts_with("DRILL-"), "{name}");
    }

    let twice = machine.run("drill run bad-deploy --headless --responder random");
    assert_eq!(twice.code, 0, "{}", twice.err);
    assert!(twice.out.starts_with("DRILL bad-deploy ended"), "{}", twice.out);
    let history = machine.run("drill report -o json").json();
    assert_eq!(history["drills"].as_array().unwrap().len(), 2);
    assert_eq!(history["scenarios"].as_array().unwrap().len(), 0, "scripts and chance are no practice");
    assert_eq!(machine.run("drill report").code, 0);
    let last = machine.run("drill report last");
    assert!(last.out.starts_with("# DRILL: "), "{}", last.out);
    assert_eq!(machine.run("drill report nothing").code, 1);
    // Nothing of it is in the record of incidents.
    assert_eq!(machine.run("incident list --all -o json").json()["incidents"].as_array().map_or(0, Vec::len), 0);

    for (line, code, word) in [
        ("drill run pool-exhaustoin --headless", 1, "nearest: `pool-exhaustion`"),
        ("drill run c/none.yaml --headless", 1, "none.yaml"),
        ("drill run bad-deploy --headless --responder script", 2, "needs a FILE"),
        ("drill run bad-deploy --headless --responder nonsense", 2, "expected nobody"),
        ("drill run bad-deploy --speed 0 --headless", 2, "1 to 60"),
    ] {
        let out = machine.run(line);
        assert_eq!(out.code, code, "{line}: {}", out.err);
        assert!(out.err.contains(word), "{line}: {}", out.err);
    }
    machine.write("bad.yaml", &std::fs::read_to_string(fixtures("scenarios/bad/circle.yaml")).unwrap());
    let refused = machine.run("drill run c/bad.yaml --headless");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("wait for each other") && refused.err.contains("not played"), "{}", refused.err);
    assert_eq!(machine.run("check c/bad.yaml").code, 1);
    assert_eq!(machine.run("schema scenario").code, 0);
}

/// The system calls of a whole drill: no other program, no socket, nobody connected to.
#[test]
fn a_traced_drill_starts_no_process_and_opens_no_socket() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return;
    }
    let machine = Machine::new();
    machine.write("config.yaml", "prometheus: [{name: main, url: \"http://127.0.0.1:9\"}]\n");
    let trace = machine.dir.path().join("trace");
    let calls = "trace=execve,execveat,fork,vfork,clone,clone3,socket,socketpair,connect,bind,listen,accept,sendto,sendmsg,kill";
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-qq", "-e", calls, "-e", "signal=none", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_midwatch"));
    command.args(["drill", "run", "alert-storm", "--headless", "--responder", "random", "-o", "json"]);
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d"));
    let output = command.output().unwrap();
    if !output.status.success() && !trace.exists() {
        // A sandbox that lets nobody trace.
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = text.lines().filter(|line| !line.contains("+++") && !line.contains("---")).collect();
    let (started, rest): (Vec<&str>, Vec<&str>) = calls.into_iter().partition(|line| line.contains("execve("));
    assert_eq!(started.len(), 1, "only midwatch itself: {started:#?}");
    let odd: Vec<&str> = rest.into_iter().filter(|line| !line.contains("CLONE_THREAD")).collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

fn incident_of(events: &[Event]) -> Incident {
    Incident::fold(events).unwrap()
}

/// What an incident came to, without times.
fn ending(incident: &Incident) -> Vec<String> {
    let mut all = vec![
        format!("{} {} {}", incident.title, incident.severity, incident.status.word()),
        format!("acknowledged {}", incident.times.acknowledged.is_some()),
        format!("mitigated {}", incident.times.mitigated.is_some()),
        format!("told {}", incident.times.first_update.is_some()),
    ];
    all.extend(incident.roles.iter().map(|(role, person)| format!("{} {person}", role.word())));
    all.extend(incident.changes.iter().map(|c| format!("{} {:?}", c.id, c.state)));
    all.extend(incident.commands.iter().map(|c| format!("{} {:?}", c.start.id, c.finish.as_ref().map(|f| f.exit))));
    all.extend(incident.walks.values().flat_map(|w| w.steps.iter().map(|(id, mark)| format!("{id} {:?}", mark.end))));
    all
}

/// An incident that was recorded while somebody played: it stands for a real one.
pub fn recorded() -> (Vec<Event>, Vec<Arc<Runbook>>, Stage) {
    let all = shipped();
    let text = std::fs::read_to_string(fixtures("drills/pool-exhaustion.yaml")).unwrap();
    let text = format!(
        "{text}  - {{then: 60s, note: 'the token is API_TOKEN=abcdef123456 they say'}}\n  - {{then: 60s, resolve: Rolled back deploy 412}}\n"
    );
    let (lines, findings) = script::read("acts", &text);
    assert!(findings.is_empty(), "{findings:?}");
    // The drill must not end before the incident is resolved.
    let mut scenario = all[1].scenario.as_ref().clone();
    scenario.end.clear();
    let stage = Stage::new(Arc::new(scenario), 4);
    let library = books(&all[1].runbooks);
    let finished = play(stage, library.clone(), "ada", Responder::Script(lines), &mut || {});
    sound(&finished, "recorded");
    assert_eq!(finished.refused, Vec::<String>::new());
    (finished.events, library, finished.stage)
}

#[test]
fn an_incident_becomes_a_scenario_and_ends_as_it_ended() {
    let (events, library, stage) = recorded();
    let before = incident_of(&events);
    let objectives = stage.objectives();
    let captured = capture(&Source { incident: &before, events: &events, objectives: &objectives, runbooks: &[] });
    assert!(!captured.script.contains("abcdef123456"), "{}", captured.script);
    let (shelved, findings) = shelf::of_text(Path::new("from.yaml"), &captured.scenario);
    let told: Vec<String> = findings.iter().filter(|f| f.level == Level::Error).map(ToString::to_string).collect();
    assert_eq!(told, Vec::<String>::new(), "{}", captured.scenario);
    let (lines, wrong) = script::read("acts", &captured.script);
    assert!(wrong.is_empty(), "{wrong:?}\n{}", captured.script);

    let stage = Stage::new(shelved.unwrap().scenario, 1);
    let finished = play(stage, library.clone(), "ada", Responder::Script(lines), &mut || {});
    sound(&finished, "replayed");
    assert_eq!(finished.refused, Vec::<String>::new(), "{}", captured.script);
    let after = incident_of(&finished.events);
    assert_eq!(ending(&after), ending(&before));
    let score = score(&finished.stage);
    assert_eq!(score.points, score.of, "{:#?}", score.items);

    // Without the cure it does not end by itself.
    let (shelved, _) = shelf::of_text(Path::new("from.yaml"), &captured.scenario);
    let stage = Stage::new(shelved.unwrap().scenario, 1);
    let alone = play(stage, library, "ada", Responder::Nobody, &mut || {});
    assert_eq!(alone.stage.ended().unwrap().why, "time");
}

#[test]
fn drill_from_writes_what_drill_run_plays() {
    let (events, _, _) = recorded();
    let id = incident_of(&events).id;
    let machine = Machine::new();
    let runbook = include_str!("../../assets/scenarios/runbooks/pool-exhaustion.yaml");
    machine.write("runbooks/pool.yaml", runbook);
    machine.write(
        "slos.yaml",
        "apiVersion: midwatch/v1\nkind: Objectives\nservice: api\nobjectives:\n  - {name: api_availability, target: 99.9%, window: 30d, sli: {events: {bad: 'sum(rate(bad[$window]))', total: 'sum(rate(all[$window]))'}}}\n",
    );
    machine.write("config.yaml", "responder: {name: ada}\nslos: [slos.yaml]\nrunbooks: [runbooks/]\n");
    let path = default_path(&machine.dir.path().join("d"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut store = Sqlite::open(&path).unwrap();
    assert_ne!(store.origin(), &Origin("DRILL".into()));
    assert!(store.merge(events).unwrap() > 20);
    drop(store);

    let out = machine.args(&["drill", "from", id.as_str(), "--to", "night", "-o", "json"]);
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    let (scenario, script) = (json["scenario"].as_str().unwrap(), json["script"].as_str().unwrap());
    assert_eq!(json["runbooks"].as_array().unwrap().len(), 1);
    assert_eq!(machine.args(&["check", scenario]).code, 0, "{}", machine.args(&["check", scenario]).out);
    let again = machine.args(&["drill", "from", id.as_str(), "--to", "night"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("already"), "{}", again.err);

    let run = machine.args(&["drill", "run", scenario, "--headless", "--responder", "script", script, "-o", "json"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(!run.err.contains("error"), "{}", run.err);
    let json = run.json();
    assert_eq!(json["end"], "resolved");
    assert_eq!(json["score"]["points"], json["score"]["of"], "{json:#}");
}

#[test]
fn a_drill_of_a_day_that_is_far_away_is_played_like_any_other() {
    for begins in ["1971-01-01T00:00:00Z", "2999-12-31T23:59:00Z"] {
        let text = include_str!("../../assets/scenarios/bad-deploy.yaml")
            .replace("begins: 2026-05-07T16:00:00Z", &format!("begins: {begins}"))
            .replace("runbooks: [runbooks/bad-deploy.yaml]\n", "");
        let (shelved, findings) = shelf::of_text(Path::new("x.yaml"), &text);
        assert!(findings.iter().all(|f| f.level != Level::Error), "{findings:?}");
        let scenario = shelved.unwrap().scenario;
        let start: Timestamp = begins.parse().unwrap();
        let finished = play(Stage::new(scenario, 1), Vec::new(), "ada", Responder::Random, &mut || {});
        sound(&finished, begins);
        assert!(finished.stage.ended().unwrap().at <= start + mins(41));
    }
}
