//! Which theme is used and who decides: `--theme`, `MIDWATCH_THEME`, the file, `NO_COLOR`, the terminal, else adaptive.
//! Names only; the colours are the screen's business.

use crate::config::flags::ColorChoice;
use crate::config::{Inputs, Loaded, Origin, Word};

/// The built-in themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// Works unread on light and dark.
    #[default]
    Adaptive,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// High contrast on black.
    HcDark,
    /// High contrast on white.
    HcLight,
    /// No colour at all.
    Mono,
}

impl Word for ThemeName {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("adaptive", Self::Adaptive),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("hc-dark", Self::HcDark),
        ("hc-light", Self::HcLight),
        ("mono", Self::Mono),
    ];
}

/// Chooses the theme where nobody named one, and lets `--color` overrule.
pub(super) fn choose(loaded: &mut Loaded, inputs: &Inputs<'_>) {
    let set = |loaded: &mut Loaded, theme, origin| {
        loaded.config.screen.theme = theme;
        loaded.origins.set("theme", origin);
    };
    let flag = Origin::Flag("--color".to_owned());
    if inputs.flags.color == ColorChoice::Never {
        return set(loaded, ThemeName::Mono, flag);
    }
    if loaded.origins.said("theme") {
        return;
    }
    let variable = |name: &str| inputs.environment.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let from = |name: &str| Origin::Environment(name.to_owned());
    let always = inputs.flags.color == ColorChoice::Always || variable("CLICOLOR_FORCE").is_some_and(|v| v != "0");
    if !always && variable("NO_COLOR").is_some() {
        return set(loaded, ThemeName::Mono, from("NO_COLOR"));
    }
    if !always && variable("TERM").is_some_and(|term| term == "dumb" || term.starts_with("vt")) {
        return set(loaded, ThemeName::Mono, from("TERM"));
    }
    if let Some(theme) = variable("COLORFGBG").and_then(background) {
        set(loaded, theme, from("COLORFGBG"));
    }
}

/// The last field of `COLORFGBG` is the background colour, 0 to 15; anything else says nothing.
fn background(text: &str) -> Option<ThemeName> {
    let field = text.rsplit(';').next()?;
    if !field.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match field.parse::<u8>().ok()? {
        0..=6 | 8 => Some(ThemeName::Dark),
        7 | 9..=15 => Some(ThemeName::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_is_not_black() {
        for (text, want) in [
            ("15;0", Some(ThemeName::Dark)),
            ("0;15", Some(ThemeName::Light)),
            ("0;default;15", Some(ThemeName::Light)),
            ("12;8", Some(ThemeName::Dark)),
            ("15;", None),
            ("", None),
            ("0;16", None),
            ("0;+3", None),
            ("15;default", None),
        ] {
            assert_eq!(background(text), want, "{text}");
        }
    }
}
