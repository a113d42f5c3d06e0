//! What a record says of people: its result, its steps' notes and answers, a decision's words. It is sealed
//! with the vault's key for its field, so that a copy of Redis' data tells nobody whom an account knows.
//!
//! A sealed text is `~` and base64. Releases before version 3 of the record wrote JSON, which never begins
//! so; both are read.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::{CommandId, InstanceId};
use sha2::Sha256;

use super::{Ledger, Record};
use crate::error::StoreError;
use crate::seal::Slot;

const SEALED: char = '~';
/// Parts of a step's line before its JSON.
const HEAD: usize = 5;

impl Ledger {
    /// A text as it may stand in Redis.
    pub(super) fn hide(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        field: &str,
        text: &str,
    ) -> Result<String, StoreError> {
        let kind = kind(id, field);
        let slot = Slot { instance: instance.as_str(), kind: &kind };
        let sealed = self.vault.key().seal(slot, text.as_bytes())?;
        Ok(format!("{SEALED}{}", BASE64_STANDARD_NO_PAD.encode(sealed)))
    }

    /// Stands for a result where two are compared: sealed, the same text is another one each time.
    pub(super) fn mark(&self, result_json: &str) -> Result<String, StoreError> {
        let key = self.vault.key().derive("queuegram ledger marks v1")?;
        let mac = Hmac::<Sha256>::new_from_slice(key.as_slice());
        let mut mac = mac.map_err(|error| StoreError::corrupt("a key", error))?;
        mac.update(result_json.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }

    /// The record in these fields, as Redis has them.
    pub(super) fn read(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        mut fields: HashMap<String, String>,
    ) -> Result<Record, StoreError> {
        for (name, text) in &mut fields {
            let at = if name.starts_with("s:") { json_at(text) } else { Some(0) };
            if let Some(at) = at
                && let Some(sealed) = text.get(at..).and_then(|rest| rest.strip_prefix(SEALED))
            {
                let shown = self.show(instance, id, name, sealed)?;
                text.truncate(at);
                text.push_str(&shown);
            }
        }
        Record::read(id, &fields)
    }

    fn show(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        field: &str,
        sealed: &str,
    ) -> Result<String, StoreError> {
        let what = || format!("`{field}` in the record of {id}");
        let sealed = BASE64_STANDARD_NO_PAD.decode(sealed);
        let sealed = sealed.map_err(|error| StoreError::corrupt(what(), error))?;
        let kind = kind(id, field);
        let slot = Slot { instance: instance.as_str(), kind: &kind };
        let opened = self.vault.key().open(slot, &sealed)?;
        String::from_utf8(opened.to_vec()).map_err(|_| StoreError::corrupt(what(), "is no text"))
    }
}

fn kind(id: &CommandId, field: &str) -> String {
    format!("command {id} {field}")
}

/// Where the JSON of a step's line begins; none in one of a release that wrote no attempts, and sealed none.
fn json_at(line: &str) -> Option<usize> {
    let (last, _) = line.match_indices('|').nth(HEAD - 1)?;
    let attempt = line.get(..last)?.rsplit('|').next()?;
    attempt.bytes().all(|byte| byte.is_ascii_digit()).then_some(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_step_is_found_in_both_forms() {
        assert_eq!(json_at("2|started|once|7|3|~abc"), Some(19));
        assert_eq!(json_at("2|started|once|7|3|"), Some(19));
        assert_eq!(json_at(r#"1|executed|read|6|{"x":"a|~b"}"#), None);
        assert_eq!(json_at("1|executed"), None);
    }
}
