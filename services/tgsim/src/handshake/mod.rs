//! The making of an auth key: the server's side of MTProto's Diffie-Hellman exchange.
//!
//! One [`Exchange`] per connection goes from `req_pq` to `dh_gen_ok`. It is pure: bytes in, bytes
//! out, no I/O. Source: <https://core.telegram.org/mtproto/auth_key>.

mod dh;
mod pq;
pub mod server_key;

pub use dh::{PRIME as DH_PRIME, padded as padded_number};

use std::sync::Arc;

use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, Serializable, enums, functions, types,
};

use crate::wire::{envelope::AuthKey, message::constructor};
use server_key::ServerKey;

/// The exchange of one connection.
#[derive(Debug)]
pub struct Exchange {
    server_key: Arc<ServerKey>,
    dc: i32,
    state: State,
}

/// How far it is.
enum State {
    Idle,
    PqSent(PqSent),
    DhSent(Box<DhSent>),
}

struct PqSent {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    pq: pq::Product,
}

struct DhSent {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    secret: dh::Secret,
    expires_in_s: Option<i32>,
}

/// A key that both sides have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub key: AuthKey,
    /// The salt that the client begins with.
    pub salt: i64,
    /// For a temporary key: how long it lives, in seconds.
    pub expires_in_s: Option<i32>,
}

/// What a step ends with.
#[derive(Debug)]
pub struct Step {
    /// The answer's body.
    pub answer: Vec<u8>,
    /// With the last step: the key.
    pub key: Option<NewKey>,
}

/// Why the exchange ends; Telegram answers all of these with the transport error -404.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// Not a request of the exchange, or not one that is due now.
    #[error("the request {0:08x} is not due")]
    NotDue(u32),
    /// Can't be read as what its constructor says.
    #[error("a request that can't be read")]
    Unreadable,
    /// A nonce of the request is not the exchange's.
    #[error("a nonce is not the one of this exchange")]
    Nonce,
    /// Another fingerprint than ours.
    #[error("encrypted for another key than this server's")]
    Fingerprint,
    /// Wrong factors.
    #[error("p and q are not the factors of pq")]
    Factors,
    /// Neither the padded nor the old form came out.
    #[error("the encrypted data can't be opened")]
    Encrypted,
    /// A key for another data centre.
    #[error("the key is meant for DC {0}")]
    Dc(i32),
    /// `g_b` out of the range that the documentation demands.
    #[error("g_b is out of range")]
    Range,
}

impl From<grammers_tl_types::deserialize::Error> for Refusal {
    fn from(_: grammers_tl_types::deserialize::Error) -> Self {
        Self::Unreadable
    }
}

impl Exchange {
    /// An exchange that waits for its first request.
    pub fn new(server_key: Arc<ServerKey>, dc: i32) -> Self {
        Self { server_key, dc, state: State::Idle }
    }

    /// Goes on with one request.
    ///
    /// # Errors
    /// See [`Refusal`]; the exchange is over then.
    pub fn step(&mut self, body: &[u8], unix_s: i32) -> Result<Step, Refusal> {
        let id = constructor(body).ok_or(Refusal::Unreadable)?;
        let rest = &body[4..];
        match (id, std::mem::replace(&mut self.state, State::Idle)) {
            (functions::ReqPqMulti::CONSTRUCTOR_ID, _) => {
                Ok(self.req_pq(functions::ReqPqMulti::from_bytes(rest)?.nonce))
            }
            (functions::ReqPq::CONSTRUCTOR_ID, _) => {
                Ok(self.req_pq(functions::ReqPq::from_bytes(rest)?.nonce))
            }
            (functions::ReqDhParams::CONSTRUCTOR_ID, State::PqSent(sent)) => {
                self.req_dh_params(&sent, &functions::ReqDhParams::from_bytes(rest)?, unix_s)
            }
            (functions::SetClientDhParams::CONSTRUCTOR_ID, State::DhSent(sent)) => {
                set_client_dh_params(&sent, functions::SetClientDhParams::from_bytes(rest)?)
            }
            _ => Err(Refusal::NotDue(id)),
        }
    }

    fn req_pq(&mut self, nonce: [u8; 16]) -> Step {
        let server_nonce = rand::random();
        let pq = pq::Product::random();
        let answer = enums::ResPq::Pq(types::ResPq {
            nonce,
            server_nonce,
            pq: pq.bytes(),
            server_public_key_fingerprints: vec![self.server_key.fingerprint()],
        });
        self.state = State::PqSent(PqSent { nonce, server_nonce, pq });
        Step { answer: answer.to_bytes(), key: None }
    }

    fn req_dh_params(
        &mut self,
        sent: &PqSent,
        request: &functions::ReqDhParams,
        unix_s: i32,
    ) -> Result<Step, Refusal> {
        check_nonces(sent.nonce, sent.server_nonce, request.nonce, request.server_nonce)?;
        if request.public_key_fingerprint != self.server_key.fingerprint() {
            return Err(Refusal::Fingerprint);
        }
        if !sent.pq.has_factors(&request.p, &request.q) {
            return Err(Refusal::Factors);
        }
        let opened = self.server_key.open(&request.encrypted_data).ok_or(Refusal::Encrypted)?;
        let inner = inner_data(&opened)?;
        check_nonces(sent.nonce, sent.server_nonce, inner.nonce, inner.server_nonce)?;
        // Test DCs are told as 10000 + n, media DCs as -n.
        match inner.dc {
            Some(dc) if dc.unsigned_abs() % 10_000 != self.dc.unsigned_abs() => {
                return Err(Refusal::Dc(dc));
            }
            _ => {}
        }
        let secret = dh::Secret::random();
        let answer = types::ServerDhInnerData {
            nonce: sent.nonce,
            server_nonce: sent.server_nonce,
            g: dh::G,
            dh_prime: dh::PRIME.to_vec(),
            g_a: secret.public(),
            server_time: unix_s,
        };
        let answer = enums::ServerDhInnerData::Data(answer).to_bytes();
        let encrypted_answer = dh::encrypt(&answer, &sent.server_nonce, &inner.new_nonce);
        self.state = State::DhSent(Box::new(DhSent {
            nonce: sent.nonce,
            server_nonce: sent.server_nonce,
            new_nonce: inner.new_nonce,
            secret,
            expires_in_s: inner.expires_in_s,
        }));
        let answer = enums::ServerDhParams::Ok(types::ServerDhParamsOk {
            nonce: sent.nonce,
            server_nonce: sent.server_nonce,
            encrypted_answer,
        });
        Ok(Step { answer: answer.to_bytes(), key: None })
    }
}

fn set_client_dh_params(
    sent: &DhSent,
    request: functions::SetClientDhParams,
) -> Result<Step, Refusal> {
    check_nonces(sent.nonce, sent.server_nonce, request.nonce, request.server_nonce)?;
    let plain = dh::decrypt(request.encrypted_data, &sent.server_nonce, &sent.new_nonce)
        .ok_or(Refusal::Encrypted)?;
    let mut cursor = Cursor::from_slice(&plain[20..]);
    let enums::ClientDhInnerData::Data(inner) = enums::ClientDhInnerData::deserialize(&mut cursor)?;
    if plain[..20] != dh::sha1(&[&plain[20..20 + cursor.pos()]]) {
        return Err(Refusal::Encrypted);
    }
    check_nonces(sent.nonce, sent.server_nonce, inner.nonce, inner.server_nonce)?;
    let key = sent.secret.shared(&inner.g_b).ok_or(Refusal::Range)?;
    let answer = enums::SetClientDhParamsAnswer::DhGenOk(types::DhGenOk {
        nonce: sent.nonce,
        server_nonce: sent.server_nonce,
        new_nonce_hash1: dh::new_nonce_hash(&sent.new_nonce, 1, &key),
    });
    let salt = std::array::from_fn(|i| sent.new_nonce[i] ^ sent.server_nonce[i]);
    Ok(Step {
        answer: answer.to_bytes(),
        key: Some(NewKey {
            key: AuthKey::new(key),
            salt: i64::from_le_bytes(salt),
            expires_in_s: sent.expires_in_s,
        }),
    })
}

struct InnerData {
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    dc: Option<i32>,
    expires_in_s: Option<i32>,
}

fn inner_data(bytes: &[u8]) -> Result<InnerData, Refusal> {
    use enums::PQInnerData as E;
    macro_rules! read {
        ($d:expr, $dc:expr, $expires:expr) => {
            InnerData {
                nonce: $d.nonce,
                server_nonce: $d.server_nonce,
                new_nonce: $d.new_nonce,
                dc: $dc,
                expires_in_s: $expires,
            }
        };
    }
    Ok(match E::from_bytes(bytes)? {
        E::Data(d) => read!(d, None, None),
        E::Dc(d) => read!(d, Some(d.dc), None),
        E::Temp(d) => read!(d, None, Some(d.expires_in)),
        E::TempDc(d) => read!(d, Some(d.dc), Some(d.expires_in)),
    })
}

fn check_nonces(
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    got: [u8; 16],
    got_server: [u8; 16],
) -> Result<(), Refusal> {
    if (nonce, server_nonce) == (got, got_server) { Ok(()) } else { Err(Refusal::Nonce) }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::PqSent(_) => "PqSent",
            Self::DhSent(_) => "DhSent",
        })
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
