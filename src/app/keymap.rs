//! From a key to an action: the table's own keys, changed by the person's configuration.

use crate::app::action::{ACTIONS, Action, Scope};
use crate::app::key::{Code, Key};
use crate::app::screen::Screen;
use crate::domain::document::nearest;
use std::collections::BTreeMap;

/// Keys by scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bound: BTreeMap<(Scope, Key), Action>,
    keys: BTreeMap<Action, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::with(&BTreeMap::new()).0
    }
}

/// The scopes of a screen, the most particular first.
pub fn scopes(screen: &Screen) -> [Scope; 2] {
    let own = match screen {
        Screen::Overview | Screen::Slos | Screen::Runbooks | Screen::Messages | Screen::FirstRun => Scope::Lists,
        Screen::Alerts => Scope::Alerts,
        Screen::Slo(_) => Scope::Slo,
        Screen::Incident(_) => Scope::Incident,
        Screen::Board(_) | Screen::HandOff(_) => Scope::Board,
        Screen::Timers => Scope::Timers,
        Screen::Changes => Scope::Changes,
        Screen::WhatChanged(_) => Scope::WhatChanged,
        Screen::Walk(..) => Scope::Walk,
        Screen::Postmortem(_) => Scope::Postmortem,
        Screen::Sources => Scope::Sources,
        Screen::Outbox => Scope::Outbox,
    };
    [own, Scope::Global]
}

impl Keymap {
    /// The table's keys with some actions bound anew (an empty list takes the keys away). Says what is wrong: unknown
    /// action, unreadable or reserved key, two actions on one key of one scope.
    pub fn with(rebound: &BTreeMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let mut wrong = Vec::new();
        let mut keys: BTreeMap<Action, Vec<Key>> = ACTIONS.iter().map(|e| (e.action, e.keys.to_vec())).collect();
        for (id, texts) in rebound {
            let Some(action) = Action::by_id(id) else {
                let hint =
                    nearest(id, ACTIONS.iter().map(|e| e.id)).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
                wrong.push(format!("keys: there is no action `{id}`{hint}"));
                continue;
            };
            let mut chosen = Vec::new();
            for text in texts {
                match Key::parse(text) {
                    Ok(key) if reserved(key) => wrong.push(format!("keys: {id}: `{text}` is reserved by terminals")),
                    Ok(key) if action.entry().changes && split(key) => {
                        wrong.push(format!(
                            "keys: {id}: `{text}` may come from a split arrow key and must not change anything"
                        ));
                    }
                    Ok(key) => chosen.push(key),
                    Err(why) => wrong.push(format!("keys: {id}: {why}")),
                }
            }
            keys.insert(action, chosen);
        }
        let mut bound = BTreeMap::new();
        for entry in ACTIONS {
            for scope in entry.scopes {
                for key in keys.get(&entry.action).into_iter().flatten() {
                    if let Some(other) = bound.insert((*scope, *key), entry.action)
                        && other != entry.action
                    {
                        let other_id = other.entry().id;
                        wrong.push(format!("keys: {key} means both {other_id} and {} in {}", entry.id, scope.word()));
                        bound.insert((*scope, *key), other);
                    }
                }
            }
        }
        (Self { bound, keys }, wrong)
    }

    /// What a key does on a screen.
    pub fn action(&self, screen: &Screen, key: Key) -> Option<Action> {
        scopes(screen).into_iter().find_map(|scope| self.bound.get(&(scope, key)).copied())
    }

    /// What a key does in one scope alone.
    pub fn bound(&self, scope: Scope, key: Key) -> Option<Action> {
        self.bound.get(&(scope, key)).copied()
    }

    /// The first key of an action, as text.
    pub fn key_of(&self, action: Action) -> Option<String> {
        self.keys.get(&action).and_then(|k| k.first()).map(ToString::to_string)
    }

    /// All keys of an action, as text.
    pub fn keys_of(&self, action: Action) -> Vec<String> {
        self.keys.get(&action).into_iter().flatten().map(ToString::to_string).collect()
    }
}

/// Flow control, the bytes of Backspace, Tab, Enter and Esc, and the prefix keys of multiplexers.
fn reserved(key: Key) -> bool {
    key.ctrl
        && matches!(key.code, Code::Char('s' | 'q' | 'h' | 'i' | 'm' | 'j' | '[' | 'a' | 'b' | 'o' | 't' | 'g' | 'n'))
}

/// Keys that crossterm reports when an escape sequence arrives in two pieces.
fn split(key: Key) -> bool {
    !key.ctrl && matches!(key.code, Code::Char('[' | 'O' | 'A'..='D' | 'F' | 'H' | 'P'..='S' | 'Z' | '~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_goes_before_everywhere() {
        let map = Keymap::default();
        let walk = Screen::Walk(None, "r".into());
        assert_eq!(map.action(&walk, Key::char('s')), Some(Action::StepSkip));
        assert_eq!(map.action(&Screen::Incident("i".into()), Key::char('s')), Some(Action::Status));
        assert_eq!(map.action(&Screen::Overview, Key::char('s')), None);
        assert_eq!(map.action(&Screen::Overview, Key::char('?')), Some(Action::Help));
    }

    #[test]
    fn rebinding_is_checked() {
        let rebind = |pairs: &[(&str, &[&str])]| {
            let map =
                pairs.iter().map(|(k, v)| ((*k).to_owned(), v.iter().map(|s| (*s).to_owned()).collect())).collect();
            Keymap::with(&map)
        };
        let (map, wrong) = rebind(&[("ack", &["z"])]);
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(map.action(&Screen::Overview, Key::char('z')), Some(Action::Ack));
        assert_eq!(map.action(&Screen::Overview, Key::char('a')), None);
        let (_, wrong) = rebind(&[
            ("akc", &["z"]),
            ("note", &["i"]),
            ("status", &["Ctrl-s"]),
            ("resolve", &["A"]),
            ("help", &["Hyper"]),
        ]);
        // `i` declares on lists and on alerts, and is a hypothesis on the incident and at the desk.
        assert_eq!(wrong.len(), 4 + 4, "{wrong:?}");
        assert!(wrong[0].contains("nearest: `ack`"));
    }
}
