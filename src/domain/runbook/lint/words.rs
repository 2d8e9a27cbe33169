//! Telling words: what destroys, what is still to be filled in, what is still to be written.

/// The first word that says a text is still to be written.
pub(super) fn unfinished(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| matches!(*word, "TODO" | "TBD" | "FIXME" | "XXX"))
}

/// A place that somebody meant to fill in: `<name>`, `XXX`, `CHANGEME`.
pub fn placeholder(text: &str) -> Option<String> {
    let marker =
        |w: &&str| matches!(*w, "TODO" | "TBD" | "FIXME" | "CHANGEME") || (w.len() >= 3 && w.chars().all(|c| c == 'X'));
    if let Some(word) = text.split(|c: char| !c.is_ascii_alphanumeric()).find(marker) {
        return Some(word.to_owned());
    }
    text.split('<').skip(1).find_map(|tail| {
        let (inner, _) = tail.split_once('>')?;
        let named = inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || "-_ ".contains(c))
            && !inner.ends_with(' ');
        named.then(|| format!("<{inner}>"))
    })
}

/// The word of a command that removes what cannot be brought back.
pub fn destructive_word(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 11] = [
        "delete",
        "drop",
        "truncate",
        "mkfs",
        "--force",
        "drain",
        "destroy",
        "wipefs",
        "--grace-period=0",
        "shred",
        "dropdb",
    ];
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || "\"'`();|&,".contains(c)).collect();
    if let Some(word) = WORDS.into_iter().find(|word| {
        words
            .iter()
            .any(|w| w == word || (*word == "mkfs" && w.starts_with("mkfs.")) || w.strip_prefix('-') == Some(*word))
    }) {
        return Some(word);
    }
    let after = |first: &str, rest: &dyn Fn(&str) -> bool| {
        let mut found = words.iter().skip_while(|w| w.rsplit('/').next() != Some(first)).skip(1);
        found.any(|w| rest(w))
    };
    if after("rm", &|w| (w.starts_with('-') && !w.starts_with("--") && w.contains('r')) || w == "--recursive") {
        return Some("rm -r");
    }
    if words.contains(&"reset") && words.contains(&"--hard") {
        return Some("reset --hard");
    }
    None
}
