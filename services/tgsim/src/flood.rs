//! Limits on how often an account may ask for the same thing, as Telegram has them and publishes none of: off until a
//! table is set. Over a limit the request is answered `420 FLOOD_WAIT_n` and not executed; asking again before the wait
//! is over makes it longer, and is marked in the journal.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::world::UserId;

/// How many rows a table may have.
const ROWS_MAX: usize = 200;
const DAY_S: i64 = 86_400;
/// What asking during a wait adds to it: a tenth of what is left, at least a second. Nobody outside knows Telegram's own
/// figure; that waits grow for those who go on is what everybody reports.
const IMPATIENCE: i64 = 10;

/// How often one request may be made by one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// TL name. Invitations count for each person who is neither a contact nor a bot.
    pub request: String,
    /// Seconds for which one counts.
    pub every_s: f64,
    /// How many may come at once after a rest.
    pub burst: u32,
    /// How many in a day, counted from the first of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
}

/// A table that can't be, with the field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLimit {
    /// As a path.
    pub field: String,
    /// Why.
    pub reason: &'static str,
}

/// The limits, and how far each account is from them.
#[derive(Debug, Default)]
pub struct Flood {
    limits: Vec<Limit>,
    used: HashMap<(UserId, usize), Used>,
}

/// What one account has used of one limit.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    /// When everything is forgotten that was asked so far, in unix seconds.
    whole_at: f64,
    day: i64,
    today: u32,
    /// Until when it was told to wait.
    wait_until: i64,
}

/// A wait that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How long.
    pub seconds: u32,
    /// Whether it was asked for before, and not waited for.
    pub impatient: bool,
}

impl Flood {
    /// Sets the table; everything used so far is forgotten.
    ///
    /// # Errors
    /// A row that makes no sense.
    pub fn set(&mut self, limits: Vec<Limit>) -> Result<(), BadLimit> {
        let bad = |field: String, reason| Err(BadLimit { field, reason });
        if limits.len() > ROWS_MAX {
            return bad("limits".to_owned(), "too many rows");
        }
        for (n, limit) in limits.iter().enumerate() {
            if !crate::script::is_known(&limit.request) {
                return bad(
                    format!("limits[{n}].request"),
                    "no request of this API layer has this name",
                );
            }
            if !(limit.every_s > 0.0 && limit.every_s <= 86_400.0) {
                return bad(format!("limits[{n}].every_s"), "must be above 0, at most 86400");
            }
            if limit.burst == 0 {
                return bad(format!("limits[{n}].burst"), "must be at least 1");
            }
        }
        *self = Self { limits, used: HashMap::new() };
        Ok(())
    }

    /// The table.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What Telegram's own limits may be like, for the requests that groups are made and filled with: by what people
    /// report who run many accounts.
    pub fn like_telegram() -> Vec<Limit> {
        let limit = |request: &str, every_s, burst, per_day| Limit {
            request: request.to_owned(),
            every_s,
            burst,
            per_day,
        };
        vec![
            limit("channels.createChannel", 300.0, 5, Some(50)),
            limit("messages.createChat", 300.0, 5, Some(50)),
            limit("channels.inviteToChannel", 40.0, 15, Some(50)),
            limit("messages.addChatUser", 40.0, 15, Some(50)),
            limit("messages.exportChatInvite", 1.0, 20, None),
            limit("channels.editTitle", 1.0, 20, None),
            limit("channels.editAdmin", 1.0, 20, None),
            limit("channels.editBanned", 1.0, 20, None),
            limit("contacts.resolveUsername", 15.0, 30, Some(200)),
            limit("contacts.resolvePhone", 15.0, 30, Some(200)),
            limit("contacts.importContacts", 60.0, 10, Some(100)),
        ]
    }

    /// Whether a request counts.
    pub fn is_limited(&self, request: &str) -> bool {
        self.limits.iter().any(|limit| limit.request == request)
    }

    /// Counts a request that costs so much, or says how long to wait.
    pub fn ask(&mut self, user: UserId, request: &str, cost: u32, now: i64) -> Option<Wait> {
        let at = self.limits.iter().position(|limit| limit.request == request)?;
        let limit = &self.limits[at];
        let used = self.used.entry((user, at)).or_default();
        if now < used.wait_until {
            let left = used.wait_until - now;
            used.wait_until += (left / IMPATIENCE).max(1);
            return Some(Wait { seconds: seconds(used.wait_until - now), impatient: true });
        }
        if cost == 0 {
            return None;
        }
        let day = now.div_euclid(DAY_S);
        if used.day != day {
            (used.day, used.today) = (day, 0);
        }
        let spare = limit.every_s * f64::from(limit.burst.max(cost) - 1);
        let needed = limit.every_s * f64::from(cost - 1);
        let start = used.whole_at.max(now as f64);
        let paced = (start + needed - spare).ceil() as i64;
        let capped = match limit.per_day {
            Some(most) if used.today.saturating_add(cost) > most => (day + 1) * DAY_S,
            _ => now,
        };
        let opens = paced.max(capped);
        if opens > now {
            used.wait_until = opens;
            return Some(Wait { seconds: seconds(opens - now), impatient: false });
        }
        used.whole_at = start + limit.every_s * f64::from(cost);
        used.today = used.today.saturating_add(cost);
        None
    }
}

fn seconds(wait: i64) -> u32 {
    u32::try_from(wait).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "channels.createChannel";
    const ME: UserId = UserId(7);
    const NOON: i64 = 20_000 * DAY_S + DAY_S / 2;

    fn flood(every_s: f64, burst: u32, per_day: Option<u32>) -> Flood {
        let mut flood = Flood::default();
        let limit = Limit { request: CREATE.to_owned(), every_s, burst, per_day };
        flood.set(vec![limit]).unwrap();
        flood
    }

    fn wait(seconds: u32, impatient: bool) -> Option<Wait> {
        Some(Wait { seconds, impatient })
    }

    #[test]
    fn a_burst_goes_through_and_then_one_at_a_time() {
        let mut flood = flood(600.0, 2, None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON), None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON), None);
        assert_eq!(flood.ask(UserId(8), CREATE, 1, NOON), None, "others have their own");
        assert_eq!(flood.ask(ME, "channels.editTitle", 1, NOON), None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON), wait(600, false));
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 600), None);
    }

    #[test]
    fn who_does_not_wait_waits_longer() {
        let mut flood = flood(600.0, 1, None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON), None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 100), wait(500, false));
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 200), wait(440, true));
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 640), None);
    }

    #[test]
    fn a_day_has_its_end() {
        let mut flood = flood(1.0, 50, Some(3));
        assert_eq!(flood.ask(ME, CREATE, 3, NOON), None);
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 10), wait(43_190, false));
        assert_eq!(flood.ask(ME, CREATE, 1, NOON + 10 + 43_190), None);
    }

    #[test]
    fn a_row_that_makes_no_sense_is_refused_by_field() {
        let field = |json: &str| {
            let limits = vec![serde_json::from_str(json).unwrap()];
            Flood::default().set(limits).unwrap_err().field
        };
        let row = |request: &str, every: &str, burst: u32| {
            field(&format!(r#"{{"request":"{request}","every_s":{every},"burst":{burst}}}"#))
        };
        assert_eq!(row("channels.creatChannel", "1", 1), "limits[0].request");
        assert_eq!(row(CREATE, "0", 1), "limits[0].every_s");
        assert_eq!(row(CREATE, "1", 0), "limits[0].burst");
        assert!(Flood::default().set(Flood::like_telegram()).is_ok());
    }
}
