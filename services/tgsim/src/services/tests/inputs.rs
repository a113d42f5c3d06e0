//! Wrong hashes, strangers' groups and messages that aren't there, at every request that names somebody.
use grammers_tl_types::functions::{account, channels, contacts, messages as f, updates, users};
use grammers_tl_types::{Identifiable, RemoteCall, enums, types};

use super::Town;
use crate::world::{ChannelId, PeerId, UserId};

/// A supergroup that alice and bob share and carol was put out of (a private one), and a chat that never was.
struct Scene {
    town: Town,
    channel: ChannelId,
}

/// A way to name something wrongly, and the error for it.
type Wrong<T> = Vec<(T, &'static str)>;

impl Scene {
    fn new() -> Self {
        let mut town = Town::new();
        let (alice, bob, carol) = (town.alice, town.bob, town.carol);
        let chat_id = town.group("G", &[bob, carol]);
        town.call(alice, f::MigrateChat { chat_id }).unwrap();
        let channel = *town.world.channels.keys().next().unwrap();
        town.world.quit_channel(channel, carol, false);
        town.say(carol, alice, "a message to point at").unwrap();
        Self { town, channel }
    }

    /// carol asks.
    fn carol(&self) -> UserId {
        self.town.carol
    }

    fn peers(&self) -> Wrong<enums::InputPeer> {
        let (carol, bob) = (self.town.carol, self.town.bob);
        let not_hers = self.town.peer(bob, bob);
        let her_talk = self.town.peer(carol, self.town.alice);
        let pointing =
            types::InputPeerUserFromMessage { peer: her_talk, msg_id: 99, user_id: bob.0 };
        vec![
            (not_hers, "PEER_ID_INVALID"),
            (types::InputPeerChat { chat_id: 1 }.into(), "CHAT_ID_INVALID"),
            (self.town.peer(bob, self.channel), "CHANNEL_INVALID"),
            (self.town.peer(carol, self.channel), "CHANNEL_PRIVATE"),
            (pointing.into(), "MSG_ID_INVALID"),
        ]
    }

    fn users(&self, wrong_hash: &'static str) -> Wrong<enums::InputUser> {
        let bob = self.town.bob;
        let mut all: Wrong<enums::InputUser> = vec![(self.town.user(bob, bob), wrong_hash)];
        all.extend(self.peers().into_iter().map(|(peer, error)| {
            (types::InputUserFromMessage { peer, msg_id: 1, user_id: bob.0 }.into(), error)
        }));
        all
    }

    fn channels(&self) -> Wrong<enums::InputChannel> {
        let (carol, bob) = (self.town.carol, self.town.bob);
        let mut all = vec![
            (self.town.world.input_channel(bob, self.channel), "CHANNEL_INVALID"),
            (self.town.world.input_channel(carol, self.channel), "CHANNEL_PRIVATE"),
        ];
        all.extend(self.peers().into_iter().map(|(peer, error)| {
            let channel_id = self.channel.0;
            (types::InputChannelFromMessage { peer, msg_id: 1, channel_id }.into(), error)
        }));
        all
    }

    fn try_all<T, F>(&mut self, wrong: Wrong<T>, request: impl Fn(T) -> F)
    where
        F: RemoteCall + Identifiable,
        F::Return: std::fmt::Debug,
    {
        let carol = self.carol();
        for (input, error) in wrong {
            let name = grammers_tl_types::name_for_id(F::CONSTRUCTOR_ID);
            assert_eq!(self.town.refused(carol, request(input)), error, "{name}");
        }
        assert!(self.town.effects.iter().all(|e| e["kind"] != "peer.blocked"));
    }
}

#[test]
fn conversations_that_are_not_the_callers() {
    let mut s = Scene::new();
    let dialog = |peer| types::InputDialogPeer { peer }.into();
    let (offset_id, offset_date, add_offset, limit, max_id, min_id, hash) = Default::default();
    let wrong = s.peers();
    let all = || wrong.clone();
    s.try_all(all(), |peer| f::GetHistory {
        peer,
        offset_id,
        offset_date,
        add_offset,
        limit,
        max_id,
        min_id,
        hash,
    });
    s.try_all(all(), |peer| f::GetPeerDialogs { peers: vec![dialog(peer)] });
    s.try_all(all(), |peer| f::ToggleDialogPin { pinned: true, peer: dialog(peer) });
    s.try_all(all(), |peer| f::MarkDialogUnread {
        unread: true,
        parent_peer: None,
        peer: dialog(peer),
    });
    s.try_all(all(), |peer| f::GetPeerSettings { peer });
    s.try_all(all(), |peer| f::ReadHistory { peer, max_id });
    s.try_all(all(), |peer| f::SetTyping {
        peer,
        top_msg_id: None,
        action: enums::SendMessageAction::SendMessageTypingAction,
    });
    s.try_all(all(), |peer| f::DeleteHistory {
        just_clear: false,
        revoke: false,
        peer,
        max_id,
        min_date: None,
        max_date: None,
    });
    let pattern = s.town.message(s.carol(), s.town.alice, "x", 1);
    s.try_all(all(), |peer| f::SendMessage { peer, ..pattern.clone() });
    s.try_all(all(), |peer| f::UpdatePinnedMessage {
        silent: false,
        unpin: false,
        pm_oneside: false,
        peer,
        id: 1,
    });
    s.try_all(all(), |peer| f::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer,
        id: 1,
        message: Some("x".into()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
        rich_message: None,
    });
    let search = |peer, from_id| f::Search {
        peer,
        q: String::new(),
        from_id,
        saved_peer_id: None,
        saved_reaction: None,
        top_msg_id: None,
        filter: enums::MessagesFilter::InputMessagesFilterEmpty,
        min_date: 0,
        max_date: 0,
        offset_id,
        add_offset,
        limit,
        max_id,
        min_id,
        hash,
    };
    s.try_all(all(), |peer| search(peer, None));
    let from = all().into_iter().map(|(peer, _)| (peer, "FROM_PEER_INVALID")).collect();
    s.try_all(from, |peer| search(enums::InputPeer::PeerSelf, Some(peer)));
    let offsets = all().into_iter().map(|(peer, _)| (peer, "OFFSET_PEER_ID_INVALID")).collect();
    s.try_all(offsets, |offset_peer| f::GetDialogs {
        exclude_pinned: false,
        folder_id: None,
        offset_date,
        offset_id,
        offset_peer,
        limit,
        hash,
    });
    assert_eq!(
        s.town.refused(s.town.carol, f::GetPeerDialogs { peers: vec![] }),
        "INPUT_PEERS_EMPTY"
    );
    assert_eq!(
        s.town.refused(s.town.carol, f::GetPinnedDialogs { folder_id: 7 }),
        "FOLDER_ID_INVALID"
    );
}

#[test]
fn groups_that_can_be_described_or_restricted() {
    let mut s = Scene::new();
    let all = s.peers();
    s.try_all(all.clone(), |peer| f::EditChatAbout { peer, about: "x".into() });
    let rights = crate::world::rights::default_restrictions();
    s.try_all(all, |peer| f::EditChatDefaultBannedRights {
        peer,
        banned_rights: rights.clone().into(),
    });
}

#[test]
fn blocking_names_a_chat_a_wrong_peer() {
    let mut s = Scene::new();
    let fitting = |(peer, error)| match error {
        "CHAT_ID_INVALID" => (peer, "PEER_ID_INVALID"),
        _ => (peer, error),
    };
    let mut all: Wrong<enums::InputPeer> = s.peers().into_iter().map(fitting).collect();
    all.push((enums::InputPeer::PeerSelf, "CONTACT_ID_INVALID"));
    s.try_all(all.clone(), |id| contacts::Unblock { my_stories_from: false, id });
    let bob = s.town.bob;
    s.town.world.users.get_mut(&bob).unwrap().deleted = true;
    all.push((s.town.peer(s.town.carol, bob), "INPUT_USER_DEACTIVATED"));
    s.try_all(all, |id| contacts::Block { my_stories_from: false, id });
}

#[test]
fn people_that_are_named_wrongly() {
    let mut s = Scene::new();
    let carol = s.carol();
    let bob = s.town.bob;
    let users = vec![s.town.user(carol, bob)];
    let made =
        s.town.call(carol, f::CreateChat { users, title: "Carol's".into(), ttl_period: None });
    made.unwrap();
    let chat_id = s.town.world.chats.values().find(|c| c.title == "Carol's").unwrap().id.0;
    let all = s.users("USER_ID_INVALID");
    s.try_all(all.clone(), |u| f::CreateChat {
        users: vec![u],
        title: "T".into(),
        ttl_period: None,
    });
    s.try_all(all.clone(), |user_id| f::AddChatUser { chat_id, user_id, fwd_limit: 0 });
    s.try_all(all.clone(), |user_id| f::DeleteChatUser { revoke_history: false, chat_id, user_id });
    s.try_all(all.clone(), |user_id| f::EditChatAdmin { chat_id, user_id, is_admin: true });
    s.try_all(all.clone(), |id| users::GetFullUser { id });
    s.try_all(all.clone(), |id| users::GetRequirementsToContact { id: vec![id] });
    s.try_all(all.clone(), |id| contacts::DeleteContacts { id: vec![id] });
    s.try_all(all.clone(), |user| account::SetPrivacy {
        key: enums::InputPrivacyKey::ChatInvite,
        rules: vec![types::InputPrivacyValueAllowUsers { users: vec![user] }.into()],
    });
    s.try_all(all[1..].to_vec(), |id| users::GetUsers { id: vec![id] });
    let contact = s.users("CONTACT_ID_INVALID");
    s.try_all(contact, |id| contacts::AddContact {
        add_phone_privacy_exception: false,
        id,
        first_name: "B".into(),
        last_name: String::new(),
        phone: String::new(),
        note: None,
    });
    // The caller's own number of a group that isn't theirs, and of none.
    let myself = s.town.user(carol, bob);
    let foreign = s.town.group("Alice's", &[bob]);
    for (chat_id, error) in [(1, "CHAT_ID_INVALID"), (foreign, "PEER_ID_INVALID")] {
        let user_id = myself.clone();
        assert_eq!(
            s.town
                .refused(carol, f::AddChatUser { chat_id, user_id: user_id.clone(), fwd_limit: 0 }),
            error
        );
        let out = f::DeleteChatUser { revoke_history: false, chat_id, user_id: user_id.clone() };
        assert_eq!(s.town.refused(carol, out), error);
        assert_eq!(
            s.town.refused(carol, f::EditChatAdmin { chat_id, user_id, is_admin: true }),
            error
        );
        assert_eq!(s.town.refused(carol, f::GetChats { id: vec![chat_id] }), error);
        assert_eq!(s.town.refused(carol, f::DeleteChat { chat_id }), error);
        assert_eq!(s.town.refused(carol, f::MigrateChat { chat_id }), error);
    }
}

#[test]
fn supergroups_that_are_closed_to_the_caller() {
    let mut s = Scene::new();
    let all = s.channels();
    s.try_all(all.clone(), |channel| channels::GetMessages {
        channel,
        id: vec![types::InputMessageId { id: 1 }.into()],
    });
    s.try_all(all.clone(), |channel| channels::ReadHistory { channel, max_id: 0 });
    s.try_all(all.clone(), |channel| channels::DeleteMessages { channel, id: vec![1] });
    s.try_all(all.clone(), |channel| channels::DeleteHistory {
        for_everyone: false,
        channel,
        max_id: 0,
    });
    let difference = |channel, pts, filter| updates::GetChannelDifference {
        force: false,
        channel,
        filter,
        pts,
        limit: 1,
    };
    s.try_all(all, |channel| difference(channel, 1, enums::ChannelMessagesFilter::Empty));
    let (alice, id) = (s.town.alice, s.channel);
    let mine = s.town.world.input_channel(alice, id);
    let empty = enums::ChannelMessagesFilter::Empty;
    let early = difference(mine.clone(), 0, empty.clone());
    assert_eq!(s.town.refused(alice, early), "PERSISTENT_TIMESTAMP_EMPTY");
    let ahead = difference(mine.clone(), 99, empty);
    assert_eq!(s.town.refused(alice, ahead), "PERSISTENT_TIMESTAMP_INVALID");
    let backwards = types::MessageRange { min_id: 2, max_id: 1 };
    let filter = types::ChannelMessagesFilter {
        exclude_new_messages: false,
        ranges: vec![backwards.into()],
    };
    assert_eq!(s.town.refused(alice, difference(mine, 1, filter.into())), "RANGES_INVALID");
    s.town.world.channels.get_mut(&id).unwrap().username = Some("now_public".into());
    let carol = s.carol();
    let channel = s.town.world.input_channel(carol, id);
    let clear = channels::DeleteHistory { for_everyone: false, channel, max_id: 0 };
    assert_eq!(s.town.refused(carol, clear), "CHANNEL_PARICIPANT_MISSING");
    assert_eq!(
        s.town.say(carol, PeerId::Channel(id), "x").unwrap_err().name,
        "CHAT_WRITE_FORBIDDEN"
    );
    s.town.world.channels.get_mut(&id).unwrap().join_to_send = true;
    assert_eq!(
        s.town.say(carol, PeerId::Channel(id), "x").unwrap_err().name,
        "CHAT_GUEST_SEND_FORBIDDEN"
    );
}
