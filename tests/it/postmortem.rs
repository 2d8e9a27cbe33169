//! Drafts of a postmortem: what a person reads, that nothing is lost, and that outside text stays in its place.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod exports;
mod story;
mod structure;

use crate::postmortem::story::{HOSTILE, Log, Words, at, berlin, histories, log, plain, settings, told};
use crate::postmortem::structure::structure;
use chrono::TimeDelta;
use midwatch::domain::document::Level;
use midwatch::domain::export::{Format, export};
use midwatch::domain::incident::event::{Act, Body, Import, Mark};
use midwatch::domain::incident::linked::BackendLine;
use midwatch::domain::incident::state::Incident;
use midwatch::domain::postmortem::draft::{check, outline};
use midwatch::domain::postmortem::facts::{Facts, facts};
use midwatch::domain::postmortem::file_name;
use midwatch::domain::postmortem::picture::pictures;
use midwatch::domain::postmortem::reference::{NAMES, knows};
use midwatch::domain::postmortem::render::{A, B, C, Draft, Template, finish, render};
use midwatch::domain::search::{Similar, Trait, Why};
use midwatch::domain::time::secs;
use proptest::prelude::*;

fn draft(template: Template<'_>, facts: &Facts) -> Draft {
    render(template, facts).unwrap_or_else(|finding| panic!("{finding}"))
}

#[test]
fn the_templates_read_well() {
    let (incident, _, facts) = told(&plain());
    assert_eq!(file_name(&incident), "2026-05-01-INC-20260501-235204.md");
    settings().bind(|| {
        for (name, template) in
            [("postmortem_a", Template::A), ("postmortem_b", Template::B), ("postmortem_c", Template::C)]
        {
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
    for template in [Template::A, Template::B, Template::C] {
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
    for (template, want) in [(Template::A, 10), (Template::B, 17), (Template::C, 20)] {
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
    assert_eq!(d.total, "5m (from declaration, goes on)");
    assert_eq!(d.ttd, "unknown (no burn rate that shows its beginning)");
    assert_eq!(d.tta, "unknown (no acknowledgement)");
    assert_eq!(d.ttm, "unknown (no mitigation)");
    assert_eq!(d.ttr, "unknown (no resolution)");
    assert_eq!(facts.times.detected.text, "unknown (no alert and no time of detection)");
    assert!(!facts.times.resolved.known && facts.times.resolved.local.is_none());
    assert_eq!(facts.objectives[0].text, "unknown (no sample)");
    for template in [Template::A, Template::B, Template::C] {
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
    assert_eq!(d.tta, "36s (from declaration)");
    assert_eq!(d.ttm, "21m30s (from detection)");
    assert_eq!(d.ttr, "31m30s (from detection)");
    assert_eq!(facts.severities[0].lasted, "8m56s");
    assert_eq!(facts.severities[1].lasted, "19m");
    assert_eq!(facts.objectives[1].text, "3.1 % burned (net 3.0 %), 61.2 % left");
    assert_eq!(facts.hypotheses.len(), 1, "the retracted one is not open");
    assert_eq!(facts.findings[0].text, "pool saturated on checkout-7 and checkout-9");
    assert_eq!(facts.participants, ["alice", "bob"]);
    let results: Vec<_> = facts.commands.iter().map(|c| (c.result.as_str(), c.took.as_str())).collect();
    let unknown = "unknown (no end recorded)";
    let ended = ("exit 0", "2.3 s");
    assert_eq!(results, [ended, ("timed out", "2.3 s"), (unknown, unknown), ended, ended, ended, (unknown, unknown)]);
}

#[test]
fn every_change_says_whether_it_helped_and_whether_it_is_still_there() {
    let (_, _, facts) = told(&plain());
    let told: Vec<String> = facts
        .changes
        .iter()
        .map(|c| {
            let approved = c.approved_by.as_deref().unwrap_or("nobody");
            format!(
                "{} by {} ({approved}) | {} | {} | {} | {}",
                c.what, c.actor, c.verified, c.rolled_back, c.state, c.stands
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "Scale out by alice (carol (unverified)) | did not hold (14\\.2): burn rate of checkout\\_success (5m) \\< 1 for 5m | \
             at 2026-05-02 00:04:53Z by alice | rolled back | false",
            "Undo the deploy by alice (nobody) | held from 2026-05-02 00:04:58Z: burn rate of checkout\\_success (5m) \\< 1 for 5m | \
             no, there is no way back: the bad version stays away | in force | true",
            "Restart one by alice (nobody) | not watched | no, and the runbook does not say how | unknown (no end recorded) | true",
        ]
    );
    assert!(facts.changes.iter().all(|c| c.target == "bastion1 as oncall"));
    for template in [Template::A, Template::B] {
        let text = draft(template, &facts).text;
        let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| ") && l.matches(" | ").count() == 6).collect();
        assert_eq!(rows.len(), 4, "a head and a row each: {text}");
        assert!(text.contains("2 of 3 may still be in force"));
        assert_eq!(text.matches("[[BLANK: whether it stays]]").count(), 2);
    }
    let none = Facts { changes: Vec::new(), ..facts };
    assert!(!draft(Template::A, &none).text.contains("may still be"), "nothing is said where nothing was changed");
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

#[test]
fn outside_text_adds_no_structure() {
    let (_, _, harmless) = told(&plain());
    for hostile in HOSTILE {
        let words = Words(Box::new(move |text: &str| format!("{hostile} {text} {hostile}")));
        let (incident, events, facts) = told(&words);
        for template in [Template::A, Template::B, Template::C] {
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
        ("ok\n{{ no_such_name }}", 2, "undefined: `no_such_name`; no draft"),
        ("ok\n\n{{ times.no_such }}", 3, "undefined: `times.no_such`; no draft"),
        ("{{ times.impct }}", 1, "undefined: `times.impct` (did you mean `times.impact`?)"),
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
    let place = |text| own(text).map_err(|finding| (finding.line, finding.column)).unwrap_err();
    assert_eq!((place("é {{ comander }}"), place("é\né é {{ id }} {{ comander }}")), ((1, 6), (2, 17)));
    let long = "x".repeat(300_000);
    assert!(own(&long).unwrap_err().message.contains("limit"));
    assert_eq!(Template::named("a"), Some(Template::A));
    assert_eq!((Template::named("c"), Template::named("d")), (Some(Template::C), None));
    assert!(A.contains("keep") && B.contains("keep"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
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
        for template in [Template::A, Template::B, Template::C] {
            prop_assert_eq!(draft(template, &facts).blanks, check(&draft(template, &facts).text).len());
        }
    }
}

fn like() -> Similar {
    Similar {
        incident: "INC-20260401-101500".into(),
        title: "Checkout | slow".into(),
        severity: "SEV2".into(),
        declared: Some(at("01T10:15:00")),
        resolution: Some("raised the pool".into()),
        score: 7.0,
        why: vec![Why::Same(Trait::Alert, "HighLatency".into()), Why::Words(vec!["pool".into()])],
    }
}

/// Paths of all values in a context; elements of lists share one.
fn paths(value: &serde_json::Value, at: &str, out: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                out.insert(path.clone());
                paths(field, &path, out);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| paths(item, at, out)),
        _ => {}
    }
}

#[test]
fn the_reference_names_what_there_is_and_nothing_else() {
    let (incident, mut events, _) = told(&plain());
    let of = events[3].key.clone();
    let mut log = Log { events: std::mem::take(&mut events) };
    for (n, mark) in [Mark::Pin, Mark::Tag("db".into())].into_iter().enumerate() {
        log.add(&format!("02T00:2{n}:00"), "alice", Body::Marked { of: of.clone(), mark, on: true });
    }
    let incident = Incident::fold(&log.events).unwrap_or(incident);
    let facts =
        facts(&incident, &log.events, &histories(&plain()), berlin(), at("02T00:30:00")).with_similar(&[like()]);
    let mut there = std::collections::BTreeSet::new();
    paths(&serde_json::to_value(&facts).unwrap(), "", &mut there);
    for path in &there {
        assert!(knows(path), "{path} is in no reference");
    }
    for name in NAMES.iter().filter(|name| name.path != "blanks") {
        let there = there.contains(name.path);
        assert!(there, "{} is in no context", name.path);
    }
}

#[test]
fn a_pagers_log_says_when_somebody_was_paged_and_took_it() {
    let mut log = Log { events: Vec::new() };
    let declared = Body::Declared {
        title: "x".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    log.add("01T03:12:00", "alice", declared);
    for (when, act, who) in [("01T03:10:00", Act::Page, "bob"), ("01T03:11:30", Act::Ack, "bob")] {
        let import = Import { from: "pagerduty".into(), act, who: who.into(), text: "x".into(), ..Import::default() };
        log.add(when, "alice", Body::Imported(import));
    }
    // What a product or a host did names a service or a program, which takes no part.
    let journal = Import { from: "journal".into(), who: "db1 postgres".into(), text: "x".into(), ..Import::default() };
    log.add("01T03:11:40", "alice", Body::Imported(journal));
    for (n, action, by) in [("1", "trigger", "api"), ("2", "notify", "api"), ("3", "acknowledge", "carol")] {
        log.add(
            "01T03:11:50",
            "midwatch",
            Body::BackendLogged(Box::new(BackendLine {
                target: "pd".into(),
                page: "P1".into(),
                number: None,
                line: n.into(),
                action: action.into(),
                by: Some(by.into()),
                text: "x".into(),
            })),
        );
    }
    let incident = Incident::fold(&log.events).unwrap();
    assert_eq!(incident.times.responded, None, "what was taken in is no act of a person here");
    let facts = facts(&incident, &log.events, &[], berlin(), at("01T04:00:00"));
    assert_eq!(facts.times.paged.text, "2026-05-01 03:10:00Z");
    assert_eq!(facts.times.acknowledged.basis.as_deref(), Some("the pager's log, by bob"));
    assert_eq!(facts.durations.tta, "1m30s (from page)");
    assert_eq!(facts.durations.ttm_impact, "unknown (no burn rate that shows its beginning)");
    assert_eq!(facts.participants, ["alice", "bob", "carol"]);
}

#[test]
fn people_choose_what_the_postmortem_tells() {
    let (_, events, before) = told(&plain());
    let mut log = Log { events };
    let (out, pinned) = (log.events[5].key.clone(), log.events[6].key.clone());
    log.add("02T00:20:00", "alice", Body::Marked { of: out.clone(), mark: Mark::Exclude, on: true });
    log.add("02T00:21:00", "alice", Body::Marked { of: pinned, mark: Mark::Pin, on: true });
    let make = |log: &Log| {
        let incident = Incident::fold(&log.events).unwrap();
        facts(&incident, &log.events, &histories(&plain()), berlin(), at("02T00:30:00"))
    };
    let chosen = make(&log);
    assert_eq!((chosen.timeline.len(), chosen.excluded, chosen.pinned.len()), (before.timeline.len() - 1, 1, 1));
    let text = draft(Template::C, &chosen).text;
    assert!(text.contains(" (pinned)\n") && text.contains("1 of the record's entries are left out"), "{text}");
    log.add("02T00:22:00", "alice", Body::Marked { of: out, mark: Mark::Exclude, on: false });
    assert_eq!(make(&log).timeline.len(), before.timeline.len());
}

#[test]
fn similar_incidents_and_pictures_are_in_the_third_template() {
    let (incident, _, facts) = told(&plain());
    let drawn = draft(Template::C, &facts.with_similar(&[like()]));
    assert!(drawn.text.contains("- INC-20260401-101500 (SEV2, 2026-05-01) Checkout \\| slow: same alert HighLatency; words: pool; ended by: raised the pool\n"), "{}", drawn.text);
    let pictures = pictures(&incident, &histories(&plain()));
    assert!(!pictures.is_empty());
    for (name, svg) in &pictures {
        assert!(drawn.text.contains(&format!("]({name})")), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
        assert!(svg.starts_with("<svg ") && !svg.contains("href"), "{svg}");
    }
    assert_eq!(finish(&drawn.raw), (drawn.text.clone(), drawn.blanks));
    assert!(!C.to_lowercase().contains("root cause"), "it asks for factors, not for the one cause");
}
