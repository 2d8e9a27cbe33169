//! A planned step becomes a step: its texts, its commands, what was refused, and the values that its commands ask for.
//! Every command gets the risk `unknown`.

use crate::domain::document::{Finding, Level, Mark};
use crate::domain::ids::StepId;
use crate::domain::runbook::markdown::block::{Found, Label, Part, Session, label, read};
use crate::domain::runbook::markdown::outline::Draft;
use crate::domain::runbook::markdown::piece::{Code, Piece};
use crate::domain::runbook::markdown::{COMMAND_LIMIT, INPUT_LIMIT, Rejected, blank, finding};
use crate::domain::runbook::model::{
    Capture, Choose, Exec, Go, Input, InputFrom, Link, OnFail, Risk, RunCommand, Step,
};
use crate::domain::runbook::pieces::slug;
use crate::domain::runbook::values::{is_known, steers};
use crate::domain::text::{clean, truncate};
use std::collections::BTreeSet;

/// The most lines of one block that a step tells; the file has the rest.
const LINES_TOLD: usize = 60;
/// The first line of an output that has no blank in it.
pub const CAPTURE: &str = r"^(\S+)$";
/// What is accepted for a value of which nothing else is known.
const ANY: &str = "[A-Za-z0-9_.:/@%+=,-]{1,256}";
const KUBERNETES: &str = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?";
const NUMBER: &str = "[0-9]{1,9}";

/// Makes steps, and keeps what goes over several of them.
pub struct Maker<'p> {
    path: &'p str,
    taken: BTreeSet<String>,
    captured: BTreeSet<String>,
    asked: BTreeSet<String>,
    offered: usize,
    session: Session,
    section: usize,
    /// Values that commands ask for, in the order of their first use.
    pub inputs: Vec<Input>,
    /// Commands that were too many to be offered.
    pub over: usize,
    /// What was not taken for a command.
    pub rejected: Vec<Rejected>,
    /// What a person should know.
    pub warnings: Vec<Finding>,
}

impl<'p> Maker<'p> {
    /// For the file of this name.
    pub fn new(path: &'p str) -> Self {
        Self {
            path,
            taken: BTreeSet::new(),
            captured: BTreeSet::new(),
            asked: BTreeSet::new(),
            offered: 0,
            session: Session::default(),
            section: 0,
            inputs: Vec::new(),
            over: 0,
            rejected: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The next step.
    pub fn step(&mut self, draft: Draft) -> Step {
        if draft.section != self.section {
            self.session = Session::default();
            self.section = draft.section;
        }
        let name = if draft.name.trim().is_empty() { "Read".to_owned() } else { draft.name };
        let mut step = Step {
            id: self.id(&name),
            name,
            say: String::new(),
            phase: draft.phase,
            when: None,
            commands: Vec::new(),
            parallel: false,
            on_fail: OnFail::default(),
            prose: Vec::new(),
            checks: Vec::new(),
            options: Vec::new(),
            choose: Choose::default(),
            include: None,
            go: Go::default(),
            approval: false,
            links: Vec::new(),
            todos: Vec::new(),
            mark: draft.mark,
        };
        let mut say: Vec<String> = Vec::new();
        let mut headed = false;
        for piece in draft.body {
            match piece {
                Piece::Text(text) => {
                    if text.depth <= draft.depth && !say.is_empty() && !headed {
                        say.push(String::new());
                    }
                    headed = text.head;
                    for link in &text.links {
                        add_link(&mut step.links, link.clone());
                    }
                    text.lines.iter().for_each(|line| bare_links(&mut step.links, line, text.mark));
                    say.extend(text.read(draft.depth));
                }
                Piece::Code(code) => self.code(&code, &mut step, &mut say),
                _ => {}
            }
        }
        step.say = say.join("\n");
        step
    }

    fn id(&mut self, name: &str) -> StepId {
        // Room for a number: an id has at most 64 characters.
        let wanted: String = slug(name, "step").chars().take(58).collect();
        let wanted = wanted.trim_end_matches('-').to_owned();
        let mut id = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(id.clone()) {
            id = format!("{wanted}-{number}");
            number += 1;
        }
        StepId(id)
    }

    fn code(&mut self, code: &Code, step: &mut Step, say: &mut Vec<String>) {
        self.doubts(code);
        let parts = read(code, &mut self.session);
        let shown = parts.iter().any(|part| matches!(part, Part::Shown(..)));
        for part in parts {
            if matches!(part, Part::Command(_) | Part::Query(..) | Part::Refused(..)) {
                self.offered += 1;
                if self.offered > COMMAND_LIMIT {
                    self.over += 1;
                    continue;
                }
            }
            match part {
                Part::Command(found) => self.command(found, step),
                Part::Query(query, mark) => {
                    let id = format!("{}.{}", step.id, step.commands.len() + 1);
                    step.commands.push(RunCommand::new(id, query.clone(), Exec::Query(query), Risk::Unknown, mark));
                }
                Part::Set(name, value, mark) => {
                    let told = if value.is_empty() { "(what it is here)" } else { value.as_str() };
                    say.push(format!("set {name} to: {told}"));
                    let words = name.to_ascii_lowercase().replace('_', " ");
                    self.ask(&name, &words, Some(value).filter(|v| !v.is_empty()), mark);
                }
                Part::Refused(text, why, mark) => {
                    if !shown && !text.contains('\n') {
                        step.prose.push(match &self.session.0 {
                            Some((opener, _)) if why.starts_with("it belongs inside") => {
                                format!("inside `{opener}`: {text}")
                            }
                            _ => text.clone(),
                        });
                    }
                    self.rejected.push(Rejected { text, why, mark });
                }
                Part::Note(text) => say.push(text),
                Part::Output(lines) => tell(say, "expected output:", &lines),
                Part::Shown(what, lines) => tell(say, &format!("{what}:"), &lines),
            }
        }
    }

    fn command(&mut self, found: Found, step: &mut Step) {
        if let Some(name) = found.capture.as_ref().filter(|name| steers(name)) {
            let why = format!("`{name}` steers programs and shells; its value is not kept");
            step.prose.push(format!("{name}=$({})", found.text));
            self.rejected.push(Rejected { text: found.text, why, mark: found.mark });
            return;
        }
        for blank in blank::blanks(&found.text) {
            let words = blank.written.trim_matches(['<', '>']).to_owned();
            self.ask(&blank.name, &words, None, found.mark);
        }
        for name in blank::variables(&found.text) {
            self.ask(&name, &name.to_ascii_lowercase().replace('_', " "), None, found.mark);
        }
        let id = format!("{}.{}", step.id, step.commands.len() + 1);
        let mut command = RunCommand::new(id, found.text.clone(), Exec::Sh(found.text), Risk::Unknown, found.mark);
        command.tty = found.tty;
        if let Some(name) = found.capture {
            self.captured.insert(name.clone());
            command.capture.push(Capture { name, regex: CAPTURE.to_owned(), mark: found.mark });
        }
        step.commands.push(command);
    }

    /// Declares a value that somebody must give, unless it is there already.
    fn ask(&mut self, name: &str, words: &str, default: Option<String>, mark: Mark) {
        if is_known(name) || steers(name) || self.captured.contains(name) || self.asked.contains(name) {
            return;
        }
        if self.inputs.len() >= INPUT_LIMIT {
            // The command stays readable; as a file of v1 it is refused for the value that nothing gives.
            return;
        }
        self.asked.insert(name.to_owned());
        let whole = |pattern: &str, value: &str| {
            regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(value))
        };
        // A default that its own pattern refuses would never be used.
        let pattern = match &default {
            Some(value) if !whole(pattern(name), value) => ANY,
            _ => pattern(name),
        };
        let fits = |value: &String| whole(pattern, value) && !value.starts_with('-');
        self.inputs.push(Input {
            name: name.to_owned(),
            from: InputFrom::Ask { prompt: truncate(&clean(words), 60).into_owned() },
            default: default.filter(fits),
            pattern: Some(pattern.to_owned()),
            min: None,
            max: None,
            secret: ["PASSWORD", "TOKEN", "SECRET"].iter().any(|word| name.contains(word)),
            mark,
        });
    }

    /// What is odd about a block itself.
    fn doubts(&mut self, code: &Code) {
        if code.open {
            self.warn(
                code.mark,
                "MD004",
                "the code block is not closed (expected a line of ``` before the next heading or block)",
            );
        }
        let info = code.info.trim();
        let rest = info.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
        if label(info) == Label::Unknown {
            let word = truncate(&clean(info), 40).into_owned();
            self.warn(code.mark, "MD005", &format!("`{word}` is no label that is known; the block is only shown"));
        } else if !rest.is_empty() && !rest.contains(['=', '{', '}', '[', ':'].as_slice()) {
            let rest = truncate(&clean(rest), 60).into_owned();
            self.warn(
                code.mark,
                "MD006",
                &format!("`{rest}` stands on the line of the fence, where it is a label and not shown"),
            );
        }
    }

    fn warn(&mut self, mark: Mark, rule: &str, message: &str) {
        self.warnings.push(finding(self.path, mark, Level::Warning, rule, message));
    }
}

fn tell(say: &mut Vec<String>, what: &str, lines: &[String]) {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |n| n + 1);
    let lines = lines.get(..end).unwrap_or(lines);
    say.push(what.to_owned());
    say.extend(lines.iter().take(LINES_TOLD).map(|line| format!("    {}", line.replace('\t', "    "))));
    if lines.len() > LINES_TOLD {
        say.push(format!("    ({} more lines in the file)", lines.len() - LINES_TOLD));
    }
}

fn add_link(links: &mut Vec<Link>, link: Link) {
    if !links.iter().any(|l| l.url == link.url) {
        links.push(link);
    }
}

/// Addresses that stand in a text without being links of Markdown.
fn bare_links(links: &mut Vec<Link>, line: &str, mark: Mark) {
    for (at, _) in line.match_indices("http").take(20) {
        let rest = line.get(at..).unwrap_or_default();
        if !rest.starts_with("https://") && !rest.starts_with("http://") {
            continue;
        }
        let url: String =
            rest.chars().take_while(|c| c.is_ascii_graphic() && !"<>\"'`()[]{}|\\".contains(*c)).take(2_000).collect();
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?']).to_owned();
        if url.len() > "https://".len() {
            add_link(links, Link { title: url.clone(), url, mark });
        }
    }
}

/// What is accepted for a value, by its name.
fn pattern(name: &str) -> &'static str {
    let parts: Vec<&str> = name.split('_').collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    if has(&["REPLICAS", "COUNT", "NUMBER", "PORT", "PID", "LINES", "SECONDS", "MINUTES"]) {
        NUMBER
    } else if has(&[
        "NAMESPACE",
        "NS",
        "POD",
        "DEPLOYMENT",
        "NODE",
        "PVC",
        "PV",
        "SERVICE",
        "JOB",
        "VM",
        "VMI",
        "STATEFULSET",
        "DAEMONSET",
        "CONTAINER",
    ]) {
        KUBERNETES
    } else {
        ANY
    }
}
