//! `midwatch postmortem`: the draft from the record, and the blanks that people must still fill.

use crate::cli::args::PostmortemArgs;
use crate::cli::args::PostmortemCommand;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, writable};
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::files::read_text;
use crate::cli::incident::past;
use crate::cli::look;
use crate::cli::output::Output;
use crate::config::{self, Config};
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::draft;
use crate::domain::postmortem::picture::pictures;
use crate::domain::postmortem::render::{Draft, Template};
use crate::domain::search::Similar;
use crate::domain::slo::reading::History;
use crate::io::files::draft::{Written, write_draft, write_picture};
use crate::io::files::folders::own_folder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes the draft into the configured folder and prints its path (`--out -` prints the draft); JSON: `{"incident", "path",
/// "blanks", "kept"}`. `check FILE` prints each blank with its line, or `{"path", "blanks": [{"line", "missing"}]}`, and
/// exits 1 while there are any.
pub fn run(context: &Context, args: &PostmortemArgs, output: &mut Output) -> Result<Exit, Failure> {
    if let Some(PostmortemCommand::Check { file }) = &args.check {
        return check(file, output);
    }
    let config = context.ready(output)?;
    let typed = args.id.as_deref().unwrap_or_default();
    let layout = layout(context, args.template.as_deref())?;
    let mut desk = Desk::to_read(context, config)?;
    let recorded = desk.find(typed)?;
    let charted = match args.offline {
        true => Charted::default(),
        false => charts(context, &recorded.state),
    };
    for fault in &charted.faults {
        output.note(&format!("no burn chart: {fault}"));
    }
    let similar = similar(context, config, &id_of(&recorded));
    let draft = made(&desk, &layout, &recorded, &charted.histories, &similar)?;
    let id = recorded.state.id.clone();
    if args.out.as_deref() == Some(Path::new("-")) {
        match output.is_json() {
            true => output.json(&json!({"incident": id, "path": null, "blanks": draft.blanks, "text": draft.text}))?,
            false => output.verbatim(&draft.text)?,
        }
        return Ok(charted.exit());
    }
    writable(config)?;
    let pictures = pictures(&recorded.state, &charted.histories);
    let written = match &args.out {
        Some(path) => beside(path, &draft, &pictures)?,
        None => write(&desk, &recorded, &draft, &pictures)?,
    };
    remember(&mut desk, &recorded, &written)?;
    for kept in &written.kept {
        output.note(&format!("{} was edited and is left alone", kept.display()));
    }
    if written.carried > 0 {
        output.note(&format!("what people wrote in {} place(s) was kept", written.carried));
    }
    let path = written.path.to_string_lossy();
    match output.is_json() {
        true => output.json(&json!({"incident": id, "path": path, "blanks": written.blanks, "kept": written.kept,
            "carried": written.carried, "pictures": pictures.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "faults": charted.faults}))?,
        false => output.line(&path)?,
    }
    Ok(charted.exit())
}

/// Writes the draft of an incident that has just been resolved and says on standard error where it is. That it could not
/// be written does not undo the resolution: it is said, with what to do.
pub fn after_resolve(desk: &mut Desk<'_>, recorded: &Recorded, output: &mut Output) {
    let id = recorded.state.id.clone();
    let result = layout(desk.context, None)
        .and_then(|layout| made(desk, &layout, recorded, &[], &similar(desk.context, desk.config, &id)))
        .and_then(|draft| write(desk, recorded, &draft, &[]))
        .and_then(|written| remember(desk, recorded, &written).map(|()| written));
    match result {
        Ok(written) => {
            let blanks = written.blanks;
            output.note(&format!("postmortem draft: {} ({blanks} blanks for people)", written.path.display()));
        }
        Err(Failure::Config(findings)) => {
            output.notes(&findings);
            output.note(&format!("{id} is resolved; no postmortem draft was written: `midwatch postmortem {id}`"));
        }
        Err(failure) => {
            output.note(&format!(
                "{id} is resolved; no postmortem draft was written: {failure}; try `midwatch postmortem {id}`"
            ));
        }
    }
}

fn made(
    desk: &Desk<'_>,
    layout: &Layout,
    recorded: &Recorded,
    histories: &[History],
    similar: &[Similar],
) -> Result<Draft, Failure> {
    let made = crate::run::draft::make(
        layout.template(),
        &recorded.state,
        &recorded.events,
        histories,
        desk.offset(),
        crate::io::clock::now(),
        similar,
    );
    made.map_err(|finding| Failure::Config(vec![finding]))
}

fn id_of(recorded: &Recorded) -> IncidentId {
    recorded.state.id.clone()
}

/// Past incidents that are like one. An index that cannot be used is no reason for no draft.
fn similar(context: &Context, config: &Config, id: &IncidentId) -> Vec<Similar> {
    let found = past::ready(context, config).ok().and_then(|(_, index)| index.similar(id).ok());
    found.unwrap_or_default()
}

/// The burn rates of the objectives of an incident, and what could not be read.
#[derive(Debug, Default)]
struct Charted {
    histories: Vec<History>,
    faults: Vec<String>,
}

impl Charted {
    fn exit(&self) -> Exit {
        if self.faults.is_empty() { Exit::DONE } else { Exit::PARTIAL }
    }
}

fn charts(context: &Context, incident: &Incident) -> Charted {
    let (histories, faults) = look::burn(context, incident);
    Charted { histories, faults: faults.iter().map(ToString::to_string).collect() }
}

fn write(
    desk: &Desk<'_>,
    recorded: &Recorded,
    draft: &Draft,
    pictures: &[(String, String)],
) -> Result<Written, Failure> {
    let name = crate::domain::postmortem::file_name(&recorded.state);
    let written = crate::run::draft::write(&desk.config.postmortems, &name, &draft.raw, pictures);
    written.map_err(|fault| Failure::Refused(fault.to_string()))
}

/// Into a file that a person named, never over its edits.
fn beside(path: &Path, draft: &Draft, pictures: &[(String, String)]) -> Result<Written, Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let ready = folder.map_or(Ok(()), own_folder);
    let lay = |(name, text): &(String, String)| write_picture(&path.with_file_name(name), text).map(drop);
    ready
        .and_then(|()| pictures.iter().try_for_each(lay))
        .and_then(|()| write_draft(path, &draft.raw))
        .map_err(|fault| Failure::Refused(fault.to_string()))
}

fn remember(desk: &mut Desk<'_>, recorded: &Recorded, written: &Written) -> Result<(), Failure> {
    let absolute = std::path::absolute(&written.path).unwrap_or_else(|_| written.path.clone());
    let body = Body::DraftWritten { path: absolute.to_string_lossy().into_owned() };
    desk.note(&recorded.state.id, body, Some(crate::run::draft::once(&absolute))).map(drop)
}

/// Which template, with its text where it is a team's own.
enum Layout {
    BuiltIn(Template<'static>),
    Own(String, String),
}

impl Layout {
    fn template(&self) -> Template<'_> {
        match self {
            Self::BuiltIn(template) => *template,
            Self::Own(path, text) => Template::Own { path, text },
        }
    }
}

fn layout(context: &Context, typed: Option<&str>) -> Result<Layout, Failure> {
    let own = |path: &PathBuf| match read_text(path) {
        Ok(text) => Ok(Layout::Own(path.to_string_lossy().into_owned(), text)),
        Err(finding) => Err(Failure::Config(vec![finding])),
    };
    if let Some(typed) = typed {
        return match Template::named(typed) {
            Some(template) => Ok(Layout::BuiltIn(template)),
            None => own(&PathBuf::from(typed)),
        };
    }
    match &context.config().postmortem_template {
        None | Some(config::Template::A) => Ok(Layout::BuiltIn(Template::A)),
        Some(config::Template::B) => Ok(Layout::BuiltIn(Template::B)),
        Some(config::Template::C) => Ok(Layout::BuiltIn(Template::C)),
        Some(config::Template::File(path)) => own(path),
    }
}

fn check(file: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let text = read_text(file).map_err(|finding| Failure::Usage(format!("{}: {}", finding.path, finding.message)))?;
    let blanks = draft::check(&text);
    if output.is_json() {
        let rows: Vec<Value> = blanks.iter().map(|(line, missing)| json!({"line": line, "missing": missing})).collect();
        output.json(&json!({"path": file, "blanks": rows}))?;
    } else {
        for (line, missing) in &blanks {
            output.line(&format!("{line}: {missing}"))?;
        }
        output.line(&match blanks.len() {
            0 => "no blanks are left".to_owned(),
            1 => "1 blank is left".to_owned(),
            n => format!("{n} blanks are left"),
        })?;
    }
    Ok(if blanks.is_empty() { Exit::DONE } else { Exit::NO })
}
