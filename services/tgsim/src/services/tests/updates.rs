//! What a client that was away asks, and gets.
use grammers_tl_types::functions::{account, updates as f};
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::{ChannelId, ChatId, PeerId, UserId};

fn state(town: &mut Town, who: UserId) -> types::updates::State {
    let enums::updates::State::State(state) = town.call(who, f::GetState {}).unwrap();
    state
}

fn since(state: &types::updates::State) -> f::GetDifference {
    f::GetDifference {
        pts: state.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: state.date,
        qts: state.qts,
        qts_limit: None,
    }
}

#[test]
fn nothing_missed_is_an_empty_difference() {
    let mut town = Town::new();
    let bob = town.bob;
    let before = state(&mut town, bob);
    assert_eq!((before.pts, before.seq), (1, 1));
    let nothing = town.call(bob, since(&before)).unwrap();
    assert!(matches!(nothing, enums::updates::Difference::Empty(_)));
}

#[test]
fn what_was_missed_comes_once_and_in_order() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let before = state(&mut town, bob);
    town.world.clock.advance(5);
    let chat = ChatId(town.group("G", &[bob]));
    town.say(alice, chat, "one").unwrap();
    let gone = town.say(alice, chat, "two").unwrap();
    let request =
        grammers_tl_types::functions::messages::DeleteMessages { revoke: true, id: vec![gone] };
    town.call(alice, request).unwrap();
    let enums::updates::Difference::Difference(d) = town.call(bob, since(&before)).unwrap() else {
        panic!()
    };
    assert_eq!(d.new_messages.len(), 2, "the deleted one is left out");
    assert_eq!(names(&d.other_updates), ["DeleteMessages", "ChatParticipants"]);
    assert!(d.chats.iter().any(|c| matches!(c, enums::Chat::Chat(c) if c.id == chat.0)));
    let enums::updates::State::State(after) = d.state;
    assert_eq!(after.pts, 5);
    town.world.clock.advance(5);
    let now = state(&mut town, bob);
    assert!(matches!(town.call(bob, since(&now)).unwrap(), enums::updates::Difference::Empty(_)));
}

#[test]
fn much_comes_in_slices_and_too_much_not_at_all() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let before = state(&mut town, bob);
    for n in 0..5 {
        town.say(alice, bob, &n.to_string()).unwrap();
    }
    town.world.limits.difference = 2;
    let mut at = before.clone();
    let mut got = 0;
    loop {
        match town.call(bob, since(&at)).unwrap() {
            enums::updates::Difference::Slice(s) => {
                got += s.new_messages.len();
                let enums::updates::State::State(next) = s.intermediate_state;
                at = next;
            }
            enums::updates::Difference::Difference(d) => {
                got += d.new_messages.len();
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, 5);
    let limited = f::GetDifference { pts_total_limit: Some(3), ..since(&before) };
    let too_long = town.call(bob, limited).unwrap();
    assert_eq!(too_long, types::updates::DifferenceTooLong { pts: 6 }.into());
    town.world.limits.box_log = 2;
    town.say(alice, bob, "five").unwrap();
    let forgotten = town.call(bob, since(&before)).unwrap();
    assert_eq!(forgotten, types::updates::DifferenceTooLong { pts: 7 }.into());
}

#[test]
fn states_that_cant_be_are_refused() {
    let mut town = Town::new();
    let bob = town.bob;
    let now = state(&mut town, bob);
    let with = |pts, date| f::GetDifference { pts, date, ..since(&now) };
    assert_eq!(town.refused(bob, with(0, 1)), "PERSISTENT_TIMESTAMP_EMPTY");
    assert_eq!(town.refused(bob, with(1, 0)), "DATE_EMPTY");
    assert_eq!(town.refused(bob, with(99, 1)), "PERSISTENT_TIMESTAMP_INVALID");
}

#[test]
fn updates_without_pts_are_numbered_for_every_device_alike() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.say(alice, bob, "hi").unwrap();
    town.outbox.clear();
    town.call(alice, account::UpdateUsername { username: "alice_new".into() }).unwrap();
    let seqs: Vec<(UserId, i32, bool)> = town
        .outbox
        .iter()
        .map(|p| match &p.updates {
            enums::Updates::Updates(u) => (p.to, u.seq, p.not_to_caller),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seqs, [(alice, 2, false), (bob, 2, false)], "the asking connection counts it too");
    let missed = since(&types::updates::State {
        pts: 2,
        qts: 0,
        date: 1_800_000_000,
        seq: 1,
        unread_count: 0,
    });
    let enums::updates::Difference::Difference(d) = town.call(bob, missed).unwrap() else {
        panic!()
    };
    assert!(names(&d.other_updates).contains(&"UserName".to_owned()));
    let enums::updates::State::State(state) = d.state;
    assert_eq!(state.seq, 2);
}

#[test]
fn a_channel_has_its_own_difference() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob]);
    town.call(alice, grammers_tl_types::functions::messages::MigrateChat { chat_id }).unwrap();
    let id: ChannelId = *town.world.channels.keys().next().unwrap();
    town.world.clock.advance(60);
    let before = state(&mut town, bob);
    for n in 0..3 {
        town.say(alice, id, &n.to_string()).unwrap();
    }
    let told = town.pushed(bob);
    let last = town.world.channels[&id].history.pts;
    let enums::Update::NewChannelMessage(new) = told.last().unwrap() else { panic!() };
    assert_eq!(new.pts, last);
    let enums::updates::Difference::Difference(d) = town.call(bob, since(&before)).unwrap() else {
        panic!()
    };
    let enums::Update::ChannelTooLong(hint) = &d.other_updates[0] else {
        panic!("{:?}", d.other_updates)
    };
    assert_eq!((hint.channel_id, hint.pts), (id.0, Some(last)));

    let ask = |town: &Town, who: UserId, pts, limit| f::GetChannelDifference {
        force: false,
        channel: town.world.input_channel(who, id),
        filter: enums::ChannelMessagesFilter::Empty,
        pts,
        limit,
    };
    let request = ask(&town, bob, last - 3, 2);
    let enums::updates::ChannelDifference::Difference(d) = town.call(bob, request).unwrap() else {
        panic!()
    };
    assert_eq!((d.new_messages.len(), d.r#final, d.pts), (2, false, last - 1));
    let request = ask(&town, bob, last, 2);
    assert!(matches!(
        town.call(bob, request).unwrap(),
        enums::updates::ChannelDifference::Empty(_)
    ));
    town.world.channels.get_mut(&id).unwrap().history.forgotten_pts = last - 1;
    let request = ask(&town, bob, last - 3, 2);
    let enums::updates::ChannelDifference::TooLong(d) = town.call(bob, request).unwrap() else {
        panic!()
    };
    let enums::Dialog::Dialog(dialog) = d.dialog else { panic!() };
    assert_eq!((d.messages.len(), dialog.pts), (2, Some(last)));
    let request = ask(&town, carol, last, 2);
    let error = town.call(carol, request).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (406, "CHANNEL_PRIVATE"));
    let mut request = ask(&town, bob, last, 2);
    request.channel = town.world.input_channel(alice, id);
    assert_eq!(town.refused(bob, request), "CHANNEL_INVALID");
}

#[test]
fn strangers_in_a_supergroup_are_min_and_usable_through_the_message() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat_id = town.group("G", &[bob, carol]);
    town.call(alice, grammers_tl_types::functions::messages::MigrateChat { chat_id }).unwrap();
    let id: ChannelId = *town.world.channels.keys().next().unwrap();
    town.outbox.clear();
    let msg_id = town.say(bob, id, "hello").unwrap();
    let push = town.outbox.iter().find(|p| p.to == carol).unwrap();
    let enums::Updates::Updates(u) = &push.updates else { panic!() };
    let enums::User::User(seen) = &u.users[0] else { panic!() };
    assert!(seen.min && seen.id == bob.0);
    let by_min_hash = types::InputUser { user_id: bob.0, access_hash: seen.access_hash.unwrap() };
    let look = |id: enums::InputUser| grammers_tl_types::functions::users::GetFullUser { id };
    assert_eq!(town.refused(carol, look(by_min_hash.into())), "USER_ID_INVALID");
    let peer = town.peer(carol, PeerId::Channel(id));
    let through = types::InputUserFromMessage { peer: peer.clone(), msg_id, user_id: bob.0 };
    town.call(carol, look(through.into())).unwrap();
    let elsewhere = types::InputUserFromMessage { peer, msg_id: 1, user_id: bob.0 };
    assert_eq!(town.refused(carol, look(elsewhere.into())), "MSG_ID_INVALID");
}
