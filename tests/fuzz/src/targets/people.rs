//! People as callers name them, by numbers, names and links, and phone numbers as they are typed. What a
//! name means is something that Telegram could have, and an error does not repeat a phone number.

use proto::member::{MemberInput, MemberTarget};
use serde_json::Value;
use telegram::Phone;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(digits) = Phone::from(text.as_ref()).digits() {
        assert!((5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    }
    read(Value::String(text.clone().into_owned()));
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        read(value);
    }
}

fn read(written: Value) {
    match MemberInput::parse(written.clone()) {
        Ok(member) => {
            assert_eq!(*member.written(), written);
            check(member.target());
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() <= 1_000, "{} bytes", words.len());
            let text = written.as_str().unwrap_or_default().trim();
            assert!(!(text.starts_with('+') && text.len() > 6 && words.contains(text)), "{words}");
        }
    }
}

fn check(target: &MemberTarget) {
    // In its plainest spelling it means the same.
    let plain = match target {
        MemberTarget::Id(id) => Value::from(id.to_string()),
        MemberTarget::Username(name) => {
            assert!((3..=32).contains(&name.len()) && *name == name.to_ascii_lowercase());
            Value::from(format!("@{name}"))
        }
        MemberTarget::Phone(phone) => {
            let digits = phone.strip_prefix('+').unwrap_or_default();
            assert!((6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
            Value::from(phone.as_str())
        }
        MemberTarget::Instance(id) => serde_json::json!({ "instance": id }),
    };
    match MemberInput::parse(plain) {
        Ok(again) => assert_eq!(again.target(), target),
        Err(error) => panic!("{target:?} in its plainest spelling: {error}"),
    }
}
