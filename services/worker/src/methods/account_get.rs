//! `account.get`: who the account is, asked of Telegram itself.

use proto::Fault;
use proto::control::AccountInfo;
use proto::event::AccountState;
use proto::fault::code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;

use crate::cx::Cx;
use crate::limits::Class;
use crate::method::{Done, Example, Method};
use crate::step::Step;
use crate::stop::Stop;

/// Tells who the account is, as Telegram says it now: so it also proves that the whole way from the
/// queue to Telegram and back is open. The order of the same name on `tg.control` tells what
/// Queuegram knows, also where the account is not connected.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountGet {}

impl Method for AccountGet {
    type Output = AccountInfo;

    const CLASSES: &'static [Class] = &[Class::Read];

    fn example() -> Example {
        Example {
            params: json!({}),
            result: json!({
                "instance": "acme-sales", "label": "Sales", "state": "online", "reason": null,
                "since": null, "user_id": 5_000_000_009_i64, "username": "acme_sales",
                "tags": [], "notes": null, "notify": null, "until": null, "require_api_key": false, "api_keys": [],
                "seal_key": null, "identity": null, "proxy": null, "pauses": [],
                "created_at": "2026-11-01T08:00:00.000Z",
            }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<AccountInfo>, Stop> {
        let account = cx.account();
        let step = Step::read("me", Class::Read);
        let me = cx.step(step, || calls::myself::me(&account)).await?;
        let Some(record) = cx.instance(&cx.command.instance).await? else {
            let fault = Fault::invalid(code::INSTANCE_NOT_FOUND, "instance: is being removed");
            return Err(Stop::Fault(fault));
        };
        Ok(Done::without_chat(AccountInfo {
            instance: record.id,
            label: record.label,
            // What an admin notes, and by which way the account goes out, is not for every caller.
            tags: Vec::new(),
            notes: None,
            notify: None,
            state: AccountState::Online,
            reason: None,
            since: None,
            until: None,
            user_id: Some(me.user.id),
            username: me.user.username,
            require_api_key: record.require_api_key,
            api_keys: Vec::new(),
            seal_key: None,
            identity: None,
            proxy: None,
            pauses: cx.pauses(),
            created_at: record.created_at,
        }))
    }
}
