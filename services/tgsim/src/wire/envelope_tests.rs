//! Encryption against the client side of an independent implementation, and against tampering.

use grammers_crypto::{AuthKey as ClientKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};

use super::*;

fn key() -> [u8; 256] {
    std::array::from_fn(|i| (i as u8).wrapping_mul(73).wrapping_add(11))
}

fn inner(body: usize) -> Inner {
    Inner { salt: 1, session_id: -2, msg_id: 3 << 32, seq_no: 7, body: vec![0xab; body] }
}

fn plain_bytes(inner: &Inner) -> Vec<u8> {
    let mut out = inner.salt.to_le_bytes().to_vec();
    out.extend(inner.session_id.to_le_bytes());
    out.extend(inner.msg_id.to_le_bytes());
    out.extend(inner.seq_no.to_le_bytes());
    out.extend((inner.body.len() as u32).to_le_bytes());
    out.extend(&inner.body);
    out
}

#[test]
fn the_id_is_the_one_that_clients_compute() {
    let theirs = format!("{:?}", ClientKey::from_bytes(key()));
    assert!(theirs.contains(&(AuthKey::new(key()).id() as u64).to_string()), "{theirs}");
}

#[test]
fn what_a_client_encrypts_is_opened() {
    for body in [4, 16, 20, 1000] {
        let mut buffer = DequeBuffer::with_capacity(2048, 2048);
        buffer.extend(plain_bytes(&inner(body)));
        encrypt_data_v2(&mut buffer, &ClientKey::from_bytes(key()));
        let (got, _) = open(&AuthKey::new(key()), Writer::Client, &buffer[..]).unwrap();
        assert_eq!(got, inner(body));
    }
}

#[test]
fn what_we_seal_a_client_decrypts() {
    for body in (4..80).step_by(4) {
        let mut sealed = seal(&AuthKey::new(key()), Writer::Server, &inner(body));
        let plain = decrypt_data_v2(&mut sealed, &ClientKey::from_bytes(key())).unwrap();
        let expected = plain_bytes(&inner(body));
        assert_eq!(plain[..expected.len()], expected);
        assert!((12..=1024).contains(&(plain.len() - expected.len())));
    }
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    let sealed = seal(&AuthKey::new(key()), Writer::Client, &inner(8));
    for at in 8..sealed.len() {
        let mut wrong = sealed.clone();
        wrong[at] ^= 1;
        let got = open(&AuthKey::new(key()), Writer::Client, &wrong);
        assert_eq!(got, Err(EnvelopeError::MessageKey));
    }
}

#[test]
fn directions_are_not_interchangeable() {
    let sealed = seal(&AuthKey::new(key()), Writer::Server, &inner(8));
    let got = open(&AuthKey::new(key()), Writer::Client, &sealed);
    assert_eq!(got, Err(EnvelopeError::MessageKey));
}

#[test]
fn short_envelopes_are_refused_and_transport_padding_is_ignored() {
    let sealed = seal(&AuthKey::new(key()), Writer::Client, &inner(8));
    for length in 0..72 {
        let got = open(&AuthKey::new(key()), Writer::Client, &sealed[..length]);
        assert_eq!(got, Err(EnvelopeError::Length(length)));
    }
    let padded = [&sealed[..], &[1; 12]].concat();
    assert_eq!(open(&AuthKey::new(key()), Writer::Client, &padded).unwrap().0, inner(8));
}

#[test]
fn nothing_of_a_key_is_shown() {
    let shown = format!("{:?}", AuthKey::new([0xaa; 256]));
    assert!(!shown.contains("aaaa") && !shown.contains("170"), "{shown}");
}
