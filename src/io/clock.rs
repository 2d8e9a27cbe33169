//! The one place that reads the time of this machine.

use crate::domain::time::Timestamp;

/// Now, UTC.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    chrono::Utc::now()
}
