//! stub
use crate::domain::document::{Node, Reader};
use crate::domain::slo::format::{Document, Gathered};
/// v
pub const VERSION: &str = "midwatch/v1";
/// k
pub fn knows(root: &Node) -> bool {
    root.get("apiVersion").and_then(Node::text).is_some_and(|t| t.starts_with("midwatch/"))
}
/// g
pub fn gather(_reader: &mut Reader<'_>, _document: Document<'_>, _gathered: &mut Gathered) {}
