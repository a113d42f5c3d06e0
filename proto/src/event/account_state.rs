//! The states of a connected account: the closed list that events, orders and metrics share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a connected account stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Never logged in.
    New,
    /// A login shows a code to scan.
    AwaitingScan,
    /// A login waits for Telegram's code.
    AwaitingCode,
    /// A login waits for the 2FA password.
    AwaitingPassword,
    /// Its connection is being made.
    Connecting,
    /// Connected and working.
    Online,
    /// Connected, and Telegram asked for a longer wait with some calls; their commands are parked.
    Cooling,
    /// Stopped by an order.
    Stopped,
    /// Telegram ended the login: it must be connected again.
    LoggedOut,
    /// Telegram banned or deleted the account.
    Banned,
    /// Connected, and Telegram lets it make or fill no groups for a while.
    Restricted,
    /// This installation can't use it, and neither a login nor waiting mends that.
    Failed,
}

impl AccountState {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::New,
        Self::AwaitingScan,
        Self::AwaitingCode,
        Self::AwaitingPassword,
        Self::Connecting,
        Self::Online,
        Self::Cooling,
        Self::Stopped,
        Self::LoggedOut,
        Self::Banned,
        Self::Restricted,
        Self::Failed,
    ];

    /// Whether the account is connected and its commands are worked on, all of them or most.
    #[must_use]
    pub fn is_connected(self) -> bool {
        matches!(self, Self::Online | Self::Cooling | Self::Restricted)
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::AwaitingScan => "awaiting_scan",
            Self::AwaitingCode => "awaiting_code",
            Self::AwaitingPassword => "awaiting_password",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Cooling => "cooling",
            Self::Stopped => "stopped",
            Self::LoggedOut => "logged_out",
            Self::Banned => "banned",
            Self::Restricted => "restricted",
            Self::Failed => "failed",
        }
    }
}
