//! Chance that can be repeated: everything that a seed draws comes from here, so that the seed's number
//! tells the whole of its workload and its faults.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// One stream of chance.
#[derive(Debug)]
pub struct Dice(StdRng);

impl Dice {
    /// The stream of `seed` that is called `name`: another one for each name, so that drawing more of
    /// one thing leaves the others as they were.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let salt = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(StdRng::seed_from_u64(seed ^ salt))
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// A number below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// True so many times out of a hundred.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    /// One of a list that is not empty.
    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// One of a list by its weights, of which one at least is not 0.
    pub fn weighted<'a, T>(&mut self, list: &'a [(u64, T)]) -> &'a T {
        let total: u64 = list.iter().map(|(weight, _)| weight).sum();
        let mut left = self.between(1, total);
        for (weight, item) in list {
            if left <= *weight {
                return item;
            }
            left -= weight;
        }
        &list[0].1
    }

    /// A time from `low` to `high` milliseconds.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_each_name_its_own() {
        let draw = |seed, name| {
            let mut dice = Dice::new(seed, name);
            (0..8).map(|_| dice.between(0, 1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "faults"), draw(7, "faults"));
        assert_ne!(draw(7, "faults"), draw(8, "faults"));
        assert_ne!(draw(7, "faults"), draw(7, "workload"));
    }

    #[test]
    fn what_has_no_weight_is_never_drawn() {
        let mut dice = Dice::new(1, "weights");
        let drawn: Vec<char> =
            (0..200).map(|_| *dice.weighted(&[(0, 'a'), (1, 'b'), (9, 'c')])).collect();
        assert!(!drawn.contains(&'a') && drawn.contains(&'b') && drawn.contains(&'c'));
    }
}
