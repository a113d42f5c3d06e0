//! The proof of a two-step-verification password, which never leaves this machine
//! (<https://core.telegram.org/api/srp>).
//!
//! The arithmetic is grammers'. Its ready-made `check_password` is not used: it takes its secret number from the
//! server's random bytes, which lets the server compute it, and panics on what it does not know.

use std::fmt;

use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types as tl;
use num_bigint::BigUint;

use crate::keys::check_group;
use crate::secret::LoginPassword;

/// What Telegram wants proven, once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) hint: Option<String>,
    srp_id: i64,
    srp_b: Vec<u8>,
    salt1: Vec<u8>,
    salt2: Vec<u8>,
    g: i32,
    p: Vec<u8>,
}

/// Why there is no challenge that can be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChallengeError {
    /// The account has no password after all.
    NoPassword,
    /// A way of proving that this release does not know, or numbers that are not safe.
    Unusable,
}

impl Challenge {
    pub(crate) fn read(password: tl::enums::account::Password) -> Result<Self, ChallengeError> {
        let tl::enums::account::Password::Password(password) = password;
        if !password.has_password {
            return Err(ChallengeError::NoPassword);
        }
        use tl::enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow as Known;
        let (Some(Known(algorithm)), Some(srp_b), Some(srp_id)) =
            (password.current_algo, password.srp_b, password.srp_id)
        else {
            return Err(ChallengeError::Unusable);
        };
        check_group(&algorithm.p, algorithm.g).map_err(|_| ChallengeError::Unusable)?;
        let public = BigUint::from_bytes_be(&srp_b);
        let zero = BigUint::from(0u8);
        if srp_b.len() > 256 || public == zero || public >= BigUint::from_bytes_be(&algorithm.p) {
            return Err(ChallengeError::Unusable);
        }
        Ok(Self {
            hint: password.hint.filter(|hint| !hint.is_empty()),
            srp_id,
            srp_b,
            salt1: algorithm.salt1,
            salt2: algorithm.salt2,
            g: algorithm.g,
            p: algorithm.p,
        })
    }

    /// Computes the proof; takes some 100 ms of work. `secret` is 256 random bytes.
    pub(crate) fn prove(
        &self,
        password: &LoginPassword,
        secret: [u8; 256],
    ) -> tl::enums::InputCheckPasswordSrp {
        let (m1, a) = calculate_2fa(
            &self.salt1,
            &self.salt2,
            &self.p,
            &self.g,
            self.srp_b.clone(),
            secret.to_vec(),
            password.expose().as_bytes(),
        );
        tl::types::InputCheckPasswordSrp { srp_id: self.srp_id, a: a.to_vec(), m1: m1.to_vec() }
            .into()
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(***)")
    }
}
