//! What an adapter of a product tells the registry: its word in the configuration, its options with their check, and how a
//! target is made of a checked entry. One constant per adapter file; no rules here.

use crate::config::{OutsideConfig, Section};
use crate::domain::document::Reader;
use crate::domain::fault::Fault;
use crate::io::http::Endpoint;
use crate::io::port::Target;
use std::fmt;

/// A product that can be configured.
pub struct Integration {
    /// `kind` in the configuration.
    pub kind: &'static str,
    /// The product's name and what it is used for, in one line.
    pub about: &'static str,
    /// The sections in which it may stand.
    pub sections: &'static [Section],
    /// Where it is when no `url` is given; `None`: a `url` is needed.
    pub url: Option<&'static str>,
    /// `url` may be a secret: the product's webhooks carry their token in the address.
    pub secret_url: bool,
    /// The keys under `options`, each with what it is.
    pub options: &'static [(&'static str, &'static str)],
    /// Reports everything wrong with an entry that only this product knows. Reads the options with
    /// [`OutsideConfig::options`]; unknown keys are reported there. Never connects.
    pub check: fn(&OutsideConfig, &mut Reader<'_>),
    /// Makes the target of a checked entry. `endpoint` has address, limits, credentials, headers and certificates of the
    /// entry; a product with a scheme of its own changes [`Endpoint::auth`]. Never connects, reads no secret.
    pub connect: fn(&OutsideConfig, Endpoint) -> Result<Target, Fault>,
}

impl Integration {
    /// The keys of its options.
    pub fn keys(&self) -> Vec<&'static str> {
        self.options.iter().map(|(key, _)| *key).collect()
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration").field("kind", &self.kind).finish_non_exhaustive()
    }
}
