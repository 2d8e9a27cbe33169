//! A house in which every secret is a canary: a configuration of all adapters, and one server for all of them that says
//! every credential back, in bodies and headers, of answers that succeed and of those that fail. And the sweep that looks for
//! canaries where none may be.

use crate::stateful_server::{Answer, Asked, StatefulServer};
use midwatch::domain::mask::forms_of;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The variable that one adapter's token is in.
pub const VARIABLE: &str = "HOUSE_CANARY";

/// Who has a secret. Each is a file, but for one variable and one command.
const HOLDERS: [&str; 24] = [
    "prometheus",
    "prometheus-header",
    "alertmanager",
    "pagerduty",
    "pagerduty-events",
    "hook-path",
    "hook-query",
    "slack",
    "mattermost",
    "matrix",
    "teams",
    "chat-hook",
    "statuspage",
    "github",
    "jira",
    "jira-header",
    "grafana",
    "grafana-user",
    "goalert",
    "goalert-incoming",
    "incident-io",
    "incident-io-events",
    "jsm",
    "oncall",
];

/// The canary of a holder.
pub fn canary(holder: &str) -> String {
    format!("canary.{holder}.q7Zr2Lx9")
}

/// What the server answers with, and what it was sent.
#[derive(Default)]
pub struct Echo {
    /// The status of every answer.
    pub status: u16,
    /// Everything that was asked.
    heard: Vec<String>,
}

impl Echo {
    /// Holders whose secret arrived in any form.
    pub fn met(&self) -> BTreeSet<&'static str> {
        let met = |holder: &&str| {
            let forms = forms_of(&canary(holder));
            self.heard.iter().any(|said| forms.iter().any(|form| said.contains(form)))
        };
        HOLDERS.into_iter().filter(met).collect()
    }
}

/// Everything of a request that could hold a credential.
fn said(asked: &Asked) -> String {
    let headers: Vec<String> = asked.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{} {}?{} {} {}", asked.method, asked.path, asked.query, headers.join(" "), asked.body)
}

fn echo(state: &mut Echo, asked: &Asked) -> Answer {
    let said = said(asked);
    state.heard.push(said.clone());
    let auth = asked.header("authorization").to_owned();
    let good = state.status == 200;
    let body = match good {
        true if asked.path.contains("/prom/") => {
            let sample = json!({"metric": {"midwatch": "total:5m:1", "job": said}, "value": [1_777_593_600, "1"]});
            let data = match asked.path.contains("alerts") {
                true => {
                    json!({"alerts": [{"labels": {"alertname": "Echo", "note": said}, "annotations": {"summary": said},
                    "state": "firing", "activeAt": "2026-01-01T00:00:00Z", "value": "1"}]})
                }
                false => json!({"resultType": "vector", "result": [sample], "version": said}),
            };
            json!({"status": "success", "data": data, "warnings": [said]})
        }
        true if asked.path.contains("/am/") && asked.path.contains("groups") => json!([{"labels": {},
            "receiver": {"name": said}, "alerts": [{"labels": {"alertname": "Echo", "note": said},
            "annotations": {"summary": said}, "fingerprint": "a7ffdcec7b6bae00", "startsAt": "2026-05-01T03:00:00.000Z",
            "status": {"state": "active"}}]}]),
        // Something of every product, with the credential wherever a text may be.
        true => json!({"ok": true, "id": said, "name": said, "key": said, "number": 7, "html_url": said, "url": said,
            "self": said, "ts": said, "channel": {"id": said, "name": said}, "user_id": said, "event_id": said,
            "room_id": said, "dedup_key": said, "message": said, "status": "success", "title": said, "html": said,
            "incident": {"id": said, "title": said, "status": "triggered"}, "incidents": [{"id": said, "title": said,
            "status": "triggered", "created_at": "2026-05-01T03:00:00Z"}], "items": [], "components": [], "team": said}),
        false => json!({"ok": false, "error": said, "message": said, "errcode": "M_UNKNOWN", "status": "error",
            "errorType": "bad_data", "errors": [said], "errorMessages": [said], "error_description": said, "id": said}),
    };
    Answer::json(state.status, &body)
        .with("X-Echo", &auth)
        .with("Link", &format!("<http://127.0.0.1:1/{auth}>; rel=\"next\""))
        .with("WWW-Authenticate", &format!("Bearer realm=\"{auth}\""))
        .with("Location", &format!("/{auth}"))
}

/// The server and where the secrets are.
pub struct House {
    /// Says everything back.
    pub server: StatefulServer<Echo>,
    secrets: PathBuf,
}

impl House {
    /// Secrets below a folder, and the server.
    pub fn new(folder: &Path) -> Self {
        let secrets = folder.join("secrets");
        fs::create_dir_all(&secrets).unwrap();
        let server = StatefulServer::start(Echo { status: 200, ..Echo::default() }, echo);
        let house = Self { server, secrets };
        for holder in HOLDERS {
            house.keep(holder, &canary(holder));
        }
        let url = house.server.url();
        let (path, query) = (canary("hook-path"), canary("hook-query"));
        house.keep("hook-url", &format!("{url}/hook/{path}?sig={query}"));
        house.keep("teams-url", &format!("{url}/teams/{}", canary("teams")));
        house.keep("chat-url", &format!("{url}/chat/{}", canary("chat-hook")));
        house
    }

    fn keep(&self, name: &str, text: &str) {
        let file = self.secrets.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn file(&self, name: &str) -> String {
        format!("{{file: '{}'}}", self.secrets.join(name).display())
    }

    /// A configuration with every adapter that has a secret.
    pub fn config(&self) -> String {
        let url = self.server.url();
        let bearer = |holder: &str| format!("auth: {{bearer: {}}}", self.file(holder));
        let command = format!("{{command: ['/bin/cat', '{}']}}", self.secrets.join("jira").display());
        format!(
            "responder: {{name: alice}}
log_level: trace
env_pass: [PATH]
runbooks: [runbooks/]
slos: [slos/]
prometheus:
  - {{name: main, url: '{url}/prom', poll_interval: 1s, timeout: 3s, {}, headers: {{X-Api-Key: {}}}}}
alertmanager:
  - {{name: am, urls: ['{url}/am'], poll_interval: 1s, timeout: 3s, auth: {{basic: {{username: ops, password: {}}}}}}}
incident_backends:
  - {{name: pd, kind: pagerduty, url: '{url}/pd', timeout: 3s, {}, options: {{from_email: ada@example.com, services: {{api: S1}}}}}}
  - {{name: goalert, kind: goalert, url: '{url}/goalert', timeout: 3s, {}, options: {{services: {{api: S1}}}}}}
  - {{name: io, kind: incident_io, url: '{url}/io', timeout: 3s, {}, options: {{schedules: {{api: S1}}}}}}
  - {{name: jsm, kind: jsm, url: '{url}/jsm', timeout: 3s, auth: {{basic: {{username: ops@example.com, password: {}}}}}, options: {{cloud_id: c1, services: {{api: S1}}, escalation: E1}}}}
  - {{name: oncall, kind: grafana_oncall, url: '{url}/oncall', timeout: 3s, {}, options: {{services: {{api: S1}}}}}}
event_sinks:
  - {{name: incoming, kind: goalert, url: '{url}/incoming', timeout: 3s, {}, options: {{audience: ops}}}}
  - {{name: alarms, kind: incident_io, url: '{url}/alarms', timeout: 3s, {}, options: {{alert_source: A1}}}}
  - {{name: events, kind: pagerduty, url: '{url}/ev', timeout: 3s, options: {{routing_key: {}, audience: ops}}}}
  - {{name: hook, kind: webhook, url: {}, timeout: 3s, options: {{audience: ops}}}}
chat:
  - {{name: slack, kind: slack, url: '{url}/slack', timeout: 3s, {}}}
  - {{name: mm, kind: mattermost, url: '{url}/mm', timeout: 3s, {}, options: {{team: ops}}}}
  - {{name: matrix, kind: matrix, url: '{url}/matrix', timeout: 3s, {}}}
  - {{name: teams, kind: teams, url: {}, timeout: 3s}}
  - {{name: talk, kind: webhook, url: {}, timeout: 3s}}
status_pages:
  - {{name: page, kind: statuspage, url: '{url}/page', timeout: 3s, {}, options: {{page: p1}}}}
tickets:
  - {{name: gh, kind: github, url: '{url}/gh', timeout: 3s, auth: {{bearer: {{env: {VARIABLE}}}}}, options: {{repository: acme/ops}}}}
  - {{name: jira, kind: jira, url: '{url}/jira', timeout: 3s, auth: {{basic: {{username: ops@example.com, password: {command}}}}}, headers: {{X-Gate: {}}}, options: {{project: OPS}}}}
annotations:
  - {{name: grafana, kind: grafana, url: '{url}/grafana', timeout: 3s, {}, headers: {{X-User: {}}}}}
changes:
  - {{name: deploys, kind: command, options: {{argv: ['/usr/bin/env']}}}}
",
            bearer("prometheus"),
            self.file("prometheus-header"),
            self.file("alertmanager"),
            bearer("pagerduty"),
            bearer("goalert"),
            bearer("incident-io"),
            self.file("jsm"),
            bearer("oncall"),
            bearer("goalert-incoming"),
            bearer("incident-io-events"),
            self.file("pagerduty-events"),
            self.file("hook-url"),
            bearer("slack"),
            bearer("mattermost"),
            bearer("matrix"),
            self.file("teams-url"),
            self.file("chat-url"),
            bearer("statuspage"),
            self.file("jira-header"),
            bearer("grafana"),
            self.file("grafana-user"),
        )
    }

    /// Every secret is somewhere in these bytes.
    pub fn all_met(&self) {
        let met = self.server.with(|echo| echo.met());
        let missing: Vec<&str> = HOLDERS.into_iter().filter(|holder| !met.contains(holder)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "a secret that was never sent proves nothing");
    }
}

/// What was found where nothing may be.
#[derive(Debug, Default)]
pub struct Sweep {
    /// `who: where`.
    pub leaks: Vec<String>,
    looked: usize,
}

impl Sweep {
    /// Looks into bytes.
    pub fn bytes(&mut self, place: &str, bytes: &[u8]) {
        self.looked += 1;
        for holder in HOLDERS {
            for form in forms_of(&canary(holder)) {
                if let Some(at) = bytes.windows(form.len()).position(|window| window == form.as_bytes()) {
                    let around = &bytes[at.saturating_sub(60)..(at + form.len() + 20).min(bytes.len())];
                    self.leaks.push(format!("{holder}: {place}: …{}…", String::from_utf8_lossy(around)));
                    break;
                }
            }
        }
    }

    /// Looks into every file below a folder, and at their names.
    pub fn folder(&mut self, folder: &Path, except: &[&str]) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if except.contains(&name.as_str()) {
                continue;
            }
            self.bytes(&format!("the name of {}", path.display()), name.as_bytes());
            if path.is_dir() {
                self.folder(&path, except);
            } else if path.is_file() {
                self.bytes(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
            }
        }
    }

    /// Looks at the arguments of a process and all below it, and at the environment of those below.
    pub fn processes(&mut self, root: u32) {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
                Some((pid, parent))
            })
            .collect();
        let mut family = vec![root];
        while let Some((child, _)) =
            parents.iter().find(|(pid, parent)| family.contains(parent) && !family.contains(pid))
        {
            family.push(*child);
        }
        for pid in family {
            // One that is gone by now has nothing to show.
            let of = |what: &str| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
            self.bytes(&format!("the arguments of {pid}"), &of("cmdline"));
            if pid != root {
                self.bytes(&format!("the environment of {pid}"), &of("environ"));
            }
        }
    }

    /// Nothing was found, and something was looked at.
    pub fn is_clean(&self) {
        assert!(self.looked > 20, "hardly anything was looked at: {}", self.looked);
        assert!(self.leaks.is_empty(), "{} leaks:\n{}", self.leaks.len(), self.leaks.join("\n"));
    }
}

/// An objective and a runbook whose one command tells what a child of ours has.
pub const SLO: &str = "service_level_objectives:
  api_availability: {sli: 'sum(rate(ok_total[5m])) / sum(rate(all_total[5m]))', target: 0.99, window: 1d}
";

/// The command shows its own environment.
pub const RUNBOOK: &str = "apiVersion: midwatch/v1
kind: Runbook
id: look
name: Look
owner: t
reviewed: 2026-05-01
steps:
  - {id: s1, name: Look, phase: mitigate, run: [{sh: 'env; cat /proc/self/environ', risk: read}]}
";
