//! What is inside an envelope: a message, or a container of messages, any of them perhaps gzipped.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use grammers_tl_types::{Deserializable, Serializable};

/// `msg_container`.
pub const CONTAINER_ID: u32 = 0x73f1_f8dc;
/// `gzip_packed`.
pub const GZIP_ID: u32 = 0x3072_cfa1;
/// `rpc_result`.
pub const RPC_RESULT_ID: u32 = 0xf35c_6d01;

/// The largest number of messages in one container that clients may send.
const CONTAINER_MAX: usize = 1020;
/// The largest body that gzip may unpack to, in bytes.
const UNPACKED_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Below this many bytes packing an answer is not worth it.
const PACK_MIN_BYTES: usize = 1024;

/// One message of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// See [`super::msg_id`].
    pub msg_id: i64,
    /// See [`super::envelope::Inner::seq_no`].
    pub seq_no: i32,
    /// One serialized object, never gzipped.
    pub body: Vec<u8>,
}

/// Why a body can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Shorter than it says, or a container in a container.
    #[error("a container that can't be read")]
    Container,
    /// Not gzip, or too large once unpacked.
    #[error("a gzip_packed that can't be unpacked")]
    Gzip,
}

/// The constructor id that a body begins with.
pub fn constructor(body: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(body.get(..4)?.try_into().ok()?))
}

/// Reads the messages of a container's body; `None` if the body is no container.
///
/// # Errors
/// It is a container, but a broken one.
pub fn read_container(body: &[u8]) -> Result<Option<Vec<Message>>, MessageError> {
    if constructor(body) != Some(CONTAINER_ID) {
        return Ok(None);
    }
    read_messages(&body[4..]).map(Some).ok_or(MessageError::Container)
}

fn read_messages(mut rest: &[u8]) -> Option<Vec<Message>> {
    let mut take = |length: usize| {
        let (taken, left) = rest.split_at_checked(length)?;
        rest = left;
        Some(taken)
    };
    let count = usize::try_from(i32::from_bytes(take(4)?).ok()?).ok()?;
    if count > CONTAINER_MAX {
        return None;
    }
    let mut messages = Vec::new();
    for _ in 0..count {
        let msg_id = i64::from_bytes(take(8)?).ok()?;
        let seq_no = i32::from_bytes(take(4)?).ok()?;
        let length = usize::try_from(i32::from_bytes(take(4)?).ok()?).ok()?;
        messages.push(Message { msg_id, seq_no, body: take(length)?.to_vec() });
    }
    Some(messages)
}

/// Writes a container of messages that are serialized already.
pub fn write_container(messages: &[(i64, i32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    CONTAINER_ID.serialize(&mut out);
    i32::try_from(messages.len()).unwrap_or(i32::MAX).serialize(&mut out);
    for (msg_id, seq_no, body) in messages {
        msg_id.serialize(&mut out);
        seq_no.serialize(&mut out);
        i32::try_from(body.len()).unwrap_or(i32::MAX).serialize(&mut out);
        out.extend_from_slice(body);
    }
    out
}

/// Unpacks a `gzip_packed`; any other body comes back as it is.
///
/// # Errors
/// It is packed, but can't be unpacked within bounds.
pub fn unpack(body: Vec<u8>) -> Result<Vec<u8>, MessageError> {
    if constructor(&body) != Some(GZIP_ID) {
        return Ok(body);
    }
    let packed = Vec::<u8>::from_bytes(&body[4..]).map_err(|_| MessageError::Gzip)?;
    let mut out = Vec::new();
    GzDecoder::new(&packed[..])
        .take(UNPACKED_MAX_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|_| MessageError::Gzip)?;
    if out.len() as u64 > UNPACKED_MAX_BYTES { Err(MessageError::Gzip) } else { Ok(out) }
}

/// The body of an answer: packed if it is large and packing makes it smaller.
pub fn pack(body: Vec<u8>) -> Vec<u8> {
    if body.len() < PACK_MIN_BYTES {
        return body;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let Ok(packed) = encoder.write_all(&body).and_then(|()| encoder.finish()) else { return body };
    if packed.len() + 8 >= body.len() {
        return body;
    }
    let mut out = Vec::with_capacity(packed.len() + 12);
    GZIP_ID.serialize(&mut out);
    packed.serialize(&mut out);
    out
}

/// `rpc_result` of the request `msg_id`; `result` is packed if that pays.
pub fn rpc_result(msg_id: i64, result: Vec<u8>) -> Vec<u8> {
    let result = pack(result);
    let mut out = Vec::with_capacity(result.len() + 12);
    RPC_RESULT_ID.serialize(&mut out);
    msg_id.serialize(&mut out);
    out.extend_from_slice(&result);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_gives_back_its_messages() {
        let bytes = write_container(&[(4, 1, &[1; 8]), (8, 3, &[2; 4])]);
        let messages = read_container(&bytes).unwrap().unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0], Message { msg_id: 4, seq_no: 1, body: vec![1; 8] });
        assert_eq!(messages[1], Message { msg_id: 8, seq_no: 3, body: vec![2; 4] });
        assert_eq!(read_container(&[0; 16]), Ok(None));
    }

    #[test]
    fn broken_containers_are_refused() {
        let whole = write_container(&[(4, 1, &[1; 8])]);
        for length in 4..whole.len() {
            assert_eq!(read_container(&whole[..length]), Err(MessageError::Container));
        }
        let mut negative = whole.clone();
        negative[20..24].fill(0xff);
        assert_eq!(read_container(&negative), Err(MessageError::Container));
        let mut many = whole;
        many[4..8].copy_from_slice(&1_000_000_i32.to_le_bytes());
        assert_eq!(read_container(&many), Err(MessageError::Container));
    }

    #[test]
    fn large_answers_are_packed_and_come_back() {
        let body = vec![7; 5000];
        let packed = pack(body.clone());
        assert!(packed.len() < 200);
        assert_eq!(unpack(packed).unwrap(), body);
        let noise: Vec<u8> = (0..2000).map(|_| rand::random()).collect();
        assert_eq!(pack(noise.clone()), noise, "what does not shrink stays");
        assert_eq!(pack(vec![1; 100]), vec![1; 100]);
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; 9 * 1024 * 1024]).unwrap();
        let mut bomb = GZIP_ID.to_bytes();
        encoder.finish().unwrap().serialize(&mut bomb);
        assert_eq!(unpack(bomb), Err(MessageError::Gzip));
        assert_eq!(
            unpack([&GZIP_ID.to_bytes()[..], &[3, 1, 2, 3]].concat()),
            Err(MessageError::Gzip)
        );
    }
}
