//! Whether a line in a `commands:` list is a command or a sentence. Strict on purpose: a sentence that runs does harm, a
//! command that is taken for a sentence is only copied by hand. A list (`[kubectl, get, pods]`) needs no test.

use crate::domain::runbook::shell::{is_name, scan};
use crate::domain::text::is_hidden;

/// Words that begin sentences; some are programs too, and then need the list form.
const SENTENCE_STARTS: [&str; 43] = [
    "ask",
    "call",
    "check",
    "compare",
    "confirm",
    "contact",
    "create",
    "do",
    "ensure",
    "escalate",
    "follow",
    "for",
    "go",
    "identify",
    "if",
    "increase",
    "inform",
    "investigate",
    "look",
    "make",
    "monitor",
    "note",
    "notify",
    "open",
    "page",
    "post",
    "reduce",
    "restart",
    "review",
    "roll",
    "run",
    "scale",
    "search",
    "see",
    "start",
    "stop",
    "tell",
    "try",
    "update",
    "use",
    "verify",
    "wait",
    "when",
];

/// Words that sentences have and command lines do not, outside quotes.
const SENTENCE_WORDS: [&str; 22] = [
    "an", "and", "are", "be", "has", "have", "if", "is", "it", "its", "of", "or", "please", "should", "that", "the",
    "then", "they", "this", "was", "with", "your",
];

/// Why a line is refused that has the words of a command and nothing by which it could be told from a sentence.
pub const NOT_TELLING: &str = "it has no option, path, pipe, `$` or `=`";

/// Why a line is not a command; `Ok` when it is one.
pub fn command(line: &str) -> Result<(), &'static str> {
    if line.chars().any(is_hidden) {
        return Err("it holds a line break or a hidden character");
    }
    let scan = scan(line);
    if !scan.balanced {
        return Err("a quote or parenthesis is not closed");
    }
    let mut words = scan.words.iter().skip_while(|w| w.text.split_once('=').is_some_and(|(name, _)| is_name(name)));
    let Some(first) = words.next() else { return Err("there is nothing to run") };
    if !is_program(&first.text) {
        return Err("its first word is not the name of a program in lower case");
    }
    if SENTENCE_STARTS.contains(&first.text.as_str()) {
        return Err("it begins like a sentence");
    }
    let rest: Vec<_> = words.collect();
    if rest.iter().any(|w| !w.quoted && SENTENCE_WORDS.contains(&w.text.to_ascii_lowercase().as_str())) {
        return Err("it reads like a sentence");
    }
    let ends_like_one = |text: &str| {
        let bare = text.trim_end_matches(['.', ',', '?', '!', ':']);
        bare.len() < text.len() && bare.chars().any(char::is_alphabetic)
    };
    if rest.iter().any(|w| !w.quoted && ends_like_one(&w.text)) {
        return Err("it has the punctuation of a sentence");
    }
    let telling = first.text.contains('/') || rest.iter().any(|w| w.quoted || is_telling(&w.text));
    if telling { Ok(()) } else { Err(NOT_TELLING) }
}

/// Words that begin commands of the shell itself.
const KEYWORDS: [&str; 12] = ["!", "(", "[", "[[", "case", "for", "if", "test", "time", "until", "while", "{"];

/// Words that begin sentences and are programs as well.
const PROGRAMS: [&str; 4] = ["make", "open", "post", "wait"];

/// Why a line that its author calls a command reads like a sentence all the same; `None` when it does not. Far milder than
/// [`command`]: here somebody said that it runs.
pub fn sentence(line: &str) -> Option<&'static str> {
    let scan = scan(line);
    if !scan.balanced {
        return Some("a quote or parenthesis is not closed");
    }
    let mut words = scan.words.iter().skip_while(|w| w.text.split_once('=').is_some_and(|(name, _)| is_name(name)));
    let Some(first) = words.next() else { return Some("there is nothing to run") };
    if first.quoted || KEYWORDS.contains(&first.text.as_str()) || first.text.starts_with(['(', '{']) {
        return None;
    }
    let rest: Vec<&str> = words.filter(|w| !w.quoted).map(|w| w.text.as_str()).collect();
    reads_like_one(&first.text, &rest)
}

/// The same for a program and its arguments.
pub fn spoken(argv: &[String]) -> Option<&'static str> {
    let (first, rest) = argv.split_first()?;
    if first.chars().any(char::is_whitespace) {
        return Some("its first element holds a blank; each word is an element of its own");
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    reads_like_one(first, &rest)
}

fn reads_like_one(first: &str, rest: &[&str]) -> Option<&'static str> {
    let spoken = rest.iter().filter(|w| SENTENCE_WORDS.contains(&w.to_ascii_lowercase().as_str())).count();
    let telling = first.contains('/') || rest.iter().any(|w| is_telling(w));
    let capital = first.starts_with(char::is_uppercase) && first.chars().all(char::is_alphabetic);
    let begins = SENTENCE_STARTS.contains(&first.to_lowercase().as_str()) && !PROGRAMS.contains(&first);
    let ends = rest
        .last()
        .is_some_and(|w| w.ends_with(['.', '?', '!']) && w.chars().any(char::is_alphabetic) && !is_telling(w));
    match () {
        () if capital && (begins || spoken > 0 || (!telling && rest.len() > 1)) => Some("it begins like a sentence"),
        () if begins && !telling && !rest.is_empty() => Some("it begins like a sentence"),
        () if spoken > 1 || (spoken > 0 && ends) => Some("it reads like a sentence"),
        () => None,
    }
}

fn is_program(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '.' || c == '/')
        && text.chars().any(|c| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._/+-".contains(c))
        && !text.ends_with(['.', '-', '/'])
}

fn is_telling(word: &str) -> bool {
    let option = word.strip_prefix('-').is_some_and(|rest| {
        rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphanumeric()) || rest == "-"
    });
    let path = ["/", "./", "../", "~/", "http://", "https://"].iter().any(|p| word.starts_with(p));
    let assigns = word.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty());
    option || path || assigns || word == "|" || word.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_and_sentences_are_told_apart() {
        for line in [
            "pd incident acknowledge --id $INCIDENT_ID",
            "kubectl top pods -n production",
            "kubectl set env deployment/api CIRCUIT_BREAKER=true",
            "df -h /var/lib",
            "./scripts/restart.sh",
            "psql -c \"select state, count(*) from pg_stat_activity where it is not null\"",
            "PGHOST=db psql -l",
            "kubectl apply -f .",
            "ps aux | sort",
        ] {
            assert_eq!(command(line), Ok(()), "{line}");
        }
        for line in [
            "Check Datadog APM traces",
            "Review recent deployments",
            "check /var/log for errors",
            "kubectl get pods",
            "database is slow and/or down --really",
            "don't do it -f",
            "grep -c 'never closed",
            "ls -l $(pwd",
            "curl the status page at https://status.example",
            "systemctl restart api, then wait -n",
            "look at -n",
            "$ kubectl get pods -n x",
            "kubectl logs -n x\nrm -rf /",
            "kubectl logs -n \u{202e}x",
            "TODO=1",
            "",
            "...",
        ] {
            assert!(command(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_called_a_command_is_one_unless_it_is_plainly_spoken() {
        for line in [
            "systemctl restart api",
            "kubectl get pods",
            "for n in a b; do echo \"$n\"; done",
            "if test -f /x; then echo yes; else echo no; fi",
            "Rscript report.R",
            "A=1 make all",
            "make -C build",
            "grep is /var/log/x",
            "[ -f /x ] && rm /x",
        ] {
            assert_eq!(sentence(line), None, "{line}");
        }
        for line in [
            "Check Datadog APM traces",
            "Review recent deployments",
            "check the logs",
            "restart api",
            "look at this and that",
            "echo 'never closed",
            "Check /var/log for errors",
            "A=1",
        ] {
            assert!(sentence(line).is_some(), "{line}");
        }
        let argv = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(spoken(&argv("kubectl get pods -n x")), None);
        assert!(spoken(&argv("Check the dashboard")).is_some());
        assert!(spoken(&["kubectl get pods".to_owned()]).is_some());
    }

    proptest! {
        #[test]
        fn a_line_that_begins_with_a_capital_never_runs(head in "[A-Z][a-z]{0,8}", tail in "[ -~]{0,60}") {
            let line = format!("{head} {tail}");
            prop_assert!(command(&line).is_err());
        }
        #[test]
        fn plain_lower_case_words_never_run(line in "[a-z]{1,8}( [a-z]{1,8}){0,8}") {
            prop_assert!(command(&line).is_err());
        }
    }
}
