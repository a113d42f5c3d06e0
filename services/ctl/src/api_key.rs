//! Makes an API key here, so that only its SHA-256 ever leaves this machine.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proto::ApiKey;

use crate::exit::Failure;

const PREFIX: &str = "qg_";

/// A new key: `qg_` and 256 random bits in base64url.
pub fn generate() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::Unexpected(anyhow::anyhow!("no random bytes: {error}")))?;
    Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// What the service keeps of a key.
#[must_use]
pub fn sha256(key: &str) -> String {
    ApiKey::new(key.to_owned()).sha256()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("qg_") && one.len() == 3 + 43, "{one}");
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')));
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
