//! The sealed box: how a phone number, login code, 2FA password or other secret crosses a queue without the broker, its log or
//! another reader seeing it. Anyone can seal to the service's public key; only the service can open. The link of a QR
//! login goes the other way, sealed to a key of whoever asked for it.
//!
//! X25519 with an ephemeral key, HKDF-SHA256, XChaCha20-Poly1305. Byte layout, version 1:
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version, `0x01` |
//! | 1..33 | the sender's ephemeral X25519 public key `E` |
//! | 33.. | ciphertext, followed by the 16 bytes of the Poly1305 tag |
//!
//! With `P` the service's public key and `Z = X25519(e, P)`: `HKDF-SHA256(salt = E ‖ P, ikm = Z,
//! info = "queuegram sealed box v1")` gives 56 bytes, of which the first 32 are the key and the last 24 the nonce (a key
//! is used once, so the nonce may come from the same source). The additional data is the byte 0 followed by the
//! [`Place`] in UTF-8, so that a box made for one field of one instance opens nowhere else. On the wire the box is
//! base64 (standard alphabet, padded), the public key likewise.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::Secret;

const VERSION: u8 = 1;
const INFO: &[u8] = b"queuegram sealed box v1";
const HEAD_BYTES: usize = 33;
const TAG_BYTES: usize = 16;
/// Largest secret that is sealed or opened; a Telegram password is at most 256 characters.
pub const SECRET_BYTES_MAX: usize = 4096;

/// The field of an order that a box is made for, such as `acme-sales/password`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The phone number in `account.login`.
    #[must_use]
    pub fn phone(instance: &str) -> Self {
        Self(format!("{instance}/phone"))
    }

    /// The login code in `account.login_answer`.
    #[must_use]
    pub fn code(instance: &str) -> Self {
        Self(format!("{instance}/code"))
    }

    /// The link in `account.login.qr`.
    #[must_use]
    pub fn qr(instance: &str) -> Self {
        Self(format!("{instance}/qr"))
    }

    /// The session string in `account.login`.
    #[must_use]
    pub fn session(instance: &str) -> Self {
        Self(format!("{instance}/session"))
    }

    /// An application's secret in `account.add` and `account.set`.
    #[must_use]
    pub fn api_hash(instance: &str) -> Self {
        Self(format!("{instance}/api_hash"))
    }

    /// A proxy's password in `account.add` and `account.set`.
    #[must_use]
    pub fn proxy_password(instance: &str) -> Self {
        Self(format!("{instance}/proxy_password"))
    }

    /// The 2FA password in `account.login_answer`.
    #[must_use]
    pub fn password(instance: &str) -> Self {
        Self(format!("{instance}/password"))
    }
}

/// Why a box was not made or not opened. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not base64, or of a length that no box or key has.
    #[error("not a sealed box or key in base64")]
    Encoding,
    /// Made by a later version of the program.
    #[error("sealed by an unknown version ({0})")]
    Version(u8),
    /// Made for another key or another place, or changed on the way.
    #[error("sealed for another key or another field, or damaged")]
    Closed,
    /// The text inside is not UTF-8, or too long.
    #[error("the sealed text is not UTF-8 or longer than {SECRET_BYTES_MAX} bytes")]
    Content,
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// The service's public key, as `account.get` tells it (`seal_key`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl fmt::Display for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl FromStr for SealKey {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| SealError::Encoding)?;
        bytes.try_into().map(Self).map_err(|_| SealError::Encoding)
    }
}

impl SealKey {
    /// Seals a text for one place; the answer is the box in base64.
    ///
    /// # Errors
    /// No randomness, a text that is too long, or a public key that is none.
    pub fn seal(&self, place: &Place, text: &Secret) -> Result<String, SealError> {
        let plain = text.expose().as_bytes();
        if plain.len() > SECRET_BYTES_MAX {
            return Err(SealError::Content);
        }
        let mut ephemeral = Zeroizing::new([0_u8; 32]);
        getrandom::fill(ephemeral.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
        let ephemeral = StaticSecret::from(*ephemeral);
        let sender = PublicKey::from(&ephemeral).to_bytes();
        let shared = ephemeral.diffie_hellman(&PublicKey::from(self.0));
        let keys = Keys::derive(&shared, &sender, &self.0)?;
        let mut sealed = Vec::with_capacity(HEAD_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&sender);
        let payload = Payload { msg: plain, aad: &additional(place) };
        let closed = keys.cipher()?.encrypt(&keys.nonce().into(), payload);
        sealed.extend(closed.map_err(|_| SealError::Closed)?);
        Ok(BASE64_STANDARD.encode(sealed))
    }
}

/// A private key, which opens what is sealed to its public half: the service's, which the store derives from the vault's
/// key, or one that is made for a single conversation.
#[derive(Clone)]
pub struct BoxKey(StaticSecret);

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(***)")
    }
}

impl BoxKey {
    /// A new key, for somebody who wants something sealed once.
    ///
    /// # Errors
    /// No randomness.
    pub fn fresh() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
        Ok(Self::from_bytes(*bytes))
    }

    /// Takes 32 secret bytes as the key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// The key that others seal to.
    #[must_use]
    pub fn public(&self) -> SealKey {
        SealKey(PublicKey::from(&self.0).to_bytes())
    }

    /// Opens a box (base64) that was sealed for this place.
    ///
    /// # Errors
    /// Not a box, or one for another key or place.
    pub fn open(&self, place: &Place, sealed: &str) -> Result<Secret, SealError> {
        if sealed.len() > (HEAD_BYTES + SECRET_BYTES_MAX + TAG_BYTES) * 4 / 3 + 4 {
            return Err(SealError::Content);
        }
        let bytes = BASE64_STANDARD.decode(sealed.trim()).map_err(|_| SealError::Encoding)?;
        let (head, closed) = bytes.split_at_checked(HEAD_BYTES).ok_or(SealError::Encoding)?;
        let (version, sender) = head.split_first().ok_or(SealError::Encoding)?;
        if *version != VERSION {
            return Err(SealError::Version(*version));
        }
        let sender: [u8; 32] = sender.try_into().map_err(|_| SealError::Encoding)?;
        let shared = self.0.diffie_hellman(&PublicKey::from(sender));
        let keys = Keys::derive(&shared, &sender, &self.public().0)?;
        let payload = Payload { msg: closed, aad: &additional(place) };
        let plain = keys.cipher()?.decrypt(&keys.nonce().into(), payload);
        let plain = Zeroizing::new(plain.map_err(|_| SealError::Closed)?);
        // The check at the top counts base64, which is not exact to the byte.
        if plain.len() > SECRET_BYTES_MAX {
            return Err(SealError::Content);
        }
        let text = std::str::from_utf8(&plain).map_err(|_| SealError::Content)?;
        Ok(Secret::new(text.to_owned()))
    }
}

struct Keys(Zeroizing<[u8; 56]>);

impl Keys {
    fn derive(
        shared: &SharedSecret,
        sender: &[u8; 32],
        receiver: &[u8; 32],
    ) -> Result<Self, SealError> {
        // A public key of low order would make the shared secret known to everybody.
        if !shared.was_contributory() {
            return Err(SealError::Closed);
        }
        let salt = [*sender, *receiver].concat();
        let mut keys = Zeroizing::new([0_u8; 56]);
        Hkdf::<Sha256>::new(Some(&salt), shared.as_bytes())
            .expand(INFO, keys.as_mut_slice())
            .map_err(|_| SealError::Closed)?;
        Ok(Self(keys))
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, SealError> {
        XChaCha20Poly1305::new_from_slice(&self.0[..32]).map_err(|_| SealError::Closed)
    }

    fn nonce(&self) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&self.0[32..]);
        nonce
    }
}

fn additional(place: &Place) -> Vec<u8> {
    [&[VERSION], place.0.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by PyNaCl and Python's hmac from the layout in this file's first comment: service key 00 01 … 1f,
    /// ephemeral key 64 65 … 83.
    const VECTOR_PUBLIC: &str = "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=";
    const VECTOR_BOX: &str =
        "AX2cJDFlOYJcGJblfygZd0Z5POYMvuOtR9qdB7hfpV4q16VAPFKC4rrVmcgBOLdn6HPsK72Bk4MDRQ==";

    fn key() -> BoxKey {
        BoxKey::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap()))
    }

    #[test]
    fn a_box_made_by_another_program_opens() {
        assert_eq!(key().public().to_string(), VECTOR_PUBLIC);
        let opened = key().open(&Place::phone("acme-sales"), VECTOR_BOX).unwrap();
        assert_eq!(opened.expose(), "+15550100");
    }

    #[test]
    fn what_is_sealed_opens_for_its_place_only() {
        let public: SealKey = key().public().to_string().parse().unwrap();
        let sealed = public.seal(&Place::code("alice"), &Secret::from(String::from("12345")));
        let sealed = sealed.unwrap();
        assert_eq!(key().open(&Place::code("alice"), &sealed).unwrap().expose(), "12345");
        for place in [Place::code("bob"), Place::password("alice")] {
            assert_eq!(key().open(&place, &sealed), Err(SealError::Closed));
        }
        let other = BoxKey::from_bytes([7; 32]);
        assert_eq!(other.open(&Place::code("alice"), &sealed), Err(SealError::Closed));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = BASE64_STANDARD.decode(VECTOR_BOX).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let opened = key().open(&Place::phone("acme-sales"), &BASE64_STANDARD.encode(changed));
            assert!(opened.is_err(), "byte {at}");
        }
        for length in 0..HEAD_BYTES + TAG_BYTES {
            let cut = BASE64_STANDARD.encode(&bytes[..length]);
            assert!(key().open(&Place::phone("acme-sales"), &cut).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_public_key_of_low_order_is_refused() {
        let zero = SealKey([0; 32]);
        let sealed = zero.seal(&Place::code("alice"), &Secret::from(String::from("12345")));
        assert_eq!(sealed, Err(SealError::Closed));
    }
}
