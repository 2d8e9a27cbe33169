//! One look at a condition. What cannot be asked is no data, with its reason; never a value.

use super::World;
use super::act::{command, how, spec};
use crate::domain::experiment::model::Look as What;
use crate::domain::experiment::tolerance::Tolerance;
use crate::domain::runbook::hold::{Look, judge, judge_rate};
use crate::domain::runbook::model::{Condition, Runbook};
use crate::domain::runbook::offer::outcome;
use crate::domain::slo::burn;
use crate::domain::slo::reading::Window;
use crate::domain::text::clean;
use crate::io::call::call;
use crate::io::clock;
use tokio::sync::oneshot;

/// Looks.
pub async fn one(world: &World, book: &Runbook, run: &str, what: &What) -> Look {
    match what {
        What::Condition(condition) => value(world, condition, clock::now()).await,
        What::Command(read, tolerance) => {
            let (spec, ok_exit) = match spec(world, book, run, read) {
                Ok(ready) => ready,
                Err(why) => return Look::NoData(why),
            };
            // Kept until the end: a stop that is dropped would be one that was sent.
            let (_stop, stopped) = oneshot::channel();
            let (end, text) = command(&world.shell, spec, stopped).await;
            match outcome(&end, &ok_exit) {
                Some(true) => answered(tolerance.as_ref(), &text, how(&end)),
                Some(false) if end.began => Look::Fails(how(&end)),
                _ => Look::NoData(how(&end)),
            }
        }
        What::Http(it, tolerance) => match call(it).await {
            Ok((status, text)) if it.accepts(status) => answered(tolerance.as_ref(), &text, format!("status {status}")),
            Ok((status, _)) => Look::Fails(format!("status {status}")),
            Err(why) => Look::NoData(clean(&why).into_owned()),
        },
    }
}

fn answered(tolerance: Option<&Tolerance>, text: &str, how: String) -> Look {
    match tolerance {
        None => Look::Holds(how),
        Some(tolerance) => tolerance.judge(text),
    }
}

/// A value or a burn rate.
pub async fn value(world: &World, condition: &Condition, now: crate::domain::time::Timestamp) -> Look {
    let metrics = match &world.metrics {
        Ok(metrics) => metrics,
        Err(why) => return Look::NoData(why.clone()),
    };
    match condition {
        Condition::Promql { query, op, value, any } => match metrics.query(query, now).await {
            Ok(samples) => judge(&samples, *op, *value, *any),
            Err(fault) => Look::NoData(fault.to_string()),
        },
        Condition::Slo { slo, window, op, value } => {
            let Some(objective) = world.objectives.iter().find(|o| o.id == *slo) else {
                return Look::NoData(format!("there is no objective {slo}"));
            };
            let window = Window::of(*window);
            match metrics.measure(std::slice::from_ref(objective), &[window], now).await {
                Ok((measured, _)) => {
                    let found = measured.iter().find(|m| m.slo == objective.id).filter(|m| !m.partial);
                    let counts = found.and_then(|m| m.windows.get(&window)).and_then(|(_, r)| r.counts());
                    judge_rate(counts.and_then(|counts| burn::rate(counts, objective.target)), *op, *value)
                }
                Err(fault) => Look::NoData(fault.to_string()),
            }
        }
        Condition::Exec(_) => Look::NoData("it is no value".to_owned()),
    }
}
