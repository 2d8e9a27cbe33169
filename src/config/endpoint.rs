//! The address of a source: what is accepted, in one place. Never connects and never resolves a name.

/// Checks a base address and cuts the slash at its end. Refuses what would carry a secret (user, query) into logs.
pub fn endpoint(text: &str) -> Result<String, String> {
    written(text).map(|text| text.trim_end_matches('/').to_owned())
}

/// The same, with its end as it was written: where nothing is asked below the address, a slash makes it another one.
pub fn written(text: &str) -> Result<String, String> {
    let expected = "expected something like http://127.0.0.1:9090";
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Err(format!("an address has no blanks and only ASCII ({expected})"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!("this is not an address ({expected})"));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(format!("the scheme must be http or https ({expected})"));
    }
    if rest.contains(['?', '#']) {
        return Err(
            "an address has no query and no fragment; headers and auth carry what must be sent along".to_owned()
        );
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(
            "an address holds no user and no password; write auth: {basic: {username: …, password: {file: …}}}"
                .to_owned(),
        );
    }
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return Err(format!("the host is missing ({expected})"));
    }
    if port.is_some_and(|p| p.parse::<u16>().map_or(true, |n| n == 0)) {
        return Err(format!("the port must be 1 to 65535 ({expected})"));
    }
    Ok(text.to_owned())
}

/// Whether nothing sent there leaves this machine unencrypted.
pub fn is_private(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("http://") else { return true };
    let (host, _) = split_port(rest.split('/').next().unwrap_or_default());
    matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    if authority.starts_with('[') {
        return match authority.split_once("]:") {
            Some((host, port)) => (authority.get(..=host.len()).unwrap_or(authority), Some(port)),
            None => (authority, None),
        };
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, want) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090"),
            ("https://prom.example/api/prom/", "https://prom.example/api/prom"),
            ("http://[::1]:9090/", "http://[::1]:9090"),
        ] {
            assert_eq!(endpoint(text).as_deref(), Ok(want));
        }
        for bad in [
            "",
            "127.0.0.1:9090",
            "ftp://x",
            "http://",
            "http:///x",
            "http://u:p@x",
            "http://x?token=a",
            "http://x#a",
            "http://x:0",
            "http://x:99999",
            "http://x:",
            "http://a b",
            "http://x\u{202e}",
            "http://:9090",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        let message = endpoint("http://alice:hunter2secret@prom").unwrap_err();
        assert!(!message.contains("hunter2secret"), "{message}");
    }

    #[test]
    fn only_this_machine_and_https_are_private() {
        for (text, want) in [
            ("http://127.0.0.1:9090", true),
            ("http://[::1]:9090", true),
            ("http://localhost", true),
            ("https://prom", true),
            ("http://prom:9090", false),
        ] {
            assert_eq!(is_private(text), want, "{text}");
        }
    }
}
