//! Making and changing a basic group, and what each of its people learns of it.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{Bot, ChatId, NewUser, PeerId};

fn create(users: Vec<enums::InputUser>, title: &str) -> f::CreateChat {
    f::CreateChat { users, title: title.into(), ttl_period: None }
}

#[test]
fn a_new_group_is_told_to_everybody_and_to_nobody_twice() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let users = vec![town.user(alice, bob), town.user(alice, carol), town.user(alice, bob)];
    let enums::messages::InvitedUsers::Users(made) =
        town.call(alice, create(users, "  Deal 77 ")).unwrap();
    assert!(made.missing_invitees.is_empty());
    let enums::Updates::Updates(answer) = made.updates else { panic!() };
    assert_eq!(names(&answer.updates), ["ChatParticipants", "NewMessage"]);
    assert_eq!((answer.users.len(), answer.chats.len(), answer.seq), (3, 1, 0));
    let enums::Chat::Chat(chat) = &answer.chats[0] else { panic!() };
    assert!(chat.creator);
    assert_eq!((chat.title.as_str(), chat.participants_count), ("Deal 77", 3));

    let told = town.pushed(bob);
    assert_eq!(names(&told), ["ChatParticipants", "NewMessage"]);
    let enums::Update::NewMessage(new) = &told[1] else { panic!() };
    let enums::Message::Service(service) = &new.message else { panic!() };
    let users = vec![alice.0, bob.0, carol.0];
    let action = types::MessageActionChatCreate { title: "Deal 77".into(), users: users.clone() };
    assert_eq!(service.action, action.into());
    assert!(!service.out);
    assert_eq!(new.pts, 2, "a new box stands at 1");
    assert!(town.outbox.iter().filter(|p| p.to == alice).all(|p| p.not_to_caller));
    let effect = serde_json::json!({"kind":"chat.created","chat_id":-chat.id,"group":"basic","title":"Deal 77","members":users});
    assert_eq!(town.effects, [effect]);
}

#[test]
fn a_group_needs_a_title_somebody_else_and_a_creator_in_good_standing() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let bob_in = town.user(alice, bob);
    assert_eq!(town.refused(alice, create(vec![bob_in.clone()], " \n")), "CHAT_TITLE_EMPTY");
    assert_eq!(town.refused(alice, create(vec![], "T")), "USERS_TOO_FEW");
    assert_eq!(town.refused(alice, create(vec![enums::InputUser::UserSelf], "T")), "USERS_TOO_FEW");
    let bobs_own = town.user(bob, bob);
    assert_eq!(
        town.refused(alice, create(vec![bobs_own], "T")),
        "USER_ID_INVALID",
        "another one's hash"
    );
    town.world.users.get_mut(&bob).unwrap().deleted = true;
    assert_eq!(town.refused(alice, create(vec![bob_in.clone()], "T")), "INPUT_USER_DEACTIVATED");
    town.world.users.get_mut(&bob).unwrap().deleted = false;
    town.world.users.get_mut(&alice).unwrap().spam_restricted = true;
    let error = town.call(alice, create(vec![bob_in.clone()], "T")).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (406, "USER_RESTRICTED"));
    town.world.users.get_mut(&alice).unwrap().spam_restricted = false;
    let bad_ttl = f::CreateChat { ttl_period: Some(-1), ..create(vec![bob_in.clone()], "T") };
    assert_eq!(town.refused(alice, bad_ttl), "TTL_PERIOD_INVALID");
    town.world.limits.chat_members = 1;
    assert_eq!(town.refused(alice, create(vec![bob_in], "T")), "USERS_TOO_MUCH");
    assert!(town.effects.is_empty() && town.world.chats.is_empty());
}

#[test]
fn titles_are_changed_by_members_unless_forbidden_and_cut_to_length() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("Old", &[bob]);
    town.outbox.clear();
    let rename = |title: &str| f::EditChatTitle { chat_id, title: title.into() };
    assert_eq!(town.refused(carol, rename("X")), "PEER_ID_INVALID");
    assert_eq!(
        town.refused(alice, f::EditChatTitle { chat_id: 1, title: "X".into() }),
        "CHAT_ID_INVALID"
    );
    assert_eq!(town.refused(alice, rename("Old")), "CHAT_NOT_MODIFIED");
    assert_eq!(town.refused(alice, rename("")), "CHAT_TITLE_EMPTY");
    town.call(bob, rename(&"ä".repeat(300))).unwrap();
    assert_eq!(town.world.chats[&ChatId(chat_id)].title.chars().count(), 128);
    assert_eq!(names(&town.pushed(alice)), ["NewMessage"]);
    town.outbox.clear();

    let banned = types::ChatBannedRights {
        change_info: true,
        ..crate::world::rights::default_restrictions()
    };
    let forbid = f::EditChatDefaultBannedRights {
        peer: town.peer(alice, ChatId(chat_id)),
        banned_rights: banned.into(),
    };
    assert_eq!(town.refused(bob, forbid.clone()), "CHAT_ADMIN_REQUIRED");
    town.call(alice, forbid.clone()).unwrap();
    assert_eq!(names(&town.pushed(bob)), ["ChatDefaultBannedRights"]);
    assert_eq!(town.refused(alice, forbid), "CHAT_NOT_MODIFIED");
    assert_eq!(town.refused(bob, rename("X")), "CHAT_ADMIN_REQUIRED");
    let promote = f::EditChatAdmin { chat_id, user_id: town.user(alice, bob), is_admin: true };
    assert!(town.call(alice, promote).unwrap());
    town.call(bob, rename("By an admin")).unwrap();
}

#[test]
fn about_is_limited_and_told() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat_id = town.group("G", &[bob]);
    town.outbox.clear();
    let peer = town.peer(alice, ChatId(chat_id));
    let about = |text: &str| f::EditChatAbout { peer: peer.clone(), about: text.into() };
    assert_eq!(town.refused(alice, about(&"x".repeat(256))), "CHAT_ABOUT_TOO_LONG");
    assert!(town.call(alice, about("why")).unwrap());
    assert_eq!(town.refused(alice, about("why")), "CHAT_ABOUT_NOT_MODIFIED");
    assert_eq!(names(&town.pushed(bob)), ["Chat"]);
}

#[test]
fn only_the_creator_deletes_and_then_nothing_is_left() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat_id = town.group("G", &[bob]);
    assert_eq!(town.refused(bob, f::DeleteChat { chat_id }), "CHAT_ADMIN_REQUIRED");
    town.outbox.clear();
    assert!(town.call(alice, f::DeleteChat { chat_id }).unwrap());
    assert_eq!(names(&town.pushed(bob)), ["Chat", "DeleteMessages"]);
    assert_eq!(town.refused(alice, f::DeleteChat { chat_id }), "CHAT_ID_INVALID");
    assert_eq!(town.say(bob, ChatId(chat_id), "hello?").unwrap_err().name, "CHAT_ID_INVALID");
    let enums::messages::Chats::Chats(seen) =
        town.call(bob, f::GetChats { id: vec![chat_id] }).unwrap()
    else {
        panic!()
    };
    assert!(matches!(seen.chats[0], enums::Chat::Forbidden(_)));
    assert!(!town.world.users[&bob].dialogs.contains_key(&PeerId::Chat(ChatId(chat_id))));
}

#[test]
fn a_migrated_group_points_to_its_successor_and_is_no_longer_served() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("Moving", &[bob, carol]);
    let leave =
        f::DeleteChatUser { revoke_history: false, chat_id, user_id: town.user(carol, carol) };
    town.call(carol, leave).unwrap();
    let error = town.call(bob, f::MigrateChat { chat_id }).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "CHAT_ADMIN_REQUIRED"));
    town.world.limits.channels = 0;
    assert_eq!(town.refused(alice, f::MigrateChat { chat_id }), "CHANNELS_TOO_MUCH");
    town.world.limits.channels = 500;
    town.outbox.clear();
    let enums::Updates::Updates(answer) = town.call(alice, f::MigrateChat { chat_id }).unwrap()
    else {
        panic!()
    };
    assert_eq!(names(&answer.updates), ["NewMessage", "Channel", "NewChannelMessage"]);
    assert_eq!(names(&town.pushed(bob)), ["NewMessage", "Channel", "NewChannelMessage"]);
    assert_eq!(names(&town.pushed(carol)), [] as [&str; 0], "she had left");
    let channel = answer.chats.iter().find_map(|c| match c {
        enums::Chat::Channel(c) => Some(c.clone()),
        _ => None,
    });
    let channel = channel.unwrap();
    assert!(channel.creator && channel.megagroup);
    let old = answer.chats.iter().find_map(|c| match c {
        enums::Chat::Chat(c) => Some(c.clone()),
        _ => None,
    });
    let old = old.unwrap();
    let to =
        types::InputChannel { channel_id: channel.id, access_hash: channel.access_hash.unwrap() };
    assert!(old.deactivated);
    assert_eq!(old.migrated_to, Some(to.into()));
    assert_eq!(town.refused(alice, f::MigrateChat { chat_id }), "CHAT_ID_INVALID");
    let rename = f::EditChatTitle { chat_id, title: "late".into() };
    assert_eq!(town.refused(alice, rename), "CHAT_ID_INVALID");
    assert_eq!(town.say(bob, ChatId(chat_id), "late").unwrap_err().name, "CHAT_ID_INVALID");
    town.say(bob, crate::world::ChannelId(channel.id), "here").unwrap();
    assert_eq!(town.kinds().last().unwrap(), "message.sent");
}

#[test]
fn a_bot_that_stays_out_of_groups_is_missing() {
    let mut town = Town::new();
    let alice = town.alice;
    let bot = Bot { nochats: true, ..Bot::default() };
    let bot = town.newcomer(NewUser { bot: Some(bot), ..NewUser::default() });
    let users = vec![town.user(alice, bot)];
    let enums::messages::InvitedUsers::Users(made) = town.call(alice, create(users, "T")).unwrap();
    assert_eq!(made.missing_invitees.len(), 1);
    assert_eq!(town.kinds(), ["chat.created", "chat.member_missing"]);
}
