//! The sealed boxes in which phone numbers, codes, passwords and QR links cross a queue, and the public
//! keys that they are sealed to. What opens is no longer than it may be, and opens nowhere else.

use chassis::Secret;
use chassis::sealed::{BoxKey, Place, SECRET_BYTES_MAX, SealKey};

use crate::input::Input;

pub fn run(data: &[u8]) {
    let (ours, text) = (BoxKey::from_bytes([7; 32]), String::from_utf8_lossy(data));
    if let Ok(public) = text.parse::<SealKey>() {
        assert_eq!(public.to_string().parse(), Ok(public));
    }
    let input = Input::read(data);
    for place in [Place::phone("acme"), Place::qr("acme")] {
        if let Ok(opened) = ours.open(&place, &text) {
            assert!(opened.expose().len() <= SECRET_BYTES_MAX);
        }
    }
    let secret = Secret::new(String::from_utf8_lossy(input.body).into_owned());
    match ours.public().seal(&Place::code("acme"), &secret) {
        Ok(sealed) => {
            let opened = ours.open(&Place::code("acme"), &sealed);
            assert!(opened.is_ok_and(|opened| opened.expose() == secret.expose()));
            assert!(ours.open(&Place::password("acme"), &sealed).is_err());
            assert!(ours.open(&Place::code("other"), &sealed).is_err());
        }
        Err(_) => assert!(secret.expose().len() > SECRET_BYTES_MAX),
    }
}
