//! Says when one account may make its next call. What it knows ([`State`]) is kept with every change
//! that matters, so that the next owner goes on from there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chassis::Clock;
use chrono::{DateTime, Utc};
use store::StoreError;

use super::circuit::Trip;
use super::fullness::Fullness;
use super::keeping::Keeping;
use super::meter::Meter;
use super::settings::Settings;
use super::state::{Kept, Look, State};
use super::{Ask, Class, Hit, Lane, NotYet};

/// The limits of one account.
pub struct Limiter<K> {
    pub(super) clock: Clock,
    state: Mutex<State>,
    /// One write after the other: an older one must not come last.
    writing: tokio::sync::Mutex<K>,
}

impl<K: Keeping> Limiter<K> {
    /// Goes on from what was kept; where that is lost, or may be older than it was, every burst counts
    /// as spent.
    pub fn new(
        settings: Settings,
        kept: Option<Kept>,
        lost: bool,
        clock: Clock,
        keeping: K,
    ) -> Self {
        let state = Mutex::new(State::new(settings, kept, lost, &clock));
        Self { clock, state, writing: tokio::sync::Mutex::new(keeping) }
    }

    /// Lets a call through, and takes what it costs from its budget; or says why not yet.
    ///
    /// # Errors
    /// The store that keeps what is used can't be asked, or the instance is no longer ours: then
    /// nothing may be called.
    pub async fn ask(&self, ask: Ask) -> Result<Result<(), NotYet>, StoreError> {
        let due = {
            let mut state = self.state();
            let now = self.clock.now();
            if let Err(not_yet) = state.take(ask, now) {
                return Ok(Err(not_yet));
            }
            state.is_save_due(ask.class, now)
        };
        if due && let Err(error) = Box::pin(self.save()).await {
            // Nothing is called, and whoever asks again is not to pay for it twice.
            self.state().give_back(ask);
            return Err(error);
        }
        Ok(Ok(()))
    }

    /// Shuts the gates that a limit asks for, and slows its class down. This is written down before
    /// anything else, and may be tried again: it counts once. Where it was one warning too many, the
    /// classes to be stopped are told, each time until that is [noted](Self::stopped).
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn hit(&self, hit: &Hit) -> Result<(NotYet, Option<Trip>), StoreError> {
        let not_yet = self.state().hit(hit, self.clock.now());
        Box::pin(self.save()).await?;
        Ok((not_yet, self.tripped()))
    }

    /// Strangers were invited: so many came in, so many their privacy kept out. The classes to be
    /// stopped are told where these are too many. It is written down with [`Limiter::flush`].
    pub fn invited(&self, added: usize, blocked: usize) -> Option<Trip> {
        let mut state = self.state();
        state.circuit.invited(added, blocked);
        state.unsaved_since.get_or_insert(self.clock.now());
        state.circuit.tripped()
    }

    /// The classes to be stopped, where that is not noted yet: their calls are held back already.
    pub fn tripped(&self) -> Option<Trip> {
        self.state().circuit.tripped()
    }

    /// The classes are noted as paused: from now on the pauses say how long they stop.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn stopped(&self) -> Result<(), StoreError> {
        self.state().circuit.noted();
        Box::pin(self.save()).await
    }

    /// How many groups the account is in, once they were counted.
    pub fn groups(&self) -> Option<Fullness> {
        self.state().groups.clone()
    }

    /// The groups were counted.
    pub fn count_groups(&self, used: u32, most: u32) {
        let (mut state, now) = (self.state(), self.clock.now());
        state.groups = Some(Fullness::counted(used, most, state.groups.as_ref(), now));
    }

    /// A group was made, or one is gone.
    pub fn change_groups(&self, made: bool) {
        if let Some(groups) = &mut self.state().groups {
            groups.changed(made);
        }
    }

    /// Telegram says that the account can be in no more groups, whatever was counted; `most` is for
    /// where nothing was.
    pub fn fill_groups(&self, most: u32) -> Fullness {
        let (mut state, now) = (self.state(), self.clock.now());
        let never = || Fullness::counted(most, most, None, now);
        let groups = state.groups.get_or_insert_with(never);
        groups.filled(now);
        groups.clone()
    }

    /// The groups, where it is to be told now that they are nearly as many as there may be.
    pub fn groups_news(&self) -> Option<Fullness> {
        let mut state = self.state();
        state.groups.as_mut()?.is_news().then(|| state.groups.clone())?
    }

    /// The most calls of a class that can come at once: by what is configured, so that it is the
    /// same tomorrow.
    pub fn at_once(&self, class: Class) -> usize {
        let burst = self.state().settings.configured(class).burst.get();
        usize::try_from(burst).unwrap_or(usize::MAX)
    }

    /// What a lane's head waits for, whose next call costs one; `None` where it may go on.
    pub fn when(&self, lane: Lane) -> Option<NotYet> {
        self.state().when(lane, self.clock.now())
    }

    /// When a call of a class can be made that comes after `ahead` others.
    pub fn forecast(&self, class: Class, ahead: u32) -> DateTime<Utc> {
        self.state().forecast(class, ahead, self.clock.now())
    }

    /// Other settings from now on; what is used stays used.
    pub fn reconfigure(&self, settings: Settings) {
        self.state().reconfigure(settings, self.clock.now());
    }

    /// What is known now, for whoever goes on from here without the store.
    pub fn kept(&self) -> Kept {
        self.state().kept()
    }

    /// Writes down what is not yet.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn flush(&self) -> Result<(), StoreError> {
        let unsaved = self.state().unsaved_since.is_some();
        if unsaved { self.save().await } else { Ok(()) }
    }

    /// Writes everything down.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn save(&self) -> Result<(), StoreError> {
        let keeping = self.writing.lock().await;
        let kept = {
            let mut state = self.state();
            state.unsaved_since = None;
            state.kept()
        };
        let text = serde_json::to_string(&kept).unwrap_or_default();
        let done = keeping.keep(text).await;
        if done.is_err() {
            self.state().unsaved_since.get_or_insert(self.clock.now());
        }
        done
    }

    pub(super) fn look<T>(
        &self,
        class: Class,
        look: impl FnOnce(&Meter, &Look<'_>) -> T,
    ) -> Option<T> {
        self.state().look(class, self.clock.now(), look)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
