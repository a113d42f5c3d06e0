//! Orders about an account's limits: their params and results.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, InstanceId, MethodName};

/// Result of `account.limits`: how often the account may call Telegram, and how it stands with that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLimits {
    /// The instance.
    pub instance: InstanceId,
    /// The set of budgets that it starts from.
    pub profile: String,
    /// Until when the account counts as young, with smaller budgets; null where it does not.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub warm_up_until: Option<DateTime<Utc>>,
    /// Each class of calls.
    pub classes: Vec<ClassLimit>,
    /// Chats that are shut by slow mode, or that commands wait for because of it.
    #[serde(default)]
    pub chats: Vec<ChatLimit>,
    /// How many groups the account is in, as far as they were counted.
    pub groups: Option<GroupsUsed>,
}

/// A chat in slow mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatLimit {
    /// The chat.
    pub chat_id: ChatId,
    /// Until when it is shut; null where it is open again.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub closed_until: Option<DateTime<Utc>>,
    /// Commands that wait for it.
    pub parked: u32,
}

/// How one class of calls stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassLimit {
    /// The class.
    pub class: String,
    /// Seconds for which one call counts at present.
    pub every_s: f64,
    /// Calls that may come at once after a rest.
    pub burst: u32,
    /// Calls that may come at once now.
    pub tokens: u32,
    /// Most calls in 24 hours; null for no such cap.
    pub per_day: Option<u32>,
    /// Calls of the last 24 hours.
    pub used_today: u32,
    /// The learnt rate: 1 is the configured one, halved by each flood wait and slowly recovered.
    pub rate: f64,
    /// Whether its gate is shut.
    pub closed: bool,
    /// Until when it is shut; null where it is open, or where a person has to resume it.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub closed_until: Option<DateTime<Utc>>,
    /// What shut it: Telegram's name of the limit, or one of ours.
    pub reason: Option<String>,
    /// Commands that wait for it.
    pub parked: u32,
    /// When a call that comes now can be made, after those that wait; null where a person has to
    /// resume the class first.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub next_at: Option<DateTime<Utc>>,
}

/// How near an account is to Telegram's limit of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsUsed {
    /// Groups that it is in.
    pub used: u32,
    /// The most that Telegram lets it be in.
    pub most: u32,
    /// When they were counted.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub counted_at: DateTime<Utc>,
}

/// Params of `account.set_limits`: budgets of this instance that replace the configured ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSetLimits {
    /// By class; null takes a class back to what is configured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub budgets: BTreeMap<String, Option<BudgetParams>>,
    /// Whether the account is treated as a young one for its first days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<bool>,
}

/// A budget as an order gives it; what is left out stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetParams {
    /// Seconds for which one call counts; fractions allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_s: Option<f64>,
    /// Calls that may come at once after a rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Most calls in 24 hours; 0 for no such cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
}

/// Params of `account.forecast`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountForecast {
    /// The method that would be asked for.
    pub method: MethodName,
}

/// Result of `account.forecast`: when a command of that method could be carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// The instance.
    pub instance: InstanceId,
    /// The method.
    pub method: MethodName,
    /// The class that it would wait for longest; null where it waits for none.
    pub class: Option<String>,
    /// What it would wait for: Telegram's name of a limit, or one of ours.
    pub reason: Option<String>,
    /// Commands that wait for that class already.
    pub parked: u32,
    /// When it could be done; null where a person has to resume the class first.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub next_at: Option<DateTime<Utc>>,
}
