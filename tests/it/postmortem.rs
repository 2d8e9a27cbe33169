//! Postmortems and timeline exports of one whole incident, harmless and hostile: what a person reads, and that outside
//! text stays in its place.

use chrono::{FixedOffset, TimeDelta};
use midwatch::domain::document::Level;
use midwatch::domain::export::{CHUNK, Format, export};
use midwatch::domain::ids::{Origin, SloId};
use midwatch::domain::incident::event::{
    Answer, At, Body, BudgetSample, CommandFinish, CommandStart, Event, EventKey, NoteKind, Role, Status, StepEnd,
};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::postmortem::draft::{check, outline};
use midwatch::domain::postmortem::facts::{Facts, facts};
use midwatch::domain::postmortem::file_name;
use midwatch::domain::postmortem::render::{A, B, Draft, Template, render};
use midwatch::domain::slo::reading::{History, Series, Window};
use midwatch::domain::time::{Timestamp, mins, secs};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    format!("2026-05-{text}Z").parse().unwrap()
}

fn berlin() -> FixedOffset {
    FixedOffset::east_opt(7_200).unwrap()
}

/// The words that come from outside, so that the same incident can be told with others.
struct Words<'w>(Box<dyn Fn(&str) -> String + 'w>);

impl Words<'_> {
    fn say(&self, text: &str) -> String {
        (self.0)(text)
    }
}

fn plain() -> Words<'static> {
    Words(Box::new(str::to_owned))
}

struct Log {
    events: Vec<Event>,
}

impl Log {
    fn add(&mut self, when: &str, actor: &str, body: Body) -> EventKey {
        let seq = self.events.len() as u64 + 1;
        let key = EventKey { origin: Origin::from("bastion1"), seq };
        self.events.push(Event {
            key: key.clone(),
            id: format!("id-{seq}"),
            incident: "INC-20260501-235204".into(),
            order: seq,
            at: at(when),
            recorded_at: at(when),
            actor: actor.to_owned(),
            body,
            hash: String::new(),
        });
        key
    }

    fn note(&mut self, when: &str, actor: &str, sort: NoteKind, text: String) -> EventKey {
        self.add(when, actor, Body::Note { sort, text })
    }

    fn command(&mut self, w: &Words<'_>, when: &str, run: &str, command: &str, end: Option<(&str, Option<i32>, &str)>) {
        let place = At { runbook: "api-latency".into(), step: "mitigate".into(), name: w.say("Mitigate") };
        self.add(
            when,
            &w.say("alice"),
            Body::CommandStarted(CommandStart {
                run: run.into(),
                place,
                command: w.say(command),
                argv: vec!["sh".into()],
                env: vec![],
                host: w.say("bastion1"),
                user: w.say("oncall"),
                timeout_s: 60,
                sha256: String::new(),
            }),
        );
        let Some((when, exit, reason)) = end else { return };
        let reason = exit.is_none().then(|| w.say(reason));
        let finish = CommandFinish {
            run: run.into(),
            exit,
            reason,
            took_ms: 2_310,
            bytes: 12,
            sha256: String::new(),
            excerpt: vec![],
        };
        self.add(when, "midwatch", Body::CommandFinished(finish));
    }
}

fn begin(w: &Words<'_>, log: &mut Log) {
    let alice = w.say("alice");
    log.add(
        "01T23:52:04",
        &alice,
        Body::Declared {
            title: w.say("Checkout 5xx after deploy"),
            severity: "SEV2".into(),
            service: Some(w.say("checkout")),
            detected_by: Some(w.say("CheckoutBudgetBurnFast")),
            detected_at: None,
        },
    );
    log.add(
        "01T23:52:05",
        "midwatch",
        Body::AlertLinked {
            fingerprint: "a7ffdcec7b6bae00".into(),
            name: w.say("CheckoutBudgetBurnFast"),
            labels: Default::default(),
            started_at: at("01T23:48:30"),
        },
    );
    log.add("01T23:52:06", "midwatch", Body::ObjectiveLinked { slo: SloId(w.say("checkout_success")) });
    log.add("01T23:52:06", "midwatch", Body::ObjectiveLinked { slo: SloId(w.say("checkout_latency")) });
    log.add("01T23:52:40", &alice, Body::Acknowledged);
    log.add("01T23:52:50", &alice, Body::RoleSet { role: Role::Commander, person: Some(alice.clone()) });
    log.add("01T23:53:10", &alice, Body::RoleSet { role: Role::Comms, person: Some(w.say("bob")) });
    log.add(
        "01T23:54:00",
        &alice,
        Body::StatusSet {
            to: Status::Investigating,
            message: Some(w.say("5xx since deploy 4f2a91, see the dashboard")),
        },
    );
}

fn work(w: &Words<'_>, log: &mut Log) {
    let (alice, bob) = (w.say("alice"), w.say("bob"));
    let place = || At { runbook: "api-latency".into(), step: "triage".into(), name: w.say("Triage") };
    log.add(
        "01T23:54:20",
        &alice,
        Body::RunbookOpened {
            runbook: "api-latency".into(),
            name: w.say("API latency"),
            steps: 4,
            sha256: String::new(),
        },
    );
    let question = w.say("Is the database slow?");
    log.add("01T23:55:00", &alice, Body::CheckAnswered { place: place(), check: 0, question, answer: Answer::Yes });
    log.add("01T23:55:10", &alice, Body::StepEnded { place: place(), end: StepEnd::Done });
    let wrong = log.note("01T23:56:00", &bob, NoteKind::Hypothesis, w.say("the cache is cold"));
    log.note("01T23:57:00", &bob, NoteKind::Hypothesis, w.say("the new pool size is too small"));
    log.add("01T23:58:00", &bob, Body::Retracted { of: wrong, reason: w.say("hit rate is 99 %") });
    let typo = log.note("01T23:58:30", &bob, NoteKind::Finding, w.say("pool saturated on checkout-7"));
    log.add(
        "01T23:59:00",
        &bob,
        Body::Corrected { of: typo, text: w.say("pool saturated on checkout-7 and checkout-9") },
    );
    log.add("02T00:01:00", &alice, Body::SeveritySet { to: "SEV1".into(), reason: w.say("over 10 % of users") });
    log.note("02T00:02:00", &alice, NoteKind::Decision, w.say("roll back to 4f2a90"));
    let undo = "kubectl rollout undo deploy/checkout | tee undo.log";
    log.command(w, "02T00:02:30", "run-1", undo, Some(("02T00:02:32", Some(0), "")));
    log.command(w, "02T00:03:00", "run-2", "kubectl get pods", Some(("02T00:03:09", None, "timed out")));
    log.command(w, "02T00:04:00", "run-3", "curl -s http://127.0.0.1:8080/healthz", None);
    log.add("02T00:05:00", &bob, Body::Update { audience: w.say("stakeholders"), text: w.say("rolling back") });
}

fn finish(w: &Words<'_>, log: &mut Log) {
    let alice = w.say("alice");
    log.add("02T00:10:00", &alice, Body::Mitigated);
    let name = w.say("CheckoutBudgetBurnFast");
    log.add(
        "02T00:12:00",
        "midwatch",
        Body::AlertChanged { fingerprint: "a7ffdcec7b6bae00".into(), name, to: "ended".into() },
    );
    let due = Some(w.say("2026-05-15"));
    log.add(
        "02T00:13:00",
        &alice,
        Body::ActionItem { text: w.say("alert on pool saturation"), owner: Some(w.say("bob")), due },
    );
    log.add("02T00:14:00", &alice, Body::ActionItem { text: w.say("load test the pool"), owner: None, due: None });
    let unknown = serde_json::json!({"kind": w.say("teleported"), "data": {"to": "Mars"}});
    log.add("02T00:14:30", "midwatch", Body::Unknown(unknown));
    log.add(
        "02T00:20:00",
        &alice,
        Body::Resolved { summary: w.say("rolled back to 4f2a90; error rate normal for 10 minutes") },
    );
    log.add(
        "02T00:20:01",
        "midwatch",
        Body::BudgetSampled(BudgetSample {
            slo: SloId(w.say("checkout_success")),
            moment: "resolved".into(),
            remaining: Some(0.612),
            burn_1h: Some(9.1),
            burn_5m: Some(f64::NAN),
            gross: Some(0.0314),
            net: Some(0.0301),
        }),
    );
    // Told late, happened early: it stands where it happened.
    log.note("01T23:50:00", &alice, NoteKind::Note, w.say("first customer call"));
}

fn log(w: &Words<'_>) -> Vec<Event> {
    let mut log = Log { events: Vec::new() };
    begin(w, &mut log);
    work(w, &mut log);
    finish(w, &mut log);
    log.events
}

fn histories(w: &Words<'_>) -> Vec<History> {
    let start = at("01T20:00:00");
    let points = (0..54)
        .map(|i| match i {
            0..=44 => Some(0.3),
            45..=47 => Some(f64::from(i - 43) * 3.0),
            48 => None,
            _ => Some(18.0),
        })
        .collect();
    let series = Series { window: Window::H1, start, step: mins(5), points };
    let slo = SloId(w.say("checkout_success"));
    vec![History { slo, series: vec![series], budget: None }]
}

fn told(w: &Words<'_>) -> (Incident, Vec<Event>, Facts) {
    let events = log(w);
    let incident = Incident::fold(&events).unwrap();
    let facts = facts(&incident, &events, &histories(w), berlin(), at("02T00:30:00"));
    (incident, events, facts)
}

fn draft(template: Template<'_>, facts: &Facts) -> Draft {
    render(template, facts).unwrap_or_else(|finding| panic!("{finding}"))
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// What no label, title or output should be able to do anything with.
const HOSTILE: [&str; 16] = [
    "# forged heading",
    "x\n## forged section\n- forged item",
    "[click](https://evil.example) ![img](http://evil.example/x.png)",
    "<script>alert(1)</script><!-- /keep --><img src=x>",
    "a | b | c |",
    "@everyone @alice a@b.example <!channel>",
    "```\n# out of the fence\n```",
    "[[BLANK: forged]] [[BLANK:",
    "<!-- keep -->",
    "\u{1b}[2J\u{202e}reversed\u{200b}\u{9b}",
    "https://evil.example www.evil.example",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "{{ facts }} {% include '/etc/passwd' %}",
    "1. one\r\n---\r\n===",
    "back\\slash \\| pipe ` tick `` two @` \\",
    "    indented\tcode & &lt;b&gt; *bold* _it_ ~~no~~ [^1]",
];

#[test]
fn both_templates_read_well() {
    let (incident, _, facts) = told(&plain());
    assert_eq!(file_name(&incident), "2026-05-01-INC-20260501-235204.md");
    settings().bind(|| {
        for (name, template) in [("postmortem_a", Template::A), ("postmortem_b", Template::B)] {
            insta::assert_snapshot!(name, draft(template, &facts).text);
        }
    });
}

#[test]
fn a_hostile_incident_reads_as_text() {
    let words = Words(Box::new(|text: &str| match text {
        "Checkout 5xx after deploy" => format!("{text}\n## Root Cause\nalice did it"),
        "the cache is cold" => format!("{text} [[BLANK: x]] <!-- /keep -->"),
        "5xx since deploy 4f2a91, see the dashboard" => "see https://evil.example @everyone | a".into(),
        "kubectl get pods" => "echo `date` | grep '[[BLANK: x]]'".into(),
        "bob" => "# bob".into(),
        text => text.to_owned(),
    }));
    let (_, _, facts) = told(&words);
    settings().bind(|| insta::assert_snapshot!("postmortem_a_hostile", draft(Template::A, &facts).text));
}

#[test]
fn every_event_is_in_both_drafts_exactly_once() {
    let (_, mut events, first) = told(&plain());
    events.rotate_left(9);
    events.extend(events.clone());
    let incident = Incident::fold(&events).unwrap();
    let again = facts(&incident, &events, &histories(&plain()), berlin(), at("02T00:30:00"));
    assert_eq!(first, again, "neither order nor duplicates matter");
    assert_eq!(first.timeline.len(), log(&plain()).len());
    assert_eq!(first.timeline.first().unwrap().when, "2026-05-01 23:50:00");
    assert_eq!(first.timeline.iter().filter(|line| line.when.len() > 8).count(), 2, "a date per day");
    for template in [Template::A, Template::B] {
        let text = draft(template, &first).text;
        let sections = outline(&text);
        let timeline = sections.iter().find(|s| s.title.starts_with("Timeline")).unwrap();
        let items: Vec<&String> = timeline.lines.iter().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(items.len(), first.timeline.len());
        for (item, line) in items.iter().zip(&first.timeline) {
            assert!(item.starts_with(&format!("- **{}** ", line.when)) && item.ends_with(&line.text), "{item}");
            assert_eq!(text.lines().filter(|l| l == *item).count(), 1, "{item}");
        }
    }
}

#[test]
fn the_seeds_headings_are_all_there() {
    for (template, seed) in [
        (Template::A, include_str!("../fixtures/seeds/postmortem-template-a.md")),
        (Template::B, include_str!("../fixtures/seeds/postmortem-template-b.md")),
    ] {
        let (_, _, facts) = told(&plain());
        let sections = outline(&draft(template, &facts).text);
        let mut have = sections.iter().map(|s| (s.level, s.title.clone()));
        let wanted = seed.lines().map(str::trim_start).filter(|line| line.starts_with("##"));
        for heading in wanted {
            let title = heading.trim_start_matches('#');
            let level = heading.len() - title.len();
            assert!(have.any(|h| h == (level, title.trim().to_owned())), "{heading} in its order");
        }
        let fields =
            seed.lines().filter_map(|l| l.trim_start().trim_start_matches("- ").strip_prefix("**")?.split("**").next());
        for field in fields.map(|f| f.trim_end_matches(':')).filter(|f| *f != "HH:MM") {
            assert!(sections.iter().any(|s| s.lines.iter().any(|l| l.contains(&format!("**{field}")))), "{field}");
        }
    }
}

#[test]
fn blanks_are_counted_in_the_head() {
    let (_, _, facts) = told(&plain());
    for (template, want) in [(Template::A, 8), (Template::B, 15)] {
        let draft = draft(template, &facts);
        assert_eq!(draft.blanks, check(&draft.text).len());
        assert_eq!(draft.blanks, want);
        assert!(draft.text.contains(&format!("**Draft: {want} blanks for people.**")));
        assert_eq!(outline(&draft.text).iter().map(|s| s.blanks).sum::<usize>(), want);
        assert_eq!(draft.text.matches("<!-- keep -->").count(), draft.text.matches("<!-- /keep -->").count());
    }
}

#[test]
fn what_is_missing_is_unknown_and_never_zero() {
    let mut log = Log { events: Vec::new() };
    let title = "just declared".to_owned();
    log.add(
        "01T03:00:00",
        "alice",
        Body::Declared { title, severity: "SEV3".into(), service: None, detected_by: None, detected_at: None },
    );
    log.add("01T03:01:00", "alice", Body::ObjectiveLinked { slo: "api".into() });
    let incident = Incident::fold(&log.events).unwrap();
    let facts = facts(&incident, &log.events, &[], berlin(), at("01T03:05:00"));
    let d = &facts.durations;
    assert_eq!(d.total, "5m (from declared, goes on)");
    assert_eq!(d.ttd, "unknown (no burn rate that shows its beginning)");
    assert_eq!(d.tta, "unknown (no acknowledgement)");
    assert_eq!(d.ttm, "unknown (no mitigation)");
    assert_eq!(d.ttr, "unknown (no resolution)");
    assert_eq!(facts.times.detected.text, "unknown (no alert and no time of detection)");
    assert!(!facts.times.resolved.known && facts.times.resolved.local.is_none());
    assert_eq!(facts.objectives[0].text, "unknown (no sample)");
    for template in [Template::A, Template::B] {
        let text = draft(template, &facts).text;
        assert!(!text.contains("NaN") && !text.contains(" none ") && !text.contains(" 0s"), "{text}");
    }
}

#[test]
fn times_and_durations_have_a_basis() {
    let (_, _, facts) = told(&plain());
    let t = &facts.times;
    assert_eq!(t.impact.text, "2026-05-01 23:45:00Z");
    assert_eq!(t.impact.basis.as_deref(), Some("inferred: burn rate of checkout\\_success (1h) over 1"));
    assert_eq!(t.detected.text, "2026-05-01 23:48:30Z");
    assert_eq!(t.detected.local.as_deref(), Some("01:48:30 +02:00"));
    assert_eq!(t.mitigated.basis.as_deref(), Some("marked by alice"));
    let d = &facts.durations;
    assert_eq!(d.ttd, "3m30s (from beginning of impact)");
    assert_eq!(d.tta, "36s (from declared)");
    assert_eq!(d.ttm, "21m30s (from detected)");
    assert_eq!(d.ttr, "31m30s (from detected)");
    assert_eq!(facts.severities[0].lasted, "8m56s");
    assert_eq!(facts.severities[1].lasted, "19m");
    assert_eq!(facts.objectives[1].text, "3.1 % burned (net 3.0 %), 61.2 % left");
    assert_eq!(facts.hypotheses.len(), 1, "the retracted one is not open");
    assert_eq!(facts.findings[0].text, "pool saturated on checkout-7 and checkout-9");
    assert_eq!(facts.participants, ["alice", "bob"]);
    let results: Vec<_> = facts.commands.iter().map(|c| (c.result.as_str(), c.took.as_str())).collect();
    let unknown = "unknown (no end recorded)";
    assert_eq!(results, [("exit 0", "2.3 s"), ("timed out", "2.3 s"), (unknown, unknown)]);
}

#[test]
fn a_gap_before_the_burn_hides_its_beginning() {
    let (incident, events, _) = told(&plain());
    let mut histories = histories(&plain());
    histories[0].series[0].points[44] = None;
    let facts = facts(&incident, &events, &histories, berlin(), at("02T00:30:00"));
    assert!(!facts.times.impact.known);
    assert!(facts.durations.ttd.starts_with("unknown"));
}

/// What a Markdown reader would make of a line: its block, its cells, and what is live inside it.
#[derive(Debug, PartialEq)]
struct Shape {
    block: String,
    cells: usize,
    live: String,
}

/// The structure of a document, line by line. Code is read as GitHub reads it: pipes split cells before code is seen.
fn structure(text: &str) -> Vec<Shape> {
    let mut fenced = false;
    let mut shapes = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            shapes.push(Shape { block: "fence".into(), cells: 0, live: String::new() });
            continue;
        }
        let start = line.trim_start();
        let indent = line.len() - start.len();
        let digits = start.trim_start_matches(|c: char| c.is_ascii_digit());
        let block = match start.chars().next() {
            _ if fenced => "code".to_owned(),
            None => "blank".to_owned(),
            Some('#') => format!("heading {}", start.len() - start.trim_start_matches('#').len()),
            Some('-' | '+' | '*') if !start.starts_with("**") => format!("item {indent}"),
            Some('=') => "setext".to_owned(),
            Some('>') => "quote".to_owned(),
            Some('|') => "row".to_owned(),
            Some(_) if digits.len() < start.len() && digits.starts_with(['.', ')']) => "ordered".to_owned(),
            Some(_) => format!("text {}", indent.min(4)),
        };
        let (cells, live) = if fenced { (0, String::new()) } else { inline(line) };
        shapes.push(Shape { block, cells, live });
    }
    shapes
}

/// Unescaped pipes anywhere, and unescaped signs outside code.
fn inline(line: &str) -> (usize, String) {
    let chars: Vec<char> = line.chars().collect();
    let mut pipes = 0;
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '|' => pipes += 1,
            _ => {}
        }
        i += 1;
    }
    let mut live = String::new();
    let run = |from: usize| chars[from..].iter().take_while(|c| **c == '`').count();
    i = 0;
    while i < chars.len() {
        let c = chars[i];
        let rest: String = chars[i..].iter().take(4).collect();
        if c == '\\' && chars.get(i + 1).is_some_and(char::is_ascii_punctuation) {
            i += 2;
            continue;
        }
        if c == '`' {
            let long = run(i);
            let mut end = i + long;
            while end < chars.len() && (chars[end] != '`' || run(end) != long) {
                end += if chars[end] == '`' { run(end) } else { 1 };
            }
            if end < chars.len() {
                i = end + long;
                continue;
            }
            live.push('`');
            i += long;
            continue;
        }
        if matches!(c, '<' | '>' | '[' | ']' | '!' | '*' | '_' | '~' | '&' | '@') {
            live.push(c);
        } else if rest.starts_with("://") || rest.to_lowercase().starts_with("www.") {
            live.push_str("link");
        }
        i += 1;
    }
    (pipes, live)
}

#[test]
fn outside_text_adds_no_structure() {
    let (_, _, harmless) = told(&plain());
    for hostile in HOSTILE {
        let words = Words(Box::new(move |text: &str| format!("{hostile} {text} {hostile}")));
        let (incident, events, facts) = told(&words);
        for template in [Template::A, Template::B] {
            let (want, got) = (draft(template, &harmless), draft(template, &facts));
            assert_eq!(got.blanks, want.blanks, "{hostile}");
            let (want_shapes, got_shapes) = (structure(&want.text), structure(&got.text));
            for (i, (want, got_shape)) in want_shapes.iter().zip(&got_shapes).enumerate() {
                assert_eq!(got_shape, want, "{hostile}: line {}: {:?}", i + 1, got.text.lines().nth(i));
            }
            assert_eq!(got_shapes.len(), want_shapes.len());
            assert!(!got.text.chars().any(|c| c != '\n' && midwatch::domain::text::is_hidden(c)), "{hostile}");
        }
        let harmless_md = export(&incident, &events, berlin(), Format::Markdown).concat();
        assert_eq!(harmless_md.lines().filter(|l| l.starts_with("- **")).count(), events.len());
        assert!(
            structure(&harmless_md).iter().all(|s| s.cells == 0 && s.live.trim_matches('*').is_empty()),
            "{hostile}"
        );
        assert!(file_name(&incident).chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
    }
}

#[test]
fn a_template_of_ones_own_fails_with_its_line() {
    let (_, _, facts) = told(&plain());
    let own = |text| render(Template::Own { path: "team.md", text }, &facts);
    let draft = own("# {{ id }}\n{{ commander }} {{ times.impact.local }}\n[[BLANK: x]] {{ blanks }}\n").unwrap();
    assert_eq!(draft.text, "# INC-20260501-235204\nalice 01:45:00 +02:00\n[[BLANK: x]] 1");
    for (text, line, what) in [
        ("ok\n{{ no_such_name }}", 2, "undefined"),
        ("ok\n\n{{ times.no_such }}", 3, "undefined"),
        ("{% if %}", 1, "syntax error"),
        ("{% for x in [] %}", 1, "syntax error"),
        ("\n{% include '/etc/passwd' %}", 2, "unknown statement include"),
        ("{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}", 1, "fuel"),
    ] {
        let finding = own(text).unwrap_err();
        assert_eq!(
            (finding.path.as_str(), finding.line, finding.level),
            ("team.md", line, Level::Error),
            "{text}: {finding}"
        );
        assert!(finding.message.contains(what), "{finding}");
    }
    let long = "x".repeat(300_000);
    assert!(own(&long).unwrap_err().message.contains("limit"));
    assert_eq!(Template::named("a"), Some(Template::A));
    assert_eq!(Template::named("c"), None);
    assert!(A.contains("keep") && B.contains("keep"));
}

/// Reads quoted CSV back.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let row = |line: &str| {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.replace("\"\"", "\u{0}").chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                '\u{0}' => cells.last_mut().unwrap().push('"'),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    };
    text.lines().map(row).collect()
}

#[test]
fn exports_hold_every_event_and_no_formula() {
    for hostile in HOSTILE.into_iter().chain(["", "=1+1", "+1", "-1", "@SUM(1)", "  =1"]) {
        let words = Words(Box::new(move |text: &str| format!("{hostile} {text}")));
        let (incident, events, _) = told(&words);
        let count = events.len();
        let csv = read_csv(&export(&incident, &events, berlin(), Format::Csv).concat());
        assert_eq!(csv.len(), count + 1);
        assert_eq!(csv[0], ["at_utc", "at_local", "kind", "actor", "text", "ref"]);
        for row in &csv[1..] {
            assert_eq!(row.len(), 6, "{row:?}");
            assert!(row.iter().all(|cell| !cell.trim_start().starts_with(['=', '+', '-', '@'])), "{row:?}");
        }
        let jsonl = export(&incident, &events, berlin(), Format::JsonLines).concat();
        assert_eq!(jsonl.lines().count(), count);
        for line in jsonl.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let event = events.iter().find(|e| Some(e.key.seq) == value["seq"].as_u64()).unwrap();
            assert_eq!(value["actor"], event.actor.as_str(), "JSON loses nothing");
            assert!(!line.chars().any(midwatch::domain::text::is_hidden));
        }
        let text = export(&incident, &events, berlin(), Format::Text);
        assert!(
            text.iter().all(|chunk| chunk.chars().count() <= CHUNK && !chunk.contains('@') && !chunk.contains("<!"))
        );
        let lines: usize = text.iter().map(|chunk| chunk.lines().count() - 1).sum();
        assert_eq!(lines, count);
    }
}

#[test]
fn the_exports_look() {
    let (incident, events, _) = told(&plain());
    settings().bind(|| {
        for format in Format::ALL {
            let name = format!("timeline_{}", format.word());
            insta::assert_snapshot!(name, export(&incident, &events, berlin(), format).join("=====\n"));
            assert_eq!(Format::named(format.word()), Some(format));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn chunks_fit_whatever_the_texts(texts in proptest::collection::vec("(\\PC|\n){0,6000}", 1..6)) {
        let mut log = Log { events: Vec::new() };
        begin(&plain(), &mut log);
        for text in texts {
            log.note("01T23:59:00", "bob", NoteKind::Note, text);
        }
        let incident = Incident::fold(&log.events).unwrap();
        for chunk in export(&incident, &log.events, berlin(), Format::Text) {
            prop_assert!(chunk.chars().count() <= CHUNK);
        }
    }

    #[test]
    fn any_title_and_any_clock_make_a_draft(title in any::<String>(), shift in any::<i32>(), burn in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..80), step in any::<i32>()) {
        let words = Words(Box::new(move |text: &str| format!("{title}{text}")));
        let mut events = log(&words);
        for event in events.iter_mut().skip(1).step_by(2) {
            event.at += TimeDelta::seconds(i64::from(shift));
        }
        let incident = Incident::fold(&events).unwrap();
        let mut histories = histories(&words);
        histories[0].series[0].points = burn;
        histories[0].series[0].step = secs(i64::from(step));
        let facts = facts(&incident, &events, &histories, berlin(), at("02T00:30:00"));
        for template in [Template::A, Template::B] {
            prop_assert_eq!(draft(template, &facts).blanks, check(&draft(template, &facts).text).len());
        }
    }
}
