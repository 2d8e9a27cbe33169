//! Acts on incidents at a paging product from the command line, on an account that keeps what was really done.

use crate::cli::Machine;
use crate::contract::pagerduty::PagerDutyRig;
use crate::stateful_server::Trouble;

fn machine(rig: &PagerDutyRig) -> Machine {
    let machine = Machine::new();
    machine.write("config.yaml", &rig.section(false));
    machine
}

fn done(rig: &PagerDutyRig) -> Vec<(String, String)> {
    rig.server.with(|account| account.ledger.clone())
}

#[test]
fn what_wakes_nobody_is_sent_at_once_and_recorded() {
    let rig = PagerDutyRig::user();
    let machine = machine(&rig);
    for (args, did) in [
        (&["pages", "ack", "P1"][..], "acknowledge"),
        (&["pages", "snooze", "#101", "--minutes", "30"], "snooze"),
        (&["pages", "note", "pd/P1", "pool is full"], "note"),
        (&["pages", "title", "P1", "api: pool is full"], "title"),
        (&["pages", "resolve", "P2", "--text", "deploy rolled back"], "resolve"),
    ] {
        let said = machine.args(&[args, &["-o", "json"]].concat());
        assert_eq!(said.code, 0, "{args:?}: {}", said.err);
        let json = said.json();
        assert_eq!((json["sent"].as_bool(), json["state"].as_str()), (Some(true), Some("done")), "{did}: {json}");
        assert_eq!(json["target"], "pd");
    }
    let done = done(&rig);
    assert_eq!(done.len(), 5, "{done:?}");
    rig.server.with(|account| {
        assert_eq!(account.incident("P1")["status"], "acknowledged");
        assert_eq!(account.incident("P1")["title"], "api: pool is full");
        assert_eq!(account.incident("P2")["status"], "resolved");
    });
    assert_eq!(machine.run("outbox list --all -o json").json()["operations"].as_array().unwrap().len(), 5);
    // Again it is done already, and that is no failure.
    let again = machine.args(&["pages", "ack", "P1", "-o", "json"]);
    assert_eq!((again.code, again.json()["state"].as_str()), (0, Some("already done")), "{}", again.err);
}

#[test]
fn what_wakes_people_shows_them_and_wants_a_yes() {
    let rig = PagerDutyRig::user();
    let machine = machine(&rig);
    for (args, named) in [
        (&["pages", "reassign", "P1", "--to", "grace"][..], "Grace"),
        (&["pages", "join", "P1", "--to", "grace", "--message", "please look"], "Grace"),
        (&["pages", "escalate", "P1", "--level", "2"], "pages "),
    ] {
        let before = done(&rig).len();
        let asked = machine.args(args);
        assert_eq!(asked.code, 1, "{args:?}: {}", asked.err);
        assert!(asked.err.contains(named) && asked.err.contains("--yes sends it"), "{}", asked.err);
        assert_eq!(done(&rig).len(), before, "{args:?} was sent");
        let sent = machine.args(&[args, &["--yes", "-o", "json"]].concat());
        assert_eq!((sent.code, sent.json()["sent"].as_bool()), (0, Some(true)), "{args:?}: {}", sent.err);
        assert_eq!(done(&rig).len(), before + 1, "{args:?}");
        assert!(sent.json()["wakes"].as_array().is_some_and(|wakes| !wakes.is_empty()), "{args:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_is_known() {
    let rig = PagerDutyRig::user();
    let machine = machine(&rig);
    for (args, code, why) in [
        (&["pages", "ack", "P9"][..], 1, "`P9` is not open"),
        (&["pages", "reassign", "P1", "--to", "nobody", "--yes"], 1, "(known: "),
        (&["pages", "priority", "P1", "PX"], 1, "expected one of"),
        (&["pages", "snooze", "P1", "--minutes", "0"], 1, "1 to"),
        (&["pages", "merge", "P1", "P1"], 1, "merged into"),
        (&["pages", "unlink", "P1", "--reason", "x"], 1, "belongs to no open incident"),
        (&["--read-only", "pages", "ack", "P1"], 1, "read-only"),
        (&["pages", "snooze", "P1"], 2, "--minutes"),
    ] {
        let said = machine.args(args);
        assert_eq!(said.code, code, "{args:?}: {}", said.err);
        assert!(said.err.contains(why), "{args:?}: {}", said.err);
    }
    assert_eq!(done(&rig), []);
}

#[test]
fn a_page_is_linked_to_an_incident_and_ends_with_its_words() {
    let rig = PagerDutyRig::user();
    let machine = machine(&rig);
    assert_eq!(machine.args(&["incident", "declare", "--title", "pool is full", "--severity", "SEV3"]).code, 0);
    assert_eq!(machine.args(&["pages", "link", "P1", "--incident", "last"]).code, 0);
    let twice = machine.args(&["pages", "link", "P1", "--incident", "last"]);
    assert!(twice.code == 1 && twice.err.contains("already"), "{}", twice.err);
    assert_eq!(machine.args(&["pages", "unlink", "P1", "--reason", "another matter"]).code, 0);
    assert_eq!(machine.args(&["pages", "link", "P1", "--incident", "last"]).code, 0);
    // What is sent for a linked one is in the timeline of its incident.
    assert_eq!(machine.args(&["pages", "note", "P1", "we look at it"]).code, 0);
    let timeline = machine.run("incident timeline last --format text").out;
    assert!(timeline.contains("we look at it"), "{timeline}");
    let resolved = machine.args(&["incident", "resolve", "last", "--summary", "deploy rolled back"]);
    assert_eq!(resolved.code, 0, "{}", resolved.err);
    let waiting = machine.run("outbox list -o json").json();
    let op = &waiting["operations"][0];
    assert!(op.to_string().contains("resolve P1"), "{waiting}");
}

#[test]
fn an_account_that_is_away_is_a_source_that_failed_and_a_lost_answer_is_looked_up() {
    let rig = PagerDutyRig::user();
    let machine = machine(&rig);
    rig.server.script([Trouble::LostReply]);
    let sent = machine.args(&["pages", "ack", "P1", "-o", "json"]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    assert_eq!(done(&rig).iter().filter(|(what, _)| what == "acknowledge").count(), 1);
    let away = Machine::new();
    away.write("config.yaml", &rig.section(false).replace(&rig.server.url(), "http://127.0.0.1:9"));
    let said = away.args(&["pages", "ack", "P1"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("not all did"), "{}", said.err);
}
