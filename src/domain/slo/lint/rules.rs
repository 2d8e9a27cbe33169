//! The rules of the lint: a stable id, how bad it can be, one line. The ids are a promise: a rule may go, its number is never
//! given to another. What hinders reading a file (`unknown-key`, `duplicate`) has a word for a rule and no number, for it
//! comes from the reader. Judges nothing itself.

use crate::domain::document::Level;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `SLO001`.
    pub id: &'static str,
    /// How bad it is at most; a finding that rests on an assumption is milder.
    pub level: Level,
    /// Whether only a server's answer can make it speak.
    pub online: bool,
    /// One line.
    pub says: &'static str,
}

const fn file(id: &'static str, level: Level, says: &'static str) -> Rule {
    Rule { id, level, online: false, says }
}

const fn server(id: &'static str, level: Level, says: &'static str) -> Rule {
    Rule { id, level, online: true, says }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $make:ident($id:literal, $level:ident, $says:literal);)*) => {
        $($(#[$doc])* pub const $name: Rule = $make($id, Level::$level, $says);)*
        /// Every rule, in the order of the ids.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    /// See its line.
    RANGE_EMPTY = file("SLO001", Warning, "a range under two scrape intervals holds no two samples: the query is empty");
    /// See its line.
    RANGE_FRAGILE = file("SLO002", Warning, "a range under four scrape intervals: one lost scrape makes a hole");
    /// See its line.
    READING_EMPTY = file("SLO003", Error, "the slice or shortest window that is read is too short for the scrape interval");
    /// See its line.
    MISSING_LE = file("SLO004", Warning, "histogram buckets are summed without `le`: the quantile is empty");
    /// See its line.
    MIXED_UNITS = file("SLO005", Warning, "a share, a percentage or a unit is mixed up between query and target");
    /// See its line.
    INVERTED = file("SLO006", Warning, "the ratio seems to be the wrong way round: failures are counted as good");
    /// See its line.
    NO_BUDGET = file("SLO007", Warning, "the budget is smaller than one failure that can be told");
    /// See its line.
    CANNOT_FIRE = file("SLO008", Warning, "an alert pair cannot fire: even a total outage burns slower than its factor");
    /// See its line.
    ALERT_WINDOW = file("SLO009", Warning, "an alert window is longer than the window of the objective");
    /// See its line.
    RETENTION = file("SLO010", Warning, "the window is longer than the server keeps samples");
    /// See its line.
    BUCKET_INSTEAD = file("SLO011", Info, "a quantile against a limit has an exact form with two counters");
    /// See its line.
    UNKNOWN_FUNCTION = file("SLO012", Warning, "a function that PromQL does not have");
    /// See its line.
    NOT_A_HISTOGRAM = file("SLO013", Warning, "a quantile of something that is no histogram, or an average of quantiles");
    /// See its line.
    CODE_MATCHER = file("SLO014", Warning, "a matcher of status codes that matches none, misses some or matches too many");
    /// See its line.
    OR_VECTOR = file("SLO015", Warning, "`or vector(0)` beside labels adds a series that pairs with nothing");
    /// See its line.
    IRATE = file("SLO016", Warning, "`irate` looks at two samples and forgets what was between");
    /// See its line.
    LONG_SUBQUERY = file("SLO017", Warning, "a subquery over a month holds all its points in the server's memory");
    /// See its line.
    SIDES = file("SLO018", Warning, "the two sides of a ratio keep different labels or select different things");
    /// See its line.
    SAME_QUERY = file("SLO019", Warning, "two objectives measure the same");
    /// See its line.
    SERVICE_NAMES = file("SLO020", Warning, "one service is written in two ways");
    /// See its line.
    NOT_UNDERSTOOD = file("SLO021", Warning, "the query is not understood here; the server decides (`--online` asks it)");
    /// See its line.
    REFUSED = server("SLO101", Error, "the server refuses the query");
    /// See its line.
    NO_SERIES = server("SLO102", Error, "a selector matches no series on the server");
    /// See its line.
    NO_BUCKET = server("SLO103", Error, "the histogram has no such bucket");
    /// See its line.
    METRIC_TYPE = server("SLO104", Warning, "a function that does not fit the type of the metric");
    /// See its line.
    FAILING_RECORD = server("SLO105", Error, "a recording rule that feeds the objective fails");
    /// See its line.
    LOW_TRAFFIC = server("SLO106", Warning, "so few events that a single bad one exceeds the factor of a page");
    /// See its line.
    CLOCK_SKEW = server("SLO107", Warning, "the server's clock differs from ours");
    /// See its line.
    OLD_VERSION = server("SLO108", Info, "the server is older than what this program is tested with");
    /// See its line.
    UNANSWERED = server("SLO109", Info, "what the server could not say, so that rules stayed silent");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(RULES.iter().all(|rule| rule.online == rule.id.starts_with("SLO1") && !rule.says.ends_with('.')));
    }
}
