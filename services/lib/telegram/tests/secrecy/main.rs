//! Nothing secret is written to the log, at any level, by us or by the library underneath.
//!
//! A program of its own: the subscriber that listens must be there before any other test's first log line, or `tracing`
//! remembers that nobody wants that line.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]
#![expect(dead_code, reason = "the simulator's helpers serve other tests too")]

// The name by which the workspace's other crates call it.
extern crate queuegram_telegram as telegram;

#[path = "../it/sim.rs"]
mod sim;

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use telegram::calls::{groups, people};
use telegram::session::MemorySink;
use telegram::{Gate, Login, LoginPassword, Phone};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use self::sim::Sim;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_holds_no_secret() {
    let written = Written::default();
    let writer = written.clone();
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    // All but the simulator and the test's own HTTP client, which may say what they like.
    let targets = Targets::new()
        .with_default(LevelFilter::OFF)
        .with_target("queuegram_telegram", LevelFilter::TRACE)
        .with_target("grammers", LevelFilter::TRACE);
    let subscriber = tracing_subscriber::registry().with(layer).with(targets);
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let sim = Sim::start().await;
    let ann = sim.person("+9996620001", "Ann", json!({"password": "canary-password"})).await;
    let sink = Arc::new(MemorySink::default());
    let account = sim.telegram().open(None, Vec::new(), sink.clone(), Gate::always());
    let mut login = Login::new(account.clone());
    login.start(Phone::new("+9996620001")).await.unwrap();
    let code = sim.code(&ann).await;
    login.code(code.clone()).await.unwrap();
    login.password(LoginPassword::new("canary-wrong")).await.unwrap();
    login.password(LoginPassword::new("canary-password")).await.unwrap();
    groups::create_supergroup(&account, "canary-title", "canary-about").await.unwrap();
    people::resolve_phone(&account, &Phone::new("+9996620077")).await.unwrap();
    let cut = json!({"match": {"request": "channels.createChannel"}, "times": 1, "then": {"cut": "after"}});
    sim.script(cut).await;
    groups::create_supergroup(&account, "canary-lost", "").await.unwrap_err();
    account.close().await.unwrap();

    let record = sink.saved().0.unwrap();
    let stored = serde_json::to_value(&record).unwrap();
    let key = stored["dcs"][0]["auth_key"].as_str().unwrap();
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for heard in ["channels.createChannel", "grammers_mtsender"] {
        assert!(log.contains(heard), "the log was not heard: {log}");
    }
    let secrets =
        ["canary", "9996620001", "9996620077", &key[..16], "0123456789abcdef0123456789abcdef"];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
    for line in log.lines() {
        // Five digits alone may be anything; with the word beside them they are the code.
        assert!(!(line.contains("code") && line.contains(code.expose())), "{line}");
    }
    sim.stop().await;
}
