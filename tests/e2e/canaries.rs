//! No secret on a screen, in a log or in the report of a crash, though every server says every secret back.

use crate::canary_house::{House, RUNBOOK, SLO, Sweep, VARIABLE, canary};
use crate::terminal::{Home, Start, Terminal, wait_for};
use std::time::Duration;

fn cockpit(home: &Home, place: Option<&str>) -> Terminal {
    let start = Start::default().set(VARIABLE, &canary("github"));
    match place {
        Some(place) => start.set("MIDWATCH_TEST_PANIC", place).run(home),
        None => start.run(home),
    }
}

#[test]
fn a_cockpit_and_its_crash_show_no_secret_that_is_said_back() {
    let home = Home::new();
    let house = House::new(&home.folder());
    home.write("slos/api.yaml", SLO);
    home.write("runbooks/look.yaml", RUNBOOK);
    home.write("config.yaml", &house.config());
    let mut sweep = Sweep::default();
    for status in [200, 422, 401] {
        house.server.with(|echo| echo.status = status);
        let before = house.server.requests().len();
        let mut terminal = cockpit(&home, None);
        terminal.shows("api_availability");
        let asked = || house.server.requests().len() - before;
        wait_for(|| (asked() > 4).then_some(()).ok_or_else(|| format!("{} requests", asked())));
        for key in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "m", "\x1b", "?", "\x1b", "1"] {
            terminal.keys(key);
            // Time for a frame or two: what is seen then is looked at, whatever it is.
            std::thread::sleep(Duration::from_millis(120));
            sweep.bytes(&format!("the screen after {key:?} with {status}"), terminal.screen().as_bytes());
        }
        sweep.processes(terminal.pid().as_raw_nonzero().get().cast_unsigned());
        sweep.bytes(&format!("everything written to the terminal with {status}"), &terminal.bytes());
        terminal.signal(rustix::process::Signal::TERM);
        terminal.ended();
    }
    for place in ["machine", "io", "painter"] {
        let mut terminal = cockpit(&home, Some(place));
        assert_eq!(terminal.ended().code(), Some(101), "{place}");
        terminal.shows(&format!("rehearsed in {place}"));
        sweep.bytes(&format!("a crash in {place}"), &terminal.bytes());
    }
    sweep.folder(&home.folder(), &["secrets"]);
    sweep.is_clean();
}
