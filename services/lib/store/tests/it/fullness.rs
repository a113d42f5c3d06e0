//! How near an account is to the most groups, and when that is news.

use chrono::{DateTime, Utc};
use proto::control::GroupsUsed;
use queuegram_store::{Counted, Fullness, StoreError};

use crate::corner::{Corner, acme};

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T08:00:00.123Z").unwrap()
}

fn groups(used: u32, most: u32) -> GroupsUsed {
    GroupsUsed { used, most, counted_at: at() }
}

#[tokio::test]
async fn what_was_counted_is_there_for_everybody_and_changes_by_what_is_made_and_deleted() {
    let corner = Corner::new().await;
    let (fullness, lease) = (Fullness::new(&corner.redis), corner.lease().await);
    assert_eq!(fullness.get(&acme()).await.unwrap(), None);
    assert_eq!(fullness.add(&lease, 1).await.unwrap(), None, "one more than nobody knows how many");
    assert_eq!(fullness.get(&acme()).await.unwrap(), None);

    fullness.count(&lease, &groups(10, 500)).await.unwrap();
    assert_eq!(fullness.get(&acme()).await.unwrap(), Some(groups(10, 500)));
    fullness.add(&lease, 1).await.unwrap();
    let counted = fullness.add(&lease, -3).await.unwrap().unwrap();
    assert_eq!(counted, Counted { used: 8, most: 500, is_news: false });
    assert_eq!(fullness.get(&acme()).await.unwrap(), Some(groups(8, 500)));
    fullness.add(&lease, -20).await.unwrap();
    assert_eq!(fullness.get(&acme()).await.unwrap(), Some(groups(0, 500)));

    fullness.forget(&lease).await.unwrap();
    assert_eq!(fullness.get(&acme()).await.unwrap(), None);
}

#[tokio::test]
async fn nearly_full_is_news_once_until_there_was_room_again() {
    let corner = Corner::new().await;
    let (fullness, lease) = (Fullness::new(&corner.redis), corner.lease().await);
    let news = async |more: i64| fullness.add(&lease, more).await.unwrap().unwrap().is_news;
    assert!(!fullness.count(&lease, &groups(79, 100)).await.unwrap().is_news);
    assert!(news(1).await);
    assert!(!news(1).await);
    assert!(!fullness.count(&lease, &groups(80, 100)).await.unwrap().is_news);
    // Back below the mark, and not far enough.
    assert!(!news(-5).await);
    assert!(!news(5).await);
    assert!(!news(-6).await);
    assert!(news(6).await);
}

#[tokio::test]
async fn telegrams_word_counts_whatever_was_counted() {
    let corner = Corner::new().await;
    let (fullness, lease) = (Fullness::new(&corner.redis), corner.lease().await);
    let full = fullness.fill(&lease, 500, at()).await.unwrap();
    assert_eq!(full, Counted { used: 500, most: 500, is_news: true });
    assert_eq!(fullness.get(&acme()).await.unwrap(), Some(groups(500, 500)));

    fullness.count(&lease, &groups(3, 1_000)).await.unwrap();
    let full = fullness.fill(&lease, 500, at()).await.unwrap();
    assert_eq!(full, Counted { used: 1_000, most: 1_000, is_news: true });
    // A limit that was lowered leaves some accounts above it.
    fullness.count(&lease, &groups(700, 500)).await.unwrap();
    assert_eq!(fullness.fill(&lease, 500, at()).await.unwrap().used, 700);
}

#[tokio::test]
async fn a_former_owner_counts_nothing() {
    let corner = Corner::new().await;
    let (fullness, former) = (Fullness::new(&corner.redis), corner.lease().await);
    corner.usurp(&former).await;
    let counted = fullness.count(&former, &groups(1, 500)).await;
    assert!(matches!(counted, Err(StoreError::Fenced)));
    assert!(matches!(fullness.add(&former, 1).await, Err(StoreError::Fenced)));
    assert!(matches!(fullness.fill(&former, 500, at()).await, Err(StoreError::Fenced)));
    assert!(matches!(fullness.forget(&former).await, Err(StoreError::Fenced)));
    assert_eq!(fullness.get(&acme()).await.unwrap(), None);
}
