//! Mutations without a fuzzer: for the short run, which needs neither coverage nor luck but the same
//! inputs each time.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// Most changes of one input at once.
const CHANGES_MAX: usize = 4;
/// Most bytes that are cut out, or put in again elsewhere, at once.
const PIECE_MAX: usize = 32;
/// Bytes and words that decide something for one decoder or another.
const WORDS: [&[u8]; 20] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\n\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b"-1",
    b"1e400",
    b"18446744073709551616",
    b"\\ud800",
    b"{}",
    b"9999-12-31T23:59:59Z",
];

/// Makes inputs out of others.
#[derive(Debug)]
pub struct Mutator(SmallRng);

impl Mutator {
    /// One that makes the same of the same, each time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// An input like one of these.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let Some(first) = self.pick(corpus) else { return Vec::new() };
        let mut data = first.clone();
        for _ in 0..=self.0.random_range(0..CHANGES_MAX) {
            self.change(&mut data, corpus);
        }
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.0.random_range(0..=data.len());
        let piece = at..data.len().min(at + self.0.random_range(0..PIECE_MAX));
        match self.0.random_range(0..6) {
            0 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << self.0.random_range(0..8);
                }
            }
            1 => {
                data.drain(piece);
            }
            2 => {
                let copy = data[piece].to_vec();
                let to = self.0.random_range(0..=data.len());
                data.splice(to..to, copy);
            }
            3 => {
                let word = self.pick(&WORDS).copied().unwrap_or_default();
                data.splice(piece, word.iter().copied());
            }
            4 => data.truncate(at),
            _ => {
                // The beginning of this one, the end of another.
                let other = self.pick(corpus).cloned().unwrap_or_default();
                let from = self.0.random_range(0..=other.len());
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
        }
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.0.random_range(0..all.len())])
    }
}
