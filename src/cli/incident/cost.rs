//! The cost of an incident, sampled by an act on the command line as a cockpit samples it. The act is on disk before a source
//! is asked; what is not known is said in one line and recorded as nothing.

use crate::cli::cockpit::given;
use crate::cli::desk::{Desk, Recorded};
use crate::cli::output::Output;
use crate::domain::incident::event::Body;
use crate::run::cost::samples;
use crate::run::setup::real;
use std::time::Duration;

/// How long an act waits for its sources. History that was not read by then is read on by the next look.
const LIMIT: Duration = Duration::from_secs(8);

/// Samples the budgets of an incident as it is recorded.
pub fn sample(desk: &mut Desk<'_>, recorded: &Recorded, moment: &str, output: &mut Output) {
    let incident = &recorded.state;
    if incident.objectives.is_empty() {
        return;
    }
    let sampled = match samples(real(given(desk.context, false)), incident, moment, LIMIT) {
        Ok(sampled) => sampled,
        Err(fault) => {
            output.note(&format!("{}: what it costs its objectives was not measured: {}", incident.id, fault.detail));
            return;
        }
    };
    let (mut unknown, mut told) = (Vec::new(), None);
    for (slo, sample) in sampled {
        match sample {
            Ok(sample) => {
                if let Err(failure) = desk.note(&incident.id, Body::BudgetSampled(sample), None) {
                    output.note(&format!("{}: what it costs {slo} was measured and is lost: {failure}", incident.id));
                }
            }
            Err(why) => {
                unknown.push(slo.0);
                told.get_or_insert(why);
            }
        }
    }
    if let Some(why) = told {
        let names = unknown.join(", ");
        output.note(&format!("{}: what it costs {names} was not measured: {why}", incident.id));
    }
}
