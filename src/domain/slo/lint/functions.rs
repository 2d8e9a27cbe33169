//! Functions: those that nobody has, those that belong to a relative of Prometheus, and those that look at too little.

use crate::domain::document::nearest;
use crate::domain::slo::lint::Case;
use crate::domain::slo::lint::place::Part;
use crate::domain::slo::lint::rules::{IRATE, NOT_UNDERSTOOD, UNKNOWN_FUNCTION};
use crate::domain::slo::promql::Refusal;
use crate::domain::text::truncate;
use promql_parser::parser::Expr;

/// Words that may stand before a bracket in PromQL: functions, aggregations, modifiers.
const KNOWN: &str = "abs absent absent_over_time acos acosh asin asinh atan atanh avg avg_over_time bottomk by ceil changes \
    clamp clamp_max clamp_min cos cosh count count_over_time count_values day_of_month day_of_week day_of_year days_in_month \
    deg delta deriv double_exponential_smoothing end exp fill fill_left fill_right first_over_time floor group group_left \
    group_right histogram_avg histogram_count histogram_fraction histogram_quantile histogram_quantiles histogram_stddev \
    histogram_stdvar histogram_sum holt_winters hour idelta ignoring increase info irate label_join label_replace \
    last_over_time limit_ratio limitk ln log10 log2 mad_over_time max max_over_time min min_over_time minute month on pi \
    predict_linear present_over_time quantile quantile_over_time rad rate resets round scalar sgn sin sinh sort \
    sort_by_label sort_by_label_desc sort_desc sqrt start stddev stddev_over_time stdvar stdvar_over_time sum sum_over_time \
    tan tanh time timestamp topk ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time vector \
    without year and or unless atan2 bool offset";
/// Functions that only VictoriaMetrics has, by how they begin.
const METRICSQL: [&str; 11] = [
    "WITH",
    "rollup",
    "range_",
    "running_",
    "aggr_over_time",
    "default_rollup",
    "increase_pure",
    "share_",
    "outliers",
    "median",
    "union",
];

pub(super) fn check(case: &mut Case<'_>) {
    let mut irate = false;
    case.query.each(&mut |node| irate |= matches!(node, Expr::Call(call) if call.func.name == "irate"));
    if irate {
        let message = "irate looks at the last two samples of its range and forgets the rest: a burst between is never counted (write rate)";
        case.report(Part::Query, &IRATE, message);
    }
    let refused = case.query.sent.iter().filter_map(|sent| match &sent.tree {
        Err(Refusal::Unknown(why)) => Some((sent.text.clone(), why.clone())),
        _ => None,
    });
    for (text, why) in refused.collect::<Vec<_>>() {
        match unknown_function(&text) {
            // The server has spoken: it takes the text, or a finding of its own says why not.
            _ if case.facts.is_some_and(|facts| facts.accepted.contains_key(&text)) => {}
            Some(name) => {
                let hint = match nearest(&name, KNOWN.split_whitespace()) {
                    _ if METRICSQL.iter().any(|begin| name.starts_with(begin)) => {
                        "only VictoriaMetrics has it".to_owned()
                    }
                    Some(near) => format!("nearest: `{near}`"),
                    None => "the server may have it: `check --online` asks".to_owned(),
                };
                case.report(Part::Query, &UNKNOWN_FUNCTION, format!("PromQL has no function `{name}` ({hint})"));
            }
            None => {
                let why = truncate(&why, 160);
                let message = format!("the query is not understood ({why}); it is sent to the server as it is");
                case.report(Part::Query, &NOT_UNDERSTOOD, message);
            }
        }
    }
}

/// The first word before a bracket that no PromQL has. Words in quotes and in braces are labels.
fn unknown_function(text: &str) -> Option<String> {
    let (mut quote, mut braces, mut word) = (None, 0_usize, String::new());
    let mut spaced = false;
    for c in text.chars() {
        if let Some(open) = quote {
            quote = (c != open).then_some(open);
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '(' if braces == 0
                && is_word(&word)
                && !KNOWN.split_whitespace().any(|k| k.eq_ignore_ascii_case(&word)) =>
            {
                return Some(word);
            }
            _ => {}
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            if spaced {
                word.clear();
            }
            word.push(c);
            spaced = false;
        } else if c.is_whitespace() {
            spaced = true;
        } else {
            word.clear();
            spaced = false;
        }
    }
    None
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unknown_word_before_a_bracket() {
        for (text, want) in [
            ("rollup_rate(x[5m])", Some("rollup_rate")),
            ("sum by (job) (raet (x[5m]))", Some("raet")),
            ("sum without (a) (rate(x{l=\"f(\"}[5m])) / ignoring (b) count(y)", None),
            ("SUM(rate(x[5m]))", None),
            ("x{job='a'} (", None),
            ("(a) (b)", None),
        ] {
            assert_eq!(unknown_function(text).as_deref(), want, "{text}");
        }
    }
}
