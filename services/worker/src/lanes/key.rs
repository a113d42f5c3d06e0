//! What a command must keep its order with: its chat, or the business key of a group that is not
//! bound yet.

use std::fmt;
use std::str::FromStr;

use proto::{ChatId, Command, ExternalRef};
use serde_json::{Map, Value};
use store::{Groups, StoreError};

/// Commands with the same one are done in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderKey {
    /// The group, by its present id.
    Chat(ChatId),
    /// The caller's key of a group that is still to be made or bound.
    Ref(ExternalRef),
}

/// The keys that stand for a command's group, the one that goes on standing for it last. Several do
/// for a moment: a group is made while commands are parked that know it by its `external_ref` only.
pub async fn keys_of(
    command: &Command,
    params: &Map<String, Value>,
    groups: &Groups,
) -> Result<Vec<OrderKey>, StoreError> {
    let mut keys = Vec::new();
    let named = params.get("chat_id").and_then(Value::as_i64);
    let mut chat = named.and_then(|id| ChatId::try_from(id).ok());
    if let Some(external_ref) = &command.external_ref {
        keys.push(OrderKey::Ref(external_ref.clone()));
        chat = match chat {
            Some(chat) => Some(chat),
            None => groups.chat_of(external_ref).await?,
        };
    }
    if let Some(chat) = chat {
        keys.push(OrderKey::Chat(chat));
        if let Some(group) = groups.get(chat).await? {
            keys.extend(group.external_ref.map(OrderKey::Ref));
            keys.push(OrderKey::Chat(group.chat_id));
        }
    }
    Ok(keys)
}

const CHAT: &str = "chat:";
const REF: &str = "ref:";

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat(chat) => write!(f, "{CHAT}{chat}"),
            Self::Ref(external_ref) => write!(f, "{REF}{external_ref}"),
        }
    }
}

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nothing to keep an order with")]
pub struct NoKey(String);

impl FromStr for OrderKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let chat = || {
            let id = text.strip_prefix(CHAT)?.parse::<i64>().ok()?;
            ChatId::try_from(id).ok().map(Self::Chat)
        };
        let external_ref = || text.strip_prefix(REF)?.parse().ok().map(Self::Ref);
        chat().or_else(external_ref).ok_or_else(|| NoKey(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_as_it_is_written() {
        let chat = OrderKey::Chat(ChatId::try_from(-1_001_234).unwrap());
        for key in [chat, OrderKey::Ref("ref:x".parse().unwrap())] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert!("chat:abc".parse::<OrderKey>().is_err() && "x".parse::<OrderKey>().is_err());
    }
}
