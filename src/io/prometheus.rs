//! Prometheus and what speaks its API (Thanos, Mimir, Cortex, VictoriaMetrics): asking it, and measuring objectives with
//! the answers. Knows nothing of the app.

pub mod answer;
pub mod client;
pub mod decode;
pub mod inspect;
pub mod measure;
pub mod signals;
pub mod source;
