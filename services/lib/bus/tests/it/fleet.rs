//! More consumptions than one connection carries: each connection takes only its own along.

use std::collections::BTreeSet;

use anyhow::Result;
use futures_util::future::{join_all, select_all};
use queuegram_bus::{AmqpConfig, Bus, Consumption, LostReason, Subscription};

use crate::ground::{Ground, SOON, instance, next, numbered, publish, text};

const INSTANCES: usize = 7;

fn queue(n: usize) -> String {
    format!("tg.commands.i{n}")
}

async fn consume_all(bus: &Bus) -> Result<Vec<Consumption>> {
    let begun = join_all((0..INSTANCES).map(|n| bus.consume(Subscription::new(queue(n))))).await;
    Ok(begun.into_iter().collect::<Result<_, _>>()?)
}

async fn a_fleet_of_three(ground: &Ground) -> Result<(Bus, Vec<Consumption>)> {
    let config = AmqpConfig { channels_per_connection: 3, ..ground.config.clone() };
    let bus = Bus::connect(&config, "fleet").await?;
    for n in 0..INSTANCES {
        bus.declare_instance_queue(&instance(&format!("i{n}"))).await?;
    }
    let consumptions = consume_all(&bus).await?;
    assert_eq!(bus.consuming_connections(), 3, "7 consumptions, 3 to a connection");
    Ok((bus, consumptions))
}

#[tokio::test]
async fn connections_are_opened_as_they_are_needed_and_their_room_is_used_again() -> Result<()> {
    let ground = Ground::new("fleet").await?;
    let (bus, consumptions) = a_fleet_of_three(&ground).await?;
    let more = consume_all(&bus).await?;
    assert_eq!(bus.consuming_connections(), 5, "7 more are 14");
    join_all(more.into_iter().map(Consumption::close)).await;
    join_all(consumptions.into_iter().map(Consumption::close)).await;
    let mut again = consume_all(&bus).await?;
    assert_eq!(bus.consuming_connections(), 5, "there was room for 15");
    for (n, consumption) in again.iter_mut().enumerate() {
        publish(&bus, numbered("tg.commands", &format!("i{n}.x.y"), n)).await?;
        let delivery = next(consumption).await?;
        assert_eq!(text(&delivery), n.to_string());
        delivery.ack().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_closed_takes_only_its_own_consumptions_along() -> Result<()> {
    let ground = Ground::new("one-of-three").await?;
    let (bus, mut consumptions) = a_fleet_of_three(&ground).await?;
    let mut orders = bus.control_queue("worker-1", 8).await?;
    ground.kill_connections("fleet consuming 2").await?;

    let mut lost = BTreeSet::new();
    while lost.len() < 3 {
        let waiting = consumptions.iter_mut().filter(|one| !lost.contains(one.queue()));
        let ends = select_all(waiting.map(|one| Box::pin(one.next())));
        let (ended, ..) = tokio::time::timeout(SOON, ends).await?;
        let ended = ended.unwrap_err();
        assert!(matches!(ended.why, LostReason::Connection { .. }), "{ended:?}");
        lost.insert(ended.queue);
    }
    // The others, the orders, and publishing go on.
    for (n, consumption) in consumptions.iter_mut().enumerate() {
        if lost.contains(consumption.queue()) {
            continue;
        }
        publish(&bus, numbered("tg.commands", &format!("i{n}.x.y"), n)).await?;
        next(consumption).await?.ack().await?;
    }
    orders.binder().bind(&instance("i1")).await?;
    publish(&bus, numbered("tg.control", "i1.account.get", 1)).await?;
    tokio::time::timeout(SOON, orders.next()).await??.ack().await?;
    // What was lost is consumed anew, wherever there is room.
    for queue in lost {
        bus.consume(Subscription::new(queue)).await?.close().await;
    }
    Ok(())
}
