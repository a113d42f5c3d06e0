//! The table itself: one row per error that this system can meet and that means something particular. Sources: the
//! error lists of the requests' own pages under core.telegram.org/method, core.telegram.org/api/errors and
//! core.telegram.org/api/invites.

use proto::MemberStatus;

use Meaning as M;
use MemberStatus as S;

/// What an error means for the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The caller can do something about it.
    Invalid,
    /// Telegram does not allow it, and won't later.
    Forbidden,
    /// The account is not logged in.
    Detached,
    /// Telegram has trouble, or the account is being moved.
    Unavailable,
    /// A mistake of this program.
    Internal,
    /// It is so already: no failure at all, where the caller wants just that.
    AlreadySo,
    /// Later; the seconds are used where the error names none.
    Wait(u64),
}

/// One error.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Telegram's name, without its number.
    pub name: &'static str,
    /// For the command.
    pub meaning: Meaning,
    /// For the person who was to be added or removed; `None` where it is not about them.
    pub member: Option<MemberStatus>,
    /// For people: what is the matter.
    pub says: &'static str,
}

const DAY_S: u64 = 24 * 60 * 60;

const fn row(
    name: &'static str,
    meaning: Meaning,
    member: Option<MemberStatus>,
    says: &'static str,
) -> Row {
    Row { name, meaning, member, says }
}

/// Every error that is told apart, by its name.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // The login.
    row("AUTH_KEY_UNREGISTERED", M::Detached, None, "the account is not logged in any more"),
    row("AUTH_KEY_INVALID", M::Detached, None, "the account is not logged in any more"),
    row("AUTH_KEY_PERM_EMPTY", M::Detached, None, "the account is not logged in any more"),
    row("SESSION_REVOKED", M::Detached, None, "this login was ended from another device"),
    row("SESSION_EXPIRED", M::Detached, None, "this login has expired"),
    row("SESSION_PASSWORD_NEEDED", M::Detached, None, "the account's password is still to be given"),
    row("AUTH_KEY_DUPLICATED", M::Detached, None, "Telegram ended this login because it was used on two connections at once"),
    row("USER_DEACTIVATED", M::Detached, None, "the account was deleted"),
    row("USER_DEACTIVATED_BAN", M::Detached, None, "Telegram banned the account"),
    row("PHONE_NUMBER_BANNED", M::Detached, None, "Telegram banned this phone number"),
    // Limits of the account.
    row("PEER_FLOOD", M::Forbidden, None, "Telegram limits this account because it contacted too many strangers"),
    row("USER_RESTRICTED", M::Forbidden, None, "Telegram does not let this account make groups, because it was reported for spam"),
    row("CHANNELS_TOO_MUCH", M::Forbidden, None, "the account is in too many groups"),
    row("CHANNELS_ADMIN_LOCATED_TOO_MUCH", M::Forbidden, None, "the account runs too many public location groups"),
    row("CHANNELS_ADMIN_PUBLIC_TOO_MUCH", M::Forbidden, None, "the account runs too many public groups"),
    row("FROZEN_METHOD_INVALID", M::Forbidden, None, "Telegram froze this account; its owner must appeal in a Telegram app"),
    row("FROZEN_PARTICIPANT_MISSING", M::Forbidden, None, "Telegram froze this account, which can't see the group"),
    row("2FA_CONFIRM_WAIT", M::Wait(7 * DAY_S), None, "the account's password was reset and must be confirmed first"),
    row("TAKEOUT_INIT_DELAY", M::Wait(DAY_S), None, "Telegram asks for a wait"),
    row("FRESH_CHANGE_ADMINS_FORBIDDEN", M::Wait(DAY_S), None, "the account is too new as an admin to change others"),
    row("FRESH_CHANGE_PHONE_FORBIDDEN", M::Wait(DAY_S), None, "the login is too new"),
    row("FRESH_RESET_AUTHORISATION_FORBIDDEN", M::Wait(DAY_S), None, "the login is too new to end others"),
    // The person to be added or removed.
    row("USER_PRIVACY_RESTRICTED", M::Forbidden, Some(S::PrivacyBlocked), "their privacy settings don't allow it"),
    row("USER_NOT_MUTUAL_CONTACT", M::Forbidden, Some(S::PrivacyBlocked), "they left, and only a mutual contact may bring them back"),
    row("USER_CHANNELS_TOO_MUCH", M::Forbidden, Some(S::TooManyGroups), "they are in too many groups"),
    row("USER_KICKED", M::Forbidden, Some(S::Failed), "they were banned from the group"),
    row("USER_BANNED_IN_CHANNEL", M::Forbidden, None, "the account is banned from this group"),
    row("USER_BLOCKED", M::Forbidden, Some(S::PrivacyBlocked), "the account and this person blocked each other"),
    row("USER_IS_BLOCKED", M::Forbidden, Some(S::PrivacyBlocked), "they blocked the account"),
    row("YOU_BLOCKED_USER", M::Forbidden, Some(S::Failed), "the account blocked this person"),
    row("USER_BOT", M::Forbidden, Some(S::BotBlocked), "bots can only be admins here"),
    row("BOTS_TOO_MUCH", M::Forbidden, Some(S::BotBlocked), "the group has too many bots"),
    row("BOT_GROUPS_BLOCKED", M::Forbidden, Some(S::BotBlocked), "this bot can't be added to groups"),
    row("BOT_CHANNELS_NA", M::Forbidden, Some(S::BotBlocked), "this bot can't be in channels"),
    row("USER_BOT_REQUIRED", M::Invalid, None, "only bots can do this"),
    row("USER_NOT_PARTICIPANT", M::Invalid, Some(S::NotMember), "they are not in the group"),
    row("PARTICIPANT_ID_INVALID", M::Invalid, Some(S::NotMember), "they are not in the group"),
    row("USER_ALREADY_PARTICIPANT", M::AlreadySo, Some(S::AlreadyMember), "they are in the group already"),
    row("USER_ALREADY_INVITED", M::AlreadySo, Some(S::AlreadyMember), "they are invited already"),
    row("USER_ADMIN_INVALID", M::Forbidden, Some(S::Failed), "they are an admin whom this account did not appoint"),
    row("USER_CREATOR", M::Forbidden, Some(S::Failed), "they made the group"),
    row("USER_INVALID", M::Invalid, Some(S::NotFound), "there is no such user"),
    row("USER_ID_INVALID", M::Invalid, Some(S::NotFound), "there is no such user, or this account never met them"),
    row("INPUT_USER_DEACTIVATED", M::Invalid, Some(S::NotFound), "their account was deleted"),
    row("USER_NOT_FOUND", M::Invalid, Some(S::NotFound), "there is no such user"),
    row("USERNAME_NOT_OCCUPIED", M::Invalid, Some(S::NotFound), "nobody has this username"),
    row("USERNAME_INVALID", M::Invalid, Some(S::NotFound), "this can't be a username"),
    row("PHONE_NOT_OCCUPIED", M::Invalid, Some(S::NotFound), "nobody has this phone number, or they hide it"),
    row("PHONE_NUMBER_INVALID", M::Invalid, Some(S::NotFound), "this can't be a phone number"),
    row("PRIVACY_PREMIUM_REQUIRED", M::Forbidden, Some(S::NeedsPremium), "only accounts with Telegram Premium may write to them"),
    row("PREMIUM_REQUIRED", M::Forbidden, Some(S::NeedsPremium), "only an account with Telegram Premium may add them or write to them"),
    row("PREMIUM_ACCOUNT_REQUIRED", M::Forbidden, Some(S::NeedsPremium), "only an account with Telegram Premium may do this"),
    row("CHAT_MEMBER_ADD_FAILED", M::Forbidden, Some(S::PrivacyBlocked), "nobody could be added"),
    row("CHAT_INVITE_PERMANENT", M::Invalid, None, "a primary link has no terms of its own"),
    // The group.
    row("CHAT_ADMIN_REQUIRED", M::Forbidden, None, "the account is no admin of the group, or lacks the right"),
    row("CHAT_CREATOR_REQUIRED", M::Forbidden, None, "only who made the group may do this"),
    row("CHAT_WRITE_FORBIDDEN", M::Forbidden, None, "the account may not write in the group"),
    row("CHAT_FORBIDDEN", M::Forbidden, None, "the account may not do this in the group"),
    row("CHAT_ADMIN_INVITE_REQUIRED", M::Forbidden, None, "the account may not add people to the group"),
    row("CHANNEL_PUBLIC_GROUP_NA", M::Forbidden, None, "the group is not available"),
    row("BANNED_RIGHTS_INVALID", M::Internal, None, "these restrictions can't be set"),
    row("RIGHT_FORBIDDEN", M::Forbidden, None, "the account can't give a right that it lacks"),
    row("ADMINS_TOO_MUCH", M::Forbidden, None, "the group has too many admins"),
    row("ADMIN_RANK_INVALID", M::Invalid, None, "the admin's title is too long or not allowed"),
    row("ADMIN_RANK_EMOJI_NOT_ALLOWED", M::Invalid, None, "an admin's title can't hold emoji"),
    row("ADMIN_ID_INVALID", M::Invalid, None, "this person is no admin of the group"),
    row("CHANNEL_PRIVATE", M::Forbidden, None, "the account is not in this group, or was banned from it"),
    row("CHANNEL_INVALID", M::Invalid, None, "there is no such group, or this account never met it"),
    row("CHANNEL_TOO_LARGE", M::Forbidden, None, "groups of more than 1000 members can't be deleted this way"),
    row("CHANNEL_FORUM_MISSING", M::Invalid, None, "the group has no topics"),
    row("CHANNEL_MONOFORUM_UNSUPPORTED", M::Invalid, None, "this is not possible in such a chat"),
    row("CHAT_ID_INVALID", M::Invalid, None, "there is no such group for this account"),
    row("CHAT_INVALID", M::Invalid, None, "there is no such group for this account"),
    row("PEER_ID_INVALID", M::Invalid, None, "there is no such group for this account"),
    row("CHAT_ID_EMPTY", M::Internal, None, "no group was named"),
    row("CHAT_RESTRICTED", M::Forbidden, None, "Telegram restricted this group"),
    row("CHAT_TITLE_EMPTY", M::Invalid, None, "the title is empty"),
    row("CHAT_ABOUT_TOO_LONG", M::Invalid, None, "the description is too long"),
    row("CHAT_NOT_MODIFIED", M::AlreadySo, None, "the group is like that already"),
    row("CHAT_ABOUT_NOT_MODIFIED", M::AlreadySo, None, "the description is like that already"),
    row("USERS_TOO_FEW", M::Invalid, None, "a basic group can't be made without anybody else"),
    row("USERS_TOO_MUCH", M::Forbidden, None, "the group is full"),
    row("MEGAGROUP_ID_INVALID", M::Invalid, None, "there is no such supergroup"),
    row("INPUT_CONSTRUCTOR_INVALID", M::Internal, None, "Telegram could not read the request"),
    row("INPUT_METHOD_INVALID", M::Internal, None, "Telegram does not know the request"),
    row("INPUT_REQUEST_TOO_LONG", M::Invalid, None, "the request is too long"),
    row("CONNECTION_LAYER_INVALID", M::Detached, None, "Telegram does not accept this release's layer"),
    row("API_ID_INVALID", M::Detached, None, "the application's api_id and api_hash don't fit together: the instance's own, or telegram.api_id and telegram.api_hash"),
    row("CONNECTION_API_ID_INVALID", M::Detached, None, "Telegram does not accept the application's api_id: the instance's own, or telegram.api_id"),
    row("CONNECTION_NOT_INITED", M::Unavailable, None, "the connection was not introduced to Telegram; the next one is"),
    row("API_ID_PUBLISHED_FLOOD", M::Detached, None, "the application's api_id is published somewhere and can't be used"),
    // Links.
    row("INVITE_HASH_EXPIRED", M::Invalid, None, "the invite link does not work any more"),
    row("INVITE_HASH_INVALID", M::Invalid, None, "there is no such invite link"),
    row("INVITE_HASH_EMPTY", M::Invalid, None, "the invite link is empty"),
    row("INVITE_REVOKED_MISSING", M::Invalid, None, "the invite link was revoked already, or is none of this group"),
    row("INVITE_SLUG_EXPIRED", M::Invalid, None, "the invite link does not work any more"),
    row("INVITE_REQUEST_SENT", M::AlreadySo, None, "the request to join was sent; an admin must approve it"),
    row("EXPORT_CARD_INVALID", M::Invalid, None, "the card is none"),
    row("EXPIRE_DATE_INVALID", M::Invalid, None, "the expiry date is not possible"),
    row("USAGE_LIMIT_INVALID", M::Invalid, None, "the usage limit is not possible"),
    row("EDIT_BOT_INVITE_FORBIDDEN", M::Forbidden, None, "a bot's link can't be changed by others"),
    row("CHAT_LINK_EXISTS", M::AlreadySo, None, "there is such a link already"),
    // Logging in.
    row("PHONE_CODE_INVALID", M::Invalid, None, "the code is wrong"),
    row("PHONE_CODE_EMPTY", M::Invalid, None, "the code is empty"),
    row("PHONE_CODE_EXPIRED", M::Invalid, None, "the code has expired; ask for another one"),
    row("PHONE_CODE_HASH_EMPTY", M::Internal, None, "no code was asked for"),
    row("PASSWORD_HASH_INVALID", M::Invalid, None, "the password is wrong"),
    row("PHONE_NUMBER_UNOCCUPIED", M::Invalid, None, "there is no Telegram account of this number; make one in an app first"),
    row("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", M::Forbidden, None, "there is no Telegram account of this number; make one in an app first"),
    row("PHONE_NUMBER_FLOOD", M::Wait(DAY_S), None, "too many logins were tried with this number"),
    row("PHONE_PASSWORD_FLOOD", M::Wait(DAY_S), None, "too many passwords were tried"),
    row("PHONE_PASSWORD_PROTECTED", M::Forbidden, None, "the number is protected by a password"),
    row("SIGN_IN_FAILED", M::Unavailable, None, "Telegram could not log the account in"),
    row("SMS_CODE_CREATE_FAILED", M::Unavailable, None, "Telegram could not make a code"),
    row("AUTH_KEY_UNSYNCHRONIZED", M::Unavailable, None, "Telegram has trouble with its own replication"),
    row("AUTH_TOKEN_EXPIRED", M::Invalid, None, "the QR code has expired"),
    row("AUTH_TOKEN_INVALID", M::Invalid, None, "the QR code is none"),
    row("AUTH_TOKEN_ALREADY_ACCEPTED", M::Invalid, None, "the QR code was used already"),
    row("AUTH_RESTART", M::Unavailable, None, "Telegram asks to begin the login anew"),
    row("SRP_ID_INVALID", M::Unavailable, None, "the password check must begin anew"),
    row("SRP_PASSWORD_CHANGED", M::Unavailable, None, "the password was changed meanwhile"),
    row("UPDATE_APP_TO_LOGIN", M::Internal, None, "Telegram asks for a newer client to log in"),
    // The stream, messages, and Telegram's own trouble.
    row("PERSISTENT_TIMESTAMP_EMPTY", M::Internal, None, "no place in the stream of updates was named"),
    row("PERSISTENT_TIMESTAMP_INVALID", M::Internal, None, "the place in the stream of updates is none"),
    row("PERSISTENT_TIMESTAMP_OUTDATED", M::Unavailable, None, "Telegram has trouble with its own replication"),
    row("RANDOM_ID_DUPLICATE", M::AlreadySo, None, "this message was sent already"),
    row("CHAT_ID_GENERATE_FAILED", M::Unavailable, None, "Telegram could not make the group"),
    row("HISTORY_GET_FAILED", M::Unavailable, None, "Telegram could not read the history"),
    row("MSG_ID_INVALID", M::Invalid, None, "there is no such message, or the page is none"),
    row("LIMIT_INVALID", M::Internal, None, "the page's size is not possible"),
    row("TIMEOUT", M::Unavailable, None, "Telegram did not get it done in time"),
    row("Timeout", M::Unavailable, None, "Telegram did not get it done in time"),
    row("NEED_CHAT_INVALID", M::Unavailable, None, "Telegram lost sight of the group; later it may know it again"),
    row("NEED_MEMBER_INVALID", M::Unavailable, None, "Telegram lost sight of the member; later it may know them again"),
    row("USER_MIGRATE", M::Unavailable, None, "Telegram moved the account to another data centre"),
    row("NETWORK_MIGRATE", M::Unavailable, None, "Telegram sends the account to another data centre"),
    row("PHONE_MIGRATE", M::Unavailable, None, "Telegram keeps this number in another data centre"),
];
