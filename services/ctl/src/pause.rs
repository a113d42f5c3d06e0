//! `pause` and `resume`: commands wait in their queue, and what runs is brought to its end.

use clap::Args;
use proto::{
    InstanceId, MethodName,
    control::{AccountPause, AccountPauses, AccountResume, PauseInfo, method},
    time,
};
use serde::Serialize;

use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, method_name, myself, read_done},
    screen::{GOOD, Screen, UNSURE, paint, plain},
    settings::Settings,
};

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every worker obeys within a second, also for instances that it takes later, until `queuegram resume`.
What runs is brought to its end; all else waits in its queue, in order. A command whose AMQP expiration
runs out there is answered `expired`.

With --method an instance works on until a command of that method comes up. Then its queue stands, since
order holds, until it is resumed or that command's deadline has passed.

Examples:
  queuegram pause acme-sales --reason 'Telegram asks for a check'
  queuegram pause acme-sales --method group.create --method group.add_members
  queuegram pause --all")]
pub struct PauseArgs {
    #[command(flatten)]
    whom: Whom,
    /// Only commands of this method; can be given more than once.
    #[arg(long = "method", short, value_name = "METHOD")]
    methods: Vec<String>,
    /// Why, for whoever looks at the instance.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
A pause of all instances ends with --all, that of one instance with its id; neither ends the other.

Examples:
  queuegram resume acme-sales
  queuegram resume acme-sales --method group.create
  queuegram resume --all")]
pub struct ResumeArgs {
    #[command(flatten)]
    whom: Whom,
    /// Only the pause of this method; can be given more than once.
    #[arg(long = "method", short, value_name = "METHOD")]
    methods: Vec<String>,
}

/// One instance or all of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The instance.
    instance: Option<InstanceId>,
    /// All instances, also those that are added later.
    #[arg(long)]
    all: bool,
}

impl Whom {
    fn place(self) -> InstanceId {
        self.instance.unwrap_or_else(InstanceId::every)
    }
}

/// Pauses.
pub async fn pause(args: PauseArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let methods = args.methods.iter().map(|name| method_name(name)).collect::<Result<_, _>>()?;
    let params = AccountPause { methods, reason: args.reason, by: myself() };
    ask(args.whom.place(), method::ACCOUNT_PAUSE, &params, settings, screen).await
}

/// Resumes.
pub async fn resume(
    args: ResumeArgs,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let methods = args.methods.iter().map(|name| method_name(name)).collect::<Result<_, _>>()?;
    let params = AccountResume { methods };
    ask(args.whom.place(), method::ACCOUNT_RESUME, &params, settings, screen).await
}

async fn ask(
    place: InstanceId,
    order: &str,
    params: &impl Serialize,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(&place, order, params, ORDER_TIMEOUT).await?;
    let now: AccountPauses = match read_done(&answer, screen)? {
        Ok(now) => now,
        Err(done) => return Ok(done),
    };
    screen.put(&now, || {
        let whom = now.instance.as_ref().map_or("every instance", |id| id.as_str());
        if now.pauses.is_empty() {
            return format!("{whom}: {}", paint(GOOD, "not paused"));
        }
        let lines = now.pauses.iter().map(|pause| format!("{whom}: {}", words_of(pause)));
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(Done::Success)
}

/// One pause, in a line.
#[must_use]
pub fn words_of(pause: &PauseInfo) -> String {
    let what = pause.method.as_ref().map_or("every command", |method| method.as_str());
    let mut words = format!("{} since {}", paint(UNSURE, what), time::format(pause.since));
    if pause.all_instances {
        words.push_str(", with all instances");
    }
    if let Some(by) = &pause.by {
        words.push_str(&format!(", by {}", plain(by)));
    }
    if let Some(reason) = &pause.reason {
        words.push_str(&format!(": {}", plain(reason)));
    }
    words
}

/// What is paused, in a word or two.
#[must_use]
pub fn in_short(pauses: &[PauseInfo]) -> String {
    if pauses.iter().any(|pause| pause.method.is_none()) {
        return paint(UNSURE, "all");
    }
    let mut methods: Vec<&str> =
        pauses.iter().filter_map(|pause| pause.method.as_ref()).map(MethodName::as_str).collect();
    methods.sort_unstable();
    methods.dedup();
    methods.join(",")
}
