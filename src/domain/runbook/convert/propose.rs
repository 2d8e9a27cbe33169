//! What could be meant: a risk by telling words, a source by a variable's name, what a change would need. Proposals are
//! written as comments for a person; nothing here decides.

use crate::domain::document::write::scalar;
use crate::domain::runbook::lint::{destructive_word, lacks_namespace as without_namespace};
use crate::domain::runbook::model::{Exec, Phase, Risk, RunCommand, Runbook, Step};
use crate::domain::runbook::shell::{places, scan};
use crate::domain::runbook::values::AMBIENT;
use std::collections::BTreeSet;

/// Words that look, as the verb of a command or as the program itself.
const READS: [&str; 44] = [
    "cat",
    "check",
    "cluster-info",
    "current-context",
    "curl",
    "describe",
    "df",
    "dig",
    "du",
    "events",
    "explain",
    "free",
    "get",
    "grep",
    "head",
    "history",
    "host",
    "iostat",
    "is-active",
    "journalctl",
    "lag",
    "list",
    "log",
    "logs",
    "ls",
    "lsof",
    "netstat",
    "nslookup",
    "ping",
    "ps",
    "query",
    "select",
    "show",
    "ss",
    "stat",
    "stats",
    "status",
    "tail",
    "top",
    "uptime",
    "version",
    "view",
    "vmstat",
    "wc",
];
/// Words that change something that can be changed back.
const CHANGES: [&str; 34] = [
    "ack",
    "acknowledge",
    "add",
    "annotate",
    "apply",
    "cancel",
    "cordon",
    "create",
    "disable",
    "edit",
    "enable",
    "exec",
    "failover",
    "install",
    "kill",
    "label",
    "merge",
    "patch",
    "pause",
    "promote",
    "reload",
    "renew",
    "replace",
    "restart",
    "resume",
    "rollback",
    "rollout",
    "scale",
    "set",
    "start",
    "stop",
    "undo",
    "update",
    "upgrade",
];

/// What a command may do by its words, and the word that tells. What no word tells is a change: the careful guess.
pub fn risk(text: &str) -> (Risk, String) {
    if let Some(word) = destructive_word(text) {
        return (Risk::Destroy, format!("`{word}` destroys"));
    }
    let words: Vec<String> = scan(text).words.iter().map(|w| w.text.to_ascii_lowercase()).collect();
    let plain: Vec<&str> = words.iter().map(|w| w.rsplit('/').next().unwrap_or(w)).collect();
    let writes = ["-x", "--request", "-d", "--data", ">", ">>", "-o", "--output", "-i", "tee"];
    let looks_only = plain.first().is_some_and(|first| *first != "curl" && *first != "sed")
        || !plain.iter().any(|w| writes.contains(w));
    // The rollout of what happened is a look.
    let asks = plain
        .windows(2)
        .any(|pair| matches!(pair, ["rollout", "status" | "history"] | ["config", "view" | "current-context"]));
    if let Some(word) = plain.iter().find(|w| CHANGES.contains(w)).filter(|_| !asks) {
        return (Risk::Change, format!("`{word}` changes"));
    }
    if asks {
        return (Risk::Read, "it asks how a rollout or a setting is".to_owned());
    }
    match plain.iter().take(3).find(|w| READS.contains(w)) {
        Some(word) if looks_only && !text.contains('>') => (Risk::Read, format!("`{word}` looks")),
        _ => (Risk::Change, "no word says that it only looks".to_owned()),
    }
}

/// A phase by the words of a step's title.
pub(super) fn phase(step: &Step) -> Option<Phase> {
    let name = step.name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if has(&["acknowledge", "take it"]) => Some(Phase::Acknowledge),
        () if has(&["mitigat", "reduce", "stop the", "restore", "recover", "fix"])
            && !has(&["long-term", "long term"]) =>
        {
            Some(Phase::Mitigate)
        }
        () if has(&["verify", "confirm", "holds"]) => Some(Phase::Verify),
        () if has(&["communicat", "tell", "notify", "inform"]) => Some(Phase::Communicate),
        () if has(&["follow", "afterwards", "long-term", "long term", "prevent"]) => Some(Phase::Followup),
        () if has(&["identify", "diagnos", "check", "look", "find", "investigat", "analy", "root cause", "see "]) => {
            Some(Phase::Diagnose)
        }
        () => None,
    }
}

/// An input that a variable seems to be.
pub(super) struct Proposed {
    /// Its name.
    pub name: String,
    /// Its source.
    pub from: String,
    /// Which values can be right.
    pub pattern: &'static str,
    /// Why this source.
    pub why: &'static str,
}

/// What is proposed for the whole file.
pub(super) struct Proposals {
    /// Inputs, sorted by name.
    pub inputs: Vec<Proposed>,
    /// Variables whose names no input may have.
    pub unnamable: Vec<String>,
}

impl Proposals {
    /// For every variable that commands name and nothing gives a value to.
    pub(super) fn of(runbook: &Runbook) -> Self {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (_, command) in runbook.commands() {
            match &command.exec {
                Exec::Argv(argv) => names.extend(argv.iter().flat_map(|e| places(e)).map(str::to_owned)),
                Exec::Sh(text) => {
                    let scan = scan(text);
                    let assigned = scan.assigned();
                    let foreign =
                        scan.mentions.iter().filter(|m| !m.has_default && !assigned.contains(&m.name.as_str()));
                    names.extend(foreign.map(|m| m.name.clone()));
                }
                Exec::Query(_) => {}
            }
        }
        names.retain(|name| !name.starts_with("MW_") && !AMBIENT.contains(&name.as_str()));
        let upper = |name: &String| {
            name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') && !name.starts_with('_')
        };
        let (good, bad): (Vec<String>, Vec<String>) = names.into_iter().partition(upper);
        Self { inputs: good.into_iter().map(proposed).collect(), unnamable: bad }
    }
}

fn proposed(name: String) -> Proposed {
    let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
    let label = name.to_ascii_lowercase();
    let (from, pattern, why) = match () {
        () if has(&["INCIDENT"]) => (
            "backend:incident_id".to_owned(),
            "[A-Za-z0-9_-]{1,64}",
            "the paging service's own id; ours, INC-..., is another one",
        ),
        () if has(&["NAMESPACE", "SERVICE", "CLUSTER"]) => {
            (format!("label:{label}"), "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "a label of the alert by its name")
        }
        () if has(&["POD", "NODE", "HOST", "INSTANCE", "JOB"]) => {
            (format!("label:{label}"), "[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}", "a label of the alert by its name")
        }
        () if has(&["REPLICAS", "COUNT", "PORT", "PID", "PERCENT", "NUMBER"]) => {
            ("ask".to_owned(), "[0-9]{1,6}", "nothing says where it comes from, so the responder is asked")
        }
        () => (
            "ask".to_owned(),
            "[A-Za-z0-9][A-Za-z0-9_.:/@%+=,-]{0,63}",
            "nothing says where it comes from, so the responder is asked",
        ),
    };
    Proposed { name, from, pattern, why }
}

/// Whether it changes a cluster without a namespace.
pub(super) fn lacks_namespace(command: &RunCommand) -> bool {
    without_namespace(command).is_some()
}

/// Blanks for what a change needs; for scaling they are written out, because the way back is known.
pub(super) fn around(command: &RunCommand) -> Vec<String> {
    let words: Vec<String> = scan(&command.text).words.into_iter().map(|w| w.text).collect();
    let count = words.iter().position(|w| w.starts_with("--replicas="));
    let mut lines = vec!["blank: impact: what it does to others".to_owned()];
    if let (Some(at), true) = (count, words.iter().any(|w| w == "scale")) {
        let with = |verb: &str, last: &str| {
            let mut list: Vec<String> = words.clone();
            if let Some(place) = list.get_mut(at) {
                last.clone_into(place);
            }
            list.iter_mut().filter(|w| *w == "scale").for_each(|w| verb.clone_into(w));
            list.iter().map(|w| scalar(w)).collect::<Vec<_>>().join(", ")
        };
        let read = with("get", "-ojsonpath={.spec.replicas}");
        lines.push(format!("proposed: before: {{argv: [{read}], capture: {{name: OLD, regex: '^([0-9]+)$'}}}}"));
        lines.push(format!("proposed: rollback: {{argv: [{}]}}", with("scale", "--replicas=${OLD}")));
    } else {
        lines.push("blank: before: {argv: [the old value], capture: {name: OLD, regex: '^(.*)$'}}".to_owned());
        lines.push("blank: rollback: {argv: [the way back]}, or {none: why there is none}".to_owned());
    }
    lines.push("blank: verify: {slo: NAME, burn_rate: 5m, op: '<', value: 1, for: 5m, within: 20m}".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_proposed_by_telling_words() {
        for (text, want) in [
            ("kubectl top pods -n production", Risk::Read),
            ("kubectl logs -n x -l app=api --tail=100", Risk::Read),
            ("kubectl rollout status deployment/x -n y", Risk::Read),
            ("kubectl rollout undo deployment/x -n y", Risk::Change),
            ("kubectl set env deployment/api A=b", Risk::Change),
            ("pd incident acknowledge --id $X", Risk::Change),
            ("kubectl delete pod x -n y", Risk::Destroy),
            ("curl -fsS https://x/health", Risk::Read),
            ("curl -X POST https://x/flush", Risk::Change),
            ("df -h > /tmp/x", Risk::Change),
            ("frobnicate -x", Risk::Change),
        ] {
            assert_eq!(risk(text).0, want, "{text}");
        }
    }
}
