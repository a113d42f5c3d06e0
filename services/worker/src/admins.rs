//! Making people admins.

use proto::MemberStatus;
use telegram::UserPeer;
use telegram::calls;
use telegram::calls::chats::AdminRights;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::members::Roll;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Makes admins of those who are in the group. Somebody who can't be one (yet) stays a member:
/// their status stays as it is, and `error_code` says why they are no admin.
pub async fn promote(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let account = cx.account();
    let mut late: Option<(String, u64)> = None;
    for user in users.iter().filter(|user| !user.is_self) {
        let in_group = matches!(
            roll.get(user.id).and_then(|fate| fate.status),
            Some(MemberStatus::Added | MemberStatus::AlreadyMember)
        );
        if !in_group {
            continue;
        }
        if let Some((code, retry_after_s)) = &late {
            roll.remark(user.id, code, Some(*retry_after_s));
            continue;
        }
        let step = Step::repeatable(format!("promote:{}", user.id), Class::Admin);
        let rights = AdminRights::USUAL;
        let promoted = cx
            .step(step, || calls::members::promote(&account, &group.peer, user, rights, None))
            .await;
        match promoted {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) => roll.remark(user.id, &refusal.name, None),
            Err(Failure::Throttled { retry_after_s, code }) => {
                roll.remark(user.id, &code, Some(retry_after_s));
                late = Some((code, retry_after_s));
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(())
}
