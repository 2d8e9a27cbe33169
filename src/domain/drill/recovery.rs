//! What a disaster recovery came to: its objectives (RTO, RPO) against what the drill measured. What was not reached or is
//! not known is `None` and never kept.

use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::stage::Stage;
use crate::domain::time::{Timestamp, compact, seconds, secs};
use serde_json::{Value, json};

/// One objective and what came of it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// What was meant.
    pub objective: f64,
    /// What was.
    pub actual: Option<f64>,
}

impl Held {
    /// Whether the objective was kept.
    pub fn kept(self) -> bool {
        self.actual.is_some_and(|actual| actual <= self.objective)
    }

    fn json(self) -> Value {
        json!({"objective": self.objective, "actual": self.actual, "kept": self.kept()})
    }
}

/// What a recovery came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recovered {
    /// Recovery time: from the first page until it works again.
    pub rto: Option<Held>,
    /// Recovery point: how much of the newest data was lost when it worked again.
    pub rpo: Option<Held>,
    /// When it worked again.
    pub restored: Option<Timestamp>,
}

impl Recovered {
    /// Of a drill as it stands; `None` for a scenario without objectives of recovery.
    pub fn of(stage: &Stage) -> Option<Self> {
        let recovery = stage.scenario().recovery.as_ref()?;
        let from = stage.reached(Milestone::Paged).unwrap_or(stage.start());
        // The pain stopped when the signals say so; the players' own word counts where nothing says what that is.
        let restored = match recovery.restored {
            Some(_) => stage.restored(),
            None => stage.reached(Milestone::Mitigated),
        };
        let took = restored.map(|at| seconds((at - from).max(secs(0))));
        // What is lost is known when it works again; before that it still grows, or all of it is gone.
        let lost = recovery.data_loss.as_ref().zip(restored).and_then(|(loss, at)| stage.signal(&loss.name, at));
        let lost = lost.filter(|lost| lost.is_finite()).map(|lost| lost.max(0.0));
        Some(Self {
            rto: recovery.rto.map(|rto| Held { objective: seconds(rto), actual: took }),
            rpo: recovery.rpo.map(|rpo| Held { objective: seconds(rpo), actual: lost }),
            restored,
        })
    }

    /// Each objective that there is: its name, what was meant, what was, and whether that keeps it.
    pub fn rows(self) -> Vec<(&'static str, String, String, bool)> {
        let span = |s: f64| compact(secs(s.round() as i64));
        let rto = self.rto.map(|it| {
            let actual = it.actual.map_or_else(|| "not restored".to_owned(), span);
            ("RTO", span(it.objective), actual, it.kept())
        });
        let rpo = self.rpo.map(|it| {
            let actual = it.actual.map_or_else(|| self.unknown(), |s| format!("{} of data", span(s)));
            ("RPO", span(it.objective), actual, it.kept())
        });
        rto.into_iter().chain(rpo).collect()
    }

    /// Why it is not known what was lost.
    fn unknown(self) -> String {
        let open = self.restored.is_none();
        if open { "not restored".to_owned() } else { "not known".to_owned() }
    }

    /// `{"rto": null|{"objective", "actual", "kept"}, "rpo": …}`, in seconds.
    pub fn json(self) -> Value {
        json!({"rto": self.rto.map(Held::json), "rpo": self.rpo.map(Held::json)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::scenario::read::read;
    use crate::domain::time::mins;
    use std::sync::Arc;

    const TEXT: &str = "apiVersion: midwatch/v1\nkind: Scenario\nid: dr\ntitle: Region lost\nbrief: You are primary.\nduration: 60m\n\
        signals:\n  - {id: replica.lag, kind: const, value: 40}\n  - {id: api.errors, kind: const, value: 0.001}\n\
        injects:\n  - {at: 1m, do: signal, id: api.errors, kind: step, to: 0.9}\n  - {at: 2m, do: alert, alert: RegionDown, labels: {severity: page}}\n  - {at: 20m, do: signal, id: api.errors, kind: step, to: 0.001}\n\
        recovery: {rto: RTO, rpo: 30s, data_loss: replica.lag, restored: {signal: api.errors, op: '<', value: 0.01, for: 1m}}\n\
        expect: [{id: ack, event: ack, within: 5m, points: 10}]\n\
        end: [{at: 60m}]\n";

    fn stage(rto: &str) -> Stage {
        let (scenario, findings) = read("dr.yaml", &TEXT.replace("RTO", rto));
        Stage::new(Arc::new(scenario.unwrap_or_else(|| panic!("{findings:?}"))), 1)
    }

    #[test]
    fn objectives_are_held_against_what_was_measured() {
        let mut stage = stage("15m");
        stage.advance(stage.start() + mins(10));
        let before = Recovered::of(&stage).unwrap();
        assert_eq!((before.rto.unwrap().actual, before.rto.unwrap().kept()), (None, false), "not restored is not kept");
        assert_eq!(
            (before.rpo.unwrap().actual, before.rpo.unwrap().kept()),
            (None, false),
            "nor is what is lost known"
        );
        assert_eq!(before.rows()[1].2, "not restored");
        stage.advance(stage.start() + mins(30));
        let after = Recovered::of(&stage).unwrap();
        assert_eq!(after.rto.unwrap().actual, Some(18.0 * 60.0), "from the page at 2m to the cure at 20m");
        assert!(!after.rto.unwrap().kept());
        assert_eq!((after.rpo.unwrap().actual, after.rpo.unwrap().kept()), (Some(40.0), false));
        assert_eq!(after.json()["rpo"]["kept"], false);
        assert_eq!(after.rows()[0], ("RTO", "15m".into(), "18m".into(), false));
        let mut kept = self::stage("18m");
        kept.advance(kept.start() + mins(30));
        assert!(Recovered::of(&kept).unwrap().rto.unwrap().kept());
    }
}
