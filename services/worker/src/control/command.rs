//! Orders about commands.

use proto::control::{CommandById, CommandInfo, CommandState};
use proto::fault::code;
use proto::{Command, Fault};

use super::Control;

impl Control {
    /// Tells how a command stands; any worker can, since the ledger knows.
    pub(super) async fn command_get(
        &self,
        order: &Command,
        about: CommandById,
    ) -> Result<CommandInfo, Fault> {
        let found = self.shared.ledger.get(&order.instance, &about.id).await;
        let record = found
            .map_err(|error| Fault::unavailable(code::STORE_UNAVAILABLE, error.to_string()))?
            .ok_or_else(|| {
                let message = format!("params.id: {} has no command of this id", order.instance);
                Fault::invalid(code::COMMAND_NOT_FOUND, message)
            })?;
        let state = match (record.is_replied(), record.result.is_some(), record.has_begun()) {
            (true, ..) => CommandState::Replied,
            (_, true, _) => CommandState::Finished,
            (.., true) => CommandState::Started,
            _ => CommandState::Received,
        };
        let result = record.result.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Ok(CommandInfo {
            method: Some(record.method),
            state,
            attempts: record.attempts,
            received_at: record.received_at,
            result,
        })
    }
}
