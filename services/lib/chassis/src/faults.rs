//! Faults on order, for the fault matrix: points in the code at which a test has this process die or freeze, and
//! mutations that break a promise on purpose, so that the matrix can be shown to notice.
//!
//! Only with the feature `faults`. Without it the functions are empty and `const`: a release build holds neither the
//! points nor the variables.
//!
//! - `QUEUEGRAM_FAULTS=step_executed@2=kill,recorded=stop`: at the second time that the point `step_executed` is
//!   passed the process is killed, at the first `recorded` it is frozen (`SIGSTOP`; somebody outside sends `SIGCONT`).
//!   `name@*` means every time; `panic` unwinds. A point that is passed for one of several things, such as a step, has
//!   its name too: `step_executed:create=kill`.
//! - `QUEUEGRAM_MUTATION=gate_not_asked`: this build has that one fault.

#[cfg(feature = "faults")]
pub use armed::{cut, cut_at, mutant};
#[cfg(not(feature = "faults"))]
pub use unarmed::{cut, cut_at, mutant};

#[cfg(not(feature = "faults"))]
mod unarmed {
    /// Nothing, in this build.
    #[inline]
    pub const fn cut(_point: &str) {}

    /// Nothing, in this build.
    #[inline]
    pub const fn cut_at(_point: &str, _name: &str) {}

    /// Never, in this build.
    #[inline]
    #[must_use]
    pub const fn mutant(_name: &str) -> bool {
        false
    }
}

#[cfg(feature = "faults")]
mod armed {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};

    const FAULTS: &str = "QUEUEGRAM_FAULTS";
    const MUTATION: &str = "QUEUEGRAM_MUTATION";

    /// What happens at a point.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Act {
        Kill,
        Stop,
        Panic,
    }

    /// An order: at the `at`th passing, or at each (`None`).
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Order {
        point: String,
        at: Option<u32>,
        act: Act,
    }

    static ORDERS: LazyLock<Vec<Order>> =
        LazyLock::new(|| std::env::var(FAULTS).map(|text| read(&text)).unwrap_or_default());
    static PASSED: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);
    static MUTANT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var(MUTATION).ok());

    /// Passes a point: if an order says so, the process dies or freezes here.
    pub fn cut(point: &str) {
        if !ORDERS.is_empty() {
            pass(point);
        }
    }

    /// The same for a point that is passed for several things: an order may name the point alone, or the thing too.
    pub fn cut_at(point: &str, name: &str) {
        if !ORDERS.is_empty() {
            pass(point);
            pass(&format!("{point}:{name}"));
        }
    }

    fn pass(point: &str) {
        let passed = {
            let mut all = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
            let passed = all.entry(point.to_owned()).or_default();
            *passed += 1;
            *passed
        };
        let due = |order: &&Order| order.point == point && order.at.is_none_or(|at| at == passed);
        match ORDERS.iter().find(due).map(|order| order.act) {
            None => {}
            Some(Act::Panic) => std::panic::resume_unwind(Box::new("a fault on order")),
            Some(Act::Kill) => signal(Signal::KILL),
            Some(Act::Stop) => signal(Signal::STOP),
        }
    }

    /// Whether this build breaks this promise.
    #[must_use]
    pub fn mutant(name: &str) -> bool {
        MUTANT.as_deref() == Some(name)
    }

    fn signal(signal: Signal) {
        // To ourselves, which is always allowed; it is delivered before the call returns.
        let _sent = kill_process(getpid(), signal);
    }

    /// What can't be read is left out: a misspelt order shows as a fault that never came.
    fn read(text: &str) -> Vec<Order> {
        let order = |word: &str| {
            let (point, act) = word.trim().split_once('=')?;
            let act = match act {
                "kill" => Act::Kill,
                "stop" => Act::Stop,
                "panic" => Act::Panic,
                _ => return None,
            };
            let (point, at) = match point.split_once('@') {
                None => (point, Some(1)),
                Some((point, "*")) => (point, None),
                Some((point, at)) => (point, Some(at.parse().ok()?)),
            };
            Some(Order { point: point.to_owned(), at, act })
        };
        text.split(',').filter_map(order).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn orders_are_read() {
            let orders =
                read("step_executed@2=kill, recorded=stop,x@*=panic,y=nonsense,told:create@3=kill");
            let order = |point: &str, at, act| Order { point: point.to_owned(), at, act };
            assert_eq!(
                orders,
                [
                    order("step_executed", Some(2), Act::Kill),
                    order("recorded", Some(1), Act::Stop),
                    order("x", None, Act::Panic),
                    order("told:create", Some(3), Act::Kill),
                ]
            );
        }
    }
}
