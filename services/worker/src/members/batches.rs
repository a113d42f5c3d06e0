//! How many people are asked for in one call.

use serde::{Deserialize, Serialize};
use telegram::UserPeer;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::stop::Failure;

/// Most people in one `channels.inviteToChannel`: a quarter of what it takes, since one refusal
/// concerns all of them.
const BATCH_MAX: usize = 50;
/// Under which name a command keeps its sizes.
const NOTE: &str = "batches";

/// What somebody is to the account: Telegram limits adding strangers, and hardly minds the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In the account's address book, or a bot.
    Known,
    /// Anybody else.
    Stranger,
}

impl Kind {
    /// What `user` is to the account.
    pub fn of(user: &UserPeer) -> Self {
        if user.contact || user.bot { Self::Known } else { Self::Stranger }
    }

    /// The class of calls that add such people; each of them counts as one call.
    pub fn class(self) -> Class {
        match self {
            Self::Known => Class::InviteKnown,
            Self::Stranger => Class::Invite,
        }
    }
}

/// People to a call, of each kind.
///
/// A call is known by the first of its people, and budgets may change while a command is parked: so
/// the sizes are noted once and kept, else calls that were made already would be cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    known: usize,
    strangers: usize,
}

impl Sizes {
    /// The sizes by which `users` are added: no more at once than Telegram takes well, and than the
    /// budget of their class holds.
    pub async fn of(cx: &Cx<'_>, group: &Group, users: &[UserPeer]) -> Result<Self, Failure> {
        if group.peer.is_basic() {
            // `messages.addChatUser` takes one.
            return Ok(Self { known: 1, strangers: 1 });
        }
        if let Some(sizes) = cx.recall(NOTE)? {
            return Ok(sizes);
        }
        let size = |kind: Kind| BATCH_MAX.min(cx.at_once(kind.class()));
        let sizes = Self { known: size(Kind::Known), strangers: size(Kind::Stranger) };
        // Somebody alone of their kind is alone in their call, whatever the sizes are.
        let several = |kind| users.iter().filter(|user| Kind::of(user) == kind).count() > 1;
        if several(Kind::Known) || several(Kind::Stranger) {
            cx.remember(NOTE, &sizes).await?;
        }
        Ok(sizes)
    }

    /// People of a kind to a call; at least one.
    pub fn of_kind(self, kind: Kind) -> usize {
        match kind {
            Kind::Known => self.known.max(1),
            Kind::Stranger => self.strangers.max(1),
        }
    }
}
