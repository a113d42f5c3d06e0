//! `instance import`: an account whose login was made by another program, or saved by `instance export`.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use proto::InstanceId;

use crate::{
    exit::{Done, Failure},
    login::{self, Terms, Way},
    order::span,
    prompt,
    screen::Screen,
    settings::Settings,
};

/// Larger than any backup.
const BACKUP_BYTES_MAX: u64 = 128 * 1024;

/// Arguments of `instance import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Its id.
    pub instance: InstanceId,
    /// Take the session itself over: the program that it comes from must never use it again.
    #[arg(long, conflicts_with = "backup")]
    take_over: bool,
    /// Put back what `instance export` wrote for this instance, rather than a session string.
    #[arg(long, value_name = "FILE")]
    backup: Option<PathBuf>,
    /// Don't ask before a session is taken over.
    #[arg(long, short)]
    yes: bool,
    /// File with the account's 2FA password; asked for when needed if not given.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Time for the whole login.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span)]
    timeout: Duration,
}

/// Connects the account with the login that there is.
pub async fn import(
    args: ImportArgs,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let backup = args.backup.as_deref().map(read_backup).transpose()?;
    if (args.take_over || backup.is_some()) && !args.yes {
        confirm(&args.instance).await?;
    }
    let way = match backup {
        Some(backup) => Way::Backup(backup),
        None => {
            let text = prompt::secret("Session string: ").await?;
            Way::Session { text, take_over: args.take_over }
        }
    };
    let terms =
        Terms { instance: args.instance, password_file: args.password_file, timeout: args.timeout };
    login::connect_by(way, terms, settings, screen).await
}

fn read_backup(path: &Path) -> Result<String, Failure> {
    let wrong = |why: String| Failure::Usage(format!("--backup: {}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = String::new();
    let read = file.take(BACKUP_BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.map_err(|error| wrong(error.to_string()))?;
    if u64::try_from(read).is_ok_and(|read| read <= BACKUP_BYTES_MAX) {
        Ok(text.trim().to_owned())
    } else {
        Err(wrong(String::from("is too large for a backup of a login")))
    }
}

/// Only a person can know that the other program is stopped; a script says so by `--yes`.
async fn confirm(instance: &InstanceId) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(String::from(
            "a session is taken over only when that is confirmed: at a terminal, or by --yes",
        )));
    }
    let question = format!(
        "{instance} takes the session over. Whatever used it until now must be stopped for good:\n\
         Telegram ends a login that two programs use. Type the instance's id to go on: "
    );
    let typed = prompt::line(&question, "--yes").await?;
    if typed.trim() == instance.as_str() {
        return Ok(());
    }
    Err(Failure::Usage(String::from("not taken over: the id that was typed is another one")))
}
