//! A PagerDuty account as far as the adapter needs one: it keeps incidents, notes and a log, has the real API's traps (an
//! acknowledgement opens a resolved incident again, a page has 25 items unless asked otherwise), and writes down what it
//! really carried out.

use crate::stateful_server::{Answer, Asked};
use midwatch::domain::time::{Timestamp, mins, rfc3339};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The key of a person.
pub const USER_KEY: &str = "canary-user-key";
/// The key of the account.
pub const ACCOUNT_KEY: &str = "canary-account-key";

/// The account.
#[derive(Debug, Default)]
pub struct Account {
    /// Incidents in the order of their making.
    pub incidents: Vec<Value>,
    /// Notes by incident.
    pub notes: BTreeMap<String, Vec<Value>>,
    /// Log lines by incident, oldest first.
    pub log: BTreeMap<String, Vec<Value>>,
    /// What was carried out: what, and on which incident.
    pub ledger: Vec<(String, String)>,
    /// At most so many items in a page, whatever was asked.
    pub page: Option<usize>,
    /// What the plan has.
    pub abilities: Vec<&'static str>,
    /// The plan lacks a call: its last part of the path.
    pub lacks: Option<&'static str>,
    /// Incidents of another team: whatever is asked about one is refused in these words.
    pub barred: BTreeMap<&'static str, &'static str>,
    made: u64,
}

/// A user.
pub fn user(id: &str, name: &str) -> Value {
    let email = format!("{}@example.com", name.to_lowercase());
    json!({"id": id, "type": "user", "name": name, "summary": name, "email": email, "time_zone": "Europe/Berlin"})
}

fn users() -> Vec<Value> {
    vec![user("U1", "Ada"), user("U2", "Grace"), user("U3", "Edsger")]
}

fn now() -> Timestamp {
    midwatch::io::clock::now()
}

impl Account {
    /// Two triggered incidents, `P1` and `P2`, and `P3`, which Ada has.
    pub fn new() -> Self {
        let mut account = Self { abilities: vec!["coordinated_responding", "teams"], ..Self::default() };
        account.open("P1", "api: 5xx above 1 %");
        account.open("P2", "api: latency");
        account.open("P3", "disk of db-1");
        account.set_status("P3", "acknowledged", Some("U1"));
        account
    }

    /// Opens an incident.
    pub fn open(&mut self, id: &str, title: &str) {
        let at = rfc3339(now());
        self.incidents.push(json!({
            "id": id, "type": "incident", "incident_number": 100 + self.incidents.len(), "title": title,
            "status": "triggered", "urgency": "high", "created_at": at, "updated_at": at,
            "incident_key": format!("key-{id}"),
            "service": {"id": "S1", "type": "service", "summary": "api", "name": "api", "acknowledgement_timeout": 1800},
            "assignments": [{"at": at, "assignee": user("U1", "Ada")}], "assigned_via": "escalation_policy",
            "acknowledgements": [], "priority": null,
            "escalation_policy": {"id": "EP1", "type": "escalation_policy_reference", "summary": "platform"},
            "alert_counts": {"all": 1, "triggered": 1, "resolved": 0},
            "pending_actions": [{"type": "escalate", "at": rfc3339(now() + mins(5))}],
            "html_url": format!("https://example.pagerduty.com/incidents/{id}"),
            "a_field_of_tomorrow": {"x": [1]},
        }));
        self.line(id, "trigger", "U1", "Triggered through the API.");
    }

    /// One incident.
    pub fn incident(&self, id: &str) -> &Value {
        self.incidents.iter().find(|i| i["id"] == id).unwrap()
    }

    /// One incident, to be changed.
    pub fn incident_mut(&mut self, id: &str) -> &mut Value {
        self.incidents.iter_mut().find(|i| i["id"] == id).unwrap()
    }

    /// Sets a status as the product does, by somebody.
    pub fn set_status(&mut self, id: &str, status: &str, by: Option<&str>) {
        let at = rfc3339(now());
        let acknowledger = users().into_iter().find(|u| Some(u["id"].as_str().unwrap()) == by);
        let incident = self.incident_mut(id);
        incident["status"] = json!(status);
        incident["updated_at"] = json!(at);
        incident["pending_actions"] = match status {
            "triggered" => json!([{"type": "escalate", "at": rfc3339(now() + mins(5))}]),
            "acknowledged" => json!([{"type": "unacknowledge", "at": rfc3339(now() + mins(30))}]),
            _ => json!([]),
        };
        match (status, acknowledger) {
            ("acknowledged", Some(user)) => {
                let list = incident["acknowledgements"].as_array_mut().unwrap();
                list.push(json!({"at": at, "acknowledger": user}));
            }
            _ => incident["acknowledgements"] = json!([]),
        }
    }

    /// A line of the log.
    pub fn line(&mut self, incident: &str, kind: &str, by: &str, summary: &str) {
        self.made += 1;
        let name = users().into_iter().find(|u| u["id"] == by).map_or(json!("Nobody"), |u| u["name"].clone());
        let line = json!({
            "id": format!("R{:06}", self.made), "type": format!("{kind}_log_entry"), "summary": summary,
            "created_at": rfc3339(now()), "agent": {"id": by, "type": "user_reference", "summary": name},
            "channel": {"type": "api"}, "incident": {"id": incident, "type": "incident_reference"},
        });
        self.log.entry(incident.to_owned()).or_default().push(line);
    }

    fn done(&mut self, what: &str, incident: &str) {
        self.ledger.push((what.to_owned(), incident.to_owned()));
    }
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": message, "code": code, "errors": ["in words"]}}))
}

/// A parameter of the query, decoded.
pub fn parameter(asked: &Asked, name: &str) -> Option<String> {
    parameters(asked, name).into_iter().next()
}

/// Every value of a parameter.
pub fn parameters(asked: &Asked, name: &str) -> Vec<String> {
    let url = reqwest::Url::parse(&format!("http://h/?{}", asked.query)).unwrap();
    url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

/// Answers one request.
pub fn answer(account: &mut Account, asked: &Asked) -> Answer {
    // What the specification requires of every request.
    assert_eq!(asked.header("accept"), "application/vnd.pagerduty+json;version=2", "{} {}", asked.method, asked.path);
    assert_eq!(asked.header("content-type"), "application/json", "{} {}", asked.method, asked.path);
    assert!(asked.path.len() + asked.query.len() < 4096);
    let token = asked.header("authorization").strip_prefix("Token token=").unwrap_or_default();
    let (user_token, from) = (token == USER_KEY, asked.header("from"));
    if !user_token && token != ACCOUNT_KEY {
        return error(401, 2006, "Authentication failed");
    }
    if asked.writes() && !user_token && !users().iter().any(|u| u["email"] == from) {
        return error(400, 2001, "Requester User Not Found");
    }
    let by = users()
        .into_iter()
        .find(|u| !user_token && u["email"] == from)
        .map_or("U1".to_owned(), |u| u["id"].as_str().unwrap().to_owned());
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    if account.lacks.is_some_and(|lacked| parts.last() == Some(&lacked)) {
        return error(402, 2014, "Account does not have the abilities to perform the action");
    }
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["users", "me"]) if user_token => Answer::json(200, &json!({"user": user("U1", "Ada")})),
        ("GET", ["users", "me"]) => error(400, 2001, "Requesting user is required for this operation"),
        ("GET", ["users"]) => {
            let query = parameter(asked, "query").unwrap_or_default();
            let found: Vec<Value> =
                users().into_iter().filter(|u| u["email"].as_str().unwrap().contains(&query)).collect();
            Answer::json(200, &json!({"users": found, "more": false}))
        }
        ("GET", ["abilities"]) => Answer::json(200, &json!({"abilities": account.abilities})),
        ("GET", ["priorities"]) => {
            let list = json!([{"id": "PR1", "type": "priority", "summary": "P1", "name": "P1"}]);
            Answer::json(200, &json!({"priorities": list, "more": false}))
        }
        ("GET", ["services", "S1"]) => {
            let policy = json!({"id": "EP1", "type": "escalation_policy_reference", "summary": "platform"});
            Answer::json(200, &json!({"service": {"id": "S1", "name": "api", "escalation_policy": policy}}))
        }
        ("GET", ["oncalls"]) => on_calls(asked),
        ("GET", ["change_events"]) => {
            let change = json!({
                "id": "CE1", "timestamp": parameter(asked, "since"), "summary": "deploy api 412",
                "services": [{"id": "S1", "summary": "api"}], "custom_details": {"author": "grace"},
                "links": [{"href": "https://ci.example/412"}],
            });
            Answer::json(200, &json!({"change_events": [change], "more": false}))
        }
        ("GET", ["incidents"]) => list(account, asked),
        ("POST", ["incidents"]) => declare(account, asked),
        (_, ["incidents", id, rest @ ..]) if account.incidents.iter().any(|i| i["id"] == *id) => {
            about(account, asked, id, rest, &by)
        }
        _ => error(404, 2100, "Not Found"),
    }
}

fn on_calls(asked: &Asked) -> Answer {
    for name in ["since", "until"] {
        let text = parameter(asked, name).unwrap();
        assert!(text.parse::<Timestamp>().is_ok() && text.contains('T'), "{text} is no RFC 3339");
    }
    assert_eq!(parameter(asked, "earliest").as_deref(), Some("true"));
    let wanted = parameters(asked, "escalation_policy_ids[]");
    let row = |policy: &str, level: u32, who: Value| {
        json!({
            "escalation_policy": {"id": policy, "summary": policy}, "escalation_level": level, "user": who,
            "schedule": null, "start": null, "end": null,
        })
    };
    let all = [
        ("EP1", row("EP1", 2, user("U2", "Grace"))),
        ("EP1", row("EP1", 1, user("U1", "Ada"))),
        ("EP2", row("EP2", 1, user("U3", "Edsger"))),
    ];
    let found: Vec<Value> = all
        .into_iter()
        .filter(|(p, _)| wanted.is_empty() || wanted.contains(&(*p).to_owned()))
        .map(|(_, r)| r)
        .collect();
    Answer::json(200, &json!({"oncalls": found, "more": false}))
}

/// A page of a list as the API gives it: 25 items unless asked otherwise.
fn paged(account: &Account, asked: &Asked, key: &str, all: &[Value]) -> Answer {
    let number = |name: &str| parameter(asked, name).and_then(|text| text.parse::<usize>().ok());
    let (limit, offset) = (number("limit").unwrap_or(25), number("offset").unwrap_or(0));
    if limit > 100 || offset + limit > 10_000 {
        return error(400, 2001, "Invalid Input Provided");
    }
    let given = limit.min(account.page.unwrap_or(usize::MAX));
    let page: Vec<&Value> = all.iter().skip(offset).take(given).collect();
    let more = offset + page.len() < all.len();
    Answer::json(200, &json!({key: page, "limit": limit, "offset": offset, "more": more, "total": null}))
        .with("ratelimit-limit", "960")
        .with("ratelimit-remaining", "940")
        .with("ratelimit-reset", "30")
}

fn list(account: &Account, asked: &Asked) -> Answer {
    let (statuses, key) = (parameters(asked, "statuses[]"), parameter(asked, "incident_key"));
    let urgencies = parameters(asked, "urgencies[]");
    assert_eq!(parameter(asked, "date_range").as_deref(), Some("all"));
    let fits = |i: &&Value| {
        let word = |key: &str| i[key].as_str().unwrap_or_default().to_owned();
        (statuses.is_empty() || statuses.contains(&word("status")))
            && (urgencies.is_empty() || urgencies.contains(&word("urgency")))
            && key.as_ref().is_none_or(|key| *key == word("incident_key"))
    };
    let found: Vec<Value> = account.incidents.iter().filter(fits).cloned().collect();
    paged(account, asked, "incidents", &found)
}

fn declare(account: &mut Account, asked: &Asked) -> Answer {
    let wanted = asked.json()["incident"].clone();
    assert_eq!(wanted["type"], "incident");
    let key = wanted["incident_key"].as_str().unwrap().to_owned();
    if wanted["service"]["id"] != "S1" {
        return error(400, 2001, "Service Not Found");
    }
    let open = |i: &&Value| i["incident_key"] == key.as_str() && i["status"] != "resolved";
    if account.incidents.iter().any(|i| open(&i)) {
        return error(400, 2002, "Open incident with matching dedup key already exists on this service");
    }
    let id = format!("N{}", account.incidents.len());
    account.open(&id, wanted["title"].as_str().unwrap());
    account.incident_mut(&id)["incident_key"] = json!(key);
    account.done("declare", &id);
    Answer::json(201, &json!({"incident": account.incident(&id)}))
}

fn about(account: &mut Account, asked: &Asked, id: &str, rest: &[&str], by: &str) -> Answer {
    if let Some(words) = account.barred.get(id) {
        return error(403, 2010, words);
    }
    let body = asked.json();
    match (asked.method.as_str(), rest) {
        ("GET", []) => Answer::json(200, &json!({"incident": account.incident(id)})),
        ("PUT", []) => change(account, &body["incident"], id, by),
        ("GET", ["log_entries"]) => {
            let since: Option<Timestamp> = parameter(asked, "since").map(|text| text.parse().unwrap());
            let young = |line: &&Value| {
                since.is_none_or(|since| line["created_at"].as_str().unwrap().parse::<Timestamp>().unwrap() >= since)
            };
            // The newest first, as the API gives them.
            let lines: Vec<Value> = account.log.get(id).into_iter().flatten().rev().filter(young).cloned().collect();
            paged(account, asked, "log_entries", &lines)
        }
        ("GET", ["alerts"]) => {
            let firing = "Labels:\n - alertname = ApiErrors\n - service = api\nAnnotations:\n - summary = bad\n";
            let alert = json!({
                "id": format!("A-{id}"), "summary": "ApiErrors", "status": "triggered", "severity": "critical",
                "alert_key": format!("key-{id}"), "created_at": rfc3339(now()),
                "body": {"type": "alert_body", "details": {"firing": firing}},
            });
            paged(account, asked, "alerts", &[alert])
        }
        ("GET", ["notes"]) => {
            let notes = account.notes.get(id).cloned().unwrap_or_default();
            Answer::json(200, &json!({"notes": notes}))
        }
        ("POST", ["notes"]) => {
            let note = json!({"id": format!("NOTE{}", account.ledger.len()), "content": body["note"]["content"]});
            account.notes.entry(id.to_owned()).or_default().push(note.clone());
            account.done("note", id);
            account.line(id, "annotate", by, "Note added by Ada.");
            Answer::json(200, &json!({"note": note}))
        }
        ("POST", ["snooze"]) => {
            assert!((1..=604_800).contains(&body["duration"].as_u64().unwrap()));
            account.done("snooze", id);
            account.line(id, "snooze", by, "Snoozed by Ada.");
            Answer::json(201, &json!({"incident": account.incident(id)}))
        }
        ("PUT", ["merge"]) => merge(account, &body, id),
        ("POST", ["status_updates"]) => {
            assert!(!body["message"].as_str().unwrap().is_empty());
            account.done("status_update", id);
            Answer::json(200, &json!({"status_update": {"id": "SU1", "message": body["message"]}}))
        }
        ("POST", ["responder_requests"]) => {
            assert_eq!(body["requester_id"], by);
            assert!(!body["responder_request_targets"].as_array().unwrap().is_empty());
            account.done("request_responders", id);
            Answer::json(200, &json!({"responder_request": {"message": body["message"]}}))
        }
        _ => error(404, 2100, "Not Found"),
    }
}

fn merge(account: &mut Account, body: &Value, id: &str) -> Answer {
    for source in body["source_incidents"].as_array().unwrap() {
        let source = source["id"].as_str().unwrap().to_owned();
        account.set_status(&source, "resolved", None);
        account.incident_mut(&source)["resolve_reason"] =
            json!({"type": "merge_resolve_reason", "incident": {"id": id, "type": "incident_reference"}});
        account.done("merge", id);
    }
    Answer::json(200, &json!({"incident": account.incident(id)}))
}

/// A change by `PUT`, with the traps of the real one.
fn change(account: &mut Account, wanted: &Value, id: &str, by: &str) -> Answer {
    assert_eq!(wanted["type"], "incident_reference");
    let was = account.incident(id)["status"].clone();
    if let Some(status) = wanted["status"].as_str() {
        if was == "resolved" && status != "resolved" {
            account.done("REOPENED", id);
        }
        if was == "resolved" && status == "resolved" {
            return error(400, 1001, "Incident Already Resolved");
        }
        let what = match status {
            "acknowledged" => "acknowledge",
            "triggered" => "unacknowledge",
            _ => "resolve",
        };
        account.set_status(id, status, Some(by));
        account.done(what, id);
        account.line(id, what, by, &format!("{what}d by Ada."));
    }
    if let Some(level) = wanted["escalation_level"].as_u64() {
        assert!(wanted["escalation_policy"].is_null(), "with the policy it begins again at level 1");
        if level > 5 {
            return error(400, 1006, "Incident Cannot Be Escalated");
        }
        account.done("escalate", id);
        account.line(id, "escalate", by, "Escalated to Grace by Ada.");
    }
    if let Some(assignments) = wanted["assignments"].as_array() {
        let ids: Vec<&str> = assignments.iter().map(|a| a["assignee"]["id"].as_str().unwrap()).collect();
        let to: Vec<Value> = users()
            .into_iter()
            .filter(|u| ids.contains(&u["id"].as_str().unwrap()))
            .map(|u| json!({"assignee": u}))
            .collect();
        account.incident_mut(id)["assignments"] = json!(to);
        account.done("reassign", id);
    }
    if let Some(title) = wanted["title"].as_str() {
        account.incident_mut(id)["title"] = json!(title);
        account.done("set_title", id);
    }
    if wanted["priority"]["id"] == "PR1" {
        account.incident_mut(id)["priority"] = json!({"id": "PR1", "summary": "P1"});
        account.done("set_priority", id);
    }
    Answer::json(200, &json!({"incident": account.incident(id)}))
}
