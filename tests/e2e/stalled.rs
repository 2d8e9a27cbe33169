//! P16: a terminal that nobody reads stops the painter and nothing else.

use crate::fake::Prometheus;
use crate::terminal::{Home, Start, recorded, wait_for};

/// Nobody tells anybody, so that a timer falls due while nobody reads.
const SEVERITY: &str = "severity_levels:
  SEV1:
    description: All is lost
    response_time: 8s
    stakeholder_notification: 8s
    page: true
";

#[test]
fn p16_polls_saves_and_timers_go_on_while_nobody_reads() {
    let home = Home::new();
    let server = Prometheus::start();
    home.write("config.yaml", &format!("{}severities: severity.yaml\n", server.config()));
    home.write("severity.yaml", SEVERITY);
    let mut terminal = Start::default().size(300, 100).run(&home);
    terminal.shows("no active incident");
    terminal.walk(&[("i", "title"), ("it burns\r", "declared")]);
    terminal.stall();
    assert!(!recorded(&home.data()).iter().any(|e| e.starts_with("TimerDue")), "not due yet");
    // Whole frames until nothing more is taken.
    for n in 0..60 {
        terminal.keys(if n % 2 == 0 { "\x0c1" } else { "\x0c7" });
    }
    let before = server.asked();
    wait_for(|| if server.asked() > before + 3 { Ok(()) } else { Err("the source is not asked any more".into()) });
    // An alert that begins now, and a note: both must reach the record.
    let saved = recorded(&home.data()).len();
    terminal.keys("1nseen by nobody\r");
    wait_for(|| {
        let now = recorded(&home.data());
        if now.len() > saved && now.iter().any(|e| e.contains("seen by nobody")) {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    wait_for(|| {
        let all = recorded(&home.data());
        if all.iter().any(|e| e.starts_with("TimerDue")) { Ok(()) } else { Err(format!("nothing fell due: {all:#?}")) }
    });
    terminal.lives();
    terminal.listen();
    terminal.keys("3");
    terminal.shows("seen by nobody");
}
