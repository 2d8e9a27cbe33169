//! An experiment out of YAML: everything that cannot be used is told with its place, the rest is read. Commands, targets and
//! guards are read by the rules of runbooks; `read/look.rs` reads what is looked at, `read/deed.rs` what is done. An experiment
//! that lost a part which keeps it safe (an abort condition, a rollback, a guard) is not given at all.

mod deed;
mod look;

use crate::domain::document::{Fields, Finding, Level, Mark, Node, Reader, Value, nearest, parse};
use crate::domain::experiment::halting::HaltTime;
use crate::domain::experiment::hours::Hours;
use crate::domain::experiment::keys::{BLAST, EXPERIMENT, NOT_WHEN, REASONS, WINDOW};
use crate::domain::experiment::model::{Blast, Experiment, Look, Watched, Window};
use crate::domain::ids::SloId;
use crate::domain::runbook::keys::Object;
use crate::domain::runbook::keys::v1::API_VERSION;
use crate::domain::runbook::model::{Condition, Dialect, Op, Runbook, default_review};
use crate::domain::runbook::pieces::{fields, needed, runbook_id, sha256, text};
use crate::domain::runbook::v1::Borrowed;
use crate::domain::time::{Span, compact, mins, secs};

/// The longest experiment.
const LONGEST: Span = Span::hours(12);
/// The most of anything in one experiment.
const MOST: usize = 50;
/// The least share of a budget, where the file does not say.
const BUDGET: f64 = 0.25;

/// Reads an experiment. `None` with an error that says why when it cannot be run safely as it stands.
pub fn read(path: &str, source: &str) -> (Option<Experiment>, Vec<Finding>) {
    let (root, mut findings) = parse(path, source);
    let Some(root) = root else { return (None, findings) };
    let mut reader = Reader::new(path);
    let experiment = experiment(&mut reader, path, source, &root);
    findings.append(&mut reader.findings);
    findings.sort_by_key(|f| (f.line, f.column));
    let bad = findings.iter().any(|f| f.level == Level::Error);
    (experiment.filter(|_| !bad), findings)
}

/// A file while it is read.
struct File<'r, 'a> {
    commands: Borrowed<'r, 'a>,
}

fn experiment(reader: &mut Reader<'_>, path: &str, source: &str, root: &Node) -> Option<Experiment> {
    let top = fields(reader, root, &EXPERIMENT)?;
    for (key, want, must) in [("apiVersion", API_VERSION, false), ("kind", "Experiment", true)] {
        let node = if must { top.need(reader, key) } else { top.get(key) };
        if let Some(node) = node.filter(|node| node.text() != Some(want)) {
            reader.wrong(node, key, want);
        }
    }
    let id = runbook_id(reader, &top, path, Level::Error);
    let hypothesis = needed(reader, &top, "hypothesis").filter(|said| !said.trim().is_empty());
    let title = text(reader, &top, "title").or_else(|| hypothesis.clone()).unwrap_or_default();
    let mut book = Runbook {
        name: title.clone(),
        description: String::new(),
        severity: None,
        owner: text(reader, &top, "owner"),
        reviewed: None,
        review_every: default_review(),
        triggers: Vec::new(),
        dialect: Dialect::V1,
        links: Vec::new(),
        inputs: Vec::new(),
        guards: Vec::new(),
        targets: Vec::new(),
        cwd: None,
        steps: Vec::new(),
        escalation: Vec::new(),
        path: path.to_owned(),
        sha256: sha256(source),
        id: id.clone(),
    };
    let mut file = File { commands: Borrowed::new(reader, &top) };
    let blast = top.need(file.reader(), "blast_radius").and_then(|node| file.blast(node));
    let window = file.window(&top);
    let (abort, no_data) = file.aborts(&top);
    let (halt_by, halt_times) = file.halting(&top);
    let read = Experiment {
        id: id.0,
        title,
        description: text(file.reader(), &top, "description").unwrap_or_default(),
        hypothesis: hypothesis.unwrap_or_default(),
        owner: book.owner.clone(),
        window,
        slos: file.texts(&top, "slos").into_iter().map(SloId).collect(),
        duration: top
            .need(file.reader(), "duration")
            .and_then(|n| file.bounded(n, "duration", secs(1), LONGEST))
            .unwrap_or_else(|| mins(1)),
        every: file.span(&top, "every", (secs(1), mins(5))).unwrap_or_else(|| secs(5)),
        recovery: file.span(&top, "recovery", (secs(1), LONGEST)).unwrap_or_else(|| mins(10)),
        steady: file.steady(&top),
        abort,
        no_data,
        method: file.deeds(&top, "method"),
        success: file.success(&top),
        manual: file.texts(&top, "manual"),
        rollback: file.deeds(&top, "rollback"),
        halt_by,
        halt_times,
        blast: blast.unwrap_or_default(),
        source: source.to_owned(),
        book: book.clone(),
    };
    book.guards = file.commands.guards(&top);
    (book.targets, book.cwd) = file.commands.places();
    Some(Experiment { book, ..read })
}

impl<'a> File<'_, 'a> {
    fn reader(&mut self) -> &mut Reader<'a> {
        self.commands.reader()
    }

    fn fields<'n>(&mut self, node: &'n Node, object: &Object) -> Option<Fields<'n>> {
        fields(self.reader(), node, object)
    }

    fn error(&mut self, mark: Mark, message: impl AsRef<str>) {
        self.reader().error(mark, "experiment", message);
    }

    /// The items of a list of maps, or of one that stands alone. A needed list that is empty is told.
    fn each<'n>(&mut self, top: &Fields<'n>, key: &str, needed: bool) -> &'n [Node] {
        let node = if needed { top.need(self.reader(), key) } else { top.get(key) };
        let Some(node) = node else { return &[] };
        let items = match &node.value {
            Value::Map(_) => std::slice::from_ref(node),
            Value::Scalar { .. } => {
                self.reader().wrong(node, key, "a list of maps");
                &[]
            }
            _ => self.reader().list(node, key),
        };
        if items.is_empty() && needed {
            self.error(node.mark, format!("`{key}` is empty; the experiment cannot be run without it"));
        }
        if items.len() > MOST {
            self.error(node.mark, format!("`{key}` has {} entries (at most {MOST})", items.len()));
        }
        items.get(..MOST).unwrap_or(items)
    }

    fn texts(&mut self, own: &Fields<'_>, key: &str) -> Vec<String> {
        own.get(key).map(|node| self.reader().strings(node, key)).unwrap_or_default()
    }

    fn bounded(&mut self, node: &Node, what: &str, least: Span, most: Span) -> Option<Span> {
        let span = self.reader().span(node, what)?;
        if span >= least && span <= most {
            return Some(span);
        }
        self.reader().wrong(node, what, &format!("{} to {}", compact(least), compact(most)));
        None
    }

    fn span(&mut self, own: &Fields<'_>, key: &str, (least, most): (Span, Span)) -> Option<Span> {
        own.get(key).and_then(|node| self.bounded(node, key, least, most))
    }

    fn share(&mut self, node: &Node, what: &str) -> Option<f64> {
        let number = self.reader().number(node, what)?;
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        self.reader().wrong(node, what, "a share from 0 to 1");
        None
    }

    fn blast(&mut self, node: &Node) -> Option<Blast> {
        let own = self.fields(node, &BLAST)?;
        let environment = needed(self.reader(), &own, "environment")?.trim().to_owned();
        if environment.is_empty() || environment.chars().any(|c| c.is_whitespace() || c.is_control()) {
            self.error(node.mark, "`environment` must be one word: it is typed before anything changes");
        }
        let mut forbid = Vec::new();
        for item in own.get("forbid").map(|n| self.reader().list(n, "forbid")).unwrap_or_default() {
            match self.reader().string(item, "forbid") {
                Some(word) if !word.trim().is_empty() => forbid.push((word.trim().to_owned(), item.mark)),
                Some(_) => self.error(item.mark, "`forbid` has an empty word, which would forbid nothing"),
                None => {}
            }
        }
        let hosts = self.texts(&own, "hosts").into_iter().map(|host| host.trim().to_ascii_lowercase()).collect();
        let mut blast = Blast {
            environment,
            targets: text(self.reader(), &own, "targets").unwrap_or_default(),
            max_share: own.get("max_share").and_then(|n| self.share(n, "max_share")),
            share: None,
            forbid,
            hosts,
            mark: node.mark,
        };
        if let Some(node) = own.get("share_promql") {
            blast.share = self.measured(node, &blast);
        }
        Some(blast)
    }

    /// How the share that is touched is measured.
    fn measured(&mut self, node: &Node, blast: &Blast) -> Option<Watched> {
        let query = self.commands.query(node, "share_promql")?;
        let (Some(value), Some(name)) = (blast.max_share, blast.limit()) else {
            self.error(
                node.mark,
                "`share_promql` measures what nothing is held against (expected `max_share` beside it)",
            );
            return None;
        };
        let what = Look::Condition(Condition::Promql { query, op: Op::Gt, value, any: true });
        Some(Watched { name, what, for_: secs(0), within: mins(5), at_end: false, mark: node.mark })
    }

    /// Who may halt it, and the times at which it is halted.
    fn halting(&mut self, top: &Fields<'_>) -> (Vec<String>, Vec<HaltTime>) {
        let (mut people, mut times) = (Vec::new(), Vec::new());
        for item in top.get("halt_by").map(|n| self.reader().list(n, "halt_by")).unwrap_or_default() {
            let Some(said) = self.reader().string(item, "halt_by") else { continue };
            match HaltTime::parse(&said) {
                Ok(Some(time)) => times.push(time),
                Ok(None) => people.push(said),
                Err(why) => self.error(item.mark, format!("halt_by: {why}")),
            }
        }
        (people, times)
    }

    fn window(&mut self, top: &Fields<'_>) -> Window {
        let mut window =
            Window { budget: Some(BUDGET), freeze: true, stated: false, hours: Vec::new(), mark: top.mark() };
        let Some(own) = top.get("window").and_then(|node| self.fields(node, &WINDOW)) else { return window };
        window.mark = own.mark();
        if let Some(node) = own.get("not_when") {
            (window.budget, window.freeze, window.stated) = (None, false, true);
            let items = match &node.value {
                Value::Map(_) => std::slice::from_ref(node),
                _ => self.reader().list(node, "not_when"),
            };
            for item in items {
                self.reason(item, &mut window);
            }
        }
        for item in own.get("hours").map(|n| self.reader().list(n, "hours")).unwrap_or_default() {
            let Some(said) = self.reader().string(item, "hours") else { continue };
            match Hours::parse(&said) {
                Ok(hours) => window.hours.push(hours),
                Err(why) => self.error(item.mark, format!("hours: {why}")),
            }
        }
        window
    }

    fn reason(&mut self, item: &Node, window: &mut Window) {
        match item.text() {
            // It always counts; saying so does no harm.
            Some("incident_open") => {}
            Some("freeze") => window.freeze = true,
            Some(said) => {
                let words = REASONS.iter().copied().chain(["budget_below"]);
                let hint = nearest(said, words).map_or_else(
                    || "expected incident_open, freeze or budget_below: SHARE".to_owned(),
                    |near| format!("nearest: `{near}`"),
                );
                self.error(item.mark, format!("not_when does not know `{said}` ({hint})"));
            }
            None => {
                let Some(own) = self.fields(item, &NOT_WHEN) else { return };
                let share = own.need(self.reader(), "budget_below").and_then(|n| self.share(n, "budget_below"));
                window.budget = share.or(window.budget);
            }
        }
    }
}
