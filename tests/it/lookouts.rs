//! The real world as a drill hears of it from a paging product: what nobody has yet pages, what somebody has does not, what
//! cannot be asked is never quiet, and nothing is ever written there.

use crate::contract::pagerduty::PagerDutyRig;
use crate::stateful_server::{Answer, Asked};
use midwatch::config::{self, Config, Environment, Flags, Inputs};
use midwatch::domain::drill::real_world::Real;
use midwatch::domain::severity::SeverityTable;
use midwatch::run::drill::lookout::{begin, sources};
use midwatch::run::setup::{Given, real};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn configured(text: &str) -> Config {
    let (environment, flags) = (Environment::new(), Flags::default());
    let inputs = Inputs {
        file: Some(("config.yaml", text)),
        folder: Path::new("/nowhere"),
        environment: &environment,
        flags: &flags,
        machine_zone: None,
    };
    config::read(&inputs).config
}

/// Begins to look; what is seen comes out.
fn looking(config: &Config, folder: &Path) -> Receiver<Real> {
    let config = sources(config).unwrap();
    let given = Given {
        config: &config,
        configured: true,
        findings: Vec::new(),
        severities: SeverityTable::defaults(),
        config_path: folder.join("config.yaml"),
        data: folder.join("data"),
        cache: folder.join("cache"),
        slo_files: Vec::new(),
        runbook_files: Vec::new(),
        user: "ada".into(),
        with_record: false,
        reread: None,
    };
    let (sender, seen) = channel();
    begin(&config, real(given), move |it| drop(sender.send(it))).unwrap();
    seen
}

/// Waits for what is to be seen; bounded, and it says what was seen instead.
fn until(seen: &Receiver<Real>, what: &str, is: impl Fn(&Real) -> bool) -> Real {
    let mut last = None;
    for _ in 0..600 {
        let it = seen.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|e| panic!("{what}: {e}, after {last:?}"));
        if is(&it) {
            return it;
        }
        last = Some(it);
    }
    panic!("{what} never came; last {last:?}");
}

fn section(rig: &PagerDutyRig) -> String {
    rig.section(false).replace("timeout: 1s,", "timeout: 60s, poll_interval: 1s,")
}

#[test]
fn incidents_of_a_paging_product_are_the_real_world_and_nothing_is_written_there() {
    let (rig, folder) = (PagerDutyRig::user(), tempfile::tempdir().unwrap());
    let seen = looking(&configured(&section(&rig)), folder.path());
    let page = until(&seen, "two pages", |it| it.pages().len() == 2);
    assert_eq!(page.pages(), ["pd #100 api: 5xx above 1 %", "pd #101 api: latency"], "what Ada has wakes nobody");
    rig.server.with(|account| {
        account.set_status("P1", "acknowledged", Some("U1"));
        account.set_status("P2", "resolved", None);
    });
    until(&seen, "quiet", |it| matches!(it, Real::Quiet { .. }));
    rig.server.with(|account| account.open("P9", "\u{1b}[2Jpayments down"));
    let page = until(&seen, "the new page", |it| it.pages().len() == 1);
    assert!(page.pages()[0].ends_with("payments down"), "{page:?}");
    rig.server.with(|account| account.incident_mut("P9")["urgency"] = "low".into());
    until(&seen, "what can wait", |it| matches!(it, Real::Quiet { .. }));
    rig.server.always(Answer::empty(503));
    let blind = until(&seen, "that it is not known", |it| matches!(it, Real::NotKnown { .. }));
    assert!(blind.words().starts_with("REAL: not known: pd"), "{}", blind.words());
    assert!(rig.server.requests().len() > 3);
    let writes: Vec<Asked> = rig.server.requests().into_iter().filter(Asked::writes).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// A paging product that cannot even be connected keeps the line from saying quiet.
#[test]
fn one_that_cannot_be_connected_is_not_quiet() {
    let (rig, folder) = (PagerDutyRig::user(), tempfile::tempdir().unwrap());
    rig.server.with(|account| account.incidents.clear());
    let other = format!("{}  - {{name: other, kind: nothing, url: 'http://127.0.0.1:9'}}\n", section(&rig));
    let seen = looking(&configured(&other), folder.path());
    let why = "other cannot be asked as it is configured";
    until(&seen, why, |it| matches!(it, Real::NotKnown { why: said } if said == why));
}

/// Of a configuration only what says how the world is stays, and none of it may be written to.
#[test]
fn what_only_takes_writes_is_not_connected() {
    let rig = PagerDutyRig::user();
    let more = "event_sinks: [{name: hook, kind: webhook, url: 'http://127.0.0.1:9', options: {audience: ops}}]\n";
    let kept = sources(&configured(&format!("{}{more}", rig.section(false)))).unwrap();
    assert_eq!(kept.outside.iter().map(|it| (it.name.as_str(), it.read_only)).collect::<Vec<_>>(), [("pd", true)]);
    assert!(kept.read_only && !kept.cache);
    assert!(sources(&configured(more)).is_none(), "nothing there says how the world is");
}
