//! Finding a new group again: by the service message with which Telegram notes its making.
//!
//! A group is this call's if we made it, it has the asked title (and, a basic group, no other people
//! than the asked ones), it was made after the call began, and it is no other command's. The last is
//! exact: whatever a command made stands in the vault under its id before its step counts as
//! executed, and an instance works on one command at a time, the one that broke off first.
//!
//! A basic group's making is in the account's own stream of updates, so the difference since the
//! mark shows it. A supergroup has a stream of its own: the difference names it at best, and the
//! list of dialogs, newest first, has every group that is younger than its page's last one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proto::{ChatId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::calls::chats::{GroupSummary, Standing};
use telegram::calls::groups::{Missing, NewGroup};
use telegram::calls::messages::{Action, Difference, MessageBrief};
use telegram::session::UpdateMark;
use telegram::{GroupKind, GroupPeer, UserPeer, calls};

use super::{Evidence, Trace};
use crate::cx::Cx;
use crate::limits::Class;
use crate::step::Step;
use crate::stop::Failure;
use crate::suspect::CLOCKS_DIFFER;

/// How far the clocks of Telegram's servers may lie from each other.
const SERVERS_DIFFER: TimeDelta = TimeDelta::seconds(5);
/// Events to a part of the difference, and parts that are read at most.
const PART: u32 = 1_000;
const PARTS_MAX: usize = 50;
/// Dialogs to a page, and pages that are read at most.
const PAGE: u32 = 100;
const PAGES_MAX: usize = 20;
/// Groups whose messages are looked into at most.
const CANDIDATES_MAX: usize = 20;
/// Messages of a group in which its making is looked for.
const MESSAGES: u32 = 100;

/// How a new group is found again.
pub struct Creation<'a> {
    /// Its kind.
    pub kind: GroupKind,
    /// Its title.
    pub title: &'a str,
    /// Who is put in by the same call; nobody for a supergroup.
    pub users: &'a [UserPeer],
}

/// Where the account was in its stream of updates before the call, and the time by both clocks.
#[derive(Serialize, Deserialize)]
struct Note {
    mark: UpdateMark,
    at: DateTime<Utc>,
}

/// What the looking saw.
#[derive(Default)]
struct Sight {
    groups: BTreeMap<ChatId, GroupSummary>,
    makings: BTreeMap<ChatId, MessageBrief>,
    /// The newest message of each group.
    newest: BTreeMap<ChatId, DateTime<Utc>>,
}

impl Trace for Creation<'_> {
    type Answer = NewGroup;

    async fn note(&self, cx: &mut Cx<'_>) -> Result<Value, Failure> {
        let account = cx.account();
        let step = Step::read("mark", Class::Read);
        let mark = cx.step(step, || calls::myself::update_mark(&account)).await?;
        Ok(serde_json::to_value(Note { mark, at: cx.now() }).unwrap_or_default())
    }

    async fn look(&self, cx: &mut Cx<'_>, note: &Value) -> Result<Evidence<NewGroup>, Failure> {
        let noted: Option<Note> = serde_json::from_value(note.clone()).ok();
        let begun = noted.as_ref().map_or_else(|| cx.not_before(), |note| note.at - CLOCKS_DIFFER);
        if let Some(made) = cx.made_since(begun).await? {
            return self.recorded(cx, made.chat_id).await;
        }
        let mut sight = Sight::default();
        if let Some(note) = &noted
            && let Some(gap) = difference(cx, note.mark, &mut sight).await?
        {
            return Ok(Evidence::none(gap));
        }
        let by_telegram = noted.and_then(|note| DateTime::from_timestamp(note.mark.date.into(), 0));
        let since = by_telegram.unwrap_or(begun) - SERVERS_DIFFER;
        if let Some(gap) = dialogs(cx, since, &mut sight).await? {
            return Ok(Evidence::none(gap));
        }
        self.judge(cx, since, sight).await
    }
}

impl Creation<'_> {
    /// The group stands in the vault as this very command's work.
    async fn recorded(
        &self,
        cx: &mut Cx<'_>,
        chat_id: ChatId,
    ) -> Result<Evidence<NewGroup>, Failure> {
        let account = cx.account();
        if account.peers().group(chat_id).is_none() {
            let step = Step::read("dialogs", Class::Read);
            cx.step(step, || calls::chats::dialogs(&account, PAGE, None)).await?;
        }
        match account.peers().group(chat_id) {
            Some(peer) => Ok(Evidence::proof(self.answer(cx, peer, None).await?)),
            None => Ok(Evidence::none("its group is recorded, and not among the newest dialogs")),
        }
    }

    /// Takes those that can only be this call's.
    async fn judge(
        &self,
        cx: &mut Cx<'_>,
        since: DateTime<Utc>,
        mut sight: Sight,
    ) -> Result<Evidence<NewGroup>, Failure> {
        let mut candidates = Vec::new();
        for (chat_id, group) in &sight.groups {
            let fits = group.kind == self.kind && group.standing == Standing::Creator;
            let lively = sight.newest.get(chat_id).is_none_or(|newest| *newest >= since);
            if fits && lively && cx.recorded_group(*chat_id).await?.is_none() {
                candidates.push(group.clone());
            }
        }
        if candidates.len() > CANDIDATES_MAX {
            return Ok(Evidence::none("too many groups were made that no command knows"));
        }
        let mut found = Vec::new();
        for group in candidates {
            let chat_id = group.group.chat_id();
            let making = match sight.makings.remove(&chat_id) {
                Some(making) => Some(making),
                None => self.making(cx, &group.group).await?,
            };
            match making {
                Some(making) if making.at < since || !self.is_ours(&making) => {}
                Some(making) => {
                    found.push(self.answer(cx, group.group, making.action.as_ref()).await?);
                }
                None if group.title != self.title => {}
                None => {
                    return Ok(Evidence::none("a group of that title does not show its making"));
                }
            }
        }
        Ok(Evidence { found, gap: None })
    }

    /// The message with which a group begins.
    async fn making(
        &self,
        cx: &mut Cx<'_>,
        group: &GroupPeer,
    ) -> Result<Option<MessageBrief>, Failure> {
        let account = cx.account();
        let messages = cx
            .step(Step::read("messages", Class::Read), || async {
                match group.is_basic() {
                    true => calls::messages::newest(&account, group, MESSAGES).await,
                    false => calls::messages::first(&account, group, 1).await,
                }
            })
            .await?;
        Ok(messages.into_iter().find(is_making))
    }

    fn is_ours(&self, making: &MessageBrief) -> bool {
        let asked = |user: &UserId| self.users.iter().any(|asked| asked.id == *user);
        making.own
            && match &making.action {
                Some(Action::ChannelCreated { title }) => title == self.title,
                Some(Action::BasicGroupCreated { title, users }) => {
                    let others = users.iter().filter(|user| Some(**user) != making.from);
                    title == self.title && others.into_iter().all(asked)
                }
                _ => false,
            }
    }

    /// What the call would have answered. Whom Telegram left out shows in the list of members.
    async fn answer(
        &self,
        cx: &mut Cx<'_>,
        peer: GroupPeer,
        making: Option<&Action>,
    ) -> Result<NewGroup, Failure> {
        let (account, title) = (cx.account(), self.title.to_owned());
        if !peer.is_basic() {
            return Ok(NewGroup { group: peer, title, missing: Vec::new() });
        }
        let step = Step::read("members", Class::Read);
        let full = cx.step(step, || calls::groups::full(&account, &peer)).await?;
        let inside: Vec<UserId> = match (full.members, making) {
            (Some(members), _) => members.into_iter().map(|member| member.user_id).collect(),
            (None, Some(Action::BasicGroupCreated { users, .. })) => users.clone(),
            (None, _) => Vec::new(),
        };
        let outside = self.users.iter().filter(|user| !inside.contains(&user.id));
        let missing = outside.map(|user| Missing {
            user_id: user.id,
            premium_would_allow: false,
            premium_required_for_pm: false,
        });
        Ok(NewGroup { group: peer, title, missing: missing.collect() })
    }
}

/// Everything since the mark; the reason where that is not everything.
async fn difference(
    cx: &mut Cx<'_>,
    mut mark: UpdateMark,
    sight: &mut Sight,
) -> Result<Option<&'static str>, Failure> {
    let account = cx.account();
    for _ in 0..PARTS_MAX {
        let from = mark;
        let step = Step::read("difference", Class::Read);
        match cx.step(step, || calls::messages::difference(&account, &from, PART)).await? {
            Difference::Empty => return Ok(None),
            Difference::TooLong => break,
            Difference::Part { messages, groups, next, last } => {
                sight.note(groups, &messages);
                if last {
                    return Ok(None);
                }
                mark = next;
            }
        }
    }
    Ok(Some("too much has happened since for Telegram to list it"))
}

/// Every dialog in which something happened since then; the reason where that is not every one.
async fn dialogs(
    cx: &mut Cx<'_>,
    since: DateTime<Utc>,
    sight: &mut Sight,
) -> Result<Option<&'static str>, Failure> {
    let (account, mut next) = (cx.account(), None);
    for _ in 0..PAGES_MAX {
        let from = next.clone();
        let step = Step::read("dialogs", Class::Read);
        let page = cx.step(step, || calls::chats::dialogs(&account, PAGE, from.as_ref())).await?;
        for message in &page.newest {
            if let Some(chat_id) = message.chat_id {
                sight.newest.insert(chat_id, message.at);
            }
        }
        sight.note(page.groups, &page.newest);
        next = match page.next {
            Some(next) if next.at() >= since => Some(next),
            _ => return Ok(None),
        };
    }
    Ok(Some("there are too many newer dialogs to look through"))
}

impl Sight {
    fn note(&mut self, groups: Vec<GroupSummary>, messages: &[MessageBrief]) {
        self.groups.extend(groups.into_iter().map(|group| (group.group.chat_id(), group)));
        for message in messages.iter().filter(|message| is_making(message)) {
            if let Some(chat_id) = message.chat_id {
                self.makings.insert(chat_id, message.clone());
            }
        }
    }
}

fn is_making(message: &MessageBrief) -> bool {
    use Action::{BasicGroupCreated, ChannelCreated};
    matches!(message.action, Some(BasicGroupCreated { .. } | ChannelCreated { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> UserPeer {
        UserPeer {
            id: UserId::try_from(id).unwrap(),
            access_hash: 1,
            username: None,
            first_name: String::new(),
            bot: false,
            bot_blocks_groups: false,
            contact: false,
            is_self: false,
            deleted: false,
        }
    }

    fn making(own: bool, action: Action) -> MessageBrief {
        MessageBrief {
            id: 1,
            chat_id: Some("-5".parse().unwrap()),
            with: None,
            at: DateTime::UNIX_EPOCH,
            from: Some(UserId::try_from(1).unwrap()),
            own,
            action: Some(action),
        }
    }

    fn basic(title: &str, users: &[i64]) -> Action {
        let users = users.iter().map(|id| UserId::try_from(*id).unwrap()).collect();
        Action::BasicGroupCreated { title: title.to_owned(), users }
    }

    #[test]
    fn a_making_is_ours_by_title_and_people() {
        let users = [user(2), user(3)];
        let creation = Creation { kind: GroupKind::Basic, title: "Deal 9", users: &users };
        for (own, action, ours) in [
            (true, basic("Deal 9", &[1, 2, 3]), true),
            (true, basic("Deal 9", &[1, 2]), true),
            (true, basic("Deal 9", &[1, 2, 4]), false),
            (true, basic("Deal 8", &[1, 2, 3]), false),
            (false, basic("Deal 9", &[1, 2, 3]), false),
            (true, Action::ChannelCreated { title: "Deal 9".to_owned() }, true),
            (true, Action::ChannelCreated { title: "Deal 8".to_owned() }, false),
            (true, Action::TitleChanged { title: "Deal 9".to_owned() }, false),
        ] {
            let making = making(own, action);
            assert_eq!(creation.is_ours(&making), ours, "{making:?}");
        }
    }
}
