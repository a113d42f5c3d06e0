//! `group.get_invite_link`: the primary invite link, or a new one with conditions.

use chrono::{DateTime, Utc};
use proto::fault::code;
use proto::{ChatId, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls::links::LinkOptions;

use crate::cx::Cx;
use crate::limits::Class;
use crate::links;
use crate::method::{Done, Example, Method};
use crate::params::{LinkTitle, UsageLimit};
use crate::stop::Stop;

/// Gives a link by which people join the group. With no condition it is the account's primary link,
/// the same each time; with any condition a new link is made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupGetInviteLink {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// When the link stops working; must lie ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// How many people can join by it. Not together with `approval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<UsageLimit>,
    /// Whether an admin must let each person in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<bool>,
    /// The link's name, seen by admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<LinkTitle>,
}

/// The link.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InviteLink {
    /// `https://t.me/+…`
    pub link: String,
    /// Whether it is the account's primary link.
    pub primary: bool,
    /// When it stops working; null: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many people can join by it; null: any number.
    pub usage_limit: Option<u32>,
    /// Whether an admin must let each person in.
    pub approval: bool,
    /// Its name; null: none.
    pub title: Option<String>,
}

impl GroupGetInviteLink {
    fn options(&self) -> Option<LinkOptions> {
        let options = LinkOptions {
            expires_at: self.expires_at,
            usage_limit: self.usage_limit.map(UsageLimit::get),
            approval: self.approval.unwrap_or(false),
            title: self.title.as_ref().map(|title| title.as_str().to_owned()),
        };
        (options != LinkOptions::default()).then_some(options)
    }
}

impl Method for GroupGetInviteLink {
    type Output = InviteLink;

    const CLASSES: &'static [Class] = &[Class::Link, Class::Read];

    fn example() -> Example {
        Example {
            params: json!({ "usage_limit": 1, "expires_at": "2026-12-01T00:00:00Z", "title": "For Ann" }),
            result: json!({
                "link": "https://t.me/+AbCdEfGhIjKlMnOp", "primary": false,
                "expires_at": "2026-12-01T00:00:00Z", "usage_limit": 1, "approval": false,
                "title": "For Ann",
            }),
        }
    }

    fn validate(&self) -> Result<(), Fault> {
        if self.usage_limit.is_some() && self.approval == Some(true) {
            return Err(Fault::invalid(
                code::PARAMS_INVALID,
                "params.usage_limit: can't be combined with approval: Telegram takes one or the other",
            ));
        }
        // Telegram counts these seconds in 32 bits.
        if self.expires_at.is_some_and(|at| at.timestamp() > i64::from(i32::MAX)) {
            return Err(Fault::invalid(
                code::PARAMS_INVALID,
                "params.expires_at: must be before 2038-01-19",
            ));
        }
        Ok(())
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<InviteLink>, Stop> {
        let options = self.options();
        if self.expires_at.is_some_and(|at| at <= cx.now()) && !cx.has_begun() {
            return Err(Stop::Fault(Fault::invalid(
                code::PARAMS_INVALID,
                "params.expires_at: must lie ahead",
            )));
        }
        let group = cx.group(self.chat_id).await?;
        let link = match options {
            None => links::primary(cx, &group).await?,
            Some(options) => links::make(cx, &group, "export", options).await?,
        };
        Ok(Done::in_chat(
            group.chat_id,
            InviteLink {
                link: link.url,
                primary: link.primary,
                expires_at: link.expires_at,
                usage_limit: link.usage_limit,
                approval: link.approval,
                title: link.title,
            },
        ))
    }
}
