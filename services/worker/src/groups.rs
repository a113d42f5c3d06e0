//! Which group a command is about: by `chat_id`, by `external_ref`, or both.

use std::future::Future;
use std::sync::OnceLock;

use proto::event;
use proto::fault::code;
use proto::{ChatId, ExternalRef, Fault};
use serde::{Deserialize, Serialize};
use store::{GroupRecord, Origin};
use telegram::calls::chats::GroupSummary;
use telegram::calls::groups::NewGroup;
use telegram::{CallError, GroupPeer, calls};

use crate::cx::Cx;
use crate::limits::Class;
use crate::reconcile::creation::Creation;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Newest dialogs in which an unknown supergroup is looked for.
const DIALOGS_MAX: u32 = 100;

/// A group that the account is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// How Telegram wants it named.
    pub peer: GroupPeer,
    /// How callers name it.
    pub chat_id: ChatId,
    /// Its present title.
    pub title: String,
}

impl Group {
    /// The group behind a peer.
    pub fn new(peer: GroupPeer, title: &str) -> Self {
        Self { peer, chat_id: peer.chat_id(), title: title.to_owned() }
    }
}

/// What became of a group that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The account is in it.
    Live(Group),
    /// It is deleted, or the account is no longer in it.
    Gone,
    /// Telegram wants an access hash to look it up, and the account has none: it may live.
    OutOfSight,
}

/// The step that looks the command's group up. Its answer is kept: a command that has changed
/// something goes on after a crash with the same group, also where the `external_ref` is free again
/// or the group is deleted.
const LOOK_UP: &str = "group";

impl Cx<'_> {
    /// The command's group. An unbound `external_ref` that comes with a `chat_id` is bound to it,
    /// which is how groups made by hand are adopted.
    pub async fn group(&mut self, chat_id: Option<ChatId>) -> Result<Group, Stop> {
        if self.has_step(LOOK_UP) && self.has_begun() {
            return self.group_before_the_crash().await;
        }
        let bound = self.bound_chat().await?;
        let Some(named) = chat_id.or(bound) else { return Err(Stop::Fault(self.no_address())) };
        let step = Step::decisive_read(LOOK_UP, Class::Read);
        let Found::Live(group) = self.look_up(step, named).await? else {
            return Err(Stop::Fault(unknown(named)));
        };
        match bound {
            Some(bound) if bound != named && bound != group.chat_id => {
                let other = self.look_up(Step::read("bound_group", Class::Read), bound).await?;
                if !matches!(other, Found::Live(other) if other.chat_id == group.chat_id) {
                    return Err(Stop::Fault(Fault::invalid(
                        code::EXTERNAL_REF_MISMATCH,
                        "external_ref: names another group than params.chat_id",
                    )));
                }
            }
            Some(_) => {}
            None => self.adopt(&group).await?,
        }
        self.works_on(group.chat_id);
        Ok(group)
    }

    async fn group_before_the_crash(&mut self) -> Result<Group, Stop> {
        let step = Step::decisive_read(LOOK_UP, Class::Read);
        let recorded: Option<GroupSummary> =
            self.step(step, || std::future::ready(Ok(None))).await?;
        let Some(found) = recorded else {
            return Err(Stop::Fault(Fault::internal("the group's record is empty")));
        };
        let group = Group::new(found.migrated_to.unwrap_or(found.group), &found.title);
        self.works_on(group.chat_id);
        Ok(group)
    }

    /// The group of that id. A basic group that has become a supergroup is followed.
    pub async fn find_group(&mut self, chat_id: ChatId) -> Result<Found, Stop> {
        self.look_up(Step::read(LOOK_UP, Class::Read), chat_id).await
    }

    async fn look_up(&mut self, step: Step, chat_id: ChatId) -> Result<Found, Stop> {
        let account = self.account();
        let Some(peer) = self.peer_of(chat_id).await? else { return Ok(Found::OutOfSight) };
        let found = match self.step(step, || calls::chats::get(&account, &peer)).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Found::Gone),
            // Any other refusal says nothing of the group: to take it for gone would free its ref.
            Err(Failure::Refused(refusal)) if refusal.group_is_gone() => return Ok(Found::Gone),
            Err(failure) => return Err(failure.into()),
        };
        if let Some(supergroup) = found.migrated_to {
            let group = Group::new(supergroup, &found.title);
            self.follow(chat_id, &group).await?;
            return Ok(Found::Live(group));
        }
        Ok(match found.is_member() {
            true => Found::Live(Group::new(found.group, &found.title)),
            false => Found::Gone,
        })
    }

    /// The group that the command's `external_ref` is bound to.
    pub async fn bound_chat(&mut self) -> Result<Option<ChatId>, Stop> {
        let Some(external_ref) = &self.command.external_ref else { return Ok(None) };
        let groups = &self.tenure.groups;
        Ok(self.tenure.retry_store(|| groups.chat_of(external_ref)).await?)
    }

    /// The `external_ref` that a group is bound to.
    pub async fn ref_of(&mut self, chat_id: ChatId) -> Result<Option<ExternalRef>, Stop> {
        Ok(self.recorded_group(chat_id).await?.and_then(|group| group.external_ref))
    }

    /// Whether Queuegram made this group, or it was bound to an `external_ref`.
    pub async fn is_ours(&mut self, chat_id: ChatId) -> Result<bool, Stop> {
        Ok(self.recorded_group(chat_id).await?.is_some())
    }

    /// What is known of a group.
    pub async fn recorded_group(&self, chat_id: ChatId) -> Result<Option<GroupRecord>, Failure> {
        let groups = &self.tenure.groups;
        self.tenure.retry_store(|| groups.get(chat_id)).await
    }

    /// The groups that Queuegram knows, newest first.
    pub async fn bound_groups(&mut self, most: usize) -> Result<Vec<ChatId>, Stop> {
        let groups = &self.tenure.groups;
        Ok(self.tenure.retry_store(|| groups.newest(most)).await?)
    }

    /// Makes a group; it is in the vault, as this command's and with its `external_ref`, before the
    /// step counts as executed.
    pub async fn make_group<F, R>(
        &mut self,
        step: Step,
        creation: &Creation<'_>,
        call: F,
    ) -> Result<NewGroup, Failure>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<NewGroup, CallError>>,
    {
        let (groups, lease) = (self.tenure.groups.clone(), self.tenure.lease.clone());
        let (external_ref, clock) =
            (self.command.external_ref.clone(), self.tenure.shared.clock.clone());
        let (id, seen) = (self.command.id.clone(), OnceLock::new());
        let made = self
            .durable(step, creation, call, |made: &NewGroup| {
                let chat_id = made.group.chat_id();
                let _ = seen.set(chat_id);
                let (groups, lease, now) = (groups.clone(), lease.clone(), clock.now());
                let (external_ref, id) = (external_ref.clone(), id.clone());
                async move {
                    groups.put_made(&lease, chat_id, external_ref.as_ref(), &id, now).await
                }
            })
            .await;
        // Also where the vault then refused to keep it: the caller must hear of the group.
        let recorded = made.as_ref().ok().map(|made| made.group.chat_id());
        if let Some(chat_id) = recorded.or_else(|| seen.get().copied()) {
            self.works_on(chat_id);
        }
        made
    }

    /// Forgets a group that is gone: its `external_ref` is free again.
    pub async fn forget_group(&mut self, chat_id: ChatId) -> Result<(), Stop> {
        let (groups, lease) = (&self.tenure.groups, &self.tenure.lease);
        Ok(self.tenure.retry_store(|| groups.remove(lease, chat_id)).await?)
    }

    async fn adopt(&mut self, group: &Group) -> Result<(), Stop> {
        let Some(external_ref) = &self.command.external_ref else { return Ok(()) };
        let (groups, lease, now) = (&self.tenure.groups, &self.tenure.lease, self.now());
        Ok(self
            .tenure
            .retry_store(|| {
                groups.put(lease, group.chat_id, Some(external_ref), Origin::Bound, now)
            })
            .await?)
    }

    async fn follow(&mut self, from: ChatId, to: &Group) -> Result<(), Stop> {
        let (groups, lease) = (&self.tenure.groups, &self.tenure.lease);
        let moved = self.tenure.retry_store(|| groups.migrate(lease, from, to.chat_id)).await?;
        if moved {
            self.tell(to.chat_id, event::GroupMigrated { from, to: to.chat_id }).await;
        }
        Ok(())
    }

    async fn peer_of(&mut self, chat_id: ChatId) -> Result<Option<GroupPeer>, Stop> {
        let account = self.account();
        if let Some(peer) = account.peers().group(chat_id) {
            return Ok(Some(peer));
        }
        let step = Step::read("dialogs", Class::Read);
        self.step(step, || calls::chats::dialogs(&account, DIALOGS_MAX, None)).await?;
        Ok(account.peers().group(chat_id))
    }

    fn no_address(&self) -> Fault {
        match &self.command.external_ref {
            Some(_) => Fault::invalid(
                code::EXTERNAL_REF_UNBOUND,
                "external_ref: is bound to no group; give params.chat_id too, to bind it",
            ),
            None => Fault::invalid(
                code::PARAMS_INVALID,
                "params.chat_id: is missing, and there is no external_ref that names a group",
            ),
        }
    }
}

fn unknown(chat_id: ChatId) -> Fault {
    Fault::invalid(
        code::CHAT_NOT_FOUND,
        format!("params.chat_id: the account is in no group {chat_id}"),
    )
}
