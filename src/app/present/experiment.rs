//! An experiment under way, as it is shown: the hypothesis, where it is, every condition with its value, what time is left, and
//! how it is taken back. Cells and lines both come from here.

use crate::app::present::view::{Bit, Hint, Sign, Tone};
use crate::domain::experiment::machine::{Machine, Phase, Prompt, Role, Watch};
use crate::domain::runbook::hold::Look;
use crate::domain::time::{Timestamp, clock, compact, countdown, secs};

/// Everything that is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExperimentPage {
    /// `EXPERIMENT staging`.
    pub banner: String,
    /// `03:14:07Z`.
    pub utc: String,
    /// Its title.
    pub title: String,
    /// What is believed.
    pub hypothesis: String,
    /// Where it is.
    pub state: Bit,
    /// What time is left, and of what.
    pub left: Option<Bit>,
    /// What may be touched.
    pub touches: String,
    /// What is in force: a part of the method each, and how it ended.
    pub in_force: Vec<Bit>,
    /// Steady, abort, success.
    pub conditions: Vec<ConditionRow>,
    /// What takes it back, each with its state.
    pub rollback: Vec<Bit>,
    /// What a person is asked.
    pub prompt: Option<Prompt>,
    /// What is being typed.
    pub typed: String,
    /// What was told last, newest last.
    pub told: Vec<String>,
    /// Keys; the way back is always among them while there is something to take back.
    pub hints: Vec<Hint>,
}

/// A condition and its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConditionRow {
    /// `steady`, `abort`, `success`, `blast`.
    pub role: &'static str,
    /// How it stands.
    pub sign: Sign,
    /// Its name.
    pub name: String,
    /// The last value, or that there is none.
    pub value: Bit,
    /// For how long it has held, of what it must.
    pub held: String,
}

/// The page of a machine. What is typed and told is the shell's to add.
pub fn page(machine: &Machine, now: Timestamp) -> ExperimentPage {
    let it = machine.experiment();
    let limit = it.blast.limit().map(|limit| format!(", {limit}")).unwrap_or_default();
    ExperimentPage {
        banner: format!("EXPERIMENT in {}", it.blast.environment),
        utc: clock(now),
        title: format!("{} {}", machine.run(), it.title),
        hypothesis: it.hypothesis.clone(),
        state: state(machine),
        left: left(machine, now),
        touches: format!("{}{limit}", it.blast.environment),
        in_force: in_force(machine),
        conditions: machine.watches().iter().map(|watch| row(machine, watch, now)).chain(unmeasured(machine)).collect(),
        rollback: rollback(machine),
        prompt: machine.prompt(),
        typed: String::new(),
        told: Vec::new(),
        hints: hints(machine),
    }
}

/// One line of how it stands.
pub fn status(page: &ExperimentPage) -> String {
    let values = page.conditions.iter().map(|row| format!("{} {} {}", row.role, row.name, row.value.text));
    let left = page.left.iter().map(|left| left.text.clone());
    let head = std::iter::once(page.state.text.clone());
    head.chain(left).chain(values).collect::<Vec<_>>().join("; ")
}

fn state(machine: &Machine) -> Bit {
    let words = machine.phase().words();
    match machine.phase() {
        Phase::Rollback(_) | Phase::Stopping(_) | Phase::Owed => Bit::loud(words, Tone::Crit),
        Phase::Method(_) | Phase::Watching => Bit::loud(words, Tone::Warn),
        Phase::Over if machine.journal().owes_rollback() => Bit::loud("over, ROLLBACK OWED", Tone::Crit),
        _ => Bit::new(words, Tone::Text),
    }
}

fn left(machine: &Machine, now: Timestamp) -> Option<Bit> {
    let it = machine.experiment();
    match machine.phase() {
        Phase::Method(_) | Phase::Watching => {
            let left = (machine.ends()? - now).max(secs(0));
            Some(Bit::new(format!("{} left of {}", countdown(left), compact(it.duration)), Tone::Accent))
        }
        Phase::Recovery(since) => {
            let left = (*since + it.recovery - now).max(secs(0));
            Some(Bit::new(format!("{} left for the steady state to come back", countdown(left)), Tone::Accent))
        }
        _ => None,
    }
}

fn in_force(machine: &Machine) -> Vec<Bit> {
    let record = machine.journal();
    let mut all = Vec::new();
    for deed in &machine.experiment().method {
        let (words, tone) = match record.done(&deed.id).map(|done| &done.ended) {
            None => continue,
            Some(None) => ("runs", Tone::Warn),
            Some(Some((_, Some(true), _))) => ("done", Tone::Warn),
            Some(Some((_, Some(false), _))) => ("FAILED", Tone::Crit),
            Some(Some((_, None, _))) => ("end not known", Tone::Stale),
        };
        all.push(Bit::new(format!("{words}: {}", deed.title()), tone));
    }
    all
}

fn rollback(machine: &Machine) -> Vec<Bit> {
    let record = machine.journal();
    let of = |deed: &crate::domain::experiment::model::Deed| {
        let (words, tone) = match record.done(&deed.id).map(|done| &done.ended) {
            None => ("", Tone::Muted),
            Some(None) => ("runs: ", Tone::Warn),
            Some(Some((_, Some(true), _))) => ("done: ", Tone::Ok),
            Some(Some((_, Some(false), _))) => ("FAILED: ", Tone::Crit),
            Some(Some((_, None, _))) => ("end not known: ", Tone::Crit),
        };
        Bit::new(format!("{words}{}", deed.line()), tone)
    };
    machine.experiment().rollback.iter().map(of).collect()
}

/// That nothing measures what is touched.
fn unmeasured(machine: &Machine) -> Option<ConditionRow> {
    let blast = &machine.experiment().blast;
    let why = blast.unmeasured()?;
    Some(ConditionRow {
        role: Role::Blast.word(),
        sign: Sign::NoData,
        name: blast.limit().unwrap_or_else(|| "blast radius".to_owned()),
        value: Bit::new(format!("not measured: {why}"), Tone::Stale),
        held: String::new(),
    })
}

fn row(machine: &Machine, watch: &Watch, now: Timestamp) -> ConditionRow {
    let (sign, tone) = match (&watch.last, watch.role) {
        (None, _) => (Sign::Blank, Tone::Muted),
        (Some((_, Look::NoData(_))), _) => (Sign::NoData, Tone::Stale),
        (Some((_, Look::Holds(_))), role) if role.ends() => (Sign::Page, Tone::Crit),
        (Some((_, Look::Fails(_))), role) if role.ends() => (Sign::Ok, Tone::Ok),
        (Some((_, Look::Holds(_))), _) => (Sign::Ok, Tone::Ok),
        (Some((_, Look::Fails(_))), _) => (Sign::Ticket, Tone::Warn),
    };
    let old = watch.last.as_ref().map(|(at, _)| now - *at).filter(|age| *age > machine.experiment().every * 3);
    let value = match old {
        Some(age) => format!("{}, {} old", watch.seen(), compact(age)),
        None => watch.seen(),
    };
    let held = match watch.since {
        Some(since) if watch.needed() > secs(0) => format!("{} of {}", compact(now - since), compact(watch.needed())),
        Some(since) => compact(now - since),
        None => String::new(),
    };
    let (sign, tone) = if old.is_some() && sign != Sign::NoData { (Sign::Stale, Tone::Stale) } else { (sign, tone) };
    ConditionRow { role: watch.role.word(), sign, name: watch.name.clone(), value: Bit::new(value, tone), held }
}

fn hints(machine: &Machine) -> Vec<Hint> {
    let hint = |key: &str, text: &str, why_not: Option<&str>| Hint {
        key: key.to_owned(),
        text: text.to_owned(),
        why_not: why_not.map(str::to_owned),
    };
    let mut all = Vec::new();
    match machine.phase() {
        Phase::Method(_) | Phase::Watching => all.push(hint("r", "ROLL BACK NOW", None)),
        Phase::Stopping(_) | Phase::Rollback(_) => {
            all.push(hint("r", "ROLL BACK NOW", Some("it is being rolled back")));
        }
        Phase::Over => all.push(hint("Enter", "close", None)),
        _ => all.push(hint("r", "ROLL BACK NOW", Some("nothing is in force"))),
    }
    if machine.prompt().is_some() {
        all.push(hint("Enter", "answer", None));
    }
    if !matches!(machine.phase(), Phase::Over) {
        all.push(hint("Ctrl-C", if machine.phase().in_force() { "end, rolling back" } else { "leave" }, None));
    }
    let may = machine.experiment().halt_by.join(", ");
    if !may.is_empty() {
        all.push(hint("", &format!("may halt: {may}"), None));
    }
    all
}
