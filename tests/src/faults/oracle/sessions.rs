//! **S**: no two connections ever sent on one auth key at the same time, and every account still has the
//! login that it had: not one was lost, none was made anew.

use crate::faults::history::{Breach, History};

/// The breaches of S.
pub fn judge(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut found = |what: String| breaches.push(Breach::new("S", what));
    for entry in &history.journal {
        let user = entry["user_id"].as_i64().unwrap_or(0);
        let moved = history.migrated.contains(&user);
        if entry["kind"] == "key_duplicated" {
            found(format!("two connections sent on one auth key: {entry}"));
        }
        if entry["kind"] == "key_made" && history.migrated.is_empty() {
            found(format!("an auth key was made: {entry}"));
        }
        if entry["error"].as_str().is_some_and(|error| error.starts_with("AUTH_KEY_DUPLICATED")) {
            found(format!("an auth key is dead: {entry}"));
        }
        if entry["effect"]["kind"] == "auth.logged_in" && !moved {
            found(format!("somebody logged in anew: {entry}"));
        }
        let login = history.logins.iter().find(|login| login.user == user);
        if let Some(login) = login.filter(|_| entry["kind"] == "request" && !moved)
            && entry["auth_key_id"].as_str() != Some(&login.key)
        {
            found(format!("{} used another auth key: {entry}", login.instance));
        }
    }
    for login in history.logins.iter().filter(|login| !login.serves) {
        found(format!("{} does not serve any more", login.instance));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::specimen;
    use super::*;

    fn with(entry: Value) -> usize {
        let mut history = specimen::good();
        history.journal.push(entry);
        judge(&history).len()
    }

    #[test]
    fn a_key_that_was_used_twice_made_anew_or_replaced_is_found() {
        assert_eq!(with(json!({ "n": 900, "kind": "key_duplicated", "user_id": 1 })), 1);
        assert_eq!(with(json!({ "n": 900, "kind": "key_made" })), 1);
        let user = specimen::USER;
        let other = json!({ "n": 900, "kind": "request", "user_id": user, "auth_key_id": "9" });
        assert_eq!(with(other), 1);
        let login = json!({ "n": 900, "kind": "admin", "effect": { "kind": "auth.logged_in" } });
        assert_eq!(with(login), 1);
    }

    #[test]
    fn an_account_that_does_not_serve_at_the_end_is_found() {
        let mut history = specimen::good();
        history.logins[0].serves = false;
        assert_eq!(judge(&history).len(), 1);
    }
}
