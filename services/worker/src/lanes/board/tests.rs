//! The board's rules, one by one.

use chrono::TimeDelta;
use proto::ChatId;

use super::*;
use crate::limits::Class;

const CREATE: Lane = Lane::Class(Class::Create);
const INVITE: Lane = Lane::Class(Class::Invite);
const LINK: Lane = Lane::Class(Class::Link);

fn id(name: &str) -> CommandId {
    name.parse().unwrap()
}

fn key(name: &str) -> OrderKey {
    OrderKey::Ref(name.parse().unwrap())
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Parks a command at the end of a lane, as its actor does.
fn park(board: &mut Board, name: &str, lane: Lane, keys: &[OrderKey]) -> Source {
    let copy = format!("{name}@{lane}");
    let parked = Parked {
        seq: board.seq_for(&id(name)),
        lane,
        copy: copy.clone(),
        key: board.key_for(&id(name), keys),
        deadline: time(1_000),
        calls: true,
    };
    board.park(id(name), parked);
    Source::Lane(lane, copy)
}

#[test]
fn a_newcomer_goes_behind_the_last_of_its_key() {
    let mut board = Board::default();
    let deal = [key("deal")];
    assert_eq!(board.place(&id("a"), &Source::Queue, &deal), Place::First);
    park(&mut board, "a", CREATE, &deal);
    assert_eq!(board.place(&id("b"), &Source::Queue, &deal), Place::Behind(CREATE));
    assert_eq!(board.place(&id("c"), &Source::Queue, &[key("other")]), Place::First);
    assert_eq!(board.place(&id("d"), &Source::Queue, &[]), Place::First);
}

#[test]
fn a_group_that_is_made_meanwhile_is_known_by_both_its_names() {
    let mut board = Board::default();
    let chat = OrderKey::Chat(ChatId::try_from(-1_001_234).unwrap());
    park(&mut board, "rename", CREATE, &[key("deal")]);
    let keys = [key("deal"), chat];
    assert_eq!(board.place(&id("later"), &Source::Queue, &keys), Place::Behind(CREATE));
    assert_eq!(board.key_for(&id("later"), &keys), Some(key("deal")));
}

#[test]
fn those_behind_a_head_that_moves_follow_it() {
    let mut board = Board::default();
    let deal = [key("deal")];
    let _a = park(&mut board, "a", CREATE, &deal);
    let b = park(&mut board, "b", CREATE, &deal);
    assert_eq!(board.next(&id("a"), INVITE), Next::Move(INVITE));
    let a = park(&mut board, "a", INVITE, &deal);
    // While b still lies in the first lane, newcomers go there: behind b.
    assert_eq!(board.place(&id("c"), &Source::Queue, &deal), Place::Behind(CREATE));
    // b comes up, and goes behind a.
    assert_eq!(board.place(&id("b"), &b, &deal), Place::Behind(INVITE));
    let b = park(&mut board, "b", INVITE, &deal);
    assert_eq!(board.place(&id("c"), &Source::Queue, &deal), Place::Behind(INVITE));
    assert_eq!(board.place(&id("a"), &a, &deal), Place::First);
    board.leave(&id("a"));
    assert_eq!(board.place(&id("b"), &b, &deal), Place::First);
}

#[test]
fn nobody_goes_behind_later_ones_of_its_key() {
    let mut board = Board::default();
    let deal = [key("deal")];
    park(&mut board, "a", CREATE, &deal);
    park(&mut board, "b", CREATE, &deal);
    park(&mut board, "a", INVITE, &deal);
    assert_eq!(board.next(&id("a"), CREATE), Next::Stay);
    assert_eq!(board.next(&id("a"), LINK), Next::Move(LINK));
    assert_eq!(board.next(&id("a"), INVITE), Next::Stay);
}

#[test]
fn a_lane_bars_newer_calls_of_its_class() {
    let mut board = Board::default();
    park(&mut board, "a", CREATE, &[key("deal")]);
    assert!(board.bars(&id("new"), CREATE) && !board.bars(&id("new"), INVITE));
    assert!(!board.bars(&id("a"), CREATE));
    // Nor those whose own later ones wait there: they would wait for each other.
    park(&mut board, "b", CREATE, &[key("deal")]);
    park(&mut board, "a", INVITE, &[key("deal")]);
    assert!(!board.bars(&id("a"), CREATE));
}

#[test]
fn only_the_copy_that_was_noted_counts() {
    let mut board = Board::default();
    let stray = Source::Lane(CREATE, "6.9".to_owned());
    let copy = park(&mut board, "a", CREATE, &[]);
    assert_eq!(board.place(&id("a"), &copy, &[]), Place::First);
    assert_eq!(board.place(&id("a"), &stray, &[]), Place::Elsewhere);
    assert_eq!(board.place(&id("a"), &Source::Queue, &[]), Place::Elsewhere);
    // What is on no board is taken like a newcomer: it may be all that is left of a command.
    board.leave(&id("a"));
    assert_eq!(board.place(&id("a"), &stray, &[]), Place::First);
}

#[test]
fn lanes_wake_in_the_order_of_their_times() {
    let mut board = Board::default();
    let wait = |lane, at: Option<i64>| NotYet { opens: at.map(time), code: "X".to_owned(), lane };
    park(&mut board, "a", CREATE, &[]);
    park(&mut board, "b", INVITE, &[]);
    park(&mut board, "c", LINK, &[]);
    board.sleep(CREATE, &wait(CREATE, Some(60)));
    board.sleep(INVITE, &wait(INVITE, Some(30)));
    board.sleep(LINK, &wait(LINK, None));
    assert_eq!(board.next_lane(), Some((INVITE, Wake::At(time(30)))));
    assert_eq!(board.waits_for(CREATE), Some(wait(CREATE, Some(60))));
    board.wake();
    assert_eq!(board.next_lane().map(|(_, wake)| wake), Some(Wake::Now));
    assert_eq!(board.waits_for(LINK), None);
}

#[test]
fn what_is_due_first_is_told_first() {
    let mut board = Board::default();
    let parked = |seq, deadline| Parked {
        seq,
        lane: CREATE,
        copy: seq.to_string(),
        key: None,
        deadline: time(deadline),
        calls: true,
    };
    board.park(id("late"), parked(0, 90));
    board.park(id("soon"), parked(1, 30));
    assert_eq!(board.next_due(), Some((time(30), id("soon"))));
    board.not_due(&id("soon"));
    assert_eq!(board.next_due(), Some((time(90), id("late"))));
    assert_eq!((board.len(), board.parked_in(CREATE)), (2, 2));
    assert_eq!(board.in_lane(CREATE), [id("late"), id("soon")]);
}

/// Parks a command that only follows another one.
fn follow(board: &mut Board, name: &str, lane: Lane, keys: &[OrderKey]) -> Source {
    let source = park(board, name, lane, keys);
    let parked = Parked { calls: false, ..board.get(&id(name)).unwrap().clone() };
    board.park(id(name), parked);
    source
}

#[test]
fn who_only_follows_is_freed_by_the_last_before_it() {
    let mut board = Board::default();
    let deal = [key("deal")];
    park(&mut board, "create", CREATE, &deal);
    follow(&mut board, "rename", CREATE, &deal);
    follow(&mut board, "link", CREATE, &deal);
    park(&mut board, "other", CREATE, &[key("other")]);
    assert_eq!(board.next_freed(), None);
    assert_eq!(board.calls_up_to_last(&deal, CREATE), 1, "the create");
    assert_eq!(board.calls_up_to_last(&[key("other")], CREATE), 2, "and the other's own");
    board.leave(&id("create"));
    assert_eq!(board.next_freed(), Some(id("rename")));
    board.leave(&id("rename"));
    assert_eq!(board.next_freed(), Some(id("link")));
    board.not_freed(&id("link"));
    assert_eq!(board.next_freed(), None);
    board.leave(&id("other"));
    assert_eq!(board.next_freed(), None, "what waits for a call itself is never freed");
}

#[test]
fn who_comes_up_before_its_predecessor_goes_to_the_end_of_its_lane() {
    let mut board = Board::default();
    let deal = [key("deal")];
    let first = park(&mut board, "create", CREATE, &deal);
    let second = follow(&mut board, "rename", CREATE, &deal);
    assert_eq!(board.place(&id("rename"), &second, &deal), Place::Behind(CREATE));
    assert_eq!(board.next(&id("rename"), CREATE), Next::Move(CREATE));
    assert_eq!(board.before_in_lane(&id("rename")), Some(id("create")));
    assert_eq!(board.place(&id("create"), &first, &deal), Place::First);
    assert_eq!(board.next(&id("create"), CREATE), Next::Stay);
}
