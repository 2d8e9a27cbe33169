//! What an activity of Chaos Toolkit runs and what it tolerates, in our words: a program with arguments, a line for the shell,
//! or an HTTP call.

use super::{File, text};
use crate::domain::document::write::{quoted, scalar};
use crate::domain::document::{Node, Value};
use crate::domain::runbook::pieces::joined;
use crate::domain::runbook::shell::places;

/// What an activity runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Does {
    /// A program and its arguments.
    Argv(Vec<String>, Option<u64>),
    /// A line for the shell.
    Sh(String, Option<u64>),
    /// A call.
    Http { url: String, method: String, headers: Vec<(String, String)>, body: Option<String>, timeout: Option<u64> },
}

/// What is tolerated.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Exit codes or statuses.
    Codes(Vec<i64>),
    /// A line of our format about the answer's text.
    Text(String),
    /// That it succeeds.
    Success,
}

impl Does {
    /// Its lines as something that is done.
    pub(super) fn lines(&self, doing: bool) -> Vec<String> {
        match self {
            Self::Argv(argv, timeout) => {
                let words: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
                [format!("argv: [{}]", words.join(", "))].into_iter().chain(seconds(*timeout)).collect()
            }
            Self::Sh(line, timeout) => [format!("sh: {}", quoted(line))].into_iter().chain(seconds(*timeout)).collect(),
            Self::Http { .. } => vec![self.http(None, doing)],
        }
    }

    /// Its lines as something that is looked at, with the codes that hold.
    pub(super) fn looking(&self, codes: Option<&str>) -> Vec<String> {
        match self {
            Self::Http { .. } => vec![self.http(codes, false)],
            _ => {
                let mut lines = self.lines(false);
                lines.extend(codes.map(|codes| format!("ok_exit: {codes}")));
                lines
            }
        }
    }

    fn http(&self, status: Option<&str>, doing: bool) -> String {
        let Self::Http { url, method, headers, body, timeout } = self else { return String::new() };
        let mut parts = vec![format!("url: {}", quoted(url))];
        if method != "GET" {
            parts.push(format!("method: {method}"));
        }
        if !headers.is_empty() {
            let pairs: Vec<String> = headers.iter().map(|(k, v)| format!("{}: {}", quoted(k), quoted(v))).collect();
            parts.push(format!("headers: {{{}}}", pairs.join(", ")));
        }
        parts.extend(body.as_ref().filter(|_| doing || method != "GET").map(|body| format!("body: {}", quoted(body))));
        parts.extend(status.map(|status| format!("status: {status}")));
        parts.extend(timeout.map(|s| format!("timeout_s: {}", s.clamp(1, 300))));
        format!("http: {{{}}}", parts.join(", "))
    }
}

fn seconds(timeout: Option<u64>) -> Option<String> {
    timeout.map(|s| format!("timeout: {}s", s.clamp(1, 86_400)))
}

impl File {
    /// What an activity runs; what cannot be taken is told.
    pub(super) fn provider(&mut self, node: &Node, name: &str) -> Option<Does> {
        let Some(provider) = node.get("provider") else {
            self.reject(name, node.mark, "has no provider");
            return None;
        };
        match text(provider, "type") {
            Some("process") => self.process(provider, name),
            Some("http") => self.http(provider, name),
            Some("python") => {
                let module = text(provider, "module").unwrap_or("?");
                let func = text(provider, "func").unwrap_or("?");
                let why = format!(
                    "the Python provider `{module}` is not taken: what `{func}` does stands in no file; write its command"
                );
                self.reject(name, provider.mark, why);
                None
            }
            other => {
                let why = format!(
                    "a provider of the kind `{}` is not known (expected process or http)",
                    other.unwrap_or("nothing")
                );
                self.reject(name, provider.mark, why);
                None
            }
        }
    }

    fn process(&mut self, provider: &Node, name: &str) -> Option<Does> {
        let Some(path) = text(provider, "path").filter(|path| !path.trim().is_empty()) else {
            self.reject(name, provider.mark, "has no path to a program");
            return None;
        };
        let path = self.filled(path, provider, name)?;
        let timeout = text(provider, "timeout").and_then(|said| said.parse::<f64>().ok()).map(|s| s.max(1.0) as u64);
        let Some(arguments) = provider.get("arguments") else { return Some(Does::Argv(vec![path], timeout)) };
        match &arguments.value {
            Value::Null => Some(Does::Argv(vec![path], timeout)),
            // There a text went to a shell behind the program's path.
            Value::Scalar { text, .. } => {
                let line = format!("{} {}", joined(&[path]), self.filled(text, arguments, name)?);
                Some(Does::Sh(line, timeout))
            }
            Value::Seq(items) => {
                let mut argv = vec![path];
                for item in items {
                    argv.extend(self.word(item, name)?);
                }
                Some(Does::Argv(argv, timeout))
            }
            Value::Map(entries) => {
                let mut argv = vec![path];
                for (key, value) in entries {
                    argv.push(self.filled(&key.text, value, name)?);
                    argv.extend(self.word(value, name)?);
                }
                Some(Does::Argv(argv, timeout))
            }
        }
    }

    /// One argument; nothing and an empty text were left out there too.
    fn word(&mut self, node: &Node, name: &str) -> Option<Option<String>> {
        match &node.value {
            Value::Null => Some(None),
            Value::Scalar { text, .. } if text.is_empty() => Some(None),
            Value::Scalar { text, .. } => self.filled(text, node, name).map(Some),
            _ => {
                self.reject(name, node.mark, "has an argument that is no text");
                None
            }
        }
    }

    fn http(&mut self, provider: &Node, name: &str) -> Option<Does> {
        let Some(url) = text(provider, "url") else {
            self.reject(name, provider.mark, "has no url");
            return None;
        };
        let mut url = self.filled(url, provider, name)?;
        let method = text(provider, "method").unwrap_or("GET").to_ascii_uppercase();
        let mut headers = Vec::new();
        if let Some(Node { value: Value::Map(entries), .. }) = provider.get("headers") {
            for (key, value) in entries {
                let said = self.filled(value.text().unwrap_or_default(), value, name)?;
                let secret = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
                if secret.contains(&key.text.to_ascii_lowercase().as_str()) {
                    let why = format!("header `{}` carries a secret, which must not stand in a file", key.text);
                    self.reject(name, key.mark, why);
                    return None;
                }
                headers.push((key.text.clone(), said));
            }
        }
        let mut body = None;
        if let Some(arguments) = provider.get("arguments").filter(|node| !super::is_empty(node)) {
            match (&arguments.value, method.as_str()) {
                (Value::Map(entries), "GET" | "HEAD") => {
                    let pairs: Vec<String> = entries
                        .iter()
                        .map(|(k, v)| format!("{}={}", encoded(&k.text), encoded(v.text().unwrap_or_default())))
                        .collect();
                    url = format!("{url}{}{}", if url.contains('?') { "&" } else { "?" }, pairs.join("&"));
                }
                (Value::Scalar { text, .. }, _) => body = Some(self.filled(text, arguments, name)?),
                _ => body = Some(self.filled(&json(arguments).to_string(), arguments, name)?),
            }
        }
        let timeout = provider.get("timeout").and_then(|node| match &node.value {
            Value::Seq(items) => items.last().and_then(Node::text),
            _ => node.text(),
        });
        let timeout = timeout.and_then(|said| said.parse::<f64>().ok()).map(|s| s.max(1.0) as u64);
        let host = url.split("://").nth(1).unwrap_or_default();
        let host = host.split(['/', '?', ':', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let local = host == "localhost" || host.starts_with("127.") || host.starts_with('[');
        if !local && !host.is_empty() && !self.hosts.contains(&host) {
            self.hosts.push(scalar(&host));
        }
        Some(Does::Http { url, method, headers, body, timeout })
    }

    /// A text with the plain values of `configuration` put in. Others are not known here.
    fn filled(&mut self, said: &str, node: &Node, name: &str) -> Option<String> {
        let mut out = said.to_owned();
        let names: Vec<String> = places(said).into_iter().map(str::to_owned).collect();
        for wanted in names {
            match self.values.get(&wanted) {
                Some(value) => out = out.replace(&format!("${{{wanted}}}"), value),
                None => {
                    self.reject(name, node.mark, format!("`${{{wanted}}}` has no plain value in `configuration`"));
                    return None;
                }
            }
        }
        Some(out)
    }

    /// What a probe tolerates; what cannot be taken is told.
    pub(super) fn tolerance(&mut self, node: &Node, name: &str, does: &Does) -> Option<Answer> {
        let Some(said) = node.get("tolerance") else {
            self.reject(name, node.mark, "has no tolerance");
            return None;
        };
        match &said.value {
            Value::Scalar { text, plain } => Some(scalar_tolerance(text, *plain, does)),
            Value::Seq(items) => self.listed(items, said, name, does),
            Value::Map(_) => self.kind(said, name),
            Value::Null => {
                self.reject(name, said.mark, "has an empty tolerance");
                None
            }
        }
    }

    fn listed(&mut self, items: &[Node], said: &Node, name: &str, does: &Does) -> Option<Answer> {
        let texts: Vec<&str> = items.iter().filter_map(Node::text).collect();
        if texts.is_empty() || texts.len() != items.len() {
            self.reject(name, said.mark, "has a tolerance that is no list of values");
            return None;
        }
        let codes: Option<Vec<i64>> = texts.iter().map(|text| text.parse().ok()).collect();
        let (low, high) = if matches!(does, Does::Http { .. }) { (100, 599) } else { (0, 255) };
        if let Some(codes) = codes.filter(|codes| codes.iter().all(|code| (low..=high).contains(code))) {
            return Some(Answer::Codes(codes));
        }
        let words: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        Some(Answer::Text(format!("one_of: [{}]", words.join(", "))))
    }

    fn kind(&mut self, said: &Node, name: &str) -> Option<Answer> {
        let target = text(said, "target");
        if matches!(target, Some("stderr" | "headers")) {
            let why = format!("its tolerance is about `{}`, which is not read", target.unwrap_or_default());
            self.reject(name, said.mark, why);
            return None;
        }
        match text(said, "type") {
            Some("regex") => match text(said, "pattern") {
                Some(pattern) => {
                    self.filled(pattern, said, name).map(|p| Answer::Text(format!("matches: {}", quoted(&p))))
                }
                None => {
                    self.reject(name, said.mark, "has a tolerance without a pattern");
                    None
                }
            },
            Some("range") => {
                let bounds: Vec<f64> = super::items(said, "range")
                    .iter()
                    .filter_map(|n| n.text().and_then(|t| t.parse::<f64>().ok()).filter(|n| n.is_finite()))
                    .collect();
                match bounds.as_slice() {
                    [low, high] if low <= high => Some(Answer::Text(format!("range: [{low}, {high}]"))),
                    _ => {
                        self.reject(name, said.mark, "has a range that is no two numbers");
                        None
                    }
                }
            }
            other => {
                let why = format!(
                    "a tolerance of the kind `{}` is not taken (scalar, list, range and regex are)",
                    other.unwrap_or("nothing")
                );
                self.reject(name, said.mark, why);
                None
            }
        }
    }
}

fn scalar_tolerance(text: &str, plain: bool, does: &Does) -> Answer {
    let (low, high) = if matches!(does, Does::Http { .. }) { (100, 599) } else { (0, 255) };
    match (plain, text, text.parse::<i64>()) {
        (true, "true", _) => Answer::Success,
        (true, _, Ok(code)) if (low..=high).contains(&code) => Answer::Codes(vec![code]),
        _ => Answer::Text(format!("equals: {}", quoted(text))),
    }
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.text.clone(), json(value))).collect(),
        Value::Scalar { text, plain: true } => {
            serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()))
        }
        Value::Scalar { text, .. } => serde_json::Value::String(text.clone()),
    }
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
