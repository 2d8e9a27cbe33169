//! A Prometheus that holds no numbers and fires the alerts it is given. On 127.0.0.1 alone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running fake; it serves until the tests end.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    alerts: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Prometheus {
    /// Fires nothing.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (alerts, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        let (firing, count) = (Arc::clone(&alerts), Arc::clone(&asked));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (firing, count) = (Arc::clone(&firing), Arc::clone(&count));
                thread::spawn(move || {
                    let mut head = [0; 16_384];
                    let n = stream.read(&mut head).unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..n]).into_owned();
                    let data = if head.contains("/api/v1/alerts") {
                        count.fetch_add(1, Ordering::SeqCst);
                        format!(r#"{{"alerts":[{}]}}"#, firing.lock().unwrap())
                    } else if head.contains("buildinfo") {
                        r#"{"version":"2.42.0"}"#.to_owned()
                    } else {
                        r#"{"resultType":"vector","result":[]}"#.to_owned()
                    };
                    let body = format!(r#"{{"status":"success","data":{data}}}"#);
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
                    // A client that left early asks again.
                    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                });
            }
        });
        Self { address, alerts, asked }
    }

    /// Fires an alert with this name and these annotation and label texts.
    pub fn fire(&self, name: &str, text: &str) {
        let said = serde_json::to_string(text).unwrap();
        let labels = format!(r#""alertname":"{name}","severity":"page","service":"api","note":{said}"#);
        *self.alerts.lock().unwrap() = format!(
            r#"{{"labels":{{{labels}}},"annotations":{{"summary":{said},"description":{said}}},"state":"firing","activeAt":"2026-01-01T00:00:00Z","value":"1e+00"}}"#
        );
    }

    /// How often its alerts were asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A configuration that asks it each second.
    pub fn config(&self) -> String {
        format!(
            "responder: {{name: alice}}\nprometheus:\n  - {{name: main, url: 'http://{}', poll_interval: 1s, timeout: 5s}}\nrunbooks: [runbooks/]\npostmortems: postmortems/\n",
            self.address
        )
    }
}
