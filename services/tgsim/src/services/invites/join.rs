//! What people do with a link: look where it leads, and go in.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, not_acceptable};
use crate::world::{BasicGroup, InviteLink, JoinRequest, Joined, Member, PeerId, UserId};

crate::requests! {
    messages::CheckChatInvite => check_chat_invite {
        406 "CHANNEL_PRIVATE" scripted, 400 "INVITE_HASH_EMPTY", 406 "INVITE_HASH_EXPIRED", 400 "INVITE_HASH_INVALID",
    }
    messages::ImportChatInvite => import_chat_invite {
        400 "CHANNELS_TOO_MUCH", 400 "CHANNEL_INVALID" scripted, 400 "CHANNEL_PRIVATE" scripted,
        400 "CHAT_INVALID" scripted, 400 "INVITE_HASH_EMPTY", 406 "INVITE_HASH_EXPIRED", 400 "INVITE_HASH_INVALID",
        400 "INVITE_REQUEST_SENT", 400 "MSG_ID_INVALID" scripted, 400 "PEER_ID_INVALID" scripted,
        400 "STARS_PAYMENT_REQUIRED" scripted, 400 "USERS_TOO_MUCH", 400 "USER_ALREADY_PARTICIPANT",
        400 "USER_CHANNELS_TOO_MUCH" scripted,
    }
}

/// Length and alphabet of what stands after `t.me/+`.
const HASH_CHARS: std::ops::RangeInclusive<usize> = 16..=22;

/// `messages.checkChatInvite`: who is inside already gets the group itself.
fn check_chat_invite(cx: &mut Cx<'_>, r: f::CheckChatInvite) -> Reply<enums::ChatInvite> {
    let (group, link) = open_link(cx, &r.hash)?;
    if cx.member_of(group, cx.me).is_some() {
        let chat = match group {
            PeerId::Chat(id) => cx.world.chat_view(cx.me, id),
            PeerId::Channel(id) => cx.world.channel_view(cx.me, id),
            PeerId::User(_) => return Err(not_acceptable("INVITE_HASH_EXPIRED")),
        };
        return Ok(types::ChatInviteAlready { chat }.into());
    }
    let face = Face::of(cx, group);
    let known = face.members.iter().filter(|user| cx.world.is_contact(cx.me, **user));
    let participants: Vec<_> = known.map(|user| cx.world.user_view(cx.me, *user, false)).collect();
    Ok(types::ChatInvite {
        channel: matches!(group, PeerId::Channel(_)),
        broadcast: face.broadcast,
        public: face.public,
        megagroup: matches!(group, PeerId::Channel(_)) && !face.broadcast,
        request_needed: link.request_needed,
        verified: false,
        scam: false,
        fake: false,
        can_refulfill_subscription: false,
        title: face.title,
        about: Some(face.about).filter(|about| !about.is_empty()),
        photo: types::PhotoEmpty { id: 0 }.into(),
        participants_count: i32::try_from(face.members.len()).unwrap_or(i32::MAX),
        participants: Some(participants).filter(|p| !p.is_empty()),
        color: i32::try_from(group.bot_api().rem_euclid(7)).unwrap_or(0),
        subscription_pricing: None,
        subscription_form_id: None,
        bot_verification: None,
    }
    .into())
}

/// `messages.importChatInvite`. A link that needs approval leaves a request, told as an error.
fn import_chat_invite(
    cx: &mut Cx<'_>,
    r: f::ImportChatInvite,
) -> Reply<enums::messages::ChatInviteJoinResult> {
    let (group, link) = open_link(cx, &r.hash)?;
    let (me, now) = (cx.me, cx.now);
    if cx.member_of(group, me).is_some() {
        return Err(bad("USER_ALREADY_PARTICIPANT"));
    }
    if matches!(group, PeerId::Channel(_)) && cx.world.channels_full(me) {
        return Err(bad("CHANNELS_TOO_MUCH"));
    }
    cx.room_in(group)?;
    if link.request_needed {
        let request = JoinRequest { user: me, date: now, hash: Some(link.hash.clone()) };
        if cx.ask_to_join(group, request) {
            let link = Some(link.url());
            cx.effect(Effect::JoinRequested { chat_id: group.bot_api(), user_id: me.0, link });
        }
        return Err(bad("INVITE_REQUEST_SENT"));
    }
    let action = types::MessageActionChatJoinedByLink { inviter_id: link.admin.0 };
    cx.come_in(group, me, Some(&link.hash), None, action.into())?;
    cx.mention([group]);
    Ok(types::messages::ChatInviteJoinResultOk { updates: cx.answer() }.into())
}

/// The group behind a hash and the link itself, if the caller can use it. Someone banned is told that the link is
/// dead, like someone who comes too late.
fn open_link(cx: &Cx<'_>, hash: &str) -> Reply<(PeerId, InviteLink)> {
    let dead = || not_acceptable("INVITE_HASH_EXPIRED");
    if hash.is_empty() {
        return Err(bad("INVITE_HASH_EMPTY"));
    }
    let is_hash = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !HASH_CHARS.contains(&hash.chars().count()) || !hash.chars().all(is_hash) {
        return Err(bad("INVITE_HASH_INVALID"));
    }
    let group = *cx.world.links.get(hash).ok_or_else(dead)?;
    let closed = match group {
        PeerId::Chat(id) => cx.world.chats.get(&id).is_none_or(BasicGroup::is_gone),
        PeerId::Channel(id) => {
            cx.world.channels.get(&id).is_none_or(|c| c.deleted || c.bans(cx.me, cx.now))
        }
        PeerId::User(_) => true,
    };
    let link = cx
        .links(group)
        .ok()
        .and_then(|links| links.link(hash))
        .filter(|link| !link.is_dead(cx.now));
    match link {
        Some(link) if !closed => Ok((group, link.clone())),
        _ => Err(dead()),
    }
}

impl Cx<'_> {
    /// Somebody comes in by a link or an approved request: member, use of the link, service message, effect.
    pub(super) fn come_in(
        &mut self,
        group: PeerId,
        user: UserId,
        hash: Option<&str>,
        approved_by: Option<UserId>,
        action: enums::MessageAction,
    ) -> Reply<()> {
        let date = self.now;
        let used = hash.and_then(|hash| self.links(group).ok()?.link(hash).cloned());
        let inviter = used.as_ref().map_or(user, |link| link.admin);
        let member =
            Member { via_request: approved_by.is_some(), ..Member::plain(user, inviter, date) };
        if let Some(hash) = hash
            && let Some(link) = self.links_mut(group)?.link_mut(hash)
        {
            link.joined.push(Joined { user, date, approved_by });
        }
        match group {
            PeerId::Chat(id) => {
                self.world.enter_chat(id, member);
                self.chat_participants_changed(id);
                self.announce_in_chat(id, user, &[], action);
            }
            PeerId::Channel(id) => {
                let quiet = self.channel(id)?.broadcast;
                let invite = match &used {
                    Some(link) => Some(self.links(group)?.exported_view(link)),
                    None => None,
                };
                self.enter_channel(id, member, invite);
                self.channel_changed_for(id, &[user]);
                if !quiet {
                    self.announce_in_channel(id, user, action);
                }
            }
            PeerId::User(_) => return Err(bad("PEER_ID_INVALID")),
        }
        self.effect(Effect::MemberJoined {
            chat_id: group.bot_api(),
            user_id: user.0,
            link: used.map(|link| link.url()),
            approved_by: approved_by.map(|admin| admin.0),
        });
        Ok(())
    }
}

/// What a stranger sees of a group.
struct Face {
    title: String,
    about: String,
    members: Vec<UserId>,
    broadcast: bool,
    public: bool,
}

impl Face {
    fn of(cx: &Cx<'_>, group: PeerId) -> Self {
        let mut face = Self {
            title: String::new(),
            about: String::new(),
            members: vec![],
            broadcast: false,
            public: false,
        };
        if let PeerId::Chat(id) = group
            && let Some(chat) = cx.world.chats.get(&id)
        {
            face.title.clone_from(&chat.title);
            face.about.clone_from(&chat.about);
            face.members = chat.members.keys().copied().collect();
        }
        if let PeerId::Channel(id) = group
            && let Some(channel) = cx.world.channels.get(&id)
        {
            face.title.clone_from(&channel.title);
            face.about.clone_from(&channel.about);
            face.members = channel.members.keys().copied().collect();
            face.broadcast = channel.broadcast;
            face.public = channel.username.is_some();
        }
        face
    }
}
