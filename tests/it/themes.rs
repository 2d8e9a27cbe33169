//! Every shipped theme can be read by people who see few colours, on light and on dark grounds. Recomputed from the files.

use midwatch::app::present::view::{Sign, Tone};
use midwatch::ui::theme::{Appearance, SHIPPED, Theme, rgb};
use ratatui::style::{Color, Modifier, Style};

type Rgb = (u8, u8, u8);

const DARK: [Rgb; 6] = [(0, 0, 0), (13, 17, 23), (30, 30, 30), (40, 44, 52), (0, 43, 54), (48, 10, 36)];
const LIGHT: [Rgb; 4] = [(255, 255, 255), (245, 245, 245), (253, 246, 227), (232, 232, 232)];
const TONES: [Tone; 8] =
    [Tone::Text, Tone::Muted, Tone::Ok, Tone::Warn, Tone::Crit, Tone::Stale, Tone::Drill, Tone::Accent];
/// Seen as it is, then by people without red, green and blue cones (Machado, Oliveira and Fernandes 2009, severity 1).
const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    ("protan", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    ("deutan", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    ("tritan", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
];

fn linear(c: u8) -> f64 {
    let c = f64::from(c) / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

fn light(c: Rgb) -> [f64; 3] {
    [linear(c.0), linear(c.1), linear(c.2)]
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |c| {
        let [r, g, b] = light(c);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn seen(c: Rgb, by: &[[f64; 3]; 3]) -> [f64; 3] {
    let l = light(c);
    by.map(|row| row.iter().zip(l).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0))
}

fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    let y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
    let z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The CIEDE2000 difference of two colours.
fn difference([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
    let pow7 = |c: f64| (c.powi(7) / (c.powi(7) + 25f64.powi(7))).sqrt();
    let g = 0.5 * (1.0 - pow7((a1.hypot(b1) + a2.hypot(b2)) / 2.0));
    let (a1, a2) = (a1 * (1.0 + g), a2 * (1.0 + g));
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) };
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));
    let grey = c1 * c2 == 0.0;
    let dh = if grey { 0.0 } else { (h2 - h1 + 540.0).rem_euclid(360.0) - 180.0 };
    let dh = 2.0 * (c1 * c2).sqrt() * (dh / 2.0).to_radians().sin();
    let (l, c) = ((l1 + l2) / 2.0, (c1 + c2) / 2.0);
    let h = match (h1 + h2, (h1 - h2).abs()) {
        (sum, _) if grey => sum,
        (sum, apart) if apart <= 180.0 => sum / 2.0,
        (sum, _) if sum < 360.0 => (sum + 360.0) / 2.0,
        (sum, _) => (sum - 360.0) / 2.0,
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0) - 0.2 * cos(4.0 * h - 63.0);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let turn = (60.0 * (-((h - 275.0) / 25.0).powi(2)).exp()).to_radians().sin();
    let rt = -turn * 2.0 * pow7(c);
    let (dl, dc, dh) = ((l2 - l1) / sl, (c2 - c1) / sc, dh / sh);
    (dl * dl + dc * dc + dh * dh + rt * dc * dh).sqrt()
}

fn index(colour: Option<Color>) -> Option<Rgb> {
    match colour {
        Some(Color::Indexed(i)) => Some(rgb(i)),
        None | Some(Color::Reset) => None,
        other => panic!("{other:?} is not an xterm-256 index"),
    }
}

fn grounds(theme: &Theme) -> Vec<Rgb> {
    match (index(theme.background()), theme.appearance) {
        (Some(painted), _) => vec![painted],
        (None, Appearance::Dark) => DARK.to_vec(),
        (None, Appearance::Light) => LIGHT.to_vec(),
        (None, Appearance::Any) => DARK.into_iter().chain(LIGHT).collect(),
    }
}

fn themes() -> impl Iterator<Item = Theme> {
    SHIPPED.iter().map(|(name, text)| {
        let (theme, findings) = Theme::read(name, text);
        assert!(findings.is_empty(), "{findings:?}");
        let theme = theme.unwrap();
        assert_eq!(theme.name, *name);
        theme
    })
}

#[test]
fn words_and_signs_can_be_read_on_every_ground() {
    for theme in themes() {
        for (tone, ground) in TONES.iter().flat_map(|t| grounds(&theme).into_iter().map(move |g| (t, g))) {
            for (style, least) in [(theme.words(*tone), 4.5), (theme.glyph(*tone), 3.0)] {
                if let Some(fg) = index(style.fg) {
                    let has = contrast(fg, index(style.bg).unwrap_or(ground));
                    assert!(has >= least, "{} {tone:?} on {ground:?}: {has:.2}, needs {least}", theme.name);
                }
            }
        }
        let badge = theme.sign(Sign::Page);
        if let (Some(fg), Some(bg)) = (index(badge.fg), index(badge.bg)) {
            assert!(contrast(fg, bg) >= 4.5, "{} badge", theme.name);
        }
    }
}

#[test]
fn states_differ_under_every_colour_blindness() {
    for theme in themes().filter(|t| t.name != "mono") {
        let least = if matches!(theme.name.as_str(), "dark" | "light") { 15.0 } else { 10.0 };
        let states: Vec<(Tone, Rgb)> = [Tone::Ok, Tone::Warn, Tone::Crit, Tone::Stale]
            .into_iter()
            .filter_map(|tone| Some((tone, index(theme.glyph(tone).fg)?)))
            .collect();
        assert!(states.len() >= 3, "{}", theme.name);
        for (i, (a, x)) in states.iter().enumerate() {
            for (b, y) in states.iter().skip(i + 1) {
                for (sight, matrix) in &SIGHTS {
                    let has = difference(lab(seen(*x, matrix)), lab(seen(*y, matrix)));
                    assert!(has >= least, "{} {a:?}/{b:?} {sight}: {has:.1}, needs {least}", theme.name);
                }
            }
        }
    }
}

#[test]
fn the_difference_formula_agrees_with_published_pairs() {
    // Pairs 1, 7, 14 and 25 of the test data by Sharma, Wu and Dalal (2005).
    for (a, b, want) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0010, -2.4900], 4.8045),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
    ] {
        assert!((difference(a, b) - want).abs() < 1e-3, "{} {want}", difference(a, b));
    }
}

#[test]
fn mono_has_no_colour_and_tells_states_apart() {
    let mono = Theme::named("mono").unwrap();
    for style in TONES.iter().flat_map(|t| [mono.words(*t), mono.glyph(*t), mono.loud(*t)]).chain([mono.base()]) {
        assert_eq!((style.fg, style.bg), (None, None));
        assert!(!style.add_modifier.intersects(Modifier::DIM | Modifier::ITALIC | Modifier::SLOW_BLINK));
    }
    assert_ne!(mono.glyph(Tone::Warn), mono.glyph(Tone::Crit));
    assert_ne!(mono.glyph(Tone::Warn), mono.glyph(Tone::Ok));
    assert!(mono.marks_selection);
}

#[test]
fn the_adaptive_theme_leaves_words_to_the_terminal() {
    let theme = Theme::named("adaptive").unwrap();
    assert!(TONES.iter().all(|t| theme.words(*t).fg.is_none() && theme.words(*t).bg.is_none()));
}

#[test]
fn a_wrong_theme_says_where() {
    let (theme, findings) = Theme::read("my.yaml", "name: x\nwords:\n  txt: {fg: 3}\n  ok: {fg: 300}\n");
    assert_eq!(theme, None);
    let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|f| f.starts_with("my.yaml:3:") && f.contains("txt")), "{said:?}");
    assert!(said.iter().any(|f| f.starts_with("my.yaml:4:") && f.contains("300")), "{said:?}");
    let (theme, findings) = Theme::read("my.yaml", "name: x\nwords: {}\nselection: {}\n");
    assert!(theme.is_none() && findings[0].rule == "invisible-selection");
    assert_eq!(Theme::named("neon"), None);
    assert_eq!(Style::new(), Theme::named("mono").unwrap().words(Tone::Text));
}
