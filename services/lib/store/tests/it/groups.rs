use chrono::{DateTime, Utc};
use proto::{ChatId, ExternalRef};
use queuegram_store::{Groups, Origin, StoreError, Vault};

use crate::corner::{Corner, acme};

fn group(id: i64) -> ChatId {
    ChatId::supergroup(id).unwrap()
}

fn name(text: &str) -> ExternalRef {
    text.parse().unwrap()
}

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T07:00:00Z").unwrap()
}

/// What the vault holds, as the next owner reads it.
async fn reopened(vault: &Vault) -> Groups {
    Groups::open(vault, &acme()).await.unwrap()
}

#[tokio::test]
async fn a_binding_is_in_the_vault_when_it_is_made() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let groups = reopened(&vault).await;
    let deal = name("deal-77");
    groups.put(&lease, group(1), Some(&deal), Origin::Created, at()).await.unwrap();
    for groups in [&groups, &reopened(&vault).await] {
        assert_eq!(groups.chat_of(&deal).await.unwrap(), Some(group(1)));
        let record = groups.get(group(1)).await.unwrap().unwrap();
        assert_eq!((record.external_ref.as_ref(), record.origin), (Some(&deal), Origin::Created));
    }
    let taken = groups.put(&lease, group(2), Some(&deal), Origin::Bound, at()).await;
    assert!(matches!(taken, Err(StoreError::RefTaken(other)) if other == group(1)));
    groups.remove(&lease, group(1)).await.unwrap();
    assert_eq!(reopened(&vault).await.chat_of(&deal).await.unwrap(), None);
}

#[tokio::test]
async fn what_the_vault_does_not_have_nobody_reads() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let groups = reopened(&vault).await;
    let next = corner.usurp(&lease).await;
    let successor = reopened(&vault).await;
    successor.put(&next, group(9), None, Origin::Bound, at()).await.unwrap();
    let late = groups.put(&lease, group(1), Some(&name("deal")), Origin::Created, at()).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    assert_eq!(groups.chat_of(&name("deal")).await.unwrap(), None);
}

#[tokio::test]
async fn changes_at_once_all_stay() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let groups = reopened(&vault).await;
    let putting = (1..=20).map(|id| {
        let (groups, lease) = (groups.clone(), lease.clone());
        async move {
            let deal = name(&format!("deal-{id}"));
            groups.put(&lease, group(id), Some(&deal), Origin::Created, at()).await
        }
    });
    futures_util::future::try_join_all(putting).await.unwrap();
    assert_eq!(reopened(&vault).await.newest(100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_migration_is_told_once() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let groups = reopened(&vault).await;
    let basic = ChatId::basic(5).unwrap();
    groups.put(&lease, basic, Some(&name("deal")), Origin::Created, at()).await.unwrap();
    assert!(groups.migrate(&lease, basic, group(6)).await.unwrap());
    let next = reopened(&vault).await;
    assert!(!next.migrate(&lease, basic, group(6)).await.unwrap());
    assert_eq!(next.chat_of(&name("deal")).await.unwrap(), Some(group(6)));
    assert_eq!(next.get(basic).await.unwrap().unwrap().chat_id, group(6));
    next.forget(&lease).await.unwrap();
    assert!(reopened(&vault).await.newest(1).await.unwrap().is_empty());
}
