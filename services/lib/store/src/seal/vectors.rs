//! The bytes that outsiders are told of: `docs/sealed-records.json`, which another library wrote, and
//! which `tests/witnesses/python/sealed.py` reads as well.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Document {
    vectors: Vec<Vector>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key: String,
    key_id: String,
    instance: String,
    kind: String,
    record_key: String,
    key_nonce: String,
    nonce: String,
    content: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    key: String,
    instance: String,
    kind: String,
    sealed: String,
}

fn document() -> Document {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/sealed-records.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn bytes<const LENGTH: usize>(text: &str) -> Zeroizing<[u8; LENGTH]> {
    Zeroizing::new(hex::decode(text).unwrap().try_into().unwrap())
}

#[test]
fn what_outsiders_are_told_is_what_is_sealed_and_opened() {
    let document = document();
    assert!(document.vectors.len() >= 5);
    for vector in document.vectors {
        let name = &vector.name;
        let key = VaultKey::parse(&vector.key).unwrap();
        assert_eq!(key.id_hex(), vector.key_id, "{name}");
        let slot = Slot { instance: &vector.instance, kind: &vector.kind };
        let content = hex::decode(&vector.content).unwrap();
        let fresh = Fresh {
            key: bytes(&vector.record_key),
            wrap_nonce: bytes(&vector.key_nonce),
            nonce: bytes(&vector.nonce),
        };
        let sealed = key.seal_with(slot, &content, &fresh).unwrap();
        assert_eq!(hex::encode(&sealed), vector.sealed, "{name}");
        assert_eq!(key.open(slot, &sealed).unwrap().as_slice(), content, "{name}");
    }
}

#[test]
fn what_outsiders_must_refuse_is_refused() {
    let document = document();
    assert!(document.refused.len() >= 10);
    for Refused { name, key, instance, kind, sealed } in document.refused {
        let slot = Slot { instance: &instance, kind: &kind };
        let sealed = hex::decode(&sealed).unwrap();
        assert!(VaultKey::parse(&key).unwrap().open(slot, &sealed).is_err(), "{name}");
    }
}
