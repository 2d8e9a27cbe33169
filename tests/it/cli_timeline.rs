//! Timelines in and out as a script sees them: import with its preview, redaction, marks, search, the check of the record.

use crate::cli::Machine;
use serde_json::Value;

const CHAT: &str =
    "[05:12] alice: api is down\n[05:13] bob: token is hunter2-SECRET\nand more\n[05:14] alice: =HYPERLINK(1)\n";

fn configured() -> (Machine, String) {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: carol}\ntime_zone: UTC\n");
    let out = machine.args(&["incident", "declare", "--title", "API slow", "--severity", "sev2", "--service", "api"]);
    assert_eq!(out.code, 0, "{}", out.err);
    let id = out.out.trim().to_owned();
    (machine, id)
}

fn timeline(machine: &Machine, id: &str) -> Vec<Value> {
    let out = machine.args(&["incident", "timeline", id, "-o", "json"]);
    assert_eq!(out.code, 0, "{}", out.err);
    out.json()["timeline"].as_array().unwrap().clone()
}

#[test]
fn a_chat_is_shown_before_it_is_taken_in_and_taken_in_once() {
    let (machine, id) = configured();
    let before = timeline(&machine, &id).len();
    let out = machine.pipe(&["incident", "import", &id, "-"], CHAT);
    assert_eq!(out.code, 1);
    assert!(out.err.contains("--zone"), "{}", out.err);
    let import = |more: &[&str]| {
        let args: Vec<&str> = ["incident", "import", &id, "-", "--zone", "UTC"].iter().chain(more).copied().collect();
        machine.pipe(&args, CHAT)
    };
    let shown = import(&[]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("(UTC)") && shown.out.contains("api is down"), "{}", shown.out);
    assert!(shown.err.contains("nothing was recorded"), "{}", shown.err);
    assert_eq!(timeline(&machine, &id).len(), before);

    let done = import(&["--yes", "-o", "json"]).json();
    assert_eq!((done["shape"].as_str(), &done["recorded"], &done["already"]), (Some("chat"), &3.into(), &0.into()));
    let again = import(&["--yes", "-o", "json"]).json();
    assert_eq!((&again["recorded"], &again["already"]), (&0.into(), &3.into()));
    let rows = timeline(&machine, &id);
    assert_eq!(rows.len(), before + 3);
    let row = rows.iter().find(|row| row["text"] == "api is down").unwrap();
    assert_eq!(
        (row["kind"].as_str(), row["who"].as_str(), row["actor"].as_str()),
        (Some("import"), Some("alice"), Some("carol"))
    );
    assert_eq!(row["data"]["zone"], "UTC");
    let read_only = machine.pipe(&["--read-only", "incident", "import", &id, "-", "--zone", "UTC", "--yes"], CHAT);
    assert_eq!(read_only.code, 1);
}

#[test]
fn what_is_exported_is_read_back() {
    let (machine, id) = configured();
    assert_eq!(machine.pipe(&["incident", "import", &id, "-", "--zone", "UTC", "--yes"], CHAT).code, 0);
    let want: Vec<(String, String)> = timeline(&machine, &id)
        .iter()
        .map(|row| (row["at"].as_str().unwrap().to_owned(), row["text"].as_str().unwrap().replace('\n', "␊")))
        .collect();
    let (other, there) = configured();
    for form in ["csv", "jsonl"] {
        let text = machine.args(&["incident", "timeline", &id, "--format", form]).out;
        let read = other.pipe(&["incident", "import", &there, "-", "-o", "json"], &text);
        assert_eq!(read.code, 0, "{form}: {}", read.err);
        let lines = read.json()["lines"].as_array().unwrap().clone();
        let got: Vec<(String, String)> = lines
            .iter()
            .map(|row| (row["at"].as_str().unwrap().to_owned(), row["text"].as_str().unwrap().replace('\n', "␊")))
            .collect();
        assert_eq!(got, want, "{form}");
    }
    // In a table nothing is a formula, however it came in.
    let csv = machine.args(&["incident", "timeline", &id, "--format", "csv"]).out;
    assert!(csv.contains("\"'=HYPERLINK(1)\""), "{csv}");
}

#[test]
fn a_secret_is_taken_out_and_the_check_says_so() {
    let (machine, id) = configured();
    assert_eq!(machine.pipe(&["incident", "import", &id, "-", "--zone", "UTC", "--yes"], CHAT).code, 0);
    assert_eq!(machine.args(&["incident", "note", &id, "hunter2-SECRET was pasted"]).code, 0);
    let sound = machine.args(&["incident", "verify", &id]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    for (input, words) in [("", "three characters"), ("nothing like it", "no entry")] {
        let out = machine.pipe(&["incident", "redact", &id, "--containing", "--reason", "x"], input);
        assert_ne!(out.code, 0, "{input}");
        assert!(out.err.contains(words), "{input}: {}", out.err);
    }
    let why =
        machine.pipe(&["incident", "redact", &id, "--containing", "--reason", "hunter2-SECRET"], "hunter2-SECRET\n");
    assert!(why.code == 2 && why.err.contains("the reason holds"), "{}", why.err);
    let args = ["incident", "redact", &id, "--containing", "--reason", "a token", "-o", "json"];
    let out = machine.pipe(&args, "hunter2-SECRET\n");
    assert_eq!(out.code, 0, "{}", out.err);
    assert_eq!(out.json()["redacted"].as_array().unwrap().len(), 2);
    let rows = timeline(&machine, &id);
    assert!(!format!("{rows:?}").contains("SECRET"));
    assert!(
        rows.iter().any(|row| row["text"] == "[redacted] (text taken out: a token)" && row["redacted"] == "a token")
    );
    let verified = machine.args(&["incident", "verify", &id, "-o", "json"]);
    let json = verified.json();
    assert_eq!((verified.code, &json["sound"]), (0, &true.into()), "{json}");
    assert_eq!(json["redactions"].as_array().unwrap().len(), 2);
    assert_eq!((&json["redactions"][0]["by"], &json["redactions"][0]["done"]), (&"carol".into(), &true.into()));
    assert_eq!(machine.args(&["incident", "search", "hunter2"]).code, 1);
    // The same chat does not bring it back.
    assert_eq!(machine.pipe(&["incident", "import", &id, "-", "--zone", "UTC", "--yes"], CHAT).code, 0);
    assert!(!format!("{:?}", timeline(&machine, &id)).contains("SECRET"));
    let acked = machine.args(&["incident", "ack", &id]);
    assert_eq!(acked.code, 0);
    let seq = timeline(&machine, &id).iter().find(|row| row["kind"] == "acknowledged").unwrap()["seq"].to_string();
    let nothing = machine.args(&["incident", "redact", &id, &seq, "--reason", "x"]);
    assert!(nothing.code == 1 && nothing.err.contains("no text that can be taken out"), "{}", nothing.err);
}

#[test]
fn a_changed_record_is_not_sound() {
    let (machine, id) = configured();
    assert_eq!(machine.args(&["incident", "note", &id, "as it was"]).code, 0);
    let (other, _) = configured();
    let path = machine.data().join("midwatch.db");
    let sql = "UPDATE event SET body = replace(body, 'as it was', 'otherwise')";
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    for args in [vec!["incident", "verify"], vec!["incident", "verify", &id]] {
        let out = machine.args(&args);
        assert_eq!(out.code, 1, "{}", out.out);
        assert!(out.out.contains("WRONG") && out.out.contains("NOT SOUND"), "{}", out.out);
    }
    assert_eq!(other.args(&["incident", "verify"]).code, 0);
    assert_eq!(machine.args(&["incident", "verify", "INC-9"]).code, 1);
}

#[test]
fn entries_are_named_marked_and_filtered() {
    let (machine, id) = configured();
    for (kind, text) in [("note", "pool is full"), ("decision", "raise the limit"), ("finding", "pool leaks")] {
        assert_eq!(machine.args(&["incident", "note", &id, text, "--kind", kind]).code, 0);
    }
    let rows = timeline(&machine, &id);
    let name = |text: &str| rows.iter().find(|row| row["text"] == text).unwrap()["ref"].as_str().unwrap().to_owned();
    let refs = machine.args(&["incident", "timeline", &id, "--refs", "pool"]);
    assert!(refs.out.contains(&name("pool leaks")) && !refs.out.contains("raise"), "{}", refs.out);
    let seq = name("raise the limit").rsplit('#').next().unwrap().to_owned();
    assert_eq!(machine.args(&["incident", "pin", &id, &seq]).code, 0);
    assert_eq!(machine.args(&["incident", "tag", &id, &name("pool is full"), "--as", "db"]).code, 0);
    assert_eq!(machine.args(&["incident", "exclude", &id, &name("pool leaks")]).code, 0);
    assert_eq!(machine.args(&["incident", "pin", &id, &seq]).code, 1, "it is pinned already");
    assert_eq!(machine.args(&["incident", "pin", &id, "4711"]).code, 1);
    assert_eq!(machine.args(&["incident", "tag", &id, &seq, "--as", "two words"]).code, 1);
    let texts = |more: &[&str]| -> Vec<String> {
        let args: Vec<&str> = ["incident", "timeline", &id, "-o", "json"].iter().chain(more).copied().collect();
        let out = machine.args(&args).json();
        out["timeline"].as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&["--pinned"]), ["raise the limit"]);
    assert_eq!(texts(&["--tag", "db"]), ["pool is full"]);
    assert_eq!(texts(&["is:excluded"]), ["pool leaks"]);
    assert_eq!(texts(&["--kind", "finding", "--kind", "note"]), ["pool is full", "pool leaks"]);
    assert_eq!(texts(&["--who", "carol", "full"]), ["pool is full"]);
    assert_eq!(texts(&["--until", "2020-01-01T00:00:00Z"]).len(), 0);
    let found = machine.args(&["incident", "search", "pool", "kind:finding", "-o", "json"]).json();
    assert_eq!((&found["hits"][0]["text"], &found["hits"][0]["incident"]), (&"pool leaks".into(), &id.as_str().into()));
    assert_eq!(found["hits"][0]["ref"], name("pool leaks").as_str());
    let within = machine.args(&["incident", "search", "pool", "--in", &id, "--limit", "1", "-o", "json"]).json();
    assert_eq!(within["hits"].as_array().unwrap().len(), 1);
    assert_eq!(machine.args(&["incident", "search", "--", "-"]).code, 2);
    assert_eq!(machine.args(&["incident", "pin", &id, &seq, "--off"]).code, 0);
    assert_eq!(texts(&["--pinned"]).len(), 0);
}

#[test]
fn a_like_incident_is_told_with_why() {
    let (machine, first) = configured();
    assert_eq!(machine.args(&["incident", "resolve", &first, "--summary", "raised the limit"]).code, 0);
    let args = ["incident", "declare", "--title", "API slow again", "--severity", "sev3", "--service", "api"];
    let second = machine.args(&args).out.trim().to_owned();
    let json = machine.args(&["incident", "similar", &second, "-o", "json"]).json();
    assert_eq!(json["similar"][0]["incident"], first.as_str());
    assert_eq!(json["similar"][0]["resolution"], "raised the limit");
    assert_eq!(json["similar"][0]["why"][0], serde_json::json!({"what": "service", "value": "api"}));
    let people = machine.args(&["incident", "similar", &second]);
    assert!(people.out.contains("same service api"), "{}", people.out);
}
