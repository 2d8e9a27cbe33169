//! Drafts that people edit. The last line of a draft is a comment with a hash of the text above it without what stands
//! between keep marks: while the two agree nobody has touched what is ours, and the file may be written again with what
//! people wrote between the marks; a second hash, over all of it, says that nobody wrote there either. Once the first
//! differs, or the line is gone, it belongs to the person and a new file is written beside it. The mark is in the file
//! itself so that it holds on another machine, after a copy, and when our own data is lost.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::postmortem::keep::{carry, outside};
use crate::domain::postmortem::picture::MARK;
use crate::domain::postmortem::render::finish;
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
    /// Places between keep marks whose text was carried over.
    pub carried: usize,
    /// Blanks that are left in it.
    pub blanks: usize,
}

/// Writes a draft (0600) to `path`, with what people wrote between keep marks there; or to `…-2.md`, `…-3.md` beside it
/// when the files before it were edited elsewhere, or hold text for which the new draft has no place. `raw` is the draft
/// before its blanks are counted.
pub fn write_draft(path: &Path, raw: &str) -> Result<Written, Fault> {
    let mut kept = Vec::new();
    for n in 1..=VERSIONS {
        let candidate = numbered(path, n);
        match candidate.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let (text, blanks) = finish(raw);
                if write_new(&candidate, mark(&text, true).as_bytes(), 0o600)? {
                    return Ok(Written { path: candidate, kept, carried: 0, blanks });
                }
                // It appeared this very moment: somebody else's.
            }
            Err(e) => return Err(fault(&candidate, &e)),
            Ok(meta) if meta.is_file() => {
                let next = ours(&candidate).and_then(|theirs| match theirs.fresh {
                    // Another template has other words between its marks, and these were nobody's.
                    true => Some((raw.to_owned(), 0)),
                    false => carry(&theirs.text, raw),
                });
                if let Some((text, carried)) = next {
                    let (text, blanks) = finish(&text);
                    write_atomic(&candidate, mark(&text, carried == 0).as_bytes(), 0o600)?;
                    return Ok(Written { path: candidate, kept, carried, blanks });
                }
            }
            Ok(_) => {}
        }
        kept.push(candidate);
    }
    let why = format!("{VERSIONS} edited drafts lie there already; move some away");
    Err(Fault::new(FaultKind::Local, format!("file {}", path.display()), why))
}

/// Writes a picture of a draft (0600) beside it; a file that is not ours is left alone. `false`: it was.
pub fn write_picture(path: &Path, text: &str) -> Result<bool, Fault> {
    let ours = match path.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
        Err(e) => return Err(fault(path, &e)),
        Ok(meta) => {
            let read = || read_limited(path, LIMIT).ok().is_some_and(|bytes| bytes.ends_with(MARK.as_bytes()));
            meta.is_file() && read()
        }
    };
    if ours {
        write_atomic(path, text.as_bytes(), 0o600)?;
    }
    Ok(ours)
}

/// Whether what is ours in the file is as we wrote it. What cannot be read is taken for edited.
pub fn untouched(path: &Path) -> bool {
    ours(path).is_some()
}

/// A draft of which nobody touched what is ours.
struct Ours {
    /// Its text, without its mark.
    text: String,
    /// Nobody wrote between the keep marks either: all of it is as a template has it.
    fresh: bool,
}

fn ours(path: &Path) -> Option<Ours> {
    let content = String::from_utf8(read_limited(path, LIMIT).ok()?).ok()?;
    let (text, tail) = content.rfind(OPEN).and_then(|at| content.split_at_checked(at))?;
    let said = tail.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    let (kept, whole) = (digest(&outside(text)), digest(text));
    let fresh = said == format!("kept {kept} whole {whole}");
    // Drafts of before have the hash of the whole text alone.
    let ours = fresh || said == whole || said.split(" whole ").next() == Some(&format!("kept {kept}"));
    ours.then(|| Ours { text: text.to_owned(), fresh })
}

/// The text with its mark; `fresh` when nothing in it is a person's.
fn mark(text: &str, fresh: bool) -> String {
    let text = ended(text);
    let kept = digest(&outside(&text));
    let whole = if fresh { format!(" whole {}", digest(&text)) } else { String::new() };
    format!("{text}{OPEN}kept {kept}{whole}{CLOSE}")
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn ended(text: &str) -> String {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{newline}")
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
        assert_eq!(
            write_draft(&path, "one").unwrap(),
            Written { path: path.clone(), kept: vec![], carried: 0, blanks: 0 }
        );
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
            assert_eq!((&written.path, &written.kept), (&second, &vec![path.clone()]));
            assert_eq!(fs::read_to_string(&path).unwrap(), edited);
        }
        fs::write(&second, "mine too").unwrap();
        let written = write_draft(&path, "four").unwrap();
        assert_eq!((written.path, written.kept), (third, vec![path, second]));
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

    #[test]
    fn what_people_wrote_between_marks_stays_when_it_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        let draft = |fact: &str| {
            format!("# T\n\u{1}blanks\u{1} left\n{fact}\n## Impact\n<!-- keep -->\n[[BLANK: who]]\n<!-- /keep -->\n")
        };
        assert_eq!(write_draft(&path, &draft("one")).unwrap().blanks, 1);
        let filled = fs::read_to_string(&path).unwrap().replace("[[BLANK: who]]", "everybody\nand more");
        fs::write(&path, &filled).unwrap();
        assert!(untouched(&path));
        let again = write_draft(&path, &draft("two")).unwrap();
        assert_eq!((&again.path, again.carried, again.blanks, again.kept.len()), (&path, 1, 0, 0));
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# T\n0 left\ntwo\n## Impact\n<!-- keep -->\neverybody\nand more\n<!-- /keep -->\n"),
            "{text}"
        );
        // A draft that has no place for it lies beside, and so does one whose facts a person changed.
        let beside = write_draft(&path, "# T\nthree\n").unwrap();
        assert_eq!((beside.path, fs::read_to_string(&path).unwrap()), (folder.path().join("d-2.md"), text.clone()));
        fs::write(&path, text.replace("two", "too")).unwrap();
        assert!(!untouched(&path));
    }

    #[test]
    fn a_draft_of_before_is_known_by_its_whole_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        let text = "# T\n<!-- keep -->\nx\n<!-- /keep -->\n";
        fs::write(&path, format!("{text}{OPEN}{}{CLOSE}", digest(text))).unwrap();
        assert!(untouched(&path));
        fs::write(&path, format!("{text}{OPEN}kept {}{CLOSE}", digest(&outside(text)))).unwrap();
        assert_eq!(write_draft(&path, "# T\n<!-- keep -->\ny\n<!-- /keep -->\n").unwrap().carried, 1);
    }

    /// The words of one template between its marks are no person's words when another one is taken.
    #[test]
    fn what_nobody_wrote_between_marks_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        let draft = |words: &str| format!("# T\n## Impact\n<!-- keep -->\n- {words}: [[BLANK: who]]\n<!-- /keep -->\n");
        write_draft(&path, &draft("Users")).unwrap();
        let again = write_draft(&path, &draft("User Impact")).unwrap();
        assert_eq!((&again.path, again.carried, again.blanks), (&path, 0, 1));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("- User Impact: [[BLANK") && !text.contains("- Users:"), "{text}");
        // A blank that a person worded anew is theirs, this time and every time after it.
        fs::write(&path, text.replace("[[BLANK: who]]", "[[BLANK: ask bob]]")).unwrap();
        for words in ["User Impact", "Users", "User Impact"] {
            assert_eq!(write_draft(&path, &draft(words)).unwrap().carried, 1, "{words}");
            assert!(fs::read_to_string(&path).unwrap().contains("- User Impact: [[BLANK: ask bob]]"));
        }
    }

    #[test]
    fn a_picture_of_ours_is_drawn_anew_and_another_file_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.svg");
        for text in ["<svg>1</svg>", "<svg>2</svg>"] {
            assert_eq!(write_picture(&path, &format!("{text}{MARK}")), Ok(true));
            assert!(fs::read_to_string(&path).unwrap().starts_with(text));
        }
        fs::write(&path, "mine").unwrap();
        assert_eq!(write_picture(&path, MARK), Ok(false));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    /// A text that itself ends in our comment must not pass for an older draft of another text.
    #[test]
    fn a_mark_inside_the_text_fools_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.md");
        write_draft(&path, &mark("inner", true)).unwrap();
        assert!(untouched(&path));
        assert_eq!(write_draft(&path, "outer").unwrap().path, path);
    }
}
