//! What the book keeps, forgets, and hands out to be saved.

use super::*;

fn uid(id: i64) -> UserId {
    id.try_into().unwrap()
}

fn chat(id: i64) -> ChatId {
    id.try_into().unwrap()
}

fn user(id: i64, username: Option<&str>) -> UserPeer {
    UserPeer {
        id: uid(id),
        access_hash: id * 7,
        username: username.map(str::to_owned),
        first_name: format!("U{id}"),
        bot: false,
        bot_blocks_groups: false,
        contact: false,
        is_self: false,
        deleted: false,
    }
}

#[test]
fn the_least_recently_used_is_forgotten_with_its_username() {
    let book = PeerBook::new(2, []);
    book.note(PeerRecord::User(user(1, Some("One"))));
    book.note(PeerRecord::User(user(2, None)));
    assert!(book.user(uid(1)).is_some());
    book.note(PeerRecord::User(user(3, None)));
    assert_eq!(book.len(), 2);
    assert!(book.user(uid(2)).is_none());
    assert_eq!(book.by_username("@ONE").map(|user| user.id), Some(uid(1)));
    book.note(PeerRecord::User(user(4, None)));
    book.note(PeerRecord::User(user(5, None)));
    assert!(book.by_username("one").is_none());
}

#[test]
fn only_changes_are_saved_again() {
    let book = PeerBook::new(10, [PeerRecord::User(user(1, None))]);
    assert!(!book.has_dirty());
    book.note(PeerRecord::User(user(1, None)));
    assert!(!book.has_dirty());
    book.note(PeerRecord::User(user(1, Some("now"))));
    let dirty = book.take_dirty();
    assert_eq!(dirty, [PeerRecord::User(user(1, Some("now")))]);
    assert!(!book.has_dirty());
    book.put_back(&dirty);
    assert!(book.has_dirty());
}

#[test]
fn a_username_that_moved_leads_to_its_new_owner() {
    let book = PeerBook::new(10, []);
    book.note(PeerRecord::User(user(1, Some("shop"))));
    book.note(PeerRecord::User(user(2, Some("shop"))));
    book.note(PeerRecord::User(user(1, None)));
    assert_eq!(book.by_username("shop").map(|user| user.id), Some(uid(2)));
}

#[test]
fn a_basic_group_needs_no_entry_but_a_supergroup_does() {
    let book = PeerBook::new(10, []);
    assert_eq!(book.group(chat(-42)), GroupPeer::basic(chat(-42)));
    assert_eq!(book.group(chat(-1_000_000_000_042)), None);
    let peer = GroupPeer::supergroup(chat(-1_000_000_000_042), 9).unwrap();
    book.note(PeerRecord::Group(GroupRecord {
        peer,
        kind: GroupKind::Supergroup,
        title: "T".to_owned(),
        migrated_to: None,
    }));
    assert_eq!(book.group(chat(-1_000_000_000_042)), Some(peer));
}

#[test]
fn records_keep_their_order_through_a_store() {
    let book = PeerBook::new(3, []);
    for id in 1..=3 {
        book.note(PeerRecord::User(user(id, None)));
    }
    book.user(uid(1));
    let stored = serde_json::to_string(&book.records()).unwrap();
    let records: Vec<PeerRecord> = serde_json::from_str(&stored).unwrap();
    let again = PeerBook::new(2, records);
    assert!(again.user(uid(1)).is_some(), "the most recently used stays");
    assert!(again.user(uid(2)).is_none());
}
