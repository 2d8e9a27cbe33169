//! One operation of the shipped document at a time. An `errors` list is a failure whatever the status says; half an answer
//! beside it is not used. Never retries what may have been carried out.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::outcome::Reach;
use crate::domain::outward::pace::Pace;
use crate::domain::time::Span;
use crate::io::goalert::DOCUMENT;
use crate::io::http::json::{JsonApi, list, text};
use crate::io::http::{Endpoint, Explained, Failure};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

const PATH: &str = "api/graphql";
/// Questions of the cockpit: a burst for the pages of a long list and the logs beside it.
const BUDGET: Pace = Pace { burst: 20, per_minute: 60 };
/// The product's own code for a key that was made with another document.
const OTHER_DOCUMENT: &str = "invalid_query";

/// A client of the GraphQL API.
#[derive(Debug)]
pub struct Asker {
    api: JsonApi,
    /// The key's own document is used, since its text is not exactly ours.
    theirs: AtomicBool,
}

impl Asker {
    /// A client that has asked nothing.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { api: JsonApi::paced(endpoint, explain, &[], BUDGET), theirs: AtomicBool::new(false) }
    }

    /// How faults name it.
    pub fn name(&self) -> &str {
        self.api.name()
    }

    /// Its base address without a slash at its end.
    pub fn base(&self) -> &str {
        self.api.base()
    }

    /// The server's clock minus ours, as it was told last.
    pub fn skew(&self) -> Option<Span> {
        self.api.skew()
    }

    /// A question of the cockpit; its data.
    pub async fn ask(&self, operation: &str, variables: Value) -> Result<Value, Failure> {
        self.operation(operation, variables, false).await
    }

    /// A write, or a question that belongs to one: the budget does not keep it waiting.
    pub async fn now(&self, operation: &str, variables: Value) -> Result<Value, Failure> {
        self.operation(operation, variables, true).await
    }

    async fn operation(&self, operation: &str, variables: Value, now: bool) -> Result<Value, Failure> {
        let answer = self.once(operation, &variables, now).await;
        match answer {
            // A document that lost its last line on its way into the key is still ours: without a text, the key's is taken.
            Err(failure) if failure.says(OTHER_DOCUMENT) && !self.theirs.swap(true, Ordering::Relaxed) => {
                let again = self.once(operation, &variables, now).await;
                if again.as_ref().is_err_and(|failure| failure.reach == Reach::Declined) {
                    self.theirs.store(false, Ordering::Relaxed);
                }
                again
            }
            answered => answered,
        }
    }

    async fn once(&self, operation: &str, variables: &Value, now: bool) -> Result<Value, Failure> {
        let query = if self.theirs.load(Ordering::Relaxed) { "" } else { DOCUMENT };
        let body = json!({"query": query, "operationName": operation, "variables": variables});
        let answer = self.api.post(PATH, &body, now).await.map_err(told)?;
        let errors = list(&answer, "/errors");
        if !errors.is_empty() {
            return Err(refused(self.api.name(), errors));
        }
        match answer.get("data") {
            Some(data) if data.is_object() => Ok(data.clone()),
            _ => Err(Failure::unreadable(self.api.name(), "the answer has neither data nor errors")),
        }
    }
}

/// Errors that came with a status of their own: 422 is a document that the server does not understand.
fn told(failure: Failure) -> Failure {
    match failure.code.as_deref() {
        Some(code) if failure.status != Some(401) => with_code(failure.clone(), code),
        _ => failure,
    }
}

fn with_code(mut failure: Failure, code: &str) -> Failure {
    let (kind, reach, words) = meaning(code, &failure.fault.detail);
    failure.fault.kind = kind;
    failure.reach = reach;
    if let Some(words) = words {
        failure.fault.detail = format!("{}: {words}", failure.fault.detail);
    }
    failure
}

/// What an error of GraphQL means, and what a person can do about it.
fn meaning(code: &str, said: &str) -> (FaultKind, Reach, Option<&'static str>) {
    let said = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match code {
        OTHER_DOCUMENT => {
            let words = "the API key belongs to another document; make one with what `midwatch schema goalert` prints";
            (FaultKind::Auth, Reach::Declined, Some(words))
        }
        "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED" => {
            let words = "this GoAlert does not know the document; it is too old, or the key's document is";
            (FaultKind::Rejected, Reach::Declined, Some(words))
        }
        _ if has(&["unauthorized", "not authorized"]) => (FaultKind::Auth, Reach::Declined, None),
        _ if has(&["access denied", "forbidden"]) => (FaultKind::Permission, Reach::Declined, None),
        "field" | "INVALID_INPUT_VALUE" => (FaultKind::Rejected, Reach::Declined, None),
        _ if has(&["not found", "no rows"]) => (FaultKind::Rejected, Reach::Declined, None),
        _ if has(&["operation"]) && has(&["unknown", "no operation", "not exist"]) => {
            let words = "the key's document is an older one; make one with what `midwatch schema goalert` prints";
            (FaultKind::Rejected, Reach::Declined, Some(words))
        }
        // Its own words for a fault inside are "unexpected error": the work may have been done.
        _ => (FaultKind::Server, Reach::Sent, None),
    }
}

fn code(error: &Value) -> String {
    let flag = |key: &str| error.pointer(&format!("/extensions/{key}")).and_then(Value::as_bool) == Some(true);
    match text(error, "/extensions/code") {
        "" if flag("isFieldError") || flag("isMultiFieldError") => "field".into(),
        code => code.into(),
    }
}

fn words(errors: &[Value]) -> String {
    let fields = |error: &Value| -> Vec<String> {
        let each = |field: &Value| format!("{}: {}", text(field, "/fieldName"), text(field, "/message"));
        list(error, "/extensions/fieldErrors").iter().map(each).collect()
    };
    let said = |error: &Value| match (text(error, "/message"), text(error, "/extensions/fieldName")) {
        (message, "") => [vec![message.to_owned()], fields(error)].concat().join(" "),
        (message, field) => format!("{field}: {message}"),
    };
    let mut all: Vec<String> = errors.iter().map(said).filter(|words| !words.is_empty()).take(5).collect();
    all.dedup();
    all.join("; ")
}

/// The failure of an answer with errors in it.
fn refused(name: &str, errors: &[Value]) -> Failure {
    let (said, code) = (words(errors), errors.first().map(code).unwrap_or_default());
    let (kind, reach, help) = meaning(&code, &said);
    let status = match said.to_ascii_lowercase().contains("not found") {
        true => 404,
        false => 400,
    };
    let detail = match (kind, help) {
        (FaultKind::Rejected, help) => {
            format!("answered {status}: {said}{}", help.map(|h| format!(": {h}")).unwrap_or_default())
        }
        (_, Some(help)) => format!("{said}: {help}"),
        (_, None) => format!("GoAlert says: {said}"),
    };
    let code = Some(code).filter(|code| !code.is_empty());
    Failure { fault: Fault::new(kind, name, detail), reach, status: None, code, bar: None }
}

fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = list(&value, "/errors");
    if errors.is_empty() {
        return Explained { text: String::from_utf8_lossy(body).into_owned(), ..Explained::default() };
    }
    let code = errors.first().map(code).filter(|code| !code.is_empty());
    Explained { text: words(errors), code, ..Explained::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_whether_anything_was_done() {
        for (error, want) in [
            (json!({"message": "wrong query for API key", "extensions": {"code": "invalid_query"}}), "not done"),
            (json!({"message": "Cannot query field", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}), "refused"),
            (
                json!({"message": "must be a valid UUID", "extensions": {"isFieldError": true, "fieldName": "serviceID"}}),
                "refused",
            ),
            (json!({"message": "access denied"}), "refused"),
            (json!({"message": "alert not found"}), "refused"),
            (json!({"message": "unexpected error"}), "unknown"),
            (json!({}), "unknown"),
        ] {
            let failure = refused("goalert g", std::slice::from_ref(&error));
            assert_eq!(failure.outcome().word(), want, "{error}: {failure:?}");
        }
        let failure = refused("g", &[json!({"message": "wrong query", "extensions": {"code": "invalid_query"}})]);
        assert!(failure.fault.detail.contains("midwatch schema goalert"), "{}", failure.fault.detail);
    }

    #[test]
    fn fields_are_named() {
        let error = json!({"message": "Multiple fields failed validation.", "extensions": {"isMultiFieldError": true,
            "fieldErrors": [{"fieldName": "Summary", "message": "must not be empty"}]}});
        assert_eq!(words(&[error]), "Multiple fields failed validation. Summary: must not be empty");
        assert_eq!(explain(b"unauthorized\n").text, "unauthorized\n");
    }
}
