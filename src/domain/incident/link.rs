//! A link to a page that shows a service at the time of an incident: a template of the team, filled from the record. Opens
//! nothing. What it is filled with is encoded, so that no name can lead the link elsewhere.

use crate::domain::incident::state::Incident;
use crate::domain::time::{Span, Timestamp, rfc3339};

/// Shown before the incident began and after it ended.
const EDGE: Span = Span::minutes(30);
/// How long an incident that is open is, for pages that want an end.
const OPEN: Span = Span::hours(2);
/// What a template may hold, each with what it is.
pub const PLACES: [(&str, &str); 6] = [
    ("from_ms", "half an hour before the incident, in milliseconds since 1970"),
    ("to", "half an hour after its end in milliseconds, `now` while it is open: as Grafana has it"),
    ("to_ms", "the same as a number always: two hours after the beginning while it is open"),
    ("from", "its beginning, RFC 3339"),
    ("service", "its service, empty where it has none"),
    ("incident", "its id"),
];

/// A template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTemplate {
    /// What it shows.
    pub title: String,
    /// An address with [`PLACES`] in braces.
    pub url: String,
    /// The services it is for; empty for all.
    pub services: Vec<String>,
}

/// What is wrong with an address that is to be filled.
pub fn wrong(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return Some("an address that begins with https:// is expected".into()) };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(['{', '}', '@']) {
        return Some("the host is written out, without a user".into());
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("an address has no blanks".into());
    }
    let names = url.split('{').skip(1).map(|piece| piece.split('}').next().unwrap_or_default());
    let mut names = names;
    names.find(|name| PLACES.iter().all(|(known, _)| known != name)).map(|name| {
        let known: Vec<&str> = PLACES.iter().map(|(known, _)| *known).collect();
        format!("`{{{name}}}` is not known (expected one of: {})", known.join(", "))
    })
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl LinkTemplate {
    /// Whether it is for incidents of this service.
    pub fn is_for(&self, service: Option<&str>) -> bool {
        self.services.is_empty() || service.is_some_and(|name| self.services.iter().any(|s| s == name))
    }

    /// The address at the time of an incident.
    pub fn at(&self, i: &Incident) -> String {
        let start = i.times.detected.map_or(i.times.declared, |at| at.min(i.times.declared));
        let end = i.times.resolved.filter(|end| *end >= start).map(|end| end + EDGE);
        let ms = |at: Timestamp| at.timestamp_millis().to_string();
        let from = start - EDGE;
        let filled = [
            ("from_ms", ms(from)),
            ("to", end.map_or_else(|| "now".to_owned(), ms)),
            ("to_ms", ms(end.unwrap_or(start + OPEN))),
            ("from", encoded(&rfc3339(start))),
            ("service", encoded(i.service.as_deref().unwrap_or_default())),
            ("incident", encoded(i.id.as_str())),
        ];
        let (mut out, mut rest) = (String::new(), self.url.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            out.push_str(before);
            out.push_str(filled.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The addresses of an incident, in the order of the configuration.
pub fn links<'t>(templates: &'t [LinkTemplate], i: &'t Incident) -> impl Iterator<Item = String> + 't {
    templates.iter().filter(|link| link.is_for(i.service.as_deref())).map(|link| link.at(i))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::{Body, Event, EventKey};

    fn event(seq: u64, at: &str, body: Body) -> Event {
        let at: Timestamp = at.parse().unwrap();
        let key = EventKey { origin: "a".into(), seq };
        let (incident, actor) = ("INC-1".into(), "ada".into());
        Event { key, id: String::new(), incident, order: seq, at, recorded_at: at, actor, body, hash: String::new() }
    }

    fn incident(resolved: bool) -> Incident {
        let declared = Body::Declared {
            title: "t".into(),
            severity: "SEV2".into(),
            service: Some("a&b=c/../x".into()),
            detected_by: None,
            detected_at: None,
        };
        let mut events = vec![event(1, "2026-05-01T03:00:00Z", declared)];
        if resolved {
            events.push(event(2, "2026-05-01T04:00:00Z", Body::Resolved { summary: "x".into() }));
        }
        Incident::fold(&events).unwrap()
    }

    fn template(url: &str, services: &[&str]) -> LinkTemplate {
        LinkTemplate { title: "t".into(), url: url.into(), services: services.iter().map(|s| (*s).into()).collect() }
    }

    #[test]
    fn a_link_opens_at_the_time_of_the_incident_and_a_name_cannot_lead_it_elsewhere() {
        let link = template("https://g.example/d/x?from={from_ms}&to={to}&var-service={service}", &[]);
        let open = link.at(&incident(false));
        assert!(open.ends_with("&to=now&var-service=a%26b%3Dc%2F..%2Fx"), "{open}");
        let over = link.at(&incident(true));
        let ms = "2026-05-01T04:30:00Z".parse::<Timestamp>().unwrap().timestamp_millis();
        assert!(over.contains(&format!("&to={ms}&")), "{over}");
        let number = template("https://d.example/?to_ts={to_ms}", &[]).at(&incident(false));
        assert!(number.rsplit('=').next().unwrap().parse::<i64>().is_ok(), "{number}");
        let all = [link, template("https://a.example", &["other"])];
        assert_eq!(links(&all, &incident(true)).count(), 1);
    }

    #[test]
    fn what_cannot_be_filled_is_said() {
        assert_eq!(wrong("https://g.example/d/x?from={from_ms}&to={to}"), None);
        for (url, word) in [
            ("javascript:alert(1)", "https://"),
            ("https://{service}.example/", "host"),
            ("https://u:p@g.example/", "host"),
            ("https://g.example/{until}", "{until}"),
            ("https://g.example/a b", "blanks"),
        ] {
            assert!(wrong(url).unwrap().contains(word), "{url}");
        }
    }
}
