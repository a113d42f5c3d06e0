//! Declarations and questions over AMQP: each has a channel for itself while it lasts, because a
//! refused one takes its channel with it. Channels whose operation went well are used again; a
//! worker looks after thousands of queues, and opening a channel costs as much as asking.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::Channel;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connection::Link;
use crate::error::{BusError, Doing, from_lapin};

/// Operations under way at once. A quorum queue is declared in about 7 ms, one after the other
/// whoever asks, so that more of them would only wait at the broker.
const AT_ONCE: usize = 16;

/// Performs operations on one connection.
pub(crate) struct Operations {
    link: Arc<Link>,
    within: Duration,
    turn: Semaphore,
    idle: Mutex<Vec<Channel>>,
}

impl Operations {
    /// On this connection; none may take longer than `within`, its wait for others not counted.
    pub fn new(link: Arc<Link>, within: Duration) -> Self {
        Self { link, within, turn: Semaphore::new(AT_ONCE), idle: Mutex::default() }
    }

    /// One operation, when it is its turn.
    pub async fn once<T>(
        &self,
        what: &'static str,
        operation: impl AsyncFnOnce(&Channel) -> lapin::Result<T>,
    ) -> Result<T, BusError> {
        let _turn = self.turn.acquire().await.map_err(|_| BusError::Closed)?;
        let channel = match self.idle_channel() {
            Some(channel) => channel,
            None => self.link.channel().await?,
        };
        // A channel that is dropped closes itself.
        match timeout(self.within, operation(&channel)).await {
            Ok(Ok(done)) => {
                self.lock().push(channel);
                Ok(done)
            }
            Ok(Err(error)) => Err(from_lapin(&error, Doing::Operating)),
            Err(_) => Err(BusError::Timeout { what, after: self.within }),
        }
    }

    /// One that lives: those of a connection that ended are thrown away.
    fn idle_channel(&self) -> Option<Channel> {
        let mut idle = self.lock();
        idle.retain(|channel| channel.status().connected());
        idle.pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
