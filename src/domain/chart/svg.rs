//! A burn chart as a self-contained SVG picture of fixed size: no scripts, no fonts, no links, outside text escaped.
//! Writes text only; whoever wants a file writes it.

use crate::domain::chart::burn::{BurnChart, SUBS};
use crate::domain::text::clean;
use std::fmt::Write;

/// Pixels per column.
const COLUMN: usize = 10;
/// Pixels per sub-cell.
const SUB: usize = 6;
/// Pixels left of the plot, for numbers.
const LEFT: usize = 44;
/// Pixels right of the plot, for the limits' labels.
const RIGHT: usize = 70;
/// Pixels over the plot, for the caption.
const TOP: usize = 28;
/// Pixels under the plot, for times.
const BOTTOM: usize = 28;
const DASHES: [&str; 4] = ["none", "8 4", "4 4", "1 4"];

/// The picture. `title` is raw outside text.
pub fn svg(chart: &BurnChart, title: &str) -> String {
    let (plot_width, plot_height) = (chart.columns.len() * COLUMN, chart.rows * SUBS * SUB);
    let (width, height) = (LEFT + plot_width + RIGHT, TOP + plot_height + BOTTOM);
    let title = escape(title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n\
         <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    label(&mut out, LEFT, TOP.saturating_sub(10), "start", &title);
    let y = |sub: usize| TOP + plot_height.saturating_sub(sub * SUB + SUB / 2);
    for limit in &chart.thresholds {
        let dash = DASHES.get(limit.dash % DASHES.len()).copied().unwrap_or("none");
        let (y, right) = (y(limit.sub), LEFT + plot_width);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{right}\" y2=\"{y}\" stroke=\"#666666\" stroke-dasharray=\"{dash}\"/>"
        );
        label(&mut out, right + 6, y + 4, "start", &escape(&limit.label));
    }
    for number in &chart.labels {
        let limit = chart.thresholds.iter().find(|t| t.row == number.row);
        let middle = TOP + number.row * SUBS * SUB + SUBS * SUB / 2;
        label(&mut out, LEFT.saturating_sub(6), limit.map_or(middle, |t| y(t.sub)) + 4, "end", &escape(&number.text));
    }
    let _ = writeln!(
        out,
        "<path d=\"M{LEFT} {TOP}V{}H{}\" fill=\"none\" stroke=\"#333333\"/>",
        TOP + plot_height,
        LEFT + plot_width
    );
    for run in runs(&chart.columns) {
        let points: Vec<String> = run
            .iter()
            .flat_map(|(column, sub)| {
                let left = LEFT + column * COLUMN;
                [format!("{left},{}", y(*sub)), format!("{},{}", left + COLUMN, y(*sub))]
            })
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#b00020\" stroke-width=\"2\"/>",
            points.join(" ")
        );
    }
    for time in &chart.times {
        label(&mut out, LEFT + time.column * COLUMN, TOP + plot_height + 18, "start", &escape(&time.text));
    }
    if !chart.has_data() {
        label(&mut out, LEFT + plot_width / 2, TOP + plot_height / 2, "middle", "no data");
    }
    out.push_str("</svg>\n");
    out
}

/// Neighbouring columns with data; a gap ends a run.
fn runs(columns: &[Option<usize>]) -> Vec<Vec<(usize, usize)>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for (column, sub) in columns.iter().enumerate() {
        match sub {
            Some(sub) => run.push((column, *sub)),
            None if run.is_empty() => {}
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

fn label(out: &mut String, x: usize, y: usize, anchor: &str, escaped: &str) {
    let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"#111111\">{escaped}</text>");
}

fn escape(raw: &str) -> String {
    let mut out = String::new();
    for c in clean(raw).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in XML, whatever the encoding.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chart::burn::{burn, standard};
    use crate::domain::slo::reading::{Series, Window};
    use crate::domain::time::mins;
    use proptest::prelude::*;

    fn draw(points: Vec<Option<f64>>, width: usize, height: usize, title: &str) -> String {
        let start = "2026-05-01T00:00:00Z".parse().unwrap();
        svg(&burn(&Series { window: Window::H1, start, step: mins(5), points }, width, height, &standard()), title)
    }

    #[test]
    fn a_gap_splits_the_line() {
        let points = vec![Some(1.0), Some(2.0), None, Some(3.0), Some(3.0), None, None, Some(0.5)];
        assert_eq!(draw(points, 8, 6, "api").matches("<polyline").count(), 3);
        assert!(draw(vec![None; 4], 8, 6, "api").contains(">no data<"));
    }

    proptest! {
        #[test]
        fn a_title_adds_no_element(title in any::<String>(), width in 0usize..50, height in 0usize..9) {
            let points = vec![Some(1.0), None, Some(20.0)];
            let plain = draw(points.clone(), width, height, "x");
            let hostile = draw(points, width, height, &format!("{title}<script>alert(1)</script>]]>&x;\"'"));
            prop_assert_eq!(plain.matches('<').count(), hostile.matches('<').count());
            prop_assert_eq!(plain.matches('>').count(), hostile.matches('>').count());
            prop_assert_eq!(plain.matches('"').count(), hostile.matches('"').count());
        }
    }
}
