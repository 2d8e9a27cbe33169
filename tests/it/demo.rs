//! The demo's ports as the rest of the product uses them: one whole incident, faults, stopping, and the promise that
//! nothing in it can reach the real world.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

use midwatch::domain::alert::AlertState;
use midwatch::domain::exec::CommandEnd;
use midwatch::domain::exec::CommandNews;
use midwatch::domain::exec::CommandSpec;
use midwatch::domain::fault::FaultKind;
use midwatch::domain::labels::Labels;
use midwatch::domain::runbook::format;
use midwatch::domain::runbook::lint::lint;
use midwatch::domain::runbook::model::{Exec, Part};
use midwatch::domain::runbook::prepare::prepare;
use midwatch::domain::runbook::values::Values;
use midwatch::domain::slo::marks::{Marker, Whose};
use midwatch::domain::slo::objective::Kind;
use midwatch::domain::slo::reading::Reading;
use midwatch::domain::slo::reading::Window;
use midwatch::domain::time::Timestamp;
use midwatch::domain::time::mins;
use midwatch::domain::time::secs;
use midwatch::io::fake::Simulation;
use midwatch::io::fake::markers;
use midwatch::io::fake::objectives;
use midwatch::io::fake::runbooks;
use midwatch::io::port::AlertSource;
use midwatch::io::port::Metrics;
use midwatch::io::port::Shell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A simulation and the hands of its clock, seconds since it began.
struct Demo {
    simulation: Simulation,
    hands: Arc<AtomicI64>,
}

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

impl Demo {
    fn new() -> Self {
        let hands = Arc::new(AtomicI64::new(0));
        let read = Arc::clone(&hands);
        let now = Arc::new(move || start() + secs(read.load(Ordering::SeqCst)));
        Self { simulation: Simulation::new(start(), 42, now).at_once(), hands }
    }

    fn set(&self, second: i64) -> Timestamp {
        self.hands.store(second, Ordering::SeqCst);
        start() + secs(second)
    }

    async fn burn(&self, slo: &str, window: Window, second: i64) -> f64 {
        let now = self.set(second);
        let all: Vec<_> = objectives().into_iter().filter(|o| o.id.as_str() == slo).collect();
        let (measured, note) = self.simulation.metrics().measure(&all, &[window], now).await.unwrap();
        assert_eq!(note.warnings, Vec::<String>::new());
        let counts = measured[0].windows[&window].1.counts().unwrap();
        counts.error_ratio().unwrap() / (1.0 - all[0].target)
    }

    async fn firing(&self, second: i64) -> Vec<String> {
        self.set(second);
        let snapshot = self.simulation.alerts().snapshot().await.unwrap();
        assert_eq!((snapshot.answered, snapshot.peers), (2, 2));
        snapshot.alerts.into_iter().filter(|a| a.state == AlertState::Firing).map(|a| a.name).collect()
    }
}

fn spec(text: &str) -> CommandSpec {
    CommandSpec {
        argv: ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
        env: vec![("MW_LABEL_NAMESPACE".into(), "production".into())],
        timeout: Duration::from_secs(60),
        keep_head: 65_536,
        ..CommandSpec::default()
    }
}

async fn run(simulation: &Simulation, spec: CommandSpec) -> (String, CommandEnd) {
    let (tell, mut news) = tokio::sync::mpsc::channel(64);
    let (_stop, stopped) = tokio::sync::oneshot::channel();
    let task = simulation.shell().run(spec, tell, stopped);
    let listen = async {
        let mut output = String::new();
        while let Some(news) = news.recv().await {
            match news {
                CommandNews::Started(group) => assert!(group > 4_194_304, "no real process has this number"),
                CommandNews::Output(piece) => output += &piece,
                CommandNews::Ended(end) => return (output, end),
            }
        }
        panic!("the command never ended");
    };
    tokio::join!(task, listen).1
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(task)
}

#[test]
fn an_incident_from_calm_to_healed() {
    block_on(async {
        let demo = Demo::new();
        assert_eq!(demo.firing(0).await, ["ApiLatencyHigh"]);
        assert!(demo.burn("checkout_success", Window::H1, 0).await < 6.0);

        let page = ["CheckoutErrorBudgetBurn", "CheckoutLatencyHigh", "PaymentsErrorBudgetBurn", "ApiLatencyHigh"];
        assert_eq!(demo.firing(90).await, page);
        assert!(demo.burn("checkout_success", Window::H1, 90).await > 14.4);
        assert!(demo.burn("checkout_success", Window::M5, 90).await > 14.4);

        let (clue, _) =
            run(&demo.simulation, spec("kubectl rollout history deployment/checkout -n \"$MW_LABEL_NAMESPACE\"")).await;
        assert!(clue.contains("4f2a91  2026-05-01 03:12:12Z"), "{clue}");
        let (output, end) = run(&demo.simulation, spec("kubectl rollout undo deployment/checkout")).await;
        assert!(output.starts_with("deployment.apps/checkout rolled back\n"), "{output}");
        assert_eq!((end.exit, end.reason, end.bytes), (Some(0), None, output.len() as u64));

        assert_eq!(demo.firing(90 + 180).await, ["ApiLatencyHigh"]);
        assert!(demo.burn("checkout_success", Window::M5, 90 + 420).await < 1.0);
        assert!(Demo::new().burn("checkout_success", Window::M5, 90 + 420).await > 100.0, "nobody acts");
    });
}

#[test]
fn charts_have_no_gaps_and_no_future() {
    block_on(async {
        let demo = Demo::new();
        let now = demo.set(60);
        let all = objectives();
        for objective in &all {
            let end = now + mins(10);
            let read = demo.simulation.metrics();
            let history = read.history(objective, &[Window::H1, Window::M5], mins(370), mins(5), end).await.unwrap();
            for series in history.series.iter().chain(&history.budget) {
                assert_eq!((series.start, series.points.len()), (end - mins(370), 75));
                let known = series.points.iter().take_while(|p| p.is_some_and(f64::is_finite)).count();
                assert_eq!(known, 73, "{} {}", objective.id, series.window);
                assert_eq!(series.points[known..], [None, None]);
            }
        }
        let month = demo.simulation.metrics().history(&all[0], &[], mins(30 * 1_440), mins(60), now).await.unwrap();
        assert!(month.budget.unwrap().points.iter().all(|p| p.is_some_and(|r| (0.2..1.0).contains(&r))));
    });
}

#[test]
fn deploys_and_the_rollback_are_told_by_the_metrics() {
    block_on(async {
        let demo = Demo::new();
        let read = demo.simulation.metrics();
        let mut all = markers();
        all.push(Marker { name: "config".into(), query: "up".into(), text: String::new(), whose: Whose::Everyone });
        let told = async |second: i64| {
            let now = demo.set(second);
            let told = read.marks(&all, mins(360), now).await.unwrap();
            assert_eq!(told.remarks.len(), 1, "what nobody modelled is said: {:?}", told.remarks);
            told.marks
        };
        let calm = told(5).await;
        assert_eq!((calm.len(), calm[0].name.as_str(), calm[0].text.as_str()), (1, "deploy", "checkout 4f2a91"));
        assert!((start() - secs(2_400) - calm[0].at).num_seconds().abs() <= 60, "{calm:?}");
        assert!(calm[0].is_for("checkout") && !calm[0].is_for("payments"));
        demo.set(120);
        run(&demo.simulation, spec("kubectl rollout undo deployment/checkout -n \"$MW_LABEL_NAMESPACE\"")).await;
        let after = told(400).await;
        assert_eq!(after.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["checkout 4f2a91", "checkout 4f2a90"]);
        assert!((start() + secs(120) - after[1].at).num_seconds().abs() <= 120, "{after:?}");
    });
}

#[test]
fn broken_ports_say_so_and_mend() {
    block_on(async {
        let demo = Demo::new();
        let (metrics, alerts) = (demo.simulation.metrics(), demo.simulation.alerts());
        demo.simulation.break_metrics(Some(FaultKind::Timeout));
        let fault = metrics.measure(&objectives(), &Window::BURN, start()).await.unwrap_err();
        assert_eq!(
            fault.to_string(),
            "prometheus demo: Timeout: simulated".replace("Timeout", FaultKind::Timeout.word())
        );
        assert!(metrics.alerts().await.is_err() && metrics.probe().await.is_err());
        assert!(alerts.snapshot().await.is_ok(), "one broken port leaves the other alone");
        demo.simulation.break_alerts(Some(FaultKind::Auth));
        assert_eq!(alerts.snapshot().await.unwrap_err().kind, FaultKind::Auth);
        demo.simulation.break_metrics(None);
        demo.simulation.break_alerts(None);
        assert!(metrics.probe().await.is_ok() && alerts.snapshot().await.is_ok());
    });
}

#[test]
fn a_command_that_is_stopped_changes_nothing() {
    block_on(async {
        let demo = Demo::new();
        demo.set(60);
        let (tell, mut news) = tokio::sync::mpsc::channel(64);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        stop.send(()).unwrap();
        demo.simulation.shell().run(spec("kubectl rollout undo deployment/checkout"), tell, stopped).await;
        let mut last = None;
        while let Some(piece) = news.recv().await {
            last = Some(piece);
        }
        let Some(CommandNews::Ended(end)) = last else { panic!("{last:?}") };
        assert_eq!((end.exit, end.reason.as_deref()), (None, Some("stopped")));
        assert!(demo.burn("checkout_success", Window::M5, 600).await > 100.0);

        let short =
            CommandSpec { timeout: Duration::from_millis(10), ..spec("kubectl rollout undo deployment/checkout") };
        assert_eq!(run(&demo.simulation, short).await.1.reason.as_deref(), Some("time limit"));
        assert!(demo.burn("checkout_success", Window::M5, 600).await > 100.0);
    });
}

#[test]
fn a_command_that_is_stopped_halfway_has_done_what_it_said() {
    block_on(async {
        let at = start() + secs(60);
        // With its pauses, as a visitor sees it; a channel of one makes it wait for this test before its third line.
        let simulation = Simulation::new(start(), 42, Arc::new(move || at));
        let (tell, mut news) = tokio::sync::mpsc::channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let task = simulation.shell().run(spec("kubectl rollout undo deployment/checkout"), tell, stopped);
        let listen = async {
            let mut stop = Some(stop);
            let mut last = None;
            while let Some(piece) = news.recv().await {
                if matches!(piece, CommandNews::Output(_))
                    && let Some(stop) = stop.take()
                {
                    stop.send(()).unwrap();
                }
                last = Some(piece);
            }
            last
        };
        let Some(CommandNews::Ended(end)) = tokio::join!(task, listen).1 else { panic!("it never ended") };
        assert_eq!((end.exit, end.reason.as_deref()), (None, Some("stopped")));
        assert!(simulation.production().level(start() + secs(600)).severity.abs() < f64::EPSILON);
    });
}

#[test]
fn one_who_cannot_stop_it_any_more_has_not_stopped_it() {
    block_on(async {
        let demo = Demo::new();
        let (tell, mut news) = tokio::sync::mpsc::channel(64);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        drop(stop);
        demo.simulation.shell().run(spec("uname -a"), tell, stopped).await;
        let mut all = vec![];
        while let Some(piece) = news.recv().await {
            all.push(piece);
        }
        assert_eq!(all[1], CommandNews::Output("simulated: nothing happens to `uname -a`\n".into()));
        assert!(matches!(all.last(), Some(CommandNews::Ended(CommandEnd { exit: Some(0), .. }))));
    });
}

#[test]
fn an_objective_of_somebody_else_has_no_data() {
    block_on(async {
        let demo = Demo::new();
        let mut other = (*objectives()[0]).clone();
        other.id = "billing".into();
        let read = demo.simulation.metrics();
        let (measured, _) = read.measure(&[Arc::new(other)], &[Window::M5], start()).await.unwrap();
        assert_eq!(measured[0].windows[&Window::M5], (start(), Reading::NoData));
    });
}

#[test]
fn objectives_are_well_formed() {
    let all = objectives();
    assert_eq!(all.len(), 9);
    for o in &all {
        assert!(o.target > 0.9 && o.target < 1.0 && o.window == mins(30 * 1_440), "{}", o.id);
        assert_eq!((o.pairs.len(), o.policy.as_ref().is_some_and(|p| p.action.is_some())), (4, true), "{}", o.id);
        promql_parser::parser::parse(&o.written).unwrap();
    }
    assert_eq!(all.iter().filter(|o| o.kind == Kind::Threshold).count(), 1);
}

#[test]
fn every_alert_of_the_incident_has_a_runbook_whose_commands_are_answered() {
    block_on(async {
        let demo = Demo::new();
        demo.set(60);
        let mut missing = demo.firing(90).await;
        let mut asked = 0;
        for (path, text) in runbooks() {
            let (book, mut findings) = format::read(path, text);
            let book = book.unwrap();
            findings.extend(lint(&book, Some(start())));
            assert_eq!(findings, vec![], "{path}");
            missing.retain(|name| !book.triggers.iter().any(|t| t.alert == *name));
            let labels = Labels::from([("namespace", "production")]);
            let mut values = Values::of_alert("A", &labels);
            values.offer("NAMESPACE", "production");
            for (part, command) in book.parts() {
                asked += 1;
                if let Exec::Query(query) = &command.exec {
                    let series = demo.simulation.metrics().query(query, start() + secs(90)).await.unwrap();
                    assert!(series.len() == 1 && series[0].value > 1.0, "{query}: {series:?}");
                    continue;
                }
                let prepared = prepare(command, &values).unwrap_or_else(|why| panic!("{path}: {}: {why}", command.id));
                let spec = CommandSpec { argv: prepared.argv, env: prepared.env, ..spec("") };
                let (output, end) = run(&demo.simulation, spec).await;
                for capture in &command.capture {
                    let found = regex::Regex::new(&capture.regex).unwrap().captures(output.trim());
                    values.offer(&capture.name, &found.unwrap_or_else(|| panic!("{}: {output}", command.id))[1]);
                }
                // What the incident is not about may be asked and changes nothing.
                let elsewhere = command.text.contains("deployment/api");
                assert!(end.exit == Some(0), "{path}: {}: {output}", command.text);
                assert!(elsewhere || !output.contains("nothing happens"), "{path}: {}: {output}", command.text);
                assert!(part != Part::Guard || output == "production\n", "{output}");
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        assert!(asked > 25, "{asked}");
    });
}

#[test]
fn nothing_here_can_reach_the_real_world() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("io/fake.rs"), root.join("domain/drill.rs")];
    let mut folders = vec![root.join("io/fake"), root.join("domain/drill")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 40, "{files:?}");
    let ways = [
        "std::process",
        "tokio::process",
        "std::net",
        "tokio::net",
        "reqwest",
        "rustix",
        "std::fs",
        "tokio::fs",
        "std::env",
        "::now()",
    ];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for way in ways {
            assert!(!text.contains(way), "{} names {way}", file.display());
        }
        for import in text.lines().filter(|l| l.contains("crate::io::")) {
            assert!(
                import.contains("crate::io::fake") || import.contains("crate::io::port"),
                "{}: {import}",
                file.display()
            );
        }
    }
}
