//! Secrets that a server says back: an error that quotes the request, a debug page, a proxy that repeats headers. They are
//! taken out of an answer before anybody reads it, so that no fault, timeline or file can hold them. Knows no endpoint.

use crate::domain::mask::{MARK, forms_of};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use std::ops::Range;

/// Shorter parts of a secret address are no secret by themselves.
const PART: usize = 8;
/// Up to so many bytes of what is looked for, the search is a table of every state and byte: the fastest, at some 500 bytes
/// of memory for each. A secret may have 64 KiB.
const TABLE: usize = 8 << 10;

/// What is looked for in answers. Does not print it.
#[derive(Clone, Default)]
pub enum Echo {
    /// Nothing is secret.
    #[default]
    Nothing,
    /// These.
    Of(AhoCorasick),
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
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
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
        all.sort();
        all.dedup();
        if all.is_empty() {
            return Self::Nothing;
        }
        let table = all.iter().map(String::len).sum::<usize>() <= TABLE;
        // Every place of every form counts, also of those that overlap: a search that goes on behind a hit would leave the
        // rest of a secret that began in it.
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(if table { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA }))
            .build(&all);
        built.map_or(Self::Blind, Self::Of)
    }

    /// A body without them. One without any is given back as it is.
    pub fn out_of(&self, body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Nothing => body,
            Self::Of(search) => masked(search, &body).unwrap_or(body),
            Self::Blind => MARK.as_bytes().to_vec(),
        }
    }

    /// Headers without them.
    pub fn out_of_headers(&self, headers: &HeaderMap) -> HeaderMap {
        let search = match self {
            Self::Nothing => return headers.clone(),
            Self::Of(search) => search,
            Self::Blind => return HeaderMap::new(),
        };
        let mut kept = headers.clone();
        for value in kept.values_mut() {
            if let Some(masked) = masked(search, value.as_bytes()) {
                *value = HeaderValue::from_bytes(&masked).unwrap_or_else(|_| HeaderValue::from_static(MARK));
            }
        }
        kept
    }
}

/// A text without what is looked for; `None` when it has none of it.
fn masked(search: &AhoCorasick, text: &[u8]) -> Option<Vec<u8>> {
    // In the order of their ends. Places that overlap become one.
    let mut places: Vec<Range<usize>> = Vec::new();
    let Ok(found) = search.try_find_overlapping_iter(text) else { return Some(MARK.as_bytes().to_vec()) };
    for hit in found {
        let mut place = hit.range();
        while let Some(last) = places.pop_if(|last| place.start < last.end) {
            place.start = place.start.min(last.start);
        }
        places.push(place);
    }
    if places.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        out.extend_from_slice(text.get(from..place.start).unwrap_or_default());
        out.extend_from_slice(MARK.as_bytes());
        from = place.end;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    Some(out)
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
    fn secrets_that_overlap_leave_no_rest_of_each_other() {
        let both = Echo::of(["hunter2-alpha", "alpha-omega77", "unter2"]);
        let shown = |body: &str| String::from_utf8(both.out_of(body.as_bytes().to_vec())).unwrap();
        assert_eq!(shown("a hunter2-alpha-omega77 b"), format!("a {MARK} b"));
        assert_eq!(shown("hunter2-alpha, alpha-omega77, unter2"), format!("{MARK}, {MARK}, {MARK}"));
        assert_eq!(shown("hunter2-alphalpha-omega77unter2"), format!("{MARK}{MARK}"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
        /// Whatever the secrets are and wherever they stand, no form of any is left, and the rest is untouched.
        #[test]
        fn no_form_of_any_is_left(
            secrets in proptest::collection::vec("[ab/]{4,6}", 1..5),
            body in proptest::collection::vec("[ab/ .]{0,9}", 0..12),
            far in proptest::prelude::any::<bool>(),
        ) {
            // A long one takes the search that is no table.
            let long: String = if far { "xyz".repeat(TABLE / 12) } else { String::new() };
            let text = body.concat();
            let echo = Echo::of(secrets.iter().map(String::as_str).chain(far.then_some(long.as_str())));
            let left = String::from_utf8(echo.out_of(text.clone().into_bytes())).unwrap();
            for secret in &secrets {
                proptest::prop_assert!(!left.contains(secret.as_str()), "{} in {}", secret, left);
            }
            // What stands is what no form covers, in order.
            let forms: Vec<String> =
                secrets.iter().flat_map(|s| forms_of(s)).flat_map(|f| [f.replace('/', "\\/"), f]).collect();
            let covered = |at: usize| {
                forms.iter().any(|form| text.match_indices_all(form).any(|from| (from..from + form.len()).contains(&at)))
            };
            let kept: String =
                text.char_indices().filter(|(at, _)| !covered(*at)).map(|(_, letter)| letter).collect();
            proptest::prop_assert_eq!(left.replace(MARK, ""), kept);
        }
    }

    /// Every place of a part, also of those that overlap.
    trait Places {
        fn match_indices_all<'t>(&'t self, part: &'t str) -> impl Iterator<Item = usize> + 't;
    }

    impl Places for String {
        fn match_indices_all<'t>(&'t self, part: &'t str) -> impl Iterator<Item = usize> + 't {
            (0..self.len()).filter(move |at| self.get(*at..).is_some_and(|rest| rest.starts_with(part)))
        }
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
