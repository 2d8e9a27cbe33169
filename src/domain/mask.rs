//! Secrets out of what a command writes, before anything of it is shown or stored: the exact values that are known to be
//! secret, in the forms in which they travel, and texts that have the shape of one. Knows no command and no file.

pub mod stream;

use regex::Regex;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// What stands where a secret stood.
pub const MARK: &str = "[masked]";
/// Shorter values are not looked for: they would be found everywhere.
const LEAST: usize = 4;

/// Words without which no shape can match; looked for first, because most output has none of them.
const HOT: [&str; 17] = [
    "akia",
    "asia",
    "bearer",
    "basic",
    "passw",
    "pwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "access-key",
    "eyj",
    "ghp_",
    "xox",
    "://",
];

/// Shapes: what the first group holds is kept, the rest of the match is masked.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let quoted = r#"(?:"[^"\n]*"|'[^'\n]*'|[^\s"',;&]+)"#;
    let named = "password|passwd|passwort|pwd|secret|secret[_-]?key|client[_-]?secret|token|auth[_-]?token|access[_-]?token\
                 |api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?access[_-]?key";
    [
        r"()\b(?:AKIA|ASIA)[0-9A-Z]{12,}".to_owned(),
        r"(?i)(\b(?:bearer|basic)[ \t]+)[A-Za-z0-9._~+/=-]{8,}".to_owned(),
        format!(r#"(?i)((?:^|[^A-Za-z0-9])[A-Za-z0-9_.-]*(?:{named})["']?[ \t]*[=:][ \t]*){quoted}"#),
        r"()eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?".to_owned(),
        r"()\b(?:gh[pousr]_[A-Za-z0-9]{16,}|xox[abeprs]-[A-Za-z0-9-]{8,})".to_owned(),
        r"(://[^\s/:@]*:)[^\s/@]+@".to_owned(),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// The values that are secret here. Does not print them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Masks {
    /// Every form of every value, the longest first.
    exact: Arc<Vec<String>>,
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masks({} forms)", self.exact.len())
    }
}

impl Masks {
    /// Masks for these values: as they are, in base64, and as a URL writes them.
    pub fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut exact: Vec<String> = values.into_iter().filter(|v| v.len() >= LEAST).flat_map(forms).collect();
        exact.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        exact.dedup();
        Self { exact: Arc::new(exact) }
    }

    /// A whole text without its secrets.
    pub fn apply(&self, text: &str) -> String {
        let mut stream = stream::Stream::new(self.clone());
        stream.push(text, true)
    }

    /// Where secrets stand, in order and apart from each other.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for value in self.exact.iter() {
            found.extend(text.match_indices(value.as_str()).map(|(at, _)| at..at + value.len()));
        }
        if is_hot(text) {
            for shape in SHAPES.iter() {
                for captures in shape.captures_iter(text) {
                    let Some(whole) = captures.get(0) else { continue };
                    let from = captures.get(1).map_or(whole.start(), |kept| kept.end());
                    found.push(from..whole.end());
                }
            }
        }
        found.retain(|r| !r.is_empty());
        found.sort_by_key(|r| r.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }

    /// The length of the longest end of a text that could be the beginning of a secret value.
    fn begun(&self, text: &str) -> usize {
        let mut longest = 0;
        for value in self.exact.iter() {
            let most = value.len().saturating_sub(1).min(text.len());
            let fits = |n: &usize| {
                text.len().checked_sub(*n).and_then(|at| text.get(at..)).is_some_and(|end| value.starts_with(end))
            };
            longest = longest.max((longest + 1..=most).rev().find(fits).unwrap_or(0));
        }
        longest
    }
}

/// Whether a text may hold a shape at all.
fn is_hot(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    HOT.iter().any(|word| lower.contains(word))
}

/// The forms in which a value travels: as it is, in base64, as a URL writes it. None of one that is too short to look for.
pub fn forms_of(value: &str) -> Vec<String> {
    if value.len() < LEAST { Vec::new() } else { forms(value) }
}

fn forms(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned(), percent(value, false), percent(value, true)];
    // In a longer text the same bytes may begin at any of three places of a base64 group; what depends on the neighbours
    // is left off.
    for skip in 0..3_usize {
        let mut bytes = vec![0_u8; skip];
        bytes.extend_from_slice(value.as_bytes());
        for url in [false, true] {
            let text = base64(&bytes, url);
            let from = [0, 2, 3].get(skip).copied().unwrap_or(0);
            let spare = bytes.len() % 3;
            let to = text.len().saturating_sub(if spare == 0 { 0 } else { 1 });
            if let Some(inner) = text.get(from..to).filter(|inner| inner.len() >= LEAST + 2) {
                all.push(inner.to_owned());
            }
        }
    }
    all
}

fn percent(value: &str, all: bool) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        match byte {
            _ if plain => out.push(char::from(byte)),
            b' ' if all => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Base64 without padding.
fn base64(bytes: &[u8], url: bool) -> String {
    const PLAIN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |n: u32| {
        let n = (n & 63) as usize;
        match (n, url) {
            (62, true) => '-',
            (63, true) => '_',
            _ => PLAIN.get(n).map_or('A', |b| char::from(*b)),
        }
    };
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for i in 0..3 {
            bits = bits << 8 | u32::from(group.get(i).copied().unwrap_or(0));
        }
        for i in 0..=group.len() {
            out.push(letter(bits >> (18 - 6 * i)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_secrets_are_masked_and_their_names_kept() {
        let masks = Masks::default();
        for (text, shown) in [
            ("id AKIAIOSFODNN7EXAMPLE used", "id [masked] used"),
            ("Authorization: Bearer abcdef.123456", "Authorization: Bearer [masked]"),
            ("password=hunter2 user=x", "password=[masked] user=x"),
            ("DB_PASSWORD: 'two words' y", "DB_PASSWORD: [masked] y"),
            (r#"{"token": "abc def", "a": 1}"#, r#"{"token": [masked], "a": 1}"#),
            ("aws_secret_access_key = wJalr/XUtn", "aws_secret_access_key = [masked]"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "jwt [masked]."),
            ("postgres://app:s3cr3t@db:5432/x", "postgres://app:[masked]db:5432/x"),
            ("ghp_0123456789abcdefghij", "[masked]"),
            ("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb", "a\n[masked]\nb"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE and no end", "[masked]"),
        ] {
            assert_eq!(masks.apply(text), shown, "{text}");
        }
    }

    #[test]
    fn ordinary_output_is_left_alone() {
        let masks = Masks::default();
        for text in [
            "deployment.apps/checkout rolled back",
            "secret/api-token configured",
            "5 tokens left, bearer of bad news",
            "https://grafana.example.com:3000/d/api",
            "NAME  READY  token-controller-7d  1/1",
            "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(masks.apply(text), text);
        }
    }

    #[test]
    fn exact_values_are_found_in_every_form_in_which_they_travel() {
        let masks = Masks::of(["pässword with/odd+chars&more", "abc"]);
        let value = "pässword with/odd+chars&more";
        for text in [value.to_owned(), percent(value, false), percent(value, true), base64(value.as_bytes(), false)] {
            assert!(!masks.apply(&format!("x {text} y")).contains(&text), "{text}");
        }
        for before in ["", "u:", "us:"] {
            let text = base64(format!("{before}{value}:z").as_bytes(), false);
            assert!(masks.apply(&text).contains(MARK), "{before}");
        }
        assert_eq!(masks.apply("abc stays, it is too short to look for"), "abc stays, it is too short to look for");
        assert!(!format!("{masks:?}").contains("odd"));
    }
}
