//! What follows where a call that must not be made twice was sent and its answer is not known.
//!
//! MTProto itself would resend an answer to whoever comes back under the same session id; grammers
//! makes a new session for every connection, so an answer that was lost is lost. What is left is to
//! look whether the effect is there. Here is decided what follows from what was seen; how it is
//! looked for says each [`Trace`]: [`creation`] for groups, [`export`] for links.

pub mod creation;
pub mod export;

use std::marker::PhantomData;

use serde_json::Value;

use crate::cx::Cx;
use crate::stop::Failure;

/// How often a step that must not be made twice is made at most.
pub const ATTEMPTS_MAX: u32 = 3;

/// What was seen of a call whose answer is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence<T> {
    /// The effects that can only be this call's, as it would have answered them.
    pub found: Vec<T>,
    /// Why there may be more than was seen; `None` where all there is was seen.
    pub gap: Option<&'static str>,
}

impl<T> Evidence<T> {
    /// Exactly this, by a proof that needs no look at anything else.
    pub fn proof(found: T) -> Self {
        Self { found: vec![found], gap: None }
    }

    /// Nothing can be told.
    pub fn none(gap: &'static str) -> Self {
        Self { found: Vec::new(), gap: Some(gap) }
    }
}

/// How the effect of one call is found again.
pub trait Trace: Sync {
    /// What the call answers.
    type Answer: Send;

    /// What finding it will need; asked for before the call, and noted with it. Null for nothing.
    fn note(&self, cx: &mut Cx<'_>) -> impl Future<Output = Result<Value, Failure>> + Send;

    /// Looks for it. `note` is null where there is none: the ledger was lost, or an earlier release
    /// made the call.
    fn look(
        &self,
        cx: &mut Cx<'_>,
        note: &Value,
    ) -> impl Future<Output = Result<Evidence<Self::Answer>, Failure>> + Send;
}

/// Of a call that leaves nothing to look for.
pub struct Untraced<T>(PhantomData<fn() -> T>);

impl<T> Default for Untraced<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Send> Trace for Untraced<T> {
    type Answer = T;

    async fn note(&self, _: &mut Cx<'_>) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    async fn look(&self, _: &mut Cx<'_>, _: &Value) -> Result<Evidence<T>, Failure> {
        Ok(Evidence::none("it leaves nothing to look for"))
    }
}

/// How far the looking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// How many effects were found.
    pub found: usize,
    /// Whether all there is was seen.
    pub gap: Option<&'static str>,
    /// How often it was looked.
    pub looks: u32,
    /// How often the call is known to have been started; 0 for a suspect's.
    pub attempts: u32,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The one that was found is the call's effect.
    Adopt,
    /// The call did not happen.
    RunAgain,
    /// Telegram may be late in showing it.
    LookAgain,
    /// It can't be told, for this reason: a human decides.
    Unknown(&'static str),
}

/// Decides. Exactly one is adopted, and only absence that is proven is acted on. A call that was
/// begun a moment ago is looked for twice, since what Telegram delivers may lag behind what it did. A
/// suspect's lies back at least as long as leases take to run out, and is looked for once.
pub fn decide(case: Case) -> Next {
    let looks_min = if case.attempts == 0 { 1 } else { 2 };
    match case {
        Case { gap: Some(gap), .. } => Next::Unknown(gap),
        Case { found: 1, .. } => Next::Adopt,
        Case { found: 0, looks, .. } if looks < looks_min => Next::LookAgain,
        Case { found: 0, attempts: ..ATTEMPTS_MAX, .. } => Next::RunAgain,
        Case { found: 0, .. } => Next::Unknown("it did not happen, time after time"),
        _ => Next::Unknown("there is more than one that could be it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell() {
        const GAP: Option<&str> = Some("a gap");
        let many = Next::Unknown("there is more than one that could be it");
        let never = Next::Unknown("it did not happen, time after time");
        for (found, gap, looks, attempts, next) in [
            (0, None, 1, 0, Next::RunAgain),
            (0, None, 1, 1, Next::LookAgain),
            (0, None, 2, 1, Next::RunAgain),
            (0, None, 1, 2, Next::LookAgain),
            (0, None, 2, 2, Next::RunAgain),
            (0, None, 1, 3, Next::LookAgain),
            (0, None, 2, 3, never),
            (0, None, 2, 4, never),
            (1, None, 1, 0, Next::Adopt),
            (1, None, 1, 1, Next::Adopt),
            (1, None, 2, 3, Next::Adopt),
            (2, None, 1, 0, many),
            (2, None, 2, 1, many),
            (0, GAP, 1, 0, Next::Unknown("a gap")),
            (0, GAP, 1, 1, Next::Unknown("a gap")),
            (1, GAP, 2, 1, Next::Unknown("a gap")),
            (2, GAP, 2, 1, Next::Unknown("a gap")),
        ] {
            let case = Case { found, gap, looks, attempts };
            assert_eq!(decide(case), next, "{case:?}");
        }
    }
}
