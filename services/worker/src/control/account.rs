//! Orders about accounts.

use std::sync::Arc;

use proto::control::{
    AccountAdd, AccountAdded, AccountInfo, AccountList, AccountRemove, AccountRemoved,
    AccountSealKey, AccountSet, AccountSetKey, NoParams,
};
use proto::event::AccountState;
use proto::fault::code;
use proto::{Command, Fault, InstanceId, Names};
use store::{InstanceRecord, StoreError};
use tokio::sync::oneshot;

use super::Control;
use crate::identity;
use crate::notices::NoticePlace;
use crate::owner::Order;
use crate::roster::Owned;
use crate::settings::{check_hash, check_label, keys_told, live_key};
use crate::standing::Standing;

impl Control {
    /// Makes an instance. Asked again with the same settings, as after a lost answer, it says yes
    /// again.
    pub(super) async fn account_add(
        self: &Arc<Self>,
        order: &Command,
        settings: AccountAdd,
    ) -> Result<AccountAdded, Fault> {
        check_settings(&settings, &self.shared.names)?;
        let wish = AccountSet {
            device: settings.device.clone().map(Some),
            application: settings.application.clone().map(Some),
            proxy: settings.proxy.clone().map(Some),
            ..AccountSet::default()
        };
        let wishes = identity::opened(&wish, &order.instance, &self.shared.service_key)?;
        let mut record = InstanceRecord {
            label: settings.label.clone(),
            notify: settings.notify.clone(),
            api_keys: settings.api_key_sha256.iter().map(|hash| live_key(hash, None)).collect(),
            require_api_key: settings.require_api_key,
            ..InstanceRecord::new(order.instance.clone(), self.shared.clock.now())
        };
        identity::apply(&mut record, wishes)?;
        let there = self.shared.instances.get(&order.instance).await.map_err(unavailable)?;
        if there.is_none() && self.roster.found(&record).await.map_err(unavailable)? {
            return Ok(AccountAdded { instance: record.id, state: AccountState::New });
        }
        let there = self.shared.instances.get(&order.instance).await.map_err(unavailable)?;
        match there {
            Some(there) if is_same(&there, &record) => {
                Ok(AccountAdded { instance: order.instance.clone(), state: AccountState::New })
            }
            Some(_) => {
                let message = format!("instance: {} exists already", order.instance);
                Err(Fault::invalid(code::INSTANCE_EXISTS, message))
            }
            // Somebody holds its lease: it is just being made, or has just been removed.
            None => {
                let busy = "another worker is just making or removing this instance";
                Err(self.busy(busy))
            }
        }
    }

    /// Tells the key to which secrets of any instance are sealed, also of one that is yet to be made.
    pub(super) fn account_seal_key(&self, _: NoParams) -> AccountSealKey {
        AccountSealKey { seal_key: self.shared.service_key.public().to_string() }
    }

    /// Tells how an instance stands.
    pub(super) async fn account_get(
        self: &Arc<Self>,
        order: &Command,
        _: NoParams,
    ) -> Result<AccountInfo, Fault> {
        let record = self.shared.instances.get(&order.instance).await.map_err(unavailable)?;
        let record = record.ok_or_else(|| no_instance(&order.instance))?;
        let owned = self.owned(&order.instance).await?;
        let standing = owned.standing.borrow().clone();
        Ok(self.info(record, standing))
    }

    /// Lists all instances, with the states that their owners noted last.
    pub(super) async fn account_list(&self, _: NoParams) -> Result<AccountList, Fault> {
        let mut accounts = Vec::new();
        for record in self.shared.instances.list().await.map_err(unavailable)? {
            let status = self.shared.statuses.get(&record.id).await.map_err(unavailable)?;
            let standing = match (self.roster.get(&record.id), status) {
                (Some(owned), _) => owned.standing.borrow().clone(),
                (None, Some(status)) => Standing::left(status),
                // Redis lost what was noted, and nobody owns it yet: it has a login all the same.
                (None, None) if record.user_id.is_some() => Standing::default(),
                (None, None) => Standing { state: AccountState::New, ..Standing::default() },
            };
            accounts.push(self.info(record, standing));
        }
        accounts.sort_by(|a, b| a.instance.cmp(&b.instance));
        Ok(AccountList { accounts })
    }

    /// Logs an instance out and forgets everything about it.
    pub(super) async fn account_remove(
        self: &Arc<Self>,
        order: &Command,
        params: AccountRemove,
    ) -> Result<AccountRemoved, Fault> {
        if params.confirm != order.instance {
            let message = "params.confirm: is not the instance's id";
            return Err(Fault::invalid(code::PARAMS_INVALID, message));
        }
        let owned = self.owned(&order.instance).await?;
        let (done, ended) = oneshot::channel();
        self.order(&owned, Order::Remove(done)).await?;
        let logged_out = ended.await.unwrap_or_else(|_| Err(going_down()))?;
        Ok(AccountRemoved { instance: order.instance.clone(), logged_out })
    }

    /// Changes an instance's settings.
    pub(super) async fn account_set(
        self: &Arc<Self>,
        order: &Command,
        wish: AccountSet,
    ) -> Result<AccountInfo, Fault> {
        self.have_owner(order, |done| Order::Set(Box::new(wish), done)).await
    }

    /// Gives an instance a new API key.
    pub(super) async fn account_set_key(
        self: &Arc<Self>,
        order: &Command,
        wish: AccountSetKey,
    ) -> Result<AccountInfo, Fault> {
        self.have_owner(order, |done| Order::SetKey(wish, done)).await
    }

    /// Disconnects an instance until it is started again.
    pub(super) async fn account_stop(
        self: &Arc<Self>,
        order: &Command,
        _: NoParams,
    ) -> Result<AccountInfo, Fault> {
        self.have_owner(order, Order::Stop).await
    }

    /// Connects a stopped instance again.
    pub(super) async fn account_start(
        self: &Arc<Self>,
        order: &Command,
        _: NoParams,
    ) -> Result<AccountInfo, Fault> {
        self.have_owner(order, Order::Start).await
    }

    /// Has the owner follow an order, and tells how the instance stands then.
    async fn have_owner(
        self: &Arc<Self>,
        order: &Command,
        to: impl FnOnce(oneshot::Sender<Result<(), Fault>>) -> Order,
    ) -> Result<AccountInfo, Fault> {
        let owned = self.owned(&order.instance).await?;
        let (done, ended) = oneshot::channel();
        self.order(&owned, to(done)).await?;
        ended.await.unwrap_or_else(|_| Err(going_down()))?;
        self.account_get(order, NoParams {}).await
    }

    pub(super) async fn order(&self, owned: &Owned, order: Order) -> Result<(), Fault> {
        owned.orders.send(order).await.map_err(|_| going_down())
    }

    /// The instance as this worker's own; taken, where nobody owns it yet.
    pub(super) async fn owned(self: &Arc<Self>, instance: &InstanceId) -> Result<Owned, Fault> {
        if let Some(owned) = self.roster.get(instance) {
            return Ok(owned);
        }
        let known = self.shared.instances.get(instance).await.map_err(unavailable)?;
        if known.is_none() {
            return Err(no_instance(instance));
        }
        let taken = self.roster.take(instance).await.map_err(unavailable)?;
        taken.ok_or_else(|| {
            self.busy("another worker is just taking the instance, or this one is full")
        })
    }

    /// Why an instance could not be taken, where it is not this worker's own state.
    pub(super) fn busy(&self, message: &str) -> Fault {
        let busy = || Fault::unavailable(code::INSTANCE_BUSY, message);
        self.roster.refusal().unwrap_or_else(busy)
    }

    /// Says where there is no such instance.
    pub(super) async fn known(&self, instance: &InstanceId) -> Result<(), Fault> {
        let record = self.shared.instances.get(instance).await.map_err(unavailable)?;
        record.map(drop).ok_or_else(|| no_instance(instance))
    }

    fn notify_told(&self, notify: Option<&str>) -> Option<String> {
        NoticePlace::read(notify?, &self.shared.names).ok().map(|place| place.to_string())
    }

    fn info(&self, record: InstanceRecord, standing: Standing) -> AccountInfo {
        let identity = identity::told(&record, &self.shared.telegram.presence());
        let proxy = identity::proxy_told(&record);
        let id = record.id;
        AccountInfo {
            instance: id.clone(),
            label: record.label,
            tags: record.tags,
            notes: record.notes,
            notify: self.notify_told(record.notify.as_deref()),
            state: standing.state,
            reason: standing.reason,
            since: standing.since,
            until: standing.until,
            user_id: record.user_id,
            username: record.username,
            require_api_key: record.require_api_key,
            api_keys: keys_told(&record.api_keys),
            seal_key: Some(self.shared.service_key.public().to_string()),
            identity: Some(identity),
            proxy,
            pauses: self.shared.pauses.over(&id),
            created_at: record.created_at,
        }
    }
}

/// Whether an instance was made by the same wish.
fn is_same(there: &InstanceRecord, wish: &InstanceRecord) -> bool {
    let of = |record: &InstanceRecord| {
        let hashes: Vec<_> = record.api_keys.iter().map(|key| key.sha256.clone()).collect();
        let texts = (record.label.clone(), record.notify.clone());
        let way = (record.identity.wish.clone(), record.identity.application.clone());
        (texts, hashes, record.require_api_key, way, record.proxy.clone())
    };
    of(there) == of(wish)
}

fn check_settings(settings: &AccountAdd, names: &Names) -> Result<(), Fault> {
    check_label(settings.label.as_deref())?;
    if let Some(notify) = &settings.notify {
        NoticePlace::read(notify, names)?;
    }
    match &settings.api_key_sha256 {
        Some(hash) => check_hash(hash),
        None if settings.require_api_key => {
            let message = "params.api_key_sha256: is missing, and require_api_key asks for it";
            Err(Fault::invalid(code::PARAMS_INVALID, message))
        }
        None => Ok(()),
    }
}

pub(super) fn no_instance(instance: &InstanceId) -> Fault {
    Fault::invalid(code::INSTANCE_NOT_FOUND, format!("instance: there is no {instance}"))
}

pub(super) fn going_down() -> Fault {
    Fault::unavailable(code::WORKER_STOPPING, "the worker is going down; ask again")
}

pub(super) fn unavailable(error: StoreError) -> Fault {
    Fault::unavailable(code::STORE_UNAVAILABLE, error.to_string())
}

#[cfg(test)]
mod tests;
