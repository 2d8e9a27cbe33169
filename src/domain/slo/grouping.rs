//! Templates: an objective that is one row per set of label values. Which sets there are comes from the server; what a row
//! is follows from the template alone. Never invents a row, and never makes more than a bounded number.

use crate::domain::ids::SloId;
use crate::domain::labels::Labels;
use crate::domain::slo::objective::{Bad, Identity, Objective, Sli};
use crate::domain::slo::promql::{first_selector, pinned};
use crate::domain::slo::warm::Rows;
use std::collections::BTreeSet;

/// The most rows of one template.
pub const MOST: usize = 1_000;

/// The selector whose series say which rows there are: that of all events. `None` where its text cannot be read.
pub fn selector(template: &Objective) -> Option<String> {
    match &template.sli {
        Sli::Events { total, .. } => first_selector(total),
        Sli::Slices { value: text, .. } | Sli::Opaque { ratio: text, .. } => first_selector(text),
        Sli::Composite(_) => None,
    }
}

/// The rows in the series of a selector: their grouping labels, each set once. A series that lacks one of them is a row
/// without it.
pub fn rows(template: &Objective, series: &[Labels]) -> Rows {
    let set = |labels: &Labels| {
        let value = |name: &String| (name.clone(), labels.get(name).to_owned());
        Labels(template.grouping.iter().map(value).collect())
    };
    let all: BTreeSet<Labels> = series.iter().map(set).collect();
    let left_out = all.len().saturating_sub(MOST);
    Rows { template: template.id.clone(), labels: all.into_iter().take(MOST).collect(), left_out }
}

/// One row of a template: the same objective, its selectors pinned to these values so that rows share requests. `None`
/// where a text cannot be pinned.
pub fn row(template: &Objective, labels: &Labels) -> Option<Objective> {
    let pin = |text: &str| pinned(text, labels);
    let sli = match &template.sli {
        Sli::Events { bad, total } => Sli::Events {
            bad: match bad {
                Bad::Counted(text) => Bad::Counted(pin(text)?),
                Bad::TotalMinus(text) => Bad::TotalMinus(pin(text)?),
            },
            total: pin(total)?,
        },
        Sli::Slices { value, compare, threshold, slice } => {
            Sli::Slices { value: pin(value)?, compare: *compare, threshold: *threshold, slice: *slice }
        }
        Sli::Opaque { ratio, slice } => Sli::Opaque { ratio: pin(ratio)?, slice: *slice },
        Sli::Composite(_) => return None,
    };
    let pairs: Vec<String> = labels.0.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let mut all = template.labels.clone();
    all.0.extend(labels.0.clone());
    Some(Objective {
        id: SloId(format!("{}{{{}}}", template.id, pairs.join(","))),
        sli,
        labels: all,
        grouping: Vec::new(),
        identity: identity(template, labels),
        ..template.clone()
    })
}

/// Pyrra's recordings of a grouped objective carry the labels too, one series per row. What other systems record of a
/// template says nothing of one row.
fn identity(template: &Objective, labels: &Labels) -> Identity {
    match &template.identity {
        Identity::Pyrra { name, part, total, .. } => {
            Identity::Pyrra { name: name.clone(), part: part.clone(), total: total.clone(), group: labels.clone() }
        }
        _ => Identity::Own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::plan;
    use crate::domain::slo::promql::counter::Counter;
    use crate::domain::slo::reading::Window;
    use crate::domain::slo::seed;
    use std::sync::Arc;

    fn template(sli: &str) -> Objective {
        let file = format!("{}:\n  x: {{sli: '{sli}', target: 0.99, window: 30d}}\n", seed::ROOT);
        Objective { grouping: vec!["handler".into(), "job".into()], ..seed::read("f.yaml", &file).0.remove(0) }
    }

    #[test]
    fn rows_are_pinned_and_share_one_request() {
        let t = template("sum(rate(http_total{code!~\"5..\"}[5m])) / sum(rate(http_total[5m]))");
        assert_eq!(selector(&t).as_deref(), Some("http_total"));
        let series = [
            Labels::from([("handler", "/a"), ("job", "api"), ("code", "200")]),
            Labels::from([("handler", "/a"), ("job", "api"), ("code", "500")]),
            Labels::from([("handler", "say \"hi\""), ("job", "api")]),
            Labels::from([("job", "api")]),
        ];
        let found = rows(&t, &series);
        assert_eq!((found.labels.len(), found.left_out), (3, 0));
        let made: Vec<Arc<Objective>> = found.labels.iter().map(|l| Arc::new(row(&t, l).unwrap())).collect();
        let ids: Vec<&str> = made.iter().map(|o| o.id.as_str()).collect();
        assert_eq!(
            ids,
            [r#"x{handler="",job="api"}"#, r#"x{handler="/a",job="api"}"#, r#"x{handler="say \"hi\"",job="api"}"#]
        );
        assert!(made.iter().all(|o| o.grouping.is_empty() && o.labels.get("job") == "api"));
        let requests = plan::requests(&made[1..], &[Window::M5]);
        let arms: usize = requests.iter().map(|r| r.arms.len()).sum();
        assert_eq!((requests.len(), arms), (1, 2), "{requests:?}");
        assert!(requests[0].query().contains(r#"handler=~"/a|say \"hi\"""#), "{}", requests[0].query());
    }

    #[test]
    fn a_row_of_pyrra_knows_which_recordings_are_its_own() {
        let mut t = template("sum(rate(a{code!=\"5\"}[5m])) / sum(rate(a[5m]))");
        let (name, part, total) = ("p".to_owned(), "a".to_owned(), "a".to_owned());
        t.identity = Identity::Pyrra { name, part, total, group: Labels::default() };
        let labels = Labels::from([("handler", "/a"), ("job", "api")]);
        let Identity::Pyrra { name, group, .. } = row(&t, &labels).unwrap().identity else { panic!("not Pyrra's") };
        assert_eq!((name.as_str(), group), ("p", labels.clone()));
        // A recording of Sloth is one of all rows together.
        t.identity = Identity::Sloth("s".into());
        assert_eq!(row(&t, &labels).unwrap().identity, Identity::Own);
    }

    #[test]
    fn whatever_a_label_holds_is_pinned() {
        let text = r#"sum(increase(http_total{code=~"5..",job="api"}[$window]))"#;
        for value in ["/a", "/say \"hi\"", "back\\slash", "line\nbreak", "ü", "$window"] {
            let labels = Labels::from([("handler", value)]);
            let made = pinned(text, &labels).unwrap_or_else(|| panic!("{value:?}"));
            let Some(counter) = Counter::read(&made) else { panic!("{made}") };
            let found = counter.selector.matchers.matchers.iter().find(|m| m.name == "handler");
            assert_eq!(found.map(|m| m.value.as_str()), Some(value), "{made}");
        }
    }

    #[test]
    fn there_are_never_too_many() {
        let t = template("sum(rate(a[5m])) / sum(rate(b{x=\"y\"}[5m]))");
        assert_eq!(selector(&t).as_deref(), Some(r#"b{x="y"}"#));
        let series: Vec<Labels> = (0..1_500).map(|i| Labels::from([("handler", format!("/{i}").as_str())])).collect();
        let found = rows(&t, &series);
        assert_eq!((found.labels.len(), found.left_out), (MOST, 500));
        assert!(row(&template("max(q)"), &found.labels[0]).is_some());
    }
}
