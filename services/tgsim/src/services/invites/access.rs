//! Whose links, and who may see and change them: admins who may invite have their own, the creator has all.
use grammers_tl_types::enums;

use super::super::named::of_message;
use super::super::supergroup::Right;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{InviteLink, Links, Member, PeerId, UserId};

/// Reads the hash out of a link in any of its forms, <https://core.telegram.org/api/links#chat-invite-links>.
pub(super) fn hash_of(link: &str) -> &str {
    let rest = link.trim();
    let rest =
        rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://")).unwrap_or(rest);
    let rest = ["t.me/", "telegram.me/", "telegram.dog/"]
        .iter()
        .find_map(|host| rest.strip_prefix(host))
        .unwrap_or(rest);
    let rest = rest.strip_prefix("joinchat/").unwrap_or(rest);
    rest.strip_prefix('+').unwrap_or(rest)
}

impl Cx<'_> {
    /// The group that a request about links names; people have none.
    pub(super) fn group(&self, peer: &enums::InputPeer) -> Reply<PeerId> {
        let found = self.input_peer(peer).map_err(|error| match peer {
            enums::InputPeer::UserFromMessage(_) | enums::InputPeer::ChannelFromMessage(_) => {
                of_message(error)
            }
            _ => error,
        });
        match found? {
            PeerId::User(_) => Err(bad("PEER_ID_INVALID")),
            PeerId::Chat(id) => self.live_chat(id.0).map(|chat| chat.id.into()),
            channel @ PeerId::Channel(_) => Ok(channel),
        }
    }

    /// The links and requests of a group.
    pub(super) fn links(&self, group: PeerId) -> Reply<&Links> {
        match group {
            PeerId::User(_) => Err(bad("PEER_ID_INVALID")),
            PeerId::Chat(id) => {
                Ok(&self.world.chats.get(&id).ok_or_else(|| bad("CHAT_ID_INVALID"))?.links)
            }
            PeerId::Channel(id) => Ok(&self.channel(id)?.links),
        }
    }

    /// The same, to change them.
    pub(super) fn links_mut(&mut self, group: PeerId) -> Reply<&mut Links> {
        match group {
            PeerId::User(_) => Err(bad("PEER_ID_INVALID")),
            PeerId::Chat(id) => Ok(&mut self.chat_mut(id)?.links),
            PeerId::Channel(id) => Ok(&mut self.channel_mut(id)?.links),
        }
    }

    /// A member of a group.
    pub(super) fn member_of(&self, group: PeerId, user: UserId) -> Option<&Member> {
        match group {
            PeerId::User(_) => None,
            PeerId::Chat(id) => self.world.chats.get(&id)?.members.get(&user),
            PeerId::Channel(id) => self.world.channels.get(&id)?.members.get(&user),
        }
    }

    /// Whether `user` is an admin who may invite.
    pub(super) fn manages_links(&self, group: PeerId, user: UserId) -> bool {
        let rights = self.member_of(group, user).and_then(Member::admin_rights);
        rights.is_some_and(|rights| Right::InviteUsers.is_in(rights))
    }

    /// The caller must be an admin who may invite: `CHAT_WRITE_FORBIDDEN` for those who are not in the group,
    /// `CHAT_ADMIN_REQUIRED` for its other members.
    pub(super) fn may_link(&self, group: PeerId) -> Reply<()> {
        if self.member_of(group, self.me).is_none() {
            return Err(forbidden("CHAT_WRITE_FORBIDDEN"));
        }
        if self.manages_links(group, self.me) { Ok(()) } else { Err(bad("CHAT_ADMIN_REQUIRED")) }
    }

    /// Like `may_link`, and another admin's links are for the creator only.
    pub(super) fn may_link_for(&self, group: PeerId, admin: UserId) -> Reply<()> {
        self.may_link(group)?;
        let creator = self.member_of(group, self.me).is_some_and(Member::is_creator);
        if creator || admin == self.me { Ok(()) } else { Err(bad("CHAT_ADMIN_REQUIRED")) }
    }

    /// A link of this group that the caller may look at; `INVITE_HASH_EXPIRED` where the group has none such.
    pub(super) fn own_link(&self, group: PeerId, link: &str) -> Reply<InviteLink> {
        self.may_link(group)?;
        let found =
            self.links(group)?.link(hash_of(link)).ok_or_else(|| bad("INVITE_HASH_EXPIRED"))?;
        self.may_link_for(group, found.admin)?;
        Ok(found.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::hash_of;

    #[test]
    fn every_form_of_a_link_has_the_same_hash() {
        for link in [
            "https://t.me/+AbC_d-9",
            "http://t.me/+AbC_d-9",
            "t.me/joinchat/AbC_d-9",
            "AbC_d-9",
            "+AbC_d-9",
        ] {
            assert_eq!(hash_of(link), "AbC_d-9", "{link}");
        }
    }
}
