//! Moves bytes between grammers and Telegram. Holds no buffer while nothing moves: thousands of accounts are idle.

use std::io;
use std::time::Duration;

use chassis::faults::cut;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::ticket::Claim;
use crate::gate::Gate;

/// Bytes that are moved at once.
const CHUNK: usize = 16 * 1024;

/// Why a tunnel ended.
#[derive(Debug)]
pub(super) enum End {
    /// The gate is shut, the account is closed, or it has another connection.
    Over,
    /// grammers closed its side.
    Inner,
    /// Telegram closed its side.
    Outer,
    /// Telegram has not answered at all for too long.
    Silent,
    /// One of the two broke.
    Broken(#[expect(dead_code, reason = "shown in the log")] io::Error),
}

struct Tunnel<'a> {
    inner: TcpStream,
    outer: TcpStream,
    gate: &'a Gate,
    /// Read from grammers, and more than the socket took.
    outward: Vec<u8>,
    /// The same, from Telegram.
    inward: Vec<u8>,
    /// When the first byte went out since the last one came in.
    asked_at: Option<Instant>,
}

/// Runs until one of the ends comes. The outer socket is gone when this returns.
pub(super) async fn run(
    inner: TcpStream,
    outer: TcpStream,
    claim: &Claim,
    silence_max: Duration,
) -> End {
    let gate = &claim.passage.gate;
    let (outward, inward) = (Vec::new(), Vec::new());
    let mut tunnel = Tunnel { inner, outer, gate, outward, inward, asked_at: None };
    tokio::select! {
        biased;
        () = claim.over() => End::Over,
        end = tunnel.work(silence_max) => end,
    }
}

impl Tunnel<'_> {
    async fn work(&mut self, silence_max: Duration) -> End {
        let look_at = sleep_until(Instant::now() + silence_max);
        tokio::pin!(look_at);
        loop {
            let moved = tokio::select! {
                () = &mut look_at => {
                    let asked_at = self.asked_at.unwrap_or_else(Instant::now);
                    if asked_at + silence_max <= Instant::now() {
                        return End::Silent;
                    }
                    look_at.as_mut().reset(asked_at + silence_max);
                    Ok(())
                }
                ready = self.inner.readable(), if self.outward.is_empty() => {
                    ready.map_err(End::Broken).and_then(|()| self.ask())
                }
                ready = self.outer.writable(), if !self.outward.is_empty() => {
                    let waiting = std::mem::take(&mut self.outward);
                    ready.map_err(End::Broken).and_then(|()| self.send(&waiting))
                }
                ready = self.outer.readable(), if self.inward.is_empty() => {
                    ready.map_err(End::Broken).and_then(|()| self.hear())
                }
                ready = self.inner.writable(), if !self.inward.is_empty() => {
                    let waiting = std::mem::take(&mut self.inward);
                    ready.map_err(End::Broken).and_then(|()| self.tell(&waiting))
                }
            };
            if let Err(end) = moved {
                return end;
            }
        }
    }

    /// From grammers outwards.
    fn ask(&mut self) -> Result<(), End> {
        let mut chunk = [0; CHUNK];
        match read(&self.inner, &mut chunk)? {
            None => Ok(()),
            Some(0) => Err(End::Inner),
            Some(bytes) => {
                // grammers leaves Nagle's algorithm on: its next small write would wait for the kernel's lazy word that
                // this one has come.
                SockRef::from(&self.inner).set_tcp_quickack(true).map_err(End::Broken)?;
                self.send(&chunk[..bytes])
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        cut("sending");
        let passing = || {
            cut("passed");
            write(&self.outer, bytes)
        };
        let sent = self.gate.pass(passing).ok_or(End::Over)??;
        if sent > 0 {
            self.asked_at.get_or_insert_with(Instant::now);
        }
        self.outward = bytes[sent..].to_vec();
        Ok(())
    }

    /// From Telegram inwards.
    fn hear(&mut self) -> Result<(), End> {
        let mut chunk = [0; CHUNK];
        match read(&self.outer, &mut chunk)? {
            None => Ok(()),
            Some(0) => Err(End::Outer),
            Some(bytes) => {
                self.asked_at = None;
                self.tell(&chunk[..bytes])
            }
        }
    }

    fn tell(&mut self, bytes: &[u8]) -> Result<(), End> {
        let told = write(&self.inner, bytes)?;
        self.inward = bytes[told..].to_vec();
        Ok(())
    }
}

/// `None` where nothing is there after all.
fn read(from: &TcpStream, chunk: &mut [u8]) -> Result<Option<usize>, End> {
    match from.try_read(chunk) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(End::Broken(error)),
    }
}

/// How many bytes the socket took.
fn write(to: &TcpStream, bytes: &[u8]) -> Result<usize, End> {
    match to.try_write(bytes) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(End::Broken(error)),
    }
}
