//! Secrets: reading a token where the configuration says it is, when it is needed. A secret is never an argument, never printed, and
//! never kept longer than the client that sends it.

use crate::config::SecretRef;
use crate::domain::fault::{Fault, FaultKind};
use secrecy::SecretString;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The longest secret read, in bytes.
const LIMIT: u64 = 64 * 1024;
/// How long a command may take to print a secret.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);

/// Reads a secret: trimmed, not empty, visible ASCII and spaces only. The fault names the place, never the content.
pub async fn resolve(source: &SecretRef) -> Result<SecretString, Fault> {
    let (what, raw) = match source {
        SecretRef::File(path) => {
            let owned = path.clone();
            let read = tokio::task::spawn_blocking(move || read_file(&owned)).await;
            let what = format!("secret file {}", path.display());
            let raw = read.map_err(|e| local(&what, e.to_string()))??;
            (what, raw)
        }
        SecretRef::Command(argv) => {
            let what = format!("secret command {}", argv.first().map_or("(empty)", String::as_str));
            let raw = run(&what, argv, COMMAND_LIMIT).await?;
            (what, raw)
        }
        SecretRef::Env(name) => {
            let what = format!("environment variable {name}");
            let raw = std::env::var_os(name).ok_or_else(|| local(&what, "not set"))?;
            (what, std::os::unix::ffi::OsStringExt::into_vec(raw))
        }
    };
    accept(&what, raw)
}

fn local(what: &str, detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Local, what, detail)
}

fn accept(what: &str, raw: Vec<u8>) -> Result<SecretString, Fault> {
    let text = String::from_utf8(raw).map_err(|_| local(what, "the secret is not ASCII"))?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(local(what, "the secret is empty"));
    }
    if !trimmed.is_ascii() {
        return Err(local(what, "the secret is not ASCII"));
    }
    if trimmed.bytes().any(|b| b.is_ascii_control()) {
        return Err(local(what, "the secret has more than one line, or control characters in it"));
    }
    Ok(SecretString::from(trimmed.to_owned()))
}

/// Opens first and looks at what was opened, so that nobody can exchange the file in between; never waits for a pipe.
fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let what = format!("secret file {}", path.display());
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path);
    let file = file.map_err(|e| local(&what, e.to_string()))?;
    let meta = file.metadata().map_err(|e| local(&what, e.to_string()))?;
    if !meta.is_file() {
        return Err(local(&what, "not a regular file"));
    }
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let hint = format!("mode {mode:03o} lets others (owner {}) at it; run: chmod 600 {}", meta.uid(), quoted(path));
        return Err(local(&what, hint));
    }
    let mut raw = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut raw).map_err(|e| local(&what, e.to_string()))?;
    if raw.len() as u64 > LIMIT {
        return Err(local(&what, format!("longer than {LIMIT} bytes")));
    }
    Ok(raw)
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |q| q.into_owned())
}

/// Runs the command without a terminal; its whole group is stopped at the limit. What it writes to standard error is not
/// repeated, for it may hold the secret.
async fn run(what: &str, argv: &[String], limit: Duration) -> Result<Vec<u8>, Fault> {
    let (program, args) = argv.split_first().ok_or_else(|| local(what, "no program given"))?;
    let mut command = tokio::process::Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child =
        command.process_group(0).kill_on_drop(true).spawn().map_err(|e| local(what, format!("did not start: {e}")))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    let stdout = child.stdout.take();
    let work = async {
        let mut raw = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(LIMIT + 1).read_to_end(&mut raw).await?;
        }
        // The pipe is closed here, so that a program with more to say does not wait for us.
        Ok::<_, std::io::Error>((raw, child.wait().await?))
    };
    let ended = tokio::time::timeout(limit, work).await;
    let Ok(ended) = ended else {
        if let Some(group) = group {
            // Gone already is as good as stopped.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        return Err(local(what, format!("printed no secret within {} s", limit.as_secs_f32())));
    };
    let (raw, status) = ended.map_err(|e| local(what, e.to_string()))?;
    if raw.len() as u64 > LIMIT {
        return Err(local(what, format!("printed more than {LIMIT} bytes")));
    }
    if !status.success() {
        return Err(local(what, format!("{status}; run it by hand to see why")));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::path::PathBuf;

    fn block<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    fn file(mode: u32, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it's a token");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_cure() {
        for mode in [0o640, 0o604, 0o644, 0o660, 0o666] {
            let (_dir, path) = file(mode, b"s3cret\n");
            let fault = block(resolve(&SecretRef::File(path.clone()))).unwrap_err();
            assert!(fault.detail.contains("run: chmod 600 \""), "{mode:o}: {}", fault.detail);
            assert!(!fault.to_string().contains("s3cret"));
        }
        for mode in [0o600, 0o400] {
            let (_dir, path) = file(mode, b" s3cret\r\n");
            assert_eq!(block(resolve(&SecretRef::File(path))).unwrap().expose_secret(), "s3cret");
        }
    }

    #[test]
    fn what_cannot_be_a_header_is_refused_without_being_repeated() {
        for bad in ["", " \n", "pässwort", "one\ntwo", "a\u{1b}[31m", "nul\0"] {
            let (_dir, path) = file(0o600, bad.as_bytes());
            let fault = block(resolve(&SecretRef::File(path))).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Local, "{bad:?}");
            assert!(!fault.to_string().contains("two") && !fault.to_string().contains("pässwort"));
        }
        let (_dir, path) = file(0o600, &[0xff, 0xfe]);
        assert!(block(resolve(&SecretRef::File(path))).is_err());
        let (dir, _) = file(0o600, b"x");
        assert!(block(resolve(&SecretRef::File(dir.path().to_owned()))).is_err(), "a folder");
        assert!(block(resolve(&SecretRef::File("/nowhere/token".into()))).is_err());
    }

    #[test]
    fn a_command_prints_it_or_fails_without_its_words() {
        let sh = |text: &str| SecretRef::Command(vec!["/bin/sh".into(), "-c".into(), text.into()]);
        assert_eq!(block(resolve(&sh("echo tok en"))).unwrap().expose_secret(), "tok en");
        for (text, want) in [("echo hush >&2; exit 3", "exit status: 3"), ("true", "empty"), ("yes", "more than 65536")]
        {
            let fault = block(resolve(&sh(text))).unwrap_err();
            assert!(!fault.to_string().contains("hush"), "{fault}");
            assert!(fault.detail.contains(want), "{fault}");
        }
        assert!(block(resolve(&SecretRef::Command(vec![]))).is_err());
        assert!(block(resolve(&SecretRef::Command(vec!["/nowhere/vault".into()]))).is_err());
    }

    #[test]
    fn a_command_that_hangs_is_stopped_with_its_children() {
        let argv: Vec<String> = ["/bin/sh", "-c", "sleep 600 & sleep 600"].map(String::from).into();
        let fault = block(run("secret command /bin/sh", &argv, Duration::from_millis(100))).unwrap_err();
        assert!(fault.detail.contains("within 0.1 s"), "{fault}");
    }

    #[test]
    fn a_variable_is_read_and_its_value_never_prints() {
        let value = block(resolve(&SecretRef::Env("PATH".into()))).unwrap();
        assert!(!format!("{value:?}").contains(value.expose_secret()));
        assert!(block(resolve(&SecretRef::Env("MIDWATCH_NO_SUCH_VARIABLE".into()))).is_err());
    }
}
