//! A game day, as it is shown: the sheet with times, roles and how every part stands, what comes next, what must not be told
//! yet, the shared log. For the teams only what has begun, in the words that were for them. Cells come from here, and the one
//! line that says what comes next in the plain lines too.

use crate::app::gameday::{Asking, Hands, Seat};
use crate::app::present::view::{Bit, Hint, Tone};
use crate::domain::gameday::log::{Body, Standing, State};
use crate::domain::gameday::model::{Act, Entry, GameDay};
use crate::domain::gameday::report::told;
use crate::domain::time::{Timestamp, clock, compact};

/// Everything that is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GamedayPage {
    /// `GAME DAY`, and for whom.
    pub banner: String,
    /// `10:14:07Z`.
    pub utc: String,
    /// Its title.
    pub title: String,
    /// What shall be learned; empty for the teams.
    pub goal: String,
    /// Role and person.
    pub roles: Vec<(String, String)>,
    /// What ends the whole day.
    pub stop_when: String,
    /// What comes next, and when.
    pub next: Bit,
    /// The sheet; empty for the teams.
    pub rows: Vec<SheetRow>,
    /// What is said of the chosen entry: a label, and its text.
    pub details: Vec<(&'static str, Bit)>,
    /// The shared log, newest last; for the teams what was told them.
    pub log: Vec<String>,
    /// What is being asked, and typed.
    pub asks: Option<(String, String)>,
    /// What was said last.
    pub told: Option<Bit>,
    /// Keys.
    pub hints: Vec<Hint>,
}

/// An entry of the sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SheetRow {
    /// From 1.
    pub number: String,
    /// It is the chosen one.
    pub chosen: bool,
    /// `10:30:00Z`, or `+30m` before the day began.
    pub planned: String,
    /// How it stands.
    pub state: Bit,
    /// Whose turn.
    pub who: String,
    /// What it is.
    pub what: String,
    /// It keeps something back.
    pub kept: bool,
}

/// The page at an instant.
pub fn page(hands: &Hands, now: Timestamp) -> GamedayPage {
    let (day, teams) = (&hands.day, hands.is_for_teams());
    let banner = if teams { "GAME DAY   what the teams may see" } else { "GAME DAY   facilitator" };
    let mut page = GamedayPage {
        banner: banner.to_owned(),
        utc: clock(now),
        title: day.title.clone(),
        asks: hands.asking.as_ref().map(|(asking, text)| (question(hands, *asking), text.clone())),
        told: hands.told.clone(),
        hints: hints(hands),
        ..GamedayPage::default()
    };
    if teams {
        page.next = Bit::new(day.when.clone(), Tone::Muted);
        page.log = told_to_teams(day, &hands.state);
        return page;
    }
    page.goal.clone_from(&day.goal);
    page.roles.clone_from(&day.roles);
    page.stop_when = day.stop_when.join("; ");
    page.next = match hands.state.next() {
        Some(_) => next(day, &hands.state, now),
        None => Bit::new("the sheet is done: e writes the report", Tone::Accent),
    };
    page.rows = rows(hands);
    page.details = details(hands);
    let line = |line: &crate::domain::gameday::log::Line| {
        let mark = if matches!(line.body, Body::Note { .. }) { "note: " } else { "" };
        format!("{} {}: {mark}{}", clock(line.at), line.by, told(day, &line.body))
    };
    page.log = hands.log.iter().map(line).collect();
    page
}

/// What an entry is.
pub fn what(entry: &Entry) -> String {
    match &entry.act {
        Act::Person => entry.title.clone(),
        Act::Scenario { name, .. } => format!("{} (drill {name})", entry.title),
        Act::Experiment { name } => format!("{} (experiment {name})", entry.title),
    }
}

/// What comes next, and when.
pub fn next(day: &GameDay, state: &State, now: Timestamp) -> Bit {
    let Some((n, entry)) = state.next().and_then(|n| Some((n, day.entries.get(n)?))) else {
        return Bit::new("the sheet is done: `end` writes the report", Tone::Accent);
    };
    let at = state.began.unwrap_or(now).checked_add_signed(entry.at).unwrap_or(now);
    let running = state.entries.get(n).is_some_and(|standing| standing.started.is_some());
    let (when, tone) = match (running, at > now) {
        (true, _) => ("running".to_owned(), Tone::Accent),
        (false, true) => (format!("in {}", compact(at - now)), Tone::Text),
        (false, false) => (format!("{} late", compact(now - at)), Tone::Warn),
    };
    Bit::new(format!("next: {} {} ({when}, {})", n + 1, what(entry), entry.who), tone)
}

/// When an entry is planned: an instant once the day has begun, before that counted from its beginning.
pub fn planned(state: &State, entry: &Entry) -> String {
    match state.began.and_then(|began| began.checked_add_signed(entry.at)) {
        Some(at) => clock(at),
        None => format!("+{}", compact(entry.at)),
    }
}

/// How an entry stands, in words.
pub fn words(standing: &Standing) -> String {
    match (standing.started, standing.ended) {
        (_, Some(at)) if standing.skipped => format!("left out {}", clock(at)),
        (_, Some(at)) => format!("done {}", clock(at)),
        (Some(at), None) => format!("since {}", clock(at)),
        (None, None) => "-".to_owned(),
    }
}

/// What the teams were told, in the order of the sheet, and what it was about once that may be told.
pub fn told_to_teams(day: &GameDay, state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (entry, standing) in day.entries.iter().zip(&state.entries) {
        let Some(at) = standing.started else { continue };
        if let Some(told) = entry.tell.as_ref().filter(|told| !told.is_empty()) {
            lines.push(format!("{} {told}", clock(at)));
        }
        if !entry.not_yet.is_empty() && state.is_revealed(day, &entry.id) {
            lines.push(format!("  it was about: {}", entry.not_yet.join("; ")));
        }
    }
    lines
}

fn rows(hands: &Hands) -> Vec<SheetRow> {
    let all = hands.day.entries.iter().zip(&hands.state.entries).enumerate();
    let row = |(n, (entry, standing)): (usize, (&Entry, &Standing))| {
        let tone = match (standing.started, standing.ended) {
            (_, Some(_)) if standing.skipped => Tone::Stale,
            (_, Some(_)) => Tone::Ok,
            (Some(_), None) => Tone::Accent,
            (None, None) => Tone::Muted,
        };
        SheetRow {
            number: (n + 1).to_string(),
            chosen: entry.id == hands.chosen,
            planned: planned(&hands.state, entry),
            state: Bit::new(words(standing), tone),
            who: entry.who.clone(),
            what: what(entry),
            kept: !entry.not_yet.is_empty() && !hands.state.is_revealed(&hands.day, &entry.id),
        }
    };
    all.map(row).collect()
}

/// Everything about the chosen entry, what must not be told first.
fn details(hands: &Hands) -> Vec<(&'static str, Bit)> {
    let (Some(entry), Some(standing)) = (hands.entry(), hands.standing()) else { return Vec::new() };
    let (day, state) = (&hands.day, &hands.state);
    let mut rows = Vec::new();
    let kept = |other: &&Entry| !other.not_yet.is_empty() && !state.is_revealed(day, &other.id);
    if kept(&entry) {
        rows.push(("NOT YET", Bit::new(entry.not_yet.join("; "), Tone::Crit)));
    }
    for other in day.entries.iter().filter(|other| other.id != entry.id && other.at <= entry.at).filter(kept) {
        rows.push(("NOT YET", Bit::new(format!("{}, from {}", other.not_yet.join("; "), other.title), Tone::Crit)));
    }
    rows.extend(entry.instruction.iter().map(|text| ("do", Bit::new(text, Tone::Text))));
    rows.extend(entry.tell.iter().map(|text| ("tell", Bit::new(text, Tone::Accent))));
    for (of, _) in &entry.reveals {
        let told = day.entries.iter().find(|entry| entry.id == *of).map(|entry| entry.not_yet.join("; "));
        rows.push(("reveals", Bit::new(format!("when it is done: {}", told.unwrap_or_default()), Tone::Text)));
    }
    if !standing.result.is_empty() {
        let reference = standing.reference.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        rows.push(("came to", Bit::new(format!("{}{reference}", standing.result), Tone::Text)));
    }
    rows
}

fn question(hands: &Hands, asking: Asking) -> String {
    let title = hands.entry().map(what).unwrap_or_default();
    let ended = hands.standing().is_some_and(|standing| standing.ended.is_some());
    match asking {
        Asking::Begin if ended => format!("begin {title} AGAIN? type y"),
        Asking::Begin => format!("begin {title}? It takes this terminal. Type y"),
        Asking::Done => format!("{title} is done; what did it come to? (may be empty)"),
        Asking::Skip => format!("why is {title} left out?"),
        Asking::Note if hands.seat == Seat::Facilitator && hands.shown_to_teams => {
            "note, as the teams see it typed:".to_owned()
        }
        Asking::Note => "note:".to_owned(),
        Asking::End => "why does the day end? (empty: the sheet is done)".to_owned(),
    }
}

fn hints(hands: &Hands) -> Vec<Hint> {
    let hint = |key: &str, text: &str| Hint { key: key.to_owned(), text: text.to_owned(), why_not: None };
    if hands.asking.is_some() {
        return vec![hint("Enter", "say so"), hint("Esc", "not now")];
    }
    if let Seat::Team { notes } = hands.seat {
        let mut all = vec![hint("q", "leave")];
        all.extend(notes.then(|| hint("n", "note")));
        return all;
    }
    if hands.shown_to_teams {
        return vec![hint("t", "back to the sheet"), hint("n", "note"), hint("q", "leave")];
    }
    let running = hands.standing().is_some_and(|s| s.started.is_some() && s.ended.is_none());
    let person = hands.entry().is_some_and(|entry| entry.act == Act::Person);
    vec![
        hint("Enter", if running && person { "end it" } else { "begin" }),
        hint("n", "note"),
        hint("d", "done"),
        hint("s", "skip"),
        hint("t", "what teams see"),
        hint("e", "end the day"),
        hint("q", "leave"),
        hint("j/k", "choose"),
    ]
}
