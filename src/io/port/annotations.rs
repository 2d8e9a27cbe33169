//! The port of dashboards: marks. Links that open at a time are templates of the configuration
//! ([`crate::domain::incident::link`]).

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
}
