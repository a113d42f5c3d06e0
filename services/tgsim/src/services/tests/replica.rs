//! A client that follows only what it is told must end with what the server has.
//!
//! Every update with a `pts` must fit the one before: `local + pts_count == pts`. Now and then the client is away and
//! asks for the difference instead.
use std::collections::{BTreeMap, BTreeSet};

use grammers_tl_types::functions::{channels, messages as f, updates};
use grammers_tl_types::{enums, types};

use super::Town;
use crate::world::{ChannelId, ChatId, PeerId, UserId};

/// What a client keeps.
struct Client {
    pts: i32,
    date: i32,
    messages: BTreeSet<i32>,
    channels: BTreeMap<i64, (i32, BTreeSet<i32>)>,
}

impl Client {
    fn apply(&mut self, update: &enums::Update) {
        match update {
            enums::Update::NewMessage(u) => {
                self.step(u.pts, u.pts_count);
                self.messages.insert(u.message.id());
            }
            enums::Update::DeleteMessages(u) => {
                self.step(u.pts, u.pts_count);
                self.messages.retain(|id| !u.messages.contains(id));
            }
            enums::Update::EditMessage(u) => self.step(u.pts, u.pts_count),
            enums::Update::ReadHistoryInbox(u) => self.step(u.pts, u.pts_count),
            enums::Update::ReadHistoryOutbox(u) => self.step(u.pts, u.pts_count),
            enums::Update::PinnedMessages(u) => self.step(u.pts, u.pts_count),
            enums::Update::NewChannelMessage(u) => {
                let enums::Peer::Channel(peer) = peer_of(&u.message) else { panic!() };
                self.channel_step(peer.channel_id, u.pts, u.pts_count).insert(u.message.id());
            }
            enums::Update::DeleteChannelMessages(u) => {
                let ids = self.channel_step(u.channel_id, u.pts, u.pts_count);
                ids.retain(|id| !u.messages.contains(id));
            }
            _ => {}
        }
    }

    fn step(&mut self, pts: i32, pts_count: i32) {
        assert_eq!(self.pts + pts_count, pts, "a gap in the account's box");
        self.pts = pts;
    }

    fn channel_step(&mut self, id: i64, pts: i32, pts_count: i32) -> &mut BTreeSet<i32> {
        let (local, ids) = self.channels.entry(id).or_insert((pts - pts_count, BTreeSet::new()));
        assert_eq!(*local + pts_count, pts, "a gap in channel {id}");
        *local = pts;
        ids
    }
}

fn peer_of(message: &enums::Message) -> enums::Peer {
    match message {
        enums::Message::Message(m) => m.peer_id.clone(),
        enums::Message::Service(m) => m.peer_id.clone(),
        enums::Message::Empty(_) => panic!("empty"),
    }
}

/// Catches up the way clients do.
fn catch_up(town: &mut Town, who: UserId, client: &mut Client) {
    let request = updates::GetDifference {
        pts: client.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: client.date,
        qts: 0,
        qts_limit: None,
    };
    let others = match town.call(who, request).unwrap() {
        enums::updates::Difference::Empty(d) => {
            client.date = d.date;
            return;
        }
        enums::updates::Difference::Difference(d) => {
            client.messages.extend(d.new_messages.iter().map(enums::Message::id));
            let enums::updates::State::State(state) = d.state;
            (client.pts, client.date) = (state.pts, state.date);
            d.other_updates
        }
        other => panic!("{other:?}"),
    };
    for update in others {
        match update {
            enums::Update::DeleteMessages(u) => {
                client.messages.retain(|id| !u.messages.contains(id));
            }
            enums::Update::ChannelTooLong(u) => catch_up_channel(town, who, client, u.channel_id),
            _ => {}
        }
    }
}

fn catch_up_channel(town: &mut Town, who: UserId, client: &mut Client, channel: i64) {
    let id = ChannelId(channel);
    let (pts, ids) = client.channels.entry(channel).or_insert((1, BTreeSet::new()));
    loop {
        let request = updates::GetChannelDifference {
            force: false,
            channel: town.world.input_channel(who, id),
            filter: enums::ChannelMessagesFilter::Empty,
            pts: *pts,
            limit: 3,
        };
        match town.call(who, request).unwrap() {
            enums::updates::ChannelDifference::Empty(_) => return,
            enums::updates::ChannelDifference::Difference(d) => {
                ids.extend(d.new_messages.iter().map(enums::Message::id));
                for update in d.other_updates {
                    if let enums::Update::DeleteChannelMessages(u) = update {
                        ids.retain(|id| !u.messages.contains(id));
                    }
                }
                *pts = d.pts;
                if d.r#final {
                    return;
                }
            }
            enums::updates::ChannelDifference::TooLong(_) => panic!("the log is long enough"),
        }
    }
}

/// One of many things that alice, bob and carol do; the answer's updates go to who asked.
fn act(town: &mut Town, n: u64, chat: ChatId, channel: ChannelId) {
    let people = [town.alice, town.bob, town.carol];
    let who = people[(n >> 8) as usize % 3];
    let other = people[((n >> 8) as usize + 1) % 3];
    let newest = |town: &Town| town.world.users[&who].mailbox.messages.keys().next_back().copied();
    // What can't be done in this state is refused, and a refusal changes nothing: also worth trying.
    match (n >> 16) % 9 {
        0 | 1 => drop(town.say(who, other, "private")),
        2 | 3 => drop(town.say(who, chat, "group")),
        4 | 5 => drop(town.say(who, channel, "supergroup")),
        6 => {
            let id: Vec<i32> = newest(town).into_iter().collect();
            drop(town.call(who, f::DeleteMessages { revoke: n & 1 == 0, id }));
        }
        7 => {
            let peer = town.peer(who, if n & 1 == 0 { PeerId::Chat(chat) } else { other.into() });
            drop(town.call(who, f::ReadHistory { peer, max_id: 0 }));
        }
        _ => {
            let id: Vec<i32> = town.world.channels[&channel]
                .history
                .messages
                .keys()
                .next_back()
                .copied()
                .into_iter()
                .collect();
            let channel = town.world.input_channel(who, channel);
            drop(town.call(who, channels::DeleteMessages { channel, id }));
        }
    }
}

#[test]
fn who_follows_the_updates_ends_with_what_the_server_has() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let moving = town.group("To be a supergroup", &[bob, carol]);
    town.call(alice, f::MigrateChat { chat_id: moving }).unwrap();
    let channel = *town.world.channels.keys().next().unwrap();
    let chat = ChatId(town.group("Basic", &[bob, carol]));
    town.outbox.clear();
    let mailbox = &town.world.users[&bob].mailbox;
    let mut client = Client {
        pts: mailbox.pts,
        date: town.world.clock.now(),
        messages: mailbox.messages.keys().copied().collect(),
        channels: BTreeMap::from([(
            channel.0,
            (
                town.world.channels[&channel].history.pts,
                town.world.channels[&channel].history.messages.keys().copied().collect(),
            ),
        )]),
    };
    let mut n: u64 = 42;
    let mut away = false;
    for round in 0..2_000 {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        act(&mut town, n >> 20, chat, channel);
        town.world.clock.advance(1);
        // A second device of bob's: it is told everything, also what bob does elsewhere.
        let told = town.pushed(bob);
        town.outbox.clear();
        if round % 50 == 0 {
            away = !away;
            if !away {
                catch_up(&mut town, bob, &mut client);
                town.pushed(bob);
                continue;
            }
        }
        if !away {
            told.iter().for_each(|u| client.apply(u));
        }
    }
    catch_up(&mut town, bob, &mut client);
    let have: BTreeSet<i32> = town.world.users[&bob].mailbox.messages.keys().copied().collect();
    assert_eq!(client.messages, have);
    assert!(have.len() > 100);
    let have: BTreeSet<i32> =
        town.world.channels[&channel].history.messages.keys().copied().collect();
    assert_eq!(client.channels[&channel.0].1, have);
    assert!(have.len() > 100);
    let state = town.call(bob, updates::GetState {}).unwrap();
    let enums::updates::State::State(types::updates::State { pts, .. }) = state;
    assert_eq!(pts, client.pts);
}
