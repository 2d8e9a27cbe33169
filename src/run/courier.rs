//! From an operation or a question to the port of its target and back. Whatever happens there, an answer comes: a time
//! limit and a panic are outcomes too. No rules here.

use crate::app::msg::Reply;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome};
use crate::domain::outward::question::{Answer, Question};
use crate::io::port::{Target, Task};
use std::sync::Arc;
use std::time::Duration;

/// How much longer than its own limit a target is waited for.
const SLACK: Duration = Duration::from_secs(8);

/// Sends an operation, or looks whether it is done.
pub async fn deliver(target: Option<&Target>, op: Operation, look: bool) -> Reply {
    let Some(target) = target else {
        let words = format!("no target `{}` is configured here", op.target);
        return match look {
            true => Reply::Found(Found::Failed { kind: Obstacle::Local, words, wait_ms: None }),
            false => Reply::Delivered(Outcome::NotDone { kind: Obstacle::Local, words, wait_ms: None }),
        };
    };
    let (outward, limit) = (Arc::clone(&target.outward), target.limit + SLACK);
    // A task of its own: a panic of an adapter must not leave the operation without an outcome.
    match look {
        true => {
            let task = tokio::spawn(async move { tokio::time::timeout(limit, outward.look(&op)).await });
            Reply::Found(match task.await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => failed("no answer within the time limit"),
                Err(_) => failed("the adapter broke off"),
            })
        }
        false => {
            let task = tokio::spawn(async move { tokio::time::timeout(limit, outward.apply(&op)).await });
            Reply::Delivered(match task.await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Outcome::Unknown { words: "no answer within the time limit".into(), wait_ms: None },
                Err(_) => Outcome::Unknown { words: "the adapter broke off".into(), wait_ms: None },
            })
        }
    }
}

fn failed(words: &str) -> Found {
    Found::Failed { kind: Obstacle::Unavailable, words: words.into(), wait_ms: None }
}

/// Asks a target something.
pub async fn ask(target: &Target, name: &SourceName, question: Question) -> Result<Answer, Fault> {
    let missing = |port: &str| Fault::new(FaultKind::Rejected, name.as_str(), format!("is no {port}"));
    let backend = || target.backend.as_ref().ok_or_else(|| missing("incident backend"));
    let limit = target.limit + SLACK;
    match &question {
        Question::Incidents => within(name, limit, backend()?.list()).await.map(Answer::Incidents),
        Question::Incident(id) => {
            within(name, limit, backend()?.get(id)).await.map(|found| Answer::Incident(Box::new(found)))
        }
        Question::Log(id, since) => within(name, limit, backend()?.log(id, *since)).await.map(Answer::Log),
        Question::Alerts(id) => within(name, limit, backend()?.alerts(id)).await.map(Answer::Alerts),
        Question::OnCall(service) => {
            within(name, limit, backend()?.on_call(service.as_deref())).await.map(Answer::OnCall)
        }
        Question::Priorities => within(name, limit, backend()?.priorities()).await.map(Answer::Priorities),
        Question::Changes(from, to) => {
            let asked = match &target.changes {
                Some(feed) => feed.changes(*from, *to),
                None => backend()?.changes(*from, *to),
            };
            within(name, limit, asked).await.map(Answer::Changes)
        }
        Question::Volunteers(room, message) => {
            let chat = target.chat.as_ref().ok_or_else(|| missing("chat"))?;
            within(name, limit, chat.volunteers(room, message)).await.map(Answer::Volunteers)
        }
        Question::Messages(room, since) => {
            let chat = target.chat.as_ref().ok_or_else(|| missing("chat"))?;
            within(name, limit, chat.messages(room, *since)).await.map(Answer::Messages)
        }
        Question::Notices => {
            let page = target.status_page.as_ref().ok_or_else(|| missing("status page"))?;
            let notices = within(name, limit, page.unresolved()).await?;
            let components = within(name, limit, page.components()).await?;
            Ok(Answer::Notices(notices, components))
        }
        Question::Ticket(marker) => {
            let tracker = target.ticket.as_ref().ok_or_else(|| missing("tracker"))?;
            within(name, limit, tracker.find(marker)).await.map(Answer::Ticket)
        }
        Question::Annotations(from, to, tags) => {
            let marks = target.annotations.as_ref().ok_or_else(|| missing("dashboard"))?;
            within(name, limit, marks.between(*from, *to, tags)).await.map(Answer::Annotations)
        }
        Question::Silences => {
            let silences = target.silences.as_ref().ok_or_else(|| missing("source of silences"))?;
            within(name, limit, silences.silences()).await.map(Answer::Silences)
        }
    }
}

/// Pages of a long list may take several requests; the whole of it is bounded too.
async fn within<T>(name: &SourceName, limit: Duration, task: Task<'_, Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit * 3, task).await {
        Ok(answer) => answer,
        Err(_) => Err(Fault::new(FaultKind::Timeout, name.as_str(), "no whole answer within the time limit")),
    }
}
