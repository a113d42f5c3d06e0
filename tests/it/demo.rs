//! `make demo` as a visitor runs it: green, side by side with another one, and gone without a trace,
//! also when interrupted.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use queuegram_tests::stage::{binaries, patience};
use rustix::process::{Pid, Signal, kill_process};

use crate::processes::{Process, all_listening, descendants, listening};

const BOUND: Duration = Duration::from_secs(240);

async fn start(args: &[&str]) -> Child {
    let mut command = Command::new(binaries::program("demo").await.unwrap());
    // Private servers of its own, however this test process got its.
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("QUEUEGRAM_")) {
        command.env_remove(key);
    }
    command.env("STAGE_PROGRAMS_BUILT", "1");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

async fn finish(demo: Child) -> (Option<i32>, String) {
    let output = tokio::task::spawn_blocking(move || demo.wait_with_output().unwrap());
    let output = tokio::time::timeout(BOUND, output).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_demos_at_once_are_both_green() {
    let (one, other) = tokio::join!(start(&[]), start(&[]));
    let ((code, said), (other_code, other_said)) = tokio::join!(finish(one), finish(other));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(other_code, Some(0), "{other_said}");
    for step in 1..=8 {
        assert!(said.contains(&format!("{step}/8 ")), "{said}");
    }
    // The effects are shown as Telegram's side tells them.
    assert!(said.contains("channels.createChannel: chat.created"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_demo_leaves_nothing() {
    let demo = start(&["--keep"]).await;
    let pid = demo.id();
    // Interrupted in the middle: all servers are there, the worker is starting or working.
    let mut seen = (descendants(pid), listening(&descendants(pid)));
    patience::until("the demo has started a worker", BOUND, || {
        let processes = descendants(pid);
        let works = processes.iter().any(|process| process.command.contains("queuegram-worker"));
        seen = (processes.clone(), listening(&processes));
        async move { Ok(works.then_some(())) }
    })
    .await
    .unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::INT).unwrap();
    let (code, said) = finish(demo).await;
    assert_eq!(code, Some(130), "{said}");

    let (processes, ports) = seen;
    patience::until("nothing is left of it", patience::USUAL, || async {
        let gone = !processes.iter().any(Process::lives) && ports.is_disjoint(&all_listening());
        Ok(gone.then_some(()))
    })
    .await
    .unwrap();
}
