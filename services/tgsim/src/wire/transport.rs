//! MTProto's TCP framings: full, abridged, intermediate and padded intermediate.
//!
//! A client says which one it speaks by its first bytes, so one port serves them all. Full has no
//! such tag: it is known by its first frame having the sequence number 0.
//! Source: <https://core.telegram.org/mtproto/mtproto-transports>.

use super::FRAME_MAX_BYTES;

/// The smallest full frame: length, sequence number, one word, checksum.
const FULL_MIN_BYTES: usize = 16;

/// One framing, with the state that only `Full` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Length, sequence number, payload, CRC32.
    Full {
        /// The sequence number that the next frame from the client must carry.
        incoming: u32,
        /// The sequence number of our next frame.
        outgoing: u32,
    },
    /// One byte (or four) of length in words.
    Abridged,
    /// Four bytes of length.
    Intermediate,
    /// Four bytes of length, and up to 15 bytes of padding behind the payload.
    PaddedIntermediate,
}

/// What a client's first bytes say.
#[derive(Debug, PartialEq, Eq)]
pub enum Detected {
    /// Not enough bytes yet.
    NeedMore,
    /// A plain framing; that many bytes of tag come before the first frame.
    Plain(Transport, usize),
    /// 64 bytes of obfuscation header come first.
    Obfuscated,
}

/// A payload as the client framed it.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message, perhaps with padding behind it.
    pub payload: Vec<u8>,
    /// The client wants a quick acknowledgement.
    pub quick_ack: bool,
}

/// Why a connection's bytes are no frames.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// Outside of what is allowed.
    #[error("a frame of {0} bytes")]
    Length(usize),
    /// Full only.
    #[error("frame {got} came where {expected} was due")]
    Sequence {
        /// What was due.
        expected: u32,
        /// What came.
        got: u32,
    },
    /// Full only.
    #[error("a frame's checksum is wrong")]
    Checksum,
}

/// Tells the framing by the first bytes of a connection.
pub fn detect(bytes: &[u8]) -> Detected {
    match bytes {
        [0xef, ..] => Detected::Plain(Transport::Abridged, 1),
        [0xee, 0xee, 0xee, 0xee, ..] => Detected::Plain(Transport::Intermediate, 4),
        [0xdd, 0xdd, 0xdd, 0xdd, ..] => Detected::Plain(Transport::PaddedIntermediate, 4),
        _ if bytes.len() < 8 => Detected::NeedMore,
        _ if word(bytes, 4) == 0 => {
            Detected::Plain(Transport::Full { incoming: 0, outgoing: 0 }, 0)
        }
        _ => Detected::Obfuscated,
    }
}

impl Transport {
    /// The framing that an obfuscation header names by its tag.
    pub fn from_tag(tag: [u8; 4]) -> Option<Self> {
        match tag {
            [0xef, 0xef, 0xef, 0xef] => Some(Self::Abridged),
            [0xee, 0xee, 0xee, 0xee] => Some(Self::Intermediate),
            [0xdd, 0xdd, 0xdd, 0xdd] => Some(Self::PaddedIntermediate),
            _ => None,
        }
    }

    /// Takes the next whole frame out of `buffer`, if it is there.
    ///
    /// # Errors
    /// The bytes can't be a frame; the connection is of no more use.
    pub fn take_frame(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Frame>, FrameError> {
        match self {
            Self::Full { incoming, .. } => take_full(buffer, incoming),
            Self::Abridged => take_abridged(buffer),
            Self::Intermediate | Self::PaddedIntermediate => take_intermediate(buffer),
        }
    }

    /// Frames `payload` (a multiple of four bytes long) for the client.
    pub fn frame(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(payload.len() + 28);
        match self {
            Self::Full { outgoing, .. } => {
                out.extend_from_slice(&length_word(payload.len() + 12));
                out.extend_from_slice(&outgoing.to_le_bytes());
                out.extend_from_slice(payload);
                let crc = crc32fast::hash(&out);
                out.extend_from_slice(&crc.to_le_bytes());
                *outgoing = outgoing.wrapping_add(1);
            }
            Self::Abridged => {
                let words = payload.len() / 4;
                if words < 0x7f {
                    out.extend_from_slice(&words.to_le_bytes()[..1]);
                } else {
                    out.push(0x7f);
                    out.extend_from_slice(&words.to_le_bytes()[..3]);
                }
                out.extend_from_slice(payload);
            }
            Self::Intermediate => {
                out.extend_from_slice(&length_word(payload.len()));
                out.extend_from_slice(payload);
            }
            Self::PaddedIntermediate => {
                let padding: [u8; 16] = rand::random();
                // Whole words, so that a plain message and a four-byte error stay readable.
                let padding = &padding[..usize::from(padding[0] & 0x0c)];
                out.extend_from_slice(&length_word(payload.len() + padding.len()));
                out.extend_from_slice(payload);
                out.extend_from_slice(padding);
            }
        }
        out
    }

    /// A transport error such as -404. Full has no frame for it: there the length itself is
    /// negative, and clients read one to three words of it.
    pub fn error(&mut self, code: i32) -> Vec<u8> {
        match self {
            Self::Full { .. } => code.to_le_bytes().repeat(3),
            Self::PaddedIntermediate => Self::Intermediate.frame(&code.to_le_bytes()),
            _ => self.frame(&code.to_le_bytes()),
        }
    }

    /// A quick acknowledgement with its token, or nothing where the framing has none.
    pub fn quick_ack(&self, token: u32) -> Option<[u8; 4]> {
        let token = token | 0x8000_0000;
        match self {
            Self::Full { .. } => None,
            Self::Abridged => Some(token.to_be_bytes()),
            Self::Intermediate | Self::PaddedIntermediate => Some(token.to_le_bytes()),
        }
    }
}

fn take_full(buffer: &mut Vec<u8>, incoming: &mut u32) -> Result<Option<Frame>, FrameError> {
    if buffer.len() < 4 {
        return Ok(None);
    }
    let length = word(buffer, 0) as usize;
    if !(FULL_MIN_BYTES..=FRAME_MAX_BYTES).contains(&length) || !length.is_multiple_of(4) {
        return Err(FrameError::Length(length));
    }
    if buffer.len() < length {
        return Ok(None);
    }
    if crc32fast::hash(&buffer[..length - 4]) != word(buffer, length - 4) {
        return Err(FrameError::Checksum);
    }
    let got = word(buffer, 4);
    if got != *incoming {
        return Err(FrameError::Sequence { expected: *incoming, got });
    }
    *incoming = incoming.wrapping_add(1);
    let payload = buffer[8..length - 4].to_vec();
    buffer.drain(..length);
    Ok(Some(Frame { payload, quick_ack: false }))
}

fn take_abridged(buffer: &mut Vec<u8>) -> Result<Option<Frame>, FrameError> {
    let Some(first) = buffer.first() else { return Ok(None) };
    let quick_ack = first & 0x80 != 0;
    let (words, header) = match first & 0x7f {
        0x7f if buffer.len() < 4 => return Ok(None),
        0x7f => (word(buffer, 0) >> 8, 4),
        short => (u32::from(short), 1),
    };
    take_payload(buffer, header, words as usize * 4, quick_ack)
}

fn take_intermediate(buffer: &mut Vec<u8>) -> Result<Option<Frame>, FrameError> {
    if buffer.len() < 4 {
        return Ok(None);
    }
    let length = word(buffer, 0);
    let quick_ack = length & 0x8000_0000 != 0;
    take_payload(buffer, 4, (length & 0x7fff_ffff) as usize, quick_ack)
}

fn take_payload(
    buffer: &mut Vec<u8>,
    header: usize,
    length: usize,
    quick_ack: bool,
) -> Result<Option<Frame>, FrameError> {
    if !(4..=FRAME_MAX_BYTES).contains(&length) {
        return Err(FrameError::Length(length));
    }
    if buffer.len() < header + length {
        return Ok(None);
    }
    let payload = buffer[header..header + length].to_vec();
    buffer.drain(..header + length);
    Ok(Some(Frame { payload, quick_ack }))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn length_word(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
