//! The limits that one instance has of its own, as an order changes them.

use std::num::NonZeroU32;

use proto::Fault;
use proto::control::{AccountSetLimits, BudgetParams};
use proto::fault::code;
use store::{InstanceLimits, OwnBudget};

use super::{Budget, Class};

/// Most calls that may come at once, by an order.
const BURST_MAX: u32 = 10_000;
/// Most calls of a day, by an order.
const PER_DAY_MAX: u32 = 1_000_000;

/// Makes the changes that an order asks for, or none.
///
/// # Errors
/// What makes no sense, by the name of its field.
pub fn change(limits: &mut InstanceLimits, params: &AccountSetLimits) -> Result<(), Fault> {
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
