//! Conditions of a silence as a person types them, made ready for many alerts, and what they would catch now.

use crate::domain::alert::{Alert, AlertState};
use crate::domain::labels::Labels;
use crate::domain::outward::silence::Matcher;
use regex::Regex;
use std::collections::BTreeMap;

/// The most conditions of one silence.
pub const MOST: usize = 40;

impl Matcher {
    /// Reads one: `name=value`, `name!=value`, `name=~"a|b"`, `name!~"a|b"`; a bare word is the name of an alert.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some(at) = text.find(['=', '!']) else {
            return match unquote(text)? {
                name if name.is_empty() => Err("a condition is empty (expected team=\"api\")".into()),
                name => Ok(Self::is("alertname", name)),
            };
        };
        let (name, rest) = text.split_at(at);
        let signs = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
        let found = signs.into_iter().find_map(|(sign, regex, equal)| Some((rest.strip_prefix(sign)?, regex, equal)));
        let (value, regex, equal) =
            found.ok_or_else(|| format!("`{text}` has no operator (expected = != =~ or !~)"))?;
        let name = unquote(name.trim())?;
        if name.is_empty() {
            return Err(format!("`{text}` has no label name"));
        }
        let matcher = Self { name, value: unquote(value.trim())?, regex, equal };
        matcher.compiled()?;
        Ok(matcher)
    }

    /// Reads several, with blanks between them, or as in PromQL: `{team="api", instance=~"db-.*"}`.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let text = text.trim();
        let braced = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let pieces = match braced {
            Some(inner) => pieces(inner, |c| c == ','),
            None => pieces(text, char::is_whitespace),
        };
        let mut out: Vec<Self> = Vec::new();
        for piece in pieces {
            let piece = piece.trim().trim_end_matches(',');
            if piece.is_empty() {
                continue;
            }
            let matcher = Self::parse(piece)?;
            if !out.contains(&matcher) {
                out.push(matcher);
            }
        }
        match out.len() {
            0 => Err("at least one condition is needed, such as alertname=\"DiskFull\"".into()),
            n if n > MOST => Err(format!("a silence may have at most {MOST} conditions")),
            _ => Ok(out),
        }
    }

    /// Its expression, anchored as the server does it.
    fn compiled(&self) -> Result<Option<Regex>, String> {
        if !self.regex {
            return Ok(None);
        }
        let anchored = format!("^(?:{})$", self.value);
        Regex::new(&anchored)
            .map(Some)
            .map_err(|_| format!("{}: `{}` is no regular expression that can be read", self.name, self.value))
    }
}

/// Conditions that a shell has cut already: each word is one, or several as [`Matcher::parse_all`] reads them.
pub fn conditions_of(words: &[String]) -> Result<Vec<Matcher>, String> {
    let mut out: Vec<Matcher> = Vec::new();
    for word in words {
        // A shell takes the quotes away: `team="a b"` arrives as one word with a blank in it.
        let whole = Matcher::parse(word).ok().filter(|_| !word.contains('"') && !word.starts_with('{'));
        match whole {
            Some(matcher) => out.push(matcher),
            None => out.extend(Matcher::parse_all(word)?),
        }
    }
    out.dedup();
    if out.len() > MOST {
        return Err(format!("a silence may have at most {MOST} conditions"));
    }
    Ok(out)
}

/// Cuts at separators outside double quotes.
fn pieces(text: &str, cuts: impl Fn(char) -> bool) -> Vec<String> {
    let (mut out, mut piece, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if !quoted && cuts(c) => {
                out.push(std::mem::take(&mut piece));
                continue;
            }
            _ => {}
        }
        piece.push(c);
    }
    out.push(piece);
    out
}

/// What stands in double quotes, its escapes read; a text without quotes is itself.
fn unquote(text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('"') else {
        return match text.contains('"') {
            true => Err(format!("`{text}` has a quote in its middle")),
            false => Ok(text.to_owned()),
        };
    };
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.as_str().is_empty() => return Ok(out),
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(c @ ('"' | '\\')) => out.push(c),
                // What is no escape of ours belongs to a regular expression: "\d+".
                Some(c) => out.extend(['\\', c]),
                None => break,
            },
            c => out.push(c),
        }
    }
    Err(format!("the quotes of `{text}` do not close"))
}

/// Conditions that are asked of many alerts: expressions are read once.
#[derive(Clone, Debug)]
pub struct Filter(Vec<(Matcher, Option<Regex>)>);

impl Filter {
    /// Refused when an expression cannot be read: then nobody knows what the silence catches.
    pub fn new(matchers: &[Matcher]) -> Result<Self, String> {
        matchers.iter().map(|m| Ok((m.clone(), m.compiled()?))).collect::<Result<_, String>>().map(Self)
    }

    /// Whether labels fulfil all of them; a missing label counts as empty.
    pub fn catches(&self, labels: &Labels) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|(matcher, regex)| {
                let value = labels.get(&matcher.name);
                let fits = regex.as_ref().map_or_else(|| value == matcher.value, |regex| regex.is_match(value));
                fits == matcher.equal
            })
    }
}

/// What a silence would do to the alerts that are known now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Firing alerts that it would hold.
    pub firing: usize,
    /// How many of them page.
    pub pages: usize,
    /// Alerts that are held already and that it would hold too.
    pub held: usize,
    /// Firing alerts that it would leave alone.
    pub others: usize,
    /// The names of the firing ones it would hold, and how many alerts have each, the most frequent first.
    pub names: Vec<(String, usize)>,
    /// One of the conditions wants a label to be there; else it silences what nobody thought of.
    pub positive: bool,
}

impl Preview {
    /// Of these conditions, on these alerts.
    pub fn of<'a>(matchers: &[Matcher], alerts: impl IntoIterator<Item = &'a Alert>) -> Result<Self, String> {
        let filter = Filter::new(matchers)?;
        let mut out = Self { positive: matchers.iter().any(Matcher::is_positive), ..Self::default() };
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for alert in alerts {
            let firing = alert.state == AlertState::Firing;
            match (filter.catches(&alert.labels), firing) {
                (true, true) => {
                    out.firing += 1;
                    out.pages += usize::from(alert.pages());
                    *names.entry(&alert.name).or_default() += 1;
                }
                (true, false) => out.held += usize::from(alert.state != AlertState::Pending),
                (false, true) => out.others += 1,
                (false, false) => {}
            }
        }
        out.names = names.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        out.names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(out)
    }

    /// Whether it needs more than a `y`: it has no positive condition, or nothing that fires would be left.
    pub fn sweeping(&self) -> bool {
        !self.positive || (self.others == 0 && self.names.len() > 1)
    }

    /// `3 firing alerts (2 page): ApiDown 2, DiskFull; 1 more is held already`.
    pub fn words(&self) -> String {
        let mut out = match self.firing {
            0 => "no alert that fires now".to_owned(),
            1 => "1 firing alert".to_owned(),
            n => format!("{n} firing alerts"),
        };
        if self.pages > 0 {
            out.push_str(&format!(" ({} page)", self.pages));
        }
        let named: Vec<String> = self
            .names
            .iter()
            .take(5)
            .map(|(name, n)| if *n == 1 { name.clone() } else { format!("{name} {n}") })
            .collect();
        if !named.is_empty() {
            out.push_str(&format!(": {}", named.join(", ")));
        }
        if self.names.len() > 5 {
            out.push_str(&format!(" and {} more names", self.names.len() - 5));
        }
        if self.held > 0 {
            out.push_str(&format!("; {} held already", self.held));
        }
        out
    }
}

/// The most values that one condition lists.
const VALUES: usize = 20;

/// Conditions that hold these alerts, one set for each alert name: what they have in common, and for a label in which they
/// differ the list of its values. A single alert is met by all of its labels, and by no other alert.
pub fn cover(alerts: &[&Alert]) -> Vec<Vec<Matcher>> {
    let mut by_name: BTreeMap<&str, Vec<&Labels>> = BTreeMap::new();
    for alert in alerts {
        by_name.entry(&alert.name).or_default().push(&alert.labels);
    }
    by_name.into_values().map(|group| common(&group)).filter(|set| !set.is_empty()).collect()
}

fn common(group: &[&Labels]) -> Vec<Matcher> {
    let Some(first) = group.first() else { return Vec::new() };
    let mut out = Vec::new();
    for (name, value) in &first.0 {
        let mut values: Vec<&str> = group.iter().map(|labels| labels.get(name)).collect();
        values.sort_unstable();
        values.dedup();
        if values.len() == 1 {
            out.push(Matcher::is(name.clone(), value.clone()));
        } else if !values.contains(&"") && values.len() <= VALUES {
            let listed: Vec<String> = values.iter().map(|v| regex::escape(v)).collect();
            out.push(Matcher { name: name.clone(), value: listed.join("|"), regex: true, equal: true });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use proptest::prelude::*;

    fn m(name: &str, value: &str, regex: bool, equal: bool) -> Matcher {
        Matcher { name: name.into(), value: value.into(), regex, equal }
    }

    fn alert(name: &str, labels: &[(&str, &str)], state: AlertState) -> Alert {
        let mut all: BTreeMap<String, String> =
            labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        all.insert("alertname".into(), name.into());
        let labels = Labels(all);
        Alert {
            fingerprint: crate::domain::alert::fingerprint(&labels),
            name: name.into(),
            labels,
            annotations: Labels::default(),
            state,
            started_at: "2026-05-01T03:00:00Z".parse::<Timestamp>().unwrap(),
            source: "main".into(),
            held_by: Vec::new(),
            generator_url: None,
        }
    }

    #[test]
    fn conditions_are_read_as_people_type_them() {
        for (text, want) in [
            ("DiskFull", vec![Matcher::is("alertname", "DiskFull")]),
            ("alertname=DiskFull team=api", vec![Matcher::is("alertname", "DiskFull"), Matcher::is("team", "api")]),
            (
                r#"{alertname="Disk Full", instance=~"db-[0-9]{1,2}"}"#,
                vec![Matcher::is("alertname", "Disk Full"), m("instance", "db-[0-9]{1,2}", true, true)],
            ),
            (
                "instance=~db-[0-9]{1,2} env!=dev",
                vec![m("instance", "db-[0-9]{1,2}", true, true), m("env", "dev", false, false)],
            ),
            (r#"a="x \"y\" \\ z" b!~"\d+""#, vec![m("a", r#"x "y" \ z"#, false, true), m("b", r"\d+", true, false)]),
            ("a=b, c=d", vec![Matcher::is("a", "b"), Matcher::is("c", "d")]),
            ("a=b a=b", vec![Matcher::is("a", "b")]),
            ("env=", vec![Matcher::is("env", "")]),
            (r#""utf 8"=x"#, vec![Matcher::is("utf 8", "x")]),
        ] {
            assert_eq!(Matcher::parse_all(text), Ok(want), "{text}");
        }
        for text in ["", "  ", "{}", "=x", "a!x", "a=~(", r#"a="x"#, r#"a=x"y"#, r#"a="x"y"#] {
            assert!(Matcher::parse_all(text).is_err(), "{text}");
        }
        let many: Vec<String> = (0..=MOST).map(|n| format!("l{n}=x")).collect();
        assert!(Matcher::parse_all(&many.join(" ")).unwrap_err().contains("at most"));
    }

    #[test]
    fn what_a_shell_has_cut_is_taken_as_it_came() {
        let words = |all: &[&str]| conditions_of(&all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            words(&["DiskFull", "team=a b"]),
            Ok(vec![Matcher::is("alertname", "DiskFull"), Matcher::is("team", "a b"),])
        );
        assert_eq!(words(&[r#"{a="b", c="d"}"#]), Ok(vec![Matcher::is("a", "b"), Matcher::is("c", "d")]));
        assert_eq!(words(&[r#"a="b c" d=e"#]), Ok(vec![Matcher::is("a", "b c"), Matcher::is("d", "e")]));
        assert!(words(&["a=~("]).is_err() && words(&[""]).is_err());
    }

    #[test]
    fn only_a_condition_that_wants_a_label_is_positive() {
        for (text, want) in [
            ("a=x", true),
            ("a=~x+", true),
            ("a=~.+", true),
            ("a=", false),
            ("a=~.*", false),
            ("a=~x|", false),
            ("a!=x", false),
            ("a!=\"\"", false),
            ("a!~x", false),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().is_positive(), want, "{text}");
        }
    }

    #[test]
    fn a_preview_counts_what_would_be_held_and_what_would_be_left() {
        use AlertState::{Firing, Silenced};
        let alerts = [
            alert("ApiDown", &[("severity", "page"), ("job", "api")], Firing),
            alert("ApiDown", &[("severity", "page"), ("job", "web")], Firing),
            alert("DiskFull", &[("severity", "ticket"), ("job", "api")], Firing),
            alert("DiskFull", &[("job", "db")], Silenced),
        ];
        let of = |text: &str| Preview::of(&Matcher::parse_all(text).unwrap(), &alerts).unwrap();
        let api = of("job=api");
        assert_eq!((api.firing, api.pages, api.held, api.others), (2, 1, 0, 1));
        assert_eq!(api.words(), "2 firing alerts (1 page): ApiDown, DiskFull");
        assert!(api.positive && !api.sweeping());
        let all = of("job!=nothing");
        assert_eq!((all.firing, all.held, all.others, all.positive), (3, 1, 0, false));
        assert!(all.sweeping());
        assert!(of("alertname=~.+").sweeping(), "positive by its form, and nothing would be left");
        assert!(!of("alertname=~\"ApiDown\"").sweeping());
        assert_eq!(of("job=none").words(), "no alert that fires now");
        assert!(Preview::of(&[m("a", "(", true, true)], &alerts).is_err());
    }

    #[test]
    fn one_alert_is_covered_by_itself_alone_and_several_by_what_they_share() {
        use AlertState::Firing;
        let (a, b) = (
            alert("Down", &[("instance", "db.1"), ("job", "db"), ("x", "1")], Firing),
            alert("Down", &[("instance", "db-2"), ("job", "db")], Firing),
        );
        assert_eq!(
            cover(&[&a]),
            vec![vec![
                Matcher::is("alertname", "Down"),
                Matcher::is("instance", "db.1"),
                Matcher::is("job", "db"),
                Matcher::is("x", "1"),
            ]]
        );
        assert_eq!(
            cover(&[&a, &b]),
            vec![vec![
                Matcher::is("alertname", "Down"),
                m("instance", r"db\-2|db\.1", true, true),
                Matcher::is("job", "db"),
            ]]
        );
        assert_eq!(cover(&[&a, &alert("Slow", &[], Firing)]).len(), 2);
        assert_eq!(cover(&[]), Vec::<Vec<Matcher>>::new());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,60}") {
            drop(Matcher::parse_all(&text));
        }

        #[test]
        fn what_is_shown_is_read_back(name in "[a-z_]{1,8}", value in "[ -~]{0,12}", equal: bool) {
            let matcher = m(&name, &value, false, equal);
            prop_assert_eq!(Matcher::parse_all(&matcher.to_string()), Ok(vec![matcher]));
        }

        #[test]
        fn a_cover_catches_every_alert_it_was_made_of(
            values in prop::collection::vec(("[a-c]", "[ab.*+]{1,3}", "[xy]{0,2}"), 1..8)
        ) {
            let alerts: Vec<Alert> = values
                .iter()
                .map(|(name, a, b)| alert(name, &[("a", a), ("b", b)], AlertState::Firing))
                .collect();
            let sets = cover(&alerts.iter().collect::<Vec<_>>());
            let filters: Vec<Filter> = sets.iter().map(|set| Filter::new(set).unwrap()).collect();
            for alert in &alerts {
                prop_assert!(filters.iter().any(|f| f.catches(&alert.labels)));
            }
            prop_assert!(sets.iter().all(|set| set.iter().any(Matcher::is_positive)));
        }
    }
}
