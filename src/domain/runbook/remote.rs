//! A command for another host as the one string that ssh hands to the shell there: every word in POSIX single quotes, every
//! variable set and exported in front, so that no value can become a word more than it is.

/// One word in single quotes.
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The arguments of ssh for a command over there. `Err` says what cannot be sent.
pub fn ssh(host: &str, cwd: Option<&str>, env: &[(String, String)], argv: &[String]) -> Result<Vec<String>, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@%:[]".contains(c);
    if host.is_empty() || host.starts_with('-') || !host.chars().all(plain) {
        return Err(format!("`{host}` is not a host that ssh can be given"));
    }
    if let Some((name, _)) = env.iter().find(|(_, value)| value.contains('\0')) {
        return Err(format!("the value of ${name} holds a NUL character"));
    }
    let mut line = String::new();
    if let Some(folder) = cwd {
        line.push_str(&format!("cd -- {} || exit 126; ", quote(folder)));
    }
    for (name, value) in env {
        line.push_str(&format!("{name}={}; export {name}; ", quote(value)));
    }
    line.push_str("exec");
    for word in argv {
        line.push(' ');
        line.push_str(&quote(word));
    }
    let fixed = ["ssh", "-T", "-o", "BatchMode=yes", host, "--"];
    Ok(fixed.into_iter().map(str::to_owned).chain([line]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_that_would_be_options_are_refused() {
        for host in ["-oProxyCommand=x", "", "a b", "a;b", "$(x)", "a\u{202e}"] {
            assert!(ssh(host, None, &[], &["ls".into()]).is_err(), "{host}");
        }
        assert!(ssh("alice@edge-1.example.com", None, &[], &["ls".into()]).is_ok());
    }

    proptest! {
        #[test]
        fn quoted_words_are_read_back_as_they_were(words in prop::collection::vec("[^\0]{0,30}", 1..6)) {
            let line = words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(shlex::split(&line), Some(words));
        }
    }
}
