//! Checks that are counted: what was looked at, and what was wrong with it.

/// One look: whether all was right, and the words for when it was not.
pub type Check = (bool, String);

/// The sum of all checks.
#[derive(Debug, Default)]
pub struct Verdict {
    checks: usize,
    problems: usize,
}

impl Verdict {
    /// Counts these checks; gives the words of those that failed.
    pub fn add(&mut self, found: Vec<Check>) -> Vec<String> {
        self.checks += found.len();
        let wrong: Vec<String> =
            found.into_iter().filter(|(right, _)| !right).map(|(_, words)| words).collect();
        self.problems += wrong.len();
        wrong
    }

    /// How many checks there were.
    pub fn checks(&self) -> usize {
        self.checks
    }

    /// How many failed.
    pub fn problems(&self) -> usize {
        self.problems
    }
}
