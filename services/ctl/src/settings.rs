//! The settings of the command line: the worker's `amqp` section, from the same file and variables.

use std::path::Path;

use bus::AmqpConfig;
use chassis::{ConfigError, Loader};
use serde::Deserialize;

/// A person waits less patiently than a service.
const DEFAULTS: &str = "[amqp]\nconnect_timeout_s = 5\n";

/// What the command line reads. Sections of other programs are passed over, since they share a file and an environment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The broker.
    #[serde(default)]
    pub amqp: AmqpConfig,
}

/// Reads the settings.
pub fn read(file: Option<&Path>) -> Result<Settings, ConfigError> {
    Loader::new(&[DEFAULTS], file)?.ignore_foreign_sections().read()
}
