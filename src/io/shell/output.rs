//! What a command wrote, in bounded memory: its first bytes, the latest ones, a count of what was given up in between,
//! and a hash over all of it. The text stays raw; whoever shows it cleans it.

use crate::io::store::chain::hex;
use sha2::{Digest, Sha256};

/// Pieces left out after one that had to give something up: a flood is shown five times a second at most.
const CALM: u32 = 3;
/// The least that is kept of the end, whatever was asked for.
const LEAST: usize = 4 * 1024;

/// The output of one command.
#[derive(Debug)]
pub struct Output {
    hash: Sha256,
    bytes: u64,
    dropped: u64,
    /// Bytes of the head still to come.
    head_left: usize,
    head: Vec<u8>,
    tail: Vec<u8>,
    tail_limit: usize,
    /// Given up since the last piece, between `head` and `tail`.
    gap: u64,
    calm: u32,
}

impl Output {
    /// Keeps `head` bytes from the beginning and three times as many from the end.
    pub fn new(head: usize) -> Self {
        Self {
            hash: Sha256::new(),
            bytes: 0,
            dropped: 0,
            head_left: head,
            head: Vec::new(),
            tail: Vec::new(),
            tail_limit: head.saturating_mul(3).max(LEAST),
            gap: 0,
            calm: 0,
        }
    }

    /// Takes what was written next.
    pub fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(count(bytes.len()));
        let (head, tail) = bytes.split_at_checked(self.head_left).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(head);
        self.head_left -= head.len();
        self.tail.extend_from_slice(tail);
        // Twice the limit before it is cut, so that the cutting costs little.
        if self.tail.len() > self.tail_limit.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let excess = self.tail.len().saturating_sub(self.tail_limit);
        self.tail.drain(..excess);
        self.gap = self.gap.saturating_add(count(excess));
        self.dropped = self.dropped.saturating_add(count(excess));
    }

    /// The next piece to show, at most four times the head; `None` when there is none yet. A character that is still
    /// incomplete waits for its rest, unless this is the `last` piece.
    pub fn flush(&mut self, last: bool) -> Option<String> {
        if !last && self.calm > 0 {
            self.calm -= 1;
            return None;
        }
        if self.tail.len() > self.tail_limit {
            self.cut();
        }
        let mut text = String::new();
        let head = std::mem::take(&mut self.head);
        let mut bytes = std::mem::take(&mut self.tail);
        if self.gap > 0 {
            text.push_str(&String::from_utf8_lossy(&head));
            text.push_str(&format!("\n[midwatch: {} bytes not kept]\n", self.gap));
            self.gap = 0;
            self.calm = CALM;
        } else {
            bytes.splice(..0, head);
        }
        if !last {
            let rest = bytes.split_off(complete(&bytes));
            // Where it goes back does not matter: it is shown before all that comes.
            self.head = rest;
        }
        text.push_str(&String::from_utf8_lossy(&bytes));
        (!text.is_empty()).then_some(text)
    }

    /// Bytes in all, bytes never shown, and the hash over all of them.
    pub fn finish(self) -> (u64, u64, String) {
        (self.bytes, self.dropped, hex(&self.hash.finalize()))
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// How many of the bytes can be shown without cutting a character that is still arriving.
fn complete(bytes: &[u8]) -> usize {
    for back in 1..=3_usize.min(bytes.len()) {
        let at = bytes.len() - back;
        let length = match bytes.get(at) {
            Some(0xc2..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf4) => 4,
            Some(0x80..=0xbf) => continue,
            _ => return bytes.len(),
        };
        return if length > back { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_output_is_kept_whole_whatever_the_pieces() {
        let text = "größe 🦀 \u{7f}ok\n";
        for size in 1..text.len() {
            let mut output = Output::new(8);
            let mut shown = String::new();
            for piece in text.as_bytes().chunks(size) {
                output.take(piece);
                shown.extend(output.flush(false));
            }
            shown.extend(output.flush(true));
            assert_eq!(shown, text, "pieces of {size}");
            let (bytes, dropped, hash) = output.finish();
            assert_eq!((bytes, dropped), (count(text.len()), 0));
            assert_eq!(hash, hex(&Sha256::digest(text.as_bytes())));
        }
    }

    #[test]
    fn a_flood_keeps_both_ends_and_counts_the_rest() {
        let all: Vec<u8> = (0..400_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let mut output = Output::new(2_000);
        for piece in all.chunks(65_536) {
            output.take(piece);
            assert!(output.tail.len() + output.head.len() < 80_000);
        }
        let shown = output.flush(true).unwrap();
        let text = String::from_utf8(all.clone()).unwrap();
        assert!(shown.starts_with(text.split_at(2_000).0));
        assert!(shown.ends_with(text.split_at(text.len() - 6_000).1));
        let (bytes, dropped, _) = output.finish();
        assert_eq!((bytes, dropped), (count(all.len()), count(all.len()) - 8_000));
        assert!(shown.contains(&format!("[midwatch: {dropped} bytes not kept]")));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_and_none_is_held_back_for_ever() {
        let mut output = Output::new(100);
        output.take(b"a\xff\xf0\x9f");
        assert_eq!(output.flush(false).as_deref(), Some("a\u{fffd}"));
        assert_eq!(output.flush(false), None);
        assert_eq!(output.flush(true).as_deref(), Some("\u{fffd}"));
        assert_eq!(output.flush(true), None);
    }
}
