//! The alerts of the simulated production at an instant: two rules page, one opens a ticket, and two calm ones are always
//! there. Evaluated second by second like a rule file; keeps nothing between two questions.

use crate::domain::alert::Alert;
use crate::domain::alert::AlertState;
use crate::domain::alert::fingerprint;
use crate::domain::alert::rule::AlertRule;
use crate::domain::drill::course::ONSET;
use crate::domain::drill::production::Production;
use crate::domain::drill::service::Service;
use crate::domain::labels::Labels;
use crate::domain::slo::reading::Window;
use crate::domain::time::Span;
use crate::domain::time::Timestamp;
use crate::domain::time::mins;
use crate::domain::time::secs;

/// The name of the one source all of them come from.
pub const SOURCE: &str = "demo";
/// The revision that breaks checkout.
pub const BAD_DEPLOY: &str = "4f2a91";
/// The revision before it.
pub const GOOD_DEPLOY: &str = "4f2a90";

struct Rule {
    name: &'static str,
    severity: &'static str,
    service: Service,
    slo: &'static str,
    /// Burn rate over one minute that is too much.
    over: f64,
    /// Seconds it must hold.
    hold: i64,
    summary: &'static str,
    description: &'static str,
    runbook: &'static str,
}

const RULES: [Rule; 3] = [
    Rule {
        name: "CheckoutErrorBudgetBurn",
        severity: "page",
        service: Service::Checkout,
        slo: "checkout_success",
        over: 14.4,
        hold: 6,
        summary: "Checkout answers 5xx: the thirty-day budget burns over 14x too fast",
        description: "Customers cannot pay. It began within seconds.",
        runbook: "checkout-bad-deploy",
    },
    Rule {
        name: "CheckoutLatencyHigh",
        severity: "page",
        service: Service::Checkout,
        slo: "checkout_latency",
        over: 14.4,
        hold: 12,
        summary: "Checkout is slow: more than one answer in seven takes over 800 ms",
        description: "Clients time out and retry, which multiplies the traffic.",
        runbook: "checkout-bad-deploy",
    },
    Rule {
        name: "PaymentsErrorBudgetBurn",
        severity: "ticket",
        service: Service::Payments,
        slo: "payments_success",
        over: 6.0,
        hold: 30,
        summary: "Payments answers 5xx more often than its budget allows",
        description: "Its only unusual caller is checkout, which sends every charge several times.",
        runbook: "payments-dependency",
    },
];

/// Seconds after a bend of the course in which a one-minute window still changes.
const SETTLES: i64 = 62;

/// All alerts at an instant: first those of the incident, then the calm ones.
pub fn alerts(production: &Production, now: Timestamp) -> Vec<Alert> {
    let instants = instants(production, now);
    let mut all: Vec<Alert> = RULES.iter().filter_map(|rule| evaluate(rule, production, &instants, now)).collect();
    all.push(slow_gateway(production.start()));
    all.push(full_disk(production.start()));
    all
}

/// The rules behind the alerts, as a server reports them.
pub fn rules() -> Vec<AlertRule> {
    let always = [slow_gateway(Timestamp::UNIX_EPOCH), full_disk(Timestamp::UNIX_EPOCH)].map(|alert| AlertRule {
        name: alert.name,
        labels: Labels(alert.labels.0.into_iter().filter(|(name, _)| name != "alertname").collect()),
        annotations: alert.annotations,
        group: "calm".to_owned(),
    });
    let named = RULES.iter().map(|rule| AlertRule {
        name: rule.name.to_owned(),
        labels: labels(&[("severity", rule.severity), ("service", rule.service.name()), ("slo", rule.slo)]),
        annotations: annotations(rule.summary, rule.description, rule.runbook),
        group: "slo".to_owned(),
    });
    named.chain(always).collect()
}

/// The instants at which a rule may change its mind, in order: the seconds after each bend, and now.
fn instants(production: &Production, now: Timestamp) -> Vec<i64> {
    let last = production.elapsed(now).floor() as i64;
    let mut all: Vec<i64> = production
        .course()
        .bends()
        .map(|bend| bend.floor() as i64)
        .flat_map(|bend| bend..=bend.saturating_add(SETTLES))
        .filter(|s| *s <= last && *s as f64 >= ONSET)
        .collect();
    if last as f64 >= ONSET {
        all.push(last);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn evaluate(rule: &Rule, production: &Production, instants: &[i64], now: Timestamp) -> Option<Alert> {
    let mut since: Option<i64> = None;
    for second in instants {
        let burn = production.burn(rule.slo, Window(60), production.start() + secs(*second));
        since = if burn.is_some_and(|b| b > rule.over) { since.or(Some(*second)) } else { None };
    }
    let started_at = production.start() + secs(since?);
    let state = if now - started_at >= secs(rule.hold) { AlertState::Firing } else { AlertState::Pending };
    let service = rule.service.name();
    let deploy = if rule.service == Service::Checkout { BAD_DEPLOY } else { "" };
    let labels = labels(&[
        ("alertname", rule.name),
        ("severity", rule.severity),
        ("service", service),
        ("job", service),
        ("slo", rule.slo),
        ("deploy", deploy),
    ]);
    let annotations = annotations(rule.summary, rule.description, rule.runbook);
    Some(alert(labels, annotations, state, started_at))
}

fn slow_gateway(start: Timestamp) -> Alert {
    let labels = labels(&[
        ("alertname", "ApiLatencyHigh"),
        ("severity", "ticket"),
        ("service", "api"),
        ("job", "api"),
        ("slo", "api_latency"),
    ]);
    let annotations = annotations(
        "The gateway's p99 is over 500 ms in too many five-minute slices",
        "About once in five hours since the catalog migration. Nobody waits long; the budget shrinks.",
        "api-latency",
    );
    alert(labels, annotations, AlertState::Firing, start - ago(2, 4, 11))
}

fn full_disk(start: Timestamp) -> Alert {
    let labels = labels(&[
        ("alertname", "NodeDiskFull"),
        ("severity", "page"),
        ("service", "node"),
        ("job", "node"),
        ("instance", "batch-3:9100"),
        ("mountpoint", "/var/lib/reports"),
    ]);
    let annotations = annotations("batch-3 has less than 5 % of its disk left", "Reports are moved tonight.", "");
    let mut alert = alert(labels, annotations, AlertState::Silenced, start - ago(0, 9, 40));
    alert.held_by.push("silence 5d1f0c by dana: reports are moved tonight".to_owned());
    alert
}

fn ago(days: i64, hours: i64, minutes: i64) -> Span {
    mins((days * 24 + hours) * 60 + minutes)
}

/// The given labels and the two that all of them share; empty values are no labels.
fn labels(pairs: &[(&str, &str)]) -> Labels {
    let shared = [("env", "production"), ("namespace", "production")];
    Labels(
        pairs
            .iter()
            .chain(&shared)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn annotations(summary: &str, description: &str, runbook: &str) -> Labels {
    let mut all = Labels::from([("summary", summary), ("description", description)]);
    if !runbook.is_empty() {
        all.0.insert("runbook_url".to_owned(), format!("https://runbooks.example.com/{runbook}"));
    }
    all
}

fn alert(labels: Labels, annotations: Labels, state: AlertState, started_at: Timestamp) -> Alert {
    Alert {
        fingerprint: fingerprint(&labels),
        name: labels.get("alertname").to_owned(),
        generator_url: Some(format!("https://prometheus.example.com/alerts?search={}", labels.get("alertname"))),
        labels,
        annotations,
        state,
        started_at,
        source: SOURCE.into(),
        held_by: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::course::Act;

    fn production() -> Production {
        Production::new("2026-05-01T03:12:04.250Z".parse().unwrap(), 42)
    }

    fn told(production: &Production, second: i64) -> Vec<String> {
        alerts(production, production.start() + secs(second))
            .iter()
            .map(|a| format!("{} {} {}", a.name, a.severity(), a.state.word()))
            .collect()
    }

    fn first(production: &Production, line: &str) -> Option<i64> {
        (0..900).find(|s| told(production, *s).iter().any(|l| l == line))
    }

    #[test]
    fn calm_at_first_then_pages_then_a_ticket() {
        let production = production();
        let calm = ["ApiLatencyHigh ticket firing", "NodeDiskFull page silenced"];
        assert_eq!(told(&production, 0), calm);
        assert_eq!(told(&production, -9_999), calm);
        let pending = first(&production, "CheckoutErrorBudgetBurn page pending").unwrap();
        let fires = first(&production, "CheckoutErrorBudgetBurn page firing").unwrap();
        assert_eq!(fires - pending, 6);
        assert!((20..=30).contains(&fires), "{fires}");
        let slow = first(&production, "CheckoutLatencyHigh page firing").unwrap();
        assert!((fires..60).contains(&slow), "{slow}");
        let ticket = first(&production, "PaymentsErrorBudgetBurn ticket firing").unwrap();
        assert!((slow..120).contains(&ticket), "{ticket}");
    }

    #[test]
    fn they_stay_until_it_is_over_and_then_go() {
        let mut production = production();
        assert_eq!(told(&production, 7_200).len(), 5, "nobody acts");
        production.act(production.start() + secs(120), Act::RollBack);
        assert_eq!(told(&production, 125).len(), 5);
        let over = (120..600).find(|s| told(&production, *s).len() == 2).unwrap();
        assert!((160..=240).contains(&over), "{over}");
        assert_eq!(told(&production, 7_200).len(), 2);
    }

    #[test]
    fn one_alert_keeps_its_name_and_beginning() {
        let production = production();
        let at = |s| alerts(&production, production.start() + secs(s)).swap_remove(0);
        let (early, late) = (at(40), at(4_000));
        assert_eq!((&early.fingerprint, early.started_at), (&late.fingerprint, late.started_at));
        assert_eq!((late.service(), late.labels.get("deploy")), ("checkout", BAD_DEPLOY));
    }
}
