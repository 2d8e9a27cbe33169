//! Signals, on a thread of their own that depends on nothing that may hang.

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Until when, on the running clock in milliseconds, the keys of a terminal that was given away ask nothing of us.
static QUIET: AtomicU64 = AtomicU64::new(0);
/// The end of a command and the signal that ended it may reach us in either order, so far apart.
const AFTERMATH: u64 = 300;

/// While it lives, Ctrl-C, Ctrl-\\ and Ctrl-Z are for the command that has the terminal and not for us.
#[derive(Debug)]
pub struct Quiet(());

impl Quiet {
    /// From now on.
    pub fn begin() -> Self {
        QUIET.store(u64::MAX, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.store(now().saturating_add(AFTERMATH), Ordering::SeqCst);
    }
}

fn now() -> u64 {
    u64::try_from(crate::io::clock::running().as_millis()).unwrap_or(u64::MAX)
}

/// Starts the thread. A file-size limit is no death: the write fails and is told.
pub fn start(tell: impl Fn(Asked) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT, SIGXFSZ])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let keys = matches!(signal, SIGINT | SIGQUIT | SIGTSTP);
            if keys && now() < QUIET.load(Ordering::SeqCst) {
                continue;
            }
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
