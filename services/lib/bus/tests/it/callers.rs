//! The caller's side: replies, listening, durable reply queues.

use std::time::Duration;

use anyhow::Result;
use queuegram_bus::{BusError, OutMessage, Subscription};

use crate::ground::{Ground, SOON, next, numbered, publish, text};

fn answer(queue: &str, correlation: &str) -> OutMessage {
    let mut reply = OutMessage::to_queue(queue, correlation.as_bytes().to_vec());
    reply.properties.correlation_id = Some(correlation.to_owned());
    reply
}

#[tokio::test]
async fn each_reply_finds_its_question() -> Result<()> {
    let ground = Ground::new("replies").await?;
    let (caller, worker) = (ground.bus("caller").await?, ground.bus("worker").await?);
    let mut queue = caller.call_queue().await?;
    let reply_to = queue.reply_to().to_owned();
    assert!(!worker.names().is_own(&reply_to));
    for correlation in ["b", "c", "a"] {
        publish(&worker, answer(&reply_to, correlation)).await?;
    }
    for correlation in ["a", "b", "c"] {
        let reply = queue.wait_for(correlation, SOON).await?.unwrap();
        assert_eq!(text(&reply), correlation);
    }
    assert!(queue.wait_for("never", Duration::from_millis(200)).await?.is_none());
    caller.close().await;
    let lost = queue.wait_for("late", SOON).await.unwrap_err();
    assert!(matches!(lost, BusError::Lost { .. }), "{lost:?}");
    // The queue went with its connection: the worker is told that nobody hears.
    let unheard = worker.publisher().publish(answer(&reply_to, "late")).await?;
    assert!(matches!(unheard, queuegram_bus::Published::Returned { .. }), "{unheard:?}");
    Ok(())
}

#[tokio::test]
async fn listening_hears_what_its_bindings_say() -> Result<()> {
    let ground = Ground::new("listen").await?;
    let bus = ground.bus("test").await?;
    let bindings = [("tg.results", "acme.#"), ("tg.events", "#")]
        .map(|(exchange, key)| (exchange.to_owned(), key.to_owned()));
    let mut heard = bus.listen(&bindings).await?;
    publish(&bus, numbered("tg.events", "other.group.created", 1)).await?;
    let elsewhere = numbered("tg.results", "other.group.create.done", 2);
    bus.publisher().publish(elsewhere).await?;
    publish(&bus, numbered("tg.results", "acme.group.create.done", 3)).await?;
    let (first, second) = (next(&mut heard).await?, next(&mut heard).await?);
    assert_eq!((text(&first).as_str(), text(&second).as_str()), ("1", "3"));
    assert_eq!(bus.counts().dropped_unsettled, 0);
    drop((first, second));
    assert_eq!(bus.counts().dropped_unsettled, 0, "they needed no settling");
    publish(&bus, numbered("tg.events", "other.group.deleted", 4)).await?;
    assert_eq!(text(&next(&mut heard).await?), "4", "and listening goes on");
    Ok(())
}

#[tokio::test]
async fn a_reply_queue_keeps_what_its_reader_refuses() -> Result<()> {
    let ground = Ground::new("replyq").await?;
    let bus = ground.bus("test").await?;
    let management = ground.management()?;
    let bindings = [("tg.results".to_owned(), "*.group.create.*".to_owned())];
    for _twice in 0..2 {
        let made = bus.declare_reply_queue(&management, "crm.replies", &bindings).await?;
        assert_eq!(
            (made.queue.as_str(), made.dead_letters.as_str()),
            ("crm.replies", "crm.replies.dead")
        );
    }
    publish(&bus, numbered("tg.results", "acme.group.create.done", 1)).await?;
    let mut engine = bus.consume(Subscription::new("crm.replies")).await?;
    next(&mut engine).await?.dead_letter().await?;
    let mut people = bus.consume(Subscription::new("crm.replies.dead")).await?;
    let refused = next(&mut people).await?;
    assert_eq!(
        (text(&refused).as_str(), refused.death.as_ref().unwrap().queue.as_str()),
        ("1", "crm.replies")
    );
    refused.ack().await?;
    for name in ["tg.mine", "amq.mine", ""] {
        let wrong = bus.declare_reply_queue(&management, name, &[]).await.unwrap_err();
        assert!(matches!(wrong, BusError::Unencodable { field: "name", .. }), "{wrong:?}");
    }
    Ok(())
}
