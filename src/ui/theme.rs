//! What a meaning looks like: tones and signs become styles. Themes are files; nothing here knows a screen.
//! Colours are xterm-256 indices only, so that no terminal needs to be asked what it can do.

use crate::app::present::view::{Sign, Tone};
use crate::domain::document::{self, Finding, Level, Node, Reader};
use ratatui::style::{Color, Modifier, Style};

/// The shipped themes: name and file.
pub const SHIPPED: [(&str, &str); 6] = [
    ("adaptive", include_str!("../../assets/themes/adaptive.yaml")),
    ("dark", include_str!("../../assets/themes/dark.yaml")),
    ("light", include_str!("../../assets/themes/light.yaml")),
    ("hc-dark", include_str!("../../assets/themes/hc-dark.yaml")),
    ("hc-light", include_str!("../../assets/themes/hc-light.yaml")),
    ("mono", include_str!("../../assets/themes/mono.yaml")),
];

const TONES: [(&str, Tone); 8] = [
    ("text", Tone::Text),
    ("muted", Tone::Muted),
    ("ok", Tone::Ok),
    ("warn", Tone::Warn),
    ("crit", Tone::Crit),
    ("stale", Tone::Stale),
    ("drill", Tone::Drill),
    ("accent", Tone::Accent),
];
const TONE_NAMES: [&str; 8] = ["text", "muted", "ok", "warn", "crit", "stale", "drill", "accent"];

/// For which terminals a theme is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Appearance {
    /// Whatever it is.
    #[default]
    Any,
    /// Light words on a dark ground.
    Dark,
    /// Dark words on a light ground.
    Light,
}

/// Styles by meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// For which terminals.
    pub appearance: Appearance,
    words: [Style; 8],
    signs: [Style; 8],
    badge: Style,
    selection: Style,
    background: Option<Color>,
    /// A `>` beside the selected row, for themes in which reversed has another meaning too.
    pub marks_selection: bool,
}

fn slot(tone: Tone) -> usize {
    TONES.iter().position(|(_, t)| *t == tone).unwrap_or(0)
}

impl Theme {
    /// A shipped theme.
    pub fn named(name: &str) -> Option<Self> {
        let (path, text) = SHIPPED.iter().find(|(n, _)| *n == name)?;
        Self::read(path, text).0
    }

    /// Reads a theme file. A theme is returned only when nothing in it is wrong.
    pub fn read(path: &str, text: &str) -> (Option<Self>, Vec<Finding>) {
        let (node, mut findings) = document::parse(path, text);
        let Some(node) = node else { return (None, findings) };
        let mut reader = Reader::new(path);
        let theme = read_theme(&mut reader, &node);
        findings.append(&mut reader.findings);
        let sound = !findings.iter().any(|f| f.level == Level::Error);
        (theme.filter(|_| sound), findings)
    }

    /// The ground every cell starts from.
    pub fn base(&self) -> Style {
        let words = self.words(Tone::Text);
        self.background.map_or(words, |bg| words.bg(bg))
    }

    /// Words of a tone.
    pub fn words(&self, tone: Tone) -> Style {
        self.words.get(slot(tone)).copied().unwrap_or_default()
    }

    /// Words that must not be overlooked.
    pub fn loud(&self, tone: Tone) -> Style {
        self.glyph(tone).add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// Gauge and chart cells of a tone.
    pub fn glyph(&self, tone: Tone) -> Style {
        self.signs.get(slot(tone)).copied().unwrap_or_default()
    }

    /// The two cells of a sign; page-level is a badge.
    pub fn sign(&self, sign: Sign) -> Style {
        if sign == Sign::Page { self.badge } else { self.glyph(sign.tone()) }
    }

    /// What a selected row adds.
    pub fn selection(&self) -> Style {
        self.selection
    }

    /// The painted background, if the theme paints one.
    pub fn background(&self) -> Option<Color> {
        self.background
    }
}

fn read_theme(reader: &mut Reader<'_>, node: &Node) -> Option<Theme> {
    const KEYS: [&str; 8] =
        ["name", "appearance", "background", "words", "signs", "badge", "selection", "selection_mark"];
    let fields = reader.map(node, "a theme", &KEYS)?;
    let name = fields.need(reader, "name").and_then(|n| reader.string(n, "name")).unwrap_or_default();
    let mut theme = Theme {
        name,
        appearance: Appearance::Any,
        words: [Style::new(); 8],
        signs: [Style::new(); 8],
        badge: Style::new().add_modifier(Modifier::REVERSED),
        selection: Style::new().add_modifier(Modifier::REVERSED),
        background: fields.get("background").and_then(|n| colour(reader, n, "background")),
        marks_selection: fields
            .get("selection_mark")
            .and_then(|n| reader.boolean(n, "selection_mark"))
            .unwrap_or(false),
    };
    if let Some(n) = fields.get("appearance") {
        match reader.string(n, "appearance").as_deref() {
            Some("any") | None => {}
            Some("dark") => theme.appearance = Appearance::Dark,
            Some("light") => theme.appearance = Appearance::Light,
            Some(_) => reader.wrong(n, "appearance", "any, dark or light"),
        }
    }
    if let Some(n) = fields.need(reader, "words") {
        tones(reader, n, &mut theme.words, "words");
    }
    theme.signs = theme.words;
    if let Some(n) = fields.get("signs") {
        tones(reader, n, &mut theme.signs, "signs");
    }
    if let Some(n) = fields.get("badge") {
        theme.badge = look(reader, n, "badge");
    }
    if let Some(n) = fields.get("selection") {
        theme.selection = look(reader, n, "selection");
        if theme.selection == Style::new() {
            reader.error(n.mark, "invisible-selection", "the selection looks like any other row; add reversed or bg");
        }
    }
    Some(theme)
}

fn tones(reader: &mut Reader<'_>, node: &Node, styles: &mut [Style; 8], what: &str) {
    let Some(fields) = reader.map(node, what, &TONE_NAMES) else { return };
    for (name, tone) in TONES {
        if let (Some(n), Some(style)) = (fields.get(name), styles.get_mut(slot(tone))) {
            *style = look(reader, n, name);
        }
    }
}

fn look(reader: &mut Reader<'_>, node: &Node, what: &str) -> Style {
    let Some(fields) = reader.map(node, what, &["fg", "bg", "bold", "reversed"]) else { return Style::new() };
    let mut style = Style::new();
    style.fg = fields.get("fg").and_then(|n| colour(reader, n, "fg"));
    style.bg = fields.get("bg").and_then(|n| colour(reader, n, "bg"));
    for (key, modifier) in [("bold", Modifier::BOLD), ("reversed", Modifier::REVERSED)] {
        if fields.get(key).and_then(|n| reader.boolean(n, key)).unwrap_or(false) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn colour(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Color> {
    if node.value == document::Value::Null {
        return None;
    }
    let number = reader.number(node, what)?;
    if number.fract() == 0.0 && (0.0..=255.0).contains(&number) {
        return Some(Color::Indexed(number as u8));
    }
    reader.wrong(node, what, "an xterm-256 index, 0 to 255");
    None
}

/// Red, green and blue of an xterm-256 index as xterm ships it.
pub fn rgb(index: u8) -> (u8, u8, u8) {
    const BASIC: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ];
    if let Some(basic) = BASIC.get(usize::from(index)) {
        return *basic;
    }
    if index >= 232 {
        let grey = (index - 232).saturating_mul(10).saturating_add(8);
        return (grey, grey, grey);
    }
    let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
    let cube = index - 16;
    (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
}
