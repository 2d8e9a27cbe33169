//! A private socket of the file system that carries lines: its folder is 0700, it is itself 0600, and whoever is at the
//! other end must be the same user, by the kernel's word. Lines are bounded; what is longer is told and thrown away without
//! being held. Knows nothing of what the lines say, and reaches no other machine.

use crate::domain::fault::{Fault, FaultKind};
use crate::io::files::fault;
use crate::io::files::folders::own_folder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a path that every system takes for a socket.
const LONGEST_PATH: usize = 100;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// Whoever takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that is listened at. Its file goes with it.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

/// What came from the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(String),
    /// A line that was longer than allowed; all of it was thrown away.
    TooLong,
    /// A line that is no text.
    NoText,
    /// Nothing came in the time that there was.
    Nothing,
    /// The other end is gone.
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Wire {
    stream: UnixStream,
    held: Vec<u8>,
    /// The rest of a line that is too long is still to come.
    skipping: bool,
}

impl Door {
    /// Listens at `folder/name`. A socket that nobody listens at any more is replaced, any other file is refused.
    pub fn open(folder: &Path, name: &str) -> Result<Self, Fault> {
        own_folder(folder)?;
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(|e| fault(folder, &e))?;
        let path = folder.join(name);
        if let Ok(meta) = path.symlink_metadata() {
            if !meta.file_type().is_socket() || Wire::connect(&path).is_ok() {
                let why = "is in use, or is no socket of ours";
                return Err(Fault::new(FaultKind::Local, format!("socket {}", path.display()), why));
            }
            std::fs::remove_file(&path).map_err(|e| fault(&path, &e))?;
        }
        let listener = near(&path, |short| UnixListener::bind(short)).map_err(|e| fault(&path, &e))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(|e| fault(&path, &e))?;
        Ok(Self { listener, path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next one who connects. `Err` for another user or one who is gone again: the next call goes on.
    pub fn next(&self) -> Result<Wire, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::Permission, format!("socket {}", self.path.display()), why);
        let (stream, _) = self.listener.accept().map_err(|e| fault(&self.path, &e))?;
        let us = rustix::process::geteuid().as_raw();
        let them = peer(&stream).map_err(|e| refuse(format!("who connects is not known: {e}")))?;
        if them != us {
            return Err(refuse(format!("user {them} was refused, we are user {us}")));
        }
        Wire::of(stream).map_err(|e| fault(&self.path, &e))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Whoever finds the file finds that nobody listens; it may be gone already.
        let _: Result<(), _> = std::fs::remove_file(&self.path);
    }
}

/// The user at the other end, by the kernel's word.
fn peer(stream: &UnixStream) -> std::io::Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let copy = stream.try_clone()?;
    copy.set_nonblocking(true)?;
    let found = runtime.block_on(async { tokio::net::UnixStream::from_std(copy)?.peer_cred().map(|cred| cred.uid()) });
    // Both handles share the setting.
    stream.set_nonblocking(false)?;
    found
}

/// Uses a path that may be too long for a socket's address through a handle on its folder, where the system has that.
fn near<T>(path: &Path, use_it: impl FnOnce(&Path) -> std::io::Result<T>) -> std::io::Result<T> {
    if path.as_os_str().len() <= LONGEST_PATH {
        return use_it(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return use_it(path) };
    let handle = std::fs::File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    if !short.exists() {
        let why = format!(
            "its path has {} bytes, {LONGEST_PATH} are the most here; give --data-dir a shorter one",
            path.as_os_str().len()
        );
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    }
    use_it(&short.join(name))
}

impl Wire {
    fn of(stream: UnixStream) -> std::io::Result<Self> {
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, held: Vec::new(), skipping: false })
    }

    /// Connects to a socket of ours; one that another user made is refused.
    pub fn connect(path: &Path) -> Result<Self, Fault> {
        let meta = path.metadata().map_err(|e| fault(path, &e))?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            let why = format!("belongs to user {}", meta.uid());
            return Err(Fault::new(FaultKind::Permission, format!("socket {}", path.display()), why));
        }
        let stream = near(path, |short| UnixStream::connect(short)).map_err(|e| fault(path, &e))?;
        Self::of(stream).map_err(|e| fault(path, &e))
    }

    /// Another handle on the same connection, for a second thread: it hears everything from now on, what was read and not
    /// yet heard included.
    pub fn twin(&mut self) -> std::io::Result<Self> {
        let twin = Self::of(self.stream.try_clone()?)?;
        Ok(Self { held: std::mem::take(&mut self.held), skipping: std::mem::take(&mut self.skipping), ..twin })
    }

    /// Says a line.
    pub fn say(&mut self, line: &str) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend(line.bytes().filter(|b| *b != b'\n'));
        bytes.push(b'\n');
        self.stream.write_all(&bytes)
    }

    /// Ends the connection for every handle on it.
    pub fn hang_up(&self) {
        // It may be closed already.
        let _: Result<(), _> = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// Waits for a line of at most `longest` bytes; for ever without a `patience`.
    pub fn hear(&mut self, longest: usize, patience: Option<Duration>) -> Heard {
        loop {
            if let Some(heard) = self.line(longest) {
                return heard;
            }
            if let Some(patience) = patience
                && !self.ready(patience)
            {
                return Heard::Nothing;
            }
            let mut chunk = [0_u8; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Heard::Closed,
                Ok(n) => self.held.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return Heard::Closed,
            }
        }
    }

    fn ready(&self, patience: Duration) -> bool {
        let limit = Timespec::try_from(patience).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        let mut wait = [PollFd::new(&self.stream, PollFlags::IN)];
        poll(&mut wait, Some(&limit)).is_ok_and(|n| n > 0)
    }

    /// A whole line out of what is held.
    fn line(&mut self, longest: usize) -> Option<Heard> {
        let end = self.held.iter().position(|b| *b == b'\n');
        let Some(end) = end else {
            if self.held.len() > longest {
                self.held.clear();
                self.skipping = true;
            }
            return None;
        };
        let mut line: Vec<u8> = self.held.drain(..=end).collect();
        line.pop();
        if std::mem::take(&mut self.skipping) || line.len() > longest {
            return Some(Heard::TooLong);
        }
        Some(String::from_utf8(line).map_or(Heard::NoText, Heard::Line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(folder: &Path) -> (Door, Wire, Wire) {
        let door = Door::open(folder, "s").unwrap();
        let client = Wire::connect(door.path()).unwrap();
        let server = door.next().unwrap();
        (door, client, server)
    }

    #[test]
    fn lines_go_both_ways_and_the_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let (door, mut client, mut server) = pair(&folder.path().join("run"));
        let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(door.path()), mode(door.path().parent().unwrap())), (0o600, 0o700));
        client.say("one\nline").unwrap();
        client.say("two").unwrap();
        assert_eq!(server.hear(100, None), Heard::Line("oneline".into()));
        server.say("ok").unwrap();
        assert_eq!(server.hear(100, None), Heard::Line("two".into()));
        assert_eq!(client.hear(100, None), Heard::Line("ok".into()));
        assert_eq!(client.hear(100, Some(Duration::from_millis(1))), Heard::Nothing);
        client.say("three\nfour").unwrap();
        client.stream.write_all(b"five\nsix\n").unwrap();
        assert_eq!(server.hear(100, None), Heard::Line("threefour".into()));
        assert_eq!(server.hear(100, None), Heard::Line("five".into()));
        let mut twin = server.twin().unwrap();
        assert_eq!(twin.hear(100, None), Heard::Line("six".into()), "what was read already is not lost");
        client.hang_up();
        assert_eq!(twin.hear(100, None), Heard::Closed);
        let path = door.path().to_owned();
        drop(door);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_too_long_or_no_text_is_told_and_the_next_line_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let (_door, client, mut server) = pair(folder.path());
        let mut raw = client.stream.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            raw.write_all(&vec![b'x'; 300_000]).unwrap();
            raw.write_all(b"\n\xff\xfe\nshort\n").unwrap();
        });
        assert_eq!(server.hear(1_000, None), Heard::TooLong);
        assert!(server.held.capacity() < 100_000, "it was not held");
        assert_eq!(server.hear(1_000, None), Heard::NoText);
        assert_eq!(server.hear(1_000, None), Heard::Line("short".into()));
        writer.join().unwrap();
    }

    #[test]
    fn a_socket_is_found_dead_or_in_use_and_a_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let door = Door::open(folder.path(), "s").unwrap();
        assert!(Door::open(folder.path(), "s").unwrap_err().detail.contains("in use"));
        // Left behind by one who was killed.
        std::mem::forget(std::fs::rename(folder.path().join("s"), folder.path().join("dead")));
        drop(door);
        assert!(Wire::connect(&folder.path().join("dead")).is_err());
        assert!(Door::open(folder.path(), "dead").is_ok());
        std::fs::write(folder.path().join("file"), "mine").unwrap();
        assert!(Door::open(folder.path(), "file").is_err());
        assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
    }

    #[test]
    fn a_long_path_is_no_hindrance_where_the_system_helps() {
        if !Path::new("/proc/self/fd").exists() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a".repeat(90)).join("b".repeat(90));
        let (_door, mut client, mut server) = pair(&deep);
        client.say("hello").unwrap();
        assert_eq!(server.hear(100, None), Heard::Line("hello".into()));
    }

    /// Needs root, to become somebody else.
    #[test]
    fn another_user_is_refused() {
        let somebody_else = |code: &str| {
            let mut command = std::process::Command::new("setpriv");
            command.args(["--reuid=65534", "--clear-groups", "python3", "-c", code]);
            command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
            command
        };
        let able = somebody_else("pass").status().is_ok_and(|status| status.success());
        if !rustix::process::geteuid().is_root() || !able {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let door = Door::open(&folder.path().join("run"), "s").unwrap();
        // Even where both modes were opened by hand.
        for path in [folder.path(), door.path().parent().unwrap(), door.path()] {
            std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
        }
        let code =
            format!("import socket; s = socket.socket(socket.AF_UNIX); s.connect({:?}); print(s.recv(1))", door.path());
        let mut other = somebody_else(&code).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let refused = door.next().unwrap_err();
        assert!(refused.detail.contains("user 65534 was refused"), "{refused}");
        assert!(other.wait().unwrap().success(), "it was hung up on");
        let mut client = Wire::connect(door.path()).unwrap();
        client.say("still there").unwrap();
        assert!(door.next().is_ok());
    }
}
