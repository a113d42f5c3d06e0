//! `vault`: what the vault as a whole needs. The workers do it; the command line never opens the vault.

mod archive;
mod backup;
mod claim;
mod restore;
mod rotate;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use proto::{
    InstanceId,
    control::{AccountList, NoParams, method},
};

use crate::{
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::Screen,
    settings::Settings,
};

/// What can be done with the vault.
#[derive(Debug, Subcommand)]
pub enum VaultAction {
    /// Seal everything anew with the key that is first in the key file.
    #[command(after_help = "\
To change the key: put the new one behind the old one in every worker's key file (a line each) and restart
the workers, one after the other; put the new one first, and restart them again; run this; then take the
old one away. At no moment is there a worker that can't read what another one writes.

It can be run again at any time; what the first key has sealed is left alone.

Examples:
  openssl rand -hex 32 >> /etc/queuegram/vault.key      step one
  queuegram vault rotate                                when the new key stands first
  queuegram vault verify                                which keys are still needed")]
    Rotate,
    /// Try to open every record, and tell which keys are needed.
    #[command(after_help = "\
Reads the newest record of each kind, as the workers would, and changes nothing. Ends with 3 where one
can't be opened.

Examples:
  queuegram vault verify
  queuegram vault verify --json | jq -r '.records[] | select(.problem)'")]
    Verify,
    /// Write every instance's records into a file, sealed as they are.
    #[command(after_help = "\
The file holds the logins, the settings with the hashes of API keys, and the groups with their external_ref. It
is made with mode 0600 and overwrites nothing. It is worth nothing without the vault's key: keep the two apart.
The audit log is not in it; a plain copy of the vault has that too.

Examples:
  queuegram vault backup /backup/vault-$(date +%F).jsonl
  queuegram vault backup today.jsonl --json | jq -r .sha256")]
    Backup {
        /// The file to be made.
        file: PathBuf,
    },
    /// Put the instances of such a file back that the vault does not have.
    #[command(after_help = "\
Everything else that works with these logins must be stopped for good, the site that the backup was made of
above all: Telegram destroys a login that is used twice. So it asks first, or needs --yes.

The whole file is looked through, and every record opened, before the first is written. Instances that the
vault has are skipped: their login there is the newer one. What is restored stays stopped until `queuegram
instance start`, so that you can look first; with --start it is connected at once. Ends with 4 where
instances were skipped.

Examples:
  queuegram vault restore /backup/vault-2026-05-01.jsonl
  queuegram vault restore vault.jsonl --yes --start     without being asked, for scripts")]
    Restore {
        /// The file that `vault backup` made.
        file: PathBuf,
        /// Don't ask.
        #[arg(long)]
        yes: bool,
        /// Connect the accounts that were not stopped when the backup was made.
        #[arg(long)]
        start: bool,
    },
    /// Make the vault, or this copy of it, this site's.
    #[command(after_help = "\
A vault belongs to one site: the workers with one vault.url and one Redis. Workers that find a copy, or a vault that
another site works with, connect nothing and say so in /ready, since Telegram destroys a login that is used
twice. This makes it theirs: after 23 s (lease and grace) they connect every account. Also wanted after the
vault was moved to another address.

The former site lets go of every account within seconds if it shares the Redis server or the vault with
this one. If it shares neither, it can't hear of the claim: stop it first, for good.

Examples:
  queuegram vault claim
  queuegram vault claim --yes                     without being asked, for scripts")]
    Claim {
        /// Don't ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Does it.
pub async fn run(
    action: VaultAction,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    match action {
        VaultAction::Rotate => rotate::run(settings, screen).await,
        VaultAction::Verify => verify::run(settings, screen).await,
        VaultAction::Backup { file } => backup::run(&file, settings, screen).await,
        VaultAction::Restore { file, yes, start } => {
            restore::run(&file, restore::Terms { yes, start }, settings, screen).await
        }
        VaultAction::Claim { yes } => claim::run(yes, settings, screen).await,
    }
}

/// Those whose records there are, or how the question ended.
async fn every_instance(
    orders: &mut Orders,
    screen: Screen,
) -> Result<Result<Vec<InstanceId>, Done>, Failure> {
    let (every, none) = (InstanceId::every(), NoParams::default());
    let answer = orders.ask(&every, method::ACCOUNT_LIST, &none, ORDER_TIMEOUT).await?;
    let all = read_done::<AccountList>(&answer, screen)?;
    Ok(all.map(|all| all.accounts.into_iter().map(|row| row.instance).collect()))
}
