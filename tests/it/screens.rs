//! What every screen looks like at every size, and what holds for any view at any size.

use crate::sample_overlays as overlays;
use crate::sample_views as sample;
use midwatch::app::present::view::*;
use midwatch::domain::text::{is_hidden, width};
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::svg::svg;
use midwatch::ui::theme::{SHIPPED, Theme};
use midwatch::ui::view::draw;
use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::collections::BTreeSet;

pub const SIZES: [(u16, u16); 4] = [(40, 10), (80, 24), (120, 40), (200, 60)];

fn drawn(view: &View, theme: &str, glyphs: Glyphs, (w, h): (u16, u16)) -> Buffer {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(view, &Theme::named(theme).unwrap(), glyphs, area, &mut buf);
    buf
}

fn rows(buf: &Buffer, write: impl Fn(&Cell, &mut String)) -> Vec<String> {
    let mut out = Vec::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            if skip == 0 {
                write(cell, &mut line);
                skip = width(cell.symbol()).max(1);
            }
            skip -= 1;
        }
        out.push(line.trim_end().to_owned());
    }
    out
}

pub fn text(buf: &Buffer) -> Vec<String> {
    rows(buf, |cell, line| line.push_str(cell.symbol()))
}

/// One letter a cell: t text, m muted, o ok, w warn, c crit, a accent, d drill, b badge; a capital is bold, R reversed.
fn roles(buf: &Buffer) -> Vec<String> {
    rows(buf, |cell, line| {
        let letter = match cell.fg {
            _ if cell.modifier.contains(Modifier::REVERSED) => 'R',
            _ if cell.symbol() == " " => ' ',
            Color::Indexed(253) => 't',
            Color::Indexed(248) => 'm',
            Color::Indexed(39) => 'o',
            Color::Indexed(227) => 'w',
            Color::Indexed(203) => 'c',
            Color::Indexed(249) => 's',
            Color::Indexed(225) => 'd',
            Color::Indexed(80) => 'a',
            Color::Indexed(16) => 'b',
            _ => '?',
        };
        line.push(if cell.modifier.contains(Modifier::BOLD) && letter != 'R' {
            letter.to_ascii_uppercase()
        } else {
            letter
        });
    })
}

pub fn snapshot(name: &str, lines: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, lines.join("\n")));
}

fn all() -> Vec<(&'static str, View)> {
    let mut all = sample::screens();
    all.extend([("quiet", sample::quiet()), ("degraded", sample::degraded()), ("wide", sample::wide())]);
    all.extend(overlays::overlays());
    all
}

#[test]
fn every_screen_at_every_size() {
    for (name, view) in all() {
        for (w, h) in SIZES {
            let buf = drawn(&view, "dark", Glyphs::Unicode, (w, h));
            snapshot(&format!("{name}_{w}x{h}"), &text(&buf));
        }
    }
}

#[test]
fn an_objective_has_all_of_its_numbers_in_a_small_terminal() {
    let shown = |numbers: bool| {
        let detail = SloDetail { numbers, ..sample::slo_detail() };
        text(&drawn(&sample::view(Body::Slo(Box::new(detail))), "dark", Glyphs::Unicode, (80, 24))).join("\n")
    };
    let (chart, numbers) = (shown(false), shown(true));
    assert!(chart.contains("PgDn: all of it") && chart.contains("14.4|") && !chart.contains("RELATED"), "{chart}");
    for said in ["PgUp: the chart", "ALERT PAIRS", "11h58m at the 6h rate", "saturation no data", "RELATED", "INC-0311"]
    {
        assert!(numbers.contains(said), "{said}: {numbers}");
    }
    assert!(!numbers.contains("14.4|"), "{numbers}");
    snapshot(
        "slo_numbers_80x24",
        &text(&drawn(
            &sample::view(Body::Slo(Box::new(SloDetail { numbers: true, ..sample::slo_detail() }))),
            "dark",
            Glyphs::Unicode,
            (80, 24),
        )),
    );
}

#[test]
fn three_screens_by_role() {
    for (name, view) in all().into_iter().filter(|(n, _)| ["overview", "incident", "degraded"].contains(n)) {
        snapshot(&format!("{name}_roles_80x24"), &roles(&drawn(&view, "dark", Glyphs::Unicode, (80, 24))));
    }
}

#[test]
fn three_screens_in_ascii() {
    for (name, view) in all().into_iter().filter(|(n, _)| ["overview", "slo", "degraded"].contains(n)) {
        let buf = drawn(&view, "mono", Glyphs::Ascii, (80, 24));
        assert!(buf.content.iter().all(|c| c.symbol().is_ascii()), "{name}");
        snapshot(&format!("{name}_ascii_80x24"), &text(&buf));
    }
}

#[test]
fn glyph_sets_differ_in_gauges_and_charts_only() {
    let graphic = |c: &str| {
        c.chars().all(|c| matches!(c, '\u{2580}'..='\u{259f}' | '\u{2800}'..='\u{28ff}' | '*' | '#' | '.' | '-' | '=' | ' ' | '|'))
    };
    for (name, view) in all() {
        let (a, b) = (drawn(&view, "dark", Glyphs::Unicode, (120, 40)), drawn(&view, "dark", Glyphs::Ascii, (120, 40)));
        for (x, y) in a.content.iter().zip(&b.content) {
            assert!(x.symbol() == y.symbol() || (graphic(x.symbol()) && graphic(y.symbol())), "{name}: {x:?} {y:?}");
        }
    }
}

#[test]
fn the_status_lines_stand_on_every_screen() {
    for (name, view) in all() {
        for w in (40..=200).step_by(9).chain([79, 80, 119, 120, 159, 160]) {
            for h in [10, 11, 15, 24, 50] {
                let lines = text(&drawn(&view, "adaptive", Glyphs::Unicode, (w, h)));
                let top = usize::from(view.head.drill.is_some());
                assert!(
                    lines[top].starts_with("03:14:07Z") && lines[top].contains("[exec off]"),
                    "{name} {w}x{h}: {}",
                    lines[top]
                );
                let first = &view.head.incident[0].text;
                assert!(lines[top + 1].starts_with(first.as_str()), "{name} {w}x{h}: {}", lines[top + 1]);
                if view.head.timer.is_some() {
                    assert!(
                        lines[top + 1..top + 3].iter().any(|l| l.contains("eng-manager in 08:20")),
                        "{name} {w}x{h}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_loud_source_and_the_queue_outlast_what_is_fine() {
    for w in 50..=200 {
        let lines = text(&drawn(&sample::degraded(), "adaptive", Glyphs::Unicode, (w, 24)));
        assert!(lines[0].contains("PROM DOWN 4m02s"), "{w}: {}", lines[0]);
    }
}

#[test]
fn the_answer_line_of_a_confirmation_is_always_inside() {
    let mut long = overlays::confirm();
    long.rows.extend((0..40).map(|i| (format!("row {i}"), "a long text that has to wrap in narrow frames ".repeat(3))));
    let short = overlays::overlays().remove(3).1;
    let long = View { overlay: Some(Overlay::Confirm(long)), ..short.clone() };
    for view in [short, long] {
        for w in (6..=130).step_by(4) {
            for h in 1..=40 {
                let lines = text(&drawn(&view, "mono", Glyphs::Ascii, (w, h)));
                assert!(lines.iter().any(|l| l.contains("> 03_")), "{w}x{h}: {lines:#?}");
                if w >= 40 && h >= 10 {
                    let said = lines.join(" ").replace(['|', '\n'], " ");
                    let said: Vec<&str> = said.split_whitespace().collect();
                    assert!(said.join(" ").contains("anything else cancels"), "{w}x{h}");
                }
            }
        }
    }
}

#[test]
fn a_cut_confirmation_says_that_it_is_cut() {
    let mut long = overlays::confirm();
    long.rows.extend((0..40).map(|i| (format!("row {i}"), "text".to_owned())));
    let view = View { overlay: Some(Overlay::Confirm(long)), ..overlays::overlays().remove(3).1 };
    assert!(text(&drawn(&view, "mono", Glyphs::Ascii, (80, 24))).join("\n").contains("more lines"));
}

#[test]
fn below_the_smallest_frame_one_line_says_so() {
    let (_, view) = all().remove(0);
    let lines = text(&drawn(&view, "mono", Glyphs::Ascii, (39, 12)));
    assert_eq!(lines[0], "too small: 40x10 needed  03:14:07Z");
    assert_eq!(lines[1], ">> eng-manager in 08:20");
    assert!(lines[2..].iter().all(String::is_empty));
}

fn select(view: &mut View, at: usize) {
    match &mut view.body {
        Body::Overview(v) | Body::Slos(v) => v.slos.cursor = Some(at),
        Body::Alerts(v) => v.alerts.cursor = Some(at),
        Body::Timers(v) => v.timers.cursor = Some(at),
        Body::WhatChanged(v) => v.changes.cursor = Some(at),
        Body::Changes(v) => v.changes.cursor = Some(at),
        Body::Runbooks(v) => v.runbooks.cursor = Some(at),
        Body::Sources(v) => v.sources.cursor = Some(at),
        Body::FirstRun(v) => v.choices.cursor = Some(at),
        Body::Postmortem(v) => v.outline.cursor = Some(at),
        Body::Outbox(v) => v.queue.cursor = Some(at),
        Body::Messages(v) => v.cursor = Some(at),
        Body::Incident(v) => v.timeline.cursor = Some(at),
        Body::Board(v) => v.tasks.cursor = Some(at),
        Body::Slo(_) | Body::Walk(_) | Body::HandOff(_) => {}
    }
}

#[test]
fn moving_one_row_repaints_two_rows() {
    for (name, mut view) in sample::screens() {
        for size in SIZES {
            select(&mut view, 0);
            let before = drawn(&view, "dark", Glyphs::Unicode, size);
            select(&mut view, 1);
            let after = drawn(&view, "dark", Glyphs::Unicode, size);
            let changed: BTreeSet<u16> = before.diff(&after).iter().map(|(_, y, _)| *y).collect();
            assert!(changed.len() <= 2, "{name} {size:?}: {changed:?}");
        }
    }
}

#[test]
fn the_selected_row_is_seen_in_every_theme() {
    for (theme, _) in SHIPPED {
        let mut view = sample::screens().remove(0).1;
        let one = drawn(&view, theme, Glyphs::Ascii, (80, 24));
        select(&mut view, 1);
        assert!(!one.diff(&drawn(&view, theme, Glyphs::Ascii, (80, 24))).is_empty(), "{theme}");
    }
    let view = sample::screens().remove(0).1;
    assert!(text(&drawn(&view, "mono", Glyphs::Ascii, (80, 24)))[4].starts_with("!!>checkout_success"));
}

#[test]
fn a_gap_in_a_chart_is_a_gap() {
    let mut detail = sample::slo_detail();
    detail.chart.points[30..50].fill(Some(f64::NAN));
    let view = sample::view(Body::Slo(Box::new(detail)));
    let lines = text(&drawn(&view, "mono", Glyphs::Ascii, (80, 24)));
    let column = |x: usize| lines[5..11].iter().filter(|l| l.chars().nth(x) == Some('*')).count();
    assert!((5..30).any(|x| column(x) > 0));
    assert!((38..50).all(|x| column(x) == 0), "{lines:#?}");
}

fn hostile() -> Vec<String> {
    [
        "\u{1b}[31;1mred\u{1b}[0m",
        "a\r\nb\tc\u{7}\u{8}",
        "\u{9b}31m\u{90}q\u{9c}",
        "\u{202e}txt.exe\u{202c}\u{2066}x\u{2069}",
        "a\u{200b}b\u{200d}c\u{feff}d\u{ad}e\u{2060}",
        "\u{e0041}\u{e007f}tag \u{fe0f}\u{e0101}",
        "Z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}algo",
        "支付服务\u{0}\u{7f}障害 مرحبا שלום",
        "👩\u{200d}👩\u{200d}👧 🇩🇪 👍🏽",
        "",
        "x",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("{}end", "long ".repeat(2_000)), "日".repeat(3_000)])
    .collect()
}

fn harmless(buf: &Buffer) -> Result<(), String> {
    for cell in &buf.content {
        let steers = cell.symbol().chars().any(is_hidden);
        if steers || width(cell.symbol()) == 0 || cell.symbol().len() > 24 {
            return Err(format!("{:?}", cell.symbol()));
        }
    }
    Ok(())
}

#[test]
fn no_hostile_text_reaches_a_cell() {
    for shift in 0..hostile().len() {
        let mut pool = hostile();
        pool.rotate_left(shift);
        for (name, view) in sample::with_texts(&pool, all) {
            for size in [(40, 10), (80, 24), (120, 40), (200, 60)] {
                assert_eq!(harmless(&drawn(&view, "dark", Glyphs::Unicode, size)), Ok(()), "{name} {size:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_view_at_any_size(
        pool in proptest::collection::vec(any::<String>(), 0..6),
        which in 0usize..100, over in 0usize..100, w in 0u16..300, h in 0u16..100, cursor in 0usize..40, ascii in any::<bool>(),
    ) {
        let (mut views, tops) = sample::with_texts(&pool, || (all(), overlays::overlays()));
        let count = views.len();
        let (_, mut view) = views.swap_remove(which % count);
        select(&mut view, cursor);
        if over < tops.len() {
            view.overlay = tops[over].1.overlay.clone();
        }
        let glyphs = if ascii { Glyphs::Ascii } else { Glyphs::Unicode };
        let area = Rect::new(3, 2, w, h);
        let mut buf = Buffer::filled(Rect::new(0, 0, w + 6, h + 4), Cell::new("@"));
        draw(&view, &Theme::named("dark").unwrap(), glyphs, area, &mut buf);
        for (i, cell) in buf.content.iter().enumerate() {
            let (x, y) = buf.pos_of(i);
            prop_assert_eq!(cell.symbol() == "@" && cell.fg == Color::Reset, !area.contains((x, y).into()), "{} {}", x, y);
        }
        // A wide character never hangs over the right edge.
        for y in area.top()..area.bottom() {
            if let Some(x) = area.right().checked_sub(1).filter(|x| *x >= area.left()) {
                prop_assert!(width(buf[(x, y)].symbol()) <= 1);
            }
        }
        drop(buf);
        prop_assert_eq!(harmless(&drawn(&view, "mono", glyphs, (w, h))), Ok(()));
    }
}

#[test]
fn pictures_are_exact_and_the_same_every_time() {
    let buf = drawn(&sample::screens()[0].1, "dark", Glyphs::Unicode, (120, 40));
    let picture = svg(&buf, true);
    assert_eq!(picture, svg(&buf, true));
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    assert!(picture.contains(">CheckoutBudgetBurnFast<") && !picture.contains('\u{2588}'));
    let mut hostile = Buffer::empty(Rect::new(0, 0, 8, 1));
    hostile.set_string(0, 0, "<b>&", ratatui::style::Style::new());
    assert!(svg(&hostile, false).contains("&lt;b&gt;&amp;"));
}

/// `MIDWATCH_PICTURES=folder cargo test pictures_for_people -- --ignored` draws all screens into a folder.
#[test]
#[ignore = "draws pictures for a person to look at"]
fn pictures_for_people() {
    let folder = std::path::PathBuf::from(std::env::var("MIDWATCH_PICTURES").unwrap());
    for (name, view) in all() {
        for size in SIZES {
            for theme in ["dark", "light", "adaptive"] {
                let buf = drawn(&view, theme, Glyphs::Unicode, size);
                let file = format!("{name}_{}x{}_{theme}.svg", size.0, size.1);
                std::fs::write(folder.join(file), svg(&buf, theme != "light")).unwrap();
            }
        }
    }
}
