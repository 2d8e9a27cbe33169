//! `midwatch` without a command: the full-screen cockpit. Also opens it for `demo` and for the first-run choices.

use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::config::{Connection, Glyphs as Chosen, LogLevel, PrometheusConfig, Screen};
use crate::io::files::log::LogFile;
use crate::run::setup::{Given, Ready, demo, real, settings};
use crate::run::terminal;
use crate::run::tui::{Ended, Looks, run as run_tui};
use crate::run::watch::{Reading, Reread};
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;
use std::sync::{Arc, Mutex};

/// The log file's size before it is begun anew.
const LOG_LIMIT: u64 = 4 << 20;

/// Opens the cockpit; without a configuration its first screen offers a drill, a Prometheus, or the one on localhost.
/// Where the terminal cannot show it (`TERM=dumb`, `ACCESSIBLE`, no terminal) the plain lines of `watch` are chosen.
/// A broken configuration does not keep it closed: what is good is used, what is wrong is on the screen.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    crate::cli::experiment::owed::before_the_cockpit(context, output);
    if let Some(why) = unusable(context) {
        output.note(&format!("plain lines ({why})"));
        return crate::cli::watch::plain(context, output, 60);
    }
    open(context, real(given(context, true)))
}

/// Why the full screen cannot be drawn here.
pub fn unusable(context: &Context) -> Option<&'static str> {
    let value = |name: &str| context.environment.get(name).map(String::as_str);
    terminal::unusable(value("TERM").unwrap_or_default(), value("ACCESSIBLE"))
}

/// What the machine is made of.
pub fn given(context: &Context, with_record: bool) -> Given<'_> {
    let (slo_files, mut findings) = context.slo_files();
    let (runbook_files, more) = context.runbook_files();
    findings.extend(more);
    let mut all = context.all_findings();
    all.extend(findings);
    let user = ["USER", "LOGNAME"].iter().find_map(|n| context.environment.get(*n)).cloned();
    Given {
        config: context.config(),
        configured: context.configured,
        findings: all,
        severities: context.severities.clone(),
        config_path: context.folders.config_file.clone(),
        data: context.folders.data.clone(),
        cache: context.folders.cache.clone(),
        slo_files,
        runbook_files,
        user: user.unwrap_or_else(|| "responder".into()),
        with_record,
        reread: context.configured.then(|| reread(context)),
    }
}

/// Reads the configuration as it is now, and which files it names now.
fn reread(context: &Context) -> Reread {
    let context = context.clone();
    Arc::new(move || {
        // A machine that names no home folder any more keeps what it knew.
        let now = context.again().unwrap_or_else(|_| context.clone());
        let (slos, missing) = now.slo_files();
        let (runbooks, more) = now.runbook_files();
        let mut findings = now.all_findings();
        findings.extend(missing);
        findings.extend(more);
        Reading { settings: settings(now.config(), now.severities.clone(), findings), slos, runbooks }
    })
}

/// Runs the cockpit, and again when a first-run choice asks for another one.
pub fn open(context: &Context, ready: Ready) -> Result<Exit, Failure> {
    log_to_file(context);
    show(context, ready)
}

/// The same without a log file, for what writes no file at all.
pub fn show(context: &Context, mut ready: Ready) -> Result<Exit, Failure> {
    terminal::install_panic_hook(context.folders.state.join("panic.log"));
    loop {
        let again = context.clone();
        let restyle = Box::new(move |screen: &Screen| styled(&again, screen).ok());
        let ended = run_tui(ready, looks(context)?, restyle).map_err(|fault| Failure::Refused(fault.to_string()))?;
        ready = match ended {
            Ended::Exit(0) => return Ok(Exit::DONE),
            Ended::Exit(code) => return Ok(Exit::of(code)),
            Ended::Demo => demo(&given(context, true), 1, 1),
            Ended::Connect(url) => {
                let mut given = given(context, true);
                let mut config = context.config().clone();
                config.prometheus.push(PrometheusConfig {
                    name: "prometheus".into(),
                    url,
                    connection: Connection::default(),
                    params: Vec::new(),
                    max_samples_per_second: None,
                    marks: Vec::new(),
                });
                given.config = &config;
                given.reread = None;
                real(given)
            }
        };
    }
}

/// What every full screen needs beside it: a log that is no line on it, and a terminal that is given back after a panic.
pub fn beside_screen(context: &Context) {
    log_to_file(context);
    terminal::install_panic_hook(context.folders.state.join("panic.log"));
}

/// Colours and characters by settings, locale and terminal; nothing is asked of the terminal.
pub fn looks(context: &Context) -> Result<Looks, Failure> {
    styled(context, &context.config().screen)
}

fn styled(context: &Context, screen: &Screen) -> Result<Looks, Failure> {
    let value = |name: &str| context.environment.get(name).map(String::as_str).unwrap_or_default();
    let term = value("TERM");
    let name = crate::config::word(screen.theme);
    let theme = Theme::named(name).or_else(|| Theme::named("adaptive"));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|n| value(n)).find(|v| !v.is_empty()).unwrap_or_default();
    let utf8 = locale.to_lowercase().replace('-', "").contains("utf8");
    let poor = ["linux", "ansi", "vt100", "vt220", "vt320"].contains(&term);
    let glyphs = match screen.glyphs {
        Chosen::Ascii => Glyphs::Ascii,
        Chosen::Block => Glyphs::Block,
        Chosen::Unicode => Glyphs::Unicode,
        Chosen::Auto if !utf8 || poor || screen.cjk_width => Glyphs::Ascii,
        Chosen::Auto => Glyphs::Unicode,
    };
    let theme = theme.ok_or_else(|| Failure::Refused("the shipped themes cannot be read".into()))?;
    Ok(Looks { theme, glyphs, synchronized: !poor && !screen.slow })
}

/// What goes wrong is written to a file: a line on the screen would break it.
fn log_to_file(context: &Context) {
    let path = context.folders.state.join("midwatch.log");
    let Ok(file) = LogFile::open(&path, LOG_LIMIT) else { return };
    let level = match context.config().log_level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    // Beside us only the connection pool speaks through tracing: it names hosts, never headers or queries.
    let subscriber =
        tracing_subscriber::fmt().with_writer(Mutex::new(file)).with_ansi(false).with_max_level(level).finish();
    // A second one (the demo after the first-run screen) keeps the first.
    let _: Result<(), _> = tracing::subscriber::set_global_default(subscriber);
}
