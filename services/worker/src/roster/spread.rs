//! Which worker an instance falls to: rendezvous hashing. Each worker weighs each instance, and the
//! heaviest has it. Who joins or leaves changes the first choice of that worker's share alone, and
//! all workers agree without asking each other.

use std::time::Duration;

use proto::InstanceId;
use sha2::{Digest, Sha256};
use store::Presence;

/// How much a worker wants an instance. The same in each release: workers of two releases must
/// agree during an update.
pub fn weight(worker: &str, instance: &InstanceId) -> u64 {
    let mut hash = Sha256::new();
    hash.update(worker);
    hash.update([0]);
    hash.update(instance.as_str());
    let hash: [u8; 32] = hash.finalize().into();
    hash.into_iter().take(8).fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// How many of the others come before this worker: those with room that weigh more.
pub fn rank(instance: &InstanceId, me: &str, alive: &[Presence]) -> usize {
    let mine = (weight(me, instance), me);
    let others = alive.iter().filter(|other| other.worker != me && other.room() > 0);
    others.filter(|other| (weight(&other.worker, instance), other.worker.as_str()) > mine).count()
}

/// How long a worker of this rank leaves an instance to those before it. Each of them has looked
/// three times by then, so an instance stays without an owner only while nobody has room.
pub fn patience(rank: usize, look: Duration) -> Duration {
    look * 3 * u32::try_from(rank).unwrap_or(u32::MAX)
}

/// The worker that an instance should move to: the first choice among those with room to spare and
/// this one, if that is another. It never comes back from there while nobody joins or leaves, since
/// each move is to one that weighs more.
pub fn better<'a>(instance: &InstanceId, me: &str, alive: &'a [Presence]) -> Option<&'a str> {
    let candidates = alive.iter().filter(|other| other.worker == me || has_ample_room(other));
    let first = candidates.max_by_key(|other| (weight(&other.worker, instance), &other.worker))?;
    (first.worker != me).then_some(first.worker.as_str())
}

/// A twentieth of its capacity: counts are a second old, and several workers may send it instances
/// at once. What does not fit would go back.
fn has_ample_room(worker: &Presence) -> bool {
    worker.room() > worker.capacity / 20
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn worker(name: &str, capacity: usize, owned: usize) -> Presence {
        Presence { worker: name.to_owned(), capacity, owned }
    }

    fn instances(count: usize) -> Vec<InstanceId> {
        (0..count).map(|n| format!("acme-{n}").parse().unwrap()).collect()
    }

    fn first<'a>(instance: &InstanceId, alive: &'a [Presence]) -> &'a str {
        let first = alive.iter().find(|one| rank(instance, &one.worker, alive) == 0);
        &first.unwrap().worker
    }

    #[test]
    fn weights_are_the_same_in_every_release() {
        for (worker, instance, expected) in VECTORS {
            assert_eq!(weight(worker, &instance.parse().unwrap()), expected, "{worker} {instance}");
        }
    }

    /// `printf 'worker-1\0acme-sales' | sha256sum`, the first 16 digits.
    const VECTORS: [(&str, &str, u64); 3] = [
        ("worker-1", "acme-sales", 0x7941_3704_185f_4fe1),
        ("worker-2", "acme-sales", 0xd7ba_a3c1_62bc_18b9),
        ("worker-1", "acme-support", 0xaa9c_fbbc_3ba1_16d2),
    ];

    #[test]
    fn instances_are_spread_about_evenly_and_every_one_has_one_first_choice() {
        let alive = ["a", "b", "c"].map(|name| worker(name, 1_000, 0));
        let mut counts = HashMap::new();
        for instance in instances(900) {
            let ranks: Vec<_> =
                alive.iter().map(|one| rank(&instance, &one.worker, &alive)).collect();
            let mut sorted = ranks.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2]);
            *counts.entry(first(&instance, &alive).to_owned()).or_insert(0) += 1;
        }
        assert!(counts.values().all(|count| (250..350).contains(count)), "{counts:?}");
    }

    #[test]
    fn only_the_share_of_who_leaves_changes_hands() {
        let all = ["a", "b", "c", "d"].map(|name| worker(name, 1_000, 0));
        let left = &all[..3];
        for instance in instances(400) {
            let before = first(&instance, &all);
            if before != "d" {
                assert_eq!(first(&instance, left), before);
            }
        }
    }

    #[test]
    fn a_full_worker_stands_in_nobodys_way_and_gets_nothing_more() {
        let alive = [worker("a", 10, 10), worker("b", 10, 0)];
        for instance in instances(50) {
            assert_eq!(rank(&instance, "b", &alive), 0);
            assert_eq!(better(&instance, "b", &alive), None);
        }
        // Nor does one that is nearly full: its count may be old.
        let nearly = [worker("a", 100, 96), worker("b", 100, 0)];
        assert!(instances(50).iter().all(|instance| better(instance, "b", &nearly).is_none()));
    }

    #[test]
    fn moves_lead_to_the_first_choice_and_end_there() {
        let alive = ["a", "b", "c"].map(|name| worker(name, 1_000, 100));
        for instance in instances(300) {
            for start in ["a", "b", "c"] {
                let there = better(&instance, start, &alive).unwrap_or(start);
                assert_eq!(there, first(&instance, &alive));
                assert_eq!(better(&instance, there, &alive), None);
            }
        }
    }

    #[test]
    fn who_comes_later_waits_longer() {
        let look = Duration::from_secs(1);
        assert_eq!(patience(0, look), Duration::ZERO);
        assert_eq!(patience(2, look), Duration::from_secs(6));
    }
}
