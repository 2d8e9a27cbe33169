//! Alerts, whatever source they came from, and what changed between two polls.

pub mod annotation;
pub mod rule;

use crate::domain::ids::{Fingerprint, SourceName};
use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Whether an alert reaches anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Notifies.
    Firing,
    /// Condition true, `for` not over.
    Pending,
    /// A silence holds it.
    Silenced,
    /// Another alert holds it.
    Inhibited,
    /// A time interval holds it.
    Muted,
}

impl AlertState {
    /// The word on screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
            Self::Muted => "muted",
        }
    }
}

/// One alert. Labels and annotations are raw outside text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Over all labels; equal across peers.
    pub fingerprint: Fingerprint,
    /// Its `alertname`.
    pub name: String,
    /// All labels, `alertname` among them.
    pub labels: Labels,
    /// Annotations, expanded.
    pub annotations: Labels,
    /// Whether it reaches anybody.
    pub state: AlertState,
    /// When its condition became true.
    pub started_at: Timestamp,
    /// The source that told us.
    pub source: SourceName,
    /// The silences or alerts that hold it, for the detail view.
    pub held_by: Vec<String>,
    /// The page that made it.
    pub generator_url: Option<String>,
}

impl Alert {
    /// `page` or `ticket` or what its `severity` label says; empty when it says nothing.
    pub fn severity(&self) -> &str {
        self.labels.get("severity")
    }

    /// Whether it wakes people: `page` or `critical`.
    pub fn pages(&self) -> bool {
        matches!(self.severity(), "page" | "critical" | "emergency" | "SEV1" | "sev1")
    }

    /// 0 firing and paging, 1 firing, 2 pending, 3 held: the order of lists.
    pub fn rank(&self) -> u8 {
        match (self.state, self.pages()) {
            (AlertState::Firing, true) => 0,
            (AlertState::Firing, false) => 1,
            (AlertState::Pending, _) => 2,
            _ => 3,
        }
    }

    /// The service it belongs to, by the usual labels.
    pub fn service(&self) -> &str {
        ["service", "job", "app", "namespace"].iter().map(|l| self.labels.get(l)).find(|v| !v.is_empty()).unwrap_or("")
    }
}

/// What one source said in one poll.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlertSnapshot {
    /// Every alert, one per fingerprint.
    pub alerts: Vec<Alert>,
    /// Peers that answered.
    pub answered: usize,
    /// Peers that were asked.
    pub peers: usize,
    /// What the peers that did not answer said.
    pub faults: Vec<String>,
    /// The server's own version, where it said it.
    pub version: Option<String>,
}

/// A change between two polls of one source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlertChange<'a> {
    /// It was not there before, or was pending.
    Fired(&'a Alert),
    /// It is no longer there.
    Ended(&'a Alert),
    /// It is held, or no longer held.
    StateChanged(&'a Alert, AlertState),
}

/// What changed from `before` to `after`. Pending alerts count as not there.
pub fn changes<'a>(before: &'a [Alert], after: &'a [Alert]) -> Vec<AlertChange<'a>> {
    let visible = |a: &&Alert| a.state != AlertState::Pending;
    let old: std::collections::HashMap<&Fingerprint, &Alert> =
        before.iter().filter(visible).map(|a| (&a.fingerprint, a)).collect();
    let mut out = Vec::new();
    for alert in after.iter().filter(visible) {
        match old.get(&alert.fingerprint) {
            None => out.push(AlertChange::Fired(alert)),
            Some(was) if was.state != alert.state => out.push(AlertChange::StateChanged(alert, was.state)),
            Some(_) => {}
        }
    }
    if before.is_empty() {
        return out;
    }
    let new: std::collections::HashSet<&Fingerprint> = after.iter().filter(visible).map(|a| &a.fingerprint).collect();
    for alert in before.iter().filter(visible).filter(|a| !new.contains(&a.fingerprint)) {
        out.push(AlertChange::Ended(alert));
    }
    out
}

/// A fingerprint for sources that give none: 16 hex digits over the sorted labels.
pub fn fingerprint(labels: &Labels) -> Fingerprint {
    let mut hash = Sha256::new();
    for (name, value) in &labels.0 {
        hash.update(name.as_bytes());
        hash.update([0xff]);
        hash.update(value.as_bytes());
        hash.update([0xff]);
    }
    Fingerprint(hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(name: &str, state: AlertState) -> Alert {
        let labels = Labels::from([("alertname", name)]);
        Alert {
            fingerprint: fingerprint(&labels),
            name: name.into(),
            labels,
            annotations: Labels::default(),
            state,
            started_at: "2026-05-01T03:00:00Z".parse().unwrap(),
            source: "main".into(),
            held_by: vec![],
            generator_url: None,
        }
    }

    #[test]
    fn polls_are_compared_by_fingerprint() {
        let before = [alert("A", AlertState::Firing), alert("B", AlertState::Firing), alert("P", AlertState::Pending)];
        let after = [alert("A", AlertState::Silenced), alert("C", AlertState::Firing), alert("P", AlertState::Firing)];
        let told: Vec<String> = changes(&before, &after)
            .into_iter()
            .map(|c| match c {
                AlertChange::Fired(a) => format!("+{}", a.name),
                AlertChange::Ended(a) => format!("-{}", a.name),
                AlertChange::StateChanged(a, was) => format!("{}:{}>{}", a.name, was.word(), a.state.word()),
            })
            .collect();
        assert_eq!(told, ["A:firing>silenced", "+C", "+P", "-B"]);
    }
}
