//! The limits that one instance has of its own, as an order changes them.

use std::num::NonZeroU32;

use proto::Fault;
use proto::control::{AccountSetLimits, BudgetParams};
use proto::fault::code;
use store::{InstanceLimits, OwnBudget};

use super::{Budget, Class, Settings};

/// Most calls that may come at once, by an order.
const BURST_MAX: u32 = 10_000;
/// Most calls of a day, by an order.
const PER_DAY_MAX: u32 = 1_000_000;

/// Makes the changes that an order asks for, or none. What it does not name stays as `holds` says that it
/// is configured now.
///
/// # Errors
/// What makes no sense, by the name of its field.
pub fn change(
    limits: &mut InstanceLimits,
    params: &AccountSetLimits,
    holds: &Settings,
) -> Result<(), Fault> {
    let invalid = |message: String| Fault::invalid(code::PARAMS_INVALID, message);
    for (name, budget) in &params.budgets {
        let Some(class) = Class::read(name) else {
            return Err(invalid(format!("params.budgets.{name}: {}", Class::unknown())));
        };
        match budget {
            None => {
                limits.budgets.remove(name);
            }
            Some(budget) => {
                let own = own(budget, holds.configured(class)).map_err(|(field, problem)| {
                    invalid(format!("params.budgets.{name}.{field}: {problem}"))
                })?;
                limits.budgets.insert(name.clone(), own);
            }
        }
    }
    limits.warm_up = params.warm_up.or(limits.warm_up);
    Ok(())
}

fn own(wish: &BudgetParams, holds: Budget) -> Result<OwnBudget, (&'static str, &'static str)> {
    let burst = wish.burst.unwrap_or(holds.burst.get());
    let count = NonZeroU32::new(burst).ok_or(("burst", "must be at least 1"))?;
    if burst > BURST_MAX {
        return Err(("burst", "must be at most 10000"));
    }
    let per_day = match wish.per_day {
        None => holds.per_day.map(NonZeroU32::get),
        Some(0) => None,
        Some(calls) if calls > PER_DAY_MAX => return Err(("per_day", "must be at most 1000000")),
        Some(calls) => Some(calls),
    };
    let every_s = wish.every_s.unwrap_or(holds.every_s);
    Budget { every_s, burst: count, per_day: None }.validate()?;
    Ok(OwnBudget { every_s, burst, per_day })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use store::InstanceRecord;

    use super::*;
    use crate::limits::LimitsConfig;

    fn params(class: &str, budget: BudgetParams) -> AccountSetLimits {
        let budgets = BTreeMap::from([(class.to_owned(), Some(budget))]);
        AccountSetLimits { budgets, warm_up: None }
    }

    fn holds(limits: &InstanceLimits) -> Settings {
        let mut record = InstanceRecord::new("acme".parse().unwrap(), DateTime::UNIX_EPOCH);
        record.limits = Some(limits.clone());
        Settings::of(&LimitsConfig::default(), &record)
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let none = BudgetParams::default();
        let said = |class, budget| {
            let mut limits = InstanceLimits::default();
            let holds = holds(&limits);
            change(&mut limits, &params(class, budget), &holds).unwrap_err().message
        };
        assert!(said("sloth", none).starts_with("params.budgets.sloth: is no class"));
        for (field, budget) in [
            ("every_s", BudgetParams { every_s: Some(0.0), ..none }),
            ("every_s", BudgetParams { every_s: Some(1e-9), ..none }),
            ("burst", BudgetParams { burst: Some(0), ..none }),
            ("burst", BudgetParams { burst: Some(BURST_MAX + 1), ..none }),
            ("per_day", BudgetParams { per_day: Some(PER_DAY_MAX + 1), ..none }),
        ] {
            let message = said("create", budget);
            assert!(message.starts_with(&format!("params.budgets.create.{field}")), "{message}");
        }
    }

    #[test]
    fn what_is_not_named_stays_and_all_is_taken_back() {
        let (mut limits, none) = (InstanceLimits::default(), BudgetParams::default());
        let mut set = |budget| {
            let holds = holds(&limits);
            change(&mut limits, &params("create", budget), &holds).unwrap();
            limits.budgets["create"]
        };
        let own = set(BudgetParams { every_s: Some(60.0), ..none });
        assert_eq!(own, OwnBudget { every_s: 60.0, burst: 2, per_day: Some(20) }, "the default's");
        let own = set(BudgetParams { burst: Some(3), per_day: Some(0), ..none });
        assert_eq!(own, OwnBudget { every_s: 60.0, burst: 3, per_day: None });
        let back = AccountSetLimits {
            budgets: BTreeMap::from([("create".to_owned(), None)]),
            warm_up: Some(false),
        };
        let holds = holds(&limits);
        change(&mut limits, &back, &holds).unwrap();
        assert_eq!(limits, InstanceLimits { budgets: BTreeMap::new(), warm_up: Some(false) });
    }
}
