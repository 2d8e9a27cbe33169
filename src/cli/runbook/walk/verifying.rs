//! Watching here whether the last change helps, where no cockpit runs: looked at until it held or its time is over, each
//! look on a line of its own. Ctrl-C stops the watching alone; the change and its watch stay on the record for whoever goes
//! on. What another cockpit found meanwhile counts here too.

use crate::cli::failure::Failure;
use crate::cli::look;
use crate::cli::runbook::exec::{Interrupted, Watching};
use crate::cli::runbook::suggesting::metrics;
use crate::cli::runbook::walk::{Next, Session};
use crate::domain::exec::{CommandNews, CommandSpec};
use crate::domain::incident::change::{Change, Verification, VerifyEnd, VerifyPlan};
use crate::domain::incident::event::Body;
use crate::domain::runbook::hold::{Hold, Look, Verdict, judge, judge_rate, words};
use crate::domain::runbook::model::{Condition, Op, Part, Phase, Risk, RunCommand, Verify};
use crate::domain::runbook::offer::{Offer, outcome};
use crate::domain::runbook::prepare::ready;
use crate::domain::slo::burn;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::time::{Span, clock, compact, secs};
use crate::io::clock;
use crate::io::port::{Metrics, Shell};
use crate::io::prometheus::measure::Prometheus;
use crate::io::prometheus::source::Source;
use crate::io::shell::LocalShell;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often an interruption is looked for.
const TICK: Duration = Duration::from_millis(200);

/// How a condition is looked at.
enum Way {
    /// By a PromQL value: the query, how its values are compared, with what, and whether one series is enough.
    Query(Box<Prometheus<Source>>, String, Op, f64, bool),
    /// By the burn rate of an objective over a window.
    Burn(Box<Prometheus<Source>>, Arc<Objective>, Window, Op, f64),
    /// By a read and its exit codes.
    Command(Box<CommandSpec>, Vec<i32>),
}

/// How a watch ended here.
enum Over {
    /// By what was seen.
    Seen(Verdict),
    /// Another cockpit recorded the end, or the change was taken back.
    Elsewhere(String),
    /// The person, or the terminal, has gone.
    Stopped,
}

impl Session<'_, '_> {
    /// Watches the last change that is not proved yet.
    pub(super) fn verify(&mut self) -> Result<Next, Failure> {
        let nothing = || Failure::Refused("no change waits to be proved".to_owned());
        let state = self.state()?.ok_or_else(nothing)?;
        let open = |c: &&Change| c.verify.as_ref().is_some_and(|v| v.end.is_none());
        let change = state.in_force().find(open).cloned().ok_or_else(nothing)?;
        let verification = change.verify.clone().ok_or_else(nothing)?;
        let plan = &verification.plan;
        let step = self.book.step(&change.place.step);
        let verify = step.and_then(|s| s.mutation(&change.id)).and_then(|m| m.verify.clone());
        let verify = verify.filter(|v| words(&v.what) == plan.what);
        let verify = verify.ok_or_else(|| {
            let (book, what) = (&change.place.runbook, &plan.what);
            Failure::Refused(format!("{}: how {book} looks at `{what}` is not in this runbook any more", self.book.id))
        })?;
        let eases = step.is_none_or(|s| matches!(s.phase, None | Some(Phase::Mitigate | Phase::Verify)));
        let way = self.way(&change, &verify)?;
        let (for_, within) = (span(plan.for_s), span(plan.within_s));
        let until = verification.began + within;
        self.output.line(&format!(
            "watching {}: {} must hold for {}; looked at every {}, given up at {}; Ctrl-C stops watching",
            change.plan.action,
            plan.what,
            compact(for_),
            compact(span(plan.every_s)),
            clock(until)
        ))?;
        self.output.finish()?;
        let interrupted = Interrupted::watch()?;
        let over = self.watch(&change, &promised(&verify, plan), &verification, &way, &interrupted)?;
        match over {
            Over::Seen(Verdict::Held(since)) => self.held(&change, plan, since, eases),
            Over::Seen(Verdict::Failed(why)) => {
                self.output
                    .line(&format!("did not hold: {why}; `rollback` takes it back, or another option, or escalate"))?;
                let once = Some(format!("verify:{}", change.run));
                if let Some((desk, id)) = &mut self.desk {
                    desk.note(id, Body::VerifyFailed { run: change.run.clone(), why }, once)?;
                }
                Ok(Next::Stay)
            }
            Over::Seen(Verdict::Waiting) => Ok(Next::Stay),
            Over::Elsewhere(words) => {
                self.output.line(&words)?;
                Ok(Next::Stay)
            }
            Over::Stopped if interrupted.must_end() || !std::io::stdin().is_terminal() => Err(Failure::Interrupted),
            Over::Stopped => {
                self.output.line(&format!(
                    "stopped watching; {} is in force and not proved, `verify` goes on until {}",
                    change.plan.action,
                    clock(until)
                ))?;
                Ok(Next::Stay)
            }
        }
    }

    /// Who is asked, and what.
    fn way(&mut self, change: &Change, verify: &Verify) -> Result<Way, Failure> {
        let port = || metrics(self.config).map(Box::new).map_err(Failure::Refused);
        match &verify.what {
            Condition::Promql { query, op, value, any } => Ok(Way::Query(port()?, query.clone(), *op, *value, *any)),
            Condition::Slo { slo, window, op, value } => {
                let context = self.desk.as_ref().map(|(desk, _)| desk.context);
                let known = context.and_then(|c| look::objectives(c).into_iter().find(|o| o.id == *slo));
                let known = known.ok_or_else(|| Failure::Refused(format!("there is no objective {slo}")))?;
                Ok(Way::Burn(port()?, known, Window::of(*window), *op, *value))
            }
            Condition::Exec(command) => self.by_command(change, command),
        }
    }

    /// A read that was confirmed with its change; only where commands are allowed.
    fn by_command(&mut self, change: &Change, command: &RunCommand) -> Result<Way, Failure> {
        let Some((id, env_pass)) = self.desk.as_ref().map(|(desk, id)| (id.clone(), desk.config.env_pass.clone()))
        else {
            return Err(Failure::Refused("without an incident nothing is run".to_owned()));
        };
        if !self.arm {
            let shown = &command.text;
            return Err(Failure::Refused(format!(
                "a command tells it, and commands are off; walk with --arm, or look by hand: {shown}"
            )));
        }
        let prepared = ready(self.book, command, &self.values()?).map_err(crate::cli::desk::refused)?;
        let mut offer = Offer::of(&id, change.place.clone(), "verify", (Part::Verify, command), prepared);
        if offer.risk != Risk::Read || offer.tty || offer.prepared.query.is_some() {
            return Err(Failure::Refused("only a read can be looked at again and again".to_owned()));
        }
        offer.files = self.seen(&offer);
        let spec = CommandSpec { spill: None, ..offer.spec("", &env_pass) };
        Ok(Way::Command(Box::new(spec), command.ok_exit.clone()))
    }

    /// Looks until it is over, one line for each look.
    fn watch(
        &mut self,
        change: &Change,
        verify: &Verify,
        verification: &Verification,
        way: &Way,
        interrupted: &Watching,
    ) -> Result<Over, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Refused(format!("nothing can be asked: {error}")))?;
        let what = &verification.plan.what;
        // Looks that nobody made since it began are no gap of this watch: its hold begins with its own first look.
        let mut hold = Hold::new(verify, verification.began);
        loop {
            let Some(seen) = runtime.block_on(unless(interrupted, one(way))) else { return Ok(Over::Stopped) };
            let now = clock::now();
            let verdict = hold.take(now, seen.clone());
            let (said, held) = match &seen {
                Look::Holds(seen) => (seen.clone(), hold.left(now).map(|l| format!(", holds, {} to go", compact(l)))),
                Look::Fails(seen) => (format!("{seen}, not yet"), None),
                Look::NoData(why) => (format!("NO DATA: {why}"), None),
            };
            self.output.line(&format!("{} {what}: {said}{}", clock(now), held.unwrap_or_default()))?;
            self.output.finish()?;
            if verdict != Verdict::Waiting {
                return Ok(Over::Seen(verdict));
            }
            if let Some(words) = self.elsewhere(change)? {
                return Ok(Over::Elsewhere(words));
            }
            let next = hold.next().min(hold.fails_at());
            let pause = (next - clock::now()).to_std().unwrap_or_default();
            if runtime.block_on(unless(interrupted, async { tokio::time::sleep(pause).await })).is_none() {
                return Ok(Over::Stopped);
            }
        }
    }

    /// What the record says of the change meanwhile, where that ends the watch.
    fn elsewhere(&mut self, change: &Change) -> Result<Option<String>, Failure> {
        let Some(state) = self.state()? else { return Ok(None) };
        let Some(now) = state.change(&change.run) else { return Ok(None) };
        let action = &now.plan.action;
        Ok(match now.verify.as_ref().and_then(|v| v.end.as_ref()) {
            _ if !now.stands() => Some(format!("{action} was taken back meanwhile")),
            Some(VerifyEnd::Held(since)) => Some(format!("held since {}, says another cockpit", clock(*since))),
            Some(VerifyEnd::Failed(why)) => Some(format!("did not hold, says another cockpit: {why}")),
            None => None,
        })
    }

    /// The pain stopped when the hold began, not when it was long enough to be believed.
    fn held(
        &mut self,
        change: &Change,
        plan: &VerifyPlan,
        since: crate::domain::time::Timestamp,
        eases: bool,
    ) -> Result<Next, Failure> {
        let open = self.state()?.is_some_and(|s| s.is_open() && s.times.mitigated.is_none());
        let run = &change.run;
        if let Some((desk, id)) = &mut self.desk {
            let body = Body::VerifyHeld { run: run.clone(), since, what: plan.what.clone() };
            desk.note(id, body, Some(format!("verify:{run}")))?;
            if eases && open {
                desk.note_at(id, since, Body::Mitigated, Some(format!("mitigated:{run}")))?;
            }
        }
        let mitigated = if eases && open { "; mitigated since then" } else { "" };
        self.output.line(&format!("held since {}{mitigated}", clock(since)))?;
        Ok(Next::Stay)
    }
}

fn span(seconds: u64) -> Span {
    secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// What was promised when the change was confirmed holds, whatever the file says today; only how to look comes from it.
fn promised(verify: &Verify, plan: &VerifyPlan) -> Verify {
    Verify { for_: span(plan.for_s), within: span(plan.within_s), every: span(plan.every_s), ..verify.clone() }
}

/// What comes, unless an interruption comes first.
async fn unless<T>(interrupted: &Watching, what: impl Future<Output = T>) -> Option<T> {
    let asked = async {
        while !interrupted.asked() {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::select! {
        done = what => Some(done),
        () = asked => None,
    }
}

/// One look.
async fn one(way: &Way) -> Look {
    let now = clock::now();
    match way {
        Way::Query(port, query, op, value, any) => match port.query(query, now).await {
            Ok(samples) => judge(&samples, *op, *value, *any),
            Err(fault) => Look::NoData(fault.to_string()),
        },
        Way::Burn(port, objective, window, op, value) => {
            match port.measure(std::slice::from_ref(objective), &[*window], now).await {
                Ok((measured, _)) => {
                    let found = measured.iter().find(|m| m.slo == objective.id).filter(|m| !m.partial);
                    let counts = found.and_then(|m| m.windows.get(window)).and_then(|(_, r)| r.counts());
                    judge_rate(counts.and_then(|counts| burn::rate(counts, objective.target)), *op, *value)
                }
                Err(fault) => Look::NoData(fault.to_string()),
            }
        }
        Way::Command(spec, ok_exit) => by_exit((**spec).clone(), ok_exit).await,
    }
}

/// A read and how it ended. Dropping it ends the command.
async fn by_exit(spec: CommandSpec, ok_exit: &[i32]) -> Look {
    let (tell, mut news) = mpsc::channel(64);
    // Kept until the end: a stop that is dropped would be one that was sent.
    let (_stop, stopped) = oneshot::channel();
    let mut run = LocalShell::default().run(spec, tell, stopped);
    let mut end = None;
    loop {
        tokio::select! {
            told = news.recv() => match told {
                Some(CommandNews::Ended(ended)) => end = Some(ended),
                Some(_) => {}
                None => break,
            },
            () = &mut run, if end.is_none() => {
                while let Ok(told) = news.try_recv() {
                    if let CommandNews::Ended(ended) = told {
                        end = Some(ended);
                    }
                }
                break;
            }
        }
    }
    let Some(end) = end else { return Look::NoData("how it ended is unknown".into()) };
    let how = end.exit.map_or_else(|| end.reason.clone().unwrap_or_default(), |code| format!("exit {code}"));
    match outcome(&end, ok_exit) {
        Some(true) => Look::Holds(how),
        Some(false) if end.began => Look::Fails(how),
        _ => Look::NoData(how),
    }
}
