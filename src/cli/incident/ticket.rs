//! `midwatch incident ticket`: tickets of an incident and of its action items. Each is recorded before it is sent, sent at
//! once, and its name and page are in the record when this returns; what cannot be settled here a running cockpit goes on
//! with.

use crate::app::update::{opens_ticket, tracker};
use crate::cli::args::incident::TicketArgs;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::send;
use crate::config::Config;
use crate::domain::incident::sent::Standing;
use crate::domain::incident::state::{ActionItem, Incident};
use crate::domain::incident::tickets;
use crate::run::setup::real;
use serde_json::{Value, json};

/// Opens or shows. JSON: `{"id", "tickets": [{"item", "text", "owner", "due", "state", "target", "key", "url", "why"}]}`;
/// `item` is the number of the action item, null for the incident itself.
pub fn run(context: &Context, config: &Config, args: &TicketArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        let recorded = Desk::to_read(context, config)?.find(&args.id)?;
        show(&recorded.state, output)?;
        return Ok(Exit::DONE);
    }
    writable(config)?;
    let setup = real(given(context, false));
    let target = tracker(&setup.model, args.to.as_deref()).map_err(refused)?;
    let mut desk = Desk::to_write(context, config)?;
    let Recorded { state, .. } = desk.find(&args.id)?;
    let items = wanted(&state, args)?;
    if items.is_empty() {
        output.note(&format!("everything of {} has its ticket, or one is on its way", state.id));
    }
    let mut exit = Exit::DONE;
    for item in items {
        let (once, body) = opens_ticket(&setup.model, desk.now, &state, item, &target).map_err(refused)?;
        let Some(entry) = send::once(desk.store.as_mut(), &setup.world.targets, &state.id, body, once)? else {
            output.note("another cockpit opened it at this moment");
            continue;
        };
        let (code, words) = send::exit(&entry);
        if code != Exit::DONE {
            exit = code;
        }
        if let Some(words) = words {
            output.note(&words);
        }
    }
    let after = desk.read(&state.id)?.map_or(state, |recorded| recorded.state);
    show(&after, output)?;
    Ok(exit)
}

/// What is to get a ticket: what was asked for, else every action item without one, else the incident.
fn wanted<'i>(i: &'i Incident, args: &TicketArgs) -> Result<Vec<Option<&'i ActionItem>>, Failure> {
    let open = |item: Option<&ActionItem>| matches!(tickets::ticket(i, item), Standing::Nowhere | Standing::Failed(..));
    if let Some(number) = args.item {
        let item = number.checked_sub(1).and_then(|n| i.actions.get(n));
        let item = item.ok_or_else(|| {
            Failure::Refused(format!("there is no action item {number} (there are {})", i.actions.len()))
        })?;
        return Ok(Some(Some(item)).filter(|item| open(*item)).into_iter().collect());
    }
    if args.incident || i.actions.is_empty() {
        return Ok(Some(None).filter(|item| open(*item)).into_iter().collect());
    }
    Ok(i.actions.iter().map(Some).filter(|item| open(*item)).collect())
}

fn show(i: &Incident, output: &mut Output) -> Result<(), Failure> {
    let own = (!matches!(tickets::ticket(i, None), Standing::Nowhere) || i.actions.is_empty()).then_some((None, None));
    let all: Vec<(Option<usize>, Option<&ActionItem>)> =
        own.into_iter().chain(i.actions.iter().enumerate().map(|(n, item)| (Some(n + 1), Some(item)))).collect();
    if output.is_json() {
        let rows: Vec<Value> = all.iter().map(|(n, item)| row(i, *n, *item)).collect();
        output.json(&json!({"id": i.id, "tickets": rows}))?;
        return Ok(());
    }
    let mut table = Table::new(&[">N", "STATE", "TICKET", "OWNER", "DUE", "WHAT", "PAGE"]);
    for (n, item) in all {
        let standing = tickets::ticket(i, item);
        let reference = standing.reference().cloned().unwrap_or_default();
        let what = item.map_or(i.title.as_str(), |item| item.text.as_str());
        let or = |text: Option<&str>| text.filter(|t| !t.is_empty()).unwrap_or("-").to_owned();
        table.row([
            n.map_or_else(|| "-".to_owned(), |n| n.to_string()).as_str(),
            standing.word(),
            &or(Some(reference.words())),
            &or(item.and_then(|item| item.owner.as_deref())),
            &or(item.and_then(|item| item.due.as_deref())),
            what,
            &or(reference.url.as_deref()),
        ]);
    }
    output.table(&table)?;
    Ok(())
}

fn row(i: &Incident, number: Option<usize>, item: Option<&ActionItem>) -> Value {
    let standing = tickets::ticket(i, item);
    let (target, why) = match &standing {
        Standing::Nowhere => (None, None),
        Standing::UnderWay(target) | Standing::There(target, _) => (Some(target.clone()), None),
        Standing::Failed(target, why) => (Some(target.clone()), Some(why.clone())),
    };
    let reference = standing.reference().cloned().unwrap_or_default();
    json!({
        "item": number, "text": item.map_or(&i.title, |item| &item.text), "owner": item.and_then(|i| i.owner.as_ref()),
        "due": item.and_then(|i| i.due.as_ref()), "state": standing.word(), "target": target,
        "key": reference.name.or(reference.id), "url": reference.url, "why": why,
    })
}
