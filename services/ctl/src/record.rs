//! `command`: what became of commands that were sent, taking one back, and deciding about one.

use std::{collections::BTreeMap, time::Duration};

use clap::{Subcommand, ValueEnum};
use proto::{
    ChatId, InstanceId,
    control::{
        CommandById, CommandCancel, CommandCancelled, CommandDecision, CommandFilter, CommandInfo,
        CommandList, CommandListed, CommandResolve, CommandResolved, CommandRow, CommandState,
        Verdict, method,
    },
    time,
};

use crate::{
    answer::{self, status_word},
    broker::connect,
    exit::{Done, Failure},
    limits,
    order::{ORDER_TIMEOUT, Orders, command_id, myself, read_done, span},
    screen::{BAD, GOOD, Screen, UNSURE, paint, plain},
    settings::Settings,
    table::table,
};

/// The most rows that are shown at once.
const ROWS_MAX: u32 = 10_000;
/// The most rows that a worker gives in one answer.
const PAGE_MAX: u32 = 200;

/// What can be done with commands that were sent.
#[derive(Debug, Subcommand)]
pub enum RecordAction {
    /// Show where a command stands, its result once there is one, and what a person decided.
    #[command(
        visible_alias = "get",
        after_help = "\
The exit code is that of the recorded result; 0 while there is none.

Example:
  queuegram command show deal-77:create --instance acme-sales"
    )]
    Show {
        /// The command's id.
        id: String,
        /// Its instance.
        #[arg(long, short, value_name = "ID")]
        instance: InstanceId,
    },
    /// List the commands of the last 7 days that workers have taken.
    #[command(after_help = "\
A command that still waits in its queue is not listed. `unknown` are those whose effect nobody could
establish and nobody has decided about.

Examples:
  queuegram command list --instance acme-sales --state started --older-than 10m
  queuegram command list --instance acme-sales --state unknown --json | jq -r '.[].id'")]
    List {
        /// Their instance.
        #[arg(long, short, value_name = "ID")]
        instance: InstanceId,
        /// Only those that stand so.
        #[arg(long, value_name = "STATE")]
        state: Option<State>,
        /// Only those first received at least so long ago, such as 10m.
        #[arg(long, value_name = "TIME", value_parser = span)]
        older_than: Option<Duration>,
        /// The most rows.
        #[arg(long, short = 'n', value_name = "N", default_value_t = 50,
            value_parser = clap::value_parser!(u32).range(1..=i64::from(ROWS_MAX)))]
        limit: u32,
    },
    /// Take a command back before its first step, also one that has not arrived yet.
    #[command(after_help = "\
It is answered `cancelled` when it comes up, to everybody who asks, and nothing is done. One of which a
step has begun is brought to its end: exit code 3, and the error says so.

Example:
  queuegram command cancel deal-77:create --instance acme-sales")]
    Cancel {
        /// The command's id.
        id: String,
        /// Its instance.
        #[arg(long, short, value_name = "ID")]
        instance: InstanceId,
    },
    /// Note what you found in Telegram about a command whose effect is unknown.
    #[command(after_help = "\
A result is final: where the command has its result `unknown`, that stays, and your decision is kept
beside it and told as the event command.resolved. Where it has none, since its worker did not come back
to it, your decision becomes its result.

Examples:
  queuegram command resolve deal-77:create --instance acme-sales --as done --chat-id -1001234567890
  queuegram command resolve deal-78:create --instance acme-sales --as failed --note 'no such group'")]
    Resolve {
        /// The command's id.
        id: String,
        /// Its instance.
        #[arg(long, short, value_name = "ID")]
        instance: InstanceId,
        /// What came of it.
        #[arg(long = "as", value_name = "WHAT")]
        verdict: Found,
        /// The group that it made or was about.
        #[arg(long, value_name = "CHAT", allow_hyphen_values = true)]
        chat_id: Option<i64>,
        /// Your own words, kept with the command for 7 days.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// How commands can stand.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum State {
    /// Taken, nothing begun.
    Received,
    /// It waits for a limit.
    Parked,
    /// A step has begun.
    Started,
    /// Has its result, not told yet.
    Finished,
    /// Its result was told.
    Replied,
    /// Its effect is unknown.
    Unknown,
}

/// What a person can find.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Found {
    /// It was done.
    Done,
    /// Nothing of it was done.
    Failed,
}

/// Does it.
pub async fn run(
    action: RecordAction,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    match action {
        RecordAction::Show { id, instance } => show(&id, &instance, settings, screen).await,
        RecordAction::List { instance, state, older_than, limit } => {
            let asked = CommandList {
                state: state.map(filter),
                older_than_s: older_than.map(|age| age.as_secs()),
                ..CommandList::default()
            };
            list(&instance, asked, limit, settings, screen).await
        }
        RecordAction::Cancel { id, instance } => cancel(&id, &instance, settings, screen).await,
        RecordAction::Resolve { id, instance, verdict, chat_id, note } => {
            let chat_id = chat_id.map(ChatId::try_from).transpose();
            let params = CommandResolve {
                id: command_id(&id)?,
                verdict: match verdict {
                    Found::Done => Verdict::Done,
                    Found::Failed => Verdict::Failed,
                },
                chat_id: chat_id.map_err(|error| Failure::Usage(format!("--chat-id: {error}")))?,
                note,
                by: myself(),
            };
            resolve(&instance, &params, settings, screen).await
        }
    }
}

async fn show(
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

async fn list(
    instance: &InstanceId,
    mut asked: CommandList,
    limit: u32,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    // By id: what changes while it is looked at may come twice.
    let mut found = BTreeMap::new();
    let more = loop {
        let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if room == 0 {
            break true;
        }
        asked.limit = Some(room.min(PAGE_MAX));
        let answer = orders.ask(instance, method::COMMAND_LIST, &asked, ORDER_TIMEOUT).await?;
        let page: CommandListed = match read_done(&answer, screen)? {
            Ok(page) => page,
            Err(done) => return Ok(done),
        };
        found.extend(page.commands.into_iter().map(|row| (row.id.clone(), row)));
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            break false;
        }
    };
    let mut rows: Vec<CommandRow> = found.into_values().collect();
    rows.sort_by_key(|row| row.received_at);
    screen.put(&rows, || match rows.as_slice() {
        [] => String::from("no such command"),
        rows => table(
            &["RECEIVED", "COMMAND", "METHOD", "STATE", "STATUS", "ATTEMPTS", "NOTES"],
            rows.iter().map(cells),
        ),
    });
    if more {
        screen.note(&format!("there may be more than these {limit}: --limit"));
    }
    Ok(Done::Success)
}

async fn cancel(
    id: &str,
    instance: &InstanceId,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let params = CommandCancel { id: command_id(id)? };
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::COMMAND_CANCEL, &params, ORDER_TIMEOUT).await?;
    let told: CommandCancelled = match read_done(&answer, screen)? {
        Ok(told) => told,
        Err(done) => return Ok(done),
    };
    screen.put(&told, || {
        let when = match (told.state, told.status) {
            (None, _) => "it has not come up yet; when it does, it is answered so",
            (_, Some(_)) => "it has been answered so",
            _ => "it is being answered so",
        };
        format!("{}: {when}", paint(GOOD, "cancelled"))
    });
    Ok(Done::Success)
}

async fn resolve(
    instance: &InstanceId,
    params: &CommandResolve,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::COMMAND_RESOLVE, params, ORDER_TIMEOUT).await?;
    let told: CommandResolved = match read_done(&answer, screen)? {
        Ok(told) => told,
        Err(done) => return Ok(done),
    };
    screen.put(&told, || {
        let words = decision_words(&told.decision);
        match told.result.status {
            proto::Status::Unknown => {
                format!("{words}\nkept beside its result, which stays unknown")
            }
            _ => format!("{words}\nthat is its result now\n{}", answer::words_of(&told.result)),
        }
    });
    Ok(Done::Success)
}

fn words_of(info: &CommandInfo) -> String {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let mut rows = vec![
        row("state", format!("{} ({})", state_word(info.state), meaning(info.state))),
        row("received", time::format(info.received_at)),
        row("attempts", info.attempts.to_string()),
    ];
    if info.state == CommandState::Parked {
        let gate = info.gate.as_deref().map(plain).unwrap_or_default();
        let reason = info.waits_for.as_deref().map(plain).unwrap_or_default();
        rows.push(row("waits for", format!("{gate} ({reason})")));
        rows.push(row("goes on", limits::when(info.retry_at)));
    }
    rows.extend(info.cancelled_at.map(|at| row("cancelled", time::format(at))));
    rows.extend(info.decision.as_ref().map(|made| row("decided", decision_words(made))));
    let head = table(&[], rows);
    match &info.result {
        Some(result) => format!("{head}\n{}", answer::words_of(result)),
        None => head,
    }
}

fn decision_words(decision: &CommandDecision) -> String {
    let style = match decision.verdict {
        Verdict::Done => GOOD,
        Verdict::Failed => BAD,
    };
    let mut words = paint(style, decision.verdict.as_str());
    if let Some(chat) = decision.chat_id {
        words.push_str(&format!(", chat_id {chat}"));
    }
    words.push_str(&format!(", {}", time::format(decision.at)));
    if let Some(by) = &decision.by {
        words.push_str(&format!(" by {}", plain(by)));
    }
    if let Some(note) = &decision.note {
        words.push_str(&format!(": {}", plain(note)));
    }
    words
}

fn cells(row: &CommandRow) -> Vec<String> {
    let notes = [
        (row.in_hand, "in hand"),
        (row.cancelled, "cancelled"),
        (row.decided, "decided"),
        (row.state == CommandState::Started && !row.in_hand, "nobody is at it"),
    ];
    let mut notes: Vec<String> =
        notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note.to_owned()).collect();
    notes.extend(row.error_code.as_deref().map(plain));
    let state = state_word(row.state);
    vec![
        time::format(row.received_at),
        plain(row.id.as_str()),
        row.method.to_string(),
        if row.status.is_some() { state.to_owned() } else { paint(UNSURE, state) },
        row.status.map(status_word).unwrap_or_default(),
        row.attempts.to_string(),
        notes.join(", "),
    ]
}

/// The contract's own word, as `--json` has it and `--state` takes it.
fn state_word(state: CommandState) -> &'static str {
    match state {
        CommandState::Received => "received",
        CommandState::Parked => "parked",
        CommandState::Started => "started",
        CommandState::Finished => "finished",
        CommandState::Replied => "replied",
    }
}

fn meaning(state: CommandState) -> &'static str {
    match state {
        CommandState::Received => "taken, nothing begun",
        CommandState::Parked => "waits for a limit",
        CommandState::Started => "a step has begun",
        CommandState::Finished => "has its result, not told yet",
        CommandState::Replied => "its result was told",
    }
}

fn filter(state: State) -> CommandFilter {
    match state {
        State::Received => CommandFilter::Received,
        State::Parked => CommandFilter::Parked,
        State::Started => CommandFilter::Started,
        State::Finished => CommandFilter::Finished,
        State::Replied => CommandFilter::Replied,
        State::Unknown => CommandFilter::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_the_same_word_for_people_for_scripts_and_as_an_option() {
        for (asked, state) in [
            (State::Received, CommandState::Received),
            (State::Parked, CommandState::Parked),
            (State::Started, CommandState::Started),
            (State::Finished, CommandState::Finished),
            (State::Replied, CommandState::Replied),
        ] {
            let word = state_word(state);
            assert_eq!(serde_json::to_value(state).unwrap(), word);
            assert_eq!(asked.to_possible_value().unwrap().get_name(), word);
        }
    }
}
