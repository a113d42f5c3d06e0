//! `audit`: who did what to which account, as the workers wrote it down.

use std::time::Duration;

use clap::Args;
use proto::{
    InstanceId,
    control::{AuditActor, AuditList, AuditListed, AuditRecord, method},
    time,
};

use crate::{
    answer::status_word,
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done, span},
    screen::{Screen, plain},
    settings::Settings,
    table::table,
};

/// The most rows that are shown at once.
const ROWS_MAX: u32 = 100_000;
/// The most rows that a worker gives in one answer.
const PAGE_MAX: u32 = 200;

/// What is to be shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Orders that change something, and commands whose methods do; the newest are shown last. WHO is the broker's
user where the broker vouches for one, else the name that the command line gave, with a `?`. Commands are
written within seconds.

Examples:
  queuegram audit --instance acme-sales --since 7d
  queuegram audit --since 1h --json | jq -r '.[] | select(.status == \"failed\") | .action'")]
pub struct AuditArgs {
    /// Only what was done to this instance.
    #[arg(long, short, value_name = "ID")]
    instance: Option<InstanceId>,
    /// How far to look back, such as 24h or 7d.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
    since: Duration,
    /// The most rows: the newest ones.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(ROWS_MAX)))]
    limit: u32,
}

/// Shows it.
pub async fn run(args: AuditArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let mut asked = AuditList {
        instance: args.instance,
        since_s: Some(args.since.as_secs()),
        ..AuditList::default()
    };
    let mut rows: Vec<AuditRecord> = Vec::new();
    let more = loop {
        let room = args.limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if room == 0 {
            break true;
        }
        asked.limit = Some(room.min(PAGE_MAX));
        let every = InstanceId::every();
        let answer = orders.ask(&every, method::AUDIT_LIST, &asked, ORDER_TIMEOUT).await?;
        let page: AuditListed = match read_done(&answer, screen)? {
            Ok(page) => page,
            Err(done) => return Ok(done),
        };
        rows.extend(page.records);
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            break false;
        }
    };
    rows.sort_by_key(|row| row.at);
    screen.put(&rows, || match rows.as_slice() {
        [] => String::from("nothing was done"),
        rows => table(
            &["AT", "WHO", "API KEY", "INSTANCE", "ACTION", "ABOUT", "STATUS", "CODE"],
            rows.iter().map(cells),
        ),
    });
    if more {
        screen.note(&format!("there may be more than these {}: --limit", args.limit));
    }
    Ok(Done::Success)
}

fn cells(row: &AuditRecord) -> Vec<String> {
    let instance = row.instance.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let about = row.about.as_ref().unwrap_or(&row.id);
    let mut about: Vec<String> = vec![plain(about.as_str())];
    about.extend(row.chat_id.map(|chat| chat.to_string()));
    vec![
        time::format(row.at),
        who(&row.actor),
        row.actor.api_key.as_deref().map(plain).unwrap_or_default(),
        instance,
        row.action.to_string(),
        about.join(" "),
        status_word(row.status),
        row.error_code.as_deref().map(plain).unwrap_or_default(),
    ]
}

/// Nobody vouches for a name that is merely claimed.
fn who(actor: &AuditActor) -> String {
    match (&actor.amqp_user, &actor.by) {
        (Some(user), Some(by)) => plain(&format!("{user} ({by}?)")),
        (Some(user), None) => plain(user),
        (None, Some(by)) => plain(&format!("{by}?")),
        (None, None) => String::from("-"),
    }
}
