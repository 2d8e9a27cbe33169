//! Files that are edited under a running cockpit: what changed is on the screen, and nothing that was good is lost.

use crate::terminal::{Home, Start};

const BOOK: &str = "name: Disk full\ntriggers: [{alert: DiskFull}]\nsteps:\n  - {name: Look, commands: ['df -h']}\n";
const SLO: &str = "service_level_objectives:\n  checkout: {sli: \"sum(rate(a[5m])) / sum(rate(b[5m]))\", target: 0.99, window: 30d}\n";
const CONFIG: &str = "slos: [slos/]\nrunbooks: [runbooks/]\ntime_zone: UTC\n";

/// As editors save: beside, then renamed.
fn save(home: &Home, name: &str, text: &str) {
    home.write("save~", text);
    std::fs::rename(home.config().join("save~"), home.config().join(name)).unwrap();
}

#[test]
fn edited_files_are_taken_in_and_broken_ones_keep_what_was_good() {
    let home = Home::new();
    home.write("config.yaml", CONFIG);
    home.write("runbooks/disk.yaml", BOOK);
    home.write("slos/slo.yaml", SLO);
    let terminal = Start::default().run(&home);
    terminal.shows("no active incident");
    terminal.walk(&[("5", "Disk full"), ("\r", "step 1 of 1")]);

    // The open runbook keeps the version it was opened in.
    save(&home, "runbooks/disk.yaml", &format!("{BOOK}  - {{name: Mitigate}}\n"));
    terminal.shows("file changed: look again (V)");
    assert!(terminal.screen().contains("step 1 of 1"), "{}", terminal.screen());
    terminal.walk(&[("V", "step 1 of 2")]);
    terminal.hides("look again (V)");

    // Broken in place: the banner says where, the runbook is as it was.
    home.write("runbooks/disk.yaml", "name: [\n");
    terminal.shows("disk.yaml:");
    terminal.shows("the last good version is used");
    assert!(terminal.screen().contains("step 1 of 2"), "{}", terminal.screen());
    save(&home, "runbooks/disk.yaml", &format!("{BOOK}  - {{name: Mitigate}}\n"));
    terminal.hides("the last good version is used");

    // A page is put beside it, an objective changes, the configuration breaks and is mended.
    terminal.walk(&[("q", "RUNBOOKS 1")]);
    home.write("runbooks/NodeGone.md", "# NodeGone\n\n## Mitigation\n\nReplace the node.\n");
    terminal.shows("runbook nodegone: new");
    terminal.shows("RUNBOOKS 2");
    save(&home, "slos/slo.yaml", &SLO.replace("0.99", "0.995"));
    terminal.shows("SLO checkout: target 99 -> 99.5");
    save(&home, "slos/slo.yaml", "service_level_objectives:\n  checkout: {sli: [\n");
    terminal.shows("slo.yaml:");
    terminal.shows("the last good version is used");
    terminal.walk(&[("2", "checkout")]);
    save(&home, "slos/slo.yaml", &SLO.replace("0.99", "0.995"));
    terminal.hides("slo.yaml:");
    save(&home, "config.yaml", "slos: [slos/\n");
    terminal.shows("config.yaml:");
    terminal.shows("the settings in use stay");
    save(&home, "config.yaml", &CONFIG.replace("UTC", "Europe/Berlin"));
    terminal.shows("configuration: time_zone changed");
    terminal.hides("config.yaml:");
}
