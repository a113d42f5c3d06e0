//! Where commands wait for a limit: a lane for each class of calls, and one for each chat in slow
//! mode. Its queue is `tg.lanes.<instance>.<lane>`.

use std::fmt;
use std::str::FromStr;

use proto::ChatId;

use super::Class;

/// The word before a chat's id in the name of its lane.
const SLOW: &str = "slow.";

/// A lane of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// For calls of a class.
    Class(Class),
    /// For messages to a chat in slow mode.
    Slow(ChatId),
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => f.write_str(class.name()),
            Self::Slow(chat) => write!(f, "{SLOW}{chat}"),
        }
    }
}

/// A text that names no lane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no lane {0}")]
pub struct NoLane(String);

impl FromStr for Lane {
    type Err = NoLane;

    fn from_str(text: &str) -> Result<Self, NoLane> {
        if let Some(chat) = text.strip_prefix(SLOW) {
            let chat = chat.parse::<i64>().ok().and_then(|id| ChatId::try_from(id).ok());
            return chat.map(Self::Slow).ok_or_else(|| NoLane(text.to_owned()));
        }
        Class::read(text).map(Self::Class).ok_or_else(|| NoLane(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_is_read_as_it_is_written() {
        let chat = ChatId::try_from(-1_001_234_567_890).unwrap();
        let lanes = Class::ALL.into_iter().map(Lane::Class).chain([Lane::Slow(chat)]);
        for lane in lanes {
            assert_eq!(lane.to_string().parse(), Ok(lane));
        }
        assert_eq!(Lane::Slow(chat).to_string(), "slow.-1001234567890");
        assert!("slow.x".parse::<Lane>().is_err() && "sloth".parse::<Lane>().is_err());
    }
}
