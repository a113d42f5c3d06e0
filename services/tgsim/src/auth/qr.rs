//! Login by QR code: a token shown by the new device and accepted by one that is logged in.
//!
//! Source: <https://core.telegram.org/api/qr-login>.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use super::authorizations;
use crate::cx::{Cx, Push};
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::world::{AuthKeyId, UserId};

requests! {
    #[anonymous] auth::ExportLoginToken => export_login_token {
        400 "API_ID_INVALID", 400 "API_ID_PUBLISHED_FLOOD" scripted,
        401 "SESSION_PASSWORD_NEEDED" @ "https://core.telegram.org/api/qr-login",
    }
    #[anonymous] auth::ImportLoginToken => import_login_token {
        400 "AUTH_TOKEN_ALREADY_ACCEPTED", 400 "AUTH_TOKEN_EXPIRED", 400 "AUTH_TOKEN_INVALID",
        400 "AUTH_TOKEN_INVALIDX" scripted,
        401 "SESSION_PASSWORD_NEEDED" @ "https://core.telegram.org/api/qr-login",
    }
    auth::AcceptLoginToken => accept_login_token {
        400 "AUTH_TOKEN_ALREADY_ACCEPTED", 400 "AUTH_TOKEN_EXCEPTION", 400 "AUTH_TOKEN_EXPIRED",
        400 "AUTH_TOKEN_INVALID", 400 "AUTH_TOKEN_INVALIDX" scripted,
    }
}

/// How long a token may be shown, in seconds.
const LIFE_S: i32 = 30;
/// How long an accepted token may wait to be used, in seconds.
const ACCEPTED_LIFE_S: i32 = 300;
/// Tokens at most.
const OPEN_MAX: usize = 10_000;

/// A token that is shown, or accepted and not yet used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginToken {
    /// Whose device shows it.
    pub key: AuthKeyId,
    /// Unix seconds.
    pub expires: i32,
    /// Accounts that are logged in on that device already.
    pub except: Vec<i64>,
    /// Who accepted it.
    pub accepted_by: Option<UserId>,
}

fn export_login_token(
    cx: &mut Cx<'_>,
    r: f::auth::ExportLoginToken,
) -> Reply<enums::auth::LoginToken> {
    cx.check_api(r.api_id, &r.api_hash)?;
    let (key, now) = (cx.key, cx.now);
    let tokens = &mut cx.world.cluster.pending.tokens;
    tokens.retain(|_, token| now < token.expires);
    let accepted = tokens.iter().find(|(_, token)| token.key == key && token.accepted_by.is_some());
    if let Some((bytes, token)) = accepted {
        let (bytes, user) = (bytes.clone(), token.accepted_by);
        return cx.use_token(bytes, user);
    }
    if tokens.len() >= OPEN_MAX {
        return Err(RpcError::new(500, "AUTH_RESTART"));
    }
    let bytes: [u8; 32] = rand::random();
    let (bytes, expires) = (bytes.to_vec(), now + LIFE_S);
    let token = LoginToken { key, expires, except: r.except_ids, accepted_by: None };
    tokens.insert(bytes.clone(), token);
    Ok(types::auth::LoginToken { expires, token: bytes }.into())
}

fn import_login_token(
    cx: &mut Cx<'_>,
    r: f::auth::ImportLoginToken,
) -> Reply<enums::auth::LoginToken> {
    let now = cx.now;
    let token = cx.world.cluster.pending.tokens.get(&r.token);
    let token = token.ok_or_else(|| bad("AUTH_TOKEN_INVALID"))?;
    if now >= token.expires {
        return Err(bad("AUTH_TOKEN_EXPIRED"));
    }
    match token.accepted_by {
        None => Ok(types::auth::LoginToken { expires: token.expires, token: r.token }.into()),
        user => cx.use_token(r.token, user),
    }
}

fn accept_login_token(
    cx: &mut Cx<'_>,
    r: f::auth::AcceptLoginToken,
) -> Reply<enums::Authorization> {
    let me = cx.me;
    accept(cx, me, &r.token)
}

/// `user` scans a token, over a client of theirs or over the admin port.
///
/// # Errors
/// Those of `auth.acceptLoginToken`.
pub fn accept(cx: &mut Cx<'_>, user: UserId, bytes: &[u8]) -> Reply<enums::Authorization> {
    let now = cx.now;
    let token = cx.world.cluster.pending.tokens.get_mut(bytes);
    let token = token.ok_or_else(|| bad("AUTH_TOKEN_INVALID"))?;
    if now >= token.expires {
        return Err(bad("AUTH_TOKEN_EXPIRED"));
    }
    if token.accepted_by.is_some() {
        return Err(bad("AUTH_TOKEN_ALREADY_ACCEPTED"));
    }
    if token.except.contains(&user.0) {
        return Err(bad("AUTH_TOKEN_EXCEPTION"));
    }
    token.accepted_by = Some(user);
    token.expires = now + ACCEPTED_LIFE_S;
    let key = token.key;
    let update = types::UpdateShort { update: enums::Update::LoginToken, date: now };
    cx.outbox.push(Push {
        to: user,
        updates: update.into(),
        not_to_caller: false,
        only_key: Some(key),
    });
    cx.effect(json!({ "kind": "auth.token_accepted", "user_id": user.0 }));
    Ok(authorizations::view(cx, key, None, false))
}

impl Cx<'_> {
    /// The device that showed an accepted token comes back for its login.
    fn use_token(
        &mut self,
        bytes: Vec<u8>,
        user: Option<UserId>,
    ) -> Reply<enums::auth::LoginToken> {
        let user = user.ok_or_else(|| bad("AUTH_TOKEN_INVALID"))?;
        let home = self.world.cluster.home_of(user);
        if home != self.dc {
            let there = types::auth::LoginTokenMigrateTo { dc_id: home, token: bytes };
            return Ok(there.into());
        }
        self.world.cluster.pending.tokens.remove(&bytes);
        let authorization = self.finish_login(user, "qr")?;
        Ok(types::auth::LoginTokenSuccess { authorization }.into())
    }
}
