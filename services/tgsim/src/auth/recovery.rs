//! A forgotten 2FA password: no account here has a recovery email, so what is left is to wait a week.
//!
//! Source: <https://core.telegram.org/api/srp#password-recovery>.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, bad};

requests! {
    #[anonymous] auth::RequestPasswordRecovery => request_password_recovery {
        400 "PASSWORD_EMPTY", 400 "PASSWORD_RECOVERY_NA",
        401 "AUTH_KEY_UNREGISTERED" @ "https://core.telegram.org/api/errors#401-unauthorized",
    }
    #[anonymous] auth::CheckRecoveryPassword => check_recovery_password {
        400 "PASSWORD_RECOVERY_EXPIRED",
        401 "AUTH_KEY_UNREGISTERED" @ "https://core.telegram.org/api/errors#401-unauthorized",
    }
    #[anonymous] auth::RecoverPassword => recover_password {
        400 "CODE_EMPTY", 400 "NEW_SETTINGS_INVALID" scripted, 400 "PASSWORD_EMPTY",
        400 "PASSWORD_RECOVERY_EXPIRED" @ "https://core.telegram.org/method/auth.checkRecoveryPassword",
        401 "AUTH_KEY_UNREGISTERED" @ "https://core.telegram.org/api/errors#401-unauthorized",
    }
    account::ResetPassword => reset_password {
        400 "PASSWORD_EMPTY",
    }
    account::DeclinePasswordReset => decline_password_reset {
        400 "RESET_REQUEST_MISSING",
    }
}

/// How long a reset takes, in seconds.
const WAIT_S: i32 = 7 * 24 * 3600;

fn request_password_recovery(
    cx: &mut Cx<'_>,
    _: f::auth::RequestPasswordRecovery,
) -> Reply<enums::auth::PasswordRecovery> {
    cx.with_password()?;
    Err(bad("PASSWORD_RECOVERY_NA"))
}

fn check_recovery_password(cx: &mut Cx<'_>, _: f::auth::CheckRecoveryPassword) -> Reply<bool> {
    cx.half_way_or_in()?;
    Err(bad("PASSWORD_RECOVERY_EXPIRED"))
}

fn recover_password(
    cx: &mut Cx<'_>,
    r: f::auth::RecoverPassword,
) -> Reply<enums::auth::Authorization> {
    cx.with_password()?;
    Err(bad(if r.code.is_empty() { "CODE_EMPTY" } else { "PASSWORD_RECOVERY_EXPIRED" }))
}

fn reset_password(
    cx: &mut Cx<'_>,
    _: f::account::ResetPassword,
) -> Reply<enums::account::ResetPasswordResult> {
    let user = cx.with_password()?;
    let now = cx.now;
    let resets = &mut cx.world.cluster.pending.password_resets;
    let until_date = *resets.entry(user).or_insert(now + WAIT_S);
    if now < until_date {
        return Ok(types::account::ResetPasswordRequestedWait { until_date }.into());
    }
    resets.remove(&user);
    if let Some(user) = cx.world.users.get_mut(&user) {
        user.password = None;
    }
    cx.effect(json!({ "kind": "account.password_set", "user_id": user.0, "has_password": false }));
    Ok(enums::account::ResetPasswordResult::ResetPasswordOk)
}

fn decline_password_reset(cx: &mut Cx<'_>, _: f::account::DeclinePasswordReset) -> Reply<bool> {
    let me = cx.me;
    let declined = cx.world.cluster.pending.password_resets.remove(&me);
    declined.map(|_| true).ok_or_else(|| bad("RESET_REQUEST_MISSING"))
}

impl Cx<'_> {
    /// Who is logging in or logged in, if they have a password.
    fn with_password(&self) -> Reply<crate::world::UserId> {
        let id = self.half_way_or_in()?;
        let has_one = self.world.users.get(&id).is_some_and(|user| user.password.is_some());
        if has_one { Ok(id) } else { Err(bad("PASSWORD_EMPTY")) }
    }
}
