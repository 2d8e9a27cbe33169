//! The screen of a game day, pinned at four sizes; its keys; and that the teams' view holds nothing that must not be told yet.

use crate::screens::{SIZES, snapshot, text};
use midwatch::app::gameday::{Hands, Seat, Wish};
use midwatch::app::key::{Code, Key};
use midwatch::app::present::gameday::page;
use midwatch::domain::gameday::log::{Body, Line};
use midwatch::domain::gameday::model::GameDay;
use midwatch::domain::gameday::read::read;
use midwatch::domain::time::{Timestamp, mins};
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::screen::gameday::draw;
use midwatch::ui::theme::Theme;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

fn day() -> Arc<GameDay> {
    Arc::new(read("gameday.yaml", include_str!("../../assets/gameday.yaml")).0.unwrap())
}

fn at(minute: i64) -> Timestamp {
    "2026-10-01T08:00:00Z".parse::<Timestamp>().unwrap() + mins(minute)
}

fn line(minute: i64, by: &str, body: Body) -> Line {
    Line { at: at(minute), by: by.into(), body }
}

fn started(entry: &str) -> Body {
    Body::Started { entry: entry.into() }
}

fn done(entry: &str, result: &str) -> Body {
    let reference = (!result.is_empty()).then(|| "DRILL-20261001-083100".to_owned());
    Body::Done { entry: entry.into(), result: result.into(), reference }
}

fn note(text: &str) -> Body {
    Body::Note { text: text.into() }
}

/// A morning: welcomed, and the drill is running.
fn morning() -> Vec<Line> {
    vec![
        line(0, "ben", Body::Began),
        line(0, "ben", started("welcome")),
        line(12, "ben", done("welcome", "")),
        line(31, "ben", started("pool")),
        line(36, "eve", note("they look at the pool only now")),
        line(38, "joe", note("nobody opened the runbook")),
    ]
}

fn facilitating() -> Hands {
    Hands::new(day(), Seat::Facilitator, morning())
}

fn drawn(hands: &Hands, (w, h): (u16, u16)) -> Vec<String> {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(&page(hands, at(42)), &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
    text(&buf)
}

fn keys(hands: &mut Hands, text: &str) -> Vec<Wish> {
    let code = |c| if c == '\n' { Code::Enter } else { Code::Char(c) };
    text.chars().filter_map(|c| hands.key(Key::plain(code(c)))).collect()
}

#[test]
fn screens_of_a_game_day_at_every_size() {
    let mut asking = facilitating();
    keys(&mut asking, "jjsthe canary is");
    let mut over = facilitating();
    let rest =
        ["pool", "first-look-back", "latency", "look-back"].map(|id| line(120, "ben", done(id, "62 of 100 points")));
    over.take(morning().into_iter().chain(rest).collect());
    let teams = Hands::new(day(), Seat::Team { notes: true }, morning());
    for (name, hands) in [("facilitator", facilitating()), ("asking", asking), ("over", over), ("teams", teams)] {
        for (w, h) in SIZES {
            snapshot(&format!("gameday_{name}_{w}x{h}"), &drawn(&hands, (w, h)));
        }
    }
}

/// The entry that comes next is chosen; keys wish for what they say, once it was asked where it takes the terminal.
#[test]
fn keys_wish_for_what_they_say() {
    let mut hands = facilitating();
    assert_eq!(hands.chosen, "pool");
    assert_eq!(keys(&mut hands, "\nx\n"), [], "a word that is no yes begins nothing");
    assert_eq!(keys(&mut hands, "\n\n"), [], "Enter alone begins no drill");
    assert_eq!(keys(&mut hands, "\ny\n"), [Wish::Begin("pool".into())]);
    assert_eq!(keys(&mut hands, "j\n"), [Wish::Begin("first-look-back".into())]);
    assert_eq!(keys(&mut hands, "s\n"), [], "it is left out for a reason");
    let skip = Wish::Skip { entry: "first-look-back".into(), why: "late".into() };
    assert_eq!(keys(&mut hands, "s late \n"), [skip]);
    let end = Wish::Done { entry: "welcome".into(), result: String::new() };
    assert_eq!(keys(&mut hands, "gd\n"), [end]);
    assert_eq!(
        keys(&mut hands, "n\nnq\n"),
        [Wish::Note("q".into())],
        "an empty note is none, and a letter of it is no key"
    );
    assert_eq!(keys(&mut hands, "e\n"), [Wish::End(String::new())]);
    // What is done is begun again only after a question.
    assert_eq!(keys(&mut hands, "g\n\n"), []);
    assert_eq!(keys(&mut hands, "tjs\n"), [], "what is not seen is not acted on");
    assert_eq!(hands.key(Key { code: Code::Char('c'), ctrl: true }), Some(Wish::Leave));
    assert_eq!(keys(&mut hands, "q"), [Wish::Leave]);
    let mut team = Hands::new(day(), Seat::Team { notes: false }, morning());
    assert_eq!(keys(&mut team, "\ny\nd\ns x\ne\nt n x\n"), []);
    assert_eq!(team.chosen, "pool");
}

/// Somebody else's line ends the chosen entry: the next one is chosen, but not under what is being typed.
#[test]
fn the_log_of_others_moves_on_what_is_chosen() {
    let mut hands = facilitating();
    hands.take(morning().into_iter().chain([line(50, "ada", done("pool", "70 of 100 points"))]).collect());
    assert_eq!(hands.chosen, "first-look-back");
    let mut typing = facilitating();
    keys(&mut typing, "sthey are ti");
    typing.take(morning().into_iter().chain([line(50, "ada", done("pool", "70 of 100 points"))]).collect());
    let skip = Wish::Skip { entry: "pool".into(), why: "they are tired".into() };
    assert_eq!(keys(&mut typing, "red\n"), [skip]);
}

/// What the facilitator needs is there at any size that can hold it, and no size breaks the drawing.
#[test]
fn keys_and_what_comes_next_are_there_at_any_size() {
    let hands = facilitating();
    for w in [40, 60, 80, 131, 240] {
        for h in [10, 15, 24, 60] {
            let lines = drawn(&hands, (w, h));
            assert!(lines.last().unwrap().contains("Enter begin"), "{w}x{h}: {lines:?}");
            assert!(lines.iter().any(|line| line.contains("> ")), "{w}x{h}: {lines:?}");
        }
    }
    for size in [(0, 0), (1, 1), (5, 3), (20, 4), (30, 6)] {
        drawn(&hands, size);
    }
}

proptest! {
    /// Whatever was logged, and whatever is typed there: until it may be told, the teams read neither what is kept back nor a
    /// title, an instruction or a note that could give it away.
    #[test]
    fn teams_never_see_what_must_not_be_told(steps in prop::collection::vec((0_usize..5, 0_usize..4), 0..12), typed in "[a-z\n]{0,12}") {
        let day = day();
        let mut log = vec![line(0, "ben", Body::Began), line(1, "eve", note("it is the pool"))];
        for (n, (entry, what)) in steps.iter().enumerate() {
            let id = day.entries[*entry].id.clone();
            let body = match what {
                0 => started(&id),
                1 => done(&id, "the pool was full"),
                2 => Body::Skipped { entry: id, why: "no pool".into() },
                _ => note("the pool again"),
            };
            log.push(line(i64::try_from(n).unwrap() + 2, "ben", body));
        }
        let mut shown = Hands::new(Arc::clone(&day), Seat::Facilitator, log.clone());
        keys(&mut shown, "t");
        let mut team = Hands::new(Arc::clone(&day), Seat::Team { notes: true }, log);
        keys(&mut team, &typed);
        for hands in [shown, team] {
            let told = hands.state.is_revealed(&day, "pool");
            let hands = Hands { asking: None, told: None, ..hands };
            for size in [(60, 15), (200, 60)] {
                let screen = drawn(&hands, size).join("\n");
                prop_assert_eq!(told && hands.state.entries[1].started.is_some(), screen.contains("pool"), "{}", screen);
                prop_assert!(!screen.contains("Sunday") && !screen.contains("Say nothing"), "{}", screen);
            }
        }
    }
}
