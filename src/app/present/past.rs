//! What was written before, for the screen: hits of a search, and incidents that are like one.

use crate::app::model::Model;
use crate::app::present::view::{HitRow, Pane, SearchView};
use crate::domain::ids::IncidentId;
use crate::domain::search::{HITS, Place, Question, Similar};

/// The search as it is shown.
pub fn view(model: &Model, query: &crate::app::editor::Editor, cursor: usize) -> SearchView {
    let past = &model.past;
    let rows: Vec<HitRow> = past
        .hits
        .iter()
        .map(|hit| HitRow {
            when: hit.at.map(|at| at.format("%Y-%m-%d %H:%MZ").to_string()).unwrap_or_default(),
            incident: hit.incident.as_ref().map(|id| id.0.clone()).unwrap_or_default(),
            kind: hit.kind.clone(),
            who: hit.who.clone(),
            text: match &hit.place {
                Place::Entry(_) => around(&hit.text, &Question::parse(&query.text()).words),
                Place::Page(_, heading) => {
                    let said = hit
                        .text
                        .strip_prefix(heading.as_str())
                        .map_or(hit.text.as_str(), |t| t.trim_start_matches(':'));
                    format!("{heading}: {}", around(said.trim(), &Question::parse(&query.text()).words))
                }
            },
        })
        .collect();
    let typed = query.text();
    let note = match (&past.fault, rows.len()) {
        (Some(why), _) => why.clone(),
        _ if typed.trim().is_empty() => "words, \"two words\", kind:decision, who:alice, in:INC-…, -word".into(),
        (None, HITS) => format!("the first {HITS}; more words find fewer"),
        _ if past.answered != typed => "searching".into(),
        (None, n) => format!("{n} found"),
    };
    let cursor = (!rows.is_empty()).then(|| cursor.min(rows.len() - 1));
    let empty = if typed.trim().is_empty() || past.answered != typed { "" } else { "nothing was found" };
    SearchView { query: query.view(), rows: Pane { rows, cursor, empty: empty.into(), ..Pane::default() }, note }
}

/// A long text from shortly before the first word that was looked for, so that the word can be seen.
fn around(text: &str, words: &[String]) -> String {
    const LEAD: usize = 24;
    let lower = text.to_lowercase();
    let at = words.iter().filter_map(|word| lower.find(word.as_str())).min();
    let before = at.and_then(|at| lower.get(..at)).map_or(0, |before| before.chars().count());
    if before <= LEAD * 2 {
        return text.to_owned();
    }
    std::iter::once("..".to_owned()).chain(std::iter::once(text.chars().skip(before - LEAD).collect())).collect()
}

/// Incidents that are like one: `INC-… title`, and why.
pub fn similar(model: &Model, id: &IncidentId) -> Vec<(String, String)> {
    let known = model.past.similar.get(id).map(|(_, known)| known.as_slice()).unwrap_or_default();
    known.iter().map(|one| (format!("{} {}", one.incident, one.title), why(one))).collect()
}

/// Why an incident is like another one, in one line.
pub fn why(one: &Similar) -> String {
    one.why.iter().map(crate::domain::search::Why::told).collect::<Vec<_>>().join("; ")
}
