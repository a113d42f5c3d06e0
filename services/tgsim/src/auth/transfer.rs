//! A login carried to another DC, where a client wants files or a group's history.

use grammers_tl_types::{enums, functions as f, types};

use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, bad};
use crate::world::{AuthKeyId, UserId};

requests! {
    auth::ExportAuthorization => export_authorization {
        400 "DC_ID_INVALID",
    }
    #[anonymous] auth::ImportAuthorization => import_authorization {
        400 "AUTH_BYTES_INVALID", 400 "USER_ID_INVALID",
    }
}

/// How long an exported authorization is good, in seconds.
const LIFE_S: i32 = 60;

/// An authorization between two DCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    user: UserId,
    from: AuthKeyId,
    to_dc: i32,
    expires: i32,
}

fn export_authorization(
    cx: &mut Cx<'_>,
    r: f::auth::ExportAuthorization,
) -> Reply<enums::auth::ExportedAuthorization> {
    let known = cx.world.cluster.dcs.iter().any(|dc| dc.id == r.dc_id);
    if !known || r.dc_id == cx.dc {
        return Err(bad("DC_ID_INVALID"));
    }
    let bytes: Vec<u8> = (0..128).map(|_| rand::random()).collect();
    let now = cx.now;
    let exported = Exported { user: cx.me, from: cx.key, to_dc: r.dc_id, expires: now + LIFE_S };
    let pending = &mut cx.world.cluster.pending.exported;
    pending.retain(|_, exported| now < exported.expires);
    pending.insert(bytes.clone(), exported);
    Ok(types::auth::ExportedAuthorization { id: cx.me.0, bytes }.into())
}

fn import_authorization(
    cx: &mut Cx<'_>,
    r: f::auth::ImportAuthorization,
) -> Reply<enums::auth::Authorization> {
    let (dc, now) = (cx.dc, cx.now);
    let pending = &mut cx.world.cluster.pending.exported;
    let exported = pending.get(&r.bytes).copied();
    let exported = exported
        .filter(|exported| exported.to_dc == dc && now < exported.expires)
        .ok_or_else(|| bad("AUTH_BYTES_INVALID"))?;
    if exported.user.0 != r.id {
        return Err(bad("USER_ID_INVALID"));
    }
    pending.remove(&r.bytes);
    let authorization = cx.log_in(exported.user, "import");
    cx.world.cluster.set_parent(cx.key, exported.from);
    Ok(authorization)
}
