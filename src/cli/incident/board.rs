//! The commander's desk for scripts: tasks, decisions, hypotheses, the playbook, updates, the hand-off, merging.

use crate::app::present::board::{handoff_lines, known};
use crate::cli::args::incident::IncidentCommand;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::incident::act::{again, done};
use crate::cli::look::{Look, look};
use crate::cli::output::{Output, Table};
use crate::cli::postmortem;
use crate::config::Config;
use crate::domain::ids::IncidentId;
use crate::domain::incident::board::ask::{Ask, line, merge};
use crate::domain::incident::board::can::draft;
use crate::domain::incident::board::{Belief, Person, Phase};
use crate::domain::incident::decide::{Command, decide};
use crate::domain::incident::event::{EventKey, NoteKind};
use crate::domain::incident::state::Incident;
use crate::domain::time::{Span, clock, parse_span, rfc3339};
use serde_json::{Value, json};

/// Carries out one act at the desk. Prints nothing on success, or with JSON the incident object.
pub fn run(context: &Context, config: &Config, what: &IncidentCommand, output: &mut Output) -> Result<Exit, Failure> {
    writable(config)?;
    let mut desk = Desk::to_write(context, config)?;
    match what {
        IncidentCommand::Merge { id, into } => return merged(&mut desk, id, into, output),
        IncidentCommand::Relate { id, other, reason } => return relate(&mut desk, id, other, reason, output),
        _ => {}
    }
    let before = desk.find(subject(what)?)?;
    let command = read(context, &before.state, what)?;
    let now = desk.now;
    let bodies = decide(&before.state, command, now, &context.severities).map_err(refused)?;
    desk.act(&before.state.id, now, bodies)?;
    let after = again(&mut desk, &before)?;
    done(&mut desk, &after, output)
}

fn subject(what: &IncidentCommand) -> Result<&str, Failure> {
    match what {
        IncidentCommand::Task { id, .. }
        | IncidentCommand::Decide { id, .. }
        | IncidentCommand::Hypothesis { id, .. }
        | IncidentCommand::Checklist { id, .. }
        | IncidentCommand::Update { id, .. }
        | IncidentCommand::People { id, .. } => Ok(id),
        _ => Err(Failure::Usage("this is no act at the desk".to_owned())),
    }
}

fn read(context: &Context, i: &Incident, what: &IncidentCommand) -> Result<Command, Failure> {
    let tasks = || i.board.tasks.iter().map(|t| &t.key);
    let decisions = || i.board.decisions.iter().map(|d| &d.key);
    let hypotheses = || i.board.hypotheses.iter().map(|h| &h.key);
    let ask = match what {
        IncidentCommand::Task { text, owner, within, done, drop, extend, hand, reason, .. } => {
            let within = within.as_deref().map(span).transpose()?;
            match (done, drop, extend, hand) {
                (Some(n), ..) => Ask::End(entry(tasks(), n, "task")?, true, reason.clone()),
                (_, Some(n), ..) => Ask::End(entry(tasks(), n, "task")?, false, reason.clone()),
                (_, _, Some(n), _) => {
                    let by = within.ok_or_else(|| Failure::Usage("--extend needs --in, such as --in 10m".into()))?;
                    Ask::Extend(entry(tasks(), n, "task")?, by)
                }
                (.., Some(n)) => Ask::Hand(entry(tasks(), n, "task")?, owner.clone()),
                _ => Ask::Give(need(text, "what is to be done")?, owner.clone(), within),
            }
        }
        IncidentCommand::Decide { text, propose, choose, object, drop, .. } => match (choose, object, drop, propose) {
            (Some(n), ..) => Ask::Choose(entry(decisions(), n, "decision")?),
            (_, Some(n), ..) => Ask::Object(entry(decisions(), n, "decision")?, need(text, "the objection")?),
            (_, _, Some(n), _) => Ask::Drop(entry(decisions(), n, "decision")?, need(text, "why it is dropped")?),
            (.., true) => Ask::Propose(need(text, "what is proposed")?),
            _ => return Ok(Command::Note(NoteKind::Decision, need(text, "what is decided")?)),
        },
        IncidentCommand::Hypothesis { text, confirm, reject, reopen, .. } => {
            let judged = [(confirm, Belief::Confirmed), (reject, Belief::Rejected), (reopen, Belief::Open)];
            match judged.into_iter().find_map(|(n, belief)| Some((n.as_ref()?, belief))) {
                Some((n, belief)) => Ask::Judge(entry(hypotheses(), n, "hypothesis")?, belief, text.clone()),
                None => return Ok(Command::Note(NoteKind::Hypothesis, text.clone())),
            }
        }
        IncidentCommand::Checklist { tick, untick, .. } => {
            let typed = tick.as_deref().or(untick.as_deref()).unwrap_or_default();
            let (phase, line) = line(&context.severities.playbook, typed).map_err(refused)?;
            Ask::Tick(phase, line, tick.is_some())
        }
        IncidentCommand::Update { text, audience, next, .. } => {
            let next = next.as_deref().map(span).transpose()?;
            Ask::Tell(audience.clone(), need(text, "what they were told")?, next)
        }
        IncidentCommand::People { person, left, .. } => Ask::Present(need(person, "who")?, !left),
        _ => return Err(Failure::Usage("this is no act at the desk".to_owned())),
    };
    Ok(Command::Board(ask))
}

fn need(text: &Option<String>, what: &str) -> Result<String, Failure> {
    text.clone().ok_or_else(|| Failure::Usage(format!("{what} is needed")))
}

fn span(typed: &str) -> Result<Span, Failure> {
    parse_span(typed).map_err(|why| Failure::Usage(format!("`{typed}`: {why}")))
}

/// `17`, or `origin#17` where two origins have that number.
fn entry<'k>(keys: impl Iterator<Item = &'k EventKey>, typed: &str, what: &str) -> Result<EventKey, Failure> {
    let (origin, number) = typed.rsplit_once('#').map_or((None, typed), |(origin, number)| (Some(origin), number));
    let all: Vec<&EventKey> = keys.collect();
    let number: Option<u64> = number.trim().parse().ok();
    let fits = |k: &&&EventKey| Some(k.seq) == number && origin.is_none_or(|o| k.origin.as_str() == o);
    let found: Vec<&&EventKey> = all.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let known: Vec<String> = all.iter().map(|k| k.seq.to_string()).collect();
            let known = if known.is_empty() { "none is recorded".to_owned() } else { known.join(", ") };
            Err(Failure::Refused(format!("there is no {what} `{typed}` (known: {known})")))
        }
        several => {
            let known: Vec<String> = several.iter().map(|k| format!("{}#{}", k.origin, k.seq)).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}", known.join(" or "))))
        }
    }
}

fn merged(desk: &mut Desk<'_>, typed: &str, into: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (gone, goes_on) = (desk.find(typed)?, desk.find(into)?);
    let (on, closed) = merge(&gone.state, &goes_on.state).map_err(refused)?;
    let now = desk.now;
    desk.act(&goes_on.state.id, now, on)?;
    desk.act(&gone.state.id, now, closed)?;
    let after = again(desk, &gone)?;
    postmortem::after_resolve(desk, &after, output);
    let goes_on = again(desk, &goes_on)?;
    done(desk, &goes_on, output)
}

/// Both timelines say it.
fn relate(desk: &mut Desk<'_>, typed: &str, other: &str, why: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (one, other) = (desk.find(typed)?, desk.find(other)?);
    let now = desk.now;
    let ask = |to: &IncidentId| Command::Board(Ask::Relate(to.clone(), why.to_owned()));
    let here = decide(&one.state, ask(&other.state.id), now, &desk.context.severities).map_err(refused)?;
    let back = decide(&other.state, ask(&one.state.id), now, &desk.context.severities);
    desk.act(&one.state.id, now, here)?;
    // The other one may say it already.
    if let Ok(back) = back {
        desk.act(&other.state.id, now, back)?;
    }
    let after = again(desk, &one)?;
    done(desk, &after, output)
}

/// The playbook with what is ticked; `{"checklist": [{"number", "phase", "line", "done", "by", "at"}]}`.
pub fn checklist(context: &Context, config: &Config, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let Recorded { state, .. } = desk.find(typed)?;
    let book = &context.severities.playbook;
    let all: Vec<(Phase, &String)> =
        Phase::ALL.into_iter().flat_map(|p| p.lines(book).iter().map(move |l| (p, l))).collect();
    if output.is_json() {
        let row = |(n, (p, l)): (usize, &(Phase, &String))| {
            let tick = state.board.tick(*p, l);
            json!({"number": n + 1, "phase": p.word(), "line": l, "done": tick.is_some(),
                "by": tick.map(|t| &t.by.0), "at": tick.map(|t| rfc3339(t.by.1))})
        };
        let rows: Vec<Value> = all.iter().enumerate().map(row).collect();
        output.json(&json!({"id": state.id, "checklist": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&[">N", "PHASE", "DONE", "LINE"]);
    for (n, (p, l)) in all.iter().enumerate() {
        let tick = state.board.tick(*p, l);
        let by = tick.map_or_else(|| "-".to_owned(), |t| format!("{} {}", t.by.0, clock(t.by.1)));
        table.row([(n + 1).to_string().as_str(), p.word(), &by, l]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

/// Who takes part, those who were seen last first; `{"id", "people": [{"name", "in", "how", "seen_at"}]}`, those who left too.
pub fn people(context: &Context, config: &Config, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let state = Desk::to_read(context, config)?.find(typed)?.state;
    if output.is_json() {
        let row = |(name, person): (&String, &Person)| json!({"name": name, "in": !person.left, "how": person.how, "seen_at": rfc3339(person.seen)});
        let rows: Vec<Value> = state.board.people.iter().map(row).collect();
        output.json(&json!({"id": state.id, "people": rows}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["NAME", "HOW", "SEEN"]);
    for (name, person) in state.board.present() {
        table.row([name, &person.how, &clock(person.seen)]);
    }
    if table.is_empty() {
        output.note("nobody takes part")
    } else {
        output.table(&table)?
    }
    Ok(Exit::DONE)
}

/// Asks the sources, so that the words hold what they say now. What they do not say is in the words as not known.
fn looked(context: &Context, typed: &str, output: &mut Output) -> Result<(Look, Incident), Failure> {
    let config = context.ready(output)?;
    let state = Desk::to_read(context, config)?.find(typed)?.state;
    let mut look = look(context, true)?;
    // A resolved one of long ago is not among those that a look reads.
    let case = crate::app::model::Case::of(state.clone(), Vec::new());
    look.model.desk.cases.entry(state.id.clone()).or_insert(case);
    Ok((look, state))
}

/// A draft of an update, from the facts of this moment; `{"id", "text", "conditions", "actions", "needs"}`.
pub fn draft_update(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (look, state) = looked(context, typed, output)?;
    let can = draft(&state, &known(&look.model, look.now, &state), look.now);
    match output.is_json() {
        true => output.json(&json!({"id": state.id, "partial": look.is_partial(), "text": can.line(),
            "conditions": can.conditions, "actions": can.actions, "needs": can.needs}))?,
        false => output.line(&can.line())?,
    }
    Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE })
}

/// The hand-off; `{"id", "partial", "parts": [{"title", "lines"}]}`.
pub fn handoff(context: &Context, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let (look, state) = looked(context, typed, output)?;
    match output.is_json() {
        true => {
            let page = crate::app::present::board::handoff_page(&look.model, look.now, &state.id);
            let parts: Vec<Value> = page
                .parts
                .iter()
                .map(|(title, lines)| json!({"title": title, "lines": lines.iter().map(|b| &b.text).collect::<Vec<_>>()}))
                .collect();
            output.json(&json!({"id": state.id, "partial": look.is_partial(), "parts": parts}))?;
        }
        false => {
            for line in handoff_lines(&look.model, look.now, &state.id) {
                output.line(&line)?;
            }
        }
    }
    Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE })
}
