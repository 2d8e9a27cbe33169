//! Our text as Slack takes it: `rich_text` blocks, in which no character has a meaning of its own, and a fallback with its
//! three special characters escaped. The first line of a longer text is bold.

use crate::io::rooms::{Piece, cut, pieces};
use serde_json::{Value, json};

/// The longest text of a message, in characters.
const LONGEST: usize = 3_900;

/// `text` and `blocks` of a message.
pub(super) fn message(text: &str) -> Value {
    let text = cut(text, LONGEST);
    let many = text.trim_end().contains('\n');
    let mut elements = Vec::new();
    for (n, line) in text.trim_end().split('\n').enumerate() {
        if n > 0 {
            elements.push(json!({"type": "text", "text": "\n"}));
        }
        for piece in pieces(line) {
            elements.push(match piece {
                Piece::Words(words) if n == 0 && many => {
                    json!({"type": "text", "text": words, "style": {"bold": true}})
                }
                Piece::Words(words) => json!({"type": "text", "text": words}),
                Piece::Link(url) => json!({"type": "link", "url": url}),
            });
        }
    }
    let section = json!({"type": "rich_text_section", "elements": elements});
    json!({"text": escaped(&text), "blocks": [{"type": "rich_text", "elements": [section]}]})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_mentioned_by_text_from_outside() {
        let body = message("INC-1 <!channel> & <@U1>\nsee https://a.example/x now");
        assert_eq!(body["text"], "INC-1 &lt;!channel&gt; &amp; &lt;@U1&gt;\nsee https://a.example/x now");
        let elements = body.pointer("/blocks/0/elements/0/elements").unwrap().as_array().unwrap();
        assert_eq!(elements[0], json!({"type": "text", "text": "INC-1 <!channel> & <@U1>", "style": {"bold": true}}));
        assert_eq!(elements[3], json!({"type": "link", "url": "https://a.example/x"}));
        assert_eq!(elements[4], json!({"type": "text", "text": " now"}));
        assert!(!body.to_string().contains("\"user\""));
    }
}
