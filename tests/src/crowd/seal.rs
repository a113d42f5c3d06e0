//! The sealed box for phone numbers and codes, as `chassis` documents it (version 1): what anybody
//! who writes an own login program has to make. Written from the description, not from the code.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

const VERSION: u8 = 1;

/// Seals `text` to a service's key for one field of one instance, e.g. `acme-sales/phone`.
pub(super) fn seal(seal_key: &str, place: &str, text: &str) -> Result<String> {
    let service: [u8; 32] =
        BASE64_STANDARD.decode(seal_key)?.try_into().map_err(|_| anyhow!("no key: {seal_key}"))?;
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| anyhow!("{error}"))?;
    let ephemeral = StaticSecret::from(random);
    let sender = PublicKey::from(&ephemeral).to_bytes();
    let shared = ephemeral.diffie_hellman(&PublicKey::from(service));
    let salt = [sender, service].concat();
    let mut derived = [0_u8; 56];
    Hkdf::<Sha256>::new(Some(&salt), shared.as_bytes())
        .expand(b"queuegram sealed box v1", &mut derived)
        .map_err(|error| anyhow!("{error}"))?;
    let (key, nonce) = derived.split_at(32);
    let cipher = XChaCha20Poly1305::new_from_slice(key).map_err(|error| anyhow!("{error}"))?;
    let nonce: [u8; 24] = nonce.try_into()?;
    let aad = [&[VERSION], place.as_bytes()].concat();
    let payload = Payload { msg: text.as_bytes(), aad: &aad };
    let closed = cipher.encrypt(&nonce.into(), payload).map_err(|error| anyhow!("{error}"))?;
    Ok(BASE64_STANDARD.encode([&[VERSION], &sender[..], &closed].concat()))
}
