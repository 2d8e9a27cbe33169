//! Files of people, read with limits: only regular files, only so many bytes, only UTF-8. Expands patterns. Never writes.

use crate::cli::failure::Failure;
use crate::domain::document::{Finding, Level, SIZE_LIMIT};
use crate::domain::runbook::markdown;
use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The most files that one pattern yields.
const FILE_LIMIT: usize = 5_000;
const DEPTH_LIMIT: usize = 16;

/// Says which files of a folder are meant.
pub type Wanted = fn(&Path) -> bool;

/// A finding about a whole file.
pub fn about(path: &Path, level: Level, rule: &str, message: impl Into<String>) -> Finding {
    let path = crate::domain::text::clean(&path.to_string_lossy()).into_owned();
    Finding { path, line: 0, column: 0, rule: rule.to_owned(), level, message: message.into() }
}

/// The text of a file; what hinders is a finding.
pub fn read_text(path: &Path) -> Result<String, Finding> {
    let error = |rule: &str, message: String| about(path, Level::Error, rule, message);
    let unreadable = |e: std::io::Error| error("unreadable", format!("cannot be read: {e}"));
    // Asked before opening, because opening a named pipe would wait for its writer.
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(error("unreadable", "is no regular file".to_owned()));
    }
    let limit = u64::try_from(SIZE_LIMIT).unwrap_or(u64::MAX);
    if meta.len() > limit {
        let message = format!("the file has {} bytes (the limit is {SIZE_LIMIT}); it is not read", meta.len());
        return Err(error("too-large", message));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|e| {
        let good = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let text = String::from_utf8_lossy(good);
        let line = text.matches('\n').count() + 1;
        let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Finding { line, column, ..error("encoding", "this is not UTF-8; save the file as UTF-8".to_owned()) }
    })
}

/// The text of a file, or of standard input for `-`, of at most so many bytes. Bytes that are no UTF-8 become marks.
pub fn read_input(path: &Path, limit: usize) -> Result<String, Failure> {
    let name = crate::domain::text::clean(&path.to_string_lossy()).into_owned();
    let unreadable = |e: std::io::Error| Failure::Usage(format!("{name}: cannot be read: {e}"));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(Failure::Usage(format!("{name}: is no regular file")));
        }
        std::fs::File::open(path).map_err(unreadable)?.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() > limit {
        return Err(Failure::Refused(format!("{name}: has more than {limit} bytes; split it")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What makes a file that can name commands unsafe to follow: others can write it. An error is a reason to refuse it.
pub fn unsafe_file(path: &Path) -> Option<Finding> {
    let meta = std::fs::metadata(path).ok()?;
    let us = rustix::process::geteuid().as_raw();
    let quoted = shlex::try_quote(&path.to_string_lossy()).map(String::from).unwrap_or_default();
    if meta.uid() != us && meta.uid() != 0 {
        let message = format!(
            "belongs to user {} and we are {us}; it is not used, because it can name commands. Run: chown {us} {quoted}",
            meta.uid()
        );
        return Some(about(path, Level::Error, "unsafe-file", message));
    }
    if meta.mode() & 0o002 != 0 {
        let message =
            format!("every user can write it; it is not used, because it can name commands. Run: chmod o-w {quoted}");
        return Some(about(path, Level::Error, "unsafe-file", message));
    }
    if meta.mode() & 0o020 != 0 {
        let message = format!("group {} can write it, and it can name commands. Run: chmod g-w {quoted}", meta.gid());
        return Some(about(path, Level::Warning, "unsafe-file", message));
    }
    None
}

/// Whether the name ends as YAML files do.
pub fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"))
}

/// Whether a file of a folder of runbooks is one: YAML, or a page of Markdown that is not about the folder.
pub fn is_runbook(path: &Path) -> bool {
    let name = path.to_string_lossy();
    is_yaml(path) || (markdown::is_markdown(&name) && !markdown::is_about_folder(&name))
}

/// Whether the name is that of a page of Markdown which a folder offers for import.
pub fn is_page(path: &Path) -> bool {
    is_runbook(path) && !is_yaml(path)
}

/// The files a pattern names, sorted, each once. A folder means all files below it that are `wanted`. `*` and `?` stay inside one
/// name, `**` spans folders; hidden names match only when the pattern begins with a dot too.
pub fn expand(pattern: &str, wanted: Wanted) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    descend(PathBuf::new(), &parts, 0, wanted, &mut found);
    found.into_iter().collect()
}

fn descend(at: PathBuf, parts: &[Component<'_>], depth: usize, wanted: Wanted, found: &mut BTreeSet<PathBuf>) {
    if found.len() >= FILE_LIMIT || depth > DEPTH_LIMIT * 4 {
        return;
    }
    let Some((part, rest)) = parts.split_first() else {
        return collect(at, 0, wanted, found);
    };
    let name = part.as_os_str().to_string_lossy();
    let literal = at.join(part);
    // A name that is there as written wins, so that a folder called `team[1]*` can be named at all.
    if !matches!(part, Component::Normal(_)) || !name.contains(['*', '?']) || literal.exists() {
        return descend(literal, rest, depth + 1, wanted, found);
    }
    if name == "**" {
        descend(at.clone(), rest, depth + 1, wanted, found);
        for folder in entries(&at).into_iter().filter(|p| p.is_dir() && !p.is_symlink()) {
            if !hidden(&folder) {
                descend(folder, parts, depth + 1, wanted, found);
            }
        }
        return;
    }
    for entry in entries(&at) {
        let own = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if (name.starts_with('.') || !own.starts_with('.')) && matches(&name, &own) {
            descend(entry, rest, depth + 1, wanted, found);
        }
    }
}

fn collect(at: PathBuf, depth: usize, wanted: Wanted, found: &mut BTreeSet<PathBuf>) {
    if found.len() >= FILE_LIMIT || depth > DEPTH_LIMIT {
        return;
    }
    if at.is_dir() {
        for entry in entries(&at) {
            let folder = entry.is_dir();
            if !hidden(&entry) && ((folder && !entry.is_symlink()) || (!folder && wanted(&entry))) {
                collect(entry, depth + 1, wanted, found);
            }
        }
    } else if at.exists() {
        found.insert(at);
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(read) = std::fs::read_dir(folder) else { return Vec::new() };
    read.filter_map(Result::ok).map(|entry| entry.path()).collect()
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// `*` is any run and `?` any one character; linear in the text for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some('*'), _) => {
                back = Some((p + 1, t));
                p += 1;
            }
            (Some(want), Some(got)) if *want == '?' || want == got => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_marks() {
        for (pattern, text, want) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("?", "é", true),
            ("?", "", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(200), &"b".repeat(5_000)), "ends");
    }

    #[test]
    fn patterns_name_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("team [x]*");
        std::fs::create_dir_all(root.join("slos/deep")).unwrap();
        for name in ["slos/b.yaml", "slos/a.yml", "slos/deep/c.yaml", "slos/.hidden.yaml", "slos/notes.txt"] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = expand(&root.join(pattern).to_string_lossy(), is_yaml);
            found.iter().map(|p| p.strip_prefix(&root).unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names("slos/*.yaml"), ["slos/b.yaml"]);
        assert_eq!(names("slos/**/*.yaml"), ["slos/b.yaml", "slos/deep/c.yaml"]);
        assert_eq!(names("slos/"), ["slos/a.yml", "slos/b.yaml", "slos/deep/c.yaml"]);
        assert_eq!(names("slos/notes.txt"), ["slos/notes.txt"]);
        assert_eq!(names("nothing/*.yaml"), Vec::<String>::new());
        for name in ["slos/Page.md", "slos/README.md"] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        assert_eq!(names("slos/").len(), 3, "pages are runbooks only");
        let books = expand(&root.join("slos").to_string_lossy(), is_runbook);
        assert_eq!(books.len(), 4);
        assert!(books.iter().any(|p| p.ends_with("Page.md")));
    }

    #[test]
    fn what_is_no_text_is_a_finding() {
        let dir = tempfile::tempdir().unwrap();
        let bad = dir.path().join("latin.yaml");
        std::fs::write(&bad, b"a: 1\nb: \xe4\n").unwrap();
        let finding = read_text(&bad).unwrap_err();
        assert_eq!((finding.rule.as_str(), finding.line, finding.column), ("encoding", 2, 4));
        assert_eq!(read_text(dir.path()).unwrap_err().rule, "unreadable");
        let large = dir.path().join("large.yaml");
        std::fs::File::create(&large).unwrap().set_len(10 << 20).unwrap();
        assert_eq!(read_text(&large).unwrap_err().rule, "too-large");
    }
}
