//! From status and headers to an answer or a fault. Never reads from the network.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::outcome::Obstacle;
use crate::domain::time::{Span, Timestamp};
use chrono::DateTime;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use std::collections::BTreeMap;

/// A 2xx answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The status, 200 to 299.
    pub status: u16,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The server's clock minus ours, to about a second; `None` when it did not say.
    pub skew: Option<Span>,
    /// The headers that adapters read: `link` and those of rate limits; names in lower case.
    pub headers: BTreeMap<String, String>,
}

impl Reply {
    /// A header that was kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Headers that adapters may read.
const KEPT: [&str; 6] = [
    "link",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-limit",
];

/// Those of them that are there.
pub(super) fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |name: &&str| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned()));
    KEPT.iter().filter_map(text).collect()
}

/// What a source's own error body says.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Explained {
    /// A kind that fits better than the status does.
    pub kind: Option<FaultKind>,
    /// Its words, raw outside text.
    pub text: String,
    /// What the body itself asks to wait (`retry_after_ms`).
    pub retry_after: Option<Span>,
    /// The product's own code for the error: `2100`, `name_taken`.
    pub code: Option<String>,
    /// Whether a 403 is that of the token or of one thing, where the body says so.
    pub bar: Option<Obstacle>,
}

impl Explained {
    /// Whose a 403 is, by the product's own word or because it names what the token lacks: `missing scope incidents.write`.
    pub(super) fn bar(&self) -> Option<Obstacle> {
        self.bar.or_else(|| self.text.to_ascii_lowercase().contains("scope").then_some(Obstacle::Scope))
    }
}

/// The longest piece of an error body that is kept in a fault.
const DETAIL: usize = 500;

/// The fault that a status alone tells, with no need to read the body. `None`: read the body.
pub(super) fn by_status(what: &str, status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Fault> {
    let fault = |kind, detail: String| Some(Fault::new(kind, what, detail));
    match status.as_u16() {
        300..=399 => {
            let to = headers.get(LOCATION).and_then(|l| l.to_str().ok());
            fault(FaultKind::Redirect, format!("answered {} towards {}; not followed", status.as_u16(), host_of(to)))
        }
        401 => fault(FaultKind::Auth, "answered 401: the token or password is missing or wrong".into()),
        403 => fault(FaultKind::Permission, "answered 403: these credentials may not do this".into()),
        407 => fault(FaultKind::Auth, "answered 407: the proxy wants credentials".into()),
        429 => Some(limited(what, status, headers, now)),
        _ => None,
    }
}

/// The fault of a request beyond a limit, with the wait that the headers ask for.
pub(super) fn limited(what: &str, status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Fault {
    Fault {
        retry_after: retry_after(headers, now),
        ..Fault::new(FaultKind::RateLimited, what, format!("answered {}: too many requests", status.as_u16()))
    }
}

/// The fault of a 403 with its body. Some products tell a limit or a wrong token so.
pub(super) fn forbidden(
    what: &str,
    status: StatusCode,
    headers: &HeaderMap,
    explained: &Explained,
    html: bool,
    now: Timestamp,
) -> Option<Fault> {
    let kind = match explained.kind {
        Some(FaultKind::RateLimited) => return Some(limited(what, status, headers, now)),
        Some(FaultKind::Auth) => FaultKind::Auth,
        _ => FaultKind::Permission,
    };
    let said: String = explained.text.trim().chars().take(DETAIL).collect();
    match (html, said.is_empty()) {
        (true, _) => Some(Fault::new(kind, what, "answered 403 with a web page")),
        (false, true) => None,
        (false, false) => Some(Fault::new(kind, what, format!("answered 403: {said}"))),
    }
}

/// The fault of a 4xx or 5xx with its body (or the beginning of it).
pub(super) fn by_body(
    what: &str,
    status: StatusCode,
    headers: &HeaderMap,
    explained: Explained,
    html: bool,
    now: Timestamp,
) -> Fault {
    let retry_after = retry_after(headers, now).or(explained.retry_after);
    let kind = explained.kind.unwrap_or(match status.as_u16() {
        503 if retry_after.is_some() => FaultKind::RateLimited,
        408 => FaultKind::Timeout,
        500.. => FaultKind::Server,
        _ => FaultKind::Rejected,
    });
    let said: String = explained.text.trim().chars().take(DETAIL).collect();
    let mut detail = format!("answered {}", status.as_u16());
    if html {
        detail.push_str(" with a web page");
    } else if !said.is_empty() {
        detail = format!("{detail}: {said}");
    }
    if status == StatusCode::NOT_FOUND {
        detail.push_str(" (is the path of the URL right?)");
    }
    Fault { retry_after, ..Fault::new(kind, what, detail) }
}

/// Where a redirect leads, without path and query, which may hold a token.
fn host_of(location: Option<&str>) -> String {
    match location.map(reqwest::Url::parse) {
        None => "nowhere".into(),
        Some(Err(_)) => "another path of the same host".into(),
        Some(Ok(url)) => url.host_str().map_or_else(|| format!("{}:", url.scheme()), str::to_owned),
    }
}

/// Whether this is a web page: by its type, or by its first character, since proxies lie about the type.
pub(super) fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or("");
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    said.trim_start().to_ascii_lowercase().starts_with("text/html") || body.first() == Some(&b'<')
}

/// What the server asks to wait: `Retry-After`, else the reset of its rate limit.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    asked(headers, now).or_else(|| reset(headers, now))
}

/// `ratelimit-reset` and `x-ratelimit-reset`: seconds from now, or an instant in seconds since 1970.
fn reset(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    let name = ["ratelimit-reset", "x-ratelimit-reset"].into_iter().find(|name| headers.contains_key(*name))?;
    let seconds: u32 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    if seconds < 1_000_000_000 {
        return Some(Span::seconds(i64::from(seconds)));
    }
    let until = DateTime::from_timestamp(i64::from(seconds), 0)?;
    Some((until - date(headers).unwrap_or(now)).max(Span::zero()))
}

/// `Retry-After` as seconds or as a date; a date is measured against the server's own clock where it tells it.
fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Span::seconds(i64::from(seconds)));
    }
    let until = http_date(text)?;
    Some((until - date(headers).unwrap_or(now)).max(Span::zero()))
}

/// The server's clock minus ours. The header has whole seconds, cut off: half a second is added to centre it.
pub(super) fn skew(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    Some(date(headers)? + Span::milliseconds(500) - now)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|d| d.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        for (value, date, want) in [
            ("7", None, Some(7)),
            ("Fri, 01 May 2026 03:00:40 GMT", None, Some(40)),
            ("Fri, 01 May 2026 03:00:40 GMT", Some("Fri, 01 May 2026 03:00:30 GMT"), Some(10)),
            ("Fri, 01 May 2026 02:00:00 GMT", None, Some(0)),
            ("soon", None, None),
            ("-3", None, None),
            ("99999999999999999999", None, None),
        ] {
            let mut map = headers(&[(RETRY_AFTER, value)]);
            if let Some(date) = date {
                map.insert(DATE, HeaderValue::from_str(date).unwrap());
            }
            assert_eq!(retry_after(&map, now).map(|s| s.num_seconds()), want, "{value} {date:?}");
        }
    }

    #[test]
    fn the_reset_of_a_rate_limit_is_read_where_nothing_else_is_said() {
        let now: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
        let reset = HeaderName::from_static("ratelimit-reset");
        let epoch = (now + Span::seconds(25)).timestamp().to_string();
        for (pairs, want) in [
            (vec![(reset.clone(), "17")], Some(17)),
            (vec![(HeaderName::from_static("x-ratelimit-reset"), epoch.as_str())], Some(25)),
            (vec![(reset.clone(), "17"), (RETRY_AFTER, "3")], Some(3)),
            (vec![(reset, "soon")], None),
        ] {
            assert_eq!(retry_after(&headers(&pairs), now).map(|s| s.num_seconds()), want);
        }
    }

    #[test]
    fn a_redirect_names_the_host_alone() {
        for (location, want) in [
            (Some("https://sso.example/login?token=hunter2"), "sso.example"),
            (Some("https://u:hunter2@sso.example/"), "sso.example"),
            (Some("/login?next=hunter2"), "another path"),
            (None, "nowhere"),
        ] {
            let map = location.map_or_else(HeaderMap::new, |l| headers(&[(LOCATION, l)]));
            let fault = by_status("x", StatusCode::FOUND, &map, Timestamp::UNIX_EPOCH).unwrap();
            assert!(fault.detail.contains(want) && !fault.detail.contains("hunter2"), "{}", fault.detail);
        }
    }
}
