//! The plan of a page: which heading is its name, which begin a part of an incident, and where one step ends and the next
//! begins. Decides by headings, list items and code blocks; what a code block holds is read by `block`.

use crate::domain::document::Mark;
use crate::domain::runbook::markdown::block::{Label, label};
use crate::domain::runbook::markdown::piece::{Piece, Text};
use crate::domain::runbook::model::Phase;
use crate::domain::text::truncate;

/// The longest name that a step gets from a sentence, in cells.
const NAME_LIMIT: usize = 60;

/// A page as steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// Its first heading of level 1.
    pub title: Option<String>,
    /// Steps in order.
    pub steps: Vec<Draft>,
    /// Sections with a heading and nothing under it.
    pub empty: Vec<(String, Mark)>,
}

/// A step before its code was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// What it belongs to.
    pub phase: Option<Phase>,
    /// The number of its section: a session stays open until the section ends.
    pub section: usize,
    /// Its texts and code blocks, in order.
    pub body: Vec<Piece>,
    /// How many lists its texts stand in by themselves.
    pub depth: usize,
    /// Where it begins.
    pub mark: Mark,
}

/// What a heading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// What to know before doing anything.
    Intro,
    /// A part of an incident.
    Phase(Phase),
    /// Nothing that its name tells.
    Open,
}

fn sort(title: &str) -> Sort {
    const INTRO: [&str; 11] = [
        "meaning",
        "impact",
        "symptom",
        "reason",
        "background",
        "description",
        "summary",
        "overview",
        "about",
        "introduction",
        "severity",
    ];
    const PHASES: [(Phase, &[&str]); 5] = [
        // A check afterwards is named like a check before, so that it is looked for first.
        (Phase::Verify, &["post-check", "post check", "postcheck", "verif", "confirm", "validat"]),
        (
            Phase::Diagnose,
            &[
                "diagnos",
                "possible check",
                "pre-check",
                "pre check",
                "precheck",
                "data gathering",
                "troubleshoot",
                "investigat",
                "triage",
                "debug",
                "analysis",
                "check",
            ],
        ),
        (
            Phase::Mitigate,
            &[
                "mitigat",
                "resol",
                "what to do",
                "remediat",
                "recover",
                "fix",
                "restor",
                "procedure",
                "workaround",
                "repair",
            ],
        ),
        (Phase::Communicate, &["escalat", "communicat", "contact", "notify"]),
        (Phase::Followup, &["follow-up", "follow up", "followup", "afterwards", "prevent", "long term", "long-term"]),
    ];
    let title = title.to_lowercase();
    if INTRO.iter().any(|word| title.starts_with(word)) {
        return Sort::Intro;
    }
    let phase = PHASES.iter().find(|(_, words)| words.iter().any(|word| title.contains(word)));
    phase.map_or(Sort::Open, |(phase, _)| Sort::Phase(*phase))
}

struct Section {
    title: String,
    level: u8,
    phase: Option<Phase>,
    intro: bool,
    body: Vec<Piece>,
    mark: Mark,
}

/// Plans a page.
pub fn outline(pieces: Vec<Piece>) -> Outline {
    let mut outline = Outline::default();
    let mut intro: Vec<Piece> = Vec::new();
    let mut intro_at = None;
    let sections = sections(pieces, &mut outline.title);
    // A section that is divided into others is not empty.
    let divided: Vec<bool> = sections.windows(2).map(|pair| matches!(pair, [a, b] if b.level > a.level)).collect();
    for (number, section) in sections.into_iter().enumerate() {
        let told = section.body.iter().any(|p| matches!(p, Piece::Text(_) | Piece::Code(_)));
        if !told {
            let divided = divided.get(number).copied().unwrap_or(false);
            if !section.title.is_empty() && !divided && !section.body.iter().any(|p| matches!(p, Piece::Heading(..))) {
                outline.empty.push((section.title, section.mark));
            }
            continue;
        }
        // What is only to be read stands together before the first thing to do.
        if section.intro && !section.body.iter().any(is_candidate) {
            intro_at.get_or_insert(section.mark);
            if !section.title.is_empty() {
                intro.push(Piece::Text(Text::head(&section.title, section.mark)));
            }
            intro.extend(section.body.into_iter().map(as_text));
            continue;
        }
        steps(section, number, &mut outline);
    }
    if let Some(mark) = intro_at {
        let first = Draft { name: "Read first".to_owned(), body: intro, mark, section: usize::MAX, ..Draft::default() };
        outline.steps.insert(0, first);
    }
    outline
}

/// A heading inside a text that is only read is a line of it.
fn as_text(piece: Piece) -> Piece {
    match piece {
        Piece::Heading(_, title, mark) => Piece::Text(Text::head(&title, mark)),
        other => other,
    }
}

/// A code block that may hold commands or a query.
fn is_candidate(piece: &Piece) -> bool {
    matches!(piece, Piece::Code(code) if matches!(label(&code.info), Label::Script | Label::Transcript | Label::Query | Label::None))
}

/// The page cut at headings of level 1 and 2. What stands before the first is a section without a title.
fn sections(pieces: Vec<Piece>, title: &mut Option<String>) -> Vec<Section> {
    let mut all = vec![Section {
        title: String::new(),
        level: 0,
        phase: None,
        intro: true,
        body: Vec::new(),
        mark: Mark { line: 1, column: 1 },
    }];
    let mut above = None;
    for piece in pieces {
        match piece {
            Piece::Heading(1, text, _) if title.is_none() => *title = Some(text),
            Piece::Heading(level @ (1 | 2), text, mark) => {
                let own = sort(&text);
                let phase = match own {
                    Sort::Phase(phase) => Some(phase),
                    Sort::Intro => None,
                    Sort::Open => above,
                };
                if level == 1 {
                    above = phase;
                }
                all.push(Section { title: text, level, phase, intro: own == Sort::Intro, body: Vec::new(), mark });
            }
            other => {
                if let Some(last) = all.last_mut() {
                    last.body.push(other);
                }
            }
        }
    }
    all
}

/// A section by its headings of level 3 and 4; where it has none by its numbered items, else by its code blocks.
fn steps(section: Section, number: usize, outline: &mut Outline) {
    let name = if section.title.is_empty() { outline.title.clone().unwrap_or_default() } else { section.title };
    let plain =
        |name: String, mark: Mark| Draft { name, phase: section.phase, section: number, mark, ..Draft::default() };
    let mut lead: Vec<Piece> = Vec::new();
    let mut titled: Vec<Draft> = Vec::new();
    for piece in section.body {
        match piece {
            Piece::Heading(3 | 4, title, mark) => titled.push(plain(title, mark)),
            Piece::Heading(_, title, mark) => {
                let line = Piece::Text(Text::head(&title, mark));
                titled.last_mut().map_or(&mut lead, |draft| &mut draft.body).push(line);
            }
            other => titled.last_mut().map_or(&mut lead, |draft| &mut draft.body).push(other),
        }
    }
    // A heading with nothing but smaller headings under it names no step.
    titled.retain(|draft| draft.body.iter().any(|p| matches!(p, Piece::Text(_) | Piece::Code(_))));
    let first = match titled.first_mut() {
        Some(first) if !lead.iter().any(is_candidate) => {
            first.body.splice(0..0, lead);
            Vec::new()
        }
        _ => untitled(plain(name, section.mark), lead),
    };
    outline.steps.extend(first);
    outline.steps.extend(titled);
}

fn untitled(whole: Draft, body: Vec<Piece>) -> Vec<Draft> {
    if !body.iter().any(|p| matches!(p, Piece::Text(_) | Piece::Code(_))) {
        return Vec::new();
    }
    let numbered = body.iter().filter(|p| matches!(p, Piece::Item(Some(_), _))).count();
    if numbered >= 2 { by_item(whole, body) } else { by_code(whole, body) }
}

/// Each outermost numbered item is a step; what stands between them goes with the one before.
fn by_item(whole: Draft, body: Vec<Piece>) -> Vec<Draft> {
    let mut all: Vec<Draft> = Vec::new();
    let mut lead: Vec<Piece> = Vec::new();
    for piece in body {
        match piece {
            Piece::Item(Some(_), mark) => {
                all.push(Draft {
                    name: String::new(),
                    depth: 1,
                    mark,
                    body: std::mem::take(&mut lead),
                    ..whole.clone()
                });
            }
            other => all.last_mut().map_or(&mut lead, |draft| &mut draft.body).push(other),
        }
    }
    for draft in &mut all {
        let own = draft.body.iter().find_map(|p| match p {
            Piece::Text(text) if text.depth >= 1 => Some(sentence(&text.lines)),
            _ => None,
        });
        draft.name = own.filter(|n| !n.is_empty()).unwrap_or_else(|| whole.name.clone());
    }
    all.retain(|draft| draft.body.iter().any(|p| matches!(p, Piece::Text(_) | Piece::Code(_))));
    all
}

/// Each code block with commands or a query is a step, with the text above it; what follows the last goes with it.
fn by_code(whole: Draft, body: Vec<Piece>) -> Vec<Draft> {
    if body.iter().filter(|p| is_candidate(p)).count() < 2 {
        return vec![Draft { body, ..whole }];
    }
    let mut all: Vec<Draft> = Vec::new();
    let mut rest: Vec<Piece> = Vec::new();
    for piece in body {
        let ends = is_candidate(&piece);
        rest.push(piece);
        if ends {
            let body = std::mem::take(&mut rest);
            // A block right below another one, without a word between them, goes on with the same step.
            let told = body.iter().any(|p| matches!(p, Piece::Text(_)));
            match all.last_mut() {
                Some(last) if !told => last.body.extend(body),
                _ => all.push(block_step(&whole, body)),
            }
        }
    }
    match all.last_mut() {
        Some(last) => last.body.extend(rest),
        None => all.push(Draft { body: rest, ..whole }),
    }
    all
}

fn block_step(whole: &Draft, body: Vec<Piece>) -> Draft {
    let text = body.iter().rev().find_map(|p| match p {
        Piece::Text(text) => Some((sentence(&text.lines), text.mark)),
        _ => None,
    });
    let (name, mark) = text.filter(|(name, _)| !name.is_empty()).unwrap_or((whole.name.clone(), whole.mark));
    Draft { name, mark, body, ..whole.clone() }
}

/// The last line's first sentence as a name.
fn sentence(lines: &[String]) -> String {
    let line = lines.last().map(String::as_str).unwrap_or_default();
    let end = [". ", "? ", "! ", ": "].iter().filter_map(|sign| line.find(sign)).min();
    let first = end.and_then(|at| line.get(..at)).unwrap_or(line);
    let bare = first.trim().trim_start_matches(['-', '*', '>', ' ']).trim_end_matches([':', '.', ',', ';', ' ']);
    truncate(bare, NAME_LIMIT).into_owned()
}
