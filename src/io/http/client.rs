//! One HTTP client per endpoint, built when it is first needed (reading the system's certificates takes milliseconds) and
//! then kept. Never follows, never retries, but for one thing: after a 401 the secret is read again, and if it has changed
//! the request is sent once more.

use crate::config;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::outcome::{Found, Obstacle, Outcome, Reach};
use crate::io::clock;
use crate::io::http::classify;
use crate::io::http::echo::Echo;
use crate::io::http::endpoint::{Auth, Endpoint};
use crate::io::http::reply::{self, Explained, Reply};
use crate::io::secret::resolve;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};

/// Bytes of an error body that are read to explain the error.
const ERROR_LIMIT: usize = 64 * 1024;

/// What is sent along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// A form.
    Form(Vec<(String, String)>),
    /// JSON text.
    Json(String),
    /// JSON text with a secret in it.
    Secret(Hidden),
    /// Another text with its content type.
    Text(String, String),
}

/// A text that never prints: a body whose product wants its key inside.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The body.
    pub text: String,
    /// The key in it: an answer that says it back is masked.
    pub key: String,
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// One request below the base of an endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: Method,
    /// The path below the base, such as `api/v1/query`.
    pub path: String,
    /// Query parameters beside the endpoint's own.
    pub query: Vec<(String, String)>,
    /// Headers beside the endpoint's own; never a secret.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// The largest answer, in bytes after decompression.
    pub limit: usize,
    /// Reads this source's error bodies.
    pub explain: fn(&[u8]) -> Explained,
}

impl Request {
    /// A `GET` with no query.
    pub fn get(path: impl Into<String>, limit: usize, explain: fn(&[u8]) -> Explained) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            limit,
            explain,
        }
    }

    /// A `POST`.
    pub fn post(path: impl Into<String>, body: Body, limit: usize, explain: fn(&[u8]) -> Explained) -> Self {
        Self { method: Method::POST, body, ..Self::get(path, limit, explain) }
    }

    /// The same with another method.
    pub fn by(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The same with a query parameter more.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// The same with a header more; never a secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A request without a good answer, and how far it came: whether it may have been carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub fault: Fault,
    /// How far it came.
    pub reach: Reach,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// The product's own code for the error, where its body names one ([`Explained::code`]).
    pub code: Option<String>,
    /// Whether a 403 is that of the token or of one thing, where the body says so.
    pub bar: Option<Obstacle>,
}

impl Failure {
    /// What it means for a write.
    pub fn outcome(&self) -> Outcome {
        match (Outcome::of(&self.fault, self.reach), self.bar) {
            (Outcome::Refused { kind: Obstacle::Permission, words }, Some(kind)) => Outcome::Refused { kind, words },
            (outcome, _) => outcome,
        }
    }

    /// What it means for a look.
    pub fn found(&self) -> Found {
        Found::of(&self.fault, self.reach)
    }
}

impl Failure {
    /// An answer with a good status that cannot be read: what was asked may have been done.
    pub fn unreadable(what: &str, detail: &str) -> Self {
        let fault = Fault::new(FaultKind::Malformed, what, detail);
        Self { fault, reach: Reach::Sent, status: None, code: None, bar: None }
    }

    /// Whether the server answered with this code of its own, and did nothing.
    pub fn says(&self, code: &str) -> bool {
        self.reach == Reach::Declined && self.code.as_deref() == Some(code)
    }

    /// Whether the server answered with this status, and did nothing.
    pub fn answered(&self, status: u16) -> bool {
        self.reach == Reach::Declined && self.status == Some(status)
    }
}

fn unsent(fault: Fault) -> Failure {
    Failure { fault, reach: Reach::NotSent, status: None, code: None, bar: None }
}

/// The client of one endpoint.
pub struct Http {
    endpoint: Endpoint,
    client: OnceCell<Client>,
    secrets: Mutex<Option<Arc<Secrets>>>,
}

/// What was read of an endpoint's secrets.
struct Secrets {
    /// In the order of [`Endpoint::secrets`].
    values: Vec<SecretString>,
    /// Takes them out of answers.
    echo: Echo,
}

impl Secrets {
    fn of(values: Vec<SecretString>) -> Arc<Self> {
        let echo = Echo::of(values.iter().map(ExposeSecret::expose_secret));
        Arc::new(Self { values, echo })
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Http {
    /// A client that is not built yet; costs nothing.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, client: OnceCell::new(), secrets: Mutex::new(None) }
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends one request and gives its 2xx answer, or the fault. For questions.
    pub async fn send(&self, request: &Request) -> Result<Reply, Fault> {
        self.write(request).await.map_err(|failure| failure.fault)
    }

    /// The same for a request that changes something: a failure says whether it may have been carried out.
    pub async fn write(&self, request: &Request) -> Result<Reply, Failure> {
        let client = self.client.get_or_try_init(|| build(self.endpoint.clone())).await.map_err(unsent)?;
        let secrets = self.secrets().await.map_err(unsent)?;
        let first = self.once(client, request, &secrets).await;
        match first {
            Err(failure) if failure.fault.kind == FaultKind::Auth => {
                match self.changed(&secrets.values).await.map_err(unsent)? {
                    Some(fresh) => self.once(client, request, &fresh).await,
                    None => Err(failure),
                }
            }
            answered => answered,
        }
    }

    /// The secrets, read at the first use.
    async fn secrets(&self) -> Result<Arc<Secrets>, Fault> {
        let mut kept = self.secrets.lock().await;
        match &*kept {
            Some(secrets) => Ok(Arc::clone(secrets)),
            None => {
                let read = Secrets::of(self.read().await?);
                *kept = Some(Arc::clone(&read));
                Ok(read)
            }
        }
    }

    /// Reads the secrets again; `Some` when they are others than `used`, so that a wrong one is not sent twice.
    async fn changed(&self, used: &[SecretString]) -> Result<Option<Arc<Secrets>>, Fault> {
        let mut kept = self.secrets.lock().await;
        let fresh = self.read().await?;
        let same = used.iter().map(ExposeSecret::expose_secret).eq(fresh.iter().map(ExposeSecret::expose_secret));
        let fresh = Secrets::of(fresh);
        *kept = Some(Arc::clone(&fresh));
        Ok((!same).then_some(fresh))
    }

    async fn read(&self) -> Result<Vec<SecretString>, Fault> {
        let mut read = Vec::new();
        for source in self.endpoint.secrets() {
            read.push(resolve(source).await.map_err(|f| self.named(f))?);
        }
        Ok(read)
    }

    fn named(&self, fault: Fault) -> Fault {
        Fault { what: self.endpoint.name().to_owned(), detail: format!("{}: {}", fault.what, fault.detail), ..fault }
    }

    fn builder(&self, client: &Client, ask: &Request, secrets: &[SecretString]) -> Result<RequestBuilder, Fault> {
        let url = match &self.endpoint.secret_url {
            None => self.endpoint.join(&ask.path, &ask.query),
            Some(_) => secret_url(self.endpoint.name(), secrets)?,
        };
        let mut map = credentials(&self.endpoint, secrets)?;
        for (name, value) in &ask.headers {
            let local = || Fault::new(FaultKind::Local, self.endpoint.name(), format!("{name} cannot be sent"));
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| local())?;
            map.insert(key, HeaderValue::from_str(value).map_err(|_| local())?);
        }
        let mut typed = |kind: &str| {
            if !map.contains_key(CONTENT_TYPE)
                && let Ok(kind) = HeaderValue::from_str(kind)
            {
                map.insert(CONTENT_TYPE, kind);
            }
        };
        match &ask.body {
            Body::Json(_) | Body::Secret(_) => typed("application/json"),
            Body::Text(kind, _) => typed(kind),
            Body::None | Body::Form(_) => {}
        }
        let builder = client.request(ask.method.clone(), url).headers(map);
        Ok(match &ask.body {
            Body::None => builder,
            Body::Form(fields) => builder.form(fields),
            Body::Json(text) | Body::Text(_, text) | Body::Secret(Hidden { text, .. }) => builder.body(text.clone()),
        })
    }

    async fn once(&self, client: &Client, ask: &Request, secrets: &Secrets) -> Result<Reply, Failure> {
        let what = self.endpoint.name();
        let inside = match &ask.body {
            Body::Secret(hidden) => Some(Echo::of([hidden.key.as_str()])),
            _ => None,
        };
        let echoes: Vec<&Echo> = std::iter::once(&secrets.echo).chain(&inside).collect();
        let failed = |fault, reach| Failure { fault, reach, status: None, code: None, bar: None };
        let builder = self.builder(client, ask, &secrets.values).map_err(unsent)?;
        let sent = clock::now();
        let mut response = builder.send().await.map_err(|e| {
            // Only a request whose connection never stood is known not to have arrived.
            let reach = if e.is_connect() || e.is_builder() { Reach::NotSent } else { Reach::Sent };
            failed(classify::fault(what, e), reach)
        })?;
        let now = clock::now();
        let status = response.status();
        let headers = echoes.iter().fold(response.headers().clone(), |headers, echo| echo.out_of_headers(&headers));
        let answered = |fault, reach, code| Failure { fault, reach, status: Some(status.as_u16()), code, bar: None };
        if let Some(mut fault) = reply::by_status(what, status, &headers, now) {
            let (mut explained, mut html) = (Explained::default(), false);
            if matches!(fault.kind, FaultKind::RateLimited | FaultKind::Permission) {
                let body = error_body(what, &mut response, &echoes).await;
                (explained, html) = explanation(&headers, body, ask.explain);
            }
            if fault.kind == FaultKind::Permission {
                fault = reply::forbidden(what, status, &headers, &explained, html, now).unwrap_or(fault);
            }
            fault.retry_after = fault.retry_after.or(explained.retry_after);
            let bar = explained.bar();
            return Err(Failure { bar, ..answered(fault, Reach::Declined, explained.code) });
        }
        if !status.is_success() {
            let body = error_body(what, &mut response, &echoes).await;
            let (explained, html) = explanation(&headers, body, ask.explain);
            let code = explained.code.clone();
            let fault = reply::by_body(what, status, &headers, explained, html, now);
            let done = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
            return Err(answered(fault, if done { Reach::Sent } else { Reach::Declined }, code));
        }
        let body = read(what, &mut response, ask.limit).await.map_err(|fault| failed(fault, Reach::Sent))?;
        let body = echoes.iter().fold(body, |body, echo| echo.out_of(body));
        if reply::is_html(&headers, &body) {
            let detail = "answered with a web page instead of data; a proxy in front of it wants a login";
            return Err(failed(Fault::new(FaultKind::LoginPage, what, detail), Reach::Declined));
        }
        let middle = sent + (now - sent) / 2;
        let skew = reply::skew(&headers, middle);
        Ok(Reply { status: status.as_u16(), body, skew, headers: reply::kept(&headers) })
    }
}

/// The whole address out of a secret, the last one of [`Endpoint::secrets`]. The fault never repeats it.
fn secret_url(what: &str, secrets: &[SecretString]) -> Result<reqwest::Url, Fault> {
    let local = |detail: &str| Fault::new(FaultKind::Local, what, detail);
    let text = secrets.last().ok_or_else(|| local("the secret address was not read"))?;
    let url = reqwest::Url::parse(text.expose_secret()).map_err(|_| local("the secret address cannot be read"))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err(local("the secret address must begin with https://"));
    }
    Ok(url)
}

/// The body of an error, without secrets. The status is already the answer: a body that breaks off only costs the
/// explanation.
async fn error_body(what: &str, response: &mut Response, echoes: &[&Echo]) -> Vec<u8> {
    let body = read(what, response, ERROR_LIMIT).await.unwrap_or_default();
    echoes.iter().fold(body, |body, echo| echo.out_of(body))
}

/// What the body of an error says, and whether it is a web page.
fn explanation(headers: &HeaderMap, body: Vec<u8>, explain: fn(&[u8]) -> Explained) -> (Explained, bool) {
    let html = reply::is_html(headers, &body);
    (if html { Explained::default() } else { explain(&body) }, html)
}

/// Reads the body piece by piece and stops at the limit; the pieces are decompressed ones.
async fn read(what: &str, response: &mut Response, limit: usize) -> Result<Vec<u8>, Fault> {
    let too_large = || Fault::new(FaultKind::TooLarge, what, format!("the answer is larger than {limit} bytes"));
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(piece) = response.chunk().await.map_err(|e| classify::fault(what, e))? {
        if body.len().saturating_add(piece.len()) > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The headers of this endpoint; `secrets` are in the order of [`Endpoint::secrets`]. All values are marked so that no library prints them.
fn credentials(endpoint: &Endpoint, secrets: &[SecretString]) -> Result<HeaderMap, Fault> {
    let local = |detail: String| Fault::new(FaultKind::Local, endpoint.name(), detail);
    let mut map = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        let key =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| local(format!("{name:?} is not a header name")))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| local(format!("the header {name} cannot be sent")))?;
        value.set_sensitive(true);
        map.insert(key, value);
        Ok(())
    };
    let mut secrets = secrets.iter().map(ExposeSecret::expose_secret);
    let own = endpoint.auth.source().and_then(|_| secrets.next());
    for (name, value) in &endpoint.headers {
        match value {
            config::HeaderValue::Plain(text) => put(name, text)?,
            config::HeaderValue::Secret(_) => {
                let secret = secrets.next();
                put(name, secret.ok_or_else(|| local(format!("the secret of the header {name} was not read")))?)?;
            }
        }
    }
    match (&endpoint.auth, own) {
        (Auth::None, _) | (_, None) => {}
        (Auth::Bearer(_), Some(token)) => put(AUTHORIZATION.as_str(), &format!("Bearer {token}"))?,
        (Auth::Header { name, prefix, .. }, Some(secret)) => put(name, &format!("{prefix}{secret}"))?,
        (Auth::Basic { user, .. }, Some(_)) if user.contains(':') || !user.is_ascii() => {
            return Err(local("the user name for basic auth holds a colon or is not ASCII".into()));
        }
        (Auth::Basic { user, .. }, Some(password)) => {
            put(AUTHORIZATION.as_str(), &format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))?;
        }
    }
    Ok(map)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, i| (word << 8) | u32::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let six = ((word >> (18 - 6 * i)) & 63) as usize;
            let letter = ALPHABET.get(six).copied().unwrap_or(b'=');
            out.push(if i <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Builds the client on a thread that may block: it reads files.
async fn build(endpoint: Endpoint) -> Result<Client, Fault> {
    let name = endpoint.name().to_owned();
    let built = tokio::task::spawn_blocking(move || build_blocking(&endpoint)).await;
    built.map_err(|e| Fault::new(FaultKind::Local, name, format!("the HTTP client could not be built: {e}")))?
}

fn build_blocking(endpoint: &Endpoint) -> Result<Client, Fault> {
    // A second installation fails, which is as good: the provider is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fail = |kind, detail: String| Fault::new(kind, endpoint.name(), detail);
    let mut builder = Client::builder()
        .timeout(endpoint.timeout)
        .connect_timeout(endpoint.connect_timeout)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        // Shorter than the usual minute of proxies, so that a poll does not meet a connection that is just being closed.
        .pool_idle_timeout(Duration::from_secs(45))
        .user_agent(concat!("midwatch/", env!("CARGO_PKG_VERSION")));
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    if let Some(path) = &endpoint.tls.ca_file {
        let roots = Certificate::from_pem_bundle(&file(endpoint, path)?)
            .ok()
            .filter(|roots| !roots.is_empty())
            .ok_or_else(|| fail(FaultKind::Local, format!("{} holds no PEM certificate", path.display())))?;
        builder = builder.tls_certs_only(roots);
    } else if !endpoint.is_tls() {
        // Without TLS no roots are needed: faster, and it works where none are installed.
        builder = builder.tls_certs_only([]);
    }
    if let Some((certificate, key)) = &endpoint.tls.client {
        let mut pem = file(endpoint, certificate)?;
        pem.push(b'\n');
        pem.extend(file(endpoint, key)?);
        let identity = Identity::from_pem(&pem).map_err(|_| {
            let (c, k) = (certificate.display(), key.display());
            fail(FaultKind::Local, format!("{c} and {k} hold no PEM certificate and key"))
        })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|e| Fault {
        kind: if endpoint.is_tls() { FaultKind::Tls } else { FaultKind::Local },
        ..classify::fault(endpoint.name(), e)
    })
}

fn file(endpoint: &Endpoint, path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path)
        .map_err(|e| Fault::new(FaultKind::Local, endpoint.name(), format!("{} cannot be read: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_standard_vectors() {
        for (text, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            assert_eq!(base64(text.as_bytes()), want);
        }
    }
}
