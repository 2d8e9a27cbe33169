//! What changed, as it is shown.

use crate::app::present::view::{Bit, Chart, Pane};

/// Recent changes beside the burn chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WhatChangedPage {
    /// `INC-… title`, or the objective.
    pub title: String,
    /// The stretch that was asked for: `01:12:04Z to 03:42:04Z`.
    pub state: String,
    /// `start 03:12:04Z`, where there is one.
    pub start: Option<String>,
    /// The list, newest first.
    pub changes: Pane<RecentRow>,
    /// The burn chart, with the changes as marks.
    pub chart: Option<Chart>,
    /// One line for each feed: what it told, or why it did not.
    pub feeds: Vec<Bit>,
    /// The selected one in full.
    pub detail: Vec<(String, String)>,
}

/// A change in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecentRow {
    /// `02:58:04Z`.
    pub time: String,
    /// `14m before`, or how long ago.
    pub distance: String,
    /// Not after the start.
    pub before: bool,
    /// Who tells of it.
    pub source: String,
    /// What it changed, or `-`.
    pub service: String,
    /// Who made it.
    pub author: String,
    /// What.
    pub text: String,
    /// It has a page.
    pub link: bool,
}
