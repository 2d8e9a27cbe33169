//! Templates and their rows: asked for every ten minutes, put in the template's place. A row that vanished stays one as long
//! as its source names it; a failure changes no row.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::update::sources::finished;
use crate::domain::document::{Finding, Level};
use crate::domain::fault::Fault;
use crate::domain::ids::{ReqId, SourceName};
use crate::domain::slo::grouping;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::warm::Rows;
use crate::domain::time::{Span, Timestamp};
use std::sync::Arc;

/// How often the rows are read.
const EVERY: Span = Span::minutes(10);

/// Asks which rows the templates of a source have, when that is due.
pub fn ask(model: &mut Model, now: Timestamp, name: &SourceName, out: &mut Vec<Effect>) -> Option<ReqId> {
    let due = model.links.get(name).is_some_and(|l| l.next_rows <= now && l.breaker.is_closed());
    if !due {
        return None;
    }
    let ours = |o: &&Arc<Objective>| crate::app::update::source_of(model, o).as_ref() == Some(name);
    let templates: Vec<Arc<Objective>> = model.fleet.templates.iter().filter(ours).cloned().collect();
    if templates.is_empty() {
        return None;
    }
    let req = model.pending.ask(Asked::Rows(name.clone()));
    if let Some(link) = model.links.get_mut(name) {
        link.next_rows = now + EVERY;
    }
    out.push(Effect::Rows { req, source: name.clone(), templates });
    Some(req)
}

/// The rows came, or did not.
pub fn came(model: &mut Model, now: Timestamp, req: ReqId, source: &SourceName, result: Result<Vec<Rows>, Fault>) {
    finished(model, now, req, source);
    let rows = match result {
        Ok(rows) => rows,
        Err(fault) => {
            if let Some(link) = model.links.get_mut(source) {
                link.next_rows = now + link.interval;
            }
            model.say(now, Tone::Warn, format!("the rows of grouped objectives could not be read: {fault}"));
            return;
        }
    };
    let mut changed = false;
    for found in &rows {
        let Some(template) = model.fleet.templates.iter().find(|t| t.id == found.template).cloned() else { continue };
        if found.left_out > 0 {
            cut(model, &template, found);
        }
        let made: Vec<Objective> = found.labels.iter().filter_map(|l| grouping::row(&template, l)).collect();
        changed |= model.fleet.replace_rows(&template.id, made);
    }
    if changed {
        model.fleet.assessed = None;
        // The new rows are measured at once, and a step of history that does not know them says nothing of what is left.
        if let Some(link) = model.links.get_mut(source) {
            link.next = now;
            link.left = None;
            if let Some((step, _)) = link.warming.out.take() {
                drop(model.pending.take(step));
                link.warming.next = now;
            }
        }
    }
}

/// Says once that a template has more rows than are taken.
fn cut(model: &mut Model, template: &Objective, found: &Rows) {
    let told = |f: &Finding| f.rule == "too-many-rows" && f.message.starts_with(template.id.as_str());
    if model.fleet.findings.iter().any(told) {
        return;
    }
    let (path, line) = template.declared.rsplit_once(':').unwrap_or((template.declared.as_str(), "1"));
    model.fleet.findings.push(Finding {
        path: path.to_owned(),
        line: line.parse().unwrap_or(1),
        column: 1,
        rule: "too-many-rows".into(),
        level: Level::Warning,
        message: format!(
            "{}: the server has {} rows for it; the first {} are shown (group by fewer labels, or select less)",
            template.id,
            found.labels.len() + found.left_out,
            found.labels.len()
        ),
    });
}
