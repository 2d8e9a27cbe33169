//! A server that does exactly what its script says, byte by byte, and remembers what it was sent. On 127.0.0.1 alone.

pub use crate::ports::closed_port;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it does with one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Reads it, writes these bytes, closes.
    Send(Vec<u8>),
    /// Reads it, writes these bytes one at a time with a pause, until the client goes.
    Drip(Vec<u8>, Duration),
    /// Reads it and says nothing until the client goes.
    Hang,
    /// Leaves its body unread, writes these bytes and closes, which resets the connection.
    Reset(Vec<u8>),
}

/// A running fake; it ends with the value.
#[derive(Debug)]
pub struct FakeServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl FakeServer {
    /// Answers the n-th request with the n-th act; the last act answers all further ones.
    pub fn start(script: Vec<Act>) -> Self {
        Self::routed(Vec::new(), script)
    }

    /// The same, but a request whose path holds one of these words is answered by its act.
    pub fn routed(routes: Vec<(&'static str, Act)>, script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let server = Self { address, seen: Arc::clone(&seen), ended: Arc::clone(&ended) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, script, routes) = (Arc::clone(&seen), script.clone(), routes.clone());
                // A client that goes is what many scripts provoke.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &seen, &routes, &script)));
            }
        });
        server
    }

    /// One answer for every request.
    pub fn always(act: Act) -> Self {
        Self::start(vec![act])
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Heads and bodies of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener so that it sees the flag; it may be gone already.
        let _ = TcpStream::connect(self.address);
    }
}

/// A whole answer with a length.
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

/// A 200 with JSON.
pub fn json(body: &str) -> Act {
    Act::Send(answer("200 OK", &[("Content-Type", "application/json")], body.as_bytes()))
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    routes: &[(&'static str, Act)],
    script: &[Act],
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .filter_map(|l| l.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, v)| v.trim().parse::<usize>().unwrap());
    let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let routed = routes.iter().find(|(word, _)| path.contains(word)).map(|(_, act)| act);
    let nth = {
        let mut seen = seen.lock().unwrap();
        seen.push(head);
        seen.len() - 1
    };
    let act = routed.or(script.get(nth)).or(script.last()).cloned().unwrap_or(Act::Hang);
    if !matches!(act, Act::Reset(_)) {
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        seen.lock().unwrap()[nth].push_str(&String::from_utf8_lossy(&body));
    }
    match act {
        Act::Send(bytes) | Act::Reset(bytes) => stream.write_all(&bytes),
        Act::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                thread::sleep(pause);
            }
            Ok(())
        }
        // Returns when the client closes its side.
        Act::Hang => stream.read(&mut byte).map(drop),
    }
}
