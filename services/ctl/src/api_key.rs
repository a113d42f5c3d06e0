//! Makes an API key here, so that only its SHA-256 ever leaves this machine.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proto::{ApiKey, InstanceId};
use serde_json::json;

use crate::exit::Failure;
use crate::screen::{FAINT, STRONG, Screen, paint};

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

/// Shows a new key, which nobody can be shown again. `live`: how many are good now.
pub fn show(instance: &InstanceId, key: &str, live: usize, screen: Screen) {
    let value = json!({ "instance": instance, "api_key": key, "live_keys": live });
    screen.put(&value, || {
        let mut lines = words(instance, key);
        if live > 1 {
            lines.push(paint(
                FAINT,
                "The last key stays good until the next `queuegram instance key`.",
            ));
        }
        lines.join("\n")
    });
}

/// The lines about a new key.
pub fn words(instance: &InstanceId, key: &str) -> Vec<String> {
    vec![
        format!("instance  {}", paint(STRONG, instance.as_str())),
        format!("API key   {}", paint(STRONG, key)),
        paint(FAINT, "Keep the key now: it is stored nowhere and not shown again."),
    ]
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
