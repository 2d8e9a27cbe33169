//! Whether an experiment may begin now: what is known of the world held against what its file asks. What is not known
//! counts against it. Asks nobody.

use crate::domain::experiment::lint::{forbidden, strangers};
use crate::domain::experiment::model::Experiment;
use crate::domain::ids::SloId;
use crate::domain::slo::policy::PolicyBands;
use crate::domain::time::{Timestamp, clock_minutes, compact};

/// What is known of the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Incidents that are open; `Err` says why that is not known.
    pub incidents: Known<Vec<String>>,
    /// Every configured objective; `Err` says why none could be measured.
    pub budgets: Known<Vec<Budget>>,
}

/// A fact, or why it is not known.
pub type Known<T> = Result<T, String>;

/// What is left of an objective's budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Which.
    pub slo: SloId,
    /// The share that is left; `None` where that is not known.
    pub left: Option<f64>,
    /// The band of the policy, and whether it is a freeze.
    pub band: Option<(String, bool)>,
}

/// What was found, and what keeps it from beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What holds.
    pub found: Vec<String>,
    /// What does not; nothing begins while there is one.
    pub refused: Vec<String>,
}

/// Judges.
pub fn judge(it: &Experiment, facts: &Facts, now: Timestamp) -> Verdict {
    let mut verdict = Verdict::default();
    incidents(facts, &mut verdict);
    budgets(it, facts, &mut verdict);
    hours(it, now, &mut verdict);
    verdict.refused.extend(forbidden(it).into_iter().map(|(_, why)| why));
    verdict.refused.extend(strangers(it).into_iter().map(|(_, why)| why));
    verdict
}

fn incidents(facts: &Facts, verdict: &mut Verdict) {
    match &facts.incidents {
        Ok(open) if open.is_empty() => verdict.found.push("no incident is open".to_owned()),
        Ok(open) => verdict.refused.push(format!("an incident is open: {}", open.join(", "))),
        Err(why) => verdict.refused.push(format!("whether an incident is open is not known: {why}")),
    }
}

fn budgets(it: &Experiment, facts: &Facts, verdict: &mut Verdict) {
    let (least, freeze) = (it.window.budget, it.window.freeze);
    if least.is_none() && !freeze {
        return verdict.found.push("budgets are not looked at, says the file".to_owned());
    }
    let wanted = it.objectives();
    let known = match &facts.budgets {
        Ok(known) => known,
        // Without a word in the file and without objectives there is no budget to keep.
        Err(why) if !it.window.stated && wanted.is_empty() => {
            return verdict.found.push(format!("no budget is looked at: {why}"));
        }
        Err(why) => return verdict.refused.push(format!("budgets are not known: {why}")),
    };
    if known.is_empty() && wanted.is_empty() {
        return match it.window.stated {
            true => verdict.refused.push("budgets are not known: no objective is configured".to_owned()),
            false => verdict.found.push("no objective is configured, so no budget is looked at".to_owned()),
        };
    }
    for slo in wanted.iter().filter(|slo| !known.iter().any(|b| b.slo == **slo)) {
        verdict.refused.push(format!("there is no objective {slo}"));
    }
    for budget in known.iter().filter(|b| wanted.is_empty() || wanted.contains(&b.slo)) {
        one(budget, least, freeze, verdict);
    }
}

fn one(budget: &Budget, least: Option<f64>, freeze: bool, verdict: &mut Verdict) {
    let slo = &budget.slo;
    match (least, budget.left) {
        (Some(_), None) => verdict.refused.push(format!("what is left of the budget of {slo} is not known")),
        (Some(least), Some(left)) if !left.is_finite() || left < least => {
            verdict.refused.push(format!(
                "{slo} has {} of its budget left, less than {}",
                percent(left),
                percent(least)
            ));
        }
        (Some(_), Some(left)) => verdict.found.push(format!("{slo} has {} of its budget left", percent(left))),
        (None, _) => {}
    }
    match &budget.band {
        Some((name, true)) if freeze => {
            verdict.refused.push(format!("{slo} is in the band {}: a freeze", name.replace('_', " ")));
        }
        None if freeze && least.is_none() => verdict.refused.push(format!("the policy band of {slo} is not known")),
        _ => {}
    }
}

fn hours(it: &Experiment, now: Timestamp, verdict: &mut Verdict) {
    if it.window.hours.is_empty() {
        return;
    }
    let end = now.checked_add_signed(it.duration).unwrap_or(now);
    let said = it.window.hours.iter().map(|h| h.text.as_str()).collect::<Vec<_>>().join(" or ");
    match it.window.hours.iter().any(|h| h.hold(now) && h.hold(end)) {
        true => verdict.found.push(format!("within its hours ({said})")),
        false if it.window.hours.iter().any(|h| h.hold(now)) => verdict.refused.push(format!(
            "it would still run at {} in {}, outside its hours ({said})",
            clock_minutes(end),
            compact(it.duration)
        )),
        false => verdict.refused.push(format!("it is {}, outside its hours ({said})", clock_minutes(now))),
    }
}

/// Whether a band of a policy is a freeze: its first band that says so, or a worse one. A policy that knows no freeze has one
/// when nothing is left.
pub fn is_freeze(policy: &PolicyBands, band: &str) -> bool {
    let first = policy.bands.iter().position(|b| b.name.contains("freeze"));
    let first = first.unwrap_or(policy.bands.len().saturating_sub(1));
    policy.rank(band).is_none_or(|rank| rank >= first)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
