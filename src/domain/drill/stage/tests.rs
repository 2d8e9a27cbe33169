//! The stage of a small scenario, second by second.

use super::*;
use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::scenario::read::read;
use crate::domain::exec::CommandSpec;
use crate::domain::time::{mins, secs};

const TEXT: &str = r#"
apiVersion: midwatch/v1
kind: Scenario
id: pool
title: Slow
brief: You are primary.
duration: 30m
services: [api]
signals:
  - {id: api.errors, value: 0.0004}
  - {id: api.p95, value: 0.18}
objectives:
  - {id: api_ok, target: 0.999, ratio: api.errors, rate: 50, left: 0.5}
  - {id: api_fast, target: 0.99, signal: api.p95, op: '<=', limit: 0.5, left: 0.9}
alerts:
  - {alert: Slow, signal: api.p95, op: '>', value: 1, for: 1m}
queries:
  - {promql: 'api:p95  > 1', signal: api.p95, scale: 2}
injects:
  - {at: 2m, do: signal, id: api.p95, kind: ramp, to: 5, over: 2m}
  - {at: 3m, id: herring, do: red_herring, alert: Clock}
  - {id: ask, after: herring, delay: 1m, unless: declared, do: message, from: support, text: 'Well?'}
  - {at: 6m, do: fail, target: prometheus, for: 2m}
commands:
  - {match: {argv: [kubectl, rollout, undo, '*']}, action: rollback, delay: 8s, effects: [{signal: api.p95, kind: ramp, to: 0.2, over: 1m}]}
expect:
  - {id: fix, action: rollback, points: 20}
  - {id: well, condition: {signal: api.p95, op: '<', value: 1, for: 3m}, within: 20m, points: 30}
  - {id: calm, never: {signal: api.p95, op: '>', value: 4.9, for: 1m}, points: -5}
end: [{condition: well}]
"#;

fn stage() -> Stage {
    let (scenario, findings) = read("pool.yaml", TEXT);
    assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    Stage::new(Arc::new(scenario.unwrap()), 1)
}

fn at(stage: &Stage, minutes: i64, seconds: i64) -> Timestamp {
    stage.start() + mins(minutes) + secs(seconds)
}

fn undo() -> CommandSpec {
    CommandSpec {
        argv: ["kubectl", "rollout", "undo", "deploy/api"].map(str::to_owned).to_vec(),
        ..CommandSpec::default()
    }
}

#[test]
fn injects_alerts_and_tools_come_in_their_time() {
    let mut stage = stage();
    let now = at(&stage, 3, 0);
    stage.advance(now);
    assert_eq!(stage.alerts().iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["Slow", "Clock"]);
    assert_eq!(stage.reached(Milestone::Paged), None, "a red herring is no page, and the other is pending");
    let now = at(&stage, 4, 0);
    stage.advance(now);
    assert_eq!(stage.take_messages(), [(at(&stage, 4, 0), "support".to_owned(), "Well?".to_owned())]);
    assert!(stage.reached(Milestone::Paged).is_some_and(|p| p < now));
    let now = at(&stage, 6, 30);
    stage.advance(now);
    assert_eq!(stage.failing(Tool::Prometheus), Some(Failing::Down));
    stage.advance(now + mins(2));
    assert_eq!(stage.failing(Tool::Prometheus), None);
}

#[test]
fn a_fix_heals_and_ends_it() {
    let mut stage = stage();
    let now = at(&stage, 5, 0);
    let told = stage.begin(&undo(), now);
    assert_eq!((told.exit, told.delay), (0, secs(8)));
    let now = at(&stage, 5, 30);
    stage.advance(now);
    assert!(stage.facts().done("rollback").is_some());
    let now = at(&stage, 29, 0);
    stage.advance(now);
    let ended = stage.ended().unwrap();
    assert_eq!(ended.why, "well");
    assert!(ended.at < at(&stage, 9, 40), "{ended:?}");
    assert!(stage.goals()[0].met.is_some() && stage.goals()[1].met.is_some());
    assert!(stage.goals()[2].broken.is_some(), "it was over 4.9 for a minute before");
}

#[test]
fn a_command_that_is_stopped_changes_nothing() {
    let mut stage = stage();
    let now = at(&stage, 5, 0);
    let told = stage.begin(&undo(), now);
    stage.advance(now + secs(3));
    stage.stop(told.ticket);
    stage.advance(now + mins(2));
    assert!(stage.facts().done("rollback").is_none());
    assert_eq!(stage.signal("api.p95", now + mins(2)), Some(5.0));
}

#[test]
fn objectives_count_what_signals_say() {
    let mut stage = stage();
    let now = at(&stage, 10, 0);
    stage.advance(now);
    let month = stage.window("api_ok", Window(30 * 86_400), stage.start()).unwrap();
    assert!((month.bad / month.total - 0.0005).abs() < 1e-9, "half of the budget of 0.1 % is left: {month:?}");
    let five = stage.window("api_ok", Window(300), now).unwrap();
    assert!((five.total - 15_000.0).abs() < 1e-6 && (five.bad - 6.0).abs() < 1e-6, "{five:?}");
    let slow = stage.window("api_fast", Window(300), now).unwrap();
    assert_eq!((slow.bad.round(), slow.total.round()), (5.0, 5.0), "minutes");
    assert_eq!(stage.objectives().len(), 2);
}

#[test]
fn queries_are_known_by_their_words_and_others_are_noted_once() {
    let mut stage = stage();
    let now = at(&stage, 1, 0);
    assert_eq!(stage.query("api:p95 > 1", now).unwrap()[0].value, 0.36);
    assert_eq!(stage.query("api:p95", now).unwrap()[0].value, 0.18);
    assert_eq!(stage.query("up", now), None);
    assert_eq!(stage.query("up", now + secs(9)), None);
    assert_eq!(stage.log().iter().filter(|e| e.what.kind() == "not_simulated").count(), 1);
}

#[test]
fn a_facilitator_fires_skips_delays_and_ends() {
    let mut stage = stage();
    let now = at(&stage, 0, 30);
    assert_eq!(stage.fire("herring", now), Ok(()));
    assert_eq!(stage.fire("2", now), Err("herring came already".into()));
    assert_eq!(stage.skip("1", now), Ok(()));
    assert_eq!(stage.delay("ask", secs(30), now), Ok(()));
    assert!(stage.fire("nope", now).is_err());
    stage.hint("look at deploys", 5, now);
    stage.advance(at(&stage, 1, 59));
    assert_eq!(stage.take_messages().len(), 1, "the hint");
    stage.advance(at(&stage, 2, 0));
    assert_eq!(stage.take_messages().len(), 1, "herring + 1m + 30s");
    assert_eq!(stage.signal("api.p95", at(&stage, 5, 0)), Some(0.18));
    let now = at(&stage, 5, 0);
    stage.abort("fire alarm", now);
    assert_eq!(stage.ended().unwrap().why, "aborted");
    assert!(stage.fire("4", now).is_err());
}

#[test]
fn it_is_a_function_of_its_acts_however_often_one_looks() {
    let (mut once, mut often) = (stage(), stage());
    let start = once.start();
    for second in 0..700 {
        often.advance(start + secs(second));
    }
    let now = start + secs(700);
    once.advance(now);
    often.advance(now);
    assert_eq!(once.log(), often.log());
    assert_eq!(once.window("api_ok", Window(600), now), often.window("api_ok", Window(600), now));
}
