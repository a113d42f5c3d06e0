//! Faults on order: rules that match a user's request and say what happens instead of, before or
//! after its execution. Each rule is good for a number of times.

use serde::{Deserialize, Serialize};

use crate::world::UserId;

/// How many rules may wait at once.
const RULES_MAX: usize = 10_000;
/// The longest delay, in milliseconds.
const DELAY_MAX_MS: u64 = 600_000;

/// A rule as it is ordered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests; everything that is absent matches.
    #[serde(rename = "match", default)]
    pub matches: Match,
    /// How many requests it is good for.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub then: Fault,
}

/// Which requests a rule is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The user who is logged in on the connection.
    pub user_id: Option<i64>,
    /// TL name of the innermost request, e.g. `messages.createChat`.
    pub request: Option<String>,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `420 FLOOD_WAIT_n`, not executed.
    Flood(u32),
    /// This error, not executed.
    Error(i32, String),
    /// This error, although it was executed.
    ErrorAfter(i32, String),
    /// Executed, but so many milliseconds later.
    DelayMs(u64),
    /// The connection is cut.
    Cut(Moment),
    /// The account moves: `303 USER_MIGRATE_n`, not executed.
    MigrateDc(i32),
    /// The login is taken away: `401 SESSION_REVOKED`, not executed.
    LogOut(bool),
    /// The connection stays open, but nothing on it is read or answered any more; not executed.
    HalfOpen(bool),
    /// This transport error, `-404` for one, after which the connection ends; not executed. Where the rule names no
    /// request it is for the next message of any kind, pings and acknowledgements too.
    Transport(i32),
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the request is executed: it never is.
    Before,
    /// After it was executed, and before it is answered.
    After,
}

/// A rule that can't be, with the field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct BadRule {
    /// As a path.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

/// The rules that wait.
#[derive(Debug, Default)]
pub struct Script {
    rules: Vec<(u64, Rule)>,
    last: u64,
}

impl Script {
    /// Adds a rule, behind the others, and gives its id.
    ///
    /// # Errors
    /// A value that makes no sense.
    pub fn add(&mut self, rule: Rule, known_dcs: &[i32]) -> Result<u64, BadRule> {
        let bad = |field, reason: &str| BadRule { field, reason: reason.to_owned() };
        if rule.times == 0 {
            return Err(bad("times", "must be at least 1"));
        }
        if let Some(request) = &rule.matches.request
            && !is_known(request)
        {
            return Err(bad("match.request", "no request of this API layer has this name"));
        }
        match &rule.then {
            Fault::LogOut(false) => return Err(bad("then.log_out", "only true makes sense")),
            Fault::HalfOpen(false) => return Err(bad("then.half_open", "only true makes sense")),
            Fault::DelayMs(ms) if *ms > DELAY_MAX_MS => {
                return Err(bad("then.delay_ms", "at most 600000"));
            }
            Fault::MigrateDc(dc) if !known_dcs.contains(dc) => {
                return Err(bad("then.migrate_dc", "there is no such DC here"));
            }
            Fault::Error(code, name) if !is_error(*code, name) => {
                return Err(bad("then.error", NO_ERROR));
            }
            Fault::ErrorAfter(code, name) if !is_error(*code, name) => {
                return Err(bad("then.error_after", NO_ERROR));
            }
            Fault::Transport(code) if !(-999..=-1).contains(code) => {
                return Err(bad("then.transport", "a code from -999 to -1 is needed"));
            }
            _ => {}
        }
        if self.rules.len() >= RULES_MAX {
            return Err(bad("then", "too many rules wait already"));
        }
        self.last += 1;
        self.rules.push((self.last, rule));
        Ok(self.last)
    }

    /// What happens to this request, by the oldest rule that matches it.
    pub fn take(&mut self, user: Option<UserId>, request: &str) -> Option<(u64, Fault)> {
        self.take_first(|rule| rule.matches.fits(user, request))
    }

    /// What happens to a message of this user's before anybody looks what is in it.
    pub fn take_unread(&mut self, user: Option<UserId>) -> Option<(u64, Fault)> {
        self.take_first(|rule| {
            matches!(rule.then, Fault::Transport(_))
                && rule.matches.request.is_none()
                && rule.matches.fits(user, "")
        })
    }

    fn take_first(&mut self, wanted: impl Fn(&Rule) -> bool) -> Option<(u64, Fault)> {
        let at = self.rules.iter().position(|(_, rule)| wanted(rule))?;
        let (id, rule) = &mut self.rules[at];
        rule.times -= 1;
        let taken = (*id, rule.then.clone());
        if rule.times == 0 {
            self.rules.remove(at);
        }
        Some(taken)
    }

    /// Forgets a rule; `false` if it is not there (any more).
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|(other, _)| *other != id);
        self.rules.len() != before
    }

    /// Forgets all rules.
    pub fn clear(&mut self) {
        self.rules.clear();
    }
}

impl Match {
    fn fits(&self, user: Option<UserId>, request: &str) -> bool {
        self.user_id.is_none_or(|id| user == Some(UserId(id)))
            && self.request.as_deref().is_none_or(|name| name == request)
    }
}

const NO_ERROR: &str = "a code from 300 to 599 and a name are needed";

fn is_error(code: i32, name: &str) -> bool {
    (300..=599).contains(&code) && !name.is_empty()
}

/// Whether the API has a request of this name: a rule with a slip of the pen would never match.
pub fn is_known(name: &str) -> bool {
    crate::requests::all().any(|request| request.name() == name)
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "messages.createChat";

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_form_of_the_contract_is_read() {
        let then = |json: &str| rule(&format!(r#"{{"match":{{}},"times":1,"then":{json}}}"#)).then;
        assert_eq!(then(r#"{"flood":30}"#), Fault::Flood(30));
        assert_eq!(then(r#"{"error":[400,"PEER_FLOOD"]}"#), Fault::Error(400, "PEER_FLOOD".into()));
        assert_eq!(then(r#"{"delay_ms":5}"#), Fault::DelayMs(5));
        assert_eq!(then(r#"{"cut":"before"}"#), Fault::Cut(Moment::Before));
        assert_eq!(then(r#"{"cut":"after"}"#), Fault::Cut(Moment::After));
        assert_eq!(then(r#"{"migrate_dc":2}"#), Fault::MigrateDc(2));
        assert_eq!(then(r#"{"log_out":true}"#), Fault::LogOut(true));
        let after = Fault::ErrorAfter(500, "INTERDC_1_CALL_ERROR".into());
        assert_eq!(then(r#"{"error_after":[500,"INTERDC_1_CALL_ERROR"]}"#), after);
        assert_eq!(then(r#"{"transport":-404}"#), Fault::Transport(-404));
        assert!(serde_json::from_str::<Rule>(r#"{"then":{"flood":1},"tiems":2}"#).is_err());
        assert!(serde_json::from_str::<Rule>(r#"{"then":{"flod":1}}"#).is_err());
    }

    #[test]
    fn rules_are_used_up_in_the_order_in_which_they_came() {
        let mut script = Script::default();
        let two = rule(r#"{"match":{"user_id":7},"times":2,"then":{"flood":1}}"#);
        let one = rule(r#"{"match":{"request":"messages.createChat"},"then":{"flood":2}}"#);
        assert_eq!(script.add(two, &[]).unwrap(), 1);
        assert_eq!(script.add(one, &[]).unwrap(), 2);
        let me = Some(UserId(7));
        assert_eq!(script.take(None, "messages.sendMessage"), None);
        assert_eq!(script.take(me, CREATE), Some((1, Fault::Flood(1))));
        assert_eq!(script.take(me, "messages.sendMessage"), Some((1, Fault::Flood(1))));
        assert_eq!(script.take(me, "messages.sendMessage"), None);
        assert_eq!(script.take(me, CREATE), Some((2, Fault::Flood(2))));
        assert_eq!(script.take(me, CREATE), None);
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused_by_field() {
        let mut script = Script::default();
        for (json, field) in [
            (r#"{"times":0,"then":{"flood":1}}"#, "times"),
            (r#"{"match":{"request":"messages.creatChat"},"then":{"flood":1}}"#, "match.request"),
            (r#"{"then":{"log_out":false}}"#, "then.log_out"),
            (r#"{"then":{"migrate_dc":9}}"#, "then.migrate_dc"),
            (r#"{"then":{"error":[200,"X"]}}"#, "then.error"),
            (r#"{"then":{"delay_ms":600001}}"#, "then.delay_ms"),
            (r#"{"then":{"error_after":[500,""]}}"#, "then.error_after"),
            (r#"{"then":{"transport":404}}"#, "then.transport"),
        ] {
            assert_eq!(script.add(rule(json), &[2]).unwrap_err().field, field, "{json}");
        }
    }

    #[test]
    fn a_transport_error_without_a_request_is_for_any_message() {
        let mut script = Script::default();
        script.add(rule(r#"{"then":{"flood":1}}"#), &[]).unwrap();
        let named = r#"{"match":{"request":"messages.createChat"},"then":{"transport":-404}}"#;
        script.add(rule(named), &[]).unwrap();
        script.add(rule(r#"{"match":{"user_id":7},"then":{"transport":-404}}"#), &[]).unwrap();
        assert_eq!(script.take_unread(None), None);
        let me = Some(UserId(7));
        assert_eq!(script.take_unread(me), Some((3, Fault::Transport(-404))));
        assert_eq!(script.take_unread(me), None);
        assert_eq!(script.take(me, CREATE), Some((1, Fault::Flood(1))));
        assert_eq!(script.take(me, CREATE), Some((2, Fault::Transport(-404))));
    }

    #[test]
    fn a_rule_can_be_taken_back() {
        let mut script = Script::default();
        let id = script.add(rule(r#"{"then":{"flood":1}}"#), &[]).unwrap();
        assert!(script.remove(id));
        assert!(!script.remove(id));
        assert_eq!(script.take(None, CREATE), None);
    }
}
