//! Whether an incident of a paging product and an alert of ours are about the same thing. Says why, so that a person can
//! judge it; when nothing speaks for it, there is no guess.

use crate::domain::alert::Alert;
use crate::domain::outward::backend::{BackendAlert, BackendIncident};

/// Why an incident there belongs to an alert here. `alerts` are those inside it, as far as they were read. By labels first:
/// the same `alertname`, and no label that both have and that differs; else by a title that names the alert, unless another
/// service is told.
pub fn why(there: &BackendIncident, alerts: &[BackendAlert], ours: &Alert) -> Option<String> {
    if alerts.iter().any(|alert| same_labels(alert, ours)) {
        return Some("an alert in it has the same labels".into());
    }
    if alerts.iter().any(|alert| alert.labels.iter().any(|(name, _)| name == "alertname")) {
        // Its labels are known, and they are others.
        return None;
    }
    let service = there.service.as_ref().map_or("", |service| service.name.as_str());
    let elsewhere = !service.is_empty() && !ours.service().is_empty() && !service.eq_ignore_ascii_case(ours.service());
    (!elsewhere && names(&there.title, &ours.name)).then(|| format!("its title names {}", ours.name))
}

fn same_labels(alert: &BackendAlert, ours: &Alert) -> bool {
    let named = alert.labels.iter().any(|(name, value)| name == "alertname" && *value == ours.name);
    let differs = |(name, value): &(String, String)| {
        let own = ours.labels.get(name);
        !own.is_empty() && own != value
    };
    named && !alert.labels.iter().any(differs)
}

/// Whether a text holds a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, found)| {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            let after = text.get(at + found.len()..).and_then(|tail| tail.chars().next());
            !before.is_some_and(inside) && !after.is_some_and(inside)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::{AlertState, fingerprint};
    use crate::domain::labels::Labels;
    use crate::domain::outward::backend::{BackendStatus, Party};

    fn ours() -> Alert {
        let labels = [("alertname", "ApiErrors"), ("service", "api"), ("zone", "b")];
        let labels = Labels(labels.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect());
        Alert {
            fingerprint: fingerprint(&labels),
            name: "ApiErrors".into(),
            annotations: Labels::default(),
            state: AlertState::Firing,
            started_at: "2026-05-01T03:00:00Z".parse().unwrap(),
            source: "main".into(),
            held_by: vec![],
            generator_url: None,
            labels,
        }
    }

    fn alert(labels: &[(&str, &str)]) -> BackendAlert {
        BackendAlert {
            id: "A1".into(),
            summary: String::new(),
            severity: None,
            status: BackendStatus::Triggered,
            key: None,
            labels: labels.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            created_at: None,
        }
    }

    #[test]
    fn labels_speak_before_titles_and_another_service_speaks_against() {
        let there = |title: &str, service: &str| {
            let mut incident = BackendIncident::new("P1", title, BackendStatus::Triggered);
            incident.service =
                (!service.is_empty()).then(|| Party { id: "S".into(), name: service.into(), ..Party::default() });
            incident
        };
        for (title, service, labels, want) in [
            ("anything", "shop", &[("alertname", "ApiErrors"), ("service", "api")][..], true),
            ("anything", "", &[("alertname", "ApiErrors"), ("zone", "a")], false),
            ("[FIRING:1] ApiErrors (api)", "api", &[("alertname", "Other")], false),
            ("[FIRING:1] ApiErrors (api)", "API", &[], true),
            ("[FIRING:1] ApiErrors (api)", "", &[], true),
            ("[FIRING:1] ApiErrors (api)", "shop", &[], false),
            ("ApiErrorsHigh", "api", &[], false),
            ("MyApiErrors", "", &[], false),
            ("äApiErrors", "", &[], false),
            ("ApiErrors", "", &[], true),
        ] {
            let inside = if labels.is_empty() { vec![] } else { vec![alert(labels)] };
            assert_eq!(why(&there(title, service), &inside, &ours()).is_some(), want, "{title} {service} {labels:?}");
        }
    }
}
