//! The worker processes of one seed. Up to five stand in slots, each with relays of its own; a process
//! that ends although its slot is wanted is started again, as an orchestrator does, and one that froze
//! itself on order is woken again.

mod slot;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use tokio::time::Instant;

use self::slot::State;
use super::links::Links;
use super::scale::Scale;
use crate::stage::worker::{FAULTS_PROGRAM, Worker, admin_address};
use crate::stage::{Scene, patience};

/// Slots of a fleet.
pub const SLOTS: usize = 5;
/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// All workers of a seed.
#[derive(Debug)]
pub struct Fleet {
    slots: Vec<Slot>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    scale: Scale,
}

/// The place of one worker.
#[derive(Debug)]
pub struct Slot {
    /// Its ways to the servers.
    pub links: Links,
    state: Mutex<State>,
}

impl Fleet {
    /// A fleet with no worker yet.
    ///
    /// # Errors
    /// When the relays don't start.
    pub async fn new(scene: &Scene, scale: Scale, more: Vec<(String, String)>) -> Result<Self> {
        let mut slots = Vec::new();
        for _ in 0..SLOTS {
            let state = State { nap: scale.time(5.0), ..State::default() };
            slots.push(Slot { links: Links::to(scene).await?, state: Mutex::new(state) });
        }
        let mut environment = scene.worker_environment();
        environment.extend(more);
        Ok(Self { slots, folder: scene.folder.path().to_owned(), environment, scale })
    }

    /// The slots.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Wants a worker in the slot; its process starts soon, with these orders for its cut points.
    pub fn want(&self, slot: usize, orders: Option<String>) {
        let mut state = self.slots[slot].lock();
        state.wanted = true;
        if state.process.is_none() {
            state.orders = orders;
            state.start_at.get_or_insert_with(Instant::now);
        }
    }

    /// Kills the slot's process; another one starts after `pause`, with these orders.
    pub fn kill(&self, slot: usize, pause: Duration, orders: Option<String>) {
        let mut state = self.slots[slot].lock();
        if let Some(mut process) = state.process.take() {
            process.kill();
        }
        if state.wanted {
            state.orders = orders;
            state.start_at = Some(Instant::now() + pause);
        }
        state.wake_at = None;
    }

    /// Freezes the slot's process for so long.
    pub fn freeze(&self, slot: usize, nap: Duration) {
        let mut state = self.slots[slot].lock();
        if let Some(process) = &state.process
            && process.signal(Signal::STOP).is_ok()
        {
            state.wake_at = Some(Instant::now() + nap);
        }
    }

    /// For how long the slot's process sleeps where an order has it freeze itself.
    pub fn set_nap(&self, slot: usize, nap: Duration) {
        self.slots[slot].lock().nap = nap;
    }

    /// Stops the slot's process in order and starts another one, or none, after its end.
    pub fn roll(&self, slot: usize, again: bool, orders: Option<String>) {
        let mut state = self.slots[slot].lock();
        state.wanted = again;
        state.orders = orders;
        if let Some(process) = &state.process {
            let _gone = process.signal(Signal::CONT);
            let _gone = process.signal(Signal::TERM);
            (state.wake_at, state.asked) = (None, true);
        }
    }

    /// Looks after the processes until it is dropped: starts, wakes, notes their ends.
    pub async fn supervise(self: Arc<Self>) {
        loop {
            for number in 0..self.slots.len() {
                if let Err(error) = self.look_after(number).await {
                    self.slots[number].lock().ended.push(format!("{error:#}"));
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look_after(&self, number: usize) -> Result<()> {
        let slot = &self.slots[number];
        let (name, environment) = {
            let mut state = slot.lock();
            state.notice_end(number, self.scale);
            state.wake();
            let due = state.start_at.is_some_and(|at| at <= Instant::now());
            if !(state.wanted && due && state.process.is_none()) {
                return Ok(());
            }
            (state.start_at, state.asked) = (None, false);
            state.starts += 1;
            let mut environment = self.environment.clone();
            environment.extend_from_slice(slot.links.environment());
            let orders = state.orders.take();
            environment.extend(orders.map(|orders| ("QUEUEGRAM_FAULTS".to_owned(), orders)));
            (format!("worker-{}-{}", number + 1, state.starts), environment)
        };
        let launch = Worker::launch(FAULTS_PROGRAM, &self.folder, &name, &environment).await?;
        let started = launch.start()?;
        let mut state = slot.lock();
        state.process = Some(started);
        Ok(())
    }

    /// Waits until the slot's worker calls itself ready.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self, slot: usize) -> Result<()> {
        let what = format!("worker {} is ready", slot + 1);
        patience::until(&what, Duration::from_secs(90), || async {
            let admin = self.slots[slot]
                .lock()
                .process
                .as_ref()
                .and_then(|process| admin_address(&process.log_text()));
            let Some(admin) = admin else { return Ok(None) };
            let get = reqwest::Client::new().get(format!("{admin}/ready"));
            let answer = get.timeout(Duration::from_secs(5)).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// Ends every fault of workers and ways, and has `count` of the workers at least.
    pub fn heal(&self, count: usize) {
        for (number, slot) in self.slots.iter().enumerate() {
            slot.links.heal();
            let mut state = slot.lock();
            if state.wake_at.is_some() {
                state.wake_at = Some(Instant::now());
            }
            state.orders = None;
            state.nap = Duration::ZERO;
            if number < count && !state.wanted {
                state.wanted = true;
                state.start_at = Some(Instant::now());
            }
        }
    }

    /// Stops every worker in order; tells of those that did not end well.
    ///
    /// # Errors
    /// When one does not end within the bound.
    pub async fn stop(&self, bound: Duration) -> Result<Vec<String>> {
        let mut processes = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let mut state = slot.lock();
            (state.wanted, state.start_at) = (false, None);
            if let Some(process) = state.process.take() {
                let _gone = process.signal(Signal::CONT);
                process.signal(Signal::TERM).context("it has ended by itself")?;
                processes.push((number, process));
            }
        }
        ensure!(!processes.is_empty(), "no worker stands at the end");
        let mut bad = Vec::new();
        for (number, mut process) in processes {
            let (worker, pid) = (format!("worker {}", number + 1), process.pid());
            // One whose order it is to freeze itself may come to that point only now.
            let awake = async {
                loop {
                    tokio::time::sleep(LOOK).await;
                    let _gone = slot::wake(pid);
                }
            };
            let status = tokio::select! {
                status = process.ended(bound) => status.with_context(|| worker.clone())?,
                () = awake => unreachable!("it goes on for ever"),
            };
            if !slot::ended_well(&process, status) {
                bad.push(format!("{worker} ended with {status}"));
            }
        }
        Ok(bad)
    }

    /// Processes that were asked to end before the end, and did not end well.
    #[must_use]
    pub fn badly_ended(&self) -> Vec<String> {
        self.slots.iter().flat_map(|slot| slot.lock().badly.clone()).collect()
    }

    /// Processes that ended by themselves, with how.
    #[must_use]
    pub fn ended(&self) -> Vec<String> {
        self.slots.iter().flat_map(|slot| slot.lock().ended.clone()).collect()
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
