//! Runbooks by file, read again when their file changed. A file that cannot be read any more keeps its last good version,
//! and says so in its findings; one that is away for a moment, as while an editor saves, is waited for.

use crate::domain::document::{Finding, Level};
use crate::domain::runbook::format;
use crate::domain::runbook::lint::{Facts, lint, lint_knowing, lint_together};
use crate::domain::runbook::model::Runbook;
use crate::domain::time::Timestamp;
use crate::io::files::presence::Presence;
use crate::io::files::read::read_text;
use crate::run::stamp::Stamp;
use crate::run::world::RunbookText;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest runbook file.
const RUNBOOK_LIMIT: u64 = 1 << 20;
/// Words behind a finding of a file whose last good version is used.
pub const KEPT: &str = "; the last good version is used until it is mended";

/// Every runbook, and what is wrong with any.
pub type Library = (Vec<Arc<Runbook>>, Vec<Finding>);

/// A file as it was read last.
#[derive(Clone, Debug, Default)]
struct Kept {
    stamp: Option<Stamp>,
    /// What is used.
    book: Option<Arc<Runbook>>,
    /// It was read without an error.
    clean: bool,
    findings: Vec<Finding>,
    /// It was not there when it was looked for last.
    away: bool,
}

/// Runbooks by file.
#[derive(Debug, Default)]
pub struct Shelf {
    order: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Kept>,
    /// What the runbooks were judged with.
    around: Facts,
}

/// Reads every runbook once: those that can be used, and what is wrong with any.
pub fn library(texts: &[RunbookText], now: Timestamp) -> Library {
    let mut presence = Presence::here();
    let mut read = |text: &RunbookText| match text {
        // The simulated production has its own programs.
        RunbookText::BuiltIn(name, content) => book(name, content, |book| lint(book, Some(now))),
        RunbookText::File(path) => file(path, &mut presence, &Facts { now: Some(now), ..Facts::default() }),
    };
    let all: Vec<Kept> = texts.iter().map(&mut read).collect();
    together(all.iter())
}

impl Shelf {
    /// The files that are on it.
    pub fn files(&self) -> Vec<PathBuf> {
        self.order.clone()
    }

    /// Reads what changed, or everything when something else is known around the runbooks. `Some` when the library
    /// changed, or what is found in it.
    pub fn look(&mut self, files: &[PathBuf], around: &Facts, now: Timestamp) -> Option<Library> {
        let mut changed = self.list(files);
        let judged_anew = self.around != *around;
        self.around = around.clone();
        let around = Facts { now: Some(now), ..around.clone() };
        // Made when the first file is read: which programs are here is asked of every folder of the path.
        let mut presence = None;
        for path in files {
            let stamp = Stamp::of(path);
            let known = self.files.contains_key(path);
            let old = self.files.get(path).cloned().unwrap_or_default();
            if known && !judged_anew && old.stamp == stamp && stamp.is_some_and(|stamp| stamp.is_settled(now)) {
                self.files.insert(path.clone(), Kept { away: false, ..old });
                continue;
            }
            if stamp.is_none() && known && !old.away {
                self.files.insert(path.clone(), Kept { away: true, ..old });
                continue;
            }
            let new = Kept { stamp, ..after(&old, file(path, presence.get_or_insert_with(Presence::here), &around)) };
            let sha = |kept: &Kept| kept.book.as_ref().map(|b| b.sha256.clone());
            changed |= !known || sha(&new) != sha(&old) || new.findings != old.findings;
            self.files.insert(path.clone(), new);
        }
        changed.then(|| together(self.order.iter().filter_map(|path| self.files.get(path))))
    }

    /// Takes the list of files; one that is no longer in it stays for one more look.
    fn list(&mut self, files: &[PathBuf]) -> bool {
        let named: BTreeSet<&PathBuf> = files.iter().collect();
        let mut order = files.to_vec();
        let mut gone = Vec::new();
        for path in self.order.iter().filter(|path| !named.contains(path)) {
            match self.files.get_mut(path) {
                Some(kept) if !kept.away => {
                    kept.away = true;
                    order.push(path.clone());
                }
                _ => gone.push(path.clone()),
            }
        }
        for path in &gone {
            self.files.remove(path);
        }
        let changed = !gone.is_empty();
        self.order = order;
        changed
    }
}

/// What is used of a file: what was read, or the last good version where that was better.
fn after(old: &Kept, new: Kept) -> Kept {
    let worse = new.book.is_none() || !new.clean;
    match &old.book {
        Some(good) if worse && (old.clean || new.book.is_none()) => {
            let mut findings = new.findings;
            for finding in findings.iter_mut().filter(|f| f.level == Level::Error) {
                finding.message.push_str(KEPT);
            }
            Kept { book: Some(good.clone()), clean: old.clean, findings, ..Kept::default() }
        }
        _ => new,
    }
}

fn file(path: &Path, presence: &mut Presence, around: &Facts) -> Kept {
    let name = path.to_string_lossy();
    match read_text(path, RUNBOOK_LIMIT) {
        Ok(content) => book(&name, &content, |book| lint_knowing(book, &presence.facts(book, around))),
        Err(fault) => Kept { findings: vec![about(&name, "unreadable", fault.to_string())], ..Kept::default() },
    }
}

fn book(name: &str, content: &str, judge: impl FnOnce(&Runbook) -> Vec<Finding>) -> Kept {
    let (book, mut findings) = format::read(name, content);
    let clean = findings.iter().all(|f| f.level != Level::Error);
    findings.extend(book.as_ref().map(judge).unwrap_or_default());
    Kept { book: book.map(Arc::new), clean, findings, ..Kept::default() }
}

/// One library: of two runbooks with one id the first counts.
fn together<'k>(all: impl Iterator<Item = &'k Kept>) -> Library {
    let mut books: Vec<Arc<Runbook>> = Vec::new();
    let mut findings = Vec::new();
    for kept in all {
        findings.extend(kept.findings.iter().cloned());
        let Some(book) = &kept.book else { continue };
        match books.iter().find(|b| b.id == book.id) {
            Some(first) => {
                let message =
                    format!("the runbook id `{}` is used by {} already; this file is left out", book.id, first.path);
                findings.push(about(&book.path, "duplicate-id", message));
            }
            None => books.push(book.clone()),
        }
    }
    findings.extend(lint_together(&books));
    (books, findings)
}

fn about(path: &str, rule: &str, message: String) -> Finding {
    Finding { path: path.to_owned(), line: 1, column: 1, rule: rule.to_owned(), level: Level::Error, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::clock;

    const GOOD: &str = "name: A\nsteps: [{name: One}]\n";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// As editors save: beside, then renamed.
        fn save(&self, name: &str, text: &str) -> PathBuf {
            let beside = self.path(".save~");
            std::fs::write(&beside, text).unwrap();
            std::fs::rename(&beside, self.path(name)).unwrap();
            self.path(name)
        }
    }

    fn names(library: &Library) -> Vec<String> {
        library.0.iter().map(|b| format!("{} {}", b.id, b.name)).collect()
    }

    #[test]
    fn only_what_changed_is_told() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let files = [folder.save("a.yaml", GOOD), folder.save("b.yaml", &GOOD.replace("name: A", "name: B"))];
        let mut shelf = Shelf::default();
        assert_eq!(names(&shelf.look(&files, &Facts::default(), clock::now()).unwrap()), ["a A", "b B"]);
        assert_eq!(shelf.look(&files, &Facts::default(), clock::now()), None);
        folder.save("a.yaml", &GOOD.replace("name: A", "name: C"));
        assert_eq!(names(&shelf.look(&files, &Facts::default(), clock::now()).unwrap()), ["a C", "b B"]);
        // In place, of the same length, within one tick of the clock.
        std::fs::write(&files[0], GOOD.replace("name: A", "name: D")).unwrap();
        assert_eq!(names(&shelf.look(&files, &Facts::default(), clock::now()).unwrap()), ["a D", "b B"]);
        // Touched is not changed.
        folder.save("a.yaml", &GOOD.replace("name: A", "name: D"));
        assert_eq!(shelf.look(&files, &Facts::default(), clock::now()), None);
    }

    #[test]
    fn a_broken_file_keeps_its_last_good_version() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let files = [folder.save("a.yaml", GOOD)];
        let mut shelf = Shelf::default();
        assert!(shelf.look(&files, &Facts::default(), clock::now()).is_some());
        for broken in ["name: [\n", "name: A\nsteps: [{name: One}, {nam: Two}]\nsteps: 1\n", "\u{0}"] {
            folder.save("a.yaml", broken);
            let library = shelf.look(&files, &Facts::default(), clock::now()).unwrap();
            assert_eq!(names(&library), ["a A"], "{broken}");
            let error = library.1.iter().find(|f| f.level == Level::Error).unwrap();
            assert!(error.line >= 1 && error.message.ends_with(KEPT), "{error:?}");
            assert_eq!(shelf.look(&files, &Facts::default(), clock::now()), None, "and that is told once");
        }
        folder.save("a.yaml", &GOOD.replace("name: A", "name: Mended"));
        let library = shelf.look(&files, &Facts::default(), clock::now()).unwrap();
        assert_eq!(names(&library), ["a Mended"]);
        assert!(library.1.iter().all(|f| f.level != Level::Error));
    }

    #[test]
    fn what_is_known_around_judges_anew() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let text = "name: A\nsteps: [{name: One}]\nescalation: [{after: 5m, contact: senior}]\n";
        let files = [folder.save("a.yaml", text)];
        let knowing = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
            Facts { contacts: Some(names.into()), ..Facts::default() }
        };
        let told = |library: Library| library.1.iter().filter(|f| f.message.contains("not among")).count();
        let mut shelf = Shelf::default();
        assert_eq!(shelf.look(&files, &Facts::default(), clock::now()).map(told), Some(0));
        assert_eq!(shelf.look(&files, &knowing(&["junior"]), clock::now()).map(told), Some(1));
        assert_eq!(shelf.look(&files, &knowing(&["junior"]), clock::now()), None);
        assert_eq!(shelf.look(&files, &knowing(&["senior"]), clock::now()).map(told), Some(0));
    }

    #[test]
    fn a_file_that_is_away_for_a_moment_is_waited_for() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let files = [folder.save("a.yaml", GOOD), folder.save("b.yaml", GOOD)];
        let mut shelf = Shelf::default();
        assert!(shelf.look(&files, &Facts::default(), clock::now()).is_some());
        std::fs::remove_file(&files[0]).unwrap();
        // A folder's pattern no longer names it.
        assert_eq!(shelf.look(&files[1..], &Facts::default(), clock::now()), None);
        folder.save("a.yaml", GOOD);
        assert_eq!(shelf.look(&files, &Facts::default(), clock::now()), None, "it came back as it was");
        std::fs::remove_file(&files[0]).unwrap();
        assert_eq!(shelf.look(&files[1..], &Facts::default(), clock::now()), None);
        assert_eq!(names(&shelf.look(&files[1..], &Facts::default(), clock::now()).unwrap()), ["b A"]);
        // A file that is named and away: its last good version is kept, and that is told.
        std::fs::remove_file(&files[1]).unwrap();
        assert_eq!(shelf.look(&files[1..], &Facts::default(), clock::now()), None);
        let library = shelf.look(&files[1..], &Facts::default(), clock::now()).unwrap();
        assert_eq!(names(&library), ["b A"]);
        assert!(library.1.iter().any(|f| f.rule == "unreadable" && f.message.ends_with(KEPT)));
    }
}
