//! Nothing vanishes: what can't be routed, expires, is refused or is poison ends where somebody
//! reads it, with the reason.

use anyhow::{Context as _, Result};
use queuegram_bus::{
    Bus, Consumption, Death, DeathReason, Delivery, QueueKind, Subscription, is_probe,
};

use crate::ground::{Ground, instance, next, numbered, publish, text, until_ready};

const QUEUE: &str = "tg.commands.acme";

/// One message, and the consumption that must live until it is settled.
async fn read_one(bus: &Bus, queue: &str) -> Result<(Delivery, Consumption)> {
    let mut consumption = bus.consume(Subscription::new(queue)).await?;
    Ok((next(&mut consumption).await?, consumption))
}

async fn a_command_expires(kind: QueueKind) -> Result<()> {
    let ground = Ground::with_kind("expired", kind).await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let mut message = numbered("tg.commands", "acme.group.create", 7);
    message.properties.expiration = Some("300".to_owned());
    message.properties.reply_to = Some("crm.replies".to_owned());
    publish(&bus, message).await?;
    until_ready(&bus, "tg.undelivered", 1).await.with_context(|| format!("{kind:?}"))?;
    let (dead, _open) = read_one(&bus, "tg.undelivered").await?;
    assert_eq!((text(&dead).as_str(), dead.routing_key.as_str()), ("7", "acme.group.create"));
    assert_eq!(dead.properties.reply_to.as_deref(), Some("crm.replies"));
    assert_eq!(dead.properties.expiration, None, "the broker takes it off");
    let Some(Death { reason, queue, exchange, original_expiration_ms, at, count, .. }) =
        &dead.death
    else {
        panic!("no death: {dead:?}");
    };
    assert_eq!((reason, queue.as_str(), *count), (&DeathReason::Expired, QUEUE, 1));
    assert_eq!((exchange.as_str(), *original_expiration_ms), ("tg.commands", Some(300)));
    assert!(at.is_some());
    dead.ack().await?;
    Ok(())
}

#[tokio::test]
async fn a_command_that_expires_in_a_queue_that_nobody_serves_is_undelivered() -> Result<()> {
    a_command_expires(QueueKind::Quorum).await?;
    a_command_expires(QueueKind::Classic).await
}

#[tokio::test]
async fn a_refused_command_is_undelivered() -> Result<()> {
    let ground = Ground::new("refused").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    publish(&bus, numbered("tg.commands", "acme.group.create", 1)).await?;
    let (refused, _open) = read_one(&bus, QUEUE).await?;
    refused.dead_letter().await?;
    let (dead, _open_dead) = read_one(&bus, "tg.undelivered").await?;
    assert_eq!(dead.death.as_ref().unwrap().reason, DeathReason::Rejected);
    // What can't be settled there either is for people.
    dead.dead_letter().await?;
    let (kept, _open_too) = read_one(&bus, "tg.dead").await?;
    let death = kept.death.as_ref().unwrap();
    assert_eq!(death.queue, "tg.undelivered");
    assert_eq!(death.first.as_ref().unwrap().queue, QUEUE);
    kept.ack().await?;
    Ok(())
}

#[tokio::test]
async fn a_poisonous_command_is_undelivered_in_the_end() -> Result<()> {
    let ground = Ground::new("poison").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    publish(&bus, numbered("tg.commands", "acme.group.create", 1)).await?;
    let mut undelivered = bus.consume(Subscription::new("tg.undelivered")).await?;
    let mut handed_out = 0;
    let dead = loop {
        let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
        tokio::select! {
            delivery = next(&mut consumption) => {
                handed_out += 1;
                assert!(handed_out < 120, "the delivery limit does not hold");
                delivery?.give_back().await?;
            }
            dead = undelivered.next() => break dead?,
        }
    };
    assert_eq!(dead.death.as_ref().unwrap().reason, DeathReason::DeliveryLimit);
    assert_eq!(handed_out, 101, "once, and 100 times again");
    dead.ack().await?;
    Ok(())
}

#[tokio::test]
async fn a_command_for_nobody_is_unrouted_and_so_is_the_probe() -> Result<()> {
    let ground = Ground::new("unrouted").await?;
    let bus = ground.bus("test").await?;
    publish(&bus, numbered("tg.commands", "nobody.group.create", 3)).await?;
    let (unrouted, open) = read_one(&bus, "tg.unrouted").await?;
    assert_eq!(
        (text(&unrouted).as_str(), unrouted.routing_key.as_str()),
        ("3", "nobody.group.create")
    );
    assert_eq!(unrouted.exchange, "tg.commands");
    assert!(!is_probe(&unrouted));
    unrouted.ack().await?;
    open.close().await;

    assert!(bus.probe().await?.passed());
    for queue in ["tg.unrouted", "tg.control.unowned"] {
        let (probe, _open) = read_one(&bus, queue).await?;
        assert!(is_probe(&probe), "{queue}");
        probe.ack().await?;
    }
    ground.delete("policies/{vhost}/tg-unrouted").await?;
    let probe = bus.probe().await?;
    assert!(!probe.commands_kept && probe.orders_kept && !probe.passed(), "{probe:?}");
    Ok(())
}
