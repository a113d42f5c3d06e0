//! One TCP connection: bytes to frames to opened envelopes for the hub, and the hub's messages back.
//!
//! A reading and a writing half; each has its own half of an obfuscation's cipher.

use std::sync::Arc;
use std::time::Duration;

use grammers_crypto::ObfuscatedCipher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Fate, KEYS_MAX, Key, Temporary};
use crate::handshake::{Exchange, NewKey};
use crate::hub::{Attached, ConnectionState, Hub, Outgoing};
use crate::journal::{Kind as EntryKind, Line};
use crate::session::ConnectionId;
use crate::wire::envelope::{self, Inner, Writer};
use crate::wire::msg_id::{self, Kind, MsgIds};
use crate::wire::transport::{Detected, Frame, Transport, detect};
use crate::wire::{obfuscation, plain};
use crate::world::AuthKeyId;
use crate::wrappers::LAYER_DEFAULT;

/// A connection that says nothing for so long is closed.
const SILENCE_MAX: Duration = Duration::from_secs(15 * 60);
/// A client that does not read for so long is cut.
const WRITE_MAX: Duration = Duration::from_secs(30);
/// A client that reconnects may have written on its old connection just before closing it. So long is
/// waited for that to be read first: only what comes later is a second client on the same key.
///
/// What this can hide is an old connection whose *last* message comes within this time after the new one's *first*, and
/// that is not told apart from the order in which a machine gets to read two sockets. Everything later is seen at once,
/// since only a connection that takes over waits, never one that was taken over from.
const TAKE_OVER: Duration = Duration::from_millis(30);

/// Serves one connection until either side ends it.
pub async fn serve(hub: Arc<Hub>, stream: TcpStream, dc: i32, stop: CancellationToken) {
    let attached = hub.with(|sim| sim.attach(dc));
    let (id, closed) = (attached.id, attached.closed.clone());
    tokio::select! {
        () = stop.cancelled() => {}
        () = closed.cancelled() => {}
        result = talk(&hub, stream, dc, attached) => {
            if let Err(reason) = result {
                tracing::debug!(connection = id.0, reason, "connection ended");
            }
        }
    }
    hub.with(|sim| sim.detach(id));
}

async fn talk(
    hub: &Arc<Hub>,
    stream: TcpStream,
    dc: i32,
    attached: Attached,
) -> Result<(), &'static str> {
    stream.set_nodelay(true).map_err(|_| "no TCP_NODELAY")?;
    let (read, write) = stream.into_split();
    let mut incoming = Incoming {
        read,
        buffer: Vec::with_capacity(4096),
        cipher: None,
        state: attached.state.clone(),
        heard_at: Instant::now(),
    };
    let (transport, cipher) = incoming.begin().await?;
    let outgoing = Outward { write, transport: transport.clone(), cipher };
    let reading = Reader {
        hub,
        dc,
        id: attached.id,
        transport,
        exchange: Exchange::new(Arc::clone(&hub.server_key), dc),
        ids: MsgIds::default(),
    };
    tokio::select! {
        result = reading.run(incoming) => result,
        result = outgoing.run(attached.outgoing, attached.state) => result,
    }
}

/// The reading half.
struct Incoming {
    read: OwnedReadHalf,
    buffer: Vec<u8>,
    cipher: Option<ObfuscatedCipher>,
    state: watch::Receiver<ConnectionState>,
    heard_at: Instant,
}

impl Incoming {
    /// Finds out which framing the client speaks; the cipher is for what we write.
    async fn begin(&mut self) -> Result<(Transport, Option<ObfuscatedCipher>), &'static str> {
        loop {
            match detect(&self.buffer) {
                Detected::Plain(transport, tag) => {
                    self.buffer.drain(..tag);
                    return Ok((transport, None));
                }
                Detected::Obfuscated if self.buffer.len() >= obfuscation::HEADER_BYTES => {
                    let mut header = [0; obfuscation::HEADER_BYTES];
                    header.copy_from_slice(&self.buffer[..obfuscation::HEADER_BYTES]);
                    let none = "bytes of no known transport";
                    let (mut cipher, transport) = obfuscation::accept(&header).ok_or(none)?;
                    let (for_writing, _) = obfuscation::accept(&header).ok_or(none)?;
                    self.buffer.drain(..obfuscation::HEADER_BYTES);
                    cipher.decrypt(&mut self.buffer);
                    self.cipher = Some(cipher);
                    return Ok((transport, Some(for_writing)));
                }
                _ => self.fill().await?,
            }
        }
    }

    /// Reads more bytes, for as long as the client may be silent.
    async fn fill(&mut self) -> Result<(), &'static str> {
        let before = self.buffer.len();
        loop {
            let state = *self.state.borrow_and_update();
            if state.frozen {
                // Half-open: until the hub closes it.
                std::future::pending::<()>().await;
            }
            let deadline = state.close_at.unwrap_or(self.heard_at + SILENCE_MAX);
            let read = tokio::select! {
                read = timeout_at(deadline, self.read.read_buf(&mut self.buffer)) => read,
                changed = self.state.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err("closed by the server"),
                },
            };
            match read {
                Err(_) => return Err("silent for too long"),
                Ok(Err(_)) => return Err("reading failed"),
                Ok(Ok(0)) => return Err("closed by the client"),
                Ok(Ok(_)) => break,
            }
        }
        self.heard_at = Instant::now();
        if let Some(cipher) = &mut self.cipher {
            cipher.decrypt(&mut self.buffer[before..]);
        }
        Ok(())
    }
}

/// What the reading half does with frames.
struct Reader<'a> {
    hub: &'a Arc<Hub>,
    dc: i32,
    id: ConnectionId,
    transport: Transport,
    exchange: Exchange,
    ids: MsgIds,
}

impl Reader<'_> {
    async fn run(mut self, mut incoming: Incoming) -> Result<(), &'static str> {
        loop {
            let frame = self.transport.take_frame(&mut incoming.buffer);
            match frame.map_err(|_| "a broken frame")? {
                Some(frame) => self.frame(&frame).await?,
                None => incoming.fill().await?,
            }
        }
    }

    async fn frame(&mut self, frame: &Frame) -> Result<(), &'static str> {
        match envelope::key_id(&frame.payload) {
            None => Err("a frame too short for a message"),
            Some(0) => self.plain(&frame.payload),
            Some(key) => self.encrypted(AuthKeyId(key), frame).await,
        }
    }

    fn plain(&mut self, payload: &[u8]) -> Result<(), &'static str> {
        let message = plain::read(payload).ok_or("an unreadable plain message")?;
        let now_ns = msg_id::now_ns();
        let unix_s = i32::try_from(now_ns / 1_000_000_000).unwrap_or(i32::MAX);
        let step = match self.exchange.step(message.body, unix_s) {
            Ok(step) => step,
            Err(refusal) => {
                tracing::debug!(connection = self.id.0, %refusal, "key exchange refused");
                return self.refuse(-404);
            }
        };
        if let Some(key) = step.key
            && !self.keep(key, now_ns / 1_000_000_000)
        {
            return self.refuse(-429);
        }
        let answer = plain::write(self.ids.next(Kind::Answer, now_ns), &step.answer);
        self.hub.with(|sim| sim.send(self.id, Outgoing::Payload(answer)));
        Ok(())
    }

    fn keep(&self, new: NewKey, now_s: i64) -> bool {
        let temporary = new.expires_in_s.map(|expires_in_s| Temporary {
            expires_at: now_s + i64::from(expires_in_s),
            bound_to: None,
        });
        let key = Key {
            key: Arc::new(new.key),
            dc: self.dc,
            first_salt: new.salt,
            made_at: now_s,
            temporary,
            client: None,
            layer: LAYER_DEFAULT,
            login: None,
            awaiting_password: None,
            fate: Fate::Alive,
            known: true,
        };
        self.hub.with(|sim| {
            if sim.world.cluster.keys.len() >= KEYS_MAX {
                return false;
            }
            let id = sim.world.cluster.add_key(key);
            let line = Line { key: Some(id), connection: Some(self.id.0), ..Line::default() };
            sim.enter(EntryKind::KeyMade, line);
            true
        })
    }

    async fn encrypted(&mut self, id: AuthKeyId, frame: &Frame) -> Result<(), &'static str> {
        let now_ns = msg_id::now_ns();
        let Some(key) = self.hub.with(|sim| sim.key(id, self.dc, now_ns / 1_000_000_000)) else {
            return self.refuse(-404);
        };
        let opened = envelope::open(&key, Writer::Client, &frame.payload);
        let (inner, token) = opened.map_err(|_| "an envelope that can't be opened")?;
        if self.hub.with(|sim| sim.takes_over(self.id, id)) {
            tokio::time::sleep(TAKE_OVER).await;
        }
        self.hub.with(|sim| {
            if frame.quick_ack {
                sim.send(self.id, Outgoing::QuickAck(token));
            }
            sim.receive(self.id, id, inner, now_ns);
        });
        Ok(())
    }

    /// Sends a transport error; the writing half ends the connection behind it.
    fn refuse(&self, code: i32) -> Result<(), &'static str> {
        self.hub.with(|sim| sim.send(self.id, Outgoing::Error(code)));
        Ok(())
    }
}

/// The writing half.
struct Outward {
    write: OwnedWriteHalf,
    transport: Transport,
    cipher: Option<ObfuscatedCipher>,
}

impl Outward {
    async fn run(
        mut self,
        mut outgoing: mpsc::Receiver<Outgoing>,
        mut state: watch::Receiver<ConnectionState>,
    ) -> Result<(), &'static str> {
        while let Some(item) = outgoing.recv().await {
            if state.borrow_and_update().frozen {
                std::future::pending::<()>().await;
            }
            let last = matches!(item, Outgoing::Error(_));
            let mut bytes = self.bytes(item);
            // What else is ready goes out in the same write.
            while !last && bytes.len() < 64 * 1024 {
                match outgoing.try_recv() {
                    Ok(Outgoing::Error(code)) => {
                        bytes.extend(self.bytes(Outgoing::Error(code)));
                        self.write_all(&mut bytes).await?;
                        return Err("a transport error");
                    }
                    Ok(item) => bytes.extend(self.bytes(item)),
                    Err(_) => break,
                }
            }
            self.write_all(&mut bytes).await?;
            if last {
                return Err("a transport error");
            }
        }
        Ok(())
    }

    fn bytes(&mut self, item: Outgoing) -> Vec<u8> {
        match item {
            Outgoing::Message { key, session_id, salt, sent } => {
                let inner = Inner {
                    salt,
                    session_id,
                    msg_id: sent.msg_id,
                    seq_no: sent.seq_no,
                    body: sent.body.clone(),
                };
                self.transport.frame(&envelope::seal(&key, Writer::Server, &inner))
            }
            Outgoing::Payload(payload) => self.transport.frame(&payload),
            Outgoing::Error(code) => self.transport.error(code),
            Outgoing::QuickAck(token) => {
                self.transport.quick_ack(token).map(Vec::from).unwrap_or_default()
            }
        }
    }

    async fn write_all(&mut self, bytes: &mut [u8]) -> Result<(), &'static str> {
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(bytes);
        }
        match timeout(WRITE_MAX, self.write.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err("writing failed"),
            Err(_) => Err("the client does not read"),
        }
    }
}
