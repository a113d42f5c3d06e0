//! The connections that consume: as many as the consumptions need.
//!
//! A consumption has a channel for itself, since a delivery goes back to its place in the queue
//! only by closing its channel: two instances on one channel would lose each other's deliveries.
//! RabbitMQ allows 2,047 channels on a connection unless told otherwise, and a worker may own more
//! instances than that. Each connection is supervised by itself, so the end of one takes only its
//! own consumptions along.
//!
//! Whoever wants to consume waits in line first ([`BEGUN_AT_ONCE`]): after a restart of the broker
//! thousands of instances come back, and must not all be asked for at the same moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Settings;
use crate::connection::Link;
use crate::counters::Counts;
use crate::error::BusError;

/// Consumptions being begun at once, over all connections. Each takes three round trips, so this
/// still makes some thousands a second, and bounds what a broker that just came up has in hand.
const BEGUN_AT_ONCE: usize = 16;

/// The consuming connections. They are opened when they are needed, and stay.
pub(crate) struct Fleet {
    settings: Arc<Settings>,
    name: String,
    counts: Arc<Counts>,
    ships: Mutex<Vec<Ship>>,
    begun: Semaphore,
}

/// One connection and how many channels of it are taken.
struct Ship {
    link: Arc<Link>,
    taken: Arc<AtomicUsize>,
}

/// A channel's place on a connection, free again when it is dropped.
pub(crate) struct Seat {
    taken: Arc<AtomicUsize>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fleet {
    /// None yet; `name` is what the management UI shows of each.
    pub fn new(settings: Arc<Settings>, name: String, counts: Arc<Counts>) -> Self {
        let (ships, begun) = (Mutex::default(), Semaphore::new(BEGUN_AT_ONCE));
        Self { settings, name, counts, ships, begun }
    }

    /// Waits until it is one's turn to begin a consumption.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, BusError> {
        self.begun.acquire().await.map_err(|_| BusError::Closed)
    }

    /// A new channel on a connection that has room.
    pub async fn channel(&self) -> Result<(lapin::Channel, Seat), BusError> {
        let (link, seat) = self.seat()?;
        Ok((link.channel().await?, seat))
    }

    /// A place on the first connection that has room, rather on one that is up: where one is away
    /// and the others aren't, its instances are served by those.
    fn seat(&self) -> Result<(Arc<Link>, Seat), BusError> {
        if self.begun.is_closed() {
            return Err(BusError::Closed);
        }
        let mut ships = self.lock();
        let room = |ship: &&Ship| {
            let most = self.settings.channels_per_connection.min(ship.link.channels_max());
            ship.taken.load(Ordering::Relaxed) < most
        };
        let with_room = || ships.iter().filter(room);
        let found = with_room().find(|ship| ship.link.is_up()).or_else(|| with_room().next());
        if let Some(ship) = found {
            return Ok(ship.board());
        }
        let name = format!("{} {}", self.name, ships.len() + 1);
        let link = Arc::new(Link::start(self.settings.clone(), name, self.counts.clone()));
        let ship = Ship { link, taken: Arc::default() };
        let boarded = ship.board();
        ships.push(ship);
        Ok(boarded)
    }

    /// True while every connection that was opened is there.
    pub fn is_up(&self) -> bool {
        self.lock().iter().all(|ship| ship.link.is_up())
    }

    /// Waits, as long as it takes, until every connection that was opened is there.
    pub async fn connected(&self) -> bool {
        let links = self.links();
        join_all(links.iter().map(|link| link.connected())).await.into_iter().all(|up| up)
    }

    /// How many connections were opened.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Closes all of them at once; nothing is consumed any more.
    pub async fn close(&self) {
        self.begun.close();
        let links = self.links();
        join_all(links.iter().map(|link| link.close())).await;
    }

    fn links(&self) -> Vec<Arc<Link>> {
        self.lock().iter().map(|ship| ship.link.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Ship>> {
        self.ships.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ship {
    fn board(&self) -> (Arc<Link>, Seat) {
        // Counted under the fleet's lock, so two don't get the last place.
        self.taken.fetch_add(1, Ordering::Relaxed);
        (self.link.clone(), Seat { taken: self.taken.clone() })
    }
}
