//! What a person does to an incident at a paging product: one form for all of it. What pages or tells other people is
//! asked first, with who they are and what time it is for them.

use crate::app::backend;
use crate::app::confirm::{Confirm, Deed, Sending};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{act, backend as reading, outward, paging, record};
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::{Body, OUTWARD_LOG};
use crate::domain::incident::linked::BackendLink;
use crate::domain::outward::backend::{BackendWrite, Party};
use crate::domain::outward::capability::{Capability, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Expected;
use crate::domain::time::Timestamp;

/// What can be done, in the order of the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deal {
    Acknowledge,
    Snooze,
    Escalate,
    Reassign,
    Responders,
    Note,
    StatusUpdate,
    Priority,
    Title,
    GiveBack,
    Merge,
    Resolve,
    Link,
}

const DEALS: [(Deal, &str); 13] = [
    (Deal::Acknowledge, "acknowledge"),
    (Deal::Snooze, "snooze (minutes)"),
    (Deal::Escalate, "escalate (level)"),
    (Deal::Reassign, "give to"),
    (Deal::Responders, "ask to join (words)"),
    (Deal::Note, "note (words)"),
    (Deal::StatusUpdate, "tell subscribers (words)"),
    (Deal::Priority, "priority (name)"),
    (Deal::Title, "title (words)"),
    (Deal::GiveBack, "give back"),
    (Deal::Merge, "merge into it (ids)"),
    (Deal::Resolve, "resolve there (words)"),
    (Deal::Link, "link, or unlink (why)"),
];

/// Opens the form: for what is selected, else for what is linked to the incident in view.
pub fn open(model: &mut Model, now: Timestamp, selected: Option<Item>) -> Result<(), String> {
    if let Some(Item::Page(name, page)) = selected {
        form(model, now, Purpose::Backend(owner(model, &name, &page), name, page));
        return Ok(());
    }
    if let Some(Item::Alert(fingerprint)) = &selected
        && !model.open_cases().iter().any(|case| case.shown.alerts.contains_key(fingerprint))
    {
        let about = model.alerts.get(fingerprint).map(|alert| backend::of_alert(model, alert)).unwrap_or_default();
        let (name, there, _) = about.first().ok_or("nothing open at a paging product is about this alert")?;
        let (name, page) = ((*name).clone(), there.id.clone());
        form(model, now, Purpose::Backend(owner(model, &name, &page), name, page));
        return Ok(());
    }
    let id = act::target(model).ok_or("there is no open incident, and no page is selected")?;
    let case = model.desk.cases.get(&id).ok_or("there is no such incident")?;
    let open = |linked: &&crate::domain::incident::linked::Linked| {
        linked.status != crate::domain::outward::backend::BackendStatus::Resolved
    };
    let linked = case.shown.pages.iter().find(open).or_else(|| case.shown.pages.first());
    if let Some(linked) = linked {
        let (name, page) = (linked.link.target.clone(), linked.link.page.clone());
        form(model, now, Purpose::Backend(id, name, page));
        return Ok(());
    }
    if backend::unlinked(model).is_empty() {
        return Err(format!("nothing at a paging product belongs to {id}, and nothing is open there"));
    }
    form(model, now, Purpose::LinkPage(id));
    Ok(())
}

/// The open incident of ours that a page belongs to, else the log of pages.
fn owner(model: &Model, name: &SourceName, page: &str) -> IncidentId {
    let case = model.open_cases().into_iter().find(|case| case.shown.page(name, page).is_some());
    case.map_or_else(|| IncidentId(OUTWARD_LOG.to_owned()), |case| case.shown.id.clone())
}

fn form(model: &mut Model, now: Timestamp, purpose: Purpose) {
    crate::app::update::forms::open(model, now, purpose);
}

/// The people that are known there: on call first, then those who have it.
fn people(model: &Model, name: &SourceName, page: &str) -> Vec<(String, Party)> {
    let Some(target) = model.outbox.targets.get(name) else { return Vec::new() };
    let mut known: Vec<(String, Party)> = Vec::new();
    let mut add = |label: String, party: &Party| {
        if !known.iter().any(|(_, there)| there.id == party.id) {
            known.push((label, party.clone()));
        }
    };
    let on_call = target.readings.on_call.values().chain(&target.on_call).flat_map(|(_, people)| people);
    for duty in on_call {
        let level = duty.level.map(|level| format!(", level {level}")).unwrap_or_default();
        let policy = duty.policy.as_ref().map(|policy| format!(" of {}", policy.name)).unwrap_or_default();
        add(format!("{} on call{level}{policy}", duty.person.name), &duty.person);
    }
    for party in target.seen(page).into_iter().flat_map(|there| &there.assigned) {
        add(format!("{} has it", party.name), party);
    }
    known
}

/// The fields of the form about an incident there.
pub fn fields(model: &Model, name: &SourceName, page: &str) -> (String, Vec<Field>) {
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let title = match there {
        Some(there) => {
            let number = there.number.as_deref().unwrap_or(page);
            format!("{name} {number} {}: {}", there.status.word(), there.title)
        }
        None => format!("{name} {page}"),
    };
    let mut who: Vec<String> = people(model, name, page).into_iter().map(|(label, _)| label).collect();
    if who.is_empty() {
        who.push("nobody is known there".into());
    }
    let deals = DEALS.iter().map(|(_, words)| (*words).to_owned()).collect();
    let fields = vec![
        Field::choice("do", deals, 0, "Left and Right choose"),
        Field::choice("who", who, 0, "for: give to, ask to join"),
        Field::typed("text", "", "minutes, a level or words, by what is done"),
    ];
    (title, fields)
}

/// The fields of the form that links an open incident there.
pub fn link_fields(model: &Model, id: &IncidentId) -> (String, Vec<Field>) {
    let open = backend::unlinked(model);
    let word = |(name, there): &(&SourceName, &crate::domain::outward::backend::BackendIncident)| {
        format!("{name} {} {}", there.number.as_deref().unwrap_or(&there.id), there.title)
    };
    (
        format!("Which page belongs to {id}?"),
        vec![Field::choice("page", open.iter().map(word).collect(), 0, "Left and Right choose")],
    )
}

/// Links the chosen one.
pub fn link(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let open = backend::unlinked(model);
    let chosen = open.get(form.index("page")).filter(|(_, there)| form.value("page").contains(&there.title));
    let Some((name, there)) = chosen else { return Err(Refusal("the list has changed; choose again".into())) };
    let (name, link) = ((*name).clone(), BackendLink::to(name, there, "linked by hand"));
    join(model, now, id, link, out);
    model.say(now, Tone::Accent, format!("linked to {name}"));
    Ok(())
}

fn join(model: &mut Model, now: Timestamp, id: &IncidentId, link: BackendLink, out: &mut Vec<Effect>) {
    let back =
        Body::BackendUnlinked { target: link.target.clone(), page: link.page.clone(), reason: "taken back".into() };
    let words = format!("{} linked", link.name());
    let req = record::person(model, now, now, id, vec![Body::BackendLinked(Box::new(link))], out);
    record::remember(model, id, req, Some(back), words);
}

/// Enter in the form.
pub fn submit(
    model: &mut Model,
    now: Timestamp,
    (id, name, page): (&IncidentId, &SourceName, &str),
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let Some((deal, _)) = DEALS.get(form.index("do")) else { return Err(Refusal("choose what to do".into())) };
    if *deal == Deal::Link {
        return link_or_not(model, now, (id, name, page), &form.value("text"), out);
    }
    let write = write(model, name, page, *deal, form)?;
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let expected = there.map(backend::expected).unwrap_or_default();
    let intent = Intent::Backend(write);
    // What cannot be sent is refused before it is asked.
    let body = outward::outgoing(model, now, name, intent.clone(), expected.clone())?;
    let asks = matches!(&body, Body::Outgoing(op) if op.class == Class::AskPerson) || intent.pages();
    if asks {
        confirm(model, now, (id, name), intent, expected);
        return Ok(());
    }
    outward::queue(model, now, id, name, intent, expected, None, out)
}

fn link_or_not(
    model: &mut Model,
    now: Timestamp,
    (id, name, page): (&IncidentId, &SourceName, &str),
    reason: &str,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let belongs = model.desk.cases.get(id).and_then(|case| case.shown.page(name, page)).cloned();
    if let Some(linked) = belongs {
        let reason = text(reason, "why it does not belong here")?;
        let back = Body::BackendLinked(Box::new(linked.link.clone()));
        let body = Body::BackendUnlinked { target: name.clone(), page: page.to_owned(), reason };
        let req = record::person(model, now, now, id, vec![body], out);
        record::remember(model, id, req, Some(back), format!("{} unlinked", linked.link.name()));
        model.say(now, Tone::Accent, format!("{} unlinked from {id}   u takes it back", linked.link.name()));
        return Ok(());
    }
    let Some(case) = model.open_cases().first().map(|case| case.shown.id.clone()) else {
        return Err(Refusal("there is no open incident to link it to; i declares one from it".into()));
    };
    let there = model.outbox.targets.get(name).and_then(|target| target.seen(page));
    let link = there.map(|there| BackendLink::to(name, there, "linked by hand"));
    let link = link.ok_or_else(|| Refusal("it is gone".into()))?;
    let words = format!("{} linked to {case}   u takes it back", link.name());
    join(model, now, &case, link, out);
    model.say(now, Tone::Accent, words);
    Ok(())
}

/// The write that a filled-in form means.
fn write(model: &Model, name: &SourceName, page: &str, deal: Deal, form: &Form) -> Result<BackendWrite, Refusal> {
    let incident = page.to_owned();
    let words = |what: &str| text(&form.value("text"), what);
    let number = |what: &str, most: u64| {
        let typed = form.value("text");
        let read = typed.trim_end_matches('m').trim().parse::<u64>().ok().filter(|n| (1..=most).contains(n));
        read.ok_or_else(|| Refusal(format!("{what} is needed in text: 1 to {most}")))
    };
    let who = || {
        let chosen = people(model, name, page).into_iter().nth(form.index("who")).map(|(_, party)| party);
        chosen.ok_or_else(|| Refusal("nobody is known there to choose from".into()))
    };
    Ok(match deal {
        Deal::Acknowledge => BackendWrite::Acknowledge { incident },
        Deal::GiveBack => BackendWrite::Unacknowledge { incident },
        Deal::Resolve => {
            BackendWrite::Resolve { incident, resolution: Some(form.value("text")).filter(|t| !t.is_empty()) }
        }
        Deal::Snooze => BackendWrite::Snooze { incident, seconds: number("minutes", 7 * 24 * 60)? * 60 },
        Deal::Escalate => {
            let level = u32::try_from(number("a level", 20)?).unwrap_or(1);
            BackendWrite::Escalate { incident, level }
        }
        Deal::Reassign => BackendWrite::Reassign { incident, to: vec![who()?] },
        Deal::Responders => {
            BackendWrite::RequestResponders { incident, people: vec![who()?], message: words("a message in text")? }
        }
        Deal::Note => BackendWrite::Note { incident, text: words("a text")? },
        Deal::StatusUpdate => {
            BackendWrite::StatusUpdate { incident, subject: None, message: words("a message in text")? }
        }
        Deal::Title => BackendWrite::SetTitle { incident, title: words("a title in text")? },
        Deal::Priority => {
            let wanted = words("a priority in text")?;
            let known = model.outbox.targets.get(name).and_then(|t| t.readings.priorities.as_ref());
            let list = known.map_or(&[][..], |(_, list)| list.as_slice());
            let found = list.iter().find(|p| p.name.eq_ignore_ascii_case(&wanted)).cloned();
            let names: Vec<&str> = list.iter().map(|p| p.name.as_str()).collect();
            let priority = found.ok_or_else(|| {
                Refusal(format!("there is no priority {wanted} there (expected one of: {})", names.join(", ")))
            })?;
            BackendWrite::SetPriority { incident, priority }
        }
        Deal::Merge => {
            BackendWrite::Merge { incident, sources: sources(model, name, page, &words("numbers or ids in text")?)? }
        }
        Deal::Link => return Err(Refusal("nothing is sent for a link".into())),
    })
}

/// Open incidents there by number or id, separated by spaces or commas.
fn sources(model: &Model, name: &SourceName, into: &str, typed: &str) -> Result<Vec<String>, Refusal> {
    let Some(target) = model.outbox.targets.get(name) else { return Err(Refusal(format!("{name} is gone"))) };
    let wanted = typed.split([' ', ',']).filter(|word| !word.is_empty());
    wanted
        .map(|word| {
            let plain = word.trim_start_matches('#');
            let same = |number: &String| number.trim_start_matches('#') == plain;
            let found = target.open_incidents().iter().find(|i| i.id == word || i.number.as_ref().is_some_and(same));
            match found {
                Some(there) if there.id == into => Err(Refusal(format!("{word} is the one that it is merged into"))),
                Some(there) => Ok(there.id.clone()),
                None => Err(Refusal(format!("{word} is not open there"))),
            }
        })
        .collect()
}

/// Asks before anybody is paged or told.
fn confirm(
    model: &mut Model,
    now: Timestamp,
    (id, name): (&IncidentId, &SourceName),
    intent: Intent,
    expected: Expected,
) {
    let mut rows = vec![("what".to_owned(), intent.words()), ("through".into(), name.to_string())];
    let told = match &intent {
        Intent::Backend(BackendWrite::Reassign { to, .. }) => Some(to.clone()),
        Intent::Backend(BackendWrite::RequestResponders { people, .. }) => Some(people.clone()),
        _ => None,
    };
    match told {
        Some(people) => {
            let zone = model.setup.zone;
            rows.extend(people.iter().map(|party| ("pages".to_owned(), paging::local_time(party, zone, now))));
        }
        None => rows.extend(at_level(model, now, name, &intent)),
    }
    let question = match intent.capability() {
        Capability::StatusUpdate => "Tell the subscribers?",
        _ => "Page them?",
    };
    let sending = Sending { incident: id.clone(), target: name.clone(), intent, expected };
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "page".into(),
        question: question.into(),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        enter: false,
        deed: Deed::Send(Box::new(sending)),
    })));
}

/// Who is on the level that an escalation goes to.
fn at_level(model: &Model, now: Timestamp, name: &SourceName, intent: &Intent) -> Vec<(String, String)> {
    let Intent::Backend(BackendWrite::Escalate { incident, level }) = intent else { return Vec::new() };
    let Some(target) = model.outbox.targets.get(name) else { return Vec::new() };
    let policy = target.seen(incident).and_then(|there| there.policy.as_ref()).map(|policy| policy.id.clone());
    let all = target.readings.on_call.values().chain(&target.on_call).flat_map(|(_, people)| people);
    let there = |duty: &&crate::domain::outward::backend::OnCall| {
        duty.level == Some(*level) && duty.policy.as_ref().map(|p| p.id.clone()) == policy
    };
    let mut rows: Vec<(String, String)> = all
        .filter(there)
        .map(|duty| ("pages".to_owned(), paging::local_time(&duty.person, model.setup.zone, now)))
        .collect();
    rows.dedup();
    if rows.is_empty() {
        rows.push(("pages".into(), format!("whoever is on level {level}; not known here")));
    }
    rows
}

/// The person said `y`.
pub fn send(model: &mut Model, now: Timestamp, sending: Sending, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let Sending { incident, target, intent, expected } = sending;
    outward::queue(model, now, &incident, &target, intent, expected, None, out)
}

/// Who is on call for the service is read while a form about it is open.
pub fn prepare(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let service = match model.nav.screen() {
        Screen::Incident(id) => model.desk.cases.get(id).and_then(|case| case.shown.service.clone()),
        _ => None,
    };
    if let Some(service) = service {
        reading::ask_on_call(model, now, &service, out);
    }
}
