//! Secrets that a server says back: an error that quotes the request, a debug page, a proxy that repeats headers. They are
//! taken out of an answer before anybody reads it, so that no fault, timeline or file can hold them. Knows no endpoint.

use crate::domain::mask::{MARK, forms_of};
use regex::bytes::{NoExpand, Regex, RegexBuilder};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use std::borrow::Cow;

/// Shorter parts of a secret address are no secret by themselves.
const PART: usize = 8;
/// The most memory for the search, in bytes: a secret may have 64 KiB, and travels in many forms.
const SIZE: usize = 256 << 20;

/// What is looked for in answers. Does not print it.
#[derive(Clone, Default)]
pub(super) enum Echo {
    /// Nothing is secret.
    #[default]
    Nothing,
    /// These.
    Of(Regex),
    /// There are secrets, and they cannot be looked for: no answer is let through.
    Blind,
}

impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Echo(of nothing)",
            Self::Of(_) => "Echo(of secrets)",
            Self::Blind => "Echo(of secrets that cannot be looked for)",
        })
    }
}

impl Echo {
    /// Of these secrets, in every form in which they travel; of an address also its path and what is secret in it.
    pub(super) fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for secret in secrets {
            for value in parts(secret) {
                all.extend(forms_of(&value).into_iter().flat_map(|form| {
                    let json = form.replace('\\', "\\\\").replace('"', "\\\"");
                    let slashes = json.replace('/', "\\/");
                    [form, json, slashes]
                }));
            }
        }
        // The longest first: a shorter one inside it would leave the rest.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        let pattern: Vec<String> = all.iter().map(|form| regex::escape(form)).collect();
        if pattern.is_empty() {
            return Self::Nothing;
        }
        let built = RegexBuilder::new(&pattern.join("|")).unicode(false).size_limit(SIZE).build();
        built.map_or(Self::Blind, Self::Of)
    }

    /// A body without them.
    pub(super) fn out_of(&self, body: Vec<u8>) -> Vec<u8> {
        let pattern = match self {
            Self::Nothing => return body,
            Self::Of(pattern) => pattern,
            Self::Blind => return MARK.as_bytes().to_vec(),
        };
        match pattern.replace_all(&body, NoExpand(MARK.as_bytes())) {
            Cow::Borrowed(_) => body,
            Cow::Owned(masked) => masked,
        }
    }

    /// Headers without them.
    pub(super) fn out_of_headers(&self, headers: &HeaderMap) -> HeaderMap {
        let pattern = match self {
            Self::Nothing => return headers.clone(),
            Self::Of(pattern) => pattern,
            Self::Blind => return HeaderMap::new(),
        };
        let mut kept = headers.clone();
        for value in kept.values_mut().filter(|value| pattern.is_match(value.as_bytes())) {
            let masked = pattern.replace_all(value.as_bytes(), NoExpand(MARK.as_bytes()));
            *value = HeaderValue::from_bytes(&masked).unwrap_or_else(|_| HeaderValue::from_static(MARK));
        }
        kept
    }
}

/// A secret and, where it is an address, what a server may repeat of it.
fn parts(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    let Ok(url) = Url::parse(secret) else { return all };
    if !matches!(url.scheme(), "http" | "https") {
        return all;
    }
    let path = url.path().trim_matches('/');
    all.extend([path.to_owned(), path.rsplit('/').next().unwrap_or_default().to_owned()]);
    all.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    all.retain(|part| part.len() >= PART);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(secret: &str, body: &str) -> String {
        String::from_utf8(Echo::of([secret]).out_of(body.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn what_is_said_back_is_masked_in_every_form() {
        let secret = r#"s3cr"et\to/ken"#;
        let json = serde_json::to_string(secret).unwrap();
        for body in [
            secret.to_owned(),
            format!("{{\"error\": {json}}}"),
            json.replace('/', "\\/"),
            "u=s3cr%22et%5Cto%2Fken".to_owned(),
        ] {
            let shown = left(secret, &body);
            assert!(shown.contains(MARK) && !shown.contains("s3cr"), "{body}: {shown}");
        }
        let masked = left(secret, &format!("{{\"error\": {json}}}"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&masked).unwrap()["error"], MARK, "still JSON");
        // `Basic` of ops@example.com and the secret.
        let basic = "Authorization: Basic b3BzQGV4YW1wbGUuY29tOmh1bnRlcjItaHVudGVyMg==";
        assert!(!left("hunter2-hunter2", basic).contains("aHVudGVyMi1"), "{}", left("hunter2-hunter2", basic));
    }

    #[test]
    fn a_long_secret_is_masked_and_what_cannot_be_looked_for_lets_nothing_through() {
        let secret: String = (0..8_192_u32).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect();
        assert_eq!(left(&secret, &format!("token {secret} is wrong")), format!("token {MARK} is wrong"));
        assert_eq!(left(&secret, "a calm answer"), "a calm answer");
        assert_eq!(Echo::Blind.out_of(secret.into_bytes()), MARK.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("link", HeaderValue::from_static("x"));
        assert!(Echo::Blind.out_of_headers(&headers).is_empty());
    }

    #[test]
    fn an_address_is_known_by_its_parts() {
        let url = "https://hooks.example.com/services/T0/B0/Xhunter2hunter2?sig=Yhunter3&v=1";
        for body in ["no such path /services/T0/B0/Xhunter2hunter2", "Xhunter2hunter2?", "sig Yhunter3", url] {
            let shown = left(url, body);
            assert!(!shown.contains("hunter"), "{shown}");
        }
        assert_eq!(left(url, "hooks.example.com v=1 services"), "hooks.example.com v=1 services");
    }

    #[test]
    fn what_is_not_secret_is_left_alone() {
        let body = b"\xff\xfe raw".to_vec();
        assert_eq!(Echo::of(["hunter2"]).out_of(body.clone()), body);
        assert_eq!(Echo::of([]).out_of(body.clone()), body);
        assert_eq!(left("abc", "abc is too short to look for"), "abc is too short to look for");
        assert!(!format!("{:?}", Echo::of(["hunter2"])).contains("hunter2"));
    }

    #[test]
    fn headers_are_masked_and_the_others_kept() {
        let mut headers = HeaderMap::new();
        headers.insert("link", HeaderValue::from_static("<https://h/?cursor=hunter2>; rel=next"));
        headers.insert("retry-after", HeaderValue::from_static("7"));
        let kept = Echo::of(["hunter2"]).out_of_headers(&headers);
        assert_eq!(
            (kept["link"].to_str().unwrap(), kept["retry-after"].to_str().unwrap()),
            ("<https://h/?cursor=[masked]>; rel=next", "7")
        );
    }
}
