//! One key, one sender: tells when two live connections send on the same auth key.
//!
//! At Telegram that destroys the key (`AUTH_KEY_DUPLICATED`). Moving to a new connection is fine, also
//! while the old one is still open: what is not, is the old one sending once more after the new one
//! did. Several connections of one *session* are one client and may take turns.
//! Source: <https://core.telegram.org/api/errors#406-not-acceptable>.

use std::collections::{BTreeMap, HashMap};

use super::ConnectionId;
use crate::world::AuthKeyId;

/// Who sends on which key.
#[derive(Debug, Default)]
pub struct Exclusive {
    keys: HashMap<AuthKeyId, Senders>,
}

#[derive(Debug)]
struct Senders {
    current: (ConnectionId, i64),
    current_lives: bool,
    /// Live connections that another one took over from, and their sessions then.
    superseded: BTreeMap<ConnectionId, i64>,
}

impl Exclusive {
    /// Whether a connection is about to take a key over from another one that is still open.
    pub fn takes_over(&self, key: AuthKeyId, connection: ConnectionId) -> bool {
        self.keys.get(&key).is_some_and(|senders| {
            senders.current_lives
                && senders.current.0 != connection
                && !senders.superseded.contains_key(&connection)
        })
    }

    /// Notes that a connection sent on a key in a session. `false` if another one took over before.
    pub fn sent(&mut self, key: AuthKeyId, connection: ConnectionId, session: i64) -> bool {
        let Some(senders) = self.keys.get_mut(&key) else {
            let current = (connection, session);
            let senders = Senders { current, current_lives: true, superseded: BTreeMap::new() };
            self.keys.insert(key, senders);
            return true;
        };
        let (current, current_session) = senders.current;
        let mut alone = true;
        if current != connection {
            let was_superseded = senders.superseded.remove(&connection).is_some();
            alone = !was_superseded || current_session == session;
            if senders.current_lives {
                senders.superseded.insert(current, current_session);
            }
        }
        senders.current = (connection, session);
        senders.current_lives = true;
        alone
    }

    /// A connection is gone: it can't send any more.
    pub fn closed(&mut self, key: AuthKeyId, connection: ConnectionId) {
        if let Some(senders) = self.keys.get_mut(&key) {
            senders.superseded.remove(&connection);
            senders.current_lives &= senders.current.0 != connection;
            if !senders.current_lives && senders.superseded.is_empty() {
                self.keys.remove(&key);
            }
        }
    }

    /// A key is gone.
    pub fn forget(&mut self, key: AuthKeyId) {
        self.keys.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: AuthKeyId = AuthKeyId(1);
    const A: ConnectionId = ConnectionId(1);
    const B: ConnectionId = ConnectionId(2);

    #[test]
    fn a_client_that_moves_to_a_new_connection_is_fine() {
        let mut exclusive = Exclusive::default();
        assert!(exclusive.sent(KEY, A, 10));
        assert!(exclusive.sent(KEY, A, 10));
        assert!(exclusive.takes_over(KEY, B));
        assert!(exclusive.sent(KEY, B, 20));
        assert!(exclusive.sent(KEY, B, 20));
        assert!(!exclusive.takes_over(KEY, B) && !exclusive.takes_over(KEY, A));
    }

    #[test]
    fn an_old_connection_that_sends_again_is_a_second_client() {
        let mut exclusive = Exclusive::default();
        assert!(exclusive.sent(KEY, A, 10));
        assert!(exclusive.sent(KEY, B, 20));
        assert!(!exclusive.sent(KEY, A, 10));
        assert!(exclusive.sent(AuthKeyId(2), A, 10), "another key is another matter");
    }

    #[test]
    fn connections_of_one_session_take_turns() {
        let mut exclusive = Exclusive::default();
        for connection in [A, B, A, B] {
            assert!(exclusive.sent(KEY, connection, 10));
        }
    }

    #[test]
    fn a_closed_connection_is_no_sender() {
        let mut exclusive = Exclusive::default();
        assert!(exclusive.sent(KEY, A, 10));
        assert!(exclusive.sent(KEY, B, 20));
        exclusive.closed(KEY, B);
        assert!(!exclusive.sent(KEY, A, 10), "B sent after A, whether or not it lives");
        exclusive.closed(KEY, A);
        assert!(exclusive.sent(KEY, ConnectionId(3), 30));
    }

    #[test]
    fn nothing_is_kept_of_closed_connections() {
        let mut exclusive = Exclusive::default();
        exclusive.sent(KEY, A, 10);
        exclusive.sent(KEY, B, 20);
        exclusive.closed(KEY, B);
        exclusive.closed(KEY, A);
        assert!(exclusive.keys.is_empty());
        exclusive.sent(KEY, A, 10);
        exclusive.closed(KEY, A);
        assert!(exclusive.keys.is_empty());
    }
}
