//! The HTTP edge against servers that misbehave: each misbehaviour ends, and ends as the kind the screen tells.

use crate::fake_server::{Act, FakeServer, answer, closed_port, json};
use midwatch::config::{HeaderValue, SecretRef};
use midwatch::domain::alert::AlertState;
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::outward::pace::Pace;
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::alertmanager::Cluster;
use midwatch::io::http::{Auth, Endpoint, Explained, Http, QUERY_LIMIT, Request, Throttled};
use midwatch::io::port::AlertSource;
use midwatch::io::prometheus::client::Client;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const CANARY: &str = "c4nary-token";
const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

fn token() -> (tempfile::TempDir, SecretRef) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, format!("{CANARY}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    (dir, SecretRef::File(path))
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint { timeout: Duration::from_secs(20), ..Endpoint::new("prometheus main", url).unwrap() }
}

fn impatient(url: &str) -> Endpoint {
    Endpoint { timeout: Duration::from_millis(400), ..endpoint(url) }
}

fn now() -> Timestamp {
    "2026-05-01T03:00:00Z".parse().unwrap()
}

/// Asks once, with a token, and gives the fault; no fault may hold the token or the query.
async fn fault_of(endpoint: Endpoint) -> Fault {
    let (_dir, secret) = token();
    let client = Client::new(Endpoint { auth: Auth::Bearer(secret), ..endpoint });
    let fault = client.instant("up{secret_label=\"q\"}", now()).await.unwrap_err();
    let told = format!("{fault} {fault:?} {client:?}");
    assert!(!told.contains(CANARY) && !told.contains("secret_label"), "{told}");
    assert_eq!(fault.what, "prometheus main");
    fault
}

async fn fault_to(bytes: Vec<u8>) -> Fault {
    let server = FakeServer::always(Act::Send(bytes));
    fault_of(endpoint(&server.url())).await
}

#[tokio::test]
async fn no_connection_is_unreachable() {
    let fault = fault_of(endpoint(&format!("http://127.0.0.1:{}", closed_port()))).await;
    assert_eq!((fault.kind, fault.detail.as_str()), (FaultKind::Unreachable, "connection refused"));
    let fault = fault_of(endpoint("http://no-such-host.invalid")).await;
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
}

#[tokio::test]
async fn silence_and_dripping_end_at_the_total_limit() {
    let drip = answer("200 OK", &[("Content-Type", "application/json")], EMPTY.as_bytes());
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta".to_vec();
    for act in [
        Act::Hang,
        Act::Drip(drip.clone(), Duration::from_millis(50)),
        Act::Drip([head, vec![b'x'; 500]].concat(), Duration::from_millis(10)),
    ] {
        let server = FakeServer::always(act.clone());
        let fault = fault_of(impatient(&server.url())).await;
        assert_eq!(fault.kind, FaultKind::Timeout, "{act:?}: {fault}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unreachable_and_never_an_answer() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"status\":\"success\"".to_vec();
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{\"status\"".to_vec();
    let mut acts = vec![Act::Reset(half.clone()), Act::Reset(vec![]), Act::Send(half), Act::Send(chunk)];
    acts.push(Act::Send(vec![]));
    acts.push(Act::Send(b"HTTP/1.1 200 OK\r\nContent-".to_vec()));
    for act in acts {
        let server = FakeServer::always(act.clone());
        let fault = fault_of(endpoint(&server.url())).await;
        assert_eq!(fault.kind, FaultKind::Unreachable, "{act:?}: {fault}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_malformed() {
    for bytes in [b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), vec![0xff; 300], b"HTTP/9.9 900 What\r\n\r\n".to_vec()] {
        let fault = fault_to(bytes.clone()).await;
        assert_eq!(fault.kind, FaultKind::Malformed, "{}: {fault}", String::from_utf8_lossy(&bytes));
    }
    let flood = "X-Filler: y\r\n".repeat(100_000);
    let fault = fault_to(format!("HTTP/1.1 200 OK\r\n{flood}\r\n").into_bytes()).await;
    assert!(matches!(fault.kind, FaultKind::Malformed | FaultKind::Unreachable), "{fault}");
}

#[tokio::test]
async fn a_redirect_is_told_and_the_token_does_not_travel() {
    let other = FakeServer::always(json(EMPTY));
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let to = format!("{}/login?token=x", other.url());
        let server = FakeServer::always(Act::Send(answer(status, &[("Location", &to)], b"")));
        let fault = fault_of(endpoint(&server.url())).await;
        assert_eq!(fault.kind, FaultKind::Redirect, "{fault}");
        assert!(fault.detail.contains("127.0.0.1") && !fault.detail.contains("login"), "{fault}");
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(other.requests(), Vec::<String>::new(), "no request may reach the other host");
}

#[tokio::test]
async fn a_login_page_is_not_data() {
    for (kind, page) in [("text/html; charset=utf-8", "Sign in"), ("application/json", " \n<!doctype html><p>Sign in")]
    {
        let fault = fault_to(answer("200 OK", &[("Content-Type", kind)], page.as_bytes())).await;
        assert_eq!(fault.kind, FaultKind::LoginPage, "{fault}");
    }
}

#[tokio::test]
async fn statuses_are_told_apart() {
    let parse = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error"}"#;
    let slow = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    for (status, headers, body, kind, words) in [
        ("401 Unauthorized", vec![], "Unauthorized", FaultKind::Auth, "token or password"),
        ("403 Forbidden", vec![], "", FaultKind::Permission, "may not do this"),
        ("400 Bad Request", vec![], parse, FaultKind::Rejected, "1:5: parse error"),
        ("404 Not Found", vec![], "404 page not found", FaultKind::Rejected, "path of the URL"),
        ("405 Method Not Allowed", vec![], "", FaultKind::Rejected, "405"),
        (
            "422 Unprocessable",
            vec![],
            r#"{"errorType":"execution","error":"many-to-many"}"#,
            FaultKind::Rejected,
            "many-to-many",
        ),
        ("500 Internal", vec![], "\u{1b}[31mboom", FaultKind::Server, "boom"),
        (
            "502 Bad Gateway",
            vec![("Content-Type", "text/html")],
            "<h1>nginx</h1>",
            FaultKind::Server,
            "502 with a web page",
        ),
        ("503 Unavailable", vec![], slow, FaultKind::Timeout, "query timed out"),
        ("503 Unavailable", vec![], "starting", FaultKind::Server, "starting"),
        ("503 Unavailable", vec![("Retry-After", "5")], "busy", FaultKind::RateLimited, "busy"),
    ] {
        let fault = fault_to(answer(status, &headers, body.as_bytes())).await;
        assert_eq!(fault.kind, kind, "{status}: {fault}");
        assert!(fault.detail.contains(words), "{status}: {fault}");
    }
}

#[tokio::test]
async fn retry_after_is_carried_in_both_forms() {
    let date = ("Date", "Fri, 01 May 2026 03:00:00 GMT");
    for (value, want) in [("17", 17), ("Fri, 01 May 2026 03:01:30 GMT", 90)] {
        let fault = fault_to(answer("429 Too Many Requests", &[date, ("Retry-After", value)], b"")).await;
        assert_eq!((fault.kind, fault.retry_after), (FaultKind::RateLimited, Some(secs(want))));
    }
    assert_eq!(fault_to(answer("429 Too Many Requests", &[], b"")).await.retry_after, None);
}

#[tokio::test]
async fn a_wrong_token_is_sent_once_and_a_renewed_one_at_once() {
    let refuse = Act::Send(answer("401 Unauthorized", &[], b"Unauthorized"));
    let server = FakeServer::start(vec![refuse.clone(), json(EMPTY)]);
    assert_eq!(fault_of(endpoint(&server.url())).await.kind, FaultKind::Auth);
    assert_eq!(server.requests().len(), 1, "the same token is not sent twice");

    let dir = tempfile::tempdir().unwrap();
    let script = format!("echo >> {0}/n; echo token-$(wc -l < {0}/n)", dir.path().display());
    let renewing = SecretRef::Command(vec!["/bin/sh".into(), "-c".into(), script]);
    let server = FakeServer::start(vec![json(EMPTY), refuse, json(EMPTY)]);
    let client = Client::new(Endpoint { auth: Auth::Bearer(renewing), ..endpoint(&server.url()) });
    for _ in 0..2 {
        client.instant("up", now()).await.unwrap();
    }
    let sent: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|r| r.lines().find_map(|l| l.strip_prefix("authorization: Bearer ").map(str::to_owned)))
        .collect();
    assert_eq!(sent, ["token-1", "token-1", "token-2"], "read once, kept, and read again after the 401");
}

#[tokio::test]
async fn a_secret_in_a_header_goes_beside_the_token_and_is_renewed_too() {
    let refuse = Act::Send(answer("401 Unauthorized", &[], b"Unauthorized"));
    let (dir, secret) = token();
    let script = format!("echo >> {0}/n; echo key-$(wc -l < {0}/n)", dir.path().display());
    let renewing = SecretRef::Command(vec!["/bin/sh".into(), "-c".into(), script]);
    let server = FakeServer::start(vec![refuse, json(EMPTY)]);
    let client = Client::new(Endpoint {
        auth: Auth::Bearer(secret),
        headers: vec![
            ("X-Api-Key".into(), HeaderValue::Secret(renewing)),
            ("X-Scope-OrgID".into(), HeaderValue::Plain("team".into())),
        ],
        ..endpoint(&server.url())
    });
    client.instant("up", now()).await.unwrap();
    let sent = server.requests();
    for (n, request) in sent.iter().enumerate() {
        assert!(request.contains(&format!("authorization: Bearer {CANARY}\r\n")), "{request}");
        assert!(request.contains(&format!("x-api-key: key-{}\r\n", n + 1)), "{request}");
        assert!(request.contains("x-scope-orgid: team\r\n"), "{request}");
    }
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn an_unreadable_secret_stops_the_request() {
    let (dir, secret) = token();
    std::fs::set_permissions(dir.path().join("token"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let server = FakeServer::always(json(EMPTY));
    let client = Client::new(Endpoint { auth: Auth::Bearer(secret), ..endpoint(&server.url()) });
    let fault = client.instant("up", now()).await.unwrap_err();
    assert_eq!((fault.kind, fault.what.as_str()), (FaultKind::Local, "prometheus main"));
    assert!(fault.detail.contains("chmod 600"), "{fault}");
    assert_eq!(server.requests().len(), 0);
}

/// A gzip stream of `groups` x 258 zeros in 13 bits each: one literal and then copies of the byte before.
fn gzip_bomb(groups: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut put = |out: &mut Vec<u8>, value: u32, width: u32| {
        bits |= value << held;
        held += width;
        while held >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            held -= 8;
        }
    };
    put(&mut out, 0b011, 3); // last block, fixed codes
    put(&mut out, 0b0000_1100, 8); // literal 0: 00110000, first bit first
    for _ in 0..groups {
        put(&mut out, 0b1010_0011, 8); // length 258: 11000101, first bit first
        put(&mut out, 0, 5); // distance 1
    }
    out
}

#[tokio::test]
async fn size_is_limited_after_decompression_and_without_a_length() {
    let bomb = gzip_bomb(1_200_000); // 310 MB out of 2 MB
    let gzip = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")];
    let large = vec![b' '; QUERY_LIMIT + 1];
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in large.chunks(65_536) {
        chunked.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        chunked.extend(piece);
        chunked.extend(b"\r\n");
    }
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_vec();
    for (name, bytes) in [
        ("bomb", answer("200 OK", &gzip, &bomb)),
        ("large", answer("200 OK", &[], &large)),
        ("chunked", chunked),
        ("announced", announced),
    ] {
        let fault = fault_to(bytes).await;
        assert_eq!(fault.kind, FaultKind::TooLarge, "{name}: {fault}");
    }
    let fault = fault_to(answer("200 OK", &gzip, b"this is not gzip")).await;
    assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
    let fault = fault_to(answer("500 Internal", &gzip, &bomb)).await;
    assert_eq!(fault.kind, FaultKind::Server, "a bomb under an error status: {fault}");
}

#[tokio::test]
async fn wrong_bodies_are_malformed_and_whole_ones_are_read() {
    for body in [
        "",
        "null",
        "[]",
        "true",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"met",
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,{}]}]}}"#,
        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        "404 page not found",
    ] {
        let fault = fault_to(answer("200 OK", &[], body.as_bytes())).await;
        assert_eq!(fault.kind, FaultKind::Malformed, "{body}: {fault}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(fault_to(answer("200 OK", &[], deep.as_bytes())).await.kind, FaultKind::Malformed);
    assert_eq!(fault_to(answer("204 No Content", &[], b"")).await.kind, FaultKind::Malformed);

    let body = r#"{"status":"success","isPartial":true,"warnings":["w"],"data":{"resultType":"vector","result":[
        {"metric":{"a":"1"},"value":[1,"NaN"]},{"metric":{"a":"2"},"value":[1,"+Inf"]},{"metric":{"a":"3"},"value":[1,"3"]}]}}"#;
    let (one, two) = body.split_at(100);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nDate: Fri, 01 May 2026 03:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let server = FakeServer::always(Act::Send(chunked.into_bytes()));
    let got = Client::new(endpoint(&server.url())).instant("up", now()).await.unwrap();
    assert!(got.data[0].value.is_nan() && got.data[1].value.is_infinite() && got.data[2].value == 3.0);
    assert_eq!((got.partial, got.warnings), (true, vec!["w".to_owned()]));
    assert!(got.skew.is_some());
}

#[tokio::test]
async fn what_is_sent_is_what_was_configured() {
    let server = FakeServer::always(json(EMPTY));
    let (_dir, secret) = token();
    let client = Client::new(Endpoint {
        auth: Auth::Basic { user: "alice".into(), password: secret },
        headers: vec![("X-Scope-OrgID".into(), HeaderValue::Plain("team".into()))],
        params: vec![("dedup".into(), "true".into())],
        timeout: Duration::from_secs(10),
        ..Endpoint::new("prometheus main", &format!("{}/select/0/prometheus", server.url())).unwrap()
    });
    client.instant("sum(rate(a[5m])) + 1", now()).await.unwrap();
    let sent = server.requests().remove(0);
    for want in [
        "POST /select/0/prometheus/api/v1/query?dedup=true HTTP/1.1\r\n",
        "authorization: Basic YWxpY2U6YzRuYXJ5LXRva2Vu\r\n",
        "x-scope-orgid: team\r\n",
        "accept-encoding: gzip\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "query=sum%28rate%28a%5B5m%5D%29%29+%2B+1&time=1777604400.000&timeout=9500ms",
    ] {
        assert!(sent.contains(want), "{want}\nis not in\n{sent}");
    }
    assert!(!sent.to_lowercase().contains("referer"));
}

const ALERT: &str = r#"[{"labels":{},"receiver":{"name":"t"},"alerts":[{"labels":{"alertname":"NAME"},"annotations":{},
    "fingerprint":"PRINT","startsAt":"2026-05-01T03:00:00.000Z","status":{"state":"active"}}]}]"#;

fn peer(name: &str, print: &str) -> FakeServer {
    FakeServer::always(json(&ALERT.replace("NAME", name).replace("PRINT", print)))
}

fn cluster(urls: &[String]) -> Cluster {
    let peers = urls.iter().enumerate();
    let name = |n: usize| format!("alertmanager main peer {}", n + 1);
    Cluster::new(
        "main".into(),
        peers
            .map(|(n, url)| Endpoint { timeout: Duration::from_secs(30), ..Endpoint::new(name(n), url).unwrap() })
            .collect(),
    )
}

#[tokio::test]
async fn peers_are_joined_and_those_that_fail_are_told() {
    let (a, b) = (peer("OnA", "aa"), peer("OnB", "bb"));
    let snapshot = cluster(&[a.url(), b.url()]).snapshot().await.unwrap();
    let names: Vec<&str> = snapshot.alerts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!((names, snapshot.answered, snapshot.peers), (vec!["OnA", "OnB"], 2, 2));
    assert_eq!((snapshot.faults.len(), snapshot.alerts[0].state), (0, AlertState::Firing));

    for (act, word) in [
        (Act::Hang, "timeout"),
        (Act::Send(answer("200 OK", &[], b"<html>")), "login page"),
        (Act::Send(answer("401 Unauthorized", &[], b"Unauthorized")), "AUTH"),
        (json("[{]"), "malformed"),
        (json("null"), "malformed"),
    ] {
        let bad = FakeServer::always(act);
        let snapshot = cluster(&[bad.url(), a.url()]).snapshot().await.unwrap();
        assert_eq!((snapshot.answered, snapshot.peers, snapshot.alerts.len()), (1, 2, 1));
        let [fault] = &snapshot.faults[..] else { panic!("{:?}", snapshot.faults) };
        assert!(fault.starts_with("alertmanager main peer 1: ") && fault.contains(word), "{fault}");
    }
}

#[tokio::test]
async fn a_version_that_does_not_come_is_asked_once_and_holds_nothing_back() {
    let alerts = json(&ALERT.replace("NAME", "A").replace("PRINT", "aa"));
    let server = FakeServer::start(vec![alerts.clone(), Act::Hang, alerts]);
    let cluster = cluster(&[server.url()]);
    for _ in 0..2 {
        let snapshot = cluster.snapshot().await.unwrap();
        assert_eq!((snapshot.alerts.len(), snapshot.version), (1, None));
    }
    assert_eq!(server.requests().iter().filter(|r| r.contains("/api/v2/status")).count(), 1);
}

#[tokio::test]
async fn no_peer_is_a_fault_and_not_an_empty_list() {
    let closed = || format!("http://127.0.0.1:{}", closed_port());
    let fault = cluster(&[closed(), closed()]).snapshot().await.unwrap_err();
    assert_eq!((fault.kind, fault.what.as_str()), (FaultKind::Unreachable, "alertmanager main"));
    assert!(fault.detail.contains("0/2") && fault.detail.contains("peer 2"), "{fault}");
    assert!(cluster(&[]).snapshot().await.is_err());
}

/// A client with this budget, and its server, which tells how many requests are left.
fn throttled(burst: u32, left: &str) -> (Throttled, FakeServer) {
    let head = [("ratelimit-remaining", left)];
    let server = FakeServer::always(Act::Drip(answer("200 OK", &head, b"{}"), Duration::from_millis(1)));
    (Throttled::new(Http::new(endpoint(&server.url())), Pace { burst, per_minute: 1 }), server)
}

fn question() -> Request {
    Request::get("x", QUERY_LIMIT, |_| Explained::default())
}

#[tokio::test]
async fn one_request_at_a_time_whoever_asks() {
    let (client, server) = throttled(10, "900");
    let first = async {
        client.ask(&question()).await.unwrap();
        server.requests().len()
    };
    let other = question();
    let (seen, second) = tokio::join!(first, client.write(&other));
    assert_eq!((seen, second.unwrap().status), (1, 200));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn questions_wait_for_the_budget_and_writes_do_not() {
    let soon = Duration::from_millis(50);
    for (left, allowed) in [("900", 3), ("99", 2)] {
        let (client, server) = throttled(3, left);
        for n in 0..allowed {
            assert!(tokio::time::timeout(Duration::from_secs(20), client.ask(&question())).await.is_ok(), "{left} {n}");
        }
        // The next token comes in a minute.
        assert!(tokio::time::timeout(soon, client.ask(&question())).await.is_err(), "{left}");
        assert_eq!(server.requests().len(), allowed);
        assert_eq!(client.write(&question()).await.unwrap().status, 200);
    }
}
