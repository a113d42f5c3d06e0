//! MTProto sessions: what the server remembers of one client's run, across its connections.
//!
//! A [`Session`] is pure state: which messages came, which of ours are not acknowledged yet, what was
//! answered. The hub decides what to do; nothing here knows a request or a socket.

mod exclusive;
mod inbox;
mod outbox;
mod salts;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use exclusive::Exclusive;
pub use inbox::{Inbox, Seen};
pub use outbox::{Outbox, Sent};
pub use salts::Salts;

use crate::wire::message::write_container;
use crate::wire::msg_id::{Kind, MsgIds};
use crate::world::AuthKeyId;

/// The number of a TCP connection, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A session's name: the key it is encrypted with, and the id that the client chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// The key itself, also where it is a temporary one.
    pub key: AuthKeyId,
    /// Chosen by the client.
    pub id: i64,
}

/// At most this many bytes of messages go into one container, and this many messages.
const CONTAINER_MAX_BYTES: usize = 512 * 1024;
const CONTAINER_MAX: usize = 100;

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Where it was last heard of.
    pub connection: Option<ConnectionId>,
    /// Whether `new_session_created` was sent.
    pub announced: bool,
    /// Whether updates go here: it asked something without `invokeWithoutUpdates`.
    pub wants_updates: bool,
    /// The requests that are being executed.
    pub running: BTreeSet<i64>,
    /// What came in.
    pub inbox: Inbox,
    /// What went out.
    pub outbox: Outbox,
    ids: MsgIds,
    content_sent: i32,
    ready: Vec<Arc<Sent>>,
}

impl Session {
    /// A session that has just begun.
    pub fn new() -> Self {
        Self {
            connection: None,
            announced: false,
            wants_updates: false,
            running: BTreeSet::new(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            ids: MsgIds::default(),
            content_sent: 0,
            ready: Vec::new(),
        }
    }

    /// Makes a message that the client need not acknowledge; it goes out with the next [`Self::take_ready`].
    pub fn say(&mut self, kind: Kind, body: Vec<u8>, now_ns: i64) {
        let sent = self.stamp(kind, body, None, false, now_ns);
        self.ready.push(sent);
    }

    /// Makes a message that is kept until the client acknowledges it.
    pub fn tell(&mut self, kind: Kind, body: Vec<u8>, answers: Option<i64>, now_ns: i64) {
        let sent = self.stamp(kind, body, answers, true, now_ns);
        self.outbox.keep(Arc::clone(&sent));
        self.ready.push(sent);
    }

    /// Sends a message again that was sent before.
    pub fn repeat(&mut self, sent: Arc<Sent>) {
        if !self.ready.iter().any(|other| other.msg_id == sent.msg_id) {
            self.ready.push(sent);
        }
    }

    /// Everything that the client has not acknowledged is to be sent again.
    pub fn repeat_unacknowledged(&mut self) {
        for sent in self.outbox.unacknowledged() {
            self.repeat(sent);
        }
    }

    /// What is to be sent now, each item in an envelope of its own: single messages and containers.
    pub fn take_ready(&mut self, now_ns: i64) -> Vec<Arc<Sent>> {
        let mut ready = std::mem::take(&mut self.ready).into_iter().peekable();
        let mut out = Vec::new();
        while let Some(first) = ready.next() {
            let mut size = first.body.len();
            let mut batch = vec![first];
            while let Some(next) = ready.next_if(|next| {
                batch.len() < CONTAINER_MAX && size + next.body.len() <= CONTAINER_MAX_BYTES
            }) {
                size += next.body.len();
                batch.push(next);
            }
            // A repeated message is older than others: alone, it would come with an id that is too low.
            let alone = batch.len() == 1 && out.is_empty() && batch[0].msg_id == self.ids.last();
            if alone {
                out.append(&mut batch);
            } else {
                batch.sort_by_key(|sent| sent.msg_id);
                let parts: Vec<_> =
                    batch.iter().map(|s| (s.msg_id, s.seq_no, s.body.as_slice())).collect();
                let body = write_container(&parts);
                out.push(self.stamp(Kind::Notice, body, None, false, now_ns));
            }
        }
        out
    }

    fn stamp(
        &mut self,
        kind: Kind,
        body: Vec<u8>,
        answers: Option<i64>,
        content: bool,
        now_ns: i64,
    ) -> Arc<Sent> {
        let seq_no = self.content_sent.wrapping_mul(2) + i32::from(content);
        self.content_sent = self.content_sent.wrapping_add(i32::from(content));
        Arc::new(Sent { msg_id: self.ids.next(kind, now_ns), seq_no, body, answers })
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::read_container;

    const NOW: i64 = 1_800_000_000_000_000_000;

    #[test]
    fn one_message_goes_alone_and_several_in_a_container() {
        let mut session = Session::new();
        session.tell(Kind::Answer, vec![1; 4], Some(8), NOW);
        let out = session.take_ready(NOW);
        assert_eq!((out.len(), out[0].seq_no, out[0].msg_id & 3), (1, 1, 1));
        session.say(Kind::Answer, vec![2; 4], NOW);
        session.tell(Kind::Notice, vec![3; 4], None, NOW);
        let out = session.take_ready(NOW);
        assert_eq!(out.len(), 1);
        let inside = read_container(&out[0].body).unwrap().unwrap();
        assert_eq!(inside.iter().map(|m| m.seq_no).collect::<Vec<_>>(), [2, 3]);
        assert!(inside.iter().all(|m| m.msg_id < out[0].msg_id), "a container is the newest");
        assert_eq!(out[0].seq_no, 4);
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_under_its_id() {
        let mut session = Session::new();
        session.tell(Kind::Answer, vec![1; 4], Some(8), NOW);
        session.tell(Kind::Answer, vec![2; 4], Some(12), NOW);
        session.say(Kind::Answer, vec![9; 4], NOW);
        let sent = session.take_ready(NOW);
        let sent = read_container(&sent[0].body).unwrap().unwrap();
        session.outbox.acknowledge(sent[0].msg_id);
        session.repeat_unacknowledged();
        let again = session.take_ready(NOW);
        assert_eq!(again.len(), 1);
        let again = read_container(&again[0].body).unwrap().unwrap();
        assert_eq!(again, [sent[1].clone()]);
    }
}
