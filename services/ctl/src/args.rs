//! The command line as a whole: global options, the list of commands, exit codes in the help.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    audit::AuditArgs,
    call::CallArgs,
    dead::DeadAction,
    doctor::DoctorArgs,
    instance::InstanceAction,
    listen::ListenArgs,
    login::LoginArgs,
    methods::MethodsArgs,
    pause::{PauseArgs, ResumeArgs},
    queue::QueueAction,
    record::RecordAction,
    topology::TopologyArgs,
    vault::VaultAction,
};

const EXAMPLES: &str = "\
Examples:
  queuegram doctor                                       what works and what doesn't
  queuegram topology apply                               exchanges, queues and policies, once per broker
  queuegram instance add acme-sales --label 'Acme sales' a new account, and its API key
  queuegram login acme-sales                             connect it: phone number, code, password
  queuegram methods group.create                         what a method takes and gives
  queuegram call group.create --instance acme-sales title='Deal 77' members=@client,@our_bot
  queuegram listen --results 'acme-sales.#'              results as they come

Settings: the file given by --config, then the environment: QUEUEGRAM_AMQP__URL,
QUEUEGRAM_AMQP__MANAGEMENT_URL, QUEUEGRAM_AMQP__PREFIX and so on, as for the worker.

Exit codes:
  0  done                          4  partial: some steps or members did not succeed
  1  a defect of this program      5  unknown: the effect can't be established
  2  wrong usage or settings       6  broker or worker unreachable, or no answer in time
  3  failed: nothing was done      130  interrupted";

const EVERYWHERE: &str = "Options of every command";

/// Drive Telegram user accounts over RabbitMQ.
#[derive(Debug, Parser)]
#[command(name = "queuegram", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML).
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "QUEUEGRAM_CONFIG",
        help_heading = EVERYWHERE
    )]
    pub config: Option<PathBuf>,
    /// Print JSON: one object per line, for scripts.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Tell on standard error what goes on with the broker.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask an instance for a method and wait for the result.
    Call(CallArgs),
    /// List the methods, or show what one takes and gives.
    Methods(MethodsArgs),
    /// Add, list, show and remove connected accounts.
    Instance {
        #[command(subcommand)]
        action: InstanceAction,
    },
    /// Connect an account by phone number, code and 2FA password.
    Login(LoginArgs),
    /// Print results and events as they come.
    Listen(ListenArgs),
    /// Look at commands that were sent, take one back, or decide about one.
    #[command(name = "command")]
    Record {
        #[command(subcommand)]
        action: RecordAction,
    },
    /// Have an instance, or all of them, take no commands.
    Pause(PauseArgs),
    /// Have a paused instance, or all of them, take commands again.
    Resume(ResumeArgs),
    /// Show who did what to which account.
    Audit(AuditArgs),
    /// Look at dead letters: what was malformed, or met a defect.
    Dead {
        #[command(subcommand)]
        action: DeadAction,
    },
    /// Look after the vault, which holds the logins.
    Vault {
        #[command(subcommand)]
        action: VaultAction,
    },
    /// Set up exchanges, queues and policies on the broker.
    Topology(TopologyArgs),
    /// Reply queues for engines that can't declare their own.
    Queue {
        #[command(subcommand)]
        action: QueueAction,
    },
    /// Check broker, topology and workers, and say what to do.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
