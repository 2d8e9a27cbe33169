//! What a target can do, by act, and why it cannot do the rest. The reason is shown where the key is greyed.

use crate::domain::outward::outcome::{Obstacle, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident $word:literal $title:literal;)*) => {
        /// One thing that a target may be able to do. Each write of [`crate::domain::outward::intent::Intent`] has one;
        /// the ones that begin with `Read` are questions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Capability { $($(#[$doc])* $name,)* }

        impl Capability {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word in JSON and commands.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// In words, as it stands in a list: `acknowledge`, `post`.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

capabilities! {
    /// Take an incident of the backend.
    Acknowledge "acknowledge" "acknowledge";
    /// Give it back.
    Unacknowledge "unacknowledge" "give back";
    /// End it.
    Resolve "resolve" "resolve";
    /// Give it to others.
    Reassign "reassign" "reassign";
    /// Send it to a level of its escalation policy.
    Escalate "escalate" "escalate";
    /// Keep it quiet for a while.
    Snooze "snooze" "snooze";
    /// Join others into it.
    Merge "merge" "merge";
    /// Add a line of text.
    Note "note" "note";
    /// Set its priority.
    SetPriority "set_priority" "set the priority";
    /// Set its title.
    SetTitle "set_title" "set the title";
    /// Open one.
    Declare "declare" "open an incident";
    /// Page more people.
    RequestResponders "request_responders" "page responders";
    /// Tell its subscribers.
    StatusUpdate "status_update" "tell subscribers";
    /// List open incidents.
    ReadIncidents "read_incidents" "list incidents";
    /// Read the log of one.
    ReadLog "read_log" "read the log";
    /// Read its alerts.
    ReadAlerts "read_alerts" "read the alerts";
    /// Read who is on call.
    ReadOnCall "read_on_call" "read who is on call";
    /// Read priorities.
    ReadPriorities "read_priorities" "read priorities";
    /// Read recent changes.
    ReadChanges "read_changes" "read changes";
    /// Raise an alarm: pages whoever is on call there.
    Trigger "trigger" "page the on-call";
    /// Acknowledge an alarm by its key.
    AcknowledgeAlarm "acknowledge_alarm" "acknowledge the alarm";
    /// End an alarm by its key.
    ResolveAlarm "resolve_alarm" "end the alarm";
    /// Tell of a change.
    SendChange "send_change" "send a change";
    /// Silence alerts.
    CreateSilence "create_silence" "silence";
    /// Make a silence longer.
    ExtendSilence "extend_silence" "extend the silence";
    /// End a silence.
    ExpireSilence "expire_silence" "end the silence";
    /// Read silences.
    ReadSilences "read_silences" "list silences";
    /// Open a room.
    CreateRoom "create_room" "open a room";
    /// Set its topic.
    SetTopic "set_topic" "set the topic";
    /// Invite people.
    Invite "invite" "invite";
    /// Post a message.
    Post "post" "post";
    /// Change a message.
    EditMessage "edit_message" "edit a message";
    /// Pin a message.
    Pin "pin" "pin";
    /// Keep a link in the room.
    Bookmark "bookmark" "bookmark";
    /// Read who volunteered on a message.
    ReadVolunteers "read_volunteers" "read volunteers";
    /// Read what people write in a room.
    ReadMessages "read_messages" "read the room";
    /// Open a notice on the public page.
    OpenNotice "open_notice" "publish a notice";
    /// Add to a notice.
    UpdateNotice "update_notice" "update the notice";
    /// Read open notices and components.
    ReadNotices "read_notices" "list notices";
    /// Open a ticket.
    CreateTicket "create_ticket" "open a ticket";
    /// Look for a ticket by its marker.
    FindTicket "find_ticket" "find a ticket";
    /// Mark a time or a region on dashboards.
    Annotate "annotate" "annotate";
    /// Give a region its end.
    EndAnnotation "end_annotation" "end the annotation";
    /// Read annotations.
    ReadAnnotations "read_annotations" "list annotations";
}

impl Capability {
    /// Whether it only reads.
    pub fn reads(self) -> bool {
        self.word().starts_with("read_") || self == Self::FindTicket
    }

    /// The capability of a word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|c| c.word() == word).copied()
    }
}

/// How often a write may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A: any number of times; the effect is that of one.
    Repeat,
    /// B: any number of times with the operation's key, which the target honours.
    RepeatWithKey,
    /// C: look first whether it is done already ([`Found`](crate::domain::outward::outcome::Found)), then send.
    Compare,
    /// D: never a second time by itself; a person decides.
    AskPerson,
}

impl Class {
    /// `A` to `D`.
    pub fn letter(self) -> char {
        match self {
            Self::Repeat => 'A',
            Self::RepeatWithKey => 'B',
            Self::Compare => 'C',
            Self::AskPerson => 'D',
        }
    }

    /// What it means, for the queue screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Repeat => "safe to repeat",
            Self::RepeatWithKey => "repeated under one key",
            Self::Compare => "looked up before it is repeated",
            Self::AskPerson => "never repeated without you",
        }
    }
}

/// Why something cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// The product has no such call.
    Unsupported,
    /// The team's plan has not bought it (402).
    PlanLacks,
    /// The token may not (403).
    NoPermission,
    /// `read_only` is set for this target.
    ReadOnlyConfig,
    /// A setting that it needs is missing.
    NotConfigured,
}

impl Lack {
    /// In words, for a greyed key.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unsupported => "it has no such call",
            Self::PlanLacks => "the plan does not include it",
            Self::NoPermission => "the token may not",
            Self::ReadOnlyConfig => "read_only is set for it",
            Self::NotConfigured => "a setting is missing",
        }
    }
}

/// Whether one thing can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Can {
    /// Yes; a write of this class. Questions are [`Class::Repeat`].
    Yes(Class),
    /// No, and why; the words may name the setting or the permission (`needs from_email`), and may be empty.
    No(Lack, String),
}

/// What a target can do. What is not listed is [`Lack::Unsupported`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps(BTreeMap<Capability, Can>);

impl Caps {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// It can do these, in this class.
    pub fn with(mut self, class: Class, capabilities: &[Capability]) -> Self {
        self.0.extend(capabilities.iter().map(|c| (*c, Can::Yes(class))));
        self
    }

    /// It cannot do these, for this reason.
    pub fn without(mut self, lack: Lack, words: &str, capabilities: &[Capability]) -> Self {
        self.0.extend(capabilities.iter().map(|c| (*c, Can::No(lack, words.to_owned()))));
        self
    }

    /// The same, with every write taken away by `read_only`.
    pub fn read_only(mut self) -> Self {
        for (capability, can) in &mut self.0 {
            if !capability.reads() && matches!(can, Can::Yes(_)) {
                *can = Can::No(Lack::ReadOnlyConfig, String::new());
            }
        }
        self
    }

    /// Takes one away after the target said no (402, 403).
    pub fn lose(&mut self, capability: Capability, lack: Lack, words: &str) {
        self.0.insert(capability, Can::No(lack, words.to_owned()));
    }

    /// Whether it can do this.
    pub fn of(&self, capability: Capability) -> Can {
        self.0.get(&capability).cloned().unwrap_or(Can::No(Lack::Unsupported, String::new()))
    }

    /// The class of something it can do.
    pub fn class(&self, capability: Capability) -> Option<Class> {
        match self.0.get(&capability) {
            Some(Can::Yes(class)) => Some(*class),
            _ => None,
        }
    }

    /// Why it cannot, in words; `None` when it can.
    pub fn why_not(&self, capability: Capability) -> Option<String> {
        match self.of(capability) {
            Can::Yes(_) => None,
            Can::No(lack, words) if words.is_empty() => Some(lack.words().to_owned()),
            Can::No(lack, words) => Some(format!("{}: {words}", lack.words())),
        }
    }

    /// The outcome of a write that it cannot do; `None` when it can.
    pub fn refusal(&self, capability: Capability) -> Option<Outcome> {
        let Can::No(lack, _) = self.of(capability) else { return None };
        let kind = match lack {
            Lack::Unsupported | Lack::NotConfigured => Obstacle::Unsupported,
            Lack::PlanLacks => Obstacle::PlanLacks,
            Lack::NoPermission => Obstacle::Permission,
            Lack::ReadOnlyConfig => Obstacle::ReadOnly,
        };
        let words = format!("it cannot {}: {}", capability.title(), self.why_not(capability).unwrap_or_default());
        Some(Outcome::Refused { kind, words })
    }

    /// Everything that was said about it, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Capability, &Can)> {
        self.0.iter().map(|(c, can)| (*c, can))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_unsupported_and_read_only_takes_writes_alone() {
        let caps = Caps::none()
            .with(Class::Compare, &[Capability::Acknowledge])
            .with(Class::Repeat, &[Capability::ReadLog])
            .without(Lack::PlanLacks, "status updates", &[Capability::StatusUpdate])
            .read_only();
        assert_eq!(caps.class(Capability::ReadLog), Some(Class::Repeat));
        for (capability, want) in [
            (Capability::Acknowledge, "read_only is set for it"),
            (Capability::StatusUpdate, "the plan does not include it: status updates"),
            (Capability::Post, "it has no such call"),
        ] {
            assert_eq!(caps.why_not(capability).as_deref(), Some(want));
        }
    }

    #[test]
    fn words_are_unique_and_are_those_of_the_record() {
        for capability in Capability::ALL {
            assert_eq!(Capability::by_word(capability.word()), Some(*capability));
            assert_eq!(serde_json::to_value(capability).unwrap(), capability.word());
        }
    }
}
