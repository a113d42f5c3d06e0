//! Every error that a row lists is reached here by behaviour, except those marked `scripted`; and nothing is answered
//! that no row lists.
//!
//! One play after the other through the same door as real requests (`requests::dispatch`, bytes in and out). What was
//! refused, and how, is written down; at the end the rows are compared with it.
mod basics;
mod effects;
mod joining;
mod links;
mod members;
mod settings;

use std::collections::BTreeSet;

use grammers_tl_types::functions::{channels, messages};
use grammers_tl_types::{Deserializable, RemoteCall, Serializable, enums, types};
use serde_json::Value;

use crate::cx::{Cx, Push};
use crate::requests;
use crate::rpc_error::{Reply, RpcError};
use crate::world::{
    Audience, AuthKeyId, Bot, ChannelId, ChatId, Clock, NewUser, PeerId, UserId, World,
};

/// The tables whose errors are reached here.
const TABLES: &[&[requests::Request]] = &[
    super::chat_full::REQUESTS,
    super::common::REQUESTS,
    super::invites::edit::REQUESTS,
    super::invites::export::REQUESTS,
    super::invites::importers::REQUESTS,
    super::invites::join::REQUESTS,
    super::invites::lists::REQUESTS,
    super::invites::requests::REQUESTS,
    super::supergroup::admins::REQUESTS,
    super::supergroup::bans::REQUESTS,
    super::supergroup::edit::REQUESTS,
    super::supergroup::enter::REQUESTS,
    super::supergroup::full::REQUESTS,
    super::supergroup::history::REQUESTS,
    super::supergroup::leave::REQUESTS,
    super::supergroup::lifecycle::REQUESTS,
    super::supergroup::participants::REQUESTS,
    super::supergroup::toggles::REQUESTS,
    super::supergroup::username::REQUESTS,
];

#[test]
fn every_listed_error_is_reached_and_no_other() {
    let mut stage = Stage::new();
    for play in [basics::play, members::play, joining::play, links::play, settings::play] {
        play(&mut stage);
    }
    let rows = TABLES.iter().copied().flatten();
    let unreached: Vec<_> = rows
        .flat_map(|row| row.errors.iter().map(move |error| (row, error)))
        .filter(|(_, error)| !error.scripted)
        .filter(|(row, error)| {
            !stage.refused.contains(&(row.name(), error.code, error.name.to_owned()))
        })
        .map(|(row, error)| format!("{} {} {}", row.name(), error.code, error.name))
        .collect();
    assert!(unreached.is_empty(), "listed, but nothing leads to it:\n{}", unreached.join("\n"));
}

/// A world, and what was asked of it.
pub(super) struct Stage {
    pub(super) world: World,
    /// Request, code and name of each refusal.
    refused: BTreeSet<(&'static str, i32, String)>,
    /// Effects of the last request.
    pub(super) effects: Vec<Value>,
    /// What the last request sent to whom.
    pub(super) pushed: Vec<Push>,
    people: u32,
}

impl Stage {
    /// An empty world whose clock stands still.
    pub(super) fn new() -> Self {
        Self {
            world: World::new(7, Clock::fixed(1_800_000_000)),
            refused: BTreeSet::new(),
            effects: vec![],
            pushed: vec![],
            people: 0,
        }
    }

    /// Somebody with default privacy.
    pub(super) fn person(&mut self, first_name: &str) -> UserId {
        self.someone(NewUser { first_name: first_name.to_owned(), ..NewUser::default() })
    }

    /// Somebody whom nobody can add.
    pub(super) fn recluse(&mut self) -> UserId {
        let invite = Audience::Nobody;
        self.someone(NewUser { first_name: "Recluse".to_owned(), invite, ..NewUser::default() })
    }

    /// A bot, which may keep out of groups.
    pub(super) fn bot(&mut self, nochats: bool) -> UserId {
        let bot = Some(Bot { nochats, ..Bot::default() });
        self.someone(NewUser { first_name: "Robot".to_owned(), bot, ..NewUser::default() })
    }

    fn someone(&mut self, new: NewUser) -> UserId {
        self.people += 1;
        let phone =
            if new.bot.is_some() { String::new() } else { format!("7900{:07}", self.people) };
        self.world.create_user(NewUser { phone, ..new }).unwrap()
    }

    /// Asks as `who`; the answer, decoded.
    pub(super) fn ask<R>(&mut self, who: UserId, request: &R) -> Reply<R::Return>
    where
        R: RemoteCall + Serializable,
        R::Return: Deserializable,
    {
        self.ask_bytes(who, &request.to_bytes()).map(|bytes| R::Return::from_bytes(&bytes).unwrap())
    }

    /// Asks and must get an answer.
    pub(super) fn does<R>(&mut self, who: UserId, request: &R) -> R::Return
    where
        R: RemoteCall + Serializable,
        R::Return: Deserializable,
    {
        self.ask(who, request).unwrap_or_else(|error| panic!("refused: {error}"))
    }

    /// Asks and must be refused with this name. Nothing may have been sent or changed.
    #[track_caller]
    pub(super) fn refuses(&mut self, who: UserId, request: &impl Serializable, name: &str) {
        self.refuses_bytes(who, &request.to_bytes(), name);
    }

    #[track_caller]
    pub(super) fn refuses_bytes(&mut self, who: UserId, request: &[u8], name: &str) {
        match self.ask_bytes(who, request) {
            Ok(_) => panic!("{} was answered, {name} was expected", request_name(request)),
            Err(error) => assert_eq!(error.name, name, "{}", request_name(request)),
        }
        if name != "INVITE_REQUEST_SENT" {
            assert!(self.effects.is_empty(), "refused, and yet: {:?}", self.effects);
        }
    }

    fn ask_bytes(&mut self, who: UserId, request: &[u8]) -> Reply<Vec<u8>> {
        let id = u32::from_le_bytes(request[..4].try_into().unwrap());
        let mut cx = Cx::new(&mut self.world, who, AuthKeyId(who.0), 230, 2);
        let answer = requests::dispatch(id, &request[4..], &mut cx).expect("a row");
        (self.effects, self.pushed) = (cx.effects, cx.outbox);
        if let Err(RpcError { code, name }) = &answer {
            assert!(!name.starts_with("UNDOCUMENTED"), "{}: {name}", request_name(request));
            self.refused.insert((request_name(request), *code, name.clone()));
        }
        answer
    }

    /// `whom` as `by` may name them.
    pub(super) fn user(&self, by: UserId, whom: UserId) -> enums::InputUser {
        types::InputUser { user_id: whom.0, access_hash: self.world.access_hash(by, whom) }.into()
    }

    /// The same as a peer.
    pub(super) fn user_peer(&self, by: UserId, whom: UserId) -> enums::InputPeer {
        types::InputPeerUser { user_id: whom.0, access_hash: self.world.access_hash(by, whom) }
            .into()
    }

    /// A supergroup as `by` may name it.
    pub(super) fn channel(&self, by: UserId, id: ChannelId) -> enums::InputChannel {
        self.world.input_channel(by, id)
    }

    /// A group as `by` may name it.
    pub(super) fn peer(&self, by: UserId, id: impl Into<PeerId>) -> enums::InputPeer {
        match id.into() {
            PeerId::User(id) => self.user_peer(by, id),
            PeerId::Chat(id) => types::InputPeerChat { chat_id: id.0 }.into(),
            PeerId::Channel(id) => types::InputPeerChannel {
                channel_id: id.0,
                access_hash: self.world.access_hash(by, id),
            }
            .into(),
        }
    }

    /// A supergroup of `owner` with these members.
    pub(super) fn supergroup(&mut self, owner: UserId, members: &[UserId]) -> ChannelId {
        self.made_channel(owner, members, true)
    }

    /// A broadcast channel.
    pub(super) fn broadcast(&mut self, owner: UserId, members: &[UserId]) -> ChannelId {
        self.made_channel(owner, members, false)
    }

    fn made_channel(&mut self, owner: UserId, members: &[UserId], megagroup: bool) -> ChannelId {
        let before: BTreeSet<ChannelId> = self.world.channels.keys().copied().collect();
        self.does(owner, &basics::creation("Group", "", megagroup));
        let id = *self.world.channels.keys().find(|id| !before.contains(id)).unwrap();
        if !members.is_empty() {
            let users = members.iter().map(|user| self.user(owner, *user)).collect();
            let channel = self.channel(owner, id);
            self.does(owner, &channels::InviteToChannel { channel, users });
        }
        id
    }

    /// A basic group of `owner` with these members.
    pub(super) fn basic(&mut self, owner: UserId, members: &[UserId]) -> ChatId {
        let before: BTreeSet<ChatId> = self.world.chats.keys().copied().collect();
        let users = members.iter().map(|user| self.user(owner, *user)).collect();
        self.does(
            owner,
            &messages::CreateChat { users, title: "Chat".to_owned(), ttl_period: None },
        );
        *self.world.chats.keys().find(|id| !before.contains(id)).unwrap()
    }

    /// Makes a supergroup public.
    pub(super) fn publish(&mut self, owner: UserId, id: ChannelId, username: &str) {
        let channel = self.channel(owner, id);
        self.does(owner, &channels::UpdateUsername { channel, username: username.to_owned() });
    }

    /// The kinds of effects of the last request.
    pub(super) fn kinds(&self) -> Vec<&str> {
        self.effects.iter().map(|effect| effect["kind"].as_str().unwrap()).collect()
    }
}

fn request_name(request: &[u8]) -> &'static str {
    requests::find(u32::from_le_bytes(request[..4].try_into().unwrap())).unwrap().name()
}

/// A channel named by a message that is not there.
fn by_no_message() -> enums::InputChannel {
    types::InputChannelFromMessage { peer: enums::InputPeer::PeerSelf, msg_id: 999, channel_id: 1 }
        .into()
}

/// The same, as a peer.
fn peer_by_no_message() -> enums::InputPeer {
    types::InputPeerChannelFromMessage {
        peer: enums::InputPeer::PeerSelf,
        msg_id: 999,
        channel_id: 1,
    }
    .into()
}

/// Somebody named by a message that is not there.
fn user_by_no_message() -> enums::InputUser {
    types::InputUserFromMessage { peer: enums::InputPeer::PeerSelf, msg_id: 999, user_id: 1 }.into()
}
