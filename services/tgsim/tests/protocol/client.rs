//! A MTProto client made for tests: it does what it is told, right or wrong.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use grammers_crypto::{generate_key_data_from_nonce, rsa};
use grammers_tl_types::{
    Deserializable, Identifiable, RemoteCall, Serializable, enums, functions as f, types,
};
use num_bigint::BigUint;
use tgsim::handshake::server_key::ServerKey;
use tgsim::wire::envelope::{self, AuthKey, Inner, Writer};
use tgsim::wire::message::{self, Message};
use tgsim::wire::msg_id;
use tgsim::wire::plain;
use tgsim::wire::transport::Transport;
use tgsim::world::{NewUser, UserId};
use tgsim::{Options, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running tgsim.
pub struct Server {
    pub running: Running,
}

impl Server {
    pub async fn start() -> Self {
        let options = Options { dcs: 2, private_key: Some(private_key()), ..Options::default() };
        Self { running: tgsim::start(options).await.unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.dcs[0].address
    }

    /// An account without a client.
    pub fn user(&self, phone: &str) -> UserId {
        let new = NewUser {
            phone: phone.into(),
            first_name: format!("User {phone}"),
            ..NewUser::default()
        };
        self.running.hub.with(|sim| sim.world.create_user(new).unwrap())
    }

    pub fn script(&self, rule: &str) -> u64 {
        let rule = serde_json::from_str(rule).unwrap();
        self.running.hub.with(|sim| sim.script.add(rule, &[2, 3]).unwrap())
    }

    /// What the journal says about requests of this name: their errors.
    pub fn journal(&self, request: &str) -> Vec<Option<String>> {
        self.running.hub.with(|sim| {
            let entries = sim.journal.after(0, usize::MAX).into_iter();
            entries.filter(|e| e.request.as_deref() == Some(request)).map(|e| e.error).collect()
        })
    }

    /// A client with a key of its own that has introduced itself.
    pub async fn client(&self) -> Client {
        let mut client = Client::connect(self.address(), Transport::Intermediate).await;
        client.make_key(self, None).await;
        client.introduce().await;
        client
    }

    /// The same, logged in.
    pub async fn logged_in(&self, phone: &str) -> Client {
        let user = self.user(phone);
        let mut client = self.client().await;
        client.login(self, phone, user).await;
        client
    }
}

/// One RSA key for all tests of this process: making one takes longer than most tests.
fn private_key() -> PathBuf {
    static KEY: OnceLock<PathBuf> = OnceLock::new();
    let made = KEY.get_or_init(|| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tgsim-test-key.pem");
        ServerKey::load_or_create(&path).unwrap();
        path
    });
    made.clone()
}

/// A key and what goes with it.
#[derive(Clone)]
pub struct Identity {
    pub key: AuthKey,
    pub salt: i64,
    pub session_id: i64,
}

/// An RPC error, as `(400, "NAME")`.
pub type Failed = (i32, String);

pub struct Client {
    stream: TcpStream,
    transport: Transport,
    buffer: Vec<u8>,
    inbox: VecDeque<Message>,
    last_id: i64,
    content: i32,
    pub identity: Option<Identity>,
    /// The last updates that came.
    pub updates: Vec<enums::Updates>,
}

impl Client {
    pub async fn connect(address: SocketAddr, transport: Transport) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let tag: &[u8] = match transport {
            Transport::Full { .. } => &[],
            Transport::Abridged => &[0xef],
            Transport::Intermediate => &[0xee; 4],
            Transport::PaddedIntermediate => &[0xdd; 4],
        };
        stream.write_all(tag).await.unwrap();
        Self {
            stream,
            transport,
            buffer: Vec::new(),
            inbox: VecDeque::new(),
            last_id: 0,
            content: 0,
            identity: None,
            updates: Vec::new(),
        }
    }

    /// A second connection with the same key; `same_session` goes on where this one is.
    pub async fn again(&self, server: &Server, same_session: bool) -> Self {
        let mut other = Self::connect(server.address(), Transport::Intermediate).await;
        let mut identity = self.identity.clone().unwrap();
        if same_session {
            other.go_on_from(self);
        } else {
            identity.session_id = rand::random();
        }
        other.identity = Some(identity);
        other
    }

    /// Numbers its messages on from where another connection of the session is.
    pub fn go_on_from(&mut self, other: &Self) {
        (self.last_id, self.content) = (other.last_id, other.content);
    }

    pub async fn payload(&mut self, payload: &[u8]) {
        let bytes = self.transport.frame(payload);
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// The bytes that come next, without framing.
    pub async fn raw(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await.unwrap().unwrap();
        bytes
    }

    /// Whether the server has closed the connection, once it has done so or time is up.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0; 4096];
        loop {
            match timeout(PATIENCE, self.stream.read(&mut byte)).await {
                Ok(Ok(0) | Err(_)) => return true,
                Ok(Ok(_)) => {}
                Err(_) => return false,
            }
        }
    }

    async fn frame(&mut self) -> Vec<u8> {
        loop {
            if let Some(frame) = self.transport.take_frame(&mut self.buffer).unwrap() {
                return frame.payload;
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
            assert!(read.expect("nothing came in time").unwrap() > 0, "closed by the server");
        }
    }

    pub fn next_id(&mut self) -> i64 {
        let now = msg_id::from_time(msg_id::now_ns());
        self.last_id = now.max(self.last_id + 4);
        self.last_id
    }

    fn next_seq(&mut self, content: bool) -> i32 {
        let seq = self.content * 2 + i32::from(content);
        self.content += i32::from(content);
        seq
    }

    /// Makes an auth key; a temporary one with `expires_in`.
    pub async fn make_key(&mut self, server: &Server, expires_in: Option<i32>) {
        let nonce: [u8; 16] = rand::random();
        let new_nonce: [u8; 32] = rand::random();
        let enums::ResPq::Pq(pq) = self.exchange(&f::ReqPqMulti { nonce }).await;
        let product = u64::from_be_bytes(pq.pq.clone().try_into().unwrap());
        let (p, q) = grammers_crypto::factorize(product);
        let (p, q) = (p.min(q).to_be_bytes()[4..].to_vec(), p.max(q).to_be_bytes()[4..].to_vec());
        let (n, e) = server.running.hub.server_key.public_numbers();
        let (server_nonce, dc) = (pq.server_nonce, server.running.dcs[0].id);
        let inner: enums::PQInnerData = match expires_in {
            None => types::PQInnerDataDc {
                pq: pq.pq,
                p: p.clone(),
                q: q.clone(),
                nonce,
                server_nonce,
                new_nonce,
                dc,
            }
            .into(),
            Some(expires_in) => types::PQInnerDataTempDc {
                pq: pq.pq,
                p: p.clone(),
                q: q.clone(),
                nonce,
                server_nonce,
                new_nonce,
                dc,
                expires_in,
            }
            .into(),
        };
        let key = rsa::Key::new(&n, &e).unwrap();
        let random: [u8; 224] = std::array::from_fn(|_| rand::random());
        let params = self
            .exchange(&f::ReqDhParams {
                nonce,
                server_nonce,
                p,
                q,
                public_key_fingerprint: pq.server_public_key_fingerprints[0],
                encrypted_data: rsa::encrypt_hashed(&inner.to_bytes(), &key, &random),
            })
            .await;
        let enums::ServerDhParams::Ok(params) = params else { panic!("{params:?}") };
        let (aes_key, aes_iv) = generate_key_data_from_nonce(&server_nonce, &new_nonce);
        let mut plain = params.encrypted_answer;
        grammers_crypto::aes::ige_decrypt(&mut plain, &aes_key, &aes_iv);
        let enums::ServerDhInnerData::Data(dh) =
            enums::ServerDhInnerData::from_bytes(&plain[20..]).unwrap();
        let prime = BigUint::from_bytes_be(&dh.dh_prime);
        let secret: [u8; 256] = std::array::from_fn(|_| rand::random());
        let b = BigUint::from_bytes_be(&secret);
        let g_b = BigUint::from(dh.g.unsigned_abs()).modpow(&b, &prime);
        let shared = BigUint::from_bytes_be(&dh.g_a).modpow(&b, &prime).to_bytes_be();
        let mut key = [0; 256];
        key[256 - shared.len()..].copy_from_slice(&shared);
        let answer: enums::ClientDhInnerData =
            types::ClientDhInnerData { nonce, server_nonce, retry_id: 0, g_b: g_b.to_bytes_be() }
                .into();
        let answer = answer.to_bytes();
        let mut encrypted = <sha1::Sha1 as sha1::Digest>::digest(&answer).to_vec();
        encrypted.extend(answer);
        encrypted.resize(encrypted.len().next_multiple_of(16), 0);
        grammers_crypto::aes::ige_encrypt(&mut encrypted, &aes_key, &aes_iv);
        let request = f::SetClientDhParams { nonce, server_nonce, encrypted_data: encrypted };
        let done = self.exchange(&request).await;
        assert!(matches!(done, enums::SetClientDhParamsAnswer::DhGenOk(_)), "{done:?}");
        let salt = std::array::from_fn(|i| new_nonce[i] ^ server_nonce[i]);
        self.identity = Some(Identity {
            key: AuthKey::new(key),
            salt: i64::from_le_bytes(salt),
            session_id: rand::random(),
        });
    }

    async fn exchange<R: RemoteCall + Serializable>(&mut self, request: &R) -> R::Return {
        let id = self.next_id();
        self.payload(&plain::write(id, &request.to_bytes())).await;
        let frame = self.frame().await;
        R::Return::from_bytes(plain::read(&frame).unwrap().body).unwrap()
    }

    /// `invokeWithLayer(initConnection(help.getConfig))`.
    pub async fn introduce(&mut self) {
        self.call(&init(f::help::GetConfig {})).await.unwrap();
    }

    pub async fn login(&mut self, server: &Server, phone: &str, user: UserId) {
        let settings = types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        };
        let request = f::auth::SendCode {
            phone_number: phone.into(),
            api_id: 1,
            api_hash: "hash".into(),
            settings: settings.into(),
        };
        let sent = self.call(&request).await.unwrap();
        let enums::auth::SentCode::Code(sent) = sent else { panic!("{sent:?}") };
        let code = server.running.hub.with(|sim| {
            let now = sim.world.clock.now();
            sim.world.cluster.pending.codes.newest(phone, now).unwrap().code.clone()
        });
        let request = f::auth::SignIn {
            phone_number: phone.into(),
            phone_code_hash: sent.phone_code_hash,
            phone_code: Some(code),
            email_verification: None,
        };
        let enums::auth::Authorization::Authorization(done) = self.call(&request).await.unwrap()
        else {
            panic!("no authorization")
        };
        assert_eq!(done.user.id(), user.0);
    }

    /// Seals and sends one message as it is.
    pub async fn send_raw(&mut self, msg_id: i64, seq_no: i32, body: Vec<u8>) {
        let Identity { key, salt, session_id } = self.identity.clone().unwrap();
        let inner = Inner { salt, session_id, msg_id, seq_no, body };
        self.payload(&envelope::seal(&key, Writer::Client, &inner)).await;
    }

    /// Sends a request and gives its message id.
    pub async fn send(&mut self, body: Vec<u8>) -> i64 {
        let (id, seq) = (self.next_id(), self.next_seq(true));
        self.send_raw(id, seq, body).await;
        id
    }

    /// Sends a message that is not content-related.
    pub async fn say(&mut self, body: Vec<u8>) -> i64 {
        let (id, seq) = (self.next_id(), self.next_seq(false));
        self.send_raw(id, seq, body).await;
        id
    }

    pub async fn acknowledge(&mut self, msg_ids: Vec<i64>) {
        self.say(enums::MsgsAck::Ack(types::MsgsAck { msg_ids }).to_bytes()).await;
    }

    /// The next message of the server.
    pub async fn next(&mut self) -> Message {
        loop {
            if let Some(message) = self.inbox.pop_front() {
                return message;
            }
            let frame = self.frame().await;
            let identity = self.identity.clone().unwrap();
            let (inner, _) = envelope::open(&identity.key, Writer::Server, &frame).unwrap();
            assert_eq!(inner.session_id, identity.session_id, "for another session");
            assert_eq!(inner.msg_id & 1, 1, "ids of a server are odd");
            match message::read_container(&inner.body).unwrap() {
                Some(messages) => {
                    assert!(messages.iter().all(|m| m.msg_id < inner.msg_id));
                    self.inbox.extend(messages);
                }
                None => {
                    let Inner { msg_id, seq_no, body, .. } = inner;
                    self.inbox.push_back(Message { msg_id, seq_no, body });
                }
            }
        }
    }

    /// Waits for a message of this constructor; updates are kept, others passed over.
    pub async fn wait_for<T: Identifiable + Deserializable>(&mut self) -> T {
        loop {
            let message = self.next().await;
            if message::constructor(&message.body) == Some(T::CONSTRUCTOR_ID) {
                return T::from_bytes(&message.body[4..]).unwrap();
            }
            self.note(&message);
        }
    }

    /// Waits for the answer to a request: the message, and what it says.
    pub async fn answer(&mut self, request: i64) -> (Message, Result<Vec<u8>, Failed>) {
        loop {
            let message = self.next().await;
            if message::constructor(&message.body) != Some(message::RPC_RESULT_ID)
                || message.body[4..12] != request.to_le_bytes()
            {
                self.note(&message);
                continue;
            }
            let result = message::unpack(message.body[12..].to_vec()).unwrap();
            let result = match message::constructor(&result) {
                Some(types::RpcError::CONSTRUCTOR_ID) => {
                    let error = types::RpcError::from_bytes(&result[4..]).unwrap();
                    Err((error.error_code, error.error_message))
                }
                _ => Ok(result),
            };
            return (message, result);
        }
    }

    fn note(&mut self, message: &Message) {
        if let Ok(updates) = enums::Updates::from_bytes(&message.body) {
            self.updates.push(updates);
        }
    }

    /// Asks, learns a new salt if need be, and waits for the answer.
    pub async fn call<R: RemoteCall + Serializable>(
        &mut self,
        request: &R,
    ) -> Result<R::Return, Failed> {
        let id = self.send(request.to_bytes()).await;
        self.answer(id).await.1.map(|bytes| R::Return::from_bytes(&bytes).unwrap())
    }

    /// The name of the error that a request is answered with.
    pub async fn refused<R: RemoteCall + Serializable>(&mut self, request: &R) -> String {
        match self.call(request).await {
            Ok(_) => panic!("it was answered"),
            Err((_, name)) => name,
        }
    }
}

/// Wraps a request as the first one of a connection.
pub fn init<Q>(query: Q) -> f::InvokeWithLayer<f::InitConnection<Q>> {
    let query = f::InitConnection {
        api_id: 1,
        device_model: "test".into(),
        system_version: "1".into(),
        app_version: "1".into(),
        system_lang_code: "en".into(),
        lang_pack: String::new(),
        lang_code: "en".into(),
        proxy: None,
        params: None,
        query,
    };
    f::InvokeWithLayer { layer: grammers_tl_types::LAYER, query }
}

/// A request that changes the world: each time that it is executed there is one more group.
pub fn create(title: &str) -> f::channels::CreateChannel {
    f::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title: title.into(),
        about: String::new(),
        geo_point: None,
        address: None,
        ttl_period: None,
    }
}
