//! A door for `tests/fuzz` to what is hidden here; nothing else may use it.

use crate::secret::QrToken;

/// A QR login's token, from Telegram's bytes: the link that is drawn, and the bytes that are read out of it again.
#[must_use]
pub fn qr_token(bytes: &[u8]) -> (String, Vec<u8>) {
    let token = QrToken::from_bytes(bytes);
    (token.url(), token.bytes())
}
