//! What was said on the command line, and how it overrules everything else. Parsing arguments is the command line's business.

use crate::config::{Glyphs, Loaded, LogLevel, Origin, ThemeName};
use chrono_tz::Tz;

/// Whether colour is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// By terminal and environment.
    #[default]
    Auto,
    /// Also into a pipe.
    Always,
    /// Not at all.
    Never,
}

/// Global flags that change a setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--read-only`
    pub read_only: bool,
    /// `--theme`
    pub theme: Option<ThemeName>,
    /// `--ascii`
    pub ascii: bool,
    /// `--slow`
    pub slow: bool,
    /// `--color`
    pub color: ColorChoice,
    /// `--log-level`
    pub log_level: Option<LogLevel>,
    /// `--time-zone`
    pub time_zone: Option<Tz>,
}

/// Lets flags overrule.
pub(super) fn apply(loaded: &mut Loaded, flags: &Flags) {
    let Loaded { config, origins, .. } = loaded;
    let mut note = |key: &str, flag: &str| origins.set(key, Origin::Flag(flag.to_owned()));
    if flags.read_only {
        config.read_only = true;
        note("read_only", "--read-only");
    }
    if let Some(theme) = flags.theme {
        config.screen.theme = theme;
        note("theme", "--theme");
    }
    if flags.ascii {
        config.screen.glyphs = Glyphs::Ascii;
        note("glyphs", "--ascii");
    }
    if flags.slow {
        config.screen.slow = true;
        note("slow", "--slow");
    }
    if let Some(level) = flags.log_level {
        config.log_level = level;
        note("log_level", "--log-level");
    }
    if let Some(zone) = flags.time_zone {
        config.time_zone = zone;
        note("time_zone", "--time-zone");
    }
}
