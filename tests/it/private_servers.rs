//! The stage's own promises: private servers on loopback, and nothing left of them, whatever ends
//! their owner.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use queuegram_tests::stage::corner::RedisCorner;
use queuegram_tests::stage::vhost::Vhost;
use queuegram_tests::stage::{Addresses, Caller, binaries, patience};

use crate::processes::{Process, all_listening, descendants, listening};

const END_BOUND: Duration = Duration::from_secs(20);

struct Serving {
    stage: Child,
    addresses: Addresses,
    processes: BTreeSet<Process>,
    listening: BTreeSet<SocketAddr>,
    folder: PathBuf,
}

/// `stage serve` with private servers, however this test process got its own.
async fn serve() -> Serving {
    let mut command = Command::new(binaries::program("stage").await.unwrap());
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("QUEUEGRAM_")) {
        command.env_remove(key);
    }
    let mut stage =
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = stage.stdout.take().unwrap();
    let (line, stage) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        (line, stage)
    })
    .await
    .unwrap();
    let processes = descendants(stage.id());
    let folder = processes
        .iter()
        .find(|process| process.command.contains("queuegram-warden"))
        .and_then(|process| process.command.split_whitespace().last())
        .map(PathBuf::from)
        .unwrap();
    Serving {
        addresses: serde_json::from_str(&line).unwrap(),
        listening: listening(&processes),
        stage,
        processes,
        folder,
    }
}

impl Serving {
    async fn assert_gone(&self) {
        patience::until("every process of the stage has ended", END_BOUND, || async {
            Ok((!self.processes.iter().any(Process::lives)).then_some(()))
        })
        .await
        .unwrap();
        patience::until("its ports are free and its folder is gone", END_BOUND, || async {
            let free = self.listening.is_disjoint(&all_listening());
            Ok((free && !self.folder.exists()).then_some(()))
        })
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_private_work_and_leave_nothing() {
    let mut serving = serve().await;

    let programs: Vec<&str> = serving.processes.iter().map(|p| p.command.as_str()).collect();
    for program in ["beam", "epmd", "redis-server"] {
        assert!(programs.iter().any(|command| command.contains(program)), "{programs:?}");
    }
    // AMQP, management, Erlang's distribution, epmd, Redis: nobody outside can reach any of them.
    assert!(serving.listening.len() >= 5, "{:?}", serving.listening);
    assert!(serving.listening.iter().all(|address| address.ip().is_loopback()));

    {
        let vhost = Vhost::new(&serving.addresses, "self").await.unwrap();
        let caller = Caller::connect(&vhost.amqp_url).await.unwrap();
        let body = br#"{"id":"ping"}"#;
        caller.publish("", caller.reply_to(), caller.properties(), body).await.unwrap();
        assert_eq!(caller.reply("ping").await.unwrap().body, body);
    }
    let left = Vhost::new(&serving.addresses, "look").await.unwrap();
    let names = left.get("vhosts?columns=name").await.unwrap().to_string();
    assert!(!names.contains("queuegram-self"), "a dropped vhost is deleted: {names}");

    // End of input is how an owner says that it has finished.
    drop(serving.stage.stdin.take());
    serving.assert_gone().await;
    assert!(serving.stage.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_stage_leaves_nothing_and_its_neighbour_alone() {
    let (mut killed, mut neighbour) = tokio::join!(serve(), serve());
    assert!(killed.listening.is_disjoint(&neighbour.listening));

    killed.stage.kill().unwrap();
    killed.stage.wait().unwrap();
    killed.assert_gone().await;

    assert!(neighbour.listening.is_subset(&all_listening()));
    Vhost::new(&neighbour.addresses, "alive").await.unwrap();
    neighbour.stage.kill().unwrap();
    neighbour.stage.wait().unwrap();
    neighbour.assert_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_redis_lends_each_scene_a_database_that_was_empty() {
    let serving = serve().await;
    let given = Addresses { redis_server: None, ..serving.addresses.clone() };
    let nowhere = std::path::Path::new("/");
    let first = RedisCorner::new(&given, nowhere).await.unwrap();
    let second = RedisCorner::new(&given, nowhere).await.unwrap();
    assert_ne!(first.url, second.url);
    assert_ne!(first.url, given.redis_url);
    let freed = first.url.clone();
    drop(first);
    assert_eq!(RedisCorner::new(&given, nowhere).await.unwrap().url, freed);
}
