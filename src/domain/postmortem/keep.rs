//! What people wrote between keep marks, carried into a draft that is made anew. A place is known by the heading it stands
//! under and its number there, so that it is found again when everything around it has changed.

use std::collections::BTreeMap;

/// Where text for people begins and ends, each on a line of its own.
pub const KEEP: (&str, &str) = ("<!-- keep -->", "<!-- /keep -->");

/// A place for people: the last heading before it, and its number under that heading, from 0.
type Place = (String, usize);

/// A document in lines: those outside of every place, in which each place is one line, and the lines of each place.
struct Parted<'t> {
    outside: Vec<Outside<'t>>,
    inside: BTreeMap<Place, Vec<&'t str>>,
}

enum Outside<'t> {
    Line(&'t str),
    Place(Place),
}

fn part(text: &str) -> Parted<'_> {
    let mut parted = Parted { outside: Vec::new(), inside: BTreeMap::new() };
    let mut heading = String::new();
    let mut count = 0;
    let mut open: Option<Place> = None;
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        let shown = line.trim();
        match &open {
            Some(place) if shown != KEEP.1 => {
                parted.inside.entry(place.clone()).or_default().push(line);
                continue;
            }
            Some(_) => open = None,
            None => {
                fenced ^= shown.starts_with("```");
                if !fenced && shown.starts_with('#') && shown.trim_start_matches('#').starts_with(' ') {
                    heading = shown.trim_start_matches('#').trim().to_owned();
                    count = 0;
                }
            }
        }
        parted.outside.push(Outside::Line(line));
        if !fenced && shown == KEEP.0 {
            let place = (heading.clone(), count);
            count += 1;
            parted.inside.insert(place.clone(), Vec::new());
            parted.outside.push(Outside::Place(place.clone()));
            open = Some(place);
        }
    }
    parted
}

/// The document without what stands between keep marks: what of it is ours.
pub fn outside(text: &str) -> String {
    let lines = part(text).outside;
    lines.into_iter().filter_map(|line| if let Outside::Line(line) = line { Some(line) } else { None }).collect()
}

/// The new draft with what people wrote into the old one, and how many places that were. `None`: people wrote in a place
/// that the new one does not have, and it must not be lost.
pub fn carry(old: &str, new: &str) -> Option<(String, usize)> {
    let (old, new) = (part(old), part(new));
    let says = |lines: &[&str]| lines.iter().any(|line| !line.trim().is_empty());
    let blank = |line: &&str| line.trim().is_empty() || line.contains(crate::domain::postmortem::draft::BLANK.0);
    for (place, lines) in &old.inside {
        if !new.inside.contains_key(place) && !lines.iter().all(blank) {
            return None;
        }
    }
    let mut carried = 0;
    let mut out = String::new();
    for line in &new.outside {
        match line {
            Outside::Line(line) => out.push_str(line),
            Outside::Place(place) => {
                let fresh = new.inside.get(place).map_or(&[][..], Vec::as_slice);
                match old.inside.get(place).filter(|lines| says(lines) && lines.as_slice() != fresh) {
                    Some(lines) => {
                        carried += 1;
                        out.extend(lines.iter().copied());
                    }
                    None => out.extend(fresh.iter().copied()),
                }
            }
        }
    }
    Some((out, carried))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OLD: &str = "# T\n## Impact\n<!-- keep -->\n- who: everybody\n# not a heading of ours\n<!-- /keep -->\nfact 1\n## Lessons\n<!-- keep -->\n- [[BLANK: what]]\n<!-- /keep -->\n";
    const NEW: &str = "# T\nfresh\n## Impact\nmore\n<!-- keep -->\n- who: [[BLANK: who]]\n<!-- /keep -->\nfact 2\n## Lessons\n<!-- keep -->\n- [[BLANK: what now]]\n<!-- /keep -->\n";

    #[test]
    fn what_people_wrote_is_carried_and_what_is_ours_is_new() {
        let (text, carried) = carry(OLD, NEW).unwrap();
        assert_eq!(carried, 2, "a blank that people left is theirs as well");
        assert!(text.contains("- who: everybody\n# not a heading of ours\n<!-- /keep -->\nfact 2\n"), "{text}");
        assert!(text.starts_with("# T\nfresh\n## Impact\nmore\n") && !text.contains("fact 1"));
    }

    #[test]
    fn outside_is_blind_for_what_people_wrote_and_sees_the_marks() {
        let edited = OLD.replace("- who: everybody\n", "- who: nobody\nanother line\n");
        assert_eq!(outside(OLD), outside(&edited));
        assert_ne!(outside(OLD), outside(&OLD.replace("fact 1", "fact X")));
        assert_ne!(outside(OLD), outside(&OLD.replacen("<!-- /keep -->\n", "", 1)));
        assert_eq!(carry("## Impact\n<!-- keep -->\nnever closed", NEW).unwrap().1, 1);
    }

    #[test]
    fn a_place_that_is_gone_is_never_dropped_with_text_in_it() {
        assert_eq!(carry(OLD, "# T\n## Lessons\n<!-- keep -->\n<!-- /keep -->\n"), None);
        let blank = OLD.replace("- who: everybody\n# not a heading of ours\n", "- [[BLANK: who]]\n");
        assert!(carry(&blank, "# T\n").is_some());
    }

    proptest! {
        #[test]
        fn any_text_survives(written in "([a-z#` \\[\\]]{0,12}\n){0,6}") {
            let old = OLD.replace("- who: everybody\n# not a heading of ours\n", &written);
            let (text, _) = carry(&old, NEW).unwrap();
            prop_assert!(written.trim().is_empty() || text.contains(&written), "{}", text);
            prop_assert_eq!(carry(&text, NEW).unwrap().0, text.clone(), "again changes nothing");
            prop_assert_eq!(outside(&text), outside(NEW));
        }
    }
}
