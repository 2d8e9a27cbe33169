//! The facilitator's end of a drill: one asking and its answer, or a screen that asks again and again how it stands.

use crate::app::facilitator::{Facilitator, Wish};
use crate::domain::drill::facilitation::{Answer, Ask, LONGEST_ANSWER};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::line_socket::{Heard, Wire};
use crate::run::terminal;
use crate::run::terminal::encode::Encoding;
use crate::run::terminal::keys::{Reader, Typed};
use crate::run::terminal::painter::Painter;
use crate::run::terminal::signals::{self, Asked};
use crate::run::tui::Looks;
use crate::ui::screen::facilitator::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long a drill may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the screen asks how the drill stands.
const AGAIN: Duration = Duration::from_millis(500);

enum In {
    Typed(Vec<Typed>),
    Asked(Asked),
    Lost,
}

fn fault(why: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Local, "drill", why.into())
}

/// A line to a running drill.
#[derive(Debug)]
pub struct Line(Wire);

impl Line {
    /// To the drill of this socket.
    pub fn to(socket: &Path) -> Result<Self, Fault> {
        Wire::connect(socket).map(Self)
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer, Fault> {
        // Whoever takes nothing may still have said why; the answer tells more than the failure.
        drop(self.0.say(&ask.line()));
        match self.0.hear(LONGEST_ANSWER, Some(PATIENCE)) {
            Heard::Line(line) => Answer::read(&line).map_err(fault),
            Heard::Nothing => Err(fault("it does not answer")),
            Heard::TooLong | Heard::NoText => Err(fault("its answer is not understood")),
            Heard::Closed => Err(fault("its process is gone")),
        }
    }
}

/// The screen, until it is left or the drill's process is gone. Gives the exit code.
pub fn screen(mut line: Line, looks: &Looks) -> Result<u8, Fault> {
    let mut state = Facilitator::default();
    state.answered(line.ask(&Ask::Observe)?);
    let (sender, inbox) = channel();
    let threads = |e: std::io::Error| fault(format!("terminal threads: {e}"));
    terminal::enter()?;
    let guard = Guard;
    let lost = sender.clone();
    let encoding = Encoding { synchronized: looks.synchronized };
    let painter = Painter::start(encoding, move || drop(lost.send(In::Lost))).map_err(threads)?;
    let asked = sender.clone();
    signals::start(move |it| drop(asked.send(In::Asked(it)))).map_err(threads)?;
    let reader = Reader::start(
        move |it| drop(sender.send(In::Typed(it))),
        // Its signal comes as well.
        terminal::gone,
    )
    .map_err(threads)?;
    let mut last = None;
    let code = loop {
        let (columns, rows) = terminal::size();
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(&state, &looks.theme, looks.glyphs, area, &mut buffer);
        if last.as_ref() != Some(&buffer) {
            painter.show(buffer.clone());
            last = Some(buffer);
        }
        let mut asks = Vec::new();
        match inbox.recv_timeout(AGAIN) {
            Ok(In::Typed(all)) => match typed(&mut state, all) {
                Some(wishes) => asks = wishes,
                None => break 0,
            },
            Ok(In::Asked(Asked::End(code) | Asked::Gone(code))) => break u8::try_from(code).unwrap_or(1),
            Ok(In::Asked(Asked::Resize | Asked::Continue)) => {
                last = None;
                painter.redraw();
            }
            Ok(In::Asked(Asked::Suspend)) => {}
            Ok(In::Lost) | Err(RecvTimeoutError::Disconnected) => break 1,
            Err(RecvTimeoutError::Timeout) => asks.push(Ask::Observe),
        }
        for ask in asks {
            if state.lost.is_some() {
                break;
            }
            match line.ask(&ask) {
                Ok(answer) => state.answered(answer),
                Err(fault) => {
                    state.lost = Some(format!("{fault}; q leaves, `midwatch drill report last` tells the rest"))
                }
            }
        }
    };
    painter.pause();
    drop(painter);
    drop(reader);
    drop(guard);
    Ok(code)
}

/// What comes of keys; `None` leaves.
fn typed(state: &mut Facilitator, all: Vec<Typed>) -> Option<Vec<Ask>> {
    let mut asks = Vec::new();
    for it in all {
        match it {
            Typed::Key(key) => match state.key(key) {
                Wish::Nothing => {}
                Wish::Ask(ask) => asks.push(ask),
                Wish::Leave => return None,
            },
            Typed::Paste(text) => state.paste(&text),
            Typed::Focus(_) => {}
        }
    }
    Some(asks)
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        terminal::restore();
    }
}
