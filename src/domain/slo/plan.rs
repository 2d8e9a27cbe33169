//! Few requests for many objectives. Counters that differ in the value of one label share one `sum by (label)`; windows and
//! sides share one request through a tag. [`join()`] tells the answers apart again. Never sends anything.

pub mod join;
pub mod pace;
pub mod ranges;
pub mod sliced;

pub use join::{Reply, join};

use crate::domain::slo::objective::{Bad, Objective, Sli};
use crate::domain::slo::promql::WINDOW;
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::reading::Window;
use crate::domain::time::prometheus;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The label that tells the arms of one request apart.
pub const TAG: &str = "midwatch";
/// The most arms in one request.
const ARMS: usize = 50;
/// The most values in one `=~`.
const VALUES: usize = 1_000;
/// The longest query, in bytes; it goes as a form, so that this is a courtesy and not a limit of the protocol.
const QUERY_BYTES: usize = 128 << 10;
/// Windows up to this one go in one request, longer ones in another: a month may time out without taking 5 m with it.
const SHORT: Window = Window::H6;

/// Which of the two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Bad events, or good ones where bad is total minus good.
    Part,
    /// All events.
    Total,
}

/// Where one value of an arm's answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Index of the objective in the list that was planned for.
    pub objective: usize,
    /// Which count it is.
    pub side: Side,
    /// The value that the arm's label must have; `None` when the whole arm is meant.
    pub value: Option<String>,
}

/// One tagged expression of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The value of the label [`TAG`].
    pub tag: String,
    /// The expression, without its tag.
    pub expr: String,
    /// The window it counts in.
    pub window: Window,
    /// What its values are to be multiplied with; see [`pace`].
    pub scale: f64,
    /// The label that tells its values apart.
    pub label: Option<String>,
    /// Where its values go.
    pub feeds: Vec<Feed>,
}

/// One instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its arms, at least one.
    pub arms: Vec<Arm>,
}

impl Request {
    /// The PromQL: every arm tagged, joined by a balanced tree of `or` (a chain costs the server the square).
    pub fn query(&self) -> String {
        let tagged: Vec<String> = self.arms.iter().map(|arm| tagged(&arm.expr, &arm.tag)).collect();
        balanced(&tagged)
    }

    /// The objectives it is for.
    pub fn objectives(&self) -> BTreeSet<usize> {
        self.arms.iter().flat_map(|arm| &arm.feeds).map(|feed| feed.objective).collect()
    }

    /// Two halves by objectives, for finding the one that a server refuses; `None` when it is for one only.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let all: Vec<usize> = self.objectives().into_iter().collect();
        if all.len() < 2 || self.arms.iter().any(|arm| arm.label.is_some()) {
            return None;
        }
        let (first, _) = all.split_at_checked(all.len() / 2)?;
        let half = |wanted: bool| {
            let arms = self.arms.iter().filter_map(|arm| {
                let feeds: Vec<Feed> =
                    arm.feeds.iter().filter(|f| first.contains(&f.objective) == wanted).cloned().collect();
                (!feeds.is_empty()).then(|| Arm { feeds, ..arm.clone() })
            });
            Self { arms: arms.collect() }
        };
        Some((half(true), half(false)))
    }
}

pub(in crate::domain::slo) fn tagged(expr: &str, tag: &str) -> String {
    format!("label_replace({expr}, \"{TAG}\", \"{tag}\", \"\", \"\")")
}

/// Expressions with a tag each, in one.
pub fn joined<'e>(parts: impl Iterator<Item = (&'e str, String)>) -> String {
    balanced(&parts.map(|(expr, tag)| tagged(expr, &tag)).collect::<Vec<_>>())
}

/// `or` as a balanced tree.
pub(in crate::domain::slo) fn balanced(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at_checked(many.len() / 2).unwrap_or((many, &[]));
            format!("({} or {})", balanced(left), balanced(right))
        }
    }
}

/// Counts that are asked together: one expression with `$window`.
#[derive(Clone, Debug)]
struct Group {
    text: String,
    label: Option<String>,
    feeds: Vec<Feed>,
}

/// What a list of objectives is asked with, whatever the window: reading a thousand texts takes time, so that this is made
/// once per list.
#[derive(Clone, Debug, Default)]
pub struct Groups(Vec<Group>);

impl Groups {
    /// Of the event objectives of a list. Those measured by time slices are planned by [`ranges`].
    pub fn of(objectives: &[Arc<Objective>]) -> Self {
        Self(groups(wanted(objectives)))
    }

    /// How many expressions it takes to ask for one window.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Requests for the given windows, each asked for those objectives only that want it.
    pub fn requests(&self, windows: &[Window], wants: &dyn Fn(usize, Window) -> bool) -> Vec<Request> {
        self.ranges(windows, wants, &|_, window| (prometheus(window.span()), 1.0))
    }

    /// Requests for slices of a length, for those objectives that want them; as exact as their scrape intervals allow.
    pub fn slices(&self, length: Window, wants: &dyn Fn(usize) -> bool, scrapes: pace::Scrapes<'_>) -> Vec<Request> {
        self.ranges(&[length], &|index, _| wants(index), &|group, slice| pace::range(group, slice, scrapes))
    }

    fn ranges(
        &self,
        windows: &[Window],
        wants: &dyn Fn(usize, Window) -> bool,
        range: &dyn Fn(&Group, Window) -> (String, f64),
    ) -> Vec<Request> {
        let windows: BTreeSet<Window> = windows.iter().copied().filter(|w| w.0 > 0).collect();
        let (short, long): (Vec<Window>, Vec<Window>) = windows.into_iter().partition(|w| *w <= SHORT);
        let mut requests = Vec::new();
        for windows in [short, long] {
            // Shared arms and lone ones apart: a refused lone one can then be found by halves.
            for shared in [true, false] {
                let mut chunk = Chunk::default();
                for (index, group) in self.0.iter().enumerate().filter(|(_, g)| g.label.is_some() == shared) {
                    for window in windows.iter().filter(|w| group.feeds.iter().any(|f| wants(f.objective, **w))) {
                        chunk.add(arm(index, group, *window, range(group, *window)), &mut requests);
                    }
                }
                chunk.close(&mut requests);
            }
        }
        requests
    }
}

/// Plans the given windows of all event objectives.
pub fn requests(objectives: &[Arc<Objective>], windows: &[Window]) -> Vec<Request> {
    Groups::of(objectives).requests(windows, &|_, _| true)
}

#[derive(Default)]
struct Chunk {
    arms: Vec<Arm>,
    bytes: usize,
}

impl Chunk {
    fn add(&mut self, arm: Arm, requests: &mut Vec<Request>) {
        let bytes = arm.expr.len() + arm.tag.len() + 48;
        if self.arms.len() >= ARMS || (self.bytes + bytes > QUERY_BYTES && !self.arms.is_empty()) {
            self.close(requests);
        }
        self.bytes += bytes;
        self.arms.push(arm);
    }

    fn close(&mut self, requests: &mut Vec<Request>) {
        self.bytes = 0;
        if !self.arms.is_empty() {
            requests.push(Request { arms: std::mem::take(&mut self.arms) });
        }
    }
}

fn arm(index: usize, group: &Group, window: Window, (range, scale): (String, f64)) -> Arm {
    let side = match group.feeds.first().map(|f| f.side) {
        Some(Side::Total) => "total",
        _ => "bad",
    };
    Arm {
        tag: format!("{side}:{window}:{index}"),
        expr: group.text.replace(WINDOW, &range),
        window,
        scale,
        label: group.label.clone(),
        feeds: group.feeds.clone(),
    }
}

/// Every distinct event query and what it feeds, in a stable order.
fn wanted(objectives: &[Arc<Objective>]) -> BTreeMap<String, Vec<Feed>> {
    let mut texts: BTreeMap<String, Vec<Feed>> = BTreeMap::new();
    for (index, objective) in objectives.iter().enumerate() {
        if let Sli::Events { bad, total } = &objective.sli {
            let (Bad::Counted(part) | Bad::TotalMinus(part)) = bad;
            for (text, side) in [(part, Side::Part), (total, Side::Total)] {
                texts.entry(text.clone()).or_default().push(Feed { objective: index, side, value: None });
            }
        }
    }
    texts
}

/// Puts together what differs in the value of one label only, the largest groups first.
fn groups(texts: BTreeMap<String, Vec<Feed>>) -> Vec<Group> {
    let mut families: BTreeMap<(String, String), Vec<(usize, String)>> = BTreeMap::new();
    let mut members: Vec<Member> = Vec::new();
    for (text, feeds) in texts {
        let counter = Counter::read(&text);
        for (label, value) in counter.iter().flat_map(Counter::pullable) {
            let rest = counter.as_ref().map(|c| c.without(&label).text()).unwrap_or_default();
            families.entry((label, rest)).or_default().push((members.len(), value));
        }
        members.push(Some((text, counter, feeds)));
    }
    let mut families: Vec<_> = families.into_iter().filter(|(_, found)| found.len() > 1).collect();
    families.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let mut groups = Vec::new();
    for ((label, _), found) in families {
        let free: Vec<_> = found.into_iter().filter(|(i, _)| members.get(*i).is_some_and(Option::is_some)).collect();
        for chunk in free.chunks(VALUES).filter(|chunk| chunk.len() > 1) {
            groups.extend(shared(&label, chunk, &mut members));
        }
    }
    for (text, _, feeds) in members.into_iter().flatten() {
        // Read as one number whatever labels are left on it.
        let text = if text.starts_with("sum(") { text } else { format!("sum({text})") };
        groups.push(Group { text, label: None, feeds });
    }
    groups
}

type Member = Option<(String, Option<Counter>, Vec<Feed>)>;

fn shared(label: &str, chunk: &[(usize, String)], members: &mut [Member]) -> Option<Group> {
    let values: Vec<&str> = chunk.iter().map(|(_, value)| value.as_str()).collect();
    let mut group = Group { text: String::new(), label: Some(label.to_owned()), feeds: Vec::new() };
    for (index, value) in chunk {
        let (_, counter, feeds) = members.get_mut(*index)?.take()?;
        if group.text.is_empty() {
            group.text = counter?.text_by(label, &values);
        }
        group.feeds.extend(feeds.into_iter().map(|feed| Feed { value: Some(value.clone()), ..feed }));
    }
    Some(group)
}

/// The feeds of an arm by the value of its label; the whole arm under the empty text.
pub(super) fn by_value(arm: &Arm) -> HashMap<&str, Vec<&Feed>> {
    let mut map: HashMap<&str, Vec<&Feed>> = HashMap::new();
    for feed in &arm.feeds {
        map.entry(feed.value.as_deref().unwrap_or("")).or_default().push(feed);
    }
    map
}

#[cfg(test)]
mod tests;
