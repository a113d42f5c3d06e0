//! The kinds of fault, and how each is told to people.

use std::fmt;
use std::time::Duration;

use super::links::Server;

/// One fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The slot's worker is replaced by one that dies or freezes at a cut point; frozen, for so long.
    AtPoint {
        /// The worker.
        slot: usize,
        /// An order such as `step_executed:create@2=kill`.
        order: String,
        /// How long it sleeps.
        nap: Duration,
    },
    /// SIGKILL.
    Kill(usize),
    /// SIGSTOP, and SIGCONT after a time.
    Freeze(usize, Duration),
    /// SIGTERM, and another worker in its place.
    Roll(usize),
    /// One worker, then five, then two.
    Workers,
    /// RabbitMQ is killed and started again.
    RabbitKilled,
    /// RabbitMQ is stopped in order and started again.
    RabbitRestarted,
    /// RabbitMQ blocks whoever publishes.
    RabbitBlocked(Duration),
    /// RabbitMQ is frozen.
    RabbitFrozen(Duration),
    /// Redis is restarted with all that it had.
    RedisRestarted,
    /// Redis is restarted with nothing.
    RedisEmptied,
    /// Redis is set back to what it had so long before.
    RedisSetBack(Duration),
    /// Redis is frozen.
    RedisFrozen(Duration),
    /// Redis has no memory for writes.
    RedisFull(Duration),
    /// The simulated Telegram does this to the next such request of an account.
    Telegram(Trouble, &'static str, u32),
    /// The simulated Telegram has limits that this workload meets.
    Limits,
    /// An account moves to the other data centre.
    Migrate(usize),
    /// One worker is cut off from one server: half-open, or refused.
    CutOff {
        /// The worker.
        slot: usize,
        /// The server.
        server: Server,
        /// Whether bytes vanish rather than being refused.
        half_open: bool,
        /// For how long.
        time: Duration,
    },
    /// The connections of one worker to one server end, as a closed socket or by a reset.
    Ends(usize, Server, bool),
    /// A connection of one worker is reset after so many more bytes.
    ResetAfter(usize, Server, u32),
    /// What one worker exchanges with one server is late by the first time, for the second.
    Slow(usize, Server, Duration, Duration),
}

/// What Telegram does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The connection is cut before the effect.
    CutBefore,
    /// The connection is cut after the effect, before the answer.
    CutAfter,
    /// Nothing on the connection is answered any more.
    HalfOpen,
    /// `500`.
    ServerError,
    /// The transport error for an unknown auth key.
    KeyUnknown,
}

impl Fault {
    /// The kind, for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AtPoint { order, .. } if order.ends_with("stop") => "frozen at a cut point",
            Self::AtPoint { .. } => "killed at a cut point",
            Self::Kill(_) => "worker killed",
            Self::Freeze(..) => "worker frozen",
            Self::Roll(_) => "worker replaced in order",
            Self::Workers => "workers 1, 5, 2",
            Self::RabbitKilled => "RabbitMQ killed",
            Self::RabbitRestarted => "RabbitMQ restarted",
            Self::RabbitBlocked(_) => "RabbitMQ blocked",
            Self::RabbitFrozen(_) => "RabbitMQ frozen",
            Self::RedisRestarted => "Redis restarted with its data",
            Self::RedisEmptied => "Redis restarted empty",
            Self::RedisSetBack(_) => "Redis set back",
            Self::RedisFrozen(_) => "Redis frozen",
            Self::RedisFull(_) => "Redis out of memory",
            Self::Telegram(Trouble::CutBefore, ..) => "Telegram cuts before the effect",
            Self::Telegram(Trouble::CutAfter, ..) => "Telegram cuts after the effect",
            Self::Telegram(Trouble::HalfOpen, ..) => "Telegram half-open",
            Self::Telegram(Trouble::ServerError, ..) => "Telegram answers 500",
            Self::Telegram(Trouble::KeyUnknown, ..) => "Telegram answers -404",
            Self::Limits => "Telegram has limits",
            Self::Migrate(_) => "account moves to another DC",
            Self::CutOff { server: Server::Rabbit, .. } => "worker cut off from RabbitMQ",
            Self::CutOff { server: Server::Redis, .. } => "worker cut off from Redis",
            Self::CutOff { server: Server::Telegram, .. } => "worker cut off from Telegram",
            Self::Ends(..) => "connections cut",
            Self::ResetAfter(..) => "connection reset after some bytes",
            Self::Slow(..) => "slow way",
        }
    }

    /// Whether the ledger may forget by it.
    #[must_use]
    pub fn loses_the_ledger(&self) -> bool {
        matches!(self, Self::RedisEmptied | Self::RedisSetBack(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match self {
            Self::AtPoint { slot, order, nap } => {
                write!(f, ": worker {}, {order}, nap {nap:.1?}", slot + 1)
            }
            Self::Kill(slot) | Self::Roll(slot) => write!(f, ": worker {}", slot + 1),
            Self::Freeze(slot, time) => write!(f, ": worker {} for {time:.1?}", slot + 1),
            Self::RabbitBlocked(time)
            | Self::RabbitFrozen(time)
            | Self::RedisFrozen(time)
            | Self::RedisFull(time) => write!(f, " for {time:.1?}"),
            Self::RedisSetBack(time) => write!(f, " by {time:.1?}"),
            Self::Telegram(_, request, times) => write!(f, ": {times} × {request}"),
            Self::Migrate(instance) => write!(f, ": account {}", instance + 1),
            Self::CutOff { slot, half_open, time, .. } => {
                let how = if *half_open { "half-open" } else { "refused" };
                write!(f, ": worker {}, {how} for {time:.1?}", slot + 1)
            }
            Self::Ends(slot, server, reset) => {
                let how = if *reset { "reset" } else { "closed" };
                write!(f, ": worker {} to {server}, {how}", slot + 1)
            }
            Self::ResetAfter(slot, server, bytes) => {
                write!(f, ": worker {} to {server} after {bytes} bytes", slot + 1)
            }
            Self::Slow(slot, server, late, time) => {
                write!(f, ": worker {} to {server} by {late:.1?} for {time:.1?}", slot + 1)
            }
            Self::Workers | Self::Limits | Self::RabbitKilled | Self::RabbitRestarted => Ok(()),
            Self::RedisRestarted | Self::RedisEmptied => Ok(()),
        }
    }
}
