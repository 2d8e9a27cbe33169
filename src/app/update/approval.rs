//! A second person before something dangerous: asked through the record, where another cockpit sees it and answers with the
//! code it reads there; or a witness beside the screen, who is recorded as unverified. Denied by itself after ten minutes,
//! good for one run, and never given by the one who asked.

use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Form, Purpose};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::Overlay;
use crate::app::update::{forms, record};
use crate::domain::ids::IncidentId;
use crate::domain::incident::change::{APPROVAL_MINUTES, Approval, ApprovalRequest};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::runbook::offer::Offer;
use crate::domain::time::{Timestamp, clock, compact};
use sha2::{Digest, Sha256};

/// Letters and digits that are not taken for each other when they are read out.
const LETTERS: &[u8; 29] = b"ABCDEFGHJKMNPQRTUVWXY23456789";

/// Six letters, bound to what runs, where, for which incident, in which minute, and after how many other requests: no
/// code comes twice.
pub fn code(sha256: &str, target: &str, incident: &Incident, now: Timestamp) -> String {
    let (id, before) = (&incident.id, incident.approvals.len());
    let minute = now.timestamp().div_euclid(60);
    let sum = Sha256::digest(format!("{sha256}\n{target}\n{id}\n{minute}\n{before}").as_bytes());
    let letter = |b: &u8| LETTERS.get(usize::from(*b) % LETTERS.len()).map_or('A', |l| char::from(*l));
    sum.iter().take(6).map(letter).collect()
}

/// Asks for a second person, or says that one is being waited for.
pub fn ask(model: &mut Model, now: Timestamp, offer: &Offer, out: &mut Vec<Effect>) -> Result<(), String> {
    let id = offer.incident.clone();
    let sha256 = offer.sha256();
    let case = model.desk.cases.get(&id).ok_or("there is no such incident")?;
    if let Some(waiting) = case.shown.waiting(&sha256, now) {
        let request = waiting.request.id.clone();
        forms::open(model, now, Purpose::Witness(id, request));
        return Ok(());
    }
    let target = offer.target(&model.setup.host);
    let code = code(&sha256, &target, &case.shown, now);
    let name = format!("{}-{code}", now.timestamp_millis());
    let request = ApprovalRequest {
        id: name,
        command: offer.prepared.shown.clone(),
        target,
        sha256,
        code: code.clone(),
        command_id: offer.id.clone(),
    };
    record::person(model, now, now, &id, vec![Body::ApprovalAsked(request)], out);
    model.say(
        now,
        Tone::Warn,
        format!("a second person is asked, code {code}, for {APPROVAL_MINUTES}m: at another cockpit 8 shows it; Enter again for a witness here"),
    );
    Ok(())
}

/// Opens the box in which another person approves.
pub fn show(model: &mut Model, now: Timestamp, id: &IncidentId, request: &str) -> Result<(), String> {
    if model.setup.read_only {
        return Err("read-only: nothing is approved here".into());
    }
    let approval = live(model, now, id, request)?;
    if approval.by.0.eq_ignore_ascii_case(&model.setup.responder) {
        forms::open(model, now, Purpose::Witness(id.clone(), request.to_owned()));
        return Ok(());
    }
    let rows = vec![
        ("runs".to_owned(), approval.request.command.clone()),
        ("where".to_owned(), approval.request.target.clone()),
        ("for".to_owned(), id.to_string()),
        ("asked by".to_owned(), format!("{} at {}", approval.by.0, clock(approval.at))),
        ("until".to_owned(), format!("{}, in {}", clock(approval.until()), compact(approval.until() - now))),
        ("sha256".to_owned(), approval.request.sha256.chars().take(16).collect()),
        ("then".to_owned(), format!("{} may run exactly this once; you are named in the timeline", approval.by.0)),
    ];
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "approve".into(),
        question: format!("Approve this for {}?", approval.by.0),
        rows,
        token: Some(approval.request.code),
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Approve(id.clone(), request.to_owned()),
    })));
    Ok(())
}

/// Approved here by the person of this cockpit.
pub fn give(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    request: &str,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let approval = live(model, now, id, request)?;
    approval.may_be_given(&model.setup.responder, now).map_err(|refusal| refusal.0)?;
    let body = Body::ApprovalGiven { id: request.to_owned(), witness: None };
    record::person(model, now, now, id, vec![body], out);
    model.say(now, Tone::Accent, format!("approved: {}", approval.request.command));
    Ok(())
}

/// The form of a witness was filled in.
pub fn witness(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    request: &str,
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let approval = live(model, now, id, request).map_err(Refusal)?;
    let name = text(&form.value("name"), "a name")?;
    if [&approval.by.0, &model.setup.responder, &model.setup.user].iter().any(|own| own.eq_ignore_ascii_case(&name)) {
        return Err(Refusal("nobody approves what they asked for: another person's name is needed".into()));
    }
    if form.value("code") != approval.request.code {
        return Err(Refusal(format!("the code is not the one of this command ({})", approval.request.command)));
    }
    let body = Body::ApprovalGiven { id: request.to_owned(), witness: Some(name.clone()) };
    record::person(model, now, now, id, vec![body], out);
    model.say(now, Tone::Warn, format!("{name} is recorded as a witness, unverified; Enter shows the command"));
    Ok(())
}

fn live(model: &Model, now: Timestamp, id: &IncidentId, request: &str) -> Result<Approval, String> {
    let case = model.desk.cases.get(id).ok_or("there is no such incident")?;
    let approval = case.shown.approvals.iter().find(|a| a.request.id == request).ok_or("nobody asks for that")?;
    // A witness is another person by their own name; the rest is the same for both.
    approval.may_be_given("", now).map_err(|refusal| refusal.0)?;
    Ok(approval.clone())
}
