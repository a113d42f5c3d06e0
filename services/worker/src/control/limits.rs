//! Orders about an account's limits. Any worker can tell them: what is used lies in Redis, written by
//! the owner at most a second ago. Only the owner can change them.

use std::collections::BTreeMap;
use std::sync::Arc;

use proto::control::{
    AccountForecast, AccountLimits, AccountSetLimits, ChatLimit, ClassLimit, Forecast, GroupsUsed,
    NoParams, PauseInfo,
};
use proto::fault::code;
use proto::{ChatId, Command, Fault, MethodName};
use store::{InstanceRecord, LaneBoard};
use tokio::sync::oneshot;

use super::Control;
use super::account::{going_down, no_instance, unavailable};
use crate::limits::{Class, Kept, Lane, Limiter, Nowhere, Settings, Waiting};
use crate::methods;
use crate::owner::Order;

/// What is known of an instance's limits.
struct Known {
    settings: Settings,
    limiter: Limiter<Nowhere>,
    board: LaneBoard,
}

impl Control {
    /// Tells how often the account may call Telegram, and how it stands with that.
    pub(super) async fn account_limits(
        &self,
        order: &Command,
        _: NoParams,
    ) -> Result<AccountLimits, Fault> {
        let known = self.limits_of(order).await?;
        let classes =
            Class::ALL.into_iter().filter_map(|class| self.class_limit(order, &known, class));
        Ok(AccountLimits {
            instance: order.instance.clone(),
            profile: known.settings.profile().name().to_owned(),
            warm_up_until: known.settings.warm_up_until(self.shared.clock.now()),
            classes: classes.collect(),
            chats: chats_of(&known),
            groups: known.limiter.groups().map(|groups| GroupsUsed {
                used: groups.used,
                most: groups.most,
                counted_at: groups.counted_at,
            }),
        })
    }

    /// Gives an instance budgets of its own.
    pub(super) async fn account_set_limits(
        self: &Arc<Self>,
        order: &Command,
        params: AccountSetLimits,
    ) -> Result<AccountLimits, Fault> {
        let owned = self.owned(&order.instance).await?;
        let (done, ended) = oneshot::channel();
        self.order(&owned, Order::SetLimits(params, done)).await?;
        ended.await.unwrap_or_else(|_| Err(going_down()))?;
        self.account_limits(order, NoParams {}).await
    }

    /// Tells when a command of a method could be carried out.
    pub(super) async fn account_forecast(
        &self,
        order: &Command,
        params: AccountForecast,
    ) -> Result<Forecast, Fault> {
        let Some(entry) = methods::find(params.method.as_str()) else {
            let message = format!("params.method: there is no method {}", params.method);
            return Err(Fault::invalid(code::METHOD_UNKNOWN, message));
        };
        let known = self.limits_of(order).await?;
        // The one that the method is about: most commands draw on no other for long.
        let main = entry.classes.first();
        let limit = main.and_then(|class| self.class_limit(order, &known, *class));
        let pause = self.pause_over(order, &params.method);
        let pause = pause.map(|pause| pause.reason.unwrap_or_else(|| code::PAUSED.to_owned()));
        let full = main == Some(&Class::Create)
            && known.limiter.groups().is_some_and(|groups| groups.is_full());
        if let Some(reason) = pause.or(full.then(|| code::ACCOUNT_FULL.to_owned())) {
            return Ok(Forecast {
                instance: order.instance.clone(),
                method: params.method,
                class: None,
                reason: Some(reason),
                parked: limit.map_or(0, |limit| limit.parked),
                next_at: None,
            });
        }
        // Read after the forecast was made: what could be done then can be done now.
        let now = self.shared.clock.now();
        let waits = limit.filter(|limit| limit.next_at.is_none_or(|at| at > now));
        Ok(Forecast {
            instance: order.instance.clone(),
            method: params.method,
            class: waits.as_ref().map(|limit| limit.class.clone()),
            reason: waits
                .as_ref()
                .map(|limit| limit.reason.clone().unwrap_or_else(|| code::BUDGET_SPENT.to_owned())),
            parked: waits.as_ref().map_or(0, |limit| limit.parked),
            next_at: waits.map_or(Some(now), |limit| limit.next_at),
        })
    }

    /// The pause that all commands of the instance, or of the method, are under.
    fn pause_over(&self, order: &Command, method: &MethodName) -> Option<PauseInfo> {
        let pauses = self.shared.pauses.over(&order.instance);
        pauses.into_iter().find(|pause| pause.method.as_ref().is_none_or(|held| held == method))
    }

    async fn record_of(&self, order: &Command) -> Result<InstanceRecord, Fault> {
        let record = self.shared.instances.get(&order.instance).await.map_err(unavailable)?;
        record.ok_or_else(|| no_instance(&order.instance))
    }

    async fn limits_of(&self, order: &Command) -> Result<Known, Fault> {
        let (shared, record) = (&self.shared, self.record_of(order).await?);
        let kept = shared.limits.load(&order.instance).await.map_err(unavailable)?;
        let kept = kept.as_deref().and_then(Kept::read);
        let board = shared.lanes.load(&order.instance).await.map_err(unavailable)?;
        let settings = Settings::of(&shared.config.limits, &record);
        let lost = board.may_miss(&shared.generation.borrow(), record.created_at);
        let clock = shared.clock.clone();
        let limiter = Limiter::new(settings.clone(), kept, lost, clock, Nowhere);
        Ok(Known { settings, limiter, board })
    }

    fn class_limit(&self, order: &Command, known: &Known, class: Class) -> Option<ClassLimit> {
        let mut waiting = Waiting::default();
        for (_, entry) in known.board.parked.iter().filter(|(_, entry)| entry.lane == class.name())
        {
            waiting.parked = waiting.parked.saturating_add(1);
            waiting.calls = waiting.calls.saturating_add(u32::from(entry.calls));
        }
        let pause = self.shared.pauses.pause_of(&order.instance, class);
        let paused = pause.map(|pause| pause.reason.unwrap_or_else(|| code::PAUSED.to_owned()));
        known.limiter.class_limit(class, waiting, paused)
    }
}

/// The chats in slow mode: those that are shut, and those that commands wait for.
fn chats_of(known: &Known) -> Vec<ChatLimit> {
    let mut chats: BTreeMap<ChatId, ChatLimit> = BTreeMap::new();
    let chat = |chat_id| ChatLimit { chat_id, closed_until: None, parked: 0 };
    for (chat_id, until) in known.limiter.chats() {
        chats.entry(chat_id).or_insert_with(|| chat(chat_id)).closed_until = Some(until);
    }
    for (_, entry) in &known.board.parked {
        if let Ok(Lane::Slow(chat_id)) = entry.lane.parse() {
            chats.entry(chat_id).or_insert_with(|| chat(chat_id)).parked += 1;
        }
    }
    chats.into_values().collect()
}
