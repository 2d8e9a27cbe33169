//! What is expected of the players, and when it is over.

use super::{File, word};
use crate::domain::document::{Fields, Node};
use crate::domain::drill::scenario::keys::{END, EXPECT, NEVER};
use crate::domain::drill::scenario::{Ban, Ending, Expectation, Milestone, Named, Since, Want};
use crate::domain::runbook::model::Risk;
use crate::domain::runbook::pieces::{needed, text};

/// Points that one expectation may be worth.
const MOST_POINTS: i64 = 1_000;

impl File<'_, '_> {
    pub(super) fn expectation(&mut self, node: &Node) -> Option<Expectation> {
        let own = self.fields(node, &EXPECT)?;
        let id = self.need_name(&own, "id");
        own.need(self.reader, "points");
        let points = self.whole(&own, "points", -MOST_POINTS, MOST_POINTS);
        let want = self.want(node, &own);
        let within = match own.get("within") {
            Some(node) => Some(self.reader.span(node, "within")?),
            None => None,
        };
        let from = match text(self.reader, &own, "from").as_deref() {
            None | Some("page") => Since::Page,
            Some("start") => Since::Start,
            Some(inject) => Since::Inject(inject.to_owned()),
        };
        let say = text(self.reader, &own, "say").unwrap_or_default();
        Some(Expectation { id: id?, want: want?, within, from, points: points?, say, mark: node.mark })
    }

    fn want(&mut self, node: &Node, own: &Fields<'_>) -> Option<Want> {
        let which = self.one_of(own, "an expectation", &["event", "action", "step", "condition", "never"])?;
        let mut allowed = vec!["id", "within", "from", "points", "say", which];
        if which == "event" {
            allowed.push("is");
        }
        if which == "never" {
            allowed.retain(|key| *key != "within" && *key != "from");
        }
        self.strays(node, &allowed, &format!("beside `{which}`"));
        let value = own.get(which)?;
        match which {
            "event" if value.text() == Some("severity") => needed(self.reader, own, "is").map(Want::Severity),
            "event" => {
                if own.get("is").is_some() {
                    self.error(node.mark, "`is` means nothing but with `event: severity`");
                }
                word(self.reader, value, "event", &Milestone::WORDS).map(Want::Reached)
            }
            "action" => self.reader.string(value, "action").map(Want::Action),
            "step" => self.reader.string(value, "step").map(Want::Step),
            "condition" => self.hold(value).map(Want::Well),
            _ => self.ban(value).map(Want::Never),
        }
    }

    fn ban(&mut self, node: &Node) -> Option<Ban> {
        let own = self.fields(node, &NEVER)?;
        let which = self.one_of(&own, "never", &["risk", "action", "signal"])?;
        if which == "signal" {
            return self.held(&own, node.mark).map(Ban::Signal);
        }
        self.strays(node, &[which], &format!("beside `{which}`"));
        let value = own.get(which)?;
        match which {
            "risk" => word(self.reader, value, "risk", &Risk::ALL.map(|r| (r.word(), r))).map(Ban::Risk),
            _ => self.reader.string(value, "action").map(Ban::Action),
        }
    }

    pub(super) fn ending(&mut self, node: &Node) -> Option<Ending> {
        let own = self.fields(node, &END)?;
        let which = self.one_of(&own, "an end", &["condition", "event", "at"])?;
        let value = own.get(which)?;
        match which {
            "at" => self.reader.span(value, "at").map(|at| Ending::At(at, node.mark)),
            "event" => word(self.reader, value, "event", &Milestone::WORDS).map(|m| Ending::Reached(m, node.mark)),
            _ => match value.text() {
                Some(name) => Some(Ending::Met(Named { name: name.to_owned(), mark: value.mark })),
                None => self.hold(value).map(Ending::Well),
            },
        }
    }
}
