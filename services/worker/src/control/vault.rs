//! Orders for the vault. Any worker of its site can follow them, but for those that write what
//! belongs to an instance: that is its owner's.

use std::sync::Arc;

use proto::control::{
    AuditReseal, AuditResealed, NoParams, VaultChecked, VaultClaimed, VaultRecord, VaultResealed,
};
use proto::fault::code;
use proto::{Command, Fault};
use store::{AuditPlace, Found, Resealed, ResealedLog};

use super::Control;
use super::account::unavailable;

/// Batches of the audit log that one order reads: each takes up to three requests to the vault.
const BATCHES: usize = 100;

impl Control {
    /// Seals an instance's records anew. Safe beside whatever its owner writes meanwhile.
    pub(super) async fn account_reseal(
        self: &Arc<Self>,
        order: &Command,
        _: NoParams,
    ) -> Result<VaultResealed, Fault> {
        let owned = self.owned(&order.instance).await?;
        let resealed = self.shared.vault.reseal(&owned.lease).await.map_err(unavailable)?;
        self.shared.sessions.rebase(&order.instance).await.map_err(unavailable)?;
        Ok(self.resealed(resealed))
    }

    /// Seals the vault's own records anew.
    pub(super) async fn vault_reseal(&self, _: NoParams) -> Result<VaultResealed, Fault> {
        let resealed = self.shared.vault.reseal_own().await.map_err(unavailable)?;
        Ok(self.resealed(resealed))
    }

    /// Seals some batches of the audit log anew: as many as one answer has time for.
    pub(super) async fn audit_reseal(&self, asked: AuditReseal) -> Result<AuditResealed, Fault> {
        let after = asked.cursor.as_deref().map(str::parse::<AuditPlace>).transpose();
        let after = after.map_err(|()| {
            let message = "params.cursor: is no `next` of an earlier answer";
            Fault::invalid(code::PARAMS_INVALID, message)
        })?;
        let resealed = self.shared.vault.reseal_audit(after.as_ref(), BATCHES).await;
        let ResealedLog { batches, resealed, unreadable, next } = resealed.map_err(unavailable)?;
        let key = self.shared.vault.key_ids().into_iter().next().unwrap_or_default();
        let next = next.map(|place| place.to_string());
        Ok(AuditResealed { batches, resealed, unreadable, key, next })
    }

    /// Tries records.
    pub(super) async fn vault_verify(
        &self,
        order: &Command,
        _: NoParams,
    ) -> Result<VaultChecked, Fault> {
        let instance = (!order.instance.is_every()).then_some(&order.instance);
        let found = self.shared.vault.inspect(instance).await.map_err(unavailable)?;
        let records = found.into_iter().map(|found| {
            let Found { kind, key, bytes, problem } = found;
            VaultRecord { kind: kind.to_owned(), key, bytes, problem }
        });
        Ok(VaultChecked { keys: self.shared.vault.key_ids(), records: records.collect() })
    }

    fn resealed(&self, done: Resealed) -> VaultResealed {
        let Resealed { records, resealed } = done;
        let key = self.shared.vault.key_ids().into_iter().next().unwrap_or_default();
        VaultResealed { records, resealed, key }
    }

    /// Makes the vault this site's.
    pub(super) async fn vault_claim(
        &self,
        order: &Command,
        _: NoParams,
    ) -> Result<VaultClaimed, Fault> {
        let claimed = self.shared.sites.claim().await.map_err(unavailable)?;
        let (record, was_ours) = (claimed.record, claimed.was_ours);
        if !was_ours {
            let (by, site) = (order.user_id.as_deref(), record.site.as_str());
            tracing::warn!(by, site, claim = record.claim, "the vault was claimed for this site");
        }
        Ok(VaultClaimed {
            vault: record.vault,
            site: record.site,
            claim: record.claim,
            claimed_at: record.claimed_at,
            was_ours,
        })
    }
}
