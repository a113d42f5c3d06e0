//! What a command came to, from how its method ended and what it did before: the one place that
//! chooses between `done`, `partial`, `failed` and `unknown`.

use proto::{ChatId, Fault, Outcome, Status};
use serde_json::Value;

use crate::method::Done;
use crate::stop::Stop;

/// What the method did until it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many steps changed something, now or before a crash.
    pub effects: usize,
    /// Whether a step that changes something was started, now or before a crash.
    pub begun: bool,
    /// The group that it works on, as soon as it is known.
    pub chat_id: Option<ChatId>,
}

/// How a method ended; `Err` where it panicked.
pub type Called = Result<Result<Done<Value>, Stop>, Panicked>;

/// The method broke off in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// The command's outcome.
///
/// # Errors
/// Why there is none yet: the command goes back, and its next owner goes on.
pub fn outcome_of(called: Called, progress: Progress) -> Result<Outcome, &'static str> {
    let Progress { effects, begun, chat_id } = progress;
    let outcome = match called {
        Ok(Ok(Done { chat_id, result, lacking: None })) => Outcome::done(chat_id, result),
        Ok(Ok(Done { chat_id, result, lacking: Some(fault) })) if effects > 0 => {
            Outcome::partial(chat_id, result, Some(fault))
        }
        Ok(Ok(Done { chat_id, result, lacking: Some(fault) })) => {
            Outcome { chat_id, result, ..fault.into() }
        }
        Ok(Err(Stop::Fault(fault))) if effects > 0 => {
            Outcome::partial(chat_id, Value::Null, Some(fault))
        }
        Ok(Err(Stop::Fault(fault))) => Outcome { chat_id, ..fault.into() },
        Ok(Err(Stop::Uncertain(uncertain))) => Outcome { chat_id, ..uncertain.fault().into() },
        Ok(Err(Stop::Parked(_))) => return Err("a limit asks for a wait"),
        Ok(Err(Stop::Abandoned(why))) => return Err(why),
        // Nobody knows what the step that it broke off in did.
        Err(Panicked) if begun => {
            let outcome = Outcome::from_fault(panicked());
            Outcome { status: Status::Unknown, chat_id, ..outcome }
        }
        Err(Panicked) => panicked().into(),
    };
    Ok(outcome)
}

fn panicked() -> Fault {
    Fault::internal("the method panicked")
}

#[cfg(test)]
mod tests {
    use proto::ErrorKind;
    use serde_json::json;

    use super::*;
    use crate::stop::Uncertain;

    const CHAT: i64 = -1_001_234_567_890;

    fn chat() -> ChatId {
        CHAT.try_into().unwrap()
    }

    fn done(lacking: Option<Fault>) -> Called {
        Ok(Ok(Done { chat_id: Some(chat()), result: json!({ "made": true }), lacking }))
    }

    fn forbidden() -> Fault {
        Fault::forbidden("CHAT_ADMIN_REQUIRED", "not an admin")
    }

    fn uncertain() -> Stop {
        Stop::Uncertain(Uncertain { step: "create".to_owned(), why: "lost".to_owned() })
    }

    fn after(effects: usize, begun: bool) -> Progress {
        Progress { effects, begun, chat_id: Some(chat()) }
    }

    /// Each way to end, each thing that was done before: the status, and whether there is a result.
    #[test]
    fn every_cell() {
        use Status::{Done as D, Failed as F, Partial as P, Unknown as U};
        type End = fn() -> Called;
        type Row = (&'static str, End, [(Status, bool); 3]);
        // Nothing begun; begun, without effect; with an effect.
        let befores = [after(0, false), after(0, true), after(1, true)];
        let rows: [Row; 5] = [
            ("done", || done(None), [(D, true), (D, true), (D, true)]),
            ("lacking", || done(Some(forbidden())), [(F, true), (F, true), (P, true)]),
            ("fault", || Ok(Err(Stop::Fault(forbidden()))), [(F, false), (F, false), (P, false)]),
            ("uncertain", || Ok(Err(uncertain())), [(U, false), (U, false), (U, false)]),
            ("panic", || Err(Panicked), [(F, false), (U, false), (U, false)]),
        ];
        for (name, end, cells) in rows {
            for (progress, (status, has_result)) in befores.into_iter().zip(cells) {
                let outcome = outcome_of(end(), progress).unwrap();
                assert_eq!(outcome.status, status, "{name} after {progress:?}");
                assert_eq!(!outcome.result.is_null(), has_result, "{name} after {progress:?}");
                assert_eq!(outcome.fault.is_none(), name == "done", "{name} after {progress:?}");
            }
        }
    }

    #[test]
    fn the_group_is_told_however_it_ended() {
        let ends: [fn() -> Called; 3] =
            [|| Ok(Err(Stop::Fault(forbidden()))), || Ok(Err(uncertain())), || Err(Panicked)];
        for end in ends {
            assert_eq!(outcome_of(end(), after(1, true)).unwrap().chat_id, Some(chat()));
        }
    }

    #[test]
    fn the_kind_of_error_says_whose_turn_it_is() {
        let kind = |called| {
            let outcome = outcome_of(called, after(1, true)).unwrap();
            outcome.fault.map(|fault| fault.kind)
        };
        assert_eq!(kind(Ok(Err(uncertain()))), Some(ErrorKind::Uncertain));
        assert_eq!(kind(Err(Panicked)), Some(ErrorKind::Internal));
        assert_eq!(kind(done(Some(forbidden()))), Some(ErrorKind::Forbidden));
    }

    #[test]
    fn what_the_next_owner_goes_on_with_has_no_outcome() {
        for progress in [after(0, false), after(1, true)] {
            let ended = outcome_of(Ok(Err(Stop::Abandoned("fenced"))), progress);
            assert_eq!(ended, Err("fenced"));
        }
    }
}
