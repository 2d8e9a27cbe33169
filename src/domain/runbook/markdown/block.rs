//! A code block read as what somebody once typed: which lines are commands, which are output, and what happens inside a
//! session that an earlier line opened. A block without prompts is taken whole or not at all.

use crate::domain::document::Mark;
use crate::domain::runbook::markdown::line::{Given, LINE_LIMIT, Trust, assignment, judge};
use crate::domain::runbook::markdown::piece::Code;
use crate::domain::runbook::markdown::prompt::{Prompt, prompt};
use crate::domain::runbook::markdown::session;
use crate::domain::runbook::shell::scan;

/// The most lines of one command that goes on.
const GOES_ON: usize = 60;

/// What a block's label says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A script.
    Script,
    /// A transcript: commands with prompts, output, or either alone.
    Transcript,
    /// PromQL.
    Query,
    /// Something to look at.
    Text,
    /// Statements for another program, by its name.
    Program(&'static str),
    /// Nothing.
    None,
    /// A word that nobody knows.
    Unknown,
}

/// The label of a block, from the first word behind its fence.
pub fn label(info: &str) -> Label {
    let word: String =
        info.trim().chars().take_while(|c| !c.is_whitespace() && !matches!(c, '{' | ',' | ':')).collect();
    match word.trim_start_matches('.').to_ascii_lowercase().as_str() {
        "" if info.trim().is_empty() => Label::None,
        "" => Label::Unknown,
        "bash" | "shell" | "zsh" | "shellscript" | "ksh" | "fish" => Label::Script,
        "sh" | "console" | "shell-session" | "shellsession" | "sh-session" | "bash-session" | "terminal" => {
            Label::Transcript
        }
        "promql" => Label::Query,
        "yaml" | "yml" | "json" | "jsonnet" | "text" | "txt" | "log" | "logs" | "plaintext" | "plain" | "output"
        | "xml" | "toml" | "ini" | "conf" | "config" | "diff" | "mermaid" | "markdown" | "md" | "html" | "csv"
        | "http" | "properties" | "plantuml" | "dot" | "nginx" | "none" | "systemd" | "dockerfile" => Label::Text,
        "sql" | "mysql" | "pgsql" | "postgresql" | "psql" => Label::Program("SQL"),
        "ruby" | "rb" | "irb" => Label::Program("Ruby"),
        "python" | "py" | "pycon" => Label::Program("Python"),
        "javascript" | "js" | "typescript" | "ts" => Label::Program("JavaScript"),
        "go" | "golang" => Label::Program("Go"),
        "powershell" | "ps1" | "bat" | "cmd" => Label::Program("a Windows shell"),
        "logql" | "kql" | "kusto" | "lucene" | "redis" | "lua" | "hcl" | "terraform" | "groovy" | "java" | "perl"
        | "rust" => Label::Program("another program"),
        _ => Label::Unknown,
    }
}

/// A command of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As written, continuation lines joined.
    pub text: String,
    /// A variable that takes its output.
    pub capture: Option<String>,
    /// It takes the terminal.
    pub tty: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// A part of a block, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A command that may be offered.
    Command(Found),
    /// A variable and its value; empty where a person must say it.
    Set(String, String, Mark),
    /// A PromQL query.
    Query(String, Mark),
    /// A line that looks like a command and is not offered, and why.
    Refused(String, String, Mark),
    /// A comment between commands.
    Note(String),
    /// What the commands above printed.
    Output(Vec<String>),
    /// Something to look at, with the word for it.
    Shown(String, Vec<String>),
}

/// A session that is open, and the line that opened it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session(pub Option<(String, usize)>);

/// Reads a block. `session` is what earlier blocks of the section left open.
pub fn read(code: &Code, session: &mut Session) -> Vec<Part> {
    let kind = label(&code.info);
    let shown = |word: &str| vec![Part::Shown(word.to_owned(), code.lines.clone())];
    if code.lines.iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    match kind {
        Label::Text => shown(code.info.split_whitespace().next().unwrap_or("text")),
        Label::Program(name) => shown(&format!("{name}, runs in another program")),
        Label::Unknown => shown(&format!("labelled `{}`", code.info.trim())),
        Label::Query => query(code),
        Label::Script | Label::Transcript | Label::None => typed(code, kind, session),
    }
}

fn query(code: &Code) -> Vec<Part> {
    let lines: Vec<&str> =
        code.lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let text = lines.join(" ");
    let mark = at(code, 0);
    if code.open {
        return vec![Part::Refused(text, "its code block is not closed".to_owned(), mark)];
    }
    if text.is_empty() { Vec::new() } else { vec![Part::Query(text, mark)] }
}

fn at(code: &Code, n: usize) -> Mark {
    Mark { line: code.first + n, column: 1 }
}

/// A line with what goes on from it.
struct Logical {
    text: String,
    from: usize,
}

fn typed(code: &Code, kind: Label, session: &mut Session) -> Vec<Part> {
    let prompted =
        code.lines.iter().any(|l| matches!(prompt(l), Prompt::Own(_) | Prompt::Elsewhere(_) | Prompt::Program(_)));
    if code.open {
        let first = code.lines.iter().find(|l| !l.trim().is_empty()).map(|l| l.trim().to_owned()).unwrap_or_default();
        let why = "its code block is not closed, so that nobody can say where it ends".to_owned();
        return vec![Part::Refused(first, why, at(code, 0)), Part::Shown("not closed".to_owned(), code.lines.clone())];
    }
    if prompted { transcript(code, session) } else { script(code, kind, session) }
}

/// Lines with a prompt are commands, the rest is what they printed.
fn transcript(code: &Code, session: &mut Session) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut n = 0;
    while let Some(line) = code.lines.get(n) {
        let from = n;
        n += 1;
        match prompt(line) {
            Prompt::Own(first) => {
                let text = go_on(first.to_owned(), &code.lines, &mut n);
                if !text.is_empty() {
                    parts.extend(one(Logical { text, from }, Trust::Prompt, code, session));
                }
            }
            Prompt::Elsewhere(all) => {
                let why = "it was typed at the prompt of another host or container".to_owned();
                parts.push(Part::Refused(all.to_owned(), why, at(code, from)));
            }
            Prompt::Program(all) => {
                parts.push(Part::Refused(
                    all.to_owned(),
                    "it was typed into another program".to_owned(),
                    at(code, from),
                ));
            }
            Prompt::Comment => parts.push(Part::Note(line.trim().to_owned())),
            Prompt::None | Prompt::More(_) => match parts.last_mut() {
                Some(Part::Output(lines)) => lines.push(line.clone()),
                _ if line.trim().is_empty() => {}
                _ => parts.push(Part::Output(vec![line.clone()])),
            },
        }
    }
    parts
}

/// A command and the lines that it goes on in: behind a backslash, an open quote, a pipe.
fn go_on(first: String, lines: &[String], n: &mut usize) -> String {
    let mut text = first;
    for _ in 0..GOES_ON {
        if text.len() > LINE_LIMIT {
            break;
        }
        let backslash = text.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let pipe = text.ends_with('|') || text.ends_with("&&");
        let open = !backslash && !pipe && !scan(&text).balanced;
        let Some(next) = lines.get(*n).filter(|_| backslash || pipe || open) else { break };
        let next = match prompt(next) {
            Prompt::Own(_) | Prompt::Elsewhere(_) | Prompt::Program(_) => break,
            Prompt::More(rest) => rest,
            _ if open => next.as_str(),
            _ => next.trim(),
        };
        *n += 1;
        if backslash {
            text.pop();
            let joined = text.trim_end().len();
            text.truncate(joined);
        }
        // What stands inside quotes keeps its line break, and is refused for it.
        text.push(if open { '\n' } else { ' ' });
        text.push_str(next);
    }
    text.trim().to_owned()
}

/// A block without prompts: every line is a command, or none is.
fn script(code: &Code, kind: Label, session: &mut Session) -> Vec<Part> {
    let trust = if kind == Label::Script { Trust::Script } else { Trust::Shape };
    let mut all: Vec<Logical> = Vec::new();
    let mut notes: Vec<Part> = Vec::new();
    let mut n = 0;
    while let Some(line) = code.lines.get(n) {
        let from = n;
        n += 1;
        if line.trim_start().starts_with('#') {
            notes.push(Part::Note(line.trim().to_owned()));
        } else if !line.trim().is_empty() {
            let text = go_on(line.trim().to_owned(), &code.lines, &mut n);
            all.push(Logical { text, from });
        }
    }
    if all.is_empty() {
        let first = code.lines.iter().position(|l| !l.trim().is_empty()).unwrap_or(0);
        let text = code.lines.get(first).map(|l| l.trim().to_owned()).unwrap_or_default();
        let why = "`#` may be a comment or the prompt of root; what follows it is never run".to_owned();
        return vec![
            Part::Refused(text, why, at(code, first)),
            Part::Shown("as written".to_owned(), code.lines.clone()),
        ];
    }
    let wrong = all.iter().find_map(|it| judge(&it.text, trust).err().map(|why| (it, why)));
    let Some((it, why)) = wrong else {
        notes.extend(all.into_iter().flat_map(|it| one(it, trust, code, session)));
        return notes;
    };
    let several = all.len() > 1;
    let why = if several { format!("{why}; without prompts the block is taken whole or not at all") } else { why };
    let refused = Part::Refused(it.text.clone(), why, at(code, it.from));
    // Output without a label is common and no mistake.
    let told = kind != Label::None || !several;
    let word = if kind == Label::None { "as shown" } else { "not taken for commands" };
    let shown = Part::Shown(word.to_owned(), code.lines.clone());
    if told && !(kind == Label::None && it.text.split_whitespace().count() < 2) {
        vec![refused, shown]
    } else {
        vec![shown]
    }
}

/// One line, as what may be done with it.
fn one(it: Logical, trust: Trust, code: &Code, session: &mut Session) -> Vec<Part> {
    let mark = at(code, it.from);
    if let Some((opener, line)) = &session.0 {
        let why = format!("it belongs inside the session that `{opener}` opened at line {line}");
        return vec![Part::Refused(it.text, why, mark)];
    }
    if let Err(why) = judge(&it.text, trust) {
        return vec![Part::Refused(it.text, why, mark)];
    }
    match assignment(&it.text) {
        Some((name, Given::Value(value))) => return vec![Part::Set(name, value, mark)],
        Some((name, Given::Output(command))) => {
            return match judge(&command, Trust::Prompt) {
                Ok(()) if session::opens(&command).is_none() => {
                    vec![Part::Command(Found { text: command, capture: Some(name), tty: false, mark })]
                }
                Ok(()) => vec![Part::Refused(it.text, "what it captures is a session".to_owned(), mark)],
                Err(why) => vec![Part::Refused(it.text, why, mark)],
            };
        }
        None => {}
    }
    let opened = session::opens(&it.text);
    let tty = opened.is_some() || session::wants_terminal(&it.text);
    if let Some(opener) = opened {
        session.0 = Some((opener, mark.line));
    }
    vec![Part::Command(Found { text: it.text, capture: None, tty, mark })]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(info: &str, text: &str) -> Vec<String> {
        let lines = text.lines().map(str::to_owned).collect();
        let code = Code { info: info.to_owned(), lines, first: 10, ..Code::default() };
        read(&code, &mut Session::default()).into_iter().map(word).collect()
    }

    fn word(part: Part) -> String {
        match part {
            Part::Command(c) => {
                let capture = c.capture.map(|n| format!(" > {n}")).unwrap_or_default();
                format!("{} run{} {}{capture}", c.mark.line, if c.tty { " tty" } else { "" }, c.text)
            }
            Part::Set(name, value, _) => format!("set {name}={value}"),
            Part::Refused(text, why, mark) => {
                format!("{} no {text} ({})", mark.line, why.split(';').next().unwrap_or_default())
            }
            Part::Query(text, mark) => format!("{} query {text}", mark.line),
            Part::Note(text) => format!("note {text}"),
            Part::Output(lines) => format!("output {}", lines.len()),
            Part::Shown(what, lines) => format!("shown {what} {}", lines.len()),
        }
    }

    #[test]
    fn a_transcript_is_told_from_its_output() {
        assert_eq!(
            told(
                "console",
                "$ oc get pods \\\n    -n x\nNAME  READY\na     1/1\n\n# a comment\n$ oc logs a |\n  tail -1\n$"
            ),
            ["10 run oc get pods -n x", "output 3", "note # a comment", "16 run oc logs a | tail -1"]
        );
        assert_eq!(
            told("", "$ oc rsh etcd-0\nsh-4.4# etcdctl member list\n| table |\n$ oc get pods -n x"),
            [
                "10 run tty oc rsh etcd-0",
                "11 no sh-4.4# etcdctl member list (it was typed at the prompt of another host or container)",
                "output 1",
                "13 no oc get pods -n x (it belongs inside the session that `oc rsh etcd-0` opened at line 10)"
            ]
        );
        assert_eq!(
            told("bash", "$ kubectl create -f - <<EOF\nkind: X\nEOF"),
            ["10 no kubectl create -f - <<EOF (its input is a here-document)", "output 2"]
        );
        assert_eq!(
            told("bash", "$ echo 'a\nb'\n$ ls -l"),
            ["10 no echo 'a\nb' (it spans several lines)", "12 run ls -l"]
        );
    }

    #[test]
    fn without_prompts_a_block_is_taken_whole_or_not_at_all() {
        assert_eq!(
            told("bash", "# first\nNS=prod\nPOD=$(oc get pod -n \"$NS\" -o name)\noc logs \"$POD\""),
            ["note # first", "set NS=prod", "12 run oc get pod -n \"$NS\" -o name > POD", "13 run oc logs \"$POD\""]
        );
        assert_eq!(
            told("console", "oc delete pod x --force\nerror: cannot delete"),
            [
                "11 no error: cannot delete (its first word is not the name of a program in lower case)",
                "shown not taken for commands 2"
            ]
        );
        assert_eq!(told("", "oc get pods -A"), ["10 run oc get pods -A"]);
        assert_eq!(told("", "NAME READY\na 1/1"), ["shown as shown 2"]);
        assert_eq!(
            told("sh", "I0312 10:00:00 x.go:1] failed"),
            [
                "10 no I0312 10:00:00 x.go:1] failed (its first word is not the name of a program in lower case)",
                "shown not taken for commands 1"
            ]
        );
    }

    #[test]
    fn labels_decide() {
        assert_eq!(told("sql", "drop table x;"), ["shown SQL, runs in another program 1"]);
        assert_eq!(told("yaml", "a: 1"), ["shown yaml 1"]);
        assert_eq!(told("shel", "ls -l"), ["shown labelled `shel` 1"]);
        assert_eq!(told("promql", "sum(\n  up\n)"), ["10 query sum( up )"]);
        assert_eq!(label("bash {linenos=table}"), Label::Script);
        assert_eq!(label("Console"), Label::Transcript);
        assert_eq!(told("bash", "\n \n"), Vec::<String>::new());
    }
}
