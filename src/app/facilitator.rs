//! The facilitator's screen as a machine of its own: what the drill said last, what is selected, what is being typed; keys
//! become things to ask of the drill. Pure; knows nothing of sockets.

use crate::app::editor::Editor;
use crate::app::key::{Code, Key};
use crate::app::present::view::Tone;
use crate::domain::drill::facilitation::{Answer, Ask, FASTEST, Observed};
use crate::domain::time::{parse_span, secs};

/// Points that a hint costs where nothing else is typed.
pub const COST: i64 = 5;

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// `y` lets the inject come.
    Fire,
    /// `y` keeps the inject away.
    Skip,
    /// By how much an inject is put off.
    Delay,
    /// A hint, with a number in front when it does not cost [`COST`].
    Hint,
    /// `PERSONA: TEXT`.
    Say,
    /// `y` lets the clock jump to the next inject.
    Jump,
    /// A factor.
    Speed,
    /// The word `abort`, and why.
    Abort,
}

impl Prompt {
    /// What stands in front of the line that is typed.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fire => "fire it now? y",
            Self::Skip => "skip it for good? y",
            Self::Delay => "delay by (2m, or -2m for nearer)",
            Self::Hint => "hint (costs 5; `10 TEXT` costs 10)",
            Self::Say => "say as (NAME: TEXT)",
            Self::Jump => "jump to the next inject? y",
            Self::Speed => "times as fast as time (1 to 60)",
            Self::Abort => "type abort, and why",
        }
    }
}

/// What comes of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Nothing beyond the screen.
    Nothing,
    /// This is to be asked of the drill.
    Ask(Ask),
    /// The screen is left; the drill goes on.
    Leave,
}

/// The list that Up and Down move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// Injects, the first one.
    #[default]
    Injects,
    /// The score so far.
    Score,
    /// The log.
    Log,
}

/// The facilitator's screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facilitator {
    /// What the drill said last.
    pub seen: Observed,
    /// The selected inject, by its name; what is fired, skipped and delayed, whatever list one reads.
    pub cursor: Option<String>,
    /// The list that is read.
    pub focus: Focus,
    /// The row that is read in the score or the log.
    pub row: usize,
    /// What is being typed.
    pub prompt: Option<(Prompt, Editor)>,
    /// What came of the last act.
    pub said: Option<(Tone, String)>,
    /// Nobody answers any more, and why.
    pub lost: Option<String>,
}

impl Facilitator {
    /// Takes in an answer.
    pub fn answered(&mut self, answer: Answer) {
        if let Some(drill) = answer.drill {
            self.seen = *drill;
        }
        self.said = match (answer.error, answer.did) {
            (Some(why), _) => Some((Tone::Warn, format!("not done: {why}"))),
            (None, Some(did)) => Some((Tone::Ok, did)),
            (None, None) => self.said.take(),
        };
        // The first that can still come is what one wants next.
        if self.place().is_none() {
            let open = self.seen.injects.iter().find(|i| i.state == "waits").or(self.seen.injects.first());
            self.cursor = open.map(|i| i.id.clone());
        }
    }

    /// Which row is selected.
    pub fn place(&self) -> Option<usize> {
        let id = self.cursor.as_ref()?;
        self.seen.injects.iter().position(|i| i.id == *id)
    }

    /// A key.
    pub fn key(&mut self, key: Key) -> Wish {
        if let Some((prompt, line)) = self.prompt.take() {
            return self.typing(prompt, line, key);
        }
        if key == Key::ctrl('c') {
            return Wish::Leave;
        }
        self.said = None;
        let open = |prompt| Some((prompt, Editor::default()));
        match key.code {
            Code::Down | Code::Char('j') => self.go(1),
            Code::Up | Code::Char('k') => self.go(-1),
            Code::Tab => self.turn(),
            Code::Char('q') | Code::Esc => return Wish::Leave,
            Code::Char('f') => self.prompt = open(Prompt::Fire),
            Code::Char('s') => self.prompt = open(Prompt::Skip),
            Code::Char('d') => self.prompt = open(Prompt::Delay),
            Code::Char('h') => self.prompt = open(Prompt::Hint),
            Code::Char('p') => self.prompt = open(Prompt::Say),
            Code::Char('n') => self.prompt = open(Prompt::Jump),
            Code::Char('v') => self.prompt = open(Prompt::Speed),
            Code::Char('x') => self.prompt = open(Prompt::Abort),
            Code::Char('+') => return Wish::Ask(Ask::Speed { times: (self.seen.speed * 2).clamp(1, FASTEST) }),
            Code::Char('-') => return Wish::Ask(Ask::Speed { times: (self.seen.speed / 2).clamp(1, FASTEST) }),
            Code::Char('z') => return Wish::Ask(self.pause()),
            _ => {}
        }
        Wish::Nothing
    }

    /// A text that was pasted goes where one types, and nowhere else.
    pub fn paste(&mut self, text: &str) {
        if let Some((_, line)) = &mut self.prompt {
            line.paste(text);
        }
    }

    fn pause(&self) -> Ask {
        let ours = self.seen.paused.iter().any(|why| why.contains("facilitator"));
        if ours { Ask::Continue } else { Ask::Pause }
    }

    /// To the next list; the score is read from its top, the log from its end.
    fn turn(&mut self) {
        (self.focus, self.row) = match self.focus {
            Focus::Injects => (Focus::Score, 0),
            Focus::Score => (Focus::Log, self.seen.log.len().saturating_sub(1)),
            Focus::Log => (Focus::Injects, 0),
        };
    }

    /// The row that is read in a list; `None` where another one is read.
    pub fn read(&self, list: Focus) -> Option<usize> {
        let rows = match list {
            Focus::Injects => return self.place(),
            Focus::Score => self.seen.items.len(),
            Focus::Log => self.seen.log.len(),
        };
        (self.focus == list && rows > 0).then(|| self.row.min(rows - 1))
    }

    /// The row that is read, in full.
    pub fn detail(&self) -> Option<String> {
        let row = self.read(self.focus)?;
        Some(match self.focus {
            Focus::Injects => self.seen.injects.get(row).map(|it| format!("#{}: {}", it.number, it.words()))?,
            Focus::Score => self.seen.items.get(row).map(|it| match it.why.as_str() {
                "" => it.what.clone(),
                why => format!("{} ({why})", it.what),
            })?,
            Focus::Log => self.seen.log.get(row).map(|it| it.text.clone())?,
        })
    }

    fn go(&mut self, by: isize) {
        if let Some(row) = self.read(self.focus).filter(|_| self.focus != Focus::Injects) {
            let rows = if self.focus == Focus::Score { self.seen.items.len() } else { self.seen.log.len() };
            self.row = row.saturating_add_signed(by).min(rows.saturating_sub(1));
            return;
        }
        if self.focus != Focus::Injects {
            return;
        }
        let last = self.seen.injects.len().saturating_sub(1);
        let place = self.place().unwrap_or(0).saturating_add_signed(by).min(last);
        self.cursor = self.seen.injects.get(place).map(|i| i.id.clone());
    }

    fn typing(&mut self, prompt: Prompt, mut line: Editor, key: Key) -> Wish {
        let asks = matches!(prompt, Prompt::Fire | Prompt::Skip | Prompt::Jump);
        match key.code {
            Code::Esc => {}
            Code::Char('y') if asks => return self.wish(prompt, ""),
            _ if asks => self.said = Some((Tone::Muted, "cancelled".into())),
            Code::Enter => return self.wish(prompt, line.text().trim()),
            _ => {
                line.key(key);
                self.prompt = Some((prompt, line));
            }
        }
        Wish::Nothing
    }

    /// What was typed, as something to ask; what is wrong with it is said.
    fn wish(&mut self, prompt: Prompt, text: &str) -> Wish {
        match self.ask(prompt, text).and_then(Ask::checked) {
            Ok(ask) => Wish::Ask(ask),
            Err(why) => {
                self.said = Some((Tone::Warn, format!("not done: {why}")));
                Wish::Nothing
            }
        }
    }

    fn ask(&self, prompt: Prompt, text: &str) -> Result<Ask, String> {
        let inject = || self.cursor.clone().ok_or("there is no inject".to_owned());
        Ok(match prompt {
            Prompt::Fire => Ask::Fire { inject: inject()? },
            Prompt::Skip => Ask::Skip { inject: inject()? },
            Prompt::Jump => Ask::Jump,
            Prompt::Delay => Ask::Delay { inject: inject()?, seconds: signed(text)? },
            Prompt::Hint => hint(text),
            Prompt::Say => {
                let (from, said) = text.split_once(':').ok_or("expected NAME: TEXT")?;
                Ask::Say { from: from.trim().into(), text: said.trim().into() }
            }
            Prompt::Speed => Ask::Speed { times: text.parse().map_err(|_| "expected 1 to 60".to_owned())? },
            Prompt::Abort => match text.split_once(' ').map_or((text, ""), |(word, why)| (word, why.trim())) {
                ("abort", why) => Ask::Abort { why: why.into() },
                _ => return Err("that was not the word".into()),
            },
        })
    }
}

/// `2m`, `-90s`: seconds, below 0 for nearer.
pub fn signed(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let span = parse_span(rest)?;
    if span < secs(1) { Err("less than a second".into()) } else { Ok(span.num_seconds() * sign) }
}

fn hint(text: &str) -> Ask {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse() {
        Ok(points) if !rest.trim().is_empty() => Ask::Hint { text: rest.trim().into(), points },
        _ => Ask::Hint { text: text.into(), points: COST },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::facilitation::{Inject, Line, Scored};
    use proptest::prelude::*;

    fn screen() -> Facilitator {
        let inject = |number: usize, id: &str, state: &str| Inject {
            number,
            id: id.into(),
            state: state.into(),
            ..Inject::default()
        };
        let seen = Observed {
            injects: vec![inject(1, "slow", "came"), inject(2, "page", "waits"), inject(3, "ask", "waits")],
            speed: 1,
            ..Observed::default()
        };
        let mut screen = Facilitator::default();
        screen.answered(Answer { drill: Some(Box::new(seen)), ..Answer::default() });
        screen
    }

    fn typed(screen: &mut Facilitator, text: &str) -> Wish {
        let mut wish = Wish::Nothing;
        for c in text.chars() {
            wish = screen.key(if c == '\n' { Key::plain(Code::Enter) } else { Key::char(c) });
        }
        wish
    }

    #[test]
    fn keys_become_askings() {
        for (keys, ask) in [
            ("fy", Ask::Fire { inject: "page".into() }),
            ("jsy", Ask::Skip { inject: "ask".into() }),
            ("jjjkd-90s\n", Ask::Delay { inject: "page".into(), seconds: -90 }),
            ("hlook at the deploys\n", Ask::Hint { text: "look at the deploys".into(), points: 5 }),
            ("h12 deploys\n", Ask::Hint { text: "deploys".into(), points: 12 }),
            ("psupport: it is slow: very\n", Ask::Say { from: "support".into(), text: "it is slow: very".into() }),
            ("v10\n", Ask::Speed { times: 10 }),
            ("+", Ask::Speed { times: 2 }),
            ("-", Ask::Speed { times: 1 }),
            ("z", Ask::Pause),
            ("ny", Ask::Jump),
            ("xabort fire alarm\n", Ask::Abort { why: "fire alarm".into() }),
        ] {
            let mut screen = screen();
            assert_eq!(typed(&mut screen, keys), Wish::Ask(ask), "{keys}");
            assert_eq!(screen.prompt, None);
        }
        assert_eq!(typed(&mut screen(), "q"), Wish::Leave);
    }

    #[test]
    fn every_list_is_read_to_its_end_and_in_full() {
        let mut screen = screen();
        let item = |what: &str, why: &str| Scored { what: what.into(), why: why.into(), ..Scored::default() };
        screen.seen.items = vec![item("acknowledged", ""), item("declared", "did not happen")];
        screen.seen.log = vec![Line { text: "it begins".into(), ..Line::default() }];
        screen.seen.injects[1].what = "a page".into();
        screen.seen.injects[1].given = "unless `declared`".into();
        let tab = Key::plain(Code::Tab);
        assert_eq!(screen.detail().as_deref(), Some("#2: unless `declared`: a page"));
        screen.key(tab);
        typed(&mut screen, "jjj");
        assert_eq!(screen.detail().as_deref(), Some("declared (did not happen)"));
        assert_eq!(typed(&mut screen, "fy"), Wish::Ask(Ask::Fire { inject: "page".into() }), "what is fired stays");
        screen.key(tab);
        assert_eq!((screen.detail().as_deref(), screen.read(Focus::Score)), (Some("it begins"), None));
        screen.key(tab);
        typed(&mut screen, "j");
        assert_eq!(screen.cursor.as_deref(), Some("ask"));
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_is_asked() {
        for (keys, word) in [
            ("fn", "cancelled"),
            ("dlong\n", "not a duration"),
            ("h\n", "empty"),
            ("phello\n", "NAME: TEXT"),
            ("v99\n", "1 to 60"),
            ("xstop\n", "not the word"),
        ] {
            let mut screen = screen();
            assert_eq!(typed(&mut screen, keys), Wish::Nothing, "{keys}");
            assert!(screen.said.as_ref().unwrap().1.contains(word), "{keys}: {:?}", screen.said);
        }
        let mut paused = screen();
        paused.seen.paused = vec!["paused by the facilitator".into()];
        assert_eq!(typed(&mut paused, "z"), Wish::Ask(Ask::Continue));
    }

    proptest! {
        #[test]
        fn no_key_breaks_it(keys in proptest::collection::vec(proptest::char::any(), 0..40)) {
            let mut screen = screen();
            for key in keys {
                screen.key(Key::char(key));
                prop_assert!(screen.place().is_some());
            }
        }
    }
}
