//! An outsider's reader, by the document alone and on other people's cryptography, opens what we seal.

use queuegram_tests::stage::Scene;
use queuegram_tests::stage::scripts::repository;
use queuegram_tests::stage::witness::{Language, testify};

async fn ask(args: &[&str]) -> usize {
    let said = testify(Language::Python, "sealed.py", args, &[]).await.unwrap();
    let count = said.trim().strip_prefix("ok ").expect(&said);
    count.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vectors_are_what_another_library_makes_of_them() {
    let file = repository().join("docs/sealed-records.json");
    assert!(ask(&["vectors", file.to_str().unwrap()]).await >= 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_of_a_living_vault_opens_by_the_document() {
    let mut scene = Scene::open("sealed").await.unwrap();
    scene.connect("acme-sales").await.unwrap();
    scene.workers[0].terminate().unwrap();
    assert!(scene.workers[0].ended().await.unwrap().success());
    let (vault, keys) = (scene.folder.join("vault"), scene.folder.join("vault.key"));
    let opened = ask(&["vault", vault.to_str().unwrap(), keys.to_str().unwrap()]).await;
    assert!(opened >= 5, "check, site, generation, settings, login, audit: {opened}");
}
