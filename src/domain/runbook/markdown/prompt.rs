//! What stands before a command in a transcript: the prompt of a plain shell, of another host or of another program. Says
//! whose prompt it is; never says whether the rest is a command.

/// The longest prompt, in characters.
const LONGEST: usize = 80;

/// Whose prompt a line begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt<'l> {
    /// None: output, or a command of a block without prompts.
    None,
    /// `#` and a blank: a comment in one kind of block, a root prompt in another. Never run.
    Comment,
    /// `$` and a blank: what follows was typed on the reader's own machine.
    Own(&'l str),
    /// `>` and a blank: a line that goes on.
    More(&'l str),
    /// A prompt that names a host, a user or a container: what follows was typed there.
    Elsewhere(&'l str),
    /// The prompt of a program that is no shell.
    Program(&'l str),
}

/// Looks at the beginning of a line.
pub fn prompt(line: &str) -> Prompt<'_> {
    let line = line.trim_start();
    if line == "$" {
        return Prompt::Own("");
    }
    if line.starts_with('#') {
        return Prompt::Comment;
    }
    if let Some(rest) = line.strip_prefix("$ ") {
        return Prompt::Own(rest.trim());
    }
    if line == ">" {
        return Prompt::More("");
    }
    if let Some(rest) = line.strip_prefix("> ") {
        return Prompt::More(rest.trim());
    }
    if let Some(rest) = of_environment(line) {
        return Prompt::Own(rest);
    }
    if is_elsewhere(line) {
        return Prompt::Elsewhere(line);
    }
    if is_program(line) { Prompt::Program(line) } else { Prompt::None }
}

/// `(venv) $ `: still the own machine.
fn of_environment(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix('(')?.split_once(") $ ")?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    plain.then(|| rest.trim())
}

/// `[root@node ~]# `, `root@pod:/# `, `sh-4.4# `, `/ # `, `~ $ `, and nothing after them as well.
fn is_elsewhere(line: &str) -> bool {
    let head: String = line.chars().take(LONGEST).collect();
    let end = ["$ ", "# ", "% "].iter().filter_map(|sign| head.find(sign)).min();
    let end = end.or_else(|| head.strip_suffix(['$', '#', '%']).map(str::len));
    let Some(before) = end.and_then(|at| head.get(..at)) else { return false };
    let before = before.trim_end();
    let words = before.split_whitespace().count();
    let bracketed = before.starts_with('[') && before.ends_with(']') && before.contains('@') && words <= 3;
    let addressed = before.contains('@') && words <= 2 && !before.contains(['=', '"', '\'', '|', '[', '/'].as_slice())
        || before.contains('@') && words == 1 && before.contains(':') && !before.contains(['=', '"', '\'', '|']);
    let shell = ["sh-", "bash-", "ash-", "zsh-"].iter().any(|name| {
        before.strip_prefix(name).is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()) && !v.contains(' '))
    });
    let place = words == 1
        && (before == "~" || (before.starts_with('/') && !before.contains('=')))
        && head.len() > before.len();
    bracketed || addressed || shell || place
}

/// `mysql> `, `>>> `, `irb(main):001:0> `, `db=# `: the first word ends as the prompts of programs do.
fn is_program(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else { return false };
    // `[1] pry(main)> ` has its number before it.
    let counted = first.starts_with('[') && first.ends_with(']');
    let word = if counted { words.next().unwrap_or_default() } else { first };
    let named = word.starts_with(|c: char| c.is_ascii_alphanumeric());
    let ends = [">", "=#", "=>", "-#", "->", "(#"].iter().any(|end| word.ends_with(end));
    word == ">>>" || (named && ends && !word.contains('<'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_told_apart() {
        for (line, want) in [
            ("$ oc get pods", Prompt::Own("oc get pods")),
            ("  $ oc get pods ", Prompt::Own("oc get pods")),
            ("$", Prompt::Own("")),
            ("(venv) $ ls -l", Prompt::Own("ls -l")),
            ("# systemctl restart x", Prompt::Comment),
            ("#!/bin/sh", Prompt::Comment),
            ("> more", Prompt::More("more")),
            ("$HOME/bin/x", Prompt::None),
            ("kubectl get pods -n x", Prompt::None),
            ("NAME   READY   STATUS", Prompt::None),
            ("cost is 5% higher", Prompt::None),
            ("curl http://x/a # comment", Prompt::None),
            ("ls -l /etc # comment", Prompt::None),
            ("echo a -> b", Prompt::None),
            ("export X=a@b # who", Prompt::None),
        ] {
            assert_eq!(prompt(line), want, "{line}");
        }
        for line in [
            "[root@node ~]# ls",
            "root@etcd-0:/# etcdctl x",
            "sh-4.4# df -h",
            "bash-5.1$ id",
            "/ # ls",
            "~ $ ls",
            "alice@web-01:~$ ls",
            "sh-4.4#",
        ] {
            assert_eq!(prompt(line), Prompt::Elsewhere(line), "{line}");
        }
        for line in [
            "mysql> select 1;",
            ">>> import os",
            "irb(main):001:0> x",
            "gitlabhq_production=# \\dt",
            "127.0.0.1:6379> info",
            "[1] pry(main)> a",
        ] {
            assert_eq!(prompt(line), Prompt::Program(line), "{line}");
        }
    }
}
