//! An instance's settings and API keys, as orders change them.

use chrono::{DateTime, Utc};
use proto::control::{AccountSet, AccountSetKey, ApiKeyInfo};
use proto::fault::code;
use proto::{Fault, Names};
use store::{InstanceRecord, LiveKey};

use crate::methods;
use crate::notices::NoticePlace;

/// Most characters of a label.
pub const LABEL_CHARS_MAX: usize = 128;
const TAGS_MAX: usize = 20;
const TAG_CHARS_MAX: usize = 64;
const NOTES_CHARS_MAX: usize = 2_000;
/// Digits of a key's hash that are told.
const DIGITS_TOLD: usize = 8;

/// Changes what an order names.
///
/// # Errors
/// What makes no sense, by the name of its field.
pub fn set(record: &mut InstanceRecord, wish: &AccountSet, names: &Names) -> Result<(), Fault> {
    if let Some(label) = &wish.label {
        check_label(label.as_deref())?;
    }
    if let Some(Some(notes)) = &wish.notes
        && notes.chars().count() > NOTES_CHARS_MAX
    {
        return Err(invalid("params.notes: has more than 2000 characters"));
    }
    if let Some(tags) = &wish.tags {
        check_tags(tags)?;
    }
    if let Some(Some(notify)) = &wish.notify {
        NoticePlace::read(notify, names)?;
    }
    if wish.require_api_key == Some(true) && record.api_keys.is_empty() {
        return Err(invalid("params.require_api_key: the instance has no API key; set one first"));
    }
    record.label = wish.label.clone().unwrap_or(record.label.take());
    record.notes = wish.notes.clone().unwrap_or(record.notes.take());
    record.notify = wish.notify.clone().unwrap_or(record.notify.take());
    record.tags = wish.tags.clone().unwrap_or(std::mem::take(&mut record.tags));
    record.require_api_key = wish.require_api_key.unwrap_or(record.require_api_key);
    Ok(())
}

/// Gives the instance a new key. Asked again with the same key, as after a lost answer, nothing changes.
///
/// # Errors
/// As for [`set`].
pub fn set_key(
    record: &mut InstanceRecord,
    wish: &AccountSetKey,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    check_hash(&wish.api_key_sha256)?;
    let unknown = wish.methods.iter().find(|method| methods::find(method.as_str()).is_none());
    if let Some(unknown) = unknown {
        let message = format!("params.methods: there is no method {unknown}");
        return Err(Fault::invalid(code::METHOD_UNKNOWN, message));
    }
    let newest = record.api_keys.first();
    if newest.is_some_and(|newest| newest.sha256 == wish.api_key_sha256) {
        return Ok(());
    }
    let old = newest.filter(|_| wish.keep_old).cloned();
    let key =
        LiveKey { methods: wish.methods.clone(), ..live_key(&wish.api_key_sha256, Some(now)) };
    record.api_keys = std::iter::once(key).chain(old).collect();
    Ok(())
}

/// A key for all methods.
pub fn live_key(sha256: &str, set_at: Option<DateTime<Utc>>) -> LiveKey {
    LiveKey { sha256: sha256.to_ascii_lowercase(), set_at, methods: Vec::new() }
}

/// What is told of keys.
pub fn keys_told(keys: &[LiveKey]) -> Vec<ApiKeyInfo> {
    let told = |key: &LiveKey| ApiKeyInfo {
        sha256_begins: key.sha256.chars().take(DIGITS_TOLD).collect(),
        set_at: key.set_at,
        methods: key.methods.clone(),
    };
    keys.iter().map(told).collect()
}

/// # Errors
/// It is too long.
pub fn check_label(label: Option<&str>) -> Result<(), Fault> {
    match label {
        Some(label) if label.chars().count() > LABEL_CHARS_MAX => {
            Err(invalid("params.label: has more than 128 characters"))
        }
        _ => Ok(()),
    }
}

/// # Errors
/// It is none.
pub fn check_hash(hash: &str) -> Result<(), Fault> {
    match hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(invalid("params.api_key_sha256: is no SHA-256 in hexadecimal (64 digits)")),
    }
}

fn check_tags(tags: &[String]) -> Result<(), Fault> {
    if tags.len() > TAGS_MAX {
        return Err(invalid("params.tags: are more than 20"));
    }
    let wrong = |tag: &&String| tag.is_empty() || tag.chars().count() > TAG_CHARS_MAX;
    match tags.iter().find(wrong) {
        Some(_) => Err(invalid("params.tags: each has 1 to 64 characters")),
        None => Ok(()),
    }
}

fn invalid(message: &str) -> Fault {
    Fault::invalid(code::PARAMS_INVALID, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> InstanceRecord {
        InstanceRecord::new("acme".parse().unwrap(), DateTime::UNIX_EPOCH)
    }

    fn key(digit: char) -> AccountSetKey {
        let api_key_sha256 = digit.to_string().repeat(64);
        AccountSetKey { api_key_sha256, keep_old: false, methods: Vec::new() }
    }

    #[test]
    fn what_is_not_named_stays_and_null_takes_away() {
        let mut record = record();
        let wish = AccountSet {
            label: Some(Some("Acme".to_owned())),
            tags: Some(vec!["north".to_owned()]),
            ..AccountSet::default()
        };
        set(&mut record, &wish, &Names::default()).unwrap();
        set(
            &mut record,
            &AccountSet { notes: Some(Some("n".to_owned())), ..AccountSet::default() },
            &Names::default(),
        )
        .unwrap();
        assert_eq!((record.label.as_deref(), record.notes.as_deref()), (Some("Acme"), Some("n")));
        let wish = AccountSet { label: Some(None), ..AccountSet::default() };
        set(&mut record, &wish, &Names::default()).unwrap();
        assert_eq!((record.label.clone(), record.tags.len()), (None, 1));
    }

    #[test]
    fn what_makes_no_sense_is_named_and_changes_nothing() {
        let none = AccountSet::default;
        for (field, wish) in [
            ("label", AccountSet { label: Some(Some("x".repeat(129))), ..none() }),
            ("notes", AccountSet { notes: Some(Some("x".repeat(2_001))), ..none() }),
            ("tags", AccountSet { tags: Some(vec!["t".to_owned(); 21]), ..none() }),
            ("tags", AccountSet { tags: Some(vec![String::new()]), ..none() }),
            ("notify", AccountSet { notify: Some(Some("tg.dead".to_owned())), ..none() }),
            ("require_api_key", AccountSet { require_api_key: Some(true), ..none() }),
        ] {
            let mut changed = record();
            let said = set(&mut changed, &wish, &Names::default()).unwrap_err().message;
            assert!(said.starts_with(&format!("params.{field}")), "{said}");
            assert_eq!(changed, record());
        }
    }

    #[test]
    fn two_keys_are_live_at_most_and_a_reset_leaves_one() {
        let (mut record, now) = (record(), DateTime::UNIX_EPOCH);
        let hashes = |record: &InstanceRecord| -> String {
            record.api_keys.iter().filter_map(|key| key.sha256.chars().next()).collect()
        };
        set_key(&mut record, &key('a'), now).unwrap();
        for (digit, live) in [('b', "ba"), ('b', "ba"), ('c', "cb")] {
            set_key(&mut record, &AccountSetKey { keep_old: true, ..key(digit) }, now).unwrap();
            assert_eq!(hashes(&record), live);
        }
        set_key(&mut record, &key('d'), now).unwrap();
        assert_eq!(hashes(&record), "d");
        let odd = AccountSetKey { methods: vec!["group.fly".parse().unwrap()], ..key('e') };
        assert_eq!(set_key(&mut record, &odd, now).unwrap_err().code, code::METHOD_UNKNOWN);
        assert!(set_key(&mut record, &key('g'), now).is_err(), "no hexadecimal digit");
    }
}
