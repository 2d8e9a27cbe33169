//! Striking out what looks like a secret in a text that leaves its record: values behind telling words, tokens of known
//! shapes, addresses of people. What the record itself masked stays masked.

use regex::Regex;
use std::sync::LazyLock;

/// What is struck out.
const STRUCK: &str = "***";

/// Patterns and what they become. Compiled once; one that does not compile would be found by the first test.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rules = [
        // Authorization: Bearer abc
        (r"(?i)\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,}", "$1 ***"),
        // password=abc, API_KEY: "abc", --secret abc
        (
            r#"(?i)([A-Za-z0-9_-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[A-Za-z0-9_-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;"']+)"#,
            "${1}***",
        ),
        (r"(?i)(--[A-Za-z0-9-]*(?:passw(?:or)?d|secret|token|key)[A-Za-z0-9-]*[ =])(\S+)", "${1}***"),
        // scheme://user:password@host
        (r"([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]+:)[^\s/@]+@", "${1}***@"),
        // Tokens of known shapes.
        (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", STRUCK),
        (r"\b(?:ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{10,}", STRUCK),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", STRUCK),
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?", STRUCK),
        // People.
        (r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b", "someone@example.com"),
    ];
    rules.into_iter().filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with))).collect()
});

/// The text without what looks like a secret.
pub fn redact(text: &str) -> String {
    RULES.iter().fold(text.to_owned(), |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_struck_out_and_the_rest_stays() {
        assert_eq!(RULES.len(), 9, "every pattern compiles");
        for (text, want) in [
            ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ***"),
            ("DB_PASSWORD=hunter2 ok", "DB_PASSWORD=*** ok"),
            ("password: \"a b c\", next", "password: ***, next"),
            ("curl --api-key s3cr3t x", "curl --api-key *** x"),
            ("postgres://app:pw@db/x", "postgres://app:***@db/x"),
            ("AKIAABCDEFGHIJKLMNOP", "***"),
            ("ghp_abcdefghijklmnop", "***"),
            ("ask ada@corp.example.org", "ask someone@example.com"),
            ("pods 6 of 6 ready, token bucket full", "pods 6 of 6 ready, token bucket full"),
            ("kubectl get pods -n production", "kubectl get pods -n production"),
        ] {
            assert_eq!(redact(text), want, "{text}");
        }
    }
}
