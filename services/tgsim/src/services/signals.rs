//! Small talk between client and server about a conversation: typing, received, settings, marks.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::messages::may_write;
use super::users::peer_settings;
use crate::blank;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, not_simulated};
use crate::world::{Cast, PeerId, UserId};

crate::requests! {
    messages::SetTyping => set_typing {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID",
        403 "CHAT_WRITE_FORBIDDEN", 400 "INPUT_USER_DEACTIVATED", 400 "MSG_ID_INVALID", 406 "PEER_ID_INVALID",
        400 "USER_BANNED_IN_CHANNEL", 403 "USER_IS_BLOCKED", 400 "USER_IS_BOT",
        400 "BUSINESS_CONNECTION_INVALID" scripted, 400 "BUSINESS_PEER_INVALID" scripted,
        400 "BUSINESS_PEER_USAGE_MISSING" scripted, 400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted,
        403 "GROUPCALL_FORBIDDEN" scripted, 400 "MESSAGE_TOO_LONG" scripted,
        400 "TEXTDRAFT_PEER_INVALID" scripted,
        406 "PRIVACY_PREMIUM_REQUIRED" @ "https://core.telegram.org/method/messages.sendMessage",
        403 "CHAT_GUEST_SEND_FORBIDDEN" @ "https://core.telegram.org/method/messages.sendMessage",
        403 "CHAT_SEND_PLAIN_FORBIDDEN" @ "https://core.telegram.org/method/messages.sendMessage",
        420 "SLOWMODE_WAIT_%d" @ "https://core.telegram.org/method/messages.sendMessage",
        400 "YOU_BLOCKED_USER" @ "https://core.telegram.org/method/messages.sendMessage",
        400 "PEER_FLOOD" @ "https://core.telegram.org/api/errors",
    }
    messages::GetPeerSettings => get_peer_settings {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted,
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    messages::ReceivedMessages => received_messages {}
    messages::MarkDialogUnread => mark_dialog_unread {
        400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/messages.getPeerDialogs",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/messages.getPeerDialogs",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.getPeerDialogs",
    }
}

/// `messages.setTyping`: shown to who is connected, kept nowhere.
fn set_typing(cx: &mut Cx<'_>, r: f::SetTyping) -> Reply<bool> {
    let peer = cx.input_peer(&r.peer)?;
    may_write(cx, peer)?;
    let (me, date, action) = (cx.me, cx.now, r.action);
    let from_id = PeerId::User(me).tl();
    let others =
        |members: Vec<UserId>| members.into_iter().filter(move |m| *m != me).collect::<Vec<_>>();
    let (to, update): (Vec<UserId>, enums::Update) = match peer {
        PeerId::User(id) => (
            others(vec![id]),
            types::UpdateUserTyping { user_id: me.0, top_msg_id: None, action }.into(),
        ),
        PeerId::Chat(id) => {
            let members = cx.chat(id.0)?.members.keys().copied().collect();
            (others(members), types::UpdateChatUserTyping { chat_id: id.0, from_id, action }.into())
        }
        PeerId::Channel(id) => {
            let members = cx.channel(id)?.members.keys().copied().collect();
            let update = types::UpdateChannelUserTyping {
                channel_id: id.0,
                top_msg_id: r.top_msg_id,
                from_id,
                action,
            };
            (others(members), update.into())
        }
    };
    for user in to {
        cx.push(user, types::UpdateShort { update: update.clone(), date }.into());
    }
    Ok(true)
}

/// `messages.getPeerSettings`: the action bar; groups have none here.
fn get_peer_settings(
    cx: &mut Cx<'_>,
    r: f::GetPeerSettings,
) -> Reply<enums::messages::PeerSettings> {
    let peer = cx.input_peer(&r.peer)?;
    let settings = match peer {
        PeerId::User(id) => peer_settings(cx, id),
        PeerId::Chat(_) | PeerId::Channel(_) => blank::peer_settings().into(),
    };
    let cast: Cast = [peer].into_iter().collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    Ok(types::messages::PeerSettings { settings, chats, users }.into())
}

/// `messages.receivedMessages`: the unread incoming messages up to there, for which no push is needed any more.
fn received_messages(
    cx: &mut Cx<'_>,
    r: f::ReceivedMessages,
) -> Reply<Vec<enums::ReceivedNotifyMessage>> {
    let me = cx.user(cx.me)?;
    let unread = me.mailbox.messages.range(..=r.max_id).filter(|(id, m)| {
        !m.out && **id > me.dialogs.get(&m.peer).map_or(0, |d| d.read_inbox_max_id)
    });
    Ok(unread.map(|(id, _)| types::ReceivedNotifyMessage { id: *id, flags: 0 }.into()).collect())
}

/// `messages.markDialogUnread`.
fn mark_dialog_unread(cx: &mut Cx<'_>, r: f::MarkDialogUnread) -> Reply<bool> {
    let enums::InputDialogPeer::Peer(named) = &r.peer else { return Err(not_simulated("folder")) };
    if r.parent_peer.is_some() {
        return Err(not_simulated("parent_peer"));
    }
    let peer = cx.input_peer(&named.peer)?;
    let (me, unread) = (cx.me, r.unread);
    let Some(user) = cx.world.users.get_mut(&me) else { return Ok(false) };
    let dialog = user.dialogs.entry(peer).or_default();
    dialog.unread_mark = unread;
    let pinned = dialog.pinned;
    let named = types::DialogPeer { peer: peer.tl() }.into();
    let update = types::UpdateDialogUnreadMark { unread, peer: named, saved_peer_id: None };
    cx.notice(me, update.into(), &[peer]);
    cx.effect(Effect::DialogEdited { chat_id: peer.bot_api(), pinned, unread_mark: unread });
    Ok(true)
}
