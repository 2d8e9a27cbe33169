//! `midwatch slo report`: the review of a calendar period, as Markdown, JSON or CSV. Reads the sources and the record once;
//! writes nothing.

use crate::app::model::Case;
use crate::app::present::report::review as document;
use crate::app::review::{Scope, review};
use crate::cli::args::{ReportFormat, ReportPeriod, SloReportArgs};
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::Failure;
use crate::cli::look::Look;
use crate::cli::output::Output;
use crate::domain::document::nearest;
use crate::domain::slo::maintenance::instant;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::time::Timestamp;
use chrono::NaiveDate;

impl ReportPeriod {
    fn unit(self) -> Unit {
        match self {
            Self::Week => Unit::Week,
            Self::Month => Unit::Month,
            Self::Quarter => Unit::Quarter,
            Self::Year => Unit::Year,
        }
    }
}

/// Prints the review of the period that holds `--from`, else of the one that is going on.
pub fn run(context: &Context, look: &Look, args: &SloReportArgs, output: &mut Output) -> Result<(), Failure> {
    let zone = context.config().time_zone;
    let period = Period::of(args.period.unit(), zone);
    let at = match &args.from {
        Some(text) => day(text, zone)?,
        None => look.now,
    };
    if at > look.now {
        return Err(Failure::Refused(format!(
            "--from {} lies in the future",
            args.from.as_deref().unwrap_or_default()
        )));
    }
    let bounds = period.bounds(at).ok_or_else(|| Failure::Refused("--from lies beyond the calendar".to_owned()))?;
    known(look, args)?;
    let scope =
        Scope { period: &period, bounds, objective: args.objective.as_deref(), service: args.service.as_deref() };
    // A screen holds the newest incidents; a review needs every one of its period.
    let mut model = look.model.clone();
    for incident in Desk::to_read(context, context.config())?.ended_since(bounds.0)? {
        model.desk.cases.entry(incident.id.clone()).or_insert_with(|| Case::of(incident, Vec::new()));
    }
    let review = review(&model, look.now, &scope);
    let format = args.format.unwrap_or(if output.is_json() { ReportFormat::Json } else { ReportFormat::Md });
    match format {
        ReportFormat::Json => output.json(&look.sign(document::review(&model, &review))),
        ReportFormat::Md => output.verbatim(&review.markdown()),
        ReportFormat::Csv => output.verbatim(&review.csv()),
    }
}

/// A day of the zone, at its beginning.
fn day(text: &str, zone: chrono_tz::Tz) -> Result<Timestamp, Failure> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0));
    day.map(|local| instant(local, zone))
        .ok_or_else(|| Failure::Usage(format!("--from `{text}` is not a day (expected one such as 2026-05-01)")))
}

/// Names that nothing has are refused: an empty review would look like a good one.
fn known(look: &Look, args: &SloReportArgs) -> Result<(), Failure> {
    let objectives = &look.model.fleet.objectives;
    let refuse = |what: &str, name: &str, all: Vec<&str>| {
        let near = nearest(name, all).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
        Err(Failure::Refused(format!("there is no {what} `{name}`{near}; `midwatch slo list` shows them")))
    };
    if let Some(name) = &args.objective
        && !objectives.iter().any(|o| o.id.as_str() == name)
    {
        return refuse("objective", name, objectives.iter().map(|o| o.id.as_str()).collect());
    }
    if let Some(name) = &args.service
        && !objectives.iter().any(|o| o.service == *name)
    {
        return refuse("service", name, objectives.iter().map(|o| o.service.as_str()).collect());
    }
    Ok(())
}
