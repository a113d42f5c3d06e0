//! Admin rights and restrictions: the sets that Telegram gives names to.
//!
//! Telegram's own structs of booleans are the data; this file makes the usual ones.
//! Source: <https://core.telegram.org/api/rights>.
use grammers_tl_types::types;

/// No right at all: what takes an admin's post away.
pub fn no_admin_rights() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: false,
        post_messages: false,
        edit_messages: false,
        delete_messages: false,
        ban_users: false,
        invite_users: false,
        pin_messages: false,
        add_admins: false,
        anonymous: false,
        manage_call: false,
        other: false,
        manage_topics: false,
        post_stories: false,
        edit_stories: false,
        delete_stories: false,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
}

/// Nothing forbidden: what lifts a restriction.
pub fn no_banned_rights() -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: false,
        send_messages: false,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date: 0,
    }
}

/// What a creator has, and what an admin of a basic group has apart from `add_admins`.
pub fn all_admin_rights() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        manage_call: true,
        other: true,
        manage_topics: true,
        manage_ranks: true,
        ..no_admin_rights()
    }
}

/// The rights of an admin of a basic group, where rights are not chosen one by one.
/// Such an admin can't make further admins.
pub fn basic_admin_rights() -> types::ChatAdminRights {
    types::ChatAdminRights { add_admins: false, ..all_admin_rights() }
}

/// Default restrictions of a new group: none, each member may write, invite, pin and change the group's data.
pub fn default_restrictions() -> types::ChatBannedRights {
    types::ChatBannedRights { until_date: i32::MAX, ..no_banned_rights() }
}

/// A full ban: the member can't even read.
pub fn full_ban(until_date: i32) -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: true,
        send_messages: true,
        send_media: true,
        send_stickers: true,
        send_gifs: true,
        send_games: true,
        send_inline: true,
        embed_links: true,
        until_date,
        ..no_banned_rights()
    }
}

/// Whether no admin right is set: Telegram reads such rights as "no longer an admin".
pub fn is_no_admin(rights: &types::ChatAdminRights) -> bool {
    *rights == no_admin_rights()
}

/// Whether nothing is forbidden, whatever the date says.
pub fn is_unrestricted(rights: &types::ChatBannedRights) -> bool {
    types::ChatBannedRights { until_date: 0, ..rights.clone() } == no_banned_rights()
}

/// The names of the rights that are set, for the journal.
pub fn admin_right_names(rights: &types::ChatAdminRights) -> Vec<&'static str> {
    let all = [
        ("change_info", rights.change_info),
        ("post_messages", rights.post_messages),
        ("edit_messages", rights.edit_messages),
        ("delete_messages", rights.delete_messages),
        ("ban_users", rights.ban_users),
        ("invite_users", rights.invite_users),
        ("pin_messages", rights.pin_messages),
        ("add_admins", rights.add_admins),
        ("anonymous", rights.anonymous),
        ("manage_call", rights.manage_call),
        ("other", rights.other),
        ("manage_topics", rights.manage_topics),
        ("post_stories", rights.post_stories),
        ("edit_stories", rights.edit_stories),
        ("delete_stories", rights.delete_stories),
        ("manage_direct_messages", rights.manage_direct_messages),
        ("manage_ranks", rights.manage_ranks),
        ("manage_linked_peers", rights.manage_linked_peers),
        ("manage_welcome_messages", rights.manage_welcome_messages),
    ];
    all.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
}

/// The names of what is forbidden, for the journal.
pub fn banned_right_names(rights: &types::ChatBannedRights) -> Vec<&'static str> {
    let all = [
        ("view_messages", rights.view_messages),
        ("send_messages", rights.send_messages),
        ("send_media", rights.send_media),
        ("send_stickers", rights.send_stickers),
        ("send_gifs", rights.send_gifs),
        ("send_games", rights.send_games),
        ("send_inline", rights.send_inline),
        ("embed_links", rights.embed_links),
        ("send_polls", rights.send_polls),
        ("change_info", rights.change_info),
        ("invite_users", rights.invite_users),
        ("pin_messages", rights.pin_messages),
        ("manage_topics", rights.manage_topics),
        ("send_photos", rights.send_photos),
        ("send_videos", rights.send_videos),
        ("send_roundvideos", rights.send_roundvideos),
        ("send_audios", rights.send_audios),
        ("send_voices", rights.send_voices),
        ("send_docs", rights.send_docs),
        ("send_plain", rights.send_plain),
        ("edit_rank", rights.edit_rank),
        ("send_reactions", rights.send_reactions),
        ("manage_linked_peers", rights.manage_linked_peers),
    ];
    all.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
}
