//! Connections that break, come back, are refused, or never were.

use std::time::{Duration, Instant};

use anyhow::Result;
use queuegram_bus::{AmqpConfig, Bus, BusError, LostReason, Published, Subscription};
use queuegram_tests::stage::patience;

use crate::ground::{Ground, SOON, instance, next, numbered, publish, text};
use crate::proxy::{Mood, Proxy};

#[tokio::test]
async fn after_an_outage_everything_goes_on_where_it_was() -> Result<()> {
    let ground = Ground::new("outage").await?;
    let (proxy, through) = Proxy::before(&ground.config, &ground.vhost.amqp_url).await?;
    let bus = Bus::connect(&through, "test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    publish(&bus, numbered("tg.commands", "acme.x.y", 1)).await?;
    let mut consumption = bus.consume(Subscription::new("tg.commands.acme")).await?;
    let held = next(&mut consumption).await?;

    proxy.turn(Mood::Cut);
    let lost = tokio::time::timeout(SOON, consumption.next()).await?.unwrap_err();
    assert!(matches!(lost.why, LostReason::Connection { .. }), "{lost:?}");
    assert!(matches!(held.ack().await, Err(BusError::Lost { .. })));
    patience::until("the outage is noticed", SOON, || async {
        Ok((!bus.is_connected()).then_some(()))
    })
    .await?;

    proxy.turn(Mood::Open);
    assert!(tokio::time::timeout(SOON, bus.connected()).await?);
    publish(&bus, numbered("tg.commands", "acme.x.y", 2)).await?;
    let mut consumption = bus.consume(Subscription::new("tg.commands.acme")).await?;
    for expected in [("1", true), ("2", false)] {
        let delivery = next(&mut consumption).await?;
        assert_eq!((text(&delivery).as_str(), delivery.redelivered), expected);
        delivery.ack().await?;
    }
    assert!(bus.counts().connections >= 4);
    Ok(())
}

#[tokio::test]
async fn a_publish_during_an_outage_waits_for_its_end_or_says_that_nothing_was_sent() -> Result<()>
{
    let ground = Ground::new("waits").await?;
    let (proxy, through) = Proxy::before(&ground.config, &ground.vhost.amqp_url).await?;
    let bus = Bus::connect(&through, "test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    proxy.turn(Mood::Cut);
    patience::until("the outage is noticed", SOON, || async {
        Ok((!bus.is_connected()).then_some(()))
    })
    .await?;
    let publisher = bus.publisher();
    let waiting =
        tokio::spawn(
            async move { publisher.publish(numbered("tg.commands", "acme.x.y", 1)).await },
        );
    proxy.turn(Mood::Open);
    assert_eq!(waiting.await?, Ok(Published::Confirmed));

    let short = AmqpConfig { operation_timeout_s: 1.0, ..through };
    let hasty = Bus::connect(&short, "hasty").await?;
    proxy.turn(Mood::Cut);
    patience::until("the outage is noticed", SOON, || async {
        Ok((!hasty.is_connected()).then_some(()))
    })
    .await?;
    let refused =
        hasty.publisher().publish(numbered("tg.commands", "acme.x.y", 2)).await.unwrap_err();
    assert!(refused.nothing_sent() && refused.is_transient(), "{refused:?}");
    assert_eq!(ground.bus("look").await?.queue_depth("tg.commands.acme").await?.unwrap().ready, 1);
    Ok(())
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_noticed_by_its_heartbeat() -> Result<()> {
    let ground = Ground::new("silent").await?;
    let (proxy, through) = Proxy::before(&ground.config, &ground.vhost.amqp_url).await?;
    let bus = Bus::connect(&AmqpConfig { heartbeat_s: 1, ..through }, "test").await?;
    let mut heard = bus.listen(&[]).await?;
    proxy.turn(Mood::Silent);
    let lost = tokio::time::timeout(SOON, heard.next()).await?.unwrap_err();
    assert!(matches!(lost.why, LostReason::Connection { .. }), "{lost:?}");
    Ok(())
}

#[tokio::test]
async fn a_refused_login_is_told_at_once_and_an_absent_broker_in_time() -> Result<()> {
    let ground = Ground::bare("login").await?;
    let mut url = url::Url::parse(&ground.vhost.amqp_url)?;
    url.set_password(Some("wrong-canary")).unwrap();
    let wrong = AmqpConfig { url: url.as_str().parse().unwrap(), ..ground.config.clone() };
    let began = Instant::now();
    let denied = Bus::connect(&wrong, "test").await.err().unwrap();
    assert!(matches!(denied, BusError::Denied { code: 403, .. }), "{denied:?}");
    assert!(!denied.to_string().contains("wrong-canary"), "{denied}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());

    url.set_path("/no-such-vhost");
    url.set_password(url::Url::parse(&ground.vhost.amqp_url)?.password()).unwrap();
    let nowhere = AmqpConfig { url: url.as_str().parse().unwrap(), ..ground.config.clone() };
    let denied = Bus::connect(&nowhere, "test").await.err().unwrap();
    assert!(matches!(denied, BusError::Denied { code: 530, .. }), "{denied:?}");

    let (proxy, mut through) = Proxy::before(&ground.config, &ground.vhost.amqp_url).await?;
    through.connect_timeout_s = 1.0;
    let port = proxy.port();
    drop(proxy);
    let absent = Bus::connect(&through, "test").await.err().unwrap();
    assert!(matches!(absent, BusError::Unreachable { .. }), "port {port}: {absent:?}");
    Ok(())
}

#[tokio::test]
async fn a_closed_bus_does_nothing_more() -> Result<()> {
    let ground = Ground::new("closing").await?;
    let bus = ground.bus("test").await?;
    let publisher = bus.publisher();
    bus.close().await;
    assert!(!bus.connected().await && !bus.is_connected());
    let after = publisher.publish(numbered("tg.events", "acme.x.y", 1)).await;
    assert_eq!(after, Err(BusError::Closed));
    assert_eq!(bus.consume(Subscription::new("tg.dead")).await.err(), Some(BusError::Closed));
    assert_eq!(bus.queue_depth("tg.dead").await, Err(BusError::Closed));
    Ok(())
}
