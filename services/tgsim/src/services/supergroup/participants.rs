//! Who is in a supergroup: one, or a list by filter.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::membership::Standing;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, Channel, ChannelId, Member, PeerId, Role, UserId, banned_participant};

crate::requests! {
    channels::GetParticipant => get_participant {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED", 400 "MSG_ID_INVALID",
        400 "PARTICIPANT_ID_INVALID", 400 "USER_ID_INVALID", 400 "USER_NOT_PARTICIPANT",
    }
    channels::GetParticipants => get_participants {
        400 "CHANNEL_INVALID", 400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted, 406 "CHANNEL_PRIVATE",
        403 "CHAT_ADMIN_REQUIRED", 400 "MSG_ID_INVALID",
    }
}

impl Cx<'_> {
    /// The list of a broadcast channel, or a hidden one, is for admins only.
    fn may_see_members(&self, id: ChannelId) -> Reply<()> {
        let channel = self.channel(id)?;
        let closed = channel.broadcast || channel.participants_hidden;
        if closed && !self.is_admin_of_channel(id) {
            Err(bad("CHAT_ADMIN_REQUIRED"))
        } else {
            Ok(())
        }
    }
}

/// `channels.getParticipant`. People who are kept out count as participants, as `channelParticipantBanned`.
fn get_participant(
    cx: &mut Cx<'_>,
    r: f::GetParticipant,
) -> Reply<enums::channels::ChannelParticipant> {
    let id = cx.channel_named(&r.channel)?;
    let user = cx.participant(&r.participant)?;
    if user != cx.me {
        cx.may_see_members(id)?;
    }
    let channel = cx.channel(id)?;
    let participant = match cx.standing_in(id, user) {
        Standing::In(member) => channel.participant_view(cx.me, &member),
        Standing::KeptOut(banned) if holds(banned.rights.until_date, cx.now) => {
            banned_participant(&banned)
        }
        Standing::KeptOut(_) | Standing::Out => return Err(bad("USER_NOT_PARTICIPANT")),
    };
    let (users, chats) = cast_of(&participant, id).render(cx.world, cx.me);
    Ok(types::channels::ChannelParticipant { participant, chats, users }.into())
}

/// `channels.getParticipants`: at most 200 a page, newest members first. `hash` is of the ids on the page.
fn get_participants(
    cx: &mut Cx<'_>,
    r: f::GetParticipants,
) -> Reply<enums::channels::ChannelParticipants> {
    let id = cx.channel_named(&r.channel)?;
    cx.may_see_members(id)?;
    let found = filtered(cx, id, &r.filter)?;
    let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    let limit = usize::try_from(r.limit).unwrap_or(0).min(cx.world.limits.participants_page);
    let offset = usize::try_from(r.offset).unwrap_or(0);
    let page: Vec<_> = found.into_iter().skip(offset).take(limit).collect();
    if r.hash != 0 && r.hash == hash_of(page.iter().map(|(user, _)| *user)) {
        return Ok(enums::channels::ChannelParticipants::NotModified);
    }
    let mut cast: Cast = [PeerId::Channel(id)].into_iter().collect();
    for (_, participant) in &page {
        cast.extend(people_of(participant));
    }
    let (users, chats) = cast.render(cx.world, cx.me);
    let participants = page.into_iter().map(|(_, participant)| participant).collect();
    Ok(types::channels::ChannelParticipants { count, participants, chats, users }.into())
}

type Listed = (UserId, enums::ChannelParticipant);

fn filtered(
    cx: &Cx<'_>,
    id: ChannelId,
    filter: &enums::ChannelParticipantsFilter,
) -> Reply<Vec<Listed>> {
    use enums::ChannelParticipantsFilter as F;
    let channel = cx.channel(id)?;
    let named = |user: UserId, q: &str| is_called(cx, user, q);
    Ok(match filter {
        F::ChannelParticipantsRecent => members(cx, channel, |_| true),
        F::ChannelParticipantsAdmins => members(cx, channel, Member::is_admin),
        F::ChannelParticipantsBots => members(cx, channel, |m| is_bot(cx, m.user)),
        F::ChannelParticipantsSearch(s) => members(cx, channel, |m| named(m.user, &s.q)),
        F::ChannelParticipantsContacts(s) => {
            members(cx, channel, |m| cx.world.is_contact(cx.me, m.user) && named(m.user, &s.q))
        }
        F::ChannelParticipantsMentions(s) => {
            members(cx, channel, |m| named(m.user, s.q.as_deref().unwrap_or_default()))
        }
        F::ChannelParticipantsKicked(s) => kept_out(cx, id, true, &s.q)?,
        F::ChannelParticipantsBanned(s) => {
            let mut all = members(cx, channel, |m| {
                matches!(m.role, Role::Restricted { .. }) && named(m.user, &s.q)
            });
            all.extend(kept_out(cx, id, false, &s.q)?);
            all
        }
    })
}

fn members(cx: &Cx<'_>, channel: &Channel, wanted: impl Fn(&Member) -> bool) -> Vec<Listed> {
    let newest_first = channel.members.values().rev();
    newest_first
        .filter(|m| wanted(m))
        .map(|m| (m.user, channel.participant_view(cx.me, m)))
        .collect()
}

/// Banned (`really`) people, or restricted ones who are not in it; only admins see either list.
fn kept_out(cx: &Cx<'_>, id: ChannelId, really: bool, q: &str) -> Reply<Vec<Listed>> {
    if !cx.is_admin_of_channel(id) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    let of_now =
        cx.channel(id)?.banned.values().rev().filter(|b| holds(b.rights.until_date, cx.now));
    let wanted = of_now.filter(|b| b.rights.view_messages == really && is_called(cx, b.user, q));
    Ok(wanted.map(|b| (b.user, banned_participant(b))).collect())
}

fn holds(until_date: i32, now: i32) -> bool {
    until_date == 0 || until_date > now
}

fn is_bot(cx: &Cx<'_>, user: UserId) -> bool {
    cx.world.users.get(&user).is_some_and(|u| u.bot.is_some())
}

/// Whether a word of the name, or the username, begins with `q`.
fn is_called(cx: &Cx<'_>, user: UserId, q: &str) -> bool {
    let q = q.trim().trim_start_matches('@').to_lowercase();
    let Some(user) = cx.world.users.get(&user) else { return false };
    let name = format!("{} {}", user.first_name, user.last_name).to_lowercase();
    let begins = |word: &str| word.starts_with(&q);
    q.is_empty()
        || name.split_whitespace().any(begins)
        || name.starts_with(&q)
        || user.username.as_deref().is_some_and(|u| begins(&u.to_lowercase()))
}

fn cast_of(participant: &enums::ChannelParticipant, id: ChannelId) -> Cast {
    let mut cast: Cast = people_of(participant).collect();
    cast.add(id);
    cast
}

/// The person, and who brought, promoted or banned them.
fn people_of(participant: &enums::ChannelParticipant) -> impl Iterator<Item = PeerId> + use<> {
    use enums::ChannelParticipant as P;
    let peer = |peer: &enums::Peer| match peer {
        enums::Peer::User(u) => Some(u.user_id),
        enums::Peer::Chat(_) | enums::Peer::Channel(_) => None,
    };
    let (who, by) = match participant {
        P::Participant(p) => (Some(p.user_id), None),
        P::ParticipantSelf(p) => (Some(p.user_id), Some(p.inviter_id)),
        P::Creator(p) => (Some(p.user_id), None),
        P::Admin(p) => (Some(p.user_id), Some(p.promoted_by)),
        P::Banned(p) => (peer(&p.peer), Some(p.kicked_by)),
        P::Left(p) => (peer(&p.peer), None),
    };
    who.into_iter().chain(by).map(|id| PeerId::User(UserId(id)))
}

/// Telegram's hash of a list of ids, <https://core.telegram.org/api/offsets#hash-generation>.
pub(in crate::services) fn hash_of(ids: impl Iterator<Item = UserId>) -> i64 {
    let hash = ids.fold(0_u64, |mut hash, id| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(id.0.cast_unsigned())
    });
    hash.cast_signed()
}
