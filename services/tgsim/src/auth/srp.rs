//! The server's side of SRP, by which a 2FA password is proved without being sent.
//!
//! Source, and the letters used here: <https://core.telegram.org/api/srp>.

use hmac::Hmac;
use num_bigint::BigUint;
use sha2::{Digest, Sha256, Sha512};

use crate::handshake::{DH_PRIME, padded_number};
use crate::world::Password;

/// The generator that is used with Telegram's prime.
pub const G: i32 = 3;
/// Rounds of PBKDF2.
const ROUNDS: u32 = 100_000;

/// The server's half of one proof.
pub struct Proof {
    b: BigUint,
    verifier: BigUint,
    b_public: [u8; 256],
    salt1: Vec<u8>,
    salt2: Vec<u8>,
}

/// Why a client's proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `A` is 0, or not below the prime, or too long.
    A,
    /// Another password.
    Password,
}

/// Makes the verifier of a password under fresh salts.
pub fn set(password: &str, hint: Option<String>) -> Password {
    let (salt1, salt2): ([u8; 40], [u8; 16]) =
        (std::array::from_fn(|_| rand::random()), rand::random());
    let x = number(&password_hash(password.as_bytes(), &salt1, &salt2));
    let verifier = BigUint::from(G.unsigned_abs()).modpow(&x, &prime());
    Password {
        salt1: salt1.to_vec(),
        salt2: salt2.to_vec(),
        g: G,
        verifier: padded_number(&verifier).to_vec(),
        hint,
    }
}

/// Whether a verifier that a client made can be one.
pub fn is_verifier(bytes: &[u8]) -> bool {
    bytes.len() == 256 && { number(bytes) > BigUint::from(1_u8) && number(bytes) < prime() }
}

impl Proof {
    /// Begins a proof of this password.
    pub fn begin(password: &Password) -> Self {
        let secret: [u8; 256] = std::array::from_fn(|_| rand::random());
        Self::with_secret(password, number(&secret))
    }

    fn with_secret(password: &Password, b: BigUint) -> Self {
        let verifier = number(&password.verifier);
        let g = BigUint::from(G.unsigned_abs());
        let k = number(&hash(&[&DH_PRIME, &padded_number(&g)]));
        let b_public = (k * &verifier + g.modpow(&b, &prime())) % prime();
        Self {
            b,
            verifier,
            b_public: padded_number(&b_public),
            salt1: password.salt1.clone(),
            salt2: password.salt2.clone(),
        }
    }

    /// `B`.
    pub fn public(&self) -> Vec<u8> {
        self.b_public.to_vec()
    }

    /// Checks the client's `A` and `M1`.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check(&self, a: &[u8], m1: &[u8]) -> Result<(), Refusal> {
        let a = number(a);
        if a == BigUint::ZERO || a >= prime() {
            return Err(Refusal::A);
        }
        let a_bytes = padded_number(&a);
        let u = number(&hash(&[&a_bytes, &self.b_public]));
        let s = (a * self.verifier.modpow(&u, &prime())).modpow(&self.b, &prime());
        let k = hash(&[&padded_number(&s)]);
        let g = padded_number(&BigUint::from(G.unsigned_abs()));
        let (hash_p, hash_g) = (hash(&[&DH_PRIME]), hash(&[&g]));
        let both: [u8; 32] = std::array::from_fn(|i| hash_p[i] ^ hash_g[i]);
        let expected = hash(&[
            &both,
            &hash(&[&self.salt1]),
            &hash(&[&self.salt2]),
            &a_bytes,
            &self.b_public,
            &k,
        ]);
        if expected == m1 { Ok(()) } else { Err(Refusal::Password) }
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// `PH2`.
fn password_hash(password: &[u8], salt1: &[u8], salt2: &[u8]) -> [u8; 32] {
    let first = salted(&salted(password, salt1), salt2);
    let mut derived = [0; 64];
    // Fails for a length that HMAC can't have only, which 32 bytes is not.
    let _ = pbkdf2::pbkdf2::<Hmac<Sha512>>(&first, salt1, ROUNDS, &mut derived);
    salted(&derived, salt2)
}

fn salted(data: &[u8], salt: &[u8]) -> [u8; 32] {
    hash(&[salt, data, salt])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

fn number(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

fn prime() -> BigUint {
    number(&DH_PRIME)
}

#[cfg(test)]
mod tests {
    use grammers_crypto::two_factor_auth::calculate_2fa;

    use super::*;

    fn prove(stored: &Password, proof: &Proof, password: &str) -> (Vec<u8>, Vec<u8>) {
        let (salt1, salt2) = (&stored.salt1, &stored.salt2);
        let secret = vec![0x77; 256];
        let (m1, a) = calculate_2fa(salt1, salt2, &DH_PRIME, &G, proof.public(), secret, password);
        (a.to_vec(), m1.to_vec())
    }

    #[test]
    fn the_right_password_of_an_independent_client_is_accepted_and_no_other() {
        let stored = set("correct horse", None);
        let proof = Proof::begin(&stored);
        let (a, m1) = prove(&stored, &proof, "correct horse");
        assert_eq!(proof.check(&a, &m1), Ok(()));
        let (a, m1) = prove(&stored, &proof, "incorrect horse");
        assert_eq!(proof.check(&a, &m1), Err(Refusal::Password));
    }

    #[test]
    fn an_a_that_would_make_every_password_right_is_refused() {
        let stored = set("x", None);
        let proof = Proof::begin(&stored);
        for a in [&[0; 256][..], &DH_PRIME, &[], &[0xff; 300]] {
            assert_eq!(proof.check(a, &[0; 32]), Err(Refusal::A));
        }
    }

    #[test]
    fn verifiers_out_of_range_are_refused() {
        assert!(is_verifier(&set("x", None).verifier));
        assert!(!is_verifier(&[0; 256]));
        assert!(!is_verifier(&[0xff; 256]));
        assert!(!is_verifier(&[1; 255]));
    }
}
