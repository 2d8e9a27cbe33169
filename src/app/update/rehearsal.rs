//! News of the drill itself, and the one question that a drill asks about the real world: leave it, or go on with it. The
//! question lies above whatever was there and gives it back untouched; keys that text is made of do not answer it.

use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::rehearsal::Rehearsal;
use crate::app::screen::Overlay;
use crate::domain::time::Timestamp;

/// Leaves the drill.
pub const LEAVE: Key = Key::ctrl('x');
/// Goes on with it.
pub const GO_ON: Key = Key::ctrl('g');

/// Takes in how the drill stands now. A real page rings whatever the settings say.
pub fn news(model: &mut Model, now: Timestamp, new: Rehearsal, out: &mut Vec<Effect>) {
    let before = model.rehearsal.replace(new.clone()).unwrap_or_default();
    model.pace = new.speed.max(1);
    if new.asks != before.asks && !new.asks.is_empty() {
        out.push(Effect::Bell);
        model.say(now, Tone::Crit, format!("REAL PAGE {}: the drill stands", new.asks.join(", ")));
    }
    match (before.paused.is_empty(), new.paused.is_empty()) {
        (true, false) if new.asks.is_empty() => {
            model.say(now, Tone::Warn, format!("the drill stands: {}", new.paused.join(", ")));
        }
        (false, true) => model.say(now, Tone::Accent, "the drill goes on"),
        _ => {}
    }
    for person in new.players.iter().filter(|p| !before.players.is_empty() && !before.players.contains(p)) {
        model.say(now, Tone::Accent, format!("{person} plays too"));
    }
    for person in before.players.iter().filter(|p| !new.players.contains(p)) {
        model.say(now, Tone::Accent, format!("{person} left the drill"));
    }
}

/// Puts the question on top while it waits for its answer, and takes it away when somebody else gave that.
pub fn insist(model: &mut Model) {
    let asks = model.rehearsal.as_ref().is_some_and(|r| !r.asks.is_empty());
    match (asks, model.nav.overlay.take()) {
        (true, Some(question @ Overlay::RealPage { .. })) => model.nav.overlay = Some(question),
        (true, under) => model.nav.overlay = Some(Overlay::RealPage { under: under.map(Box::new), painted: false }),
        (false, Some(Overlay::RealPage { under, .. })) => model.nav.overlay = under.map(|it| *it),
        (false, other) => model.nav.overlay = other,
    }
}

/// A key while the question lies on top.
pub fn key(model: &mut Model, under: Option<Box<Overlay>>, painted: bool, key: Key, out: &mut Vec<Effect>) {
    match key {
        LEAVE if painted => out.push(Effect::Quit(0)),
        GO_ON if painted => out.push(Effect::GoOn),
        _ => {}
    }
    // It stays until the drill says that it was answered.
    model.nav.overlay = Some(Overlay::RealPage { under, painted });
}
