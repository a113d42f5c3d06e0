//! Client libraries that are not ours use tgsim as they would use Telegram.

use queuegram_tests::stage::folder::Folder;
use queuegram_tests::stage::tgsim::Tgsim;
use queuegram_tests::stage::witness::{Language, testify};

async fn witness(script: &str) {
    let folder = Folder::new("witness").unwrap();
    let tgsim = Tgsim::start(folder.path(), 2).await.unwrap();
    let said = testify(Language::Python, script, &[], &tgsim.witness_environment()).await.unwrap();
    assert!(said.lines().any(|line| line.starts_with("ok ")), "it saw nothing: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn telethon_logs_in_by_code_password_and_qr_over_every_transport() {
    witness("login.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telethon_asks_for_everything_behind_the_eight_methods() {
    witness("world.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kurigram_logs_in_makes_a_group_and_reads_the_update() {
    witness("second.py").await;
}
