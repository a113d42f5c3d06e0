//! A step's answer as the ledger keeps it: what Telegram said, yes or no.

use proto::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::stop::{Failure, Refusal, Stop};

/// Reads and writes them.
pub(super) enum Recorded {}

impl Recorded {
    pub(super) fn write<T: Serialize>(
        answer: &Result<T, Refusal>,
    ) -> Result<serde_json::Value, Failure> {
        serde_json::to_value(answer).map_err(|error| {
            Failure::Stop(Stop::Fault(Fault::internal(format!(
                "an answer has no JSON form: {error}"
            ))))
        })
    }

    pub(super) fn read<T: DeserializeOwned>(
        answer: &serde_json::Value,
    ) -> Result<Result<T, Failure>, Failure> {
        match serde_json::from_value::<Result<T, Refusal>>(answer.clone()) {
            Ok(answer) => Ok(answer.map_err(Failure::Refused)),
            Err(error) => Err(Failure::Stop(Stop::Fault(Fault::internal(format!(
                "a recorded answer can't be read: {error}"
            ))))),
        }
    }

    pub(super) fn is_success(answer: &serde_json::Value) -> bool {
        answer.get("Ok").is_some()
    }
}
