//! The cockpit as lines: appended only, one fact each, a prefix word first; no cursor motion, no glyph art. What is typed
//! is an action of the one table, with a number or an id; forms and confirmations ask line by line. The same machine and
//! the same rules as in the full screen.

use crate::app::action::{ACTIONS, Action, Entry};
use crate::app::deadline::next_deadline;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::model::Model;
use crate::app::msg::{Feed, Msg, Reply};
use crate::app::present::{items, lines, links, past, replay};
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{rehearsal, update};
use crate::domain::document::nearest;
use crate::domain::fault::Fault;
use crate::domain::text::clean;
use crate::domain::time::{Timestamp, clock, secs};
use crate::io::clock::{Watch, mark};
use crate::run::engine::Engine;
use crate::run::setup::Ready;
use crate::run::terminal::signals::{self, Asked};
use crate::run::world::wall;
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// The longest wait for anything.
const IDLE: Duration = Duration::from_secs(60);

/// What comes to the loop.
enum In {
    Msg(Msg),
    Line(String),
    /// Nothing more will be typed; facts go on.
    Closed,
    End(i32),
}

/// Runs until `quit`, a signal, or until nobody reads any more (`print` says `false`). Gives the exit code.
pub fn run(ready: Ready, heartbeat: u32, print: &mut dyn FnMut(&str) -> bool) -> Result<u8, Fault> {
    let (sender, inbox) = channel();
    let to_machine = sender.clone();
    let tell = Arc::new(move |msg: Msg| drop(to_machine.send(In::Msg(msg))));
    let asked = sender.clone();
    let threads = |e: std::io::Error| Fault::new(crate::domain::fault::FaultKind::Local, "threads", e.to_string());
    signals::start(move |it| {
        if let Asked::End(code) | Asked::Gone(code) = it {
            drop(asked.send(In::End(code)));
        }
    })
    .map_err(threads)?;
    let now = ready.world.now.clone();
    let engine = Engine::start(ready.world, tell)?;
    std::thread::Builder::new()
        .name("lines".into())
        .spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if sender.send(In::Line(line)).is_err() {
                    return;
                }
            }
            drop(sender.send(In::Closed));
        })
        .map_err(threads)?;
    let mut plain = Plain {
        model: ready.model,
        engine,
        now,
        pace: ready.pace,
        piped: !std::io::stdin().is_terminal(),
        heartbeat: i64::from(heartbeat),
        said: BTreeSet::new(),
        messages: 0,
        asked: None,
        beat: None,
        listed: Vec::new(),
        watch: Watch::default(),
        quit: None,
        print,
        open: true,
        closed: false,
    };
    let code = plain.live(&inbox);
    plain.engine.stop(Duration::from_secs(2));
    Ok(code)
}

struct Plain<'p> {
    model: Model,
    engine: Engine,
    now: crate::run::world::Now,
    pace: crate::run::world::Pace,
    /// Nobody types: the end of a drill is the end of its lines.
    piped: bool,
    heartbeat: i64,
    /// Facts that hold and were said.
    said: BTreeSet<String>,
    /// Messages that were said.
    messages: usize,
    /// The prompt that waits for a line.
    asked: Option<String>,
    beat: Option<Timestamp>,
    listed: Vec<Item>,
    watch: Watch,
    quit: Option<u8>,
    print: &'p mut dyn FnMut(&str) -> bool,
    /// Somebody reads.
    open: bool,
    /// Nothing more will be typed.
    closed: bool,
}

impl Plain<'_> {
    fn live(&mut self, inbox: &Receiver<In>) -> u8 {
        self.say("STATUS midwatch plain lines; help lists what can be typed");
        self.step(Msg::Wake);
        if self.model.replay.is_some() {
            self.show();
        }
        loop {
            let now = (self.now)();
            let due = next_deadline(&self.model, now, false).unwrap_or(now + secs(60));
            let beat = self.beat.filter(|_| self.heartbeat > 0).map_or(due, |b| due.min(b + secs(self.heartbeat)));
            let wait = wall(beat - now, (self.pace)()).unwrap_or(IDLE) + Duration::from_millis(5);
            match inbox.recv_timeout(wait.min(IDLE)) {
                Ok(In::Msg(msg)) => self.step(msg),
                Ok(In::Line(line)) => self.typed(line.trim()),
                Ok(In::Closed) => self.closed = true,
                Ok(In::End(code)) => return u8::try_from(code).unwrap_or(1),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(slept) = self.watch.look(mark()).and_then(|m| m.slept) {
                        self.step(Msg::Feed(Feed::Asleep(slept)));
                    }
                    self.step(Msg::Wake);
                }
                Err(RecvTimeoutError::Disconnected) => return 0,
            }
            self.tell_news();
            if let Some(code) = self.quit {
                return code;
            }
            let ended = self.model.rehearsal.as_ref().and_then(|r| r.ended.clone());
            if let Some(why) = ended.filter(|_| self.closed || self.piped) {
                self.say(&format!("STATUS the drill is over ({why})"));
                return 0;
            }
            // A replay that stands still has nothing more to say.
            let still = self.model.replay.as_ref().is_some_and(|replay| !replay.playing);
            if !self.open || (self.closed && still) {
                return 0;
            }
        }
    }

    fn say(&mut self, text: &str) {
        let replay = if self.model.replay.is_some() { "REPLAY " } else { "" };
        let line = format!("{replay}{} {}", clock(self.instant()), clean(text));
        self.open &= (self.print)(&line);
    }

    /// The instant that the lines are about.
    fn instant(&self) -> Timestamp {
        self.model.instant((self.now)())
    }

    fn step(&mut self, msg: Msg) {
        let effects = update(&mut self.model, (self.now)(), msg);
        for effect in effects {
            match self.engine.perform(effect) {
                None => {}
                Some(Effect::Quit(code)) => self.quit = Some(code),
                Some(Effect::Copy { req, text }) => {
                    self.say(&format!("COPY {text}"));
                    self.step(Msg::Reply(req, Reply::Copied(Ok("printed".into()))));
                }
                Some(Effect::Page(text)) => text.lines().for_each(|l| self.say(l)),
                Some(Effect::Edit(path)) => self.say(&format!("FILE {path}")),
                Some(Effect::Begin(_)) => self.say("NOTE leave and use: midwatch demo, or midwatch init"),
                Some(Effect::Bell) if self.model.rehearsal.is_some() => self.say("BELL"),
                Some(_) => {}
            }
        }
        self.step_painted();
    }

    /// A question that was printed counts as seen.
    fn step_painted(&mut self) {
        match &mut self.model.nav.overlay {
            Some(Overlay::Confirm(confirm)) => confirm.painted = true,
            Some(Overlay::RealPage { painted, .. }) => *painted = true,
            _ => {}
        }
    }

    /// Facts that are new, facts that no longer hold, what was said, and the sign of life.
    fn tell_news(&mut self) {
        let now = self.instant();
        if self.model.links.values().filter(|l| l.kind.polled()).all(|l| l.good.is_some() || l.fault.is_some())
            && self.model.desk.loaded
        {
            let facts: BTreeSet<String> = lines::facts(&self.model, now).into_iter().collect();
            for fact in facts.difference(&self.said.clone()) {
                self.say(fact);
            }
            let gone: Vec<String> = self
                .said
                .difference(&facts)
                .filter(|f| f.starts_with("ALERT") || f.starts_with("INCIDENT"))
                .cloned()
                .collect();
            for fact in gone {
                let subject: Vec<&str> = fact.split(' ').take(2).collect();
                if !facts.iter().any(|f| f.starts_with(&subject.join(" "))) {
                    self.say(&format!("ENDED {}", subject.join(" ")));
                }
            }
            self.said = facts;
            if self.beat.is_none_or(|b| now - b >= secs(self.heartbeat.max(1)))
                && (self.heartbeat > 0 || self.beat.is_none())
            {
                self.beat = Some(now);
                let summary = lines::summary(&self.model, now);
                self.say(&format!("STATUS {summary}"));
            }
        }
        self.messages = self.messages.min(self.model.messages.len());
        let fresh: Vec<String> = self.model.messages.iter().skip(self.messages).map(|m| m.text.clone()).collect();
        self.messages = self.model.messages.len();
        for text in fresh {
            self.say(&format!("NOTE {text}"));
        }
        self.ask();
    }

    /// Prints what was found, numbered for nobody: each line names the incident that `show` takes.
    fn found(&mut self) {
        let Some(Overlay::Search { query, .. }) = &self.model.nav.overlay else { return };
        let typed = query.text();
        if typed.trim().is_empty() || self.model.past.answered != typed {
            return;
        }
        let view = past::view(&self.model, query, 0);
        self.model.nav.overlay = None;
        for row in view.rows.rows {
            self.say(&format!("FOUND {} {} {} {}: {}", row.incident, row.when, row.kind, row.who, row.text));
        }
        self.say(&format!("NOTE search {typed}: {}", view.note));
    }

    /// Prints the question of a form or a confirmation, once.
    fn ask(&mut self) {
        self.found();
        let prompt = match &self.model.nav.overlay {
            Some(Overlay::Form(form)) => form.fields.get(form.focus).map(|f| {
                let error = form.error.as_ref().map(|e| format!("refused: {e}. ")).unwrap_or_default();
                let choices =
                    if f.choices.is_empty() { String::new() } else { format!(" one of {}", f.choices.join(", ")) };
                format!(
                    "ASK {error}{}: {}{choices}, now \"{}\", {} (empty keeps it, . cancels)",
                    form.title,
                    f.label,
                    f.value(),
                    f.hint
                )
            }),
            Some(Overlay::Confirm(confirm)) => {
                let rows: Vec<String> = confirm.rows.iter().map(|(l, t)| format!("{l}: {t}")).collect();
                let how = confirm.token.as_ref().map_or("type y to do it".to_owned(), |t| format!("type {t} to do it"));
                Some(format!("CONFIRM {} {}; {how}, anything else cancels", confirm.question, rows.join("; ")))
            }
            Some(Overlay::RealPage { .. }) => {
                let asks = self.model.rehearsal.as_ref().map(|r| r.asks.join(", ")).unwrap_or_default();
                Some(format!("REAL PAGE {asks} fires in the real world, the drill stands; type leave, or go-on"))
            }
            _ => None,
        };
        if prompt != self.asked {
            if let Some(text) = &prompt {
                let text = text.clone();
                self.say(&text);
            }
            self.asked = prompt;
        }
    }

    fn typed(&mut self, line: &str) {
        match &self.model.nav.overlay {
            Some(Overlay::Form(_)) => return self.field(line),
            Some(Overlay::Confirm(confirm)) => {
                let typed = confirm.token.is_some();
                let keys: Vec<Key> = line.chars().map(Key::char).collect();
                if line.is_empty() {
                    self.step(Msg::Key(Key::plain(Code::Esc)));
                }
                for key in keys {
                    self.step(Msg::Key(key));
                    if !typed {
                        break;
                    }
                }
                if typed && !line.is_empty() {
                    self.step(Msg::Key(Key::plain(Code::Enter)));
                }
                return;
            }
            Some(Overlay::RealPage { .. }) => {
                return match line {
                    "leave" | "quit" | "exit" => self.step(Msg::Key(rehearsal::LEAVE)),
                    "go-on" => self.step(Msg::Key(rehearsal::GO_ON)),
                    _ => self.say("NOTE a real page waits: type leave, or go-on"),
                };
            }
            Some(_) => self.model.nav.overlay = None,
            None => {}
        }
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(w, r)| (w, r.trim()));
        match word {
            "" => {}
            "help" => self.help(),
            "list" => self.list(),
            "show" => self.show(),
            "search" if !rest.is_empty() => {
                self.step(Msg::Act(Action::Search));
                self.step(Msg::Paste(rest.to_owned()));
            }
            "quit" | "exit" => self.step(Msg::Act(Action::Quit)),
            "step" => match rest.split_once(' ').map_or(rest, |(w, _)| w) {
                "done" => self.act(Action::StepDone, ""),
                "skip" => self.act(Action::StepSkip, rest.trim_start_matches("skip")),
                "fail" | "failed" => {
                    self.act(Action::StepFail, rest.trim_start_matches("failed").trim_start_matches("fail"))
                }
                _ => self.say("NOTE step done, step skip REASON or step fail REASON"),
            },
            "run" => {
                self.point(rest);
                self.act(Action::Open, "");
            }
            word => match Action::by_id(word) {
                Some(action) => self.act(action, rest),
                None => {
                    let hint = nearest(word, ACTIONS.iter().map(|e| e.id))
                        .map(|n| format!("; nearest: {n}"))
                        .unwrap_or_default();
                    self.say(&format!("NOTE {word} is no command{hint}; help lists them"));
                }
            },
        }
    }

    /// An action; the rest of the line is a number or id to act on, then the text of its form.
    fn act(&mut self, action: Action, rest: &str) {
        let rest = rest.trim();
        let (first, text) = rest.split_once(' ').map_or((rest, ""), |(f, t)| (f, t.trim()));
        let text = if self.point(first) { text } else { rest };
        let before = self.model.nav.screen().clone();
        self.step(Msg::Act(action));
        if !text.is_empty() && matches!(&self.model.nav.overlay, Some(Overlay::Form(f)) if f.fields.len() == 1) {
            self.field(text);
        }
        if *self.model.nav.screen() != before {
            self.show();
        }
    }

    /// Selects what a number of the last list or the end of an incident's id names.
    fn point(&mut self, word: &str) -> bool {
        if let Some(item) = word.parse::<usize>().ok().and_then(|n| self.listed.get(n.wrapping_sub(1))).cloned() {
            if let Item::Incident(id) = &item {
                self.model.nav.go(Screen::Incident(id.clone()));
            } else {
                self.model.nav.spot_mut().cursor = Some(item);
            }
            return true;
        }
        if word.len() < 3 {
            return false;
        }
        let found = self.model.desk.cases.keys().find(|id| id.as_str().ends_with(word)).cloned();
        if let Some(id) = found {
            self.model.nav.go(Screen::Incident(id));
            return true;
        }
        false
    }

    /// A line for the field that is asked for.
    fn field(&mut self, line: &str) {
        if line == "." {
            return self.step(Msg::Key(Key::plain(Code::Esc)));
        }
        let mut last = true;
        let mut wrong = None;
        if let Some(Overlay::Form(form)) = &mut self.model.nav.overlay {
            last = form.focus + 1 >= form.fields.len();
            if let Some(field) = form.fields.get_mut(form.focus).filter(|_| !line.is_empty()) {
                if field.choices.is_empty() {
                    field.line = crate::app::editor::Editor::with(line);
                } else {
                    let number =
                        line.parse::<usize>().ok().map(|n| n.wrapping_sub(1)).filter(|n| *n < field.choices.len());
                    match number.or_else(|| field.choices.iter().position(|c| c.eq_ignore_ascii_case(line))) {
                        Some(n) => field.chosen = n,
                        None => wrong = Some(format!("NOTE {line} is not one of {}", field.choices.join(", "))),
                    }
                }
            }
            if wrong.is_none() && !last {
                form.focus += 1;
            }
        }
        self.asked = None;
        match wrong {
            Some(wrong) => self.say(&wrong),
            None if last => self.step(Msg::Key(Key::plain(Code::Enter))),
            None => {}
        }
    }

    fn help(&mut self) {
        for text in [
            "HELP list: what is here, numbered; show: this screen in full; open 2: open number 2; back",
            "HELP ack, note TEXT, note 0311 TEXT, status, severity, roles, resolve, declare, runbook, answer-timer",
            "HELP step done, step skip REASON, step fail REASON, check-yes, check-no, run 2, arm, postmortem, quit",
        ] {
            self.say(text);
        }
        let model = &self.model;
        let shown = |e: &&Entry| (e.keys.len() < 2 || e.changes) && replay::offered(model, e);
        for entry in ACTIONS.iter().filter(shown).collect::<Vec<_>>() {
            self.say(&format!("HELP {}: {}", entry.id, entry.title));
        }
    }

    fn list(&mut self) {
        let now = self.instant();
        self.listed = items::panes(&self.model, now).into_iter().flatten().collect();
        let before = self.model.nav.spot().cursor;
        for (n, item) in self.listed.clone().into_iter().enumerate() {
            self.model.nav.spot_mut().cursor = Some(item.clone());
            let text = links::copyable(&self.model, now).unwrap_or_else(|| format!("{item:?}"));
            self.say(&format!("LIST {} {text}", n + 1));
        }
        self.model.nav.spot_mut().cursor = before;
    }

    fn show(&mut self) {
        let page = lines::page(&self.model, self.instant());
        for line in page {
            self.say(&line);
        }
    }
}
