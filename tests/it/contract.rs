//! The written contract: the checked-in files are what the code says, and tools that are not ours can
//! read them.

use std::process::Command;

use queuegram_tests::stage::binaries;
use queuegram_tests::stage::scripts::repository;
use queuegram_tests::stage::witness::{Language, testify};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_checked_in_contract_is_what_the_methods_say() {
    let worker = binaries::program("queuegram-worker").await.unwrap();
    let output = Command::new(worker)
        .args(["contract", "--check", "proto"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "`make contract` writes it anew:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_parser_reads_the_asyncapi_document() {
    let document = repository().join("proto/asyncapi.yaml").canonicalize().unwrap();
    let said =
        testify(Language::Node, "asyncapi.mjs", &[document.to_str().unwrap()], &[]).await.unwrap();
    let found: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found["version"], "3.0.0");
    for part in ["channels", "operations", "messages"] {
        assert!(found[part].as_u64().unwrap() > 0, "no {part}: {found}");
    }
}
