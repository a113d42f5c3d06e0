//! The server's RSA key: made or loaded at start, its public half given to clients as a PEM file.
//!
//! Clients encrypt their new nonce with it in one of two forms: RSA_PAD (current) and the older
//! `SHA1(data) + data + padding`. Both are opened here.
//! Source: <https://core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication>.

use std::{fs, io, path::Path};

use grammers_crypto::aes;
use grammers_tl_types::Serializable;
use rsa::{
    BigUint, RsaPrivateKey,
    hazmat::rsa_decrypt_and_check,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey, LineEnding},
    rand_core::OsRng,
    traits::PublicKeyParts,
};
use sha1::{Digest, Sha1};
use sha2::Sha256;

const BITS: usize = 2048;
const BYTES: usize = BITS / 8;

/// The private key. Its `Debug` shows the fingerprint only.
pub struct ServerKey {
    key: RsaPrivateKey,
    fingerprint: i64,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ServerKeyError {
    /// It could not be made.
    #[error("no RSA key could be made: {0}")]
    Generate(#[from] rsa::Error),
    /// The file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file is no PKCS#1 PEM key of 2048 bits.
    #[error("{0}: not a 2048-bit RSA key in PKCS#1 PEM form")]
    Form(String),
}

impl ServerKey {
    /// A new key.
    ///
    /// # Errors
    /// [`ServerKeyError::Generate`].
    pub fn generate() -> Result<Self, ServerKeyError> {
        Ok(Self::from_private(RsaPrivateKey::new(&mut OsRng, BITS)?))
    }

    /// The key in `path`; where there is no such file, a new key that is written there.
    ///
    /// # Errors
    /// See [`ServerKeyError`].
    pub fn load_or_create(path: &Path) -> Result<Self, ServerKeyError> {
        match fs::read_to_string(path) {
            Ok(pem) => {
                Self::from_pem(&pem).ok_or_else(|| ServerKeyError::Form(path.display().to_string()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                let pem = key.key.to_pkcs1_pem(LineEnding::LF);
                let pem = pem.map_err(|_| ServerKeyError::Form(path.display().to_string()))?;
                write(path, pem.as_bytes())?;
                Ok(key)
            }
            Err(source) => Err(ServerKeyError::File { path: path.display().to_string(), source }),
        }
    }

    fn from_pem(pem: &str) -> Option<Self> {
        let key = RsaPrivateKey::from_pkcs1_pem(pem).ok()?;
        (key.size() == BYTES).then(|| Self::from_private(key))
    }

    fn from_private(key: RsaPrivateKey) -> Self {
        let public = [key.n().to_bytes_be().to_bytes(), key.e().to_bytes_be().to_bytes()].concat();
        let hash = Sha1::digest(public);
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&hash[12..]);
        Self { key, fingerprint: i64::from_le_bytes(fingerprint) }
    }

    /// The lower 64 bits of the SHA1 of the serialized public key.
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    /// Modulus and exponent in decimal.
    pub fn public_numbers(&self) -> (String, String) {
        (self.key.n().to_string(), self.key.e().to_string())
    }

    /// The public key as `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// [`ServerKeyError::Form`], which a key of ours never is.
    pub fn public_pem(&self) -> Result<String, ServerKeyError> {
        self.key
            .to_public_key()
            .to_pkcs1_pem(LineEnding::LF)
            .map_err(|_| ServerKeyError::Form("the public key".to_owned()))
    }

    /// Writes the public key to a file.
    ///
    /// # Errors
    /// See [`ServerKeyError`].
    pub fn write_public(&self, path: &Path) -> Result<(), ServerKeyError> {
        write(path, self.public_pem()?.as_bytes())
    }

    /// Opens what a client encrypted; padding may stay behind the data.
    pub fn open(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        if encrypted.len() > BYTES {
            return None;
        }
        let number = BigUint::from_bytes_be(encrypted);
        if number >= *self.key.n() {
            return None;
        }
        let plain = rsa_decrypt_and_check::<OsRng>(&self.key, None, &number).ok()?.to_bytes_be();
        let mut block = [0; BYTES];
        block[BYTES - plain.len()..].copy_from_slice(&plain);
        open_padded(&block).or_else(|| open_old(&block))
    }
}

/// RSA_PAD: a temporary key, hidden by the hash of what it encrypts.
fn open_padded(block: &[u8; BYTES]) -> Option<Vec<u8>> {
    let (hidden_key, encrypted) = block.split_at(32);
    let hash = Sha256::digest(encrypted);
    let key: [u8; 32] = std::array::from_fn(|i| hidden_key[i] ^ hash[i]);
    let mut plain = encrypted.to_vec();
    aes::ige_decrypt(&mut plain, &key, &[0; 32]);
    let (data, hash) = plain.split_at_mut(192);
    data.reverse();
    let expected = Sha256::new().chain_update(key).chain_update(&*data).finalize();
    (*hash == *expected).then(|| data.to_vec())
}

/// The old form: a zero byte, SHA1 of the data, the data, padding. How long the data is only its
/// content tells, so every length that a `p_q_inner_data` can have is tried.
fn open_old(block: &[u8; BYTES]) -> Option<Vec<u8>> {
    let (hash, rest) = block[1..].split_at(20);
    (block[0] == 0)
        .then(|| (1..=rest.len() / 4).map(|words| &rest[..words * 4]))?
        .find(|data| *hash == *Sha1::digest(data))
        .map(<[u8]>::to_vec)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ServerKeyError> {
    fs::write(path, bytes)
        .map_err(|source| ServerKeyError::File { path: path.display().to_string(), source })
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerKey({:016x})", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_key(key: &ServerKey) -> grammers_crypto::rsa::Key {
        let (n, e) = key.public_numbers();
        grammers_crypto::rsa::Key::new(&n, &e).unwrap()
    }

    #[test]
    fn both_forms_are_opened_and_nothing_else() {
        let key = ServerKey::generate().unwrap();
        let data = [5; 100];
        let padded = grammers_crypto::rsa::encrypt_hashed(&data, &client_key(&key), &[3; 224]);
        assert_eq!(key.open(&padded).unwrap()[..100], data);

        let mut old = Sha1::digest(data).to_vec();
        old.extend(data);
        old.resize(255, 9);
        let old = BigUint::from_bytes_be(&old).modpow(key.key.e(), key.key.n()).to_bytes_be();
        assert_eq!(key.open(&old).unwrap(), data);

        let mut wrong = padded;
        wrong[200] ^= 1;
        assert_eq!(key.open(&wrong), None);
        assert_eq!(key.open(&[0xff; 256]), None);
        assert_eq!(key.open(&[1; 257]), None);
        assert_eq!(key.open(&[]), None);
    }

    #[test]
    fn a_kept_key_is_the_same_after_a_restart() {
        let path = std::env::temp_dir().join(format!("tgsim-key-{:x}", rand::random::<u64>()));
        let first = ServerKey::load_or_create(&path).unwrap();
        let second = ServerKey::load_or_create(&path).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert!(first.public_pem().unwrap().starts_with("-----BEGIN RSA PUBLIC KEY-----"));
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(ServerKey::load_or_create(&path), Err(ServerKeyError::Form(_))));
        fs::remove_file(path).unwrap();
    }
}
