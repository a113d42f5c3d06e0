//! One cell: what was asked, what was answered, what the journal says, and what is wrong with it.

use serde_json::{Value, json};

use crate::expect::{count, holds};

/// The two kinds of group.
pub const KINDS: [&str; 2] = ["supergroup", "basic"];

/// A line of the table.
#[derive(Debug)]
pub struct Cell {
    pub at: At,
    /// The effect in Telegram's journal, or why there can be none.
    pub seen: String,
    /// Empty where all is right.
    pub problem: String,
}

/// The coordinates of a cell.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub method: &'static str,
    pub kind: &'static str,
    pub form: &'static str,
    pub who: &'static str,
    pub outcome: &'static str,
}

impl At {
    /// The cell of a case that Telegram doesn't have.
    pub fn impossible(self, why: &str) -> Cell {
        self.cell(format!("n/a: {why}"), String::new())
    }

    /// The cell of one member's outcome.
    pub fn member(self, reply: &Value, index: usize, user: i64, happened: &Happened) -> Cell {
        let member = &reply["result"]["members"][index];
        let mut problem = String::new();
        let known = if self.outcome == "not_found" { Value::Null } else { json!(user) };
        if !holds(member, &json!({ "status": self.outcome, "user_id": known })) {
            problem = format!("answered {member} in {reply}");
        }
        match happened.to_member(user, self) {
            Ok(seen) => self.cell(seen, problem),
            Err(lacking) => self.cell("nothing".to_owned(), format!("{problem} {lacking}")),
        }
    }

    /// A cell with these words.
    pub fn cell(self, seen: String, problem: String) -> Cell {
        Cell { at: self, seen, problem }
    }
}

/// What the journal holds since the command was sent.
#[derive(Debug)]
pub struct Happened {
    pub effects: Vec<Value>,
    /// `request error` of everything that was refused.
    pub refused: Vec<String>,
    pub requests: Vec<String>,
}

impl Happened {
    /// The one effect that an outcome must have had, in words; else what is lacking.
    fn to_member(&self, user: i64, at: At) -> Result<String, String> {
        let one = |kind: &str| {
            let wanted = json!({ "kind": kind, "user_id": user });
            (count(&self.effects, &wanted) == 1).then(|| kind.to_owned())
        };
        let came_in = one("chat.member_added").or_else(|| self.created_with(user));
        let went_out = one("chat.member_removed").or_else(|| {
            let (banned, let_go) = (one("chat.member_banned")?, one("chat.member_unbanned")?);
            Some(format!("{banned}, {let_go}"))
        });
        let refused = || self.refused.last().cloned();
        let untouched = || {
            let about = self.effects.iter().any(|effect| effect["user_id"] == user);
            (!about && came_in.is_none()).then(|| "no effect on them".to_owned())
        };
        let seen = match at.outcome {
            "added" => came_in.clone(),
            "removed" => went_out,
            "privacy_blocked" | "needs_premium" => {
                one("chat.member_missing").filter(|_| came_in.is_none())
            }
            "too_many_groups" | "bot_blocked" | "failed" | "throttled" => {
                untouched().and_then(|_| refused())
            }
            "already_member" | "not_member" | "not_found" => untouched(),
            other => return Err(format!("no such outcome: {other}")),
        };
        seen.ok_or_else(|| format!("the journal does not tell of {}: {self:?}", at.outcome))
    }

    /// A basic group is made with its members in one call.
    fn created_with(&self, user: i64) -> Option<String> {
        let with = |effect: &&Value| {
            effect["kind"] == "chat.created"
                && effect["members"]
                    .as_array()
                    .is_some_and(|members| members.contains(&json!(user)))
        };
        (self.effects.iter().filter(with).count() == 1).then(|| "chat.created with them".to_owned())
    }
}
