//! The seal of the vault's records, and the key in its file. What is sealed opens, changed it does not,
//! and nothing opens that was not sealed with the key for the place.

use store::fuzz::{key, open, seal};

const KEY: [u8; 32] = [7; 32];

pub fn run(data: &[u8]) {
    // Nobody can make one without the key, nor can a fuzzer.
    assert!(open(KEY, "acme", "session", data).is_err());
    if let Some(hex) = key(&String::from_utf8_lossy(data)) {
        assert_eq!(key(&hex), Some(hex));
    }
    let Ok(mut sealed) = seal(KEY, "acme", "session", data) else { panic!("it can't be sealed") };
    assert!(open(KEY, "acme", "session", &sealed).is_ok_and(|opened| opened == data));
    assert!(open(KEY, "acme", "groups", &sealed).is_err());
    assert!(open(KEY, "other", "session", &sealed).is_err());
    assert!(open([8; 32], "acme", "session", &sealed).is_err());
    // The input says which byte is changed.
    let said = data.iter().fold(0_usize, |at, byte| at.wrapping_mul(31) ^ usize::from(*byte));
    let at = said % sealed.len();
    sealed[at] ^= 1;
    assert!(open(KEY, "acme", "session", &sealed).is_err(), "byte {at} does not count");
    sealed.truncate(at);
    assert!(open(KEY, "acme", "session", &sealed).is_err(), "cut at {at}");
}
