//! Planned work: what is read, what is refused, and when it is.

use super::*;
use crate::domain::document::parse;
use crate::domain::slo::seed;
use crate::domain::time::rfc3339;

fn read_text(text: &str) -> (Vec<Maintenance>, Vec<String>) {
    let (node, mut findings) = parse("m.yaml", text);
    let mut reader = Reader::new("m.yaml");
    let found = read(&mut reader, "m.yaml", node.unwrap().get("maintenance").unwrap());
    findings.extend(reader.findings);
    (found, findings.iter().map(ToString::to_string).collect())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn told(all: &[Maintenance], from: &str, to: &str) -> Vec<String> {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    let objective = seed::read("slo.yaml", text).0.remove(0);
    let short = |t: Timestamp| rfc3339(t).chars().take(16).collect::<String>();
    stretches(all, &objective, at(from), at(to))
        .into_iter()
        .map(|s| format!("{} {} {}", short(s.from), short(s.to), s.name))
        .collect()
}

#[test]
fn once_and_again_in_a_zone() {
    let text = "maintenance:\n  - {name: move, start: '2026-03-20 23:00', end: '2026-03-21 01:00', time_zone: Europe/Berlin}\n\
        \x20 - {name: patch, start: 2026-03-15 02:00, duration: 1h, time_zone: Europe/Berlin, rrule: FREQ=WEEKLY;BYDAY=SU, except: [2026-03-22]}\n\
        \x20 - {name: other, start: 2026-03-01, duration: 2h, services: [web]}\n  - {name: ours, start: '2026-03-20T22:30:00+00:00', duration: 30m, objectives: [api_availability]}\n";
    let (all, findings) = read_text(text);
    assert_eq!(findings, Vec::<String>::new());
    // On 29 March the clock in Berlin goes from 02:00 to 03:00: work at 02:00 is at 01:00Z, as an hour before at 02:00Z.
    assert_eq!(
        told(&all, "2026-03-10T00:00:00Z", "2026-04-06T00:00:00Z"),
        [
            "2026-03-15T01:00 2026-03-15T02:00 patch",
            "2026-03-20T22:00 2026-03-21T00:00 move, ours",
            "2026-03-29T01:00 2026-03-29T02:00 patch",
            "2026-04-05T00:00 2026-04-05T01:00 patch",
        ]
    );
    assert_eq!(told(&all, "2026-03-15T01:59:00Z", "2026-03-15T01:59:30Z"), ["2026-03-15T01:00 2026-03-15T02:00 patch"]);
    assert_eq!(told(&all, "2026-03-15T02:00:00Z", "2026-03-15T03:00:00Z"), Vec::<String>::new());
}

#[test]
fn a_clock_that_goes_back_shows_the_first_of_two() {
    let berlin: Tz = "Europe/Berlin".parse().unwrap();
    let local = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    for (text, want) in [
        ("2026-10-25 02:30", "2026-10-25T00:30:00.000Z"),
        ("2026-10-25 03:30", "2026-10-25T02:30:00.000Z"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00.000Z"),
        ("2026-07-01 00:00", "2026-06-30T22:00:00.000Z"),
    ] {
        assert_eq!(rfc3339(instant(local(text), berlin)), want, "{text}");
    }
}

#[test]
fn all_that_is_wrong_is_said() {
    let text = "maintenance:\n  - {name: a, start: soon, duration: 1h}\n  - {name: b, start: 2026-01-01, duration: 1h, time_zone: Europe/Brelin}\n\
        \x20 - {name: c, start: 2026-01-01}\n  - {name: d, start: 2026-01-01, end: 2025-01-01}\n  - {name: e, start: 2026-01-01, duration: 1h, rrule: FREQ=HOURLY}\n\
        \x20 - {name: f, start: 2026-03-29 02:30, duration: 1h, time_zone: Europe/Berlin, excpet: []}\n  - {start: 2026-01-01, duration: 1h, end: 2026-01-02}\n  - 3\n";
    let (all, findings) = read_text(text);
    assert_eq!(all.len(), 1);
    assert_eq!(
        findings,
        [
            "m.yaml:2:22: error: start is `soon` (expected a time such as 2026-05-03 02:00 or 2026-05-03T02:00:00Z) [wrong-type]",
            "m.yaml:3:59: error: time_zone is `Europe/Brelin` (expected a zone such as Europe/Berlin; nearest: `Europe/Berlin`) [wrong-type]",
            "m.yaml:4:5: error: `c` has neither `duration` nor `end` [missing-key]",
            "m.yaml:5:5: error: `d` ends before it begins, or lasts over 31 days [maintenance]",
            "m.yaml:6:55: error: rrule `FREQ=HOURLY`: FREQ=HOURLY is not supported (expected DAILY, WEEKLY, MONTHLY or YEARLY) [rrule]",
            "m.yaml:7:80: error: unknown key `excpet` in a maintenance (nearest: `except`) [unknown-key]",
            "m.yaml:7:22: warning: start 2026-03-29 02:30 does not exist in Europe/Berlin: the clock is put forward; it begins after that [clock-change]",
            "m.yaml:8:5: error: a maintenance has no `name` [missing-key]",
            "m.yaml:9:5: error: a maintenance is `3` (expected a map) [wrong-type]",
        ]
    );
}

#[test]
fn a_grouped_row_belongs_to_its_template() {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    let objective = seed::read("slo.yaml", text).0.remove(0);
    let (all, _) =
        read_text("maintenance: [{name: x, start: 2026-01-01, duration: 1h, objectives: [api_availability]}]\n");
    let named = |id: &str| all[0].spares(&Objective { id: id.into(), ..objective.clone() });
    assert!(named("api_availability") && named("api_availability{job=\"a\"}") && !named("api_availability2"));
}
