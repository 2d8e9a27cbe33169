//! A runbook as JSON: the promised names, and what `midwatch/v1` adds to them. Durations are seconds; what a file does not
//! say is null or an empty list.

use crate::domain::runbook::model::{
    Capture, Check, Choice, Compare, Condition, Exec, Expect, Go, Input, InputFrom, Mutation, OnFail, Operand, Probe,
    Rollback, RunCommand, Runbook, Step, Target, Trigger, Verify, When,
};
use crate::domain::time::seconds;
use serde_json::{Map, Value, json};

/// `midwatch runbook show`.
pub fn runbook(b: &Runbook) -> Value {
    let rungs: Vec<Value> = b
        .escalation
        .iter()
        .map(|r| json!({"after": r.after.num_seconds(), "contact": r.contact, "clock": r.clock.word(), "assumed": r.assumed}))
        .collect();
    let targets: Map<String, Value> = b.targets.iter().map(|(name, target)| (name.clone(), place(target))).collect();
    json!({
        "id": b.id.0,
        "name": b.name,
        "dialect": b.dialect.word(),
        "description": b.description,
        "severity": b.severity.as_ref().map(|s| s.0.clone()),
        "owner": b.owner,
        "reviewed": b.reviewed.map(|date| date.to_string()),
        "review_every": seconds(b.review_every),
        "path": b.path,
        "sha256": b.sha256,
        "triggers": list(&b.triggers, trigger),
        "links": b.links.iter().map(|l| json!({"title": l.title, "url": l.url})).collect::<Vec<_>>(),
        "inputs": list(&b.inputs, input),
        "guard": list(&b.guards, guard),
        "targets": targets,
        "cwd": b.cwd,
        "steps": list(&b.steps, step),
        "escalation": rungs,
    })
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(one).collect()
}

fn trigger(t: &Trigger) -> Value {
    let matchers: Vec<String> = t.matchers.iter().map(ToString::to_string).collect();
    json!({"alert": t.alert, "match": matchers, "expr": t.expr, "for": t.for_.map(seconds)})
}

fn place(target: &Target) -> Value {
    match target {
        Target::Local => json!({"local": true}),
        Target::Ssh { host } => json!({"ssh": host}),
    }
}

fn input(i: &Input) -> Value {
    let what = match &i.from {
        InputFrom::Label(name) | InputFrom::Annotation(name) | InputFrom::Backend(name) | InputFrom::Step(name) => name,
        InputFrom::Ask { prompt } => prompt,
        InputFrom::Const(value) => value,
    };
    json!({"name": i.name, "from": i.from.word(), "of": what, "default": i.default, "pattern": i.pattern, "min": i.min,
        "max": i.max, "secret": i.secret})
}

fn guard(probe: &Probe) -> Value {
    let mut value = command(&probe.command);
    if let Some(map) = value.as_object_mut() {
        match &probe.expect {
            Expect::Equals(text) => map.insert("equals".into(), json!(text)),
            Expect::Matches(text) => map.insert("matches".into(), json!(text)),
        };
    }
    value
}

/// One command: its id, `argv` or `sh` or `promql`, its risk, its limits.
pub fn command(c: &RunCommand) -> Value {
    let (key, what) = exec(&c.exec);
    let capture = |c: &Capture| json!({"name": c.name, "regex": c.regex});
    let mut value = json!({
        "id": c.id,
        key: what,
        "risk": c.risk.word(),
        "timeout": seconds(c.timeout),
        "target": c.target,
        "cwd": c.cwd,
        "ok_exit": c.ok_exit,
        "capture": list(&c.capture, capture),
        "retry": c.retry.map(|r| json!({"times": r.times, "delay": seconds(r.delay)})),
        "tty": c.tty,
    });
    if let (Some(mutation), Some(map)) = (&c.mutation, value.as_object_mut()) {
        map.extend(around(mutation));
    }
    value
}

/// The key and the value of what runs.
pub fn exec(exec: &Exec) -> (&'static str, Value) {
    match exec {
        Exec::Sh(text) => ("sh", json!(text)),
        Exec::Argv(argv) => ("argv", json!(argv)),
        Exec::Query(query) => ("promql", json!(query)),
    }
}

fn around(m: &Mutation) -> Map<String, Value> {
    let rollback = match &m.rollback {
        Rollback::Unstated => Value::Null,
        Rollback::None { reason } => json!({"none": reason}),
        Rollback::Command(c) => command(c),
    };
    let entries = [
        ("impact", json!(m.impact)),
        ("before", json!(m.before.as_deref().map(command))),
        ("require", json!(m.require.as_ref().map(compare))),
        ("dry_run", json!(m.dry_run.as_deref().map(command))),
        ("verify", json!(m.verify.as_ref().map(verify))),
        ("rollback", rollback),
        ("approval", json!(m.approval.then_some("second"))),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn verify(v: &Verify) -> Value {
    let mut value = match &v.what {
        Condition::Promql { query, op, value, any } => {
            json!({"promql": query, "op": op.word(), "value": value, "any": any})
        }
        Condition::Slo { slo, window, op, value } => {
            json!({"slo": slo.0, "burn_rate": seconds(*window), "op": op.word(), "value": value})
        }
        Condition::Exec(c) => command(c),
    };
    if let Some(map) = value.as_object_mut() {
        for (key, span) in [("for", v.for_), ("within", v.within), ("every", v.every)] {
            map.insert(key.to_owned(), json!(seconds(span)));
        }
    }
    value
}

fn compare(c: &Compare) -> Value {
    let side = |operand: &Operand| match operand {
        Operand::Name(name) => name.clone(),
        Operand::Number(number) => number.to_string(),
        Operand::Text(text) => format!("{text:?}"),
    };
    json!(format!("{} {} {}", side(&c.left), c.op.word(), side(&c.right)))
}

fn step(s: &Step) -> Value {
    let on_fail = match &s.on_fail {
        OnFail::Ask => json!("ask"),
        OnFail::Stop => json!("stop"),
        OnFail::Continue => json!("continue"),
        OnFail::Goto(id) => json!({"goto": id.0}),
    };
    let when = match &s.when {
        None => Value::Null,
        Some(When::Answer { step, check, is, .. }) => json!({"answer": format!("{step}.{check}"), "is": is.word()}),
        Some(When::Compare(c)) => compare(c),
    };
    json!({
        "id": s.id.0,
        "name": s.name,
        "say": s.say,
        "phase": s.phase.map(|p| p.word()),
        "when": when,
        "commands": list(&s.commands, command),
        "parallel": s.parallel,
        "on_fail": on_fail,
        "by_hand": s.prose,
        "checks": list(&s.checks, check),
        "choose": s.choose.word(),
        "options": list(&s.options, option),
        "include": s.include.as_ref().map(|id| &id.0),
        "goto": go(&s.go),
        "approval": s.approval.then_some("second"),
        "links": s.links.iter().map(|l| json!(l.url)).collect::<Vec<_>>(),
        "todos": s.todos,
    })
}

fn check(c: &Check) -> Value {
    let suggest = c.suggest.as_ref().map(|s| json!({"promql": s.promql, "op": s.op.word(), "value": s.value}));
    json!({"question": c.question, "hint": c.hint, "suggest": suggest, "if_yes": go(&c.if_yes), "if_no": go(&c.if_no),
        "if_unsure": go(&c.if_unsure)})
}

fn go(go: &Go) -> Value {
    match go {
        Go::Next => json!("next"),
        Go::Goto(id) => json!({"goto": id.0}),
        Go::Again { limit } => json!({"goto": "self", "limit": limit}),
    }
}

fn option(o: &Choice) -> Value {
    let mut value =
        json!({"id": o.id, "action": o.action, "command": o.command.as_ref().map(command), "by_hand": o.prose});
    if let Some(map) = value.as_object_mut() {
        map.extend(around(&o.mutation));
    }
    value
}
