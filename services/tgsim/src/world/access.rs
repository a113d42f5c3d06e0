//! Access hashes and the making of ids: keyed hashes of the world's seed.
//!
//! Every account has its own access hash for every peer, as at Telegram; a hash that another account got is wrong.
//! Source: <https://core.telegram.org/api/peers#access-hash>.
use sha2::{Digest, Sha256};

use super::{ChannelId, ChatId, PeerId, UserId, World};

impl World {
    /// The access hash by which `viewer` may use `peer`. Never 0.
    pub fn access_hash(&self, viewer: UserId, peer: impl Into<PeerId>) -> i64 {
        let peer = peer.into();
        nonzero(self.keyed(&["access", &viewer.0.to_string(), &peer.bot_api().to_string()]))
    }

    /// The hash in a `min` user: good for photos only, never for requests,
    /// <https://core.telegram.org/api/min>.
    pub fn min_access_hash(&self, viewer: UserId, peer: impl Into<PeerId>) -> i64 {
        let peer = peer.into();
        nonzero(self.keyed(&["min", &viewer.0.to_string(), &peer.bot_api().to_string()]))
    }

    /// A new user id. Above 2^32, as today's are: code that takes ids for 32-bit numbers shows at once.
    pub fn next_user_id(&mut self) -> UserId {
        UserId(5_000_000_000 + self.next_number())
    }

    /// A new basic group id.
    pub fn next_chat_id(&mut self) -> ChatId {
        ChatId(4_600_000_000 + self.next_number())
    }

    /// A new supergroup id.
    pub fn next_channel_id(&mut self) -> ChannelId {
        ChannelId(2_200_000_000 + self.next_number())
    }

    /// A number that joins the copies of one message.
    pub fn next_global(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// What stands after `t.me/+` in a new link: 16 characters of base64url, as at Telegram.
    pub fn next_link_hash(&mut self) -> String {
        use base64::Engine as _;
        self.made += 1;
        let bytes = self.keyed(&["link", &self.made.to_string()]);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes[..12])
    }

    /// 32 bytes that depend on the seed and `parts` alone.
    pub fn keyed(&self, parts: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    /// Rises by an irregular step, so that nobody can guess the neighbour's id by adding one.
    fn next_number(&mut self) -> i64 {
        self.made += 1;
        let step = self.keyed(&["id", &self.made.to_string()]);
        (self.made as i64) * 1_000 + i64::from(step[0])
    }
}

fn nonzero(bytes: [u8; 32]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    match i64::from_le_bytes(first) {
        0 => 1,
        n => n,
    }
}
