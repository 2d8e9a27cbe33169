//! Game days as a script sees them: the example, hostile sheets each with their message, and a day that is gone through from its
//! beginning to its report, with a drill and an experiment that are really begun.

use crate::cli::Machine;
use midwatch::domain::document::Level;
use midwatch::domain::gameday::keys::GAME_DAY;
use midwatch::domain::gameday::read::read;
use midwatch::domain::gameday::schema;
use midwatch::domain::runbook::keys::places;

const HEAD: &str = "kind: GameDay\ntitle: t\nroles: {owner: a, coordinator: b}\n";

#[test]
fn the_example_is_clean_and_uses_the_keys() {
    let text = include_str!("../../assets/gameday.yaml");
    let (day, findings) = read("gameday.yaml", text);
    assert_eq!(findings, vec![]);
    assert_eq!(day.unwrap().entries.len(), 5);
    let (page, schema) = (schema::markdown(), schema::text());
    for (_, object) in places(&GAME_DAY) {
        for key in object.keys {
            assert!(page.contains(key.name) && schema.contains(&format!("\"{}\"", key.name)), "{}", key.name);
        }
    }
    let machine = Machine::new();
    assert_eq!(machine.run("gameday --example").out, text);
    machine.write("day.yaml", text);
    assert_eq!(machine.run("gameday c/day.yaml --check").code, 0);
    machine.write("day.yaml", &text.replace("pool-exhaustion", "pool-exhaustoin"));
    let said = machine.run("gameday c/day.yaml --check");
    assert!(said.code == 1 && said.out.contains("nearest: `pool-exhaustion`"), "{}", said.out);
}

#[test]
fn hostile_sheets_each_get_their_message() {
    for (tail, want) in [
        ("", "1:1: error: the game day has no `entries`"),
        ("entries: []\n", "4:10: error: `entries` is empty"),
        (
            "entries: [{at: 10m, title: a}, {at: 5m, title: b}]\n",
            "4:32: error: it is at 5m, before `a` above it at 10m",
        ),
        ("entries: [{at: 1m, title: a}, {at: 5m, title: a}]\n", "4:31: error: `a` stands twice"),
        ("entries: [{at: 1m, title: a, who: ownr}]\n", "error: nobody is the `ownr` (nearest: `owner`)"),
        (
            "entries: [{at: 1m, title: a, scenario: s, experiment: e}]\n",
            "error: an entry begins a scenario or an experiment, not both",
        ),
        (
            "entries: [{at: 1m, title: a, experiment: e, speed: 10}]\n",
            "error: `speed` does nothing without a `scenario`",
        ),
        (
            "entries: [{at: 1m, title: a, scenario: s, speed: 100}]\n",
            "error: speed is `100` (expected a whole number from 1 to 60)",
        ),
        ("entries: [{at: 1m, title: a, reveals: [b]}, {at: 2m, title: b, not_yet: [x]}]\n", "error: `b` comes later"),
        ("entries: [{at: 1m, title: a, reveals: [c]}]\n", "error: there is no entry `c`"),
        (
            "entries: [{at: 1m, title: a, not_yet: [pool]}, {at: 2m, title: b, tell: 'Look at the pool!'}, {at: 3m, title: c, reveals: [a]}]\n",
            "error: `b` tells `pool`, which `a` keeps back",
        ),
        ("entries: [{at: 1m, title: a, not_yet: [pool]}]\n", "warning: nothing `reveals` what `a` keeps back"),
        ("entries: [{at: 2d, title: a}]\n", "error: at is `2d` (expected at most 24h from the beginning)"),
        ("zone: Mars/Base\nentries: [{at: 1m, title: a}]\n", "error: `Mars/Base` is no time zone"),
        ("starts: '25:00'\nentries: [{at: 1m, title: a}]\n", "error: starts is `25:00`"),
        ("date: tomorrow\nentries: [{at: 1m, title: a}]\n", "error: date is `tomorrow`"),
        ("entires: []\n", "error: unknown key `entires` in the game day (nearest: `entries`)"),
    ] {
        let (day, findings) = read("d.yaml", &format!("{HEAD}{tail}"));
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.contains(want)), "{tail}: {told:?}");
        assert_eq!(day.is_none(), findings.iter().any(|f| f.level == Level::Error), "{tail}");
    }
    let (_, findings) =
        read("d.yaml", "kind: GameDay\ntitle: t\nroles: {coordinator: b}\nentries: [{at: 1m, title: a}]\n");
    assert!(findings[0].message.contains("nobody is the `owner`"), "{findings:?}");
}

#[test]
fn a_day_is_gone_through_and_reported() {
    let machine = Machine::new();
    let here = machine.dir.path().display();
    machine.write("config.yaml", "responder: {name: ben}\nexperiments: [experiments/]\n");
    machine.write(
        "experiments/touch.yaml",
        &format!(
            "kind: Experiment\nid: touch\nhypothesis: It holds\nblast_radius: {{environment: sandbox}}\nduration: 3s\nevery: 1s\nrecovery: 5s\n\
             steady: [{{sh: 'true', for: 1s}}]\nabort: [{{sh: 'false'}}]\nmethod: [{{argv: [touch, {here}/on], risk: change}}]\n\
             rollback: [{{argv: [touch, {here}/back]}}]\nsuccess: [{{sh: 'true'}}]\n"
        ),
    );
    machine.write(
        "day.yaml",
        &format!(
            "{HEAD}id: small\nentries:\n  - {{at: 0m, title: Welcome, tell: Hello}}\n  - {{at: 1m, id: pool, title: Drill, scenario: pool-exhaustion, not_yet: [pool], tell: It begins}}\n  \
             - {{at: 2m, title: Reveal, reveals: [pool]}}\n  - {{at: 3m, title: Touch, experiment: touch}}\n  - {{at: 4m, title: Lunch}}\nquestions: [What was new?]\n"
        ),
    );
    let sheet = ["gameday", "c/day.yaml"];
    let said = machine.pipe(&sheet, "1\n1\n2\n9\nnote the chat was quiet\n");
    assert_eq!(said.code, 0, "{} {}", said.out, said.err);
    for want in
        ["tell: Hello", "NOT YET: pool", "of 100 points", "`9` is no entry of the sheet", "the same command goes on"]
    {
        assert!(
            said.out.contains(want) || want == "of 100 points" && said.out.contains(" points"),
            "{want}: {}",
            said.out
        );
    }
    let team = machine.run("gameday c/day.yaml --team");
    assert!(team.out.contains("It begins") && !team.out.contains("pool"), "{}", team.out);
    assert_eq!(machine.args(&["gameday", "c/day.yaml", "--note", "seen from another terminal"]).code, 0);
    let said = machine.pipe(&sheet, "3\n3\n4\ny\nsandbox\n");
    assert!(said.out.contains("Touch: the hypothesis holds"), "{} {}", said.out, said.err);
    assert!(machine.dir.path().join("back").exists());
    assert!(machine.run("gameday c/day.yaml --team").out.contains("it was about: pool"));
    let said = machine.pipe(&sheet, "skip 5 nobody is hungry\nend\n");
    assert!(said.out.contains("the sheet is done") && said.out.contains("report: "), "{}", said.out);
    let report = machine.run("gameday c/day.yaml --report").out;
    for want in [
        "DRILL-",
        "EXP-",
        "the hypothesis holds",
        "LEFT OUT: nobody is hungry",
        "seen from another terminal",
        "pool (told)",
        "What was new?",
    ] {
        assert!(report.contains(want), "{want}: {report}");
    }
    let json = machine.run("gameday c/day.yaml --report -o json").json();
    assert_eq!(json["entries"].as_array().unwrap().len(), 5);
    assert_eq!(machine.run("gameday c/day.yaml --read-only").code, 1);
}
