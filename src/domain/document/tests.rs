//! Places, limits, several documents, and findings all at once.

use super::*;

#[test]
fn every_value_knows_its_place() {
    let (node, findings) = parse("f.yaml", "\u{feff}a: 1\nb:\n  - x: \"2\"\n    y: [p, q]\n");
    assert_eq!(findings, vec![]);
    let node = node.unwrap();
    let x = match &node.get("b").unwrap().value {
        Value::Seq(items) => items[0].get("x").unwrap(),
        _ => panic!("not a list"),
    };
    assert_eq!((x.mark.line, x.mark.column, x.text()), (3, 8, Some("2")));
}

#[test]
fn all_findings_come_at_once() {
    let (node, mut findings) = parse("f.yaml", "name: x\nname: y\ntagret: 0.9\nwindow: 30\n");
    let node = node.unwrap();
    let mut reader = Reader::new("f.yaml");
    let fields = reader.map(&node, "objective", &["name", "target", "window", "sli"]).unwrap();
    fields.need(&mut reader, "sli");
    reader.span(fields.get("window").unwrap(), "window");
    findings.extend(reader.findings);
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "f.yaml:2:1: error: duplicate key `name` (first at line 1); the first one counts [duplicate-key]",
            "f.yaml:3:1: error: unknown key `tagret` in objective (nearest: `target`) [unknown-key]",
            "f.yaml:1:1: error: objective has no `sli` [missing-key]",
            "f.yaml:4:9: error: window: `30` is not a duration (expected something like 15m, 1h30m or 30d) [wrong-type]",
        ]
    );
}

#[test]
fn bombs_and_rubbish_are_findings() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
        d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    for bad in [bomb, &"[".repeat(5_000), "a: [1", "a: b: c", "a: *nope", "a: 1\n---\nb: 2", "\u{0}"] {
        let (_, findings) = parse("f.yaml", bad);
        assert!(!findings.is_empty(), "{}", bad.chars().take(30).collect::<String>());
        assert!(findings.iter().all(|f| f.line > 0 && f.column > 0), "{findings:?}");
    }
    assert_eq!(parse("f", "").0.unwrap().value, Value::Null);
    assert!(parse("f", &"x".repeat(SIZE_LIMIT + 1)).0.is_none());
}

#[test]
fn a_text_may_hold_several_documents() {
    let texts = |text: &str| -> (Vec<(usize, usize)>, usize) {
        let (roots, findings) = parse_all("f.yaml", text);
        (roots.iter().map(|n| (n.mark.line, n.mark.column)).collect(), findings.len())
    };
    for (text, roots, findings) in [
        ("a: 1\n---\nb: 2\n", vec![(1, 1), (3, 1)], 0),
        ("---\n# nothing\n---\nb: 2\n...\n---\n", vec![(4, 1)], 0),
        ("- a: 1\n- b: 2\n", vec![(1, 3), (2, 3)], 0),
        ("{\n\t\"a\": 1, \"b\": [\"\\/\", null]\n}\n", vec![(1, 1)], 0),
        ("[{\"a\": 1},\n {\"b\": 2}]", vec![(1, 2), (2, 2)], 0),
        ("a: 1\n---\nb: [\n", vec![(1, 1)], 1),
        ("a: &x 1\n---\nb: *x\n", vec![(1, 1)], 1),
        ("", vec![], 0),
    ] {
        assert_eq!(texts(text), (roots, findings), "{text}");
    }
}

#[test]
fn nearest_names() {
    assert_eq!(nearest("tagret", ["target", "window"]), Some("target"));
    assert_eq!(nearest("xyz", ["target", "window"]), None);
}
