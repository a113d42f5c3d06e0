//! Who came in by a link, and who waits to be let in.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::access::hash_of;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, PeerId, UserId};

crate::requests! {
    messages::GetChatInviteImporters => get_chat_invite_importers {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN",
        400 "INVITE_HASH_EXPIRED", 400 "PEER_ID_INVALID", 400 "SEARCH_WITH_LINK_NOT_SUPPORTED",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.getChatInviteImporters`: newest first. Without a link those of all links; a name can be searched for
/// only then.
fn get_chat_invite_importers(
    cx: &mut Cx<'_>,
    r: f::GetChatInviteImporters,
) -> Reply<enums::messages::ChatInviteImporters> {
    let group = cx.group(&r.peer)?;
    let q = r.q.unwrap_or_default().to_lowercase();
    let link = r.link.filter(|link| !link.is_empty());
    if link.is_some() && !q.is_empty() {
        return Err(bad("SEARCH_WITH_LINK_NOT_SUPPORTED"));
    }
    match &link {
        Some(link) => drop(cx.own_link(group, link)?),
        None => cx.may_link(group)?,
    }
    let offset_user = match &r.offset_user {
        enums::InputUser::Empty => None,
        named => Some(cx.user_named(named, "USER_ID_INVALID")?),
    };
    let hash = link.as_deref().map(hash_of);
    let mut all = if r.requested { waiting(cx, group, hash)? } else { came_in(cx, group, hash)? };
    all.retain(|importer| is_called(cx, UserId(importer.user_id), &q));
    all.sort_by_key(|importer| std::cmp::Reverse(importer.date));
    let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
    let start = match offset_user.and_then(|user| all.iter().position(|i| i.user_id == user.0)) {
        Some(at) => at + 1,
        None if r.offset_date > 0 => {
            all.iter().position(|i| i.date < r.offset_date).unwrap_or(all.len())
        }
        None => 0,
    };
    let limit = usize::try_from(r.limit).unwrap_or(0).min(cx.world.limits.page);
    let page: Vec<_> = all.into_iter().skip(start).take(limit).collect();
    let people = page.iter().flat_map(|i| [Some(i.user_id), i.approved_by]).flatten();
    let (users, _) =
        people.map(|id| PeerId::User(UserId(id))).collect::<Cast>().render(cx.world, cx.me);
    let importers = page.into_iter().map(Into::into).collect();
    Ok(types::messages::ChatInviteImporters { count, importers, users }.into())
}

fn waiting(
    cx: &Cx<'_>,
    group: PeerId,
    hash: Option<&str>,
) -> Reply<Vec<types::ChatInviteImporter>> {
    let requests = cx.links(group)?.requests.values().rev();
    let wanted = requests.filter(|r| hash.is_none() || r.hash.as_deref() == hash);
    Ok(wanted
        .map(|request| types::ChatInviteImporter {
            requested: true,
            via_chatlist: false,
            user_id: request.user.0,
            date: request.date,
            about: about(cx, request.user),
            approved_by: None,
        })
        .collect())
}

fn came_in(
    cx: &Cx<'_>,
    group: PeerId,
    hash: Option<&str>,
) -> Reply<Vec<types::ChatInviteImporter>> {
    let links = cx.links(group)?.all.iter();
    let wanted = links.filter(|link| hash.is_none_or(|hash| link.hash == hash));
    Ok(wanted
        .flat_map(|link| link.joined.iter().rev())
        .map(|joined| types::ChatInviteImporter {
            requested: false,
            via_chatlist: false,
            user_id: joined.user.0,
            date: joined.date,
            about: None,
            approved_by: joined.approved_by.map(|admin| admin.0),
        })
        .collect())
}

fn about(cx: &Cx<'_>, user: UserId) -> Option<String> {
    cx.world.users.get(&user).map(|u| u.about.clone()).filter(|about| !about.is_empty())
}

fn is_called(cx: &Cx<'_>, user: UserId, q: &str) -> bool {
    cx.world.users.get(&user).is_some_and(|u| {
        let name = format!(
            "{} {} {}",
            u.first_name,
            u.last_name,
            u.username.as_deref().unwrap_or_default()
        );
        q.is_empty() || name.to_lowercase().split_whitespace().any(|word| word.starts_with(q))
    })
}
