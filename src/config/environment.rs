//! What the environment and the machine say. Takes both as values; never asks for them.

use crate::config::{Environment, Inputs, Loaded, Origin, Word};
use crate::domain::document::{Finding, Level, nearest};
use chrono_tz::Tz;

/// Variables of our own. The first two are read before there is a file.
pub const VARIABLES: [&str; 6] = [
    "MIDWATCH_CONFIG",
    "MIDWATCH_DATA_DIR",
    "MIDWATCH_LOG_LEVEL",
    "MIDWATCH_READ_ONLY",
    "MIDWATCH_THEME",
    "MIDWATCH_TIME_ZONE",
];

/// The user's name and the machine's zone, as the lowest layer above the defaults.
pub(super) fn machine(loaded: &mut Loaded, inputs: &Inputs<'_>) {
    for name in ["USER", "LOGNAME"] {
        let user = inputs.environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        if let Some(user) = user {
            loaded.config.responder.name = user.to_owned();
            loaded.origins.set("responder.name", Origin::Environment(name.to_owned()));
            break;
        }
    }
    if let Some(zone) = inputs.machine_zone.and_then(|name| name.parse::<Tz>().ok()) {
        loaded.config.time_zone = zone;
        loaded.origins.set("time_zone", Origin::Machine);
    }
}

/// Lets our own variables overrule the file. An empty variable says nothing.
pub(super) fn apply(loaded: &mut Loaded, environment: &Environment) {
    for (name, text) in environment.iter().filter(|(name, text)| name.starts_with("MIDWATCH_") && !text.is_empty()) {
        let origin = Origin::Environment(name.clone());
        let config = &mut loaded.config;
        let done = match name.as_str() {
            "MIDWATCH_CONFIG" | "MIDWATCH_DATA_DIR" => continue,
            "MIDWATCH_THEME" => Word::from_word(text).map(|theme| {
                config.screen.theme = theme;
                "theme"
            }),
            "MIDWATCH_LOG_LEVEL" => Word::from_word(text).map(|level| {
                config.log_level = level;
                "log_level"
            }),
            "MIDWATCH_TIME_ZONE" => zone(text).map(|zone| {
                config.time_zone = zone;
                "time_zone"
            }),
            "MIDWATCH_READ_ONLY" => switch(text).map(|on| {
                config.read_only = on;
                "read_only"
            }),
            unknown => {
                loaded.findings.push(stranger(unknown));
                continue;
            }
        };
        match done {
            Ok(key) => loaded.origins.set(key, origin),
            Err(message) => loaded.findings.push(finding(name, Level::Error, "environment", message)),
        }
    }
}

/// A zone by IANA name.
pub fn zone(text: &str) -> Result<Tz, String> {
    text.parse::<Tz>().map_err(|_| {
        let text = crate::domain::text::clean(text);
        let near = nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map(|name| format!("; nearest: `{name}`")).unwrap_or_default();
        format!("`{text}` is not a time zone (expected a name like Europe/Berlin or UTC{near})")
    })
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err("expected 1, true, 0 or false".to_owned()),
    }
}

fn stranger(name: &str) -> Finding {
    let near = nearest(name, VARIABLES).map(|near| format!(" (nearest: {near})")).unwrap_or_default();
    finding(name, Level::Warning, "unknown-key", format!("no setting has this name{near}"))
}

fn finding(name: &str, level: Level, rule: &str, message: String) -> Finding {
    let path = format!("environment {}", crate::domain::text::clean(name));
    Finding { path, line: 0, column: 0, rule: rule.to_owned(), level, message }
}
