//! Findings as people read them: a remark that many objectives of one file share is said once, with their number. Programs
//! get every finding.

use crate::domain::document::{Finding, Level};
use std::collections::HashMap;

/// From so many on a remark is said once.
const MANY: usize = 3;

/// The findings, with each much repeated remark of a file only where it comes first.
pub fn brief(findings: &[Finding]) -> Vec<Finding> {
    fn key(finding: &Finding) -> Option<(&str, &str)> {
        let remark = finding.level == Level::Info && finding.line > 0;
        remark.then_some((finding.path.as_str(), finding.rule.as_str()))
    }
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    for key in findings.iter().filter_map(key) {
        *counts.entry(key).or_default() += 1;
    }
    let mut brief = Vec::new();
    for finding in findings {
        let Some(count) = key(finding).and_then(|key| counts.get_mut(&key)) else {
            brief.push(finding.clone());
            continue;
        };
        // A count of none says that the remark was made already.
        match *count {
            0 => {}
            n if n < MANY => brief.push(finding.clone()),
            n => {
                let message = format!("{} (and {} more like this in the file)", finding.message, n - 1);
                brief.push(Finding { message, ..finding.clone() });
                *count = 0;
            }
        }
    }
    brief
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_of_many_is_said_once() {
        let finding = |line, rule: &str, level| Finding {
            path: "f".into(),
            line,
            column: 1,
            rule: rule.into(),
            level,
            message: "m".into(),
        };
        let mut all: Vec<Finding> = (1..6).map(|line| finding(line, "A", Level::Info)).collect();
        all.extend((6..8).map(|line| finding(line, "B", Level::Info)));
        all.extend((8..12).map(|line| finding(line, "C", Level::Warning)));
        let lines: Vec<(usize, String)> = brief(&all).into_iter().map(|f| (f.line, f.message)).collect();
        let said = |line: usize| (line, "m".to_owned());
        let once = (1, "m (and 4 more like this in the file)".to_owned());
        assert_eq!(lines, [once, said(6), said(7), said(8), said(9), said(10), said(11)]);
    }
}
