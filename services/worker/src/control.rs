//! Orders on `tg.control`: what must not wait behind commands. They are read from three queues:
//! this worker's own (orders for instances that it owns), the one for instances that nobody owns,
//! and the one that any worker may answer.
//!
//! Orders are answered like commands. They are not kept in the ledger: each of them, asked twice,
//! leaves the same state.

mod account;
mod audit;
mod backup;
mod command;
mod limits;
mod login;
mod pause;
mod resolve;
mod restore;
mod vault;

use std::sync::Arc;
use std::time::Instant;

use bus::{Backoff, BusError, ControlBinder, Delivery, Lost, Subscription, is_probe};
use futures_util::{TryStreamExt, stream};
use proto::control::method;
use proto::envelope::{Incoming, Rules};
use proto::fault::code;
use proto::{Command, CommandResult, Fault, Names, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answers::{Answer, Untold};
use crate::audit::by_note;
use crate::contract::ORDERS;
use crate::method::read_as_written;
use crate::roster::Roster;
use crate::tenure::Shared;

/// Orders in hand at once: a login stays in hand until it ends.
const PREFETCH: u16 = 64;
/// Instances whose orders are bound at once, after the connection was lost.
const BOUND_AT_ONCE: usize = 32;
/// Most characters of an asker's name.
const NAME_CHARS_MAX: usize = 128;

/// Follows orders.
pub struct Control {
    shared: Arc<Shared>,
    roster: Arc<Roster>,
    rules: Rules,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Control {
    /// Follows orders with what the worker has, until `stopping`.
    pub fn new(shared: Arc<Shared>, roster: Arc<Roster>, stopping: CancellationToken) -> Arc<Self> {
        let rules = Rules {
            methods: ORDERS.iter().map(|order| order.name).collect(),
            ..shared.rules.clone()
        };
        Arc::new(Self { shared, roster, rules, stopping, tasks: TaskTracker::new() })
    }

    /// Reads the worker's own queue; tells the roster when it can be bound to instances.
    pub async fn read_own(self: Arc<Self>, binder: watch::Sender<Option<ControlBinder>>) {
        let mut backoff = Backoff::BROKER;
        while !self.stopping.is_cancelled() {
            match self.shared.bus.control_queue(&self.shared.worker_id, PREFETCH).await {
                Ok(mut queue) => {
                    let since = Instant::now();
                    match self.bind_again(&queue.binder()).await {
                        Ok(()) => {
                            binder.send_replace(Some(queue.binder()));
                            while self.follow_next(queue.next()).await {}
                        }
                        Err(error) => tracing::warn!(%error, "orders can't be bound; trying again"),
                    }
                    queue.close().await;
                    backoff.stood_since(since);
                }
                Err(error) => tracing::warn!(%error, "can't read orders; trying again"),
            }
            backoff.wait(&self.stopping).await;
        }
    }

    /// Reads one of the queues that all workers share.
    pub async fn read_shared(self: Arc<Self>, queue: String) {
        let mut backoff = Backoff::BROKER;
        while !self.stopping.is_cancelled() {
            let subscription = Subscription::new(queue.clone()).prefetch(PREFETCH);
            match self.shared.bus.consume_shared(subscription).await {
                Ok(mut consumption) => {
                    let since = Instant::now();
                    while self.follow_next(consumption.next()).await {}
                    consumption.close().await;
                    backoff.stood_since(since);
                }
                Err(error) => tracing::warn!(%error, queue, "can't read orders; trying again"),
            }
            backoff.wait(&self.stopping).await;
        }
    }

    /// Follows what comes next; false where the worker stops or the queue is lost. In the first case
    /// the orders in hand come to their end before their queue is let go. In the second nobody waits
    /// for them: a login in hand may need an order that only the next consumption can bring.
    async fn follow_next(
        self: &Arc<Self>,
        next: impl Future<Output = Result<Delivery, Lost>> + Send,
    ) -> bool {
        tokio::select! {
            delivery = next => match delivery {
                Ok(delivery) => {
                    self.follow(delivery);
                    true
                }
                Err(_) => false,
            },
            () = self.stopping.cancelled() => {
                self.tasks.close();
                self.tasks.wait().await;
                false
            }
        }
    }

    /// The queues that all workers share.
    pub fn shared_queues(names: &Names) -> [String; 2] {
        [names.control_shared(), names.control_unowned()]
    }

    /// After the connection was lost the queue is a new one, and bound to nothing.
    async fn bind_again(&self, binder: &ControlBinder) -> Result<(), BusError> {
        let owned = stream::iter(self.roster.instances().into_iter().map(Ok));
        owned
            .try_for_each_concurrent(BOUND_AT_ONCE, |instance| async move {
                binder.bind(&instance).await
            })
            .await
    }

    fn follow(self: &Arc<Self>, delivery: Delivery) {
        let this = self.clone();
        self.tasks.spawn(async move {
            let settled = match this.answer(&delivery).await {
                Ok(()) => delivery.ack().await,
                Err(_) => delivery.give_back().await,
            };
            if let Err(error) = settled {
                tracing::warn!(%error, "an order was not settled");
            }
        });
    }

    async fn answer(self: &Arc<Self>, delivery: &Delivery) -> Result<(), Untold> {
        if is_probe(delivery) {
            return Ok(());
        }
        let decoded = proto::decode(Incoming {
            body: &delivery.body,
            properties: &delivery.properties,
            exchange: &delivery.exchange,
            routing_key: &delivery.routing_key,
            queue_instance: None,
            redelivered: delivery.redelivered,
            received_at: self.shared.clock.now(),
            rules: &self.rules,
        });
        let order = match decoded {
            Ok(order) => order,
            Err(rejected) => {
                return self.shared.answers.refuse(delivery, &rejected, &self.stopping).await;
            }
        };
        let outcome = self.carry_out(&order).await.unwrap_or_else(Outcome::from_fault);
        self.audit_order(&order, by_note(&delivery.notes), &outcome).await;
        let result = CommandResult::of(&order, outcome, 1, self.shared.clock.now());
        self.shared.answers.give(&Answer::outcome(result, &order), &self.stopping).await
    }

    async fn carry_out(self: &Arc<Self>, order: &Command) -> Result<Outcome, Fault> {
        // Whoever asked has given up waiting: an account that appears, or is removed, later would
        // surprise them.
        if self.shared.clock.now() >= order.deadline {
            return Err(Fault::expired("the order's deadline passed before a worker took it"));
        }
        match order.method.as_str() {
            method::ACCOUNT_ADD => done(self.account_add(order, params(order)?).await?),
            method::ACCOUNT_GET => done(self.account_get(order, params(order)?).await?),
            method::ACCOUNT_LIST => done(self.account_list(params(order)?).await?),
            method::ACCOUNT_LOGIN => done(self.account_login(order, params(order)?).await?),
            method::ACCOUNT_LOGIN_ANSWER => done(self.login_answer(order, params(order)?).await?),
            method::ACCOUNT_LOGIN_CANCEL => done(self.login_cancel(order, params(order)?).await?),
            method::ACCOUNT_EXPORT => done(self.account_export(order, params(order)?).await?),
            method::ACCOUNT_REMOVE => done(self.account_remove(order, params(order)?).await?),
            // What null takes away stays where it is left out.
            method::ACCOUNT_SET => {
                done(self.account_set(order, read_as_written(&order.params)?).await?)
            }
            method::ACCOUNT_SEAL_KEY => done(self.account_seal_key(params(order)?)),
            method::ACCOUNT_SET_KEY => done(self.account_set_key(order, params(order)?).await?),
            method::ACCOUNT_STOP => done(self.account_stop(order, params(order)?).await?),
            method::ACCOUNT_START => done(self.account_start(order, params(order)?).await?),
            method::ACCOUNT_LIMITS => done(self.account_limits(order, params(order)?).await?),
            method::ACCOUNT_SET_LIMITS => {
                done(self.account_set_limits(order, params(order)?).await?)
            }
            method::ACCOUNT_FORECAST => done(self.account_forecast(order, params(order)?).await?),
            method::ACCOUNT_PAUSE => done(self.account_pause(order, params(order)?).await?),
            method::ACCOUNT_RESUME => done(self.account_resume(order, params(order)?).await?),
            method::COMMAND_CANCEL => self.command_cancel(order, params(order)?).await,
            method::COMMAND_LIST => done(self.command_list(order, params(order)?).await?),
            method::COMMAND_RESOLVE => done(self.command_resolve(order, params(order)?).await?),
            method::COMMAND_GET => done(self.command_get(order, params(order)?).await?),
            method::ACCOUNT_RESEAL => done(self.account_reseal(order, params(order)?).await?),
            method::VAULT_RESEAL => done(self.vault_reseal(params(order)?).await?),
            method::VAULT_VERIFY => done(self.vault_verify(order, params(order)?).await?),
            method::VAULT_BACKUP => done(self.vault_backup(order, params(order)?).await?),
            method::ACCOUNT_RESTORE => done(self.account_restore(order, params(order)?).await?),
            method::VAULT_CLAIM => done(self.vault_claim(order, params(order)?).await?),
            method::AUDIT_RESEAL => done(self.audit_reseal(params(order)?).await?),
            method::AUDIT_LIST => done(self.audit_list(params(order)?).await?),
            other => {
                Err(Fault::invalid(code::METHOD_UNKNOWN, format!("there is no order {other}")))
            }
        }
    }
}

/// Who gives an order: the name that the broker vouches for, else the one that is claimed.
fn asker(order: &Command, claimed: Option<String>) -> Result<Option<String>, Fault> {
    bounded("params.by", claimed.as_deref(), NAME_CHARS_MAX)?;
    Ok(order.user_id.clone().or(claimed))
}

/// A text of at most so many characters.
fn bounded(field: &str, text: Option<&str>, chars_max: usize) -> Result<(), Fault> {
    if text.is_some_and(|text| text.chars().count() > chars_max) {
        let message = format!("{field}: has more than {chars_max} characters");
        return Err(Fault::invalid(code::PARAMS_INVALID, message));
    }
    Ok(())
}

fn params<P: DeserializeOwned>(order: &Command) -> Result<P, Fault> {
    crate::method::read_params(&order.params)
}

fn done(result: impl Serialize) -> Result<Outcome, Fault> {
    let result = serde_json::to_value(result);
    Ok(Outcome::done(None, result.map_err(|error| Fault::internal(error.to_string()))?))
}
