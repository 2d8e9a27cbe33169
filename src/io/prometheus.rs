//! Prometheus and everything that speaks its HTTP API (Thanos, Mimir, Cortex, VictoriaMetrics).

pub mod answer;
pub mod client;
pub mod decode;
