//! How a record is sealed. Each has a key of its own, which the key of the vault wraps: so that key
//! can be changed by wrapping anew, without touching what the records hold.
//!
//! XChaCha20-Poly1305 throughout. Byte layout, version 1:
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version, `0x01` |
//! | 1..9 | id of the key of the vault: the first 8 bytes of `SHA-256("queuegram vault key id v1" ‖ key)` |
//! | 9..33 | nonce of the wrapped key |
//! | 33..81 | the record's key (32 bytes), wrapped: ciphertext and tag |
//! | 81..105 | nonce of the content |
//! | 105.. | the content: ciphertext and tag (16 bytes) |
//!
//! Additional data of the content: byte 0 and the [`Slot`], of the wrapped key: bytes 0..9 and the
//! slot. A record moved to another instance or kind therefore opens nowhere.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::StoreError;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 9;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const WRAPPED_AT: usize = HEAD_BYTES + NONCE_BYTES;
const NONCE_AT: usize = WRAPPED_AT + KEY_BYTES + TAG_BYTES;
const CONTENT_AT: usize = NONCE_AT + NONCE_BYTES;

/// What a record is, and whose: part of its seal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub instance: &'a str,
    pub kind: &'a str,
}

impl fmt::Display for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.kind)
    }
}

/// What is random in each seal.
struct Fresh {
    key: Zeroizing<[u8; KEY_BYTES]>,
    wrap_nonce: Zeroizing<[u8; NONCE_BYTES]>,
    nonce: Zeroizing<[u8; NONCE_BYTES]>,
}

/// The key of the vault.
pub(crate) struct VaultKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: [u8; 8],
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKey(***, id {})", self.id_hex())
    }
}

impl VaultKey {
    pub fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let mut hash = Sha256::new_with_prefix(b"queuegram vault key id v1");
        hash.update(bytes.as_slice());
        let mut id = [0; 8];
        id.copy_from_slice(&hash.finalize()[..8]);
        Self { bytes, id }
    }

    /// A new random key.
    pub fn generate() -> Result<Self, StoreError> {
        Ok(Self::new(random()?))
    }

    /// Reads 32 bytes written in hex or base64.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let decoded = match text.len() {
            64 => hex::decode(text).ok(),
            _ => BASE64_STANDARD.decode(text).ok(),
        };
        let decoded = Zeroizing::new(decoded?);
        let bytes: [u8; KEY_BYTES] = decoded.as_slice().try_into().ok()?;
        Some(Self::new(Zeroizing::new(bytes)))
    }

    /// As [`VaultKey::parse`] reads it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.bytes.as_slice()))
    }

    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    pub fn id_hex(&self) -> String {
        hex::encode(self.id)
    }

    /// Another 32 secret bytes, for a use that is named.
    pub fn derive(&self, info: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, StoreError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, self.bytes.as_slice())
            .expand(info.as_bytes(), bytes.as_mut_slice())
            .map_err(|_| StoreError::corrupt("the vault's key", "nothing can be derived"))?;
        Ok(bytes)
    }

    pub fn seal(&self, slot: Slot<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.seal_with(
            slot,
            plain,
            &Fresh { key: random()?, wrap_nonce: random()?, nonce: random()? },
        )
    }

    fn seal_with(
        &self,
        slot: Slot<'_>,
        plain: &[u8],
        Fresh { key, wrap_nonce, nonce }: &Fresh,
    ) -> Result<Vec<u8>, StoreError> {
        let mut sealed = Vec::with_capacity(CONTENT_AT + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        let wrapped = encrypt(&self.bytes, wrap_nonce, key.as_slice(), &bound(&sealed, slot))?;
        sealed.extend_from_slice(wrap_nonce.as_slice());
        sealed.extend_from_slice(&wrapped);
        sealed.extend_from_slice(nonce.as_slice());
        sealed.extend(encrypt(key, nonce, plain, &bound(&[VERSION], slot))?);
        Ok(sealed)
    }

    pub fn open(&self, slot: Slot<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let corrupt = |why: &str| StoreError::corrupt(slot.to_string(), why);
        let version = *sealed.first().ok_or_else(|| corrupt("it is empty"))?;
        if version != VERSION {
            return Err(StoreError::Version { what: slot.to_string(), found: version.into() });
        }
        let (head, content) =
            sealed.split_at_checked(CONTENT_AT).ok_or_else(|| corrupt("it is cut short"))?;
        if head[1..HEAD_BYTES] != self.id {
            return Err(StoreError::WrongKey {
                what: slot.to_string(),
                sealed_with: hex::encode(&head[1..HEAD_BYTES]),
                given: self.id_hex(),
            });
        }
        let damaged = || corrupt("it is damaged, or was made for another place");
        let wrapped = &head[WRAPPED_AT..NONCE_AT];
        let additional = bound(&head[..HEAD_BYTES], slot);
        let key = decrypt(&self.bytes, &head[HEAD_BYTES..WRAPPED_AT], wrapped, &additional)
            .ok_or_else(damaged)?;
        let key: [u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| damaged())?;
        let additional = bound(&[VERSION], slot);
        decrypt(&Zeroizing::new(key), &head[NONCE_AT..], content, &additional).ok_or_else(damaged)
    }
}

/// The id of the key that this was sealed with.
pub(crate) fn key_id(sealed: &[u8]) -> Option<[u8; 8]> {
    sealed.get(1..HEAD_BYTES)?.try_into().ok()
}

fn bound(head: &[u8], slot: Slot<'_>) -> Vec<u8> {
    // Neither an instance id nor a kind holds a `|`.
    [head, slot.instance.as_bytes(), b"|", slot.kind.as_bytes()].concat()
}

fn encrypt(
    key: &Zeroizing<[u8; KEY_BYTES]>,
    nonce: &Zeroizing<[u8; NONCE_BYTES]>,
    plain: &[u8],
    additional: &[u8],
) -> Result<Vec<u8>, StoreError> {
    XChaCha20Poly1305::new(&(**key).into())
        .encrypt(&(**nonce).into(), Payload { msg: plain, aad: additional })
        .map_err(|_| StoreError::corrupt("a record", "it is too large to be sealed"))
}

fn decrypt(
    key: &Zeroizing<[u8; KEY_BYTES]>,
    nonce: &[u8],
    sealed: &[u8],
    additional: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let payload = Payload { msg: sealed, aad: additional };
    let plain = XChaCha20Poly1305::new(&(**key).into()).decrypt(&nonce.into(), payload).ok()?;
    Some(Zeroizing::new(plain))
}

fn random<const BYTES: usize>() -> Result<Zeroizing<[u8; BYTES]>, StoreError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| StoreError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot<'static> = Slot { instance: "acme", kind: "session" };

    fn key(byte: u8) -> VaultKey {
        VaultKey::new(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_with_its_key() {
        let sealed = key(1).seal(SLOT, b"secret").unwrap();
        assert_eq!(key(1).open(SLOT, &sealed).unwrap().as_slice(), b"secret");
        for slot in [Slot { instance: "other", ..SLOT }, Slot { kind: "instance", ..SLOT }] {
            assert!(matches!(key(1).open(slot, &sealed), Err(StoreError::Corrupt { .. })));
        }
        let wrong = key(2).open(SLOT, &sealed).unwrap_err();
        assert!(matches!(wrong, StoreError::WrongKey { .. }), "{wrong}");
    }

    #[test]
    fn every_byte_counts() {
        let sealed = key(1).seal(SLOT, b"secret").unwrap();
        assert_eq!(sealed.len(), CONTENT_AT + b"secret".len() + TAG_BYTES);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open(SLOT, &changed).is_err(), "byte {at}");
            assert!(key(1).open(SLOT, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn two_seals_of_the_same_differ_and_none_shows_its_content() {
        let (a, b) = (key(1).seal(SLOT, &[0; 64]).unwrap(), key(1).seal(SLOT, &[0; 64]).unwrap());
        assert_ne!(a[HEAD_BYTES..], b[HEAD_BYTES..]);
        assert!(!a.windows(8).any(|window| window == [0; 8]));
    }

    #[test]
    fn a_key_is_read_in_hex_and_base64_and_never_shown() {
        let key = VaultKey::generate().unwrap();
        let hex = key.to_hex();
        let base64 = BASE64_STANDARD.encode(key.bytes.as_slice());
        for text in [hex.as_str(), base64.as_str(), &format!("{}\n", hex.as_str())] {
            assert_eq!(VaultKey::parse(text).unwrap().bytes, key.bytes);
        }
        for text in ["", "abc", &hex[2..], "not a key at all, but of some length"] {
            assert!(VaultKey::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{key:?}").contains(hex.as_str()));
        assert_ne!(key.derive("a").unwrap(), key.derive("b").unwrap());
    }
}
