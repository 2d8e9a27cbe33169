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
use crate::domain::incident::state::Incident;
use crate::domain::slo::maintenance::instant;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::time::Timestamp;
use crate::io::clock;
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

/// The incidents of the period that are over: a screen holds the newest ones, a review needs every one.
pub fn past(context: &Context, args: &SloReportArgs) -> Result<Vec<Incident>, Failure> {
    let (_, (from, _)) = bounds(context, args, clock::now())?;
    Desk::to_read(context, context.config())?.ended_since(from)
}

/// The period that holds `--from`, else the one that is going on.
fn bounds(
    context: &Context,
    args: &SloReportArgs,
    now: Timestamp,
) -> Result<(Period, (Timestamp, Timestamp)), Failure> {
    let zone = context.config().time_zone;
    let period = Period::of(args.period.unit(), zone);
    let at = args.from.as_ref().map_or(Ok(now), |text| day(text, zone))?;
    if at > now {
        let from = args.from.as_deref().unwrap_or_default();
        return Err(Failure::Refused(format!("--from {from} lies in the future")));
    }
    let bounds = period.bounds(at).ok_or_else(|| Failure::Refused("--from lies beyond the calendar".to_owned()))?;
    Ok((period, bounds))
}

/// Prints the review of the period that holds `--from`, else of the one that is going on.
pub fn run(context: &Context, look: &Look, args: &SloReportArgs, output: &mut Output) -> Result<(), Failure> {
    let (period, bounds) = bounds(context, args, look.now)?;
    known(look, args)?;
    let scope =
        Scope { period: &period, bounds, objective: args.objective.as_deref(), service: args.service.as_deref() };
    let mut model = look.model.clone();
    for incident in past(context, args)? {
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
