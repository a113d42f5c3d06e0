//! Messages without an auth key: the form in which keys are made.
//!
//! `auth_key_id (0) · msg_id · length · body`. Padding behind the body is allowed and ignored.

/// An unencrypted message from a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Plain<'a> {
    /// The client's message id; our answer's must be larger than its own last one only.
    pub msg_id: i64,
    /// One serialized request.
    pub body: &'a [u8],
}

/// Reads the message, or `None` if lengths don't fit.
pub fn read(payload: &[u8]) -> Option<Plain<'_>> {
    let msg_id = i64::from_le_bytes(payload.get(8..16)?.try_into().ok()?);
    let length = u32::from_le_bytes(payload.get(16..20)?.try_into().ok()?) as usize;
    Some(Plain { msg_id, body: payload.get(20..20_usize.checked_add(length)?)? })
}

/// Writes our answer.
pub fn write(msg_id: i64, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 8];
    out.extend_from_slice(&msg_id.to_le_bytes());
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_also_with_padding() {
        let mut bytes = write(5, &[1, 2, 3, 4]);
        bytes.extend([0; 7]);
        assert_eq!(read(&bytes), Some(Plain { msg_id: 5, body: &[1, 2, 3, 4] }));
    }

    #[test]
    fn a_length_past_the_end_is_refused() {
        let mut bytes = write(5, &[1, 2, 3, 4]);
        bytes[16] = 5;
        assert_eq!(read(&bytes), None);
        assert_eq!(read(&[0; 19]), None);
        bytes[16..20].fill(0xff);
        assert_eq!(read(&bytes), None);
    }
}
