//! The token of a QR login, which Telegram chooses: it goes into a link, the link into a sealed box for who
//! asked, and there into a picture. What a phone reads off it are Telegram's bytes.

use chassis::Secret;
use chassis::sealed::{BoxKey, Place, SECRET_BYTES_MAX};
use telegram::fuzz::qr_token;

pub fn run(data: &[u8]) {
    let (link, bytes) = qr_token(data);
    assert_eq!(bytes, data, "the token is not what a phone would read");
    let token = link.strip_prefix("tg://login?token=");
    let of_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(token.is_some_and(|token| token.bytes().all(of_base64url)), "{link}");
    let (asker, place) = (BoxKey::from_bytes([7; 32]), Place::qr("acme"));
    match asker.public().seal(&place, &Secret::new(link.clone())) {
        Ok(sealed) => {
            assert!(asker.open(&place, &sealed).is_ok_and(|opened| *opened.expose() == link));
        }
        Err(_) => assert!(link.len() > SECRET_BYTES_MAX),
    }
}
