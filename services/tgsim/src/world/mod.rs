//! The world: everything that the simulated Telegram knows. Plain data and the rules for reading it.
//!
//! No I/O and no request is known here; handlers (`services/`) read and change it under one lock.
mod access;
mod clock;
mod deletion;
mod group;
mod ids;
mod link;
mod mailbox;
mod member;
mod membership;
mod message;
mod people;
mod privacy;
pub mod rights;
mod user;
mod view;

use std::collections::{BTreeMap, HashMap};

pub use clock::Clock;
pub use group::{BasicGroup, Channel};
pub use ids::{AuthKeyId, ChannelId, ChatId, PeerId, UserId};
pub use link::{InviteLink, JoinRequest, Joined, Links};
pub use mailbox::Step;
pub use member::{Banned, Member, Role};
pub use message::{Body, Change, Event, Message, MessageBox, Notice};
pub use people::{BadField, NewUser, is_username, phone_digits};
pub use privacy::{Asker, Audience, PrivacyKey, PrivacyRule};
pub use user::{Bot, Contact, Dialog, Password, Presence, User};
pub use view::{Cast, banned_participant, chat_participant};

use crate::limits::Limits;

/// The whole world.
#[derive(Debug)]
pub struct World {
    /// Makes ids, hashes and links repeatable.
    pub seed: u64,
    /// Time.
    pub clock: Clock,
    /// Telegram's limits; a test may lower them.
    pub limits: Limits,
    /// Accounts.
    pub users: BTreeMap<UserId, User>,
    /// Basic groups.
    pub chats: BTreeMap<ChatId, BasicGroup>,
    /// Supergroups and channels.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// Username in lower case → whose.
    pub usernames: HashMap<String, PeerId>,
    /// Phone (digits) → whose.
    pub phones: HashMap<String, UserId>,
    /// Invite hash → group.
    pub links: HashMap<String, PeerId>,
    /// Where the copies of one message lie: box owner and id there.
    pub copies: HashMap<u64, Vec<(UserId, i32)>>,
    /// Data centres, auth keys and logins.
    pub cluster: crate::cluster::Cluster,
    /// How many of everything were made: the source of ids.
    pub made: u64,
}

impl World {
    /// An empty world. Two worlds of one seed give the same ids, hashes and links for the same requests.
    pub fn new(seed: u64, clock: Clock) -> Self {
        Self {
            seed,
            clock,
            limits: Limits::default(),
            users: BTreeMap::new(),
            chats: BTreeMap::new(),
            channels: BTreeMap::new(),
            usernames: HashMap::new(),
            phones: HashMap::new(),
            links: HashMap::new(),
            copies: HashMap::new(),
            cluster: crate::cluster::Cluster::default(),
            made: 0,
        }
    }
}
