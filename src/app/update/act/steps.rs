//! Actions on what is shown: the step of a walk, the window of a chart.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::screen::Screen;
use crate::app::update::{reload, walk};
use crate::domain::incident::event::Answer;
use crate::domain::time::Timestamp;

/// What is done to the shown step or chart.
pub fn take(model: &mut Model, now: Timestamp, action: Action, out: &mut Vec<Effect>) -> Result<(), String> {
    match action {
        Action::StepDone => walk::done(model, now, out),
        Action::StepSkip => walk::ask_end(model, now, false),
        Action::StepFail => walk::ask_end(model, now, true),
        Action::StepReopen => walk::reopen(model, now, out),
        Action::NextStep => walk::turn(model, true),
        Action::PrevStep => walk::turn(model, false),
        Action::LookAgain => reload::look_again(model, now, out),
        Action::Yes => walk::check(model, now, Answer::Yes, out),
        Action::No => walk::check(model, now, Answer::No, out),
        Action::Unsure => walk::check(model, now, Answer::Unsure, out),
        Action::ChartWindow => {
            model.nav.spot_mut().window += 1;
            if let Screen::Slo(id) = model.nav.screen().clone() {
                model.fleet.histories.remove(&id);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
