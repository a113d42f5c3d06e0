//! The obfuscated transport: AES-CTR over another framing, keyed by the connection's first 64 bytes.
//!
//! Web clients and some libraries speak nothing else. Source:
//! <https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation>.

use grammers_crypto::ObfuscatedCipher;

use super::transport::Transport;

/// The length of the header that a client sends first, in bytes.
pub const HEADER_BYTES: usize = 64;

/// Reads a client's header: the cipher to go on with, and the framing that its tag names.
/// `None` if the tag is none, which is what other protocols' bytes look like.
pub fn accept(header: &[u8; HEADER_BYTES]) -> Option<(ObfuscatedCipher, Transport)> {
    // The library has the client's side of the cipher only. The other side reads with the key that
    // the client writes with, and these two are the same header forwards and backwards.
    let mut reversed = *header;
    reversed.reverse();
    let mut cipher = ObfuscatedCipher::new(&reversed);
    let mut plain = *header;
    cipher.decrypt(&mut plain);
    let transport = Transport::from_tag([plain[56], plain[57], plain[58], plain[59]])?;
    Some((cipher, transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as a client makes it: random, its tag written through its own cipher.
    fn header(tag: u8) -> ([u8; HEADER_BYTES], ObfuscatedCipher) {
        let mut header: [u8; HEADER_BYTES] = std::array::from_fn(|i| (i as u8).wrapping_mul(37));
        header[56..60].fill(tag);
        let mut client = ObfuscatedCipher::new(&header);
        let mut encrypted = header;
        client.encrypt(&mut encrypted);
        header[56..].copy_from_slice(&encrypted[56..]);
        (header, client)
    }

    #[test]
    fn both_directions_meet() {
        let (header, mut client) = header(0xee);
        let (mut server, transport) = accept(&header).unwrap();
        assert_eq!(transport, Transport::Intermediate);
        let mut up = *b"from the client";
        client.encrypt(&mut up);
        server.decrypt(&mut up);
        assert_eq!(&up, b"from the client");
        let mut down = *b"from the server";
        server.encrypt(&mut down);
        client.decrypt(&mut down);
        assert_eq!(&down, b"from the server");
    }

    #[test]
    fn another_protocol_is_refused() {
        assert!(accept(&header(0x11).0).is_none());
        assert!(
            accept(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nX-Padding: 0123456")
                .is_none()
        );
    }
}
