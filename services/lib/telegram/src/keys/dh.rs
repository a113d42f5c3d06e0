//! The Diffie-Hellman part of the key exchange: which numbers of the server's may be trusted, and the key that follows.

use grammers_crypto::two_factor_auth::check_p_and_g;
use num_bigint::BigUint;

use super::KeyError;

/// The prime that Telegram's servers use; testing 2048 bits for a safe prime anew takes long. Source: the server's own
/// answers, and the client sources that Telegram publishes.
const KNOWN_PRIME: &str = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f\
48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13ab\
dc9746512969328454f18faf8c595f642477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4\
a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d\
169c6bc465b0d6ff9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f\
0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b";

/// What both sides agreed on.
pub(super) struct Agreed {
    /// Our public number, for the server.
    pub(super) g_b: Vec<u8>,
    /// The auth key.
    pub(super) key: [u8; 256],
}

/// Chooses our secret from 256 random bytes and computes the key from the server's numbers, after the checks that
/// <https://core.telegram.org/mtproto/auth_key#dh-key-exchange-complete> demands.
pub(super) fn agree(
    prime: &[u8],
    g: i32,
    g_a: &[u8],
    secret: &[u8; 256],
) -> Result<Agreed, KeyError> {
    check_group(prime, g)?;
    let prime = BigUint::from_bytes_be(prime);
    let g_a = BigUint::from_bytes_be(g_a);
    let secret = BigUint::from_bytes_be(secret);
    let generator = BigUint::from(g.unsigned_abs());
    let g_b = generator.modpow(&secret, &prime);
    check_public(&g_a, &prime)?;
    check_public(&g_b, &prime)?;
    let shared = g_a.modpow(&secret, &prime).to_bytes_be();
    let mut key = [0; 256];
    let skip = key.len().checked_sub(shared.len()).ok_or(KeyError::Protocol("a key too long"))?;
    key[skip..].copy_from_slice(&shared);
    Ok(Agreed { g_b: g_b.to_bytes_be(), key })
}

pub(crate) fn check_group(prime: &[u8], g: i32) -> Result<(), KeyError> {
    // The range first: the library panics on other generators.
    if !(2..=7).contains(&g) || prime.len() != 256 {
        return Err(KeyError::Protocol("unusable Diffie-Hellman parameters"));
    }
    let known = hex::encode(prime) == KNOWN_PRIME && matches!(g, 3 | 4 | 5 | 7);
    if known || check_p_and_g(prime, &g) {
        return Ok(());
    }
    Err(KeyError::Protocol("the server's prime is not safe"))
}

/// A public number must keep 2^1984 away from both ends.
fn check_public(number: &BigUint, prime: &BigUint) -> Result<(), KeyError> {
    let margin = BigUint::from(1u8) << (2048 - 64);
    if *number < margin || *number > prime - &margin {
        return Err(KeyError::Protocol("a Diffie-Hellman number out of range"));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn known_prime() -> Vec<u8> {
    hex::decode(KNOWN_PRIME).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prime() -> Vec<u8> {
        known_prime()
    }

    #[test]
    fn two_sides_agree_on_one_key() {
        let ours = agree(&prime(), 3, &agree_public([7; 256]), &[5; 256]).unwrap();
        let theirs = agree(&prime(), 3, &ours.g_b, &[7; 256]).unwrap();
        assert_eq!(ours.key, theirs.key);
    }

    fn agree_public(secret: [u8; 256]) -> Vec<u8> {
        let prime = BigUint::from_bytes_be(&prime());
        BigUint::from(3u8).modpow(&BigUint::from_bytes_be(&secret), &prime).to_bytes_be()
    }

    #[test]
    fn weak_numbers_are_refused() {
        let good = agree_public([7; 256]);
        for g_a in [vec![0], vec![1], prime(), vec![9; 200]] {
            assert!(agree(&prime(), 3, &g_a, &[5; 256]).is_err());
        }
        for g in [0, 1, 8, -3] {
            assert!(agree(&prime(), g, &good, &[5; 256]).is_err(), "{g}");
        }
        assert!(agree(&[9; 256], 3, &good, &[5; 256]).is_err());
        assert!(agree(&[], 3, &good, &[5; 256]).is_err());
    }
}
