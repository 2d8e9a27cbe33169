//! From an error of the HTTP library to one of our kinds, in words that hold no URL. Never decides what happens next.

use crate::domain::fault::{Fault, FaultKind};
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io::ErrorKind;

/// The fault of a request that got no (whole) answer. `what` names the endpoint.
pub(super) fn fault(what: &str, error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if let Some(detail) = causes(&error).find_map(tls) {
        return Fault::new(FaultKind::Tls, what, detail);
    }
    let (kind, detail) = if error.is_timeout() {
        match error.is_connect() {
            true => (FaultKind::Unreachable, "no connection within the connect time limit".to_owned()),
            false => (FaultKind::Timeout, "no whole answer within the total time limit".to_owned()),
        }
    } else if error.is_dns() {
        (FaultKind::Unreachable, format!("no such host: {}", root(&error)))
    } else if let Some(io) = causes(&error).filter_map(|e| e.downcast_ref::<std::io::Error>()).find_map(reachable) {
        (FaultKind::Unreachable, io)
    } else if error.is_builder() {
        (FaultKind::Local, format!("the request could not be built: {}", root(&error)))
    } else {
        other(&error)
    };
    Fault::new(kind, what, detail)
}

fn other(error: &reqwest::Error) -> (FaultKind, String) {
    let text = root(error);
    // The library has no public type for these two; its words are all there is.
    if text.contains("connection closed") || text.contains("end of file") || text.contains("unexpected EOF") {
        return (FaultKind::Unreachable, "the connection was closed before the answer was whole".into());
    }
    if error.is_connect() {
        return (FaultKind::Unreachable, text);
    }
    if error.is_decode() || error.is_body() || text.contains("invalid") || text.contains("too large") {
        return (FaultKind::Malformed, format!("not a readable HTTP answer: {text}"));
    }
    (FaultKind::Unreachable, text)
}

fn reachable(io: &std::io::Error) -> Option<String> {
    match io.kind() {
        ErrorKind::ConnectionRefused => Some("connection refused".into()),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Some("the connection was reset".into())
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Some("no route to the host".into())
        }
        ErrorKind::UnexpectedEof => Some("the connection was closed before the answer was whole".into()),
        _ => None,
    }
}

/// The error and everything below it. An I/O error hides what it wraps from `source()`, so it is opened too.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|e| e as &(dyn Error + 'static)).or_else(|| current.source());
        Some(current)
    })
    .take(16)
}

fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn tls(error: &(dyn Error + 'static)) -> Option<String> {
    use rustls::Error as Tls;
    let text = match error.downcast_ref::<Tls>()? {
        Tls::InvalidCertificate(certificate) => return Some(certificate_words(certificate)),
        Tls::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure) => {
            "the server wants a client certificate (tls.cert_file and tls.key_file)".into()
        }
        Tls::AlertReceived(alert) => format!("the server broke off the handshake: {alert:?}"),
        Tls::InvalidMessage(_) => "the server does not speak TLS there (is it http: rather than https:?)".into(),
        other => other.to_string(),
    };
    Some(text)
}

fn certificate_words(certificate: &CertificateError) -> String {
    match certificate {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by an authority unknown here (tls.ca_file)".into()
        }
        CertificateError::BadSignature => {
            "its certificate is signed with another key than the trusted one (tls.ca_file)".into()
        }
        CertificateError::NotValidForName => "its certificate is for another host name".into(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("its certificate is for another host name: {}", presented.join(", "))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet (is a clock wrong?)".into()
        }
        CertificateError::Revoked => "its certificate is revoked".into(),
        other => format!("its certificate is refused: {other}"),
    }
}
