use deadpool_redis::redis::cmd;
use queuegram_store::{Peers, StoreError};

use crate::corner::{Corner, acme};

async fn kept(peers: &Peers) -> Vec<i64> {
    let mut ids: Vec<i64> =
        peers.load(&acme()).await.unwrap().into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn peers_are_added_changed_and_forgotten() {
    let corner = Corner::new().await;
    let (peers, lease) = (Peers::new(&corner.vault().await, &corner.redis), corner.lease().await);
    peers.save(&lease, &[(5, b"five".to_vec()), (-100, b"group".to_vec())]).await.unwrap();
    peers.save(&lease, &[(5, b"five, renamed".to_vec())]).await.unwrap();
    peers.save(&lease, &[]).await.unwrap();
    let mut all = peers.load(&acme()).await.unwrap();
    all.sort_by_key(|(id, _)| *id);
    assert_eq!((all[0].0, all[0].1.as_slice()), (-100, &b"group"[..]));
    assert_eq!((all[1].0, all[1].1.as_slice()), (5, &b"five, renamed"[..]));
    peers.forget(&lease).await.unwrap();
    assert!(kept(&peers).await.is_empty());
}

#[tokio::test]
async fn the_ones_saved_longest_ago_go_first() {
    let corner = Corner::new().await;
    let peers = Peers::with_most(&corner.vault().await, &corner.redis, 300);
    let lease = corner.lease().await;
    let many: Vec<(i64, Vec<u8>)> = (0..300).map(|id| (id, b"x".to_vec())).collect();
    peers.save(&lease, &many).await.unwrap();
    peers.save(&lease, &many[..10]).await.unwrap();
    peers.save(&lease, &[(1_000, vec![]), (1_001, vec![])]).await.unwrap();
    let kept = kept(&peers).await;
    assert_eq!(kept.len(), 300);
    assert!(kept.starts_with(&[0, 1, 2]) && !kept.contains(&10) && !kept.contains(&11));
    assert!(kept.contains(&12) && kept.ends_with(&[1_000, 1_001]));
    let used: usize = corner.query(cmd("ZCARD").arg(corner.key("peers:used"))).await;
    assert_eq!(used, 300);
}

#[tokio::test]
async fn peers_are_sealed_fenced_and_bounded() {
    let corner = Corner::new().await;
    let (peers, lease) = (Peers::new(&corner.vault().await, &corner.redis), corner.lease().await);
    peers.save(&lease, &[(5, b"canary".to_vec()), (6, b"six".to_vec())]).await.unwrap();
    let sealed: Vec<u8> = corner.query(cmd("HGET").arg(corner.key("peers")).arg(5)).await;
    assert!(!sealed.windows(6).any(|window| window == b"canary"));
    corner.query::<u8>(cmd("HSET").arg(corner.key("peers")).arg(6).arg(sealed)).await;
    assert_eq!(kept(&peers).await, [5], "one put in another's place is left out");
    let large = peers.save(&lease, &[(7, vec![0; 4097])]).await;
    assert!(matches!(large, Err(StoreError::TooLarge { .. })));
    corner.usurp(&lease).await;
    let late = peers.save(&lease, &[(8, vec![])]).await;
    assert!(matches!(late, Err(StoreError::Fenced)));
}
