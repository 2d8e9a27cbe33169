//! Masking of a text that arrives in pieces: what could be the beginning of a secret waits for its rest.

use crate::domain::mask::{MARK, Masks, is_hot};

/// How much of an unfinished line waits at most, in bytes.
const HELD: usize = 8 * 1024;
/// How much of a word without end waits, in bytes; no secret that has a shape is longer.
const WORD: usize = 4 * 1024;
const KEY_BEGINS: &str = "-----BEGIN ";
const KEY: &str = "PRIVATE KEY-----";
const KEY_ENDS: &str = "-----END ";
/// The longest beginning or end of a key block.
const KEY_LINE: usize = 64;

/// A text being masked.
#[derive(Clone, Debug)]
pub struct Stream {
    masks: Masks,
    /// Not looked at for key blocks yet.
    raw: String,
    /// Free of key blocks, not given out yet.
    held: String,
    /// Inside a private key.
    inside: bool,
}

impl Stream {
    /// An empty one.
    pub fn new(masks: Masks) -> Self {
        Self { masks, raw: String::new(), held: String::new(), inside: false }
    }

    /// Takes the next piece and gives what can be shown. `last` gives the rest.
    pub fn push(&mut self, piece: &str, last: bool) -> String {
        self.raw.push_str(piece);
        self.without_keys(last);
        let ranges = self.masks.ranges(&self.held);
        let mut cut = if last { self.held.len() } else { self.safe() };
        if let Some(across) = ranges.iter().find(|r| r.start < cut && cut < r.end) {
            cut = if cut - across.start > HELD { across.end } else { across.start };
        }
        // One that reaches the end may go on in the next piece.
        if let Some(open) = ranges.last().filter(|r| !last && r.end == self.held.len() && r.start < cut) {
            cut = if cut - open.start > HELD { cut } else { open.start };
        }
        let (shown, rest) = self.held.split_at_checked(cut).unwrap_or((&self.held, ""));
        let mut out = String::with_capacity(shown.len());
        let mut at = 0;
        for range in ranges.iter().filter(|r| r.end <= cut) {
            out.push_str(shown.get(at..range.start).unwrap_or_default());
            out.push_str(MARK);
            at = range.end;
        }
        out.push_str(shown.get(at..).unwrap_or_default());
        self.held = rest.to_owned();
        out
    }

    /// Nothing came for a while: what waits is given out unless it may well be a part of a secret.
    pub fn idle(&mut self) -> String {
        if is_hot(&self.held) || self.masks.begun(&self.held) > 0 || !self.raw.is_empty() {
            return String::new();
        }
        std::mem::take(&mut self.held)
    }

    /// Moves text from `raw` to `held` and leaves private keys out.
    fn without_keys(&mut self, last: bool) {
        loop {
            if self.inside {
                match block_end(&self.raw, KEY_ENDS) {
                    Some((_, end)) => {
                        self.raw.drain(..end);
                        self.inside = false;
                    }
                    None => {
                        let from = self.raw.floor_char_boundary(self.raw.len().saturating_sub(KEY_LINE));
                        self.raw.drain(..from);
                        if last {
                            self.raw.clear();
                        }
                        return;
                    }
                }
            }
            match block_end(&self.raw, KEY_BEGINS) {
                Some((start, end)) => {
                    self.held.push_str(self.raw.get(..start).unwrap_or_default());
                    self.held.push_str(MARK);
                    self.raw.drain(..end);
                    self.inside = true;
                }
                None => {
                    let keep = if last { self.raw.len() } else { begun_key(&self.raw) };
                    let rest = self.raw.split_off(keep);
                    self.held.push_str(&self.raw);
                    self.raw = rest;
                    return;
                }
            }
        }
    }

    /// How much of the held text cannot be the beginning of a secret.
    fn safe(&self) -> usize {
        let held = &self.held;
        let line_at = held.rfind('\n').map_or(0, |at| at + 1);
        let line = held.get(line_at..).unwrap_or_default();
        let word_at = line_at + line.rfind(char::is_whitespace).map_or(0, |at| at + 1).min(line.len());
        let mut cut = if is_hot(line) { line_at } else { held.floor_char_boundary(word_at) };
        if held.len() - cut > HELD {
            cut = held.floor_char_boundary(held.len() - WORD);
        }
        cut.min(held.len() - self.masks.begun(held))
    }
}

/// Where the beginning of a beginning stands that must wait for its rest; the length when there is none.
fn begun_key(text: &str) -> usize {
    let near = text.floor_char_boundary(text.len().saturating_sub(KEY_LINE));
    let end = text.get(near..).unwrap_or_default();
    let may = |at: &usize| {
        let rest = end.get(*at..).unwrap_or_default();
        KEY_BEGINS.starts_with(rest) || (rest.starts_with(KEY_BEGINS) && !rest.contains('\n'))
    };
    end.match_indices('-').map(|(at, _)| at).find(may).map_or(text.len(), |at| near + at)
}

/// Where a line of dashes of a private key begins and ends.
fn block_end(text: &str, opening: &str) -> Option<(usize, usize)> {
    for (start, _) in text.match_indices(opening) {
        let rest = text.get(start..)?;
        let end = rest.find(KEY).map(|at| at + KEY.len());
        if let Some(end) = end.filter(|end| *end <= KEY_LINE && !rest.get(..*end).unwrap_or_default().contains('\n')) {
            return Some((start, start + end));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "start\npassword=hunter2 x\nGET /x Authorization: Bearer abcdefgh12345678\nid AKIAIOSFODNN7EXAMPLE\n\
                        -----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\nqqq\n-----END EC PRIVATE KEY-----\nvalue s3cr3t value!\ndone";
    const SECRETS: [&str; 5] = ["hunter2", "abcdefgh12345678", "AKIAIOSFODNN7EXAMPLE", "MHcCAQEEIB", "s3cr3t value"];

    proptest! {
        #[test]
        fn no_cut_lets_a_secret_through(cuts in prop::collection::vec(0..TEXT.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut stream = Stream::new(Masks::of(["s3cr3t value"]));
            let (mut shown, mut at) = (String::new(), 0);
            for cut in cuts {
                shown.push_str(&stream.push(TEXT.get(at..cut).unwrap(), false));
                at = cut;
            }
            shown.push_str(&stream.push(TEXT.get(at..).unwrap(), true));
            for secret in SECRETS {
                prop_assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            prop_assert!(shown.starts_with("start\npassword=[masked] x\n") && shown.ends_with("value [masked]!\ndone"), "{shown}");
        }

        #[test]
        fn text_without_a_secret_arrives_whole(pieces in prop::collection::vec("[a-z \n.-]{0,40}", 0..20)) {
            let mut stream = Stream::new(Masks::of(["zzzzqqqq"]));
            let mut shown = String::new();
            for piece in &pieces {
                shown.push_str(&stream.push(piece, false));
            }
            shown.push_str(&stream.push("", true));
            let all = pieces.concat();
            prop_assume!(!is_hot(&all) && !all.contains("zzzzqqqq"));
            prop_assert_eq!(shown, all);
        }
    }

    #[test]
    fn what_waits_is_bounded_and_an_idle_prompt_is_shown() {
        let mut stream = Stream::new(Masks::default());
        let shown: usize = (0..100).map(|_| stream.push(&"x".repeat(10_000), false).len()).sum();
        assert!(shown > 980_000 && stream.held.len() <= HELD);
        let mut stream = Stream::new(Masks::default());
        assert_eq!(stream.push("Continue? ", false), "Continue? ");
        assert_eq!(stream.push("[y/N]", false), "");
        assert_eq!(stream.idle(), "[y/N]");
        assert_eq!(stream.push(" password=", false), "");
        assert_eq!(stream.idle(), "");
    }
}
