//! Changing who is in a group: adding, removing, banning, promoting.

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;

use super::chats::AdminRights;
use super::groups::{Missing, missing};
pub use super::participants::{Filter, Participant, Participants, Role, participant, participants};
use super::{basic, channel, note_updates, seconds};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;
use crate::peer::{GroupPeer, UserPeer};

/// Puts one person into a basic group (`messages.addChatUser`), showing them the last `history` messages (up to 100).
/// Whom Telegram left out by their privacy settings is in the answer, not an error.
///
/// Nearly repeatable: the second time it answers `USER_ALREADY_PARTICIPANT`. Errors: `USER_PRIVACY_RESTRICTED`,
/// `USER_NOT_MUTUAL_CONTACT`, `USERS_TOO_MUCH`, `USER_ALREADY_PARTICIPANT`, `BOT_GROUPS_BLOCKED`,
/// `CHAT_ADMIN_REQUIRED`, `USER_IS_BLOCKED`, `INPUT_USER_DEACTIVATED`, `PEER_FLOOD`, `USER_ID_INVALID`.
pub async fn add_to_basic(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    history: u32,
) -> Result<Vec<Missing>, CallError> {
    let request = tl::functions::messages::AddChatUser {
        chat_id: basic(group, "messages.addChatUser")?,
        user_id: user.input_user(),
        fwd_limit: i32::try_from(history.min(100)).unwrap_or(100),
    };
    let tl::enums::messages::InvitedUsers::Users(answer) = account.invoke(&request).await?;
    note_updates(account.peers(), answer.updates);
    Ok(missing(answer.missing_invitees))
}

/// Puts people into a supergroup (`channels.inviteToChannel`). One error concerns them all, so a truthful outcome for
/// each wants one person a call. Whom Telegram left out by their privacy settings is in the answer, not an error.
/// Those who are members already count as added.
///
/// Repeatable, though repeats feed `PEER_FLOOD`. Errors: `USER_PRIVACY_RESTRICTED`, `USER_NOT_MUTUAL_CONTACT`,
/// `USER_CHANNELS_TOO_MUCH`, `USERS_TOO_MUCH`, `BOT_GROUPS_BLOCKED`, `BOTS_TOO_MUCH`, `CHAT_ADMIN_REQUIRED`,
/// `USER_KICKED`, `USER_BLOCKED`, `USER_BOT`, `INPUT_USER_DEACTIVATED`, `PEER_FLOOD`, `USER_ID_INVALID`.
pub async fn invite(
    account: &Account,
    group: &GroupPeer,
    users: &[UserPeer],
) -> Result<Vec<Missing>, CallError> {
    limits::count("members", users.len(), 1, limits::INVITE_MAX)?;
    let request = tl::functions::channels::InviteToChannel {
        channel: channel(group, "channels.inviteToChannel")?,
        users: users.iter().map(UserPeer::input_user).collect(),
    };
    let tl::enums::messages::InvitedUsers::Users(answer) = account.invoke(&request).await?;
    note_updates(account.peers(), answer.updates);
    Ok(missing(answer.missing_invitees))
}

/// Takes a person out of a basic group (`messages.deleteChatUser`). They can come back by a link.
///
/// Repeatable: then it answers `USER_NOT_PARTICIPANT`. Errors: `CHAT_ADMIN_REQUIRED`, `USER_NOT_PARTICIPANT`,
/// `USER_ID_INVALID`.
pub async fn remove_from_basic(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    revoke_history: bool,
) -> Result<(), CallError> {
    let request = tl::functions::messages::DeleteChatUser {
        revoke_history,
        chat_id: basic(group, "messages.deleteChatUser")?,
        user_id: user.input_user(),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
}

/// Bans a person from a supergroup (`channels.editBanned` without `view_messages`): they are thrown out and can't come
/// back. With `until`, only so long; Telegram takes less than 30 seconds, or more than 366 days, as for ever.
///
/// Repeatable. Errors: `CHAT_ADMIN_REQUIRED`, `USER_ADMIN_INVALID` (an admin whom this account did not make),
/// `USER_NOT_PARTICIPANT`, `PARTICIPANT_ID_INVALID`, `USER_ID_INVALID`.
pub async fn ban(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    until: Option<DateTime<Utc>>,
) -> Result<(), CallError> {
    edit_banned(account, group, user, true, until.map_or(0, seconds)).await
}

/// Takes a ban back (`channels.editBanned` with no restriction). Of a person who is *in* the group it only lifts
/// restrictions. Throwing somebody out without banning them is [`ban`], then this.
///
/// Repeatable. Errors as for [`ban`].
pub async fn unban(account: &Account, group: &GroupPeer, user: &UserPeer) -> Result<(), CallError> {
    edit_banned(account, group, user, false, 0).await
}

async fn edit_banned(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    banned: bool,
    until_date: i32,
) -> Result<(), CallError> {
    let request = tl::functions::channels::EditBanned {
        channel: channel(group, "channels.editBanned")?,
        participant: user.input_peer(),
        banned_rights: banned_rights(banned, until_date),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
}

/// Makes a person an admin with these rights, or changes an admin's rights (`channels.editAdmin`). A person who is not
/// in the supergroup is added, where their privacy allows. [`AdminRights::NONE`] makes an admin a member again.
///
/// For a basic group it is `messages.editChatAdmin`, where any right at all means "admin".
///
/// Repeatable. Errors: `CHAT_ADMIN_REQUIRED`, `RIGHT_FORBIDDEN`, `ADMINS_TOO_MUCH`, `USER_NOT_PARTICIPANT`,
/// `USER_PRIVACY_RESTRICTED`, `USER_CREATOR`, `BOT_CHANNELS_NA`, `FRESH_CHANGE_ADMINS_FORBIDDEN`.
pub async fn promote(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    rights: AdminRights,
    rank: Option<&str>,
) -> Result<(), CallError> {
    if let Some(rank) = rank {
        limits::rank(rank)?;
    }
    if let Some(chat_id) = group.basic_id() {
        let request = tl::functions::messages::EditChatAdmin {
            chat_id,
            user_id: user.input_user(),
            is_admin: rights != AdminRights::NONE,
        };
        return account.invoke(&request).await.map(|_| ());
    }
    let request = tl::functions::channels::EditAdmin {
        channel: channel(group, "channels.editAdmin")?,
        user_id: user.input_user(),
        admin_rights: rights.to_telegram(),
        rank: rank.map(str::to_owned),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
}

fn banned_rights(banned: bool, until_date: i32) -> tl::enums::ChatBannedRights {
    tl::types::ChatBannedRights {
        view_messages: banned,
        send_messages: banned,
        send_media: banned,
        send_stickers: banned,
        send_gifs: banned,
        send_games: banned,
        send_inline: banned,
        embed_links: banned,
        send_polls: banned,
        change_info: banned,
        invite_users: banned,
        pin_messages: banned,
        manage_topics: banned,
        send_photos: banned,
        send_videos: banned,
        send_roundvideos: banned,
        send_audios: banned,
        send_voices: banned,
        send_docs: banned,
        send_plain: banned,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date,
    }
    .into()
}
