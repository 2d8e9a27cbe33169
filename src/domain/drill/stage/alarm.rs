//! Alerts of a drill: rules over signals, evaluated second by second, and alerts that injects fire. All page unless their
//! labels say otherwise, because a drill is about what wakes people.

use crate::domain::alert::rule::AlertRule;
use crate::domain::alert::{Alert, AlertState, fingerprint};
use crate::domain::drill::scenario::{Act, Hold, Rule, Scenario};
use crate::domain::drill::stage::told::Happened;
use crate::domain::drill::track::Track;
use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// The name of the one source all of them come from.
pub const SOURCE: &str = "drill";

#[derive(Clone, Debug, PartialEq)]
struct Watched {
    rule: Rule,
    labels: Labels,
    since: Option<Timestamp>,
    firing: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Raised {
    alert: Alert,
    while_: Option<Hold>,
}

/// Alerts as they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarms {
    service: String,
    rules: Vec<Watched>,
    raised: Vec<Raised>,
    first_page: Option<Timestamp>,
}

impl Alarms {
    /// Nothing fires yet.
    pub fn new(scenario: &Scenario) -> Self {
        let service = scenario.services.first().cloned().unwrap_or_default();
        let watched = |rule: &Rule| Watched {
            labels: labels(&rule.alert, &rule.labels, &service),
            rule: rule.clone(),
            since: None,
            firing: false,
        };
        Self { rules: scenario.alerts.iter().map(watched).collect(), raised: Vec::new(), first_page: None, service }
    }

    /// When the first alert fired that is no red herring.
    pub fn first_page(&self) -> Option<Timestamp> {
        self.first_page
    }

    /// Looks at every rule and at what keeps raised alerts; gives what fired or ended.
    pub fn look(&mut self, now: Timestamp, at: f64, tracks: &BTreeMap<String, Track>) -> Vec<Happened> {
        let holds = |hold: &Hold| tracks.get(&hold.signal).is_some_and(|t| hold.op.holds(t.at(at), hold.value));
        let mut told = Vec::new();
        for watched in &mut self.rules {
            if !holds(&watched.rule.when) {
                watched.since = None;
                if std::mem::take(&mut watched.firing) {
                    told.push(Happened::Cleared(watched.rule.alert.clone()));
                }
                continue;
            }
            let since = *watched.since.get_or_insert(now);
            if !watched.firing && now - since >= watched.rule.when.for_ {
                watched.firing = true;
                self.first_page.get_or_insert(now);
                told.push(Happened::Fired(watched.rule.alert.clone()));
            }
        }
        self.raised.retain(|raised| {
            let stays = raised.while_.as_ref().is_none_or(holds);
            if !stays {
                told.push(Happened::Cleared(raised.alert.name.clone()));
            }
            stays
        });
        told
    }

    /// The alert of an act fires now, whatever the signals say; one that fires already goes on. Other acts raise nothing.
    pub fn raise(&mut self, now: Timestamp, act: &Act) {
        let Act::Alert { alert: name, labels: own, annotations, while_, red_herring } = act else { return };
        let labels = labels(name, own, &self.service);
        if !red_herring {
            self.first_page.get_or_insert(now);
        }
        let alert = alert(&labels, annotations, AlertState::Firing, now);
        if self.raised.iter().all(|r| r.alert.fingerprint != alert.fingerprint) {
            self.raised.push(Raised { alert, while_: while_.clone() });
        }
    }

    /// A raised alert is over; whether there was one.
    pub fn clear(&mut self, name: &str) -> bool {
        let before = self.raised.len();
        self.raised.retain(|raised| raised.alert.name != name);
        self.raised.len() < before
    }

    /// All alerts: pending and firing ones of rules, then raised ones.
    pub fn standing(&self) -> Vec<Alert> {
        let of_rules = self.rules.iter().filter_map(|watched| {
            let state = if watched.firing { AlertState::Firing } else { AlertState::Pending };
            Some(alert(&watched.labels, &watched.rule.annotations, state, watched.since?))
        });
        of_rules.chain(self.raised.iter().map(|raised| raised.alert.clone())).collect()
    }

    /// The rules as a server reports them.
    pub fn rules(&self) -> Vec<AlertRule> {
        let plain = |labels: &Labels| {
            Labels(
                labels.0.iter().filter(|(name, _)| *name != "alertname").map(|(n, v)| (n.clone(), v.clone())).collect(),
            )
        };
        let rule = |watched: &Watched| AlertRule {
            name: watched.rule.alert.clone(),
            labels: plain(&watched.labels),
            annotations: watched.rule.annotations.clone(),
            group: SOURCE.to_owned(),
        };
        self.rules.iter().map(rule).collect()
    }
}

/// The given labels, the name, and what is usual where they do not say.
fn labels(name: &str, own: &Labels, service: &str) -> Labels {
    let mut all = own.clone();
    all.0.insert("alertname".into(), name.to_owned());
    all.0.entry("severity".into()).or_insert_with(|| "page".into());
    if !service.is_empty() && own.get("service").is_empty() && own.get("job").is_empty() {
        all.0.insert("service".into(), service.to_owned());
    }
    all
}

fn alert(labels: &Labels, annotations: &Labels, state: AlertState, started_at: Timestamp) -> Alert {
    Alert {
        fingerprint: fingerprint(labels),
        name: labels.get("alertname").to_owned(),
        labels: labels.clone(),
        annotations: annotations.clone(),
        state,
        started_at,
        source: SOURCE.into(),
        held_by: Vec::new(),
        generator_url: None,
    }
}
