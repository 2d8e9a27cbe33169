//! Hand-built things on top of the sample screens.

use crate::sample_views::{detail, incident, overview, s, view};
use midwatch::app::present::view::*;

/// The confirmation of a page.
pub fn confirm() -> ConfirmView {
    ConfirmView {
        title: s("page a human"),
        question: s("Escalate INC-0311 now to engineering-manager (step 2 of 2)"),
        rows: detail(&[
            ("pages", "Erin Moss via backend \"pd\"   her local time 20:14 PDT"),
            ("instead", "automatic escalation happens anyway in 08:20"),
            ("data", "incident 2s old, escalation policy 2s old"),
        ]),
        token: Some(s("0311")),
        typed: LineView { text: s("03"), cursor: 2 },
        prompt: s("type 0311 and Enter to page, anything else cancels"),
    }
}

/// Every overlay by name, over the incident or the overview.
pub fn overlays() -> Vec<(&'static str, View)> {
    let row = |title: &str, key: &str, tier: &str, target: &str, why: Option<&str>| PaletteRow {
        title: s(title),
        key: s(key),
        tier: s(tier),
        target: s(target),
        why_not: why.map(s),
    };
    let palette = PaletteView {
        query: LineView { text: s("esc"), cursor: 3 },
        rows: Pane {
            rows: vec![
                row("Page next escalation level", "e", "typed", "INC-0311", None),
                row("Escalation: show policy", "", "", "checkout", None),
                row("Escalation: put the timer off", "", "typed", "INC-0311", None),
                row("Resolve incident", "x", "typed", "INC-0311", Some("needs status mitigating or later")),
            ],
            cursor: Some(0),
            ..Pane::default()
        },
        total: 61,
    };
    let field = |label: &str, text: &str, hint: &str| FieldView {
        label: s(label),
        line: LineView { text: s(text), cursor: text.chars().count() },
        hint: s(hint),
        ..FieldView::default()
    };
    let form = FormView {
        title: s("Declare an incident"),
        fields: vec![
            field("title", "Checkout 5xx after deploy", "one line that says what users see"),
            FieldView {
                label: s("severity"),
                choices: vec![s("SEV1"), s("SEV2"), s("SEV3"), s("SEV4")],
                chosen: 1,
                hint: s("Left and Right change it"),
                ..FieldView::default()
            },
            field("service", "checkout", ""),
        ],
        focus: 0,
        error: None,
        keys: s("Enter declare   Tab next   Esc cancel"),
    };
    let over = |overlay| View { overlay: Some(overlay), ..view(Body::Overview(Box::new(overview()))) };
    vec![
        ("help", over(Overlay::Help(help()))),
        ("palette", over(Overlay::Palette(palette))),
        ("form", over(Overlay::Form(form))),
        ("confirm", View { overlay: Some(Overlay::Confirm(confirm())), ..view(Body::Incident(Box::new(incident()))) }),
        (
            "links",
            over(Overlay::Links(Pane {
                title: s("LINKS"),
                rows: incident().links,
                cursor: Some(0),
                ..Pane::default()
            })),
        ),
        ("filter", over(Overlay::Filter(LineView { text: s("pay"), cursor: 3 }))),
        ("search", View { overlay: Some(Overlay::Search(search())), ..view(Body::Incident(Box::new(like()))) }),
        ("incident_like", view(Body::Incident(Box::new(like())))),
    ]
}

/// The incident with past ones that are like it.
fn like() -> IncidentPage {
    IncidentPage {
        similar: vec![
            (s("INC-0207 Checkout 5xx after deploy"), s("same alert CheckoutBudgetBurnFast; same service checkout")),
            (s("INC-0122 Payments slow"), s("same change roll back checkout; words: pool, saturated")),
        ],
        ..incident()
    }
}

fn search() -> SearchView {
    let row = |when: &str, incident: &str, kind: &str, who: &str, text: &str| HitRow {
        when: s(when),
        incident: s(incident),
        kind: s(kind),
        who: s(who),
        text: s(text),
    };
    SearchView {
        query: LineView { text: s("pool sat"), cursor: 8 },
        rows: Pane {
            rows: vec![
                row("", "INC-0207", "postmortem", "", "Contributing factors: the pool was sized for half of the pods"),
                row("2026-05-01 03:04Z", "INC-0311", "finding", "bob", "pool saturated on checkout-7 and checkout-9"),
                row("2026-03-07 11:20Z", "INC-0122", "hypothesis", "alice", "the pool may be saturated by retries"),
            ],
            cursor: Some(1),
            ..Pane::default()
        },
        note: s("3 found"),
    }
}

fn help() -> HelpView {
    HelpView {
        screen: s("overview"),
        groups: [
            (
                "MOVE",
                vec![
                    ("arrows hjkl", "move", ""),
                    ("PgUp PgDn", "page", ""),
                    ("Tab S-Tab", "next pane", ""),
                    ("1..6", "screens", ""),
                    ("/", "filter", ""),
                    ("Esc", "cancel", ""),
                ],
            ),
            (
                "ACT ON SELECTION",
                vec![
                    ("Enter", "open", ""),
                    ("a", "acknowledge", "sent now"),
                    ("n", "add note", "undo 6s"),
                    ("s", "set status", "undo 6s"),
                    ("e", "page next level", "TYPED"),
                    ("x", "resolve", "TYPED"),
                ],
            ),
            ("ALWAYS", vec![(":", "commands", ""), ("?", "this help", ""), ("y", "copy", ""), ("u", "undo last", "")]),
            (
                "SIGNS",
                vec![
                    ("!!", "page-level", ""),
                    ("!", "ticket-level", ""),
                    ("ok", "fine", ""),
                    ("~", "old", ""),
                    ("??", "no data", ""),
                    (">>", "countdown", ""),
                ],
            ),
        ]
        .into_iter()
        .map(|(t, keys)| (s(t), keys.into_iter().map(|(a, b, c)| (s(a), s(b), s(c))).collect()))
        .collect(),
        page: 0,
    }
}
