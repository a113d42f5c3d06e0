//! The short run: every checked-in input, and the same mutations of them each time.

#![cfg(test)]

use std::panic::catch_unwind;
use std::path::Path;

use queuegram_fuzz::TARGETS;
use queuegram_fuzz::mutate::Mutator;

/// Mutations of each target: some seconds in all, though a debug build takes its time over the seals.
const MUTATIONS: u64 = 500;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn no_input_breaks_a_promise() {
    for target in TARGETS {
        let seeds = corpus(target.name);
        assert!(!seeds.is_empty(), "{} has no corpus", target.name);
        let mut mutator = Mutator::new(1);
        let mutations = (0..MUTATIONS).map(|_| mutator.next(&seeds));
        for data in seeds.iter().cloned().chain(mutations) {
            if catch_unwind(|| (target.run)(&data)).is_err() {
                let file = std::env::temp_dir().join(format!("fuzz-{}", target.name));
                std::fs::write(&file, &data).unwrap();
                panic!(
                    "{}: {}\nsaved: make fuzz-replay TARGET={} FILE={}",
                    target.name,
                    String::from_utf8_lossy(&data),
                    target.name,
                    file.display()
                );
            }
        }
    }
}
