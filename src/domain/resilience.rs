//! How often a source that fails may be asked again: a circuit breaker for polls, and retries inside one poll.
//! Values in, values out: time and seeds are arguments; nothing here waits, and nothing here sends.
//!
//! The two together keep one promise: **a failing source gets one request per poll interval at most, and fewer while its
//! breaker is open.** The exception is a retry inside a poll, which [`retry::Retry::delay`] grants only to a failure that
//! cost the server next to nothing (no connection, or 5xx) and only while the breaker is closed.
//!
//! Names and defaults are those of the usual resilience settings:
//!
//! | setting | here |
//! |---|---|
//! | `circuit_breaker.failure_threshold: 5` | [`breaker::Policy::failure_threshold`] |
//! | `circuit_breaker.timeout: 30s` | [`breaker::Policy::open_for`], growing to [`breaker::Policy::open_max`] |
//! | `circuit_breaker.half_open_requests: 3` | [`breaker::Policy::half_open_requests`]: that many good probes close it, **one at a time** |
//! | `retry_policy.max_attempts: 3` | [`retry::Retry::max_attempts`] |
//! | `retry_policy.backoff: exponential`, `jitter: true` | [`retry::Retry::delay`], full jitter |
//!
//! A textbook breaker reads the clock itself, lets every caller through once it is half open, and forgets all failures at
//! the first success. Here time is an argument, one probe is out at a time, and a failing probe opens it again.

pub mod breaker;
pub mod jitter;
pub mod retry;
