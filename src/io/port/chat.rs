//! The port of a chat product: the incident room.

use crate::domain::fault::Fault;
use crate::domain::outward::backend::Party;
use crate::domain::outward::chat::{ChatMessage, Room, Volunteer};
use crate::domain::time::Timestamp;
use crate::io::port::backend::missing;
use crate::io::port::{Outward, Task};

/// Rooms and messages. Writes go through [`Outward`] as [`ChatWrite`](crate::domain::outward::chat::ChatWrite).
pub trait ChatRoom: Outward {
    /// The room of a name, if we can see one.
    fn find<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<Room>, Fault>> {
        let _ = name;
        missing("no rooms to find")
    }

    /// Who reacted to a message, earliest first where the product tells.
    fn volunteers<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<Vec<Volunteer>, Fault>> {
        let _ = (room, message);
        missing("no reactions")
    }

    /// What was written in a room since an instant, oldest first; at most a few hundred of the newest.
    fn messages<'a>(&'a self, room: &'a str, since: Timestamp) -> Task<'a, Result<Vec<ChatMessage>, Fault>> {
        let _ = (room, since);
        missing("no messages to read")
    }

    /// The page of a message.
    fn permalink<'a>(&'a self, room: &'a str, message: &'a str) -> Task<'a, Result<String, Fault>> {
        let _ = (room, message);
        missing("no links to messages")
    }

    /// The person of an address.
    fn person<'a>(&'a self, email: &'a str) -> Task<'a, Result<Option<Party>, Fault>> {
        let _ = email;
        missing("no people to find")
    }
}
