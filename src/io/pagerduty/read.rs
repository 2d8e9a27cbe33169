//! The questions of the cockpit: open incidents, one of them, its log and alerts, who is on call, priorities, changes.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendAlert, BackendIncident, Change, LogEntry, Me, OnCall, Priority};
use crate::domain::outward::capability::{Capability, Lack};
use crate::domain::outward::outcome::Obstacle;
use crate::domain::time::{Timestamp, mins, rfc3339};
use crate::io::clock;
use crate::io::http::{Failure, Request};
use crate::io::pagerduty::PagerDuty;
use crate::io::pagerduty::client::{Client, with_includes};
use crate::io::pagerduty::decode;
use crate::io::pagerduty::settings::is_id;
use crate::io::port::{IncidentBackend, Task};
use serde_json::Value;

/// The most lines of a log that are read in one go; the rest comes with the next question.
const MOST_LOG: usize = 1_000;
/// The most alerts of one incident.
const MOST_ALERTS: usize = 1_000;
/// The most people on call where no policy narrows it.
const MOST_ON_CALL: usize = 300;
/// The most changes.
const MOST_CHANGES: usize = 300;
/// The most incidents: as many as the API gives.
const MOST_INCIDENTS: usize = 10_000;

impl PagerDuty {
    /// Questions that a plan or a token lacks are missing from then on; another team's incident takes nothing from ours.
    fn fault(&self, capability: Capability, thing: Option<&str>, failure: Failure) -> Fault {
        match failure.status {
            Some(402) => self.lose(capability, Lack::PlanLacks, &failure.fault.detail),
            Some(403) if failure.fault.kind == FaultKind::Permission && capability != Capability::ReadIncidents => {
                let kind = failure.bar.unwrap_or(Obstacle::Permission);
                let taken = self.barred().takes_away(capability, kind, thing);
                if taken.is_some() {
                    self.lose(capability, Lack::NoPermission, &failure.fault.detail);
                }
            }
            _ => {}
        }
        failure.fault
    }

    /// What was answered to a question about one thing, and that the token may ask it.
    fn answered<T>(&self, capability: Capability, thing: &str, asked: Result<T, Failure>) -> Result<T, Fault> {
        if asked.is_ok() {
            self.barred().worked(capability);
        }
        asked.map_err(|failure| self.fault(capability, Some(thing).filter(|thing| !thing.is_empty()), failure))
    }

    async fn open(&self) -> Result<Vec<BackendIncident>, Fault> {
        let mut request = with_includes(Client::get("incidents"))
            .query("statuses[]", "triggered")
            .query("statuses[]", "acknowledged")
            // Without it, incidents older than a month are left out.
            .query("date_range", "all");
        let settings = self.settings();
        request = settings.teams.iter().fold(request, |r, id| r.query("team_ids[]", id));
        request = settings.urgencies.iter().fold(request, |r, word| r.query("urgencies[]", word));
        let found = self.client.pages(&request, "incidents", MOST_INCIDENTS).await;
        let found = found.map_err(|failure| self.fault(Capability::ReadIncidents, None, failure))?;
        // The filter is the server's; what it let through in spite of it is over.
        let open = |i: &BackendIncident| i.status != crate::domain::outward::backend::BackendStatus::Resolved;
        Ok(found.iter().filter_map(decode::incident).filter(open).collect())
    }

    async fn log_of(&self, id: &str, since: Option<Timestamp>) -> Result<Vec<LogEntry>, Fault> {
        let path = self.below(id, "log_entries")?;
        let mut request = Client::get(path).query("is_overview", "false");
        if let Some(since) = since {
            request = request.query("since", rfc3339(since));
        }
        let found = self.client.pages(&request, "log_entries", MOST_LOG).await;
        let found = self.answered(Capability::ReadLog, id, found)?;
        let mut log: Vec<LogEntry> = found.iter().filter_map(decode::log_entry).collect();
        log.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(log)
    }

    async fn alerts_of(&self, id: &str) -> Result<Vec<BackendAlert>, Fault> {
        let request = Client::get(self.below(id, "alerts")?);
        let found = self.client.pages(&request, "alerts", MOST_ALERTS).await;
        let found = self.answered(Capability::ReadAlerts, id, found)?;
        Ok(found.iter().filter_map(decode::alert).collect())
    }

    fn below(&self, id: &str, what: &str) -> Result<String, Fault> {
        match is_id(id) {
            true => Ok(format!("incidents/{id}/{what}")),
            false => Err(Fault::new(
                FaultKind::Rejected,
                self.client.name(),
                format!("{id:?} cannot be the id of an incident"),
            )),
        }
    }

    async fn people(&self, service: Option<&str>) -> Result<Vec<OnCall>, Fault> {
        let settings = self.settings();
        let services: Vec<&str> = match service {
            Some(ours) => {
                let id = settings.service(Some(ours)).ok_or_else(|| {
                    let detail = format!("no service there is known for `{ours}` (options.services)");
                    Fault::new(FaultKind::Rejected, self.client.name(), detail)
                })?;
                vec![id]
            }
            None => {
                settings.services.iter().map(|(_, id)| id.as_str()).chain(settings.default_service.as_deref()).collect()
            }
        };
        let mut policies = Vec::new();
        for id in services {
            policies.extend(self.policy_of(id).await?);
        }
        if service.is_none() {
            policies.extend(settings.policies.iter().cloned());
        }
        policies.sort();
        policies.dedup();
        let now = clock::now();
        let request = Client::get("oncalls")
            .query("earliest", "true")
            .query("include[]", "users")
            .query("since", rfc3339(now))
            .query("until", rfc3339(now + mins(1)));
        let request = policies.iter().fold(request, |r: Request, id| r.query("escalation_policy_ids[]", id));
        let found = self.client.pages(&request, "oncalls", MOST_ON_CALL).await;
        let found = self.answered(Capability::ReadOnCall, &policies.join(" "), found)?;
        let mut people: Vec<OnCall> = found.iter().filter_map(decode::on_call).collect();
        people.sort_by(|a, b| (a.level, &a.person.name).cmp(&(b.level, &b.person.name)));
        Ok(people)
    }

    /// The escalation policy of a service there.
    async fn policy_of(&self, service: &str) -> Result<Option<String>, Fault> {
        let answer = self.client.ask(&Client::get(format!("services/{service}"))).await;
        let answer = answer.map_err(|failure| match failure.status {
            Some(404) => {
                Fault::new(FaultKind::Rejected, self.client.name(), format!("there is no service {service} there"))
            }
            _ => self.fault(Capability::ReadOnCall, Some(service), failure),
        })?;
        Ok(answer.get("service").and_then(|s| decode::text(s.get("escalation_policy")?, "id")))
    }

    async fn changes_between(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Change>, Fault> {
        let request = Client::get("change_events").query("since", rfc3339(from)).query("until", rfc3339(to));
        let request = self.settings().teams.iter().fold(request, |r, id| r.query("team_ids[]", id));
        let found = self.client.pages(&request, "change_events", MOST_CHANGES).await;
        let found = found.map_err(|failure| self.fault(Capability::ReadChanges, None, failure))?;
        Ok(found.iter().filter_map(decode::change).collect())
    }

    async fn all_priorities(&self) -> Result<Vec<Priority>, Fault> {
        let found = self.client.pages(&Client::get("priorities"), "priorities", 100).await;
        let found = found.map_err(|failure| self.fault(Capability::ReadPriorities, None, failure))?;
        Ok(found.iter().filter_map(decode::priority).collect())
    }

    async fn one(&self, id: &str) -> Result<BackendIncident, Fault> {
        self.client.incident(id).await.map_err(|failure| failure.fault)
    }

    async fn who_am_i(&self) -> Result<Me, Fault> {
        let who = self.client.who().await.map_err(|failure| failure.fault)?;
        let person = who.person.clone().filter(|_| who.token == "user");
        Ok(Me { person, token: who.token.to_owned() })
    }
}

impl IncidentBackend for PagerDuty {
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>> {
        Box::pin(self.open())
    }

    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>> {
        Box::pin(self.one(id))
    }

    fn log<'a>(&'a self, id: &'a str, since: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        Box::pin(self.log_of(id, since))
    }

    fn alerts<'a>(&'a self, id: &'a str) -> Task<'a, Result<Vec<BackendAlert>, Fault>> {
        Box::pin(self.alerts_of(id))
    }

    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        Box::pin(self.people(service))
    }

    fn priorities(&self) -> Task<'_, Result<Vec<Priority>, Fault>> {
        Box::pin(self.all_priorities())
    }

    fn changes(&self, from: Timestamp, to: Timestamp) -> Task<'_, Result<Vec<Change>, Fault>> {
        Box::pin(self.changes_between(from, to))
    }

    fn me(&self) -> Task<'_, Result<Me, Fault>> {
        Box::pin(self.who_am_i())
    }
}

/// Whether a log has an act of ours of this kind since an instant: by the person the token is, or by no person at all when
/// the token is an account's. What happened by itself is not ours.
pub fn acted(log: &[Value], kind: &str, me: Option<&str>, since: Timestamp) -> bool {
    log.iter().filter_map(decode::log_entry).any(|entry| {
        let ours = match (me, &entry.actor_id) {
            (Some(me), Some(id)) => me == id,
            _ => true,
        };
        entry.kind == kind && entry.at >= since && ours && !entry.by_itself
    })
}
