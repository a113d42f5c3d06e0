//! Applying, declaring, checking and granting, on a real broker.

use anyhow::Result;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use queuegram_bus::{
    AmqpConfig, Bus, BusError, Declared, OutMessage, Published, QueueKind, Severity, Subscription,
};
use serde_json::json;
use url::Url;

use crate::ground::{Ground, instance, numbered, publish};

#[tokio::test]
async fn applying_twice_changes_nothing_and_leaves_nothing_to_find() -> Result<()> {
    let ground = Ground::bare("apply").await?;
    let (topology, management) = (ground.topology().await?, ground.management()?);
    let before = topology.check(&management).await?;
    assert!(before.iter().all(|finding| finding.what == "is missing"), "{before:#?}");
    let first = topology.apply(&management).await?;
    assert!(first.iter().all(|change| change.created), "{first:#?}");
    let second = topology.apply(&management).await?;
    assert_eq!(second.len(), first.len());
    assert!(second.iter().all(|change| !change.created), "{second:#?}");
    let bus = ground.bus("test").await?;
    bus.declare_topology().await?;
    assert_eq!(bus.declare_instance_queue(&instance("acme")).await?, Declared::AsDescribed);
    assert_eq!(bus.declare_lane(&instance("acme"), "create").await?, Declared::AsDescribed);
    assert_eq!(topology.check(&management).await?, []);
    Ok(())
}

#[tokio::test]
async fn lanes_are_found_by_their_names_and_by_looking() -> Result<()> {
    let ground = Ground::new("lanes").await?;
    let bus = ground.bus("test").await?;
    let (acme, other) = (instance("acme"), instance("acme-2"));
    bus.declare_lane(&acme, "create").await?;
    bus.declare_lane(&acme, "slow.-1005").await?;
    bus.declare_lane(&other, "invite").await?;
    publish(&bus, OutMessage::to_queue("tg.lanes.acme.create", b"{}".to_vec())).await?;
    let named = bus.lane_queues(&acme, &["create", "invite", "slow.-1005"]).await?;
    assert_eq!(named, [("create".to_owned(), 1), ("slow.-1005".to_owned(), 0)]);

    let management = ground.management()?;
    let mut lanes = bus.find_lanes(&management, Some(&acme)).await?;
    lanes.sort_by(|one, other| one.lane.cmp(&other.lane));
    let seen: Vec<_> = lanes.iter().map(|lane| (&lane.instance, lane.lane.as_str())).collect();
    assert_eq!(seen, [(&acme, "create"), (&acme, "slow.-1005")]);
    assert_eq!(bus.find_lanes(&management, None).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_lane_that_was_declared_by_hand_is_found() -> Result<()> {
    let ground = Ground::new("odd-lane").await?;
    let plain = json!({"durable": true, "auto_delete": false,
        "arguments": {"x-queue-type": "quorum"}});
    ground.vhost.put("queues/{vhost}/tg.lanes.acme.create", &plain).await?;
    let findings = ground.topology().await?.check(&ground.management()?).await?;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].subject, "queue tg.lanes.acme.create");
    assert!(findings[0].what.contains("x-single-active-consumer"), "{findings:#?}");
    assert_eq!(findings[0].severity, Severity::Problem);
    Ok(())
}

#[tokio::test]
async fn a_worker_declares_the_same_and_only_the_policies_are_missing() -> Result<()> {
    let ground = Ground::bare("declare").await?;
    let bus = ground.bus("test").await?;
    bus.declare_topology().await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let (topology, management) = (ground.topology().await?, ground.management()?);
    let findings = topology.check(&management).await?;
    let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
    assert!(findings.iter().all(|finding| finding.what.contains("has no policy")), "{findings:#?}");
    for subject in ["exchange tg.commands", "exchange tg.control", "queue tg.commands.acme"] {
        assert!(subjects.contains(&subject), "{subjects:?}");
    }
    topology.apply(&management).await?;
    assert_eq!(topology.check(&management).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_lost_or_overridden_policy_is_found() -> Result<()> {
    let ground = Ground::new("policies").await?;
    let (topology, management) = (ground.topology().await?, ground.management()?);
    ground.delete("policies/{vhost}/tg-unrouted").await?;
    let findings = topology.check(&management).await?;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].subject, "exchange tg.commands");
    assert_eq!(findings[0].severity, Severity::Problem);
    topology.apply(&management).await?;

    let mirror = json!({"pattern": ".*", "apply-to": "all", "priority": 900,
        "definition": {"max-length": 5}});
    ground.vhost.put("policies/{vhost}/theirs", &mirror).await?;
    let findings = topology.check(&management).await?;
    assert!(
        findings.iter().any(|finding| finding.what.contains("policy theirs instead of")),
        "{findings:#?}"
    );
    ground.delete("policies/{vhost}/theirs").await?;
    let harmless = json!({"pattern": ".*", "apply-to": "all", "priority": 1,
        "definition": {"max-length": 5}});
    ground.vhost.put("policies/{vhost}/theirs", &harmless).await?;
    assert_eq!(topology.check(&management).await?, [], "ours outranks it");
    Ok(())
}

#[tokio::test]
async fn clients_that_declare_our_exchanges_plainly_are_not_refused() -> Result<()> {
    let ground = Ground::new("plain").await?;
    let connection =
        Connection::connect(&ground.vhost.amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for exchange in ["tg.commands", "tg.control", "tg.results", "tg.events", "tg.replies"] {
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let plain = FieldTable::default();
        channel.exchange_declare(exchange.into(), ExchangeKind::Topic, durable, plain).await?;
    }
    connection.close(200, "done".into()).await?;
    let bus = ground.bus("test").await?;
    assert!(bus.probe().await?.passed(), "the alternate exchange is still there");
    Ok(())
}

#[tokio::test]
async fn a_queue_of_another_kind_is_kept_and_told() -> Result<()> {
    let ground = Ground::new("kinds").await?;
    let classic = AmqpConfig { queue_kind: QueueKind::Classic, ..ground.config.clone() };
    let bus = Bus::connect(&classic, "test").await?;
    let acme = instance("acme");
    assert_eq!(bus.declare_instance_queue(&acme).await?, Declared::AsDescribed);
    let other = ground.bus("test").await?;
    let declared = other.declare_instance_queue(&acme).await?;
    assert!(
        matches!(&declared, Declared::Different(why) if why.contains("x-queue-type")),
        "{declared:?}"
    );
    publish(&other, numbered("tg.commands", "acme.group.create", 1)).await?;
    let findings = ground.topology().await?.check(&ground.management()?).await?;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].severity, Severity::Warning);
    Ok(())
}

#[tokio::test]
async fn an_unbound_instance_keeps_its_backlog_and_gets_no_more() -> Result<()> {
    let ground = Ground::new("unbind").await?;
    let bus = ground.bus("test").await?;
    let acme = instance("acme");
    bus.declare_instance_queue(&acme).await?;
    publish(&bus, numbered("tg.commands", "acme.group.create", 1)).await?;
    bus.unbind_instance_queue(&acme).await?;
    publish(&bus, numbered("tg.commands", "acme.group.create", 2)).await?;
    assert_eq!(bus.queue_depth("tg.commands.acme").await?.unwrap().ready, 1);
    assert_eq!(bus.queue_depth("tg.unrouted").await?.unwrap().ready, 1);
    bus.unbind_instance_queue(&acme).await?;
    bus.unbind_instance_queue(&instance("never-was")).await?;
    assert_eq!(bus.delete_instance_queue(&acme).await?, 1);
    Ok(())
}

/// A user with a role, on the ground's vhost.
async fn user(ground: &Ground, role: &str, name: &str) -> Result<AmqpConfig> {
    let (topology, management) = (ground.topology().await?, ground.management()?);
    let name = format!("{name}-{}", ground.vhost.name);
    ground.vhost.put(&format!("users/{name}"), &json!({"password": "p", "tags": ""})).await?;
    let role = topology.roles.iter().find(|known| known.name == role).unwrap();
    topology.grant(&management, role, &name).await?;
    let mut url = Url::parse(&ground.vhost.amqp_url)?;
    url.set_username(&name).unwrap();
    url.set_password(Some("p")).unwrap();
    let url = url.as_str().parse().map_err(anyhow::Error::msg)?;
    Ok(AmqpConfig { url, ..ground.config.clone() })
}

fn forbidden(answer: Result<impl std::fmt::Debug, BusError>) -> bool {
    matches!(answer, Err(BusError::Refused { code: 403, .. }))
}

#[tokio::test]
async fn a_caller_can_do_what_callers_do_and_nothing_else() -> Result<()> {
    let ground = Ground::new("caller").await?;
    let config = user(&ground, "caller", "crm").await?;
    let bus = Bus::connect(&config, "caller").await?;
    let publisher = bus.publisher();
    let to = |exchange: &str, key: &str| OutMessage::json(exchange, key, b"{}".to_vec());
    assert_eq!(
        publisher.publish(to("tg.commands", "acme.group.create")).await?,
        Published::Confirmed
    );
    assert_eq!(
        publisher.publish(to("tg.control", "acme.command.get")).await?,
        Published::Confirmed
    );
    assert!(forbidden(publisher.publish(to("tg.control", "acme.account.remove")).await));
    assert!(forbidden(publisher.publish(to("tg.results", "acme.group.create.done")).await));
    assert!(forbidden(publisher.publish(to("", "somebodys.queue")).await));
    assert!(forbidden(bus.consume(Subscription::new("tg.unrouted")).await.map(|_| ())));
    assert!(forbidden(bus.declare_instance_queue(&instance("mine")).await));
    let hears = [("tg.results".to_owned(), "#".to_owned())];
    bus.listen(&hears).await?.close().await;
    let theirs = [("tg.replies".to_owned(), "other.deals".to_owned())];
    assert!(forbidden(bus.listen(&theirs).await.map(|_| ())));
    ground.delete(&format!("users/crm-{}", ground.vhost.name)).await
}

#[tokio::test]
async fn a_worker_can_do_all_its_work() -> Result<()> {
    let ground = Ground::new("worker").await?;
    let config = user(&ground, "worker", "worker").await?;
    let bus = Bus::connect(&config, "worker").await?;
    bus.declare_topology().await?;
    bus.declare_instance_queue(&instance("acme")).await?;
    let own = bus.control_queue("w1", 1).await?;
    own.binder().bind(&instance("acme")).await?;
    bus.consume(Subscription::new("tg.commands.acme")).await?.close().await;
    assert!(bus.probe().await?.passed());
    let reply = OutMessage::to_queue("crm.replies", b"{}".to_vec());
    let published = bus.publisher().publish(reply).await?;
    assert!(matches!(published, Published::Returned { .. }), "{published:?}");
    ground.delete(&format!("users/worker-{}", ground.vhost.name)).await
}
