//! What a postmortem template can say: every name of its context with what it holds, as a page for people and as a JSON
//! Schema. The names are a promise; a test holds the table against the facts themselves.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// A text, or null.
    Maybe,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// Texts.
    Texts,
    /// One object.
    Object,
    /// A list of objects.
    List,
}

impl Holds {
    fn told(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Maybe => "text or null",
            Self::Number => "number",
            Self::Flag => "true or false",
            Self::Texts => "list of texts",
            Self::Object => "object",
            Self::List => "list",
        }
    }
}

/// A name: its path (`timeline.when` is in every element of the list `timeline`), what it holds, what it means.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// `durations.ttd`.
    pub path: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! names {
    ($($path:literal $holds:ident $meaning:literal;)*) => {
        /// Every name, in the order of the page.
        pub const NAMES: &[Name] = &[$(Name { path: $path, holds: Holds::$holds, meaning: $meaning }),*];
    };
}

names! {
    "blanks" Number "how many blanks are left for people; counted when the draft is written";
    "written" Text "when the draft was made";
    "id" Text "`INC-20260501-031204`";
    "title" Text "its title";
    "date" Text "the day it was declared (UTC)";
    "severity" Text "as it stands";
    "severities" List "every severity it had";
    "severities.severity" Text "`SEV2`";
    "severities.from" Text "from when";
    "severities.lasted" Text "for how long";
    "severities.reason" Text "why";
    "status" Text "as it stands";
    "service" Maybe "what it hit";
    "detected_by" Maybe "what noticed it";
    "declared_by" Text "who declared it";
    "commander" Maybe "who led at the end";
    "roles" List "every role with its holder at the end";
    "roles.role" Text "`commander`, `comms`, `operations`, `scribe`";
    "roles.person" Maybe "null when vacant";
    "holdings" List "who had which role from when until when";
    "holdings.role" Text "which role";
    "holdings.person" Text "who";
    "holdings.from" Text "UTC";
    "holdings.until" Text "UTC, or `the end`";
    "participants" Texts "everybody in the record, by name";
    "times" Object "the instants of its life; each is a moment";
    "times.impact" Object "the budget began to burn";
    "times.detected" Object "it was noticed";
    "times.paged" Object "somebody was paged, where the pager's log was taken in";
    "times.declared" Object "it was declared";
    "times.acknowledged" Object "somebody took it, here or in the pager's log";
    "times.mitigated" Object "the pain stopped";
    "times.resolved" Object "it was over";
    "durations" Object "how long things took: `21m40s (from detection)`, or `unknown (why)`";
    "durations.total" Text "from the first noticed instant to the end, or so far";
    "durations.ttd" Text "time to detect: beginning of the impact to detected";
    "durations.tta" Text "time to acknowledge: paged, else declared, to acknowledged";
    "durations.ttm" Text "time to mitigate: detected, else declared, to mitigated";
    "durations.ttr" Text "time to resolve: detected, else declared, to resolved";
    "durations.ttm_impact" Text "time to mitigate from the beginning of the impact";
    "durations.ttr_impact" Text "time to resolve from the beginning of the impact";
    "zone" Text "the zone of local times: `+02:00`";
    "alerts" List "alerts that belong to it";
    "alerts.name" Text "its name";
    "alerts.began" Text "when it began to fire";
    "alerts.state" Text "`firing`, `ended` …";
    "objectives" List "what it cost each objective";
    "objectives.name" Text "the objective";
    "objectives.gross" Text "share of the whole budget that burned during the incident";
    "objectives.net" Text "the same without what burned at the rate of before";
    "objectives.remaining" Text "share that is left; negative when overspent";
    "objectives.text" Text "all of it in one phrase";
    "charts" List "burn rates over time";
    "charts.name" Text "the objective";
    "charts.caption" Text "what the chart shows";
    "charts.text" Text "the chart in ASCII, for a fenced block";
    "charts.file" Text "the same chart as a picture: a file beside the draft";
    "timeline" List "every event once, without marks and what people left out";
    "timeline.when" Text "UTC, with the date where it changes";
    "timeline.actor" Text "who";
    "timeline.kind" Text "`note`, `status` …";
    "timeline.head" Text "who and which kind, for a line that says no word twice";
    "timeline.text" Text "what";
    "timeline.pinned" Flag "people pinned it";
    "timeline.tags" Texts "the words that people put it under";
    "excluded" Number "how many entries people left out";
    "pinned" List "entries that people pinned; each is a remark";
    "commands" List "every command that was run";
    "commands.at" Text "UTC";
    "commands.actor" Text "by whom";
    "commands.command" Text "the command as code";
    "commands.result" Text "`exit 0`, or why there is no exit code";
    "commands.took" Text "`1.2 s`";
    "changes" List "what commands changed, in the order in which they were begun";
    "changes.what" Text "what, in the runbook's words";
    "changes.command" Text "its command as code";
    "changes.target" Text "where and as whom it ran";
    "changes.at" Text "UTC";
    "changes.actor" Text "by whom";
    "changes.approved_by" Maybe "the second person";
    "changes.verified" Text "whether it helped";
    "changes.rolled_back" Text "whether it was taken back, or why not";
    "changes.stands" Flag "something of it may be in force";
    "changes.state" Text "`in force`, `rolled back`, `unknown (why)`, `failed (why), may be in force`";
    "decisions" List "what was decided, or proposed and dropped, with the objections; each is a remark";
    "findings" List "facts that were found; each is a remark";
    "hypotheses" List "guesses at the cause that nobody retracted, with what is believed of them; each is a remark";
    "updates" List "what others were told; each is a remark";
    "actions" List "what is to be done afterwards";
    "actions.text" Text "what";
    "actions.owner" Maybe "who";
    "actions.due" Maybe "by when, as written";
    "actions.does" Maybe "what it does about the next time: detect, prevent, mitigate, process";
    "actions.ticket" Maybe "its ticket, as a link where it has a page";
    "resolution" Maybe "the text that resolved it; null while it is open";
    "similar" List "past incidents that are like this one";
    "similar.id" Text "which";
    "similar.title" Text "its title";
    "similar.severity" Text "its severity";
    "similar.declared" Text "the day it was declared";
    "similar.why" Text "what both have";
    "similar.resolution" Maybe "how it was resolved";
}

/// What a moment holds, wherever one stands.
pub const MOMENT: [Name; 4] = [
    Name { path: "text", holds: Holds::Text, meaning: "`2026-05-01 03:12:04Z`, or `unknown (why)`" },
    Name { path: "local", holds: Holds::Maybe, meaning: "the same in the local zone" },
    Name { path: "basis", holds: Holds::Maybe, meaning: "where it is known from" },
    Name { path: "known", holds: Holds::Flag, meaning: "whether it is known" },
];

/// What a remark holds, wherever one stands.
pub const REMARK: [Name; 3] = [
    Name { path: "at", holds: Holds::Text, meaning: "UTC" },
    Name { path: "actor", holds: Holds::Text, meaning: "by whom" },
    Name { path: "text", holds: Holds::Text, meaning: "what" },
];

/// The names inside of a name, under their last part.
fn inside(name: &Name) -> Vec<Name> {
    if name.path.starts_with("times.") {
        return MOMENT.to_vec();
    }
    if name.meaning.ends_with("each is a remark") {
        return REMARK.to_vec();
    }
    let below = format!("{}.", name.path);
    let own = NAMES.iter().filter_map(|n| n.path.strip_prefix(&below).map(|path| Name { path, ..*n }));
    own.filter(|n| !n.path.contains('.')).collect()
}

/// The reference page.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Postmortem templates\n\nA template is a Markdown file in the language of Jinja: `{{ title }}`, `{% for e in timeline %}`, \
         `{% if resolution %}`. It is named in `postmortem_template`, or given with `midwatch postmortem ID --template FILE`; `a`, \
         `b` and `c` are built in. It has these names and nothing else: no files, no includes, no environment. A name that does \
         not exist is an error with its line. Every text is escaped for Markdown already, and may stand in a paragraph, a list \
         item or a table cell. What is not known is `unknown (why)` or null, never 0.\n\nWhat only people know is a blank: \
         `[[BLANK: what is missing]]`. Blanks are counted, and `midwatch postmortem check FILE` exits with 1 while any is left. Text \
         between `<!-- keep -->` and `<!-- /keep -->`, each on a line of its own, belongs to people: it stays when the draft is made \
         anew. It is found by the heading before it and its number there.\n\n| name | holds | meaning |\n|---|---|---|\n",
    );
    for name in NAMES {
        let _ = writeln!(out, "| `{}` | {} | {} |", name.path, name.holds.told(), name.meaning);
    }
    for (title, names) in [("A moment", &MOMENT[..]), ("A remark", &REMARK[..])] {
        let _ = writeln!(out, "\n## {title}\n\n| name | holds | meaning |\n|---|---|---|");
        for name in names {
            let _ = writeln!(out, "| `{}` | {} | {} |", name.path, name.holds.told(), name.meaning);
        }
    }
    out
}

/// The JSON Schema of the context.
pub fn schema() -> String {
    let top: Vec<Name> = NAMES.iter().filter(|name| !name.path.contains('.')).copied().collect();
    let mut document = object(&top, true);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        fields.insert("title".into(), json!("The context of a postmortem template"));
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn object(names: &[Name], top: bool) -> Value {
    let mut properties = Map::new();
    for name in names {
        // Deeper names are looked up by their whole path; the ones of moments and remarks are whole already.
        let whole = NAMES.iter().find(|n| n.path == name.path && top);
        let nested = || object(&whole.map(inside).unwrap_or_default(), false);
        let mut value = match name.holds {
            Holds::Text => json!({"type": "string"}),
            Holds::Maybe => json!({"type": ["string", "null"]}),
            Holds::Number => json!({"type": "integer", "minimum": 0}),
            Holds::Flag => json!({"type": "boolean"}),
            Holds::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Holds::Object if top => nested(),
            Holds::Object => object(&MOMENT, false),
            Holds::List => json!({"type": "array", "items": nested()}),
        };
        if let Some(fields) = value.as_object_mut() {
            fields.insert("description".into(), json!(name.meaning));
        }
        properties.insert(name.path.to_owned(), value);
    }
    let required: Vec<&str> = names.iter().map(|name| name.path).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Whether a path of a rendered context is in the table: `times.impact.basis`, `decisions.text`.
pub fn knows(path: &str) -> bool {
    if NAMES.iter().any(|name| name.path == path) {
        return true;
    }
    let Some((above, last)) = path.rsplit_once('.') else { return false };
    NAMES.iter().any(|name| name.path == above && inside(name).iter().any(|n| n.path == last))
}
