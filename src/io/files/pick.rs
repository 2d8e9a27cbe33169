//! The files that a configuration means: a file, a folder, or a pattern such as `slos/*.yaml`. The order is the same on
//! every machine. Never follows more folders than its limits allow.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::fault;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// Files found at most for one configuration.
const FILES: usize = 10_000;
/// Folders below each other that `**` enters.
const DEPTH: usize = 16;

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub struct Picked {
    /// In the order of the configuration, sorted within each of its entries, each file once.
    pub files: Vec<PathBuf>,
    /// Entries that name nothing, folders that cannot be read.
    pub faults: Vec<Fault>,
}

/// Finds the files of `entries`, relative ones below `base`. A folder means the files in it whose name ends in one of
/// `extensions` (without dot). In a pattern `*` and `?` match within one name, `**` any number of folders; hidden names
/// are only matched by a pattern that begins with a dot.
pub fn pick(base: &Path, entries: &[String], extensions: &[&str]) -> Picked {
    let mut picked = Picked::default();
    let mut seen = HashSet::new();
    for entry in entries {
        let whole = base.join(entry);
        let mut found = Vec::new();
        if !entry.contains(['*', '?']) {
            match whole.metadata() {
                Ok(meta) if meta.is_dir() => found = inside(&whole, extensions, &mut picked.faults),
                Ok(_) => found.push(whole.clone()),
                Err(e) => {
                    picked.faults.push(fault(&whole, &e));
                    continue;
                }
            }
        } else {
            let parts: Vec<Component<'_>> = whole.components().collect();
            walk(PathBuf::new(), &parts, DEPTH, &mut found, &mut picked.faults);
            if found.is_empty() {
                let why = "matches no file";
                picked.faults.push(Fault::new(FaultKind::Local, format!("files {}", whole.display()), why));
            }
        }
        found.sort();
        picked.files.extend(found.into_iter().filter(|file| seen.insert(file.clone())));
    }
    if picked.files.len() > FILES {
        picked.files.truncate(FILES);
        let why = format!("more than {FILES} files; the rest is not read");
        picked.faults.push(Fault::new(FaultKind::TooLarge, format!("files below {}", base.display()), why));
    }
    picked
}

fn inside(folder: &Path, extensions: &[&str], faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let known = |path: &Path| {
        path.extension().and_then(OsStr::to_str).is_some_and(|e| extensions.iter().any(|x| e.eq_ignore_ascii_case(x)))
    };
    list(folder, faults)
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .map(|name| folder.join(name))
        .filter(|path| known(path) && path.is_file())
        .collect()
}

/// The names in a folder, sorted; names that are not UTF-8 cannot be configured and are left out.
fn list(folder: &Path, faults: &mut Vec<Fault>) -> Vec<String> {
    let at = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match std::fs::read_dir(at) {
        Ok(entries) => entries,
        Err(e) => {
            faults.push(fault(at, &e));
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).take(FILES).collect();
    names.sort();
    names
}

fn walk(at: PathBuf, parts: &[Component<'_>], depth: usize, found: &mut Vec<PathBuf>, faults: &mut Vec<Fault>) {
    if found.len() > FILES {
        return;
    }
    let Some((part, rest)) = parts.split_first() else {
        if at.is_file() {
            found.push(at);
        }
        return;
    };
    let text = match part {
        Component::Normal(text) => text.to_string_lossy(),
        other => return walk(at.join(other), rest, depth, found, faults),
    };
    if text == "**" {
        walk(at.clone(), rest, depth, found, faults);
        if depth > 0 {
            for name in list(&at, faults).into_iter().filter(|name| !name.starts_with('.')) {
                let below = at.join(name);
                // A link could lead back up.
                if below.is_dir() && !below.is_symlink() {
                    walk(below, parts, depth - 1, found, faults);
                }
            }
        }
    } else if text.contains(['*', '?']) {
        for name in list(&at, faults) {
            let hidden = name.starts_with('.') && !text.starts_with('.');
            let below = at.join(&name);
            if !hidden && matches(&text, &name) && (rest.is_empty() || below.is_dir()) {
                walk(below, rest, depth, found, faults);
            }
        }
    } else {
        walk(at.join(part), rest, depth, found, faults);
    }
}

/// Whether a name matches a pattern of `*` and `?`. Linear in memory, at most quadratic in time.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, want) in [
            ("*.yaml", "api.yaml", true),
            ("*.yaml", "api.yml", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("**", "x", true),
            ("*ä?", "xäö", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(30), &"a".repeat(29)));
    }

    #[test]
    fn files_come_in_a_fixed_order_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        for file in ["slos/b.yaml", "slos/a.yaml", "slos/.hidden.yaml", "slos/x.txt", "slos/deep/c.YML", "one.yaml"] {
            std::fs::create_dir_all(base.join(file).parent().unwrap()).unwrap();
            std::fs::write(base.join(file), "").unwrap();
        }
        let names = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|e| (*e).to_owned()).collect();
            let picked = pick(base, &entries, &["yaml", "yml"]);
            let strip = |p: &PathBuf| p.strip_prefix(base).unwrap().display().to_string();
            (picked.files.iter().map(strip).collect::<Vec<_>>(), picked.faults.len())
        };
        assert_eq!(names(&["slos"]), (vec!["slos/a.yaml".into(), "slos/b.yaml".into()], 0));
        assert_eq!(names(&["slos/*.yaml"]), names(&["slos"]));
        assert_eq!(names(&["slos/b.yaml", "slos/*"]).0, ["slos/b.yaml", "slos/a.yaml", "slos/x.txt"]);
        assert_eq!(names(&["**/*.yaml"]).0, ["one.yaml", "slos/a.yaml", "slos/b.yaml"]);
        assert_eq!(names(&["slos/.*"]).0, ["slos/.hidden.yaml"]);
        assert_eq!(names(&["s*/deep"]), (vec![], 1));
        assert_eq!(names(&["none.yaml", "none/*.yaml", "one.yaml"]).0, ["one.yaml"]);
        assert_eq!(names(&["none.yaml"]).1, 1);
    }
}
