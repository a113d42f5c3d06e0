//! The way of one request: script, execution, journal, updates to others, answer.
//!
//! The order of these is what `cut: before` and `cut: after` are about.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use grammers_tl_types::{Deserializable, Identifiable, Serializable, enums, functions, types};
use serde_json::{Value, json};

use crate::cluster::Fate;
use crate::cx::{Cx, Push};
use crate::flood::Wait;
use crate::hub::{Outgoing, Sim};
use crate::journal::{Kind, Line};
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::script::{Fault, Moment};
use crate::session::{ConnectionId, SessionId};
use crate::wire::message::{self, rpc_result};
use crate::wire::msg_id;
use crate::world::{AuthKeyId, UserId};
use crate::wrappers;

/// Requests that wait for others (`invokeAfterMsg`) at most, in all sessions.
const WAITING_MAX: usize = 10_000;

/// One request, unwrapped.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub session: SessionId,
    pub connection: ConnectionId,
    pub msg_id: i64,
    pub body: Vec<u8>,
    pub id: u32,
    pub after: Vec<i64>,
    pub without_updates: bool,
}

/// A request whose time has not come.
#[derive(Debug)]
pub(crate) struct Later {
    /// From now.
    pub delay: Duration,
    call: Call,
    fault: Option<Value>,
}

/// What execution left behind.
struct Executed {
    reply: Reply<Vec<u8>>,
    effects: Vec<Value>,
    pushes: Vec<Push>,
}

impl Sim {
    /// Takes a request out of its wrappers and executes it, now or when its time has come.
    pub(crate) fn request(
        &mut self,
        session: SessionId,
        connection: ConnectionId,
        msg_id: i64,
        body: Vec<u8>,
    ) {
        self.session(session).running.insert(msg_id);
        let mut call = Call {
            session,
            connection,
            msg_id,
            body: Vec::new(),
            id: 0,
            after: Vec::new(),
            without_updates: false,
        };
        let unwrapped = match wrappers::unwrap(body) {
            Ok(unwrapped) => unwrapped,
            Err(error) => return self.conclude(&call, Executed::failed(error), None),
        };
        let permanent = self.world.cluster.permanent(session.key);
        for key in [Some(session.key), permanent].into_iter().flatten() {
            if let Some(key) = self.world.cluster.keys.get_mut(&key) {
                key.layer = unwrapped.layer.unwrap_or(key.layer);
                if unwrapped.client.is_some() {
                    key.client.clone_from(&unwrapped.client);
                }
            }
        }
        call.id = message::constructor(&unwrapped.body).unwrap_or_default();
        call.body = unwrapped.body;
        call.after = unwrapped.after;
        call.without_updates = unwrapped.without_updates;
        self.order(call);
    }

    /// Goes on with a delayed request.
    pub(crate) fn resume(&mut self, later: Later) {
        self.execute(&later.call, later.fault);
        self.flush(later.call.session, msg_id::now_ns());
    }

    /// Executes a request now, unless it must wait for another one of its session.
    fn order(&mut self, call: Call) {
        let Some(session) = self.sessions.get(&call.session) else { return };
        let failed = |dependency: &i64| match session.outbox.answer_to(*dependency) {
            Some(answer) => message::constructor(answer.body.get(12..).unwrap_or_default())
                .is_some_and(|id| id == types::RpcError::CONSTRUCTOR_ID),
            None => !session.running.contains(dependency),
        };
        if call.after.iter().any(failed) {
            let error = Executed::failed(bad("MSG_WAIT_FAILED"));
            self.conclude(&call, error, None);
        } else if call.after.iter().any(|dependency| session.running.contains(dependency)) {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push(call);
            } else {
                let error = Executed::failed(bad("MSG_WAIT_TIMEOUT"));
                self.conclude(&call, error, None);
            }
        } else {
            self.meet_script(&call);
        }
    }

    fn meet_script(&mut self, call: &Call) {
        let user = self.caller(call).1;
        let Some((id, fault)) = self.script.take(user, &call.name()) else {
            return self.meet_limits(call, user);
        };
        let note = Some(json!({ "script": id, "then": fault }));
        match fault {
            Fault::Flood(seconds) => self.refuse(call, 420, format!("FLOOD_WAIT_{seconds}"), note),
            Fault::Error(code, name) => self.refuse(call, code, name, note),
            Fault::ErrorAfter(code, name) => {
                let mut executed = self.ask(call);
                executed.reply = Err(RpcError::new(code, name));
                self.conclude(call, executed, note);
            }
            Fault::Transport(code) => {
                self.forget_call(call, note);
                self.send(call.connection, Outgoing::Error(code));
            }
            Fault::DelayMs(ms) => {
                let delay = Duration::from_millis(ms);
                self.later.push(Later { delay, call: call.clone(), fault: note });
            }
            Fault::Cut(Moment::Before) => {
                self.forget_call(call, note);
                self.cut(call.connection);
            }
            Fault::Cut(Moment::After) => {
                self.cut(call.connection);
                self.execute(call, note);
            }
            Fault::HalfOpen(_) => {
                self.forget_call(call, note);
                self.change_state(call.connection, |state| state.frozen = true);
            }
            Fault::MigrateDc(dc) => {
                let name = self.migrate(call, user, dc);
                self.refuse(call, 303, name, note);
            }
            Fault::LogOut(_) => {
                if let Some(key) = self.caller(call).0 {
                    self.world.cluster.revoke(key);
                }
                self.refuse(call, 401, "SESSION_REVOKED".to_owned(), note);
            }
        }
    }

    /// Executes a request, unless its account has asked for it too often.
    fn meet_limits(&mut self, call: &Call, user: Option<UserId>) {
        let name = call.name();
        let Some(user) = user.filter(|_| self.flood.is_limited(&name)) else {
            return self.execute(call, None);
        };
        let (cost, now) = (self.cost(call, user), i64::from(self.world.clock.now()));
        match self.flood.ask(user, &name, cost, now) {
            None => self.execute(call, None),
            Some(Wait { seconds, impatient }) => {
                let note = json!({ "limit": name, "wait_s": seconds, "in_flood": impatient });
                self.refuse(call, 420, format!("FLOOD_WAIT_{seconds}"), Some(note));
            }
        }
    }

    /// How much a request counts for: an invitation as much as it names people whom the account does not know.
    fn cost(&self, call: &Call, user: UserId) -> u32 {
        if call.id != functions::channels::InviteToChannel::CONSTRUCTOR_ID {
            return 1;
        }
        let Ok(request) = functions::channels::InviteToChannel::from_bytes(&call.body[4..]) else {
            return 1;
        };
        let is_stranger = |input: &enums::InputUser| match input {
            enums::InputUser::User(other) => {
                let other = UserId(other.user_id);
                let bot = self.world.users.get(&other).is_some_and(|other| other.bot.is_some());
                !bot && !self.world.is_contact(user, other)
            }
            _ => false,
        };
        let strangers = request.users.iter().filter(|input| is_stranger(input)).count();
        u32::try_from(strangers).unwrap_or(u32::MAX)
    }

    fn refuse(&mut self, call: &Call, code: i32, name: String, fault: Option<Value>) {
        self.conclude(call, Executed::failed(RpcError::new(code, name)), fault);
    }

    /// As if the request had never come, except for the journal.
    fn forget_call(&mut self, call: &Call, fault: Option<Value>) {
        let (key, user) = self.caller(call);
        let line = call.line(key, user, fault);
        self.enter(Kind::Request, line);
        if let Some(session) = self.sessions.get_mut(&call.session) {
            session.running.remove(&call.msg_id);
            session.inbox.forget(call.msg_id);
        }
    }

    /// Moves the account that the request is about, and names the error that says so.
    fn migrate(&mut self, call: &Call, user: Option<UserId>, dc: i32) -> String {
        let by_phone = (call.id == functions::auth::SendCode::CONSTRUCTOR_ID)
            .then(|| functions::auth::SendCode::from_bytes(&call.body[4..]).ok())
            .flatten();
        let by_phone = by_phone.map(|request| crate::world::phone_digits(&request.phone_number));
        let found = by_phone.as_ref().and_then(|phone| self.world.phones.get(phone).copied());
        if let Some(user) = user.or(found) {
            self.world.cluster.set_home(user, dc);
        }
        match (user, by_phone) {
            (Some(_), _) => format!("USER_MIGRATE_{dc}"),
            (None, Some(_)) => format!("PHONE_MIGRATE_{dc}"),
            (None, None) => format!("NETWORK_MIGRATE_{dc}"),
        }
    }

    fn execute(&mut self, call: &Call, fault: Option<Value>) {
        let executed = self.ask(call);
        self.conclude(call, executed, fault);
    }

    /// Runs the handler, if the key and its login are in a state for it.
    fn ask(&mut self, call: &Call) -> Executed {
        let (permanent, user) = self.caller(call);
        let Some(key) = self.world.cluster.keys.get(&call.session.key) else {
            return Executed::failed(RpcError::new(401, "AUTH_KEY_INVALID"));
        };
        let (dc, layer, inited) = (key.dc, key.layer, key.client.is_some());
        let binds = call.id == functions::auth::BindTempAuthKey::CONSTRUCTOR_ID;
        let row = requests::find(call.id);
        let key = permanent.unwrap_or(call.session.key);
        let record = self.world.cluster.keys.get(&key);
        let fate = record.map_or(Fate::Alive, |record| record.fate);
        let half_way = record.is_some_and(|record| record.awaiting_password.is_some());
        let needs_user = row.is_some_and(|row| row.needs_user);
        let error = if fate == Fate::Duplicated {
            Some((406, "AUTH_KEY_DUPLICATED".to_owned()))
        } else if permanent.is_none() && !binds {
            Some((401, "AUTH_KEY_PERM_EMPTY".to_owned()))
        } else if !inited && !binds {
            Some((400, "CONNECTION_NOT_INITED".to_owned()))
        } else if row.is_none() {
            Some((400, format!("INPUT_METHOD_INVALID_{}", call.id)))
        } else if needs_user && user.is_none() && fate == Fate::Revoked {
            Some((401, "SESSION_REVOKED".to_owned()))
        } else if needs_user && half_way && user.is_none() {
            Some((401, "SESSION_PASSWORD_NEEDED".to_owned()))
        } else {
            let home = user.map(|user| self.world.cluster.home_of(user));
            // The former one still lets a login be taken along: how else would a client get to the new one?
            let leaves = call.id == functions::auth::ExportAuthorization::CONSTRUCTOR_ID;
            home.filter(|home| needs_user && !leaves && *home != dc)
                .map(|home| (303, format!("USER_MIGRATE_{home}")))
        };
        if let Some((code, name)) = error {
            return Executed::failed(RpcError::new(code, name));
        }
        let handler_key = if binds { call.session.key } else { key };
        let me = user.unwrap_or(UserId::NOBODY);
        let mut cx = Cx::new(&mut self.world, me, handler_key, layer, dc);
        // A handler that panics is a bug of ours: the client gets an error rather than silence.
        let reply = catch_unwind(AssertUnwindSafe(|| {
            requests::dispatch(call.id, call.body.get(4..).unwrap_or_default(), &mut cx)
        }));
        let reply = match reply {
            Ok(Some(reply)) => reply,
            Ok(None) => Err(bad(format!("INPUT_METHOD_INVALID_{}", call.id))),
            Err(_) => {
                tracing::error!(request = call.name(), "a handler panicked");
                Err(RpcError::new(500, "INTERNAL"))
            }
        };
        let executed = Executed { reply, effects: cx.effects, pushes: cx.outbox };
        let now = self.world.clock.now();
        if let Some(login) = self.world.cluster.keys.get_mut(&key).and_then(|k| k.login.as_mut()) {
            login.active_at = now;
        }
        if let Some(user) = self.world.cluster.user_of(key).filter(|_| !call.without_updates) {
            if let Some(session) = self.sessions.get_mut(&call.session) {
                session.wants_updates = true;
            }
            self.listen(user, call.session);
        }
        Executed { ..executed }
    }

    /// Journal, answer, updates; then those that waited for it.
    fn conclude(&mut self, call: &Call, executed: Executed, fault: Option<Value>) {
        let (key, user) = self.caller(call);
        let mut line = call.line(key, user, fault);
        line.effects = executed.effects;
        line.error = executed.reply.as_ref().err().map(|error| error.name.clone());
        self.enter(Kind::Request, line);
        let now_ns = msg_id::now_ns();
        let result = match executed.reply {
            Ok(result) => result,
            Err(error) => enums::RpcError::Error(types::RpcError {
                error_code: error.code,
                error_message: error.name,
            })
            .to_bytes(),
        };
        if let Some(session) = self.sessions.get_mut(&call.session)
            && session.running.remove(&call.msg_id)
        {
            session.inbox.answered(call.msg_id);
            let body = rpc_result(call.msg_id, result);
            session.tell(msg_id::Kind::Answer, body, Some(call.msg_id), now_ns);
        }
        self.deliver(executed.pushes, Some(call.session), now_ns);
        let (ready, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| {
            waiting.session == call.session && waiting.after.contains(&call.msg_id)
        });
        self.waiting = waiting;
        for call in ready {
            self.order(call);
        }
    }

    /// Sends updates to the live sessions of those whom they are for.
    pub(crate) fn deliver(&mut self, pushes: Vec<Push>, caller: Option<SessionId>, now_ns: i64) {
        for push in pushes {
            let sessions = match push.only_key {
                Some(key) => self.sessions_of_key(key),
                None => self.listeners_of(push.to),
            };
            let body = push.updates.to_bytes();
            for id in sessions {
                if push.not_to_caller && Some(id) == caller {
                    continue;
                }
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.tell(msg_id::Kind::Notice, body.clone(), None, now_ns);
                }
                // The caller's own goes out behind its answer.
                if Some(id) != caller {
                    self.flush(id, now_ns);
                }
            }
        }
    }

    /// The connected sessions of a key, or of temporary keys that are bound to it.
    fn sessions_of_key(&self, key: AuthKeyId) -> Vec<SessionId> {
        let of_key = |id: &SessionId| self.world.cluster.permanent(id.key) == Some(key);
        let connected = self.sessions.iter().filter(|(_, session)| session.connection.is_some());
        connected.map(|(id, _)| *id).filter(of_key).collect()
    }

    /// The permanent key of a request, and who is logged in by it.
    fn caller(&self, call: &Call) -> (Option<AuthKeyId>, Option<UserId>) {
        let key = self.world.cluster.permanent(call.session.key);
        (key, key.and_then(|key| self.world.cluster.user_of(key)))
    }
}

impl Executed {
    fn failed(error: RpcError) -> Self {
        Self { reply: Err(error), effects: Vec::new(), pushes: Vec::new() }
    }
}

impl Call {
    /// TL name, as the journal and the script say it.
    fn name(&self) -> String {
        match requests::find(self.id) {
            Some(row) => row.name().to_owned(),
            None => match grammers_tl_types::name_for_id(self.id) {
                "(unknown)" => format!("unknown#{:08x}", self.id),
                name => name.to_owned(),
            },
        }
    }

    fn line(&self, key: Option<AuthKeyId>, user: Option<UserId>, fault: Option<Value>) -> Line {
        Line {
            user,
            key: Some(key.unwrap_or(self.session.key)),
            connection: Some(self.connection.0),
            request: Some(self.name()),
            fault,
            ..Line::default()
        }
    }
}
