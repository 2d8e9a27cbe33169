//! From a command and its values to exactly what would run: here or over ssh, in which folder, with which variables.
//! Refuses what cannot be run safely and says why. Puts no value into the text of a shell, and runs nothing.

use crate::domain::incident::decide::Refusal;
use crate::domain::runbook::model::{Exec, RunCommand, Runbook, Target};
use crate::domain::runbook::remote;
use crate::domain::runbook::shell::{Quoting, fill, places, scan};
use crate::domain::runbook::values::{AMBIENT, Values, is_known};
use crate::domain::text::is_hidden;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Exactly what would run.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The program and its arguments; empty for a query.
    pub argv: Vec<String>,
    /// The variables that the text names, sorted; nothing else of ours is passed.
    pub env: Vec<(String, String)>,
    /// Names of those whose values must not be shown.
    pub secret: Vec<String>,
    /// The folder it runs in; `None` is where the cockpit was started.
    pub cwd: Option<String>,
    /// The host of ssh; `None` is this one.
    pub host: Option<String>,
    /// PromQL that is asked over HTTP; then there is no program.
    pub query: Option<String>,
    /// The exact text to confirm.
    pub shown: String,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("argv", &self.argv).field("env", &self.shown_env()).finish_non_exhaustive()
    }
}

impl Prepared {
    /// SHA-256 (hex) over argv, env, folder and query: what was confirmed is what runs.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        add(&self.argv.len().to_string());
        self.argv.iter().for_each(|element| add(element));
        for (name, value) in &self.env {
            add(name);
            add(value);
        }
        for more in [&self.cwd, &self.query].into_iter().flatten() {
            add("+");
            add(more);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Its variables as they may be shown and stored.
    pub fn shown_env(&self) -> Vec<(String, String)> {
        let shown = |name: &String, value: &String| {
            if self.secret.contains(name) { "[secret]".to_owned() } else { value.clone() }
        };
        self.env.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()
    }
}

/// The values that must be masked wherever they would be shown.
pub fn secrets(prepared: &Prepared) -> impl Iterator<Item = &str> {
    prepared.env.iter().filter(|(name, _)| prepared.secret.contains(name)).map(|(_, value)| value.as_str())
}

/// What a command of a runbook would run with these values, or why it cannot be run.
pub fn ready(book: &Runbook, command: &RunCommand, values: &Values) -> Result<Prepared, Refusal> {
    if !book.is_runnable() {
        return Err(Refusal("it comes from a page of prose: copy it, and run it by hand".to_owned()));
    }
    let Some(target) = book.target(command) else {
        let name = command.target.as_deref().unwrap_or_default();
        return Err(Refusal(format!("the runbook does not say what `{name}` is; run the command by hand")));
    };
    let prepared = prepare(command, values)?;
    if prepared.query.is_some() {
        return Ok(prepared);
    }
    match target {
        Target::Local => Ok(Prepared { cwd: folder(book, command), ..prepared }),
        Target::Ssh { host } => over_ssh(prepared, command, host),
    }
}

/// What a command would run beside the cockpit, wherever its runbook wants it.
pub fn prepare(command: &RunCommand, values: &Values) -> Result<Prepared, Refusal> {
    if let Exec::Query(query) = &command.exec {
        let shown = query.split_whitespace().collect::<Vec<_>>().join(" ");
        return match shown.chars().any(is_hidden) {
            true => Err(Refusal("the query holds a hidden character".to_owned())),
            false => Ok(Prepared { shown, query: Some(query.clone()), ..Prepared::default() }),
        };
    }
    if command.text.chars().any(is_hidden) {
        return Err(Refusal("the command holds a line break or a hidden character; run it by hand".to_owned()));
    }
    let mut prepared = match &command.exec {
        Exec::Sh(text) => shell(text, values)?,
        Exec::Argv(argv) => list(argv, values)?,
        Exec::Query(_) => Prepared::default(),
    };
    prepared.secret =
        prepared.env.iter().map(|(name, _)| name).filter(|name| values.is_secret(name)).cloned().collect();
    Ok(prepared)
}

/// The names whose values a command uses; those that it gives itself or that come from the responder's own environment
/// are not among them.
pub fn names(command: &RunCommand) -> Vec<String> {
    match &command.exec {
        Exec::Query(_) => Vec::new(),
        Exec::Argv(argv) => argv.iter().flat_map(|e| places(e)).map(str::to_owned).collect(),
        Exec::Sh(text) => {
            let scan = scan(text);
            let assigned = scan.assigned();
            let mentioned = scan.mentions.iter().map(|m| m.name.clone());
            mentioned.filter(|name| !assigned.contains(&name.as_str())).collect()
        }
    }
}

fn shell(text: &str, values: &Values) -> Result<Prepared, Refusal> {
    if text.is_empty() || text.starts_with('-') || text.chars().any(is_hidden) {
        return Err(Refusal("the command is no line that a shell can be given; run it by hand".to_owned()));
    }
    let scan = scan(text);
    let assigned = scan.assigned();
    let mut env = BTreeMap::new();
    for mention in &scan.mentions {
        let name = mention.name.as_str();
        let declared = is_known(name) || values.says(name);
        if assigned.contains(&name) || (!declared && (AMBIENT.contains(&name) || mention.quoting == Quoting::Single)) {
            continue;
        }
        if mention.has_default && values.is_open(name) {
            continue;
        }
        env.insert(name.to_owned(), values.need(name)?.to_owned());
    }
    Ok(Prepared {
        argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()],
        env: env.into_iter().collect(),
        shown: text.to_owned(),
        ..Prepared::default()
    })
}

fn list(argv: &[String], values: &Values) -> Result<Prepared, Refusal> {
    let Some(program) = argv.first() else { return Err(Refusal("there is nothing to run".to_owned())) };
    if !places(program).is_empty() {
        return Err(Refusal("a value may not choose the program; run the command by hand".to_owned()));
    }
    if argv.iter().flat_map(|e| e.chars()).any(is_hidden) {
        return Err(Refusal("the command holds a line break or a hidden character; run it by hand".to_owned()));
    }
    for name in argv.iter().flat_map(|element| places(element)) {
        if values.is_secret(name) {
            let why = format!("${name} is secret, and every user of this host can read the arguments of a program");
            return Err(Refusal(format!("{why}; use `sh` with \"${name}\"")));
        }
        values.need(name)?;
    }
    let argv: Vec<String> = argv.iter().map(|element| fill(element, |name| values.get(name))).collect();
    let shown = line(&argv)?;
    Ok(Prepared { argv, shown, ..Prepared::default() })
}

/// A list as one line that a shell would read back as the same list.
fn line(argv: &[String]) -> Result<String, Refusal> {
    shlex::try_join(argv.iter().map(String::as_str))
        .map_err(|_| Refusal("the command cannot be written as one line; run it by hand".to_owned()))
}

/// The folder of a command that runs here: its own, else the runbook's, else the one that the runbook lies in.
fn folder(book: &Runbook, command: &RunCommand) -> Option<String> {
    let base = book.path.rsplit_once('/').map(|(folder, _)| if folder.is_empty() { "/" } else { folder });
    let own = command.cwd.as_deref().or(book.cwd.as_deref()).filter(|cwd| *cwd != ".");
    match (base, own) {
        (_, Some(own)) if own.starts_with('/') => Some(own.to_owned()),
        (Some(base), Some(own)) => Some(format!("{}/{own}", base.trim_end_matches('/'))),
        (Some(base), None) => Some(base.to_owned()),
        (None, own) => own.map(str::to_owned),
    }
}

fn over_ssh(prepared: Prepared, command: &RunCommand, host: &str) -> Result<Prepared, Refusal> {
    if let Some(name) = prepared.secret.first() {
        let why = format!("${name} is secret, and over ssh it would stand in the arguments of a program");
        return Err(Refusal(format!("{why}; run the command there by hand")));
    }
    if command.tty {
        return Err(Refusal(format!("it needs a terminal on {host}; log in there and run it by hand")));
    }
    let inner = match &command.exec {
        Exec::Sh(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
        _ => prepared.argv,
    };
    let argv = remote::ssh(host, command.cwd.as_deref(), &prepared.env, &inner).map_err(Refusal)?;
    let shown = line(&argv)?;
    Ok(Prepared { argv, env: Vec::new(), host: Some(host.to_owned()), shown, ..Prepared::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::labels::Labels;
    use crate::domain::runbook::format::read;
    use crate::domain::runbook::model::{Input, InputFrom, Risk};

    fn book() -> Runbook {
        let mut book = read("/srv/books/r.yaml", "name: R\nsteps:\n  - {name: One}\n").0.unwrap();
        book.targets = vec![("edge".into(), Target::Ssh { host: "edge-bastion".into() })];
        book
    }

    fn command(exec: Exec) -> RunCommand {
        RunCommand::new("s.1", "as written", exec, Risk::Read, Mark::default())
    }

    fn input(name: &str, secret: bool) -> Input {
        Input {
            name: name.into(),
            from: InputFrom::Ask { prompt: String::new() },
            default: None,
            pattern: Some(".*".into()),
            min: None,
            max: None,
            secret,
            mark: Mark::default(),
        }
    }

    fn argv(list: &[&str]) -> Exec {
        Exec::Argv(list.iter().map(|s| (*s).to_owned()).collect())
    }

    #[test]
    fn a_command_runs_in_the_folder_of_its_runbook_unless_it_says_where() {
        let book = book();
        let cwd = |own: Option<&str>| {
            let command = RunCommand { cwd: own.map(str::to_owned), ..command(argv(&["ls", "-l"])) };
            ready(&book, &command, &Values::default()).unwrap().cwd.unwrap()
        };
        assert_eq!(cwd(None), "/srv/books");
        assert_eq!(cwd(Some("tools")), "/srv/books/tools");
        assert_eq!(cwd(Some("/var/tmp")), "/var/tmp");
        assert_eq!(cwd(Some(".")), "/srv/books");
    }

    #[test]
    fn ssh_gets_one_quoted_string_with_its_variables() {
        let mut values = Values::default();
        values.offer_input(&input("NAME", false), "it's; touch x");
        let edge = |exec| RunCommand { target: Some("edge".into()), ..command(exec) };
        let prepared = ready(&book(), &edge(argv(&["echo", "${NAME}"])), &values).unwrap();
        let head = ["ssh", "-T", "-o", "BatchMode=yes", "edge-bastion", "--"];
        assert_eq!(prepared.argv[..6], head);
        assert_eq!(prepared.argv[6], r"exec 'echo' 'it'\''s; touch x'");
        assert_eq!(prepared.host.as_deref(), Some("edge-bastion"));
        let prepared = ready(&book(), &edge(Exec::Sh("echo \"$NAME\"".into())), &values).unwrap();
        assert_eq!(prepared.argv[6], r#"NAME='it'\''s; touch x'; export NAME; exec '/bin/sh' '-c' 'echo "$NAME"'"#);
        assert!(prepared.env.is_empty());
        let nowhere = RunCommand { target: Some("nowhere".into()), ..command(argv(&["ls", "-l"])) };
        assert!(ready(&book(), &nowhere, &values).is_err());
    }

    #[test]
    fn a_secret_is_never_an_argument_and_never_shown() {
        let mut values = Values::of_alert("A", &Labels::default());
        values.offer_input(&input("TOKEN", true), "hunter2 and more");
        assert!(prepare(&command(argv(&["curl", "-H", "${TOKEN}"])), &values).is_err());
        let sh = command(Exec::Sh("curl -H \"$TOKEN\"".into()));
        let prepared = prepare(&sh, &values).unwrap();
        assert_eq!(prepared.env, [("TOKEN".to_owned(), "hunter2 and more".to_owned())]);
        assert_eq!(prepared.shown_env(), [("TOKEN".to_owned(), "[secret]".to_owned())]);
        assert_eq!(prepared.shown, "curl -H \"$TOKEN\"");
        assert!(!format!("{prepared:?} {values:?}").contains("hunter2"));
        let away = RunCommand { target: Some("edge".into()), ..sh };
        assert!(ready(&book(), &away, &values).is_err());
    }

    #[test]
    fn a_query_is_no_program_and_takes_no_values() {
        let prepared = ready(&book(), &command(Exec::Query("up{job=\"${X}\"}".into())), &Values::default()).unwrap();
        assert_eq!((prepared.argv.len(), prepared.query.as_deref()), (0, Some("up{job=\"${X}\"}")));
    }
}
