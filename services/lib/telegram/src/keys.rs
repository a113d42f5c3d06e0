//! Auth keys with a server other than Telegram's.
//!
//! grammers knows only Telegram's own RSA keys, and its key exchange can't be told another. So for a self-hosted or
//! simulated server the exchange is done here, over grammers' public plain transport, before grammers connects; with
//! the key in the session everything after that is unpatched grammers. Source of every step:
//! <https://core.telegram.org/mtproto/auth_key>.

mod der;
mod dh;
mod exchange;

use grammers_crypto::rsa;
use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use thiserror::Error;

pub(crate) use dh::check_group;
#[cfg(test)]
pub(crate) use dh::known_prime;
pub(crate) use exchange::exchange;

/// Why there is no key.
#[derive(Debug, Error)]
pub(crate) enum KeyError {
    /// The PEM file holds no RSA key that can be used.
    #[error("{0}")]
    Pem(&'static str),
    /// The server could not be reached, or broke off.
    #[error("key exchange: {0}")]
    Network(String),
    /// It took too long.
    #[error("key exchange: no answer in time")]
    TimedOut,
    /// The server has another RSA key than we were given.
    #[error("key exchange: the server does not have the RSA key of telegram.server.public_key")]
    UnknownFingerprint,
    /// The server's answer is not what the protocol allows; possibly somebody in between.
    #[error("key exchange: {0}")]
    Protocol(&'static str),
}

/// A server's public RSA key.
#[derive(Clone)]
pub(crate) struct ServerKey {
    n: BigUint,
    e: BigUint,
    /// The lower 64 bits of SHA-1 over the key, by which the server names it.
    fingerprint: i64,
}

impl ServerKey {
    /// From a PEM file's text: `RSA PUBLIC KEY` (PKCS#1) or `PUBLIC KEY` (SPKI), 2048 bits.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (n, e) = der::rsa_public_key(pem).map_err(KeyError::Pem)?;
        // The encryption that Telegram prescribes fits exactly 2048 bits; with a smaller key it would never end.
        if n.bits() != 2048 {
            return Err(KeyError::Pem("must be an RSA key of 2048 bits"));
        }
        let mut hasher = Sha1::new();
        hasher.update(tl_bytes(&n.to_bytes_be()));
        hasher.update(tl_bytes(&e.to_bytes_be()));
        let digest = hasher.finalize();
        let mut tail = [0; 8];
        tail.copy_from_slice(&digest[12..20]);
        Ok(Self { n, e, fingerprint: i64::from_le_bytes(tail) })
    }

    fn rsa(&self) -> Option<rsa::Key> {
        rsa::Key::new(&self.n.to_string(), &self.e.to_string())
    }
}

/// TL's form of a byte string.
fn tl_bytes(bytes: &[u8]) -> Vec<u8> {
    use grammers_tl_types::Serializable;
    bytes.to_vec().to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of Telegram's published keys, and the fingerprint under which its servers name it.
    const TELEGRAM: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEA6LszBcC1LGzyr992NzE0ieY+BSaOW622Aa9Bd4ZHLl+TuFQ4lo4g
5nKaMBwK/BIb9xUfg0Q29/2mgIR6Zr9krM7HjuIcCzFvDtr+L0GQjae9H0pRB2OO
62cECs5HKhT5DZ98K33vmWiLowc621dQuwKWSQKjWf50XYFw42h21P2KXUGyp2y/
+aEyZ+uVgLLQbRA1dEjSDZ2iGRy12Mk5gpYc397aYp438fsJoHIgJ2lgMv5h7WY9
t6N/byY9Nw9p21Og3AoXSL2q/2IJ1WRUhebgAdGVMlV1fkuOQoEzR7EdpqtQD9Cs
5+bfo3Nhmcyvk5ftB0WkJ9z6bNZ7yxrP8wIDAQAB
-----END RSA PUBLIC KEY-----";

    #[test]
    fn the_fingerprint_is_the_one_that_the_server_names() {
        let key = ServerKey::from_pem(TELEGRAM).unwrap();
        assert_eq!(key.fingerprint.cast_unsigned(), 0xd09d_1d85_de64_fd85);
    }
}
