//! Lanes: commands that wait there for a limit are in order; those that wait for nothing, or for an
//! instance that is no more, are not.

use std::time::Duration;

use bus::{Bus, LaneQueue, Management};
use proto::{
    InstanceId,
    control::{AccountInfo, AccountLimits, NoParams, method},
};

use super::report::{Report, State};
use crate::{
    exit::Failure,
    order::{ORDER_TIMEOUT, Orders},
};

/// Between two looks at a lane that nobody works.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a lane that holds commands looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// They wait for what they should wait for, or somebody is at it.
    Well,
    /// Their limit is open: they should be worked on.
    Idle,
    /// Nobody knows their instance.
    Orphaned,
}

/// Looks at every lane. One that seems idle is looked at again for `patience`: its owner may be just
/// about to begin.
pub async fn examine(
    bus: &Bus,
    management: &Management,
    accounts: &[AccountInfo],
    patience: Duration,
    report: &mut Report,
) {
    const SUBJECT: &str = "lanes";
    let found = match bus.find_lanes(management, None).await {
        Ok(found) => found,
        Err(error) => return report.skipped(SUBJECT, error.to_string()),
    };
    let mut waiting = 0;
    for lane in found.iter().filter(|lane| lane.ready > 0) {
        let account = accounts.iter().find(|account| account.instance == lane.instance);
        match settled_look(bus, lane, account, patience).await {
            Ok(Look::Well) => waiting += lane.ready,
            Ok(Look::Idle) => report.trouble(
                State::Warning,
                format!("queue {}", lane.queue),
                format!("{} commands wait although their limit is open", lane.ready),
                "look at the log of the worker that owns the instance",
            ),
            Ok(Look::Orphaned) => report.trouble(
                State::Bad,
                format!("queue {}", lane.queue),
                format!("{} commands were parked for an instance that is no more", lane.ready),
                "nobody will answer them: look at them in RabbitMQ's management, then delete the queue",
            ),
            Err(failure) => {
                report.skipped(format!("queue {}", lane.queue), failure.to_string());
            }
        }
    }
    if !found.is_empty() {
        report.ok(SUBJECT, format!("{}, {waiting} commands wait there for a limit", found.len()));
    }
}

async fn settled_look(
    bus: &Bus,
    lane: &LaneQueue,
    account: Option<&AccountInfo>,
    patience: Duration,
) -> Result<Look, Failure> {
    let looking = async {
        loop {
            let depth = bus.queue_depth(&lane.queue).await?;
            let idle = depth.is_some_and(|depth| depth.ready > 0 && depth.consumers == 0);
            let limits = match account {
                Some(account) if idle => limits_of(bus, &account.instance).await?,
                _ => None,
            };
            match judge(&lane.lane, idle, account, limits.as_ref()) {
                Look::Idle => tokio::time::sleep(LOOK_EVERY).await,
                other => return Ok(other),
            }
        }
    };
    tokio::time::timeout(patience, looking).await.unwrap_or(Ok(Look::Idle))
}

async fn limits_of(bus: &Bus, instance: &InstanceId) -> Result<Option<AccountLimits>, Failure> {
    let mut orders = Orders::open(bus.clone()).await?;
    let answer = orders.ask(instance, method::ACCOUNT_LIMITS, &NoParams {}, ORDER_TIMEOUT).await?;
    Ok(serde_json::from_value(answer.result).ok())
}

/// `idle`: commands are ready in the lane, and nobody consumes.
fn judge(
    lane: &str,
    idle: bool,
    account: Option<&AccountInfo>,
    limits: Option<&AccountLimits>,
) -> Look {
    let Some(account) = account else { return Look::Orphaned };
    let stands = !account.state.is_connected() || !account.pauses.is_empty();
    let class = limits.and_then(|limits| limits.classes.iter().find(|limit| limit.class == lane));
    match class {
        Some(limit) if idle && !stands && !limit.closed && limit.tokens > 0 => Look::Idle,
        // What a chat in slow mode waits for is not told.
        _ => Look::Well,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account(state: &str, pauses: serde_json::Value) -> AccountInfo {
        serde_json::from_value(json!({
            "instance": "acme", "label": null, "state": state, "reason": null, "since": null,
            "user_id": null, "username": null, "require_api_key": false, "seal_key": null,
            "pauses": pauses, "created_at": "2026-11-23T08:00:00.000Z",
        }))
        .unwrap()
    }

    fn limits(closed: bool, tokens: u32) -> AccountLimits {
        serde_json::from_value(json!({
            "instance": "acme", "profile": "careful", "warm_up_until": null, "groups": null,
            "classes": [{"class": "create", "every_s": 1.0, "burst": 2, "tokens": tokens,
                "per_day": null, "used_today": 0, "rate": 1.0, "closed": closed,
                "closed_until": null, "reason": null, "parked": 1, "next_at": null}],
        }))
        .unwrap()
    }

    #[test]
    fn only_what_waits_for_nothing_is_idle() {
        let online = account("online", json!([]));
        let pause = json!([{"all_instances": true, "method": null,
            "since": "2026-11-23T08:00:00.000Z", "by": null, "reason": null}]);
        let (open, shut, spent) = (limits(false, 1), limits(true, 1), limits(false, 0));
        let of = |account, limits| judge("create", true, account, limits);
        assert_eq!(of(Some(&online), Some(&open)), Look::Idle);
        assert_eq!(judge("create", false, Some(&online), Some(&open)), Look::Well);
        for limits in [&shut, &spent] {
            assert_eq!(of(Some(&online), Some(limits)), Look::Well);
        }
        for stands in [account("online", pause), account("connecting", json!([]))] {
            assert_eq!(judge("create", true, Some(&stands), Some(&open)), Look::Well);
        }
        assert_eq!(judge("slow.-1005", true, Some(&online), Some(&open)), Look::Well);
        assert_eq!(of(None, None), Look::Orphaned);
    }
}
