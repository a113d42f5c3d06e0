//! Join requests: asking, and being let in or not.
//!
//! Source: <https://core.telegram.org/api/invites#join-requests>.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::access::hash_of;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, RpcError, bad, forbidden};
use crate::world::{InviteLink, JoinRequest, PeerId, UserId};

crate::requests! {
    messages::HideChatJoinRequest => hide_chat_join_request {
        400 "CHANNELS_TOO_MUCH" scripted, 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED",
        403 "CHAT_WRITE_FORBIDDEN", 400 "HIDE_REQUESTER_MISSING", 400 "INPUT_USER_DEACTIVATED", 400 "MSG_ID_INVALID",
        400 "PEER_ID_INVALID", 400 "USER_ALREADY_PARTICIPANT", 403 "USER_CHANNELS_TOO_MUCH", 400 "USER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "USERS_TOO_MUCH" @ "https://core.telegram.org/api/errors",
    }
    messages::HideAllChatJoinRequests => hide_all_chat_join_requests {
        400 "CHANNELS_TOO_MUCH" scripted, 400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED",
        403 "CHAT_WRITE_FORBIDDEN", 400 "HIDE_REQUESTER_MISSING", 400 "INVITE_HASH_EXPIRED", 400 "PEER_ID_INVALID",
        400 "USER_CHANNELS_TOO_MUCH",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "USERS_TOO_MUCH" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.hideChatJoinRequest`.
fn hide_chat_join_request(cx: &mut Cx<'_>, r: f::HideChatJoinRequest) -> Reply<enums::Updates> {
    let group = cx.group(&r.peer)?;
    cx.may_link(group)?;
    let user = cx.live_user_named(&r.user_id)?;
    if cx.member_of(group, user).is_some() {
        return Err(bad("USER_ALREADY_PARTICIPANT"));
    }
    if !cx.links(group)?.requests.contains_key(&user) {
        return Err(bad("HIDE_REQUESTER_MISSING"));
    }
    decide(cx, group, user, r.approved)?;
    cx.pending_changed(group);
    cx.mention([group]);
    Ok(cx.answer())
}

/// `messages.hideAllChatJoinRequests`: all, or those of one link. Who can't be let in keeps waiting; it is an error
/// only if nobody could.
fn hide_all_chat_join_requests(
    cx: &mut Cx<'_>,
    r: f::HideAllChatJoinRequests,
) -> Reply<enums::Updates> {
    let group = cx.group(&r.peer)?;
    cx.may_link(group)?;
    let hash = r.link.as_deref().filter(|link| !link.is_empty()).map(hash_of);
    if let Some(hash) = hash {
        drop(cx.own_link(group, hash)?);
    }
    let requests = cx.links(group)?.requests.values();
    let waiting: Vec<UserId> =
        requests.filter(|r| hash.is_none() || r.hash.as_deref() == hash).map(|r| r.user).collect();
    if waiting.is_empty() {
        return Err(bad("HIDE_REQUESTER_MISSING"));
    }
    let mut refused = None;
    let mut decided = 0;
    for user in waiting {
        match decide(cx, group, user, r.approved) {
            Ok(()) => decided += 1,
            Err(error) => refused = Some(error),
        }
    }
    if let (Some(error), 0) = (refused, decided) {
        return Err(error);
    }
    cx.pending_changed(group);
    cx.mention([group]);
    Ok(cx.answer())
}

/// Lets one in, or takes the request off the list.
fn decide(cx: &mut Cx<'_>, group: PeerId, user: UserId, approved: bool) -> Reply<()> {
    let (chat_id, me) = (group.bot_api(), cx.me);
    if !approved {
        cx.links_mut(group)?.requests.shift_remove(&user);
        cx.effect(Effect::JoinDeclined { chat_id, user_id: user.0, by: me.0 });
        return Ok(());
    }
    cx.room_for(group, user)?;
    let asked = cx.links(group)?.requests.get(&user).cloned();
    let hash = asked.and_then(|request| request.hash);
    let action = enums::MessageAction::ChatJoinedByRequest;
    cx.come_in(group, user, hash.as_deref(), Some(me), action)
}

impl Cx<'_> {
    /// Leaves a request; `false` where there is one already. Admins who may invite hear of it.
    pub(in crate::services) fn ask_to_join(&mut self, group: PeerId, request: JoinRequest) -> bool {
        let Ok(links) = self.links_mut(group) else { return false };
        if links.requests.contains_key(&request.user) {
            return false;
        }
        links.requests.insert(request.user, request.clone());
        self.pending_changed(group);
        self.tell_bots_of_request(group, &request);
        true
    }

    /// Whether the group and the account have room: `USERS_TOO_MUCH`, `USER_CHANNELS_TOO_MUCH`.
    pub(super) fn room_for(&self, group: PeerId, user: UserId) -> Reply<()> {
        match group {
            PeerId::Channel(_) if self.world.channels_full(user) => {
                Err(forbidden("USER_CHANNELS_TOO_MUCH"))
            }
            group => self.room_in(group),
        }
    }

    /// Whether the group has room: `USERS_TOO_MUCH`.
    pub(super) fn room_in(&self, group: PeerId) -> Result<(), RpcError> {
        match group {
            PeerId::Channel(id) => self.room_in_channel(id),
            PeerId::Chat(id) => {
                let full = self
                    .world
                    .chats
                    .get(&id)
                    .is_some_and(|c| c.members.len() >= self.world.limits.chat_members);
                if full { Err(bad("USERS_TOO_MUCH")) } else { Ok(()) }
            }
            PeerId::User(_) => Err(bad("PEER_ID_INVALID")),
        }
    }

    /// Tells the admins how many wait (`updatePendingJoinRequests`).
    fn pending_changed(&mut self, group: PeerId) {
        let Ok(links) = self.links(group) else { return };
        let recent_requesters = links.recent_requesters();
        let requests_pending = i32::try_from(links.requests.len()).unwrap_or(i32::MAX);
        let mut peers: Vec<PeerId> =
            recent_requesters.iter().map(|id| PeerId::User(UserId(*id))).collect();
        peers.push(group);
        for admin in self.door_keepers(group, false) {
            let update = types::UpdatePendingJoinRequests {
                peer: group.tl(),
                requests_pending,
                recent_requesters: recent_requesters.clone(),
            };
            self.notice(admin, update.into(), &peers);
        }
    }

    fn tell_bots_of_request(&mut self, group: PeerId, request: &JoinRequest) {
        let Ok(links) = self.links(group) else { return };
        let link = request.hash.as_deref().and_then(|hash| links.link(hash));
        let invite = match link {
            Some(link) => {
                links.exported_view(&InviteLink { hash: shortened(&link.hash), ..link.clone() })
            }
            None => enums::ExportedChatInvite::ChatInvitePublicJoinRequests,
        };
        let about =
            self.world.users.get(&request.user).map(|u| u.about.clone()).unwrap_or_default();
        for bot in self.door_keepers(group, true) {
            let update = types::UpdateBotChatInviteRequester {
                peer: group.tl(),
                date: request.date,
                user_id: request.user.0,
                about: about.clone(),
                invite: invite.clone(),
                qts: self.next_qts(bot),
                query_id: None,
            };
            self.notice(bot, update.into(), &[group, request.user.into()]);
        }
    }

    /// Admins who may invite: people, or bots.
    fn door_keepers(&self, group: PeerId, bots: bool) -> Vec<UserId> {
        let members: Vec<UserId> = match group {
            PeerId::Chat(id) => {
                self.world.chats.get(&id).map(|c| c.members.keys().copied().collect())
            }
            PeerId::Channel(id) => {
                self.world.channels.get(&id).map(|c| c.members.keys().copied().collect())
            }
            PeerId::User(_) => None,
        }
        .unwrap_or_default();
        let is_bot = |user: &UserId| self.world.users.get(user).is_some_and(|u| u.bot.is_some());
        members
            .into_iter()
            .filter(|user| is_bot(user) == bots && self.manages_links(group, *user))
            .collect()
    }
}

/// Bots see only the beginning of other admins' links, <https://core.telegram.org/bots/api#chatinvitelink>.
fn shortened(hash: &str) -> String {
    format!("{}...", hash.chars().take(8).collect::<String>())
}
