//! What the simulated production says to a command, and what the command changes in it. Text in, text out: a command is
//! read, never run. What it does not know does nothing and says so.

use crate::domain::drill::alarm::BAD_DEPLOY;
use crate::domain::drill::alarm::GOOD_DEPLOY;
use crate::domain::drill::chance;
use crate::domain::drill::course::Act;
use crate::domain::drill::course::ONSET;
use crate::domain::drill::production::Production;
use crate::domain::drill::service::Service;
use crate::domain::text::truncate;
use crate::domain::time::Timestamp;
use crate::domain::time::compact;
use crate::domain::time::rfc3339;
use crate::domain::time::secs;

/// Replicas of a deployment that nobody scaled.
const USUAL: i64 = 6;

/// What a command says and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its output, line by line, without line ends.
    pub lines: Vec<String>,
    /// Its exit code.
    pub exit: i32,
    /// What it changes when its first line is out.
    pub act: Option<Act>,
}

impl Answer {
    fn says(lines: Vec<String>) -> Self {
        Self { lines, exit: 0, act: None }
    }

    fn does(act: Act, line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], exit: 0, act: Some(act) }
    }
}

/// Reads a command (arguments, and the variables it would see) and answers as of `now`.
pub fn answer(production: &Production, argv: &[String], env: &[(String, String)], now: Timestamp) -> Answer {
    let text = spoken(argv, env);
    let lower = text.to_lowercase();
    let has = |word: &str| lower.contains(word);
    let service = Service::ALL.into_iter().find(|s| has(s.name()));
    let scene = Scene { production, now, service };
    if has("rollout history") {
        return Answer::says(scene.revisions());
    }
    if has("current-context") {
        return Answer::says(vec!["production".to_owned()]);
    }
    if has("jsonpath") {
        return Answer::says(scene.field(&lower));
    }
    if has("set env") && has("--list") {
        return Answer::says(scene.variables());
    }
    if has("--dry-run") {
        return Answer::says(vec![format!("deployment.apps/{} unchanged (server dry run)", scene.name())]);
    }
    if has("--to-revision") {
        return nothing(&text);
    }
    if has("rollout status") {
        return Answer::says(vec![format!("deployment \"{}\" successfully rolled out", scene.name())]);
    }
    let act = if has("rollout undo") || has("rollback") || (has("set image") && has(GOOD_DEPLOY)) {
        Some(Act::RollBack)
    } else if ["shed", "rate limit", "rate-limit", "rate_limit", "ratelimit"].iter().any(|w| has(w)) {
        let lifts = ["=0", "=off", "=false", " off", "disable"].iter().any(|w| has(w));
        Some(if lifts { Act::Admit } else { Act::Shed })
    } else if has("scale") {
        let few = replicas(&lower).is_some_and(|n| n <= USUAL);
        Some(if few { Act::ScaleIn } else { Act::ScaleOut })
    } else {
        None
    };
    match act {
        Some(act) if service == Some(Service::Checkout) => scene.changed(act),
        Some(_) => nothing(&text),
        None if has("logs") => Answer::says(scene.logs()),
        None if has("top ") => Answer::says(scene.top()),
        None if has("get ") && has("pod") => Answer::says(scene.pods()),
        None if has("get ") && has("deploy") => Answer::says(scene.deployments()),
        None if has("describe") => Answer::says(scene.description()),
        None if has("get ") && has("event") => Answer::says(scene.events()),
        None => nothing(&text),
    }
}

/// How many replicas a command asks for.
fn replicas(text: &str) -> Option<i64> {
    let (_, after) = text.split_once("--replicas")?;
    let number: String = after.chars().skip(1).take_while(char::is_ascii_digit).collect();
    number.parse().ok()
}

fn nothing(text: &str) -> Answer {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Answer::says(vec![format!("simulated: nothing happens to `{}`", truncate(&one_line, 60))])
}

/// The command as a person would say it: of shell text only the text, with the given variables filled in.
fn spoken(argv: &[String], env: &[(String, String)]) -> String {
    let mut text = match argv {
        [shell, flag, text, ..] if shell.ends_with("sh") && flag.ends_with('c') => text.clone(),
        other => other.join(" "),
    };
    for (name, value) in env {
        for form in [format!("\"${{{name}}}\""), format!("\"${name}\""), format!("${{{name}}}"), format!("${name}")] {
            text = text.replace(&form, value);
        }
    }
    text
}

struct Scene<'a> {
    production: &'a Production,
    now: Timestamp,
    service: Option<Service>,
}

impl Scene<'_> {
    fn name(&self) -> &'static str {
        self.service.map_or("api", Service::name)
    }

    fn ill(&self) -> bool {
        self.service == Some(Service::Checkout) && self.severity() > 0.05
    }

    fn severity(&self) -> f64 {
        self.production.level(self.now).severity
    }

    fn elapsed(&self) -> i64 {
        self.production.elapsed(self.now) as i64
    }

    /// When something was done, if it was by now.
    fn done(&self, act: Act) -> Option<i64> {
        self.production.course().done(act).map(|at| at as i64).filter(|at| *at <= self.elapsed())
    }

    /// Since when the revision that runs runs, in seconds, and which one it is.
    fn revision(&self) -> (i64, &'static str) {
        let rollout = ONSET as i64;
        match (self.service, self.done(Act::RollBack)) {
            (Some(Service::Checkout), Some(at)) => (self.elapsed() - at, GOOD_DEPLOY),
            (Some(Service::Checkout), None) if self.elapsed() >= rollout => (self.elapsed() - rollout, BAD_DEPLOY),
            (Some(Service::Checkout), None) => (self.elapsed() + 2 * 86_400 + 3_300, GOOD_DEPLOY),
            _ => (self.elapsed() + 6 * 86_400 + 7_260, "c81e07"),
        }
    }

    fn changed(&self, act: Act) -> Answer {
        let course = self.production.course();
        match act {
            Act::RollBack if course.done(act).is_some() => Answer::says(vec![format!(
                "deployment.apps/checkout skipped rollback (current template already matches image {GOOD_DEPLOY})"
            )]),
            Act::RollBack => {
                let mut answer = Answer::does(act, "deployment.apps/checkout rolled back");
                answer.lines.extend(
                    ["2 out of 6 new replicas have been updated...", "5 out of 6 new replicas have been updated..."]
                        .map(|progress| format!("Waiting for deployment \"checkout\" rollout to finish: {progress}")),
                );
                answer.lines.push(format!("deployment \"checkout\" successfully rolled out (image {GOOD_DEPLOY})"));
                answer
            }
            Act::ScaleOut | Act::ScaleIn => Answer::does(act, "deployment.apps/checkout scaled"),
            Act::Shed => {
                let mut answer = Answer::does(act, "deployment.apps/checkout env updated");
                answer.lines.push("simulated: one customer in two is now turned away with 429".to_owned());
                answer
            }
            Act::Admit => Answer::does(act, "deployment.apps/checkout env updated"),
        }
    }

    fn revisions(&self) -> Vec<String> {
        let ago = |seconds: i64| compact(secs(seconds.max(0)));
        let mut lines = vec![
            format!("deployment.apps/{}", self.name()),
            "REVISION  IMAGE   ROLLED OUT              AGE".to_owned(),
        ];
        let start = self.production.start();
        let row = |revision: u32, image: &str, at: Timestamp| {
            format!(
                "{revision:<9} {image:<7} {:<23} {} ago",
                at.format("%Y-%m-%d %H:%M:%SZ"),
                ago((self.now - at).num_seconds())
            )
        };
        if self.service != Some(Service::Checkout) {
            lines.push(row(17, "b7704d", start - secs(20 * 86_400 + 400)));
            lines.push(row(18, "c81e07", start - secs(6 * 86_400 + 7_260)));
            return lines;
        }
        lines.push(row(41, GOOD_DEPLOY, start - secs(2 * 86_400 + 3_300)));
        let rollout = start + secs(ONSET as i64);
        if self.now < rollout {
            lines.push(format!("{}  (canary, 1 of 6 replicas)", row(42, BAD_DEPLOY, start - secs(2_400))));
        } else {
            lines.push(format!("{}  (canary 40m before)", row(42, BAD_DEPLOY, rollout)));
        }
        if let Some(at) = self.done(Act::RollBack) {
            lines.push(format!("{}  (rollback)", row(43, GOOD_DEPLOY, start + secs(at))));
        }
        lines
    }

    fn replicas(&self) -> i64 {
        let scaled = self.production.course().scaled(self.production.elapsed(self.now));
        if self.service == Some(Service::Checkout) && scaled { 12 } else { USUAL }
    }

    /// One value of a deployment: how many replicas, or which revision.
    fn field(&self, path: &str) -> Vec<String> {
        if path.contains("replicas") {
            return vec![self.replicas().to_string()];
        }
        if path.contains("revision") {
            // The rows of the history, newest last, without its heads.
            let row = self.revisions().pop().unwrap_or_default();
            return vec![row.split_whitespace().next().unwrap_or_default().to_owned()];
        }
        vec![String::new()]
    }

    /// What the containers get by name.
    fn variables(&self) -> Vec<String> {
        let shed = self.service == Some(Service::Checkout) && self.production.course().shedding();
        vec![
            format!("# Deployment {}, container app", self.name()),
            format!("LOAD_SHED={}", if shed { "50" } else { "off" }),
        ]
    }

    fn pod(&self, i: i64) -> String {
        let (_, image) = self.revision();
        format!("{}-{image}-{}", self.name(), chance::tag(self.production.seed(), 900, i))
    }

    fn pods(&self) -> Vec<String> {
        let mut lines = vec![format!("{:<22} {:<6} {:<8} {:<9} AGE", "NAME", "READY", "STATUS", "RESTARTS")];
        let (age, _) = self.revision();
        for i in 0..self.replicas() {
            let restarts = if self.ill() && i % 3 == 1 { 1 + age / 70 } else { 0 };
            let ready = if restarts > 1 { "0/1" } else { "1/1" };
            let age = compact(secs((age - i * 3).max(0)));
            lines.push(format!("{:<22} {ready:<6} {:<8} {restarts:<9} {age}", self.pod(i), "Running"));
        }
        lines
    }

    fn deployments(&self) -> Vec<String> {
        let (age, image) = self.revision();
        let all = self.replicas();
        let ready = if self.ill() { all - all / 3 } else { all };
        vec![
            format!("{:<10} {:<6} {:<11} {:<8} SINCE", "NAME", "READY", "UP-TO-DATE", "IMAGE"),
            format!("{:<10} {:<6} {all:<11} {image:<8} {}", self.name(), format!("{ready}/{all}"), compact(secs(age))),
        ]
    }

    fn top(&self) -> Vec<String> {
        let mut lines = vec![format!("{:<22} {:<11} MEMORY(bytes)", "NAME", "CPU(cores)")];
        let load = if self.ill() { 1.0 + 2.4 * self.severity() } else { 1.0 };
        for i in 0..self.replicas() {
            let wobble = chance::around_one(0.12, self.production.seed(), 901, i + self.elapsed() / 15);
            lines.push(format!(
                "{:<22} {:<11} {}Mi",
                self.pod(i),
                format!("{}m", (240.0 * load * wobble) as i64),
                (310.0 * wobble * (1.0 + 0.2 * (load - 1.0))) as i64
            ));
        }
        lines
    }

    fn logs(&self) -> Vec<String> {
        let (_, image) = self.revision();
        let errors = [
            "ERROR charge refused by payments: 422 unknown field `currency_v2`",
            "WARN  retrying charge, attempt 3 of 3",
            "ERROR POST /checkout 502 in 1.84s: charge failed after 3 attempts",
            "WARN  connection pool to payments: 64 of 64 in use, 19 waiting",
        ];
        let calm =
            ["INFO  POST /checkout 201 in 0.21s", "INFO  POST /checkout 201 in 0.18s", "INFO  cart priced in 0.04s"];
        let bad_of_ten = if self.ill() { (2.0 + 4.0 * self.severity()) as i64 } else { 0 };
        (0..10)
            .map(|i| {
                let pick = if i * 7 % 10 < bad_of_ten { errors.get(i as usize % 4) } else { calm.get(i as usize % 3) };
                let line = match (self.service, pick) {
                    (Some(Service::Checkout), Some(line)) => (*line).to_owned(),
                    (Some(Service::Payments), _) if self.severity() > 0.05 && i % 4 == 1 => {
                        "WARN  POST /charge 422 from checkout: unknown field `currency_v2`".to_owned()
                    }
                    _ => format!("INFO  request served in 0.{:02}s", 4 + i),
                };
                format!("{} build={image} {line}", rfc3339(self.now - secs(10 - i)))
            })
            .collect()
    }

    fn description(&self) -> Vec<String> {
        let (age, image) = self.revision();
        let mut lines = vec![
            format!("Name:       {}", self.name()),
            "Namespace:  production".to_owned(),
            format!("Image:      registry.example.com/{}:{image}", self.name()),
            format!("Replicas:   {} desired", self.replicas()),
            "Events:".to_owned(),
        ];
        lines.push(format!(
            "  {} ago  ScalingReplicaSet  {}-{image} to {}",
            compact(secs(age)),
            self.name(),
            self.replicas()
        ));
        lines
    }

    fn events(&self) -> Vec<String> {
        let (age, image) = self.revision();
        let mut lines = vec!["LAST SEEN  REASON             OBJECT".to_owned()];
        lines.push(format!("{:<10} ScalingReplicaSet  deployment/{} image {image}", compact(secs(age)), self.name()));
        if self.ill() {
            lines.push(format!("{:<10} Unhealthy          pod/{} readiness: 502", "3s", self.pod(1)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production() -> Production {
        Production::new("2026-05-01T03:12:04Z".parse().unwrap(), 42)
    }

    fn ask(production: &Production, second: i64, text: &str) -> Answer {
        let argv = ["/bin/sh", "-c", text].map(str::to_owned);
        let env = [("MW_LABEL_NAMESPACE", "production"), ("MW_LABEL_SERVICE", "checkout")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        answer(production, &argv, &env, production.start() + secs(second))
    }

    #[test]
    fn commands_are_read_by_what_they_would_do() {
        let production = production();
        for (text, act) in [
            ("kubectl rollout undo deployment/checkout -n \"$MW_LABEL_NAMESPACE\"", Some(Act::RollBack)),
            ("kubectl rollout undo \"deployment/$MW_LABEL_SERVICE\"", Some(Act::RollBack)),
            ("helm rollback checkout 41", Some(Act::RollBack)),
            ("kubectl set image deploy/checkout app=checkout:4f2a90", Some(Act::RollBack)),
            ("kubectl scale deployment checkout --replicas=12", Some(Act::ScaleOut)),
            ("kubectl scale deployment checkout --replicas=6", Some(Act::ScaleIn)),
            ("kubectl scale deployment/checkout --replicas=12 --dry-run=server", None),
            ("kubectl rollout undo deployment/checkout --dry-run=server", None),
            ("kubectl rollout undo deployment/checkout --to-revision=42", None),
            ("kubectl set env deployment/checkout --list", None),
            ("kubectl get deployment/checkout -o jsonpath={.spec.replicas}", None),
            ("kubectl set env deployment/checkout RATE_LIMIT=50", Some(Act::Shed)),
            ("kubectl set env deployment/checkout LOAD_SHED=50", Some(Act::Shed)),
            ("kubectl set env deployment/checkout LOAD_SHED=off", Some(Act::Admit)),
            ("kubectl rollout undo deployment/payments", None),
            ("kubectl scale deployment search --replicas=9", None),
            ("kubectl rollout history deployment/checkout", None),
            ("kubectl get pods -l app=checkout", None),
            ("rm -rf /", None),
        ] {
            let told = ask(&production, 60, text);
            assert_eq!((told.act, told.exit), (act, 0), "{text}");
            assert!(!told.lines.is_empty(), "{text}");
        }
        assert_eq!(ask(&production, 60, "rm -rf /").lines, ["simulated: nothing happens to `rm -rf /`"]);
    }

    #[test]
    fn the_history_holds_the_clue() {
        let production = production();
        assert_eq!(
            ask(&production, 95, "kubectl rollout history deploy/checkout").lines,
            [
                "deployment.apps/checkout",
                "REVISION  IMAGE   ROLLED OUT              AGE",
                "41        4f2a90  2026-04-29 02:17:04Z    2d ago",
                "42        4f2a91  2026-05-01 03:12:12Z    1m27s ago  (canary 40m before)",
            ]
        );
    }

    #[test]
    fn what_was_there_before_is_told_and_can_be_put_back() {
        let mut production = production();
        let read = |p: &Production, second: i64, text: &str| ask(p, second, text).lines.join(" ");
        let revision =
            r"kubectl get deployment/checkout -o jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}";
        let count = "kubectl get deployment/checkout -o jsonpath={.spec.replicas}";
        assert_eq!(read(&production, 60, "kubectl config current-context"), "production");
        assert_eq!((read(&production, 60, revision), read(&production, 60, count)), ("42".into(), "6".into()));
        let at = |second: i64| production.start() + secs(second);
        let (out, back, undo) = (at(70), at(80), at(90));
        production.act(out, Act::ScaleOut);
        assert_eq!((read(&production, 69, count), read(&production, 75, count)), ("6".into(), "12".into()));
        production.act(back, Act::ScaleIn);
        assert_eq!(read(&production, 85, count), "6");
        production.act(undo, Act::RollBack);
        assert_eq!(read(&production, 95, revision), "43");
        assert!(read(&production, 60, "kubectl set env deployment/checkout --list").ends_with("LOAD_SHED=off"));
    }

    #[test]
    fn logs_blame_the_deploy_while_it_lasts() {
        let mut production = production();
        let blames = |p: &Production, s| {
            ask(p, s, "kubectl logs -l app=checkout")
                .lines
                .iter()
                .any(|l| l.contains("ERROR") && l.contains(BAD_DEPLOY))
        };
        assert!(!blames(&production, 0));
        assert!(blames(&production, 60));
        production.act(production.start() + secs(70), Act::RollBack);
        assert!(!blames(&production, 130));
        assert_eq!(ask(&production, 130, "kubectl rollout undo deploy/checkout").act, None, "once is enough");
    }

    #[test]
    fn every_answer_is_readable_at_any_time() {
        let mut production = production();
        for second in [-400_000, -1, 0, 5, 9, 30, 90, 400_000_000] {
            for text in
                ["get pods", "top pods", "logs", "get deploy", "describe deploy", "get events", "rollout history"]
            {
                for service in ["checkout", "payments", "nothing"] {
                    let told = ask(&production, second, &format!("kubectl {text} {service}"));
                    assert!(told.lines.iter().all(|l| !l.contains('\n') && l.len() < 130), "{told:?}");
                    assert!(!told.lines.is_empty());
                }
            }
            if second == 30 {
                production.act(production.start() + secs(40), Act::ScaleOut);
                production.act(production.start() + secs(60), Act::RollBack);
            }
        }
    }
}
