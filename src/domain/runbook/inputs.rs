//! Where the values of a runbook's inputs are found: labels and annotations of the alert, what the backend knows, what a
//! person gave, what commands printed, the runbook itself. A source whose value is refused is not replaced by a default.

use crate::domain::incident::state::{Incident, Walk};
use crate::domain::labels::Labels;
use crate::domain::runbook::model::{Compare, Input, InputFrom, Mutation, Part, RunCommand, Runbook, Step};
use crate::domain::runbook::prepare::names;
use crate::domain::runbook::values::{Values, first_alert};
use std::collections::BTreeMap;

/// What is known outside the runbook.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// The incident that it is walked for.
    pub incident: Option<&'k Incident>,
    /// Name and labels of an alert, where there is no incident.
    pub alert: Option<(&'k str, &'k Labels)>,
    /// Annotations of the alert.
    pub annotations: Option<&'k Labels>,
    /// What the paging backend knows, by name.
    pub backend: Option<&'k BTreeMap<String, String>>,
    /// Where the walk stands.
    pub walk: Option<&'k Walk>,
    /// Secret values that were typed here.
    pub secrets: Option<&'k BTreeMap<String, String>>,
}

/// Every value that the commands of a runbook may use.
pub fn values(book: &Runbook, known: Known<'_>) -> Values {
    let mut values = match (known.incident, known.alert) {
        (Some(incident), _) => Values::of_incident(incident),
        (None, Some((name, labels))) => Values::of_alert(name, labels),
        (None, None) => Values::default(),
    };
    for (name, value) in known.walk.iter().flat_map(|walk| &walk.captured) {
        if book.input(name).is_none() {
            values.offer(name, value);
        }
    }
    for input in &book.inputs {
        let (found, why) = source(input, known);
        match found.as_deref().filter(|v| !v.is_empty()).or(input.default.as_deref()) {
            Some(value) => values.offer_input(input, value),
            None => {
                // Known as secret even while nobody gave it.
                values.offer_input(input, "");
                values.lacks(&input.name, &why);
            }
        }
    }
    values
}

fn source(input: &Input, known: Known<'_>) -> (Option<String>, String) {
    let labels = match (known.incident, known.alert) {
        (Some(incident), _) => first_alert(incident).map(|(_, alert)| &alert.labels),
        (None, alert) => alert.map(|(_, labels)| labels),
    };
    let label = |labels: Option<&Labels>, name: &str| labels.map(|l| l.get(name).to_owned());
    match &input.from {
        InputFrom::Label(name) => (label(labels, name), format!("the alert has no label `{name}`")),
        InputFrom::Annotation(name) => {
            (label(known.annotations, name), format!("the alert has no annotation `{name}`, or fires no more"))
        }
        InputFrom::Backend(name) => {
            let found = known.backend.and_then(|backend| backend.get(name)).cloned();
            (found, format!("no paging backend told `{name}`"))
        }
        InputFrom::Ask { .. } => {
            let given = known.walk.and_then(|walk| walk.given.get(&input.name)).cloned().flatten();
            let secret = known.secrets.and_then(|secrets| secrets.get(&input.name)).cloned();
            (if input.secret { secret } else { given }, "nobody gave it yet".to_owned())
        }
        InputFrom::Const(value) => (Some(value.clone()), String::new()),
        InputFrom::Step(capture) => {
            let found = known.walk.and_then(|walk| walk.captured.get(capture)).cloned();
            (found, format!("no command has captured `{capture}` yet"))
        }
    }
}

/// The inputs that a person must still give before these commands can be prepared.
pub fn missing<'b>(
    book: &'b Runbook,
    commands: impl IntoIterator<Item = &'b RunCommand>,
    compares: impl IntoIterator<Item = &'b Compare>,
    values: &Values,
) -> Vec<&'b Input> {
    let mut used: Vec<String> = commands.into_iter().flat_map(names).collect();
    used.extend(compares.into_iter().flat_map(Compare::names).map(str::to_owned));
    let asked = |input: &&Input| matches!(input.from, InputFrom::Ask { .. }) && used.contains(&input.name);
    book.inputs.iter().filter(asked).filter(|input| values.get(&input.name).is_none()).collect()
}

/// A command with everything that belongs to it, as far as values are concerned.
pub fn with_company<'s>(step: &'s Step, command: &'s RunCommand) -> Vec<&'s RunCommand> {
    let mut all = vec![command];
    let own = |mutation: &'s Mutation| {
        mutation.before.as_deref().into_iter().chain(mutation.dry_run.as_deref()).chain(match &mutation.rollback {
            crate::domain::runbook::model::Rollback::Command(back) => Some(&**back),
            _ => None,
        })
    };
    all.extend(step.mutation(&command.id).into_iter().flat_map(own));
    all
}

/// The command of a runbook with this id, with what it is for.
pub fn find<'b>(book: &'b Runbook, id: &str) -> Option<(Part, &'b RunCommand)> {
    book.parts().find(|(_, command)| command.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::runbook::format::read;

    fn input(name: &str, from: InputFrom, pattern: Option<&str>) -> Input {
        Input {
            name: name.into(),
            from,
            default: None,
            pattern: pattern.map(str::to_owned),
            min: None,
            max: None,
            secret: false,
            mark: Mark::default(),
        }
    }

    fn resolved(input: Input, value: &str) -> Result<String, String> {
        let mut book = read("r.yaml", "name: R\nsteps:\n  - {name: One}\n").0.unwrap();
        let name = input.name.clone();
        book.inputs = vec![input];
        let labels = Labels::from([("l", value)]);
        let walk = Walk { captured: BTreeMap::from([("cap".to_owned(), value.to_owned())]), ..Walk::default() };
        let mut given = Walk { given: BTreeMap::from([(name.clone(), Some(value.to_owned()))]), ..walk };
        given.captured.insert("cap".into(), value.into());
        let known = Known { alert: Some(("A", &labels)), walk: Some(&given), ..Known::default() };
        let values = values(&book, known);
        values.need(&name).map(str::to_owned).map_err(|r| r.0)
    }

    #[test]
    fn values_keep_to_their_pattern_wholly_and_to_their_bounds() {
        let label = |pattern| input("V", InputFrom::Label("l".into()), pattern);
        assert_eq!(resolved(label(Some("[a-z]+")), "prod"), Ok("prod".into()));
        assert!(resolved(label(Some("[a-z]+")), "prod1").unwrap_err().contains("does not match `[a-z]+`"));
        assert!(resolved(label(Some("a|b")), "ab").is_err(), "an alternative is anchored as a whole");
        assert!(resolved(label(Some(".*")), "--all").unwrap_err().contains("begins with `-`"));
        assert!(resolved(label(Some("(?s).*")), "a\nb").unwrap_err().contains("`a␊b`"));
        for hidden in ["a\0", "\u{1b}[2J", "\u{85}", "a\u{202e}b", "a\u{200b}", "\u{feff}a"] {
            assert!(resolved(label(Some("(?s).*")), hidden).is_err(), "{hidden:?}");
        }
        assert!(resolved(label(None), "a;b").is_err() && resolved(label(None), "a/b:1").is_ok());
        assert!(resolved(label(Some("(")), "a").unwrap_err().contains("is no pattern"));
        let bounded = Input { min: Some(1.0), max: Some(40.0), ..label(Some("[0-9-]{1,3}")) };
        assert_eq!(resolved(bounded.clone(), "40"), Ok("40".into()));
        for (value, why) in [("0", "is less than 1"), ("41", "is more than 40"), ("1-1", "is no number")] {
            assert!(resolved(bounded.clone(), value).unwrap_err().contains(why), "{value}");
        }
    }

    #[test]
    fn every_source_is_found_or_says_why_not() {
        assert_eq!(resolved(input("V", InputFrom::Ask { prompt: "?".into() }, Some("[a-z]+")), "x"), Ok("x".into()));
        assert_eq!(resolved(input("V", InputFrom::Step("cap".into()), Some("[0-9]+")), "6"), Ok("6".into()));
        assert_eq!(resolved(input("V", InputFrom::Const("-1 x".into()), None), ""), Ok("-1 x".into()));
        let why = |from| resolved(input("V", from, Some(".*")), "").unwrap_err();
        assert!(why(InputFrom::Label("zone".into())).contains("the alert has no label `zone`"));
        assert!(why(InputFrom::Backend("incident_id".into())).contains("no paging backend"));
        assert!(why(InputFrom::Step("old".into())).contains("no command has captured `old`"));
    }

    #[test]
    fn a_refused_value_is_not_replaced_by_the_default() {
        let guarded =
            Input { default: Some("safe".into()), ..input("V", InputFrom::Label("l".into()), Some("[a-z]+")) };
        assert!(resolved(guarded.clone(), "x; touch y").is_err());
        assert_eq!(resolved(guarded, ""), Ok("safe".into()));
    }
}
