//! Ending one's account.
use grammers_tl_types::functions::account as f;
use grammers_tl_types::types;

use super::profile::acquaintances;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, RpcError};

crate::requests! {
    account::DeleteAccount => delete_account {
        420 "2FA_CONFIRM_WAIT_%d", 400 "PASSWORD_HASH_INVALID",
        400 "SRP_ID_INVALID" @ "https://core.telegram.org/method/auth.checkPassword",
        400 "SRP_PASSWORD_CHANGED" @ "https://core.telegram.org/method/auth.checkPassword",
    }
}

/// Without the 2FA password an account lives a week longer: <https://core.telegram.org/api/account-deletion>.
const CONFIRM_WAIT_S: i32 = 7 * 24 * 3600;

/// `account.deleteAccount`.
fn delete_account(cx: &mut Cx<'_>, r: f::DeleteAccount) -> Reply<bool> {
    let me = cx.me;
    if cx.user(me)?.password.is_some() {
        match &r.password {
            Some(proof) => cx.prove_password(me, proof)?,
            None => return Err(RpcError::new(420, format!("2FA_CONFIRM_WAIT_{CONFIRM_WAIT_S}"))),
        }
    }
    let told = acquaintances(cx);
    cx.world.delete_account(me);
    for user in told {
        cx.notice(user, types::UpdateUser { user_id: me.0 }.into(), &[me.into()]);
    }
    for (key, _) in cx.world.cluster.logins_of(me) {
        cx.world.cluster.log_out(key);
    }
    cx.effect(Effect::AccountDeleted { user_id: me.0 });
    Ok(true)
}
