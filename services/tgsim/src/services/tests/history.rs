//! Messages: sent once, read, edited, deleted, paged.
use grammers_tl_types::functions::{contacts, messages as f};
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{Bot, ChatId, NewUser, PeerId, UserId};

fn texts(answer: enums::messages::Messages) -> Vec<String> {
    let messages = match answer {
        enums::messages::Messages::Messages(m) => m.messages,
        enums::messages::Messages::Slice(m) => m.messages,
        enums::messages::Messages::ChannelMessages(m) => m.messages,
        enums::messages::Messages::NotModified(_) => panic!(),
    };
    messages
        .into_iter()
        .map(|m| match m {
            enums::Message::Message(m) => m.message,
            enums::Message::Service(_) => "service".into(),
            enums::Message::Empty(_) => "empty".into(),
        })
        .collect()
}

fn history(peer: enums::InputPeer, offset_id: i32, add_offset: i32, limit: i32) -> f::GetHistory {
    let (offset_date, max_id, min_id, hash) = Default::default();
    f::GetHistory { peer, offset_id, offset_date, add_offset, limit, max_id, min_id, hash }
}

#[test]
fn each_box_numbers_its_own_copies() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    assert_eq!(town.say(alice, carol, "hi carol").unwrap(), 1);
    assert_eq!(town.say(alice, bob, "hi bob").unwrap(), 2);
    let told = town.pushed(bob);
    let enums::Update::NewMessage(new) = &told[0] else { panic!() };
    let enums::Message::Message(m) = &new.message else { panic!() };
    assert_eq!((m.id, &m.peer_id, &m.from_id, m.out), (1, &PeerId::User(alice).tl(), &None, false));
    let mut answer = town.message(bob, alice, "re", 5);
    let reply = types::InputReplyToMessage {
        reply_to_msg_id: 1,
        top_msg_id: None,
        reply_to_peer_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        monoforum_peer_id: None,
        todo_item_id: None,
        poll_option: None,
    };
    answer.reply_to = Some(reply.into());
    town.call(bob, answer).unwrap();
    let told = town.pushed(alice);
    let enums::Update::NewMessage(new) = told.last().unwrap() else { panic!() };
    let enums::Message::Message(m) = &new.message else { panic!() };
    let Some(enums::MessageReplyHeader::Header(header)) = &m.reply_to else { panic!() };
    assert_eq!(header.reply_to_msg_id, Some(2), "the number in alice's box");
}

#[test]
fn a_random_id_sends_once() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let request = town.message(alice, bob, "once", 99);
    town.call(alice, request.clone()).unwrap();
    let error = town.call(alice, request).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (500, "RANDOM_ID_DUPLICATE"));
    let zero = town.message(alice, bob, "zero", 0);
    assert_eq!(town.refused(alice, zero), "RANDOM_ID_EMPTY");
    assert_eq!(town.world.users[&bob].mailbox.messages.len(), 1);
}

#[test]
fn who_may_not_write_is_told_why() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    assert_eq!(town.say(alice, bob, "   ").unwrap_err().name, "MESSAGE_EMPTY");
    assert_eq!(town.say(alice, bob, &"x".repeat(4097)).unwrap_err().name, "MESSAGE_TOO_LONG");
    let mut wrong = town.message(alice, bob, "x", 1);
    wrong.peer = town.peer(carol, bob);
    let error = town.call(alice, wrong).unwrap_err();
    assert_eq!(
        (error.code, error.name.as_str()),
        (404, "PEER_ID_INVALID"),
        "the code of this method's page"
    );
    let block = contacts::Block { my_stories_from: false, id: town.peer(bob, alice) };
    town.call(bob, block).unwrap();
    let error = town.say(alice, bob, "x").unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "USER_IS_BLOCKED"));
    assert_eq!(town.say(bob, alice, "x").unwrap_err().name, "YOU_BLOCKED_USER");
    town.world.users.get_mut(&carol).unwrap().new_chats_require_premium = true;
    assert_eq!(town.say(alice, carol, "x").unwrap_err().name, "PRIVACY_PREMIUM_REQUIRED");
    town.say(carol, alice, "you may answer").unwrap();
    town.say(alice, carol, "thanks").unwrap();
    let dave = town.newcomer(NewUser::default());
    town.world.users.get_mut(&alice).unwrap().spam_restricted = true;
    assert_eq!(town.say(alice, dave, "x").unwrap_err().name, "PEER_FLOOD");
    town.say(alice, carol, "known people can be written to").unwrap();
    town.world.users.get_mut(&dave).unwrap().deleted = true;
    assert_eq!(town.say(alice, dave, "x").unwrap_err().name, "INPUT_USER_DEACTIVATED");
    let mut bot = || town.newcomer(NewUser { bot: Some(Bot::default()), ..NewUser::default() });
    let (one, two) = (bot(), bot());
    assert_eq!(town.say(one, two, "x").unwrap_err().name, "USER_IS_BOT");
    assert_eq!(town.say(one, bob, "x").unwrap_err().name, "PEER_ID_INVALID", "bots don't begin");
    let mut later = town.message(alice, carol, "x", 3);
    later.schedule_date = Some(2_000_000_000);
    let error = town.call(alice, later).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (501, "NOT_SIMULATED_SCHEDULE_DATE"));
}

#[test]
fn a_group_can_be_closed_to_plain_members() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat = ChatId(town.group("G", &[bob]));
    let group = town.world.chats.get_mut(&chat).unwrap();
    group.default_banned_rights.send_plain = true;
    assert_eq!(town.say(bob, chat, "x").unwrap_err().name, "CHAT_SEND_PLAIN_FORBIDDEN");
    town.world.chats.get_mut(&chat).unwrap().default_banned_rights.send_messages = true;
    assert_eq!(town.say(bob, chat, "x").unwrap_err().name, "CHAT_WRITE_FORBIDDEN");
    town.say(alice, chat, "x").unwrap();
}

#[test]
fn history_is_paged_from_the_newest() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat = ChatId(town.group("G", &[bob]));
    for n in 1..=5 {
        town.say(alice, chat, &n.to_string()).unwrap();
        town.say(alice, bob, "elsewhere").unwrap();
    }
    let peer = town.peer(bob, chat);
    assert_eq!(texts(town.call(bob, history(peer.clone(), 0, 0, 3)).unwrap()), ["5", "4", "3"]);
    let all = town.call(bob, history(peer.clone(), 0, 0, 100)).unwrap();
    assert!(matches!(all, enums::messages::Messages::Messages(_)));
    let ids: Vec<i32> =
        town.world.users[&bob].mailbox.with_peer(chat.into()).map(|m| m.id).collect();
    assert_eq!(texts(town.call(bob, history(peer.clone(), ids[2], 0, 2)).unwrap()), ["2", "1"]);
    assert_eq!(texts(town.call(bob, history(peer.clone(), ids[2], -1, 2)).unwrap()), ["3", "2"]);
    let found = f::Search {
        peer,
        q: "4".into(),
        from_id: Some(town.peer(bob, alice)),
        saved_peer_id: None,
        saved_reaction: None,
        top_msg_id: None,
        filter: enums::MessagesFilter::InputMessagesFilterEmpty,
        min_date: 0,
        max_date: 0,
        offset_id: 0,
        add_offset: 0,
        limit: 10,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    assert_eq!(texts(town.call(bob, found).unwrap()), ["4"]);
}

#[test]
fn deleting_for_everybody_empties_every_box() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let one = town.say(alice, bob, "one").unwrap();
    let two = town.say(alice, bob, "two").unwrap();
    town.outbox.clear();
    let only_here = f::DeleteMessages { revoke: false, id: vec![one, 77] };
    let enums::messages::AffectedMessages::Messages(done) = town.call(alice, only_here).unwrap();
    assert_eq!((done.pts, done.pts_count), (4, 1));
    assert!(town.pushed(bob).is_empty());
    let everywhere = f::DeleteMessages { revoke: true, id: vec![two] };
    town.call(alice, everywhere).unwrap();
    assert_eq!(names(&town.pushed(bob)), ["DeleteMessages"]);
    assert_eq!(town.world.users[&bob].mailbox.messages.len(), 1);
    let chat = ChatId(town.group("G", &[bob]));
    town.say(alice, chat, "alice's").unwrap();
    let copy = town.world.users[&bob].mailbox.last_id;
    let error = town.call(bob, f::DeleteMessages { revoke: true, id: vec![copy] }).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "MESSAGE_DELETE_FORBIDDEN"));
}

#[test]
fn clearing_a_conversation_removes_the_dialog() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.say(alice, bob, "one").unwrap();
    let clear = |town: &Town, who: UserId, whom: UserId, revoke| f::DeleteHistory {
        just_clear: false,
        revoke,
        peer: town.peer(who, whom),
        max_id: 0,
        min_date: None,
        max_date: None,
    };
    let request = clear(&town, alice, bob, true);
    let enums::messages::AffectedHistory::History(done) = town.call(alice, request).unwrap();
    assert_eq!((done.pts_count, done.offset), (1, 0));
    assert!(!town.world.users[&alice].dialogs.contains_key(&bob.into()));
    assert!(town.world.users[&bob].mailbox.messages.is_empty());
}

#[test]
fn edits_and_pins_reach_every_copy() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat = ChatId(town.group("G", &[bob]));
    let id = town.say(alice, chat, "teh").unwrap();
    let edit = |town: &Town, who: UserId, id: i32, text: &str| f::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer: town.peer(who, chat),
        id,
        message: Some(text.into()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
        rich_message: None,
    };
    town.outbox.clear();
    let request = edit(&town, alice, id, "the");
    town.call(alice, request.clone()).unwrap();
    assert_eq!(names(&town.pushed(bob)), ["EditMessage"]);
    assert_eq!(town.refused(alice, request), "MESSAGE_NOT_MODIFIED");
    let bobs_copy = town.world.users[&bob].mailbox.last_id;
    let foreign = edit(&town, bob, bobs_copy, "mine");
    assert_eq!(town.refused(bob, foreign), "MESSAGE_AUTHOR_REQUIRED");
    let nowhere = edit(&town, alice, 999, "x");
    assert_eq!(town.refused(alice, nowhere), "MESSAGE_ID_INVALID");
    let pin = f::UpdatePinnedMessage {
        silent: false,
        unpin: false,
        pm_oneside: false,
        peer: town.peer(alice, chat),
        id,
    };
    town.call(alice, pin.clone()).unwrap();
    assert_eq!(names(&town.pushed(bob)), ["PinnedMessages", "NewMessage"]);
    assert_eq!(town.refused(alice, pin), "CHAT_NOT_MODIFIED");
    town.world.clock.advance(200_000);
    let late = edit(&town, alice, id, "too late");
    assert_eq!(town.refused(alice, late), "MESSAGE_EDIT_TIME_EXPIRED");
}

#[test]
fn reading_is_told_to_the_author() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.say(alice, bob, "one").unwrap();
    town.say(alice, bob, "two").unwrap();
    town.outbox.clear();
    let read = f::ReadHistory { peer: town.peer(bob, alice), max_id: 1 };
    let enums::messages::AffectedMessages::Messages(done) = town.call(bob, read.clone()).unwrap();
    assert_eq!(done.pts_count, 1);
    let told = town.pushed(alice);
    let enums::Update::ReadHistoryOutbox(outbox) = &told[0] else { panic!("{told:?}") };
    assert_eq!((outbox.max_id, &outbox.peer), (1, &PeerId::User(bob).tl()));
    let enums::messages::AffectedMessages::Messages(done) = town.call(bob, read).unwrap();
    assert_eq!(done.pts_count, 0, "nothing new was read");
    let peers = vec![types::InputDialogPeer { peer: town.peer(bob, alice) }.into()];
    let enums::messages::PeerDialogs::Dialogs(d) =
        town.call(bob, f::GetPeerDialogs { peers }).unwrap();
    let enums::Dialog::Dialog(d) = &d.dialogs[0] else { panic!() };
    assert_eq!((d.unread_count, d.read_inbox_max_id, d.top_message), (1, 1, 2));
}

#[test]
fn dialogs_come_newest_first_in_slices() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    town.say(alice, bob, "first").unwrap();
    town.world.clock.advance(10);
    town.say(alice, carol, "second").unwrap();
    town.world.clock.advance(10);
    town.group("third", &[bob]);
    let list = |offset_date, offset_id, offset_peer, limit| f::GetDialogs {
        exclude_pinned: false,
        folder_id: None,
        offset_date,
        offset_id,
        offset_peer,
        limit,
        hash: 0,
    };
    let whole = town.call(alice, list(0, 0, enums::InputPeer::Empty, 10)).unwrap();
    let enums::messages::Dialogs::Dialogs(whole) = whole else { panic!() };
    assert_eq!((whole.dialogs.len(), whole.messages.len()), (3, 3));
    let page = town.call(alice, list(0, 0, enums::InputPeer::Empty, 2)).unwrap();
    let enums::messages::Dialogs::Slice(page) = page else { panic!() };
    let enums::Dialog::Dialog(last) = &page.dialogs[1] else { panic!() };
    assert_eq!((page.count, &last.peer), (3, &PeerId::User(carol).tl()));
    let next = list(1_800_000_010, last.top_message, town.peer(alice, carol), 2);
    let enums::messages::Dialogs::Slice(next) = town.call(alice, next).unwrap() else { panic!() };
    let enums::Dialog::Dialog(only) = &next.dialogs[0] else { panic!() };
    assert_eq!((next.dialogs.len(), &only.peer), (1, &PeerId::User(bob).tl()));
    let folder = f::GetDialogs { folder_id: Some(9), ..list(0, 0, enums::InputPeer::Empty, 2) };
    assert_eq!(town.refused(alice, folder), "FOLDER_ID_INVALID");
}
