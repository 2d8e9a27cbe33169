//! The port of dashboards: marks, and links that open at a time.

use crate::domain::fault::Fault;
use crate::domain::outward::annotation::Annotation;
use crate::domain::time::Timestamp;
use crate::io::port::{Outward, Task};

/// Marks on dashboards. Writes go through [`Outward`] as
/// [`AnnotationWrite`](crate::domain::outward::annotation::AnnotationWrite).
pub trait Annotations: Outward {
    /// Marks between two instants, with all of these tags.
    fn between<'a>(
        &'a self,
        from: Timestamp,
        to: Timestamp,
        tags: &'a [String],
    ) -> Task<'a, Result<Vec<Annotation>, Fault>>;

    /// Pages that show this service at this time: title and address. From the configuration; asks nobody.
    fn links(&self, service: Option<&str>, from: Timestamp, to: Option<Timestamp>) -> Vec<(String, String)> {
        let _ = (service, from, to);
        Vec::new()
    }
}
