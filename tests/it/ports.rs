//! Ports for servers that must be told one, and for places where nobody listens.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port on which nobody listens, and nobody will by chance: below those that the system hands out by itself, and told once.
pub fn closed_port() -> u16 {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    loop {
        // Runs beside this one begin elsewhere.
        let turn = std::process::id().wrapping_mul(97).wrapping_add(TOLD.fetch_add(1, Ordering::SeqCst));
        let port = 20_000 + u16::try_from(turn % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
