//! `command`: what became of a command that was sent.

use clap::Subcommand;
use proto::{
    InstanceId,
    control::{CommandById, CommandInfo, CommandState, method},
    time,
};

use crate::{
    answer,
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, command_id, read_done},
    screen::Screen,
    settings::Settings,
    table::table,
};

/// What can be done with a command that was sent.
#[derive(Debug, Subcommand)]
pub enum RecordAction {
    /// Show where a command stands, and its result once there is one.
    #[command(after_help = "\
The exit code is that of the recorded result; 0 while there is none.

Example:
  queuegram command get deal-77:create --instance acme-sales")]
    Get {
        /// The command's id.
        id: String,
        /// Its instance.
        #[arg(long, short, value_name = "ID")]
        instance: InstanceId,
    },
}

/// Does it.
pub async fn run(
    action: RecordAction,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    match action {
        RecordAction::Get { id, instance } => get(&id, &instance, settings, screen).await,
    }
}

async fn get(
    id: &str,
    instance: &InstanceId,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let params = CommandById { id: command_id(id)? };
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::COMMAND_GET, &params, ORDER_TIMEOUT).await?;
    let info: CommandInfo = match read_done(&answer, screen)? {
        Ok(info) => info,
        Err(done) => return Ok(done),
    };
    screen.put(&info, || words_of(&info));
    Ok(info.result.map_or(Done::Success, |result| Done::Answered(result.status)))
}

fn words_of(info: &CommandInfo) -> String {
    let state = match info.state {
        CommandState::Received => "received, not begun",
        CommandState::Started => "under way",
        CommandState::Finished => "finished, not told yet",
        CommandState::Replied => "finished",
    };
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let rows = [
        row("state", state.to_owned()),
        row("received", time::format(info.received_at)),
        row("attempts", info.attempts.to_string()),
    ];
    let head = table(&[], rows);
    match &info.result {
        Some(result) => format!("{head}\n{}", answer::words_of(result)),
        None => head,
    }
}
