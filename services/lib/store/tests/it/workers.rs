use std::time::Duration;

use queuegram_store::{Presence, Workers};

use crate::corner::{Corner, until};

fn worker(name: &str, owned: usize) -> Presence {
    Presence { worker: name.to_owned(), capacity: 100, owned }
}

#[tokio::test]
async fn each_worker_is_told_of_all_that_are_alive_as_they_said_last() {
    let corner = Corner::new().await;
    let workers = Workers::new(&corner.redis, Duration::from_secs(15));
    let (a, b) = (worker("a", 3), worker("b", 100));
    assert_eq!(workers.beat(&b).await.unwrap().as_slice(), std::slice::from_ref(&b));
    assert_eq!(workers.beat(&a).await.unwrap(), [a.clone(), b.clone()]);
    let a = worker("a", 4);
    assert_eq!(workers.beat(&a).await.unwrap(), [a.clone(), b.clone()]);
    assert_eq!((a.room(), b.room()), (96, 0));

    workers.withdraw("b").await.unwrap();
    assert_eq!(workers.beat(&a).await.unwrap(), [a]);
}

#[tokio::test]
async fn a_worker_that_falls_silent_is_forgotten() {
    let corner = Corner::new().await;
    let workers = Workers::new(&corner.redis, Duration::from_secs(15));
    let brief = Workers::new(&corner.redis, Duration::from_millis(50));
    let (a, b) = (worker("a", 0), worker("b", 0));
    brief.beat(&b).await.unwrap();
    until("the heartbeat runs out", async || workers.beat(&a).await.unwrap().len() == 1).await;
}
