//! Message ids: about unix time × 2³², with the sender's kind in the lower two bits.
//!
//! A client's are 0 mod 4. Ours are 1 mod 4 where a message answers one of the client's and 3 mod 4
//! where not. They must rise within a session, whatever the clock does.

use std::time::{SystemTime, UNIX_EPOCH};

/// A client's message older than this is refused (error 16), in seconds.
const PAST_MAX_S: i64 = 300;
/// A client's message further in the future than this is refused (error 17), in seconds.
const FUTURE_MAX_S: i64 = 30;

/// What a message of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sent because of a client's message.
    Answer,
    /// Sent of our own accord.
    Notice,
}

/// Makes rising message ids.
#[derive(Debug, Default)]
pub struct MsgIds {
    last: i64,
}

impl MsgIds {
    /// The newest id, 0 before the first.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// The next id at the moment `now` (nanoseconds since the epoch).
    pub fn next(&mut self, kind: Kind, now_ns: i64) -> i64 {
        let lowest = (self.last & !3) + 4;
        let id = from_time(now_ns).max(lowest);
        self.last = id + if kind == Kind::Answer { 1 } else { 3 };
        self.last
    }
}

/// Nanoseconds since the epoch by the machine's clock.
pub fn now_ns() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

/// The id, with its lower two bits 0, of a moment.
pub fn from_time(now_ns: i64) -> i64 {
    let (seconds, nanos) = (now_ns.div_euclid(1_000_000_000), now_ns.rem_euclid(1_000_000_000));
    ((seconds << 32) | ((nanos << 32) / 1_000_000_000)) & !3
}

/// The code of a `bad_msg_notification` that a client's id deserves at `now_ns`, if any.
pub fn fault(client_id: i64, now_ns: i64) -> Option<i32> {
    let seconds = client_id >> 32;
    let now = now_ns / 1_000_000_000;
    if client_id & 3 != 0 {
        Some(18)
    } else if seconds < now - PAST_MAX_S {
        Some(16)
    } else if seconds > now + FUTURE_MAX_S {
        Some(17)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: i64 = 1_800_000_000_500_000_000;

    #[test]
    fn ids_rise_while_the_clock_stands_still_or_goes_back() {
        let mut ids = MsgIds::default();
        let mut last = 0;
        for now in [NOW_NS, NOW_NS, NOW_NS, NOW_NS - 9_000_000_000, NOW_NS + 1] {
            for (kind, bits) in [(Kind::Answer, 1), (Kind::Notice, 3)] {
                let id = ids.next(kind, now);
                assert!(id > last);
                assert_eq!(id & 3, bits);
                last = id;
            }
        }
    }

    #[test]
    fn half_a_second_is_half_of_two_to_the_32() {
        assert_eq!(from_time(NOW_NS), (1_800_000_000 << 32) | (1 << 31));
    }

    #[test]
    fn parity_and_age_are_checked() {
        let at = |s: i64| from_time(NOW_NS + s * 1_000_000_000);
        assert_eq!(fault(at(0), NOW_NS), None);
        assert_eq!(fault(at(0) + 1, NOW_NS), Some(18));
        assert_eq!(fault(at(-300), NOW_NS), None);
        assert_eq!(fault(at(-301), NOW_NS), Some(16));
        assert_eq!(fault(at(30), NOW_NS), None);
        assert_eq!(fault(at(31), NOW_NS), Some(17));
    }
}
