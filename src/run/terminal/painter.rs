//! The painter: a thread that alone writes to the terminal, with room for one frame. A blocked terminal blocks only it;
//! the frames that it missed are never written, the newest is.

use crate::run::rehearsal::panic_at;
use crate::run::terminal::encode::{Encoding, frame};
use crate::run::terminal::{gone, is_taken, write_all};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What waits to be written.
#[derive(Default)]
struct Slot {
    wanted: Option<Buffer>,
    /// Bytes beside the frame: bell, title, clipboard.
    extra: Vec<u8>,
    full: bool,
    paused: bool,
    busy: bool,
    end: bool,
}

/// A handle on the painter.
pub struct Painter {
    slot: Arc<(Mutex<Slot>, Condvar)>,
}

impl std::fmt::Debug for Painter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Painter")
    }
}

impl Painter {
    /// Starts the thread; `lost` is called when the terminal takes no more bytes for good.
    pub fn start(encoding: Encoding, lost: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let slot: Arc<(Mutex<Slot>, Condvar)> = Arc::default();
        let shared = Arc::clone(&slot);
        std::thread::Builder::new().name("painter".into()).spawn(move || paint(&shared, encoding, &lost))?;
        Ok(Self { slot })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Slot) -> T) -> T {
        let (mutex, bell) = &*self.slot;
        let mut slot = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut slot);
        bell.notify_all();
        result
    }

    /// Wants this frame on the screen; one that waits is replaced.
    pub fn show(&self, buffer: Buffer) {
        self.with(|slot| slot.wanted = Some(buffer));
    }

    /// Writes bytes that are no cells. At most 128 KiB wait.
    pub fn say(&self, bytes: &[u8]) {
        self.with(|slot| {
            if slot.extra.len() + bytes.len() <= 128 * 1024 {
                slot.extra.extend_from_slice(bytes);
            }
        });
    }

    /// Draws everything again with the next frame.
    pub fn redraw(&self) {
        self.with(|slot| slot.full = true);
    }

    /// Lets nothing be written until [`Self::resume`], and waits (not for ever) until nothing is being written.
    pub fn pause(&self) {
        self.with(|slot| slot.paused = true);
        let (mutex, bell) = &*self.slot;
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        drop(bell.wait_timeout_while(guard, Duration::from_millis(300), |slot| slot.busy));
    }

    /// Writes again, all of the screen first.
    pub fn resume(&self) {
        self.with(|slot| {
            slot.paused = false;
            slot.full = true;
        });
    }

    /// Whether the last frame was written.
    pub fn idle(&self) -> bool {
        let (mutex, _) = &*self.slot;
        let slot = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        slot.wanted.is_none() && !slot.busy
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.with(|slot| slot.end = true);
        self.pause();
    }
}

fn paint(shared: &(Mutex<Slot>, Condvar), encoding: Encoding, lost: &impl Fn()) {
    let (mutex, bell) = shared;
    let mut shown = Buffer::empty(Rect::new(0, 0, 0, 0));
    loop {
        let slot = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |s: &mut Slot| !s.end && (s.paused || (s.wanted.is_none() && s.extra.is_empty()));
        let Ok(mut slot) = bell.wait_while(slot, idle) else { return };
        if slot.end {
            return;
        }
        let wanted = slot.wanted.take();
        let full = wanted.is_some() && std::mem::take(&mut slot.full);
        let mut bytes = std::mem::take(&mut slot.extra);
        slot.busy = true;
        drop(slot);
        if let Some(wanted) = wanted {
            bytes.extend(frame(&shown, &wanted, full, encoding));
            shown = wanted;
        }
        // A panic elsewhere gives the terminal back at once: nothing is drawn over its report.
        let written = if bytes.is_empty() || !is_taken() { Ok(()) } else { write_all(&bytes) };
        panic_at("painter");
        let mut slot = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        slot.busy = false;
        bell.notify_all();
        drop(slot);
        if written.is_err() {
            gone();
            lost();
            return;
        }
    }
}
