//! Sloth's alert windows: which share of the budget, spent in which time, pages or opens a ticket. Sloth knows those of 28
//! and 30 days; a file brings those of another period. Settles the window of every Sloth objective.

use crate::domain::document::{Finding, Level, Mark, Node, Reader};
use crate::domain::slo::catalogue::Declared;
use crate::domain::slo::format::Document;
use crate::domain::slo::objective::AlertPair;
use crate::domain::slo::pairs::{Named, factor};
use crate::domain::slo::reading::Window;
use crate::domain::slo::sloth::Waiting;
use crate::domain::slo::terms::positive;
use crate::domain::slo::wording::{Said, says};
use crate::domain::time::{Span, prometheus};

/// The alert windows of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertWindows {
    /// Index of its file.
    pub file: usize,
    /// Where its period stands.
    pub mark: Mark,
    /// The length of the budget.
    pub period: Span,
    /// Its pairs, most urgent first.
    pub pairs: Vec<AlertPair>,
}

/// The period of Sloth unless it was started with another.
const PERIOD: Span = Span::days(30);

/// Reads `spec` of the kind `AlertWindows`.
pub fn read(reader: &mut Reader<'_>, document: Document<'_>, spec: &Node) -> Option<AlertWindows> {
    let fields = reader.foreign(spec, "spec", &["sloPeriod", "page", "ticket"])?;
    let period = fields.need(reader, "sloPeriod");
    let span = period.and_then(|n| positive(reader, n, "sloPeriod", Span::hours(1)));
    let mut rows = Vec::new();
    for severity in ["page", "ticket"] {
        let Some(node) = fields.need(reader, severity) else { continue };
        let Some(speeds) = reader.foreign(node, severity, &["quick", "slow"]) else { continue };
        for speed in ["quick", "slow"] {
            let row = speeds.need(reader, speed).and_then(|n| row(reader, n, &format!("{severity}.{speed}")));
            rows.push(row.map(|row| (severity, row)));
        }
    }
    let (mark, period) = (period?.mark, span?);
    let rows: Vec<_> = rows.into_iter().collect::<Option<_>>()?;
    let pair = |(severity, (percent, short, long)): (&str, (f64, Span, Span))| AlertPair {
        severity: severity.to_owned(),
        long: Window::of(long),
        short: Window::of(short),
        factor: factor(percent, period, long),
        hold: Span::zero(),
    };
    let pairs: Vec<AlertPair> = rows.into_iter().map(pair).collect();
    (pairs.len() == 4).then_some(AlertWindows { file: document.file, mark, period, pairs })
}

fn row(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<(f64, Span, Span)> {
    let fields = reader.foreign(node, what, &["errorBudgetPercent", "shortWindow", "longWindow"])?;
    let percent = fields.need(reader, "errorBudgetPercent").and_then(|n| {
        let percent = reader.number(n, "errorBudgetPercent")?;
        if percent <= 0.0 || percent > 100.0 {
            reader.wrong(n, "errorBudgetPercent", "over 0, at most 100");
            return None;
        }
        Some(percent)
    });
    let mut window = |key: &str| fields.need(reader, key).and_then(|n| positive(reader, n, key, Span::seconds(1)));
    let (short, long) = (window("shortWindow"), window("longWindow"));
    let (percent, short, long) = (percent?, short?, long?);
    if short >= long {
        let message = format!("{what}: the short window is not shorter than the long one");
        reader.error(node.mark, "alert-window", message);
        return None;
    }
    Some((percent, short, long))
}

/// Gives every Sloth objective its window and its pairs. The period is the one that a file of alert windows names, else 30
/// days; with several, 30 days where one names it, else the first.
pub fn settle(
    paths: &[&str],
    windows: &[AlertWindows],
    waiting: Vec<Waiting>,
    findings: &mut Vec<Finding>,
) -> Vec<Declared> {
    let chosen = windows.iter().find(|w| w.period == PERIOD).or(windows.first());
    let period = chosen.map_or(PERIOD, |w| w.period);
    for other in windows.iter().filter(|w| chosen.is_some_and(|c| *w != c)) {
        let mut reader = Reader::new(paths.get(other.file).copied().unwrap_or_default());
        let message = format!(
            "these alert windows of {} are not used: Sloth objectives have one period, here {}",
            prometheus(other.period),
            prometheus(period)
        );
        reader.report(other.mark, Level::Warning, "alert-windows", message);
        findings.extend(reader.findings);
    }
    let pairs = chosen.map_or_else(|| Named::Sloth.pairs(period), |w| w.pairs.clone());
    waiting.into_iter().map(|w| settled(period, &pairs, w)).collect()
}

fn settled(period: Span, pairs: &[AlertPair], waiting: Waiting) -> Declared {
    let Waiting { mut declared, page, ticket } = waiting;
    let made = |pair: &&AlertPair| if pair.severity == "page" { page } else { ticket };
    let it = &mut declared.objective;
    it.window = period;
    it.pairs = pairs.iter().filter(made).cloned().collect();
    let said = Said { sli: &it.sli, target: it.target, window: period, period: None, value: "", assumed: false };
    it.says = says(&said);
    declared
}
