//! What is said to a running drill and what it says back: one JSON object a line, in both directions. A facilitator asks and
//! is answered; a player joins, types, and is shown frames. Decides what an asking may say; carries nothing and does nothing.

use crate::domain::drill::real_world::Real;
use crate::domain::drill::score::score;
use crate::domain::drill::stage::facts::PERSONA;
use crate::domain::drill::stage::{Stage, Upcoming};
use crate::domain::text::{clean, truncate, width};
use crate::domain::time::{Timestamp, rfc3339, seconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest line that a drill listens to, in bytes; a paste of a player is the longest of them.
pub const LONGEST_ASK: usize = 64 * 1024;
/// The longest line that a drill says: a whole frame of a large terminal.
pub const LONGEST_ANSWER: usize = 4 << 20;
/// Cells of a name of a person or a persona.
const NAME: usize = 40;
/// Characters of what is said or hinted.
const WORDS: usize = 500;
/// The most that a hint can cost.
const DEAREST: i64 = 1_000;
/// The furthest that an inject is put off, in seconds.
const FURTHEST: i64 = 86_400;
/// The fastest that a drill with people is.
pub const FASTEST: u32 = 60;
/// Lines of the log that an observer is told.
const LAST: usize = 12;

/// Something that is asked of a running drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Where it stands.
    Observe,
    /// An inject comes now.
    Fire {
        /// Its number or name.
        inject: String,
    },
    /// An inject never comes.
    Skip {
        /// Its number or name.
        inject: String,
    },
    /// An inject comes later, or below 0 earlier.
    Delay {
        /// Its number or name.
        inject: String,
        /// By how much.
        seconds: i64,
    },
    /// The players get a hint.
    Hint {
        /// What.
        text: String,
        /// What it costs them.
        points: i64,
    },
    /// Somebody says something.
    Say {
        /// The persona.
        from: String,
        /// What.
        text: String,
    },
    /// The clock runs so many times as fast as time.
    Speed {
        /// 1 to 60.
        times: u32,
    },
    /// The clock goes to the next inject at once.
    Jump,
    /// The clock stands.
    Pause,
    /// The clock runs again.
    Continue,
    /// It is over.
    Abort {
        /// Why.
        #[serde(default)]
        why: String,
    },
    /// A player sits down: what this line's sender says from now on is [`Typing`], and what it hears is [`Shown`].
    Join(Joining),
}

/// A player who wants to sit down, and the terminal in front of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Joining {
    /// Who.
    pub person: String,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The theme's name.
    pub theme: String,
    /// The name of the set of characters.
    pub glyphs: String,
    /// Frames are bracketed.
    pub synchronized: bool,
    /// The zone of the player's clock, an IANA name; empty is that of the drill's own cockpit.
    #[serde(default)]
    pub zone: String,
    /// The player's keys, as a configuration has them: an action's name, and its keys. `None` is those of the drill's own
    /// cockpit.
    #[serde(default)]
    pub keys: Option<BTreeMap<String, Vec<String>>>,
}

/// What a player does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typing {
    /// Keys, as they are written in a configuration.
    Keys(Vec<String>),
    /// A paste.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Size(u16, u16),
    /// The terminal has the focus, or lost it.
    Focus(bool),
}

/// What a player is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Bytes for the terminal.
    Show(String),
    /// Nothing more comes, and why.
    End(String),
    /// What was typed was not understood.
    Error(String),
}

/// What a drill answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was done, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Box<Observed>>,
}

/// Where a drill stands, for those who steer it. Tells its secret: never shown to a player.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// Its name.
    pub name: String,
    /// What is played.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What is really the matter.
    pub secret: String,
    /// What its clock shows.
    pub now: String,
    /// Seconds of its clock since it began.
    pub elapsed: f64,
    /// Seconds that it lasts at most.
    pub duration: f64,
    /// How many times as fast as time.
    pub speed: u32,
    /// Why its clock stands; empty runs.
    pub paused: Vec<String>,
    /// Why it ended.
    pub ended: Option<String>,
    /// The real world.
    pub real: Real,
    /// Who sits at it now.
    pub players: Vec<String>,
    /// Who recorded anything so far.
    pub acted: Vec<String>,
    /// Every inject, in the order of the scenario.
    pub injects: Vec<Inject>,
    /// Points so far.
    pub points: i64,
    /// Points that there are.
    pub of: i64,
    /// The score so far, item by item.
    pub items: Vec<Scored>,
    /// The last lines of its log, oldest first.
    pub log: Vec<Line>,
}

/// An inject, as a facilitator sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inject {
    /// From 1.
    pub number: usize,
    /// Its name.
    pub id: String,
    /// What it does, in words.
    pub what: String,
    /// Its condition in words, ``unless `declared` ``; empty comes whatever happens.
    pub given: String,
    /// `waits`, `came`, `skipped`.
    pub state: String,
    /// Seconds until it comes by itself, or since it came or was skipped (below 0); `None` waits for another one or a hand.
    pub seconds: Option<f64>,
}

/// An item of the score so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// What is expected.
    pub what: String,
    /// What it brought.
    pub points: i64,
    /// What it can bring.
    pub of: i64,
    /// It went as it should.
    pub ok: bool,
    /// What happened instead.
    pub why: String,
}

/// A line of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since the beginning.
    pub elapsed: f64,
    /// Its kind.
    pub kind: String,
    /// In words.
    pub text: String,
}

/// What is known of a drill beside its stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// Its name.
    pub name: String,
    /// How fast.
    pub speed: u32,
    /// Why it stands.
    pub paused: Vec<String>,
    /// Who sits there.
    pub players: Vec<String>,
    /// The real world.
    pub real: Real,
}

impl Ask {
    /// Reads a line; `Err` says what is wrong with it. Names and words come out harmless.
    pub fn read(line: &str) -> Result<Self, String> {
        let ask: Self = serde_json::from_str(line)
            .map_err(|e| format!("not understood: {}", clean(&truncate(&e.to_string(), 200))))?;
        ask.checked()
    }

    /// As a line, without the line's end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same with harmless words; `Err` says what cannot be asked.
    pub fn checked(self) -> Result<Self, String> {
        Ok(match self {
            Self::Hint { text, points } => {
                if !(0..=DEAREST).contains(&points) {
                    return Err(format!("a hint costs 0 to {DEAREST} points"));
                }
                Self::Hint { text: words("hint", &text)?, points }
            }
            Self::Say { from, text } => Self::Say { from: name(&from)?, text: words("message", &text)? },
            Self::Delay { inject, seconds } => {
                if seconds == 0 || seconds.unsigned_abs() > FURTHEST.unsigned_abs() {
                    return Err("an inject is put off by 1s to 24h; below 0 brings it nearer".into());
                }
                Self::Delay { inject, seconds }
            }
            Self::Speed { times } if !(1..=FASTEST).contains(&times) => {
                return Err(format!("a drill with people is 1 to {FASTEST} times as fast as time"));
            }
            Self::Abort { why } => Self::Abort { why: clean(&truncate(&why, WORDS)).trim().to_owned() },
            Self::Join(joining) => Self::Join(Joining { person: player(&joining.person)?, ..joining }),
            other => other,
        })
    }
}

fn words(what: &str, text: &str) -> Result<String, String> {
    let text = clean(text);
    let text = text.trim();
    match text.chars().count() {
        0 => Err(format!("the {what} is empty")),
        n if n > WORDS => Err(format!("the {what} has {n} characters, {WORDS} are the most")),
        _ => Ok(text.to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let text = clean(text);
    let text = text.trim();
    match width(text) {
        0 => Err("the name is empty".into()),
        n if n > NAME => Err(format!("the name is {n} cells wide, {NAME} are the most")),
        _ => Ok(text.to_owned()),
    }
}

/// A name that a player may have: nobody may act as the program itself, as the facilitator or as a persona.
fn player(text: &str) -> Result<String, String> {
    let name = name(text)?;
    let taken = ["midwatch", "facilitator", "hint", "drill"].iter().any(|other| name.eq_ignore_ascii_case(other));
    let said = name.contains(char::is_alphanumeric);
    if taken || !said || name.ends_with(PERSONA.trim()) {
        return Err(format!("`{name}` is no name for a player"));
    }
    Ok(name)
}

impl Inject {
    /// What it does, and under which condition, in words.
    pub fn words(&self) -> String {
        if self.given.is_empty() { self.what.clone() } else { format!("{}: {}", self.given, self.what) }
    }
}

impl Answer {
    /// Something was done.
    pub fn did(what: impl Into<String>, drill: Observed) -> Self {
        Self { did: Some(what.into()), error: None, drill: Some(Box::new(drill)) }
    }

    /// Nothing was done.
    pub fn error(why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), ..Self::default() }
    }

    /// Reads a line.
    pub fn read(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|e| format!("the drill's answer is not understood: {e}"))
    }

    /// As a line, without the line's end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Observed {
    /// A stage as it stands.
    pub fn of(stage: &Stage, now: Timestamp, around: Around) -> Self {
        let start = stage.start();
        let scenario = stage.scenario();
        let score = score(stage);
        let since = |at: Timestamp| seconds(at - start);
        let inject = |it: Upcoming| {
            let (state, at) = match (it.stand.came, it.stand.skipped) {
                (Some(at), _) => ("came", Some(at)),
                (None, Some(at)) => ("skipped", Some(at)),
                (None, None) => ("waits", it.at),
            };
            Inject {
                number: it.number,
                id: it.inject,
                what: it.what,
                given: it.given,
                state: state.to_owned(),
                seconds: at.map(|at| seconds(at - now)),
            }
        };
        let items = score.items.iter().map(|item| Scored {
            what: item.what.clone(),
            points: item.points,
            of: item.of,
            ok: item.ok,
            why: item.why.clone(),
        });
        let log = stage.log().iter().skip(stage.log().len().saturating_sub(LAST)).map(|entry| Line {
            elapsed: since(entry.at),
            kind: entry.what.kind().to_owned(),
            text: entry.what.words(),
        });
        Self {
            name: around.name,
            scenario: scenario.id.clone(),
            title: scenario.title.clone(),
            secret: scenario.secret.clone(),
            now: rfc3339(now),
            elapsed: since(now),
            duration: seconds(scenario.duration),
            speed: around.speed,
            paused: around.paused,
            ended: stage.ended().map(|ended| ended.why.clone()),
            real: around.real,
            players: around.players,
            acted: stage.facts().people().map(str::to_owned).collect(),
            injects: stage.upcoming().into_iter().map(inject).collect(),
            points: score.points,
            of: score.of,
            items: items.collect(),
            log: log.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_asking_is_a_line_and_comes_back() {
        for ask in [
            Ask::Observe,
            Ask::Pause,
            Ask::Jump,
            Ask::Fire { inject: "3".into() },
            Ask::Delay { inject: "ask".into(), seconds: -120 },
            Ask::Hint { text: "look at the deploys".into(), points: 5 },
            Ask::Say { from: "support".into(), text: "three customers".into() },
            Ask::Abort { why: String::new() },
            Ask::Join(Joining { person: "bob".into(), size: (80, 24), ..Joining::default() }),
        ] {
            assert_eq!(Ask::read(&ask.line()), Ok(ask));
        }
        assert_eq!(Ask::read(r#"{"do":"abort"}"#), Ok(Ask::Abort { why: String::new() }));
        assert_eq!(serde_json::to_string(&Typing::Keys(vec!["a".into()])).unwrap(), r#"{"keys":["a"]}"#);
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        for (line, word) in [
            ("", "not understood"),
            ("[]", "not understood"),
            (r#"{"do":"explode"}"#, "unknown variant"),
            (r#"{"do":"fire"}"#, "inject"),
            (r#"{"do":"fire","inject":"1","now":true}"#, "unknown field"),
            (r#"{"do":"hint","text":"  ","points":1}"#, "empty"),
            (r#"{"do":"hint","text":"x","points":-1}"#, "0 to 1000"),
            (r#"{"do":"say","from":"","text":"x"}"#, "name is empty"),
            (r#"{"do":"delay","inject":"1","seconds":0}"#, "1s to 24h"),
            (r#"{"do":"delay","inject":"1","seconds":-9223372036854775808}"#, "1s to 24h"),
            (r#"{"do":"speed","times":61}"#, "1 to 60"),
            (r#"{"do":"join","person":"Midwatch"}"#, "no name for a player"),
            (r#"{"do":"join","person":"support (drill)"}"#, "no name for a player"),
            (r#"{"do":"join","person":"\u001b"}"#, "name"),
        ] {
            let told = Ask::read(line).unwrap_err();
            assert!(told.contains(word), "{line}: {told}");
        }
        let long = Ask::Say { from: "a".into(), text: "x".repeat(501) };
        assert!(Ask::read(&long.line()).unwrap_err().contains("500"));
    }

    #[test]
    fn hostile_names_come_out_harmless() {
        let ask = Ask::Join(Joining { person: "  bob\u{1b}[2J\u{202e}\n ".into(), ..Joining::default() });
        let Ok(Ask::Join(joining)) = Ask::read(&ask.line()) else { panic!("not read") };
        assert!(joining.person.starts_with("bob") && !joining.person.contains(['\u{1b}', '\n', '\u{202e}']));
    }

    proptest! {
        #[test]
        fn no_line_is_fatal(line in ".{0,200}") {
            drop(Ask::read(&line));
            drop(Answer::read(&line));
        }
    }
}
