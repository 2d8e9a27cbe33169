//! One list out of what several peers told, and one fault out of several. Never asks anybody.

use crate::domain::alert::Alert;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{Fingerprint, SourceName};
use crate::domain::outward::silence::{Silence, SilenceState};
use crate::domain::time::{Span, Timestamp};
use crate::io::alertmanager::decode::Held;
use std::collections::BTreeMap;

/// One alert per fingerprint, in the state closest to people: an alert that one peer notifies of does reach them, whatever
/// the others hold back. Oldest start wins, since peers learn of an alert at different times. Ordered by start, then name.
pub fn union(peers: Vec<Vec<Alert>>) -> Vec<Alert> {
    let mut all: BTreeMap<Fingerprint, Alert> = BTreeMap::new();
    for alert in peers.into_iter().flatten() {
        match all.get_mut(&alert.fingerprint) {
            None => {
                all.insert(alert.fingerprint.clone(), alert);
            }
            Some(kept) => {
                let started = kept.started_at.min(alert.started_at);
                if alert.state < kept.state {
                    *kept = alert;
                }
                kept.started_at = started;
            }
        }
    }
    let mut alerts: Vec<Alert> = all.into_values().collect();
    alerts.sort_by(|a, b| (a.started_at, &a.name, &a.fingerprint).cmp(&(b.started_at, &b.name, &b.fingerprint)));
    alerts
}

/// How long a silence that is over is still told.
const LATELY: Span = Span::hours(1);

/// One silence per id, as the peer has it that heard of the last change. Those that are over for long are left out. Ordered
/// by their end.
pub fn silences(peers: Vec<Vec<Held>>, now: Timestamp) -> Vec<Silence> {
    let mut all: BTreeMap<String, Held> = BTreeMap::new();
    for held in peers.into_iter().flatten() {
        let newer = |kept: &Held| kept.updated_at >= held.updated_at;
        if !all.get(&held.silence.id).is_some_and(newer) {
            all.insert(held.silence.id.clone(), held);
        }
    }
    let old = |s: &Silence| s.state == SilenceState::Expired && now - s.ends_at > LATELY;
    let mut silences: Vec<Silence> = all.into_values().map(|held| held.silence).filter(|s| !old(s)).collect();
    silences.sort_by(|a, b| (a.ends_at, &a.id).cmp(&(b.ends_at, &b.id)));
    silences
}

/// The fault of a cluster of which no peer answered. Its kind is that of the first peer whose trouble may pass, so that one
/// peer with a wrong token does not stop the asking of another that restarts.
pub fn fault(name: &SourceName, faults: &[Fault]) -> Fault {
    let what = format!("alertmanager {name}");
    let Some(first) = faults.iter().find(|f| f.kind.passing()).or(faults.first()) else {
        return Fault::new(FaultKind::Local, what, "no peer is configured");
    };
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    // The wait is only as long as the least patient peer asks, and none when one of them asked for nothing.
    let waits: Option<Vec<_>> = faults.iter().map(|f| f.retry_after).collect();
    Fault {
        retry_after: waits.and_then(|w| w.into_iter().min()),
        ..Fault::new(first.kind, what, format!("0/{} peers answered: {}", faults.len(), told.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::AlertState;
    use crate::domain::labels::Labels;
    use crate::domain::time::secs;

    fn alert(print: &str, state: AlertState, second: i64) -> Alert {
        Alert {
            fingerprint: print.into(),
            name: print.into(),
            labels: Labels::default(),
            annotations: Labels::default(),
            state,
            started_at: "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap() + secs(second),
            source: "main".into(),
            held_by: if state == AlertState::Silenced { vec!["s".into()] } else { vec![] },
            generator_url: None,
        }
    }

    #[test]
    fn the_state_closest_to_people_and_the_oldest_start_win_in_any_order() {
        use AlertState::*;
        let a = vec![alert("x", Silenced, 0), alert("y", Firing, 9), alert("z", Muted, 3)];
        let b = vec![alert("x", Firing, 5), alert("z", Inhibited, 1)];
        let want = vec![alert("x", Firing, 0), alert("z", Inhibited, 1), alert("y", Firing, 9)];
        assert_eq!(union(vec![a.clone(), b.clone()]), want);
        assert_eq!(union(vec![b, a]), want);
        assert_eq!(union(vec![vec![], vec![]]), vec![]);
    }

    #[test]
    fn one_fault_tells_all() {
        let auth = Fault::new(FaultKind::Auth, "peer 1", "401");
        let busy = Fault { retry_after: Some(secs(9)), ..Fault::new(FaultKind::RateLimited, "peer 2", "429") };
        let joined = fault(&"main".into(), &[auth.clone(), busy.clone()]);
        assert_eq!((joined.kind, joined.retry_after), (FaultKind::RateLimited, None));
        assert!(joined.detail.contains("0/2") && joined.detail.contains("peer 1") && joined.detail.contains("peer 2"));
        assert_eq!(fault(&"main".into(), &[busy]).retry_after, Some(secs(9)));
        assert_eq!(fault(&"main".into(), &[auth]).kind, FaultKind::Auth);
        assert_eq!(fault(&"main".into(), &[]).kind, FaultKind::Local);
    }
}
