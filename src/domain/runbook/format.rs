//! Opens a runbook's text: chooses the reader by what the text says of itself; only Markdown, which says nothing of itself,
//! is known by its file name. A further format is one arm in [`read`] and one reader beside `seed` and `v1`.

use crate::domain::document::{Finding, Reader, parse};
use crate::domain::runbook::keys::v1::API_VERSION;
use crate::domain::runbook::model::{Dialect, Runbook};
use crate::domain::runbook::{markdown, seed, v1};
use crate::domain::text::truncate;

/// Rules of the document reader that a runbook of [`Dialect::V1`] tells under its own name, RB001.
const STRUCTURE: [&str; 5] = ["unknown-key", "wrong-type", "missing-key", "duplicate-key", "tag"];

/// Reads a runbook. `None` where there is nothing to walk; a runbook with findings still opens, because somebody may
/// need it now. Findings are in the order of the file.
pub fn read(path: &str, text: &str) -> (Option<Runbook>, Vec<Finding>) {
    if markdown::is_markdown(path) {
        let page = markdown::read(path, text);
        let findings = page.findings(path);
        return (page.runbook, findings);
    }
    let (node, mut findings) = parse(path, text);
    let mut reader = Reader::new(path);
    let mut dialect = Dialect::Seed;
    let runbook = node.and_then(|node| match node.get("apiVersion") {
        None => seed::read(&mut reader, path, text, &node),
        Some(version) if version.text() == Some(API_VERSION) => {
            dialect = Dialect::V1;
            v1::read(&mut reader, path, text, &node)
        }
        Some(version) => {
            let said = version.text().unwrap_or(version.kind());
            let message = format!(
                "apiVersion `{}` is not read by this version (expected {API_VERSION}, or a file without apiVersion); the \
                 runbook is not loaded",
                truncate(said, 40)
            );

            reader.error(version.mark, "api-version", message);
            None
        }
    });
    findings.extend(reader.findings);
    if dialect == Dialect::V1 {
        for finding in findings.iter_mut().filter(|f| STRUCTURE.contains(&f.rule.as_str())) {
            "RB001".clone_into(&mut finding.rule);
        }
    }
    findings.sort_by_key(|f| (f.line, f.column));
    (runbook, findings)
}
