//! The command line from outside, as far as it goes without a broker: its help, exit codes, and the form of its errors.
//!
//! `UPDATE=1 cargo test -p queuegram` writes `tests/help.txt` anew after a change that is meant.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail by panic, as tests do")]

use std::{
    fmt::Write,
    fs,
    process::{Command, Output},
};

use serde_json::Value;

fn queuegram(variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuegram"));
    command.args(args).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

fn code(variables: &[(&str, &str)], args: &[&str]) -> Option<i32> {
    queuegram(variables, args).status.code()
}

fn stdout(args: &[&str]) -> String {
    String::from_utf8(queuegram(&[], args).stdout).unwrap()
}

/// Nobody listens on port 1.
const NO_BROKER: (&str, &str) = ("QUEUEGRAM_AMQP__URL", "amqp://127.0.0.1:1");
const SOON: (&str, &str) = ("QUEUEGRAM_AMQP__CONNECT_TIMEOUT_S", "1");

#[test]
fn the_help_is_as_it_was_reviewed() {
    let pages: [&[&str]; 42] = [
        &[],
        &["call"],
        &["methods"],
        &["instance"],
        &["instance", "add"],
        &["instance", "list"],
        &["instance", "show"],
        &["instance", "set"],
        &["instance", "key"],
        &["instance", "stop"],
        &["instance", "start"],
        &["instance", "limits"],
        &["instance", "forecast"],
        &["instance", "import"],
        &["instance", "export"],
        &["instance", "remove"],
        &["login"],
        &["listen"],
        &["command"],
        &["command", "show"],
        &["command", "list"],
        &["command", "cancel"],
        &["command", "resolve"],
        &["pause"],
        &["resume"],
        &["audit"],
        &["vault"],
        &["vault", "rotate"],
        &["vault", "verify"],
        &["vault", "backup"],
        &["vault", "restore"],
        &["vault", "claim"],
        &["dead"],
        &["dead", "list"],
        &["dead", "show"],
        &["dead", "replay"],
        &["dead", "drop"],
        &["topology"],
        &["topology", "apply"],
        &["queue"],
        &["queue", "add"],
        &["doctor"],
    ];
    let mut shown = String::new();
    for page in pages {
        let args = [page, &["--help"][..]].concat();
        let text = stdout(&args);
        writeln!(shown, "$ queuegram {}\n{}", args.join(" "), text.trim_end()).unwrap();
        shown.push('\n');
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(golden, &shown).unwrap();
    }
    let reviewed = fs::read_to_string(golden).unwrap();
    assert!(shown == reviewed, "the help changed; review it with UPDATE=1 and git diff\n{shown}");
}

#[test]
fn wrong_usage_and_settings_are_2() {
    assert_eq!(code(&[], &[]), Some(2));
    assert_eq!(code(&[], &["bogus"]), Some(2));
    assert_eq!(code(&[], &["call"]), Some(2));
    assert_eq!(code(&[], &["call", "group.create"]), Some(2), "without --instance");
    assert_eq!(code(&[], &["instance", "show", "Not An Id"]), Some(2));
    assert_eq!(code(&[], &["topology"]), Some(2));
    assert_eq!(code(&[], &["--config", "/nowhere.toml", "instance", "list"]), Some(2));
    assert_eq!(code(&[("QUEUEGRAM_AMQP__URLL", "x")], &["instance", "list"]), Some(2));
    assert_eq!(code(&[("QUEUEGRAM_AMQP__URL", "http://h")], &["instance", "list"]), Some(2));
    assert_eq!(code(&[], &["pause"]), Some(2), "neither an instance nor --all");
    assert_eq!(code(&[], &["resume", "acme", "--all"]), Some(2));
    assert_eq!(code(&[], &["dead", "show"]), Some(2), "neither N, --mark nor --id");
    assert_eq!(code(&[], &["dead", "drop", "1", "--yes"]), Some(2), "N may be another by then");
    for wrong in ["--new-id=", "--new-id=a\tb", "--api-key-file=/nowhere.key"] {
        let replay = ["dead", "replay", "1", wrong];
        let output = queuegram(&[NO_BROKER, SOON], &replay);
        assert_eq!(output.status.code(), Some(2), "{wrong} is told before the broker is asked");
    }
    assert_eq!(code(&[], &["dead", "list", "--limit", "0"]), Some(2));
    let take_over = ["instance", "import", "acme", "--take-over"];
    assert_eq!(code(&[NO_BROKER, SOON], &take_over), Some(2), "nobody at a terminal to ask");
    let missing = ["instance", "import", "acme", "--backup", "/nowhere.login", "--yes"];
    assert_eq!(code(&[NO_BROKER, SOON], &missing), Some(2));
    let there = ["instance", "export", "acme", "--out", "/dev/null"];
    assert_eq!(code(&[NO_BROKER, SOON], &there), Some(2), "told before the broker is asked");
    let resolve = ["command", "resolve", "x", "-i", "acme", "--as", "perhaps"];
    assert_eq!(code(&[], &resolve), Some(2));
    let call = ["call", "group.rename", "-i", "acme", "--params", "[]"];
    assert_eq!(
        code(&[NO_BROKER, SOON], &call),
        Some(2),
        "params are read before the broker is asked"
    );
}

#[test]
fn a_broker_out_of_reach_is_6_and_says_what_to_do() {
    let output = queuegram(&[NO_BROKER, SOON], &["instance", "list", "--json"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["exit_code"], 6);
    assert!(error["error"].as_str().is_some_and(|text| text.starts_with("RabbitMQ cannot be")));
    assert!(error["hint"].as_str().is_some_and(|text| text.contains("QUEUEGRAM_AMQP__URL")));
    let words = String::from_utf8(queuegram(&[NO_BROKER, SOON], &["listen"]).stderr).unwrap();
    assert!(words.starts_with("error: RabbitMQ cannot be reached"), "{words}");
    assert!(words.contains("\nhint: "), "{words}");
}

#[test]
fn settings_of_the_worker_in_the_same_environment_do_no_harm() {
    let shared =
        [NO_BROKER, SOON, ("QUEUEGRAM_REDIS__URL", "redis://x"), ("QUEUEGRAM_VAULT__URL", "x")];
    assert_eq!(code(&shared, &["instance", "list"]), Some(6));
}

#[test]
fn doctor_reports_what_it_could_not_reach() {
    let output = queuegram(&[NO_BROKER, SOON], &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["well"], false);
    assert_eq!(report["checks"][0]["subject"], "broker");
    assert_eq!(report["checks"][0]["state"], "bad");
}

#[test]
fn a_script_can_complete_and_print_the_topology() {
    assert!(stdout(&["completions", "bash"]).contains("_queuegram()"));
    let lines = stdout(&["topology", "--print"]);
    assert!(lines.contains("rabbitmqctl set_policy -p /"), "{lines}");
    assert!(!lines.contains('\u{1b}'), "no colours into a pipe");
}
