//! Whose a refusal for want of rights is: that of one thing (another team's incident, a room we are not in) or that of the
//! token. Where the product does not say, one thing proves nothing, and a second one does. Never decides what is sent.

use crate::domain::outward::capability::Capability;
use crate::domain::outward::outcome::Obstacle;
use std::collections::{BTreeMap, BTreeSet};

/// What the refusals of one target have shown so far, by act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Barred {
    /// The thing that was refused first.
    first: BTreeMap<Capability, String>,
    /// Acts that worked with some thing: the token may.
    worked: BTreeSet<Capability>,
}

impl Barred {
    /// An act was carried out: what is refused from now on is the thing's matter.
    pub fn worked(&mut self, capability: Capability) {
        self.first.remove(&capability);
        self.worked.insert(capability);
    }

    /// Whether a refusal takes the act away from everything there: `Some` with what speaks for it beside the refusal itself,
    /// which may be empty; `None` when it is about that one thing. `thing` is what the act was about, `None` where the
    /// target knows only one.
    pub fn takes_away(&mut self, capability: Capability, kind: Obstacle, thing: Option<&str>) -> Option<String> {
        let said = Some(String::new());
        let Some(thing) = thing else { return if kind.forbids() { said } else { None } };
        match kind {
            Obstacle::Scope => said,
            Obstacle::Permission if !self.worked.contains(&capability) => match self.first.get(&capability) {
                Some(first) if first != thing => Some(format!("for {first} and for {thing}")),
                Some(_) => None,
                None => {
                    self.first.insert(capability, thing.to_owned());
                    None
                }
            },
            _ => None,
        }
    }

    /// A person wants it tried again: refusals are forgotten, what worked is not.
    pub fn forget(&mut self) {
        self.first.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: Capability = Capability::Acknowledge;

    fn told(barred: &mut Barred, kind: Obstacle, thing: &str) -> bool {
        barred.takes_away(ACK, kind, Some(thing)).is_some()
    }

    #[test]
    fn one_thing_proves_nothing_and_a_second_one_does() {
        let mut barred = Barred::default();
        assert!(!told(&mut barred, Obstacle::Permission, "P1"));
        assert!(!told(&mut barred, Obstacle::Permission, "P1"), "the same once more is the same thing");
        assert!(barred.takes_away(Capability::Note, Obstacle::Permission, Some("P2")).is_none(), "another act");
        let why = barred.takes_away(ACK, Obstacle::Permission, Some("P2")).unwrap();
        assert!(why.contains("P1") && why.contains("P2"), "{why}");
        barred.forget();
        assert!(!told(&mut barred, Obstacle::Permission, "P2"));
    }

    #[test]
    fn a_token_that_did_it_somewhere_may_do_it() {
        let mut barred = Barred::default();
        assert!(!told(&mut barred, Obstacle::Permission, "P1"));
        barred.worked(ACK);
        for thing in ["P1", "P2", "P3"] {
            assert!(!told(&mut barred, Obstacle::Permission, thing));
        }
        barred.forget();
        assert!(!told(&mut barred, Obstacle::Permission, "P4") && !told(&mut barred, Obstacle::Permission, "P5"));
        // Unless the product names the token.
        assert!(told(&mut barred, Obstacle::Scope, "P1"));
    }

    #[test]
    fn what_the_product_says_counts_at_once() {
        let mut barred = Barred::default();
        for thing in ["#a", "#b", "#c"] {
            assert!(!told(&mut barred, Obstacle::Protected, thing), "only that room");
        }
        assert!(told(&mut barred, Obstacle::Scope, "#a"));
        // Where there is one thing alone, its refusal is the target's.
        for kind in [Obstacle::Permission, Obstacle::Scope, Obstacle::Protected] {
            assert!(barred.takes_away(ACK, kind, None).is_some());
        }
        for kind in [Obstacle::NotFound, Obstacle::Invalid, Obstacle::Auth] {
            assert!(barred.takes_away(ACK, kind, None).is_none() && !told(&mut barred, kind, "P1"));
        }
    }
}
