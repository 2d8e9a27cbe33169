//! From what is to be run to what is handed to the system: the program's full path, its arguments unchanged, and the
//! environment that is listed here. Refuses what could not arrive byte for byte.

use crate::io::port::CommandSpec;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

/// Variables of ours that a child may see, beside `LC_*`. Tokens are in none of them.
const ALLOWED: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "KUBECONFIG", "SSH_AUTH_SOCK"];
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// How a child gets a session of its own, without which it could open our terminal through `/dev/tty`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launcher {
    /// A program that starts a session and becomes the command: `setsid`, or our own binary with an argument that makes
    /// it call [`lead_session`]. These words come before the command.
    Through(Vec<OsString>),
    /// Only a process group: it can be stopped as a whole, but can still open the terminal.
    GroupOnly,
}

impl Launcher {
    /// `setsid` where the system has it.
    pub fn find() -> Self {
        ["/usr/bin/setsid", "/bin/setsid", "/usr/local/bin/setsid", "/opt/homebrew/bin/setsid"]
            .into_iter()
            .find(|path| executable(Path::new(path)))
            .map_or(Self::GroupOnly, |path| Self::Through(vec![path.into()]))
    }
}

/// Makes this process the leader of a new session and becomes the command. Only returns when it cannot. For a binary that
/// was started as a launcher: it must do this first of all, before it starts a thread.
pub fn lead_session(program: &OsStr, args: &[OsString]) -> io::Error {
    if let Err(e) = rustix::process::setsid() {
        return e.into();
    }
    std::process::Command::new(program).args(args).exec()
}

/// What is handed to the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The file to execute.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// Whether the child must be given a group when it is started, because nothing gives it a session.
    pub own_group: bool,
}

/// A command that gets the terminal: in our own session, so that the keys of the terminal reach it.
pub fn with_terminal(spec: &CommandSpec) -> Result<Launch, String> {
    prepare(spec, &Launcher::GroupOnly)
}

/// Checks and completes a command. `Err` says why it cannot be run as it stands.
pub fn prepare(spec: &CommandSpec, launcher: &Launcher) -> Result<Launch, String> {
    let Some((name, args)) = spec.argv.split_first() else { return Err("refused: there is no command".into()) };
    if let Some(n) = spec.argv.iter().position(|arg| arg.contains('\0')) {
        return Err(format!("refused: argument {n} holds a NUL character"));
    }
    for (key, value) in &spec.env {
        if key.is_empty() || key.contains(['=', '\0']) {
            return Err(format!("refused: {key:?} is not a variable's name"));
        }
        if value.contains('\0') {
            return Err(format!("refused: the value of {key} holds a NUL character"));
        }
    }
    if let Some(folder) = spec.cwd.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(format!("no such folder: {}", folder.display()));
    }
    let env = environment(std::env::vars_os(), spec);
    let path = env.get(OsStr::new("PATH")).map_or(OsStr::new(DEFAULT_PATH), OsString::as_os_str);
    let found = resolve(name, path, spec.cwd.as_deref())?;
    let args = args.iter().map(OsString::from);
    Ok(match launcher {
        Launcher::Through(words) if !words.is_empty() => {
            let mut words = words.iter().cloned();
            let program = PathBuf::from(words.next().unwrap_or_default());
            Launch { program, args: words.chain([found.into_os_string()]).chain(args).collect(), env, own_group: false }
        }
        _ => Launch { program: found, args: args.collect(), env, own_group: true },
    })
}

/// The listed variables of ours, `TERM=dumb` where there is no terminal, and what the command is given, which wins.
fn environment(ours: impl Iterator<Item = (OsString, OsString)>, spec: &CommandSpec) -> BTreeMap<OsString, OsString> {
    let may = |key: &str| {
        ALLOWED.contains(&key)
            || key.starts_with("LC_")
            || (spec.tty && key == "TERM")
            || spec.pass.iter().any(|p| p == key)
    };
    let listed = |key: &OsStr| key.to_str().is_some_and(may);
    let mut env: BTreeMap<OsString, OsString> = ours.filter(|(key, _)| listed(key)).collect();
    if !spec.tty {
        env.insert("TERM".into(), "dumb".into());
    }
    env.extend(spec.env.iter().map(|(key, value)| (key.into(), value.into())));
    env
}

/// The file that a name means. Unlike a shell, an empty or relative entry of `PATH` is not searched: what runs must not
/// depend on the folder one happens to be in.
fn resolve(name: &str, path: &OsStr, cwd: Option<&Path>) -> Result<PathBuf, String> {
    if name.is_empty() {
        return Err("refused: the command's name is empty".into());
    }
    if name.contains('/') {
        let given = Path::new(name);
        let base = match cwd {
            Some(folder) => folder.to_owned(),
            None => std::env::current_dir().map_err(|e| format!("the current folder is gone: {e}"))?,
        };
        let full = base.join(given);
        let full = std::path::absolute(&full).unwrap_or(full);
        return match full.metadata() {
            Err(_) => Err(format!("not found: {name}")),
            Ok(_) if executable(&full) => Ok(full),
            Ok(_) => Err(format!("not executable: {name}")),
        };
    }
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| executable(file))
        .ok_or_else(|| format!("not found: {name}"))
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_variables_pass() {
        let ours = [
            ("PATH", "/bin"),
            ("HOME", "/h"),
            ("LC_ALL", "C"),
            ("TERM", "xterm"),
            ("PAGERDUTY_TOKEN", "secret"),
            ("LD_PRELOAD", "x.so"),
            ("MIDWATCH_CONFIG", "c"),
            ("TEAM", "blue"),
        ];
        let ours = ours.into_iter().map(|(k, v)| (k.into(), v.into()));
        let env = vec![("SERVICE".into(), "a b".into()), ("HOME".into(), "/other".into())];
        let spec = CommandSpec { env, pass: vec!["TEAM".into()], ..CommandSpec::default() };
        let env = environment(ours, &spec);
        let env: Vec<_> = env.iter().map(|(k, v)| format!("{}={}", k.display(), v.display())).collect();
        assert_eq!(env, ["HOME=/other", "LC_ALL=C", "PATH=/bin", "SERVICE=a b", "TEAM=blue", "TERM=dumb"]);
    }

    #[test]
    fn programs_are_found_where_they_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("tool");
        std::fs::write(&tool, "").unwrap();
        let path = folder.path().as_os_str();
        assert_eq!(resolve("tool", path, None), Err("not found: tool".into()));
        assert_eq!(resolve("./tool", path, Some(folder.path())), Err("not executable: ./tool".into()));
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(resolve("tool", path, None), Ok(tool.clone()));
        assert_eq!(resolve("./tool", OsStr::new(""), Some(folder.path())), Ok(tool));
        assert_eq!(resolve("tool", OsStr::new(":.:relative"), Some(folder.path())), Err("not found: tool".into()));
        assert_eq!(resolve("", path, None), Err("refused: the command's name is empty".into()));
    }
}
