//! `group.delete`: deletes a group for everybody in it.

use proto::event;
use proto::fault::code;
use proto::{ChatId, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::calls;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::method::{Done, Example, Method};
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Deletes a group for everybody, with its messages. There is no way back. Only the group's
/// creator can do it. Its `external_ref` is free again afterwards.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupDelete {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// The group's present title. Required for a group that Queuegram neither created nor bound to
    /// an `external_ref`: a wrong number must not delete somebody's family chat. Where it is given,
    /// it must always agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_title: Option<String>,
}

/// Nothing is left to tell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {}

impl Method for GroupDelete {
    type Output = Deleted;

    const CLASSES: &'static [Class] = &[Class::Admin, Class::Read];

    fn example() -> Example {
        Example { params: json!({ "confirm_title": "Deal 77 (won)" }), result: json!({}) }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Deleted>, Stop> {
        let group = cx.group(self.chat_id).await?;
        // Once it was begun it was confirmed, and the group may be no longer ours by now.
        if !cx.has_step("delete") {
            confirm(cx, &group, self.confirm_title.as_deref()).await?;
        }
        let account = cx.account();
        let (step, is_new) = (Step::repeatable("delete", Class::Admin), !cx.has_step("delete"));
        match cx.step(step, || calls::groups::delete(&account, &group.peer)).await {
            Ok(()) => {}
            // Sent before, its answer lost, and by now there is nothing to delete: so it happened.
            Err(Failure::Refused(refusal)) if refusal.repeated && refusal.group_is_gone() => {}
            Err(failure) => return Err(failure.into()),
        }
        cx.forget_group(group.chat_id).await?;
        if is_new {
            cx.groups_changed(group.chat_id, false).await;
        }
        cx.tell(group.chat_id, event::GroupDeleted { title: Some(group.title) }).await;
        Ok(Done::in_chat(group.chat_id, Deleted {}))
    }
}

async fn confirm(cx: &mut Cx<'_>, group: &Group, title: Option<&str>) -> Result<(), Stop> {
    let Some(title) = title else {
        if cx.is_ours(group.chat_id).await? {
            return Ok(());
        }
        return Err(Stop::Fault(Fault::invalid(
            code::CONFIRM_TITLE_REQUIRED,
            "params.confirm_title: must be the group's title, since this group was neither created \
             by Queuegram nor bound to an external_ref",
        )));
    };
    if group.title == title.trim() {
        return Ok(());
    }
    Err(Stop::Fault(Fault::invalid(
        code::CONFIRM_TITLE_MISMATCH,
        "params.confirm_title: is not the group's title",
    )))
}
