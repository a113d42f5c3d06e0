//! Comparing what a command was answered and what stands in the journal with what must be.
//!
//! The journal is compared whole: every effect that is wanted is there once, and no other.

use serde_json::Value;

use crate::expect::holds;

/// What must come of a command.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Fields of the reply, by JSON pointer.
    pub reply: Vec<(String, Value)>,
    /// Effects by the fields that matter.
    pub effects: Vec<Value>,
}

impl Wanted {
    /// One more field of the reply.
    pub fn field(&mut self, pointer: &str, value: impl Into<Value>) {
        self.reply.push((pointer.to_owned(), value.into()));
    }
}

/// What is wrong; nothing, where all is right.
pub fn problems(reply: &Value, effects: &[Value], wanted: &Wanted) -> Vec<String> {
    let mut problems: Vec<String> = wanted
        .reply
        .iter()
        .filter(|(pointer, value)| reply.pointer(pointer).unwrap_or(&Value::Null) != value)
        .map(|(pointer, value)| {
            let got = reply.pointer(pointer).unwrap_or(&Value::Null);
            format!("reply{pointer}: wanted {value}, got {got}")
        })
        .collect();
    problems.extend(journal_problems(effects, &wanted.effects));
    problems
}

/// The same for the journal alone.
pub fn journal_problems(effects: &[Value], wanted: &[Value]) -> Vec<String> {
    let mut left: Vec<&Value> = effects.iter().collect();
    let mut problems = Vec::new();
    for one in wanted {
        match left.iter().position(|effect| holds(effect, one)) {
            Some(at) => drop(left.remove(at)),
            None => problems.push(format!("not in the journal: {one}")),
        }
    }
    problems.extend(left.iter().map(|effect| format!("unwanted in the journal: {effect}")));
    problems
}

/// The test of the check itself: every effect of a cell that is right, taken out of the journal,
/// must make it wrong, and so must one too many. Gives how many such journals were tried.
///
/// # Errors
/// The journal that was wrong and did not fail.
pub fn prove_the_check(effects: &[Value], wanted: &[Value]) -> Result<usize, String> {
    for at in 0..effects.len() {
        let mut short = effects.to_vec();
        let taken = short.remove(at);
        if journal_problems(&short, wanted).is_empty() {
            return Err(format!("the check does not miss {taken}"));
        }
    }
    let stray = serde_json::json!({ "kind": "chat.deleted", "chat_id": -1 });
    let long = [effects, &[stray]].concat();
    if journal_problems(&long, wanted).is_empty() {
        return Err("the check does not see one effect too many".to_owned());
    }
    Ok(effects.len() + 1)
}
