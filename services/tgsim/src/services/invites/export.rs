//! Making links: an admin's primary one, and further ones with an expiry, a limit, approval, a title.
use grammers_tl_types::enums;
use grammers_tl_types::functions::messages as f;

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{InviteLink, PeerId, UserId};

crate::requests! {
    messages::ExportChatInvite => export_chat_invite {
        400 "CHANNEL_INVALID", 400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted, 400 "CHANNEL_PRIVATE",
        400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 403 "CHAT_WRITE_FORBIDDEN", 400 "EXPIRE_DATE_INVALID",
        400 "INPUT_USER_DEACTIVATED" scripted, 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "PRICING_CHAT_INVALID", 400 "SUBSCRIPTION_PERIOD_INVALID" scripted, 400 "USAGE_LIMIT_INVALID",
    }
}

/// `messages.exportChatInvite`. `legacy_revoke_permanent` replaces the caller's primary link; anything else makes a
/// further link each time it is asked.
fn export_chat_invite(cx: &mut Cx<'_>, r: f::ExportChatInvite) -> Reply<enums::ExportedChatInvite> {
    let group = cx.group(&r.peer)?;
    cx.may_link(group)?;
    if r.subscription_pricing.is_some() {
        // Only channels sell subscriptions, and money is not simulated.
        return Err(bad("PRICING_CHAT_INVALID"));
    }
    let expire_date = r.expire_date.filter(|at| *at != 0);
    if expire_date.is_some_and(|at| at <= cx.now) {
        return Err(bad("EXPIRE_DATE_INVALID"));
    }
    let usage_limit = checked_limit(cx, r.usage_limit)?;
    if r.request_needed && usage_limit.is_some() {
        return Err(bad("USAGE_LIMIT_INVALID"));
    }
    let title = cut_title(cx, r.title.unwrap_or_default());
    let plain =
        expire_date.is_none() && usage_limit.is_none() && !r.request_needed && title.is_empty();
    let link = if r.legacy_revoke_permanent && plain {
        cx.replace_primary(group, cx.me)?
    } else {
        let (request_needed, me) = (r.request_needed, cx.me);
        let link =
            InviteLink { expire_date, usage_limit, request_needed, title, ..cx.blank_link(me) };
        cx.add_link(group, link)?
    };
    Ok(cx.links(group)?.exported_view(&link))
}

/// `usage_limit` in range; 0 is none.
pub(super) fn checked_limit(cx: &Cx<'_>, limit: Option<i32>) -> Reply<Option<i32>> {
    match limit {
        None | Some(0) => Ok(None),
        Some(n) if (1..=cx.world.limits.link_usage).contains(&n) => Ok(Some(n)),
        Some(_) => Err(bad("USAGE_LIMIT_INVALID")),
    }
}

/// A title as Telegram keeps it.
pub(super) fn cut_title(cx: &Cx<'_>, title: String) -> String {
    title.trim().chars().take(cx.world.limits.link_title_chars).collect()
}

impl Cx<'_> {
    /// The caller's primary link for `chatFull` and `channelFull`, made now if there is none; `None` for those who
    /// can't have one.
    pub(in crate::services) fn own_primary_link(
        &mut self,
        group: PeerId,
    ) -> Option<enums::ExportedChatInvite> {
        let me = self.me;
        if !self.manages_links(group, me) {
            return None;
        }
        let link = match self.links(group).ok()?.primary(me) {
            Some(link) => link.clone(),
            None => self.replace_primary(group, me).ok()?,
        };
        Some(self.links(group).ok()?.exported_view(&link))
    }

    /// Gives an admin a new primary link; the old one is revoked.
    pub(super) fn replace_primary(&mut self, group: PeerId, admin: UserId) -> Reply<InviteLink> {
        if let Some(old) = self.links(group)?.primary(admin).map(|link| link.hash.clone()) {
            self.revoke_link(group, &old)?;
        }
        let link = InviteLink { permanent: true, ..self.blank_link(admin) };
        self.add_link(group, link)
    }

    /// Closes a link for good.
    pub(super) fn revoke_link(&mut self, group: PeerId, hash: &str) -> Reply<()> {
        let Some(link) = self.links_mut(group)?.link_mut(hash) else {
            return Err(bad("INVITE_HASH_EXPIRED"));
        };
        link.revoked = true;
        let link = link.url();
        self.effect(Effect::LinkRevoked { chat_id: group.bot_api(), link });
        Ok(())
    }

    fn add_link(&mut self, group: PeerId, link: InviteLink) -> Reply<InviteLink> {
        self.world.links.insert(link.hash.clone(), group);
        self.links_mut(group)?.all.push(link.clone());
        self.effect(Effect::LinkCreated {
            chat_id: group.bot_api(),
            link: link.url(),
            by: link.admin.0,
            permanent: link.permanent,
            expire_date: link.expire_date,
            usage_limit: link.usage_limit,
            request_needed: link.request_needed,
            title: link.title.clone(),
        });
        Ok(link)
    }

    fn blank_link(&mut self, admin: UserId) -> InviteLink {
        InviteLink {
            hash: self.world.next_link_hash(),
            admin,
            date: self.now,
            start_date: None,
            expire_date: None,
            usage_limit: None,
            request_needed: false,
            title: String::new(),
            permanent: false,
            revoked: false,
            joined: vec![],
        }
    }
}
