//! The town: a world with a clock that stands still, and what was pushed to whom.
use grammers_tl_types::{Deserializable, Identifiable, RemoteCall, enums, functions, types};
use serde_json::Value;

use crate::cx::{Cx, Push};
use crate::requests;
use crate::rpc_error::RpcError;
use crate::world::{AuthKeyId, Clock, NewUser, PeerId, UserId, World};

pub(crate) const ALICE: usize = 0;

/// alice, bob and carol know nobody; their ids are in `who`.
pub(crate) struct Town {
    pub world: World,
    pub alice: UserId,
    pub bob: UserId,
    pub carol: UserId,
    pub effects: Vec<Value>,
    pub outbox: Vec<Push>,
    moved_in: usize,
}

impl Town {
    pub fn new() -> Self {
        let mut world = World::new(7, Clock::fixed(1_800_000_000));
        let mut person = |name: &str, phone: &str| {
            let new = NewUser {
                phone: phone.into(),
                first_name: name.into(),
                username: Some(format!("{}_test", name.to_lowercase())),
                ..NewUser::default()
            };
            world.create_user(new).unwrap()
        };
        let alice = person("Alice", "+49 30 1000001");
        let bob = person("Bob", "+49301000002");
        let carol = person("Carol", "49301000003");
        Self { world, alice, bob, carol, effects: vec![], outbox: vec![], moved_in: ALICE + 3 }
    }

    /// Somebody else, with defaults where `new` has none.
    pub fn newcomer(&mut self, new: NewUser) -> UserId {
        self.moved_in += 1;
        let first_name =
            if new.first_name.is_empty() { format!("N{}", self.moved_in) } else { new.first_name };
        let phone = match (&new.bot, new.phone.is_empty()) {
            (None, true) => format!("4940{:07}", self.moved_in),
            _ => new.phone,
        };
        self.world.create_user(NewUser { phone, first_name, ..new }).unwrap()
    }

    /// One request, by `who`. What it did is appended to `effects` and `outbox`.
    pub fn call<F>(&mut self, who: UserId, request: F) -> Result<F::Return, RpcError>
    where
        F: RemoteCall + Identifiable,
    {
        let bytes = request.to_bytes();
        let mut cx = Cx::new(&mut self.world, who, AuthKeyId(who.0), grammers_tl_types::LAYER, 2);
        let answer = requests::dispatch(F::CONSTRUCTOR_ID, &bytes[4..], &mut cx).unwrap();
        let (effects, outbox) = (cx.effects, cx.outbox);
        self.effects.extend(effects);
        self.outbox.extend(outbox);
        answer.map(|bytes| F::Return::from_bytes(&bytes).unwrap())
    }

    /// The name of the error that a request ends in.
    pub fn refused<F>(&mut self, who: UserId, request: F) -> String
    where
        F: RemoteCall + Identifiable,
        F::Return: std::fmt::Debug,
    {
        self.call(who, request).unwrap_err().name
    }

    /// What was pushed to somebody since the last time, in order.
    pub fn pushed(&mut self, to: UserId) -> Vec<enums::Update> {
        let (theirs, others) =
            std::mem::take(&mut self.outbox).into_iter().partition(|p| p.to == to);
        self.outbox = others;
        let theirs: Vec<Push> = theirs;
        theirs.into_iter().flat_map(|p| updates(p.updates)).collect()
    }

    /// How `viewer` names somebody.
    pub fn user(&self, viewer: UserId, who: UserId) -> enums::InputUser {
        let access_hash = self.world.access_hash(viewer, who);
        types::InputUser { user_id: who.0, access_hash }.into()
    }

    /// How `viewer` names a conversation.
    pub fn peer(&self, viewer: UserId, peer: impl Into<PeerId>) -> enums::InputPeer {
        let peer = peer.into();
        let access_hash = self.world.access_hash(viewer, peer);
        match peer {
            PeerId::User(id) => types::InputPeerUser { user_id: id.0, access_hash }.into(),
            PeerId::Chat(id) => types::InputPeerChat { chat_id: id.0 }.into(),
            PeerId::Channel(id) => types::InputPeerChannel { channel_id: id.0, access_hash }.into(),
        }
    }

    /// alice makes a basic group with `members`; its number.
    pub fn group(&mut self, title: &str, members: &[UserId]) -> i64 {
        let users = members.iter().map(|m| self.user(self.alice, *m)).collect();
        let request =
            functions::messages::CreateChat { users, title: title.into(), ttl_period: None };
        let alice = self.alice;
        let enums::messages::InvitedUsers::Users(made) = self.call(alice, request).unwrap();
        let enums::Updates::Updates(u) = made.updates else { panic!("updates") };
        let group = u.chats.iter().find_map(|c| match c {
            enums::Chat::Chat(c) => Some(c.id),
            _ => None,
        });
        group.unwrap()
    }

    /// Sends a text; its id in the sender's box.
    pub fn say(&mut self, who: UserId, to: impl Into<PeerId>, text: &str) -> Result<i32, RpcError> {
        self.moved_in += 1;
        let request = self.message(who, to, text, self.moved_in as i64);
        Ok(match self.call(who, request)? {
            enums::Updates::UpdateShortSentMessage(sent) => sent.id,
            enums::Updates::Updates(u) => match &u.updates[0] {
                enums::Update::MessageId(m) => m.id,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
    }

    pub fn message(
        &self,
        who: UserId,
        to: impl Into<PeerId>,
        text: &str,
        random_id: i64,
    ) -> functions::messages::SendMessage {
        functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: self.peer(who, to),
            reply_to: None,
            message: text.into(),
            random_id,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        }
    }

    /// The kinds of effect noted since the last time.
    pub fn kinds(&mut self) -> Vec<String> {
        let kind = |e: &Value| e["kind"].as_str().unwrap_or_default().to_owned();
        std::mem::take(&mut self.effects).iter().map(kind).collect()
    }
}

fn updates(container: enums::Updates) -> Vec<enums::Update> {
    match container {
        enums::Updates::Updates(u) => u.updates,
        enums::Updates::UpdateShort(u) => vec![u.update],
        other => panic!("{other:?}"),
    }
}

/// Names of updates, for short comparisons: `NewMessage`, `ChatParticipants`, …
pub(crate) fn names(updates: &[enums::Update]) -> Vec<String> {
    let name = |u: &enums::Update| {
        format!("{u:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
    };
    updates.iter().map(name).collect()
}
