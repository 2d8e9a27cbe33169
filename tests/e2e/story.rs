//! The whole story on real servers: a counter rises, Prometheus fires, two Alertmanager peers tell it, a person works the
//! incident in a terminal, the counter calms down, and the draft holds all of it.

use crate::demo::token;
use crate::real::{Alertmanager, Metrics, Prometheus, Setup, get};
use crate::terminal::{Home, Start, Terminal, events, wait_for};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const RULES: &str = "groups:
  - name: live
    interval: 1s
    rules:
      - alert: ApiErrors
        expr: sum(rate(http_requests_total{code='500'}[10s])) > 0.5
        for: 0s
        labels: {severity: page, service: live}
        annotations: {summary: 'The api answers 5xx'}
";

/// The shape of the seed, on the job that is scraped here.
const SLOS: &str = "service_level_objectives:
  api_availability:
    sli: \"sum(rate(http_requests_total{job='live',code!~'5..'}[1m])) / sum(rate(http_requests_total{job='live'}[1m]))\"
    target: 0.999
    window: \"30d\"
    error_budget_policy: \"halt_deployments_at_50_percent_burn\"
";

const RUNBOOK: &str = "id: api-errors
name: The api answers errors
severity: SEV2
triggers: [{alert: ApiErrors}]
steps:
  - name: Look
    phase: diagnose
    risk: read
    commands: [[sh, -c, 'echo the pool holds $((40+2)) of 42']]
    checks: [Is the pool full?]
  - name: Calm down
    phase: mitigate
    actions: [Tell the team]
";

/// Requests that go on and on, with errors while it is told so.
struct Traffic {
    failing: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

impl Traffic {
    fn begin() -> Self {
        let text = |good: u64, bad: u64| {
            format!(
                "# TYPE http_requests_total counter\nhttp_requests_total{{code=\"200\"}} {good}\nhttp_requests_total{{code=\"500\"}} {bad}\n"
            )
        };
        let metrics = Arc::new(Metrics::serve(&text(0, 0)));
        let (failing, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (fails, ends, to) = (Arc::clone(&failing), Arc::clone(&ended), Arc::clone(&metrics));
        thread::spawn(move || {
            let (mut good, mut bad) = (0, 0);
            while !ends.load(Ordering::SeqCst) {
                good += 50;
                bad += if fails.load(Ordering::SeqCst) { 10 } else { 0 };
                to.set(&text(good, bad));
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self { failing, ended, metrics }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// Waits for a recorded event whose text holds this.
#[track_caller]
fn recorded(home: &Home, what: &str) {
    wait_for(|| {
        let all = crate::terminal::recorded(&home.data());
        if all.iter().any(|e| e.contains(what)) { Ok(()) } else { Err(format!("no {what} in {all:#?}")) }
    });
}

fn work(terminal: &Terminal, home: &Home) {
    terminal.walk(&[("6", "ALERTS"), ("i", "Declare an incident from ApiErrors"), ("\r", "TIMELINE")]);
    terminal.keys("a");
    terminal.hides("UNACKED");
    terminal.walk(&[("c", "Roles of INC-"), ("\r", "IC alice"), ("r", "STEP 1")]);
    terminal.walk(&[(":arm", "Allow running commands"), ("\r", "type arm"), ("arm\r", "ARMED")]);
    terminal.hides("type arm");
    terminal.walk(&[("\r", "of Look?")]);
    assert!(!terminal.screen().contains("the pool holds 42"), "nothing runs before it is confirmed");
    terminal.walk(&[("y", "the pool holds 42 of 42"), ("", "exit 0"), ("jy", "1/1 checks"), ("d", "STEP 2")]);
    terminal.walk(&[("q", "TIMELINE"), ("s", "Status of INC-"), ("\x1b[C\tthe pool was full\r", "the pool was full")]);
    recorded(home, "the pool was full");
    terminal.hides("Status of INC-");
    terminal.walk(&[("n", "Note for INC-"), ("the deploy went out @-7m\r", "the deploy went out")]);
    recorded(home, "the deploy went out");
}

fn calm_and_resolve(terminal: &Terminal, home: &Home) {
    terminal.keys("6");
    terminal.hides("!! ApiErrors");
    terminal.walk(&[("3", "TIMELINE"), ("s", "Status of INC-"), ("4\tcalm again\r", "calm again")]);
    recorded(home, "StatusSet { to: Monitoring, message: Some(\"calm again\")");
    terminal.hides("Status of INC-");
    let token = token(terminal);
    terminal.walk(&[("x", "Resolve INC-"), ("a bigger pool\r", "anything else cancels")]);
    terminal.keys(&format!("{token}\r"));
    recorded(home, "a bigger pool");
}

#[test]
fn p13_an_incident_on_real_servers_from_the_page_to_the_draft() {
    let Some([first, second]) = Alertmanager::pair() else { return };
    let traffic = Traffic::begin();
    let setup = Setup {
        rules: Some(RULES.to_owned()),
        targets: vec![traffic.metrics.address],
        alertmanagers: vec![first.port, second.port],
        ..Setup::default()
    };
    let Some(prometheus) = Prometheus::start(&setup) else { return };
    let home = Home::new();
    home.write("slos/slo.yaml", SLOS);
    home.write("runbooks/api-errors.yaml", RUNBOOK);
    home.write("runbooks/high-api-latency.yaml", include_str!("../fixtures/seeds/high-api-latency.yaml"));
    home.write(
        "config.yaml",
        &format!(
            "responder: {{name: alice}}\nprometheus:\n  - {{name: main, url: '{}', poll_interval: 1s}}\nalertmanager:\n  - {{name: main, urls: ['{}', '{}'], poll_interval: 1s}}\nslos: [slos/slo.yaml]\nrunbooks: [runbooks/]\npostmortems: postmortems/\n",
            prometheus.url(), first.url(), second.url()
        ),
    );
    // The long windows are asked rarely: the first answer must find both counters there.
    wait_for(|| {
        let said =
            get(prometheus.port, "/api/v1/query?query=count(rate(http_requests_total%5B10s%5D))").unwrap_or_default();
        if said.contains("\"2\"]") { Ok(()) } else { Err(said) }
    });
    let mut terminal = Start::default().run(&home);
    terminal.until("the objective is measured", |s| s.contains("api_availability") && s.contains("100.0%"));
    traffic.failing.store(true, Ordering::SeqCst);
    terminal.shows("!! ApiErrors");
    work(&terminal, &home);
    traffic.failing.store(false, Ordering::SeqCst);
    calm_and_resolve(&terminal, &home);

    let folder = home.config().join("postmortems");
    let draft = wait_for(|| {
        let files: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().collect();
        let file = files.iter().find(|f| f.path().extension().is_some_and(|e| e == "md")).ok_or("no draft yet")?;
        Ok::<_, String>(std::fs::read_to_string(file.path()).unwrap())
    });
    // What is on its way to the record is finished first.
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.ended().code(), Some(143));
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
    let all = events(&home.data());
    tells_all(&draft, &all);
}

/// Every event once, the command, the note at its own time, what the budget lost.
fn tells_all(draft: &str, all: &[midwatch::domain::incident::event::Event]) {
    let sections = midwatch::domain::postmortem::draft::outline(draft);
    let timeline = sections.iter().find(|s| s.title.starts_with("Timeline")).unwrap();
    let items: Vec<&String> = timeline.lines.iter().filter(|l| l.starts_with("- ")).collect();
    // What was recorded after the draft was begun (the budget an hour later, that a draft was written) is not in it.
    let resolved = all.iter().position(|e| format!("{:?}", e.body).contains("a bigger pool")).unwrap();
    let told = items.len();
    assert!(told > resolved && told <= all.len(), "{told} of {}, resolved is {resolved}\n{draft}", all.len());
    for once in ["the deploy went out", "the pool was full", "calm again", "Is the pool full?"] {
        assert_eq!(items.iter().filter(|l| l.contains(once)).count(), 1, "{once}: {items:#?}");
    }
    assert!(items[0].contains("the deploy went out"), "back-dated to before everything else: {items:#?}");
    assert!(draft.contains("the pool holds $((40+2)) of 42"), "the command as it ran");
    let burned = draft.lines().find(|l| l.contains("Error Budget of api\\_availability"));
    assert!(burned.is_some_and(|l| l.contains("% burned") && !l.contains(" 0.0 % burned")), "{burned:?}\n{draft}");
}
