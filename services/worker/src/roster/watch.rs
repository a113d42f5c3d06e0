//! What Redis' data allow: whether leases may be taken at all, and whether a clean release may be
//! believed.

use std::sync::{Mutex, PoisonError};

use chassis::BootInstant;
use store::{Generation, Generations, Sight, StoreError};
use tokio::sync::watch;

use crate::lease::Terms;

/// Watches whether Redis still has what it had.
pub struct Watch {
    generations: Generations,
    terms: Terms,
    generation: watch::Sender<Generation>,
    limits: Mutex<Limits>,
    last: Mutex<Option<Sight>>,
}

/// What holds after a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Nobody acquires before: owners from before a loss may believe in their leases so long.
    pub quiet_until: Option<BootInstant>,
    /// The server was started anew, and may have lost what it was told just before. No lease from
    /// then lasts longer.
    pub doubt_until: Option<BootInstant>,
}

impl Limits {
    /// What was seen before `now`. The moment of the answer, not of the question: each limit is
    /// rather too late than too early.
    fn of(sight: &Sight, now: BootInstant, terms: &Terms) -> Self {
        let left = |wait: std::time::Duration, ago: Option<std::time::Duration>| {
            let left = wait.saturating_sub(ago?);
            (!left.is_zero()).then(|| now + left)
        };
        Self {
            quiet_until: left(terms.ttl + terms.grace, sight.age),
            doubt_until: left(terms.ttl, sight.restarted),
        }
    }

    /// Before this nothing is connected that has just been taken.
    pub fn doubt(self) -> Option<BootInstant> {
        self.quiet_until.max(self.doubt_until)
    }
}

impl Watch {
    /// The first look, without which nothing is known.
    ///
    /// # Errors
    /// A store can't be asked.
    pub async fn begin(generations: Generations, terms: Terms) -> Result<Self, StoreError> {
        let sight = generations.look().await?;
        let watch = Self {
            generations,
            terms,
            generation: watch::Sender::new(sight.generation.clone()),
            limits: Mutex::default(),
            last: Mutex::default(),
        };
        watch.take(sight);
        Ok(watch)
    }

    /// The data that Redis holds, from now on.
    pub fn generation(&self) -> watch::Receiver<Generation> {
        self.generation.subscribe()
    }

    /// What held at the last look.
    pub fn limits(&self) -> Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks again. True where something is doubtful that was not before.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn look(&self) -> Result<bool, StoreError> {
        let sight = self.generations.look().await?;
        Ok(self.take(sight))
    }

    fn take(&self, sight: Sight) -> bool {
        let changed = self.generation.send_if_modified(|known| {
            let changed = *known != sight.generation;
            *known = sight.generation.clone();
            changed
        });
        let limits = Limits::of(&sight, BootInstant::now(), &self.terms);
        let before = {
            let mut held = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, limits)
        };
        if sight.is_note_due() {
            let (generations, sight) = (self.generations.clone(), sight.clone());
            // Nothing waits for it: where it fails, another look notes a later tick.
            tokio::spawn(async move { note(&generations, &sight).await });
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(sight);
        changed || (limits.doubt_until.is_some() && before.doubt_until.is_none())
    }

    /// Leaves a note of the last look, for whoever starts next.
    pub async fn leave(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sight) = last {
            note(&self.generations, &sight).await;
        }
    }
}

async fn note(generations: &Generations, sight: &Sight) {
    if let Err(error) = generations.note(sight).await {
        tracing::warn!(%error, "the generation of Redis' data was not noted in the vault");
    }
}
