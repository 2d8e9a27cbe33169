//! Hand-built views that tell one story: the checkout incident of 23 August, and the same night quiet, degraded and hostile.

use midwatch::app::present::charts::CHANGED;
use midwatch::app::present::view::*;
use midwatch::domain::time::{Timestamp, mins};
use std::cell::RefCell;

thread_local! {
    static POOL: RefCell<(Vec<String>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// Builds views whose every outside text is taken from a pool, one after the other.
pub fn with_texts<T>(pool: &[String], build: impl FnOnce() -> T) -> T {
    POOL.set((pool.to_vec(), 0));
    let built = build();
    POOL.set((Vec::new(), 0));
    built
}

pub fn s(text: &str) -> String {
    POOL.with_borrow_mut(|(pool, next)| {
        *next += 1;
        pool.get(*next % pool.len().max(1)).cloned().unwrap_or_else(|| text.to_owned())
    })
}

pub fn bit(text: &str, tone: Tone) -> Bit {
    Bit::new(s(text), tone)
}

fn loud(text: &str, tone: Tone) -> Bit {
    Bit::loud(s(text), tone)
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hints(list: &[(&str, &str)]) -> Vec<Hint> {
    list.iter().map(|(key, text)| Hint { key: s(key), text: s(text), why_not: None }).collect()
}

pub fn head() -> Head {
    Head {
        replay: None,
        drill: None,
        utc: s("03:14:07Z"),
        local: s("05:14 CEST Sun 23 Aug"),
        sources: vec![bit("prom 4s", Tone::Text), bit("am 9s", Tone::Text)],
        queue: bit("q0", Tone::Text),
        exec: bit("[exec off]", Tone::Text),
        host: s("bastion-3"),
        incident: vec![
            bit("SEV1", Tone::Crit),
            bit("INC-0311 Checkout 5xx", Tone::Text),
            bit("mitigating 21m", Tone::Text),
            bit("IC alice", Tone::Text),
        ],
        timer: Some(bit(">> eng-manager in 08:20", Tone::Accent)),
    }
}

pub fn view(body: Body) -> View {
    View {
        head: head(),
        banners: Vec::new(),
        body,
        hints: hints(&[
            ("Enter", "open"),
            ("a", "ack"),
            ("i", "declare"),
            ("n", "note"),
            ("s", "status"),
            ("r", "runbook"),
            ("/", "filter"),
            (":", "commands"),
            ("?", "help"),
            ("q", "quit"),
        ]),
        mode: None,
        flash: None,
        overlay: None,
    }
}

fn slo(sign: Sign, name: &str, gauge: Option<f64>, [left, empty, policy]: [&str; 3], burns: [&str; 6]) -> SloRow {
    let [burn_1h, burn_5m, burn_6h, burn_30m, burn_1d, burn_3d] = burns.map(s);
    SloRow {
        sign,
        name: s(name),
        service: s(name.split('_').next().unwrap()),
        gauge,
        stale: sign == Sign::Stale,
        left: s(left),
        burn_1h,
        burn_5m,
        burn_6h,
        burn_30m,
        burn_1d,
        burn_3d,
        empty_in: s(empty),
        policy: s(policy),
    }
}

pub fn slos() -> Vec<SloRow> {
    vec![
        slo(
            Sign::Page,
            "checkout_success",
            Some(0.118),
            ["11.8%", "5h15m", "feature freeze"],
            ["16.2", "18.0", "7.1", "8.0", "2.2", "1.1"],
        ),
        slo(
            Sign::Ticket,
            "api_latency",
            Some(0.583),
            ["58.3%", "2d19h", "reliability prioritised"],
            ["2.1", "1.9", "6.3", "6.6", "1.8", "0.9"],
        ),
        slo(
            Sign::Ok,
            "api_availability",
            Some(0.93),
            ["93.0%", "-", "full velocity"],
            ["0.2", "0.1", "0.4", "0.3", "0.3", "0.2"],
        ),
        slo(
            Sign::Ok,
            "login_success",
            Some(0.812),
            ["81.2%", "-", "full velocity"],
            ["0.6", "0.5", "0.7", "0.6", "0.6", "0.5"],
        ),
        slo(
            Sign::Ok,
            "catalog_success",
            Some(0.991),
            ["99.1%", "-", "full velocity"],
            ["0.0", "0.0", "0.1", "0.1", "0.1", "0.1"],
        ),
        slo(
            Sign::Ok,
            "email_delivery",
            Some(0.744),
            ["74.4%", "-", "full velocity"],
            ["0.9", "0.8", "0.9", "0.9", "0.8", "0.7"],
        ),
        slo(Sign::Stale, "search_latency", Some(0.64), ["64.0%", "STALE 3m12s", ""], ["-", "-", "-", "-", "-", "-"]),
        slo(Sign::NoData, "batch_freshness", None, ["no data", "?", ""], ["-", "-", "-", "-", "-", "-"]),
        slo(
            Sign::Ok,
            "edge_success",
            Some(0.888),
            ["88.8%", "-", "full velocity"],
            ["0.3", "0.3", "0.5", "0.4", "0.4", "0.3"],
        ),
    ]
}

pub fn alerts() -> Vec<AlertRow> {
    let row = |sign,
               name: &str,
               severity: &str,
               age: &str,
               service: &str,
               state: &str,
               rb: Option<&str>,
               inc: Option<&str>| AlertRow {
        sign,
        name: s(name),
        severity: s(severity),
        age: s(age),
        service: s(service),
        state: s(state),
        runbook: rb.map(s),
        incident: inc.map(s),
        source: s("main"),
        labels: s(&format!("job=\"{service}\" env=\"prod\"")),
    };
    vec![
        row(
            Sign::Page,
            "CheckoutBudgetBurnFast",
            "page",
            "21m",
            "checkout",
            "ack alice",
            Some("checkout-5xx"),
            Some("INC-0311"),
        ),
        row(Sign::Page, "CheckoutErrorRatioHigh", "page", "21m", "checkout", "UNACKED", None, Some("INC-0311")),
        row(Sign::Ticket, "ApiLatencyP99High", "ticket", "6m", "api", "UNACKED", Some("high-api-latency"), None),
        row(Sign::Held, "NodeDiskFull", "ticket", "2h", "infra", "silenced", None, None),
    ]
}

fn incidents() -> Vec<IncidentRow> {
    let row = |sign, severity: &str, id: &str, title: &str, status: &str, elapsed: &str, who: &str, progress: &str| {
        IncidentRow {
            sign,
            severity: s(severity),
            id: s(id),
            title: s(title),
            status: s(status),
            elapsed: s(elapsed),
            commander: s(who),
            progress: s(progress),
            saved: true,
            elsewhere: false,
        }
    };
    vec![
        row(
            Sign::Page,
            "SEV1",
            "INC-0311",
            "Checkout 5xx after deploy",
            "mitigating",
            "21m40s",
            "alice",
            "checkout-5xx step 3/6",
        ),
        row(Sign::Ticket, "SEV3", "INC-0309", "Nightly export slow", "monitoring", "3h02m", "-none-", ""),
    ]
}

fn timer(clock: &str, label: &str, incident: &str, then: &str) -> TimerRow {
    TimerRow {
        sign: Sign::Countdown,
        clock: s(clock),
        label: s(label),
        incident: s(incident),
        then: s(then),
        due: false,
    }
}

fn timers() -> Vec<TimerRow> {
    vec![
        timer("03:20", "status update due", "INC-0311", "SEV1 cadence 30m"),
        timer("08:20", "page engineering-manager", "INC-0311", "escalation 2 of 2 (30m)"),
        timer("41:12", "handoff: your watch ends 03:55Z", "", "next: frank"),
    ]
}

pub fn events() -> Vec<EventRow> {
    let list = [
        ("02:52:27Z", "alert", "", "CheckoutBudgetBurnFast firing (1h 15.1x, 5m 22.4x)", Tone::Crit),
        ("02:53:02Z", "ack", "alice", "acknowledged, 35s after the page", Tone::Text),
        ("02:53:10Z", "role", "alice", "is incident commander", Tone::Text),
        ("02:55:41Z", "status", "alice", "investigating: \"5xx since deploy 4f2a91\"", Tone::Accent),
        ("02:58:03Z", "step", "alice", "checkout-5xx step 2/6 Check error ratio: done", Tone::Text),
        ("03:02:30Z", "note", "bob", "db pool saturated on checkout-7, checkout-9", Tone::Text),
        ("03:04:55Z", "command", "bob", "kubectl rollout undo deploy/checkout  exit 0 (11.2s)", Tone::Text),
        ("03:05:10Z", "status", "alice", "mitigating: \"rolled back to 4f2a90\"", Tone::Accent),
        ("03:07:27Z", "page", "midwatch", "senior-sre asked for (escalation 1 of 2, after 15m)", Tone::Warn),
        ("03:08:01Z", "ack", "carol", "joined as senior-sre", Tone::Text),
        ("03:13:59Z", "note", "alice", "5xx falling, 12% -> 3%", Tone::Text),
    ];
    let mut rows: Vec<EventRow> = list
        .iter()
        .map(|(time, kind, actor, text, tone)| EventRow {
            key: None,
            time: s(time),
            kind: s(kind),
            actor: s(actor),
            text: s(text),
            saved: true,
            tone: *tone,
            day: None,
        })
        .collect();
    rows[0].day = Some(s("Sun 23 Aug"));
    rows[10].saved = false;
    rows[10].time = s("~");
    rows
}

/// Six hours of burn: calm, a deploy at 02:50, a steep rise, the first signs of recovery.
pub fn burn(name: &str, height: f64) -> Chart {
    let points = (0..=72)
        .map(|i| {
            let noise = [0.0, 0.06, 0.02, 0.09, 0.04][i % 5];
            let rise =
                if i < 40 { 0.2 + noise * 2.0 } else { 0.2 + noise * 4.0 + height * ((i - 40) as f64 / 27.0).powi(2) };
            Some(if i > 68 { rise - (i - 68) as f64 * height * 0.06 } else { rise })
        })
        .collect();
    Chart {
        name: s(name),
        caption: s("1h window, last 6h"),
        points,
        start: at("2026-08-22T21:14:00Z"),
        step: mins(5),
        limits: vec![(14.4, s("page")), (6.0, s("page")), (3.0, s("ticket")), (1.0, s("budget"))],
        marks: vec![ChartMark { at: at("2026-08-23T02:53:00Z"), letter: 'D', tone: Tone::Crit }],
        ..Chart::default()
    }
}

/// The same with the deploys that a source tells of, the second one before the rise.
fn deployed(chart: Chart) -> Chart {
    let deploy = |instant: &str| ChartMark { at: at(instant), letter: CHANGED, tone: Tone::Accent };
    let marks = [deploy("2026-08-22T22:10:00Z"), deploy("2026-08-23T00:40:00Z")];
    Chart { marks: marks.into_iter().chain(chart.marks).collect(), ..chart }
}

/// A month in steps of six hours: calm, but for one bad hour ten days ago.
pub fn month() -> Chart {
    let calm = |i: usize| 0.3 + [0.0, 0.1, 0.05][i % 3];
    Chart {
        name: s("checkout_success"),
        caption: s("6h steps, last 30d, worst 1h 200x 13 Aug 03:00Z"),
        points: (0..=120)
            .map(|i| (!(40..46).contains(&i)).then(|| calm(i) + if i == 80 { 12.0 } else { 0.0 }))
            .collect(),
        worst: (0..=120)
            .map(|i| (!(40..46).contains(&i)).then(|| if i == 80 { 200.0 } else { calm(i) * 2.0 }))
            .collect(),
        start: at("2026-07-24T03:00:00Z"),
        step: mins(360),
        limits: vec![(14.4, s("page")), (6.0, s("page")), (3.0, s("ticket")), (1.0, s("budget"))],
        ..Chart::default()
    }
}

pub fn budget_chart() -> Chart {
    let points = (0..=60)
        .map(|i| match i {
            20..=23 => None,
            0..=55 => Some(0.97 - i as f64 * 0.009),
            _ => Some(0.47 - (i - 55) as f64 * 0.07),
        })
        .collect();
    Chart {
        name: s("checkout_success"),
        caption: s("left of 30d"),
        points,
        start: at("2026-07-24T03:14:00Z"),
        step: mins(720),
        limits: vec![(0.25, s("freeze"))],
        linear: true,
        ideal: true,
        excluded: vec![(at("2026-08-03T03:00:00Z"), at("2026-08-04T21:00:00Z"))],
        ..Chart::default()
    }
}

fn sources() -> Vec<SourceRow> {
    let row = |sign, name: &str, kind: &str, word: &str, age: &str, detail: &str| SourceRow {
        sign,
        name: s(name),
        kind: s(kind),
        word: s(word),
        age: s(age),
        detail: s(detail),
    };
    vec![
        row(Sign::Ok, "main", "prometheus", "ok", "4s", "9 SLO, 3 requests, 210ms"),
        row(Sign::Ok, "alerts", "alertmanager", "ok", "9s", "4 alerts, 2 of 2 peers"),
        row(Sign::Ok, "record", "record", "ok", "2s", "nothing waits"),
        row(Sign::Ticket, "runbooks", "runbooks", "1 warning", "2m", "14 read, 1 with findings"),
    ]
}

pub fn overview() -> Overview {
    Overview {
        slos: Pane {
            title: s("SLO 1/9"),
            note: s("sort: urgency"),
            rows: slos(),
            cursor: Some(0),
            empty: s("no objective"),
        },
        alerts: Pane {
            title: s("ALERTS 3 firing, 1 silenced"),
            note: s("sort: severity"),
            rows: alerts(),
            cursor: None,
            empty: s("nothing fires"),
        },
        incidents: Pane {
            title: s("INCIDENTS 2"),
            note: s(""),
            rows: incidents(),
            cursor: None,
            empty: s("none open; i declares one"),
        },
        timers: Pane { title: s("TIMERS"), note: s(""), rows: timers(), cursor: None, empty: s("no timer runs") },
        chart: Some(burn("checkout_success", 17.0)),
        more_charts: vec![burn("api_latency", 2.4), burn("api_availability", 0.2), budget_chart()],
        timeline: Pane {
            title: s("TIMELINE INC-0311"),
            note: s("newest last"),
            rows: events(),
            cursor: None,
            empty: s(""),
        },
        sources: sources(),
    }
}

pub fn slo_detail() -> SloDetail {
    let pair = |windows: &str, long: &str, short: &str, limit: &str, sign, state: &str, severity: &str| PairRow {
        windows: s(windows),
        long: s(long),
        short: s(short),
        limit: s(limit),
        sign,
        state: s(state),
        severity: s(severity),
    };
    SloDetail {
        row: slos().remove(0),
        says: s("99.9% over 30d, ratio good/total"),
        now: vec![
            bit("good 98.38%", Tone::Text),
            bit("burn 16.2x (1h)", Tone::Crit),
            bit("budget 11.8% left = 5m06s of 43m12s", Tone::Text),
        ],
        chart: deployed(burn("checkout_success", 17.0)),
        more_charts: vec![
            Chart { caption: s("5m window, last 1h"), ..deployed(burn("checkout_success", 24.0)) },
            Chart { caption: s("6h window, last 2d"), ..burn("checkout_success", 7.0) },
            month(),
            budget_chart(),
        ],
        pairs: vec![
            pair("1h / 5m", "16.2", "18.0", "14.4", Sign::Page, "FIRING 21m40s", "page"),
            pair("6h / 30m", "7.1", "8.0", "6.0", Sign::Page, "FIRING 9m12s", "page"),
            pair("1d / 2h", "2.2", "6.4", "3.0", Sign::Ok, "ok (long<limit)", "ticket"),
            pair("3d / 6h", "1.1", "7.1", "1.0", Sign::Ticket, "FIRING 4h50m", "ticket"),
        ],
        budget: vec![
            bit("88.2% spent, 31.4% by INC-0311", Tone::Text),
            bit("policy: feature freeze (10-25% left)", Tone::Warn),
            bit("empty in 5h15m at the 1h rate (08:29Z); 11h58m at the 6h rate", Tone::Text),
        ],
        signals: vec![
            bit("rate 412/s", Tone::Text),
            bit("errors 1.6% OVER 1.0%", Tone::Warn),
            bit("latency 310ms", Tone::Text),
            bit("saturation no data", Tone::Stale),
        ],
        related: vec![
            bit("INC-0311 Checkout 5xx after deploy", Tone::Text),
            bit("CheckoutBudgetBurnFast page 21m", Tone::Crit),
            bit("d 00:40Z deploy checkout v1.8.1, 2h34m ago", Tone::Accent),
            bit("d 22:10Z deploy checkout v1.8.0, 5h04m ago", Tone::Accent),
        ],
        findings: vec![
            bit("warning SLO016: irate looks at the last two samples of its range (write rate)", Tone::Warn),
            bit("info SLO010: the window of 30d is longer than the 15d a Prometheus keeps", Tone::Muted),
        ],
        written: s(
            "sum(rate(http_requests_total{job=\"checkout\",code!~\"5..\"}[1h])) / sum(rate(http_requests_total{job=\"checkout\"}[1h]))",
        ),
        declared: s("slos/checkout.yaml:4"),
        numbers: false,
    }
}

pub fn incident() -> IncidentPage {
    IncidentPage {
        title: s("INC-0311 Checkout 5xx after deploy"),
        state: s("SEV1 mitigating"),
        facts: vec![
            vec![bit("declared 02:52:27Z (21m40s)", Tone::Text), bit("detected by CheckoutBudgetBurnFast", Tone::Text)],
            vec![
                bit("services checkout, payments", Tone::Text),
                bit("impact 12% of checkout requests fail, falling", Tone::Text),
            ],
        ],
        roles: vec![
            (s("IC"), bit("alice", Tone::Text)),
            (s("ops"), bit("bob", Tone::Text)),
            (s("comms"), loud("-none-", Tone::Warn)),
            (s("scribe"), bit("midwatch", Tone::Muted)),
        ],
        timers: timers().into_iter().take(2).collect(),
        timers_done: vec![s("senior-sre 03:07Z")],
        timeline: Pane {
            title: s("TIMELINE 11 entries"),
            note: s("following, f to unfollow"),
            rows: events(),
            cursor: None,
            empty: s(""),
        },
        following: true,
        slos: slos().into_iter().take(1).collect(),
        chart: Some(Chart { caption: s("5m window, last 1h"), ..burn("checkout_success", 17.0) }),
        alerts: alerts().into_iter().take(2).collect(),
        runbook: Some((s("checkout-5xx"), s("step 3 of 6"), steps())),
        links: vec![s("https://grafana.example.com/d/api-performance"), s("runbook checkout-5xx")],
        room: vec![
            bit("slack #incident-inc-0311", Tone::Text),
            bit("2 on the way: post: Status: mitigating (03:12 UTC, alice)", Tone::Muted),
        ],
        similar: Vec::new(),
        checklist: (
            s("SEV1 mitigating"),
            vec![
                s("Tell stakeholders every 30 minutes"),
                s("Name a communications lead"),
                s("Confirm recovery on the 5m burn rate before resolving"),
            ],
        ),
    }
}

fn steps() -> Vec<StepRow> {
    let row = |mark, name: &str, note: &str, current| StepRow { mark, name: s(name), note: s(note), current };
    vec![
        row("[x]", "1 Acknowledge", "02:57Z alice", false),
        row("[x]", "2 Check error ratio", "02:58Z alice   3 checks: 2 yes 1 no", false),
        row("[>]", "3 Roll back the deploy", "timebox 10m, 04:12 left", true),
        row("[ ]", "4 Watch recovery", "", false),
        row("[ ]", "5 Drain pool", "", false),
        row("[ ]", "6 Hand over", "", false),
    ]
}

pub fn walk() -> WalkPage {
    let item = |label: &str, risk: &str, text: &str, detail: &str, state: Bit| WalkItem {
        label: s(label),
        risk: s(risk),
        text: s(text),
        detail: s(detail),
        state,
    };
    WalkPage {
        title: s("checkout-5xx for INC-0311"),
        progress: s("step 3 of 6"),
        steps: steps(),
        step: s("3 Roll back the deploy"),
        say: vec![s("If the ratio rose within 10m of a deploy, undo it. Do not wait for the cause.")],
        items: Pane {
            rows: vec![
                item(
                    "command 1/2",
                    "READS",
                    "kubectl rollout history deploy/checkout -n production",
                    "where: bastion-3 as alice   timeout 60s",
                    bit("exit 0 0.8s", Tone::Ok),
                ),
                item(
                    "command 2/2",
                    "CHANGES",
                    "kubectl rollout undo deploy/checkout -n production",
                    "where: bastion-3 as alice   ctx prod-eu1   timeout 60s",
                    bit("", Tone::Text),
                ),
                item(
                    "check",
                    "",
                    "Is the new ReplicaSet ready?",
                    "kubectl get rs shows READY equal to DESIRED",
                    bit("(y)", Tone::Ok),
                ),
                item("check", "", "Is 5xx falling?", "", bit("( )", Tone::Text)),
            ],
            cursor: Some(1),
            ..Pane::default()
        },
        output: Some(Output {
            title: s("command 1   exit 0  0.8s  4 lines"),
            lines: vec![
                s("deployment.apps/checkout"),
                s("REVISION  CHANGE-CAUSE"),
                s("41        image 4f2a90"),
                s("42        image 4f2a91"),
            ],
            running: false,
        }),
        exec: bit("[exec off] commands are copied, not run. :arm to allow running for 30m", Tone::Text),
        watch: Some(bit("checkout_success burn 5m < 1: burn 0.412; holds, 02:10 to go (14:20 left)", Tone::Warn)),
        burn: Some(bit("checkout_success  burn 1h 16.2  5m 0.4  budget 11.8%", Tone::Crit)),
    }
}

fn what_changed() -> WhatChangedPage {
    let row = |time: &str, distance: &str, before, [source, service, author, text]: [&str; 4]| RecentRow {
        time: s(time),
        distance: s(distance),
        before,
        source: s(source),
        service: s(service),
        author: s(author),
        text: s(text),
        link: true,
    };
    WhatChangedPage {
        title: s("INC-0311 Checkout 5xx"),
        state: s("00:52:27Z to 03:14:07Z"),
        start: Some(s("start 02:52:27Z")),
        changes: Pane {
            title: s("WHAT CHANGED? 5"),
            note: s("1 of 5 feeds failed"),
            rows: vec![
                row("03:03:10Z", "10m43s after", false, ["deploys", "checkout", "bob", "rollback of checkout to 411"]),
                row(
                    "02:49:02Z",
                    "3m25s before",
                    true,
                    ["deploys", "checkout", "bob", "checkout 412: new payment client"],
                ),
                row("02:44:00Z", "8m27s before", true, ["grafana", "-", "", "feature flag fast-path on (flags)"]),
                row("01:58:31Z", "53m56s before", true, ["main", "search", "", "deploy search 88"]),
                row(
                    "01:02:00Z",
                    "1h50m before",
                    true,
                    ["git", "-", "carol", "Raise the pool of the payments database to 40"],
                ),
            ],
            cursor: Some(1),
            empty: String::new(),
        },
        chart: Some(burn("checkout_success", 16.0)),
        feeds: vec![
            loud("pagerduty: rejected: 403 Forbidden; what it knows is not in the list", Tone::Crit),
            bit("deploys: 2 changes, 5s ago", Tone::Muted),
            bit("git: 1 changes, 5s ago", Tone::Muted),
            bit("grafana: 1 changes, 5s ago", Tone::Muted),
            bit("main: 1 changes, 5s ago", Tone::Muted),
        ],
        detail: [
            ("at", "2026-08-23T02:49:02.000Z"),
            ("from the start", "3m25s before"),
            ("source", "deploys (change)"),
            ("service", "checkout"),
            ("by", "bob"),
            ("what", "checkout 412: new payment client"),
            ("link", "https://deploys.example.com/checkout/412"),
        ]
        .map(|(label, text)| (s(label), s(text)))
        .to_vec(),
    }
}

pub fn changes() -> ChangesPage {
    let row = |sign, state: &str, action: &str, by: &str, verify: &str, rollback: &str| ChangeRow {
        sign,
        state: s(state),
        action: s(action),
        incident: s("INC-0311"),
        by: s(by),
        verify: s(verify),
        rollback: s(rollback),
    };
    ChangesPage {
        changes: Pane {
            title: s("CHANGES IN FORCE 3"),
            note: s("last one first; Enter takes the selected one back"),
            rows: vec![
                row(
                    Sign::Countdown,
                    "approve 08:41",
                    "kubectl delete pod checkout-7 -n prod",
                    "carol asks",
                    "",
                    "code K7QX2M",
                ),
                row(
                    Sign::Ticket,
                    "in force",
                    "Roll back the deploy",
                    "03:04:55Z alice",
                    "checkout_success burn 5m < 1: burn 0.412; holds, 02:10 to go (14:20 left)",
                    "rollback known",
                ),
                row(Sign::Page, "unknown", "Drain the pool", "03:01:12Z bob", "", "no rollback"),
                row(
                    Sign::Page,
                    "failed, may be in force",
                    "Scale out",
                    "02:58:40Z alice",
                    "did not hold: burn 14.2 after 10m00s",
                    "rollback known",
                ),
                row(Sign::Ok, "rolled back", "Shed load", "02:55:41Z alice", "", "rollback known"),
            ],
            cursor: Some(1),
            ..Pane::default()
        },
        detail: detail(&[
            ("change", "Roll back the deploy"),
            ("state", "in force"),
            ("incident", "INC-0311"),
            ("step", "Roll back the deploy"),
            ("ran", "kubectl rollout undo deploy/checkout -n production"),
            ("by", "alice at 03:04:55Z, 9m12s ago"),
            ("rollback", "yes: kubectl rollout undo deploy/checkout -n production --to-revision=42"),
            ("verify", "checkout_success burn 5m < 1: burn 0.412; holds, 02:10 to go (14:20 left)"),
        ]),
    }
}

pub fn postmortem() -> PostmortemPage {
    let row = |sign, title: &str, note: &str| (sign, s(title), s(note));
    PostmortemPage {
        title: s("INC-0311   3 of 9 sections need you"),
        file: bit("postmortems/2026-08-23-INC-0311.md   saved 03:13:59Z", Tone::Muted),
        outline: Pane {
            rows: vec![
                row(Sign::Ok, "Summary", "duration 00:21:40 (running), SEV1, commander alice"),
                row(Sign::Ok, "Timeline", "11 entries, all UTC"),
                row(Sign::Ok, "Error budget", "31.4% of 30d budget, 13m34s of 43m12s"),
                row(Sign::Page, "Impact", "needs: users affected, business impact"),
                row(Sign::Page, "Root cause", "empty"),
                row(Sign::Ok, "Resolution", "from status \"mitigating: rolled back to 4f2a90\""),
                row(Sign::Page, "Action items", "0 items; at least 1 with owner and due"),
                row(Sign::Blank, "What went well", "optional"),
                row(Sign::Blank, "What went poorly", "optional"),
            ],
            cursor: Some(1),
            ..Pane::default()
        },
        section: s("Timeline"),
        preview: events().iter().map(|e| format!("- **{}** {} {}", e.time, e.actor, e.text)).collect(),
    }
}

pub fn detail(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| (s(a), s(b))).collect()
}

fn alerts_page() -> AlertsPage {
    let mut alerts = overview().alerts;
    alerts.cursor = Some(0);
    let silence = |state: &str, left: &str, by: &str, holds, what: &str, why: &str| SilenceRow {
        sign: Sign::Held,
        state: s(state),
        left: s(left),
        by: s(by),
        holds,
        what: s(what),
        why: s(why),
    };
    AlertsPage {
        alerts,
        silences: Pane {
            title: s("SILENCES 2"),
            note: s("by their end"),
            rows: vec![
                silence("ack", "12m", "alice", 1, "alertname=\"DiskFull\" instance=\"db-1\"", "ACK! alice looks at it"),
                silence("silence", "2h40m", "bob", 0, "env=\"staging\"", "moving the rack"),
            ],
            ..Pane::default()
        },
        detail: detail(&[
            ("alertname", "CheckoutBudgetBurnFast"),
            ("env", "prod"),
            ("job", "checkout"),
            ("severity", "page"),
            (
                "summary",
                "Checkout spends its error budget 16 times faster than it can afford; at this rate it is gone in five hours.",
            ),
            ("since", "02:52:27Z, 21m40s"),
            ("runbook", "checkout-5xx: trigger names this alert"),
            ("link", "https://prometheus.example.com/graph?g0.expr=slo"),
        ]),
    }
}

fn timers_page() -> TimersPage {
    let mut timers = overview().timers;
    timers.rows.insert(
        0,
        TimerRow {
            sign: Sign::Page,
            clock: s("DUE 00:12"),
            label: s("acknowledge"),
            incident: s("INC-0312"),
            then: s("SEV2 within 5m"),
            due: true,
        },
    );
    timers.cursor = Some(1);
    TimersPage {
        timers,
        detail: detail(&[
            ("what", "status update for stakeholders"),
            ("from", "severity.yaml: SEV1 updates every 30m"),
            ("due", "03:17:27Z"),
            ("then", "it says so here; nothing is sent by itself"),
        ]),
    }
}

fn runbooks() -> RunbooksPage {
    let row = |sign, id: &str, name: &str, steps: &str, triggers: &str, incident: &str| RunbookRow {
        sign,
        id: s(id),
        name: s(name),
        steps: s(steps),
        triggers: s(triggers),
        incident: s(incident),
    };
    RunbooksPage {
        runbooks: Pane {
            title: s("RUNBOOKS 3"),
            note: s("sort: match"),
            rows: vec![
                row(
                    Sign::Ok,
                    "checkout-5xx",
                    "Checkout answers with 5xx",
                    "6 steps",
                    "CheckoutBudgetBurnFast",
                    "INC-0311",
                ),
                row(Sign::Ticket, "high-api-latency", "High API latency", "5 steps", "ApiLatencyP99High", ""),
                row(Sign::Page, "drain-pool", "Drain a pool", "4 steps", "", ""),
            ],
            cursor: Some(1),
            empty: s("no runbook; midwatch init writes one"),
        },
        findings: vec![bit(
            "runbooks/high-api-latency.yaml:21:9: warning: command without a risk is treated as UNKNOWN [RB004]",
            Tone::Warn,
        )],
    }
}

fn sources_page() -> SourcesPage {
    SourcesPage {
        sources: Pane {
            title: s("SOURCES 4"),
            note: s(""),
            rows: sources(),
            cursor: Some(0),
            empty: s("none configured"),
        },
        detail: detail(&[
            ("address", "http://127.0.0.1:9090"),
            ("last answer", "03:14:03Z, 4s old, 210ms"),
            ("breaker", "closed"),
            ("skew", "+0s"),
            ("requests", "3 every 15s"),
        ]),
    }
}

fn first_run() -> FirstRun {
    FirstRun {
        lines: vec![
            s("There is no configuration yet. midwatch looked for ~/.config/midwatch/config.yaml."),
            s(""),
            s("Nothing has been contacted and nothing has been written."),
        ],
        choices: Pane {
            rows: vec![
                (s("demo"), s("a simulated production with an incident that unfolds; no network")),
                (s("localhost"), s("use the Prometheus that answers on 127.0.0.1:9090")),
                (s("init"), s("write a commented starter configuration, an SLO file and a runbook")),
            ],
            cursor: Some(0),
            ..Pane::default()
        },
    }
}

/// Everything that leaves: one for a person, one that waits for `u`, one that is tried again, two that are over.
fn outbox() -> OutboxPage {
    let row = |sign, state: &str, tone, class: &str, target: &str, what: &str, next: &str, why: &str| OutboxRow {
        sign,
        time: s("03:13:40Z"),
        target: s(target),
        what: s(what),
        class: class.into(),
        state: state.into(),
        tone,
        next: next.into(),
        why: s(why),
    };
    let page = "page the on-call: SEV1 INC-0823-02: checkout is down";
    OutboxPage {
        queue: Pane {
            title: s("OUTBOX 3"),
            note: s("1 for you to decide"),
            rows: vec![
                row(
                    Sign::Page,
                    "unknown, ask",
                    Tone::Crit,
                    "D",
                    "status-page",
                    "publish investigating: checkout",
                    "",
                    "it may have been done: no whole answer within the total time limit",
                ),
                row(
                    Sign::Countdown,
                    "queued",
                    Tone::Text,
                    "C",
                    "room",
                    "post: database is down",
                    "4s",
                    "u takes it back",
                ),
                row(
                    Sign::Countdown,
                    "queued",
                    Tone::Text,
                    "B",
                    "pager",
                    page,
                    "21s",
                    "rate limited: answered 429; tried again",
                ),
                row(Sign::Ok, "done", Tone::Muted, "B", "pager", "acknowledge the alarm vm/INC-0823-02", "", "X17"),
                row(Sign::Ticket, "conflict", Tone::Warn, "C", "pager", "acknowledge P1", "", "resolved"),
            ],
            cursor: Some(0),
            empty: s("nothing was sent and nothing waits"),
        },
        detail: vec![
            (s("what"), s("publish investigating: checkout")),
            (s("class"), s("D: never repeated without you")),
            (s("tries"), s("1 sent, 0 looked up")),
            (s("operation"), s("01a213b7-9a8c-7328-8d18-b3d6f9cf7037")),
        ],
    }
}

/// Every screen by name.
pub fn screens() -> Vec<(&'static str, View)> {
    let mut slos_only = overview();
    slos_only.slos.title = s("SLO 1/9");
    vec![
        ("overview", view(Body::Overview(Box::new(overview())))),
        ("slos", view(Body::Slos(Box::new(slos_only)))),
        ("slo", view(Body::Slo(Box::new(slo_detail())))),
        ("alerts", view(Body::Alerts(Box::new(alerts_page())))),
        (
            "incident",
            View {
                flash: Some(bit("sent: note 03:13:59Z   u undo (6s)", Tone::Ok)),
                ..view(Body::Incident(Box::new(incident())))
            },
        ),
        ("desk", view(Body::Board(Box::new(crate::sample_desk::desk())))),
        ("handoff", view(Body::HandOff(Box::new(crate::sample_desk::handoff())))),
        ("timers", view(Body::Timers(Box::new(timers_page())))),
        ("changes", view(Body::Changes(Box::new(changes())))),
        ("what_changed", view(Body::WhatChanged(Box::new(what_changed())))),
        ("runbooks", view(Body::Runbooks(Box::new(runbooks())))),
        ("walk", view(Body::Walk(Box::new(walk())))),
        ("postmortem", view(Body::Postmortem(Box::new(postmortem())))),
        ("sources", view(Body::Sources(Box::new(sources_page())))),
        ("outbox", view(Body::Outbox(Box::new(outbox())))),
        ("pages", view(Body::Overview(Box::new(paged())))),
        ("incident_linked", view(Body::Incident(Box::new(linked())))),
        ("messages", view(Body::Messages(Pane { title: s("MESSAGES"), rows: events(), ..Pane::default() }))),
        ("first_run", View { head: quiet_head(), ..view(Body::FirstRun(Box::new(first_run()))) }),
    ]
}

/// Pages of a paging product beside our incidents.
fn paged() -> Overview {
    let page = |sign, severity: &str, id: &str, title: &str, status: &str, who: &str, next: &str| IncidentRow {
        sign,
        severity: s(severity),
        id: s(id),
        title: s(title),
        status: s(status),
        elapsed: s("4m10s"),
        commander: s(who),
        progress: s(next),
        saved: true,
        elsewhere: true,
    };
    let mut body = overview();
    body.incidents.title = s("INCIDENTS 2, PAGES 2");
    body.incidents.note = s("X acts on a page");
    body.incidents.rows.extend([
        page(
            Sign::Page,
            "P1",
            "#1042",
            "[FIRING:2] PaymentsDown (payments)",
            "triggered",
            "-none-",
            "pagerduty  escalates 03:18:10Z (in 4m)",
        ),
        page(
            Sign::Held,
            "low",
            "#1039",
            "Disk of db-1 at 91 %",
            "acknowledged",
            "Grace Hopper",
            "pagerduty  no ack timeout: nothing pages again if you vanish",
        ),
    ]);
    body
}

/// An incident to which pages of a paging product belong.
fn linked() -> IncidentPage {
    let mut page = incident();
    page.facts.push(vec![
        bit("pagerduty #1042 acknowledged by Ada", Tone::Text),
        bit("un-acks 03:47:00Z (in 33m)", Tone::Text),
    ]);
    let conflict = loud("CONFLICT resolved there by Grace 03:10:00Z; open here", Tone::Warn);
    page.facts.insert(0, vec![bit("pagerduty #1043 resolved", Tone::Muted), conflict]);
    page
}

fn quiet_head() -> Head {
    Head {
        incident: vec![
            bit("no active incident", Tone::Text),
            bit("watch: alice until 03:55Z", Tone::Muted),
            bit("last page 22 Aug 19:40Z", Tone::Muted),
        ],
        timer: None,
        ..head()
    }
}

/// Nothing is wrong.
pub fn quiet() -> View {
    let mut body = overview();
    body.slos.rows = slos().into_iter().filter(|r| r.sign == Sign::Ok).collect();
    body.slos.title = s("SLO 4");
    body.alerts = Pane { title: s("ALERTS 0 firing"), empty: s("nothing fires"), ..Pane::default() };
    body.incidents = Pane { title: s("INCIDENTS 0"), empty: s("none open; i declares one"), ..Pane::default() };
    body.timers.rows.drain(..2);
    body.timeline = Pane { title: s("TIMELINE"), empty: s("no open incident"), ..Pane::default() };
    body.chart = Some(burn("login_success", 0.4));
    View { head: quiet_head(), ..view(Body::Overview(Box::new(body))) }
}

/// Prometheus and the record are away.
pub fn degraded() -> View {
    let mut body = overview();
    body.slos.title = s("SLO 1/5");
    body.slos.note = s("AS OF 03:09:58Z, 4m09s old");
    body.slos.rows.truncate(4);
    for (row, sign) in body.slos.rows.iter_mut().zip([Sign::StaleBad, Sign::StaleBad, Sign::Stale, Sign::Stale]) {
        row.sign = sign;
        row.stale = true;
        row.empty_in = s("?");
    }
    body.slos.rows.push(slo(Sign::NoData, "search_latency", None, ["no data", "?", ""], ["-"; 6]));
    if let Some(chart) = &mut body.chart {
        let from = chart.points.len() - 6;
        chart.points[from..].fill(None);
    }
    body.more_charts[0].missing = Some(s("no history from this source: timeout after 10s"));
    body.timers.note = s("local clock, source unknown");
    let mut head = head();
    head.sources = vec![loud("PROM DOWN 4m02s", Tone::Crit), bit("am 9s", Tone::Text)];
    head.queue = loud("q3", Tone::Warn);
    View {
        head,
        banners: vec![bit(
            "!! main unreachable since 03:10:05Z: timeout, try 7, next in 22s. Data below is old.",
            Tone::Crit,
        )],
        ..view(Body::Overview(Box::new(body)))
    }
}

/// Long names, other scripts, and a drill banner.
pub fn wide() -> View {
    let mut body = overview();
    body.slos.rows[0].name = s("支付服务_可用性_生产环境_eu-west-1");
    body.slos.rows[1].name = s("a_very_long_objective_name_that_never_ends_in_any_column_of_any_width");
    body.slos.rows[2].left = s("warming 43%");
    body.alerts.rows[0].name = s("支払いエラー率が高い");
    body.alerts.rows[1].name = s("معدل_الأخطاء_مرتفع");
    body.incidents.rows[0].title = s("支付服务在部署后返回 5xx，影响所有地区的用户，正在回滚");
    body.incidents.rows[0].saved = false;
    body.slos.cursor = None;
    body.incidents.cursor = Some(0);
    let mut head = head();
    head.drill = Some(s("DRILL"));
    head.incident[1] = bit("INC-20260823-025227 支付服务在部署后返回 5xx", Tone::Text);
    View { head, ..view(Body::Overview(Box::new(body))) }
}
