//! Which format an objectives file has, decided by what is in it. Knows no format's details.

use crate::domain::document::{Finding, Level, Node, Reader, Value, nearest, parse};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::seed;

type Read = fn(&str, &str) -> (Vec<Objective>, Vec<Finding>);

/// The formats: the top-level key that gives one away, and its reader.
const FORMATS: [(&str, Read); 1] = [(seed::ROOT, seed::read)];

/// Reads the objectives of a file. Content of no known format is a finding.
pub fn read(path: &str, text: &str) -> (Vec<Objective>, Vec<Finding>) {
    let (root, findings) = parse(path, text);
    let Some(root) = root else { return (Vec::new(), findings) };
    match FORMATS.iter().find(|(key, _)| root.get(key).is_some()) {
        Some((_, read)) => read(path, text),
        None => (Vec::new(), findings.into_iter().chain([unknown(path, &root)]).collect()),
    }
}

fn unknown(path: &str, root: &Node) -> Finding {
    let known = FORMATS.map(|(key, _)| key);
    let near = match &root.value {
        Value::Map(entries) => {
            entries.iter().find_map(|(key, _)| nearest(&key.text, known).map(|name| (key.mark, key.text.clone(), name)))
        }
        _ => None,
    };
    let mut reader = Reader::new(path);
    match near {
        Some((mark, written, name)) => {
            reader.error(mark, "unknown-key", format!("unknown key `{written}` (nearest: `{name}`); nothing is read"));
        }
        None => {
            let message = format!("no known format of objectives (expected the key {})", known.join(" or "));
            reader.report(root.mark, Level::Error, "unknown-format", message);
        }
    }
    reader.findings.remove(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        let seed = include_str!("../../../tests/fixtures/seeds/slo.yaml");
        assert_eq!(read("slo.yaml", seed).0.len(), 2);
        for (text, rule, column) in [
            ("service_level_objectvies: {}\n", "unknown-key", 1),
            ("apiVersion: x/v1\n", "unknown-format", 1),
            ("- a\n", "unknown-format", 1),
            ("", "unknown-format", 1),
        ] {
            let (objectives, findings) = read("f.yaml", text);
            assert_eq!(objectives, vec![]);
            assert_eq!((findings.len(), findings[0].rule.as_str(), findings[0].column), (1, rule, column), "{text}");
        }
        assert_eq!(read("f.yaml", "a: [").1[0].rule, "yaml");
    }
}
