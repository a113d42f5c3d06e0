//! Orders about an account's limits. Any worker can tell them: what is used lies in Redis, written by
//! the owner at most a second ago. Only the owner can change them.

use std::num::NonZeroU32;
use std::sync::Arc;

use proto::control::{
    AccountForecast, AccountLimits, AccountSetLimits, BudgetParams, ClassLimit, Forecast,
    GroupsUsed, NoParams, PauseInfo,
};
use proto::fault::code;
use proto::{Command, Fault, MethodName};
use store::{InstanceLimits, InstanceRecord, LaneBoard, OwnBudget};
use tokio::sync::oneshot;

use super::Control;
use super::account::{going_down, no_instance, unavailable};
use crate::limits::{Budget, Class, Kept, Limiter, Nowhere, Settings, Waiting};
use crate::methods;
use crate::owner::Order;

/// Most calls that may come at once, by an order.
const BURST_MAX: u32 = 10_000;
/// Most calls of a day, by an order.
const PER_DAY_MAX: u32 = 1_000_000;

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
        let record = self.record_of(order).await?;
        let mut limits = record.limits.unwrap_or_default();
        change(&mut limits, &params)?;
        let owned = self.owned(&order.instance).await?;
        let (done, ended) = oneshot::channel();
        self.order(&owned, Order::SetLimits(limits, done)).await?;
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
        if let Some(pause) = self.pause_over(order, &params.method) {
            return Ok(Forecast {
                instance: order.instance.clone(),
                method: params.method,
                class: None,
                reason: Some(pause.reason.unwrap_or_else(|| code::PAUSED.to_owned())),
                parked: 0,
                next_at: None,
            });
        }
        let now = self.shared.clock.now();
        // The one that the method is about: most commands draw on no other for long.
        let main = entry.classes.first();
        let limit = main.and_then(|class| self.class_limit(order, &known, *class));
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
        let may_be_lost = record.created_at <= shared.generation.borrow().since;
        let clock = shared.clock.clone();
        let limiter = Limiter::new(settings.clone(), kept, may_be_lost, clock, Nowhere);
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

/// Makes the changes that an order asks for.
fn change(limits: &mut InstanceLimits, params: &AccountSetLimits) -> Result<(), Fault> {
    let invalid = |message: String| Fault::invalid(code::PARAMS_INVALID, message);
    for (name, budget) in &params.budgets {
        if Class::read(name).is_none() {
            let known: Vec<_> = Class::ALL.into_iter().map(Class::name).collect();
            let message =
                format!("params.budgets.{name}: is no class; they are {}", known.join(", "));
            return Err(invalid(message));
        }
        match budget {
            None => {
                limits.budgets.remove(name);
            }
            Some(budget) => {
                let own = own(budget).map_err(|(field, problem)| {
                    invalid(format!("params.budgets.{name}.{field}: {problem}"))
                })?;
                limits.budgets.insert(name.clone(), own);
            }
        }
    }
    limits.warm_up = params.warm_up.or(limits.warm_up);
    Ok(())
}

fn own(budget: &BudgetParams) -> Result<OwnBudget, (&'static str, &'static str)> {
    let burst = NonZeroU32::new(budget.burst).ok_or(("burst", "must be at least 1"))?;
    if budget.burst > BURST_MAX {
        return Err(("burst", "must be at most 10000"));
    }
    match budget.per_day {
        Some(0) => return Err(("per_day", "must be at least 1; leave it out for no cap")),
        Some(calls) if calls > PER_DAY_MAX => return Err(("per_day", "must be at most 1000000")),
        _ => {}
    }
    Budget { every_s: budget.every_s, burst, per_day: None }.validate()?;
    Ok(OwnBudget { every_s: budget.every_s, burst: budget.burst, per_day: budget.per_day })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn params(class: &str, every_s: f64, burst: u32, per_day: Option<u32>) -> AccountSetLimits {
        let budget = BudgetParams { every_s, burst, per_day };
        let budgets = BTreeMap::from([(class.to_owned(), Some(budget))]);
        AccountSetLimits { budgets, warm_up: None }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let said = |params| change(&mut InstanceLimits::default(), &params).unwrap_err().message;
        assert!(
            said(params("sloth", 1.0, 1, None)).starts_with("params.budgets.sloth: is no class")
        );
        assert!(said(params("create", 0.0, 1, None)).starts_with("params.budgets.create.every_s"));
        assert!(said(params("create", 1.0, 0, None)).starts_with("params.budgets.create.burst"));
        let burst = BURST_MAX + 1;
        assert!(
            said(params("create", 1.0, burst, None)).starts_with("params.budgets.create.burst")
        );
        let most = Some(PER_DAY_MAX + 1);
        assert!(said(params("create", 1.0, 1, most)).starts_with("params.budgets.create.per_day"));
        assert!(
            said(params("create", 1.0, 1, Some(0))).starts_with("params.budgets.create.per_day")
        );
    }

    #[test]
    fn a_budget_is_set_and_taken_back() {
        let mut limits = InstanceLimits::default();
        change(&mut limits, &params("create", 60.0, 3, Some(9))).unwrap();
        assert_eq!(limits.budgets["create"].burst, 3);
        let back = AccountSetLimits {
            budgets: BTreeMap::from([("create".to_owned(), None)]),
            warm_up: Some(false),
        };
        change(&mut limits, &back).unwrap();
        assert_eq!(limits, InstanceLimits { budgets: BTreeMap::new(), warm_up: Some(false) });
    }
}
