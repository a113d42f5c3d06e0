//! Answers what no owner will: commands that the broker could not route (`tg.unrouted`) and those
//! that it expired or gave up (`tg.undelivered`). Any worker does it for all instances.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Backoff, DeathReason, Delivery, OutMessage, Subscription, is_probe};
use futures_util::FutureExt;
use proto::envelope::{Incoming, Rejected};
use proto::fault::code;
use proto::lane::LaneCopy;
use proto::{Command, CommandResult, ErrorKind, Fault, InstanceId};
use store::Settled;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::answers::{Answer, Taken, Untold};
use crate::persist;
use crate::pipeline::id_taken;
use crate::request;
use crate::stop::Failure;
use crate::tenure::Shared;

/// Deliveries in hand at once: each takes a store's and the broker's answer, nothing longer.
const PREFETCH: u16 = 20;
/// How often a command is published to a known instance's queue that would not take it.
const TRIES_MAX: u32 = 5;
/// The pauses between these tries.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));

/// One of the two queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Commands that reached no instance's queue.
    Unrouted,
    /// Commands that the broker took out of an instance's queue.
    Undelivered,
}

/// Reads one of the queues until `stopping`.
pub async fn read(shared: Arc<Shared>, queue: Queue, stopping: CancellationToken) {
    let name = match queue {
        Queue::Unrouted => shared.names.unrouted(),
        Queue::Undelivered => shared.names.undelivered(),
    };
    let mut backoff = Backoff::BROKER;
    while !stopping.is_cancelled() {
        let subscription = Subscription::new(name.clone()).prefetch(PREFETCH);
        match shared.bus.consume_shared(subscription).await {
            Ok(mut consumption) => {
                let since = Instant::now();
                loop {
                    let delivery = tokio::select! {
                        biased;
                        () = stopping.cancelled() => break,
                        delivery = consumption.next() => delivery,
                    };
                    let Ok(delivery) = delivery else { break };
                    let settling = settle(&shared, queue, delivery, &stopping);
                    match AssertUnwindSafe(settling).catch_unwind().await {
                        Ok(true) => backoff.reset(),
                        Ok(false) => break,
                        // Dropped with the future, it is on its way back to its queue.
                        Err(_) => {
                            tracing::error!(queue = name, "answering a command panicked");
                            break;
                        }
                    }
                }
                consumption.close().await;
                backoff.stood_since(since);
            }
            Err(error) => tracing::warn!(%error, queue = name, "can't consume; trying again"),
        }
        backoff.wait(&stopping).await;
    }
}

/// Answers one delivery and acknowledges it; false where its consumption is over.
async fn settle(
    shared: &Shared,
    queue: Queue,
    delivery: Delivery,
    stopping: &CancellationToken,
) -> bool {
    let answered = match decode(shared, queue, &delivery) {
        _ if is_probe(&delivery) => Ok(()),
        Err(rejected) => {
            let span = tracing::info_span!("undertaker");
            chassis::trace::continue_from(&span, rejected.traceparent.as_deref());
            shared.metrics.answered(None, rejected.fault.kind.as_str());
            let refused = shared.answers.refuse(&delivery, &rejected, stopping);
            refused.instrument(span).await.map_err(Left::from)
        }
        Ok(command) => {
            let span = tracing::info_span!(
                "undertaker",
                instance.id = %command.instance,
                command.id = %command.id,
                method = %command.method,
            );
            chassis::trace::continue_from(&span, command.traceparent.as_deref());
            work(shared, queue, &delivery, &command, stopping).instrument(span).await
        }
    };
    let settled = match answered {
        Ok(()) => delivery.ack().await,
        Err(Left) => delivery.give_back().await,
    };
    settled.is_ok() && answered.is_ok()
}

/// Answers a command. Where a store says what waiting does not change, such as a record that can't
/// be read, the command would hold up all behind it: it is answered so, and kept to look at.
async fn work(
    shared: &Shared,
    queue: Queue,
    delivery: &Delivery,
    command: &Command,
    stopping: &CancellationToken,
) -> Result<(), Left> {
    let failure = match answer(shared, queue, delivery, command, stopping).await {
        Ok(()) => return Ok(()),
        Err(Unanswered::Left) => return Err(Left),
        Err(Unanswered::Failed(failure)) => failure,
    };
    let Ok(fault) = failure.into_fault() else { return Err(Left) };
    tracing::error!(error = fault.message, "a store can't serve a command");
    bury(shared, delivery, command, &fault, stopping).await?;
    answer_apart(shared, command, fault, stopping).await
}

fn decode(shared: &Shared, queue: Queue, delivery: &Delivery) -> Result<Command, Box<Rejected>> {
    // What the broker took out of a queue carries the way it came in its death certificate.
    let death = delivery.death.as_ref().filter(|_| queue == Queue::Undelivered);
    let from = death.and_then(|death| shared.names.instance_of_queue(&death.queue));
    let key = death.and_then(|death| death.routing_keys.first());
    let lane = death.and_then(|death| shared.names.lane_of_queue(&death.queue));
    let incoming = Incoming {
        body: &delivery.body,
        properties: &delivery.properties,
        exchange: death.map_or(&delivery.exchange, |death| &death.exchange),
        routing_key: key.unwrap_or(&delivery.routing_key),
        queue_instance: from.as_ref(),
        redelivered: delivery.redelivered,
        received_at: shared.clock.now(),
        rules: &shared.rules,
    };
    if lane.is_none() {
        return proto::decode(incoming);
    }
    // Our own copy of a command that was parked.
    let copy = LaneCopy::decode(&delivery.body, delivery.redelivered);
    copy.map(|copy| copy.command)
        .map_err(|error| Box::new(Rejected::salvage(Fault::internal(error.to_string()), &incoming)))
}

async fn answer(
    shared: &Shared,
    queue: Queue,
    delivery: &Delivery,
    command: &Command,
    stopping: &CancellationToken,
) -> Result<(), Unanswered> {
    let known = persist::retry(stopping, || shared.instances.get(&command.instance)).await?;
    let fault = match (known, queue) {
        (None, _) => {
            let fault = no_instance(&command.instance);
            return Ok(answer_apart(shared, command, fault, stopping).await?);
        }
        (Some(_), Queue::Unrouted) => {
            return Ok(publish_again(shared, delivery, command, stopping).await?);
        }
        (Some(_), Queue::Undelivered) => fault_of(delivery),
    };
    if fault.kind == ErrorKind::Internal {
        bury(shared, delivery, command, &fault, stopping).await?;
    }
    record_and_tell(shared, command, fault, stopping).await
}

fn no_instance(instance: &InstanceId) -> Fault {
    Fault::invalid(code::INSTANCE_NOT_FOUND, format!("instance: there is no {instance}"))
}

/// Why the broker took the command out of its queue, in the contract's words.
fn fault_of(delivery: &Delivery) -> Fault {
    match delivery.death.as_ref().map(|death| &death.reason) {
        Some(DeathReason::Expired) => {
            Fault::expired("the command's time ran out in the queue, before anybody took it")
        }
        Some(reason) => Fault::new(
            ErrorKind::Internal,
            code::POISONED,
            format!("the broker gave the command up: {}", reason.as_str()),
        ),
        None => Fault::new(
            ErrorKind::Internal,
            code::POISONED,
            "the command reached the queue of undelivered ones, and nothing says why",
        ),
    }
}

/// The answer becomes the command's result, unless it has one or is under way: then whoever owns
/// the instance has answered it, or will.
async fn record_and_tell(
    shared: &Shared,
    command: &Command,
    fault: Fault,
    stopping: &CancellationToken,
) -> Result<(), Unanswered> {
    let (instance, id) = (&command.instance, &command.id);
    let mark = persist::retry(stopping, || shared.ledger.cancelled_at(instance, id)).await?;
    // Whoever took it back was told that it would be answered so.
    let fault = match mark {
        Some(_) if fault.kind == ErrorKind::Expired => persist::cancelled(),
        _ => fault,
    };
    let result = CommandResult::of(command, fault.into(), 0, shared.clock.now());
    let text = serde_json::to_string(&result).unwrap_or_default();
    let hash = request::hash(command);
    let settled = persist::retry(stopping, || {
        let at = command.received_at;
        let (instance, id) = (&command.instance, &command.id);
        shared.ledger.settle_unowned(instance, id, &command.method, &hash, at, &text)
    })
    .await?;
    let answer = match settled {
        Settled::Recorded => Answer::outcome(result, command),
        Settled::Known(record) => match record.result.as_deref().map(serde_json::from_str) {
            Some(Ok(recorded)) => Answer::again(recorded, command, record.is_replied()),
            _ => return abandoned(shared, command, stopping).await,
        },
        Settled::Conflict => {
            return Ok(answer_apart(shared, command, id_taken(), stopping).await?);
        }
    };
    Ok(tell(shared, &answer, stopping).await?)
}

/// Work on it was begun, and its delivery came back and died in the queue. Where its owner lives,
/// the owner answers it; else nobody can say how far it got.
async fn abandoned(
    shared: &Shared,
    command: &Command,
    stopping: &CancellationToken,
) -> Result<(), Unanswered> {
    let fault = Fault::uncertain("work on it was begun, and its worker did not come back to it");
    let result = CommandResult::of(command, fault.into(), 1, shared.clock.now());
    let text = serde_json::to_string(&result).unwrap_or_default();
    let settled = persist::retry(stopping, || {
        shared.ledger.settle_abandoned(&command.instance, &command.id, &text)
    });
    if settled.await? {
        tell(shared, &Answer::outcome(result, command), stopping).await?;
    }
    Ok(())
}

async fn tell(shared: &Shared, answer: &Answer, stopping: &CancellationToken) -> Result<(), Left> {
    shared.metrics.told(&answer.result);
    Ok(shared.answers.give(answer, stopping).await?)
}

/// The instance is known, only its queue is missing: declared, it takes the command. One that does
/// not, being full or deleted again at once, must not hold up what waits behind this command, nor
/// have it go round until the broker drops it.
async fn publish_again(
    shared: &Shared,
    delivery: &Delivery,
    command: &Command,
    stopping: &CancellationToken,
) -> Result<(), Left> {
    let mut backoff = PAUSES;
    for _ in 0..TRIES_MAX {
        match shared.bus.declare_instance_queue(&command.instance).await {
            Ok(_) => {
                let message = again(shared, delivery, command);
                if shared.answers.pass_on(message, stopping).await? == Taken::Yes {
                    return Ok(());
                }
            }
            // The broker is away, and so is our own delivery.
            Err(error) if error.is_transient() => return Err(Left),
            Err(error) => {
                tracing::warn!(%error, "the queue of a known instance can't be declared");
            }
        }
        if !backoff.wait(stopping).await {
            return Err(Left);
        }
    }
    let message = "the instance's queue is full, or can't be declared; nothing was done";
    let fault = Fault::unavailable(code::BROKER_UNAVAILABLE, message);
    answer_apart(shared, command, fault, stopping).await
}

/// The command as it came.
fn again(shared: &Shared, delivery: &Delivery, command: &Command) -> OutMessage {
    OutMessage {
        exchange: shared.names.commands(),
        routing_key: shared.names.command_key(&command.instance, &command.method),
        properties: proto::Properties { user_id: None, ..delivery.properties.clone() },
        headers: std::collections::BTreeMap::new(),
        body: delivery.body.clone(),
        mandatory: true,
        persistent: true,
    }
}

async fn bury(
    shared: &Shared,
    delivery: &Delivery,
    command: &Command,
    fault: &Fault,
    stopping: &CancellationToken,
) -> Result<(), Left> {
    let (instance, id) = (Some(&command.instance), Some(command.id.as_str()));
    Ok(shared.answers.bury(delivery, fault, instance, id, stopping).await?)
}

async fn answer_apart(
    shared: &Shared,
    command: &Command,
    fault: Fault,
    stopping: &CancellationToken,
) -> Result<(), Left> {
    let answer = Answer::apart(command, fault, &command.request_hash(), shared.clock.now());
    tell(shared, &answer, stopping).await
}

/// It could not be answered here and now; it goes back to its queue.
#[derive(Debug, Clone, Copy)]
struct Left;

impl From<Untold> for Left {
    fn from(_: Untold) -> Self {
        Self
    }
}

/// Why a command has no answer yet.
enum Unanswered {
    Left,
    Failed(Failure),
}

impl From<Left> for Unanswered {
    fn from(_: Left) -> Self {
        Self::Left
    }
}

impl From<Untold> for Unanswered {
    fn from(_: Untold) -> Self {
        Self::Left
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
