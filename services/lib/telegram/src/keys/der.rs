//! Reads an RSA public key out of a PEM file: base64 around the few DER shapes that such a file has. Two integers do
//! not warrant an ASN.1 library.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const PEM_BYTES_MAX: usize = 64 * 1024;

/// Modulus and exponent.
pub(super) fn rsa_public_key(pem: &str) -> Result<(BigUint, BigUint), &'static str> {
    if pem.len() > PEM_BYTES_MAX {
        return Err("is too large for a public key");
    }
    for label in ["RSA PUBLIC KEY", "PUBLIC KEY"] {
        let Some(base64) = between(pem, label) else { continue };
        let compact: String = base64.split_whitespace().collect();
        let der = STANDARD.decode(compact).map_err(|_| "holds broken base64")?;
        return parse(&der).ok_or("holds no RSA public key");
    }
    Err("holds no PUBLIC KEY in PEM form")
}

fn between<'a>(pem: &'a str, label: &str) -> Option<&'a str> {
    let begin = format!("-----BEGIN {label}-----");
    let start = pem.find(&begin)? + begin.len();
    let length = pem[start..].find(&format!("-----END {label}-----"))?;
    Some(&pem[start..start + length])
}

/// `SEQUENCE { n, e }`, or that wrapped as `SEQUENCE { algorithm, BIT STRING }`.
fn parse(der: &[u8]) -> Option<(BigUint, BigUint)> {
    let (outer, _) = element(der, SEQUENCE)?;
    if outer.first() == Some(&INTEGER) {
        let (n, rest) = element(outer, INTEGER)?;
        let (e, _) = element(rest, INTEGER)?;
        return Some((BigUint::from_bytes_be(n), BigUint::from_bytes_be(e)));
    }
    let (_algorithm, rest) = element(outer, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    let (inner, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (n, rest) = element(inner, INTEGER)?;
    let (e, _) = element(rest, INTEGER)?;
    Some((BigUint::from_bytes_be(n), BigUint::from_bytes_be(e)))
}

/// The content of the element at the front, which must have this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn both_forms_are_read() {
        let pkcs1 = [0x30, 0x06, 0x02, 0x01, 0x0B, 0x02, 0x01, 0x03];
        let expected = (BigUint::from(11u8), BigUint::from(3u8));
        assert_eq!(rsa_public_key(&pem("RSA PUBLIC KEY", &pkcs1)), Ok(expected.clone()));
        let mut spki = vec![0x30, 0x0F, 0x30, 0x02, 0x05, 0x00, 0x03, 0x09, 0x00];
        spki.extend(pkcs1);
        assert_eq!(rsa_public_key(&pem("PUBLIC KEY", &spki)), Ok(expected));
    }

    #[test]
    fn anything_else_is_an_error_and_no_panic() {
        for der in [&[][..], &[0x30], &[0x30, 0x85, 1], &[0x30, 0x04, 0x02, 0x7F, 1, 2], &[2, 1, 1]]
        {
            assert!(rsa_public_key(&pem("PUBLIC KEY", der)).is_err(), "{der:?}");
        }
        assert!(rsa_public_key("").is_err());
        assert!(rsa_public_key("-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----").is_err());
    }
}
