//! `apiVersion: midwatch/v1`: a runbook that says what its commands may do, where they run, what must hold and how a change
//! is taken back. Reports everything wrong at once and still opens: what cannot be understood is left out, never guessed.
//! `v1/step.rs` reads steps, `v1/command.rs` what runs, `v1/mutation.rs` what stands around a change, `v1/flow.rs` the ways
//! of a walk, `v1/input.rs` where values come from. Replaces nothing in any text.

mod command;
mod flow;
mod input;
mod mutation;
mod step;

use crate::domain::document::{Fields, Level, Mark, Node, Reader, Value, nearest};
use crate::domain::ids::StepId;
use crate::domain::runbook::keys::Object;
use crate::domain::runbook::keys::v1::{DEFAULTS, RUNBOOK, TARGET_MAP, TRIGGER};
use crate::domain::runbook::model::{
    Dialect, Input, OnFail, Op, Probe, Risk, RunCommand, Runbook, Step, Target, Trigger, default_review,
};
use crate::domain::runbook::pattern;
use crate::domain::runbook::pieces::{
    fields, items, links, matchers, needed, reviewed, runbook_id, rungs, sha256, slug, text, word,
};
use crate::domain::runbook::v1::command::Frame;
use crate::domain::severity::Severity;
use crate::domain::slo::promql;
use crate::domain::time::Span;

/// Reads a tree of this format. `None` when it has no step.
pub fn read(reader: &mut Reader<'_>, path: &str, source: &str, root: &Node) -> Option<Runbook> {
    let top = fields(reader, root, &RUNBOOK)?;
    let id = runbook_id(reader, &top, path, Level::Error);
    let name = needed(reader, &top, "name").unwrap_or_else(|| id.0.clone());
    if let Some(kind) = top.get("kind") {
        word(reader, kind, "kind", &[("Runbook", ())]);
    }
    let (steps, file) = {
        let mut file = File::new(reader, &top);
        (file.steps(&top), file.into_parts(&top))
    };
    if steps.is_empty() {
        if let Some(node) = top.get("steps") {
            reader.error(node.mark, "missing-key", "the runbook has no step; it is not loaded");
        }
        return None;
    }
    Some(Runbook {
        name,
        description: text(reader, &top, "description").unwrap_or_default(),
        severity: text(reader, &top, "severity").map(Severity),
        owner: text(reader, &top, "owner"),
        reviewed: reviewed(reader, &top),
        review_every: top.get("review_every").and_then(|n| reader.span(n, "review_every")).unwrap_or(default_review()),
        triggers: items(reader, &top, "triggers").iter().filter_map(|node| trigger(reader, node)).collect(),
        dialect: Dialect::V1,
        links: links(reader, &top),
        inputs: file.inputs,
        guards: file.guards,
        targets: file.targets,
        cwd: file.cwd,
        steps,
        escalation: rungs(reader, &top),
        id,
        path: path.to_owned(),
        sha256: sha256(source),
    })
}

fn trigger(reader: &mut Reader<'_>, node: &Node) -> Option<Trigger> {
    let own = fields(reader, node, &TRIGGER)?;
    let alert = needed(reader, &own, "alert")?;
    let matchers = matchers(reader, &own)?;
    Some(Trigger {
        alert,
        matchers,
        expr: own.get("firing").and_then(|n| query(reader, n, "firing")),
        for_: own.get("for").and_then(|n| reader.span(n, "for")),
        mark: node.mark,
    })
}

/// What holds for every command or step that does not say it.
struct Defaults {
    timeout: Option<Span>,
    target: Option<String>,
    cwd: Option<String>,
    on_fail: OnFail,
}

/// What was read of a file beside its steps.
struct Parts {
    inputs: Vec<Input>,
    guards: Vec<Probe>,
    targets: Vec<(String, Target)>,
    cwd: Option<String>,
}

/// Commands, targets, defaults and guards of another kind of file that writes them as a runbook does, read by the same rules.
pub struct Borrowed<'r, 'a>(File<'r, 'a>);

impl std::fmt::Debug for Borrowed<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Borrowed")
    }
}

impl<'r, 'a> Borrowed<'r, 'a> {
    /// Reads `targets` and `defaults` of the file's own keys.
    pub fn new(reader: &'r mut Reader<'a>, top: &Fields<'_>) -> Self {
        Self(File::new(reader, top))
    }

    /// Where findings go.
    pub fn reader(&mut self) -> &mut Reader<'a> {
        self.0.reader
    }

    /// The checks under `guard`.
    pub fn guards(&mut self, top: &Fields<'_>) -> Vec<Probe> {
        self.0.guards(top)
    }

    /// The declared risk, if it is one.
    pub fn risk(&mut self, own: &Fields<'_>) -> Option<Risk> {
        self.0.risk(own)
    }

    /// What `argv` or `sh` of a map runs, with `timeout`, `target`, `cwd` and `ok_exit` beside it.
    pub fn command(&mut self, own: &Fields<'_>, id: String, risk: Risk) -> Option<RunCommand> {
        self.0.run(own, Frame::new(id, risk))
    }

    /// PromQL.
    pub fn query(&mut self, node: &Node, what: &str) -> Option<String> {
        query(self.0.reader, node, what)
    }

    /// `op` and `value`, both needed.
    pub fn bound(&mut self, own: &Fields<'_>) -> (Option<Op>, Option<f64>) {
        self.0.bound(own)
    }

    /// A regular expression over lines that can be used.
    pub fn regex(&mut self, node: &Node, what: &str) -> Option<String> {
        self.0.regex(node, what, "wrong-type", true).map(|(said, _)| said)
    }

    /// The declared targets and the folder that commands run in.
    pub fn places(self) -> (Vec<(String, Target)>, Option<String>) {
        (self.0.targets, self.0.defaults.cwd)
    }
}

/// A file while it is read: what its parts must know of each other.
struct File<'r, 'a> {
    reader: &'r mut Reader<'a>,
    targets: Vec<(String, Target)>,
    defaults: Defaults,
    /// The id of each step, by its place in the list.
    ids: Vec<StepId>,
}

impl<'r, 'a> File<'r, 'a> {
    fn new(reader: &'r mut Reader<'a>, top: &Fields<'_>) -> Self {
        let nothing = Defaults { timeout: None, target: None, cwd: None, on_fail: OnFail::Ask };
        let mut file = Self { reader, targets: Vec::new(), defaults: nothing, ids: Vec::new() };
        file.targets(top);
        file.ids = file.name_steps(top);
        file.defaults(top);
        file
    }

    fn into_parts(mut self, top: &Fields<'_>) -> Parts {
        let inputs = self.inputs(top);
        let guards = self.guards(top);
        Parts { inputs, guards, targets: self.targets, cwd: self.defaults.cwd }
    }

    fn targets(&mut self, top: &Fields<'_>) {
        let Some(node) = top.get("targets") else { return };
        for (key, inner) in self.reader.entries(node, "targets").unwrap_or_default() {
            if key.text == "local" || slug(&key.text, "") != key.text {
                let message =
                    format!("`{}` cannot name a target (expected lower case with dashes, not `local`)", key.text);
                self.error(key.mark, &message);
                continue;
            }
            let own = self.fields(inner, &TARGET_MAP);
            let Some((host, at)) = own.and_then(|own| Some((needed(self.reader, &own, "ssh")?, own.get("ssh")?.mark)))
            else {
                continue;
            };
            let harmless = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if host.starts_with(|c: char| c.is_ascii_alphanumeric()) && host.chars().all(harmless) && host.len() <= 253
            {
                self.targets.push((key.text.clone(), Target::Ssh { host }));
            } else {
                self.error(
                    at,
                    "ssh takes a Host of ~/.ssh/config and nothing else: user, port and options belong there",
                );
            }
        }
    }

    fn defaults(&mut self, top: &Fields<'_>) {
        let Some(own) = top.get("defaults").and_then(|node| self.fields(node, &DEFAULTS)) else { return };
        self.defaults.timeout = self.timeout(&own);
        self.defaults.target = self.target(&own);
        self.defaults.cwd = text(self.reader, &own, "cwd").filter(|cwd| cwd != ".");
        if let Some(node) = own.get("on_fail") {
            self.defaults.on_fail = self.on_fail(node, None);
        }
    }

    fn fields<'n>(&mut self, node: &'n Node, object: &Object) -> Option<Fields<'n>> {
        fields(self.reader, node, object)
    }

    fn error(&mut self, mark: Mark, message: &str) {
        self.reader.error(mark, "RB001", message);
    }

    /// The items of a list of maps; one may stand alone.
    fn several<'n>(&mut self, own: &Fields<'n>, key: &str) -> &'n [Node] {
        match own.get(key) {
            Some(node @ Node { value: Value::Map(_), .. }) => std::slice::from_ref(node),
            _ => items(self.reader, own, key),
        }
    }

    /// An id under a key, made right with a finding.
    fn id(&mut self, node: &Node, what: &str) -> Option<String> {
        let said = self.reader.string(node, what)?;
        if slug(&said, "") == said {
            return Some(said);
        }
        self.reader.wrong(node, what, "lower case, digits and dashes, at most 64");
        None
    }

    /// A time limit: more than nothing, less than a day.
    fn timeout(&mut self, own: &Fields<'_>) -> Option<Span> {
        let node = own.get("timeout")?;
        let span = self.reader.span(node, "timeout")?;
        if span >= Span::seconds(1) && span <= Span::days(1) {
            return Some(span);
        }
        self.reader.wrong(node, "timeout", "between 1s and 1d");
        None
    }

    /// A declared target; an undeclared one stays, so that nothing runs in the wrong place.
    fn target(&mut self, own: &Fields<'_>) -> Option<String> {
        let node = own.get("target")?;
        let said = self.reader.string(node, "target")?;
        if said == "local" {
            return None;
        }
        if !self.targets.iter().any(|(name, _)| *name == said) {
            let names: Vec<&str> = self.targets.iter().map(|(name, _)| name.as_str()).chain(["local"]).collect();
            let hint = hint(&said, &names);
            self.error(node.mark, &format!("no target `{said}` is declared; the command is not run ({hint})"));
        }
        Some(said)
    }

    /// A regular expression that can be used, and how many groups it has. `lines` makes `^` and `$` the ends of a line.
    fn regex(&mut self, node: &Node, what: &str, rule: &str, lines: bool) -> Option<(String, usize)> {
        let said = self.reader.string(node, what)?;
        match pattern::groups(&said, lines) {
            Ok(groups) => Some((said, groups)),
            Err(why) => {
                self.reader.error(node.mark, rule, format!("{what} is not a regular expression: {why}"));
                None
            }
        }
    }
}

/// PromQL. What our parser does not know is told and kept: a server may know it.
fn query(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let said = reader.string(node, what)?;
    match promql::parse(&said) {
        Ok(_) => Some(said),
        Err(promql::Refusal::Unknown(why)) => {
            let message = format!("{what} does not read as PromQL: {why}");
            reader.report(node.mark, Level::Warning, "RB001", message);
            Some(said)
        }
        Err(promql::Refusal::TooMuch(why)) => {
            reader.error(node.mark, "wrong-type", format!("{what} is not used: {why}"));
            None
        }
    }
}

/// The nearest of some names, else all of them.
fn hint(said: &str, names: &[&str]) -> String {
    match nearest(said, names.iter().copied()) {
        Some(near) => format!("nearest: `{near}`"),
        None if names.is_empty() => "there is none".to_owned(),
        None => format!("expected one of: {}", names.join(", ")),
    }
}

/// A step that was read, by its id.
fn above<'s>(steps: &'s [Step], id: &str) -> Option<&'s Step> {
    steps.iter().find(|step| step.id.as_str() == id)
}
