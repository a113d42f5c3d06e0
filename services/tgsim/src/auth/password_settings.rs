//! Setting, changing and removing the 2FA password by the account itself.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use super::srp;
use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, bad};
use crate::world::Password;

requests! {
    account::GetPasswordSettings => get_password_settings {
        400 "PASSWORD_HASH_INVALID", 400 "SRP_ID_INVALID" @ "https://core.telegram.org/method/auth.checkPassword",
        400 "SRP_PASSWORD_CHANGED" @ "https://core.telegram.org/method/auth.checkPassword",
    }
    account::UpdatePasswordSettings => update_password_settings {
        400 "EMAIL_INVALID" scripted, 400 "EMAIL_UNCONFIRMED" scripted, 400 "EMAIL_UNCONFIRMED_%d" scripted,
        400 "NEW_SALT_INVALID", 400 "NEW_SETTINGS_EMPTY", 400 "NEW_SETTINGS_INVALID", 400 "PASSWORD_HASH_INVALID",
        400 "SRP_ID_INVALID", 400 "SRP_PASSWORD_CHANGED",
    }
}

fn get_password_settings(
    cx: &mut Cx<'_>,
    r: f::account::GetPasswordSettings,
) -> Reply<enums::account::PasswordSettings> {
    let me = cx.me;
    cx.prove_password(me, &r.password)?;
    Ok(types::account::PasswordSettings { email: None, secure_settings: None }.into())
}

fn update_password_settings(cx: &mut Cx<'_>, r: f::account::UpdatePasswordSettings) -> Reply<bool> {
    let me = cx.me;
    cx.prove_password(me, &r.password)?;
    let enums::account::PasswordInputSettings::Settings(new) = r.new_settings;
    let password = match (new.new_algo, new.new_password_hash) {
        (None, None) => return Err(bad("NEW_SETTINGS_EMPTY")),
        // Libraries differ in the algorithm that they say with it.
        (Some(_), Some(hash)) if hash.is_empty() => None,
        (
            Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo)),
            Some(verifier),
        ) => {
            // The client lengthens the salt that `account.getPassword` gave it.
            if algo.salt1.len() < 16 || algo.salt2.is_empty() {
                return Err(bad("NEW_SALT_INVALID"));
            }
            if !srp::is_verifier(&verifier) {
                return Err(bad("NEW_SETTINGS_INVALID"));
            }
            let (salt1, salt2) = (algo.salt1, algo.salt2);
            Some(Password { salt1, salt2, g: srp::G, verifier, hint: new.hint })
        }
        _ => return Err(bad("NEW_SETTINGS_INVALID")),
    };
    let set = password.is_some();
    if let Some(user) = cx.world.users.get_mut(&me) {
        user.password = password;
    }
    cx.effect(json!({ "kind": "account.password_set", "user_id": me.0, "has_password": set }));
    Ok(true)
}
