//! A game day on two terminals: the facilitator's, which lends itself to a drill and comes back, and the teams', which follows
//! it and learns nothing too early; and everybody's way out.

use crate::terminal::{Home, Start};

const DAY: &str = "kind: GameDay
title: Small day
roles: {owner: ada, coordinator: ben}
entries:
  - {at: 0m, title: Welcome, tell: 'Hello teams'}
  - {at: 1m, id: saturation, title: Secret title, scenario: bad-deploy, not_yet: [the deploy], tell: It begins}
  - {at: 2m, title: Reveal, reveals: [saturation]}
";

#[test]
fn a_facilitator_leads_a_day_and_the_teams_see_what_may_be_told() {
    let home = Home::new();
    home.write("config.yaml", "responder: {name: ada}\n");
    home.write("day.yaml", DAY);
    let sheet = home.config().join("day.yaml").to_string_lossy().into_owned();
    let mut ada = Start::with(&["gameday", &sheet]).size(80, 24).run(&home);
    ada.shows("GAME DAY   facilitator");
    let mut team = Start::with(&["gameday", &sheet, "--team"]).size(80, 24).run(&home);
    team.shows("what the teams may see");
    ada.walk(&[("\r", "Enter end it"), ("\r", "done: Welcome")]);
    team.shows("Hello teams");
    // The team's note is in the shared log.
    team.walk(&[("n", "note:"), ("we are lost\r", "written to the shared log")]);
    ada.shows("note: we are lost");
    // Enter alone begins no drill; the drill has the terminal until it is left.
    ada.walk(&[("\r", "It takes this terminal"), ("\r", "nothing was begun")]);
    ada.walk(&[
        ("\r", "It takes this terminal"),
        ("y\r", "DRILL   simulated data"),
        ("q", "Enter goes back to the game day"),
    ]);
    ada.walk(&[("\r", "done: Secret title: 0 of")]);
    let told = team.shows("It begins");
    for secret in ["the deploy", "Secret", "bad-deploy"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    ada.walk(&[("\r", "Enter end it"), ("\r", "done: Reveal")]);
    team.shows("it was about: the deploy");
    ada.walk(&[("e", "why does the day end?"), ("\r", "report: ")]);
    assert_eq!(ada.ended().code(), Some(0));
    team.keys("q");
    assert_eq!(team.ended().code(), Some(0));
    for terminal in [&ada, &team] {
        assert!(!terminal.is_raw());
        assert_eq!(terminal.left_behind(), Vec::<String>::new());
    }
}
