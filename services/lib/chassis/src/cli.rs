//! The command line that every service has: `run` (the default), `config print`, `config check`, `--config FILE`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

// Arguments of a service whose own subcommands are `C`. (A doc comment would be the program's `--help`.)
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Settings: built-in defaults, then the file, then the environment (QUEUEGRAM_<SECTION>__<KEY>).\n\
                  Exit codes: 0 stopped in order, 1 crashed, 64 unusable arguments or configuration."
)]
pub(crate) struct Cli<C: Subcommand> {
    /// Configuration file (TOML).
    #[arg(long, global = true, value_name = "FILE", env = "QUEUEGRAM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command<C>>,
}

/// What a service can be asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command<C: Subcommand> {
    /// Run until SIGTERM (the default).
    Run,
    /// Look at the configuration without running.
    Config(ConfigArgs),
    #[command(flatten)]
    Own(C),
}

/// `config …`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigAction {
    /// Print the settings in force as TOML, secrets as ***.
    Print,
    /// Say whether the settings can be used; exit code 64 if not.
    Check,
}

/// For a service without subcommands of its own.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum NoCommand {}
