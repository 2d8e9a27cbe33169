//! What is done: a command as a runbook has it, or an HTTP call that goes nowhere but where the file says.

use super::File;
use crate::domain::document::{Fields, Node, Value};
use crate::domain::experiment::keys::{DEED, HTTP, METHODS};
use crate::domain::experiment::model::{Act, Call, Deed};
use crate::domain::runbook::model::{Part, Risk};
use crate::domain::runbook::offer;
use crate::domain::runbook::pieces::{needed, text, word};
use crate::domain::text::is_hidden;
use crate::domain::time::{Span, mins, secs};

/// How long a call may take where the file does not say, and the most that it may say, in seconds.
const TIMEOUT: i64 = 10;
const LONGEST: i64 = 300;
/// The longest address and the most that is sent, in bytes.
const MOST: usize = 64 * 1024;

impl File<'_, '_> {
    /// What is done, or how it is taken back.
    pub(super) fn deeds(&mut self, top: &Fields<'_>, key: &str) -> Vec<Deed> {
        let rollback = key == "rollback";
        let mut all = Vec::new();
        for (n, node) in self.each(top, key, true).iter().enumerate() {
            all.extend(self.deed(node, format!("{key}.{}", n + 1), rollback));
        }
        all
    }

    fn deed(&mut self, node: &Node, id: String, rollback: bool) -> Option<Deed> {
        let own = self.fields(node, &DEED)?;
        let given: Vec<&str> = ["argv", "sh", "http"].into_iter().filter(|key| own.get(key).is_some()).collect();
        let [kind] = given.as_slice() else {
            let message = match given.as_slice() {
                [] => "nothing is done here (expected `argv: [program, argument]`, `sh: line` or `http: {url: …}`)"
                    .to_owned(),
                several => format!("one thing is done, not {} (`{}`)", several.len(), several.join("`, `")),
            };
            self.error(node.mark, message);
            return None;
        };
        let said = self.commands.risk(&own);
        let said = said.unwrap_or(if rollback { Risk::Change } else { Risk::Unknown });
        let (act, risk) = if *kind == "http" {
            for key in ["timeout", "target", "cwd", "ok_exit"] {
                if let Some(other) = own.get(key) {
                    self.error(other.mark, format!("`{key}` does nothing beside `http`"));
                }
            }
            let call = self.call(own.get("http")?)?;
            let risk = Deed::raised(said, &call);
            (Act::Http(call), risk)
        } else {
            let command = self.commands.command(&own, id.clone(), said)?;
            let risk = offer::risk(&command, Part::Run).0;
            (Act::Command(Box::new(command)), risk)
        };
        let most = if rollback { mins(1) } else { Span::hours(1) };
        Some(Deed {
            id,
            name: text(self.reader(), &own, "name").unwrap_or_default(),
            act,
            risk,
            impact: text(self.reader(), &own, "impact"),
            before: self.span(&own, "pause_before", (secs(0), most)).unwrap_or(secs(0)),
            after: self.span(&own, "pause_after", (secs(0), most)).unwrap_or(secs(0)),
            mark: node.mark,
        })
    }

    /// A call.
    pub(super) fn call(&mut self, node: &Node) -> Option<Call> {
        let own = self.fields(node, &HTTP)?;
        let url = needed(self.reader(), &own, "url")?.trim().to_owned();
        let at = own.get("url")?;
        let host = match host_of(&url) {
            Ok(host) => host,
            Err(why) => {
                self.error(at.mark, format!("url: {why}"));
                return None;
            }
        };
        let methods: Vec<(&str, String)> = METHODS.iter().map(|m| (*m, (*m).to_owned())).collect();
        let method = match own.get("method") {
            Some(n) => word(self.reader(), n, "method", &methods)?,
            None => "GET".to_owned(),
        };
        let body = text(self.reader(), &own, "body");
        if body.as_ref().is_some_and(|body| body.len() > MOST) {
            self.error(node.mark, format!("body: more than {MOST} bytes"));
        }
        Some(Call {
            headers: self.headers(&own),
            status: self.statuses(&own),
            timeout: self.timeout(&own),
            method,
            url,
            host,
            body,
            mark: node.mark,
        })
    }

    fn timeout(&mut self, own: &Fields<'_>) -> Span {
        let Some(node) = own.get("timeout_s") else { return secs(TIMEOUT) };
        let said = node.text().and_then(|text| text.parse::<i64>().ok()).filter(|n| (1..=LONGEST).contains(n));
        if said.is_none() {
            self.reader().wrong(node, "timeout_s", "a whole number of seconds from 1 to 300");
        }
        secs(said.unwrap_or(TIMEOUT))
    }

    fn headers(&mut self, own: &Fields<'_>) -> Vec<(String, String)> {
        let Some(node) = own.get("headers") else { return Vec::new() };
        let mut all = Vec::new();
        for (key, value) in self.reader().entries(node, "headers").unwrap_or_default() {
            let Some(said) = self.reader().string(value, &key.text) else { continue };
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            let lower = key.text.to_ascii_lowercase();
            if key.text.is_empty() || !key.text.chars().all(token) || said.chars().any(is_hidden) {
                self.error(key.mark, format!("header `{}` cannot be sent as it stands", key.text));
            } else if matches!(lower.as_str(), "authorization" | "cookie" | "proxy-authorization" | "x-api-key") {
                self.error(key.mark, format!("header `{}` carries a secret, which must not stand in a file; use a command that reads it itself", key.text));
            } else {
                all.push((key.text.clone(), said));
            }
        }
        all
    }

    fn statuses(&mut self, own: &Fields<'_>) -> Vec<u16> {
        let Some(node) = own.get("status") else { return Vec::new() };
        let items = match &node.value {
            Value::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut all = Vec::new();
        for item in items {
            match item.text().and_then(|said| said.parse::<u16>().ok()).filter(|code| (100..600).contains(code)) {
                Some(code) => all.push(code),
                None => self.reader().wrong(item, "status", "HTTP statuses from 100 to 599"),
            }
        }
        all
    }
}

/// The host of an address, lower case. `Err` says why the address is not called.
fn host_of(url: &str) -> Result<String, String> {
    if url.len() > MOST || url.chars().any(|c| is_hidden(c) || c.is_whitespace()) {
        return Err("it holds a blank or a hidden character, or is too long".to_owned());
    }
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or_else(|| format!("`{url}` is neither http:// nor https://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if rest.contains('\\') {
        return Err("it holds a backslash, which programs read in different ways".to_owned());
    }
    if authority.contains('@') {
        return Err("it holds a name or password; nothing of the kind may stand in a file".to_owned());
    }
    if rest.contains('#') {
        return Err("it holds a fragment (#), which is never sent".to_owned());
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((host, port)) if port.is_empty() || port.starts_with(':') => host,
            _ => "",
        },
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    let known = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(known) {
        return Err(format!("`{url}` names no host that could be judged"));
    }
    Ok(host.to_ascii_lowercase())
}
