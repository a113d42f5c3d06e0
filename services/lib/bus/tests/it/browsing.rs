//! Looking at a queue takes nothing out of it and leaves the order as it is.

use anyhow::Result;
use queuegram_bus::Bus;

use crate::ground::{Ground, numbered, publish, text, until_ready};

const QUEUE: &str = "tg.dead";

async fn look(bus: &Bus) -> Result<Vec<String>> {
    let glance = bus.browse(QUEUE).await?;
    let seen = glance.seen.iter().map(text).collect();
    glance.close().await;
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_queue_is_looked_at_again_and_again() -> Result<()> {
    let ground = Ground::new("browsing").await?;
    let bus = ground.bus("looker").await?;
    assert_eq!(look(&bus).await?, Vec::<String>::new());
    for n in 0..4 {
        publish(&bus, numbered("", QUEUE, n)).await?;
    }
    until_ready(&bus, QUEUE, 4).await?;
    for _ in 0..5 {
        assert_eq!(look(&bus).await?, ["0", "1", "2", "3"]);
    }
    // What comes later stands behind what was looked at.
    publish(&bus, numbered("", QUEUE, 4)).await?;
    until_ready(&bus, QUEUE, 5).await?;
    assert_eq!(look(&bus).await?, ["0", "1", "2", "3", "4"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_them_is_taken_out() -> Result<()> {
    let ground = Ground::new("browsing-ack").await?;
    let bus = ground.bus("looker").await?;
    for n in 0..4 {
        publish(&bus, numbered("", QUEUE, n)).await?;
    }
    until_ready(&bus, QUEUE, 4).await?;
    let mut glance = bus.browse(QUEUE).await?;
    assert_eq!(glance.waiting, 4);
    glance.seen.remove(1).ack().await?;
    glance.close().await;
    assert_eq!(look(&bus).await?, ["0", "2", "3"]);
    Ok(())
}
