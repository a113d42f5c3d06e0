//! What becomes of a published message is told exactly.

use anyhow::Result;
use queuegram_bus::{AmqpConfig, Bus, BusError, OutMessage, Published};
use serde_json::json;

use crate::ground::{Ground, instance, next, numbered, text};
use crate::proxy::{Mood, Proxy};

#[tokio::test]
async fn a_routed_message_is_confirmed_and_arrives_whole() -> Result<()> {
    let ground = Ground::new("routed").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let mut message = OutMessage::json("tg.commands", "acme.group.create", b"{}".to_vec());
    message.properties.message_id = Some("m".to_owned());
    message.properties.correlation_id = Some("c".to_owned());
    message.properties.reply_to = Some("crm.replies".to_owned());
    message.properties.kind = Some("group.create".to_owned());
    message.properties.timestamp = Some(1_760_000_000);
    message.properties.traceparent = Some(format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16)));
    let sent = message.properties.clone();
    assert_eq!(bus.publisher().publish(message.mandatory()).await?, Published::Confirmed);

    let mut consumption = bus.consume(queuegram_bus::Subscription::new("tg.commands.acme")).await?;
    let delivery = next(&mut consumption).await?;
    assert_eq!(delivery.properties, sent);
    assert_eq!((delivery.exchange.as_str(), delivery.redelivered), ("tg.commands", false));
    assert_eq!(
        (delivery.routing_key.as_str(), delivery.death.as_ref()),
        ("acme.group.create", None)
    );
    delivery.ack().await?;
    Ok(())
}

#[tokio::test]
async fn what_no_queue_takes_is_returned_if_it_is_mandatory() -> Result<()> {
    let ground = Ground::new("returned").await?;
    let bus = ground.bus("test").await?;
    let gone = OutMessage::to_queue("nobody.home", b"{}".to_vec());
    let returned = Published::Returned { code: 312, text: "NO_ROUTE".to_owned() };
    assert_eq!(bus.publisher().publish(gone).await?, returned);
    let unheard = OutMessage::json("tg.events", "acme.group.created", b"{}".to_vec());
    assert_eq!(bus.publisher().publish(unheard).await?, Published::Confirmed);
    let counts = bus.counts();
    assert_eq!((counts.returned, counts.confirmed), (1, 1));
    Ok(())
}

/// The broker confirms several messages at once and lapin gives a returned one to any of them.
#[tokio::test]
async fn among_many_in_flight_each_gets_its_own_answer() -> Result<()> {
    let ground = Ground::new("many").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..600 {
        let publisher = bus.publisher();
        asked.spawn(async move {
            let message = match n % 3 {
                0 => numbered("tg.commands", "acme.group.create", n),
                1 => numbered("", "nobody.home", n),
                _ => numbered("no.such.exchange", "x", n),
            };
            (n % 3, publisher.publish(message.mandatory()).await)
        });
    }
    let mut seen = [0; 3];
    while let Some(answer) = asked.join_next().await {
        let (which, answer) = answer?;
        seen[which] += 1;
        match which {
            0 => assert_eq!(answer, Ok(Published::Confirmed)),
            1 => assert!(matches!(answer, Ok(Published::Returned { code: 312, .. })), "{answer:?}"),
            _ => assert!(matches!(answer, Err(BusError::Refused { code: 404, .. })), "{answer:?}"),
        }
    }
    assert_eq!(seen, [200; 3]);
    assert_eq!(bus.queue_depth("tg.commands.acme").await?.unwrap().ready, 200);
    Ok(())
}

#[tokio::test]
async fn a_full_queue_is_told_as_not_taken() -> Result<()> {
    let ground = Ground::new("full").await?;
    let bus = ground.bus("test").await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let tight = json!({"pattern": "^tg\\.commands\\.", "apply-to": "queues", "priority": 200,
        "definition": {"max-length": 1, "overflow": "reject-publish"}});
    ground.vhost.put("policies/{vhost}/tight", &tight).await?;
    let mut refused = None;
    for n in 0..50 {
        match bus.publisher().publish(numbered("tg.commands", "acme.x.y", n)).await {
            Ok(Published::Confirmed) => {}
            other => {
                refused = Some(other);
                break;
            }
        }
    }
    assert_eq!(refused, Some(Err(BusError::Nacked)));
    Ok(())
}

#[tokio::test]
async fn without_an_answer_the_outcome_is_unknown_and_the_next_one_is_exact() -> Result<()> {
    let ground = Ground::new("unknown").await?;
    let direct = ground.bus("direct").await?;
    direct.declare_instance_queue(&instance("acme")).await?;
    let (proxy, through) = Proxy::before(&ground.config, &ground.vhost.amqp_url).await?;
    let impatient = AmqpConfig { confirm_timeout_s: 1.0, ..through };
    let bus = Bus::connect(&impatient, "test").await?;
    let publisher = bus.publisher();
    let first = publisher.publish(numbered("tg.commands", "acme.x.y", 0)).await;
    assert_eq!(first, Ok(Published::Confirmed));

    proxy.turn(Mood::Silent);
    let unsure = publisher.publish(numbered("tg.commands", "acme.x.y", 1)).await.unwrap_err();
    assert!(matches!(unsure, BusError::Unknown { .. }), "{unsure:?}");
    assert!(!unsure.nothing_sent() && unsure.is_transient());
    proxy.turn(Mood::Open);
    // Under the same message id, as the error asks.
    let again = publisher.publish(numbered("tg.commands", "acme.x.y", 1)).await;
    assert_eq!(again, Ok(Published::Confirmed));

    let subscription = queuegram_bus::Subscription::new("tg.commands.acme").prefetch(10);
    let mut consumption = direct.consume(subscription).await?;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let delivery = next(&mut consumption).await?;
        bodies.push(text(&delivery));
        delivery.ack().await?;
    }
    assert_eq!(bodies, ["0", "1", "1"], "the message whose confirm was lost had arrived");
    Ok(())
}
