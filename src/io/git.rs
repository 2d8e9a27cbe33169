//! What was committed to a repository on this machine: the first parents of a branch, which is what landed there. Read with
//! `git log`, never through a shell; nothing is fetched, and nothing that the repository's own settings name is run.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::domain::outward::backend::Change;
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::Outcome;
use crate::domain::server_note::ServerNote;
use crate::domain::time::{Timestamp, rfc3339};
use crate::io::http::Endpoint;
use crate::io::integration::Integration;
use crate::io::port::changes::ChangeFeed;
use crate::io::port::{Outward, Target, Task};
use crate::io::shell::read::read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "git",
    about: "git: what was committed to a repository on this machine",
    sections: &[Section::Changes],
    // Nothing is asked over the network; every entry has an address.
    url: Some("http://localhost"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

const OPTIONS: [(&str, &str); 3] = [
    ("path", "the repository, relative to the configuration; needed"),
    ("branch", "what is deployed from; HEAD when left out"),
    ("service", "the service that it is of"),
];
/// Commits that one question reads.
const MOST: usize = 200;
/// Between the fields of a commit, and after each: characters that git refuses in names and that subjects do not hold.
const FIELD: char = '\u{1f}';
const END: char = '\u{1e}';

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    path: PathBuf,
    branch: String,
    service: Option<String>,
}

fn settings(config: &OutsideConfig, reader: &mut Reader<'_>) -> Settings {
    let fields = config.options(reader, &INTEGRATION.keys());
    let mut get = |key: &str| fields.as_ref().and_then(|f| f.get(key)).and_then(|n| reader.string(n, key));
    let (path, branch, service) = (get("path").unwrap_or_default(), get("branch"), get("service"));
    let path = if path.is_empty() { PathBuf::new() } else { config.folder.join(path) };
    Settings { path, branch: branch.unwrap_or_else(|| "HEAD".into()), service }
}

fn check(config: &OutsideConfig, reader: &mut Reader<'_>) {
    let settings = settings(config, reader);
    if settings.path.as_os_str().is_empty() {
        reader.error(config.options_mark(), "missing-key", "git needs options: {path: FOLDER}");
    }
    if settings.branch.is_empty() || settings.branch.starts_with('-') {
        reader.error(config.options_mark(), "wrong-value", "options: {branch: NAME} is a branch, a tag or HEAD");
    }
}

fn connect(config: &OutsideConfig, endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings(config, &mut Reader::new(&config.path));
    let address = settings.path.display().to_string();
    let git = Arc::new(Git { name: endpoint.name().to_owned(), settings, timeout: endpoint.timeout });
    Ok(Target::new(INTEGRATION.kind, address, endpoint.timeout, git.clone()).with_changes(git))
}

/// One repository.
#[derive(Debug)]
struct Git {
    name: String,
    settings: Settings,
    timeout: Duration,
}

fn commit(line: &str, service: Option<&String>) -> Option<Change> {
    let mut fields = line.trim_start().split(FIELD);
    let (hash, at, author, subject) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let at: Timestamp = chrono::DateTime::parse_from_rfc3339(at).ok()?.to_utc();
    let short: String = hash.chars().take(10).collect();
    Some(Change {
        id: hash.to_owned(),
        at,
        summary: format!("{subject} ({short})"),
        service: service.cloned(),
        author: Some(author.to_owned()).filter(|a| !a.is_empty()),
        url: None,
    })
}

impl Git {
    fn argv(&self, more: &[&str]) -> Vec<String> {
        let path = self.settings.path.display().to_string();
        let fixed = ["git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-C", &path];
        fixed.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    async fn log(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Change>, Fault> {
        let (since, until) = (format!("--since={}", rfc3339(from)), format!("--until={}", rfc3339(to)));
        let (most, format) = (format!("--max-count={MOST}"), format!("--format=%H{FIELD}%cI{FIELD}%an{FIELD}%s{END}"));
        let words = [
            "log",
            "--first-parent",
            "--no-color",
            "--no-ext-diff",
            &most,
            &since,
            &until,
            &format,
            &self.settings.branch,
            "--",
        ];
        let out = read(&self.name, self.argv(&words), Vec::new(), self.timeout).await?;
        let service = self.settings.service.as_ref();
        let mut changes: Vec<Change> = out.split(END).filter_map(|line| commit(line, service)).collect();
        changes.retain(|change| change.at >= from && change.at <= to);
        changes.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(changes)
    }
}

impl Outward for Git {
    fn caps(&self) -> Caps {
        Caps::none().with(Class::Repeat, &[Capability::ReadChanges])
    }

    fn apply<'a>(&'a self, _: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(std::future::ready(Outcome::unsupported("a repository is read alone")))
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async move {
            let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &self.settings.branch];
            let out = read(&self.name, self.argv(&words), Vec::new(), self.timeout).await?;
            let at: String = out.trim().chars().take(10).collect();
            Ok(ServerNote {
                requests: 1,
                version: Some(format!("{} at {at}", self.settings.branch)),
                ..ServerNote::default()
            })
        })
    }
}

impl ChangeFeed for Git {
    fn changes(&self, from: Timestamp, to: Timestamp) -> Task<'_, Result<Vec<Change>, Fault>> {
        Box::pin(self.log(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_and_what_is_none_is_left_out() {
        let line = "\nabcdef0123456789\u{1f}2026-05-01T05:00:00+02:00\u{1f}Ada <x>\u{1f}fix: \u{1b}[31mpool";
        let change = commit(line, Some(&"api".to_owned())).unwrap();
        assert_eq!(change.at, "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap());
        assert_eq!((change.author.as_deref(), change.service.as_deref()), (Some("Ada <x>"), Some("api")));
        assert!(change.summary.ends_with("(abcdef0123)"));
        for bad in ["", "\n", "a\u{1f}b", "a\u{1f}soon\u{1f}c\u{1f}d"] {
            assert_eq!(commit(bad, None), None);
        }
    }
}
