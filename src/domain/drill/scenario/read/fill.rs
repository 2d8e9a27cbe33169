//! Files beside a scenario put where they belong: outputs of commands, and signals that were recorded as CSV. Text in,
//! values out; which file that is, is the caller's business, and no path may leave the scenario's folder.

use crate::domain::document::{Finding, Level, Mark};
use crate::domain::drill::scenario::{Act, Out, Scenario, Shape};
use crate::domain::text::{clean, truncate};
use crate::domain::time::Span;
use std::collections::BTreeMap;

/// The most rows of a recorded signal.
const MOST_ROWS: usize = 20_000;

/// Whether `out` names a file: a path with a slash, without a space, in one line.
pub fn is_file(said: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    said.contains('/') && said.chars().all(plain) && said.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

/// Whether a path stays below the folder it starts from; else why not, as the end of a sentence.
pub fn safe_path(path: &str) -> Result<(), String> {
    let shown = truncate(path, 60);
    if path.is_empty() || path.starts_with(['/', '~']) || path.contains(['\\', '\0']) {
        return Err(format!("`{shown}` is no path beside the scenario"));
    }
    if path.split('/').any(|part| part == ".." || part.is_empty()) {
        return Err(format!("`{shown}` leaves the scenario's folder"));
    }
    Ok(())
}

/// Puts the texts of [`Scenario::files`] in. What could not be read (`Err` has the words) is told and becomes an empty
/// output, or a signal that stays at 0.
pub fn fill(scenario: &mut Scenario, texts: &BTreeMap<String, Result<String, String>>) -> Vec<Finding> {
    let mut filler = Filler { path: scenario.path.clone(), texts, findings: Vec::new() };
    for signal in &mut scenario.signals {
        filler.shape(&mut signal.shape, signal.mark);
    }
    for inject in &mut scenario.injects {
        filler.act(&mut inject.act, inject.mark);
    }
    for command in &mut scenario.commands {
        filler.out(&mut command.reply.out, command.mark);
        for effect in &mut command.effects {
            filler.act(effect, command.mark);
        }
    }
    filler.out(&mut scenario.fallback.out, Mark { line: 1, column: 1 });
    filler.findings
}

struct Filler<'t> {
    path: String,
    texts: &'t BTreeMap<String, Result<String, String>>,
    findings: Vec<Finding>,
}

impl Filler<'_> {
    fn tell(&mut self, mark: Mark, message: &str) {
        self.findings.push(Finding {
            path: self.path.clone(),
            line: mark.line,
            column: mark.column,
            rule: "missing-file".into(),
            level: Level::Error,
            message: clean(message).into_owned(),
        });
    }

    fn text(&mut self, name: &str, mark: Mark) -> Option<String> {
        match self.texts.get(name) {
            Some(Ok(text)) => Some(text.clone()),
            Some(Err(why)) => {
                self.tell(mark, &format!("`{name}` cannot be used: {why}"));
                None
            }
            None => {
                self.tell(mark, &format!("`{name}` is not there, looked for beside the scenario"));
                None
            }
        }
    }

    fn out(&mut self, out: &mut Out, mark: Mark) {
        if let Out::File(name) = out {
            let name = name.clone();
            *out = Out::Text(self.text(&name, mark).unwrap_or_default());
        }
    }

    fn act(&mut self, act: &mut Act, mark: Mark) {
        if let Act::Signal(change) = act {
            self.shape(&mut change.shape, mark);
        }
    }

    fn shape(&mut self, shape: &mut Shape, mark: Mark) {
        let Shape::File { path, column } = shape else { return };
        let (name, column) = (path.clone(), *column);
        let read = self.text(&name, mark).map(|text| recorded(&text, column));
        *shape = match read {
            Some(Ok(points)) => Shape::Recorded(points),
            Some(Err(why)) => {
                self.tell(mark, &format!("`{name}`: {why}"));
                Shape::Const(0.0)
            }
            None => Shape::Const(0.0),
        };
    }
}

/// Seconds and a value per row; a first row without a number is a heading.
fn recorded(text: &str, column: usize) -> Result<Vec<(Span, f64)>, String> {
    let mut points: Vec<(Span, f64)> = Vec::new();
    for (number, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty() && !row.starts_with('#')) {
        let cell = |n: usize| row.split(',').nth(n).map(str::trim).and_then(|c| c.parse::<f64>().ok());
        let (at, value) = (cell(0), cell(column.saturating_sub(1)));
        let Some((at, value)) = at.zip(value).filter(|(at, value)| at.is_finite() && value.is_finite()) else {
            if number == 1 && at.is_none() {
                continue;
            }
            return Err(format!("line {number} has no number in column 1 and in column {column}"));
        };
        let span = Span::try_milliseconds((at * 1_000.0) as i64).filter(|_| (0.0..=1e7).contains(&at));
        let span = span.ok_or_else(|| format!("line {number} begins with no seconds from 0 on"))?;
        if points.last().is_some_and(|(before, _)| *before >= span) {
            return Err(format!("line {number} is not later than the one before it"));
        }
        points.push((span, value));
        if points.len() > MOST_ROWS {
            return Err(format!("it has more than {MOST_ROWS} rows"));
        }
    }
    if points.is_empty() { Err("it holds no row of numbers".into()) } else { Ok(points) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_beside_the_scenario() {
        for path in ["out/top.txt", "a.csv", "deep/er/x.log"] {
            assert_eq!(safe_path(path), Ok(()), "{path}");
        }
        for path in ["", "/etc/passwd", "../x", "a/../../x", "~/x", "a//b", "a\\b"] {
            assert!(safe_path(path).is_err(), "{path}");
        }
        assert!(is_file("out/top.txt") && !is_file("not simulated") && !is_file("1/2 ready") && !is_file("api/v2"));
    }

    #[test]
    fn rows_become_points_and_what_is_none_is_told() {
        let read = |text: &str| recorded(text, 2).map(|p| p.len());
        assert_eq!(read("t,v\n0,1\n5.5,2\n"), Ok(2));
        assert_eq!(recorded("0,1,7\n9,2,8\n", 3).unwrap()[1], (Span::seconds(9), 8.0));
        for bad in ["", "t,v\n", "0,1\n0,2\n", "0,x\n", "0,1\n1,NaN\n", "-4,1\n", "1e300,1\n"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
