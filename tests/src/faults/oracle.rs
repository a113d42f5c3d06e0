//! The laws, as pure functions over a [`History`]: each gives the breaches that it finds.

mod effects;
mod floods;
mod left;
mod lost;
mod order;
mod results;
mod sessions;
#[cfg(test)]
mod specimen;

use super::history::{Breach, History};

/// Everything that is wrong with a history.
#[must_use]
pub fn judge(history: &History) -> Vec<Breach> {
    let laws: [fn(&History) -> Vec<Breach>; 7] = [
        lost::judge,
        effects::judge,
        results::judge,
        order::judge,
        sessions::judge,
        floods::judge,
        left::judge,
    ];
    laws.iter().flat_map(|law| law(history)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_history_breaks_no_law() {
        assert_eq!(judge(&specimen::good()), []);
    }
}
