//! Why a command did not succeed: a closed list of kinds, which say who may try again, and a code,
//! which is Telegram's own (`USER_PRIVACY_RESTRICTED`) or one of ours, listed in [`code`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The closed list of `error_kind`: it says what a caller can do about it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// It could not be read as a command at all: not JSON, no id. Kept in the dead queue.
    Malformed,
    /// Unknown method, wrong params, unknown peer. The caller may try again after a fix.
    Invalid,
    /// Privacy, missing rights, a wrong API key, a full account.
    Forbidden,
    /// The deadline passed before the first step.
    Expired,
    /// Cancelled before the first step.
    Cancelled,
    /// A flood wait or our own budget reaches past the deadline; see `retry_after_s`.
    Throttled,
    /// Telegram or a store could not be reached until the deadline.
    Unavailable,
    /// The same id with another method, other params or another ref.
    Conflict,
    /// Something not repeatable was sent and its effect can't be established. A human decides.
    Uncertain,
    /// The account is logged out, banned, stopped or still connecting.
    Detached,
    /// A defect of Queuegram.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::Invalid,
        Self::Forbidden,
        Self::Expired,
        Self::Cancelled,
        Self::Throttled,
        Self::Unavailable,
        Self::Conflict,
        Self::Uncertain,
        Self::Detached,
        Self::Internal,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Uncertain => "uncertain",
            Self::Detached => "detached",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed later under a new id, if nothing was done.
    #[must_use]
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Throttled | Self::Unavailable | Self::Conflict | Self::Detached
        )
    }
}

/// One reason, as it goes into a result's `error_*` fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// Telegram's name of the error, or one of [`code`].
    pub code: String,
    /// One sentence for people. Never a secret, a phone number or the text of a message.
    pub message: String,
    /// For `throttled`: seconds after which the same request may succeed under a new id.
    pub retry_after_s: Option<u64>,
}

impl Fault {
    /// A fault of any kind.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), retry_after_s: None }
    }

    /// It could not be read as a command.
    pub fn malformed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, code, message)
    }

    /// The caller must change the request.
    pub fn invalid(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    /// The account may not do this, or not to these people.
    pub fn forbidden(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, code, message)
    }

    /// The deadline passed and nothing was done.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Expired, code::DEADLINE_PASSED, message)
    }

    /// Cancelled before the first step.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Cancelled, code::CANCELLED, message)
    }

    /// Telegram's limits, or ours, ask for a wait.
    pub fn throttled(
        code: impl Into<String>,
        message: impl Into<String>,
        retry_after_s: u64,
    ) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(ErrorKind::Throttled, code, message)
        }
    }

    /// Telegram or a store could not be reached.
    pub fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, code, message)
    }

    /// The id was used for something else.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code::ID_REUSED, message)
    }

    /// Nobody can say whether it happened.
    pub fn uncertain(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Uncertain, code::OUTCOME_UNKNOWN, message)
    }

    /// The account is not connected.
    pub fn detached(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Detached, code, message)
    }

    /// A defect of Queuegram. The message is shown to callers: no internals in it.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, code::INTERNAL, message)
    }

    /// Whether the same request may succeed later under a new id, given that nothing was done.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.kind.retryable()
    }
}

/// Our own values of `error_code`. All other codes are Telegram's.
pub mod code {
    /// The body is not JSON.
    pub const NOT_JSON: &str = "NOT_JSON";
    /// The body is JSON but no object.
    pub const NOT_AN_OBJECT: &str = "NOT_AN_OBJECT";
    /// The body is not UTF-8.
    pub const NOT_UTF8: &str = "NOT_UTF8";
    /// The body is larger than 256 KiB.
    pub const TOO_LARGE: &str = "TOO_LARGE";
    /// The body is nested deeper than 32 levels.
    pub const TOO_DEEP: &str = "TOO_DEEP";
    /// One object of the body has the same field twice.
    pub const DUPLICATE_FIELD: &str = "DUPLICATE_FIELD";
    /// The `content_type` is none that is read.
    pub const CONTENT_TYPE_UNSUPPORTED: &str = "CONTENT_TYPE_UNSUPPORTED";
    /// Neither the body's `id` nor `message_id` is there.
    pub const ID_MISSING: &str = "ID_MISSING";
    /// The id is empty, too long, no string, or has control characters.
    pub const ID_INVALID: &str = "ID_INVALID";
    /// No method is named anywhere.
    pub const METHOD_MISSING: &str = "METHOD_MISSING";
    /// The named method does not exist.
    pub const METHOD_UNKNOWN: &str = "METHOD_UNKNOWN";
    /// Two different methods are named.
    pub const METHOD_AMBIGUOUS: &str = "METHOD_AMBIGUOUS";
    /// No instance is named anywhere.
    pub const INSTANCE_MISSING: &str = "INSTANCE_MISSING";
    /// What is named can't be an instance's id.
    pub const INSTANCE_INVALID: &str = "INSTANCE_INVALID";
    /// Two different instances are named.
    pub const INSTANCE_AMBIGUOUS: &str = "INSTANCE_AMBIGUOUS";
    /// There is no such instance.
    pub const INSTANCE_NOT_FOUND: &str = "INSTANCE_NOT_FOUND";
    /// There is such an instance already.
    pub const INSTANCE_EXISTS: &str = "INSTANCE_EXISTS";
    /// The account has been logged in, and keeps the identity that it has.
    pub const INSTANCE_IDENTITY_FIXED: &str = "INSTANCE_IDENTITY_FIXED";
    /// A field of the envelope or of the params that does not exist.
    pub const FIELD_UNKNOWN: &str = "FIELD_UNKNOWN";
    /// A field of the envelope has the wrong type or form.
    pub const FIELD_INVALID: &str = "FIELD_INVALID";
    /// A field of the params is missing, or has the wrong type or form.
    pub const PARAMS_INVALID: &str = "PARAMS_INVALID";
    /// `reply_to` names a place that replies must not go to.
    pub const REPLY_TO_FORBIDDEN: &str = "REPLY_TO_FORBIDDEN";
    /// `reply_to` is neither a queue's name nor an exchange and routing key.
    pub const REPLY_TO_INVALID: &str = "REPLY_TO_INVALID";
    /// `deadline` or `expiration` is no time.
    pub const DEADLINE_INVALID: &str = "DEADLINE_INVALID";
    /// The deadline passed before the first step.
    pub const DEADLINE_PASSED: &str = "DEADLINE_PASSED";
    /// `callback_url` was given where no gateway runs.
    pub const CALLBACKS_UNAVAILABLE: &str = "CALLBACKS_UNAVAILABLE";
    /// The instance asks for an `api_key` and none was given.
    pub const API_KEY_MISSING: &str = "API_KEY_MISSING";
    /// The `api_key` is not the instance's.
    pub const API_KEY_WRONG: &str = "API_KEY_WRONG";
    /// The API key is not good for this method.
    pub const API_KEY_SCOPE: &str = "API_KEY_SCOPE";
    /// The same id was used with another method, other params or another ref.
    pub const ID_REUSED: &str = "ID_REUSED";
    /// `external_ref` and `chat_id` name two different groups.
    pub const EXTERNAL_REF_MISMATCH: &str = "EXTERNAL_REF_MISMATCH";
    /// `external_ref` names no group of this instance.
    pub const EXTERNAL_REF_UNBOUND: &str = "EXTERNAL_REF_UNBOUND";
    /// Cancelled before the first step.
    pub const CANCELLED: &str = "CANCELLED";
    /// The command's effect can't be established.
    pub const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
    /// There is no record of such a command.
    pub const COMMAND_NOT_FOUND: &str = "COMMAND_NOT_FOUND";
    /// Work on the command has begun: it can't be taken back.
    pub const COMMAND_UNDER_WAY: &str = "COMMAND_UNDER_WAY";
    /// The command has its result, which is final.
    pub const COMMAND_FINISHED: &str = "COMMAND_FINISHED";
    /// Nothing of the command has begun: there is nothing to decide about.
    pub const COMMAND_NOT_BEGUN: &str = "COMMAND_NOT_BEGUN";
    /// A person found that nothing of the command was done.
    pub const RESOLVED_BY_HAND: &str = "RESOLVED_BY_HAND";
    /// The command was started too often without getting anywhere.
    pub const POISONED: &str = "POISONED";
    /// Somebody named is the account itself.
    pub const ACCOUNT_ITSELF: &str = "ACCOUNT_ITSELF";
    /// The account is in as many groups as Telegram lets it be.
    pub const ACCOUNT_FULL: &str = "ACCOUNT_FULL";
    /// A basic group has no ban list.
    pub const BAN_NEEDS_SUPERGROUP: &str = "BAN_NEEDS_SUPERGROUP";
    /// RabbitMQ did not do what an order needs.
    pub const BROKER_UNAVAILABLE: &str = "BROKER_UNAVAILABLE";
    /// The account is in no such group.
    pub const CHAT_NOT_FOUND: &str = "CHAT_NOT_FOUND";
    /// The account can't see the group that an `external_ref` names.
    pub const CHAT_OUT_OF_SIGHT: &str = "CHAT_OUT_OF_SIGHT";
    /// `confirm_title` is not the group's title.
    pub const CONFIRM_TITLE_MISMATCH: &str = "CONFIRM_TITLE_MISMATCH";
    /// `confirm_title` is needed, since the group is not Queuegram's.
    pub const CONFIRM_TITLE_REQUIRED: &str = "CONFIRM_TITLE_REQUIRED";
    /// Another worker is just taking the instance, or there is no room for it.
    pub const INSTANCE_BUSY: &str = "INSTANCE_BUSY";
    /// No login of that id is under way.
    pub const LOGIN_NOT_FOUND: &str = "LOGIN_NOT_FOUND";
    /// The account can't be logged in now.
    pub const LOGIN_NOT_POSSIBLE: &str = "LOGIN_NOT_POSSIBLE";
    /// What was given is no session string that can be used.
    pub const SESSION_INVALID: &str = "SESSION_INVALID";
    /// The session string is that of a bot.
    pub const SESSION_OF_BOT: &str = "SESSION_OF_BOT";
    /// Telegram does not know the session that was given any more.
    pub const SESSION_DEAD: &str = "SESSION_DEAD";
    /// What was given is no backup of this instance's login, or can't be opened here.
    pub const BACKUP_INVALID: &str = "BACKUP_INVALID";
    /// The account has never met the person with this number.
    pub const PEER_ID_UNKNOWN: &str = "PEER_ID_UNKNOWN";
    /// The worker is going down.
    pub const WORKER_STOPPING: &str = "WORKER_STOPPING";
    /// The budget of a class of calls is spent.
    pub const BUDGET_SPENT: &str = "BUDGET_SPENT";
    /// A person or a circuit paused what the command needs.
    pub const PAUSED: &str = "PAUSED";
    /// Too many askers wait for one command already.
    pub const TOO_MANY_ASKERS: &str = "TOO_MANY_ASKERS";
    /// Telegram could not be reached, or did not answer in time.
    pub const TELEGRAM_UNAVAILABLE: &str = "TELEGRAM_UNAVAILABLE";
    /// Redis or the vault could not be reached.
    pub const STORE_UNAVAILABLE: &str = "STORE_UNAVAILABLE";
    /// The instance has never been logged in, or is being connected.
    pub const NOT_CONNECTED: &str = "NOT_CONNECTED";
    /// The account is stopped.
    pub const STOPPED: &str = "STOPPED";
    /// This installation can't use the account; neither a login nor waiting mends that.
    pub const ACCOUNT_FAILED: &str = "ACCOUNT_FAILED";
    /// The account is logged out.
    pub const LOGGED_OUT: &str = "LOGGED_OUT";
    /// Telegram banned or deleted the account.
    pub const BANNED: &str = "BANNED";
    /// A defect of Queuegram.
    pub const INTERNAL: &str = "INTERNAL";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_on_the_wire_are_those_of_the_contract() {
        let words: Vec<String> =
            ErrorKind::ALL.iter().map(|kind| serde_json::to_string(kind).unwrap()).collect();
        assert_eq!(
            words.join(","),
            r#""malformed","invalid","forbidden","expired","cancelled","throttled","unavailable","conflict","uncertain","detached","internal""#
        );
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn only_what_may_succeed_later_is_retryable() {
        let retryable: Vec<&str> =
            ErrorKind::ALL.into_iter().filter(|k| k.retryable()).map(ErrorKind::as_str).collect();
        assert_eq!(retryable, ["expired", "throttled", "unavailable", "conflict", "detached"]);
    }
}
