//! `user.common_groups`: the groups that the account shares with a person.

use proto::fault::code;
use proto::{ChatId, ChatKind, ExternalRef, Fault, MemberInput, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;
use telegram::calls::chats::GroupSummary;

use crate::cx::Cx;
use crate::limits::Class;
use crate::method::{Done, Example, Method};
use crate::people;
use crate::step::Step;
use crate::stop::Stop;

/// Most groups that Telegram lists in one answer (`messages.getCommonChats`).
const PAGE: u32 = 100;
/// Most pages that are read: an account can be in no more than 1,000 groups (with Premium).
const PAGES_MAX: usize = 12;

/// Lists the groups in which both the account and the person are, newest first, and whether the
/// account could remove the person from each.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCommonGroups {
    /// The person or bot.
    pub user: MemberInput,
}

/// The groups.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CommonGroups {
    /// The person's Telegram id.
    pub user_id: UserId,
    /// The groups that both are in.
    pub groups: Vec<CommonGroup>,
}

/// One group that both are in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CommonGroup {
    /// The group's id.
    pub chat_id: ChatId,
    /// Its title.
    pub title: String,
    /// Basic group or supergroup.
    pub kind: ChatKind,
    /// How many are in it, where Telegram tells.
    pub member_count: Option<u32>,
    /// The caller's own key of the group, where one is bound.
    pub external_ref: Option<ExternalRef>,
    /// Whether the account has the right to remove the person.
    pub can_remove: bool,
}

impl Method for UserCommonGroups {
    type Output = CommonGroups;

    const CLASSES: &'static [Class] = &[Class::Read, Class::Resolve];

    fn example() -> Example {
        Example {
            params: json!({ "user": "@client" }),
            result: json!({
                "user_id": 5_000_000_001_i64,
                "groups": [{
                    "chat_id": -1_001_234_567_890_i64, "title": "Deal 77", "kind": "supergroup",
                    "member_count": 4, "external_ref": "deal-77", "can_remove": true,
                }],
            }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<CommonGroups>, Stop> {
        let user = people::find_one(cx, &self.user).await?;
        if user.is_self {
            return Err(Stop::Fault(Fault::invalid(
                code::PARAMS_INVALID,
                "params.user: is the account itself",
            )));
        }
        let account = cx.account();
        let (mut groups, mut max_id) = (Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let step = Step::read("common", Class::Read);
            let page =
                cx.step(step, || calls::chats::common(&account, &user, max_id, PAGE)).await?;
            let Some(last) = page.last() else { break };
            max_id = last.group.chat_id().bare_id();
            for group in &page {
                groups.push(common_group(cx, group).await?);
            }
        }
        Ok(Done::without_chat(CommonGroups { user_id: user.id, groups }))
    }
}

async fn common_group(cx: &mut Cx<'_>, group: &GroupSummary) -> Result<CommonGroup, Stop> {
    let chat_id = group.group.chat_id();
    Ok(CommonGroup {
        chat_id,
        title: group.title.clone(),
        kind: chat_id.kind(),
        member_count: group.member_count,
        external_ref: cx.ref_of(chat_id).await?,
        can_remove: group.can_remove(),
    })
}
