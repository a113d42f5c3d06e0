//! The smallest service, with a few ways to go wrong: the child process of `tests/process.rs`, and a model to start a
//! new service from.

use std::process::ExitCode;

use queuegram_chassis::{self as chassis, Context, Invalid, Secret, Service, trace};
use serde::{Deserialize, Serialize};
use tracing::Instrument;

struct Tiny;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Config {
    tiny: TinyConfig,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TinyConfig {
    /// What goes wrong.
    mishap: Mishap,
    /// Shown by nothing.
    password: Secret,
    /// The trace that a caller began.
    traceparent: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mishap {
    None,
    Panic,
    Deaf,
    End,
}

impl Service for Tiny {
    const NAME: &'static str = "tiny";
    const VERSION: &'static str = "1.2.3";
    const DEFAULTS: &'static str = "[admin]\nlisten = '127.0.0.1:0'\n\
        [tiny]\nmishap = 'none'\npassword = 'canary'\ntraceparent = ''\n";
    type Config = Config;
    type Command = chassis::NoCommand;

    fn validate(config: &Config) -> Result<(), Invalid> {
        if config.tiny.password.expose().is_empty() {
            return Err(Invalid::new("tiny.password", "must not be empty"));
        }
        Ok(())
    }

    async fn run(config: Config, context: Context) -> anyhow::Result<()> {
        let span = tracing::info_span!("command", command.id = "deal-77");
        trace::continue_from(&span, Some(&config.tiny.traceparent));
        async {
            let out = trace::current_traceparent().unwrap_or_default();
            tracing::info!(traceparent.out = out, password = %config.tiny.password, "at work");
            tracing::warn!("careful");
        }
        .instrument(span)
        .await;
        let soft = context.lifecycle.soft();
        let mishap = config.tiny.mishap;
        context.lifecycle.spawn("helper", async move {
            match mishap {
                Mishap::Panic => panic!("out of luck"),
                Mishap::End => return Ok(()),
                Mishap::Deaf => std::future::pending().await,
                Mishap::None => soft.cancelled().await,
            }
            Ok(())
        });
        context.readiness.latch("tiny").set();
        context.lifecycle.soft().cancelled().await;
        Ok(())
    }
}

fn main() -> ExitCode {
    chassis::main::<Tiny>()
}
