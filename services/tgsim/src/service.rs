//! What comes in an envelope, up to the single request: salts, ids, containers, acknowledgements, and
//! MTProto's own messages.
//!
//! Source: <https://core.telegram.org/mtproto/service_messages>.

use std::time::Duration;

use grammers_tl_types::{
    Deserializable, Identifiable, RawVec, Serializable, enums, functions, types,
};
use serde_json::json;
use tokio::time::Instant;

use crate::hub::{Outgoing, Sim};
use crate::journal::{Kind as EntryKind, Line};
use crate::script::Fault;
use crate::session::{ConnectionId, SessionId};
use crate::wire::envelope::{AuthKey, Inner};
use crate::wire::message::{self, Message, rpc_result};
use crate::wire::msg_id::{self, Kind};
use crate::world::AuthKeyId;

/// The longest that `ping_delay_disconnect` may ask for, in seconds.
const DISCONNECT_MAX_S: i32 = 3600;

impl Sim {
    /// The key of this id, if it may be used: it is not looked at who is logged in.
    pub fn key(&mut self, id: AuthKeyId, dc: i32, now_s: i64) -> Option<std::sync::Arc<AuthKey>> {
        let key = self.world.cluster.keys.get(&id)?;
        if key.temporary.is_some_and(|temporary| temporary.expires_at <= now_s) {
            self.forget_key(id);
            return None;
        }
        (key.known && key.dc == dc).then(|| std::sync::Arc::clone(&key.key))
    }

    /// Whether this connection is about to take a key over from one that is still open.
    pub fn takes_over(&self, connection: ConnectionId, key: AuthKeyId) -> bool {
        let permanent = self.world.cluster.permanent(key).unwrap_or(key);
        self.exclusive.takes_over(permanent, connection)
    }

    /// Handles one opened envelope.
    pub fn receive(&mut self, connection: ConnectionId, key: AuthKeyId, inner: Inner, now_ns: i64) {
        let Some(record) = self.world.cluster.keys.get(&key) else {
            return self.send(connection, Outgoing::Error(-404));
        };
        let (first_salt, made_at) = (record.first_salt, record.made_at);
        let Some(alive) = self.connections.get_mut(&connection) else { return };
        alive.keys.insert(key);
        self.watch_senders(connection, key, inner.session_id);
        if self.meets_transport_error(connection, key) {
            return;
        }

        let id = SessionId { key, id: inner.session_id };
        let now_s = now_ns / 1_000_000_000;
        let salt = self.salts.current(key, now_s);
        let salt_good = self.salts.is_good(key, inner.salt, now_s, first_salt, made_at);
        let session = self.session(id);
        if session.connection != Some(connection) {
            session.connection = Some(connection);
            session.repeat_unacknowledged();
        }
        if !salt_good {
            let answer = enums::BadMsgNotification::BadServerSalt(types::BadServerSalt {
                bad_msg_id: inner.msg_id,
                bad_msg_seqno: inner.seq_no,
                error_code: 48,
                new_server_salt: salt,
            });
            session.say(Kind::Answer, answer.to_bytes(), now_ns);
            return self.flush(id, now_ns);
        }
        let too_old = session.inbox.is_too_old(inner.msg_id).then_some(20);
        if let Some(code) = msg_id::fault(inner.msg_id, now_ns).or(too_old) {
            self.bad_message(id, inner.msg_id, inner.seq_no, code, now_ns);
            return self.flush(id, now_ns);
        }
        match message::unpack(inner.body)
            .and_then(|body| message::read_container(&body).map(|messages| (messages, body)))
        {
            Ok((None, body)) => {
                self.announce(id, inner.msg_id, salt, now_ns);
                let message = Message { msg_id: inner.msg_id, seq_no: inner.seq_no, body };
                self.message(id, connection, message, now_ns);
            }
            Ok((Some(messages), _)) => {
                let first = messages.iter().map(|m| m.msg_id).min().unwrap_or(inner.msg_id);
                self.announce(id, first, salt, now_ns);
                self.container(id, connection, (inner.msg_id, inner.seq_no), messages, now_ns);
            }
            Err(_) => self.bad_message(id, inner.msg_id, inner.seq_no, 64, now_ns),
        }
        self.flush(id, now_ns);
    }

    /// Ends a login whose key two connections send on.
    fn watch_senders(&mut self, connection: ConnectionId, key: AuthKeyId, session: i64) {
        let permanent = self.world.cluster.permanent(key).unwrap_or(key);
        let alone = self.exclusive.sent(permanent, connection, session);
        let user = self.world.cluster.user_of(permanent);
        if !alone && user.is_some() {
            self.world.cluster.duplicate(permanent);
            let line = Line {
                user,
                key: Some(permanent),
                connection: Some(connection.0),
                error: Some("AUTH_KEY_DUPLICATED".to_owned()),
                ..Line::default()
            };
            self.enter(EntryKind::KeyDuplicated, line);
        }
    }

    /// The script's faults that are for messages rather than for requests.
    fn meets_transport_error(&mut self, connection: ConnectionId, key: AuthKeyId) -> bool {
        let permanent = self.world.cluster.permanent(key).unwrap_or(key);
        let user = self.world.cluster.user_of(permanent);
        let Some((id, fault)) = self.script.take_unread(user) else { return false };
        let Fault::Transport(code) = fault else { return false };
        let line = Line {
            user,
            key: Some(permanent),
            connection: Some(connection.0),
            error: Some(code.to_string()),
            fault: Some(json!({ "script": id, "then": fault })),
            ..Line::default()
        };
        self.enter(EntryKind::TransportError, line);
        self.send(connection, Outgoing::Error(code));
        true
    }

    fn announce(&mut self, id: SessionId, first_msg_id: i64, server_salt: i64, now_ns: i64) {
        let session = self.session(id);
        if !session.announced {
            session.announced = true;
            let unique_id = rand::random();
            let notice = types::NewSessionCreated { first_msg_id, unique_id, server_salt };
            let notice = enums::NewSession::Created(notice).to_bytes();
            session.tell(Kind::Notice, notice, None, now_ns);
        }
    }

    fn container(
        &mut self,
        id: SessionId,
        connection: ConnectionId,
        (msg_id, seq_no): (i64, i32),
        messages: Vec<Message>,
        now_ns: i64,
    ) {
        let session = self.session(id);
        let fault = if session.inbox.seen(msg_id).is_some() {
            Some(19)
        } else if messages.iter().any(|m| m.msg_id >= msg_id || m.msg_id & 3 != 0) {
            Some(64)
        } else {
            None
        };
        if let Some(code) = fault {
            return self.bad_message(id, msg_id, seq_no, code, now_ns);
        }
        for message in messages {
            self.message(id, connection, message, now_ns);
        }
        // Only now: what it holds is older than itself.
        self.session(id).inbox.note(msg_id, seq_no);
    }

    fn message(&mut self, id: SessionId, connection: ConnectionId, message: Message, now_ns: i64) {
        let Message { msg_id, seq_no, body } = message;
        let Ok(body) = message::unpack(body) else {
            return self.bad_message(id, msg_id, seq_no, 64, now_ns);
        };
        let Some(constructor) = message::constructor(&body) else {
            return self.bad_message(id, msg_id, seq_no, 64, now_ns);
        };
        let session = self.session(id);
        if session.inbox.seen(msg_id).is_some() {
            match session.outbox.answer_to(msg_id) {
                Some(answer) => session.repeat(answer),
                None => acknowledge(session, msg_id, now_ns),
            }
            return;
        }
        let content = match constructor {
            types::MsgsAck::CONSTRUCTOR_ID => Some(false),
            message::CONTAINER_ID => {
                return self.bad_message(id, msg_id, seq_no, 64, now_ns);
            }
            _ if is_service(constructor) => None,
            _ => Some(true),
        };
        if let Some(code) = session.inbox.fault(msg_id, seq_no, content) {
            return self.bad_message(id, msg_id, seq_no, code, now_ns);
        }
        session.inbox.note(msg_id, seq_no);
        if content == Some(true) {
            self.request(id, connection, msg_id, body);
            let Some(session) = self.sessions.get_mut(&id) else { return };
            if session.running.contains(&msg_id) {
                acknowledge(session, msg_id, now_ns);
            }
        } else if self.service(id, connection, msg_id, constructor, &body[4..], now_ns).is_err() {
            self.bad_message(id, msg_id, seq_no, 64, now_ns);
        }
    }

    /// MTProto's own messages.
    fn service(
        &mut self,
        id: SessionId,
        connection: ConnectionId,
        msg_id: i64,
        constructor: u32,
        body: &[u8],
        now_ns: i64,
    ) -> Result<(), grammers_tl_types::deserialize::Error> {
        let answer = match constructor {
            types::MsgsAck::CONSTRUCTOR_ID => {
                for acknowledged in types::MsgsAck::from_bytes(body)?.msg_ids {
                    self.session(id).outbox.acknowledge(acknowledged);
                }
                None
            }
            functions::Ping::CONSTRUCTOR_ID => {
                Some(pong(msg_id, functions::Ping::from_bytes(body)?.ping_id))
            }
            functions::PingDelayDisconnect::CONSTRUCTOR_ID => {
                let ping = functions::PingDelayDisconnect::from_bytes(body)?;
                let delay_s = ping.disconnect_delay.clamp(1, DISCONNECT_MAX_S).unsigned_abs();
                let close_at = Instant::now() + Duration::from_secs(u64::from(delay_s));
                self.change_state(connection, |state| state.close_at = Some(close_at));
                Some(pong(msg_id, ping.ping_id))
            }
            functions::GetFutureSalts::CONSTRUCTOR_ID => {
                let wanted = functions::GetFutureSalts::from_bytes(body)?.num;
                Some(self.future_salts(id.key, msg_id, wanted, now_ns))
            }
            functions::DestroySession::CONSTRUCTOR_ID => {
                let session_id = functions::DestroySession::from_bytes(body)?.session_id;
                let other = SessionId { id: session_id, ..id };
                Some(if other != id && self.forget_session(other) {
                    enums::DestroySessionRes::from(types::DestroySessionOk { session_id })
                        .to_bytes()
                } else {
                    enums::DestroySessionRes::from(types::DestroySessionNone { session_id })
                        .to_bytes()
                })
            }
            types::MsgsStateReq::CONSTRUCTOR_ID => {
                let ids = types::MsgsStateReq::from_bytes(body)?.msg_ids;
                let inbox = &self.session(id).inbox;
                let info = ids.into_iter().map(|id| inbox.state(id)).collect();
                let info = types::MsgsStateInfo { req_msg_id: msg_id, info };
                Some(enums::MsgsStateInfo::Info(info).to_bytes())
            }
            types::MsgResendReq::CONSTRUCTOR_ID => {
                let session = self.session(id);
                for wanted in types::MsgResendReq::from_bytes(body)?.msg_ids {
                    if let Some(sent) = session.outbox.find(wanted) {
                        session.repeat(sent);
                    }
                }
                None
            }
            types::MsgResendAnsReq::CONSTRUCTOR_ID => {
                let session = self.session(id);
                for request in types::MsgResendAnsReq::from_bytes(body)?.msg_ids {
                    if let Some(sent) = session.outbox.answer_to(request) {
                        session.repeat(sent);
                    }
                }
                None
            }
            functions::RpcDropAnswer::CONSTRUCTOR_ID => {
                let request = functions::RpcDropAnswer::from_bytes(body)?.req_msg_id;
                Some(rpc_result(msg_id, self.drop_answer(id, request)))
            }
            functions::DestroyAuthKey::CONSTRUCTOR_ID => {
                let answer = enums::DestroyAuthKeyRes::DestroyAuthKeyOk.to_bytes();
                self.session(id).say(Kind::Answer, answer, now_ns);
                self.flush(id, now_ns);
                self.forget_key(id.key);
                return Ok(());
            }
            // Information that the client gives: nothing depends on it here.
            _ => None,
        };
        if let Some(answer) = answer {
            self.session(id).say(Kind::Answer, answer, now_ns);
        }
        Ok(())
    }

    fn future_salts(&self, key: AuthKeyId, msg_id: i64, wanted: i32, now_ns: i64) -> Vec<u8> {
        let now_s = now_ns / 1_000_000_000;
        let seconds = |s: i64| i32::try_from(s).unwrap_or(i32::MAX);
        let salts = self.salts.future(key, now_s, wanted).into_iter();
        let salts = salts.map(|salt| types::FutureSalt {
            valid_since: seconds(salt.since),
            valid_until: seconds(salt.until),
            salt: salt.salt,
        });
        enums::FutureSalts::Salts(types::FutureSalts {
            req_msg_id: msg_id,
            now: seconds(now_s),
            salts: RawVec(salts.collect()),
        })
        .to_bytes()
    }

    fn drop_answer(&mut self, id: SessionId, request: i64) -> Vec<u8> {
        let session = self.session(id);
        if session.running.remove(&request) {
            return enums::RpcDropAnswer::RpcAnswerDroppedRunning.to_bytes();
        }
        match session.outbox.drop_answer(request) {
            None => enums::RpcDropAnswer::RpcAnswerUnknown.to_bytes(),
            Some(sent) => enums::RpcDropAnswer::RpcAnswerDropped(types::RpcAnswerDropped {
                msg_id: sent.msg_id,
                seq_no: sent.seq_no,
                bytes: i32::try_from(sent.body.len()).unwrap_or(i32::MAX),
            })
            .to_bytes(),
        }
    }

    fn bad_message(&mut self, id: SessionId, msg_id: i64, seq_no: i32, code: i32, now_ns: i64) {
        let answer = enums::BadMsgNotification::Notification(types::BadMsgNotification {
            bad_msg_id: msg_id,
            bad_msg_seqno: seq_no,
            error_code: code,
        });
        self.session(id).say(Kind::Answer, answer.to_bytes(), now_ns);
    }
}

fn acknowledge(session: &mut crate::session::Session, msg_id: i64, now_ns: i64) {
    let ack = enums::MsgsAck::Ack(types::MsgsAck { msg_ids: vec![msg_id] });
    session.say(Kind::Answer, ack.to_bytes(), now_ns);
}

fn pong(msg_id: i64, ping_id: i64) -> Vec<u8> {
    enums::Pong::Pong(types::Pong { msg_id, ping_id }).to_bytes()
}

/// Whether this is one of MTProto's own messages. Libraries differ about their sequence numbers.
fn is_service(constructor: u32) -> bool {
    [
        types::MsgsAck::CONSTRUCTOR_ID,
        functions::Ping::CONSTRUCTOR_ID,
        functions::PingDelayDisconnect::CONSTRUCTOR_ID,
        functions::GetFutureSalts::CONSTRUCTOR_ID,
        functions::DestroySession::CONSTRUCTOR_ID,
        functions::RpcDropAnswer::CONSTRUCTOR_ID,
        functions::DestroyAuthKey::CONSTRUCTOR_ID,
        types::MsgsStateReq::CONSTRUCTOR_ID,
        types::MsgsStateInfo::CONSTRUCTOR_ID,
        types::MsgsAllInfo::CONSTRUCTOR_ID,
        types::MsgResendReq::CONSTRUCTOR_ID,
        types::MsgResendAnsReq::CONSTRUCTOR_ID,
        types::HttpWait::CONSTRUCTOR_ID,
    ]
    .contains(&constructor)
}
