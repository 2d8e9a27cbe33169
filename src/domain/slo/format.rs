//! Which format each document of an objectives file has, decided by what is in it, and what several files say together.
//! Knows no format's details.

use crate::domain::document::{Finding, Level, Mark, Node, Reader, Value, nearest, parse_all};
use crate::domain::slo::catalogue::{Catalogue, Declared, unique};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::seed;

/// What the documents of all files said, before names and references between them are settled.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Objectives that are complete by themselves.
    pub declared: Vec<Declared>,
}

/// One document of one file.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Index of its file.
    pub file: usize,
    /// The file as it was named.
    pub path: &'a str,
    /// Its tree.
    pub root: &'a Node,
}

impl Document<'_> {
    /// An objective of this document that is complete by itself.
    pub fn declare(&self, mark: Mark, objective: Objective) -> Declared {
        Declared { file: self.file, mark, objective }
    }
}

/// Takes everything out of a document. What is wrong goes to the reader.
type Read = fn(&mut Reader<'_>, Document<'_>, &mut Gathered);

/// The formats: the top-level key that gives one away, and its reader.
const FORMATS: [(&str, Read); 1] = [(seed::ROOT, seed::gather)];

/// Reads the objectives of one file.
pub fn read(path: &str, text: &str) -> (Vec<Objective>, Vec<Finding>) {
    let (catalogue, findings) = read_all(&[(path.to_owned(), text.to_owned())]);
    (catalogue.objectives, findings)
}

/// Reads files, each a path and its text. First every file is read, then what they say of each other is settled: a name
/// counts once. Findings come by file and place. Content of no known format is a finding.
pub fn read_all(files: &[(String, String)]) -> (Catalogue, Vec<Finding>) {
    let mut gathered = Gathered::default();
    let mut findings = Vec::new();
    for (file, (path, text)) in files.iter().enumerate() {
        findings.extend(gather(file, path, text, &mut gathered));
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let (objectives, twice) = unique(&paths, gathered.declared);
    findings.extend(twice);
    let place = |path: &str| paths.iter().position(|p| *p == path).unwrap_or(usize::MAX);
    findings.sort_by_cached_key(|f| (place(&f.path), f.line, f.column));
    (Catalogue { objectives, ..Catalogue::default() }, findings)
}

fn gather(file: usize, path: &str, text: &str, gathered: &mut Gathered) -> Vec<Finding> {
    let (roots, mut findings) = parse_all(path, text);
    let mut reader = Reader::new(path);
    for root in &roots {
        match FORMATS.iter().find(|(key, _)| root.get(key).is_some()) {
            Some((_, read)) => read(&mut reader, Document { file, path, root }, gathered),
            None => unknown(&mut reader, root),
        }
    }
    if roots.is_empty() && findings.is_empty() {
        unknown(&mut reader, &Node { mark: Mark { line: 1, column: 1 }, value: Value::Null });
    }
    findings.extend(reader.findings);
    findings
}

fn unknown(reader: &mut Reader<'_>, root: &Node) {
    let known = FORMATS.map(|(key, _)| key);
    let near = match &root.value {
        Value::Map(entries) => {
            entries.iter().find_map(|(key, _)| nearest(&key.text, known).map(|name| (key.mark, key.text.clone(), name)))
        }
        _ => None,
    };
    match near {
        Some((mark, written, name)) => {
            reader.error(mark, "unknown-key", format!("unknown key `{written}` (nearest: `{name}`); nothing is read"));
        }
        None => {
            let message = format!("no known format of objectives (expected the key {})", known.join(" or "));
            reader.report(root.mark, Level::Error, "unknown-format", message);
        }
    }
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
            ("- a\n", "unknown-format", 3),
            ("", "unknown-format", 1),
        ] {
            let (objectives, findings) = read("f.yaml", text);
            assert_eq!(objectives, vec![]);
            assert_eq!((findings.len(), findings[0].rule.as_str(), findings[0].column), (1, rule, column), "{text}");
        }
        assert_eq!(read("f.yaml", "a: [").1[0].rule, "yaml");
    }

    #[test]
    fn a_name_counts_once_over_all_documents_and_files() {
        let slo = |name: &str| {
            format!(
                "service_level_objectives:\n  {name}: {{sli: \"sum(rate(g[5m])) / sum(rate(t[5m]))\", target: 0.99, window: 30d}}\n"
            )
        };
        let files = [
            ("a.yaml".to_owned(), format!("{}---\n{}", slo("x"), slo("y"))),
            ("b.yaml".to_owned(), format!("{}---\n{}", slo("z"), slo("x"))),
        ];
        let (catalogue, findings) = read_all(&files);
        let names: Vec<&str> = catalogue.objectives.iter().map(|o| o.id.as_str()).collect();
        assert_eq!(names, ["x", "y", "z"]);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let want = "b.yaml:5:3: error: the objective `x` is declared at a.yaml:2 already; that one is used [duplicate]";
        assert_eq!(lines, [want]);
    }
}
