//! The standard alert pairs, from `windows.yaml`; the compiled-in file is the default and the example.

use crate::domain::document::{Finding, Node, Reader, parse};
use crate::domain::slo::objective::AlertPair;
use crate::domain::slo::reading::Window;
use crate::domain::time::Span;

/// The compiled-in table's text.
pub const DEFAULT: &str = include_str!("../../../assets/windows.yaml");

/// The standard pairs, most urgent first: 1 h/5 m at 14.4, 6 h/30 m at 6 (page), 1 d/2 h at 3, 3 d/6 h at 1 (ticket).
pub fn standard() -> Vec<AlertPair> {
    read("windows.yaml", DEFAULT).0
}

/// Reads a table of pairs. A pair with an error is left out.
pub fn read(path: &str, text: &str) -> (Vec<AlertPair>, Vec<Finding>) {
    let (root, mut findings) = parse(path, text);
    let mut reader = Reader::new(path);
    let mut pairs = Vec::new();
    if let Some(root) = &root
        && let Some(fields) = reader.map(root, "the file", &["alert_windows"])
        && let Some(list) = fields.need(&mut reader, "alert_windows")
    {
        pairs = reader.list(list, "alert_windows").iter().filter_map(|item| pair(&mut reader, item)).collect();
    }
    findings.extend(reader.findings);
    (pairs, findings)
}

fn pair(reader: &mut Reader<'_>, node: &Node) -> Option<AlertPair> {
    let fields = reader.map(node, "an alert window", &["severity", "long", "short", "factor"])?;
    let severity = fields.need(reader, "severity").and_then(|n| reader.string(n, "severity"));
    let long = fields.need(reader, "long").and_then(|n| reader.span(n, "long")).map(Window::of);
    let short = fields.need(reader, "short").and_then(|n| reader.span(n, "short")).map(Window::of);
    let factor = fields.need(reader, "factor").and_then(|n| reader.number(n, "factor"));
    let (severity, long, short, factor) = (severity?, long?, short?, factor?);
    if !matches!(severity.as_str(), "page" | "ticket") {
        reader.error(node.mark, "wrong-type", format!("severity is `{severity}` (expected page or ticket)"));
        return None;
    }
    if short.0 == 0 || short >= long || factor <= 0.0 {
        reader.error(node.mark, "alert-window", "expected 0 < short < long and a factor over 0");
        return None;
    }
    Some(AlertPair { severity, long, short, factor, hold: Span::zero() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_four_standard_pairs() {
        assert_eq!(read("windows.yaml", DEFAULT).1, vec![]);
        let rows: Vec<String> =
            standard().iter().map(|p| format!("{} {} {} {}", p.severity, p.long, p.short, p.factor)).collect();
        assert_eq!(rows, ["page 1h 5m 14.4", "page 6h 30m 6", "ticket 1d 2h 3", "ticket 3d 6h 1"]);
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let text = "alert_windows:\n  - {severity: page, long: 5m, short: 1h, factor: 2}\n  - {severity: nap, long: 1h, shrot: 5m, factor: x}\n";
        let (pairs, findings) = read("w.yaml", text);
        assert_eq!(pairs, vec![]);
        let rules: Vec<&str> = findings.iter().map(|f| f.rule.as_str()).collect();
        assert_eq!(rules, ["alert-window", "unknown-key", "missing-key", "wrong-type"]);
    }
}
