//! Drafts that people edit. The last line of a draft is a comment with the hash of the text above it: while the two agree
//! nobody has touched the file and it may be written again; once they differ, or the line is gone, it belongs to the
//! person and a new file is written beside it. The mark is in the file itself so that it holds on another machine, after
//! a copy, and when our own data is lost.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::atomic::{write_atomic, write_new};
use crate::io::files::fault;
use crate::io::files::read::read_limited;
use crate::io::store::chain::hex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const OPEN: &str = "<!-- midwatch draft ";
const CLOSE: &str = " -->\n";
/// The largest draft that is looked at; a larger file is a person's.
const LIMIT: u64 = 16 * 1024 * 1024;
/// Files beside each other at most.
const VERSIONS: u32 = 99;

/// Where a draft went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file with the new text.
    pub path: PathBuf,
    /// Files that a person edited, which were left alone.
    pub kept: Vec<PathBuf>,
}

/// Writes a draft (0600) to `path`, or to `…-2.md`, `…-3.md` beside it when the files before it were edited.
pub fn write_draft(path: &Path, text: &str) -> Result<Written, Fault> {
    let marked = mark(text);
    let mut kept = Vec::new();
    for n in 1..=VERSIONS {
        let candidate = numbered(path, n);
        match candidate.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                if write_new(&candidate, marked.as_bytes(), 0o600)? {
                    return Ok(Written { path: candidate, kept });
                }
                // It appeared this very moment: somebody else's.
            }
            Err(e) => return Err(fault(&candidate, &e)),
            Ok(meta) if meta.is_file() && untouched(&candidate) => {
                write_atomic(&candidate, marked.as_bytes(), 0o600)?;
                return Ok(Written { path: candidate, kept });
            }
            Ok(_) => {}
        }
        kept.push(candidate);
    }
    let why = format!("{VERSIONS} edited drafts lie there already; move some away");
    Err(Fault::new(FaultKind::Local, format!("file {}", path.display()), why))
}

/// Whether the file is as we wrote it. What cannot be read is taken for edited.
pub fn untouched(path: &Path) -> bool {
    let Ok(bytes) = read_limited(path, LIMIT) else { return false };
    let Ok(content) = String::from_utf8(bytes) else { return false };
    content.rfind(OPEN).and_then(|at| content.split_at_checked(at)).is_some_and(|(text, _)| mark(text) == content)
}

fn mark(text: &str) -> String {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{newline}");
    let hash = hex(&Sha256::digest(text.as_bytes()));
    format!("{text}{OPEN}{hash}{CLOSE}")
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    if n == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{n}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_untouched_draft_is_written_again_and_an_edited_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("INC-1.md");
        let second = folder.path().join("INC-1-2.md");
        let third = folder.path().join("INC-1-3.md");
        assert_eq!(write_draft(&path, "one").unwrap(), Written { path: path.clone(), kept: vec![] });
        assert_eq!(write_draft(&path, "two\n").unwrap().path, path);
        assert!(fs::read_to_string(&path).unwrap().starts_with("two\n<!-- midwatch draft "));

        let edits: [fn(String) -> String; 5] = [
            |t| t.replace("two", "too"),
            |t| t + "\n",
            |t| t.lines().next().unwrap_or_default().to_owned(),
            |t| t.replace('\n', "\r\n"),
            |t| t.clone() + &t,
        ];
        let ours = fs::read_to_string(&path).unwrap();
        for edit in edits {
            let edited = edit(ours.clone());
            fs::write(&path, &edited).unwrap();
            let written = write_draft(&path, "three").unwrap();
            assert_eq!(written, Written { path: second.clone(), kept: vec![path.clone()] });
            assert_eq!(fs::read_to_string(&path).unwrap(), edited);
        }
        fs::write(&second, "mine too").unwrap();
        assert_eq!(write_draft(&path, "four").unwrap(), Written { path: third, kept: vec![path, second] });
    }

    #[test]
    fn a_folder_a_link_and_bytes_are_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        fs::create_dir(&path).unwrap();
        fs::write(folder.path().join("d-2.md"), [0xff, 0xfe]).unwrap();
        std::os::unix::fs::symlink("/nonexistent", folder.path().join("d-3.md")).unwrap();
        assert_eq!(write_draft(&path, "x").unwrap().path, folder.path().join("d-4.md"));
    }

    /// A text that itself ends in our comment must not pass for an older draft of another text.
    #[test]
    fn a_mark_inside_the_text_fools_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        write_draft(&path, &mark("inner")).unwrap();
        assert!(untouched(&path));
        assert_eq!(write_draft(&path, "outer").unwrap().path, path);
    }
}
