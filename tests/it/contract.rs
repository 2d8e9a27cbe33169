//! What every target of writes must do, run alike on every adapter and on the fake. An adapter adds a rig in
//! `contract/NAME.rs` and a line in [`rigs`]; what is special to it is tested beside its rig.

pub mod alertmanager;
mod backend;
mod fake;
mod github;
pub mod goalert;
mod grafana;
pub mod grafana_oncall;
pub mod incident_io;
mod jira;
pub mod jsm;
mod matrix;
mod mattermost;
mod outward;
pub mod pagerduty;
mod slack;
mod statuspage;
mod teams;
mod webhook;

use crate::stateful_server::{Answer, Trouble as Net};
pub use fake::any_intent;
pub use github::GitHubRig;
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::io::port::Target;
pub use statuspage::StatuspageRig;
use std::time::Duration;
pub use webhook::connect;

/// What goes wrong on the way of the next write, as far as a rig can bring it about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429 that names seconds, in the form of this product.
    RateLimited(u32),
    /// 429 without a word.
    RateLimitedBare,
    /// 414.
    TooLong,
    /// 401.
    Auth,
    /// A login page with status 200.
    LoginPage,
    /// Carried out; no answer.
    LostReply,
    /// Not carried out; no answer.
    LostRequest,
    /// Carried out; the answer takes longer than the time limit.
    Slow,
    /// Carried out twice.
    Duplicate,
}

/// One target with the server behind it.
pub trait Rig {
    /// For messages.
    fn name(&self) -> String;

    /// The target, connected to the server with a time limit of at most two seconds.
    fn target(&self) -> Target;

    /// The same, configured `read_only`.
    fn read_only(&self) -> Target;

    /// An intent of this capability about something that exists on the server, or `None` when the rig has none (then the
    /// target must say that it cannot).
    fn intent(&self, capability: Capability) -> Option<Intent>;

    /// How often the server carried something out for this operation: counted on the server, by what it keeps (a key, a
    /// marker, the changed state), never by what the adapter says.
    fn effects(&self, op: &Operation) -> usize;

    /// The next write meets this. `false`: this rig cannot bring it about, and the case is left out.
    fn trouble(&self, trouble: Trouble) -> bool;

    /// Every request of an incident backend is answered with this from now on. `false`: the rig has no server.
    fn always(&self, answer: Answer) -> bool {
        let _ = answer;
        false
    }

    /// Changes what the operation is about behind its back, so that [`Operation::expected`] no longer holds or the write
    /// would undo somebody's work. `false`: nothing of that kind exists for this operation.
    fn disturb(&self, op: &Operation) -> bool {
        let _ = op;
        false
    }
}

/// A fresh rig of every adapter.
pub fn rigs() -> Vec<Box<dyn Rig>> {
    vec![
        Box::new(fake::FakeRig::new()),
        Box::new(alertmanager::SilenceRig::old()),
        Box::new(alertmanager::SilenceRig::new()),
        Box::new(GitHubRig::new()),
        Box::new(goalert::GoAlertRig::new()),
        Box::new(goalert::IncomingRig::new()),
        Box::new(grafana::GrafanaRig::new()),
        Box::new(grafana_oncall::OnCallRig::new()),
        Box::new(incident_io::IncidentIoRig::new()),
        Box::new(incident_io::AlertEventsRig::new()),
        Box::new(jira::JiraRig::cloud()),
        Box::new(jira::JiraRig::data_center()),
        Box::new(jsm::JsmRig::new()),
        Box::new(matrix::MatrixRig::new()),
        Box::new(mattermost::MattermostRig::new()),
        Box::new(slack::SlackRig::new()),
        Box::new(StatuspageRig::new()),
        Box::new(teams::TeamsRig::new()),
        Box::new(webhook::WebhookRig::events()),
        Box::new(webhook::WebhookRig::chat()),
        Box::new(webhook::WebhookRig::idempotent()),
        Box::new(pagerduty::PagerDutyRig::user()),
        Box::new(pagerduty::PagerDutyRig::account()),
        Box::new(pagerduty::EventsRig::new()),
    ]
}

/// A trouble as the network of a fake server makes it; `limit` is the header in which the product names seconds.
pub fn net(trouble: Trouble, limit: &str) -> Net {
    match trouble {
        Trouble::RateLimited(seconds) => Net::RateLimited(Some((limit.into(), seconds.to_string()))),
        Trouble::RateLimitedBare => Net::RateLimited(None),
        Trouble::TooLong => Net::Status(414, String::new()),
        Trouble::Auth => Net::Status(401, String::new()),
        Trouble::LoginPage => Net::LoginPage,
        Trouble::LostReply => Net::LostReply,
        Trouble::LostRequest => Net::LostRequest,
        Trouble::Slow => Net::SlowBody(Duration::from_millis(100)),
        Trouble::Duplicate => Net::Duplicate,
    }
}

/// The same for a product that tells an instant in place of seconds, as RFC 1123 writes it.
pub fn net_dated(trouble: Trouble) -> Net {
    match trouble {
        Trouble::RateLimited(seconds) => {
            let until = midwatch::io::clock::now() + midwatch::domain::time::secs(i64::from(seconds));
            let until = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            Net::RateLimited(Some(("Retry-After".into(), until)))
        }
        other => net(other, "Retry-After"),
    }
}

/// Everything wrong with a configuration, its targets' own options among it.
pub fn findings(text: &str) -> Vec<midwatch::domain::document::Finding> {
    let (environment, flags) = (Default::default(), Default::default());
    let mut loaded = midwatch::config::read(&midwatch::config::Inputs {
        file: Some(("config.yaml", text)),
        folder: std::path::Path::new("/nowhere"),
        environment: &environment,
        flags: &flags,
        machine_zone: None,
    });
    midwatch::run::integrations::check(&mut loaded);
    loaded.findings
}

/// A file that holds a token as it must be: readable by its owner alone.
pub fn token(folder: &std::path::Path, text: &str) -> std::path::PathBuf {
    let file = folder.join("token");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    file
}

/// Runs a future to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
