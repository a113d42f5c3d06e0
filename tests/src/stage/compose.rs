//! The servers from Docker Compose, for machines where neither program is installed nor installable.
//!
//! Each use has a project of its own, which the folder's warden takes down whatever happens to us.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::folder::Folder;

/// Containers that run until dropped.
#[derive(Debug)]
pub struct Containers {
    /// `amqp://…`
    pub amqp_url: String,
    /// `http://…` of the management API.
    pub management_url: String,
    /// `redis://…`
    pub redis_url: String,
    // Its last command takes the project down.
    _folder: Folder,
}

impl Containers {
    /// Brings the project up; `compose` is the command (`docker compose`), `file` the Compose file.
    ///
    /// # Errors
    /// When an image can't be had or a container does not become healthy.
    pub fn start(compose: &str, file: &str) -> Result<Self> {
        let project = format!("queuegram-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let base: Vec<String> = compose
            .split_whitespace()
            .chain(["-p", &project, "-f", file])
            .map(str::to_owned)
            .collect();
        let down: Vec<String> = base.iter().cloned().chain(["down".into(), "-v".into()]).collect();
        let folder = Folder::with_last_command("compose", &down)?;

        run(&base, &["up", "-d", "--wait"])?;
        let port = |service: &str, inner: &str| -> Result<String> {
            let answer = run(&base, &["port", service, inner])?;
            Ok(answer.trim().replace("0.0.0.0", "127.0.0.1"))
        };
        Ok(Self {
            amqp_url: format!("amqp://guest:guest@{}/%2f", port("rabbitmq", "5672")?),
            management_url: format!("http://guest:guest@{}", port("rabbitmq", "15672")?),
            redis_url: format!("redis://{}/0", port("redis", "6379")?),
            _folder: folder,
        })
    }
}

fn run(base: &[String], args: &[&str]) -> Result<String> {
    let Some((program, rest)) = base.split_first() else { bail!("no Compose command") };
    let output = Command::new(program)
        .args(rest)
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program} … {} ended with {}", args.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
