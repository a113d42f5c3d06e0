//! Temporary keys (perfect forward secrecy) and the permanent key for which each stands.
//!
//! Source: <https://core.telegram.org/api/pfs>. The binding message is the one place where MTProto 1.0's
//! encryption is still in use.

use grammers_crypto::aes;
use grammers_tl_types::{Cursor, Deserializable, enums, functions as f};
use sha1::{Digest, Sha1};

use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, bad};
use crate::world::AuthKeyId;

requests! {
    #[anonymous] auth::BindTempAuthKey => bind_temp_auth_key {
        400 "ENCRYPTED_MESSAGE_INVALID", 400 "EXPIRES_AT_INVALID", 400 "TEMP_AUTH_KEY_ALREADY_BOUND",
        400 "TEMP_AUTH_KEY_EMPTY",
    }
    #[anonymous] auth::DropTempAuthKeys => drop_temp_auth_keys {}
}

fn bind_temp_auth_key(cx: &mut Cx<'_>, r: f::auth::BindTempAuthKey) -> Reply<bool> {
    let permanent = AuthKeyId(r.perm_auth_key_id);
    let cluster = &mut cx.world.cluster;
    let temporary = cluster.keys.get(&cx.key).and_then(|key| key.temporary);
    let temporary = temporary.ok_or_else(|| bad("TEMP_AUTH_KEY_EMPTY"))?;
    if temporary.bound_to.is_some_and(|bound| bound != permanent) {
        return Err(bad("TEMP_AUTH_KEY_ALREADY_BOUND"));
    }
    let key = cluster.keys.get(&permanent).filter(|key| key.temporary.is_none() && key.dc == cx.dc);
    let key = key.ok_or_else(|| bad("ENCRYPTED_MESSAGE_INVALID"))?;
    let inner = open(key.key.bytes(), &r.encrypted_message);
    let inner = inner.ok_or_else(|| bad("ENCRYPTED_MESSAGE_INVALID"))?;
    let same = inner.nonce == r.nonce
        && inner.temp_auth_key_id == cx.key.0
        && inner.perm_auth_key_id == permanent.0
        && inner.expires_at == r.expires_at;
    if !same {
        return Err(bad("ENCRYPTED_MESSAGE_INVALID"));
    }
    if i64::from(r.expires_at) > temporary.expires_at + 60 {
        return Err(bad("EXPIRES_AT_INVALID"));
    }
    let client = key.client.clone();
    if let Some(key) = cluster.keys.get_mut(&cx.key) {
        key.client = key.client.take().or(client);
        if let Some(temporary) = &mut key.temporary {
            temporary.bound_to = Some(permanent);
        }
    }
    Ok(true)
}

fn drop_temp_auth_keys(cx: &mut Cx<'_>, r: f::auth::DropTempAuthKeys) -> Reply<bool> {
    let mine = cx.key;
    cx.world.cluster.keys.retain(|id, key| {
        let bound_here = key.temporary.is_some_and(|t| t.bound_to == Some(mine));
        !bound_here || r.except_auth_keys.contains(&id.0)
    });
    Ok(true)
}

/// Opens a message of MTProto 1.0: key id, message key, and what is encrypted with AES-IGE.
fn open(key: &[u8; 256], message: &[u8]) -> Option<grammers_tl_types::types::BindAuthKeyInner> {
    let (header, encrypted) = message.split_at_checked(24)?;
    if encrypted.len() < 64 || encrypted.len() % 16 != 0 || encrypted.len() > 1024 {
        return None;
    }
    let msg_key = &header[8..];
    let sha1 = |parts: [&[u8]; 3]| -> [u8; 20] { Sha1::digest(parts.concat()).into() };
    let a = sha1([msg_key, &key[..32], &[]]);
    let b = sha1([&key[32..48], msg_key, &key[48..64]]);
    let c = sha1([&key[64..96], msg_key, &[]]);
    let d = sha1([msg_key, &key[96..128], &[]]);
    let mut aes_key = [0; 32];
    aes_key.copy_from_slice(&[&a[..8], &b[8..20], &c[4..16]].concat());
    let mut aes_iv = [0; 32];
    aes_iv.copy_from_slice(&[&a[8..20], &b[..8], &c[16..20], &d[..8]].concat());
    let mut plain = encrypted.to_vec();
    aes::ige_decrypt(&mut plain, &aes_key, &aes_iv);
    // 128 random bits, message id, sequence number, length.
    let length = usize::try_from(i32::from_bytes(&plain[28..32]).ok()?).ok()?;
    let whole = plain.get(..32_usize.checked_add(length)?)?;
    if Sha1::digest(whole)[4..] != *msg_key {
        return None;
    }
    let mut cursor = Cursor::from_slice(&whole[32..]);
    let enums::BindAuthKeyInner::Inner(inner) =
        enums::BindAuthKeyInner::deserialize(&mut cursor).ok()?;
    Some(inner)
}
