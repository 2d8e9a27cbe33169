//! A small HTTP server with a state, for the fakes of adapters: a handler answers whole requests, and a script of troubles
//! decides what the network makes of it. On 127.0.0.1 alone.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `GET`, `POST` …
    pub method: String,
    /// Path without query, percent-decoding not done.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Asked {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// The parts of the path, decoded.
    pub fn parts(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
    }

    /// A parameter of the query, decoded; empty when it is not there.
    pub fn param(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (decoded(key), decoded(value)))
            .find(|(key, _)| key == name)
            .map_or_else(String::new, |(_, v)| v)
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        self.method != "GET" && self.method != "HEAD"
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).unwrap()
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beside length and type.
    pub headers: Vec<(String, String)>,
    /// The content type.
    pub kind: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, headers: Vec::new(), kind: "application/json".into(), body: body.to_string() }
    }

    /// No content.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), kind: "text/plain".into(), body: String::new() }
    }

    /// The same with a header more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What the network makes of one write. Reads are answered as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429 with this header, or with none; not carried out.
    RateLimited(Option<(String, String)>),
    /// This status with this body; not carried out.
    Status(u16, String),
    /// A login page with status 200; not carried out.
    LoginPage,
    /// Carried out; the connection is closed without an answer.
    LostReply,
    /// Not carried out; the connection is closed without an answer.
    LostRequest,
    /// Carried out; then silence until the client gives up.
    HangAfter,
    /// Carried out; the answer comes one byte at a time with this pause.
    SlowBody(Duration),
    /// Carried out; then this status, as a proxy in front would give.
    StatusAfter(u16),
    /// Carried out twice; the second answer comes.
    Duplicate,
}

/// A running server around a state; it ends with the value.
pub struct StatefulServer<S> {
    address: SocketAddr,
    state: Arc<Mutex<S>>,
    script: Arc<Mutex<VecDeque<Trouble>>>,
    seen: Arc<Mutex<Vec<Asked>>>,
    always: Arc<Mutex<Option<Answer>>>,
    ended: Arc<AtomicBool>,
}

/// Answers one request and changes the state.
pub type Handler<S> = fn(&mut S, &Asked) -> Answer;

/// Whether a request may change something: what the script of troubles meets.
pub type Writes = fn(&Asked) -> bool;

/// What serves the requests of a server.
struct Desk<S> {
    state: Arc<Mutex<S>>,
    script: Arc<Mutex<VecDeque<Trouble>>>,
    seen: Arc<Mutex<Vec<Asked>>>,
    always: Arc<Mutex<Option<Answer>>>,
    handler: Handler<S>,
    writes: Writes,
}

impl<S: Send + 'static> StatefulServer<S> {
    /// Starts it.
    pub fn start(state: S, handler: Handler<S>) -> Self {
        Self::telling(state, handler, Asked::writes)
    }

    /// Starts one of a product whose questions cannot be told from its writes by the method.
    pub fn telling(state: S, handler: Handler<S>, writes: Writes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(state)),
            script: Arc::default(),
            seen: Arc::default(),
            always: Arc::default(),
            ended: Arc::default(),
        };
        let desk = Arc::new(Desk {
            state: Arc::clone(&server.state),
            script: Arc::clone(&server.script),
            seen: Arc::clone(&server.seen),
            always: Arc::clone(&server.always),
            handler,
            writes,
        });
        let ended = Arc::clone(&server.ended);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let desk = Arc::clone(&desk);
                // A client that goes is what many troubles provoke.
                thread::spawn(move || stream.and_then(|s| serve(s, &desk)));
            }
        });
        server
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next writes meet these, one each.
    pub fn script(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.script.lock().unwrap().extend(troubles);
    }

    /// Everything is answered with this from now on, whatever was asked.
    pub fn always(&self, answer: Answer) {
        *self.always.lock().unwrap() = Some(answer);
    }

    /// Looks at the state, or changes it.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut S) -> T) -> T {
        use_it(&mut self.state.lock().unwrap())
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

impl<S> Drop for StatefulServer<S> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener so that it sees the flag; it may be gone already.
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap_or(0));
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Asked {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }))
}

fn serve<S>(mut stream: TcpStream, desk: &Desk<S>) -> std::io::Result<()> {
    let Some(asked) = read(&mut stream)? else { return Ok(()) };
    desk.seen.lock().unwrap().push(asked.clone());
    if let Some(answer) = desk.always.lock().unwrap().clone() {
        return stream.write_all(&written(&answer));
    }
    let trouble = if (desk.writes)(&asked) { desk.script.lock().unwrap().pop_front() } else { None };
    let handle = || (desk.handler)(&mut desk.state.lock().unwrap(), &asked);
    let html = || Answer {
        status: 200,
        headers: Vec::new(),
        kind: "text/html".into(),
        body: "<!doctype html><title>Sign in</title>".into(),
    };
    let plain = |status, body: &str| Answer { body: body.to_owned(), ..Answer::empty(status) };
    let answer = match trouble {
        None => handle(),
        Some(Trouble::RateLimited(None)) => plain(429, ""),
        Some(Trouble::RateLimited(Some((name, value)))) => plain(429, "slow down").with(&name, &value),
        Some(Trouble::Status(status, body)) => plain(status, &body),
        Some(Trouble::LoginPage) => html(),
        Some(Trouble::LostReply) => {
            handle();
            return Ok(());
        }
        Some(Trouble::LostRequest) => return Ok(()),
        Some(Trouble::HangAfter) => {
            handle();
            // Returns when the client closes its side.
            return stream.read(&mut [0]).map(drop);
        }
        Some(Trouble::StatusAfter(status)) => {
            handle();
            plain(status, "upstream went away")
        }
        Some(Trouble::Duplicate) => {
            handle();
            handle()
        }
        Some(Trouble::SlowBody(pause)) => {
            let bytes = written(&handle());
            for byte in bytes {
                stream.write_all(&[byte])?;
                thread::sleep(pause);
            }
            return Ok(());
        }
    };
    stream.write_all(&written(&answer))
}

fn written(answer: &Answer) -> Vec<u8> {
    let mut out = format!(
        "HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
        answer.status,
        answer.kind,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    [out.as_bytes(), answer.body.as_bytes()].concat()
}
