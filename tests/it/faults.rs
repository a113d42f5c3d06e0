//! A few seeds of the fault matrix (`make faults` plays hundreds): one that freezes and kills workers, one
//! that hurts Redis, one that cuts off from Telegram. Their numbers are as good as any other.

use queuegram_tests::faults::lane::{self, Lane};
use queuegram_tests::faults::report;
use queuegram_tests::faults::scale::Scale;
use queuegram_tests::faults::seed::{self, Play};

const SEEDS: [u64; 3] = [1, 2, 5];

#[tokio::test(flavor = "multi_thread")]
async fn the_laws_hold_under_faults() {
    let scale = Scale(10);
    let lane = Lane::open().await.unwrap();
    let environment = lane::settings(scale).await.unwrap();
    for seed in SEEDS {
        let play = Play { seed, scale, environment: environment.clone(), schedule: None };
        let verdict = seed::play(&lane, &play).await.unwrap();
        assert!(verdict.breaches.is_empty(), "{}", report::story(&verdict));
    }
}
