//! A supergroup's one history, read and deleted by several people.
use grammers_tl_types::functions::{channels as f, messages};
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{ChannelId, UserId};

fn supergroup(town: &mut Town) -> ChannelId {
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob, carol]);
    town.call(alice, messages::MigrateChat { chat_id }).unwrap();
    town.outbox.clear();
    *town.world.channels.keys().next().unwrap()
}

fn ids(town: &mut Town, who: UserId, channel: ChannelId, ids: &[i32]) -> Vec<String> {
    let id = ids.iter().map(|id| types::InputMessageId { id: *id }.into()).collect();
    let request = f::GetMessages { channel: town.world.input_channel(who, channel), id };
    let enums::messages::Messages::ChannelMessages(m) = town.call(who, request).unwrap() else {
        panic!()
    };
    m.messages.iter().map(|m| format!("{m:?}").split('(').next().unwrap().to_owned()).collect()
}

#[test]
fn numbers_are_the_same_for_all_and_empty_where_nothing_is() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let id = supergroup(&mut town);
    assert_eq!(town.say(alice, id, "two").unwrap(), 2, "after the word about the migration");
    assert_eq!(ids(&mut town, bob, id, &[1, 2, 3]), ["Service", "Message", "Empty"]);
    let none = f::GetMessages { channel: town.world.input_channel(bob, id), id: vec![] };
    assert_eq!(town.refused(bob, none), "MESSAGE_IDS_EMPTY");
    let others = f::GetMessages { channel: town.world.input_channel(carol, id), id: vec![] };
    assert_eq!(town.refused(bob, others), "CHANNEL_INVALID");
}

#[test]
fn reading_is_told_to_the_authors() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let id = supergroup(&mut town);
    town.say(alice, id, "one").unwrap();
    town.say(alice, id, "two").unwrap();
    town.outbox.clear();
    let channel = town.world.input_channel(bob, id);
    let read = f::ReadHistory { channel, max_id: 2 };
    assert!(town.call(bob, read.clone()).unwrap());
    assert!(!town.call(bob, read).unwrap(), "nothing new");
    assert_eq!(names(&town.pushed(alice)), ["ReadChannelOutbox"]);
    let told = town.pushed(bob);
    let enums::Update::ReadChannelInbox(inbox) = &told[0] else { panic!() };
    assert_eq!((inbox.max_id, inbox.still_unread_count), (2, 1));
}

#[test]
fn plain_members_delete_their_own_and_admins_any() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let id = supergroup(&mut town);
    let one = town.say(bob, id, "bob's").unwrap();
    let two = town.say(carol, id, "carol's").unwrap();
    town.outbox.clear();
    let delete = |town: &Town, who, ids: &[i32]| f::DeleteMessages {
        channel: town.world.input_channel(who, id),
        id: ids.to_vec(),
    };
    let both = delete(&town, bob, &[one, two]);
    assert_eq!(town.refused(bob, both), "MESSAGE_DELETE_FORBIDDEN");
    let own = delete(&town, bob, &[one]);
    town.call(bob, own).unwrap();
    assert_eq!(names(&town.pushed(carol)), ["DeleteChannelMessages"]);
    let any = delete(&town, alice, &[two, 99]);
    let enums::messages::AffectedMessages::Messages(done) = town.call(alice, any).unwrap();
    assert_eq!(done.pts_count, 1);
}

#[test]
fn history_is_hidden_for_one_or_deleted_for_all() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let id = supergroup(&mut town);
    town.say(alice, id, "one").unwrap();
    let clear = |town: &Town, who, for_everyone| f::DeleteHistory {
        for_everyone,
        channel: town.world.input_channel(who, id),
        max_id: 0,
    };
    let mine = clear(&town, bob, false);
    town.call(bob, mine).unwrap();
    assert_eq!(ids(&mut town, bob, id, &[2]), ["Empty"]);
    assert_eq!(ids(&mut town, carol, id, &[2]), ["Message"]);
    let all = clear(&town, bob, true);
    assert_eq!(town.refused(bob, all), "CHAT_ADMIN_REQUIRED");
    let all = clear(&town, alice, true);
    town.call(alice, all).unwrap();
    assert_eq!(ids(&mut town, carol, id, &[1, 2]), ["Empty", "Empty"]);
}
