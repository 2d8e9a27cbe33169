//! The keys of our own format and of the plain form, in one table: readers, the JSON Schema and the reference page are made
//! from it, so that they cannot disagree. Says what a key is for; reads nothing.

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// PromQL; in events with `$window` as the range.
    Query,
    /// A number.
    Number,
    /// `99.9%`, or a share below 1.
    Share,
    /// `true` or `false`.
    Boolean,
    /// `5m`, `30d`.
    Duration,
    /// One of a few words.
    Words(&'static [&'static str]),
    /// A map of texts.
    Labels,
    /// A list of texts.
    Texts,
    /// A map with the keys of a block.
    Block(&'static str),
    /// A list of such maps.
    List(&'static str),
    /// A map of names to such maps.
    Named(&'static str),
    /// One of a few words, or a list of such maps.
    WordsOrList(&'static [&'static str], &'static str),
    /// A text, or a map with the keys of a block.
    TextOrBlock(&'static str),
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// It must be there.
    pub required: bool,
    /// What it is for.
    pub says: &'static str,
}

/// A map with known keys.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its name in this table.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

const fn key(name: &'static str, shape: Shape, says: &'static str) -> Key {
    Key { name, shape, required: false, says }
}

const fn must(name: &'static str, shape: Shape, says: &'static str) -> Key {
    Key { name, shape, required: true, says }
}

/// The named sets of alert windows.
pub const SETS: [&str; 4] = ["google", "sloth", "pyrra", "fixed"];
/// How a value compares.
pub const OPS: [&str; 8] = ["<=", "<", ">=", ">", "lte", "lt", "gte", "gt"];
/// What a slice without data counts as.
pub const GAPS: [&str; 3] = ["ignore", "good", "bad"];
/// Calendar periods.
pub const PERIODS: [&str; 5] = ["day", "week", "month", "quarter", "year"];
/// How parts become one.
pub const COMBINE: [&str; 2] = ["weighted", "any_bad"];

/// The blocks, the file first; `plain` and `plain_objective` are the plain form.
pub const BLOCKS: [Block; 18] = [
    Block {
        name: "file",
        says: "A file of our own format.",
        keys: &[
            must("apiVersion", Shape::Words(&["midwatch/v1"]), "Gives the format away."),
            must("kind", Shape::Words(&["Objectives"]), "The only kind."),
            key("service", Shape::Text, "The service of objectives that name none."),
            key("labels", Shape::Labels, "Labels of all objectives of the file."),
            key("source", Shape::Text, "The Prometheus that is asked, for objectives that name none."),
            key(
                "alert_windows",
                Shape::WordsOrList(&SETS, "alert_window"),
                "Alert pairs of objectives that have none. Without it: `google` from 28 days on, `fixed` for shorter windows.",
            ),
            key("objectives", Shape::List("objective"), "The objectives."),
            key("services", Shape::Named("service"), "Services and their golden signals, by name."),
            key(
                "maintenance",
                Shape::List("maintenance"),
                "Planned work: its events count neither as good nor as bad.",
            ),
            key(
                "policy",
                Shape::Block("policy"),
                "What the team does with what is left of a budget. One in all files.",
            ),
        ],
    },
    Block {
        name: "objective",
        says: "One objective: a target for an SLI over a window.",
        keys: &[
            must("name", Shape::Text, "Its name; one over all files."),
            key("description", Shape::Text, "For people."),
            key(
                "service",
                Shape::Text,
                "The service it belongs to. Without it: the file's, else the `service` or `job` selector, else the first word of its name.",
            ),
            key("labels", Shape::Labels, "Labels, over those of the file."),
            key(
                "target",
                Shape::Share,
                "The share that must be good. May be left out for a value: then it is the quantile, else 99 %, and shown as assumed.",
            ),
            key("window", Shape::Duration, "The rolling window of the budget. This or `calendar` must be there."),
            key("calendar", Shape::Block("calendar"), "The budget is that of a calendar period."),
            must("sli", Shape::Block("sli"), "Where the numbers come from."),
            key("timeslices", Shape::Block("timeslices"), "Judges slices of time instead of events."),
            key("group_by", Shape::Texts, "Labels whose values make one row each."),
            key("min_failures", Shape::Number, "Bad events in the long window below which no alert fires."),
            key("no_data", Shape::Words(&GAPS), "What a slice without data counts as. Without it: `ignore`."),
            key("alert_windows", Shape::WordsOrList(&SETS, "alert_window"), "Alert pairs: a named set, or a list."),
            key("policy", Shape::Text, "Such as halt_deployments_at_50_percent_burn; another text is shown as it is."),
            key("source", Shape::Text, "The name of the Prometheus that is asked."),
            key("recorded", Shape::Block("recorded"), "What recordings on the server call it."),
            key("written", Shape::Text, "The query as its author wrote it, for the screen and the clipboard."),
        ],
    },
    Block {
        name: "calendar",
        says: "A calendar period, which begins anew instead of rolling.",
        keys: &[
            must("period", Shape::Words(&PERIODS), "Its unit."),
            key("count", Shape::Number, "How many units make one period. Without it: 1."),
            key("time_zone", Shape::Text, "The zone in which days begin, such as Europe/Berlin. Without it: UTC."),
            key(
                "start",
                Shape::Text,
                "A local time at which one period began, such as 2026-01-01 or 2026-01-01 09:00:00. Days need one.",
            ),
        ],
    },
    Block {
        name: "sli",
        says: "One of `events`, `ratio`, `value` and `composite`.",
        keys: &[
            key("events", Shape::Block("events"), "Two counts: exact for every window, weighted by events."),
            key(
                "ratio",
                Shape::Query,
                "The good ratio. Split into counts where it is `good / total` or `1 - bad / total`, else averaged over slices.",
            ),
            key(
                "value",
                Shape::Query,
                "A value per slice, or a comparison; ranges shorter than the slice are raised to it.",
            ),
            key("op", Shape::Words(&OPS), "How the value compares when it is good. Without it: `<=`."),
            key("threshold", Shape::Number, "What the value is compared with, in its own unit."),
            key(
                "called",
                Shape::Text,
                "What the value is called in words. Without it: `p99` for a quantile, else `value`.",
            ),
            key("slice", Shape::Duration, "The length of a slice. Without it: 5m."),
            key("no_data", Shape::Words(&GAPS), "As beside `sli`."),
            key("composite", Shape::Block("composite"), "Made of other objectives."),
        ],
    },
    Block {
        name: "events",
        says: "`total` and one of `bad` and `good`. `$window` stands for the range; a rate counts as the increase it comes from.",
        keys: &[
            key("bad", Shape::Query, "Bad events; a missing series means none."),
            key("good", Shape::Query, "Good events; a missing series means that all were bad."),
            must("total", Shape::Query, "All events."),
        ],
    },
    Block {
        name: "composite",
        says: "Parts and how they become one.",
        keys: &[
            key(
                "combine",
                Shape::Words(&COMBINE),
                "`weighted` adds up burn rates times weights, `any_bad` is bad where any part is. Without it: `weighted`.",
            ),
            must("parts", Shape::List("part"), "The parts."),
        ],
    },
    Block {
        name: "part",
        says: "A part of a composite.",
        keys: &[
            must("objective", Shape::Text, "Its name, in any of the files."),
            key("weight", Shape::Number, "Over 0; weights need not add up to 1. Without it: 1."),
        ],
    },
    Block {
        name: "timeslices",
        says: "Judges slices of events or of a ratio.",
        keys: &[
            key("slice", Shape::Duration, "The length of a slice. Without it: 5m."),
            key("good_from", Shape::Share, "A slice is good when its good ratio is at least this; 100% is allowed."),
            key("mean", Shape::Boolean, "The mean of the ratios of all slices instead."),
        ],
    },
    Block {
        name: "alert_window",
        says: "An alert pair: fires while both windows burn faster than the factor.",
        keys: &[
            must("severity", Shape::Words(&["page", "ticket"]), "Whether it wakes somebody."),
            must("long", Shape::Duration, "The long window."),
            key("short", Shape::Duration, "The short window. Without it: the long one."),
            must("factor", Shape::Number, "The burn rate over which both must be."),
            key("for", Shape::Duration, "How long both must be over it. Without it: not at all."),
        ],
    },
    Block {
        name: "recorded",
        says: "What one of these tools calls the objective in its recordings.",
        keys: &[
            key("sloth", Shape::Text, "The label `sloth_id`."),
            key("pyrra", Shape::Block("pyrra"), "The label `slo` and the metrics."),
            key("openslo", Shape::Text, "The name of the SLO."),
            key("slo_generator", Shape::Text, "The name of the SLO."),
            key("grafana", Shape::Text, "The label `grafana_slo_uuid`."),
            key("kubernetes_mixin", Shape::Words(&["read", "write"]), "The label `verb`."),
        ],
    },
    Block {
        name: "pyrra",
        says: "What Pyrra calls an objective.",
        keys: &[
            must("name", Shape::Text, "The label `slo`."),
            must("part", Shape::Text, "The metric of the errors, or of the successes of a latency."),
            must("total", Shape::Text, "The metric of the total."),
        ],
    },
    Block {
        name: "service",
        says: "A service: what is asked to see how it does. A signal is a query, or a map.",
        keys: &[
            key("description", Shape::Text, "For people."),
            key("source", Shape::Text, "The Prometheus that is asked."),
            key("rate", Shape::TextOrBlock("signal"), "How much is asked of it."),
            key("traffic", Shape::TextOrBlock("signal"), "Another word for rate."),
            key("errors", Shape::TextOrBlock("signal"), "How much of that fails."),
            key("latency", Shape::TextOrBlock("signal"), "How long it takes."),
            key("duration", Shape::TextOrBlock("signal"), "Another word for latency."),
            key("utilization", Shape::TextOrBlock("signal"), "How much of its resources is in use."),
            key("utilisation", Shape::TextOrBlock("signal"), "Another spelling of utilization."),
            key("saturation", Shape::TextOrBlock("signal"), "How much waits because they are full."),
        ],
    },
    Block {
        name: "signal",
        says: "A signal with its unit.",
        keys: &[
            must("query", Shape::Query, "PromQL with one value."),
            key(
                "unit",
                Shape::Words(&["per_second", "ratio", "percent", "seconds", "milliseconds", "bytes", "count"]),
                "What the number counts.",
            ),
            key("limit", Shape::Number, "A value over this is too much."),
        ],
    },
    Block {
        name: "maintenance",
        says: "Planned work, once or again and again.",
        keys: &[
            must("name", Shape::Text, "What it is."),
            key("objectives", Shape::Texts, "Objectives that it spares. Without these and services: all."),
            key("services", Shape::Texts, "Services whose objectives it spares."),
            must("start", Shape::Text, "Its first local beginning."),
            key("end", Shape::Text, "Its first local end; this or `duration`."),
            key("duration", Shape::Duration, "How long it lasts."),
            key("time_zone", Shape::Text, "The zone of its clock. Without it: UTC."),
            key("rrule", Shape::Text, "When it happens again, as RFC 5545 writes it."),
            key("except", Shape::Texts, "Days on which it does not."),
        ],
    },
    Block {
        name: "policy",
        says: "The policy of the team.",
        keys: &[
            key("name", Shape::Text, "What it is called."),
            key("settle", Shape::Duration, "How long a budget must be in another band before that one counts."),
            must("bands", Shape::List("band"), "Its bands, best first; the last has no bound."),
        ],
    },
    Block {
        name: "band",
        says: "A band of what is left.",
        keys: &[
            must("band", Shape::Text, "Its word."),
            key("above", Shape::Share, "More than this must be left."),
            key("from", Shape::Share, "At least this must be left."),
            must("action", Shape::Text, "What it asks of people."),
        ],
    },
    Block {
        name: "plain",
        says: "The plain form: nothing but objectives by name.",
        keys: &[must("service_level_objectives", Shape::Named("plain_objective"), "The objectives, by name.")],
    },
    Block {
        name: "plain_objective",
        says: "An objective of the plain form.",
        keys: &[
            must("sli", Shape::Query, "PromQL: a ratio of two sums, or a value per time slice."),
            must("target", Shape::Number, "The share that must be good, or the limit a value must keep."),
            must("window", Shape::Duration, "The rolling window of the error budget."),
            key("error_budget_policy", Shape::Text, "Such as halt_deployments_at_50_percent_burn."),
            key("kind", Shape::Words(&["ratio", "threshold"]), "Only where it cannot be seen from the expression."),
            key("op", Shape::Words(&OPS), "How a value compares with the target."),
            key("objective", Shape::Number, "The share of slices that must be good."),
            key("slice", Shape::Duration, "The length of a slice."),
            key("no_data", Shape::Words(&GAPS), "What a slice without data counts as."),
            key("service", Shape::Text, "The service it belongs to."),
            key("description", Shape::Text, "For people."),
            key("source", Shape::Text, "The name of the Prometheus that is asked."),
        ],
    },
];

/// The names of a block's keys; none for a name that the table does not have.
pub fn names(block: &str) -> Vec<&'static str> {
    BLOCKS.iter().find(|b| b.name == block).map(|b| b.keys.iter().map(|k| k.name).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::own::schema::reference;
    use crate::domain::slo::{maintenance, policy, service};

    #[test]
    fn blocks_of_other_readers_have_the_keys_of_the_table() {
        for (block, keys) in [
            ("service", service::KEYS.to_vec()),
            ("signal", service::SIGNAL_KEYS.to_vec()),
            ("maintenance", maintenance::KEYS.to_vec()),
            ("policy", policy::KEYS.to_vec()),
            ("band", policy::BAND_KEYS.to_vec()),
            ("plain_objective", crate::domain::slo::seed::KEYS.to_vec()),
            ("plain", vec![crate::domain::slo::seed::ROOT]),
        ] {
            assert_eq!(names(block), keys, "{block}");
        }
    }

    #[test]
    fn every_block_that_is_named_is_there_and_every_block_is_named() {
        let mut named = vec!["file", "plain"];
        for key in BLOCKS.iter().flat_map(|b| b.keys) {
            match key.shape {
                Shape::Block(n)
                | Shape::List(n)
                | Shape::Named(n)
                | Shape::WordsOrList(_, n)
                | Shape::TextOrBlock(n) => {
                    assert!(!names(n).is_empty(), "{n}");
                    named.push(n);
                }
                _ => {}
            }
        }
        for block in BLOCKS {
            assert!(named.contains(&block.name), "{}", block.name);
            for key in block.keys {
                assert!(reference().contains(&format!("| `{}`", key.name)) && key.says.ends_with('.'), "{}", key.name);
            }
        }
    }
}
