//! The list of conversations.
//!
//! Private chats and basic groups stand in the account's own list, supergroups and channels are added for each it is
//! a member of. Paging: <https://core.telegram.org/api/offsets>.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, not_simulated};
use crate::world::{Cast, PeerId};

crate::requests! {
    messages::GetDialogs => get_dialogs {
        400 "FOLDER_ID_INVALID", 400 "OFFSET_PEER_ID_INVALID", 400 "TAKEOUT_INVALID" scripted,
        400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN" scripted,
        400 "PINNED_DIALOGS_TOO_MUCH" scripted,
    }
    messages::GetPeerDialogs => get_peer_dialogs {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "INPUT_PEERS_EMPTY", 400 "MSG_ID_INVALID",
        400 "PEER_ID_INVALID", 400 "FROZEN_PARTICIPANT_MISSING" scripted,
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    messages::GetPinnedDialogs => get_pinned_dialogs { 400 "FOLDER_ID_INVALID" }
    messages::ToggleDialogPin => toggle_dialog_pin {
        400 "CHANNEL_PRIVATE", 400 "PEER_HISTORY_EMPTY", 400 "PEER_ID_INVALID", 400 "PINNED_DIALOGS_TOO_MUCH",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/messages.getPeerDialogs",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.getPeerDialogs",
    }
}

/// One conversation, with what the list is sorted by.
struct Entry {
    peer: PeerId,
    pinned: bool,
    date: i32,
    top_message: i32,
}

/// `messages.getDialogs`: newest first, the pinned ones in front; `dialogsSlice` where there are more.
fn get_dialogs(cx: &mut Cx<'_>, r: f::GetDialogs) -> Reply<enums::messages::Dialogs> {
    match r.folder_id {
        None | Some(0) => {}
        // The archive is a folder that nothing is ever moved to here.
        Some(1) => {
            let (dialogs, messages, chats, users) = Default::default();
            return Ok(types::messages::Dialogs { dialogs, messages, chats, users }.into());
        }
        Some(_) => return Err(bad("FOLDER_ID_INVALID")),
    }
    let offset_peer = match &r.offset_peer {
        enums::InputPeer::Empty => None,
        peer => Some(cx.input_peer(peer).map_err(|_| bad("OFFSET_PEER_ID_INVALID"))?),
    };
    let mut all = entries(cx);
    all.retain(|e| !(r.exclude_pinned && e.pinned));
    let total = all.len();
    if r.offset_date != 0 || r.offset_id != 0 || offset_peer.is_some() {
        let at =
            all.iter().position(|e| Some(e.peer) == offset_peer && e.top_message == r.offset_id);
        all = match at {
            Some(at) => all.split_off(at + 1),
            None => all.into_iter().filter(|e| !e.pinned && e.date < r.offset_date).collect(),
        };
    }
    let whole = all.len() == total && total <= r.limit.max(0) as usize;
    all.truncate((r.limit.max(0) as usize).min(cx.world.limits.page));
    let peers: Vec<PeerId> = all.iter().map(|e| e.peer).collect();
    let (dialogs, messages, users, chats) = render(cx, &peers);
    if whole {
        return Ok(types::messages::Dialogs { dialogs, messages, chats, users }.into());
    }
    let count = i32::try_from(total).unwrap_or(i32::MAX);
    Ok(types::messages::DialogsSlice { count, dialogs, messages, chats, users }.into())
}

/// `messages.getPeerDialogs`: those named, even where nothing was said yet.
fn get_peer_dialogs(cx: &mut Cx<'_>, r: f::GetPeerDialogs) -> Reply<enums::messages::PeerDialogs> {
    if r.peers.is_empty() {
        return Err(bad("INPUT_PEERS_EMPTY"));
    }
    let mut peers = vec![];
    for peer in &r.peers {
        match peer {
            enums::InputDialogPeer::Peer(p) => peers.push(cx.input_peer(&p.peer)?),
            _ => return Err(not_simulated("folder")),
        }
    }
    Ok(peer_dialogs(cx, &peers))
}

/// `messages.getPinnedDialogs`.
fn get_pinned_dialogs(
    cx: &mut Cx<'_>,
    r: f::GetPinnedDialogs,
) -> Reply<enums::messages::PeerDialogs> {
    let pinned: Vec<PeerId> = match r.folder_id {
        0 => entries(cx).into_iter().filter(|e| e.pinned).map(|e| e.peer).collect(),
        1 => vec![],
        _ => return Err(bad("FOLDER_ID_INVALID")),
    };
    Ok(peer_dialogs(cx, &pinned))
}

/// `messages.toggleDialogPin`.
fn toggle_dialog_pin(cx: &mut Cx<'_>, r: f::ToggleDialogPin) -> Reply<bool> {
    let enums::InputDialogPeer::Peer(named) = &r.peer else { return Err(not_simulated("folder")) };
    let peer = cx.input_peer(&named.peer)?;
    let all = entries(cx);
    if !all.iter().any(|e| e.peer == peer) {
        return Err(bad("PEER_HISTORY_EMPTY"));
    }
    let others = all.iter().filter(|e| e.pinned && e.peer != peer).count();
    if r.pinned && others >= cx.world.limits.pinned_dialogs {
        return Err(bad("PINNED_DIALOGS_TOO_MUCH"));
    }
    let me = cx.me;
    let Some(user) = cx.world.users.get_mut(&me) else { return Err(bad("PEER_ID_INVALID")) };
    let dialog = user.dialogs.entry(peer).or_default();
    dialog.pinned = r.pinned;
    let unread_mark = dialog.unread_mark;
    let named = types::DialogPeer { peer: peer.tl() }.into();
    let update = types::UpdateDialogPinned { pinned: r.pinned, folder_id: None, peer: named };
    cx.notice(me, update.into(), &[peer]);
    cx.effect(Effect::DialogEdited { chat_id: peer.bot_api(), pinned: r.pinned, unread_mark });
    Ok(true)
}

fn peer_dialogs(cx: &Cx<'_>, peers: &[PeerId]) -> enums::messages::PeerDialogs {
    let (dialogs, messages, users, chats) = render(cx, peers);
    let state = cx.state();
    types::messages::PeerDialogs { dialogs, messages, chats, users, state }.into()
}

/// Every conversation of the caller in which something was said, in the list's order.
fn entries(cx: &Cx<'_>) -> Vec<Entry> {
    let Some(me) = cx.world.users.get(&cx.me) else { return vec![] };
    let mut all = vec![];
    for (peer, dialog) in &me.dialogs {
        if let Some(top) = me.mailbox.messages.get(&dialog.top_message)
            && top.peer == *peer
        {
            let (pinned, date, top_message) = (dialog.pinned, top.date, top.id);
            all.push(Entry { peer: *peer, pinned, date, top_message });
        }
    }
    for id in &me.channels {
        let Some(channel) = cx.world.channels.get(id) else { continue };
        let top = channel.history.messages.values().next_back();
        let (peer, pinned) =
            (PeerId::Channel(*id), me.dialogs.get(&(*id).into()).is_some_and(|d| d.pinned));
        let (date, top_message) = top.map_or((channel.date, 0), |m| (m.date, m.id));
        all.push(Entry { peer, pinned, date, top_message });
    }
    all.sort_by_key(|e| (!e.pinned, -i64::from(e.date), -i64::from(e.top_message), e.peer));
    all
}

type Rendered = (Vec<enums::Dialog>, Vec<enums::Message>, Vec<enums::User>, Vec<enums::Chat>);

fn render(cx: &Cx<'_>, peers: &[PeerId]) -> Rendered {
    let (mut dialogs, mut messages, mut cast) = (vec![], vec![], Cast::default());
    for peer in peers {
        cast.add(*peer);
        let dialog = cx.dialog_view(*peer);
        if let Some(top) = cx.readable(*peer, dialog.top_message) {
            cast.extend(top.peers());
            messages.push(cx.world.message_view(cx.me, top));
        }
        dialogs.push(dialog.into());
    }
    let (users, chats) = cast.render(cx.world, cx.me);
    (dialogs, messages, users, chats)
}

impl Cx<'_> {
    /// `dialog` of one conversation of the caller.
    pub fn dialog_view(&self, peer: PeerId) -> types::Dialog {
        let me = self.world.users.get(&self.me);
        let own = me.and_then(|u| u.dialogs.get(&peer)).cloned().unwrap_or_default();
        let (pinned, unread_mark) = (own.pinned, own.unread_mark);
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        if let PeerId::Channel(id) = peer
            && let Some(channel) = self.world.channels.get(&id)
        {
            let read = channel.members.get(&self.me).map_or(0, |m| m.read_inbox_max_id);
            let mine = PeerId::User(self.me);
            let unread =
                channel.history.messages.values().filter(|m| m.id > read && m.from != mine).count();
            let others = channel.members.values().filter(|m| m.user != self.me);
            return types::Dialog {
                pinned,
                unread_mark,
                top_message: channel.history.messages.keys().next_back().copied().unwrap_or(0),
                read_inbox_max_id: read,
                read_outbox_max_id: others.map(|m| m.read_inbox_max_id).max().unwrap_or(0),
                unread_count: count(unread),
                pts: Some(channel.history.pts),
                ..blank::dialog(peer.tl())
            };
        }
        let mailbox = me.map(|u| &u.mailbox);
        let unread = mailbox.map_or(0, |b| {
            b.with_peer(peer).filter(|m| !m.out && m.id > own.read_inbox_max_id).count()
        });
        types::Dialog {
            pinned,
            unread_mark,
            top_message: own.top_message,
            read_inbox_max_id: own.read_inbox_max_id,
            read_outbox_max_id: own.read_outbox_max_id,
            unread_count: count(unread),
            ..blank::dialog(peer.tl())
        }
    }
}
