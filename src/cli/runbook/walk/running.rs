//! Running commands in a walk: the values, the look at where we are, the second person and the confirmation that each
//! needs first. Nothing runs here without its confirmation.

use crate::app::update::approval_code;
use crate::cli::desk::refused;
use crate::cli::failure::Failure;
use crate::cli::runbook::exec;
use crate::cli::runbook::walk::{Next, Session, line};
use crate::domain::exec::FileSeen;
use crate::domain::incident::change::ApprovalRequest;
use crate::domain::incident::decide::text;
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::runbook::gate::{Need, Wanted, probed};
use crate::domain::runbook::model::{InputFrom, Part, RunCommand};
use crate::domain::runbook::offer::Offer;
use crate::domain::runbook::values::judge;
use crate::io::clock;
use std::collections::BTreeMap;
use std::io::BufRead;

impl Session<'_, '_> {
    /// Runs a command after everything that it needs: values, a look at where we are, a second person, its confirmation.
    pub(super) fn execute(&mut self, wanted: Wanted<'_>, input: &mut impl BufRead) -> Result<Next, Failure> {
        // Every need is met once at most, so that this ends.
        for _ in 0..6 {
            let Some(state) = self.state()? else {
                return Err(Failure::Refused("without an incident nothing is run".to_owned()));
            };
            if !state.is_open() {
                return Err(Failure::Refused(format!("{} is no longer open", state.id)));
            }
            let values = self.values()?;
            let walk = state.walks.get(&self.book.id).cloned().unwrap_or_default();
            let now = clock::now();
            match wanted.need(&state, &walk, &values, now).map_err(refused)? {
                Need::Inputs(missing) => {
                    let names: Vec<String> = missing.iter().map(|i| i.name.clone()).collect();
                    if !self.ask_inputs(&names, input)? {
                        return Ok(Next::Quit);
                    }
                }
                Need::Reads(reads) => {
                    let own: Vec<(Part, RunCommand)> = reads.into_iter().map(|(p, c)| (p, c.clone())).collect();
                    if let Some(next) = self.look(wanted, &own, input)? {
                        return Ok(next);
                    }
                }
                Need::DryRun(command) => {
                    self.output.line("what destroys is tried dry first")?;
                    let trial = [(Part::DryRun, command.clone())];
                    if let Some(next) = self.look(wanted, &trial, input)? {
                        return Ok(next);
                    }
                }
                need => {
                    let slot = wanted.slot(wanted.part, wanted.command);
                    let mut offer = wanted.offer(&slot, &state, &values, now).map_err(refused)?;
                    offer.files = self.seen(&offer);
                    if need == Need::Approval && offer.approval.is_none() {
                        return self.ask_approval(&state, &offer);
                    }
                    return Ok(self.confirmed(&offer, input)?.map_or(Next::Quit, |_| Next::Stay));
                }
            }
        }
        Err(Failure::Refused("what it needs could not be settled; look at the runbook".to_owned()))
    }

    /// The files that a command came from, as they were shown.
    pub(super) fn seen(&self, offer: &Offer) -> Vec<FileSeen> {
        let private = offer.risk.is_dangerous();
        let file = |(path, sha256): &(String, String)| FileSeen { path: path.clone(), sha256: sha256.clone(), private };
        self.files.iter().map(file).collect()
    }

    /// Shows a command, and runs it when it is confirmed. `None` at the end of the input.
    pub(super) fn confirmed(
        &mut self,
        offer: &Offer,
        input: &mut impl BufRead,
    ) -> Result<Option<exec::Ended>, Failure> {
        let Some((desk, _)) = &mut self.desk else {
            return Err(Failure::Refused("without an incident nothing is run".to_owned()));
        };
        for row in exec::confirmation(offer, &exec::user(Some(desk.context))) {
            self.output.line(&format!("  {row}"))?;
        }
        self.output.finish()?;
        let Some(typed) = line(input)? else { return Ok(None) };
        if !exec::confirms(offer, typed.trim()) {
            return Err(Failure::Refused(format!("`{}` was not confirmed; it was not run", offer.prepared.shown)));
        }
        exec::go(offer, desk, self.output).map(Some)
    }

    /// Reads before a change: guards, the state before, a trial. `Some` when the walk goes on without the change.
    pub(super) fn look(
        &mut self,
        wanted: Wanted<'_>,
        reads: &[(Part, RunCommand)],
        input: &mut impl BufRead,
    ) -> Result<Option<Next>, Failure> {
        let mut words: BTreeMap<usize, (bool, String)> = BTreeMap::new();
        let Some(state) = self.state()? else { return Ok(Some(Next::Stay)) };
        let values = self.values()?;
        let mut offers = Vec::new();
        for (part, command) in reads {
            let read = Wanted { part: *part, command, option: None, ..wanted };
            let slot = wanted.slot(*part, command);
            let mut offer = read.offer(&slot, &state, &values, clock::now()).map_err(refused)?;
            offer.files = self.seen(&offer);
            if *part != Part::DryRun && offer.risk.is_dangerous() {
                let why = format!("{slot} is no read, says `{}`: look at the runbook", offer.prepared.shown);
                return Err(Failure::Refused(why));
            }
            offers.push((*part, command, offer));
        }
        for (part, command, offer) in offers {
            let Some(ended) = self.confirmed(&offer, input)? else { return Ok(Some(Next::Quit)) };
            let probe = self.book.guards.iter().position(|g| g.command.id == command.id);
            if let Some((n, probe)) =
                probe.and_then(|n| Some((n, self.book.guards.get(n)?))).filter(|_| part == Part::Guard)
            {
                words.insert(n, probed(probe, ended.ok, &ended.first));
            } else if ended.ok != Some(true) {
                return Err(Failure::Refused(format!("{} did not succeed; nothing is changed", offer.slot)));
            }
        }
        if words.is_empty() {
            return Ok(None);
        }
        let ok = words.values().all(|(ok, _)| *ok);
        let found: Vec<String> = words.into_values().filter(|(held, _)| ok || !held).map(|(_, found)| found).collect();
        let found = found.join("; ");
        if let Some((desk, id)) = &mut self.desk {
            let body = Body::GuardChecked { runbook: self.book.id.clone(), ok, found: found.clone() };
            desk.note(id, body, None)?;
        }
        match ok {
            true => self.output.line(&format!("guard holds: {found}")).map(|()| None),
            false => Err(Failure::Refused(format!("NOT HERE: {found}; nothing is changed"))),
        }
    }

    /// Asks for values until each keeps to its rule. `false` at the end of the input.
    pub(super) fn ask_inputs(&mut self, names: &[String], input: &mut impl BufRead) -> Result<bool, Failure> {
        for name in names {
            let Some(wanted) = self.book.input(name) else { continue };
            let prompt = match &wanted.from {
                InputFrom::Ask { prompt } if !prompt.is_empty() => prompt.as_str(),
                _ => "a value",
            };
            let rule = wanted.pattern.as_ref().map(|p| format!(" ({p})")).unwrap_or_default();
            let seen = if wanted.secret { ", not recorded, but seen while you type it" } else { "" };
            self.output.line(&format!("{name}: {prompt}{rule}{seen}"))?;
            self.output.finish()?;
            let Some(typed) = line(input)? else { return Ok(false) };
            let value = typed.trim().to_owned();
            judge(wanted, &value).map_err(refused)?;
            let recorded = if wanted.secret {
                self.secrets.insert(name.clone(), value);
                None
            } else {
                Some(value)
            };
            let body = Body::InputGiven { runbook: self.book.id.clone(), name: name.clone(), value: recorded };
            self.record(vec![body])?;
        }
        Ok(true)
    }

    /// Asks for a second person; the command is to be run again when somebody approved.
    pub(super) fn ask_approval(&mut self, state: &Incident, offer: &Offer) -> Result<Next, Failure> {
        let now = clock::now();
        let sha256 = offer.sha256();
        let code = match state.waiting(&sha256, now) {
            Some(waiting) => waiting.request.code.clone(),
            None => {
                let target = offer.target(&crate::run::setup::host());
                let code = approval_code(&sha256, &target, state, now);
                let request = ApprovalRequest {
                    id: format!("{}-{code}", now.timestamp_millis()),
                    command: offer.prepared.shown.clone(),
                    target,
                    sha256,
                    code: code.clone(),
                    command_id: offer.id.clone(),
                };
                self.record(vec![Body::ApprovalAsked(request)])?;
                code
            }
        };
        self.output.line(&format!("a second person is needed for: {}", offer.prepared.shown))?;
        self.output.line(&format!(
            "code {code}, good for ten minutes: another person types it at a cockpit on this record, or `midwatch runbook approve {} {code}`, or is named here with `witness NAME {code}`; then run it again",
            state.id
        ))?;
        Ok(Next::Stay)
    }

    /// A second person beside the screen, recorded as unverified.
    pub(super) fn witness(&mut self, rest: &str) -> Result<Next, Failure> {
        let (name, code) =
            rest.rsplit_once(' ').ok_or_else(|| Failure::Usage("expected: witness NAME CODE".to_owned()))?;
        let now = clock::now();
        let Some(state) = self.state()? else { return Err(Failure::Refused("nothing is recorded here".to_owned())) };
        let waiting = state.approvals.iter().find(|a| a.given.is_none() && a.is_live(now) && a.request.code == code);
        let Some(waiting) = waiting else {
            return Err(Failure::Refused(format!("nothing waits for the code {code}, or its ten minutes are over")));
        };
        let name = text(name, "a name").map_err(refused)?;
        let own = self.desk.as_ref().map(|(desk, _)| desk.config.responder.name.clone()).unwrap_or_default();
        if name.eq_ignore_ascii_case(&own) || name.eq_ignore_ascii_case(&waiting.by.0) {
            return Err(Failure::Refused("nobody approves what they asked for".to_owned()));
        }
        let body = Body::ApprovalGiven { id: waiting.request.id.clone(), witness: Some(name.clone()) };
        self.record(vec![body])?;
        self.said(&format!("{name} is recorded as a witness, unverified"))
    }
}
