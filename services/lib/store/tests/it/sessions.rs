use deadpool_redis::redis::cmd;
use queuegram_store::{Keep, Lease, Sessions, StoreError};

use crate::corner::{Corner, acme};

async fn saved() -> (Corner, Sessions, Lease) {
    let corner = Corner::new().await;
    let (sessions, lease) =
        (Sessions::new(&corner.vault().await, &corner.redis), corner.lease().await);
    assert!(sessions.load(&acme()).await.unwrap().is_none());
    sessions.save(&lease, b"login", Keep::InVault).await.unwrap();
    (corner, sessions, lease)
}

async fn loaded(corner: &Corner) -> Option<Vec<u8>> {
    // As another process would: with nothing in memory.
    let sessions = Sessions::new(&corner.vault().await, &corner.redis);
    sessions.load(&acme()).await.unwrap().map(|session| session.to_vec())
}

#[tokio::test]
async fn the_cache_is_newer_as_long_as_it_goes_back_to_the_vaults_record() {
    let (corner, sessions, lease) = saved().await;
    assert_eq!(loaded(&corner).await.unwrap(), b"login");
    sessions.save(&lease, b"login, further on", Keep::InCache).await.unwrap();
    assert_eq!(loaded(&corner).await.unwrap(), b"login, further on");
    let stale: (Vec<u8>, Vec<u8>) =
        corner.query(cmd("HMGET").arg(corner.key("session")).arg("base").arg("sealed")).await;
    sessions.save(&lease, b"new login", Keep::InVault).await.unwrap();
    let mut put_back = cmd("HSET");
    put_back.arg(corner.key("session")).arg("base").arg(stale.0).arg("sealed").arg(stale.1);
    corner.query::<u8>(&put_back).await;
    assert_eq!(loaded(&corner).await.unwrap(), b"new login", "the vault wins");
}

#[tokio::test]
async fn without_its_cache_a_login_is_still_there() {
    let (corner, sessions, lease) = saved().await;
    sessions.save(&lease, b"further on", Keep::InCache).await.unwrap();
    corner.query::<u8>(cmd("DEL").arg(corner.key("session"))).await;
    assert_eq!(loaded(&corner).await.unwrap(), b"login");
    corner
        .query::<u8>(
            cmd("HSET").arg(corner.key("session")).arg("base").arg("x").arg("sealed").arg("y"),
        )
        .await;
    assert_eq!(loaded(&corner).await.unwrap(), b"login");
}

#[tokio::test]
async fn a_first_session_goes_to_the_vault_however_it_is_saved() {
    let corner = Corner::new().await;
    let sessions = Sessions::new(&corner.vault().await, &corner.redis);
    let lease = corner.lease().await;
    sessions.save(&lease, b"first", Keep::InCache).await.unwrap();
    corner.query::<u8>(cmd("DEL").arg(corner.key("session"))).await;
    assert_eq!(loaded(&corner).await.unwrap(), b"first");
}

#[tokio::test]
async fn the_cache_is_sealed_and_fenced() {
    let (corner, sessions, lease) = saved().await;
    let sealed: Vec<u8> = corner.query(cmd("HGET").arg(corner.key("session")).arg("sealed")).await;
    assert!(!sealed.windows(5).any(|window| window == b"login"));
    corner.usurp(&lease).await;
    let late = sessions.save(&lease, b"late", Keep::InCache).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    assert_eq!(loaded(&corner).await.unwrap(), b"login");
}

#[tokio::test]
async fn a_forgotten_session_is_gone_from_both() {
    let (corner, sessions, lease) = saved().await;
    sessions.forget(&lease).await.unwrap();
    assert_eq!(loaded(&corner).await, None);
    assert!(!corner.query::<bool>(cmd("EXISTS").arg(corner.key("session"))).await);
}

#[tokio::test]
async fn a_session_is_bounded() {
    let (_corner, sessions, lease) = saved().await;
    let outcome = sessions.save(&lease, &vec![0; 1024 * 1024 + 1], Keep::InVault).await;
    assert!(matches!(outcome, Err(StoreError::TooLarge { .. })));
}
