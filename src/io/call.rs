//! One HTTP call that an experiment makes, exactly as its file says: its method, address, headers and body. Sends no
//! credentials, follows no redirect, reads a bounded answer. Whether a host may be called is decided before, in the domain.

use crate::domain::experiment::model::Call;
use crate::domain::experiment::tolerance::MOST;
use crate::domain::mask::Masks;
use crate::io::http::{Body, Endpoint, Explained, Http, Request};
use reqwest::{Method, Url};

/// Status and text of an answer; the text is empty for a status that is no success.
pub type Answer = (u16, String);

/// Makes it. `Err` says why there is no answer.
pub async fn call(it: &Call) -> Result<Answer, String> {
    let url = Url::parse(&it.url).map_err(|e| format!("the address cannot be read: {e}"))?;
    // What was judged and shown is what is called, whatever another reader makes of the address.
    let host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase());
    if host.as_deref() != Some(it.host.as_str()) {
        return Err(format!(
            "`{}` is not the host `{}` that was shown; it is not called",
            host.unwrap_or_default(),
            it.host
        ));
    }
    let origin = url.origin().ascii_serialization();
    let mut endpoint = Endpoint::new(format!("call {}", it.host), &origin).map_err(|fault| fault.to_string())?;
    endpoint.timeout = it.timeout.to_std().unwrap_or(std::time::Duration::from_secs(10));
    let method = Method::from_bytes(it.method.as_bytes()).map_err(|_| format!("`{}` is no method", it.method))?;
    let body = match &it.body {
        Some(text) => Body::Text(kind(it, text).to_owned(), text.clone()),
        None => Body::None,
    };
    let mut request = Request::post(url.path(), body, MOST, said).by(method);
    for (name, value) in url.query_pairs() {
        request = request.query(name, value);
    }
    for (name, value) in &it.headers {
        request = request.header(name.clone(), value.clone());
    }
    match Http::new(endpoint).write(&request).await {
        // What looks like a token goes no further.
        Ok(reply) => Ok((reply.status, Masks::default().apply(&String::from_utf8_lossy(&reply.body)))),
        Err(failure) => match (100..600).find(|status| failure.answered(*status)) {
            Some(status) => Ok((status, String::new())),
            None => Err(failure.fault.to_string()),
        },
    }
}

/// What is sent: what a header says, else what it looks like.
fn kind(it: &Call, text: &str) -> &'static str {
    let said = it.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !said && text.trim_start().starts_with(['{', '[']) { "application/json" } else { "text/plain; charset=utf-8" }
}

fn said(body: &[u8]) -> Explained {
    Explained { text: String::from_utf8_lossy(body).chars().take(200).collect(), ..Explained::default() }
}
