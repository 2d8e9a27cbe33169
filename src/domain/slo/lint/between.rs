//! Rules that take several objectives: one query or one service written twice. Looks at all files together; one name used
//! twice is the reader's to tell.

use crate::domain::document::{Finding, Level, Mark};
use crate::domain::slo::lint::place::{Part, Places, declared};
use crate::domain::slo::lint::rules::{Rule, SAME_QUERY, SERVICE_NAMES};
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::text::clean;
use std::collections::{BTreeMap, HashMap};

/// An objective and the places of its file.
pub type Placed<'a> = (&'a Objective, &'a Places);

/// Findings between objectives, at the later one of each two. `all` comes in the order of the files.
pub fn between(all: &[Placed<'_>]) -> Vec<Finding> {
    let mut findings = same_queries(all);
    findings.extend(services(all));
    findings
}

fn finding(one: Placed<'_>, part: Part, rule: &Rule, level: Level, message: &str) -> Finding {
    let Mark { line, column } = one.1.mark(one.0, part);
    let (path, rule) = (declared(one.0).0.to_owned(), rule.id.to_owned());
    Finding { path, line, column, rule, level, message: clean(message).into_owned() }
}

/// What is asked, so that equal ones are equal texts.
fn asked(objective: &Objective) -> Option<String> {
    match &objective.sli {
        Sli::Events { .. } | Sli::Slices { .. } | Sli::Opaque { .. } => {
            Some(format!("{:?} {:?} {:?}", objective.source, objective.sli, objective.grouping))
        }
        _ => None,
    }
}

fn same_queries(all: &[Placed<'_>]) -> Vec<Finding> {
    let mut first: HashMap<String, &Objective> = HashMap::new();
    let mut findings = Vec::new();
    for one in all {
        let Some(text) = asked(one.0) else { continue };
        let earlier = *first.entry(text).or_insert(one.0);
        if earlier.id == one.0.id {
            continue;
        }
        // Two windows or two targets of one query are a usual thing to want.
        let same = earlier.target == one.0.target && earlier.window == one.0.window && earlier.period == one.0.period;
        let level = if same { Level::Warning } else { Level::Info };
        let but = if same { ", with the same target and window" } else { ", with another target or window" };
        let message = format!("{}: measures the same as `{}` ({}){but}", one.0.id, earlier.id, earlier.declared);
        findings.push(finding(*one, Part::Query, &SAME_QUERY, level, &message));
    }
    findings
}

/// `api-gateway`, `api_gateway` and `API Gateway` are one service to a person and three to a program.
fn services(all: &[Placed<'_>]) -> Vec<Finding> {
    let bare =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let mut spelled: BTreeMap<String, Vec<(&str, Placed<'_>)>> = BTreeMap::new();
    for one in all {
        let found = spelled.entry(bare(&one.0.service)).or_default();
        if found.iter().all(|(name, _)| *name != one.0.service) {
            found.push((&one.0.service, *one));
        }
    }
    let mut findings = Vec::new();
    for (_, found) in spelled {
        let Some(((first, earlier), others)) = found.split_first() else { continue };
        for (name, one) in others {
            let message = format!(
                "{}: the service `{name}` is `{first}` at {}: one service should have one name",
                one.0.id, earlier.0.declared
            );
            findings.push(finding(*one, Part::Service, &SERVICE_NAMES, SERVICE_NAMES.level, &message));
        }
    }
    findings
}
