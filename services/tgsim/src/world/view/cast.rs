//! The people and groups that an answer mentions: its `users` and `chats` lists.
use std::collections::BTreeSet;

use grammers_tl_types::enums;

use crate::world::{PeerId, UserId, World};

/// Who is mentioned. Rendered once, for one reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cast {
    peers: BTreeSet<PeerId>,
    /// People the reader doesn't know come as `min`.
    pub min: bool,
}

impl Cast {
    /// Adds more.
    pub fn extend(&mut self, peers: impl IntoIterator<Item = PeerId>) {
        self.peers.extend(peers);
    }

    /// Adds one.
    pub fn add(&mut self, peer: impl Into<PeerId>) {
        self.peers.insert(peer.into());
    }

    /// `users` and `chats`, as `viewer` sees them.
    pub fn render(&self, world: &World, viewer: UserId) -> (Vec<enums::User>, Vec<enums::Chat>) {
        let (mut users, mut chats) = (vec![], vec![]);
        for peer in &self.peers {
            match *peer {
                PeerId::User(id) => {
                    let min = self.min && !world.knows(viewer, id);
                    users.push(world.user_view(viewer, id, min));
                }
                PeerId::Chat(id) => chats.push(world.chat_view(viewer, id)),
                PeerId::Channel(id) => chats.push(world.channel_view(viewer, id)),
            }
        }
        (users, chats)
    }
}

impl FromIterator<PeerId> for Cast {
    fn from_iter<T: IntoIterator<Item = PeerId>>(iter: T) -> Self {
        Self { peers: iter.into_iter().collect(), min: false }
    }
}
