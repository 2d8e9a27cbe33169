//! Opens a runbook's text: chooses the reader by what the text says of itself; only Markdown, which says nothing of itself,
//! is known by its file name. A further format is one arm in [`read`] and one reader beside `seed`.

use crate::domain::document::{Finding, Reader, parse};
use crate::domain::runbook::markdown;
use crate::domain::runbook::model::Runbook;
use crate::domain::runbook::seed;
use crate::domain::text::truncate;

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
    let runbook = node.and_then(|node| match node.get("apiVersion") {
        None => seed::read(&mut reader, path, text, &node),
        Some(version) => {
            let said = version.text().unwrap_or("");
            let message = format!(
                "apiVersion `{}` is not read by this version (expected a file without apiVersion, as in the examples); \
                 the runbook is not loaded",
                truncate(said, 40)
            );

            reader.error(version.mark, "api-version", message);
            None
        }
    });
    findings.extend(reader.findings);
    findings.sort_by_key(|f| (f.line, f.column));
    (runbook, findings)
}
