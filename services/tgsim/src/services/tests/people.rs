//! Finding, saving and naming people.
use grammers_tl_types::functions::{account, contacts as f, users};
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{Audience, NewUser, PeerId, PrivacyKey};

fn import(phones: &[&str]) -> f::ImportContacts {
    let entry = |(n, phone): (usize, &&str)| {
        types::InputPhoneContact {
            client_id: n as i64,
            phone: (*phone).into(),
            first_name: format!("Saved {n}"),
            last_name: String::new(),
            note: None,
        }
        .into()
    };
    f::ImportContacts { contacts: phones.iter().enumerate().map(entry).collect() }
}

fn resolve(name: &str) -> f::ResolveUsername {
    f::ResolveUsername { username: name.into(), referer: None }
}

#[test]
fn usernames_are_found_whatever_their_case_and_give_a_hash_for_the_finder() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let enums::contacts::ResolvedPeer::Peer(found) = town.call(alice, resolve("BOB_Test")).unwrap();
    assert_eq!(found.peer, PeerId::User(bob).tl());
    let enums::User::User(user) = &found.users[0] else { panic!() };
    assert_eq!(user.access_hash, Some(town.world.access_hash(alice, bob)));
    assert_ne!(user.access_hash, Some(town.world.access_hash(bob, bob)));
    assert_eq!(user.phone, None, "the number is for contacts");
    assert_eq!(town.refused(alice, resolve("nobody_here")), "USERNAME_NOT_OCCUPIED");
    for name in ["abc", "1abcde", "with space", "trailing_", "a__bcd", ""] {
        assert_eq!(town.refused(alice, resolve(name)), "USERNAME_INVALID", "{name}");
    }
}

#[test]
fn numbers_are_found_where_privacy_allows_and_leave_no_contact() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let by_phone = f::ResolvePhone { phone: "+49 30 1000002".into() };
    let enums::contacts::ResolvedPeer::Peer(found) = town.call(alice, by_phone.clone()).unwrap();
    assert_eq!(found.peer, PeerId::User(bob).tl());
    assert!(town.world.users[&alice].contacts.is_empty());
    let hidden = town.world.users.get_mut(&bob).unwrap();
    hidden.privacy.insert(PrivacyKey::AddedByPhone, Audience::Contacts.into());
    assert_eq!(town.refused(alice, by_phone), "PHONE_NOT_OCCUPIED");
    assert_eq!(town.refused(alice, f::ResolvePhone { phone: "1".into() }), "PHONE_NOT_OCCUPIED");
}

#[test]
fn importing_makes_contacts_counts_unknown_numbers_and_bounds_the_batch() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    town.call(carol, import(&["+999111"])).unwrap();
    town.world.limits.import_batch = 2;
    let request = import(&["+49301000002", "999111", "+49301000003"]);
    let enums::contacts::ImportedContacts::Contacts(done) = town.call(alice, request).unwrap();
    assert_eq!(done.imported, [types::ImportedContact { user_id: bob.0, client_id: 0 }.into()]);
    assert_eq!(done.popular_invites, [types::PopularContact { client_id: 1, importers: 2 }.into()]);
    assert_eq!(done.retry_contacts, [2]);
    let enums::User::User(user) = &done.users[0] else { panic!() };
    assert!(user.contact && !user.mutual_contact);
    assert_eq!(
        (user.first_name.as_deref(), user.phone.as_deref()),
        (Some("Saved 0"), Some("49301000002"))
    );

    let late = town.newcomer(NewUser { phone: "999111".into(), ..NewUser::default() });
    let all = town.call(alice, f::GetContacts { hash: 0 }).unwrap();
    let enums::contacts::Contacts::Contacts(all) = all else { panic!() };
    assert_eq!(all.contacts.len(), 2, "who signs up later is a contact then");
    assert!(all.users.iter().any(|u| u.id() == late.0));
    let mut hash = 0_u64;
    for number in [2, bob.0 as u64, late.0 as u64] {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash = hash.wrapping_add(number);
    }
    let same = town.call(alice, f::GetContacts { hash: hash as i64 }).unwrap();
    assert_eq!(same, enums::contacts::Contacts::NotModified);
}

#[test]
fn contacts_are_added_and_deleted() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let add = |id: enums::InputUser, name: &str| f::AddContact {
        add_phone_privacy_exception: true,
        id,
        first_name: name.into(),
        last_name: String::new(),
        phone: String::new(),
        note: None,
    };
    let named = town.user(alice, bob);
    assert_eq!(town.refused(alice, add(named.clone(), " ")), "CONTACT_NAME_EMPTY");
    let myself = town.user(alice, alice);
    assert_eq!(town.refused(alice, add(myself, "Me")), "CONTACT_ID_INVALID");
    assert_eq!(town.refused(alice, add(town.user(bob, bob), "B")), "CONTACT_ID_INVALID");
    let enums::Updates::Updates(done) = town.call(alice, add(named.clone(), "Bobby")).unwrap()
    else {
        panic!()
    };
    assert_eq!(names(&done.updates), ["PeerSettings"]);
    let enums::User::User(user) = &done.users[0] else { panic!() };
    assert_eq!(user.first_name.as_deref(), Some("Bobby"));
    let enums::User::User(seen_by_bob) = town.world.user_view(bob, alice, false) else { panic!() };
    assert!(seen_by_bob.phone.is_some(), "shared with him");
    town.call(alice, f::DeleteContacts { id: vec![named] }).unwrap();
    assert!(town.world.users[&alice].contacts.is_empty());
    assert_eq!(town.kinds(), ["contact.added", "contact.deleted"]);
}

#[test]
fn a_username_belongs_to_one() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let take = |name: &str| account::UpdateUsername { username: name.into() };
    assert_eq!(town.refused(alice, take("bob_TEST")), "USERNAME_OCCUPIED");
    assert_eq!(town.refused(alice, take("no")), "USERNAME_INVALID");
    assert_eq!(town.refused(alice, take("alice_test")), "USERNAME_NOT_MODIFIED");
    assert!(!town.call(alice, account::CheckUsername { username: "bob_test".into() }).unwrap());
    assert!(town.call(alice, account::CheckUsername { username: "free_name".into() }).unwrap());
    town.call(bob, take("")).unwrap();
    town.call(alice, take("bob_test")).unwrap();
    let enums::contacts::ResolvedPeer::Peer(found) = town.call(bob, resolve("bob_test")).unwrap();
    assert_eq!(found.peer, PeerId::User(alice).tl());
    assert_eq!(town.refused(bob, resolve("alice_test")), "USERNAME_NOT_OCCUPIED");
}

#[test]
fn profile_changes_are_checked_and_told() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.say(alice, bob, "hi").unwrap();
    town.outbox.clear();
    let change = |first: Option<&str>, about: Option<String>| account::UpdateProfile {
        first_name: first.map(Into::into),
        last_name: None,
        about,
    };
    assert_eq!(town.refused(alice, change(Some(""), None)), "FIRSTNAME_INVALID");
    assert_eq!(town.refused(alice, change(None, Some("x".repeat(71)))), "ABOUT_TOO_LONG");
    town.call(alice, change(Some("Alicia"), Some("here".into()))).unwrap();
    assert_eq!(names(&town.pushed(bob)), ["UserName"]);
    let request = users::GetFullUser { id: town.user(bob, alice) };
    let enums::users::UserFull::Full(full) = town.call(bob, request).unwrap();
    let enums::UserFull::Full(full) = full.full_user;
    assert_eq!(full.about.as_deref(), Some("here"));
}

#[test]
fn deleted_and_unknown_people_are_shown_as_such() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.world.users.get_mut(&bob).unwrap().deleted = true;
    let wrong = types::InputUser { user_id: town.carol.0, access_hash: 1 };
    let id = vec![enums::InputUser::UserSelf, town.user(alice, bob), wrong.into()];
    let seen = town.call(alice, users::GetUsers { id }).unwrap();
    let enums::User::User(me) = &seen[0] else { panic!() };
    assert!(me.is_self);
    assert_eq!(me.phone.as_deref(), Some("49301000001"));
    let enums::User::User(gone) = &seen[1] else { panic!() };
    assert!(gone.deleted && gone.first_name.is_none());
    assert!(matches!(seen[2], enums::User::Empty(_)));
}

#[test]
fn search_finds_own_people_first_and_public_names_by_their_beginning() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    town.say(alice, bob, "hi").unwrap();
    let search = |q: &str| f::Search { broadcasts: false, bots: false, q: q.into(), limit: 10 };
    let enums::contacts::Found::Found(found) = town.call(alice, search("bob")).unwrap();
    assert_eq!((found.my_results.len(), found.results.len()), (1, 0));
    let enums::contacts::Found::Found(found) = town.call(alice, search("@caro")).unwrap();
    assert_eq!((found.my_results.len(), &found.results), (0, &vec![PeerId::User(carol).tl()]));
    assert_eq!(town.refused(alice, search(" ")), "SEARCH_QUERY_EMPTY");
}

#[test]
fn blocking_is_listed() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let id = town.peer(alice, bob);
    assert!(town.call(alice, f::Block { my_stories_from: false, id: id.clone() }).unwrap());
    let list = f::GetBlocked { my_stories_from: false, offset: 0, limit: 10 };
    let enums::contacts::Blocked::Blocked(b) = town.call(alice, list).unwrap() else { panic!() };
    assert_eq!(b.blocked.len(), 1);
    let myself = f::Block { my_stories_from: false, id: enums::InputPeer::PeerSelf };
    assert_eq!(town.refused(alice, myself), "CONTACT_ID_INVALID");
    town.call(alice, f::Unblock { my_stories_from: false, id }).unwrap();
    assert_eq!(town.kinds(), ["peer.blocked", "peer.blocked"]);
}

#[test]
fn a_deleted_account_stays_where_it_was_and_is_found_nowhere() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let chat_id = town.group("G", &[bob]);
    town.call(alice, import(&["49301000002"])).unwrap();
    town.outbox.clear();
    let delete = account::DeleteAccount { reason: String::new(), password: None };
    assert!(town.call(bob, delete.clone()).unwrap());
    assert_eq!(names(&town.pushed(alice)), ["User"]);
    assert_eq!(town.refused(alice, resolve("bob_test")), "USERNAME_NOT_OCCUPIED");
    assert_eq!(
        town.refused(alice, f::ResolvePhone { phone: "49301000002".into() }),
        "PHONE_NOT_OCCUPIED"
    );
    assert!(town.world.users[&alice].contacts.is_empty());
    assert!(town.world.chats[&crate::world::ChatId(chat_id)].members.contains_key(&bob));
    let user = town.world.users.get_mut(&alice).unwrap();
    user.password = Some(crate::world::Password {
        salt1: vec![],
        salt2: vec![],
        g: 3,
        verifier: vec![],
        hint: None,
    });
    let error = town.call(alice, delete).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (420, "2FA_CONFIRM_WAIT_604800"));
    assert_eq!(town.kinds().last().unwrap(), "account.deleted");
}
