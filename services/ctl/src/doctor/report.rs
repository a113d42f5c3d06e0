//! What `doctor` found: a row per check, with a hint where something is to be done.

use serde::Serialize;

use crate::{
    screen::{BAD, FAINT, GOOD, STRONG, UNSURE, paint, plain},
    table::table,
};

/// All findings, in the order of the examination.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    well: bool,
    checks: Vec<Check>,
}

/// One finding.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do.
    pub hint: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and yet.
    Warning,
    /// It doesn't work.
    Bad,
    /// It could not be looked at.
    Skipped,
}

impl Report {
    /// Adds a finding that needs nothing done.
    pub fn ok(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.add(subject, State::Ok, detail, None::<String>);
    }

    /// Adds a finding with what to do.
    pub fn trouble(
        &mut self,
        state: State,
        subject: impl Into<String>,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(subject, state, detail, Some(hint));
    }

    /// Adds something that could not be looked at.
    pub fn skipped(&mut self, subject: impl Into<String>, why: impl Into<String>) {
        self.add(subject, State::Skipped, why, None::<String>);
    }

    fn add(
        &mut self,
        subject: impl Into<String>,
        state: State,
        detail: impl Into<String>,
        hint: Option<impl Into<String>>,
    ) {
        let (subject, detail) = (plain(&subject.into()), plain(&detail.into()));
        let hint = hint.map(Into::into);
        self.checks.push(Check { subject, state, detail, hint });
        self.well = self.is_well();
    }

    /// Whether nothing is broken.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Bad)
    }

    /// The findings for people.
    #[must_use]
    pub fn words(&self) -> String {
        let rows = self.checks.iter().map(|check| {
            vec![mark(check.state), paint(STRONG, &check.subject), check.detail.clone()]
        });
        let lines = table(&[], rows);
        let mut shown = Vec::new();
        for (line, check) in lines.lines().zip(&self.checks) {
            shown.push(line.to_owned());
            if let Some(hint) = &check.hint {
                shown.push(format!("     {} {hint}", paint(FAINT, "→")));
            }
        }
        let (bad, warnings) = (self.count(State::Bad), self.count(State::Warning));
        shown.push(match (bad, warnings) {
            (0, 0) => paint(GOOD, "all is well"),
            (0, 1) => paint(UNSURE, "it works, with 1 warning"),
            (0, warnings) => paint(UNSURE, &format!("it works, with {warnings} warnings")),
            (1, _) => paint(BAD, "1 check failed"),
            (bad, _) => paint(BAD, &format!("{bad} checks failed")),
        });
        shown.join("\n")
    }

    fn count(&self, state: State) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }
}

fn mark(state: State) -> String {
    match state {
        State::Ok => paint(GOOD, "✓"),
        State::Warning => paint(UNSURE, "!"),
        State::Bad => paint(BAD, "✗"),
        State::Skipped => paint(FAINT, "–"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_in_words() {
        let mut report = Report::default();
        report.ok("broker", "RabbitMQ 4.2");
        assert!(report.is_well());
        report.trouble(State::Bad, "worker", "no answer", "start queuegram-worker");
        report.skipped("instances", "no worker");
        let shown = anstream::adapter::strip_str(&report.words()).to_string();
        assert_eq!(
            shown,
            "✓  broker     RabbitMQ 4.2\n\
             ✗  worker     no answer\n\
             \u{20}    → start queuegram-worker\n\
             –  instances  no worker\n\
             1 check failed"
        );
        assert!(!report.is_well() && !report.well);
    }
}
