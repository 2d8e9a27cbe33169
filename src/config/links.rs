//! Links of the team: `links`, pages that are opened at the time of an incident. Checks them; never opens one.

use crate::domain::document::{Node, Reader};
use crate::domain::incident::link::{LinkTemplate, wrong};

const KEYS: [&str; 3] = ["title", "url", "services"];

/// Reads the list; one that is wrong is left out and said.
pub(super) fn templates(reader: &mut Reader<'_>, node: &Node) -> Vec<LinkTemplate> {
    let items = reader.list(node, "links").to_vec();
    items.iter().filter_map(|item| template(reader, item)).collect()
}

fn template(reader: &mut Reader<'_>, node: &Node) -> Option<LinkTemplate> {
    let fields = reader.map(node, "an entry of links", &KEYS)?;
    let asked = fields.need(reader, "url")?;
    let url = reader.string(asked, "url")?;
    if let Some(why) = wrong(&url) {
        reader.error(asked.mark, "wrong-value", format!("url: {why}"));
        return None;
    }
    let title = fields.get("title").and_then(|n| reader.string(n, "title")).unwrap_or_default();
    let services = fields.get("services").map(|n| reader.strings(n, "services")).unwrap_or_default();
    Some(LinkTemplate { title, url, services })
}
