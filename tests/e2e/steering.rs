//! What steers a terminal, read strictly: the modes that are still on at the end of a stream, and the set of sequences in
//! it. Anything that midwatch has no reason to send is an error.

use std::collections::{BTreeMap, BTreeSet};

/// A piece of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// `ESC [ parameters final`.
    Csi(String, char),
    /// `ESC ] text`, its terminator taken away.
    Osc(String),
    /// Another control character.
    Control(char),
    /// A visible character.
    Shown(char),
}

fn pieces(bytes: &[u8]) -> Result<Vec<Piece>, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8: {e}"))?;
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\x1b' {
            found.push(if c.is_control() { Piece::Control(c) } else { Piece::Shown(c) });
            continue;
        }
        match rest.next() {
            Some('[') => {
                let mut parameters = String::new();
                let last = loop {
                    match rest.next() {
                        Some(c @ '\x20'..='\x3f') => parameters.push(c),
                        Some(c @ '\x40'..='\x7e') => break c,
                        other => return Err(format!("CSI {parameters:?} goes on with {other:?}")),
                    }
                };
                found.push(Piece::Csi(parameters, last));
            }
            Some(']') => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some('\x07') => break,
                        Some('\x1b') if rest.peek() == Some(&'\\') => {
                            rest.next();
                            break;
                        }
                        Some(c) if !c.is_control() => inside.push(c),
                        other => return Err(format!("OSC {inside:?} goes on with {other:?}")),
                    }
                }
                found.push(Piece::Osc(inside));
            }
            other => return Err(format!("ESC {other:?}")),
        }
    }
    Ok(found)
}

/// Modes that we switch on.
const MODES: [&str; 4] = ["1049", "2004", "1004", "2026"];

/// What the stream leaves switched on (or the cursor off, or a colour on).
pub fn left_on(bytes: &[u8]) -> Vec<String> {
    // The report of a panic and a shell write what they like: only what can be read is looked at.
    let text = String::from_utf8_lossy(bytes);
    let mut modes: BTreeMap<String, bool> = BTreeMap::new();
    let mut colour = false;
    for piece in text.split("\x1b[").skip(1) {
        let end = piece.find(|c: char| ('\x40'..='\x7e').contains(&c)).unwrap_or(0);
        let (parameters, rest) = piece.split_at(end);
        let last = rest.chars().next();
        match (parameters.strip_prefix('?'), last) {
            (Some(mode), Some('h' | 'l')) => drop(modes.insert(mode.to_owned(), last == Some('h'))),
            (None, Some('m')) => colour = !(parameters.is_empty() || parameters == "0"),
            _ => {}
        }
    }
    let mut left: Vec<String> = modes
        .into_iter()
        .filter(|(mode, on)| if mode == "25" { !*on } else { *on })
        .map(|(mode, on)| format!("mode {mode} is {on}"))
        .collect();
    if colour {
        left.push("a colour".into());
    }
    left
}

/// Every kind of steering in the stream, or what does not belong there. Positions and colours count as one kind each.
pub fn kinds(bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for piece in pieces(bytes)? {
        let kind = match &piece {
            Piece::Shown(c) => {
                let invisible = matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
                if invisible {
                    return Err(format!("an invisible character: {c:?}"));
                }
                continue;
            }
            Piece::Control(c @ ('\r' | '\n' | '\x07')) => format!("{c:?}"),
            Piece::Control(c) => return Err(format!("a control character: {c:?}")),
            Piece::Csi(p, 'H') if numbers(p, 2, 2) => "position".into(),
            Piece::Csi(p, 'm') if numbers(p, 1, 16) => "colour".into(),
            Piece::Csi(p, 'J') if p == "2" => "erase".into(),
            Piece::Csi(p, 't') if p == "22;0" || p == "23;0" => format!("title {p}"),
            Piece::Csi(p, l @ ('h' | 'l')) => match p.strip_prefix('?') {
                Some(mode) if mode == "25" || MODES.contains(&mode) => format!("mode {mode}{l}"),
                _ => return Err(format!("{piece:?}")),
            },
            Piece::Osc(text) if text.starts_with("2;") => "title".into(),
            Piece::Osc(text) if text.starts_with("52;c;") => {
                let inside = text.trim_start_matches("52;c;");
                let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
                if !inside.chars().all(base64) {
                    return Err(format!("{piece:?}"));
                }
                "clipboard".into()
            }
            _ => return Err(format!("{piece:?}")),
        };
        found.insert(kind);
    }
    Ok(found)
}

fn numbers(parameters: &str, least: usize, most: usize) -> bool {
    let all: Vec<&str> = parameters.split(';').collect();
    (least..=most).contains(&all.len()) && all.iter().all(|n| n.parse::<u16>().is_ok())
}

#[test]
fn the_reader_itself_is_strict() {
    let ours = b"\x1b[?1049h\x1b[?25l\x1b[2J\x1b[1;1Hok \x1b[1;38;5;203mx\x1b[0m\x1b]2;t\x07\x1b[?25h\x1b[?1049l\x07";
    assert_eq!(left_on(ours), Vec::<String>::new());
    assert_eq!(kinds(ours).unwrap().len(), 9);
    for bad in [
        &b"\x1b[?1000h"[..],
        b"\x1b[6n",
        b"\x1bc",
        b"\x1b]8;;http://x\x07",
        b"\x1b]52;c;?\x07",
        b"\x08",
        b"\t",
        b"\x1b[3J",
        b"\xff",
        "\u{9b}".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{e0041}".as_bytes(),
        "\u{ad}".as_bytes(),
    ] {
        assert!(kinds(bad).is_err(), "{bad:?}");
    }
    let left = left_on(b"\x1b[?1049h\x1b[?25l\x1b[31m");
    assert_eq!(left.len(), 3, "{left:?}");
}
