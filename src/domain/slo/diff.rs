//! What changed between two versions of the objectives, in words for one line each.

use crate::domain::slo::objective::Objective;
use crate::domain::time::compact;
use std::sync::Arc;

/// What changed, objective by objective, in the order of the new ones; gone ones last. Where an objective stands in its file
/// is no difference.
pub fn objectives(old: &[Arc<Objective>], new: &[Arc<Objective>]) -> Vec<String> {
    let mut told = Vec::new();
    for objective in new {
        match old.iter().find(|o| o.id == objective.id) {
            None => told.push(format!("SLO {}: new, target {}", objective.id, share(objective.target))),
            Some(before) => told.extend(one(before, objective).map(|what| format!("SLO {}: {what}", objective.id))),
        }
    }
    let gone = old.iter().filter(|o| !new.iter().any(|n| n.id == o.id));
    told.extend(gone.map(|o| format!("SLO {}: gone", o.id)));
    told
}

fn one(old: &Objective, new: &Objective) -> Option<String> {
    let mut words = Vec::new();
    if old.target != new.target {
        words.push(format!("target {} -> {}", share(old.target), share(new.target)));
    }
    if old.window != new.window || old.period != new.period {
        words.push(format!("window {} -> {}", compact(old.window), compact(new.window)));
    }
    if old.sli != new.sli {
        words.push("its query changed".to_owned());
    }
    let rest = |o: &Objective| {
        let mut rest = o.clone();
        rest.target = 0.0;
        rest.window = new.window;
        rest.period.clone_from(&new.period);
        rest.sli = new.sli.clone();
        rest.declared.clear();
        rest.written.clear();
        rest.says.clear();
        rest
    };
    if rest(old) != rest(new) {
        words.push("its settings changed".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// A share in percent with as many digits as it has: `99.9`, `99.95`.
fn share(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::format::read;

    fn slos(lines: &str) -> Vec<Arc<Objective>> {
        let text = format!("service_level_objectives:\n{lines}");
        read("slo.yaml", &text).0.into_iter().map(Arc::new).collect()
    }

    #[test]
    fn a_change_is_told_by_what_it_is() {
        let line = "  api: {sli: \"sum(rate(ok[5m])) / sum(rate(all[5m]))\", target: 0.999, window: 30d}\n";
        let old = slos(line);
        assert_eq!(old.len(), 1);
        assert_eq!(objectives(&old, &old), Vec::<String>::new());
        assert_eq!(objectives(&old, &slos(&format!("  # moved\n{line}"))), Vec::<String>::new());
        assert_eq!(objectives(&old, &slos(&line.replace("0.999", "0.9995"))), ["SLO api: target 99.9 -> 99.95"]);
        assert_eq!(objectives(&old, &slos(&line.replace("30d", "7d"))), ["SLO api: window 30d -> 7d"]);
        assert_eq!(objectives(&old, &slos(&line.replace("(ok[", "(fine["))), ["SLO api: its query changed"]);
        assert_eq!(
            objectives(&old, &slos(&line.replace("api:", "web:"))),
            ["SLO web: new, target 99.9", "SLO api: gone"]
        );
    }
}
