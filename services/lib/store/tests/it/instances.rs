use chrono::{DateTime, Utc};
use proto::InstanceId;
use proto::event::AccountState;
use queuegram_store::{InstanceRecord, InstanceStatus, Instances, Statuses, StoreError};

use crate::corner::{Corner, acme};

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T07:00:00.123Z").unwrap()
}

async fn instances(corner: &Corner) -> Instances {
    Instances::new(&corner.vault().await, &corner.redis)
}

#[tokio::test]
async fn an_instance_is_made_changed_listed_and_removed() {
    let corner = Corner::new().await;
    let (ours, theirs) = (instances(&corner).await, instances(&corner).await);
    assert_eq!((theirs.version().await.unwrap(), theirs.get(&acme()).await.unwrap()), (0, None));
    let lease = corner.lease().await;
    let record = InstanceRecord::new(acme(), at());
    ours.put(&lease, &record).await.unwrap();
    let version = theirs.version().await.unwrap();
    assert!(version > 0);
    assert_eq!(theirs.get(&acme()).await.unwrap().as_ref(), Some(&record));
    let changed = InstanceRecord { require_api_key: true, ..record };
    ours.put(&lease, &changed).await.unwrap();
    assert!(theirs.version().await.unwrap() > version);
    assert_eq!(ours.get(&acme()).await.unwrap().as_ref(), Some(&changed), "its writer at once");
    assert_eq!(instances(&corner).await.list().await.unwrap(), [changed]);
    ours.remove(&lease).await.unwrap();
    assert_eq!(ours.get(&acme()).await.unwrap(), None);
    assert!(ours.ids().await.unwrap().is_empty());
}

/// A release that knows nothing of identities reads the record of an account that has none of its own.
#[test]
fn what_an_instance_has_none_of_leaves_the_record_as_it_was() {
    let record = InstanceRecord::new(acme(), at());
    let written = serde_json::to_value(&record).unwrap();
    assert!(written.get("identity").is_none() && written.get("proxy").is_none(), "{written}");
    assert!(serde_json::from_value::<InstanceRecord>(written).unwrap() == record);
}

#[tokio::test]
async fn a_change_by_another_is_seen_before_long() {
    let corner = Corner::new().await;
    let (ours, theirs) = (instances(&corner).await, instances(&corner).await);
    let lease = corner.lease().await;
    let record = InstanceRecord::new(acme(), at());
    ours.put(&lease, &record).await.unwrap();
    theirs.get(&acme()).await.unwrap().unwrap();
    ours.put(&lease, &InstanceRecord { require_api_key: true, ..record }).await.unwrap();
    crate::corner::until("the other sees it", async || {
        theirs.get(&acme()).await.unwrap().unwrap().require_api_key
    })
    .await;
}

#[tokio::test]
async fn all_are_listed_in_order() {
    let corner = Corner::new().await;
    let instances = instances(&corner).await;
    let mut ids: Vec<InstanceId> = (0..40).map(|n| format!("i-{n}").parse().unwrap()).collect();
    for id in &ids {
        let lease = corner.leases.try_acquire(id, "w-1").await.unwrap().unwrap();
        instances.put(&lease, &InstanceRecord::new(id.clone(), at())).await.unwrap();
    }
    ids.sort();
    assert_eq!(instances.ids().await.unwrap(), ids);
    let listed: Vec<InstanceId> =
        instances.list().await.unwrap().into_iter().map(|record| record.id).collect();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn a_lease_is_good_for_its_own_instance_only() {
    let corner = Corner::new().await;
    let (instances, lease) = (instances(&corner).await, corner.lease().await);
    let other = InstanceRecord::new("other".parse().unwrap(), at());
    assert!(matches!(instances.put(&lease, &other).await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn a_status_is_told_by_its_owner() {
    let corner = Corner::new().await;
    let (statuses, lease) = (Statuses::new(&corner.redis), corner.lease().await);
    assert_eq!(statuses.get(&acme()).await.unwrap(), None);
    let online = InstanceStatus {
        state: AccountState::Online,
        reason: None,
        since: at(),
        until: None,
        owner: lease.owner().to_owned(),
    };
    statuses.set(&lease, &online).await.unwrap();
    assert_eq!(statuses.get(&acme()).await.unwrap().as_ref(), Some(&online));
    corner.usurp(&lease).await;
    let failed = InstanceStatus { state: AccountState::Failed, ..online.clone() };
    assert!(matches!(statuses.set(&lease, &failed).await, Err(StoreError::Fenced)));
    assert_eq!(statuses.get(&acme()).await.unwrap(), Some(online));
}
