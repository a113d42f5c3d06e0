//! `group.revoke_invite_link`: makes an invite link stop working.

use proto::fault::code;
use proto::{ChatId, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;

use crate::cx::Cx;
use crate::limits::Class;
use crate::links;
use crate::method::{Done, Example, Method};
use crate::step::Step;
use crate::stop::Stop;

/// Revokes an invite link: nobody can join by it any more. For the primary link Telegram makes a
/// new one at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRevokeInviteLink {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// The link to revoke; the account's primary one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Revoked {
    /// The link that no longer works.
    pub link: String,
    /// The new primary link, where Telegram made one.
    pub new_link: Option<String>,
}

impl Method for GroupRevokeInviteLink {
    type Output = Revoked;

    const CLASSES: &'static [Class] = &[Class::Link, Class::Read];

    fn example() -> Example {
        Example {
            params: json!({}),
            result: json!({
                "link": "https://t.me/+AbCdEfGhIjKlMnOp",
                "new_link": "https://t.me/+QrStUvWxYzAbCdEf",
            }),
        }
    }

    fn validate(&self) -> Result<(), Fault> {
        match &self.link {
            Some(link) if !links::is_invite_link(link) => Err(Fault::invalid(
                code::PARAMS_INVALID,
                "params.link: is no invite link (https://t.me/+… or https://t.me/joinchat/…)",
            )),
            _ => Ok(()),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Revoked>, Stop> {
        let group = cx.group(self.chat_id).await?;
        let primary = self.link.is_none();
        let link = match self.link {
            Some(link) => link,
            None => links::primary(cx, &group).await?.url,
        };
        let account = cx.account();
        let revoked = cx
            .step(Step::repeatable("revoke", Class::Link), || {
                calls::links::revoke(&account, &group.peer, &link)
            })
            .await?;
        let mut new_link = revoked.new_link.map(|link| link.url);
        if new_link.is_none() && primary {
            // Telegram tells the new one only with the first revocation, which a crash may have
            // swallowed.
            let step = Step::read("new_primary_link", Class::Read);
            let full = cx.step(step, || calls::groups::full(&account, &group.peer)).await?;
            new_link = full.primary_link.map(|link| link.url).filter(|new| *new != link);
        }
        Ok(Done::in_chat(group.chat_id, Revoked { link, new_link }))
    }
}
