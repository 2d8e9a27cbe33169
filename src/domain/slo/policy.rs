//! Error-budget policy: the bands of what remains, as data in the policy's own words, and strings such as
//! `halt_deployments_at_50_percent_burn`. Never acts on them; it says what is due.

use crate::domain::document::{Finding, Node, Reader, parse as parse_document};
use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::PolicyRule;
use crate::domain::time::Span;
use std::sync::LazyLock;

/// The compiled-in policy's text.
pub const DEFAULT: &str = include_str!("../../../assets/policy.yaml");

static STANDARD: LazyLock<PolicyBands> = LazyLock::new(|| read_file("policy.yaml", DEFAULT).0.unwrap_or_default());

/// What a team does with what is left of a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyBand {
    /// Its word: `full_velocity`.
    pub name: String,
    /// The share of budget that must be left; `None` for the last band, which takes what no other does.
    pub least: Option<f64>,
    /// Whether exactly that share belongs to it, or to the next band.
    pub inclusive: bool,
    /// What it asks of people, in the policy's own words.
    pub action: String,
}

/// A policy: its bands, best first. An empty one says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyBands {
    /// What it is called.
    pub name: String,
    /// How long what is left must stay in another band before that one counts.
    pub settle: Span,
    /// Best first.
    pub bands: Vec<PolicyBand>,
}

impl PolicyBands {
    /// The compiled-in policy: over 50 %, over 25 %, from 10 %, over 0, exhausted.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The band of a remaining share; `None` where that is not known.
    pub fn of(&self, remaining: f64) -> Option<&PolicyBand> {
        let left = round12(remaining);
        let fits = |band: &&PolicyBand| match band.least {
            Some(least) => left > least || (band.inclusive && left >= least),
            None => true,
        };
        self.bands.iter().find(fits).filter(|_| !left.is_nan())
    }

    /// The place of a band, 0 for the best; `None` for a word that the policy does not have.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.bands.iter().position(|b| b.name == name)
    }
}

/// The keys of the block `policy`.
pub const KEYS: [&str; 3] = ["name", "settle", "bands"];
/// The keys of one band.
pub const BAND_KEYS: [&str; 4] = ["band", "above", "from", "action"];

/// Reads the block `policy`. One with an error is not used.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyBands> {
    let fields = reader.map(node, "policy", &KEYS)?;
    let name = match fields.get("name") {
        Some(n) => reader.string(n, "name")?,
        None => "Error Budget Policy".to_owned(),
    };
    let settle = match fields.get("settle") {
        Some(n) => reader.span(n, "settle")?,
        None => Span::minutes(5),
    };
    let list = fields.need(reader, "bands")?;
    let items = reader.list(list, "bands");
    let bands: Vec<Option<PolicyBand>> = items.iter().map(|item| band(reader, item)).collect();
    let bands: Vec<PolicyBand> = bands.into_iter().collect::<Option<_>>()?;
    let before = reader.findings.len();
    for (at, (item, band)) in items.iter().zip(&bands).enumerate() {
        let last = at + 1 == bands.len();
        let over = at.checked_sub(1).and_then(|i| bands.get(i));
        let falls = match (over.and_then(|o| o.least.map(|l| (l, o.inclusive))), band.least) {
            // The same number may end one band and be the first of the next.
            (Some((over, inclusive)), Some(least)) => least < over || (least == over && !inclusive && band.inclusive),
            _ => true,
        };
        if bands.iter().take(at).any(|b| b.name == band.name) {
            reader.error(item.mark, "policy", format!("band `{}` stands twice", band.name));
        }
        if !falls {
            reader.error(
                item.mark,
                "policy",
                format!("band `{}` does not ask for less than the one before", band.name),
            );
        }
        if last != band.least.is_none() {
            let what = if last {
                "the last band has no bound, so that every budget has one"
            } else {
                "only the last band has no bound"
            };
            reader.error(
                item.mark,
                "policy",
                format!("band `{}`: {what} (expected `above` or `from` on all others)", band.name),
            );
        }
    }
    if bands.is_empty() {
        reader.error(list.mark, "policy", "the policy has no bands");
    }
    (reader.findings.len() == before).then_some(PolicyBands { name, settle, bands })
}

fn band(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyBand> {
    let fields = reader.map(node, "a band", &BAND_KEYS)?;
    let name = fields.need(reader, "band").and_then(|n| reader.string(n, "band"));
    let action = fields.need(reader, "action").and_then(|n| reader.string(n, "action"));
    let (above, from) = (fields.get("above"), fields.get("from"));
    let least = match above.or(from) {
        Some(n) => Some(share(reader, n)?),
        None => None,
    };
    if above.is_some() && from.is_some() {
        reader.error(node.mark, "policy", "a band has `above` or `from`, not both");
        return None;
    }
    let (name, action) = (name?, action?);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        reader.error(node.mark, "policy", format!("band `{name}` (expected a word of a-z, 0-9 and _)"));
        return None;
    }
    Some(PolicyBand { name, least, inclusive: from.is_some(), action })
}

/// A share: `50%` or 0.5. A budget may be overspent, so it may be negative.
fn share(reader: &mut Reader<'_>, node: &Node) -> Option<f64> {
    let text = reader.string(node, "a bound")?;
    let share = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|p| round12(p / 100.0)),
        None => text.trim().parse::<f64>().ok(),
    };
    let share = share.filter(|s| s.is_finite() && (-10.0..1.0).contains(s));
    if share.is_none() {
        reader.wrong(node, "a bound", "a share below 1 such as 25% or 0.25");
    }
    share
}

/// Reads a file whose only block is `policy`.
pub fn read_file(path: &str, text: &str) -> (Option<PolicyBands>, Vec<Finding>) {
    let (root, mut findings) = parse_document(path, text);
    let mut reader = Reader::new(path);
    let fields = root.as_ref().and_then(|root| reader.map(root, "the file", &["policy"]));
    let node = fields.and_then(|f| f.need(&mut reader, "policy"));
    let bands = node.and_then(|n| read(&mut reader, n));
    findings.extend(reader.findings);
    (bands, findings)
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
        let policy = PolicyBands::standard();
        assert_eq!(read_file("policy.yaml", DEFAULT).1, vec![]);
        for (left, want) in [
            (1.0, "full_velocity"),
            (0.500_1, "full_velocity"),
            (0.5, "reliability_prioritised"),
            (1.0 - 0.75, "feature_freeze"),
            (0.250_000_1, "reliability_prioritised"),
            (0.25, "feature_freeze"),
            (0.1, "feature_freeze"),
            (1.0 - 0.9, "feature_freeze"),
            (0.099_9, "reliability_only"),
            (0.0, "exhausted"),
            (-0.37, "exhausted"),
        ] {
            assert_eq!(policy.of(left).map(|b| b.name.as_str()), Some(want), "{left}");
        }
        assert_eq!(policy.of(f64::NAN), None);
        assert_eq!(policy.of(0.7).unwrap().action, "Feature development at full velocity");
        assert_eq!((policy.rank("feature_freeze"), policy.rank("nap")), (Some(2), None));
    }

    #[test]
    fn a_team_may_have_its_own_bands() {
        let text = "policy:\n  name: Ours\n  settle: 10m\n  bands: [{band: fine, from: 0.3, action: ship it}, {band: slow, above: -50%, action: slow down}, {band: stop, action: stop}]\n";
        let (policy, findings) = read_file("p.yaml", text);
        assert_eq!(findings, vec![]);
        let policy = policy.unwrap();
        let names: Vec<&str> = [0.3, 0.299, -0.49, -0.5].iter().map(|r| policy.of(*r).unwrap().name.as_str()).collect();
        assert_eq!(names, ["fine", "slow", "slow", "stop"]);
    }

    #[test]
    fn a_policy_that_cannot_be_is_refused() {
        for (bands, want) in [
            ("[]", "p.yaml:1:17: error: the policy has no bands"),
            ("[{band: a, above: 50%, action: x}]", "p.yaml:1:18: error: band `a`: the last band has no bound"),
            (
                "[{band: a, action: x}, {band: b, action: y}]",
                "p.yaml:1:18: error: band `a`: only the last band has no bound",
            ),
            (
                "[{band: a, above: 0.2, action: x}, {band: b, above: 0.2, action: y}, {band: c, action: z}]",
                "p.yaml:1:52: error: band `b` does not ask for less",
            ),
            ("[{band: a, above: 0.2, action: x}, {band: a, action: y}]", "p.yaml:1:52: error: band `a` stands twice"),
            (
                "[{band: a, above: 2, action: x}, {band: b, action: y}]",
                "p.yaml:1:35: error: a bound is `2` (expected a share below 1",
            ),
            ("[{band: A b, action: x}]", "p.yaml:1:18: error: band `A b` (expected a word"),
            ("[{band: a, above: 0.1, from: 0.1, action: x}]", "p.yaml:1:18: error: a band has `above` or `from`"),
            ("[{band: a, actoin: x}]", "p.yaml:1:28: error: unknown key `actoin` in a band (nearest: `action`)"),
        ] {
            let (policy, findings) = read_file("p.yaml", &format!("policy: {{bands: {bands}}}\n"));
            assert_eq!(policy, None, "{bands}");
            let said = findings.first().map(ToString::to_string).unwrap_or_default();
            assert!(said.starts_with(want), "{bands}: {said}");
        }
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
            let policy = PolicyBands::standard();
            let rank = |left: f64| policy.rank(&policy.of(left).unwrap().name).unwrap();
            prop_assert!(rank(a - less) >= rank(a));
        }
    }
}
