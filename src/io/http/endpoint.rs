//! Where a source is and how it is to be spoken to. Never opens a connection.

use crate::config::{HeaderValue, SecretRef};
use crate::domain::fault::{Fault, FaultKind};
use reqwest::Url;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How we say who we are.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Auth {
    /// We do not.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretRef),
    /// `Authorization: Basic …`.
    Basic {
        /// The user name; no colon, ASCII.
        user: String,
        /// Where the password is.
        password: SecretRef,
    },
    /// `name: prefix` + secret, for services with a scheme of their own.
    Header {
        /// Such as `Authorization` or `X-Api-Key`.
        name: String,
        /// What stands before the secret, such as `Token token=`.
        prefix: String,
        /// Where the secret is.
        secret: SecretRef,
    },
}

impl Auth {
    /// The place of its secret.
    pub fn source(&self) -> Option<&SecretRef> {
        match self {
            Self::None => None,
            Self::Bearer(source) | Self::Basic { password: source, .. } | Self::Header { secret: source, .. } => {
                Some(source)
            }
        }
    }
}

/// Certificates.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tls {
    /// PEM authorities that are trusted **instead of** the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM files of our certificate chain and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// A base URL that was looked at: http or https, a host, a path that ends in a slash, and nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    base: Url,
    /// Without the slash that was added: the address itself, for who asks nothing below it.
    written: Url,
}

impl BaseUrl {
    /// Reads one. Refused: other schemes, user info, a query or a fragment, since a token in a URL ends up in logs. The
    /// error says why and does not repeat the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = looked_at(text)?;
        let mut base = written.clone();
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self { base, written })
    }

    /// As text; safe to show.
    pub fn as_str(&self) -> &str {
        self.base.as_str()
    }
}

/// One base URL with everything needed to ask there.
#[derive(Clone)]
pub struct Endpoint {
    /// How faults name it, such as `prometheus main`.
    pub name: String,
    /// Where it is.
    pub base: BaseUrl,
    /// From the start of a request to the last byte of its answer.
    pub timeout: Duration,
    /// For the connection, handshake included.
    pub connect_timeout: Duration,
    /// Who we are.
    pub auth: Auth,
    /// Sent with each request; the values never print. Secret ones are read together with that of `auth`.
    pub headers: Vec<(String, HeaderValue)>,
    /// Query parameters appended to each request (`dedup=true`, `max_source_resolution=0`).
    pub params: Vec<(String, String)>,
    /// Certificates.
    pub tls: Tls,
    /// The whole address is a secret (webhooks that carry their token in it); `base` is then only what is shown.
    pub secret_url: Option<SecretRef>,
}

impl Endpoint {
    /// An endpoint with default limits and no credentials. The URL keeps its path, with or without a slash at its end; see
    /// [`BaseUrl::parse`] for what is refused.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, Fault> {
        let name = name.into();
        let base = BaseUrl::parse(url).map_err(|why| Fault::new(FaultKind::Local, name.clone(), why))?;
        Ok(Self {
            name,
            base,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            auth: Auth::None,
            headers: Vec::new(),
            params: Vec::new(),
            tls: Tls::default(),
            secret_url: None,
        })
    }

    /// How faults name it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The base URL; safe to show.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// The places of its secrets: that of `auth`, then those of headers in their order, then the address itself.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let headers = self.headers.iter().filter_map(|(_, value)| match value {
            HeaderValue::Secret(source) => Some(source),
            HeaderValue::Plain(_) => None,
        });
        self.auth.source().into_iter().chain(headers).chain(&self.secret_url)
    }

    /// Whether it is on this machine, where a proxy could not find it.
    pub fn is_loopback(&self) -> bool {
        match self.base.base.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
            None => false,
        }
    }

    /// Whether it is reached over TLS.
    pub fn is_tls(&self) -> bool {
        self.base.base.scheme() == "https"
    }

    /// The URL of a path below the base; the path's own leading slash does not lead out of the base. An empty path is the
    /// address as it was written: whether it ends in a slash is for the receiver to say.
    pub(super) fn join(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.base.written.clone();
        if !path.is_empty() {
            url = self.base.base.clone();
            let joined = format!("{}{}", url.path(), path.trim_start_matches('/'));
            url.set_path(&joined);
        }
        if !query.is_empty() || !self.params.is_empty() {
            url.query_pairs_mut().extend_pairs(self.params.iter().chain(query));
        }
        url
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("base", &self.base.as_str())
            .field("timeout", &self.timeout)
            .field("auth", &self.auth)
            .field("headers", &names)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

fn looked_at(text: &str) -> Result<Url, String> {
    // The URL itself is not repeated before it is known to hold no secret.
    let url =
        Url::parse(text.trim()).map_err(|e| format!("the URL cannot be read: {e} (expected https://host/path)"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the URL has the scheme {}: (expected http: or https:)", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user or a password; put them under auth".into());
    }
    if url.query().is_some() {
        return Err("the URL has a query; put parameters under params, and tokens under auth".into());
    }
    if url.fragment().is_some() {
        return Err("the URL has a fragment (#…)".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_keeps_its_path() {
        for base in ["http://h:1/am", "http://h:1/am/", " http://h:1/am "] {
            let endpoint = Endpoint::new("x", base).unwrap();
            for path in ["api/v2/alerts", "/api/v2/alerts"] {
                assert_eq!(endpoint.join(path, &[]).as_str(), "http://h:1/am/api/v2/alerts");
            }
        }
        let mut root = Endpoint::new("x", "https://h").unwrap();
        root.params = vec![("dedup".into(), "true".into())];
        let url = root.join("-/ready", &[("q".into(), "a b&c".into())]);
        assert_eq!(url.as_str(), "https://h/-/ready?dedup=true&q=a+b%26c");
    }

    #[test]
    fn an_address_that_nothing_is_asked_below_stays_as_it_was_written() {
        for (written, asked) in
            [("https://h/hook", "https://h/hook"), ("https://h/hook/", "https://h/hook/"), ("https://h", "https://h/")]
        {
            let mut endpoint = Endpoint::new("x", written).unwrap();
            assert_eq!(endpoint.join("", &[]).as_str(), asked);
            assert!(endpoint.url().ends_with('/'));
            endpoint.params = vec![("a".into(), "b".into())];
            assert_eq!(endpoint.join("", &[]).as_str(), format!("{asked}?a=b"));
        }
    }

    #[test]
    fn urls_that_hold_secrets_or_cannot_work_are_refused_unrepeated() {
        for bad in [
            "http://user:hunter2@h/",
            "http://hunter2@h/",
            "http://h/?token=hunter2",
            "http://h/#hunter2",
            "ftp://hunter2/",
            "file:///etc/hunter2",
            "hunter2",
            "http://",
            "",
        ] {
            let fault = Endpoint::new("prometheus main", bad).unwrap_err();
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn debug_shows_no_values() {
        let mut e = Endpoint::new("x", "http://h").unwrap();
        e.headers = vec![("X-Api-Key".into(), HeaderValue::Plain("hunter2".into()))];
        let shown = format!("{e:?}");
        assert!(shown.contains("X-Api-Key") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn loopback_is_known() {
        for (url, want) in [
            ("http://127.0.0.1:9090", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(Endpoint::new("x", url).unwrap().is_loopback(), want, "{url}");
        }
    }
}
