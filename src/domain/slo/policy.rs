//! Error-budget policy: the bands of what remains, and strings such as `halt_deployments_at_50_percent_burn`.
//! Never acts on them; it says what is due.

use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::PolicyRule;

/// What the team may do with what is left of a budget, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// More than half is left.
    FullVelocity,
    /// More than a quarter up to a half.
    ReliabilityPrioritised,
    /// A tenth to a quarter: no features except critical fixes.
    FeatureFreeze,
    /// Less than a tenth.
    ReliabilityOnly,
    /// Nothing, or debt.
    Exhausted,
}

impl Band {
    /// The band of a remaining share; a shared boundary belongs to the stricter band, except that a tenth is still a freeze.
    pub fn of(remaining: f64) -> Option<Self> {
        let left = round12(remaining);
        match left {
            left if left.is_nan() => None,
            left if left > 0.5 => Some(Self::FullVelocity),
            left if left > 0.25 => Some(Self::ReliabilityPrioritised),
            left if left >= 0.1 => Some(Self::FeatureFreeze),
            left if left > 0.0 => Some(Self::ReliabilityOnly),
            _ => Some(Self::Exhausted),
        }
    }

    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::FullVelocity => "full_velocity",
            Self::ReliabilityPrioritised => "reliability_prioritised",
            Self::FeatureFreeze => "feature_freeze",
            Self::ReliabilityOnly => "reliability_only",
            Self::Exhausted => "exhausted",
        }
    }

    /// What it asks of people, as a short clause.
    pub fn asks(self) -> &'static str {
        match self {
            Self::FullVelocity => "release at full speed",
            Self::ReliabilityPrioritised => "reliability work comes first",
            Self::FeatureFreeze => "features are frozen, critical fixes only",
            Self::ReliabilityOnly | Self::Exhausted => "reliability work only",
        }
    }
}

/// Reads `<action>_at_<n>_percent_burn` (or `_consumed`). Another form is kept verbatim without an action; a share outside
/// 1..100 is refused.
pub fn parse(text: &str) -> Result<PolicyRule, String> {
    let verbatim = PolicyRule { text: text.to_owned(), action: None };
    let head = ["_percent_burn", "_percent_consumed"].into_iter().find_map(|end| text.strip_suffix(end));
    let Some((action, share)) = head.and_then(|h| h.rsplit_once("_at_")) else {
        return Ok(verbatim);
    };
    if action.is_empty() || share.is_empty() || !share.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-') {
        return Ok(verbatim);
    }
    let Ok(percent) = share.parse::<f64>() else { return Ok(verbatim) };
    if !(1.0..=100.0).contains(&percent) {
        return Err(format!("`{text}` applies at {share} percent (expected 1 to 100)"));
    }
    Ok(PolicyRule { text: text.to_owned(), action: Some((action.replace('_', " "), percent / 100.0)) })
}

/// The action that is due at a consumption; `None` when none is.
pub fn due(rule: &PolicyRule, consumed: f64) -> Option<&str> {
    let (action, from) = rule.action.as_ref()?;
    (round12(consumed) >= round12(*from)).then_some(action.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bands_meet_at_their_boundaries() {
        use Band::*;
        for (left, want) in [
            (1.0, FullVelocity),
            (0.500_1, FullVelocity),
            (0.5, ReliabilityPrioritised),
            (1.0 - 0.75, FeatureFreeze),
            (0.250_000_1, ReliabilityPrioritised),
            (0.25, FeatureFreeze),
            (0.1, FeatureFreeze),
            (1.0 - 0.9, FeatureFreeze),
            (0.099_9, ReliabilityOnly),
            (0.0, Exhausted),
            (-0.37, Exhausted),
        ] {
            assert_eq!(Band::of(left), Some(want), "{left}");
        }
        assert_eq!(Band::of(f64::NAN), None);
    }

    #[test]
    fn policy_strings() {
        let halt = parse("halt_deployments_at_50_percent_burn").unwrap();
        assert_eq!(halt.action, Some(("halt deployments".into(), 0.5)));
        assert_eq!((due(&halt, 0.499), due(&halt, 0.5)), (None, Some("halt deployments")));
        assert_eq!(parse("look_at_it_at_25_percent_consumed").unwrap().action, Some(("look at it".into(), 0.25)));
        for odd in ["call the boss", "halt_at_half_percent_burn", "_at_5_percent_burn", "x_at__percent_burn", ""] {
            assert_eq!(parse(odd).unwrap(), PolicyRule { text: odd.into(), action: None });
        }
        for bad in ["x_at_0_percent_burn", "x_at_101_percent_burn", "x_at_-5_percent_burn"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn less_budget_is_never_a_better_band(a in -3.0..1.0f64, less in 0.0..2.0f64) {
            prop_assert!(Band::of(a - less).unwrap() >= Band::of(a).unwrap());
        }
    }
}
