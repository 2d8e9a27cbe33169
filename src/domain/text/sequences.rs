//! Control sequences out of a line of command output: colours, cursor moves, titles, clipboard writes. What is left of a
//! line that drew over itself is its last state.

/// A line without its control sequences. Controls that belong to none stay, and are marked where the line is shown.
pub fn strip(line: &str) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    // A progress bar goes back to the start of its line again and again.
    let line = line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or(line);
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let kind = match c {
            '\u{1b}' => match rest.next() {
                Some(kind) => kind,
                None => break,
            },
            // The C1 forms of the same.
            '\u{9b}' => '[',
            '\u{9d}' => ']',
            '\u{90}' => 'P',
            '\u{98}' => 'X',
            '\u{9e}' => '^',
            '\u{9f}' => '_',
            _ => {
                out.push(c);
                continue;
            }
        };
        match kind {
            '[' => while rest.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
            ']' | 'P' | 'X' | '^' | '_' => {
                while let Some(c) = rest.next() {
                    let ends = matches!(c, '\u{7}' | '\u{9c}') || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some());
                    if ends {
                        break;
                    }
                }
            }
            // Two-character sequences, some with one more.
            '\u{20}'..='\u{2f}' => drop(rest.next()),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_and_text_stays() {
        for (line, shown) in [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m text", "red text"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]52;c;aGk=\u{1b}\\after", "after"),
            ("\u{9b}2Jcleared", "cleared"),
            ("\u{1b}P+q\u{1b}\\x", "x"),
            ("\u{1b}(Bascii", "ascii"),
            ("10%\r50%\r100%", "100%"),
            ("done\r", "done"),
            ("a\u{202e}b\u{7}", "a\u{202e}b\u{7}"),
            ("cut \u{1b}[3", "cut "),
            ("cut \u{1b}", "cut "),
        ] {
            assert_eq!(strip(line), shown, "{line:?}");
        }
    }
}
