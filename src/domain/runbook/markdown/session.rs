//! Commands that do not end but open another shell or program, in which everything that follows on the page happens.
//! Knows command lines by their words; runs nothing.

use crate::domain::runbook::shell::{Word, is_name, scan};
use crate::domain::text::truncate;

const SHELLS: [&str; 7] = ["sh", "bash", "zsh", "ash", "dash", "ksh", "fish"];
const CONSOLES: [&str; 21] = [
    "psql",
    "mysql",
    "redis-cli",
    "mongo",
    "mongosh",
    "sqlite3",
    "python",
    "python3",
    "irb",
    "pry",
    "node",
    "iex",
    "gdb",
    "telnet",
    "ftp",
    "sftp",
    "ipython",
    "cqlsh",
    "influx",
    "clickhouse-client",
    "gitlab-psql",
];
/// Options that tell a console what to do, so that it ends by itself.
const ENDS: [&str; 14] = [
    "-c",
    "-e",
    "-f",
    "-l",
    "-m",
    "-Q",
    "--command",
    "--eval",
    "--execute",
    "--file",
    "--list",
    "--version",
    "--help",
    "-h",
];
/// Options of ssh that take a value.
const SSH_VALUES: [&str; 14] = ["-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-o", "-p", "-R"];

/// What a command line opens; `None` when it ends by itself.
pub fn opens(text: &str) -> Option<String> {
    segments(text).into_iter().find_map(|words| {
        let words = plain(&words);
        opened(&words).then(|| truncate(&words.join(" "), 50).into_owned())
    })
}

/// Whether it wants a terminal, though it ends by itself: editors, pagers, `-it`.
pub fn wants_terminal(text: &str) -> bool {
    const FULL_SCREEN: [&str; 13] =
        ["vi", "vim", "nvim", "nano", "emacs", "less", "more", "top", "htop", "watch", "k9s", "man", "visudo"];
    segments(text).iter().any(|words| {
        let words = plain(words);
        let first = words.first().map(|w| base(w)).unwrap_or_default();
        let edits = is_cluster_tool(first) && words.get(1).is_some_and(|w| *w == "edit");
        FULL_SCREEN.contains(&first) || edits || (takes_pod(&words) && words.iter().any(|w| is_interactive(w)))
    })
}

fn segments(text: &str) -> Vec<Vec<Word>> {
    let mut all = vec![Vec::new()];
    for word in scan(text).words {
        match word.text.as_str() {
            "|" | ";" | "&" => all.push(Vec::new()),
            _ => {
                if let Some(last) = all.last_mut() {
                    last.push(word);
                }
            }
        }
    }
    all
}

/// The words without what goes before a program: assignments, `sudo` and its options, `time`, `exec`.
fn plain(words: &[Word]) -> Vec<&str> {
    let mut words = words.iter().map(|w| w.text.as_str()).peekable();
    while let Some(word) = words.peek() {
        let assigns = word.split_once('=').is_some_and(|(name, _)| is_name(name));
        match *word {
            "sudo" => {
                words.next();
                while let Some(option) = words.peek().copied().filter(|w| w.starts_with('-')) {
                    if matches!(option, "-i" | "-s" | "--login" | "--shell") {
                        return std::iter::once("su").chain(words.skip(1)).collect();
                    }
                    words.next();
                    if matches!(option, "-u" | "-g" | "-H" | "--user") && option != "-H" {
                        words.next();
                    }
                }
            }
            "time" | "exec" | "command" | "nohup" | "env" => drop(words.next()),
            _ if assigns => drop(words.next()),
            _ => break,
        }
    }
    words.collect()
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_cluster_tool(name: &str) -> bool {
    matches!(name, "kubectl" | "oc" | "k")
}

fn is_interactive(word: &str) -> bool {
    matches!(word, "-i" | "-t" | "-it" | "-ti" | "--stdin" | "--tty" | "--stdin=true" | "--tty=true" | "-tty")
}

/// `kubectl exec`, `docker exec`, `oc rsh`, `oc debug` and their like.
fn takes_pod(words: &[&str]) -> bool {
    let tool = words.first().map(|w| base(w)).unwrap_or_default();
    let known = is_cluster_tool(tool) || matches!(tool, "docker" | "podman" | "crictl" | "nerdctl" | "virtctl");
    known && verb(words).is_some()
}

fn verb<'w>(words: &[&'w str]) -> Option<(usize, &'w str)> {
    let found =
        words.iter().enumerate().skip(1).find(|(_, w)| matches!(**w, "exec" | "rsh" | "debug" | "attach" | "run"));
    found.map(|(n, w)| (n, *w)).filter(|(n, _)| *n <= 4)
}

fn opened(words: &[&str]) -> bool {
    let Some(first) = words.first().map(|w| base(w)) else { return false };
    let rest = words.get(1..).unwrap_or_default();
    if takes_pod(words) {
        return in_pod(words);
    }
    if first == "ssh" {
        return ssh(rest);
    }
    if matches!(first, "su" | "toolbox" | "screen" | "tmux" | "login" | "minicom") {
        return !rest.iter().any(|w| matches!(*w, "-c" | "--command" | "ls" | "kill-session"));
    }
    if SHELLS.contains(&first) {
        return rest.iter().all(|w| w.starts_with('-') && !w.contains('c'));
    }
    if first == "chroot" {
        return rest.len() <= 1 || rest.get(1..).is_some_and(opened);
    }
    if CONSOLES.contains(&first) {
        return console(first, rest);
    }
    // `virtctl console vm`, `rails console`, `vagrant ssh`, `gcloud compute ssh host`.
    let speaks = rest.iter().take(3).position(|w| matches!(*w, "console" | "dbconsole" | "ssh"));
    let told = rest.iter().any(|w| matches!(*w, "--" | "--command" | "-c") || w.starts_with("--command="));
    let shell_last = rest.last().is_some_and(|w| SHELLS.contains(&base(w)));
    let far =
        |at: usize| rest.get(at) != Some(&"ssh") || ssh(rest.get(at + 1..).unwrap_or_default()) || rest.len() == at + 1;
    speaks.is_some_and(|at| !told && far(at)) || (shell_last && first == "nsenter")
}

/// A pod's command is what follows `--`, or for `exec` what follows the pod; without one a shell opens.
fn in_pod(words: &[&str]) -> bool {
    let Some((at, verb)) = verb(words) else { return false };
    let rest = words.get(at + 1..).unwrap_or_default();
    let told = match rest.iter().position(|w| *w == "--") {
        Some(dashes) => rest.get(dashes + 1..).unwrap_or_default(),
        None => {
            let valued = ["-n", "--namespace", "-c", "--container", "--image", "--context", "-u", "--user", "--shell"];
            let mut skip = false;
            let mut names = 0;
            let from = rest.iter().position(|w| {
                let value = std::mem::replace(&mut skip, valued.contains(w));
                if value || w.starts_with('-') {
                    return false;
                }
                names += 1;
                names > 1
            });
            from.and_then(|n| rest.get(n..)).unwrap_or_default()
        }
    };
    let interactive = rest.iter().any(|w| is_interactive(w));
    match (verb, told.is_empty()) {
        ("rsh" | "debug" | "attach", true) => true,
        ("exec" | "run", true) => interactive,
        (_, false) => opened(told),
        _ => false,
    }
}

fn ssh(rest: &[&str]) -> bool {
    let mut names = 0;
    let mut skip = false;
    for word in rest {
        if std::mem::replace(&mut skip, SSH_VALUES.contains(word)) {
            continue;
        }
        if word.starts_with('-') {
            // A tunnel without a shell runs until it is stopped; a question about the settings ends.
            if matches!(*word, "-N" | "-f" | "-fN" | "-Nf" | "-G" | "-V") {
                return false;
            }
            continue;
        }
        names += 1;
    }
    names == 1
}

fn console(first: &str, rest: &[&str]) -> bool {
    let told = rest.iter().any(|w| {
        let asks = ENDS.contains(w) && !(*w == "-h" && matches!(first, "psql" | "mysql" | "redis-cli" | "cqlsh"));
        let attached = w.starts_with("-e") || w.starts_with("-c") || w.contains("--command=") || w.contains("--eval=");
        asks || attached || w.starts_with("--execute=") || w.starts_with('<')
    });
    // `redis-cli info`, `python script.py`, `sqlite3 db 'select …'` say what to do by a word of their own.
    let valued = ["-h", "-p", "-a", "-n", "-u", "-s", "-U", "-d", "-P", "--user", "--port", "--host"];
    let mut skip = false;
    let own = rest.iter().filter(|w| !std::mem::replace(&mut skip, valued.contains(w)) && !w.starts_with('-')).count();
    let own_limit = match first {
        "psql" | "mysql" | "mongo" | "mongosh" | "gitlab-psql" | "gdb" | "telnet" | "ftp" | "sftp" => 2,
        "sqlite3" => 1,
        _ => 0,
    };
    !told && own <= own_limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_session() {
        for line in [
            "oc rsh -n openshift-etcd etcd-0",
            "oc debug node/worker-1",
            "kubectl exec -it pod -n x -- /bin/bash",
            "kubectl -n x exec -it pod -c main -- sh",
            "kubectl exec -it pod bash",
            "docker exec -ti c1 sh",
            "ssh web-01",
            "ssh -p 2222 -i key alice@web-01",
            "sudo -i",
            "sudo su - postgres",
            "su - git",
            "chroot /host",
            "chroot /host bash",
            "oc debug node/x -- chroot /host",
            "sudo gitlab-rails console",
            "virtctl console vm1",
            "psql -h db -U me prod",
            "redis-cli -h cache -p 6379",
            "python3",
            "vagrant ssh",
            "gcloud compute ssh web-1",
            "cd /x && bash",
            "PGUSER=a psql",
        ] {
            assert!(opens(line).is_some(), "{line}");
        }
        for line in [
            "oc rsh etcd-0 etcdctl member list",
            "oc debug node/x -- chroot /host systemctl status kubelet",
            "kubectl exec -it pod -- ls -l /data",
            "kubectl exec pod -- cat /etc/hosts",
            "kubectl exec -it pod -- sh -c 'ls -l'",
            "ssh web-01 uptime",
            "knife ssh -C 1 'roles:pages' 'uptime'",
            "ssh -N -L 5432:db:5432 bastion",
            "bash script.sh -x",
            "bash -c 'ls'",
            "sudo -u postgres psql -c 'select 1'",
            "redis-cli -h cache info",
            "python3 script.py --x",
            "kubectl get pods -n console",
            "kubectl debug-tool x",
            "mysql -e 'show processlist'",
            "kubectl logs pod -n x",
            "tmux ls",
        ] {
            assert_eq!(opens(line), None, "{line}");
        }
        assert!(
            wants_terminal("kubectl exec -it pod -- ls")
                && wants_terminal("kubectl edit cm x")
                && wants_terminal("vim x")
        );
        assert!(!wants_terminal("kubectl get pods -n x") && !wants_terminal("kubectl exec pod -- ls"));
    }
}
