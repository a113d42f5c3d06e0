//! What is said of an instance's settings.

use super::*;
use crate::settings::LABEL_CHARS_MAX;

fn wrong(settings: &AccountAdd) -> Option<String> {
    check_settings(settings, &Names::default()).err().map(|fault| fault.message)
}

#[test]
fn good_settings_pass() {
    let hash = "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789";
    for settings in [
        AccountAdd::default(),
        AccountAdd { label: Some("ж".repeat(LABEL_CHARS_MAX)), ..AccountAdd::default() },
        AccountAdd { api_key_sha256: Some(hash.to_owned()), ..AccountAdd::default() },
        AccountAdd {
            api_key_sha256: Some(hash.to_owned()),
            require_api_key: true,
            ..AccountAdd::default()
        },
    ] {
        assert_eq!(wrong(&settings), None, "{settings:?}");
    }
}

#[test]
fn each_wrong_setting_is_named() {
    let hash =
        |hash: &str| AccountAdd { api_key_sha256: Some(hash.to_owned()), ..AccountAdd::default() };
    for (field, settings) in [
        ("label", AccountAdd { label: Some("x".repeat(129)), ..AccountAdd::default() }),
        ("api_key_sha256", hash("")),
        ("api_key_sha256", hash(&"0".repeat(63))),
        ("api_key_sha256", hash(&"g".repeat(64))),
        ("api_key_sha256", AccountAdd { require_api_key: true, ..AccountAdd::default() }),
    ] {
        let said = wrong(&settings).unwrap_or_default();
        assert!(said.starts_with(&format!("params.{field}: ")), "{field}: {said}");
    }
}

#[test]
fn the_same_wish_twice_is_one_instance() {
    let record = |label: &str| InstanceRecord {
        label: Some(label.to_owned()),
        ..InstanceRecord::new("acme".parse().unwrap(), chrono::DateTime::UNIX_EPOCH)
    };
    let named = InstanceRecord { username: Some("acme".to_owned()), ..record("a") };
    assert!(is_same(&named, &record("a")));
    assert!(!is_same(&record("a"), &record("b")));
}
