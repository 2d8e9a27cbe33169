//! The only place that prints. Results go to standard output, everything else to standard error; every cell and line of
//! outside text is made harmless here, and a reader that went away ends the program quietly.

use crate::cli::args::{Format, Global};
use crate::cli::failure::{Exit, Failure};
use crate::config::Environment;
use crate::config::flags::ColorChoice;
use crate::domain::document::{Finding, Level};
use crate::domain::text::{clean, is_hidden, width};
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Where a command's results go.
pub struct Output {
    format: Format,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    colour_out: bool,
    colour_err: bool,
    documents: usize,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Says what the argument parser has to say: help and version to standard output, mistakes to standard error.
pub fn usage(said: &clap::Error) -> Exit {
    let printed = said.print();
    match (said.use_stderr(), printed) {
        (true, _) => Exit::USAGE,
        (false, Ok(())) => Exit::DONE,
        (false, Err(error)) => Failure::Output(error).exit(),
    }
}

impl Output {
    /// Standard output and error of this process.
    pub fn standard(global: &Global, environment: &Environment) -> Self {
        let said = |name: &str| environment.get(name).is_some_and(|text| !text.is_empty());
        let dumb = environment.get("TERM").is_none_or(|term| term == "dumb");
        let wanted = |terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !dumb && !said("NO_COLOR") && !said("ACCESSIBLE"),
        };
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let (colour_out, colour_err) = (wanted(stdout.is_terminal()), wanted(stderr.is_terminal()));
        let out = Box::new(std::io::BufWriter::new(stdout));
        Self { format: global.output, out, err: Box::new(stderr), colour_out, colour_err, documents: 0 }
    }

    /// Any two sinks, without colour; for tests and for commands that print into a file.
    pub fn into_sinks(format: Format, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self { format, out, err, colour_out: false, colour_err: false, documents: 0 }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Exactly one document per run. Hidden characters inside strings are written as `\u` escapes: the same value for a
    /// program, harmless on a terminal.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(Failure::Output(std::io::Error::other("a second JSON document in one run")));
        }
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
        writeln!(self.out, "{}", escape_hidden(&text))?;
        Ok(())
    }

    /// One line; what would act on a terminal becomes a mark.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{}", clean(text))?;
        Ok(())
    }

    /// Text of our own making (completions, manual page, Markdown), as it stands. Outside text in it was already escaped.
    pub fn verbatim(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes())?;
        Ok(())
    }

    /// A table, aligned by terminal cells.
    pub fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let lines = table.lines();
        for (i, line) in lines.iter().enumerate() {
            if i == 0 && self.colour_out {
                writeln!(self.out, "\u{1b}[1m{line}\u{1b}[0m")?
            } else {
                writeln!(self.out, "{line}")?
            }
        }
        Ok(())
    }

    /// Findings as results, one per line.
    pub fn findings(&mut self, findings: &[Finding]) -> Result<(), Failure> {
        for finding in findings {
            writeln!(self.out, "{}", finding_line(finding, self.colour_out))?;
        }
        Ok(())
    }

    /// Findings beside the results. Standard error that takes nothing is no reason to stop.
    pub fn notes(&mut self, findings: &[Finding]) {
        for finding in findings {
            let written = writeln!(self.err, "{}", finding_line(finding, self.colour_err));
            if written.is_err() {
                return;
            }
        }
    }

    /// One line beside the results.
    pub fn note(&mut self, text: &str) {
        let written = writeln!(self.err, "{}", clean(text));
        drop(written);
    }

    /// Hands over what is buffered, now.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush()?;
        Ok(())
    }

    /// Says what went wrong and gives the exit code. What was printed before stands.
    pub fn failure(&mut self, failure: &Failure) -> Exit {
        let flushed = self.out.flush();
        drop(flushed);
        match failure {
            Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Failure::Config(findings) => {
                self.notes(findings);
                self.note("midwatch: the configuration cannot be used; nothing was done");
            }
            other => self.note(&format!("midwatch: {other}")),
        }
        failure.exit()
    }
}

fn finding_line(finding: &Finding, colour: bool) -> String {
    let (word, code) = match finding.level {
        Level::Error => ("error", 31),
        Level::Warning => ("warning", 33),
        Level::Info => ("info", 36),
    };
    let word = if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() };
    let place = match finding.line {
        0 => clean(&finding.path).into_owned(),
        line => format!("{}:{line}:{}", clean(&finding.path), finding.column),
    };
    format!("{place}: {word}: {} [{}]", clean(&finding.message), clean(&finding.rule))
}

fn escape_hidden(json: &str) -> std::borrow::Cow<'_, str> {
    let steers = |c: char| c != '\n' && is_hidden(c);
    if !json.chars().any(steers) {
        return json.into();
    }
    let mut out = String::with_capacity(json.len() + 32);
    for c in json.chars() {
        if steers(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.into()
}

/// Rows of cells under a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// A table with these columns; one that begins with `>` is aligned to the right.
    pub fn new(columns: &[&str]) -> Self {
        let right = columns.iter().map(|c| c.starts_with('>')).collect();
        let header = columns.iter().map(|c| c.trim_start_matches('>').to_owned()).collect();
        Self { rows: vec![header], right }
    }

    /// Adds a row. Cells are outside text.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| clean(cell.as_ref()).into_owned()).collect());
    }

    /// Whether there is nothing under the header.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The lines, header first, columns two blanks apart, nothing at the end of a line.
    pub fn lines(&self) -> Vec<String> {
        let mut widths = vec![0; self.right.len()];
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        let line = |row: &Vec<String>| {
            let mut out = String::new();
            for (i, (cell, widest)) in row.iter().zip(&widths).enumerate() {
                let gap = " ".repeat(widest.saturating_sub(width(cell)));
                let right = self.right.get(i).copied().unwrap_or(false);
                if i > 0 {
                    out.push_str("  ");
                }
                out.push_str(&if right { format!("{gap}{cell}") } else { format!("{cell}{gap}") });
            }
            out.truncate(out.trim_end().len());
            out
        };
        self.rows.iter().map(line).collect()
    }
}

/// One line on standard error that says how far something is, where that is a terminal; nothing anywhere else.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    most: usize,
}

impl Default for Progress {
    fn default() -> Self {
        Self::of("reading history")
    }
}

impl Progress {
    /// Of something in a word or two.
    pub fn of(what: &'static str) -> Self {
        Self { what, most: 0 }
    }

    /// So much is still to be done.
    pub fn left(&mut self, left: usize) {
        self.most = self.most.max(left);
        if left > 0 && std::io::stderr().is_terminal() {
            let done = (self.most - left) * 100 / self.most.max(1);
            // A terminal that takes nothing is no reason to stop.
            let _: std::io::Result<()> = write!(std::io::stderr(), "\r{}: {done}% \x1b[K", self.what);
        }
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.most > 0 && std::io::stderr().is_terminal() {
            let _: std::io::Result<()> = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn tables_align_by_cells_and_cannot_steer() {
        let mut table = Table::new(&["NAME", ">LEFT", "STATE"]);
        table.row(["日本", "61 %", "ok"]);
        table.row(["a\u{1b}[2J", "-4 %", "burning\n"]);
        assert_eq!(table.lines(), ["NAME   LEFT  STATE", "日本   61 %  ok", "a␛[2J  -4 %  burning␊"]);
    }

    #[test]
    fn json_is_the_same_value_and_harmless() {
        let sink = Sink::default();
        let mut output = Output::into_sinks(Format::Json, Box::new(sink.clone()), Box::new(Sink::default()));
        let value = serde_json::json!({"a": "x\u{9b}31m\u{202e}\u{7f}\u{e0041}\u{1b}y", "b": "日本"});
        output.json(&value).unwrap();
        let text = String::from_utf8(sink.0.borrow().clone()).unwrap();
        assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text:?}");
        assert!(text.contains("日本"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(output.json(&value).is_err(), "a second document");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let gone = Failure::Output(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(gone.exit(), Exit::DONE);
        assert_eq!(Failure::Output(std::io::Error::other("disk full")).exit(), Exit::NO);
    }
}
