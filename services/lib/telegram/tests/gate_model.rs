//! The cell of gate and deadline under every interleaving of those who extend, shut and pass it (loom).

#![expect(clippy::unwrap_used, reason = "a thread that panicked fails the test")]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use self::cell::Cell;

/// What the cell locks with here.
mod sync {
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

#[path = "../src/gate/cell.rs"]
mod cell;

const DEADLINE: usize = 10;

/// A cell, a clock that a thread can move, and whether somebody was told that the cell is shut (which is no part of the
/// model, hence the ordinary atomic).
#[derive(Clone)]
struct World {
    cell: Arc<Cell<usize>>,
    clock: Arc<AtomicUsize>,
    told_shut: std::sync::Arc<AtomicBool>,
}

impl World {
    fn new() -> Self {
        Self {
            cell: Arc::new(Cell::until(DEADLINE)),
            clock: Arc::new(AtomicUsize::new(0)),
            told_shut: std::sync::Arc::new(AtomicBool::new(false)),
        }
    }

    /// A write, which must never happen once somebody was told "shut".
    fn write(&self) {
        let passed = self.cell.pass(
            || self.clock.load(SeqCst),
            || assert!(!self.told_shut.load(SeqCst), "a write after it was shut"),
        );
        if passed.is_none() {
            self.told_shut.store(true, SeqCst);
        }
    }

    fn shut(&self) {
        self.cell.shut();
        self.told_shut.store(true, SeqCst);
    }

    fn extend(&self, by: usize) {
        let was_shut = self.told_shut.load(SeqCst);
        let now = || self.clock.load(SeqCst);
        let extended = self.cell.extend(DEADLINE + by, now);
        assert!(!(was_shut && extended), "it opened again");
        if !extended {
            self.told_shut.store(true, SeqCst);
        }
    }

    /// Two threads beside this one.
    fn together(&self, one: fn(&Self), two: fn(&Self), here: fn(&Self)) {
        let threads = [one, two].map(|work| {
            let world = self.clone();
            thread::spawn(move || work(&world))
        });
        here(self);
        for thread in threads {
            thread.join().unwrap();
        }
    }

    fn time_is_up(&self) {
        self.clock.store(DEADLINE, SeqCst);
    }
}

#[test]
fn no_write_happens_after_shut_returned() {
    loom::model(|| {
        let world = World::new();
        world.together(World::write, World::shut, |world| world.extend(5));
        assert!(world.cell.pass(|| 0, || ()).is_none());
    });
}

#[test]
fn no_write_happens_after_the_deadline_was_seen_to_have_passed() {
    loom::model(|| {
        let world = World::new();
        let twice = |world: &World| (0..2).for_each(|_| world.write());
        world.together(World::time_is_up, twice, World::write);
        assert!(world.cell.pass(|| world.clock.load(SeqCst), || ()).is_none());
    });
}

#[test]
fn an_extension_comes_before_the_deadline_or_not_at_all() {
    loom::model(|| {
        let world = World::new();
        world.together(World::time_is_up, |world| world.extend(5), World::write);
        let open = world.cell.deadline(|| world.clock.load(SeqCst));
        assert!(open.is_none_or(|until| until == DEADLINE + 5));
        assert!(!(open.is_some() && world.told_shut.load(SeqCst)), "it opened again");
    });
}
