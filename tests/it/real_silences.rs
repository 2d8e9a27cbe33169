//! Silences at real Alertmanagers, two peers each: the one of the distribution, and newer ones where they were unpacked. What
//! is written to one peer is seen on the other, what is repeated does not double, and what the versions do differently is met.

use crate::real::{Alertmanager, get, post, until};
use midwatch::domain::alert::AlertState;
use midwatch::domain::outward::capability::Class;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::outward::silence::{ACK_PREFIX, Matcher, Silence, SilenceState, SilenceWrite};
use midwatch::domain::time::{mins, secs};
use midwatch::io::alertmanager::Cluster;
use midwatch::io::clock;
use midwatch::io::http::Endpoint;
use midwatch::io::port::{AlertSource, Outward, Silences};
use std::path::PathBuf;

fn cluster(urls: &[String]) -> Cluster {
    let named = |(n, url): (usize, &String)| Endpoint::new(format!("alertmanager main peer {}", n + 1), url).unwrap();
    Cluster::new("main".into(), urls.iter().enumerate().map(named).collect())
}

fn op(id: &str, write: SilenceWrite) -> Operation {
    let mut op = Operation::new("main".into(), Intent::Silence(write), Class::Compare, clock::now(), "alice");
    op.id = id.into();
    op
}

fn create(matchers: Vec<Matcher>) -> SilenceWrite {
    let now = clock::now();
    SilenceWrite::Create { matchers, starts_at: now, ends_at: now + mins(15), comment: format!("{ACK_PREFIX} alice") }
}

fn made(outcome: Outcome) -> String {
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    let id = reference.id.clone().unwrap();
    assert_eq!(reference.words(), id, "the other peer knows it too");
    id
}

async fn one(cluster: &Cluster, id: &str) -> Silence {
    let all = cluster.silences().await.unwrap();
    all.into_iter().find(|s| s.id == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn the_alertmanager_of_the_distribution() {
    let Some(pair) = Alertmanager::pair() else { return };
    crate::contract::run(everything(pair));
}

#[test]
fn newer_alertmanagers() {
    for (name, program) in Alertmanager::newer() {
        println!("with {name}");
        let program: PathBuf = program;
        crate::contract::run(everything(Alertmanager::pair_of(&program)));
    }
}

async fn everything(mut peers: [Alertmanager; 2]) {
    let urls = [peers[0].url(), peers[1].url()];
    let both = cluster(&urls);
    let note = both.probe().await.unwrap();
    let version = note.version.clone().unwrap();
    assert_eq!(note.warnings, Vec::<String>::new(), "{version}: both see each other");
    silenced(&both, peers[0].port).await;
    let id = changed(&both, &urls).await;
    refused(&both, &version).await;
    repeated(&both, &urls).await;
    // One peer gone: the write goes to the other, and a look cannot say that something is absent.
    peers[0].stop();
    let both = cluster(&urls);
    let outcome = both.apply(&op("op-gone", create(vec![Matcher::is("a", "b")]))).await;
    let Outcome::Applied(reference) = &outcome else { panic!("{version}: {outcome:?}") };
    assert!(reference.words().contains("peer 1 does not have it"), "{version}: {outcome:?}");
    assert!(matches!(both.look(&op("op-gone", create(vec![]))).await, Found::Done(_)));
    assert!(matches!(both.look(&op("op-never", create(vec![]))).await, Found::Failed { .. }));
    assert_eq!(one(&both, &id).await.state, SilenceState::Expired);
}

/// An alert that fires is held by the silence that was made for it, and by nothing when that is ended.
async fn silenced(both: &Cluster, port: u16) {
    let body = r#"[{"labels":{"alertname":"Down","instance":"db-1","job":"db"}}]"#;
    assert!(post(port, "/api/v2/alerts", body).unwrap().starts_with("HTTP/1.1 200"));
    let fires = |wanted: AlertState| async move {
        let snapshot = both.snapshot().await.map_err(|e| e.to_string())?;
        let alert = snapshot.alerts.first().cloned().ok_or("no alert yet")?;
        if alert.state == wanted { Ok(alert) } else { Err(format!("{alert:?}")) }
    };
    let alert = until(|| fires(AlertState::Firing)).await;
    let matchers = midwatch::domain::outward::silence::filter::cover(&[&alert]).remove(0);
    let id = made(both.apply(&op("op-1", create(matchers.clone()))).await);
    let held = until(|| fires(AlertState::Silenced)).await;
    assert_eq!(held.held_by.as_slice(), std::slice::from_ref(&id));
    let silence = one(both, &id).await;
    assert!(silence.is_ack() && silence.is_ours() && silence.matchers == matchers, "{silence:?}");
    assert!(matches!(both.apply(&op("op-2", SilenceWrite::Expire { id })).await, Outcome::Applied(_)));
    until(|| fires(AlertState::Firing)).await;
}

/// A later end keeps the id; a silence that somebody changed or ended is left alone. Gives the id of one that is over.
async fn changed(both: &Cluster, urls: &[String; 2]) -> String {
    let matchers = vec![
        Matcher { name: "instance".into(), value: "db-.*".into(), regex: true, equal: true },
        Matcher { name: "env".into(), value: "dev".into(), regex: false, equal: false },
    ];
    let id = made(both.apply(&op("op-3", create(matchers))).await);
    let seen = one(both, &id).await;
    let longer = |ends_at| SilenceWrite::Extend { silence: seen.clone(), ends_at };
    let ends_at = seen.ends_at + mins(45);
    for n in 0..2 {
        let outcome = both.apply(&op("op-4", longer(ends_at))).await;
        assert!(matches!((n, &outcome), (0, Outcome::Applied(_)) | (1, Outcome::AlreadyDone(_))), "{n} {outcome:?}");
    }
    // From the other peer too: the change went along.
    let second = cluster(&urls[1..]);
    let arrived = || async {
        let silence = one(&second, &id).await;
        if (silence.ends_at - ends_at).abs() < secs(1) { Ok(silence) } else { Err(format!("{silence:?}")) }
    };
    let there = until(arrived).await;
    assert_eq!((&there.comment, &there.created_by, &there.matchers), (&seen.comment, &seen.created_by, &seen.matchers));
    assert_eq!(both.silences().await.unwrap().iter().filter(|s| s.state == SilenceState::Active).count(), 1);
    assert!(matches!(both.apply(&op("op-5", SilenceWrite::Expire { id: id.clone() })).await, Outcome::Applied(_)));
    let over = || async {
        let silence = one(both, &id).await;
        if silence.state == SilenceState::Expired { Ok(()) } else { Err(format!("{silence:?}")) }
    };
    until(over).await;
    let outcome = both.apply(&op("op-6", longer(ends_at + mins(60)))).await;
    assert!(matches!(&outcome, Outcome::Conflict { current } if current.starts_with("it ended at")), "{outcome:?}");
    for _ in 0..2 {
        assert!(matches!(both.apply(&op("op-7", SilenceWrite::Expire { id: id.clone() })).await, Outcome::Applied(_)));
    }
    id
}

/// What a server does not take is told in its words, and what it never knew is over.
async fn refused(both: &Cluster, version: &str) {
    let bad = Matcher { name: "a".into(), value: "(".into(), regex: true, equal: true };
    for matchers in [vec![bad], vec![Matcher::is("a", "")]] {
        let outcome = both.apply(&op("op-8", create(matchers))).await;
        let Outcome::Refused { kind: Obstacle::Invalid, words } = &outcome else { panic!("{version}: {outcome:?}") };
        assert!(words.starts_with("answered 400: ") && words.contains("silence"), "{version}: {words}");
    }
    let never = "00000000-0000-4000-8000-000000000000";
    let outcome = both.apply(&op("op-9", SilenceWrite::Expire { id: never.into() })).await;
    assert!(matches!(outcome, Outcome::AlreadyDone(_)), "{version}: {outcome:?}");
    let gone = Silence {
        id: never.into(),
        matchers: vec![],
        starts_at: clock::now(),
        ends_at: clock::now(),
        created_by: String::new(),
        comment: String::new(),
        state: SilenceState::Active,
    };
    let outcome = both.apply(&op("op-10", SilenceWrite::Extend { silence: gone, ends_at: clock::now() })).await;
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{version}: {outcome:?}");
    // Names in UTF-8 came with 0.28.
    let outcome = both.apply(&op("op-11", create(vec![Matcher::is("größe", "x")]))).await;
    let old = version.starts_with("0.25");
    assert!(
        matches!((&outcome, old), (Outcome::Refused { .. }, true) | (Outcome::Applied(_), false)),
        "{version}: {outcome:?}"
    );
}

/// The mark is found on every peer; what was never sent is absent.
async fn repeated(both: &Cluster, urls: &[String; 2]) {
    let wanted = op("op-12", create(vec![Matcher::is("a", "b")]));
    assert_eq!(both.look(&wanted).await, Found::Absent);
    let id = made(both.apply(&wanted).await);
    for url in urls {
        let found = cluster(std::slice::from_ref(url)).look(&wanted).await;
        assert!(matches!(&found, Found::Done(reference) if reference.id.as_deref() == Some(id.as_str())), "{found:?}");
    }
    let port: u16 = urls[0].rsplit_once(':').unwrap().1.parse().unwrap();
    let listed = get(port, "/api/v2/silences").unwrap();
    assert_eq!(listed.matches("[mw:op-12]").count(), 1);
}
