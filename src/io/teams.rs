//! Microsoft Teams: posts through the address of a Power Automate workflow. One way: nothing is read back, nothing can be
//! changed, and the address is a secret. Text goes out as runs of a card, in which no character has a meaning of its own.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::chat::ChatWrite;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Obstacle, Outcome, Reference};
use crate::domain::outward::pace::Pace;
use crate::io::http::{Body, Endpoint, Explained, Http, Request};
use crate::io::integration::Integration;
use crate::io::port::{ChatRoom, Outward, Target, Task};
use crate::io::rooms::{Piece, cut, pieces};
use serde_json::{Value, json};
use std::sync::Arc;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "teams",
    about: "Microsoft Teams: posts to the channel of a Workflows webhook",
    sections: &[Section::Chat],
    url: None,
    secret_url: true,
    options: &[],
    check,
    connect,
};

/// The largest answer that is read.
const LIMIT: usize = 64 * 1024;
/// A card has at most 28 KB.
const LONGEST: usize = 6_000;

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    drop(config.options(reader, &INTEGRATION.keys()));
    if matches!(config.url, Some(crate::config::Address::Plain(_))) {
        let message = "the url of teams is a secret: url: {file: PATH}";
        reader.error(config.mark, "wrong-type", message);
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout);
    let teams = Arc::new(Teams { read_only: config.read_only, http: Http::new(endpoint) });
    Ok(Target::new(INTEGRATION.kind, address, limit, teams.clone()).with_chat(teams))
}

/// One channel.
#[derive(Debug)]
struct Teams {
    read_only: bool,
    http: Http,
}

fn explain(body: &[u8]) -> Explained {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = value.pointer("/error/message").or_else(|| value.get("message")).and_then(Value::as_str);
    Explained { text: said.unwrap_or_default().to_owned(), ..Explained::default() }
}

/// An adaptive card in the envelope that a workflow expects.
fn card(text: &str) -> Value {
    let text = cut(text, LONGEST);
    let many = text.trim_end().contains('\n');
    let run = |n: usize, piece: Piece<'_>| match piece {
        Piece::Words(words) if n == 0 && many => json!({"type": "TextRun", "text": words, "weight": "Bolder"}),
        Piece::Words(words) => json!({"type": "TextRun", "text": words}),
        Piece::Link(url) => {
            json!({"type": "TextRun", "text": url, "selectAction": {"type": "Action.OpenUrl", "url": url}})
        }
    };
    let line = |(n, line): (usize, &str)| {
        let runs: Vec<Value> = pieces(line).into_iter().map(|piece| run(n, piece)).collect();
        json!({"type": "RichTextBlock", "inlines": runs, "spacing": "Small"})
    };
    let body: Vec<Value> = text.trim_end().split('\n').filter(|l| !l.trim().is_empty()).enumerate().map(line).collect();
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {"type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "version": "1.4", "msteams": {"width": "Full"}, "body": body}}]})
}

impl Teams {
    async fn send(&self, op: &Operation) -> Outcome {
        if let Some(words) = self.caps().why_not(op.intent.capability()) {
            let kind = if self.read_only { Obstacle::ReadOnly } else { Obstacle::Unsupported };
            return Outcome::Refused { kind, words };
        }
        let Intent::Chat(ChatWrite::Post { text, .. }) = &op.intent else {
            return Outcome::unsupported("a workflow of Teams posts and no more");
        };
        let request = Request::post("", Body::Json(card(text).to_string()), LIMIT, explain);
        match self.http.write(&request).await {
            // The workflow took it; whether it posts is not told to us.
            Ok(reply) if reply.status == 202 => Outcome::Accepted(Reference::default()),
            Ok(_) => Outcome::applied(),
            Err(failure) => failure.outcome(),
        }
    }
}

impl Outward for Teams {
    fn caps(&self) -> Caps {
        let missing = [
            Capability::CreateRoom,
            Capability::SetTopic,
            Capability::Invite,
            Capability::EditMessage,
            Capability::Pin,
            Capability::Bookmark,
            Capability::ReadVolunteers,
            Capability::ReadMessages,
        ];
        let caps = Caps::none().with(Class::AskPerson, &[Capability::Post]).without(
            Lack::Unsupported,
            "a workflow of Teams posts and no more",
            &missing,
        );
        if self.read_only { caps.read_only() } else { caps }
    }

    fn pace(&self) -> Pace {
        Pace { burst: 4, per_minute: 60 }
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }
}

impl ChatRoom for Teams {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_says_the_text_and_nothing_in_it_means_more() {
        let card = card("SEV1 <at>everyone</at>\n\n**not bold** see https://a.example");
        let body = card.pointer("/attachments/0/content/body").unwrap();
        assert_eq!(body.pointer("/0/inlines/0/text").unwrap(), "SEV1 <at>everyone</at>");
        assert_eq!(body.pointer("/0/inlines/0/weight").unwrap(), "Bolder");
        assert_eq!(body.pointer("/1/inlines/0/text").unwrap(), "**not bold** see ");
        assert_eq!(body.pointer("/1/inlines/1/selectAction/url").unwrap(), "https://a.example");
        assert!(card.get("entities").is_none());
    }
}
