//! Silences: made with a look at what they would hold, made longer, ended; acknowledgements of alerts kept alive while the
//! alerts fire and a cockpit runs; ends that come near are told. Writes go through the outbox.

use crate::app::confirm::{Confirm, Deed, Silencing};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form};
use crate::app::model::Model;
use crate::app::present::items;
use crate::app::present::silences::{ends_in, holds, known};
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{outward, record};
use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::{Fingerprint, IncidentId, SourceName};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{Expected, Operation};
use crate::domain::outward::silence::filter::{Filter, Preview, cover};
use crate::domain::outward::silence::{
    ACK_EARLY, ACK_FOR, ACK_LONGEST, ACK_PREFIX, ENDS_SOON, Matcher, Silence, SilenceWrite, conditions,
};
use crate::domain::time::{Span, Timestamp, clock, compact, mins, parse_span};
use std::collections::BTreeMap;

/// The longest silence that is made here; a longer one is a change of the configuration.
const LONGEST: Span = Span::days(90);
/// The most silences of one acknowledgement.
const MOST: usize = 10;
/// What is typed for a silence that sweeps.
const TOKEN: &str = "silence all";

/// The targets that can make silences.
fn able(model: &Model) -> Vec<SourceName> {
    model.outbox.able(Capability::CreateSilence).map(|target| target.facts.name.clone()).collect()
}

/// The target of an alert's silence: where the alert comes from, else the only one there is.
fn target_of(model: &Model, alert: &Alert) -> Result<SourceName, String> {
    match model.outbox.targets.get(&alert.source) {
        Some(own) => match own.facts.caps.why_not(Capability::CreateSilence) {
            None => Ok(alert.source.clone()),
            Some(why) => Err(format!("{} cannot silence: {why}", alert.source)),
        },
        None => match able(model).as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(format!("{} does not come from an Alertmanager", alert.name)),
        },
    }
}

/// The form of a new silence, filled in from an alert.
pub fn form(model: &Model, alert: Option<&Fingerprint>) -> (String, Vec<Field>) {
    let alert = alert.and_then(|fp| model.alerts.get(fp));
    let all: Vec<Matcher> =
        alert.map(|a| a.labels.0.iter().map(|(n, v)| Matcher::is(n, v)).collect()).unwrap_or_default();
    let title = alert.map_or_else(|| "Silence alerts".to_owned(), |a| format!("Silence {}", a.name));
    let mut fields = vec![
        Field::typed("conditions", &conditions(&all), "all must hold: a=\"b\" c!=\"d\" e=~\"f|g\"; fewer silence more"),
        Field::typed("for", "1h", "how long from now: 15m, 2h, 1d"),
        Field::typed("why", "", "who reads it next wants to know"),
    ];
    let targets = able(model);
    if targets.len() > 1 {
        let chosen = alert.and_then(|a| targets.iter().position(|t| *t == a.source)).unwrap_or(0);
        let names = targets.into_iter().map(|t| t.0).collect();
        fields.push(Field::choice("at", names, chosen, "Left and Right choose"));
    }
    (title, fields)
}

/// A length of time from now, over zero and at most [`LONGEST`].
fn length(typed: &str) -> Result<Span, Refusal> {
    let span = parse_span(typed.trim()).map_err(Refusal)?;
    if span < mins(1) || span > LONGEST {
        return Err(Refusal(format!("a silence lasts from 1m to {}", compact(LONGEST))));
    }
    Ok(span)
}

/// The alerts that a target knows; all of them where it tells none itself.
fn alerts_of<'m>(model: &'m Model, target: &SourceName) -> Vec<&'m Alert> {
    match model.alerts.by_source.get(target) {
        Some(own) => own.iter().collect(),
        None => model.alerts.all().collect(),
    }
}

/// The form was filled in: shows what the silence would hold, and asks.
pub fn given(model: &mut Model, now: Timestamp, form: &Form, alert: Option<&Fingerprint>) -> Result<(), Refusal> {
    let matchers = Matcher::parse_all(&form.value("conditions")).map_err(Refusal)?;
    let span = length(&form.value("for"))?;
    let comment = text(&form.value("why"), "a reason")?;
    let from = alert.and_then(|fp| model.alerts.get(fp));
    let named = Some(form.value("at")).filter(|name| !name.is_empty()).map(SourceName);
    let target = match (named, from) {
        (Some(name), _) => name,
        (None, Some(alert)) => target_of(model, alert).map_err(Refusal)?,
        (None, None) => {
            able(model).into_iter().next().ok_or_else(|| Refusal("no Alertmanager is configured".into()))?
        }
    };
    let alerts = alerts_of(model, &target);
    let preview = Preview::of(&matchers, alerts.iter().copied()).map_err(Refusal)?;
    let filter = Filter::new(&matchers).map_err(Refusal)?;
    let incident = incident_of(model, alerts.into_iter().filter(|a| filter.catches(&a.labels)));
    let mut rows = vec![
        ("silences".to_owned(), conditions(&matchers)),
        ("holds now".into(), preview.words()),
        ("until".into(), format!("{} (for {})", clock(now + span), compact(span))),
        ("at".into(), target.to_string()),
        ("why".into(), comment.clone()),
    ];
    rows.extend(old_alerts(model, now, &target));
    if !preview.positive {
        let words = "no condition asks for a label to be there: it silences alerts that nobody thought of";
        rows.push(("careful".into(), words.into()));
    } else if preview.sweeping() {
        rows.push(("careful".into(), "nothing that fires now would be left".into()));
    }
    let write = SilenceWrite::Create { matchers, starts_at: now, ends_at: now + span, comment };
    let token = preview.sweeping().then(|| TOKEN.to_owned());
    let question = "Make this silence?";
    confirm(model, "silence", question, rows, token, Silencing { incident, writes: vec![(target, write)] });
    Ok(())
}

/// Says so when the alerts that a preview counts are not fresh.
fn old_alerts(model: &Model, now: Timestamp, target: &SourceName) -> Option<(String, String)> {
    let link = model.links.get(target)?;
    let words = match (&link.fault, link.age(now)) {
        (Some((_, fault)), Some(age)) => format!("read {} ago: {fault}", compact(age)),
        (_, None) => "not read yet: nobody knows what it holds".into(),
        (None, Some(_)) => return None,
    };
    Some(("alerts".into(), words))
}

fn confirm(
    model: &mut Model,
    title: &str,
    question: &str,
    rows: Vec<(String, String)>,
    token: Option<String>,
    silencing: Silencing,
) {
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: title.into(),
        question: question.into(),
        rows,
        token,
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Silences(Box::new(silencing)),
    })));
}

/// The open incident that one of these alerts is linked to.
fn incident_of<'a>(model: &Model, alerts: impl Iterator<Item = &'a Alert>) -> Option<IncidentId> {
    let prints: Vec<&Fingerprint> = alerts.map(|a| &a.fingerprint).collect();
    let linked = |case: &&crate::app::model::Case| prints.iter().any(|fp| case.shown.alerts.contains_key(fp));
    model.open_cases().into_iter().find(linked).map(|case| case.shown.id.clone())
}

/// The person said yes.
pub fn perform(model: &mut Model, now: Timestamp, wanted: Silencing, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let from_now = |write: SilenceWrite| match write {
        SilenceWrite::Create { matchers, starts_at, ends_at, comment } if starts_at <= now => {
            SilenceWrite::Create { matchers, starts_at: now, ends_at: now + (ends_at - starts_at), comment }
        }
        other => other,
    };
    let writes = wanted.writes.into_iter().map(|(target, write)| (target, Intent::Silence(from_now(write)))).collect();
    let incident = wanted.incident.filter(|id| model.desk.cases.contains_key(id));
    outward::queue_all(model, now, incident.as_ref(), writes, out)
}

/// The silences that an act is about: the selected one, or those that hold the selected alert, the last to end first.
pub fn selected(model: &Model, now: Timestamp) -> Result<Vec<(SourceName, String)>, String> {
    match items::selected(model, now) {
        Some(Item::Silence(target, id)) => Ok(vec![(target, id)]),
        Some(Item::Alert(fp)) => {
            let alert = model.alerts.get(&fp).ok_or("the alert is gone")?;
            let holding = |s: &&Silence| alert.held_by.contains(&s.id) && s.in_force(now);
            let mut found: Vec<&Silence> = known(model, &alert.source).iter().filter(holding).collect();
            found.sort_by_key(|s| std::cmp::Reverse(s.ends_at));
            if found.is_empty() {
                return Err(format!("no silence holds {}", alert.name));
            }
            Ok(found.into_iter().map(|s| (alert.source.clone(), s.id.clone())).collect())
        }
        _ => Err("select a silence, or an alert that one holds".into()),
    }
}

fn find<'m>(model: &'m Model, (target, id): &(SourceName, String)) -> Result<&'m Silence, String> {
    known(model, target).iter().find(|s| s.id == *id).ok_or_else(|| "the silence is gone".into())
}

/// The form of a longer end, or of the choice which silence is ended.
pub fn form_of(model: &Model, now: Timestamp, found: &[(SourceName, String)], longer: bool) -> (String, Vec<Field>) {
    let name = |key: &(SourceName, String)| {
        find(model, key).map_or_else(
            |gone| gone,
            |s| format!("{} ({} by {}, {})", s.conditions(), s.words(), s.created_by, ends_in(s, now)),
        )
    };
    let mut fields = Vec::new();
    if found.len() > 1 {
        fields.push(Field::choice("silence", found.iter().map(name).collect(), 0, "Left and Right choose"));
    }
    if !longer {
        return ("End which silence?".into(), fields);
    }
    let what = found.first().map(name).unwrap_or_default();
    let title = if found.len() > 1 { "Make a silence longer".into() } else { format!("Make longer: {what}") };
    fields.push(Field::typed("by", "1h", "so much later than its end now: 15m, 2h, 1d"));
    (title, fields)
}

/// A later end for the chosen silence.
pub fn extend(
    model: &mut Model,
    now: Timestamp,
    form: &Form,
    found: &[(SourceName, String)],
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let key = found.get(form.index("silence")).ok_or_else(|| Refusal("the silence is gone".into()))?;
    let span = length(&form.value("by"))?;
    let silence = find(model, key).map_err(Refusal)?.clone();
    if !silence.in_force(now) {
        return Err(Refusal(format!("it ended at {}; s makes a new one", clock(silence.ends_at))));
    }
    let ends_at = silence.ends_at + span;
    if ends_at - now > LONGEST {
        return Err(Refusal(format!("a silence lasts at most {}", compact(LONGEST))));
    }
    let incident = holder(model, &key.0, &silence);
    let intent = Intent::Silence(SilenceWrite::Extend { silence, ends_at });
    outward::queue_all(model, now, incident.as_ref(), vec![(key.0.clone(), intent)], out)
}

/// The open incident whose alerts a silence holds.
fn holder(model: &Model, target: &SourceName, silence: &Silence) -> Option<IncidentId> {
    let own = model.alerts.by_source.get(target)?;
    incident_of(model, own.iter().filter(|a| a.held_by.contains(&silence.id)))
}

/// Asks before silences are ended: their alerts notify again.
pub fn ask_expire(model: &mut Model, now: Timestamp, found: &[(SourceName, String)]) -> Result<(), String> {
    let key = found.first().ok_or("the silence is gone")?;
    let silence = find(model, key)?.clone();
    if !silence.in_force(now) {
        return Err(format!("it ended at {}", clock(silence.ends_at)));
    }
    if let Some(why) = model.outbox.targets.get(&key.0).and_then(|t| t.facts.caps.why_not(Capability::ExpireSilence)) {
        return Err(format!("{} cannot end it: {why}", key.0));
    }
    let held = holds(model, &key.0, &silence.id);
    let rows = vec![
        ("silence".to_owned(), silence.conditions()),
        ("made by".into(), format!("{}: {}", silence.created_by, silence.words())),
        ("ends".into(), format!("{} ({})", clock(silence.ends_at), ends_in(&silence, now))),
        ("then".into(), format!("{held} alert(s) that it holds now may notify again")),
    ];
    let incident = holder(model, &key.0, &silence);
    let writes = vec![(key.0.clone(), SilenceWrite::Expire { id: silence.id })];
    confirm(model, "end a silence", "End this silence now?", rows, None, Silencing { incident, writes });
    Ok(())
}

/// Asks before alerts are acknowledged: the selected one, or the firing ones of the incident in view.
pub fn ask_ack(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let (incident, alerts) = match model.nav.screen() {
        Screen::Incident(id) => {
            let linked = model.desk.cases.get(id).map(|c| c.shown.alerts.keys().collect()).unwrap_or_default();
            let linked: Vec<&Fingerprint> = linked;
            let firing: Vec<&Alert> = linked.into_iter().filter_map(|fp| model.alerts.get(fp)).collect();
            (Some(id.clone()), firing)
        }
        _ => match items::selected(model, now) {
            Some(Item::Alert(fp)) => {
                let alert = model.alerts.get(&fp).ok_or("the alert is gone")?;
                (incident_of(model, std::iter::once(alert)), vec![alert])
            }
            _ => return Err("select an alert first".into()),
        },
    };
    let firing: Vec<&Alert> = alerts.iter().filter(|a| a.state == AlertState::Firing).copied().collect();
    if firing.is_empty() {
        return Err(match alerts.first() {
            Some(alert) => format!("{} is {} already: nobody is notified", alert.name, alert.state.word()),
            None => "no linked alert fires".into(),
        });
    }
    let mut by_target: BTreeMap<SourceName, Vec<&Alert>> = BTreeMap::new();
    for alert in firing {
        by_target.entry(target_of(model, alert)?).or_default().push(alert);
    }
    let whose = incident.as_ref().map(|id| format!(" for {id}")).unwrap_or_default();
    let comment = format!("{ACK_PREFIX} {} looks at it{whose}", model.setup.responder);
    let mut rows = Vec::new();
    let mut writes = Vec::new();
    for (target, alerts) in &by_target {
        for matchers in cover(alerts) {
            let preview = Preview::of(&matchers, alerts_of(model, target))?;
            rows.push(("acknowledges".to_owned(), conditions(&matchers)));
            rows.push(("holds now".into(), format!("{} at {target}", preview.words())));
            let (starts_at, ends_at) = (now, now + ACK_FOR);
            writes.push((
                target.clone(),
                SilenceWrite::Create { matchers, starts_at, ends_at, comment: comment.clone() },
            ));
        }
    }
    if writes.len() > MOST {
        return Err(format!("{} different alerts fire: silence what is known by conditions (6, then s)", writes.len()));
    }
    let kept = "made longer while they fire and this cockpit runs; over by itself after that";
    rows.push(("for".into(), format!("{}, {kept}", compact(ACK_FOR))));
    confirm(model, "acknowledge alerts", "Hold their notifications?", rows, None, Silencing { incident, writes });
    Ok(())
}

/// After an incident was resolved: asks whether the acknowledgements that still hold its alerts are ended.
pub fn offer_expiry(model: &mut Model, now: Timestamp, id: &IncidentId) {
    if model.nav.overlay.is_some() || model.setup.read_only {
        return;
    }
    let Some(case) = model.desk.cases.get(id) else { return };
    let labels: Vec<_> = case.shown.alerts.values().map(|alert| alert.labels.clone()).collect();
    let mut rows = vec![("resolved".to_owned(), format!("{id} {}", case.shown.title))];
    let mut writes = Vec::new();
    for target in model.outbox.able(Capability::ExpireSilence) {
        for silence in known(model, &target.facts.name) {
            let Ok(filter) = Filter::new(&silence.matchers) else { continue };
            if silence.is_ack()
                && silence.is_ours()
                && silence.in_force(now)
                && labels.iter().any(|l| filter.catches(l))
            {
                rows.push(("acknowledged".into(), format!("{}, {}", silence.conditions(), ends_in(silence, now))));
                writes.push((target.facts.name.clone(), SilenceWrite::Expire { id: silence.id.clone() }));
            }
        }
    }
    if writes.is_empty() {
        return;
    }
    rows.push(("else".into(), "they go on for as long as the alerts fire".into()));
    let silencing = Silencing { incident: Some(id.clone()), writes };
    confirm(model, "acknowledgements", "End them? Alerts that still fire notify again.", rows, None, silencing);
}

/// Keeps acknowledgements alive, and tells of silences that end while they hold alerts.
pub fn tend(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let mut soon = Vec::new();
    for (name, target) in &model.outbox.targets {
        let Some((_, silences)) = &target.silences else { continue };
        for silence in silences {
            let left = silence.ends_at - now;
            if silence.in_force(now) && left <= ACK_EARLY.max(ENDS_SOON) && left > Span::zero() {
                soon.push((name.clone(), silence.clone()));
            }
        }
    }
    for (name, silence) in soon {
        let held = holds(model, &name, &silence.id);
        if held == 0 {
            continue;
        }
        if !(kept_alive(model, now, &silence) && keep(model, now, &name, &silence, out)) {
            warn(model, now, &name, &silence, held, out);
        }
    }
}

/// Whether this cockpit makes it longer by itself.
fn kept_alive(model: &Model, now: Timestamp, silence: &Silence) -> bool {
    let young = now + ACK_FOR - silence.starts_at <= ACK_LONGEST;
    silence.is_ack() && silence.is_ours() && silence.created_by == model.setup.responder && young
}

/// Makes an acknowledgement longer, once for each end that it has, whatever number of cockpits sees it come. `false`: it
/// cannot.
fn keep(model: &mut Model, now: Timestamp, name: &SourceName, silence: &Silence, out: &mut Vec<Effect>) -> bool {
    let mark = (name.clone(), silence.id.clone(), silence.ends_at);
    if model.outbox.kept.contains(&mark) {
        // It should have its new end by now: what did not get through must not pass for kept.
        return silence.ends_at - now > mins(2);
    }
    if silence.ends_at - now > ACK_EARLY || !model.desk.loaded || model.outbox.holder.is_empty() {
        return !model.setup.read_only;
    }
    let write = SilenceWrite::Extend { silence: silence.clone(), ends_at: now + ACK_FOR };
    let Ok(body) = outward::outgoing(model, now, name, Intent::Silence(write), Expected::default()) else {
        return false;
    };
    let body = match body {
        // Nobody pressed a key, so nobody takes it back.
        Body::Outgoing(op) => Body::Outgoing(Box::new(Operation { hold_ms: 0, ..*op })),
        other => other,
    };
    let incident = holder(model, name, silence).unwrap_or_else(outward::log);
    let once = Some(format!("ack:{name}:{}:{}", silence.id, silence.ends_at.timestamp_millis()));
    let actor = "midwatch".to_owned();
    let event = NewEvent { incident: incident.clone(), at: now, recorded_at: now, actor, body, once };
    record::append(model, &incident, vec![event], out);
    model.outbox.kept.insert(mark);
    true
}

fn warn(model: &mut Model, now: Timestamp, name: &SourceName, silence: &Silence, held: usize, out: &mut Vec<Effect>) {
    if silence.ends_at - now > ENDS_SOON
        || !model.outbox.warned.insert((name.clone(), silence.id.clone(), silence.ends_at))
    {
        return;
    }
    let what = if silence.is_ack() { "acknowledgement" } else { "silence" };
    let words = format!(
        "the {what} of {} ends in {} and {held} alert(s) still fire under it: 6, e makes it longer",
        silence.conditions(),
        compact(silence.ends_at - now)
    );
    model.say(now, Tone::Warn, words);
    if model.setup.bell {
        out.push(Effect::Bell);
    }
}

/// When `tend` may have something to do that no answer brings.
pub fn due(model: &Model, now: Timestamp) -> Option<Timestamp> {
    let all = model.outbox.targets.values().filter_map(|t| t.silences.as_ref()).flat_map(|(_, silences)| silences);
    all.filter(|s| s.in_force(now)).map(|s| s.ends_at - ACK_EARLY.max(ENDS_SOON)).filter(|at| *at > now).min()
}
