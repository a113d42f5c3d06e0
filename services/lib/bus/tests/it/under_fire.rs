//! A broker of our own that freezes, blocks and restarts, and one that never says a word.

use std::time::Duration;

use anyhow::{Context as _, Result};
use proto::Names;
use queuegram_bus::{
    AmqpConfig, Bus, BusError, LostReason, Management, Published, Subscription, Topology,
};
use queuegram_tests::stage::folder::Folder;
use queuegram_tests::stage::rabbit::{Rabbit, RabbitPrograms};
use queuegram_tests::stage::{patience, scripts};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::ground::{SOON, instance, next, numbered, publish, text, until_ready};

const QUEUE: &str = "tg.commands.acme";
/// A broker that was frozen or started has much to catch up with.
const RECOVERY: Duration = Duration::from_secs(120);

struct Private {
    // The broker before the folder that it writes to.
    broker: Rabbit,
    config: AmqpConfig,
    _folder: Folder,
}

/// A broker that nobody else uses, with our topology and the queue of `acme`; and settings with
/// which everything is noticed within seconds.
async fn private() -> Result<Private> {
    let found = tokio::task::spawn_blocking(|| scripts::key_values_alone("servers")).await??;
    let program = |key: &str| found.get(key).map(Into::into).with_context(|| key.to_owned());
    let programs = RabbitPrograms { server: program("RABBITMQ_SERVER")?, epmd: program("EPMD")? };
    let folder = Folder::new("stage")?;
    let broker = Rabbit::start(&programs, folder.path()).await?;
    let config = AmqpConfig {
        url: broker.amqp_url.parse().map_err(anyhow::Error::msg)?,
        management_url: Some(broker.management_url.parse().map_err(anyhow::Error::msg)?),
        heartbeat_s: 1,
        operation_timeout_s: 1.5,
        confirm_timeout_s: 1.5,
        connect_timeout_s: 2.5,
        ..AmqpConfig::default()
    };
    let management = Management::new(&config)?;
    let version = management.version().await?;
    Topology::describe(&Names::default(), config.queue_kind, version).apply(&management).await?;
    Ok(Private { broker, config, _folder: folder })
}

async fn back(bus: &Bus) -> Result<()> {
    anyhow::ensure!(tokio::time::timeout(RECOVERY, bus.connected()).await?, "closed");
    Ok(())
}

#[tokio::test]
async fn a_broker_that_freezes_is_given_up_and_nothing_is_lost_when_it_thaws() -> Result<()> {
    let private = private().await?;
    let bus = Bus::connect(&private.config, "frozen").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    publish(&bus, numbered("tg.commands", "acme.x.y", 1)).await?;
    publish(&bus, numbered("tg.commands", "acme.x.y", 2)).await?;
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    let held = next(&mut consumption).await?;

    private.broker.freeze(true)?;
    let unconfirmed = bus.publisher().publish(numbered("tg.commands", "acme.x.y", 3)).await;
    assert!(unconfirmed.as_ref().is_err_and(BusError::is_transient), "{unconfirmed:?}");
    let lost = tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
    assert!(matches!(lost.why, LostReason::Connection { .. }), "{lost:?}");
    assert!(matches!(held.ack().await, Err(BusError::Lost { .. })));
    // Nothing hangs meanwhile.
    let asked = bus.queue_depth(QUEUE).await;
    assert!(asked.as_ref().is_err_and(BusError::is_transient), "{asked:?}");
    let begun = bus.consume(Subscription::new(QUEUE)).await;
    assert!(begun.as_ref().is_err_and(BusError::is_transient));

    private.broker.freeze(false)?;
    back(&bus).await?;
    // The third is there once or twice: it was published again under its own id.
    patience::until("the broker takes it", RECOVERY, || async {
        let again = bus.publisher().publish(numbered("tg.commands", "acme.x.y", 3)).await;
        Ok((again == Ok(Published::Confirmed)).then_some(()))
    })
    .await?;
    let mut consumption = patience::until("it is consumed again", RECOVERY, || async {
        Ok(bus.consume(Subscription::new(QUEUE)).await.ok())
    })
    .await?;
    let mut bodies = Vec::new();
    while !bodies.contains(&"3".to_owned()) {
        let delivery = tokio::time::timeout(RECOVERY, consumption.next()).await??;
        bodies.push(text(&delivery));
        delivery.ack().await?;
    }
    assert_eq!(bodies, ["1", "2", "3"], "in order, from the one that was in hand");
    Ok(())
}

#[tokio::test]
async fn a_broker_that_blocks_publishers_still_takes_acknowledgements() -> Result<()> {
    let mut private = private().await?;
    let bus = Bus::connect(&private.config, "blocked").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    for n in 1..=3 {
        publish(&bus, numbered("tg.commands", "acme.x.y", n)).await?;
    }
    let mut consumption = bus.consume(Subscription::new(QUEUE)).await?;
    next(&mut consumption).await?.ack().await?;

    private.broker.block(true).await?;
    // The broker says so only when somebody publishes: that one is out already, and unknown.
    patience::until("publishing is refused", SOON, || async {
        let refused = bus.publisher().publish(numbered("tg.commands", "acme.x.y", 4)).await;
        Ok(matches!(refused, Err(BusError::Blocked { .. })).then_some(()))
    })
    .await?;
    let refused = bus.publisher().publish(numbered("tg.commands", "acme.x.y", 5)).await;
    assert!(refused.is_err_and(|error| error.nothing_sent() && error.is_transient()));
    for expected in ["2", "3"] {
        let delivery = next(&mut consumption).await?;
        assert_eq!(text(&delivery), expected);
        delivery.ack().await?;
    }

    private.broker.block(false).await?;
    patience::until("publishing goes on", RECOVERY, || async {
        let published = bus.publisher().publish(numbered("tg.commands", "acme.x.y", 6)).await;
        Ok((published == Ok(Published::Confirmed)).then_some(()))
    })
    .await?;
    loop {
        let delivery = next(&mut consumption).await?;
        let body = text(&delivery);
        assert!(["4", "6"].contains(&body.as_str()), "{body}: what was gated was not sent");
        delivery.ack().await?;
        if body == "6" {
            break;
        }
    }

    // And the same one crashes and comes back.
    publish(&bus, numbered("tg.commands", "acme.x.y", 7)).await?;
    let held = next(&mut consumption).await?;
    private.broker.kill();
    tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
    assert!(held.ack().await.is_err());
    private.broker.start_again().await?;
    back(&bus).await?;
    let mut consumption = patience::until("it is consumed again", RECOVERY, || async {
        Ok(bus.consume(Subscription::new(QUEUE)).await.ok())
    })
    .await?;
    let delivery = tokio::time::timeout(RECOVERY, consumption.next()).await??;
    assert_eq!((text(&delivery).as_str(), delivery.redelivered), ("7", true));
    delivery.ack().await?;
    until_ready(&bus, QUEUE, 0).await
}

#[tokio::test]
async fn who_accepts_and_never_answers_is_given_up_and_no_socket_stays() -> Result<()> {
    let mute = TcpListener::bind("127.0.0.1:0").await?;
    let config = AmqpConfig {
        url: format!("amqp://a:b@{}/x", mute.local_addr()?).parse().unwrap(),
        connect_timeout_s: 0.3,
        ..AmqpConfig::default()
    };
    let refused = Bus::connect(&config, "mute").await.err().unwrap();
    assert!(matches!(refused, BusError::Unreachable { .. }), "{refused:?}");
    let bus = Bus::start(&config, "mute")?;
    let mut sockets = Vec::new();
    // Two of the first bus, and at least two tries of each connection of the second.
    for _ in 0..6 {
        sockets.push(tokio::time::timeout(SOON, mute.accept()).await??.0);
    }
    drop(bus);
    for mut socket in sockets {
        let mut heard = Vec::new();
        tokio::time::timeout(SOON, socket.read_to_end(&mut heard)).await??;
    }
    Ok(())
}
