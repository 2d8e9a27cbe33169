//! The one place that says what a command of a runbook may reach: production, a simulation that answers in its stead, or
//! nothing. Read-only mode and drills take away what changes, what destroys and what nobody classified here, and nowhere
//! else.

use crate::domain::runbook::model::Risk;

/// What a command may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The real thing, after its confirmation.
    Real,
    /// A simulation; it has no port through which anything real could be reached.
    Canned,
    /// Nothing, and why.
    Never(&'static str),
}

/// What a command of this risk may reach.
pub fn permit(risk: Risk, read_only: bool, simulated: bool) -> Permit {
    match (read_only, simulated) {
        (true, _) if risk.is_dangerous() => Permit::Never("read-only: nothing is changed"),
        // A look is recorded like any other command, and a cockpit that may not write cannot record it.
        (true, _) => Permit::Never("read-only"),
        (false, true) => Permit::Canned,
        (false, false) => Permit::Real,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_is_real_in_read_only_mode_or_in_a_drill() {
        for risk in Risk::ALL {
            for simulated in [false, true] {
                assert!(matches!(permit(risk, true, simulated), Permit::Never(_)), "{risk:?}");
            }
            assert_eq!(permit(risk, false, true), Permit::Canned);
            assert_eq!(permit(risk, false, false), Permit::Real);
        }
    }
}
