//! Prometheus and what speaks its API: asking it, and measuring objectives with the answers. Knows nothing of the app.

pub mod answer;
pub mod measure;
