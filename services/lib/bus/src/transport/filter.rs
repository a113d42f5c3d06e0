//! A stream between the socket and lapin: reads frame by frame and mends what lapin couldn't read.
//! Bodies pass untouched, and writing passes straight through.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::io::{AsyncRead, AsyncWrite};

use super::mend;

/// Frame type, channel, size.
const FRAME_HEAD: usize = 7;
/// The byte behind every payload.
const FRAME_END: usize = 1;
const BODY_FRAME: u8 = 3;
const HEARTBEAT_FRAME: u8 = 8;
/// Larger frames than any we negotiate pass unread.
const MAX_MENDED_BYTES: usize = 1024 * 1024;
const CHUNK_BYTES: usize = 16 * 1024;

/// The filter around a stream.
pub(crate) struct Filter<S> {
    stream: S,
    frames: Frames,
    chunk: Box<[u8]>,
}

/// What the filter knows between two reads; no I/O.
#[derive(Default)]
struct Frames {
    /// Mended bytes that wait to be read.
    out: Vec<u8>,
    taken: usize,
    /// The beginning of a frame that is not whole yet.
    partial: Vec<u8>,
    /// So many bytes more belong to a frame that passes.
    passing: usize,
    /// Not AMQP 0-9-1 (a broker that wants another version says so in eight bytes).
    raw: bool,
}

impl<S> Filter<S> {
    pub fn new(stream: S) -> Self {
        let chunk = vec![0; CHUNK_BYTES].into_boxed_slice();
        Self { stream, frames: Frames::default(), chunk }
    }
}

impl Frames {
    /// Takes what came from the socket.
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.raw {
                self.out.extend(bytes);
                return;
            }
            if self.passing > 0 {
                let passes = self.passing.min(bytes.len());
                self.out.extend(&bytes[..passes]);
                self.passing -= passes;
                bytes = &bytes[passes..];
                continue;
            }
            // Up to the head first, since it says how much the frame is.
            let wanted = self.frame_bytes().unwrap_or(FRAME_HEAD);
            let missing = (wanted - self.partial.len()).min(bytes.len());
            self.partial.extend(&bytes[..missing]);
            bytes = &bytes[missing..];
            self.advance();
        }
    }

    /// The length of the frame that has begun, once its head is there.
    fn frame_bytes(&self) -> Option<usize> {
        let size = self.partial.get(3..FRAME_HEAD)?;
        let size = u32::from_be_bytes(size.try_into().ok()?);
        usize::try_from(size).ok()?.checked_add(FRAME_HEAD + FRAME_END)
    }

    /// Moves the frame on as far as it goes.
    fn advance(&mut self) {
        let Some(whole) = self.frame_bytes() else { return };
        let frame_type = self.partial[0];
        let known = (1..=BODY_FRAME).contains(&frame_type) || frame_type == HEARTBEAT_FRAME;
        if !known {
            self.raw = true;
        } else if frame_type == BODY_FRAME || whole > MAX_MENDED_BYTES {
            self.passing = whole - self.partial.len();
        } else if self.partial.len() < whole {
            return;
        } else {
            mend::payload(frame_type, &mut self.partial[FRAME_HEAD..whole - FRAME_END]);
        }
        self.out.append(&mut self.partial);
    }

    /// Hands out what is ready.
    fn pull(&mut self, into: &mut [u8]) -> usize {
        let ready = &self.out[self.taken..];
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.taken += count;
        if self.taken == self.out.len() {
            self.out.clear();
            self.taken = 0;
        }
        count
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Filter<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            let count = this.frames.pull(into);
            if count > 0 {
                return Poll::Ready(Ok(count));
            }
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut this.chunk))? {
                0 => return Poll::Ready(Ok(0)),
                read => this.frames.push(&this.chunk[..read]),
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Filter<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(frame_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![frame_type, 0, 1];
        bytes.extend((payload.len() as u32).to_be_bytes());
        bytes.extend(payload);
        bytes.push(0xce);
        bytes
    }

    /// A delivery with a bad correlation id, a bad body (which is nobody's business here), and a
    /// heartbeat.
    fn conversation(bad: u8) -> Vec<u8> {
        let mut header = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x04, 0];
        header.extend([4, b'c', b'a', b'f', bad]);
        [frame(2, &header), frame(3, &[0xe9; 300]), frame(8, &[]), frame(2, &header)].concat()
    }

    fn through(bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut frames = Frames::default();
        let mut read = Vec::new();
        let mut buffer = [0; 7];
        for piece in bytes.chunks(piece) {
            frames.push(piece);
            loop {
                let count = frames.pull(&mut buffer);
                if count == 0 {
                    break;
                }
                read.extend(&buffer[..count]);
            }
        }
        read
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut() {
        let (sent, expected) = (conversation(0xe9), conversation(b'?'));
        for piece in [1, 2, 3, 5, 8, 13, 64, 1000] {
            assert_eq!(through(&sent, piece), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_frame_or_too_large_passes_unread() {
        let other_version = b"AMQP\x00\x01\x00\x00 whatever".to_vec();
        assert_eq!(through(&other_version, 3), other_version);
        let huge = frame(2, &vec![0xe9; MAX_MENDED_BYTES]);
        let both = [huge.clone(), conversation(0xe9)].concat();
        assert_eq!(through(&both, 4096), [huge, conversation(b'?')].concat());
    }
}
