//! Who may speak in a supergroup, who may touch what was said, and who may not.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::types;

use super::Town;
use crate::world::{ChannelId, ChatId, Role, UserId, rights};

fn supergroup(town: &mut Town) -> ChannelId {
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob, carol]);
    town.call(alice, f::MigrateChat { chat_id }).unwrap();
    *town.world.channels.keys().next().unwrap()
}

fn pin(
    town: &Town,
    who: UserId,
    peer: impl Into<crate::world::PeerId>,
    id: i32,
) -> f::UpdatePinnedMessage {
    f::UpdatePinnedMessage {
        silent: true,
        unpin: false,
        pm_oneside: false,
        peer: town.peer(who, peer),
        id,
    }
}

fn edit(
    town: &Town,
    who: UserId,
    peer: impl Into<crate::world::PeerId>,
    id: i32,
    text: &str,
) -> f::EditMessage {
    f::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer: town.peer(who, peer),
        id,
        message: Some(text.into()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
        rich_message: None,
    }
}

#[test]
fn slow_mode_and_restrictions_hold_plain_members_back() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let id = supergroup(&mut town);
    town.world.channels.get_mut(&id).unwrap().slowmode_s = 30;
    town.say(bob, id, "one").unwrap();
    town.world.clock.advance(10);
    let error = town.say(bob, id, "two").unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (420, "SLOWMODE_WAIT_20"));
    town.say(alice, id, "admins don't wait").unwrap();
    town.world.clock.advance(20);
    town.say(bob, id, "two").unwrap();
    let channel = town.world.channels.get_mut(&id).unwrap();
    channel.slowmode_s = 0;
    let until_date = 1_800_000_100;
    let rights =
        types::ChatBannedRights { send_messages: true, until_date, ..rights::no_banned_rights() };
    channel.members.get_mut(&bob).unwrap().role =
        Role::Restricted { rights, by: alice, date: 1_800_000_000 };
    assert_eq!(town.say(bob, id, "x").unwrap_err().name, "USER_BANNED_IN_CHANNEL");
    town.world.clock.advance(100);
    town.say(bob, id, "it is over").unwrap();
    town.world.channels.get_mut(&id).unwrap().broadcast = true;
    let error = town.say(bob, id, "x").unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "CHAT_ADMIN_REQUIRED"));
    let mut reply = town.message(alice, id, "re", 12);
    let to = types::InputReplyToMessage {
        reply_to_msg_id: 99,
        top_msg_id: None,
        reply_to_peer_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        monoforum_peer_id: None,
        todo_item_id: None,
        poll_option: None,
    };
    reply.reply_to = Some(to.into());
    assert_eq!(town.refused(alice, reply), "REPLY_MESSAGE_ID_INVALID");
}

#[test]
fn posts_of_a_channel_are_edited_by_its_admins() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let id = supergroup(&mut town);
    town.world.channels.get_mut(&id).unwrap().broadcast = true;
    let post = town.say(alice, id, "news").unwrap();
    let foreign = edit(&town, bob, id, post, "fake");
    assert_eq!(town.refused(bob, foreign), "CHAT_ADMIN_REQUIRED");
    let empty = edit(&town, alice, id, post, " ");
    assert_eq!(town.refused(alice, empty), "MESSAGE_EMPTY");
    let long = edit(&town, alice, id, post, &"x".repeat(4097));
    assert_eq!(town.refused(alice, long), "MESSAGE_TOO_LONG");
    let right = edit(&town, alice, id, post, "better news");
    town.call(alice, right).unwrap();
    let unasked = pin(&town, bob, id, post);
    assert_eq!(town.refused(bob, unasked), "CHAT_ADMIN_REQUIRED");
    let nothing = pin(&town, alice, id, 99);
    assert_eq!(town.refused(alice, nothing), "MESSAGE_ID_INVALID");
}

#[test]
fn who_is_out_touches_nothing_any_more() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat_id = town.group("G", &[bob]);
    let chat = ChatId(chat_id);
    let said = town.say(bob, chat, "mine").unwrap();
    let out = f::DeleteChatUser { revoke_history: false, chat_id, user_id: town.user(alice, bob) };
    town.call(alice, out).unwrap();
    let late = edit(&town, bob, chat, said, "changed");
    assert_eq!(town.refused(bob, late), "CHAT_WRITE_FORBIDDEN");
    let late = pin(&town, bob, chat, said);
    assert_eq!(town.refused(bob, late), "CHAT_WRITE_FORBIDDEN");
    let about = f::EditChatAbout { peer: town.peer(bob, chat), about: "x".into() };
    assert_eq!(town.refused(bob, about), "CHAT_WRITE_FORBIDDEN");
    let banned_rights = rights::default_restrictions().into();
    let restrict = f::EditChatDefaultBannedRights { peer: town.peer(bob, chat), banned_rights };
    assert_eq!(town.refused(bob, restrict), "CHAT_WRITE_FORBIDDEN");
}

#[test]
fn revoking_the_history_of_one_who_is_taken_out_takes_their_words_too() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob, carol]);
    town.say(bob, ChatId(chat_id), "spam").unwrap();
    town.say(carol, ChatId(chat_id), "fine").unwrap();
    let out = f::DeleteChatUser { revoke_history: true, chat_id, user_id: town.user(alice, bob) };
    town.call(alice, out).unwrap();
    let by_bob = |town: &Town, who: UserId| {
        let mailbox = &town.world.users[&who].mailbox;
        mailbox.with_peer(ChatId(chat_id).into()).filter(|m| m.from == bob.into()).count()
    };
    assert_eq!((by_bob(&town, alice), by_bob(&town, carol)), (0, 0));
    assert!(town.world.users[&alice].mailbox.messages.values().any(|m| m.from == carol.into()));
}

#[test]
fn deleting_history_for_all_has_its_limits() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat = ChatId(town.group("G", &[bob]));
    let clear = |town: &Town, who: UserId, peer: crate::world::PeerId, min_date| f::DeleteHistory {
        just_clear: true,
        revoke: true,
        peer: town.peer(who, peer),
        max_id: 0,
        min_date,
        max_date: None,
    };
    let foreign = clear(&town, bob, chat.into(), None);
    assert_eq!(town.refused(bob, foreign), "CHAT_ADMIN_REQUIRED");
    let dated = clear(&town, alice, chat.into(), Some(1));
    assert_eq!(town.refused(alice, dated), "CHAT_REVOKE_DATE_UNSUPPORTED");
    let private = clear(&town, alice, bob.into(), Some(1));
    assert_eq!(town.refused(alice, private), "NOT_SIMULATED_MIN_DATE");
    let change_info =
        types::ChatBannedRights { change_info: true, ..rights::default_restrictions() };
    town.world.chats.get_mut(&chat).unwrap().default_banned_rights = change_info;
    let about = f::EditChatAbout { peer: town.peer(bob, chat), about: "x".into() };
    assert_eq!(town.refused(bob, about), "CHAT_ADMIN_REQUIRED");
    town.world.users.get_mut(&bob).unwrap().deleted = true;
    let pinned = pin(&town, alice, bob, 1);
    assert_eq!(town.refused(alice, pinned), "INPUT_USER_DEACTIVATED");
    let check = grammers_tl_types::functions::account::CheckUsername { username: "x".into() };
    assert_eq!(town.refused(alice, check), "USERNAME_INVALID");
}
