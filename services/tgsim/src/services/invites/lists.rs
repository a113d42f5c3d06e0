//! Looking at links: one, those of an admin page by page, and how many each admin has.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::access::hash_of;
use super::edit::shown;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, InviteLink, Member, PeerId, UserId};

crate::requests! {
    messages::GetExportedChatInvite => get_exported_chat_invite {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN",
        400 "INVITE_HASH_EXPIRED", 400 "PEER_ID_INVALID",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    messages::GetExportedChatInvites => get_exported_chat_invites {
        400 "ADMIN_ID_INVALID", 400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED",
        400 "CHAT_ID_INVALID", 403 "CHAT_WRITE_FORBIDDEN", 400 "PEER_ID_INVALID",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    messages::GetAdminsWithInvites => get_admins_with_invites {
        400 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN", 400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.getExportedChatInvite`.
fn get_exported_chat_invite(
    cx: &mut Cx<'_>,
    r: f::GetExportedChatInvite,
) -> Reply<enums::messages::ExportedChatInvite> {
    let group = cx.group(&r.peer)?;
    let link = cx.own_link(group, &r.link)?;
    shown(cx, group, &link)
}

/// `messages.getExportedChatInvites`: newest first, the page after `offset_link` (or before `offset_date`).
fn get_exported_chat_invites(
    cx: &mut Cx<'_>,
    r: f::GetExportedChatInvites,
) -> Reply<enums::messages::ExportedChatInvites> {
    let group = cx.group(&r.peer)?;
    let admin = cx.user_named(&r.admin_id, "ADMIN_ID_INVALID")?;
    cx.may_link_for(group, admin)?;
    let links = cx.links(group)?;
    let all = links.of_admin(admin, r.revoked);
    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    let limit = usize::try_from(r.limit).unwrap_or(0).min(cx.world.limits.page);
    let page =
        all.iter().skip(first_after(&all, r.offset_date, r.offset_link.as_deref())).take(limit);
    let invites = page.map(|link| links.exported_view(link)).collect();
    let (users, _) = [PeerId::User(admin)].into_iter().collect::<Cast>().render(cx.world, cx.me);
    Ok(types::messages::ExportedChatInvites { count, invites, users }.into())
}

fn first_after(all: &[&InviteLink], date: Option<i32>, link: Option<&str>) -> usize {
    let named = link.map(hash_of).filter(|hash| !hash.is_empty());
    if let Some(at) = named.and_then(|hash| all.iter().position(|link| link.hash == hash)) {
        return at + 1;
    }
    match date.filter(|date| *date > 0) {
        Some(date) => all.iter().position(|link| link.date < date).unwrap_or(all.len()),
        None => 0,
    }
}

/// `messages.getAdminsWithInvites`: the creator's.
fn get_admins_with_invites(
    cx: &mut Cx<'_>,
    r: f::GetAdminsWithInvites,
) -> Reply<enums::messages::ChatAdminsWithInvites> {
    let group = cx.group(&r.peer)?;
    cx.may_link(group)?;
    if !cx.member_of(group, cx.me).is_some_and(Member::is_creator) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    let links = cx.links(group)?;
    let mut ids: Vec<UserId> = vec![];
    for link in &links.all {
        if !ids.contains(&link.admin) {
            ids.push(link.admin);
        }
    }
    let number =
        |admin, revoked| i32::try_from(links.of_admin(admin, revoked).len()).unwrap_or(i32::MAX);
    let admins = ids.iter().map(|admin| {
        let (invites_count, revoked_invites_count) = (number(*admin, false), number(*admin, true));
        types::ChatAdminWithInvites { admin_id: admin.0, invites_count, revoked_invites_count }
            .into()
    });
    let admins = admins.collect();
    let (users, _) = ids.into_iter().map(PeerId::User).collect::<Cast>().render(cx.world, cx.me);
    Ok(types::messages::ChatAdminsWithInvites { admins, users }.into())
}
