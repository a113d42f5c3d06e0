//! Changing, revoking and deleting links.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::export::{checked_limit, cut_title};
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{Cast, InviteLink, PeerId};

crate::requests! {
    messages::EditExportedChatInvite => edit_exported_chat_invite {
        400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_INVITE_PERMANENT", 403 "CHAT_WRITE_FORBIDDEN",
        403 "EDIT_BOT_INVITE_FORBIDDEN", 400 "INVITE_HASH_EXPIRED", 400 "PEER_ID_INVALID", 400 "USAGE_LIMIT_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    messages::DeleteExportedChatInvite => delete_exported_chat_invite {
        400 "CHAT_ADMIN_REQUIRED", 400 "INVITE_HASH_EXPIRED", 400 "INVITE_REVOKED_MISSING", 400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        403 "CHAT_WRITE_FORBIDDEN" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    messages::DeleteRevokedExportedChatInvites => delete_revoked_exported_chat_invites {
        400 "ADMIN_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ADMIN_REQUIRED" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        403 "CHAT_WRITE_FORBIDDEN" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.editExportedChatInvite`. A primary link can only be revoked, and another one takes its place.
fn edit_exported_chat_invite(
    cx: &mut Cx<'_>,
    r: f::EditExportedChatInvite,
) -> Reply<enums::messages::ExportedChatInvite> {
    let group = cx.group(&r.peer)?;
    let link = cx.own_link(group, &r.link)?;
    if r.revoked {
        return revoke(cx, group, link);
    }
    if link.revoked {
        return Err(bad("INVITE_HASH_EXPIRED"));
    }
    if link.permanent {
        return Err(bad("CHAT_INVITE_PERMANENT"));
    }
    if link.admin != cx.me && cx.user(link.admin)?.bot.is_some() {
        return Err(forbidden("EDIT_BOT_INVITE_FORBIDDEN"));
    }
    let mut edited = link.clone();
    if let Some(at) = r.expire_date {
        edited.expire_date = (at > 0).then_some(at);
    }
    if r.usage_limit.is_some() {
        edited.usage_limit = checked_limit(cx, r.usage_limit)?;
    }
    if let Some(needed) = r.request_needed {
        edited.request_needed = needed;
    }
    if edited.request_needed && edited.usage_limit.is_some() {
        if r.usage_limit.is_some_and(|limit| limit > 0) {
            return Err(bad("USAGE_LIMIT_INVALID"));
        }
        // Approval put on a link that had a limit takes the limit's place.
        edited.usage_limit = None;
    }
    if let Some(title) = r.title {
        edited.title = cut_title(cx, title);
    }
    if (edited.expire_date, edited.usage_limit) != (link.expire_date, link.usage_limit) {
        edited.start_date = Some(cx.now);
    }
    if edited != link {
        cx.effect(Effect::LinkEdited {
            chat_id: group.bot_api(),
            link: edited.url(),
            expire_date: edited.expire_date,
            usage_limit: edited.usage_limit,
            request_needed: edited.request_needed,
            title: edited.title.clone(),
        });
        if let Some(stored) = cx.links_mut(group)?.link_mut(&link.hash) {
            stored.clone_from(&edited);
        }
    }
    shown(cx, group, &edited)
}

fn revoke(
    cx: &mut Cx<'_>,
    group: PeerId,
    link: InviteLink,
) -> Reply<enums::messages::ExportedChatInvite> {
    let closed = InviteLink { revoked: true, ..link.clone() };
    if link.revoked {
        return shown(cx, group, &closed);
    }
    if !link.permanent {
        cx.revoke_link(group, &link.hash)?;
        return shown(cx, group, &closed);
    }
    let new = cx.replace_primary(group, link.admin)?;
    let links = cx.links(group)?;
    let (invite, new_invite) = (links.exported_view(&closed), links.exported_view(&new));
    let (users, _) =
        [PeerId::User(link.admin)].into_iter().collect::<Cast>().render(cx.world, cx.me);
    Ok(types::messages::ExportedChatInviteReplaced { invite, new_invite, users }.into())
}

pub(super) fn shown(
    cx: &Cx<'_>,
    group: PeerId,
    link: &InviteLink,
) -> Reply<enums::messages::ExportedChatInvite> {
    let invite = cx.links(group)?.exported_view(link);
    let (users, _) =
        [PeerId::User(link.admin)].into_iter().collect::<Cast>().render(cx.world, cx.me);
    Ok(types::messages::ExportedChatInvite { invite, users }.into())
}

/// `messages.deleteExportedChatInvite`: only a revoked link can be taken off the list.
fn delete_exported_chat_invite(cx: &mut Cx<'_>, r: f::DeleteExportedChatInvite) -> Reply<bool> {
    let group = cx.group(&r.peer)?;
    let link = cx.own_link(group, &r.link)?;
    if !link.revoked {
        return Err(bad("INVITE_REVOKED_MISSING"));
    }
    forget(cx, group, &[link])?;
    Ok(true)
}

/// `messages.deleteRevokedExportedChatInvites`: all of one admin.
fn delete_revoked_exported_chat_invites(
    cx: &mut Cx<'_>,
    r: f::DeleteRevokedExportedChatInvites,
) -> Reply<bool> {
    let group = cx.group(&r.peer)?;
    let admin = cx.user_named(&r.admin_id, "ADMIN_ID_INVALID")?;
    cx.may_link_for(group, admin)?;
    let revoked: Vec<InviteLink> =
        cx.links(group)?.of_admin(admin, true).into_iter().cloned().collect();
    forget(cx, group, &revoked)?;
    Ok(true)
}

fn forget(cx: &mut Cx<'_>, group: PeerId, links: &[InviteLink]) -> Reply<()> {
    for link in links {
        cx.world.links.remove(&link.hash);
        cx.links_mut(group)?.all.retain(|stored| stored.hash != link.hash);
        cx.effect(Effect::LinkDeleted { chat_id: group.bot_api(), link: link.url() });
    }
    Ok(())
}
