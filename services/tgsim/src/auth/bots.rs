//! Bots log in with their token.

use grammers_tl_types::{enums, functions as f};

use crate::cx::Cx;
use crate::requests;
use crate::rpc_error::{Reply, RpcError, bad};

requests! {
    #[anonymous] auth::ImportBotAuthorization => import_bot_authorization {
        400 "ACCESS_TOKEN_EXPIRED" scripted, 400 "ACCESS_TOKEN_INVALID", 400 "API_ID_INVALID",
        400 "API_ID_PUBLISHED_FLOOD" scripted,
        303 "USER_MIGRATE_%d" @ "https://core.telegram.org/api/errors#303-see-other",
    }
}

fn import_bot_authorization(
    cx: &mut Cx<'_>,
    r: f::auth::ImportBotAuthorization,
) -> Reply<enums::auth::Authorization> {
    cx.check_api(r.api_id, &r.api_hash)?;
    let named = |token: &str| !token.is_empty() && token == r.bot_auth_token;
    let bot = cx.world.users.values().find(|u| u.bot.as_ref().is_some_and(|b| named(&b.token)));
    let bot = bot.ok_or_else(|| bad("ACCESS_TOKEN_INVALID"))?.id;
    let home = cx.world.cluster.home_of(bot);
    if home != cx.dc {
        return Err(RpcError::new(303, format!("USER_MIGRATE_{home}")));
    }
    Ok(cx.log_in(bot, "bot_token"))
}
