//! MTProto 2.0 encryption of one message, in both directions, from the server's side.
//!
//! The client libraries' crates only have the client's side (x = 0 for what it writes), hence the
//! key derivation here. Source: <https://core.telegram.org/mtproto/description>.

use grammers_crypto::aes;
use sha2::{Digest, Sha256};

use super::FRAME_MAX_BYTES;

/// An auth key: 2048 bits that both sides know. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthKey([u8; 256]);

/// Who wrote a message; the derivation of its keys starts at another byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// x = 0.
    Client,
    /// x = 8.
    Server,
}

/// What an envelope holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inner {
    /// The server salt that the writer believes in.
    pub salt: i64,
    /// Chosen by the client.
    pub session_id: i64,
    /// See [`super::msg_id`].
    pub msg_id: i64,
    /// Twice the number of content-related messages before it, plus one if it is one itself.
    pub seq_no: i32,
    /// One serialized object.
    pub body: Vec<u8>,
}

/// Why an envelope is refused. All of them close the connection: someone else wrote it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// No 16-byte blocks behind the header.
    #[error("an envelope of {0} bytes")]
    Length(usize),
    /// The hash of what came out is not the message key.
    #[error("the message key does not fit the message")]
    MessageKey,
    /// The body's length, or the padding behind it, is out of bounds.
    #[error("a body of {0} bytes does not fit its envelope")]
    Body(i32),
}

impl AuthKey {
    /// A key from its bytes, most significant first.
    pub fn new(bytes: [u8; 256]) -> Self {
        Self(bytes)
    }

    /// The lower 64 bits of the key's SHA1, which go before each message.
    pub fn id(&self) -> i64 {
        key_hash(&self.0)
    }

    /// The key itself, for hashes of the key exchange.
    pub fn bytes(&self) -> &[u8; 256] {
        &self.0
    }
}

impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthKey({:016x})", self.id())
    }
}

fn key_hash(key: &[u8; 256]) -> i64 {
    let hash = sha1::Sha1::digest(key);
    let mut id = [0; 8];
    id.copy_from_slice(&hash[12..20]);
    i64::from_le_bytes(id)
}

/// The id of the key that a payload is encrypted with; 0 is a plain message.
pub fn key_id(payload: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(payload.get(..8)?.try_into().ok()?))
}

/// Opens an envelope of `writer`. The second value is the token of a quick acknowledgement.
///
/// # Errors
/// See [`EnvelopeError`].
pub fn open(key: &AuthKey, writer: Writer, payload: &[u8]) -> Result<(Inner, u32), EnvelopeError> {
    // Less than a block behind the last one is the padding of the padded framing.
    let length = payload.len().saturating_sub(24) / 16 * 16;
    if length < 48 {
        return Err(EnvelopeError::Length(payload.len()));
    }
    let mut msg_key = [0; 16];
    msg_key.copy_from_slice(&payload[8..24]);
    let mut plain = payload[24..24 + length].to_vec();
    let (aes_key, aes_iv) = derive(key, &msg_key, writer);
    aes::ige_decrypt(&mut plain, &aes_key, &aes_iv);
    let large = large_msg_key(key, writer, &plain);
    if large[8..24] != msg_key {
        return Err(EnvelopeError::MessageKey);
    }
    let i64_at = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&plain[at..at + 8]);
        i64::from_le_bytes(bytes)
    };
    let tail = i64_at(24);
    let (seq_no, body_length) = (tail as i32, (tail >> 32) as i32);
    let end = usize::try_from(body_length)
        .ok()
        .filter(|length| length % 4 == 0 && *length <= FRAME_MAX_BYTES)
        .map(|length| 32 + length)
        .filter(|end| (12..=1024).contains(&plain.len().wrapping_sub(*end)))
        .ok_or(EnvelopeError::Body(body_length))?;
    let inner = Inner {
        salt: i64_at(0),
        session_id: i64_at(8),
        msg_id: i64_at(16),
        seq_no,
        body: plain[32..end].to_vec(),
    };
    let token = u32::from_le_bytes([large[0], large[1], large[2], large[3]]);
    Ok((inner, token))
}

/// Seals `inner` as `writer`.
pub fn seal(key: &AuthKey, writer: Writer, inner: &Inner) -> Vec<u8> {
    let mut plain = Vec::with_capacity(32 + inner.body.len() + 32);
    plain.extend_from_slice(&inner.salt.to_le_bytes());
    plain.extend_from_slice(&inner.session_id.to_le_bytes());
    plain.extend_from_slice(&inner.msg_id.to_le_bytes());
    plain.extend_from_slice(&inner.seq_no.to_le_bytes());
    plain.extend_from_slice(&u32::try_from(inner.body.len()).unwrap_or(u32::MAX).to_le_bytes());
    plain.extend_from_slice(&inner.body);
    // At least 12 bytes, up to a whole number of blocks.
    let padding: [u8; 28] = std::array::from_fn(|_| rand::random());
    let wanted = 12 + (16 - (plain.len() + 12) % 16) % 16;
    plain.extend_from_slice(&padding[..wanted]);
    let large = large_msg_key(key, writer, &plain);
    let mut msg_key = [0; 16];
    msg_key.copy_from_slice(&large[8..24]);
    let (aes_key, aes_iv) = derive(key, &msg_key, writer);
    aes::ige_encrypt(&mut plain, &aes_key, &aes_iv);
    let mut out = Vec::with_capacity(24 + plain.len());
    out.extend_from_slice(&key.id().to_le_bytes());
    out.extend_from_slice(&msg_key);
    out.append(&mut plain);
    out
}

fn large_msg_key(key: &AuthKey, writer: Writer, plain: &[u8]) -> [u8; 32] {
    let x = writer.offset();
    Sha256::new().chain_update(&key.0[88 + x..120 + x]).chain_update(plain).finalize().into()
}

fn derive(key: &AuthKey, msg_key: &[u8; 16], writer: Writer) -> ([u8; 32], [u8; 32]) {
    let x = writer.offset();
    let a = Sha256::new().chain_update(msg_key).chain_update(&key.0[x..x + 36]).finalize();
    let b = Sha256::new().chain_update(&key.0[40 + x..76 + x]).chain_update(msg_key).finalize();
    let mix = |outer: &[u8], middle: &[u8]| {
        let mut out = [0; 32];
        out[..8].copy_from_slice(&outer[..8]);
        out[8..24].copy_from_slice(&middle[8..24]);
        out[24..].copy_from_slice(&outer[24..]);
        out
    };
    (mix(&a, &b), mix(&b, &a))
}

impl Writer {
    fn offset(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 8,
        }
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
