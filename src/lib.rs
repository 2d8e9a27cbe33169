//! midwatch: a terminal cockpit for the engineer who has just been paged.
//!
//! A pure machine in the middle, the world at its edges. What happens arrives as a message with a time on it; what is to
//! be done leaves as a value. The same machine runs the full screen, the plain lines, one look for a script, the demo and
//! the tests. This page is the map; each module's own page says what it is for and what it never does.
//!
//! # The house
//!
//! ```text
//!             main ── cli         what may be typed; what is printed
//!                      │
//!                     run         shells: full screen, plain lines, one look; engine; terminal
//!                    ╱   ╲
//!                  ui     io      ui: a view becomes cells     io: ports, and one adapter per integration
//!                   │      │      neither sees the other; app and io do not see each other either
//!                  app     │      the machine: model, messages, effects, update, view
//!                    ╲    ╱
//!                    domain       facts and rules      (config: checked values; all but domain may read it)
//! ```
//!
//! | module | may import | never holds |
//! |---|---|---|
//! | [`domain`] | itself | async, files, environment, network, processes, a clock, randomness |
//! | [`config`] | `domain` | network, a terminal, a secret's value |
//! | [`app`] | `domain`, `config` | what `domain` never holds |
//! | [`io`] | `domain`, `config` | cells, keys, anything of `app` or `ui` |
//! | [`ui`] | `app`, `domain`, `config` | async, sources, files |
//! | [`run`] | all of the above | rules of incidents, objectives, runbooks |
//! | [`cli`] | everything | the same |
//!
//! The clock is read in [`io::clock`] and nowhere else; clippy refuses it in other files. Printing is done by
//! [`cli::output`], cells are written by [`ui::pen`].
//!
//! # How data flows
//!
//! ```text
//! key pressed ── run::terminal ── Msg::Key ──┐
//! a source answered ── Msg::Reply(ReqId, …) ─┤
//! the record, the files ──── Msg::Feed(…) ───┼─► app::update(&mut Model, now, Msg) ─► Vec<Effect>
//! a deadline was reached ── Msg::Wake ───────┘        │ domain::incident::decide ─► events or a refusal
//!                                                     ▼
//!            run::engine ◄── Effect::Append, Measure, Alerts, Run …     &Model ─► app::present::view ─► ui::view::draw
//!                 │                                                                        └─► plain lines, JSON
//!              io ports ─► Msg::Reply
//! ```
//!
//! Start reading at [`app::update::update`], then [`app::msg`], [`app::effect`], [`app::present`] and
//! [`run::engine`].
//!
//! # Invariants
//!
//! 1. **One writer.** Only [`app::update`] changes the [`app::model::Model`]; it is shared with nobody.
//! 2. **Messages and effects are plain values.** They can be compared, logged and given again. An effect that wants an
//!    answer carries a [`domain::ids::ReqId`]; an answer that nobody waits for any more is dropped.
//! 3. **Time is an argument.** `update` is told the time, [`app::deadline::next_deadline`] says when to wake. There is no
//!    tick: a cockpit that is left alone sleeps. Waking too early changes nothing.
//! 4. **Recorded before done.** An act becomes events first; their append leaves before the command or request that it
//!    records. What is not on disk yet is marked so on every screen.
//! 5. **Timers are computed** from events and tables ([`domain::escalation`]), never stored: a restart has the same ones.
//! 6. **Everything can be refused, with a reason** that a person reads: [`app::present::available`] before the act,
//!    [`domain::incident::decide`] in it.
//! 7. **Danger belongs to the action and to the command.** Read-only drops what changes anything in one place; a command
//!    of a runbook runs only while armed, after its exact text was on the screen and was confirmed there.
//! 8. **The simulated production is made of fakes.** [`io::fake`] takes no real port: the demo and a drill cannot
//!    start a program, page anyone, or open a socket but its own ([`io::fake::Ports`], [`run::drill`]; tests trace whole drills).
//! 9. **An error never closes the screen.** It is a [`domain::fault::Fault`] beside the last good value and its age. A
//!    failure is never drawn as health, and an unknown number is `None`: not zero, not NaN, not -1.
//! 10. **One table of actions** ([`app::action::ACTIONS`]) feeds dispatch, hints, help, palette and the README.
//! 11. **Selection is by id**, never by row; screens are a stack of values.
//! 12. **Text from outside is hostile.** It passes [`domain::text`] where it becomes a cell, a line or a file, and reaches
//!     a command as an argument or a variable, never by being pasted into one.
//! 13. **Four loops never wait for each other**: keys, machine, painter ([`run::terminal::painter`]), record
//!     ([`io::store::record`]). A terminal that takes no bytes stops the painter alone.
//! 14. **One view, many renderers.** Cells and plain lines come from [`app::present`]: there is no second truth.
//! 15. **The record is a set.** Events are keyed (origin, seq) and folded in one order, so that cockpits that write at once
//!     agree whatever arrived first ([`domain::incident::state::Incident::fold`]); each origin's events are hash-chained.
//!
//! 16. **What an experiment changes is taken back on every way out.** One machine ([`domain::experiment::machine`]) decides, its
//!     journal is on disk before each act ([`io::files::experiments`]), and a run without its process is owed, and offered first.
//!
//! # Glossary
//!
//! | term | here |
//! |---|---|
//! | SLI | a ratio of good to all, or a value against a threshold, over a window |
//! | SLO, objective | a target for an SLI over a window: 99.9 % over 30 days ([`domain::slo::objective`]) |
//! | error budget | the bad share that the target allows; what is left of it may be negative |
//! | burn rate | how many times faster than allowed the budget is spent; at 1 it lasts the whole window |
//! | alert pair | a long and a short window that must both burn over a factor: 1h/5m at 14.4 pages |
//! | policy band | what a team does, by how much budget is left; another one counts once it has settled ([`domain::slo::settling`]) |
//! | crossing | a band was left for another: told, and recorded once by all cockpits together |
//! | planned work | maintenance: its events count neither as good nor as bad, and it holds alert pairs |
//! | calendar budget | that of a week, month, quarter or year; how many events it will have is estimated |
//! | rolling outlook | when a budget is gone given what leaves the window ([`domain::slo::outlook`]) |
//! | golden signals | rate, errors, latency, saturation (and utilization) of a service |
//! | review | what a calendar period cost, and what is to be decided ([`domain::review`]) |
//! | page, ticket | somebody is woken; somebody looks tomorrow |
//! | incident | something declared by a person; an append-only log of events ([`domain::incident::event`]) |
//! | incident commander | who decides; the other roles are comms, operations, scribe |
//! | severity | a row of the table with its clocks: response, stakeholders, updates ([`domain::severity`]) |
//! | acknowledge, mitigate, resolve | somebody has it; the pain stopped; it is over |
//! | runbook, step, check, option | what to do for an alert; a part of it; a question; one of several ways out |
//! | walk | going through a runbook for an incident; every end of a step is an event |
//! | offer | one command ready to be confirmed: what is shown, recorded and run comes from it ([`domain::runbook::offer`]) |
//! | guard | reads that must find us where the runbook wants to be before anything changes ([`domain::runbook::gate`]) |
//! | change in force | what a command changed and nobody took back; derived from events ([`domain::incident::change`]) |
//! | verify, hold | a condition that must hold for its time without a gap; no data never holds ([`domain::runbook::hold`]) |
//! | armed | commands may be run for a while; off at the start and again by itself |
//! | origin | one installation: the unit of numbering and of the hash chain |
//! | mark | a pin, a tag, or that an entry stays out of the postmortem; an event, never a change ([`domain::incident::mark`]) |
//! | redaction | a text that was taken out of the record; the event stays and the chain holds ([`domain::incident::redaction`]) |
//! | import | what was said or done elsewhere, taken in once ([`domain::import`]) |
//! | postmortem draft | what the record knows, with marked blanks for what only people know |
//! | blank | a place in the draft that a person must fill |
//! | held | an alert that is silenced, inhibited or muted; a pair that planned work keeps from firing |
//! | target, port | somebody else's system that is written to; one of the roles it has |
//! | page (there) | an incident of a paging product; linked to ours, or seen beside them ([`domain::incident::linked`]) |
//! | operation, outbox | one write, recorded before it is sent; where it stays until its outcome is known |
//! | class | how often a write may be sent: A repeat, B with its key, C look first, D ask a person |
//! | silence | an Alertmanager keeps alerts from notifying; what it keeps back is held |
//! | acknowledgement of an alert | a silence of 15 minutes that begins with `ACK!`, kept alive while the alert fires |
//! | sweeping | a silence without a condition that asks for a label, or that leaves nothing: it wants a typed word |
//! | outcome | done, already done, accepted, conflict, refused, not done, or unknown |
//! | drill | a rehearsal on a simulated production, on a clock of its own ([`domain::drill::stage`]) |
//! | scenario, inject | what a drill is made of; something that happens in it ([`domain::drill::scenario`]) |
//! | facilitator, player, seat | who steers a drill; who plays in it; a cockpit in it whose terminal is elsewhere ([`run::drill`]) |
//! | red herring | an alert that has nothing to do with the matter |
//! | replay, reel | a recorded incident wound back and forth; its log in the order in which it was recorded ([`domain::incident::reel`]) |
//! | after-action report | what a drill came to: expected against actual, gaps, blanks ([`domain::drill::report`]) |
//! | experiment | a hypothesis that is tried: steady state, method, abort conditions, rollback ([`domain::experiment`]) |
//! | blast radius | what an experiment may touch; its environment is typed before anything changes |
//! | owed | a rollback that nobody knows to be done; offered before anything else ([`domain::experiment::record`]) |
//! | game day, run sheet | drills, experiments and announcements of a day, with what must not be told yet ([`domain::gameday`]) |
//! | recent change | what somebody changed lately, whoever tells of it; with its distance from a start ([`domain::recent`]) |
//! | stale | the last good value, too old to trust; shown with its age |
//!
//! # How to add
//!
//! **An integration.** A source of numbers or alerts: choose the port in [`io::port`] ([`io::port::Metrics`],
//! [`io::port::AlertSource`]); write `io/NAME.rs` over [`io::http`], which brings the byte limits, time-outs and classes of
//! failure; give it a checked form in [`config::source`]; connect it in `Sources::connect` of [`run::setup`].
//!
//! A target of writes: one file, one line. `io/NAME.rs` implements [`io::port::Outward`] (what it can do with the class of
//! every write, `apply`, `look`) and the ports it has ([`io::port::IncidentBackend`], [`io::port::ChatRoom`] …), and exports
//! an [`io::integration::Integration`]; the line goes into [`run::integrations::INTEGRATIONS`]. [`io::webhook`] is the
//! example. Send with [`io::http::Http::write`], whose failure knows whether the request may have been carried out, and
//! say in [`io::port::Outward::unprobed`] why `doctor` cannot ask it, where that is so, and
//! give [`domain::outward::outcome::Outcome`]s that are true; retries, waits, leases and undo are the outbox's business.
//! Tests: a rig in `tests/it/contract/NAME.rs` around a `StatefulServer`, and its line in `contract::rigs`, which runs the
//! whole contract on it. A key that needs one of its writes asks [`app::present::available::lacks`]. Entries are connected,
//! exchanged and let go under a running cockpit by [`run::targets`]. An API of JSON is asked through [`io::http::json`]
//! (`paced`, where the product counts requests); what adapters of paging products share (services, what is compared before a
//! write) is [`io::pages`]; what only tells of changes has the port [`io::port::changes::ChangeFeed`], as [`io::git`] has. A
//! product's own scheme of authentication is [`io::http::Auth`]'s `Header`.
//!
//! **A screen.** A variant of [`app::screen::Screen`]; what is on it in `app/present/NAME.rs` with a variant of
//! [`app::present::view::Body`]; what can be selected in [`app::present::items`]; its cells in `ui/screen/NAME.rs`. The
//! compiler names every other place. A sample in `tests/it/sample_views.rs` pins it at four sizes.
//!
//! **An action.** A variant and a row in [`app::action`], an arm in `app/update/act.rs`, and a line in
//! [`app::present::available::why_not`] if it is not always possible. Hints, help, palette and the README's table follow.
//!
//! **An event kind.** A variant of [`domain::incident::event::Body`] with its `kind`, free texts under a name that
//! [`domain::incident::redaction`] knows, an arm in
//! [`domain::incident::state`], an arm in [`domain::incident::timeline`]; the rule that makes it in
//! [`domain::incident::decide`]. Old logs must fold as before: a kind is never renamed or given another meaning.
//!
//! **A file that may change while the cockpit runs.** [`run::watch`] reads it again when the machine asks for a look
//! ([`app::reload`]); a `diff` of the domain says what changed; a broken one keeps its last good version.
//!
//! **A format of objectives.** A reader beside [`domain::slo::pyrra`] that takes
//! [`domain::slo::objective::Objective`]s and findings out of a document, and a row in `FORMATS` of
//! [`domain::slo::format`]; all files together become a [`domain::slo::catalogue::Catalogue`]. What it can say has a place
//! in [`domain::slo::own`], whose table of keys makes schema and reference page; rich and wrong files go to
//! `tests/fixtures/slo`. Runbooks have the same place: [`domain::runbook::format`];
//! pages of prose come through [`domain::runbook::markdown`], and none of them ever runs.
//!
//! **A key of runbook files.** A row in [`domain::runbook::keys::v1`], a field of [`domain::runbook::model`], the line that
//! reads it below [`domain::runbook::v1`], and its use in `tests/fixtures/runbooks/v1/every-key.yaml`. The tests miss each
//! of the four; the JSON Schema and the reference page follow (`midwatch schema runbook > assets/schemas/runbook.json`).
//!
//! **A rule for runbooks.** An arm below [`domain::runbook::lint`] under its number, a file below
//! `tests/fixtures/runbooks/v1/bad`, its line in `expected.txt` there. What it wants to know of the world is a field of
//! [`domain::runbook::lint::Facts`], filled in [`run::watch`] for the cockpit and in [`cli::runbook::around`] for commands, and
//! it is silent while that is `None`.
//!
//! **A rule for objectives.** A row in [`domain::slo::lint::rules`] with a number that was never used, its words in the
//! file of its subject below `domain/slo/lint`, and a row in the table of its tests: a file on which it speaks, and one on
//! which it does not. What it wants of a server is a field of [`domain::slo::lint::facts`] and of
//! [`domain::slo::lint::questions`], answered by [`io::prometheus::inspect`].
//!
//! **A key of scenarios.** A row in [`domain::drill::scenario::keys`], a field of [`domain::drill::scenario`], the line that
//! reads it below [`domain::drill::scenario::read`], and what it does in [`domain::drill::stage`]. What can be wrong with it
//! is a rule below [`domain::drill::scenario::lint`] and a file in `tests/fixtures/scenarios/bad`.
//!
//! **A shipped scenario.** A file in `assets/scenarios`, its runbook beside it, a row in [`run::drill::shelf`], and a script
//! in `tests/fixtures/drills` that earns every point.
//!
//! **A key of experiments.** A row in [`domain::experiment::keys`], a field of [`domain::experiment::model`], the line that reads
//! it below [`domain::experiment::read`], and its use in `tests/fixtures/experiments/every-key.yaml`; then `midwatch schema
//! experiment > assets/schemas/experiment.json`. What can be wrong with it is a number in [`domain::experiment::lint`] and a file
//! below `tests/fixtures/experiments/bad`. What it does is in [`domain::experiment::machine`], whose tests end an experiment at
//! every point: a new [`domain::experiment::machine::Phase`] is met there by itself, a new way to end is a `Blow` there.
//!
//! **A shape of timelines to take in.** A reader in [`domain::import`] with its line in `Shape`, its examples in the tests
//! there; what has no zone must say so, and an id of its own keeps a line from being taken in twice.
//!
//! **A name for postmortem templates.** A field of [`domain::postmortem::facts::Facts`] and its row in
//! [`domain::postmortem::reference`]; a test misses either.
//!
//! **A theme.** A file in `assets/themes`, a row in [`ui::theme::SHIPPED`], a word in [`config::theme::ThemeName`]. The
//! tests measure contrast and that tones can be told apart.
//!
//! **A command.** Its arguments in [`cli::args`], a file in `cli` with a `run`, an arm in [`cli`]'s dispatch. Results go
//! through [`cli::output`]; the JSON names are a promise from the first day.
//!
//! **A picture for the README.** A moment in the story of `tests/it/pictures.rs`.
//!
//! # Deliberately absent
//!
//! - No lock around the model, no callbacks in messages, no channel inside a widget.
//! - No tick, no animation, no colour that carries a meaning alone.
//! - No templates or substitution in commands, and no shell unless a runbook's command is one.
//! - No PromQL of our own making beyond splitting and grouping what the person wrote.
//! - No daemon: timers run while a cockpit runs. No telemetry. No secret in a file of ours.
//! - No `util`, `helper`, `common`: a thing without a name of its own has no file yet.
//!
//! # Seams for what comes next
//!
//! - **A team's record**: another [`io::store::Store`]; the log is a set, so copying is merging ([`io::store::Store::merge`]).

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod io;
pub mod run;
pub mod ui;
