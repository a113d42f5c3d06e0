//! Who is logged in where: listing, ending one's own login, ending others.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use crate::cluster::Login;
use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::world::AuthKeyId;

requests! {
    auth::LogOut => log_out {}
    auth::ResetAuthorizations => reset_authorizations {
        406 "FRESH_RESET_AUTHORISATION_FORBIDDEN",
    }
    account::GetAuthorizations => get_authorizations {}
    account::ResetAuthorization => reset_authorization {
        406 "FRESH_RESET_AUTHORISATION_FORBIDDEN", 400 "HASH_INVALID",
    }
    account::SetAuthorizationTtl => set_authorization_ttl {
        406 "FRESH_RESET_AUTHORISATION_FORBIDDEN", 400 "TTL_DAYS_INVALID",
    }
}

/// A login younger than this can't end others, in seconds.
const FRESH_S: i32 = 24 * 3600;
/// `authorization_ttl_days` where nothing was set.
const TTL_DAYS: i32 = 183;

fn log_out(cx: &mut Cx<'_>, _: f::auth::LogOut) -> Reply<enums::auth::LoggedOut> {
    let key = cx.key;
    cx.world.cluster.log_out(key);
    cx.effect(json!({ "kind": "auth.logged_out", "user_id": cx.me.0 }));
    Ok(types::auth::LoggedOut { future_auth_token: None }.into())
}

fn reset_authorizations(cx: &mut Cx<'_>, _: f::auth::ResetAuthorizations) -> Reply<bool> {
    cx.check_not_fresh()?;
    let (mine, others) = (cx.key, cx.world.cluster.logins_of(cx.me));
    for (key, login) in others {
        if key != mine && login.parent != Some(mine) {
            cx.end_login(key);
        }
    }
    Ok(true)
}

fn get_authorizations(
    cx: &mut Cx<'_>,
    _: f::account::GetAuthorizations,
) -> Reply<enums::account::Authorizations> {
    let logins = cx.world.cluster.logins_of(cx.me);
    let of_devices = logins.into_iter().filter(|(_, login)| login.parent.is_none());
    let authorizations =
        of_devices.map(|(key, login)| view(cx, key, Some(login), key == cx.key)).collect();
    let ttl_days = cx.world.cluster.pending.ttl_days.get(&cx.me).copied().unwrap_or(TTL_DAYS);
    Ok(types::account::Authorizations { authorization_ttl_days: ttl_days, authorizations }.into())
}

fn reset_authorization(cx: &mut Cx<'_>, r: f::account::ResetAuthorization) -> Reply<bool> {
    let logins = cx.world.cluster.logins_of(cx.me);
    let key = logins.into_iter().find(|(key, login)| login.hash == r.hash && *key != cx.key);
    let (key, _) = key.ok_or_else(|| bad("HASH_INVALID"))?;
    cx.check_not_fresh()?;
    cx.end_login(key);
    Ok(true)
}

fn set_authorization_ttl(cx: &mut Cx<'_>, r: f::account::SetAuthorizationTtl) -> Reply<bool> {
    if !(1..=366).contains(&r.authorization_ttl_days) {
        return Err(bad("TTL_DAYS_INVALID"));
    }
    cx.check_not_fresh()?;
    let me = cx.me;
    cx.world.cluster.pending.ttl_days.insert(me, r.authorization_ttl_days);
    Ok(true)
}

/// A login as the account's devices are listed. Without `login`: one that is about to be.
pub(super) fn view(
    cx: &Cx<'_>,
    key: AuthKeyId,
    login: Option<Login>,
    current: bool,
) -> enums::Authorization {
    let record = cx.world.cluster.keys.get(&key);
    let client = record.and_then(|key| key.client.clone()).unwrap_or_default();
    types::Authorization {
        current,
        official_app: false,
        password_pending: false,
        encrypted_requests_disabled: false,
        call_requests_disabled: false,
        unconfirmed: false,
        // The current one is 0, as at Telegram.
        hash: login.filter(|_| !current).map_or(0, |login| login.hash),
        device_model: client.device_model,
        platform: String::new(),
        system_version: client.system_version,
        api_id: client.api_id,
        app_name: "tgsim client".to_owned(),
        app_version: client.app_version,
        date_created: login.map_or(cx.now, |login| login.since),
        date_active: login.map_or(cx.now, |login| login.active_at),
        ip: "127.0.0.1".to_owned(),
        country: "Loopback".to_owned(),
        region: String::new(),
    }
    .into()
}

impl Cx<'_> {
    fn check_not_fresh(&self) -> Reply<()> {
        let login = self.world.cluster.keys.get(&self.key).and_then(|key| key.login);
        if login.is_some_and(|login| self.now < login.since + FRESH_S) {
            return Err(RpcError::new(406, "FRESH_RESET_AUTHORISATION_FORBIDDEN"));
        }
        Ok(())
    }

    /// Ends another login of the same account.
    fn end_login(&mut self, key: AuthKeyId) {
        let user_id = self.world.cluster.user_of(key).map(|user| user.0);
        self.world.cluster.revoke(key);
        self.effect(json!({ "kind": "auth.revoked", "user_id": user_id }));
    }
}
