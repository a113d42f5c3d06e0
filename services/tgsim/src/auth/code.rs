//! Sending, resending and cancelling login codes.

use grammers_tl_types::{enums, functions as f, types};
use serde_json::json;

use super::SERVICE_ACCOUNT;
use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad, flood_wait};
use crate::services::PostOptions;
use crate::world::{Body, UserId, phone_digits};

requests! {
    #[anonymous] auth::SendCode => send_code {
        400 "API_ID_INVALID", 400 "API_ID_PUBLISHED_FLOOD" scripted, 500 "AUTH_RESTART" scripted,
        400 "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN" scripted, 400 "PHONE_NUMBER_BANNED" scripted,
        400 "PHONE_NUMBER_FLOOD" scripted, 406 "PHONE_NUMBER_INVALID",
        406 "PHONE_PASSWORD_FLOOD" scripted, 400 "PHONE_PASSWORD_PROTECTED" scripted,
        400 "SMS_CODE_CREATE_FAILED" scripted, 406 "UPDATE_APP_TO_LOGIN" scripted,
        303 "PHONE_MIGRATE_%d" @ "https://core.telegram.org/api/errors#303-see-other",
        303 "NETWORK_MIGRATE_%d" scripted @ "https://core.telegram.org/api/errors#303-see-other",
        420 "FLOOD_WAIT_%d" @ "https://core.telegram.org/api/errors#420-flood",
    }
    #[anonymous] auth::ResendCode => resend_code {
        400 "PHONE_CODE_EMPTY" scripted, 400 "PHONE_CODE_EXPIRED", 400 "PHONE_CODE_HASH_EMPTY",
        406 "PHONE_NUMBER_INVALID", 406 "SEND_CODE_UNAVAILABLE" scripted,
        303 "PHONE_MIGRATE_%d" @ "https://core.telegram.org/api/errors#303-see-other",
        420 "FLOOD_WAIT_%d" @ "https://core.telegram.org/api/errors#420-flood",
    }
    #[anonymous] auth::CancelCode => cancel_code {
        400 "PHONE_CODE_EXPIRED", 406 "PHONE_NUMBER_INVALID",
    }
}

/// Digits that every code has.
const CODE_LENGTH: i32 = 5;
/// After so many seconds a client offers another way.
const NEXT_TYPE_AFTER_S: i32 = 60;

fn send_code(cx: &mut Cx<'_>, r: f::auth::SendCode) -> Reply<enums::auth::SentCode> {
    cx.check_api(r.api_id, &r.api_hash)?;
    let phone = cx.phone_at_home(&r.phone_number)?;
    let sent = cx.send_login_code(&phone)?;
    Ok(sent.into())
}

fn resend_code(cx: &mut Cx<'_>, r: f::auth::ResendCode) -> Reply<enums::auth::SentCode> {
    let phone = cx.phone_at_home(&r.phone_number)?;
    if r.phone_code_hash.is_empty() {
        return Err(bad("PHONE_CODE_HASH_EMPTY"));
    }
    let now = cx.now;
    let codes = &mut cx.world.cluster.pending.codes;
    codes.find(&r.phone_code_hash, &phone, now).ok_or_else(|| bad("PHONE_CODE_EXPIRED"))?;
    codes.remove(&r.phone_code_hash);
    let mut sent = cx.send_login_code(&phone)?;
    sent.r#type = types::auth::SentCodeTypeSms { length: CODE_LENGTH }.into();
    Ok(sent.into())
}

fn cancel_code(cx: &mut Cx<'_>, r: f::auth::CancelCode) -> Reply<bool> {
    let phone = phone_of(&r.phone_number)?;
    let now = cx.now;
    let codes = &mut cx.world.cluster.pending.codes;
    codes.find(&r.phone_code_hash, &phone, now).ok_or_else(|| bad("PHONE_CODE_EXPIRED"))?;
    codes.remove(&r.phone_code_hash);
    Ok(true)
}

/// Digits of a number that can be one.
pub(super) fn phone_of(number: &str) -> Reply<String> {
    let digits = phone_digits(number);
    let written_well = number.chars().all(|c| c.is_ascii_digit() || " +()-".contains(c));
    if written_well && (5..=15).contains(&digits.len()) && digits != "42777" {
        Ok(digits)
    } else {
        Err(bad("PHONE_NUMBER_INVALID"))
    }
}

impl Cx<'_> {
    /// The number, if its account (or, where it has none, a new one) is at home on this DC.
    pub(super) fn phone_at_home(&self, number: &str) -> Reply<String> {
        let phone = phone_of(number)?;
        let cluster = &self.world.cluster;
        let home = match self.world.phones.get(&phone) {
            Some(user) => cluster.home_of(*user),
            None => self.dc,
        };
        if home == self.dc { Ok(phone) } else { Err(migrate(home)) }
    }

    fn send_login_code(&mut self, phone: &str) -> Reply<types::auth::SentCode> {
        let now = self.now;
        let (hash, sent) = self.world.cluster.pending.codes.send(phone, now).map_err(flood_wait)?;
        let user = self.world.phones.get(phone).copied();
        let elsewhere = user.filter(|user| !self.world.cluster.logins_of(*user).is_empty());
        if let Some(user) = elsewhere {
            self.write_code(user, &sent.code);
        }
        self.effect(json!({
            "kind": "auth.code_sent",
            "user_id": user.map(|user| user.0),
            "to": if elsewhere.is_some() { "app" } else { "sms" },
        }));
        let by_app = types::auth::SentCodeTypeApp { length: CODE_LENGTH }.into();
        let by_sms = types::auth::SentCodeTypeSms { length: CODE_LENGTH }.into();
        Ok(types::auth::SentCode {
            r#type: if elsewhere.is_some() { by_app } else { by_sms },
            phone_code_hash: hash,
            next_type: Some(enums::auth::CodeType::Sms),
            timeout: Some(NEXT_TYPE_AFTER_S),
        })
    }

    /// The code as a message to the account's other sessions.
    fn write_code(&mut self, user: UserId, code: &str) {
        let text = format!(
            "Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram!"
        );
        let body = Body::Text { text, entities: Vec::new() };
        self.post_private(SERVICE_ACCOUNT, user, body, &PostOptions::default());
    }
}

/// `303 PHONE_MIGRATE_X`.
pub(super) fn migrate(dc: i32) -> RpcError {
    RpcError::new(303, format!("PHONE_MIGRATE_{dc}"))
}
