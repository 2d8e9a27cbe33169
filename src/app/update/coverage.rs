//! Which alerts have a runbook, for the runbooks screen: the servers are asked for their rules while it is looked at, and
//! seldom. Never asked for by a key alone.

use crate::app::effect::Effect;
use crate::app::health::LinkKind;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::screen::Screen;
use crate::domain::alert::rule::AlertRule;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::runbook::coverage::coverage;
use crate::domain::runbook::lint::unknown_alerts;
use crate::domain::time::{Timestamp, mins};
use std::collections::BTreeSet;

/// Asks for the rules when the runbooks are looked at and what is known is old.
pub fn ask(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let old = model.rules.asked.is_none_or(|at| now - at >= mins(5));
    if *model.nav.screen() != Screen::Runbooks || !old {
        return;
    }
    model.rules.asked = Some(now);
    let metrics = model.links.values().filter(|l| matches!(l.kind, LinkKind::Prometheus { .. }));
    let names: Vec<SourceName> = metrics.filter(|l| l.breaker.is_closed()).map(|l| l.name.clone()).collect();
    for source in names {
        if model.pending.any(|asked| *asked == Asked::Rules(source.clone())) {
            continue;
        }
        let req = model.pending.ask(Asked::Rules(source.clone()));
        out.push(Effect::Rules { req, source });
    }
}

/// Rules came, or did not: then the last known ones stay, and the answer is not whole.
pub fn answered(model: &mut Model, now: Timestamp, source: SourceName, result: Result<Vec<AlertRule>, Fault>) {
    match result {
        Ok(rules) => {
            model.rules.faults.remove(&source);
            model.rules.known.insert(source, rules);
        }
        Err(fault) => {
            model.rules.faults.insert(source, fault.to_string());
        }
    }
    compare(model, now);
}

/// Compares anew: for new rules, or a new library.
pub fn compare(model: &mut Model, now: Timestamp) {
    if model.rules.known.is_empty() {
        return;
    }
    let metrics = model.links.values().filter(|l| matches!(l.kind, LinkKind::Prometheus { .. })).count();
    let whole = model.rules.faults.is_empty() && model.rules.known.len() == metrics;
    let rules: Vec<AlertRule> = model.rules.known.values().flatten().cloned().collect();
    model.rules.coverage = Some((coverage(&model.library, &rules, whole, now), whole));
    // An alert that no rule is known to raise may be one of a server that did not answer.
    model.rules.findings = if whole {
        let alerts: BTreeSet<String> = rules.into_iter().map(|rule| rule.name).collect();
        model.library.iter().flat_map(|book| unknown_alerts(book, &alerts)).collect()
    } else {
        Vec::new()
    };
}
