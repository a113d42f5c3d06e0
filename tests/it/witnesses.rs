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
async fn telethon_sees_a_world() {
    witness("world.py").await;
}
