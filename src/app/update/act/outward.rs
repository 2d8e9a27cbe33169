//! Actions about what leaves the house, entries of a timeline and sources.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::present::items;
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::act::steps;
use crate::app::update::act::{form, overlay, refused, selected_alert, target};
use crate::app::update::outward as send;
use crate::app::update::{approval, backend_act, entry, paging, publish, room_acts, silences, tickets};
use crate::domain::outward::operation::OpId;
use crate::domain::time::Timestamp;

/// What is about the outbox, the on-call and the sources.
pub fn take(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) -> Result<(), String> {
    let silences = [Action::SilenceAlert, Action::AckAlert, Action::ExtendSilence, Action::ExpireSilence];
    if silences.contains(&action) && *model.nav.screen() == Screen::Alerts {
        // A silence moves its alerts down the list; what was meant stays selected.
        let meant = items::selected(model, now);
        model.nav.spot_mut().cursor = meant;
    }
    let need = || target(model).ok_or_else(|| "there is no open incident; i declares one".to_owned());
    match action {
        Action::SendNow => {
            let op = selected_operation(model, now).ok_or("select an operation first")?;
            refused(send::release(model, now, &op, out))
        }
        Action::DropSend => {
            let op = selected_operation(model, now).ok_or("select an operation first")?;
            form(model, now, Purpose::Drop(op))
        }
        Action::ByHand => ask_by_hand(model, now),
        Action::Pin | Action::Exclude => entry::mark(model, now, action, out),
        Action::Tag => entry::ask_tag(model, now),
        Action::Redact => entry::ask_redact(model, now),
        Action::SilenceAlert => {
            let alert = selected_alert(model, now);
            form(model, now, Purpose::Silence(alert))
        }
        Action::AckAlert => silences::ask_ack(model, now),
        Action::ExtendSilence => {
            let found = silences::selected(model, now)?;
            form(model, now, Purpose::Extend(found))
        }
        Action::ExpireSilence => match silences::selected(model, now)?.as_slice() {
            [only] => silences::ask_expire(model, now, std::slice::from_ref(only)),
            several => form(model, now, Purpose::Expire(several.to_vec())),
        },
        Action::PageOnCall => {
            let id = need()?;
            refused(paging::ask(model, now, &id, out))
        }
        Action::Backend => {
            backend_act::prepare(model, now, out);
            let selected = items::selected(model, now);
            backend_act::open(model, now, selected)
        }
        Action::Room | Action::RoomPost | Action::RoomInvite | Action::Volunteer => {
            refused(room_acts::take(model, now, action, need()?, out))
        }
        Action::StatusPage => refused(publish::open(model, now, need()?, out)),
        Action::Tickets => refused(tickets::push(model, now, &need()?, out)),
        Action::Retry => {
            for link in model.links.values_mut() {
                link.breaker.try_now();
                link.next = now;
                link.warming.next = now;
                link.next_rows = now;
            }
            for target in model.outbox.targets.values_mut() {
                target.forgive();
            }
            out.push(Effect::Forget { targets: model.outbox.targets.keys().cloned().collect() });
            model.say(now, Tone::Muted, "asking every source now");
            Ok(())
        }
        _ => steps::take(model, now, action, out),
    }
}

fn selected_operation(model: &Model, now: Timestamp) -> Option<OpId> {
    match items::selected(model, now) {
        Some(Item::Operation(op)) => Some(op),
        _ => None,
    }
}

/// Asks before an operation counts as done: what the record says then nobody sends any more.
fn ask_by_hand(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let op = selected_operation(model, now).ok_or("select an operation first")?;
    let entry = model.outbox.entries.get(&op).ok_or("it is gone")?;
    let rows = vec![
        ("what".to_owned(), entry.op.intent.words()),
        ("to".into(), entry.op.target.to_string()),
        ("then".into(), "it is never sent, and the timeline says that you did it".into()),
    ];
    overlay(
        model,
        Overlay::Confirm(Box::new(Confirm {
            title: "done by hand".into(),
            question: "Did you do this yourself?".into(),
            rows,
            token: None,
            typed: Editor::default(),
            painted: false,
            enter: false,
            deed: Deed::ByHand(op),
        })),
    )
}

pub fn approve(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let waiting = crate::app::present::changes::items(model, now);
    let first = waiting.into_iter().find_map(|item| match item {
        Item::Approval(id, request) => Some((id, request)),
        _ => None,
    });
    let (id, request) = first.ok_or("nobody asks for a second person")?;
    approval::show(model, now, &id, &request)
}
