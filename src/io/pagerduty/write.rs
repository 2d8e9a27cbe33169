//! Writes about incidents: read, compare, then send one time. Each path of the API has its trap; they are named here.

use crate::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, Party, Priority};
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reach, Reference};
use crate::io::http::Failure;
use crate::io::pagerduty::client::{Client, Who};
use crate::io::pagerduty::decode;
use crate::io::pagerduty::settings::is_id;
pub use crate::io::pages::current;
use crate::io::pages::reference;
use reqwest::Method;
use serde_json::{Value, json};

/// The longest snooze, in seconds: a week.
const LONGEST_SNOOZE: u64 = 604_800;
/// The most incidents that are merged by one write: each is read first.
pub const MOST_SOURCES: usize = 20;

/// Sends one write.
pub async fn send(client: &Client, op: &Operation, write: &BackendWrite) -> Outcome {
    let who = match client.who().await {
        Ok(who) => who,
        Err(failure) => return before(failure),
    };
    if who.token != "user" && client.settings.from_email.is_none() {
        let words = "the token is an account's: writes need options.from_email, the address of a user".to_owned();
        return Outcome::Refused { kind: Obstacle::Invalid, words };
    }
    let step = match write {
        BackendWrite::Declare { .. } => declare(client, op, write).await,
        BackendWrite::Note { incident, text } => note(client, op, incident, text).await,
        BackendWrite::RequestResponders { incident, people, message } => {
            responders(client, who, incident, people, message).await
        }
        BackendWrite::StatusUpdate { incident, subject, message } => {
            status_update(client, incident, subject.as_deref(), message).await
        }
        _ => compared(client, who, op, write).await,
    };
    step.unwrap_or_else(|outcome| outcome)
}

/// Either way is an outcome: `?` leaves early.
type Step = Result<Outcome, Outcome>;

/// A question before the write failed: nothing was sent.
pub fn before(failure: Failure) -> Outcome {
    let reach = if failure.reach == Reach::Sent { Reach::NotSent } else { failure.reach };
    by_code(&Failure { reach, ..failure })
}

/// What a failed request means, by the product's own code where it names one.
pub fn by_code(failure: &Failure) -> Outcome {
    let words = failure.fault.detail.clone();
    let refused = |kind| Outcome::Refused { kind, words: words.clone() };
    let conflict = |current: &str| Outcome::Conflict { current: current.to_owned() };
    // Only what the server declined carries a code that says so.
    let code = failure.code.as_deref().filter(|_| failure.reach == Reach::Declined);
    match code {
        Some("1001") => conflict("resolved"),
        Some("1002" | "1019") => Outcome::AlreadyDone(Reference::default()),
        Some("1005") => conflict("it was changed there at the same moment"),
        Some("1012") => conflict("not acknowledged"),
        Some("1015") => {
            Outcome::Refused { kind: Obstacle::Invalid, words: format!("nobody is on call there: {words}") }
        }
        Some("1003" | "1006" | "1007" | "1008" | "1013" | "1014" | "1020" | "2015") => refused(Obstacle::Invalid),
        // Another team's incident or a token without the right: these codes say neither.
        Some("1018" | "2010" | "2018") => refused(failure.bar.unwrap_or(Obstacle::Permission)),
        Some("2014") => refused(Obstacle::PlanLacks),
        Some("2100" | "5001") => refused(Obstacle::NotFound),
        Some("2016") => Outcome::Unknown { words, wait_ms: None },
        _ => failure.outcome(),
    }
}

/// Whether one of the two is meant, by id or by address.
pub fn same(a: &Party, b: &Party) -> bool {
    a.id == b.id || (a.email.is_some() && a.email == b.email)
}

/// Whether we have acknowledged it.
pub fn mine(incident: &BackendIncident, who: &Who) -> bool {
    let me = who.person.as_ref();
    me.is_some_and(|me| incident.acknowledged_by.iter().any(|(party, _)| same(party, me)))
}

/// What is to be changed, or that nothing is to be.
enum Change {
    Put(Value),
    Post(&'static str, Value),
    Merge(Vec<String>),
    Done,
}

/// Reads the incident, compares it with what is wanted and what was seen, and sends the difference.
async fn compared(client: &Client, who: &Who, op: &Operation, write: &BackendWrite) -> Step {
    let id = write.incident().unwrap_or_default();
    let there = client.incident(id).await.map_err(before)?;
    let change = match write {
        BackendWrite::Merge { sources, .. } => merge(client, &there, sources).await?,
        _ => difference(&there, who, op, write)?,
    };
    let incident = |fields: Value| {
        let mut fields = fields;
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("type".into(), json!("incident_reference"));
        }
        json!({ "incident": fields })
    };
    let sent = match change {
        Change::Done => return Ok(Outcome::AlreadyDone(reference(&there))),
        Change::Put(fields) => client.write(Method::PUT, &format!("incidents/{id}"), &incident(fields)).await,
        Change::Post(path, body) => client.write(Method::POST, &format!("incidents/{id}/{path}"), &body).await,
        Change::Merge(sources) => {
            let sources: Vec<Value> =
                sources.iter().map(|id| json!({ "id": id, "type": "incident_reference" })).collect();
            client.write(Method::PUT, &format!("incidents/{id}/merge"), &json!({ "source_incidents": sources })).await
        }
    };
    match sent {
        Ok(_) => Ok(Outcome::Applied(reference(&there))),
        // Between the reading and the writing it was resolved: which is what was wanted.
        Err(failure) if failure.code.as_deref() == Some("1001") && matches!(write, BackendWrite::Resolve { .. }) => {
            Ok(Outcome::AlreadyDone(reference(&there)))
        }
        Err(failure) => Ok(by_code(&failure)),
    }
}

/// What a write changes on the incident as it is there; an outcome where it must not be sent.
fn difference(there: &BackendIncident, who: &Who, op: &Operation, write: &BackendWrite) -> Result<Change, Outcome> {
    let conflict = || Outcome::Conflict { current: current(there) };
    let over = there.status == BackendStatus::Resolved;
    // Anything that says triggered or acknowledged opens a resolved incident again, and pages.
    if over
        && !matches!(
            write,
            BackendWrite::Resolve { .. } | BackendWrite::SetPriority { .. } | BackendWrite::SetTitle { .. }
        )
    {
        return Err(conflict());
    }
    Ok(match write {
        BackendWrite::Acknowledge { .. } => match there.status {
            BackendStatus::Acknowledged if mine(there, who) => Change::Done,
            // Somebody has it: added to only by one who has seen that.
            BackendStatus::Acknowledged if op.expected.status.as_deref() != Some("acknowledged") => {
                return Err(conflict());
            }
            _ => Change::Put(json!({ "status": "acknowledged" })),
        },
        BackendWrite::Unacknowledge { .. } => match there.status {
            BackendStatus::Triggered => Change::Done,
            _ => Change::Put(json!({ "status": "triggered" })),
        },
        BackendWrite::Resolve { .. } if over => Change::Done,
        BackendWrite::Resolve { resolution, .. } => match resolution.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Change::Put(json!({ "status": "resolved", "resolution": text })),
            None => Change::Put(json!({ "status": "resolved" })),
        },
        BackendWrite::Reassign { to, .. } => reassign(there, op, to)?,
        // The level alone: sent together with the policy it would begin again at level 1.
        BackendWrite::Escalate { level, .. } => Change::Put(json!({ "escalation_level": level })),
        BackendWrite::Snooze { seconds, .. } => match (1..=LONGEST_SNOOZE).contains(seconds) {
            true => Change::Post("snooze", json!({ "duration": seconds })),
            false => {
                let words = format!("a snooze lasts 1 s to {LONGEST_SNOOZE} s");
                return Err(Outcome::Refused { kind: Obstacle::Invalid, words });
            }
        },
        BackendWrite::SetPriority { priority, .. } => match there.priority.as_ref() == Some(&priority.name) {
            true => Change::Done,
            false => Change::Put(json!({ "priority": set(priority) })),
        },
        BackendWrite::SetTitle { title, .. } if there.title == *title => Change::Done,
        BackendWrite::SetTitle { title, .. } => Change::Put(json!({ "title": title })),
        _ => return Err(Outcome::unsupported("it has no such call")),
    })
}

fn set(priority: &Priority) -> Value {
    json!({ "id": priority.id, "type": "priority_reference" })
}

fn ids<'p>(people: impl IntoIterator<Item = &'p Party>) -> Vec<String> {
    let mut ids: Vec<String> = people.into_iter().map(|p| p.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Whether exactly these people have it.
pub fn has(there: &BackendIncident, to: &[Party]) -> bool {
    ids(&there.assigned) == ids(to)
}

fn reassign(there: &BackendIncident, op: &Operation, to: &[Party]) -> Result<Change, Outcome> {
    if to.is_empty() || to.iter().any(|p| !is_id(&p.id)) {
        return Err(Outcome::Refused { kind: Obstacle::Invalid, words: "nobody to give it to".into() });
    }
    if has(there, to) {
        return Ok(Change::Done);
    }
    let mut seen = op.expected.assigned.clone();
    seen.sort();
    if !seen.is_empty() && seen != ids(&there.assigned) {
        let names: Vec<&str> = there.assigned.iter().map(|p| p.name.as_str()).collect();
        return Err(Outcome::Conflict { current: format!("assigned to {}", names.join(", ")) });
    }
    let assignments: Vec<Value> =
        to.iter().map(|p| json!({ "assignee": { "id": p.id, "type": "user_reference" } })).collect();
    Ok(Change::Put(json!({ "assignments": assignments })))
}

async fn merge(client: &Client, into: &BackendIncident, sources: &[String]) -> Result<Change, Outcome> {
    if into.status == BackendStatus::Resolved {
        return Err(Outcome::Conflict { current: current(into) });
    }
    if sources.is_empty() || sources.len() > MOST_SOURCES {
        let words = format!("1 to {MOST_SOURCES} incidents are merged at once");
        return Err(Outcome::Refused { kind: Obstacle::Invalid, words });
    }
    let mut left = Vec::new();
    for id in sources {
        let source = client.incident(id).await.map_err(before)?;
        if source.merged_into.as_ref() == Some(&into.id) {
            continue;
        }
        if source.status == BackendStatus::Resolved {
            return Err(Outcome::Conflict { current: format!("{id} is {}", current(&source)) });
        }
        left.push(source.id);
    }
    Ok(if left.is_empty() { Change::Done } else { Change::Merge(left) })
}

/// A note carries the marker of its operation, which finds it again: notes have no key.
async fn note(client: &Client, op: &Operation, id: &str, text: &str) -> Step {
    let path = below(id, "notes")?;
    let body = json!({ "note": { "content": format!("{text}\n{}", op.marker()) } });
    Ok(match client.write(Method::POST, &path, &body).await {
        Ok(answer) => {
            let id = answer.get("note").and_then(|note| decode::text(note, "id"));
            Outcome::Applied(Reference { id, ..Reference::default() })
        }
        Err(failure) => by_code(&failure),
    })
}

pub fn below(id: &str, what: &str) -> Result<String, Outcome> {
    match is_id(id) {
        true => Ok(format!("incidents/{id}/{what}")),
        false => {
            Err(Outcome::Refused { kind: Obstacle::NotFound, words: format!("{id:?} cannot be the id of an incident") })
        }
    }
}

/// Pages people: sent once, and never again by itself.
async fn responders(client: &Client, who: &Who, id: &str, people: &[Party], message: &str) -> Step {
    let path = below(id, "responder_requests")?;
    let Some(me) = &who.person else {
        let words = "the user who asks is not known there (options.from_email)".to_owned();
        return Err(Outcome::Refused { kind: Obstacle::Invalid, words });
    };
    if people.is_empty() || people.iter().any(|p| !is_id(&p.id)) {
        return Err(Outcome::Refused { kind: Obstacle::Invalid, words: "nobody to ask".into() });
    }
    open(client, id).await?;
    let targets: Vec<Value> = people
        .iter()
        .map(|p| json!({ "responder_request_target": { "id": p.id, "type": "user_reference" } }))
        .collect();
    let body = json!({ "requester_id": me.id, "message": message, "responder_request_targets": targets });
    Ok(sent(client.write(Method::POST, &path, &body).await))
}

/// Mails its subscribers: sent once, and never again by itself.
async fn status_update(client: &Client, id: &str, subject: Option<&str>, message: &str) -> Step {
    let path = below(id, "status_updates")?;
    client.incident(id).await.map_err(before)?;
    let mut body = json!({ "message": message });
    if let (Some(subject), Some(fields)) = (subject.filter(|s| !s.is_empty()), body.as_object_mut()) {
        fields.insert("subject".into(), json!(subject));
    }
    Ok(sent(client.write(Method::POST, &path, &body).await))
}

/// People are paged for what is open alone.
async fn open(client: &Client, id: &str) -> Result<(), Outcome> {
    let there = client.incident(id).await.map_err(before)?;
    match there.status {
        BackendStatus::Resolved => Err(Outcome::Conflict { current: current(&there) }),
        _ => Ok(()),
    }
}

fn sent(answer: Result<Value, Failure>) -> Outcome {
    answer.map_or_else(|failure| by_code(&failure), |_| Outcome::applied())
}

/// Opens an incident under the operation's id as its key: a second one is refused while the first is open, and one that
/// was closed meanwhile is found by it.
async fn declare(client: &Client, op: &Operation, write: &BackendWrite) -> Step {
    let BackendWrite::Declare { title, service, urgency, priority, body } = write else {
        return Err(Outcome::unsupported("it has no such call"));
    };
    let given = service.as_ref().filter(|s| is_id(&s.id)).map(|s| s.id.as_str());
    let ours = service.as_ref().map(|s| s.name.as_str());
    let Some(service) = given.or_else(|| client.settings.service(ours)) else {
        let words = format!("no service there is known for `{}` (options.services)", ours.unwrap_or("no service"));
        return Err(Outcome::Refused { kind: Obstacle::Invalid, words });
    };
    if let Some(there) = by_key(client, op).await.map_err(before)? {
        return Ok(Outcome::AlreadyDone(reference(&there)));
    }
    let mut incident = json!({
        "type": "incident",
        "title": title,
        "service": { "id": service, "type": "service_reference" },
        "incident_key": op.id.as_str(),
        "body": { "type": "incident_body", "details": body },
    });
    if let Some(fields) = incident.as_object_mut() {
        fields.extend(urgency.as_ref().map(|word| ("urgency".to_owned(), json!(word))));
        fields.extend(priority.as_ref().map(|p| ("priority".to_owned(), set(p))));
    }
    match client.write(Method::POST, "incidents", &json!({ "incident": incident })).await {
        Ok(answer) => Ok(Outcome::Applied(
            answer.get("incident").and_then(decode::incident).map_or_else(Reference::default, |i| reference(&i)),
        )),
        Err(failure) if failure.status == Some(400) => match by_key(client, op).await {
            Ok(Some(there)) => Ok(Outcome::AlreadyDone(reference(&there))),
            _ => Ok(by_code(&failure)),
        },
        Err(failure) => Ok(by_code(&failure)),
    }
}

/// The incident that this operation opened, open or not.
pub async fn by_key(client: &Client, op: &Operation) -> Result<Option<BackendIncident>, Failure> {
    let request = Client::get("incidents").query("incident_key", op.id.as_str()).query("date_range", "all");
    let answer = client.ask_now(&request).await?;
    let same = |i: &BackendIncident| i.key.as_deref() == Some(op.id.as_str());
    Ok(decode::list(&answer, "incidents").filter_map(decode::incident).find(same))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind};

    #[test]
    fn the_products_own_codes_say_what_became_of_a_write() {
        let failure = |code: &str, status: u16, reach| Failure {
            fault: Fault::new(FaultKind::Rejected, "pagerduty", format!("answered {status}: in words")),
            reach,
            status: Some(status),
            code: Some(code.to_owned()),
            bar: None,
        };
        for (code, status, want) in [
            ("1001", 400, "conflict"),
            ("1002", 400, "already done"),
            ("1005", 400, "conflict"),
            ("1006", 400, "refused"),
            ("1012", 400, "conflict"),
            ("1015", 400, "refused"),
            ("1019", 400, "already done"),
            ("2014", 402, "refused"),
            ("2015", 400, "refused"),
            ("2016", 400, "unknown"),
            ("2100", 404, "refused"),
            ("9999", 400, "refused"),
        ] {
            assert_eq!(by_code(&failure(code, status, Reach::Declined)).word(), want, "{code}");
        }
        // A proxy's error after the work was done knows nothing of codes.
        let lost = Failure {
            fault: Fault::new(FaultKind::Server, "pagerduty", "answered 502"),
            ..failure("1002", 502, Reach::Sent)
        };
        assert_eq!(by_code(&lost).word(), "unknown");
        let words = |code| match by_code(&failure(code, 400, Reach::Declined)) {
            Outcome::Refused { kind, words } => (kind, words),
            other => panic!("{other:?}"),
        };
        assert!(words("1015").1.starts_with("nobody is on call there"));
        assert_eq!(words("2014").0, Obstacle::PlanLacks);
        assert_eq!(words("2010").0, Obstacle::Permission);
        let scope = Failure { bar: Some(Obstacle::Scope), ..failure("2010", 403, Reach::Declined) };
        assert!(matches!(by_code(&scope), Outcome::Refused { kind: Obstacle::Scope, .. }));
    }

    #[test]
    fn a_question_before_a_write_that_fails_has_sent_nothing() {
        for kind in [FaultKind::Timeout, FaultKind::Server, FaultKind::Malformed, FaultKind::Unreachable] {
            let fault = Fault::new(kind, "pagerduty", "it broke off");
            let outcome = before(Failure { fault, reach: Reach::Sent, status: None, code: None, bar: None });
            assert_eq!(outcome.word(), "not done", "{kind:?}");
        }
    }
}
