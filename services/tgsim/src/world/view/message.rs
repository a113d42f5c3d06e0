//! A message as it stands in a box.
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::world::{Body, Message, PeerId, UserId, World};

impl World {
    /// `message` or `messageService`. In a channel's history `out` depends on the reader, elsewhere on the box.
    pub fn message_view(&self, viewer: UserId, m: &Message) -> enums::Message {
        let out = match m.peer {
            PeerId::Channel(_) => m.from == PeerId::User(viewer),
            _ => m.out,
        };
        let from_id = (m.from != m.peer).then(|| m.from.tl());
        let reply_to = m.reply_to.map(|id| {
            types::MessageReplyHeader { reply_to_msg_id: Some(id), ..blank::reply_header() }.into()
        });
        match &m.body {
            Body::Text { text, entities } => types::Message {
                out,
                silent: m.silent,
                pinned: m.pinned,
                post: self.is_post(m),
                from_id,
                reply_to,
                date: m.date,
                message: text.clone(),
                entities: (!entities.is_empty()).then(|| entities.clone()),
                edit_date: m.edit_date,
                ttl_period: m.ttl_period,
                ..blank::message(m.id, m.peer.tl())
            }
            .into(),
            Body::Service(action) => types::MessageService {
                out,
                silent: m.silent,
                post: self.is_post(m),
                from_id,
                reply_to,
                date: m.date,
                ttl_period: m.ttl_period,
                ..blank::message_service(m.id, m.peer.tl(), action.clone())
            }
            .into(),
        }
    }

    /// In a private chat `from_id` is only given for one's own messages' counterpart; in a broadcast channel all
    /// messages are posts.
    fn is_post(&self, m: &Message) -> bool {
        matches!(m.peer, PeerId::Channel(id) if self.channels.get(&id).is_some_and(|c| c.broadcast))
    }
}
