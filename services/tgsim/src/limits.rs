//! Telegram's limits, in one place, each with its source.
//!
//! They are data of the world rather than constants of the code, so that a test can lower one and meet it.

/// The limits of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Members of a basic group, creator included: `config.chat_size_max`, <https://core.telegram.org/constructor/config>.
    pub chat_members: usize,
    /// Members of a supergroup: `config.megagroup_size_max`.
    pub megagroup_members: usize,
    /// Members of a supergroup that can still be deleted: 1000, `CHANNEL_TOO_LARGE` on
    /// <https://core.telegram.org/method/channels.deleteChannel>.
    pub deletable_members: usize,
    /// Messages forwarded to a new member at most: `config.forwarded_count_max`.
    pub forwarded: i32,
    /// UTF-8 characters of a message: `config.message_length_max`.
    pub message_chars: usize,
    /// Characters of a group's title. Clients stop at 128 (TDLib `MAX_TITLE_LENGTH`, Bot API `setChatTitle`).
    pub title_chars: usize,
    /// Characters of a group's description: 255, <https://core.telegram.org/bots/api#setchatdescription>.
    pub chat_about_chars: usize,
    /// Characters of a bio: `about_length_limit_default`, <https://core.telegram.org/api/config#client-configuration>.
    pub about_chars: usize,
    /// Ditto with Premium: `about_length_limit_premium`.
    pub about_chars_premium: usize,
    /// Characters of a first or last name: 64, TDLib `MAX_NAME_LENGTH`.
    pub name_chars: usize,
    /// Supergroups and channels of one account: `channels_limit_default`.
    pub channels: usize,
    /// Ditto with Premium: `channels_limit_premium`.
    pub channels_premium: usize,
    /// Public supergroups and channels owned: `channels_public_limit_default`.
    pub public_channels: usize,
    /// Ditto with Premium: `channels_public_limit_premium`.
    pub public_channels_premium: usize,
    /// Admins of a supergroup: 50, `ADMINS_TOO_MUCH` on <https://core.telegram.org/method/channels.editAdmin>.
    pub admins: usize,
    /// Bots in a supergroup: 20, `BOTS_TOO_MUCH` on <https://core.telegram.org/method/channels.inviteToChannel>.
    pub bots: usize,
    /// Characters of an admin's custom title: 16, `ADMIN_RANK_INVALID`.
    pub rank_chars: usize,
    /// People in one `inviteToChannel`: 100, `USERS_TOO_MUCH` (TDLib sends at most 100 a time).
    pub invite_batch: usize,
    /// Characters of an invite link's name: 32, Bot API `createChatInviteLink`.
    pub link_title_chars: usize,
    /// Highest `usage_limit` of a link: 99999, `USAGE_LIMIT_INVALID`.
    pub link_usage: i32,
    /// Contacts in one `importContacts`: the rest comes back in `retry_contacts`,
    /// <https://core.telegram.org/method/contacts.importContacts>.
    pub import_batch: usize,
    /// Results of one list request (messages, dialogs): 100.
    pub page: usize,
    /// Results of one participants request: 200, <https://core.telegram.org/method/channels.getParticipants>.
    pub participants_page: usize,
    /// Pinned dialogs: `dialogs_pinned_limit_default`.
    pub pinned_dialogs: usize,
    /// Seconds during which a message can be edited: `config.edit_time_limit`, two days.
    pub edit_s: i32,
    /// Events that a message box remembers. An implementation detail of Telegram (about 100,000).
    pub box_log: usize,
    /// Events in one `updates.getDifference` before a slice is given.
    pub difference: usize,
    /// Names in one privacy rule: 1000, `PRIVACY_TOO_LONG` on <https://core.telegram.org/method/account.setPrivacy>.
    pub privacy_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chat_members: 200,
            megagroup_members: 200_000,
            deletable_members: 1000,
            forwarded: 100,
            message_chars: 4096,
            title_chars: 128,
            chat_about_chars: 255,
            about_chars: 70,
            about_chars_premium: 140,
            name_chars: 64,
            channels: 500,
            channels_premium: 1000,
            public_channels: 10,
            public_channels_premium: 20,
            admins: 50,
            bots: 20,
            rank_chars: 16,
            invite_batch: 100,
            link_title_chars: 32,
            link_usage: 99_999,
            import_batch: 500,
            page: 100,
            participants_page: 200,
            pinned_dialogs: 5,
            edit_s: 172_800,
            box_log: 10_000,
            difference: 500,
            privacy_names: 1000,
        }
    }
}
