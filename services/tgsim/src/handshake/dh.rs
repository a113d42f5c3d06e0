//! Diffie-Hellman over Telegram's published 2048-bit prime, and the encryption of its messages.
//!
//! Some clients accept this prime only, so it is not made here.

use grammers_crypto::{aes, generate_key_data_from_nonce};
use num_bigint::BigUint;
use sha1::{Digest, Sha1};

/// The generator that goes with [`PRIME`].
pub const G: i32 = 3;

/// The safe prime of <https://core.telegram.org/mtproto/security_guidelines>.
pub const PRIME: [u8; 256] = parse(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f\
     48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37\
     20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64\
     2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4\
     a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754\
     fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4\
     e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f\
     0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
);

/// The server's half of one exchange.
pub struct Secret {
    a: BigUint,
    g_a: BigUint,
}

impl Secret {
    /// A new one, whose public half is in range.
    pub fn random() -> Self {
        loop {
            let bytes: [u8; 256] = std::array::from_fn(|_| rand::random());
            let a = BigUint::from_bytes_be(&bytes);
            let g_a = BigUint::from(G.unsigned_abs()).modpow(&a, &prime());
            if in_range(&g_a) {
                return Self { a, g_a };
            }
        }
    }

    /// `g_a`.
    pub fn public(&self) -> Vec<u8> {
        padded(&self.g_a).to_vec()
    }

    /// The key made with the client's half, or `None` if that is out of range.
    pub fn shared(&self, g_b: &[u8]) -> Option<[u8; 256]> {
        let g_b = BigUint::from_bytes_be(g_b);
        in_range(&g_b).then(|| padded(&g_b.modpow(&self.a, &prime())))
    }
}

/// The prime as a number.
pub fn prime() -> BigUint {
    BigUint::from_bytes_be(&PRIME)
}

/// Whether a public half is neither tiny nor nearly the prime, as the security guidelines demand.
fn in_range(half: &BigUint) -> bool {
    let margin = BigUint::from(1_u8) << (2048 - 64);
    *half > margin && *half < prime() - margin
}

/// A number below 2²⁰⁴⁸ as 256 bytes.
pub fn padded(number: &BigUint) -> [u8; 256] {
    let bytes = number.to_bytes_be();
    let mut out = [0; 256];
    let from = 256_usize.saturating_sub(bytes.len());
    out[from..].copy_from_slice(&bytes[bytes.len() + from - 256..]);
    out
}

/// Encrypts an answer under the nonces, with its SHA1 before it.
pub fn encrypt(answer: &[u8], server_nonce: &[u8; 16], new_nonce: &[u8; 32]) -> Vec<u8> {
    let mut plain = sha1(&[answer]).to_vec();
    plain.extend_from_slice(answer);
    while !plain.len().is_multiple_of(16) {
        plain.push(rand::random());
    }
    let (key, iv) = generate_key_data_from_nonce(server_nonce, new_nonce);
    aes::ige_encrypt(&mut plain, &key, &iv);
    plain
}

/// Decrypts a client's message: 20 bytes of SHA1 (not checked here) and what is hashed.
pub fn decrypt(
    mut encrypted: Vec<u8>,
    server_nonce: &[u8; 16],
    new_nonce: &[u8; 32],
) -> Option<Vec<u8>> {
    if encrypted.len() < 32 || !encrypted.len().is_multiple_of(16) {
        return None;
    }
    let (key, iv) = generate_key_data_from_nonce(server_nonce, new_nonce);
    aes::ige_decrypt(&mut encrypted, &key, &iv);
    Some(encrypted)
}

/// The proof that the server has the key: `number` is 1, 2 or 3 for ok, retry, fail.
pub fn new_nonce_hash(new_nonce: &[u8; 32], number: u8, key: &[u8; 256]) -> [u8; 16] {
    let aux = &sha1(&[key])[..8];
    let mut out = [0; 16];
    out.copy_from_slice(&sha1(&[new_nonce, &[number], aux])[4..]);
    out
}

/// SHA1 of the parts, one after the other.
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

const fn parse(hex: &str) -> [u8; 256] {
    const fn digit(byte: u8) -> u8 {
        if byte >= b'a' { byte - b'a' + 10 } else { byte - b'0' }
    }
    let hex = hex.as_bytes();
    let mut out = [0; 256];
    let mut at = 0;
    while at < 256 {
        out[at] = digit(hex[2 * at]) * 16 + digit(hex[2 * at + 1]);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prime_and_generator_pass_a_clients_check() {
        assert!(grammers_crypto::two_factor_auth::check_p_and_g(&PRIME, &G));
    }

    #[test]
    fn both_sides_get_the_same_key() {
        let (server, client) = (Secret::random(), Secret::random());
        let key = server.shared(&client.public()).unwrap();
        assert_eq!(Some(key), client.shared(&server.public()));
    }

    #[test]
    fn halves_out_of_range_make_no_key() {
        let secret = Secret::random();
        assert_eq!(secret.shared(&[1]), None);
        assert_eq!(secret.shared(&PRIME), None);
        assert_eq!(secret.shared(&padded(&(prime() - 1_u8))), None);
        assert_eq!(secret.shared(&[0xff; 256]), None);
    }

    #[test]
    fn short_numbers_are_padded() {
        let bytes = padded(&BigUint::from(258_u32));
        assert_eq!(bytes[254..], [1, 2]);
        assert_eq!(bytes[..254], [0; 254]);
    }
}
