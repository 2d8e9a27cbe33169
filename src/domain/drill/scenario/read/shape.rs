//! How a value goes over time, out of a signal, an inject or an effect. Judges what a shape needs and what it may not have.

use super::{File, word};
use crate::domain::document::{Fields, Node, Value};
use crate::domain::drill::scenario::read::fill::safe_path;
use crate::domain::drill::scenario::{Change, Shape};
use crate::domain::time::{Span, parse_span, secs};

/// The most points of a recorded signal.
const MOST_POINTS: usize = 20_000;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Const,
    Step,
    Ramp,
    Sine,
    Recorded,
    Csv,
}

const KINDS: [(&str, Kind); 6] = [
    ("const", Kind::Const),
    ("step", Kind::Step),
    ("ramp", Kind::Ramp),
    ("sine", Kind::Sine),
    ("recorded", Kind::Recorded),
    ("csv", Kind::Csv),
];

impl File<'_, '_> {
    /// The shape in a map that has `kind` and what belongs to it. `beside` are the other keys of that map.
    pub(super) fn shape(&mut self, node: &Node, own: &Fields<'_>, without: &str, beside: &[&str]) -> Option<Shape> {
        let kind = match own.get("kind") {
            Some(node) => word(self.reader, node, "kind", &KINDS)?,
            None if own.get("points").is_some() => Kind::Recorded,
            None if own.get("file").is_some() => Kind::Csv,
            None if own.get("over").is_some() => Kind::Ramp,
            None => KINDS.iter().find(|(name, _)| *name == without).map_or(Kind::Const, |(_, kind)| *kind),
        };
        let belongs: &[&str] = match kind {
            Kind::Const | Kind::Step => &["value", "to"],
            Kind::Ramp => &["to", "over"],
            Kind::Sine => &["value", "amplitude", "period"],
            Kind::Recorded => &["points"],
            Kind::Csv => &["file", "column"],
        };
        let allowed: Vec<&str> = belongs.iter().chain(beside).chain(&["kind"]).copied().collect();
        let word = KINDS.iter().find(|(_, k)| *k == kind).map_or("", |(word, _)| word);
        self.strays(node, &allowed, &format!("with `kind: {word}`"));
        match kind {
            Kind::Const | Kind::Step => {
                let key = self.one_of(own, &format!("`kind: {word}`"), &["value", "to"])?;
                self.number(own, key).map(Shape::Const)
            }
            Kind::Ramp => {
                let to = self.need_number(own, "to");
                let over =
                    own.need(self.reader, "over").and_then(|n| self.bounded(n, "over", secs(1), Span::hours(12)));
                Some(Shape::Ramp { to: to?, over: over? })
            }
            Kind::Sine => {
                let middle = self.need_number(own, "value");
                let amplitude = self.need_number(own, "amplitude");
                let period =
                    own.need(self.reader, "period").and_then(|n| self.bounded(n, "period", secs(10), Span::days(7)));
                Some(Shape::Sine { middle: middle?, amplitude: amplitude?, period: period? })
            }
            Kind::Recorded => own.need(self.reader, "points").and_then(|n| self.points(n)).map(Shape::Recorded),
            Kind::Csv => {
                let path = own.need(self.reader, "file").and_then(|n| Some((n, self.reader.string(n, "file")?)));
                let column = self.whole(own, "column", 2, 1_000).and_then(|n| usize::try_from(n).ok()).unwrap_or(2);
                let (at, path) = path?;
                if let Err(why) = safe_path(&path) {
                    self.error(at.mark, format!("the file {why}"));
                    return None;
                }
                Some(Shape::File { path, column })
            }
        }
    }

    fn points(&mut self, node: &Node) -> Option<Vec<(Span, f64)>> {
        let Value::Seq(items) = &node.value else {
            self.reader.wrong(node, "points", "a list of pairs, `[[0s, 1], [5m, 3]]`");
            return None;
        };
        if items.is_empty() || items.len() > MOST_POINTS {
            self.reader.wrong(node, "points", &format!("1 to {MOST_POINTS} pairs"));
            return None;
        }
        let mut points: Vec<(Span, f64)> = Vec::new();
        for item in items {
            let pair = match &item.value {
                Value::Seq(pair) => match pair.as_slice() {
                    [at, value] => at.text().zip(value.text()),
                    _ => None,
                },
                _ => None,
            };
            let read = pair.and_then(|(at, value)| {
                let at = if at == "0" { Some(secs(0)) } else { parse_span(at).ok() };
                at.zip(value.parse::<f64>().ok().filter(|v| v.is_finite()))
            });
            let Some((at, value)) = read else {
                self.reader.wrong(item, "a point", "a duration and a number, `[5m, 3]`");
                return None;
            };
            if points.last().is_some_and(|(before, _)| *before >= at) {
                self.error(item.mark, "this point is not later than the one before it");
                return None;
            }
            points.push((at, value));
        }
        Some(points)
    }

    /// A change of a signal; `signal` is the key that names it.
    pub(super) fn change(&mut self, node: &Node, own: &Fields<'_>, signal: &str, beside: &[&str]) -> Option<Change> {
        let name = self.need_name(own, signal);
        let shape = self.shape(node, own, "step", beside);
        let after = self.span(own, "after").unwrap_or_else(|| secs(0));
        Some(Change { signal: name?, shape: shape?, after })
    }
}
