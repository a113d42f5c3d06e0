//! Why a method stops before its end, and what a step can fail with.

use proto::fault::code;
use proto::{Fault, MemberStatus};
use serde::{Deserialize, Serialize};
use telegram::{CallError, RpcFault};

use crate::limits::NotYet;

/// Ends a method. `?` carries it from a step to the pipeline, which makes the answer of it.
#[derive(Debug)]
pub enum Stop {
    /// The command can't go on, and the caller is told why. Whether nothing was done (`failed`) or
    /// something was (`partial`) the pipeline knows from the steps.
    Fault(Fault),
    /// A step that must not be repeated may or may not have happened: a human decides.
    Uncertain(Uncertain),
    /// A limit asks to wait for longer than a step may: the command goes to a lane with the steps
    /// done so far, and on from there.
    Parked(NotYet),
    /// The instance is no longer ours, or the process is going down: nothing is answered, the next
    /// owner goes on.
    Abandoned(&'static str),
}

/// The step whose effect can't be established.
#[derive(Debug, Clone)]
pub struct Uncertain {
    /// The step's name, such as `create`.
    pub step: String,
    /// What happened, in words.
    pub why: String,
}

/// How one step failed. Methods that can go on without the step look at it; for the others `?`
/// turns it into a [`Stop`].
#[derive(Debug)]
pub enum Failure {
    /// Telegram said no. The answer stands in the ledger: the step is not tried again.
    Refused(Refusal),
    /// Telegram (or our own budget for it) asks to wait longer than a step may: nothing was sent,
    /// or nothing was done.
    Throttled {
        /// Seconds until the next try makes sense.
        retry_after_s: u64,
        /// `FLOOD_WAIT`, `SLOWMODE_WAIT`, `PEER_FLOOD`, … or our own `BUDGET_SPENT`.
        code: String,
    },
    /// Anything that ends the whole command.
    Stop(Stop),
}

/// An error that Telegram answered, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Telegram's own name of the error, `USER_PRIVACY_RESTRICTED`.
    pub name: String,
    /// The class of the error, as HTTP counts: 400, 403, 406…
    pub code: i32,
    /// Whether the same step was sent before and its answer lost: then "it is so already" can mean
    /// that this very command did it.
    #[serde(default)]
    pub repeated: bool,
}

impl Refusal {
    /// Whether it is the error of that name.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The contract's words for it.
    pub fn fault(&self) -> Fault {
        telegram::fault::of(&self.error())
    }

    /// What it makes of the person whom the call was about; `None` where it is about the group or
    /// the account, so that it would be the same for anybody else.
    pub fn member(&self) -> Option<MemberStatus> {
        telegram::fault::about_member(&self.error())
    }

    /// Whether Telegram says that the group is not there, or not for this account.
    pub fn group_is_gone(&self) -> bool {
        ["CHANNEL_PRIVATE", "CHANNEL_INVALID", "CHAT_ID_INVALID", "PEER_ID_INVALID"]
            .into_iter()
            .any(|name| self.is(name))
    }

    fn error(&self) -> CallError {
        CallError::Rpc(RpcFault::new(self.code, &self.name, ""))
    }
}

impl Failure {
    /// What the caller is told of it.
    ///
    /// # Errors
    /// Why nothing is told: another owner goes on.
    pub fn into_fault(self) -> Result<Fault, &'static str> {
        match Stop::from(self) {
            Stop::Fault(fault) => Ok(fault),
            Stop::Uncertain(uncertain) => Ok(uncertain.fault()),
            Stop::Parked(_) => Err("a limit asks for a wait"),
            Stop::Abandoned(why) => Err(why),
        }
    }
}

impl Uncertain {
    /// What the caller is told of it.
    pub fn fault(&self) -> Fault {
        Fault::uncertain(format!("step {}: {}", self.step, self.why))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Fault(refusal.fault()),
            Failure::Throttled { retry_after_s, code } => {
                Self::Fault(throttled(&code, retry_after_s))
            }
            Failure::Stop(stop) => stop,
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The fault of a command that a limit keeps from going on.
pub fn throttled(limit: &str, retry_after_s: u64) -> Fault {
    let message = match limit {
        code::PAUSED => "what the command needs is paused until a person resumes it".to_owned(),
        _ => format!("a limit asks to wait {retry_after_s} s"),
    };
    Fault::throttled(limit, message, retry_after_s)
}

#[cfg(test)]
mod tests {
    use proto::ErrorKind;

    use super::*;

    fn refusal(name: &str, code: i32) -> Refusal {
        Refusal { name: name.to_owned(), code, repeated: false }
    }

    #[test]
    fn each_failure_becomes_what_the_caller_is_told() {
        let refused = Failure::Refused(refusal("CHAT_ADMIN_REQUIRED", 400)).into_fault().unwrap();
        assert_eq!(refused.kind, ErrorKind::Forbidden);
        assert_eq!(refused.code, "CHAT_ADMIN_REQUIRED");

        let late = Failure::Throttled { retry_after_s: 30, code: "FLOOD_WAIT".to_owned() };
        let late = late.into_fault().unwrap();
        assert_eq!((late.kind, late.retry_after_s), (ErrorKind::Throttled, Some(30)));
        assert_eq!(late.code, "FLOOD_WAIT");

        let uncertain = Uncertain { step: "create".to_owned(), why: "lost".to_owned() };
        let uncertain = Failure::Stop(Stop::Uncertain(uncertain)).into_fault().unwrap();
        assert_eq!(uncertain.kind, ErrorKind::Uncertain);
        assert_eq!(uncertain.message, "step create: lost");

        let fault = Fault::internal("x");
        assert_eq!(Failure::Stop(Stop::Fault(fault.clone())).into_fault(), Ok(fault));
        assert_eq!(Failure::Stop(Stop::Abandoned("fenced")).into_fault(), Err("fenced"));
    }

    #[test]
    fn a_refusal_says_whom_it_is_about() {
        assert_eq!(
            refusal("USER_PRIVACY_RESTRICTED", 403).member(),
            Some(MemberStatus::PrivacyBlocked)
        );
        assert_eq!(refusal("CHAT_ADMIN_REQUIRED", 400).member(), None);
        assert!(refusal("CHANNEL_PRIVATE", 406).group_is_gone());
        assert!(!refusal("CHAT_ADMIN_REQUIRED", 400).group_is_gone());
    }

    #[test]
    fn a_refusal_of_an_earlier_release_is_read() {
        let kept: Refusal = serde_json::from_str(r#"{"name":"X","code":400}"#).unwrap();
        assert_eq!(kept, refusal("X", 400));
    }
}
