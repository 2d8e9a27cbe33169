//! The screen of an experiment, pinned at four sizes in its three moments; and that the way back is on it at any size.

use crate::screens::{SIZES, snapshot, text};
use midwatch::app::present::experiment::{ConditionRow, ExperimentPage, page};
use midwatch::app::present::view::{Bit, Hint, Sign, Tone};
use midwatch::domain::experiment::machine::{Input, Machine, Prompt};
use midwatch::domain::experiment::preflight::{Budget, Facts};
use midwatch::run::experiment::shelf::shipped;
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::screen::experiment::draw;
use midwatch::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn row(role: &'static str, sign: Sign, name: &str, value: &str, held: &str) -> ConditionRow {
    ConditionRow { role, sign, name: name.into(), value: Bit::new(value, sign.tone()), held: held.into() }
}

fn hint(key: &str, text: &str, why_not: Option<&str>) -> Hint {
    Hint { key: key.into(), text: text.into(), why_not: why_not.map(str::to_owned) }
}

fn watching() -> ExperimentPage {
    ExperimentPage {
        banner: "EXPERIMENT in staging".into(),
        utc: "10:14:07Z".into(),
        title: "EXP-20260504-101207 Half of the cache is gone".into(),
        hypothesis: "Checkout stays within its SLO with half of the cache gone, and nobody has to do anything about it"
            .into(),
        state: Bit::loud("in force, watching", Tone::Warn),
        left: Some(Bit::new("12:40 left of 15m", Tone::Accent)),
        touches: "staging, at most 50 % of app=redis".into(),
        in_force: vec![Bit::new("done: kubectl scale deploy/redis --replicas=1", Tone::Warn)],
        conditions: vec![
            row("steady", Sign::Ok, "error ratio", "0.004", "2m of 5m"),
            row("abort", Sign::Ok, "errors over 5 %", "0.011", ""),
            row("abort", Sign::Page, "checkout burns", "burn 15.200", "45s of 1m"),
            row("success", Sign::Ticket, "P99 < 2 s", "2.400", ""),
            row("success", Sign::NoData, "queue", "no data: the query gives no series", ""),
            row("blast", Sign::Ok, "at most 50 % of app=redis", "0.250", ""),
        ],
        rollback: vec![Bit::new("kubectl scale deploy/redis --replicas=2", Tone::Muted)],
        told: vec![
            "10:12:07Z begun; it is taken back in 15m at the latest".into(),
            "10:12:09Z the method is in force; watching".into(),
        ],
        hints: vec![hint("r", "ROLL BACK NOW", None), hint("Ctrl-C", "end, rolling back", None)],
        ..ExperimentPage::default()
    }
}

fn confirming() -> ExperimentPage {
    let row = |label: &str, text: &str| (label.to_owned(), text.to_owned());
    ExperimentPage {
        state: Bit::new("to be confirmed", Tone::Text),
        left: None,
        in_force: vec![],
        prompt: Some(Prompt {
            rows: vec![
                row("method", "1 of 1: kubectl scale deploy/redis --replicas=1"),
                row("runs", "kubectl scale deploy/redis --replicas=1"),
                row("argv", "\"kubectl\" \"scale\" \"deploy/redis\" \"--replicas=1\""),
                row("where", "bastion as ada   time limit 60s"),
                row("risk", "changes production"),
            ],
            ask: "type `y` to confirm it; nothing runs yet; `stop` leaves".into(),
        }),
        typed: "y".into(),
        hints: vec![hint("r", "ROLL BACK NOW", Some("nothing is in force")), hint("Enter", "answer", None)],
        ..watching()
    }
}

fn back() -> ExperimentPage {
    ExperimentPage {
        state: Bit::loud("ROLLING BACK", Tone::Crit),
        left: None,
        rollback: vec![
            Bit::new("FAILED: kubectl scale deploy/redis --replicas=2", Tone::Crit),
            Bit::new("runs: POST http://127.0.0.1:8474/reset", Tone::Warn),
        ],
        told: vec!["10:13:07Z ending: abort condition: checkout burns (burn 15.200)".into()],
        hints: vec![hint("r", "ROLL BACK NOW", Some("it is being rolled back"))],
        ..watching()
    }
}

fn drawn(view: &ExperimentPage, (w, h): (u16, u16)) -> Vec<String> {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(view, &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
    text(&buf)
}

#[test]
fn screens_of_an_experiment_at_every_size() {
    for (name, view) in [("watching", watching()), ("confirming", confirming()), ("back", back())] {
        for (w, h) in SIZES {
            snapshot(&format!("experiment_{name}_{w}x{h}"), &drawn(&view, (w, h)));
        }
    }
}

#[test]
fn the_way_back_is_on_the_screen_at_any_size() {
    for view in [watching(), confirming(), back()] {
        for w in [30, 40, 57, 80, 131, 240] {
            for h in [4, 8, 10, 15, 24, 60] {
                let lines = drawn(&view, (w, h));
                assert!(lines.last().unwrap().contains("ROLL BACK NOW"), "{w}x{h}: {lines:?}");
            }
        }
        drawn(&view, (1, 1));
        drawn(&view, (0, 0));
    }
}

/// The page of a real machine: what is on it comes from the file and the machine alone.
#[test]
fn the_page_shows_hypothesis_conditions_and_the_way_back() {
    let experiment = shipped().0.remove(0).experiment;
    let now = "2026-05-04T11:00:00Z".parse().unwrap();
    let (mut machine, _) = Machine::begin(experiment, "EXP-1", ("h".into(), "ada".into()), now);
    let budget = Budget { slo: "checkout".into(), left: Some(0.9), band: None };
    machine.step(now, Input::Facts(Facts { incidents: Ok(vec![]), budgets: Ok(vec![budget]) }));
    let view = page(&machine, now);
    assert_eq!(view.hypothesis, "System should handle 500ms latency gracefully");
    assert_eq!(view.conditions.len(), 7);
    let last = view.conditions.last().unwrap();
    assert_eq!((last.role, last.value.text.as_str()), ("blast", "not measured: the file gives no `share_promql`"));
    assert!(view.rollback[0].text.starts_with("DELETE http://127.0.0.1:8474"));
    assert_eq!(view.hints[0].key, "r");
    assert!(view.hints[0].why_not.is_some());
}
