//! The world's clock: unix seconds plus what the admin port advanced it by.
//!
//! Link expiry, bans and message dates follow it, so that a test passes a day in no time.
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub struct Clock {
    fixed: Option<i64>,
    offset_s: i64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { fixed: None, offset_s: 0 }
    }

    /// Stands still at `unix_s` until advanced: for tests that compare dates.
    pub fn fixed(unix_s: i64) -> Self {
        Self { fixed: Some(unix_s), offset_s: 0 }
    }

    /// Unix seconds now.
    pub fn now(&self) -> i32 {
        let base = self.fixed.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
        });
        (base + self.offset_s).clamp(0, i64::from(i32::MAX)) as i32
    }

    /// Moves time forward; never back, since Telegram's doesn't go back either.
    pub fn advance(&mut self, seconds: u32) {
        self.offset_s += i64::from(seconds);
    }
}
