//! What a cockpit in a drill with people knows of the drill itself: the real world, why its clock stands, who plays, and
//! which real pages wait for an answer. Told as a whole by whoever holds the drill; the machine only shows and answers it.

use crate::domain::drill::real_world::Real;

/// A drill as its cockpits know it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rehearsal {
    /// The real world.
    pub real: Real,
    /// Why the drill's clock stands; empty runs.
    pub paused: Vec<String>,
    /// How many times as fast as time its clock runs.
    pub speed: u32,
    /// Who plays now.
    pub players: Vec<String>,
    /// Real pages that nobody answered yet: the drill stands until somebody does.
    pub asks: Vec<String>,
    /// Why it ended.
    pub ended: Option<String>,
}
