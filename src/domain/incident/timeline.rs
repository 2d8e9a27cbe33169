//! An event in words: one line for the timeline, the postmortem and the exports.

use crate::domain::incident::board::{DecisionEvent, TaskEvent};
use crate::domain::incident::event::{Body, CommandStart, Event, StepEnd};
use crate::domain::incident::state::{Amendment, Incident, key_text};
use crate::domain::outward::capability::Capability;
use crate::domain::time::{Timestamp, clock, compact, secs};

/// The text of an event, amended where it was corrected; raw outside text may be in it.
pub fn tell(event: &Event, incident: Option<&Incident>) -> String {
    let words = words(&event.body);
    let gone = incident.filter(|i| !i.redacted.is_empty()).and_then(|i| i.redacted.get(&key_text(&event.key)));
    let words = match gone {
        Some(why) => format!("{words} (text taken out: {why})"),
        None => words,
    };
    match incident.and_then(|i| i.amended.get(&key_text(&event.key))) {
        Some(Amendment::Corrected(text)) => format!("{text} (corrected)"),
        Some(Amendment::Retracted(why)) => format!("{words} (retracted: {why})"),
        None => words,
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one arm for each kind")]
fn words(body: &Body) -> String {
    match body {
        Body::Declared { title, severity, detected_by, .. } => match detected_by {
            Some(by) => format!("{severity} declared: {title} (detected by {by})"),
            None => format!("{severity} declared: {title}"),
        },
        Body::Acknowledged => "acknowledged".into(),
        Body::RoleSet { role, person: Some(person) } => format!("{person} is {}", role.word()),
        Body::RoleSet { role, person: None } => format!("nobody is {}", role.word()),
        Body::SeveritySet { to, reason } => format!("{to}: {reason}"),
        Body::StatusSet { to, message: Some(message) } => format!("{}: {message}", to.word()),
        Body::StatusSet { to, message: None } => to.word().into(),
        Body::Mitigated => "mitigated".into(),
        Body::Resolved { summary } => format!("resolved: {summary}"),
        Body::Reopened { reason } => format!("reopened: {reason}"),
        Body::Note { text, .. } => text.clone(),
        Body::ActionItem { text, owner, due, does } => {
            let owner = owner.as_ref().map(|o| format!(", owner {o}")).unwrap_or_default();
            let due = due.as_ref().map(|d| format!(", due {d}")).unwrap_or_default();
            let does = does.map(|does| format!(" ({})", does.word())).unwrap_or_default();
            format!("{text}{does}{owner}{due}")
        }
        Body::Update { audience, text, next_at } => {
            let next = next_at.map(|at| format!(" (next at {})", clock(at))).unwrap_or_default();
            format!("told {audience}: {text}{next}")
        }
        Body::Task(task) => tasked(task),
        Body::Deciding(step) => deciding(step),
        Body::HypothesisJudged { of, belief, why } => format!("{} (entry {}): {why}", belief.word(), of.seq),
        Body::Ticked { phase, line, done: true } => format!("{}: {line}", phase.word()),
        Body::Ticked { phase, line, done: false } => format!("{}: {line} (open again)", phase.word()),
        Body::Tied { other, bond, why } => format!("{} {other}: {why}", bond.words()),
        Body::Presence { person, here: true, .. } => format!("{person} is in"),
        Body::Presence { person, here: false, .. } => format!("{person} has left"),
        Body::Corrected { of, text } => format!("event {} reads: {text}", of.seq),
        Body::Retracted { of, reason } => format!("event {} does not hold: {reason}", of.seq),
        Body::AlertLinked { name, .. } => format!("{name} linked"),
        Body::AlertChanged { name, to, .. } => format!("{name} {to}"),
        Body::AlertAnnotated { name, annotation, text, .. } if text.is_empty() => {
            format!("{name}: no {annotation} any more")
        }
        Body::AlertAnnotated { name, annotation, text, .. } => format!("{name}: {annotation} reads: {text}"),
        Body::ObjectiveLinked { slo } => format!("objective {slo} linked"),
        Body::BudgetSampled(s) => {
            let percent = |x: Option<f64>| x.map_or("unknown".to_owned(), |x| format!("{:.1} %", x * 100.0));
            format!(
                "{} at {}: {} of its budget left, {} burned (net {}){}",
                s.slo,
                s.moment,
                percent(s.remaining),
                percent(s.gross),
                percent(s.net),
                s.basis.as_ref().map(|of| format!(" of {of}")).unwrap_or_default()
            )
        }
        Body::BandCrossed(crossing) => crossing.words(),
        Body::RunbookOpened { name, steps, .. } => format!("runbook {name} opened ({steps} steps)"),
        Body::StepEnded { place, end } => match end {
            StepEnd::Done => format!("{}: done", place.name),
            StepEnd::Skipped(why) => format!("{}: skipped ({why})", place.name),
            StepEnd::Failed(why) => format!("{}: failed ({why})", place.name),
            StepEnd::Reopened => format!("{}: open again", place.name),
        },
        Body::CheckAnswered { question, answer, .. } => format!("{question} {}", answer.word()),
        Body::OptionChosen { action, .. } => format!("chosen: {action}"),
        Body::CommandStarted(start) => started(start),
        Body::CommandFinished(end) => {
            let how = match (end.exit, &end.reason) {
                (Some(code), _) => format!("exit {code}"),
                (None, Some(reason)) => reason.clone(),
                (None, None) => "unknown result".into(),
            };
            format!("{how} after {:.1}s", end.took_ms as f64 / 1_000.0)
        }
        Body::InputGiven { name, value: Some(value), .. } => format!("{name} is `{value}`"),
        Body::InputGiven { name, value: None, .. } => format!("{name} was given (secret)"),
        Body::ValueCaptured { name, value, .. } => format!("{name} is `{value}`, says its command"),
        Body::GuardChecked { ok: true, found, .. } => format!("guard holds: {found}"),
        Body::GuardChecked { ok: false, found, .. } => format!("GUARD DOES NOT HOLD: {found}"),
        Body::ChangeApplied { action, .. } => format!("in force: {action}"),
        Body::RolledBack { action, .. } => format!("rolled back: {action}"),
        Body::VerifyStarted(plan) => {
            format!("watching {}: to hold for {} within {}", plan.what, lengthy(plan.for_s), lengthy(plan.within_s))
        }
        Body::VerifyHeld { since, what, .. } => format!("held since {}: {what}", clock(*since)),
        Body::VerifyFailed { why, .. } => format!("did not hold in time: {why}"),
        Body::ApprovalAsked(asked) => {
            format!("a second person is asked, code {}: {} ({})", asked.code, asked.command, asked.target)
        }
        Body::ApprovalGiven { witness: Some(name), .. } => format!("approved by {name}, unverified: typed here"),
        Body::ApprovalGiven { witness: None, .. } => "approved".into(),
        Body::TimerDue { label, .. } => format!("due: {label}"),
        Body::TimerSnoozed { until, reason, .. } => format!("put off until {}: {reason}", clock(*until)),
        Body::TimerDismissed { reason, .. } => format!("not needed: {reason}"),
        Body::Escalated { contact, .. } => format!("told {contact}"),
        Body::Cockpit { what, detail } => format!("{what} {detail}").trim_end().to_owned(),
        Body::DraftWritten { path } => format!("postmortem draft {path}"),
        Body::Outgoing(op) => format!("to {}: {}", op.target, brief(&op.intent.words())),
        Body::OutgoingOutcome { target, words, end, .. } => match end.words() {
            more if more.is_empty() => format!("{target}: {}: {}", end.word(), brief(words)),
            more => format!("{target}: {}: {} ({more})", end.word(), brief(words)),
        },
        Body::Imported(import) if import.text.is_empty() => import.act.word().into(),
        Body::Imported(import) => import.text.clone(),
        Body::Marked { of, mark, on } => format!("event {} {}", of.seq, mark.told(*on)),
        Body::Redacted(redaction) => format!("text of event {} taken out: {}", redaction.of.seq, redaction.reason),
        Body::BackendLinked(link) => format!("{} linked: {}", link.name(), link.title),
        Body::BackendUnlinked { target, page, reason } => format!("{target} {page} does not belong here: {reason}"),
        Body::BackendLogged(line) => format!("{}: {}", line.name(), line.text),
        Body::RoomMessage { target, author, text, pinned, .. } => {
            format!("{author} in {target}{}: {text}", if *pinned { ", pinned" } else { "" })
        }
        Body::Unknown(value) => {
            let kind = value.get("kind").and_then(|k| k.as_str()).unwrap_or("?");
            format!("an event of kind {kind} that this version does not know")
        }
    }
}

fn tasked(task: &TaskEvent) -> String {
    let box_of = |owner: &Option<String>, until: &Option<Timestamp>| {
        let owner = owner.as_deref().unwrap_or("nobody yet");
        format!("{owner}{}", until.map(|at| format!(", back at {}", clock(at))).unwrap_or_default())
    };
    match task {
        TaskEvent::Given { text, owner, until } => format!("{text} ({})", box_of(owner, until)),
        TaskEvent::Moved { of, owner, until } => format!("task of entry {}: {}", of.seq, box_of(owner, until)),
        TaskEvent::Ended { of, done, text } => {
            let how = if *done { "done" } else { "dropped" };
            let more = text.as_ref().map(|t| format!(": {t}")).unwrap_or_default();
            format!("task of entry {} {how}{more}", of.seq)
        }
    }
}

fn deciding(step: &DecisionEvent) -> String {
    match step {
        DecisionEvent::Proposed { text } => format!("proposed: {text}"),
        DecisionEvent::Objected { of, text } => format!("against entry {}: {text}", of.seq),
        DecisionEvent::Chosen { of } => format!("decided: entry {}", of.seq),
        DecisionEvent::Dropped { of, reason } => format!("not done: entry {} ({reason})", of.seq),
    }
}

/// The first line of what was sent: the rest stands in the operation.
fn brief(words: &str) -> String {
    match words.trim().split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim_end()),
        None => words.to_owned(),
    }
}

/// Whether an event is about keeping a room or a dashboard in order and tells nothing by itself: topic, pins, headline, who
/// is invited, the region of the incident. Lists leave it out while it goes well; the record and its exports have it.
pub fn housekeeping(event: &Event) -> bool {
    let capability = match &event.body {
        Body::Outgoing(op) if event.actor == "midwatch" => op.intent.capability(),
        Body::OutgoingOutcome { capability, end, .. } if end.good() => *capability,
        _ => return false,
    };
    matches!(
        capability,
        Capability::SetTopic
            | Capability::Pin
            | Capability::Bookmark
            | Capability::EditMessage
            | Capability::Post
            | Capability::Annotate
            | Capability::EndAnnotation
    )
}

fn started(start: &CommandStart) -> String {
    let part = start.part.as_deref().map(|part| format!("{}: ", part.replace('_', " "))).unwrap_or_default();
    let target = start.target.as_deref().map(|target| format!("{target} from ")).unwrap_or_default();
    format!("{part}{} (on {target}{} as {})", start.command, start.host, start.user)
}

fn lengthy(seconds: u64) -> String {
    compact(secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// `21m40s` between two instants, for headers.
pub fn lasted(from: Timestamp, to: Timestamp) -> String {
    compact(secs((to - from).num_seconds().max(0)))
}
