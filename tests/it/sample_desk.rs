//! Samples of the commander's desk and the hand-off, for the snapshots.

use crate::sample_views::{bit, s};
use midwatch::app::present::view::{BoardPage, BoardRow, HandOffPage, Pane, Sign, TimerRow, Tone};

fn row(sign: Sign, state: &str, text: &str, who: &str, tone: Tone) -> BoardRow {
    BoardRow { sign, state: s(state), text: s(text), who: s(who), tone }
}

fn pane(title: &str, note: &str, rows: Vec<BoardRow>) -> Pane<BoardRow> {
    Pane { title: s(title), note: s(note), rows, ..Pane::default() }
}

pub fn desk() -> BoardPage {
    let timer = |clock: &str, label: &str, due: bool| TimerRow {
        sign: if due { Sign::Page } else { Sign::Countdown },
        clock: s(clock),
        label: s(label),
        incident: s("INC-0311"),
        then: s(""),
        due,
    };
    let mut tasks = pane(
        "TASKS 3 open",
        "w gives one",
        vec![
            row(Sign::Page, "OVERDUE 2m10s", "ask the database team about the pool", "bob", Tone::Warn),
            row(Sign::Countdown, "back in 08:20", "find who merged 4fe1c2", "carol", Tone::Text),
            row(Sign::Countdown, "no time said", "write to the big customers", "nobody", Tone::Text),
            row(Sign::Ok, "done 03:09:11Z", "open the bridge: meet.example/inc", "ada", Tone::Muted),
        ],
    );
    tasks.cursor = Some(0);
    BoardPage {
        title: s("INC-0311 Checkout fails for card payments"),
        state: s("SEV1 mitigating"),
        facts: vec![
            vec![bit("commander ada", Tone::Text), bit("in: ada, bob, carol", Tone::Text)],
            vec![
                bit("1 DUE", Tone::Crit),
                bit("1 TASK(S) OVERDUE", Tone::Warn),
                bit("next: next status update in 11:02", Tone::Text),
                bit("told 18m ago", Tone::Muted),
                bit("1 change(s) in force", Tone::Warn),
            ],
        ],
        timers: vec![
            timer("DUE 02:10", "bob: ask the database team", true),
            timer("11:02", "next status update", false),
        ],
        tasks,
        checklist: pane(
            "PLAYBOOK 2 of 13",
            "Enter ticks",
            vec![
                row(
                    Sign::Ok,
                    "mitigation",
                    "[x] Implement immediate fixes or workarounds",
                    "ada 03:05:00Z",
                    Tone::Muted,
                ),
                row(Sign::Blank, "mitigation", "[ ] Communicate status to stakeholders", "", Tone::Text),
                row(Sign::Blank, "mitigation", "[ ] Monitor fix effectiveness", "", Tone::Text),
                row(Sign::Ok, "immediate", "[x] Acknowledge the incident", "ada 03:01:20Z", Tone::Muted),
                row(Sign::Blank, "resolution", "[ ] Schedule post-mortem meeting", "", Tone::Text),
            ],
        ),
        decisions: pane(
            "DECISIONS",
            "d decides, p proposes",
            vec![
                row(
                    Sign::Countdown,
                    "proposed",
                    "fail over to the second region   against: bob: replication lags 40 s",
                    "carol 03:10:02Z",
                    Tone::Accent,
                ),
                row(Sign::Ok, "decided", "no deploys until it is over", "ada 03:04:10Z", Tone::Text),
                row(Sign::Blank, "dropped", "restart everything (nobody knows why)", "ada 03:02:51Z", Tone::Muted),
            ],
        ),
        hypotheses: pane(
            "HYPOTHESES",
            "i adds one",
            vec![
                row(Sign::Blank, "open", "the connection pool is exhausted", "bob 03:03:00Z", Tone::Text),
                row(
                    Sign::Blank,
                    "rejected",
                    "the card processor is down (their page is green)",
                    "ada 03:02:00Z",
                    Tone::Muted,
                ),
            ],
        ),
    }
}

pub fn handoff() -> HandOffPage {
    let part = |title: &str, lines: &[(&str, Tone)]| {
        (s(title), lines.iter().map(|(text, tone)| bit(text, *tone)).collect::<Vec<_>>())
    };
    HandOffPage {
        title: s("HAND-OFF INC-0311 Checkout fails for card payments"),
        state: s("SEV1 mitigating"),
        parts: vec![
            part(
                "WHO",
                &[
                    ("commander ada   comms -none-   operations bob   scribe -none-", Tone::Text),
                    ("in: ada, bob, carol", Tone::Text),
                ],
            ),
            part(
                "CONDITIONS",
                &[
                    ("SEV1 Checkout fails for card payments, checkout, mitigating", Tone::Text),
                    ("since 03:01Z (13m)", Tone::Text),
                    ("checkout_success burning, burns 16.2 over 1h, 38.0% of budget left", Tone::Text),
                ],
            ),
            part("ACTIONS", &[("Roll back the deploy (in force)", Tone::Text)]),
            part("NEEDS", &[("1 task(s) are overdue", Tone::Warn)]),
            part("OPEN TASKS", &[("bob: ask the database team about the pool (OVERDUE 2m10s)", Tone::Text)]),
            part("TIMERS", &[("DUE 2m10s ago: bob: ask the database team", Tone::Crit)]),
            part("CHANGES IN FORCE", &[("Roll back the deploy (in force, alice 03:04:55Z)", Tone::Text)]),
            part("NOT SENT YET", &[("nothing waits", Tone::Text)]),
            part("DECISIONS", &[("decided: no deploys until it is over", Tone::Text)]),
            part("HYPOTHESES", &[("open: the connection pool is exhausted", Tone::Text)]),
        ],
    }
}
