//! Signing in with a code, and signing up.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use super::code::phone_of;
use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, bad};
use crate::world::NewUser;

requests! {
    #[anonymous] auth::SignIn => sign_in {
        500 "AUTH_RESTART" scripted, 400 "PHONE_CODE_EMPTY", 400 "PHONE_CODE_EXPIRED",
        400 "PHONE_CODE_INVALID", 400 "PHONE_CODE_HASH_EMPTY" @ "https://core.telegram.org/method/auth.resendCode",
        406 "PHONE_NUMBER_INVALID", 400 "PHONE_NUMBER_UNOCCUPIED" scripted,
        500 "SIGN_IN_FAILED" scripted, 406 "UPDATE_APP_TO_LOGIN" scripted,
        401 "SESSION_PASSWORD_NEEDED" @ "https://core.telegram.org/api/srp",
        303 "PHONE_MIGRATE_%d" @ "https://core.telegram.org/api/errors#303-see-other",
    }
    #[anonymous] auth::SignUp => sign_up {
        400 "FIRSTNAME_INVALID", 400 "LASTNAME_INVALID", 400 "PHONE_CODE_EMPTY", 400 "PHONE_CODE_EXPIRED",
        400 "PHONE_CODE_INVALID", 400 "PHONE_NUMBER_FLOOD" scripted, 406 "PHONE_NUMBER_INVALID",
        400 "PHONE_NUMBER_OCCUPIED",
        303 "PHONE_MIGRATE_%d" @ "https://core.telegram.org/api/errors#303-see-other",
    }
}

fn sign_in(cx: &mut Cx<'_>, r: f::auth::SignIn) -> Reply<enums::auth::Authorization> {
    let phone = cx.phone_at_home(&r.phone_number)?;
    if r.phone_code_hash.is_empty() {
        return Err(bad("PHONE_CODE_HASH_EMPTY"));
    }
    let given = r.phone_code.filter(|code| !code.is_empty());
    let given = given.ok_or_else(|| bad("PHONE_CODE_EMPTY"))?;
    let now = cx.now;
    let codes = &mut cx.world.cluster.pending.codes;
    let sent = codes.find(&r.phone_code_hash, &phone, now);
    let sent = sent.ok_or_else(|| bad("PHONE_CODE_EXPIRED"))?;
    if sent.code != given {
        sent.attempts += 1;
        return Err(bad("PHONE_CODE_INVALID"));
    }
    let Some(user) = cx.world.phones.get(&phone).copied() else {
        sent.confirmed = true;
        let required = types::auth::AuthorizationSignUpRequired { terms_of_service: None };
        return Ok(required.into());
    };
    codes.remove(&r.phone_code_hash);
    cx.finish_login(user, "code")
}

fn sign_up(cx: &mut Cx<'_>, r: f::auth::SignUp) -> Reply<enums::auth::Authorization> {
    let phone = phone_of(&r.phone_number)?;
    if r.phone_code_hash.is_empty() {
        return Err(bad("PHONE_CODE_EMPTY"));
    }
    if cx.world.phones.contains_key(&phone) {
        return Err(bad("PHONE_NUMBER_OCCUPIED"));
    }
    let now = cx.now;
    let codes = &mut cx.world.cluster.pending.codes;
    let sent = codes.find(&r.phone_code_hash, &phone, now);
    let sent = sent.ok_or_else(|| bad("PHONE_CODE_EXPIRED"))?;
    if !sent.confirmed {
        return Err(bad("PHONE_CODE_INVALID"));
    }
    let name_chars = cx.world.limits.name_chars;
    if r.first_name.trim().is_empty() || r.first_name.chars().count() > name_chars {
        return Err(bad("FIRSTNAME_INVALID"));
    }
    if r.last_name.chars().count() > name_chars {
        return Err(bad("LASTNAME_INVALID"));
    }
    cx.world.cluster.pending.codes.remove(&r.phone_code_hash);
    let new =
        NewUser { phone, first_name: r.first_name, last_name: r.last_name, ..NewUser::default() };
    let user = cx.world.create_user(new).map_err(|_| bad("PHONE_NUMBER_INVALID"))?;
    let dc = cx.dc;
    cx.world.cluster.set_home(user, dc);
    cx.effect(json!({ "kind": "auth.signed_up", "user_id": user.0 }));
    Ok(cx.log_in(user, "sign_up"))
}
