//! `group.rename`: gives a group another title.

use proto::ChatId;
use proto::event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;

use crate::cx::Cx;
use crate::limits::Class;
use crate::method::{Done, Example, Method};
use crate::params::Title;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Renames a group. A group that has the title already is left as it is, and that is success.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRename {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// The new title.
    pub title: Title,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Renamed {
    /// The title that the group has now.
    pub title: Title,
}

impl Method for GroupRename {
    type Output = Renamed;

    const CLASSES: &'static [Class] = &[Class::Admin, Class::Read];

    fn example() -> Example {
        Example {
            params: json!({ "title": "Deal 77 (won)" }),
            result: json!({ "title": "Deal 77 (won)" }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Renamed>, Stop> {
        let group = cx.group(self.chat_id).await?;
        let account = cx.account();
        let renamed = cx
            .step(Step::repeatable("rename", Class::Admin), || {
                calls::groups::edit_title(&account, &group.peer, self.title.as_str())
            })
            .await;
        match renamed {
            Ok(()) => {
                let title = self.title.as_str().to_owned();
                cx.tell(group.chat_id, event::GroupRenamed { title }).await;
            }
            Err(Failure::Refused(refusal)) if refusal.is("CHAT_NOT_MODIFIED") => {}
            Err(failure) => return Err(failure.into()),
        }
        Ok(Done::in_chat(group.chat_id, Renamed { title: self.title }))
    }
}
