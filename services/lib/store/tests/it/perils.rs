//! Only an attempt that nobody survived leaves its count standing.

use queuegram_store::{Perils, StoreError};

use crate::corner::{Corner, acme};

#[tokio::test]
async fn attempts_that_broke_off_are_counted_and_one_that_was_survived_ends_the_count() {
    let corner = Corner::new().await;
    let (perils, lease) = (Perils::new(&corner.redis), corner.lease().await);
    for attempt in 1..=3 {
        assert_eq!(perils.face(&lease, "a").await.unwrap(), attempt);
    }
    assert_eq!(perils.face(&lease, "b").await.unwrap(), 1, "another message has its own");
    perils.survived(&acme(), "a").await.unwrap();
    perils.survived(&acme(), "a").await.unwrap();
    // Handed over in order any number of times, it never comes to more than one.
    for _ in 0..30 {
        assert_eq!(perils.face(&lease, "a").await.unwrap(), 1);
        perils.survived(&acme(), "a").await.unwrap();
    }
}

#[tokio::test]
async fn a_former_owner_counts_nothing() {
    let corner = Corner::new().await;
    let (perils, former) = (Perils::new(&corner.redis), corner.lease().await);
    let owner = corner.usurp(&former).await;
    assert!(matches!(perils.face(&former, "a").await, Err(StoreError::Fenced)));
    assert_eq!(perils.face(&owner, "a").await.unwrap(), 1);
}
