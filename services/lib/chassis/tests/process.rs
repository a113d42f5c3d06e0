//! A whole process, from outside: how it starts, what its admin port says, how it stops and with which exit code.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may fail by panic, as tests do"
)]

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use axum::{Router, body::Bytes, routing::post};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStderr, Command},
    sync::mpsc,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(20);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The example beside this test, which cargo builds with it.
fn tiny(settings: &[(&str, &str)], args: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples/tiny");
    let mut command = Command::new(program);
    command.args(args).env_clear().kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    for (key, text) in settings {
        command.env(queuegram_chassis::variable_name(key), text);
    }
    command
}

async fn output(settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        timeout(LIMIT, tiny(settings, args).output()).await.unwrap().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

struct Running {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    seen: Vec<Value>,
}

impl Running {
    fn start(settings: &[(&str, &str)]) -> Self {
        let mut child = tiny(settings, &[]).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log, seen: Vec::new() }
    }

    /// Reads the log up to the line with this message.
    async fn line(&mut self, message: &str) -> Value {
        loop {
            let line = timeout(LIMIT, self.log.next_line()).await.unwrap().unwrap();
            let line = line.unwrap_or_else(|| panic!("no line {message:?} in {:#?}", self.seen));
            let line: Value = serde_json::from_str(&line).expect("each log line is JSON");
            self.seen.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    async fn exit_code(&mut self) -> Option<i32> {
        timeout(LIMIT, self.child.wait()).await.unwrap().unwrap().code()
    }
}

async fn get(address: &str, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn it_serves_its_admin_port_and_stops_on_sigterm() {
    let mut tiny = Running::start(&[]);
    let listening = tiny.line("admin listening").await;
    let address = listening["admin.address"].as_str().unwrap().to_owned();
    assert_eq!(get(&address, "/live").await, (200, String::from("live\n")));
    // The latch is set some time after the port answers.
    let ready = async {
        loop {
            let (status, text) = get(&address, "/ready").await;
            if status == 200 {
                return text;
            }
            assert_eq!(status, 503);
            tokio::task::yield_now().await;
        }
    };
    let ready = timeout(LIMIT, ready).await.unwrap();
    assert_eq!(ready, r#"{"ready":true,"missing":[]}"#);
    let (status, metrics) = get(&address, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        metrics.contains(r#"queuegram_build_info{service="tiny",version="1.2.3"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains("\nprocess_resident_memory_bytes "), "{metrics}");
    tiny.signal("TERM");
    assert_eq!(tiny.line("stopping").await["reason"], "SIGTERM");
    tiny.line("stopped").await;
    assert_eq!(tiny.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_panicking_task_ends_the_process_with_1() {
    let mut tiny = Running::start(&[("tiny.mishap", "panic")]);
    assert_eq!(tiny.line("panicked").await["panic.reason"], "out of luck");
    assert_eq!(tiny.line("task crashed").await["task"], "helper");
    assert_eq!(tiny.exit_code().await, Some(1));
}

#[tokio::test]
async fn a_task_that_ends_too_early_ends_the_process_with_1() {
    let mut tiny = Running::start(&[("tiny.mishap", "end")]);
    assert_eq!(tiny.line("task crashed").await["reason"], "ended though it should run on");
    assert_eq!(tiny.exit_code().await, Some(1));
}

#[tokio::test]
async fn a_second_signal_cuts_the_drain_short() {
    let mut tiny = Running::start(&[("tiny.mishap", "deaf"), ("lifecycle.drain_s", "3600")]);
    tiny.line("at work").await;
    tiny.signal("TERM");
    tiny.line("stopping").await;
    tiny.signal("INT");
    assert_eq!(tiny.line("stopping now").await["reason"], "SIGINT");
    assert_eq!(tiny.line("task was cut off").await["task"], "helper");
    assert_eq!(tiny.exit_code().await, Some(0));
}

#[tokio::test]
async fn unusable_settings_or_arguments_are_64() {
    let (code, text) = output(&[("tiny.mishapp", "x")], &[]).await;
    assert_eq!(code, Some(64));
    assert_eq!(
        text,
        "tiny: tiny.mishapp: unknown key (from environment variable QUEUEGRAM_TINY__MISHAPP); \
         expected one of `mishap`, `password`, `traceparent`\n"
    );
    let (code, text) = output(&[("tiny.password", "")], &["config", "check"]).await;
    assert_eq!(code, Some(64));
    assert_eq!(
        text,
        "tiny: tiny.password: must not be empty (from environment variable \
         QUEUEGRAM_TINY__PASSWORD)\n"
    );
    let (code, text) = output(&[("telemetry.log", "info,=x=")], &[]).await;
    assert_eq!(code, Some(64), "{text}");
    let (code, _) = output(&[("telemetry.sample_ratio", "2")], &[]).await;
    assert_eq!(code, Some(64));
    assert_eq!(output(&[], &["--bogus"]).await.0, Some(64));
    assert_eq!(output(&[], &["--help"]).await.0, Some(0));
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets() {
    let (code, text) = output(&[("tiny.mishap", "deaf")], &["config", "print"]).await;
    assert_eq!(code, Some(0), "{text}");
    let shown: toml::Table = text.parse().unwrap();
    assert_eq!(shown["tiny"]["mishap"].as_str(), Some("deaf"));
    assert_eq!(shown["tiny"]["password"].as_str(), Some("***"));
    assert_eq!(shown["lifecycle"]["drain_s"].as_integer(), Some(25));
    let (code, text) = output(&[("tiny.mishap", "none")], &["config", "check"]).await;
    assert_eq!((code, text.as_str()), (Some(0), "the configuration is usable\n"));
}

#[tokio::test]
async fn a_trace_goes_on_in_logs_in_what_is_sent_and_to_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (spans, mut exported) = mpsc::channel::<Bytes>(16);
    let routes = Router::new().route(
        "/v1/traces",
        post(|body: Bytes| async move {
            let _ = spans.send(body).await;
        }),
    );
    let serving = tokio::spawn(async move { axum::serve(collector, routes).await });

    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let mut tiny = Running::start(&[
        ("tiny.traceparent", &traceparent),
        ("telemetry.otlp_endpoint", &endpoint),
    ]);
    let line = tiny.line("at work").await;
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["command.id"], "deal-77", "fields of the span are on the line");
    assert_eq!(line["password"], "***");
    let span_id = line["span_id"].as_str().unwrap();
    assert_ne!(span_id, "00f067aa0ba902b7", "a child, not the caller's own span");
    assert_eq!(line["traceparent.out"], format!("00-{TRACE}-{span_id}-01"));

    tiny.signal("TERM");
    assert_eq!(tiny.exit_code().await, Some(0));
    let body =
        timeout(LIMIT, exported.recv()).await.unwrap().expect("spans are flushed at the end");
    let trace_id = hex::decode(TRACE).unwrap();
    assert!(body.windows(16).any(|bytes| bytes == trace_id), "the caller's trace id is exported");
    assert!(body.windows(7).any(|bytes| bytes == b"command"), "the span's name is exported");
    serving.abort();
}

#[tokio::test]
async fn without_a_caller_a_trace_begins_here() {
    let mut tiny = Running::start(&[("tiny.traceparent", "no such thing")]);
    let line = tiny.line("at work").await;
    assert_eq!(line["trace_id"].as_str().map(str::len), Some(32));
    tiny.signal("TERM");
    assert_eq!(tiny.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_warning_has_its_trace_also_where_nothing_milder_is_logged() {
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let mut tiny = Running::start(&[("tiny.traceparent", &traceparent), ("telemetry.log", "warn")]);
    let line = tiny.line("careful").await;
    assert_eq!(tiny.seen.len(), 1, "nothing milder is logged");
    assert_eq!((&line["trace_id"], &line["command.id"]), (&TRACE.into(), &"deal-77".into()));
    tiny.signal("TERM");
    assert_eq!(tiny.exit_code().await, Some(0));
}
