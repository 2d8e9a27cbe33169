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
    halting(it, now, &mut verdict);
    if let Some(why) = it.blast.unmeasured() {
        verdict.found.push(format!("the blast radius is NOT MEASURED: {why}"));
    }
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

/// When it is halted, if the file says a time.
fn halting(it: &Experiment, now: Timestamp, verdict: &mut Verdict) {
    for time in &it.halt_times {
        let Some(at) = time.after(now) else { continue };
        let end = now.checked_add_signed(it.duration).unwrap_or(now);
        if at <= now {
            verdict.refused.push(format!("it was to be halted by {}, which is over", time.words(at)));
        } else if at < end {
            let lasts = compact(it.duration);
            verdict.found.push(format!("it is halted at {}, before its {lasts} are over", time.words(at)));
        } else {
            verdict.found.push(format!("it is halted at {} at the latest", time.words(at)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::experiment::read::read;

    fn experiment(window: &str, more: &str) -> Experiment {
        let text = format!(
            "kind: Experiment\nid: x\nhypothesis: h\nblast_radius: {{environment: staging, forbid: [production]}}\n{window}duration: 30m\n\
             steady: [{{promql: up, op: '>', value: 0}}]\nabort: [{{promql: down, op: '>', value: 0}}]\n\
             method: [{{argv: [scale{more}], risk: change}}]\nrollback: [{{argv: [back]}}]\n"
        );
        let (experiment, findings) = read("x.yaml", &text);
        experiment.unwrap_or_else(|| panic!("{findings:?}"))
    }

    fn budget(left: Option<f64>, band: Option<(&str, bool)>) -> Budget {
        Budget { slo: "checkout".into(), left, band: band.map(|(name, freeze)| (name.to_owned(), freeze)) }
    }

    fn judged(it: &Experiment, incidents: Known<Vec<String>>, budgets: Known<Vec<Budget>>) -> Vec<String> {
        judge(it, &Facts { incidents, budgets }, "2026-05-04T10:00:00Z".parse().unwrap()).refused
    }

    #[test]
    fn what_keeps_it_from_beginning_and_what_is_not_known() {
        let it = experiment("", "");
        let good = || Ok(vec![budget(Some(0.8), Some(("full_velocity", false)))]);
        assert_eq!(judged(&it, Ok(vec![]), good()), Vec::<String>::new());
        for (incidents, budgets, want) in [
            (Ok(vec!["INC-1".to_owned()]), good(), "an incident is open: INC-1"),
            (Err("locked".to_owned()), good(), "whether an incident is open is not known: locked"),
            (
                Ok(vec![]),
                Ok(vec![budget(Some(0.2499), None)]),
                "checkout has 25.0 % of its budget left, less than 25.0 %",
            ),
            (
                Ok(vec![]),
                Ok(vec![budget(Some(-0.5), None)]),
                "checkout has -50.0 % of its budget left, less than 25.0 %",
            ),
            (
                Ok(vec![]),
                Ok(vec![budget(Some(f64::NAN), None)]),
                "checkout has NaN % of its budget left, less than 25.0 %",
            ),
            (Ok(vec![]), Ok(vec![budget(None, None)]), "what is left of the budget of checkout is not known"),
            (
                Ok(vec![]),
                Ok(vec![budget(Some(0.3), Some(("feature_freeze", true)))]),
                "checkout is in the band feature freeze: a freeze",
            ),
        ] {
            assert_eq!(judged(&it, incidents, budgets), [want]);
        }
        // Nothing configured and nothing said: there is no budget to keep.
        assert_eq!(judged(&it, Ok(vec![]), Ok(vec![])), Vec::<String>::new());
        let stated = experiment("window: {not_when: [budget_below: 0.5]}\n", "");
        assert_eq!(judged(&stated, Ok(vec![]), Ok(vec![])), ["budgets are not known: no objective is configured"]);
        assert_eq!(judged(&stated, Ok(vec![]), Err("away".into())), ["budgets are not known: away"]);
        let only = experiment("window: {not_when: [incident_open]}\n", "");
        assert_eq!(judged(&only, Ok(vec![]), Err("away".into())), Vec::<String>::new());
        let named = experiment("slos: [other]\n", "");
        assert_eq!(judged(&named, Ok(vec![]), good()), ["there is no objective other"]);
    }

    #[test]
    fn hours_count_to_its_end_and_forbidden_names_are_words() {
        let late = experiment("window: {hours: 'Mon 08:00-10:15 UTC'}\n", "");
        assert!(judged(&late, Ok(vec![]), Ok(vec![]))[0].starts_with("it would still run at 10:30Z"));
        let out = experiment("window: {hours: 'Tue 08:00-18:00 UTC'}\n", "");
        assert!(judged(&out, Ok(vec![]), Ok(vec![]))[0].starts_with("it is 10:00Z, outside its hours"));
        let two = experiment("window: {hours: ['Tue 08:00-18:00 UTC', 'Mon 09:00-11:00 UTC']}\n", "");
        assert_eq!(judged(&two, Ok(vec![]), Ok(vec![])), Vec::<String>::new());
        for (word, refused) in
            [(", --context=eu_Production-1", true), (", reproduction", false), (", productions", false)]
        {
            let it = experiment("", word);
            assert_eq!(!judged(&it, Ok(vec![]), Ok(vec![])).is_empty(), refused, "{word}");
        }
    }

    #[test]
    fn a_freeze_is_the_first_band_that_says_so_and_all_below() {
        let policy = PolicyBands::standard();
        let freezes: Vec<&str> =
            policy.bands.iter().map(|b| b.name.as_str()).filter(|name| is_freeze(policy, name)).collect();
        assert_eq!(freezes, ["feature_freeze", "reliability_only", "exhausted"]);
        assert!(is_freeze(policy, "unheard of"));
    }
}
