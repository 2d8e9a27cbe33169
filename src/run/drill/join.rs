//! A player's end of a seat: a terminal whose keys go to the drill and that shows what comes back. Holds no machine, no port
//! and no record.

use crate::domain::drill::facilitation::{Answer, Ask, Joining, LONGEST_ANSWER, LONGEST_ASK, Shown, Typing};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::line_socket::{Heard, Wire};
use crate::run::terminal::keys::{Reader, Typed};
use crate::run::terminal::signals::{self, Asked};
use crate::run::terminal::{self, write_all};
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long a drill may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

enum In {
    Shown(Shown),
    Typed(Vec<Typed>),
    Asked(Asked),
    /// The drill's process is gone.
    Lost,
}

fn fault(why: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Local, "drill", why.into())
}

/// Plays at the drill of this socket. Gives what is to be told afterwards, and the exit code.
pub fn run(socket: &Path, joining: Joining) -> Result<(String, u8), Fault> {
    let mut wire = Wire::connect(socket)?;
    let joining = Joining { size: terminal::size(), ..joining };
    let ask = Ask::Join(joining).checked().map_err(fault)?;
    wire.say(&ask.line()).map_err(|e| fault(e.to_string()))?;
    match wire.hear(LONGEST_ANSWER, Some(PATIENCE)) {
        Heard::Line(line) => match Answer::read(&line).map_err(fault)? {
            Answer { error: Some(why), .. } => Err(fault(why)),
            _ => sit(wire),
        },
        Heard::Nothing => Err(fault("it does not answer")),
        _ => Err(fault("it ended")),
    }
}

fn sit(mut wire: Wire) -> Result<(String, u8), Fault> {
    let (sender, inbox) = channel();
    let threads = |e: std::io::Error| fault(format!("terminal threads: {e}"));
    terminal::enter()?;
    let guard = Guard;
    let asked = sender.clone();
    signals::start(move |it| drop(asked.send(In::Asked(it)))).map_err(threads)?;
    let (typed, hung) = (sender.clone(), sender.clone());
    let reader = Reader::start(
        move |it| drop(typed.send(In::Typed(it))),
        move || {
            terminal::gone();
            drop(hung.send(In::Asked(Asked::Gone(129))));
        },
    )
    .map_err(threads)?;
    let mut ears = wire.twin().map_err(threads)?;
    std::thread::Builder::new()
        .name("drill".into())
        .spawn(move || {
            loop {
                let it = match ears.hear(LONGEST_ANSWER, None) {
                    Heard::Line(line) => serde_json::from_str(&line).map_or(In::Lost, In::Shown),
                    Heard::Nothing => continue,
                    Heard::TooLong | Heard::NoText | Heard::Closed => In::Lost,
                };
                let over = matches!(it, In::Lost);
                if sender.send(it).is_err() || over {
                    return;
                }
            }
        })
        .map_err(threads)?;
    let mut ended = ("the drill's process is gone".to_owned(), 1);
    for it in inbox {
        let said = match it {
            In::Shown(Shown::Show(bytes)) => write_all(bytes.as_bytes()),
            In::Shown(Shown::Error(why)) => {
                tracing::warn!(%why, "the drill did not understand");
                Ok(())
            }
            In::Shown(Shown::End(words)) => {
                ended = (words, 0);
                break;
            }
            In::Lost => break,
            In::Typed(all) => all.into_iter().try_for_each(|it| type_(&mut wire, it)),
            In::Asked(Asked::End(code) | Asked::Gone(code)) => {
                ended = ("you left; the drill goes on without you".into(), u8::try_from(code).unwrap_or(1));
                break;
            }
            In::Asked(Asked::Resize | Asked::Continue) => {
                let (columns, rows) = terminal::size();
                tell(&mut wire, &Typing::Size(columns, rows))
            }
            In::Asked(Asked::Suspend) => Ok(()),
        };
        if said.is_err() {
            break;
        }
    }
    wire.hang_up();
    drop(reader);
    drop(guard);
    Ok(ended)
}

fn type_(wire: &mut Wire, typed: Typed) -> std::io::Result<()> {
    let typing = match typed {
        Typed::Key(key) => Typing::Keys(vec![key.to_string()]),
        // More than a line may hold is more than anybody meant to paste.
        Typed::Paste(text) => Typing::Paste(text.chars().take(LONGEST_ASK / 16).collect()),
        Typed::Focus(focus) => Typing::Focus(focus),
    };
    tell(wire, &typing)
}

fn tell(wire: &mut Wire, typing: &Typing) -> std::io::Result<()> {
    wire.say(&serde_json::to_string(typing).unwrap_or_default())
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        terminal::restore();
    }
}
