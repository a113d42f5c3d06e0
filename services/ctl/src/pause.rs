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

/// Before a class of calls, in the name of its pause.
const CLASS: &str = "class.";

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every worker obeys within a second, also for instances that it takes later, until `queuegram resume`.
What runs is brought to its end; all else waits in its queue, in order. A command whose AMQP expiration
runs out there is answered `expired`.

With --method an instance works on until a command of that method comes up. Then its queue stands, since
order holds, until it is resumed or that command's deadline has passed. With --class commands that need
such calls are parked, and the others go on.

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
    /// Only calls of this class, such as create or invite; can be given more than once.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    /// Why, for whoever looks at the instance.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
A pause of all instances ends with --all, that of one instance with its id; neither ends the other.
Also resumed are calls that Queuegram stopped by itself, after too many warnings of Telegram's: find out
why before (`queuegram instance show`), and ask @SpamBot with the account.

Examples:
  queuegram resume acme-sales
  queuegram resume acme-sales --method group.create
  queuegram resume acme-sales --class invite
  queuegram resume --all")]
pub struct ResumeArgs {
    #[command(flatten)]
    whom: Whom,
    /// Only the pause of this method; can be given more than once.
    #[arg(long = "method", short, value_name = "METHOD")]
    methods: Vec<String>,
    /// Only the pause of this class of calls; can be given more than once.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
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
    let methods = names_of(&args.methods, &args.classes)?;
    let params = AccountPause { methods, reason: args.reason, by: myself() };
    ask(args.whom.place(), method::ACCOUNT_PAUSE, &params, settings, screen).await
}

/// Resumes.
pub async fn resume(
    args: ResumeArgs,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let methods = names_of(&args.methods, &args.classes)?;
    let params = AccountResume { methods };
    ask(args.whom.place(), method::ACCOUNT_RESUME, &params, settings, screen).await
}

/// What pauses are named by: methods, and classes of calls with a word before them.
fn names_of(methods: &[String], classes: &[String]) -> Result<Vec<MethodName>, Failure> {
    let classes = classes.iter().map(|class| format!("{CLASS}{class}"));
    let names = methods.iter().cloned().chain(classes);
    names.map(|name| method_name(&name)).collect()
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
    let what = match pause.method.as_ref().map(MethodName::as_str) {
        None => String::from("every command"),
        Some(name) => match name.strip_prefix(CLASS) {
            Some(class) => format!("calls of the class {class}"),
            None => name.to_owned(),
        },
    };
    let mut words = format!("{} since {}", paint(UNSURE, &what), time::format(pause.since));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: Option<&str>) -> String {
        let pause = PauseInfo {
            all_instances: false,
            method: name.map(|name| name.parse().unwrap()),
            since: chrono::DateTime::UNIX_EPOCH,
            by: Some(String::from("queuegram")),
            reason: Some(String::from("two warnings")),
        };
        anstream::adapter::strip_str(&words_of(&pause)).to_string()
    }

    #[test]
    fn a_pause_says_what_stands_and_why() {
        let tail = "since 1970-01-01T00:00:00.000Z, by queuegram: two warnings";
        assert_eq!(said(None), format!("every command {tail}"));
        assert_eq!(said(Some("group.create")), format!("group.create {tail}"));
        assert_eq!(said(Some("class.invite")), format!("calls of the class invite {tail}"));
    }

    #[test]
    fn methods_and_classes_are_named_together() {
        let names = names_of(&[String::from("group.create")], &[String::from("invite")]).unwrap();
        let names: Vec<_> = names.iter().map(MethodName::as_str).collect();
        assert_eq!(names, ["group.create", "class.invite"]);
        assert!(names_of(&[], &[String::from("no class")]).is_err());
    }
}
