//! Order, settlement, and every way in which a consumption ends.

use anyhow::Result;
use queuegram_bus::{Bus, BusError, Consumption, Delivery, LostReason, QueueKind, Subscription};
use queuegram_tests::stage::patience;

use crate::ground::{Ground, SOON, instance, next, numbered, publish, text};

const QUEUE: &str = "tg.commands.acme";

async fn five_messages(ground: &Ground) -> Result<Bus> {
    let bus = ground.bus("first").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    for n in 1..=5 {
        publish(&bus, numbered("tg.commands", "acme.group.rename", n)).await?;
    }
    Ok(bus)
}

/// A second worker whose consumer waits behind the first.
async fn standby(ground: &Ground) -> Result<(Bus, Consumption)> {
    let bus = ground.bus("second").await?;
    let consumption = bus.consume(Subscription::new(QUEUE)).await?;
    Ok((bus, consumption))
}

async fn drain(consumption: &mut Consumption, how_many: usize) -> Result<Vec<String>> {
    let mut bodies = Vec::new();
    for _ in 0..how_many {
        let delivery = next(consumption).await?;
        bodies.push(text(&delivery));
        delivery.ack().await?;
    }
    Ok(bodies)
}

/// A way to end with one delivery in hand.
#[derive(Clone, Copy, Debug)]
enum Ending {
    GiveBack,
    DropDelivery,
    CloseConsumption,
    DropConsumption,
    CloseBus,
}

async fn end(how: Ending, bus: &Bus, consumption: Consumption, held: Delivery) -> Result<()> {
    let mut consumption = Some(consumption);
    match how {
        Ending::GiveBack => held.give_back().await?,
        Ending::DropDelivery => drop(held),
        Ending::CloseConsumption => {
            if let Some(consumption) = consumption.take() {
                consumption.close().await;
            }
        }
        Ending::DropConsumption => drop(consumption.take()),
        Ending::CloseBus => bus.close().await,
    }
    if let Some(mut consumption) = consumption {
        let lost = tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
        match how {
            Ending::CloseBus => {}
            _ => assert_eq!(lost.why, LostReason::Closed, "{how:?}"),
        }
        assert_eq!(consumption.next().await.unwrap_err(), lost, "the same answer again");
    }
    Ok(())
}

async fn order_survives(how: Ending, kind: QueueKind) -> Result<()> {
    let ground = Ground::with_kind("order", kind).await?;
    let first = five_messages(&ground).await?;
    let mut consumption = first.consume(Subscription::new(QUEUE)).await?;
    let held = next(&mut consumption).await?;
    assert_eq!((text(&held).as_str(), held.redelivered), ("1", false));

    let (_second, mut waiting) = standby(&ground).await?;
    end(how, &first, consumption, held).await?;

    let again = next(&mut waiting).await?;
    assert_eq!((text(&again).as_str(), again.redelivered), ("1", true), "{how:?} on {kind:?}");
    again.ack().await?;
    assert_eq!(drain(&mut waiting, 4).await?, ["2", "3", "4", "5"], "{how:?} on {kind:?}");
    Ok(())
}

#[tokio::test]
async fn whatever_ends_it_the_order_stays() -> Result<()> {
    for how in [
        Ending::GiveBack,
        Ending::DropDelivery,
        Ending::CloseConsumption,
        Ending::DropConsumption,
        Ending::CloseBus,
    ] {
        order_survives(how, QueueKind::Quorum).await?;
    }
    order_survives(Ending::GiveBack, QueueKind::Classic).await
}

#[tokio::test]
async fn an_end_with_everything_prefetched_keeps_the_order_too() -> Result<()> {
    let ground = Ground::new("ahead").await?;
    let first = five_messages(&ground).await?;
    let mut consumption = first.consume(Subscription::new(QUEUE).prefetch(3)).await?;
    let held = next(&mut consumption).await?;
    let (_second, mut waiting) = standby(&ground).await?;
    held.give_back().await?;
    assert_eq!(drain(&mut waiting, 5).await?, ["1", "2", "3", "4", "5"]);
    Ok(())
}

#[tokio::test]
async fn a_second_consumer_waits_while_the_first_is_active() -> Result<()> {
    let ground = Ground::new("single").await?;
    let first = five_messages(&ground).await?;
    let mut active = first.consume(Subscription::new(QUEUE)).await?;
    let (_second, mut waiting) = standby(&ground).await?;
    // All five pass the first one; a consumer that shared would have had some of them by then.
    assert_eq!(drain(&mut active, 5).await?, ["1", "2", "3", "4", "5"]);
    publish(&first, numbered("tg.commands", "acme.group.rename", 6)).await?;
    let held = next(&mut active).await?;
    assert_eq!(text(&held), "6");
    held.ack().await?;
    active.close().await;
    publish(&first, numbered("tg.commands", "acme.group.rename", 7)).await?;
    assert_eq!(drain(&mut waiting, 1).await?, ["7"]);
    Ok(())
}

#[tokio::test]
async fn after_its_connection_was_killed_a_delivery_cannot_be_settled() -> Result<()> {
    let ground = Ground::new("killed").await?;
    let bus = five_messages(&ground).await?;
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    let held = next(&mut consumption).await?;
    ground.kill_connections("first consuming").await?;
    let lost = tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
    assert!(matches!(lost.why, LostReason::Connection { .. }), "{lost:?}");
    assert!(!held.is_ours());
    let late = held.ack().await.unwrap_err();
    assert!(matches!(late, BusError::Lost { .. }), "{late:?}");

    // The same bus comes back by itself, and the message with it.
    assert!(tokio::time::timeout(SOON, bus.connected()).await?);
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    let again = next(&mut consumption).await?;
    assert_eq!((text(&again).as_str(), again.redelivered), ("1", true));
    again.ack().await?;
    assert_eq!(bus.counts().lost_consumptions, 1);
    Ok(())
}

#[tokio::test]
async fn a_deleted_queue_cancels_and_a_missing_one_is_refused() -> Result<()> {
    let ground = Ground::new("deleted").await?;
    let bus = five_messages(&ground).await?;
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    let held = next(&mut consumption).await?;
    assert_eq!(bus.delete_instance_queue(&instance("acme")).await?, 4);
    let lost = tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
    assert_eq!(lost.why, LostReason::Cancelled);
    drop(held);
    let refused = bus.consume(Subscription::new(QUEUE)).await.err().unwrap();
    assert!(refused.is_missing(), "{refused:?}");
    assert_eq!(bus.queue_depth(QUEUE).await?, None);
    assert_eq!(bus.delete_instance_queue(&instance("acme")).await?, 0, "gone is gone");
    Ok(())
}

#[tokio::test]
async fn a_channel_that_the_broker_closes_says_why() -> Result<()> {
    let ground = Ground::bare("closed").await?;
    let bus = ground.bus("test").await?;
    let mut queue = bus.control_queue("w1", 1).await?;
    // There is no control exchange yet, so binding is refused, and takes the channel along.
    let refused = queue.binder().bind(&instance("acme")).await.unwrap_err();
    assert!(refused.is_missing(), "{refused:?}");
    let lost = tokio::time::timeout(SOON, queue.next()).await?.unwrap_err();
    assert!(matches!(lost.why, LostReason::Channel { code: 404, .. }), "{lost:?}");
    Ok(())
}

#[tokio::test]
async fn a_dropped_delivery_is_counted() -> Result<()> {
    let ground = Ground::new("dropped").await?;
    let bus = five_messages(&ground).await?;
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    let held = next(&mut consumption).await?;
    assert_eq!(consumption.unsettled(), 1);
    drop(held);
    assert_eq!((consumption.unsettled(), bus.counts().dropped_unsettled), (0, 1));
    patience::until("the messages are back", SOON, || async {
        let depth = bus.queue_depth(QUEUE).await?.unwrap();
        Ok((depth.ready == 5 && depth.consumers == 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn orders_reach_their_owner_and_else_whoever_reads_the_unowned() -> Result<()> {
    let ground = Ground::new("orders").await?;
    let bus = ground.bus("w1").await?;
    let mut own = bus.control_queue("w1", 1).await?;
    own.binder().bind(&instance("acme")).await?;
    publish(&bus, numbered("tg.control", "acme.account.login", 1)).await?;
    publish(&bus, numbered("tg.control", "other.account.login", 2)).await?;
    let order = tokio::time::timeout(SOON, own.next()).await??;
    assert_eq!(text(&order), "1");
    order.ack().await?;
    let mut unowned = bus.consume(Subscription::new("tg.control.unowned")).await?;
    let order = next(&mut unowned).await?;
    assert_eq!((text(&order).as_str(), order.routing_key.as_str()), ("2", "other.account.login"));
    order.ack().await?;

    own.binder().unbind(&instance("acme")).await?;
    publish(&bus, numbered("tg.control", "acme.account.stop", 3)).await?;
    let order = next(&mut unowned).await?;
    assert_eq!(text(&order), "3");
    order.ack().await?;

    let mut shared = bus.consume(Subscription::new("tg.control.shared")).await?;
    for (n, key) in [(4, "acme.command.get"), (5, "_.account.list")] {
        publish(&bus, numbered("tg.control", key, n)).await?;
        let order = next(&mut shared).await?;
        assert_eq!(text(&order), n.to_string());
        order.ack().await?;
    }
    let twin = ground.bus("w1-twin").await?;
    let refused = twin.control_queue("w1", 1).await.err().unwrap();
    assert!(matches!(refused, BusError::Refused { code: 405, .. }), "{refused:?}");
    assert!(bus.control_queue("shared", 1).await.is_err());
    Ok(())
}
