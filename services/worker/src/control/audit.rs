//! The order that shows the audit log, and noting orders in it. Any worker can follow it: the log lies
//! in the vault.

use chrono::TimeDelta;
use proto::control::{AuditList, AuditListed};
use proto::fault::code;
use proto::{Command, Fault, Outcome};

use super::Control;
use super::account::unavailable;
use crate::audit::{self, Position};

/// Rows of one page where nothing is said, and the most.
const ROWS: (u32, u32) = (50, 200);
/// Looked back where nothing is said.
const SINCE_S: u64 = 86_400;

impl Control {
    /// Tells who did what, a page at a time.
    pub(super) async fn audit_list(&self, asked: AuditList) -> Result<AuditListed, Fault> {
        let limit = asked.limit.unwrap_or(ROWS.0);
        if !(1..=ROWS.1).contains(&limit) {
            return Err(wrong(format!("params.limit: must lie between 1 and {}", ROWS.1)));
        }
        let seconds = i64::try_from(asked.since_s.unwrap_or(SINCE_S)).ok();
        let since = seconds
            .and_then(TimeDelta::try_seconds)
            .and_then(|ago| self.shared.clock.now().checked_sub_signed(ago))
            .ok_or_else(|| wrong("params.since_s: is too long".to_owned()))?;
        let from = asked.cursor.as_deref().map(str::parse::<Position>).transpose();
        let from = from
            .map_err(|()| wrong("params.cursor: is no `next` of an earlier answer".to_owned()))?;
        // What this worker did last is to be seen at once.
        self.shared.audit.flush().await.map_err(unavailable)?;
        let instance = asked.instance.as_ref();
        let page = audit::page(&self.shared.vault, instance, since, from, limit as usize);
        page.await.map_err(unavailable)
    }

    /// Notes what came of an order, before it is answered. Where the vault does not take it now, the
    /// answer is not kept back for that: it is tried again until it does.
    pub(super) async fn audit_order(&self, order: &Command, by: Option<String>, outcome: &Outcome) {
        let at = self.shared.clock.now();
        let Some(record) = audit::of_order(order, by, outcome, at) else { return };
        self.shared.audit.note(record);
        if let Err(error) = self.shared.audit.flush().await {
            tracing::error!(%error, order = %order.method, "an order is not in the audit log yet");
        }
    }
}

fn wrong(message: String) -> Fault {
    Fault::invalid(code::PARAMS_INVALID, message)
}
