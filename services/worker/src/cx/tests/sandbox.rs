//! An account of a tgsim of its own, for tests of what is asked of Telegram.

use std::sync::Arc;

use chrono::TimeDelta;
use queuegram_tests::stage::tgsim::{API_HASH, API_ID, Tgsim};
use serde_json::{Value, json};
use store::InstanceRecord;
use telegram::config::ServerConfig;
use telegram::secret::ApiHash;
use telegram::session::MemorySink;
use telegram::{Account, Gate, Login, LoginCode, Phone, Telegram, TelegramConfig};
use tempfile::TempDir;

use super::ground::Ground;
use crate::limits::{LimitsConfig, Settings};
use crate::method::Done;
use crate::methods;
use crate::stop::Stop;

/// The phone number of the account.
const PHONE: &str = "+79000000001";

/// A tgsim, and an account that is logged in there.
pub struct Sandbox {
    pub tgsim: Tgsim,
    pub account: Account,
    _folder: TempDir,
}

impl Sandbox {
    pub async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let tgsim = Tgsim::start(folder.path(), 1).await.unwrap();
        let config = TelegramConfig {
            api_id: API_ID,
            api_hash: ApiHash::new(API_HASH),
            server: Some(ServerConfig {
                dc: tgsim.dc,
                address: tgsim.address.parse().unwrap(),
                public_key: tgsim.public_key.clone(),
            }),
            ..TelegramConfig::default()
        };
        let telegram = Telegram::new(config).unwrap();
        let sink = Arc::new(MemorySink::default());
        let account = telegram.open(None, Vec::new(), sink, Gate::always());
        let id = tgsim.user(&json!({ "phone": PHONE, "first_name": "Ann" })).await.unwrap();
        let mut login = Login::new(account.clone());
        login.start(Phone::new(PHONE)).await.unwrap();
        login.code(LoginCode::new(tgsim.code(id).await.unwrap())).await.unwrap();
        Self { tgsim, account, _folder: folder }
    }

    /// Somebody else, with a username and whatever `more` says; their number.
    pub async fn person(&self, number: u32, username: &str, more: Value) -> i64 {
        let phone = format!("+790000001{number:02}");
        let mut user = json!({ "phone": phone, "first_name": "Ben", "username": username });
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.tgsim.user(&user).await.unwrap()
    }

    /// A ground of its own for the account.
    pub async fn ground(&self) -> Ground {
        let mut ground = Ground::new().await;
        ground.account = self.account.clone();
        ground
    }
}

impl Ground {
    /// Gives the account these budgets.
    pub fn limit(&self, config: &LimitsConfig) {
        let record = InstanceRecord::new(self.tenure.instance.clone(), self.command.received_at);
        self.tenure.limiter.reconfigure(Settings::of(config, &record));
    }

    /// Carries a command out, under an id of its own and with an hour to go.
    pub async fn carry_out(&mut self, method: &str, params: &Value) -> Result<Done<Value>, Stop> {
        let command = &mut self.command;
        command.id = uuid::Uuid::new_v4().to_string().parse().unwrap();
        command.method = method.parse().unwrap();
        command.deadline = self.tenure.shared.clock.now() + TimeDelta::hours(1);
        self.go_on(method, params).await
    }

    /// Goes on with the command that was carried out last.
    pub async fn go_on(&self, method: &str, params: &Value) -> Result<Done<Value>, Stop> {
        let entry = methods::find(method).unwrap();
        let prepared = (entry.parse)(params.as_object().unwrap()).unwrap();
        prepared.call(&mut self.take().await).await
    }
}
