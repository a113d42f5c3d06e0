//! Finding people and groups by name or number.
use grammers_tl_types::functions::contacts as f;
use grammers_tl_types::{enums, types};

use super::contacts::found_by_phone;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad, not_simulated};
use crate::world::{Cast, PeerId, is_username, phone_digits};

crate::requests! {
    contacts::ResolveUsername => resolve_username {
        400 "CONNECTION_LAYER_INVALID" scripted, 400 "STARREF_EXPIRED" scripted, 400 "USERNAME_INVALID",
        400 "USERNAME_NOT_OCCUPIED",
    }
    contacts::ResolvePhone => resolve_phone { 400 "PHONE_NOT_OCCUPIED" }
    contacts::Search => search { 400 "QUERY_TOO_SHORT" scripted, 400 "SEARCH_QUERY_EMPTY" }
}

/// `contacts.resolveUsername`: a person, bot, supergroup or channel.
fn resolve_username(
    cx: &mut Cx<'_>,
    r: f::ResolveUsername,
) -> Reply<enums::contacts::ResolvedPeer> {
    if r.referer.is_some_and(|referer| !referer.is_empty()) {
        return Err(not_simulated("referer"));
    }
    let name = r.username.trim_start_matches('@').to_lowercase();
    if !is_username(&name) {
        return Err(bad("USERNAME_INVALID"));
    }
    match cx.world.usernames.get(&name) {
        Some(peer) => Ok(resolved(cx, *peer)),
        None => Err(bad("USERNAME_NOT_OCCUPIED")),
    }
}

/// `contacts.resolvePhone`: whom their privacy lets be found; the address book stays as it is.
fn resolve_phone(cx: &mut Cx<'_>, r: f::ResolvePhone) -> Reply<enums::contacts::ResolvedPeer> {
    match found_by_phone(cx, &phone_digits(&r.phone)) {
        Some(id) => Ok(resolved(cx, id.into())),
        None => Err(bad("PHONE_NOT_OCCUPIED")),
    }
}

/// `contacts.search`: one's own contacts, conversations and groups by name (`my_results`), public names by their
/// beginning (`results`).
fn search(cx: &mut Cx<'_>, r: f::Search) -> Reply<enums::contacts::Found> {
    let query = r.q.trim().trim_start_matches('@').to_lowercase();
    if query.is_empty() {
        return Err(bad("SEARCH_QUERY_EMPTY"));
    }
    let limit = (r.limit.max(0) as usize).min(cx.world.limits.page);
    let mine = own_peers(cx);
    let fits = |peer: &PeerId| {
        name_in_lower_case(cx, *peer).split(' ').any(|word| word.starts_with(&query))
    };
    let my_results: Vec<PeerId> = mine.iter().copied().filter(fits).take(limit).collect();
    let mut results: Vec<PeerId> = vec![];
    // Public search answers from the third letter on.
    if query.chars().count() >= 3 {
        let names = cx.world.usernames.iter();
        results =
            names.filter(|(name, _)| name.starts_with(&query)).map(|(_, peer)| *peer).collect();
        results.retain(|peer| !mine.contains(peer) && *peer != PeerId::User(cx.me));
        results.sort_unstable();
        results.truncate(limit);
    }
    let cast: Cast = my_results.iter().chain(&results).copied().collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    let tl = |peers: Vec<PeerId>| peers.into_iter().map(PeerId::tl).collect();
    Ok(types::contacts::Found { my_results: tl(my_results), results: tl(results), chats, users }
        .into())
}

fn resolved(cx: &Cx<'_>, peer: PeerId) -> enums::contacts::ResolvedPeer {
    let cast: Cast = [peer].into_iter().collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    types::contacts::ResolvedPeer { peer: peer.tl(), chats, users }.into()
}

fn own_peers(cx: &Cx<'_>) -> Vec<PeerId> {
    let Some(me) = cx.world.users.get(&cx.me) else { return vec![] };
    let mut peers: Vec<PeerId> = me.contacts.keys().copied().map(PeerId::User).collect();
    peers.extend(me.dialogs.keys());
    peers.extend(me.channels.iter().copied().map(PeerId::Channel));
    peers.sort_unstable();
    peers.dedup();
    peers
}

fn name_in_lower_case(cx: &Cx<'_>, peer: PeerId) -> String {
    let name = match peer {
        PeerId::User(id) => match cx.world.user_view(cx.me, id, false) {
            enums::User::User(u) => [u.first_name, u.last_name, u.username]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            enums::User::Empty(_) => String::new(),
        },
        PeerId::Chat(id) => cx.world.chats.get(&id).map(|c| c.title.clone()).unwrap_or_default(),
        PeerId::Channel(id) => cx
            .world
            .channels
            .get(&id)
            .map(|c| format!("{} {}", c.title, c.username.as_deref().unwrap_or_default()))
            .unwrap_or_default(),
    };
    name.to_lowercase()
}
