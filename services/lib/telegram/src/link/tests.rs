//! What only this module can provoke: a request that makes grammers panic.

use std::sync::Arc;

use grammers_tl_types as tl;

use crate::config::{ServerConfig, TelegramConfig};
use crate::error::CallError;
use crate::link::Connectivity;
use crate::secret::ApiHash;
use crate::session::MemorySink;
use crate::{Account, Gate, Telegram};

async fn account() -> (tgsim::Running, tempfile::TempDir, Account) {
    let folder = tempfile::tempdir().unwrap();
    let public_key = folder.path().join("public.pem");
    let options =
        tgsim::Options { public_key: Some(public_key.clone()), ..tgsim::Options::default() };
    let sim = tgsim::start(options).await.unwrap();
    let config = TelegramConfig {
        api_id: 1,
        api_hash: ApiHash::new("x"),
        server: Some(ServerConfig { dc: sim.dcs[0].id, address: sim.dcs[0].address, public_key }),
        connect_timeout_s: 5,
        call_timeout_s: 5,
        reconnect_pause_ms: 10,
        ..TelegramConfig::default()
    };
    let sink = Arc::new(MemorySink::default());
    let account = Telegram::new(config).unwrap().open(None, Vec::new(), sink, Gate::always());
    (sim, folder, account)
}

#[tokio::test]
async fn a_runner_that_panicked_is_replaced() {
    let (sim, _folder, account) = account().await;
    account.connect().await.unwrap();
    let too_large =
        tl::functions::contacts::ResolveUsername { username: "x".repeat(2_000_000), referer: None };
    // `limits` keeps such a thing from ever getting here.
    let error = account.invoke(&too_large).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(_)), "{error:?}");
    account.connect().await.unwrap();
    assert_eq!(*account.connectivity().borrow(), Connectivity::Up);
    let answer = account.invoke(&tl::functions::help::GetConfig {}).await;
    assert!(answer.is_ok(), "{answer:?}");
    account.close().await.unwrap();
    sim.shutdown().await;
}

#[tokio::test]
async fn a_first_connection_makes_a_key_and_later_ones_use_it() {
    let (sim, _folder, account) = account().await;
    assert_eq!(*account.connectivity().borrow(), Connectivity::Down);
    account.connect().await.unwrap();
    let key = account.record().dcs[0].auth_key.clone();
    assert!(key.is_some());
    account.connect().await.unwrap();
    account.link().cut("a test").await;
    account.connect().await.unwrap();
    assert_eq!(account.record().dcs[0].auth_key, key);
    account.close().await.unwrap();
    sim.shutdown().await;
}
