//! A step's description: its name in the ledger, the budget it draws on, and what a repetition of
//! it would do.

use std::borrow::Cow;
use std::num::NonZeroU32;

pub use store::Effect;

use crate::limits::Class;

/// One Telegram call of a method, as the ledger and the limiter see it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The name under which the ledger keeps it; unique within the command.
    pub name: Cow<'static, str>,
    /// The budget it draws on.
    pub class: Class,
    /// What a repetition would do.
    pub effect: Effect,
    /// How many calls of the class it counts for: invites count people.
    pub cost: NonZeroU32,
    /// Whether its answer is kept in the ledger. Answers of plain reads are not: asking again is
    /// cheaper than a round trip to Redis. A read whose answer decides what is changed must be
    /// kept, so that the command does the same thing after a crash.
    pub kept: bool,
}

impl Step {
    /// A call that only looks.
    pub fn read(name: impl Into<Cow<'static, str>>, class: Class) -> Self {
        Self::new(name, class, Effect::Read, false)
    }

    /// A call that looks, and whose answer must be the same after a crash.
    pub fn decisive_read(name: impl Into<Cow<'static, str>>, class: Class) -> Self {
        Self::new(name, class, Effect::Read, true)
    }

    /// A change that leaves the same state when it is made twice.
    pub fn repeatable(name: impl Into<Cow<'static, str>>, class: Class) -> Self {
        Self::new(name, class, Effect::Repeatable, true)
    }

    /// A change that must not be made twice.
    pub fn once(name: impl Into<Cow<'static, str>>, class: Class) -> Self {
        Self::new(name, class, Effect::Once, true)
    }

    /// The same, counting for several calls.
    pub fn cost(mut self, calls: usize) -> Self {
        self.cost = u32::try_from(calls).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        self
    }

    fn new(name: impl Into<Cow<'static, str>>, class: Class, effect: Effect, kept: bool) -> Self {
        Self { name: name.into(), class, effect, cost: NonZeroU32::MIN, kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_kept_where_its_answer_decides_something() {
        let of = |step: Step| (step.effect, step.kept, step.cost.get());
        assert_eq!(of(Step::read("a", Class::Read)), (Effect::Read, false, 1));
        assert_eq!(of(Step::decisive_read("a", Class::Read)), (Effect::Read, true, 1));
        assert_eq!(of(Step::repeatable("a", Class::Admin)), (Effect::Repeatable, true, 1));
        assert_eq!(of(Step::once("a", Class::Create)), (Effect::Once, true, 1));
    }

    #[test]
    fn a_step_costs_at_least_one_call() {
        let cost = |calls| Step::read("a", Class::Read).cost(calls).cost.get();
        assert_eq!([cost(0), cost(1), cost(50)], [1, 1, 50]);
    }
}
