//! The server's messages of one session: kept until acknowledged, and answers a while longer, so
//! that a repeated request gets the same answer and is not executed twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Unacknowledged messages kept at most.
const KEPT_MAX: usize = 1000;
/// Answers kept at most, acknowledged or not.
const ANSWERS_MAX: usize = 256;
/// Bytes of either kept at most.
const KEPT_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// See [`crate::wire::msg_id`].
    pub msg_id: i64,
    /// See [`crate::wire::envelope::Inner::seq_no`].
    pub seq_no: i32,
    /// One serialized object.
    pub body: Vec<u8>,
    /// The request that it answers.
    pub answers: Option<i64>,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Outbox {
    kept: VecDeque<Arc<Sent>>,
    kept_bytes: usize,
    answers: BTreeMap<i64, Arc<Sent>>,
    answers_bytes: usize,
}

impl Outbox {
    /// Keeps a message until it is acknowledged.
    pub fn keep(&mut self, sent: Arc<Sent>) {
        if let Some(request) = sent.answers {
            self.answers_bytes += sent.body.len();
            if let Some(old) = self.answers.insert(request, Arc::clone(&sent)) {
                self.answers_bytes -= old.body.len();
            }
            while self.answers.len() > 1
                && (self.answers.len() > ANSWERS_MAX || self.answers_bytes > KEPT_MAX_BYTES)
            {
                let Some((_, old)) = self.answers.pop_first() else { break };
                self.answers_bytes -= old.body.len();
            }
        }
        self.kept_bytes += sent.body.len();
        self.kept.push_back(sent);
        while self.kept.len() > 1
            && (self.kept.len() > KEPT_MAX || self.kept_bytes > KEPT_MAX_BYTES)
        {
            let Some(old) = self.kept.pop_front() else { break };
            self.kept_bytes -= old.body.len();
        }
    }

    /// The client has it.
    pub fn acknowledge(&mut self, msg_id: i64) {
        if let Some(at) = self.kept.iter().position(|sent| sent.msg_id == msg_id)
            && let Some(sent) = self.kept.remove(at)
        {
            self.kept_bytes -= sent.body.len();
        }
    }

    /// The answer to a request, while it is kept.
    pub fn answer_to(&self, request: i64) -> Option<Arc<Sent>> {
        self.answers.get(&request).cloned()
    }

    /// A message by its id, while it is kept.
    pub fn find(&self, msg_id: i64) -> Option<Arc<Sent>> {
        let answers = self.answers.values();
        self.kept.iter().chain(answers).find(|sent| sent.msg_id == msg_id).cloned()
    }

    /// Forgets the answer to a request; the message itself, if it was still kept.
    pub fn drop_answer(&mut self, request: i64) -> Option<Arc<Sent>> {
        let sent = self.answers.remove(&request)?;
        self.answers_bytes -= sent.body.len();
        let kept = self.kept.iter().any(|other| other.msg_id == sent.msg_id);
        self.acknowledge(sent.msg_id);
        kept.then_some(sent)
    }

    /// All that the client has not acknowledged, oldest first.
    pub fn unacknowledged(&self) -> Vec<Arc<Sent>> {
        self.kept.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(msg_id: i64, bytes: usize, answers: Option<i64>) -> Arc<Sent> {
        Arc::new(Sent { msg_id, seq_no: 1, body: vec![0; bytes], answers })
    }

    #[test]
    fn an_answer_outlives_its_acknowledgement() {
        let mut outbox = Outbox::default();
        outbox.keep(sent(1, 4, Some(100)));
        outbox.keep(sent(3, 4, None));
        outbox.acknowledge(1);
        outbox.acknowledge(3);
        assert!(outbox.unacknowledged().is_empty());
        assert_eq!(outbox.answer_to(100).unwrap().msg_id, 1);
        assert!(outbox.find(1).is_some());
        assert!(outbox.find(3).is_none());
        assert!(outbox.drop_answer(100).is_none(), "it was acknowledged");
        assert!(outbox.answer_to(100).is_none());
    }

    #[test]
    fn a_dropped_answer_is_not_sent_again() {
        let mut outbox = Outbox::default();
        outbox.keep(sent(1, 4, Some(100)));
        assert_eq!(outbox.drop_answer(100).unwrap().msg_id, 1);
        assert!(outbox.unacknowledged().is_empty());
    }

    #[test]
    fn a_client_that_never_acknowledges_costs_bounded_memory() {
        let mut outbox = Outbox::default();
        for n in 0..3000 {
            outbox.keep(sent(n, 4, Some(n)));
        }
        assert_eq!((outbox.kept.len(), outbox.answers.len()), (KEPT_MAX, ANSWERS_MAX));
        for n in 0..100 {
            outbox.keep(sent(n, 1024 * 1024, Some(n)));
        }
        assert!(outbox.kept_bytes <= KEPT_MAX_BYTES && outbox.answers_bytes <= KEPT_MAX_BYTES);
    }
}
