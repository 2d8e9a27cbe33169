//! The pictures of the README, made by the program itself: the real machine over the simulated production, with a clock
//! that this file moves, drawn by the real screens. Nothing waits and nothing is random, so that the same frames come out
//! everywhere. `MIDWATCH_PICTURES=1 cargo test --test it pictures` writes them anew.

use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::health::{Link, LinkKind};
use midwatch::app::key::{Code, Key};
use midwatch::app::keymap::Keymap;
use midwatch::app::model::{Layout, Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::view;
use midwatch::app::update::update;
use midwatch::domain::exec::CommandSpec;
use midwatch::domain::ids::{Origin, ReqId, SourceName};
use midwatch::domain::severity::SeverityTable;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::fake::{Simulation, objectives, runbooks};
use midwatch::io::port::{AlertSource, CommandNews, Metrics, Shell};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::shelf::library;
use midwatch::run::world::RunbookText;
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::svg::svg;
use midwatch::ui::theme::Theme;
use midwatch::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const SIZE: (u16, u16) = (120, 40);

/// A cockpit in a hand: its machine, its production, its record and its clock.
struct Cockpit {
    model: Model,
    clock: Arc<Mutex<Timestamp>>,
    simulation: Simulation,
    store: Memory,
    runtime: tokio::runtime::Runtime,
    inbox: VecDeque<Msg>,
}

fn setup() -> Setup {
    Setup {
        responder: "alice".into(),
        host: "bastion-3".into(),
        user: "alice".into(),
        zone: "Europe/Berlin".parse().unwrap(),
        read_only: false,
        simulated: Some("DEMO"),
        slow: false,
        bell: false,
        severities: SeverityTable::defaults(),
        keymap: Keymap::default(),
        env_pass: Vec::new(),
        command_timeout: mins(1),
        arm_for: secs(1_800),
        cache: false,
        template: Layout::A,
        drafts_in: "postmortems".into(),
        config_path: "config.yaml".into(),
        configured: true,
        findings: Vec::new(),
    }
}

impl Cockpit {
    fn new(start: Timestamp) -> Self {
        let clock = Arc::new(Mutex::new(start));
        let told = Arc::clone(&clock);
        let simulation = Simulation::new(start, 1, Arc::new(move || *told.lock().unwrap())).at_once();
        let link = |name: &str, short: &str, kind| {
            Link::new(SourceName(name.into()), short.into(), kind, "simulated".into(), secs(2), start)
        };
        let links = vec![
            link("prometheus", "prom", LinkKind::Prometheus { alerts: false }),
            link("alertmanager", "am", LinkKind::Alertmanager { peers: 2 }),
        ];
        let texts: Vec<RunbookText> = runbooks().into_iter().map(|(n, t)| RunbookText::BuiltIn(n, t)).collect();
        let (books, findings) = library(&texts, start);
        let mut cockpit = Self {
            model: Model::new(setup(), objectives(), links),
            clock,
            simulation,
            store: Memory::new(Origin("demo".into())),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            inbox: VecDeque::new(),
        };
        for feed in [Feed::Opened(Origin("demo".into())), Feed::Loaded(Vec::new()), Feed::Library(books, findings)] {
            cockpit.handle(Msg::Feed(feed));
        }
        cockpit.handle(Msg::Resized(SIZE.0, SIZE.1));
        cockpit
    }

    fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    fn handle(&mut self, msg: Msg) {
        self.inbox.push_back(msg);
        while let Some(msg) = self.inbox.pop_front() {
            let now = self.now();
            for effect in update(&mut self.model, now, msg) {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        let now = self.now();
        let (req, reply) = match effect {
            Effect::Measure { req, objectives, windows, .. } => {
                let port = self.simulation.metrics();
                (req, Reply::Measured(self.runtime.block_on(port.measure(&objectives, &windows, now))))
            }
            Effect::Chart { req, objective, windows, range, step, .. } => {
                let port = self.simulation.metrics();
                let history = self.runtime.block_on(port.history(&objective, &windows, range, step, now));
                (req, Reply::Charted(history))
            }
            Effect::Alerts { req, .. } => {
                let port = self.simulation.alerts();
                (req, Reply::Alerts(self.runtime.block_on(port.snapshot())))
            }
            Effect::Append { req, events } => (req, Reply::Saved(self.store.append(events).unwrap())),
            Effect::All { req, incident } => (req, Reply::Events(self.store.events(&incident))),
            Effect::Older { req, incident, before } => {
                (req, Reply::Events(self.store.tail(&incident, Some(before), 500)))
            }
            Effect::WriteDraft { req, name, .. } => (req, Reply::Draft(Ok(format!("postmortems/{name}")))),
            Effect::Run { req, spec } => return self.run(req, spec),
            _ => return,
        };
        self.inbox.push_back(Msg::Reply(req, reply));
    }

    fn run(&mut self, req: ReqId, spec: CommandSpec) {
        let shell = self.simulation.shell();
        let news: Vec<CommandNews> = self.runtime.block_on(async {
            let (tell, mut heard) = tokio::sync::mpsc::channel(1_000);
            let (_stop, stopped) = tokio::sync::oneshot::channel();
            shell.run(spec, tell, stopped).await;
            let mut news = Vec::new();
            while let Some(it) = heard.recv().await {
                news.push(it);
            }
            news
        });
        self.inbox.extend(news.into_iter().map(|it| Msg::Reply(req, Reply::Command(it))));
    }

    /// Lets time pass, waking whenever something is due.
    fn wait(&mut self, seconds: i64) {
        let end = self.now() + secs(seconds);
        loop {
            let now = self.now();
            let due = next_deadline(&self.model, now, false).unwrap_or(end).max(now + secs(1));
            *self.clock.lock().unwrap() = due.min(end);
            self.handle(Msg::Wake);
            if due >= end {
                return;
            }
        }
    }

    /// Presses keys as a person does, a frame after each: names in angle brackets, letters otherwise.
    fn press(&mut self, keys: &str) {
        for word in keys.split(' ') {
            let one = |code| vec![Key::plain(code)];
            let pressed = match word {
                "<Enter>" => one(Code::Enter),
                "<Tab>" => one(Code::Tab),
                "<Down>" => one(Code::Down),
                "<Esc>" => one(Code::Esc),
                "<Space>" => one(Code::Char(' ')),
                letters => letters.chars().map(|c| Key::char(if c == '_' { ' ' } else { c })).collect(),
            };
            for key in pressed {
                self.handle(Msg::Key(key));
                self.handle(Msg::Painted);
            }
        }
    }

    fn frame(&self) -> Buffer {
        let area = Rect::new(0, 0, SIZE.0, SIZE.1);
        let mut buf = Buffer::empty(area);
        let shown = view(&self.model, self.now());
        draw(&shown, &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
        buf
    }
}

/// One incident of the demo from its page to its draft, with a picture at four moments.
fn story() -> Vec<(&'static str, Buffer)> {
    let mut pictures = Vec::new();
    let mut it = Cockpit::new("2026-08-23T03:09:20Z".parse().unwrap());
    it.wait(34);
    it.press("<Tab> i <Enter>");
    it.wait(6);
    it.press("a c <Enter>");
    it.wait(9);
    it.press("r d : arm <Enter> arm <Enter>");
    it.wait(4);
    it.press("<Enter> y");
    it.wait(12);
    it.press("n began_with_the_rollout_of_4f2a91 <Enter> d");
    it.wait(16);
    it.press("q s <Space> <Tab> 4f2a91_is_the_cause,_rolling_back <Enter>");
    it.wait(5);
    it.press("r <Enter> <Enter>");
    it.wait(4);
    it.press("<Enter>");
    pictures.push(("walk", it.frame()));
    it.press("y d");
    it.wait(8);
    it.press("1");
    it.wait(8);
    pictures.push(("overview", it.frame()));
    it.wait(22);
    it.press("3 m <Enter>");
    it.wait(350);
    it.press("2 <Down> <Enter> w");
    it.wait(4);
    pictures.push(("slo", it.frame()));
    it.press("3 x rolled_back_4f2a91 <Enter>");
    it.wait(3);
    let word: String = it.model.open_cases()[0].shown.id.0.chars().rev().take(4).collect();
    it.press(&word.chars().rev().collect::<String>());
    it.press("<Enter> p w");
    it.wait(2);
    it.press("<Down> <Down> <Down>");
    pictures.push(("postmortem", it.frame()));
    pictures
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("assets/pictures/{name}.svg"))
}

#[test]
fn pictures_are_what_the_program_draws() {
    let write = std::env::var("MIDWATCH_PICTURES").is_ok_and(|v| v == "1");
    for (name, frame) in story() {
        let drawn = svg(&frame, true);
        let path = path(name);
        if write {
            std::fs::write(&path, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == drawn, "{} is old; MIDWATCH_PICTURES=1 cargo test --test it pictures", path.display());
    }
}

#[test]
fn the_story_is_told_to_its_end() {
    let text = |frame: &Buffer| frame.content.iter().map(|c| c.symbol()).collect::<String>();
    for (name, frame) in story() {
        let words: &[&str] = match name {
            "walk" => &["CONFIRM", "rollout undo", "-n production", "guard", "ARMED"],
            "overview" => &["!! checkout_success", "CheckoutErrorBudgetBurn", "IC alice", "TIMERS", "kubectl rollout"],
            "slo" => &["SLO checkout_success", "ALERT PAIRS", "BUDGET and FORECAST", "sum(rate(http_requests_total"],
            "postmortem" => &["POSTMORTEM", "Root Cause", "Action Items", "need you"],
            other => panic!("{other}"),
        };
        for word in words {
            assert!(text(&frame).contains(word), "{name} lacks {word}");
        }
    }
}
