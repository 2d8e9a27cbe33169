//! The JSON of what stands beside the numbers of an objective: calendar period, forecast, planned work, signals. The names
//! are a promise; what is not known is null.

use crate::app::model::Model;
use crate::app::present::budget::stale;
use crate::app::present::report::{at, number};
use crate::domain::slo::maintenance::Stretch;
use crate::domain::slo::outlook::{Fitted, Rolling};
use crate::domain::slo::signals::SignalValue;
use crate::domain::slo::status::{PairState, Status};
use crate::domain::time::{Span, Timestamp, rfc3339, seconds};
use serde_json::{Value, json};

fn span(length: Option<Span>) -> Value {
    length.map_or(Value::Null, |s| json!(seconds(s)))
}

/// An alert pair.
pub fn pair(p: &PairState) -> Value {
    json!({"severity": p.severity, "long": p.long.to_string(), "short": p.short.to_string(), "factor": p.factor,
        "firing": p.firing, "long_burn": number(p.long_burn), "short_burn": number(p.short_burn),
        "held": p.held, "fires_at": at(p.fires_at), "can_fire": p.can_fire, "time_to_fire": span(p.time_to_fire),
        "low_traffic_events": number(p.low_traffic)})
}

/// The calendar period.
pub fn calendar(s: &Status) -> Value {
    let Some(c) = &s.calendar else { return Value::Null };
    json!({"period": c.period, "from": rfc3339(c.from), "to": rfc3339(c.to), "elapsed": number(Some(c.elapsed)),
        "events": {"bad": number(Some(c.events.bad)), "total": number(Some(c.events.total))},
        "expected_events": number(Some(c.expected)), "consumed": number(c.consumed), "remaining": number(c.remaining),
        "projected": number(c.projected), "coverage": number(Some(c.coverage))})
}

/// Where the budget is going. Lengths are seconds.
pub fn forecast(s: &Status) -> Value {
    let f = &s.forecast;
    let rolling = match f.rolling {
        None => Value::Null,
        Some(Rolling::Gone(left)) => json!({"recovers": false, "seconds": seconds(left)}),
        Some(Rolling::Recovers) => json!({"recovers": true, "seconds": null}),
    };
    let trend = |fitted: Option<Fitted>| {
        fitted.map_or(Value::Null, |x| {
            json!({"per_hour": number(Some(x.trend.per_hour)), "r2": number(Some(x.trend.r2)), "points": x.points,
                "recovering": x.recovering(), "seconds": span(x.trend.empty_in)})
        })
    };
    json!({"rolling": rolling, "at_1h_rate": span(f.left_1h), "at_6h_rate": span(f.left_6h),
        "trend_6h": trend(f.trend_6h), "trend_3d": trend(f.trend_3d)})
}

/// Planned work.
pub fn maintenance(s: &Status) -> Value {
    let one = |w: &Stretch| json!({"name": w.name, "from": rfc3339(w.from), "to": rfc3339(w.to)});
    let excluded =
        s.work.excluded.map_or(Value::Null, |e| json!({"bad": number(Some(e.bad)), "total": number(Some(e.total))}));
    json!({"active": s.work.now.as_ref().map(one), "next": s.work.next.as_ref().map(one),
        "inside": s.work.inside.iter().map(one).collect::<Vec<_>>(), "excluded": excluded})
}

/// What the policy asks for.
pub fn policy(s: &Status) -> Value {
    let band = s.policy.band.as_ref();
    json!({"band": band.map(|b| b.name.as_str()), "action": s.policy.action, "asks": band.map(|b| b.action.as_str())})
}

/// The golden signals of an objective's service; null where no file names any.
pub fn signals(model: &Model, now: Timestamp, service: &str) -> Value {
    let Some(declared) = model.fleet.services.iter().find(|s| s.name == service) else { return Value::Null };
    let reading = model.fleet.signals.get(service);
    let all: serde_json::Map<String, Value> = declared
        .signals
        .iter()
        .map(|signal| {
            let read = reading.and_then(|r| r.signals.iter().find(|s| s.kind == signal.kind));
            let fault = match read.map(|r| &r.value) {
                Some(SignalValue::Failed(fault)) => Some(fault.to_string()),
                _ => None,
            };
            let value = number(read.and_then(|r| r.value.number()));
            let over = read.and_then(|r| r.over());
            let one = json!({"value": value, "unit": signal.unit.word(), "limit": number(signal.limit), "over": over, "fault": fault});
            (signal.kind.word().to_owned(), one)
        })
        .collect();
    let old = reading.is_some_and(|r| stale(model, now, r).is_some());
    json!({"service": service, "as_of": at(reading.map(|r| r.at)), "stale": old, "signals": all})
}
