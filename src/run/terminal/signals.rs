//! Signals, on a thread of their own that depends on nothing that may hang.

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH, SIGXFSZ};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// End with this exit code.
    End(i32),
    /// The terminal is gone; end with this exit code.
    Gone(i32),
    /// The terminal has another size.
    Resize,
    /// Suspend.
    Suspend,
    /// The process goes on after it was suspended.
    Continue,
}

/// Starts the thread. A file-size limit is no death: the write fails and is told.
pub fn start(tell: impl Fn(Asked) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGXFSZ])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => tell(Asked::Gone(128 + SIGHUP)),
                SIGTERM | SIGINT | SIGQUIT => tell(Asked::End(128 + signal)),
                SIGWINCH => tell(Asked::Resize),
                SIGTSTP => tell(Asked::Suspend),
                SIGCONT => tell(Asked::Continue),
                _ => {}
            }
        }
    })?;
    Ok(())
}
