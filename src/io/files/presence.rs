//! Whether what a runbook names is on this machine: programs on the search path, files beside the runbook. Looks, and
//! starts nothing; what it sees may be another thing a moment later.

use crate::domain::runbook::lint::{Facts, programs, relative_links};
use crate::domain::runbook::model::Runbook;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Remembers what was looked for, so that a thousand runbooks look for `kubectl` once.
#[derive(Debug)]
pub struct Presence {
    path: Option<OsString>,
    programs: BTreeMap<String, bool>,
}

impl Presence {
    /// Of programs on the search path that commands get.
    pub fn here() -> Self {
        Self { path: std::env::var_os("PATH"), programs: BTreeMap::new() }
    }

    /// What lint can be told of a runbook file that lies on this machine, beside what is known around it.
    pub fn facts(&mut self, runbook: &Runbook, around: &Facts) -> Facts {
        // Without a search path of ours, that of the shell is used, which nobody here knows.
        let missing = self.path.is_some().then(|| {
            let needed = programs(runbook);
            needed.into_iter().filter(|program| !self.has(program)).collect()
        });
        Facts { missing_programs: missing, missing_files: Some(missing_beside(runbook)), ..around.clone() }
    }

    fn has(&mut self, program: &str) -> bool {
        if let Some(known) = self.programs.get(program) {
            return *known;
        }
        let found = if program.starts_with('/') {
            runs(Path::new(program))
        } else {
            let folders = self.path.as_ref().map(|path| std::env::split_paths(path).collect::<Vec<_>>());
            folders.unwrap_or_default().iter().any(|folder| runs(&folder.join(program)))
        };
        self.programs.insert(program.to_owned(), found);
        found
    }
}

fn runs(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The relative links of a runbook that lead to nothing, as written.
pub fn missing_beside(runbook: &Runbook) -> BTreeSet<String> {
    let folder = Path::new(&runbook.path).parent().unwrap_or(Path::new("."));
    let there = |link: &String| {
        let file = link.split(['#', '?']).next().unwrap_or(link);
        folder.join(file).exists()
    };
    relative_links(runbook).into_iter().filter(|link| !there(link)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    #[test]
    fn what_is_not_here_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        let tool = folder.path().join("bin/tool");
        std::fs::write(&tool, "").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("bin/notes"), "").unwrap();
        std::fs::write(folder.path().join("there.md"), "").unwrap();
        let text = "apiVersion: midwatch/v1\nname: R\nlinks: [there.md#part, gone.md]\nsteps:\n  - name: S\n    run:\n      \
                    - {argv: [tool, -v], risk: read}\n      - {sh: 'notes -x | nowhere -y', risk: read}\n";
        let path = folder.path().join("r.yaml");
        let book = read(&path.to_string_lossy(), text).0.unwrap();
        let mut presence = Presence { path: Some(folder.path().join("bin").into()), programs: BTreeMap::new() };
        let facts = presence.facts(&book, &Facts::default());
        let list = |set: Option<BTreeSet<String>>| set.unwrap().into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(list(facts.missing_programs), "notes nowhere", "a file that nobody may run is no program");
        assert_eq!(list(facts.missing_files), "gone.md");
    }
}
