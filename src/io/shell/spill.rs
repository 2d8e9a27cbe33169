//! Output that is more than what is kept on the screen goes into a private file, up to a limit; what comes after is only
//! counted. Secrets are masked before they reach the disk. A disk that refuses ends the file, never the command.

use crate::domain::mask::Masks;
use crate::domain::mask::stream::Stream;
use crate::io::files::folders::own_folder;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The largest file.
pub const LIMIT: usize = 16 << 20;
/// Output up to here is kept whole in memory and needs no file.
const SMALL: usize = 256 * 1024;

/// The file of one command.
#[derive(Debug)]
pub struct Spill {
    path: Option<PathBuf>,
    mask: Stream,
    /// What came so far, while it is small.
    early: Vec<u8>,
    file: Option<File>,
    written: usize,
    limit: usize,
}

impl Spill {
    /// In this folder under this name; without either nothing is kept.
    pub fn new(folder: Option<&Path>, name: Option<&str>, masks: Masks) -> Self {
        let plain =
            |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let path = folder.zip(name.filter(plain)).map(|(folder, name)| folder.join(format!("{name}.txt")));
        Self { path, mask: Stream::new(masks), early: Vec::new(), file: None, written: 0, limit: LIMIT }
    }

    /// Takes what was written next.
    pub fn take(&mut self, bytes: &[u8]) {
        // A flood that is not kept any more costs nothing here.
        if self.path.is_none() || self.written >= self.limit {
            return;
        }
        if self.file.is_some() {
            return self.write(&String::from_utf8_lossy(bytes), false);
        }
        self.early.extend_from_slice(bytes);
        if self.early.len() <= SMALL {
            return;
        }
        let early = std::mem::take(&mut self.early);
        match self.path.as_deref().map(create) {
            Some(Ok(file)) => {
                self.file = Some(file);
                self.write(&String::from_utf8_lossy(&early), false);
            }
            Some(Err(error)) => self.give_up(&error),
            None => {}
        }
    }

    /// The end: the path of the file, if there is one.
    pub fn finish(mut self) -> Option<String> {
        if self.file.is_some() {
            self.write("", true);
        }
        self.file.as_ref()?;
        self.path.map(|path| path.display().to_string())
    }

    fn write(&mut self, text: &str, last: bool) {
        if self.written >= self.limit {
            return;
        }
        let shown = self.mask.push(text, last);
        let room = shown.floor_char_boundary(self.limit.saturating_sub(self.written));
        let mut out = shown.get(..room).unwrap_or_default().to_owned();
        self.written = if room < shown.len() { self.limit } else { self.written + room };
        if self.written >= self.limit {
            out.push_str("\n[midwatch: the rest is not kept]\n");
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(out.as_bytes())
        {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &std::io::Error) {
        tracing::warn!(path = ?self.path, %error, "output is not kept in a file");
        if let Some(path) = self.path.take() {
            // Half of it would look like all of it.
            drop(std::fs::remove_file(path));
        }
        self.file = None;
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        own_folder(folder).map_err(|fault| std::io::Error::other(fault.to_string()))?;
    }
    // Never through a link and never over somebody's file.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_flood_goes_into_a_private_file_up_to_its_limit_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("output");
        let mut spill = Spill { limit: 600_000, ..Spill::new(Some(&inside), Some("run-1"), Masks::of(["s3cret"])) };
        for _ in 0..100 {
            spill.take(format!("{}\ns3cret\n", "x".repeat(9_990)).as_bytes());
        }
        let path = spill.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() < 600_100 && text.ends_with("[midwatch: the rest is not kept]\n"));
        assert!(!text.contains("s3cret") && text.contains("[masked]"));
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn little_output_needs_no_file_and_a_bad_folder_ends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut small = Spill::new(Some(folder.path()), Some("a"), Masks::default());
        small.take(b"hello\n");
        assert_eq!(small.finish(), None);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (folder, name) in [(file.as_path(), "a"), (folder.path(), "../a")] {
            let mut spill = Spill::new(Some(folder), Some(name), Masks::default());
            spill.take(&vec![b'x'; SMALL + 1]);
            assert_eq!(spill.finish(), None);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
