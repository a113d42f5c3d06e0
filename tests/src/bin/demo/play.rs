//! The order of things: servers, Telegram, worker, account, the eight commands, the verdict.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use queuegram_tests::stage::{Listener, Scene, SceneOptions, Servers};
use serde_json::{Value, json};

use crate::accounts::ACCOUNTS;
use crate::checks::Verdict;
use crate::program::{Cast, Step, steps};
use crate::terminal::Terminal;

/// The account that the commands are for.
const INSTANCE: &str = ACCOUNTS[0].instance;

/// Plays it all; what it started ends when this returns or is dropped.
pub async fn play(terminal: &Terminal, keep: bool) -> Result<ExitCode> {
    terminal.heading("Queuegram: a command on RabbitMQ becomes a Telegram group");
    let servers = terminal.slow("private RabbitMQ and Redis", Servers::start(|_| {})).await?;
    let options = SceneOptions::new("demo");
    let mut scene = terminal
        .slow(
            "simulated Telegram (tgsim), exchanges and policies (queuegram topology apply)",
            Scene::without_worker(&servers.addresses, options),
        )
        .await?;
    terminal.slow("worker (queuegram-worker)", scene.add_worker()).await?;

    for account in &ACCOUNTS {
        account.connect(terminal, &scene).await?;
    }
    let cast = Cast::join(&scene).await?;
    terminal.line("people", &cast.describe());

    let results = scene.results().await?;
    let mut verdict = Verdict::default();
    let mut chat = Chat::default();
    let steps = steps(&cast);
    for (index, step) in steps.iter().enumerate() {
        terminal.heading(&format!("{}/{} {}", index + 1, steps.len(), step.method));
        run_step(terminal, &scene, step, &mut chat, &mut verdict).await?;
    }
    check_results(terminal, &results, &steps, &mut verdict).await;

    terminal.heading("Verdict");
    let problems = verdict.problems();
    if problems == 0 {
        terminal.success(&format!(
            "{} checks of replies and effects, all as they should be",
            verdict.checks()
        ));
    } else {
        terminal.failure(&format!("{problems} of {} checks failed", verdict.checks()));
    }
    if keep {
        stay(terminal, &scene).await?;
    }
    terminal.note("stopping everything that was started");
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What later commands need from earlier replies.
#[derive(Debug, Default)]
pub struct Chat {
    /// The group, once made.
    pub id: Value,
    /// Its present invite link.
    pub link: Value,
}

async fn run_step(
    terminal: &Terminal,
    scene: &Scene,
    step: &Step,
    chat: &mut Chat,
    verdict: &mut Verdict,
) -> Result<()> {
    let params = (step.params)(chat);
    terminal.line("command", &format!("{INSTANCE}.{} {params}", step.method));
    let mark = scene.tgsim.mark().await?;
    let sent = Instant::now();
    let mut body = json!({
        "id": step.id(), "method": step.method, "instance": INSTANCE, "params": params,
    });
    if step.method.starts_with("group.") {
        body["external_ref"] = json!("deal-77");
    }
    scene.caller.send_body(INSTANCE, step.method, &body).await?;
    let reply = scene.caller.reply(&step.id()).await?.json();
    let took = sent.elapsed().as_millis();
    terminal.line("reply", &format!("after {took} ms: {}", brief(&reply)));

    let effects = scene.tgsim.effects_after(mark).await?;
    if effects.is_empty() {
        let requests = scene.tgsim.requests_after(mark).await?.join(", ");
        terminal.line("Telegram", &format!("nothing changed; asked: {requests}"));
    }
    for effect in &effects {
        let mut shown = effect.clone();
        let request = shown["request"].take();
        let shown = shown.as_object().into_iter().flatten();
        let fields: Vec<String> = shown
            .filter(|(key, value)| *key != "kind" && !value.is_null())
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let request = request.as_str().unwrap_or("?");
        let kind = effect["kind"].as_str().unwrap_or("?");
        terminal.line("Telegram", &format!("{request}: {kind}, {}", fields.join(", ")));
    }

    let found = (step.check)(&reply, &effects, chat);
    for problem in verdict.add(found) {
        terminal.failure(&problem);
    }
    Ok(())
}

/// The parts of a reply that a person wants to see first.
fn brief(reply: &Value) -> String {
    let status = reply["status"].as_str().unwrap_or("no status");
    let why = match reply["error_code"].as_str() {
        Some(code) => {
            format!(" ({code}: {})", reply["error_message"].as_str().unwrap_or_default())
        }
        None => String::new(),
    };
    format!(
        "{status}{why}, chat_id {}, result {}",
        reply["chat_id"],
        without_nulls(&reply["result"])
    )
}

/// The same value without fields that say nothing.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(key, field)| (key.clone(), without_nulls(field)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        plain => plain.clone(),
    }
}

/// Every command's result must also be on `tg.results`, once.
async fn check_results(
    terminal: &Terminal,
    results: &Listener,
    steps: &[Step],
    verdict: &mut Verdict,
) {
    terminal.heading("tg.results");
    let came = results.wait_many("the results of all commands", steps.len(), |_| true).await;
    let ids: Vec<Value> = came
        .unwrap_or_else(|_| results.all())
        .iter()
        .map(|message| message.json()["id"].clone())
        .collect();
    let wanted: Vec<Value> = steps.iter().map(|step| step.id().into()).collect();
    terminal.line("published", &format!("{} results", ids.len()));
    let problem = format!("each command's result once, in order: {wanted:?}; got {ids:?}");
    for problem in verdict.add(vec![(ids == wanted, problem)]) {
        terminal.failure(&problem);
    }
}

/// `--keep`: stays until interrupted.
async fn stay(terminal: &Terminal, scene: &Scene) -> Result<()> {
    terminal.heading("Staying up; Ctrl-C stops everything");
    for (key, value) in scene.ctl_environment() {
        terminal.note(&format!("export {key}='{value}'"));
    }
    terminal.line("redis", scene.redis_url());
    terminal.line("tgsim", &format!("{} (admin {})", scene.tgsim.address, scene.tgsim.admin));
    for worker in &scene.workers {
        terminal.line("worker", &format!("{}/metrics", worker.admin));
    }
    terminal.line("logs", &scene.folder.path().display().to_string());
    let program = scene.ctl().await?;
    let program = program.program().display();
    terminal.heading("To try");
    for line in [
        format!(
            "{program} call group.create --instance {INSTANCE} title='My first group' invite_link=true"
        ),
        format!("{program} listen"),
        format!("{program} doctor"),
        format!("curl -s '{}/journal?after=0'", scene.tgsim.admin),
    ] {
        terminal.note(&line);
    }
    // Ends only by being dropped: the interrupt is awaited beside the play.
    std::future::pending::<()>().await;
    Ok(())
}
