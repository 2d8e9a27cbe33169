//! PagerDuty: incidents over REST v2 (`incident_backends`), alarms and changes over Events v2 (`event_sinks`).
//!
//! A PagerDuty acknowledgement is not safe to repeat: on a resolved incident it opens it again and pages people. So every
//! write about an incident reads it first, compares, and is told as a conflict where the incident has moved on.

mod client;
mod decode;
mod events;
mod labels;
mod look;
mod read;
mod settings;
mod write;

use crate::config::{Address, OutsideConfig, Section};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::barred::Barred;
use crate::domain::outward::capability::{Capability, Caps, Class, Lack};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Obstacle, Outcome};
use crate::domain::server_note::ServerNote;
use crate::io::http::{Auth, BaseUrl, Endpoint};
use crate::io::integration::Integration;
use crate::io::pagerduty::client::Client;
use crate::io::pagerduty::settings::{OPTIONS, Settings, check};
use crate::io::port::{Outward, Target, Task};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Its row in the registry.
pub const INTEGRATION: Integration = Integration {
    kind: "pagerduty",
    about: "PagerDuty: incidents over REST v2, alarms and changes over Events v2",
    sections: &[Section::IncidentBackends, Section::EventSinks],
    url: Some("https://api.pagerduty.com"),
    secret_url: false,
    options: &OPTIONS,
    check,
    connect,
};

/// Requests that one write may take, its reading first among them; each has the time limit of a request.
const REQUESTS_OF_A_WRITE: u32 = 4;

/// Writes that are compared with what is there.
const COMPARED: [Capability; 10] = [
    Capability::Acknowledge,
    Capability::Unacknowledge,
    Capability::Resolve,
    Capability::Reassign,
    Capability::Escalate,
    Capability::Snooze,
    Capability::Merge,
    Capability::Note,
    Capability::SetPriority,
    Capability::SetTitle,
];
const READS: [Capability; 6] = [
    Capability::ReadIncidents,
    Capability::ReadLog,
    Capability::ReadAlerts,
    Capability::ReadOnCall,
    Capability::ReadPriorities,
    Capability::ReadChanges,
];

fn connect(config: &OutsideConfig, mut endpoint: Endpoint) -> Result<Target, Fault> {
    let settings = settings::read(config);
    if !matches!(config.url, Some(Address::Plain(_))) {
        endpoint.base = host(config.section, settings.europe)?;
    }
    if config.section == Section::EventSinks {
        endpoint.auth = Auth::None;
        return events::target(config, settings, endpoint);
    }
    if let (Auth::Bearer(secret), false) = (&endpoint.auth, settings.oauth) {
        let secret = secret.clone();
        endpoint.auth = Auth::Header { name: "Authorization".into(), prefix: "Token token=".into(), secret };
    }
    let (address, limit) = (endpoint.url().to_owned(), endpoint.timeout * REQUESTS_OF_A_WRITE);
    let every = Duration::from_millis(u64::try_from(config.connection.poll_interval.num_milliseconds()).unwrap_or(0));
    let backend = Arc::new(PagerDuty {
        client: Client::new(endpoint, settings),
        read_only: config.read_only,
        lost: Mutex::default(),
        barred: Mutex::default(),
    });
    let target = Target::new(INTEGRATION.kind, address, limit, backend.clone());
    Ok(target.with_backend(backend).read_every(every))
}

/// Where the product is, by what is asked and in which region.
fn host(section: Section, europe: bool) -> Result<BaseUrl, Fault> {
    let url = match (section, europe) {
        (Section::EventSinks, false) => "https://events.pagerduty.com",
        (Section::EventSinks, true) => "https://events.eu.pagerduty.com",
        (_, false) => "https://api.pagerduty.com",
        (_, true) => "https://api.eu.pagerduty.com",
    };
    BaseUrl::parse(url).map_err(|why| Fault::new(FaultKind::Local, "pagerduty", why))
}

/// An account's incidents.
#[derive(Debug)]
struct PagerDuty {
    client: Client,
    read_only: bool,
    /// What answers taught: the plan lacks it, or the token may not.
    lost: Mutex<Vec<(Capability, Lack, String)>>,
    /// Whose the refusals of questions were.
    barred: Mutex<Barred>,
}

impl PagerDuty {
    fn settings(&self) -> &Settings {
        &self.client.settings
    }

    /// The target said that it cannot do this.
    fn lose(&self, capability: Capability, lack: Lack, words: &str) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.retain(|(known, ..)| *known != capability);
        lost.push((capability, lack, words.to_owned()));
    }

    fn barred(&self) -> MutexGuard<'_, Barred> {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The target may be able to do everything again: a person changed the plan or the token.
    fn forget_losses(&self) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.barred().forget();
    }

    async fn send(&self, op: &Operation) -> Outcome {
        let Intent::Backend(write) = &op.intent else {
            return Outcome::unsupported(format!("PagerDuty incidents cannot {}", op.intent.capability().title()));
        };
        if let Some(why) = self.caps().why_not(write.capability()) {
            let kind = if self.read_only { Obstacle::ReadOnly } else { Obstacle::Unsupported };
            return Outcome::Refused { kind, words: why };
        }
        let outcome = write::send(&self.client, op, write).await;
        if let Outcome::Refused { kind: Obstacle::PlanLacks, words } = &outcome {
            self.lose(write.capability(), Lack::PlanLacks, words);
        }
        outcome
    }

    /// What the account can do. A token that may not ask this loses nothing.
    async fn learn_abilities(&self) -> Result<(), Fault> {
        let Some(abilities) = self.client.abilities().await? else { return Ok(()) };
        self.forget_losses();
        if !abilities.iter().any(|ability| ability == "coordinated_responding") {
            self.lose(Capability::RequestResponders, Lack::PlanLacks, "coordinated_responding");
        }
        Ok(())
    }

    async fn try_out(&self) -> Result<ServerNote, Fault> {
        let who = self.client.who().await.map_err(|failure| failure.fault)?;
        self.learn_abilities().await?;
        let mut warnings = Vec::new();
        if who.token != "user" && self.settings().from_email.is_none() {
            warnings.push("an account token: writes need options.from_email, the address of a user".to_owned());
        } else if who.person.is_none() {
            warnings.push("no user has the address of options.from_email".to_owned());
        }
        let name = who.person.as_ref().map(|person| format!(", as {}", person.name)).unwrap_or_default();
        let version = Some(format!("REST v2 ({} token{name})", who.token));
        Ok(ServerNote { requests: 2, skew: self.client.http.skew(), version, warnings, samples: None })
    }
}

impl Outward for PagerDuty {
    fn caps(&self) -> Caps {
        let mut caps = Caps::none()
            .with(Class::Compare, &COMPARED)
            .with(Class::RepeatWithKey, &[Capability::Declare])
            .with(Class::AskPerson, &[Capability::RequestResponders, Capability::StatusUpdate])
            .with(Class::Repeat, &READS);
        if self.settings().services.is_empty() && self.settings().default_service.is_none() {
            let words = "options.services or options.default_service says where incidents are opened";
            caps = caps.without(Lack::NotConfigured, words, &[Capability::Declare]);
        }
        for (capability, lack, words) in self.lost.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            caps.lose(*capability, *lack, words);
        }
        if self.read_only { caps.read_only() } else { caps }
    }

    fn forget(&self) {
        self.forget_losses();
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(self.send(op))
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        Box::pin(look::look(&self.client, op))
    }

    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(self.try_out())
    }
}
