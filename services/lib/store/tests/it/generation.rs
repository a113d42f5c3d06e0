//! Losses of Redis' data, done to a real Redis of the test's own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Cmd, cmd};
use queuegram_store::{
    Generations, InstanceRecord, Instances, Redis, RedisConfig, RedisUrl, Sight, Vault,
};

use crate::corner::{Corner, Server, acme, until};

/// A Redis that can be hurt, and a vault.
struct Ground {
    server: Server,
    corner: Corner,
    vault: Vault,
}

impl Ground {
    async fn new() -> Self {
        let server = Server::start();
        let corner = Corner::at(&server.url).await;
        let vault = corner.vault().await;
        Self { server, corner, vault }
    }

    fn worker(&self, name: &str) -> Generations {
        let instances = Instances::new(&self.vault, &self.corner.redis);
        Generations::new(&self.corner.redis, &self.vault, &instances, name)
    }

    async fn do_to_redis(&self, request: &Cmd) {
        Corner::query_at(&self.server.url, request).await;
    }

    /// Makes the data what they are now, whenever this is undone.
    async fn save(&self) -> Vec<u8> {
        self.do_to_redis(&cmd("SAVE")).await;
        std::fs::read(self.server.folder().join("dump.rdb")).unwrap()
    }

    /// Sets the data back.
    async fn set_back(&self, snapshot: &[u8]) {
        std::fs::write(self.server.folder().join("dump.rdb"), snapshot).unwrap();
        self.do_to_redis(cmd("DEBUG").arg("RELOAD").arg("NOSAVE")).await;
    }

    async fn empty(&self) {
        self.do_to_redis(&cmd("FLUSHALL")).await;
    }

    async fn add_instance(&self) {
        let lease = self.corner.lease().await;
        let record = InstanceRecord::new(acme(), Utc::now());
        Instances::new(&self.vault, &self.corner.redis).put(&lease, &record).await.unwrap();
    }
}

fn is_first(sight: &Sight) -> bool {
    sight.generation.since == DateTime::UNIX_EPOCH && sight.age.is_none()
}

/// A new generation, that nobody can have slept through.
fn is_new(sight: &Sight, before: &Sight) -> bool {
    sight.generation.id != before.generation.id
        && sight.generation.since > before.generation.since
        && sight.age.is_some_and(|age| age < Duration::from_secs(20))
}

#[tokio::test]
async fn where_nothing_was_ever_kept_nothing_can_be_lost() {
    let ground = Ground::new().await;
    let (a, b) = (ground.worker("a"), ground.worker("b"));
    let (first, other) = tokio::join!(a.look(), b.look());
    let (first, other) = (first.unwrap(), other.unwrap());
    assert!(is_first(&first) && is_first(&other));
    assert_eq!(first.generation, other.generation);
    assert_eq!(first.restarted, None);
    assert_eq!(a.look().await.unwrap().generation, first.generation);
}

#[tokio::test]
async fn an_emptied_redis_is_a_new_generation_that_one_worker_begins_and_all_find() {
    let ground = Ground::new().await;
    let (a, b) = (ground.worker("a"), ground.worker("b"));
    let first = a.look().await.unwrap();
    b.look().await.unwrap();
    ground.empty().await;
    let (seen_by_a, seen_by_b) = tokio::join!(a.look(), b.look());
    let (seen_by_a, seen_by_b) = (seen_by_a.unwrap(), seen_by_b.unwrap());
    assert!(is_new(&seen_by_a, &first), "{seen_by_a:?}");
    assert_eq!(seen_by_a.generation, seen_by_b.generation);
    // And again.
    ground.empty().await;
    let again = b.look().await.unwrap();
    assert!(is_new(&again, &seen_by_b));
    assert_eq!(a.look().await.unwrap().generation, again.generation);
}

#[tokio::test]
async fn a_snapshot_is_told_from_the_data_by_whoever_has_looked_since() {
    let ground = Ground::new().await;
    let (a, b) = (ground.worker("a"), ground.worker("b"));
    let first = a.look().await.unwrap();
    b.look().await.unwrap();
    let snapshot = ground.save().await;
    // Only one has looked since; the looks of the other one don't cover that up.
    a.look().await.unwrap();
    ground.set_back(&snapshot).await;
    for _ in 0..3 {
        assert_eq!(b.look().await.unwrap().generation, first.generation);
    }
    let seen = a.look().await.unwrap();
    assert!(is_new(&seen, &first), "{seen:?}");
    assert_eq!(b.look().await.unwrap().generation, seen.generation);
}

#[tokio::test]
async fn a_snapshot_of_a_former_generation_is_not_taken_for_the_newest() {
    let ground = Ground::new().await;
    let a = ground.worker("a");
    let first = a.look().await.unwrap();
    let snapshot = ground.save().await;
    ground.empty().await;
    let second = a.look().await.unwrap();
    ground.set_back(&snapshot).await;
    let third = a.look().await.unwrap();
    assert!(is_new(&third, &second) && third.generation.id != first.generation.id);
}

#[tokio::test]
async fn data_that_came_through_a_restart_are_the_same_generation() {
    let ground = Ground::new().await;
    let (a, b) = (ground.worker("a"), ground.worker("b"));
    let first = a.look().await.unwrap();
    b.look().await.unwrap();
    ground.do_to_redis(cmd("DEBUG").arg("RELOAD")).await;
    assert_eq!(a.look().await.unwrap().generation, first.generation);
    assert_eq!(b.look().await.unwrap().generation, first.generation);
    assert_eq!(ground.worker("c").look().await.unwrap().generation, first.generation);
}

#[tokio::test]
async fn a_server_that_was_started_anew_is_told_to_everybody() {
    let mut ground = Ground::new().await;
    let a = ground.worker("a");
    let first = a.look().await.unwrap();
    let snapshot = ground.save().await;
    ground.server.restart_with(&snapshot);
    let mut seen = None;
    until("Redis is reached again", async || {
        seen = a.look().await.ok();
        seen.is_some()
    })
    .await;
    let seen = seen.unwrap();
    assert_eq!(seen.generation, first.generation);
    assert!(seen.restarted.is_some());
    let other = ground.worker("b").look().await.unwrap();
    assert!(other.restarted.is_some(), "also who was not there");
}

#[tokio::test]
async fn across_a_stop_of_all_workers_the_vault_tells() {
    let ground = Ground::new().await;
    let a = ground.worker("a");
    let first = a.look().await.unwrap();
    let snapshot = ground.save().await;
    let last = a.look().await.unwrap();
    a.note(&last).await.unwrap();
    drop(a);
    // Started again on the same data.
    assert_eq!(ground.worker("b").look().await.unwrap().generation, first.generation);
    // On older ones.
    ground.set_back(&snapshot).await;
    let c = ground.worker("c");
    let second = c.look().await.unwrap();
    assert!(is_new(&second, &first), "{second:?}");
    c.note(&second).await.unwrap();
    // On none.
    ground.empty().await;
    let third = ground.worker("d").look().await.unwrap();
    assert!(is_new(&third, &second));
    // The vault does not know of that one yet, but it is newer than the one that it knows.
    assert_eq!(ground.worker("e").look().await.unwrap().generation, third.generation);
    // A note that comes late does not hide it.
    ground.worker("e").note(&second).await.unwrap();
    assert_eq!(ground.worker("f").look().await.unwrap().generation, third.generation);
}

#[tokio::test]
async fn instances_of_which_redis_knows_nothing_tell_of_a_loss_too() {
    let ground = Ground::new().await;
    ground.add_instance().await;
    // As after an update from a release that kept no generations.
    let first = ground.worker("a").look().await.unwrap();
    assert!(is_first(&first), "Redis knows of them");

    let ground = Ground::new().await;
    ground.add_instance().await;
    ground.empty().await;
    let robbed = ground.worker("a").look().await.unwrap();
    assert!(robbed.age.is_some(), "{robbed:?}");
}

#[tokio::test]
async fn the_note_is_due_at_first_and_then_not_at_every_look() {
    let ground = Ground::new().await;
    let (a, b) = (ground.worker("a"), ground.worker("b"));
    let due = [a.look().await, b.look().await, a.look().await];
    let due: Vec<bool> = due.into_iter().map(|sight| sight.unwrap().is_note_due()).collect();
    assert_eq!(due, [true, false, false]);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_loss_of_data() {
    let ground = Ground::new().await;
    let a = ground.worker("a");
    let first = a.look().await.unwrap();
    // Redis is asked, and carries it out, but does not answer in time.
    let config = RedisConfig {
        url: RedisUrl::try_from(ground.server.url.clone()).unwrap(),
        timeout_ms: 5_000,
        ..ground.corner.config.clone()
    };
    let other = Redis::connect(&config).await.unwrap();
    ground.do_to_redis(cmd("CLIENT").arg("PAUSE").arg(300).arg("ALL")).await;
    let unanswered = tokio::time::timeout(Duration::from_millis(50), a.look()).await;
    assert!(unanswered.is_err());
    other.ping().await.unwrap();
    for _ in 0..2 {
        assert_eq!(a.look().await.unwrap().generation, first.generation);
    }
}
