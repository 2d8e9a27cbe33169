//! One command, ready to be confirmed: exactly what runs, where, as whom, what it may do and how it is taken back. What is
//! shown, what is recorded and what is handed to the system all come from this one value.

use crate::domain::exec::{CommandEnd, CommandSpec, FileSeen};
use crate::domain::ids::IncidentId;
use crate::domain::incident::change::{ChangePlan, PlannedCommand, RollbackPlan, VerifyPlan};
use crate::domain::incident::event::{At, CommandFinish, CommandStart};
use crate::domain::mask::Masks;
use crate::domain::runbook::hold::words;
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{Capture, Part, Retry, Risk, RunCommand, Verify};
use crate::domain::runbook::prepare::{Prepared, secrets};
use crate::domain::runbook::values::Values;
use crate::domain::time::{Span, compact, secs};
use std::time::Duration;

/// Bytes kept from the head of the output.
const KEEP_HEAD: usize = 64 * 1024;

/// A command that may be confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// For which incident.
    pub incident: IncidentId,
    /// Where in its runbook.
    pub place: At,
    /// Its id in the runbook.
    pub id: String,
    /// Names it inside its step, for people: `command 1`, `option 2 before`.
    pub slot: String,
    /// What it is for.
    pub part: Part,
    /// Exactly what runs.
    pub prepared: Prepared,
    /// What it may do.
    pub risk: Risk,
    /// The word because of which that is more than the runbook says.
    pub raised: Option<&'static str>,
    /// How long it may take.
    pub timeout: Span,
    /// Exit codes that are success.
    pub ok_exit: Vec<i32>,
    /// What is taken from its output.
    pub capture: Vec<Capture>,
    /// How often a read is tried again.
    pub retry: Option<Retry>,
    /// It gets the terminal.
    pub tty: bool,
    /// It belongs to this option of the step.
    pub option: Option<(usize, String)>,
    /// What it does to others, in words.
    pub impact: Option<String>,
    /// What the guard found.
    pub context: Option<String>,
    /// What the dry run said, or that there was none.
    pub dry_run: Option<String>,
    /// What it changes and how that is taken back.
    pub change: Option<ChangePlan>,
    /// What proves that it helped.
    pub verify: Option<Verify>,
    /// The approval of a second person: its id, who, and whether that is verified.
    pub approval: Option<(String, String, bool)>,
    /// The files it came from, as they were shown.
    pub files: Vec<FileSeen>,
    /// Values that nothing it writes may show.
    pub masks: Masks,
}

/// What a command may do: what its runbook says, raised by words that destroy. A trial run of what destroys destroys
/// nothing.
pub fn risk(command: &RunCommand, part: Part) -> (Risk, Option<&'static str>) {
    let trial = part == Part::DryRun || command.text.contains("--dry-run");
    match destructive_word(&command.text) {
        Some(word) if command.risk < Risk::Destroy && !trial => (Risk::Destroy, Some(word)),
        _ => (command.risk, None),
    }
}

impl Offer {
    /// A command with its values; what stands around it is added by who knows it.
    pub fn of(
        incident: &IncidentId,
        place: At,
        slot: &str,
        (part, command): (Part, &RunCommand),
        prepared: Prepared,
    ) -> Self {
        let (risk, raised) = risk(command, part);
        let masks = Masks::of(secrets(&prepared));
        Self {
            incident: incident.clone(),
            place,
            id: command.id.clone(),
            slot: slot.to_owned(),
            part,
            prepared,
            risk,
            raised,
            timeout: command.timeout,
            ok_exit: command.ok_exit.clone(),
            capture: command.capture.clone(),
            retry: command.retry.filter(|_| risk == Risk::Read),
            tty: command.tty,
            option: None,
            impact: None,
            context: None,
            dry_run: None,
            change: None,
            verify: None,
            approval: None,
            files: Vec::new(),
            masks,
        }
    }

    /// A command that was settled when a change was made, to take it back. `Err` names what is missing.
    pub fn planned(
        incident: &IncidentId,
        place: At,
        slot: &str,
        plan: &PlannedCommand,
        values: &Values,
    ) -> Result<Self, String> {
        let mut env = plan.env.clone();
        for name in &plan.secret {
            let value = values.get(name).ok_or_else(|| format!("${name} is secret and must be given again"))?;
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value.to_owned()));
        }
        env.sort();
        let prepared = Prepared {
            argv: plan.argv.clone(),
            env,
            secret: plan.secret.clone(),
            cwd: plan.cwd.clone(),
            host: plan.target.clone(),
            query: None,
            shown: plan.shown.clone(),
        };
        let declared = Risk::ALL.into_iter().find(|r| r.word() == plan.risk).unwrap_or(Risk::Unknown);
        let exec = crate::domain::runbook::model::Exec::Argv(plan.argv.clone());
        let mark = crate::domain::document::Mark::default();
        let command = RunCommand {
            timeout: secs(i64::try_from(plan.timeout_s).unwrap_or(60)),
            ok_exit: plan.ok_exit.clone(),
            ..RunCommand::new(plan.id.clone(), plan.shown.clone(), exec, declared, mark)
        };
        Ok(Self::of(incident, place, slot, (Part::Rollback, &command), prepared))
    }

    /// What would be needed to run this command later.
    pub fn plan(&self) -> PlannedCommand {
        PlannedCommand {
            id: self.id.clone(),
            shown: self.prepared.shown.clone(),
            argv: self.prepared.argv.clone(),
            env: self.prepared.env.iter().filter(|(n, _)| !self.prepared.secret.contains(n)).cloned().collect(),
            secret: self.prepared.secret.clone(),
            cwd: self.prepared.cwd.clone(),
            target: self.prepared.host.clone(),
            risk: self.risk.word().to_owned(),
            timeout_s: u64::try_from(self.timeout.num_seconds()).unwrap_or_default(),
            ok_exit: self.ok_exit.clone(),
        }
    }

    /// SHA-256 (hex) over what runs.
    pub fn sha256(&self) -> String {
        self.prepared.sha256()
    }

    /// Where it runs, for people.
    pub fn target(&self, host: &str) -> String {
        match (&self.prepared.host, &self.prepared.query) {
            (_, Some(_)) => "the metrics server, over HTTP".to_owned(),
            (Some(over), None) => format!("{over} over ssh"),
            (None, None) => host.to_owned(),
        }
    }

    /// Label and text of everything that is confirmed.
    pub fn rows(&self, host: &str, user: &str) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |label: &str, text: String| rows.push((label.to_owned(), text));
        row("runs", self.prepared.shown.clone());
        if !self.prepared.argv.is_empty() {
            row("argv", argv(&self.prepared.argv));
        }
        for (name, value) in self.prepared.shown_env() {
            row("with", format!("{name}={value}"));
        }
        let limit = match self.tty {
            true => "no time limit".to_owned(),
            false => format!("time limit {}s", self.timeout.num_seconds()),
        };
        match &self.prepared.host {
            Some(over) => {
                row("where", format!("{over} over ssh, from {host} as {user}   {limit}"));
                row("note", format!("stopping ssh does not stop what runs on {over}"));
            }
            None => row("where", format!("{} as {user}   {limit}", self.target(host))),
        }
        self.prepared.cwd.iter().for_each(|cwd| row("folder", cwd.clone()));
        self.context.iter().for_each(|found| row("context", found.clone()));
        row("risk", self.risk_words());
        self.option.iter().for_each(|(_, action)| row("option", action.clone()));
        self.impact.iter().for_each(|impact| row("impact", impact.clone()));
        self.dry_run.iter().for_each(|said| row("dry run", said.clone()));
        if let Some(change) = &self.change {
            row("rollback", rollback_words(&change.rollback, change.undoes.is_some()));
        }
        if let Some(verify) = &self.verify {
            let held =
                format!("{} for {} within {}", words(&verify.what), compact(verify.for_), compact(verify.within));
            row("verify", held);
        }
        if let Some((_, who, verified)) = &self.approval {
            let how = if *verified { "from another cockpit" } else { "UNVERIFIED, typed here" };
            row("approved", format!("by {who}, {how}"));
        }
        if self.tty {
            row("note", "it gets the terminal; its output is not kept and Ctrl-C goes to it".to_owned());
        }
        row("sha256", self.sha256().chars().take(16).collect());
        rows
    }

    fn risk_words(&self) -> String {
        let says = match self.risk {
            Risk::Read => "reads only, says the runbook",
            Risk::Change => "changes production",
            Risk::Destroy => "destroys; cannot be taken back",
            Risk::Unknown => "unclassified: treated as a change",
        };
        match self.raised {
            Some(word) => format!("{says} (raised, because it says `{word}`)"),
            None => says.to_owned(),
        }
    }

    /// The word that must be typed: the name of what is destroyed, so that it is read once more.
    pub fn token(&self) -> Option<String> {
        (self.risk == Risk::Destroy).then(|| object(&self.prepared, self.incident.as_str()))
    }

    /// The event of its beginning.
    pub fn start(&self, run: &str, host: &str, user: &str) -> CommandStart {
        CommandStart {
            run: run.to_owned(),
            place: self.place.clone(),
            command: self.prepared.shown.clone(),
            argv: self.prepared.argv.clone(),
            env: self.prepared.shown_env(),
            host: host.to_owned(),
            user: user.to_owned(),
            timeout_s: u64::try_from(self.timeout.num_seconds()).unwrap_or_default(),
            sha256: self.sha256(),
            id: self.id.clone(),
            part: (self.part != Part::Run).then(|| self.part.word().to_owned()),
            risk: Some(self.risk.word().to_owned()),
            target: self.prepared.host.as_ref().map(|over| format!("{over} over ssh")),
            context: self.context.clone(),
            approval: self.approval.as_ref().map(|(id, ..)| id.clone()),
            change: self.change.clone().map(Box::new),
        }
    }

    /// What is handed to the system. `pass` names further variables of ours.
    pub fn spec(&self, run: &str, pass: &[String]) -> CommandSpec {
        CommandSpec {
            argv: self.prepared.argv.clone(),
            env: self.prepared.env.clone(),
            pass: pass.to_vec(),
            cwd: self.prepared.cwd.as_ref().map(Into::into),
            timeout: self.timeout.to_std().unwrap_or(Duration::from_secs(60)),
            keep_head: KEEP_HEAD,
            masks: self.masks.clone(),
            files: self.files.clone(),
            tty: self.tty,
            spill: Some(run.to_owned()),
            tries: self.retry.map_or(0, |r| r.times.min(10)),
            pause: self.retry.and_then(|r| r.delay.to_std().ok()).unwrap_or_default(),
            ok_exit: self.ok_exit.clone(),
        }
    }

    /// The event of its end.
    pub fn finish(&self, run: &str, end: &CommandEnd, excerpt: Vec<String>) -> CommandFinish {
        CommandFinish {
            run: run.to_owned(),
            exit: end.exit,
            reason: end.reason.clone(),
            took_ms: u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX),
            bytes: end.bytes,
            sha256: end.sha256.clone(),
            excerpt,
            ok: outcome(end, &self.ok_exit),
            never: !end.began,
            file: end.file.clone(),
        }
    }

    /// The event that begins to watch whether it helped.
    pub fn watch(&self, run: &str) -> Option<VerifyPlan> {
        let verify = self.verify.as_ref()?;
        let seconds = |span: Span| u64::try_from(span.num_seconds()).unwrap_or_default();
        Some(VerifyPlan {
            run: run.to_owned(),
            what: words(&verify.what),
            for_s: seconds(verify.for_),
            within_s: seconds(verify.within),
            every_s: seconds(verify.every),
        })
    }
}

/// How a command ended: done, failed, or unknown. One that never began has failed; one that was stopped, ran out of time or
/// was ended by a signal may have done its work or not.
pub fn outcome(end: &CommandEnd, ok_exit: &[i32]) -> Option<bool> {
    match end.exit {
        Some(code) => Some(ok_exit.contains(&code)),
        None if !end.began => Some(false),
        None => None,
    }
}

/// The elements so that each can be told from its neighbours.
pub fn argv(argv: &[String]) -> String {
    argv.iter().map(|element| format!("{element:?}")).collect::<Vec<_>>().join(" ")
}

/// How a change is taken back, in words.
pub fn rollback_words(plan: &RollbackPlan, undoes: bool) -> String {
    match plan {
        _ if undoes => "this takes a change back".to_owned(),
        RollbackPlan::Unstated => "NO: the runbook does not say how this is taken back".to_owned(),
        RollbackPlan::None(why) => format!("NO: {why}"),
        RollbackPlan::Unready(why) => format!("NOT READY: {why}"),
        RollbackPlan::Command(plan) => format!("yes: {}", plan.shown),
    }
}

/// The name of what a command works on: the last word of it that is neither an option nor an option's value.
fn object(prepared: &Prepared, fallback: &str) -> String {
    let words: Vec<String> = match prepared.argv.as_slice() {
        [shell, flag, text, ..] if shell.ends_with("/sh") && flag == "-c" => {
            crate::domain::runbook::shell::scan(text).words.into_iter().map(|w| w.text).collect()
        }
        _ if prepared.host.is_some() => return prepared.host.clone().unwrap_or_default(),
        argv => argv.to_vec(),
    };
    let (mut named, mut loose) = (None, None);
    let mut after_option = false;
    // What comes after a pipe only reads what the first program wrote.
    let first = words.iter().skip(1).take_while(|w| !matches!(w.as_str(), "|" | "||" | "&&" | ";" | "&"));
    for word in first {
        let option = word.starts_with('-') && word != "--";
        if !option && word != "--" && !word.contains('$') {
            loose = Some(word.clone());
            if !after_option {
                named = Some(word.clone());
            }
        }
        // `-n prod` takes its value from the next word; `--name=value` has it already.
        after_option = option && !word.contains('=');
    }
    let typeable = |word: &String| {
        let length = word.chars().count();
        (2..=40).contains(&length) && word.chars().all(|c| c.is_ascii_graphic())
    };
    let short = |id: &str| id.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    named.or(loose).filter(typeable).unwrap_or_else(|| short(fallback))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::runbook::model::Exec;
    use crate::domain::runbook::prepare::prepare;

    fn offer(words: &[&str], declared: Risk) -> Offer {
        let exec = Exec::Argv(words.iter().map(|w| (*w).to_owned()).collect());
        let command = RunCommand::new("s.1", words.join(" "), exec, declared, Mark::default());
        let prepared = prepare(&command, &Values::default()).unwrap();
        let place = At { runbook: "r".into(), step: "s".into(), name: "S".into() };
        Offer::of(&"INC-20260501-031204".into(), place, "command 1", (Part::Run, &command), prepared)
    }

    #[test]
    fn what_destroys_asks_for_the_name_of_its_object() {
        for (words, token) in [
            (&["kubectl", "delete", "pod", "api-7f", "-n", "prod"][..], "api-7f"),
            (&["kubectl", "-n", "prod", "delete", "deploy/api"], "deploy/api"),
            (&["rm", "-rf", "--", "/var/tmp/x"], "/var/tmp/x"),
            (&["rm", "-rf", "/var/tmp/y"], "/var/tmp/y"),
            (&["dropdb", "--if-exists=1", "orders"], "orders"),
            (&["kubectl", "drain", "--force"], "drain"),
            (&["mkfs"], "1204"),
        ] {
            let offer = offer(words, Risk::Unknown);
            assert_eq!((offer.risk, offer.token().as_deref()), (Risk::Destroy, Some(token)), "{words:?}");
        }
        assert_eq!(offer(&["kubectl", "scale", "deploy/api"], Risk::Change).token(), None);
        assert_eq!(offer(&["kubectl", "delete", "pod", "x", "--dry-run=server"], Risk::Read).risk, Risk::Read);
    }

    #[test]
    fn the_rows_hold_every_byte_that_runs() {
        let offer = offer(&["echo", "a b", "it's", "$HOME"], Risk::Change);
        let rows = offer.rows("bastion", "alice");
        let text = |label: &str| rows.iter().find(|(l, _)| l == label).map(|(_, t)| t.clone()).unwrap();
        assert_eq!(shlex::split(&text("runs")), Some(offer.spec("r", &[]).argv));
        assert_eq!(text("argv"), r#""echo" "a b" "it's" "$HOME""#);
        assert_eq!(text("where"), "bastion as alice   time limit 60s");
        assert_eq!(offer.start("r", "bastion", "alice").sha256, offer.sha256());
    }

    #[test]
    fn an_end_is_done_failed_or_unknown() {
        let end = |exit, began| CommandEnd { exit, began, ..CommandEnd::default() };
        assert_eq!(outcome(&end(Some(1), true), &[0, 1]), Some(true));
        assert_eq!(outcome(&end(Some(2), true), &[0, 1]), Some(false));
        assert_eq!(outcome(&end(None, true), &[0]), None);
        assert_eq!(outcome(&end(None, false), &[0]), Some(false));
    }
}
