//! Logging in and out: by code, by password, by QR token, as a bot, and on further DCs.
//!
//! What is under way lies in [`Pending`]; who is logged in by which key in [`crate::cluster`].

mod authorizations;
mod bind;
mod bots;
pub mod code;
mod codes;
pub mod config;
mod password;
mod password_settings;
mod qr;
mod recovery;
mod sign_in;
pub mod srp;
mod transfer;

use std::collections::HashMap;

use grammers_tl_types::{enums, types};
use serde_json::json;

pub use codes::{CODE_ATTEMPTS_MAX, Codes, SentCode};
pub use password::Challenge;
pub use qr::{LoginToken, accept as accept_token};
pub use transfer::Exported;

use crate::cx::Cx;
use crate::requests::Request;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::world::{User, UserId, World};

/// Telegram's own account, which writes login codes to those who are logged in elsewhere.
pub const SERVICE_ACCOUNT: UserId = UserId(777_000);

/// The rows of this folder's files.
pub const TABLES: &[&[Request]] = &[
    code::REQUESTS,
    sign_in::REQUESTS,
    password::REQUESTS,
    password_settings::REQUESTS,
    recovery::REQUESTS,
    qr::REQUESTS,
    bots::REQUESTS,
    transfer::REQUESTS,
    bind::REQUESTS,
    authorizations::REQUESTS,
    config::REQUESTS,
];

/// Logins that are under way.
#[derive(Debug, Default)]
pub struct Pending {
    /// Codes that were sent.
    pub codes: Codes,
    /// QR tokens that are shown somewhere.
    pub tokens: HashMap<Vec<u8>, LoginToken>,
    /// SRP challenges that wait for a password.
    pub challenges: HashMap<i64, Challenge>,
    /// Authorizations on their way to another DC.
    pub exported: HashMap<Vec<u8>, Exported>,
    /// Passwords that will be forgotten, and when.
    pub password_resets: HashMap<UserId, i32>,
    /// `account.setAuthorizationTTL`, in days.
    pub ttl_days: HashMap<UserId, i32>,
}

/// Makes the service account.
pub fn found_service_account(world: &mut World) {
    let mut telegram = User::new(SERVICE_ACCOUNT, "42777".to_owned(), "Telegram".to_owned());
    telegram.about = "Service notifications".to_owned();
    world.phones.insert("42777".to_owned(), SERVICE_ACCOUNT);
    world.users.insert(SERVICE_ACCOUNT, telegram);
}

impl Cx<'_> {
    /// Whether the application may log in: `API_ID_INVALID` otherwise.
    fn check_api(&self, api_id: i32, api_hash: &str) -> Reply<()> {
        let allowed = &self.world.cluster.applications;
        let right = match allowed.is_empty() {
            true => api_id > 0 && !api_hash.is_empty(),
            false => allowed.iter().any(|(id, hash)| (api_id, api_hash) == (*id, hash.as_str())),
        };
        if right { Ok(()) } else { Err(bad("API_ID_INVALID")) }
    }

    /// The last step before a login: the password, if the account has one.
    fn finish_login(&mut self, user: UserId, by: &str) -> Reply<enums::auth::Authorization> {
        let has_password = self.world.users.get(&user).is_some_and(|u| u.password.is_some());
        if has_password {
            if let Some(key) = self.world.cluster.keys.get_mut(&self.key) {
                key.login = None;
                key.awaiting_password = Some(user);
            }
            return Err(RpcError::new(401, "SESSION_PASSWORD_NEEDED"));
        }
        Ok(self.log_in(user, by))
    }

    /// Logs the key in.
    fn log_in(&mut self, user: UserId, by: &str) -> enums::auth::Authorization {
        self.world.cluster.log_in(self.key, user, self.now);
        self.me = user;
        self.effect(json!({ "kind": "auth.logged_in", "user_id": user.0, "by": by }));
        self.authorization(user)
    }

    fn authorization(&self, user: UserId) -> enums::auth::Authorization {
        types::auth::Authorization {
            setup_password_required: false,
            otherwise_relogin_days: None,
            tmp_sessions: None,
            future_auth_token: None,
            user: self.world.user_view(user, user, false),
        }
        .into()
    }
}
