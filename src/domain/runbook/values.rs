//! Facts of an incident and its alert, as values for commands. Labels come from pods and scrape targets: a value that could
//! steer a program is not given at all. Values travel as environment variables or inside one argv element, never as
//! shell text. What they make of a command is in [`crate::domain::runbook::prepare`].

use crate::domain::ids::Fingerprint;
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::state::{Incident, LinkedAlert};
use crate::domain::labels::Labels;
use crate::domain::mask::Masks;
use crate::domain::runbook::model::Input;
pub use crate::domain::runbook::prepare::{Prepared, prepare};
use crate::domain::text::{Shown, is_hidden, truncate};
use regex::RegexBuilder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Names that are always the same; `MW_LABEL_<NAME>` comes once for each label.
pub const KNOWN: [&str; 5] = ["INCIDENT_ID", "MW_ALERT", "MW_INCIDENT", "MW_SERVICE", "MW_SEVERITY"];

/// Names that a command may use and that are passed through from the responder's own environment; nothing else is.
pub const AMBIENT: [&str; 10] =
    ["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "KUBECONFIG", "SSH_AUTH_SOCK", "PWD"];

/// The longest value, in characters.
pub const VALUE_LIMIT: usize = 256;

/// The longest value that a pattern may allow, in characters.
pub const INPUT_LIMIT: usize = 4_096;

/// Whether this program may give the name a value.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.starts_with("MW_LABEL_")
}

/// Whether a name steers programs or shells wherever it is set, so that no value of a runbook may have it.
pub fn steers(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
        "BASHOPTS",
        "CDPATH",
        "GLOBIGNORE",
        "PS4",
        "EDITOR",
        "PAGER",
        "SHELL",
        "TZ",
        "LOGNAME",
    ];
    let prefixes = ["LD_", "DYLD_", "GIT_", "PYTHON", "PERL", "RUBY", "NODE_", "LC_", "SSH_"];
    AMBIENT.contains(&name) || NAMES.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Values by name, and what was refused. Does not print secret ones.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values {
    given: BTreeMap<String, String>,
    refused: BTreeMap<String, String>,
    /// Why a declared name has none.
    absent: BTreeMap<String, String>,
    secret: BTreeSet<String>,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.given().map(|(name, value)| (name, if self.is_secret(name) { "[secret]" } else { value }));
        f.debug_map().entries(shown).finish()
    }
}

impl Values {
    /// The values of an incident. Labels are those of its alert that fired first and still fires, else that fired first.
    pub fn of_incident(incident: &Incident) -> Self {
        let mut values = Self::default();
        values.offer("MW_INCIDENT", incident.id.as_str());
        values.offer("INCIDENT_ID", incident.id.as_str());
        values.offer("MW_SEVERITY", &incident.severity.0);
        if let Some((_, alert)) = first_alert(incident) {
            values.alert(&alert.name, &alert.labels);
        }
        if let Some(service) = &incident.service {
            values.offer("MW_SERVICE", service);
        }
        values
    }

    /// The values of an alert alone: for a dry run.
    pub fn of_alert(name: &str, labels: &Labels) -> Self {
        let mut values = Self::default();
        values.alert(name, labels);
        values
    }

    fn alert(&mut self, name: &str, labels: &Labels) {
        self.offer("MW_ALERT", name);
        self.offer("MW_SERVICE", labels.get("service"));
        let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (label, value) in &labels.0 {
            by_name.entry(format!("MW_LABEL_{}", upper_snake(label))).or_default().push(value);
        }
        for (name, found) in by_name {
            match found.as_slice() {
                [value] => self.offer(&name, value),
                _ => drop(self.refused.insert(name, "several labels would give it".to_owned())),
            }
        }
    }

    /// Gives a name a value if it keeps to the rules; an empty value is no value. A later offer replaces an earlier one.
    pub fn offer(&mut self, name: &str, value: &str) {
        self.given.remove(name);
        self.refused.remove(name);
        if value.is_empty() {
            return;
        }
        match check(value) {
            Ok(()) => drop(self.given.insert(name.to_owned(), value.to_owned())),
            Err(rule) => {
                let shown = Shown::from(value);
                let why = format!("its value `{}` {rule}", truncate(shown.as_str(), 40));
                self.refused.insert(name.to_owned(), why);
            }
        }
    }

    /// Gives a declared name its value if the value keeps to the input's own rules.
    pub fn offer_input(&mut self, input: &Input, value: &str) {
        let name = input.name.as_str();
        self.given.remove(name);
        self.refused.remove(name);
        self.absent.remove(name);
        if input.secret {
            self.secret.insert(name.to_owned());
        }
        if value.is_empty() {
            return self.lacks(name, "it is empty");
        }
        match keeps_to(input, value) {
            Ok(()) => drop(self.given.insert(name.to_owned(), value.to_owned())),
            Err(rule) => {
                let shown = Shown::from(value);
                let what = if input.secret { String::new() } else { format!(" `{}`", truncate(shown.as_str(), 40)) };
                self.refused.insert(name.to_owned(), format!("its value{what} {rule}"));
            }
        }
    }

    /// A declared name has no value, and why.
    pub fn lacks(&mut self, name: &str, why: &str) {
        if !self.given.contains_key(name) && !self.refused.contains_key(name) {
            self.absent.insert(name.to_owned(), why.to_owned());
        }
    }

    /// Whether nothing was said about a name so far.
    pub fn is_open(&self, name: &str) -> bool {
        !self.given.contains_key(name) && !self.refused.contains_key(name)
    }

    /// Whether a name is declared or was offered a value, good or not.
    pub fn says(&self, name: &str) -> bool {
        !self.is_open(name) || self.absent.contains_key(name)
    }

    /// Whether the value of a name must never be shown or stored.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secret.contains(name)
    }

    /// What must be masked in everything that a command with these values writes.
    pub fn masks(&self) -> Masks {
        Masks::of(self.given().filter(|(name, _)| self.is_secret(name)).map(|(_, value)| value))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// All values, by name.
    pub fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// What was refused and why, by name; harmless to show.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refused.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        if let Some(value) = self.get(name) {
            return Ok(value);
        }
        let why = match self.refused.get(name).or_else(|| self.absent.get(name)) {
            Some(why) => why.clone(),
            None if is_known(name) => "the incident and its alert do not have it".to_owned(),
            None => "nothing declares it".to_owned(),
        };
        Err(Refusal(format!("${name} has no value: {why}; run the command by hand")))
    }
}

/// The alert whose labels are the values: the one that fired first and still fires, else that fired first.
pub fn first_alert(incident: &Incident) -> Option<(&Fingerprint, &LinkedAlert)> {
    incident.alerts.iter().min_by_key(|(_, a)| (a.state != "firing", a.started_at, a.name.clone()))
}

/// Whether a value may be given for an input; `Err` says which rule it breaks, and never repeats a secret.
pub fn judge(input: &Input, value: &str) -> Result<(), Refusal> {
    let mut values = Values::default();
    values.offer_input(input, value);
    values.need(&input.name).map(|_| ()).map_err(|_| {
        let why = values.refused.get(&input.name).or_else(|| values.absent.get(&input.name));
        Refusal(format!("{}: {}", input.name, why.map_or("is needed", String::as_str)))
    })
}

/// The rule of its input that a value breaks.
fn keeps_to(input: &Input, value: &str) -> Result<(), String> {
    if value.chars().any(is_hidden) {
        return Err("holds a line break, a control or a hidden character".to_owned());
    }
    let outside = input.from.is_outside();
    if outside && value.starts_with('-') {
        return Err("begins with `-` and could be taken for an option".to_owned());
    }
    match &input.pattern {
        Some(pattern) => {
            let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build();
            let Ok(whole) = whole else { return Err(format!("cannot be judged: `{pattern}` is no pattern")) };
            if !whole.is_match(value) {
                return Err(format!("does not match `{pattern}`"));
            }
        }
        None if outside => check(value)?,
        None => {}
    }
    if value.chars().count() > INPUT_LIMIT {
        return Err(format!("is longer than {INPUT_LIMIT} characters"));
    }
    if input.min.is_none() && input.max.is_none() {
        return Ok(());
    }
    let number = value.parse::<f64>().ok().filter(|n| n.is_finite());
    match number {
        None => Err("is no number".to_owned()),
        Some(n) if input.min.is_some_and(|min| n < min) => {
            Err(format!("is less than {}", input.min.unwrap_or_default()))
        }
        Some(n) if input.max.is_some_and(|max| n > max) => {
            Err(format!("is more than {}", input.max.unwrap_or_default()))
        }
        Some(_) => Ok(()),
    }
}

/// The rule that a value breaks.
fn check(value: &str) -> Result<(), String> {
    if value.chars().any(is_hidden) {
        return Err("holds a hidden character".to_owned());
    }
    if value.starts_with('-') {
        return Err("begins with `-` and could be taken for an option".to_owned());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:/@%+=,-".contains(c);
    if let Some(c) = value.chars().find(|c| !allowed(*c)) {
        return Err(format!("holds `{c}` (allowed: letters, digits and _ . : / @ % + = , -)"));
    }
    if value.chars().count() > VALUE_LIMIT {
        return Err(format!("is longer than {VALUE_LIMIT} characters"));
    }
    Ok(())
}

fn upper_snake(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::runbook::model::{Exec, Risk, RunCommand};
    use proptest::prelude::*;

    fn command(exec: Exec) -> RunCommand {
        let text = match &exec {
            Exec::Sh(text) => text.clone(),
            Exec::Argv(argv) => argv.join(" "),
            Exec::Query(query) => query.clone(),
        };
        RunCommand::new("s.1", text, exec, Risk::Read, Mark::default())
    }

    fn sh(text: &str) -> RunCommand {
        command(Exec::Sh(text.into()))
    }

    fn values() -> Values {
        let labels =
            Labels::from([("namespace", "prod"), ("pod", "x; touch f"), ("opt", "--all"), ("service", "checkout")]);
        Values::of_alert("CheckoutLatencyHigh", &labels)
    }

    #[test]
    fn only_what_is_named_is_passed() {
        let prepared = prepare(&sh("kubectl get pods -n \"$MW_LABEL_NAMESPACE\""), &values()).unwrap();
        assert_eq!(prepared.argv, ["/bin/sh", "-c", "kubectl get pods -n \"$MW_LABEL_NAMESPACE\""]);
        assert_eq!(prepared.env, [("MW_LABEL_NAMESPACE".to_owned(), "prod".to_owned())]);
        assert_eq!(prepared.shown, "kubectl get pods -n \"$MW_LABEL_NAMESPACE\"");
        let alert = prepare(&sh("grep \"$MW_ALERT\" \"$HOME/x\" | awk '{print $NF}'"), &values()).unwrap();
        assert_eq!(alert.env, [("MW_ALERT".to_owned(), "CheckoutLatencyHigh".to_owned())]);
    }

    #[test]
    fn refused_and_undeclared_values_refuse_the_command() {
        for (text, why) in [
            (
                "x -n \"$MW_LABEL_POD\"",
                "$MW_LABEL_POD has no value: its value `x; touch f` holds `;` (allowed: letters, digits and _ . : / @ % + \
                 = , -); run the command by hand",
            ),
            (
                "x -n $MW_LABEL_OPT",
                "$MW_LABEL_OPT has no value: its value `--all` begins with `-` and could be taken for an option; run the \
                 command by hand",
            ),
            (
                "x -n ${MW_LABEL_OPT:-y}",
                "$MW_LABEL_OPT has no value: its value `--all` begins with `-` and could be taken for an option; run the \
                 command by hand",
            ),
            (
                "x --id $INCIDENT_ID",
                "$INCIDENT_ID has no value: the incident and its alert do not have it; run the command by hand",
            ),
            ("x -n $OTHER", "$OTHER has no value: nothing declares it; run the command by hand"),
            ("x -n sh\u{200b}", "the command holds a line break or a hidden character; run it by hand"),
        ] {
            assert_eq!(prepare(&sh(text), &values()).map_err(|r| r.0), Err(why.to_owned()), "{text}");
        }
        assert!(prepare(&sh("x -n ${MW_LABEL_MISSING:-y}"), &values()).is_ok());
    }

    #[test]
    fn hostile_values_are_told_harmlessly() {
        for (value, rule) in [
            ("a\u{1b}[31m", "its value `a␛[31m` holds a hidden character"),
            ("a\nb", "its value `a␊b` holds a hidden character"),
            ("$(touch f)", "its value `$(touch f)` holds `$` (allowed: letters, digits and _ . : / @ % + = , -)"),
            ("a b*", "its value `a b*` holds ` ` (allowed: letters, digits and _ . : / @ % + = , -)"),
        ] {
            let values = Values::of_alert("A", &Labels::from([("v", value)]));
            assert_eq!(values.get("MW_LABEL_V"), None);
            assert_eq!(values.refused().collect::<Vec<_>>(), [("MW_LABEL_V", rule)]);
        }
        let long = "x".repeat(VALUE_LIMIT + 1);
        assert!(Values::of_alert("A", &Labels::from([("v", long.as_str())])).get("MW_LABEL_V").is_none());
        let twins = Values::of_alert("A", &Labels::from([("a_b", "1"), ("A_b", "2")]));
        assert_eq!(twins.get("MW_LABEL_A_B"), None);
    }

    #[test]
    fn a_list_is_filled_element_by_element() {
        let argv = |list: &[&str]| command(Exec::Argv(list.iter().map(|s| (*s).to_owned()).collect()));
        let prepared =
            prepare(&argv(&["kubectl", "-n", "${MW_LABEL_NAMESPACE}", "app=${MW_SERVICE}"]), &values()).unwrap();
        assert_eq!(prepared.argv, ["kubectl", "-n", "prod", "app=checkout"]);
        assert!(prepared.env.is_empty());
        assert!(prepare(&argv(&["${MW_SERVICE}", "-n"]), &values()).is_err());
        assert!(prepare(&argv(&["kubectl", "${MW_LABEL_POD}"]), &values()).is_err());
        assert!(prepare(&argv(&["kubectl", "${NOPE}"]), &values()).is_err());
        assert_eq!(prepare(&argv(&["echo", "$HOME x"]), &values()).unwrap().shown, "echo '$HOME x'");
    }

    #[test]
    fn the_sum_binds_argv_and_env() {
        let make = |argv: &[&str], env: &[(&str, &str)]| {
            Prepared {
                argv: argv.iter().map(|s| (*s).to_owned()).collect(),
                env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
                ..Prepared::default()
            }
            .sha256()
        };
        let sums = [
            make(&["a", "b"], &[]),
            make(&["ab"], &[]),
            make(&["a"], &[("b", "")]),
            make(&["a"], &[("b", "c")]),
            make(&["a", "b", "c"], &[]),
        ];
        assert_eq!(sums.iter().collect::<BTreeSet<_>>().len(), sums.len());
        assert_eq!(sums[0].len(), 64);
    }

    proptest! {
        #[test]
        fn what_is_given_keeps_to_the_rules(value in any::<String>()) {
            let values = Values::of_alert("A", &Labels::from([("v", value.as_str())]));
            if let Some(given) = values.get("MW_LABEL_V") {
                prop_assert_eq!(given, value.as_str());
                let harmless = given.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:/@%+=,-".contains(&b));
                prop_assert!(!given.starts_with('-') && given.len() <= VALUE_LIMIT && harmless);
            }
            for (_, why) in values.refused() { prop_assert!(!why.chars().any(is_hidden)); }
        }
        #[test]
        fn any_shell_line_is_prepared_as_it_stands(text in any::<String>()) {
            if let Ok(prepared) = prepare(&sh(&text), &values()) {
                prop_assert_eq!(&prepared.shown, &text);
                prop_assert!(prepared.argv.last() == Some(&text));
            }
        }
    }
}
