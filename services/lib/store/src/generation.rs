//! Redis' data since they were last lost.

use chrono::{DateTime, Utc};

/// Redis' data since they were last lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Random.
    pub id: String,
    /// When they began, by Redis' clock. Where nothing was ever lost: the epoch of Unix time.
    pub since: DateTime<Utc>,
}
