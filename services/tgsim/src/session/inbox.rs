//! The client's messages of one session: which came already, and whether their ids and sequence
//! numbers can be right.
//!
//! Source: <https://core.telegram.org/mtproto/service_messages_about_messages>.

use std::collections::BTreeMap;

/// How many message ids are remembered; older ones can't be told from repetitions.
const SEEN_MAX: usize = 2048;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It came, and needs no answer or has none yet.
    Received,
    /// A request that was answered.
    Answered,
}

/// The client's messages.
#[derive(Debug, Default)]
pub struct Inbox {
    seen: BTreeMap<i64, Seen>,
    /// Ids below this were forgotten.
    forgotten_below: i64,
    highest: Option<(i64, i32)>,
}

impl Inbox {
    /// What is known of a message.
    pub fn seen(&self, msg_id: i64) -> Option<Seen> {
        self.seen.get(&msg_id).copied()
    }

    /// Whether the message is so old that nobody knows whether it came before (error 20).
    pub fn is_too_old(&self, msg_id: i64) -> bool {
        msg_id < self.forgotten_below
    }

    /// The error that a message's sequence number deserves, if any. `content`: whether it must be
    /// acknowledged, `None` where libraries differ about it.
    pub fn fault(&self, msg_id: i64, seq_no: i32, content: Option<bool>) -> Option<i32> {
        match content {
            Some(true) if seq_no & 1 == 0 => return Some(35),
            Some(false) if seq_no & 1 == 1 => return Some(34),
            _ => {}
        }
        let (highest_id, highest_seq) = self.highest?;
        // Two messages with content can't have one number.
        let equal = seq_no == highest_seq && seq_no & 1 == 1;
        if msg_id > highest_id && (seq_no < highest_seq || equal) {
            Some(32)
        } else if msg_id < highest_id && (seq_no > highest_seq || equal) {
            Some(33)
        } else {
            None
        }
    }

    /// Notes that a message came.
    pub fn note(&mut self, msg_id: i64, seq_no: i32) {
        self.seen.insert(msg_id, Seen::Received);
        if self.highest.is_none_or(|(highest, _)| msg_id > highest) {
            self.highest = Some((msg_id, seq_no));
        }
        if self.seen.len() > SEEN_MAX
            && let Some((oldest, _)) = self.seen.pop_first()
        {
            self.forgotten_below = oldest + 1;
        }
    }

    /// Notes that a request was answered.
    pub fn answered(&mut self, msg_id: i64) {
        if let Some(seen) = self.seen.get_mut(&msg_id) {
            *seen = Seen::Answered;
        }
    }

    /// Takes a message back, as if it had never come.
    pub fn forget(&mut self, msg_id: i64) {
        self.seen.remove(&msg_id);
    }

    /// The state byte of `msgs_state_info`.
    pub fn state(&self, msg_id: i64) -> u8 {
        match self.seen(msg_id) {
            Some(Seen::Received) => 4,
            Some(Seen::Answered) => 4 | 8 | 64,
            None if self.is_too_old(msg_id) => 1,
            None if self.highest.is_none_or(|(highest, _)| msg_id > highest) => 3,
            None => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_held_against_message_ids() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.fault(100, 1, Some(true)), None);
        inbox.note(100, 1);
        inbox.note(200, 3);
        for (msg_id, seq_no, content, fault) in [
            (300, 5, Some(true), None),
            (300, 4, Some(false), None),
            (300, 4, Some(true), Some(35)),
            (300, 5, Some(false), Some(34)),
            (300, 5, None, None),
            (300, 2, None, Some(32)),
            (300, 3, None, Some(32)),
            (150, 5, None, Some(33)),
            (150, 2, None, None),
        ] {
            assert_eq!(inbox.fault(msg_id, seq_no, content), fault, "{msg_id} {seq_no}");
        }
    }

    #[test]
    fn states_are_those_of_the_documentation() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.state(4), 3);
        inbox.note(8, 1);
        inbox.note(16, 3);
        inbox.answered(16);
        assert_eq!((inbox.state(8), inbox.state(16)), (4, 76));
        assert_eq!((inbox.state(12), inbox.state(20)), (2, 3));
        inbox.forget(8);
        assert_eq!(inbox.seen(8), None);
    }

    #[test]
    fn old_ids_are_forgotten_and_known_to_be() {
        let mut inbox = Inbox::default();
        for n in 0..=SEEN_MAX as i64 {
            inbox.note(n * 4, 0);
        }
        assert!(inbox.is_too_old(0));
        assert!(!inbox.is_too_old(4));
        assert_eq!(inbox.state(0), 1);
    }
}
