//! Who may be added to a basic group, and who may take whom out.
use grammers_tl_types::functions::{account, contacts, messages as f};
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{Audience, Bot, ChatId, NewUser, PrivacyKey, PrivacyRule, UserId};

fn add(town: &Town, by: UserId, chat_id: i64, who: UserId, fwd_limit: i32) -> f::AddChatUser {
    f::AddChatUser { chat_id, user_id: town.user(by, who), fwd_limit }
}

fn remove(town: &Town, by: UserId, chat_id: i64, who: UserId) -> f::DeleteChatUser {
    f::DeleteChatUser { revoke_history: false, chat_id, user_id: town.user(by, who) }
}

fn missing(answer: &enums::messages::InvitedUsers) -> Vec<types::MissingInvitee> {
    let enums::messages::InvitedUsers::Users(u) = answer;
    u.missing_invitees.iter().map(|enums::MissingInvitee::Invitee(m)| m.clone()).collect()
}

#[test]
fn a_new_member_gets_the_last_messages_and_everybody_learns_of_them() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob]);
    town.say(alice, ChatId(chat_id), "one").unwrap();
    town.say(bob, ChatId(chat_id), "two").unwrap();
    town.outbox.clear();
    town.effects.clear();
    let request = add(&town, bob, chat_id, carol, 2);
    assert!(missing(&town.call(bob, request).unwrap()).is_empty());
    let seen = town.pushed(carol);
    assert_eq!(names(&seen), ["NewMessage", "NewMessage", "ChatParticipants", "NewMessage"]);
    let enums::Update::NewMessage(first) = &seen[0] else { panic!() };
    let enums::Message::Message(first) = &first.message else { panic!() };
    assert_eq!((first.id, first.message.as_str(), first.out), (1, "one", false));
    assert_eq!(names(&town.pushed(alice)), ["ChatParticipants", "NewMessage"]);
    assert_eq!(town.kinds(), ["chat.member_added"]);
    let again = add(&town, alice, chat_id, carol, 0);
    assert_eq!(town.refused(alice, again), "USER_ALREADY_PARTICIPANT");
}

#[test]
fn privacy_blocks_and_limits_keep_people_out() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob]);
    let shy = town.newcomer(NewUser { invite: Audience::Nobody, ..NewUser::default() });
    let request = add(&town, alice, chat_id, shy, 0);
    town.effects.clear();
    let flags = missing(&town.call(alice, request.clone()).unwrap());
    let plain = types::MissingInvitee {
        premium_would_allow_invite: false,
        premium_required_for_pm: false,
        user_id: shy.0,
    };
    assert_eq!(flags, std::slice::from_ref(&plain));
    assert_eq!(town.kinds(), ["chat.member_missing"]);
    let rule =
        PrivacyRule { audience: Audience::Nobody, allow_premium: true, ..PrivacyRule::default() };
    let user = town.world.users.get_mut(&shy).unwrap();
    user.privacy.insert(PrivacyKey::ChatInvite, rule);
    user.new_chats_require_premium = true;
    let flags = missing(&town.call(alice, request.clone()).unwrap());
    assert_eq!(
        flags,
        [types::MissingInvitee {
            premium_would_allow_invite: true,
            premium_required_for_pm: true,
            ..plain
        }]
    );
    town.world.users.get_mut(&alice).unwrap().premium = true;
    assert!(missing(&town.call(alice, request).unwrap()).is_empty());

    let block = contacts::Block { my_stories_from: false, id: town.peer(carol, alice) };
    town.call(carol, block).unwrap();
    let request = add(&town, alice, chat_id, carol, 0);
    let error = town.call(alice, request.clone()).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (400, "USER_IS_BLOCKED"));
    let unblock = contacts::Unblock { my_stories_from: false, id: town.peer(carol, alice) };
    town.call(carol, unblock).unwrap();
    let block = contacts::Block { my_stories_from: false, id: town.peer(alice, carol) };
    town.call(alice, block).unwrap();
    assert_eq!(town.refused(alice, request.clone()), "YOU_BLOCKED_USER");
    let unblock = contacts::Unblock { my_stories_from: false, id: town.peer(alice, carol) };
    town.call(alice, unblock).unwrap();

    town.world.limits.chat_members = 3;
    assert_eq!(town.refused(alice, request.clone()), "USERS_TOO_MUCH");
    town.world.limits.chat_members = 200;
    let nochats = Bot { nochats: true, ..Bot::default() };
    let bot = town.newcomer(NewUser { bot: Some(nochats), ..NewUser::default() });
    let bot = add(&town, alice, chat_id, bot, 0);
    assert_eq!(town.refused(alice, bot), "BOT_GROUPS_BLOCKED");
    town.world.users.get_mut(&carol).unwrap().deleted = true;
    assert_eq!(town.refused(alice, request), "INPUT_USER_DEACTIVATED");
}

#[test]
fn who_left_is_brought_back_by_a_mutual_contact_only() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat_id = town.group("G", &[bob]);
    town.outbox.clear();
    let leave = remove(&town, bob, chat_id, bob);
    town.call(bob, leave).unwrap();
    assert_eq!(names(&town.pushed(alice)), ["ChatParticipants", "NewMessage"]);
    let back = add(&town, alice, chat_id, bob, 0);
    let error = town.call(alice, back.clone()).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "USER_NOT_MUTUAL_CONTACT"));
    for (who, whom) in [(alice, bob), (bob, alice)] {
        let request = contacts::AddContact {
            add_phone_privacy_exception: false,
            id: town.user(who, whom),
            first_name: "Friend".into(),
            last_name: String::new(),
            phone: String::new(),
            note: None,
        };
        town.call(who, request).unwrap();
    }
    town.call(alice, back).unwrap();
    let left = remove(&town, alice, chat_id, bob);
    town.call(alice, left.clone()).unwrap();
    assert_eq!(town.refused(alice, left), "USER_NOT_PARTICIPANT");
}

#[test]
fn members_remove_whom_they_brought_admins_any_plain_member() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let dave = town.newcomer(NewUser::default());
    let chat_id = town.group("G", &[bob, carol]);
    let bring = add(&town, bob, chat_id, dave, 0);
    town.call(bob, bring).unwrap();
    let bobs_try = remove(&town, bob, chat_id, carol);
    assert_eq!(town.refused(bob, bobs_try.clone()), "CHAT_ADMIN_REQUIRED");
    let own_guest = remove(&town, bob, chat_id, dave);
    town.call(bob, own_guest).unwrap();
    let promote = |town: &Town, is_admin| f::EditChatAdmin {
        chat_id,
        user_id: town.user(alice, bob),
        is_admin,
    };
    let bobs_promotion = f::EditChatAdmin { chat_id, user_id: town.user(bob, bob), is_admin: true };
    assert_eq!(town.refused(bob, bobs_promotion), "CHAT_ADMIN_REQUIRED");
    let request = promote(&town, true);
    town.call(alice, request).unwrap();
    town.outbox.clear();
    town.effects.clear();
    town.call(bob, bobs_try).unwrap();
    assert_eq!(names(&town.pushed(carol)), ["NewMessage"], "the one removed learns of it");
    assert_eq!(town.kinds(), ["chat.member_removed"]);
    let creator = remove(&town, bob, chat_id, alice);
    assert_eq!(town.refused(bob, creator), "CHAT_ADMIN_REQUIRED");
    let stranger = f::EditChatAdmin { chat_id, user_id: town.user(alice, dave), is_admin: true };
    assert_eq!(town.refused(alice, stranger), "USER_NOT_PARTICIPANT");
    assert_eq!(
        town.say(carol, ChatId(chat_id), "let me in").unwrap_err().name,
        "CHAT_WRITE_FORBIDDEN"
    );
    let rejoin = add(&town, carol, chat_id, dave, 0);
    assert_eq!(town.refused(carol, rejoin), "CHAT_WRITE_FORBIDDEN");
}

#[test]
fn inviting_can_be_kept_to_admins() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob]);
    let banned = types::ChatBannedRights {
        invite_users: true,
        until_date: 0,
        ..crate::world::rights::no_banned_rights()
    };
    let peer = town.peer(alice, ChatId(chat_id));
    let request = |banned: types::ChatBannedRights| f::EditChatDefaultBannedRights {
        peer: peer.clone(),
        banned_rights: banned.into(),
    };
    let unreadable = types::ChatBannedRights { view_messages: true, ..banned.clone() };
    assert_eq!(town.refused(alice, request(unreadable)), "BANNED_RIGHTS_INVALID");
    let dated = types::ChatBannedRights { until_date: 5, ..banned.clone() };
    assert_eq!(town.refused(alice, request(dated)), "UNTIL_DATE_INVALID");
    town.call(alice, request(banned)).unwrap();
    let try_it = add(&town, bob, chat_id, carol, 0);
    let error = town.call(bob, try_it).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (403, "CHAT_ADMIN_REQUIRED"));
}

#[test]
fn privacy_set_by_the_person_counts() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[carol]);
    let set = account::SetPrivacy {
        key: enums::InputPrivacyKey::ChatInvite,
        rules: vec![
            types::InputPrivacyValueAllowUsers { users: vec![town.user(bob, carol)] }.into(),
            enums::InputPrivacyRule::InputPrivacyValueAllowContacts,
        ],
    };
    town.call(bob, set).unwrap();
    let by_alice = add(&town, alice, chat_id, bob, 0);
    assert_eq!(missing(&town.call(alice, by_alice).unwrap()).len(), 1);
    let by_carol = add(&town, carol, chat_id, bob, 0);
    assert!(missing(&town.call(carol, by_carol).unwrap()).is_empty());
}
