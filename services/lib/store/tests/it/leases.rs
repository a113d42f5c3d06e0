use std::time::Duration;

use deadpool_redis::redis::cmd;
use proto::InstanceId;
use queuegram_store::Leases;

use crate::corner::{Corner, acme, until};

#[tokio::test]
async fn only_one_owner_at_a_time() {
    let corner = Corner::new().await;
    let lease = corner.lease().await;
    assert_eq!(corner.leases.try_acquire(&acme(), "w-2").await.unwrap(), None);
    assert_eq!(corner.leases.try_acquire(&acme(), "w-1").await.unwrap(), None);
    let holder = corner.leases.holder(&acme()).await.unwrap().unwrap();
    assert_eq!((holder.owner.as_str(), holder.epoch), ("w-1", lease.epoch));
    assert!(corner.leases.renew(&lease).await.unwrap());
}

#[tokio::test]
async fn of_many_at_once_exactly_one_wins() {
    let corner = Corner::new().await;
    let owners: Vec<String> = (0..32).map(|n| format!("w-{n}")).collect();
    let (instance, leases) = (acme(), &corner.leases);
    let tries = owners.iter().map(|owner| leases.try_acquire(&instance, owner));
    let won = futures_util::future::join_all(tries).await;
    assert_eq!(won.iter().filter(|lease| matches!(lease, Ok(Some(_)))).count(), 1);
}

#[tokio::test]
async fn a_clean_release_hands_over_and_a_lost_lease_does_not() {
    let corner = Corner::new().await;
    let first = corner.lease().await;
    assert!(!first.clean, "nobody can say who was here before");
    assert!(corner.leases.release(&first).await.unwrap());
    let second = corner.lease().await;
    assert!(second.clean);
    let third = corner.usurp(&second).await;
    assert!(!third.clean, "the one before it never said goodbye");
    assert!(first.epoch < second.epoch && second.epoch < third.epoch);
    assert!(!corner.leases.renew(&second).await.unwrap());
    assert!(!corner.leases.release(&second).await.unwrap(), "what it released is not its own");
    assert_eq!(corner.leases.holder(&acme()).await.unwrap().unwrap().owner, "w-2");
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_runs_out() {
    let corner = Corner::new().await;
    let leases = Leases::with_ttl(&corner.redis, Duration::from_millis(300));
    let lease = leases.try_acquire(&acme(), "w-1").await.unwrap().unwrap();
    until("the lease runs out", async || leases.holder(&acme()).await.unwrap().is_none()).await;
    assert!(!leases.renew(&lease).await.unwrap(), "what has run out is not brought back");
    let next = leases.try_acquire(&acme(), "w-2").await.unwrap().unwrap();
    assert!(!next.clean && next.epoch > lease.epoch);
}

#[tokio::test]
async fn epochs_rise_even_where_redis_forgot_them() {
    let corner = Corner::new().await;
    let lease = corner.lease().await;
    let keys = [corner.key("lease"), corner.key("epoch"), corner.key("released")];
    corner.query::<u8>(cmd("DEL").arg(&keys)).await;
    // Nothing loses its data and is asked again within one millisecond, but a test.
    until("the millisecond passes", async || {
        let (s, us): (u64, u64) = corner.query(&cmd("TIME")).await;
        s * 1_000 + us / 1_000 > lease.epoch
    })
    .await;
    let next = corner.lease().await;
    assert!(next.epoch > lease.epoch && !next.clean);
    // And where they lie in the future, as after a clock that was set back.
    let ahead = next.epoch + 1_000_000_000;
    corner.query::<()>(cmd("SET").arg(corner.key("epoch")).arg(ahead)).await;
    assert_eq!(corner.usurp(&next).await.epoch, ahead + 1);
}

#[tokio::test]
async fn the_unowned_of_many_are_found() {
    let corner = Corner::new().await;
    let ids: Vec<InstanceId> = (0..100).map(|n| format!("i-{n}").parse().unwrap()).collect();
    for id in ids.iter().step_by(2) {
        corner.leases.try_acquire(id, "w-1").await.unwrap().unwrap();
    }
    let expected: Vec<InstanceId> = ids.iter().skip(1).step_by(2).cloned().collect();
    assert_eq!(corner.leases.unowned(&ids).await.unwrap(), expected);
}

#[tokio::test]
async fn many_leases_are_taken_and_renewed_in_one_request() {
    let corner = Corner::new().await;
    let ids: Vec<InstanceId> = (0..40).map(|n| format!("i-{n}").parse().unwrap()).collect();
    let theirs = corner.leases.try_acquire(&ids[7], "w-2").await.unwrap().unwrap();
    let taken = corner.leases.try_acquire_all(&ids, "w-1").await.unwrap();
    assert_eq!(taken[7], None);
    let mut leases: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(leases.len(), 39);
    for lease in &leases {
        let holder = corner.leases.holder(&lease.instance).await.unwrap().unwrap();
        assert_eq!((holder.owner.as_str(), holder.epoch), ("w-1", lease.epoch));
    }
    // What was lost meanwhile is told in its place, and the others are renewed.
    assert!(corner.leases.release(&theirs).await.unwrap());
    leases[3] = theirs;
    let renewed = corner.leases.renew_all(&leases).await.unwrap();
    let lost: Vec<_> = (0..renewed.len()).filter(|at| !renewed[*at]).collect();
    assert_eq!(lost, [3]);
}

#[tokio::test]
async fn what_is_given_up_is_free_at_once_but_does_not_count_as_ended_cleanly() {
    let corner = Corner::new().await;
    let first = corner.lease().await;
    assert!(corner.leases.release(&first).await.unwrap());
    let second = corner.lease().await;
    assert!(second.clean);
    assert!(corner.leases.give_up(&second).await.unwrap());
    assert!(!corner.leases.give_up(&second).await.unwrap(), "it is nobody's now");
    assert!(!corner.lease().await.clean);
}
