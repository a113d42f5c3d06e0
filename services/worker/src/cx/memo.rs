//! What a command noted for itself: the answers of look-ups, and what it decided by them.
//!
//! A command that is parked or breaks off runs again from the top, hours later perhaps. Whatever
//! decides which steps follow must be the same then, and what was costly to find out must not be
//! asked again; so it stands in the ledger beside the steps, under a name of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Effect, StepState};

use super::Cx;
use super::recorded::Recorded;
use crate::stop::{Failure, Refusal};

impl Cx<'_> {
    /// What the command noted under this name before it broke off or was parked.
    ///
    /// # Errors
    /// A note that can't be read.
    pub fn recall<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        match self.record.steps.get(name) {
            Some(noted) if noted.state == StepState::Executed => {
                Recorded::read(&noted.answer)?.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether the command had gone on from this step before it broke off or was parked.
    pub fn went_past(&self, step: &str) -> bool {
        let steps = &self.record.steps;
        steps.get_index_of(step).is_some_and(|place| place + 1 < steps.len())
    }

    /// Notes something under a name that is no step's; what was noted there before is replaced. Up
    /// to [`store::ANSWER_BYTES_MAX`] bytes as JSON.
    ///
    /// # Errors
    /// As a step's: the instance is no longer ours, or the note is too large.
    pub async fn remember<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Failure> {
        let noted = Recorded::write::<&T>(&Ok::<_, Refusal>(value))?;
        let ledger = &self.tenure.shared.ledger;
        let (lease, id) = (&self.tenure.lease, &self.command.id);
        self.tenure
            .retry_store(|| ledger.step_executed(lease, id, name, Effect::Read, &noted))
            .await
    }
}
