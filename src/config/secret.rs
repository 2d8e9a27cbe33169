//! Where a secret is to be found. Never the secret itself: a value written into the file is refused, and what is shown of
//! a reference is masked where it could hold one.

use crate::domain::document::{Fields, Key, Level, Mark, Node, Reader, Value};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is to be found.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The text of a file without its last line break.
    File(PathBuf),
    /// What a command prints, without its last line break; never empty.
    Command(Vec<String>),
    /// A variable of the environment.
    Env(String),
}

impl SecretRef {
    /// The reference without arguments, which might hold a secret.
    pub fn masked(&self) -> String {
        match self {
            Self::File(path) => format!("file {}", path.display()),
            Self::Command(argv) => match argv.split_first() {
                Some((program, [])) => format!("command {program}"),
                Some((program, rest)) => format!("command {program} *** ({} arguments)", rest.len()),
                None => "command".to_owned(),
            },
            Self::Env(name) => format!("env {name}"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({})", self.masked())
    }
}

const HOW: &str = "write {file: PATH}, {command: [PROGRAM, ARGUMENT]} or {env: NAME}";

/// Reads a reference; a literal value is an error that does not repeat the value.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, what: &str, folder: &Path) -> Option<SecretRef> {
    if matches!(node.value, Value::Scalar { .. } | Value::Seq(_)) {
        let message = format!("{what} must not stand in the file; {HOW}");
        reader.error(node.mark, "secret-in-file", message);
        return None;
    }
    let fields = reader.map(node, what, &["file", "command", "env"])?;
    let given: Vec<&str> = ["file", "command", "env"].into_iter().filter(|k| fields.get(k).is_some()).collect();
    match given.as_slice() {
        ["file"] => path(reader, &fields, what, folder),
        ["command"] => command(reader, &fields, what),
        ["env"] => variable(reader, &fields, what),
        _ => {
            reader.error(node.mark, "missing-key", format!("{what} needs exactly one of file, command and env; {HOW}"));
            None
        }
    }
}

/// Every variable that is named as the place of a secret anywhere below, and where.
pub(super) fn variables(node: &Node) -> Vec<(String, Mark)> {
    match &node.value {
        Value::Seq(items) => items.iter().flat_map(variables).collect(),
        Value::Map(entries) => {
            let env = |(key, value): &(Key, Node)| match value.text() {
                Some(name) if key.text == "env" => vec![(name.to_owned(), value.mark)],
                _ => variables(value),
            };
            entries.iter().flat_map(env).collect()
        }
        _ => Vec::new(),
    }
}

fn path(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str, folder: &Path) -> Option<SecretRef> {
    let node = fields.get("file")?;
    let text = reader.string(node, what)?;
    if text.is_empty() {
        reader.error(node.mark, "empty", format!("{what} names no file"));
        return None;
    }
    Some(SecretRef::File(folder.join(text)))
}

fn command(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> Option<SecretRef> {
    let node = fields.get("command")?;
    if matches!(node.value, Value::Scalar { .. }) {
        let message =
            format!("{what}: a command is a list of words, no shell runs it (expected [pass, show, prometheus])");
        reader.error(node.mark, "wrong-type", message);
        return None;
    }
    let argv = reader.strings(node, what);
    if argv.first().is_none_or(String::is_empty) {
        reader.error(node.mark, "empty", format!("{what} names no program (expected [pass, show, prometheus])"));
        return None;
    }
    Some(SecretRef::Command(argv))
}

fn variable(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> Option<SecretRef> {
    let node = fields.get("env")?;
    let name = reader.string(node, what)?;
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("{what}: this is not the name of a variable (expected something like PROM_TOKEN)");
        reader.error(node.mark, "wrong-type", message);
        return None;
    }
    let message = format!("{what}: every program you start can read the variable {name}; prefer file or command");
    reader.report(node.mark, Level::Warning, "secret-in-env", message);
    Some(SecretRef::Env(name))
}
