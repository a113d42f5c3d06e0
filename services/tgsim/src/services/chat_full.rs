//! All about one basic group.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::cx::Cx;
use crate::rpc_error::Reply;
use crate::world::{Cast, Member, PeerId, UserId};

crate::requests! {
    messages::GetFullChat => get_full_chat { 400 "CHAT_ID_INVALID", 400 "PEER_ID_INVALID" }
}

/// `messages.getFullChat`. An admin gets the own primary link, made now if there was none.
fn get_full_chat(cx: &mut Cx<'_>, r: f::GetFullChat) -> Reply<enums::messages::ChatFull> {
    let id = cx.chat(r.chat_id)?.id;
    let live = cx.live_chat(r.chat_id).is_ok();
    let exported_invite = if live { cx.own_primary_link(id.into()) } else { None };
    let (me, chat) = (cx.me, cx.chat(r.chat_id)?);
    let is_admin = chat.members.get(&me).is_some_and(Member::is_admin);
    let pending = &chat.links.requests;
    let shows_pending = is_admin && !pending.is_empty();
    let inside = chat.members.contains_key(&me);
    let people: Vec<UserId> = if inside { chat.members.keys().copied().collect() } else { vec![] };
    let bots = people.iter().filter(|u| cx.world.users.get(u).is_some_and(|u| u.bot.is_some()));
    let bot_info: Vec<_> =
        bots.map(|u| types::BotInfo { user_id: Some(u.0), ..blank::bot_info() }.into()).collect();
    let mailbox = &cx.user(me)?.mailbox;
    let full = types::ChatFull {
        about: chat.about.clone(),
        exported_invite,
        bot_info: Some(bot_info).filter(|info| !info.is_empty()),
        pinned_msg_id: mailbox.with_peer(id.into()).find(|m| m.pinned).map(|m| m.id),
        ttl_period: chat.ttl_period,
        requests_pending: shows_pending.then(|| i32::try_from(pending.len()).unwrap_or(i32::MAX)),
        recent_requesters: shows_pending.then(|| chat.links.recent_requesters()),
        ..blank::chat_full(id.0, cx.world.chat_participants_view(me, chat))
    };
    let mut cast: Cast = people.into_iter().map(PeerId::User).collect();
    cast.add(id);
    cast.extend(chat.migrated_to.map(PeerId::Channel));
    cast.extend(full.recent_requesters.iter().flatten().map(|id| PeerId::User(UserId(*id))));
    let (users, chats) = cast.render(cx.world, me);
    Ok(types::messages::ChatFull { full_chat: full.into(), chats, users }.into())
}
