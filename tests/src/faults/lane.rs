//! What the seeds of one lane share: a private broker, since faults of the broker must hurt nobody else.
//! Each seed has a vhost of its own in it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::scale::{Scale, known_ones};
use crate::stage::folder::Folder;
use crate::stage::rabbit::{Rabbit, RabbitPrograms};
use crate::stage::tgsim::{API_HASH, API_ID};
use crate::stage::worker::FAULTS_PROGRAM;
use crate::stage::{Addresses, binaries, scripts};

/// A broker and where it is, until dropped.
#[derive(Debug)]
pub struct Lane {
    /// The broker.
    pub rabbit: Arc<Mutex<Rabbit>>,
    /// Its addresses, and the Redis program.
    pub addresses: Addresses,
    // After the broker, whose files are in it.
    _folder: Folder,
}

impl Lane {
    /// Starts one.
    ///
    /// # Errors
    /// When RabbitMQ or Redis is missing or does not start.
    pub async fn open() -> Result<Self> {
        let found = tokio::task::spawn_blocking(|| scripts::key_values_alone("servers")).await??;
        let program = |key: &str| {
            let path = found.get(key).map(PathBuf::from);
            path.with_context(|| format!("faults need the programs themselves: no {key}"))
        };
        let programs =
            RabbitPrograms { server: program("RABBITMQ_SERVER")?, epmd: program("EPMD")? };
        let redis_server = Some(program("REDIS_SERVER")?);
        let folder = Folder::new("lane")?;
        let rabbit = Rabbit::start(&programs, folder.path()).await?;
        let addresses = Addresses {
            amqp_url: rabbit.amqp_url.clone(),
            management_url: rabbit.management_url.clone(),
            redis_url: String::new(),
            redis_server,
        };
        Ok(Self { rabbit: Arc::new(Mutex::new(rabbit)), addresses, _folder: folder })
    }
}

/// The worker's settings at this scale: those that it knows.
///
/// # Errors
/// When the worker can't print its settings.
pub async fn settings(scale: Scale) -> Result<Vec<(String, String)>> {
    let program = binaries::program(FAULTS_PROGRAM).await?;
    let printed = Command::new(program)
        .args(["config", "print"])
        .env("QUEUEGRAM_TELEGRAM__API_ID", API_ID.to_string())
        .env("QUEUEGRAM_TELEGRAM__API_HASH", API_HASH)
        .output()
        .await?;
    Ok(known_ones(scale.settings(), &String::from_utf8_lossy(&printed.stdout)))
}
