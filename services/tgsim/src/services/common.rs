//! Groups that two accounts share.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{PeerId, UserId};

crate::requests! {
    messages::GetCommonChats => get_common_chats {
        400 "CHANNEL_PRIVATE" scripted, 400 "MSG_ID_INVALID", 400 "USER_ID_INVALID",
    }
}

/// `messages.getCommonChats`: newest id first, at most 100 a page; the next page is what comes before `max_id`, a bare
/// id of either kind of group. Broadcast channels, and supergroups that hide their members, don't count.
fn get_common_chats(cx: &mut Cx<'_>, r: f::GetCommonChats) -> Reply<enums::messages::Chats> {
    let user = cx.user_named(&r.user_id, "USER_ID_INVALID")?;
    if user == cx.me {
        return Err(bad("USER_ID_INVALID"));
    }
    let mut all = common(cx, user);
    all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    let page_size = cx.world.limits.page;
    let limit = match usize::try_from(r.limit) {
        Ok(0) | Err(_) => page_size,
        Ok(n) => n.min(page_size),
    };
    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    let start = match r.max_id {
        id if id > 0 => all.iter().position(|(other, _)| *other < id).unwrap_or(all.len()),
        _ => 0,
    };
    let whole = start == 0 && all.len() <= limit;
    let chats = all.into_iter().skip(start).take(limit).filter_map(|(_, group)| match group {
        PeerId::Chat(id) => Some(cx.world.chat_view(cx.me, id)),
        PeerId::Channel(id) => Some(cx.world.channel_view(cx.me, id)),
        PeerId::User(_) => None,
    });
    let chats = chats.collect();
    Ok(if whole {
        types::messages::Chats { chats }.into()
    } else {
        types::messages::ChatsSlice { count, chats }.into()
    })
}

/// Bare id and group of all that the caller and `user` are both in.
fn common(cx: &Cx<'_>, user: UserId) -> Vec<(i64, PeerId)> {
    let (Some(me), Some(other)) = (cx.world.users.get(&cx.me), cx.world.users.get(&user)) else {
        return vec![];
    };
    let chats = me.chats.intersection(&other.chats);
    let live = chats.filter(|id| cx.world.chats.get(id).is_some_and(|c| !c.is_gone()));
    let channels = me.channels.intersection(&other.channels);
    let shown = channels.filter(|id| {
        let admin = || cx.is_admin_of_channel(**id);
        cx.world
            .channels
            .get(id)
            .is_some_and(|c| !c.deleted && !c.broadcast && (!c.participants_hidden || admin()))
    });
    let mut all: Vec<_> = live.map(|id| (id.0, PeerId::Chat(*id))).collect();
    all.extend(shown.map(|id| (id.0, PeerId::Channel(*id))));
    all
}
