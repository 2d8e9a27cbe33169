//! What an incident's room is told, in words: the headline that is kept up to date, the topic, and one notice per thing that
//! people there must hear of. Plain text, lines apart; the first line says the most. No length of time is in the headline,
//! so that it changes only when something happens.

use crate::domain::incident::event::{Body, Event, Role, Status};
use crate::domain::incident::state::{Amendment, Incident, key_text};
use crate::domain::incident::timeline::lasted;
use crate::domain::time::{Span, Timestamp};

/// The time within which a postmortem is due.
const POSTMORTEM: Span = Span::hours(48);

/// `03:12 UTC`.
fn clock(at: Timestamp) -> String {
    at.format("%H:%M UTC").to_string()
}

/// `2026-05-03 03:12 UTC`.
fn date(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// One line of text, whatever stood in it.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The headline of the room. `sign` is the reaction that volunteers, where the chat has such a thing.
pub fn headline(i: &Incident, sign: Option<&str>) -> String {
    let mut out = vec![format!("{} {}: {}", i.id, i.severity, line(&i.title))];
    let status = match (i.times.resolved, i.times.mitigated) {
        (Some(at), _) => format!("resolved at {}, after {}", clock(at), lasted(i.times.declared, at)),
        (None, Some(at)) => format!("{}, mitigated at {}", i.status.word(), clock(at)),
        (None, None) => i.status.word().to_owned(),
    };
    out.push(format!("Status: {status}"));
    if let Some(service) = &i.service {
        out.push(format!("Service: {}", line(service)));
    }
    let by = i.detected_by.as_ref().map_or_else(|| i.declared_by.clone(), |by| line(by));
    let noticed = i.times.detected.map(|at| format!(" at {}", clock(at))).unwrap_or_default();
    out.push(format!("Detected by: {by}{noticed}"));
    out.push(format!("Declared by: {} at {}", line(&i.declared_by), date(i.times.declared)));
    let vacant = match sign.filter(|_| i.is_open()) {
        Some(sign) => format!("nobody yet, react with {sign} to volunteer"),
        None => "nobody yet".to_owned(),
    };
    out.push(format!("Commander: {}", i.roles.get(&Role::Commander).map_or(vacant, |person| line(person))));
    let others: Vec<String> = i
        .roles
        .iter()
        .filter(|(role, _)| **role != Role::Commander)
        .map(|(role, person)| format!("{} {}", role.word(), line(person)))
        .collect();
    if !others.is_empty() {
        out.push(format!("Roles: {}", others.join(", ")));
    }
    if let Some(at) = i.times.acknowledged {
        out.push(format!("Acknowledged: {}", clock(at)));
    }
    out.push(format!("Next steps: {}", next_steps(i).join(", ")));
    out.join("\n")
}

/// What is to be done next, as far as the record knows that it was not.
fn next_steps(i: &Incident) -> Vec<&'static str> {
    if !i.is_open() {
        return vec!["write the postmortem", "close the status page", "tell stakeholders"];
    }
    if i.times.mitigated.is_some() {
        return vec!["watch whether it holds", "resolve"];
    }
    let mut out = Vec::new();
    if i.times.acknowledged.is_none() {
        out.push("acknowledge");
    }
    if !i.roles.contains_key(&Role::Commander) {
        out.push("assign a commander");
    }
    if i.status == Status::Investigating {
        out.push("assess impact");
    }
    out.push(if i.status < Status::Mitigating { "begin mitigation" } else { "verify the mitigation" });
    out
}

/// The topic of the room.
pub fn topic(i: &Incident) -> String {
    let over = if i.is_open() { "" } else { "RESOLVED " };
    format!("{over}{} {} | {}", i.severity, line(&i.title), i.id)
}

/// What people in the room are told of an event; `None` for what only the headline shows. `posts_only`: there is no
/// headline that could show it.
pub fn notice(event: &Event, i: &Incident, posts_only: bool) -> Option<String> {
    let amended = i.amended.get(&key_text(&event.key));
    if matches!(amended, Some(Amendment::Retracted(_))) {
        return None;
    }
    let who = format!("{}, {}", clock(event.at), line(&event.actor));
    let corrected = match amended {
        Some(Amendment::Corrected(text)) => Some(text.as_str()),
        _ => None,
    };
    let told = match &event.body {
        Body::StatusSet { to, message: Some(message) } => {
            format!("Status: {} ({who})\n{}", to.word(), corrected.unwrap_or(message))
        }
        Body::Update { audience, text, next_at } => {
            let next = next_at.map(|at| format!("\nNext update at {}", clock(at))).unwrap_or_default();
            format!("Update for {} ({who})\n{}{next}", line(audience), corrected.unwrap_or(text))
        }
        Body::SeveritySet { to, reason } => format!("Severity: {to} ({who})\n{}", corrected.unwrap_or(reason)),
        Body::Mitigated => format!("Mitigated ({who})"),
        Body::Reopened { reason } => format!("Reopened ({who})\n{}", corrected.unwrap_or(reason)),
        Body::Resolved { summary } => resolved(event, i, corrected.unwrap_or(summary), &who),
        Body::RoleSet { role: Role::Commander, person: Some(person) } if posts_only => {
            format!("{} is the commander ({who})", line(person))
        }
        Body::StatusSet { to, message: None } if posts_only => format!("Status: {} ({who})", to.word()),
        Body::Acknowledged if posts_only => format!("Acknowledged ({who})"),
        _ => return None,
    };
    Some(if posts_only { format!("{} {}", i.id, told) } else { told })
}

fn resolved(event: &Event, i: &Incident, summary: &str, who: &str) -> String {
    let mut out = vec![format!("Resolved after {} ({who})", lasted(i.times.declared, event.at)), summary.to_owned()];
    out.push("Next steps:".into());
    let due = event.at.checked_add_signed(POSTMORTEM).map(|at| format!(", by {}", date(at))).unwrap_or_default();
    out.push(format!("- postmortem within 48 h{due}"));
    out.push("- status page: say that it is over".into());
    out.push("- stakeholders: tell them what it was".into());
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{IncidentId, Origin};
    use crate::domain::incident::event::EventKey;
    use crate::domain::time::{mins, secs};

    fn event(order: u64, minutes: i64, body: Body) -> Event {
        let at = "2026-05-01T03:12:04Z".parse::<Timestamp>().unwrap() + mins(minutes);
        Event {
            key: EventKey { origin: Origin("a".into()), seq: order },
            id: String::new(),
            incident: IncidentId("INC-20260501-031204".into()),
            order,
            at,
            recorded_at: at,
            actor: "alice".into(),
            body,
            hash: String::new(),
        }
    }

    fn declared() -> Event {
        let noticed = "2026-05-01T03:12:04Z".parse::<Timestamp>().unwrap() - secs(120);
        event(
            1,
            0,
            Body::Declared {
                title: "api 5xx\nand more".into(),
                severity: "SEV2".into(),
                service: Some("api".into()),
                detected_by: Some("HighErrorRate".into()),
                detected_at: Some(noticed),
            },
        )
    }

    #[test]
    fn the_headline_says_what_is_to_be_done_next() {
        let mut i = Incident::begin(&declared()).unwrap();
        assert_eq!(
            headline(&i, Some("🏅")),
            "INC-20260501-031204 SEV2: api 5xx and more\nStatus: investigating\nService: api\n\
             Detected by: HighErrorRate at 03:10 UTC\nDeclared by: alice at 2026-05-01 03:12 UTC\n\
             Commander: nobody yet, react with 🏅 to volunteer\n\
             Next steps: acknowledge, assign a commander, assess impact, begin mitigation"
        );
        i.apply(&event(2, 1, Body::Acknowledged));
        i.apply(&event(3, 2, Body::RoleSet { role: Role::Commander, person: Some("bob".into()) }));
        i.apply(&event(4, 3, Body::StatusSet { to: Status::Mitigating, message: None }));
        let text = headline(&i, Some("🏅"));
        assert!(text.contains("\nCommander: bob\n") && text.ends_with("Next steps: verify the mitigation"), "{text}");
        i.apply(&event(5, 41, Body::Resolved { summary: "rolled back".into() }));
        assert!(headline(&i, None).contains("Status: resolved at 03:53 UTC, after 41m"));
        assert_eq!(topic(&i), "RESOLVED SEV2 api 5xx and more | INC-20260501-031204");
    }

    #[test]
    fn a_resolution_says_how_long_it_took_and_what_is_left() {
        let mut i = Incident::begin(&declared()).unwrap();
        let end = event(2, 41, Body::Resolved { summary: "rolled back".into() });
        i.apply(&end);
        let text = notice(&end, &i, false).unwrap();
        assert!(text.starts_with("Resolved after 41m (03:53 UTC, alice)\nrolled back\nNext steps:\n"), "{text}");
        assert!(text.contains("postmortem within 48 h, by 2026-05-03 03:53 UTC"), "{text}");
    }

    #[test]
    fn a_status_without_words_tells_nobody_where_a_headline_shows_it() {
        let i = Incident::begin(&declared()).unwrap();
        let quiet = event(2, 1, Body::StatusSet { to: Status::Identified, message: None });
        assert_eq!(notice(&quiet, &i, false), None);
        assert_eq!(notice(&quiet, &i, true).unwrap(), "INC-20260501-031204 Status: identified (03:13 UTC, alice)");
        let loud = event(3, 2, Body::StatusSet { to: Status::Identified, message: Some("db pool".into()) });
        assert_eq!(notice(&loud, &i, false).unwrap(), "Status: identified (03:14 UTC, alice)\ndb pool");
    }

    #[test]
    fn what_was_taken_back_is_not_told_and_what_was_corrected_is_told_right() {
        let mut i = Incident::begin(&declared()).unwrap();
        let loud = event(2, 1, Body::StatusSet { to: Status::Identified, message: Some("db pol".into()) });
        i.apply(&loud);
        i.apply(&event(3, 2, Body::Corrected { of: loud.key.clone(), text: "db pool".into() }));
        assert!(notice(&loud, &i, false).unwrap().ends_with("\ndb pool"));
        i.apply(&event(4, 3, Body::Retracted { of: loud.key.clone(), reason: "wrong room".into() }));
        assert_eq!(notice(&loud, &i, false), None);
    }
}
