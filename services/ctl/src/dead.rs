//! `dead`: what lies in the queue of dead letters. It only talks to the broker: every message is
//! held while it is looked at and goes back to its place, unless it is acknowledged by a person's
//! wish. So a look that is broken off loses nothing.

mod judge;
mod letter;
mod replay;
mod which;

use bus::Bus;
use clap::Subcommand;
use serde::Serialize;

use self::letter::Letter;
use self::replay::ReplayArgs;
use self::which::{Held, Which};
use crate::{
    broker::connect,
    exit::{Done, Failure},
    prompt,
    screen::{FAINT, STRONG, Screen, paint},
    settings::Settings,
    table::table,
};

/// The most messages that are held at once, and so can be told apart.
const LOOK_MAX: u16 = bus::BROWSED_MAX;

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadAction {
    /// List what lies there, the oldest first.
    #[command(after_help = "\
All of it was answered; it is kept for people to look at. N counts from the oldest on and changes when an
older one is replayed or dropped. MARK is made from the message and stays the same: it is what to name a
message by where somebody else may be at work too.

Examples:
  queuegram dead list
  queuegram dead list --limit 500 --json | jq -r '.[] | [.n, .reason, .id] | @tsv'")]
    List {
        /// The most messages to list.
        #[arg(long, short = 'n', value_name = "N", default_value_t = 50,
            value_parser = clap::value_parser!(u16).range(1..=i64::from(LOOK_MAX)))]
        limit: u16,
    },
    /// Print one of them whole.
    #[command(after_help = "\
API keys were taken out before it was kept.

Examples:
  queuegram dead show 3
  queuegram dead show --id deal-77:create --json")]
    Show(Which),
    /// Publish one of them again, to where it came from, and take it out.
    #[command(after_help = "\
It is published as its author wrote it, but without expiration, and taken out when the broker has
confirmed it. The same id gets the recorded result again, and nothing is done: --new-id makes it a new
command. That id is made from the message, so that a replay which is broken off and repeated is still one
command. What would be refused again needs --force; an id that --new-id replaces is no reason to refuse it.

Examples:
  queuegram dead replay 3
  queuegram dead replay --mark 5f3a09c1d2e4
  queuegram dead replay --id deal-77:create --new-id
  queuegram dead replay 1 --new-id=deal-77:create:2 --api-key-file acme.key")]
    Replay(ReplayArgs),
    /// Take one of them out for good.
    #[command(after_help = "\
The message is named before it is dropped, and held until you have answered. --yes asks nothing, so it
wants the message's mark: its N may be another message's by then.

Examples:
  queuegram dead drop 3
  queuegram dead drop --mark 5f3a09c1d2e4 --yes")]
    Drop {
        #[command(flatten)]
        which: Which,
        /// Don't ask; only with --mark.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Does it.
pub async fn run(action: DeadAction, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    match action {
        DeadAction::List { limit } => list(&connect(settings).await?, limit, screen).await,
        DeadAction::Show(which) => show(&connect(settings).await?, &which, screen).await,
        DeadAction::Replay(args) => {
            // What is wrong with an option is told before anything is looked at.
            let wishes = args.read()?;
            replay::run(&connect(settings).await?, &wishes, screen).await
        }
        DeadAction::Drop { which, yes } => {
            if yes && !which.is_by_mark() {
                return Err(Failure::Usage(String::from(
                    "--yes: wants the --mark that the list shows, as N may mean another by now",
                )));
            }
            drop_one(&connect(settings).await?, &which, yes, screen).await
        }
    }
}

async fn list(bus: &Bus, limit: u16, screen: Screen) -> Result<Done, Failure> {
    let glance = bus.browse(&bus.names().dead()).await?;
    let mut letters = Letter::read_all(&glance, bus.names());
    letters.truncate(usize::from(limit));
    let (shown, waiting) = (letters.len(), glance.waiting);
    glance.close().await;
    let rows: Vec<_> = letters.iter().map(Letter::summary).collect();
    screen.put(&rows, || match letters.as_slice() {
        [] => String::from("nothing lies there"),
        letters => table(
            &["N", "MARK", "WHEN", "REASON", "INSTANCE", "COMMAND", "METHOD", "FROM", "BYTES"],
            letters.iter().map(Letter::cells),
        ),
    });
    if usize::try_from(waiting).is_ok_and(|waiting| waiting > shown) {
        screen.note(&format!("{shown} of {waiting}: --limit shows more"));
    }
    Ok(Done::Success)
}

async fn show(bus: &Bus, which: &Which, screen: Screen) -> Result<Done, Failure> {
    let glance = bus.browse(&bus.names().dead()).await?;
    let letters = Letter::read_all(&glance, bus.names());
    let found: Vec<&Letter> = letters.iter().filter(|letter| which.means(letter)).collect();
    let missing = which.missing(glance.waiting);
    glance.close().await;
    if found.is_empty() {
        return Err(missing);
    }
    for letter in found {
        screen.put(&letter.whole(), || letter.words());
    }
    Ok(Done::Success)
}

async fn drop_one(bus: &Bus, which: &Which, yes: bool, screen: Screen) -> Result<Done, Failure> {
    let held = Held::take(bus, which).await?;
    if !yes {
        let question = format!("This drops {} for good. Type yes to go on: ", held.letter.name());
        let typed = prompt::line(&question, "--mark and --yes").await;
        if typed.as_ref().is_ok_and(|typed| typed.trim() != "yes") {
            held.glance.close().await;
            return Err(Failure::Usage(String::from("not dropped: that was no yes")));
        }
        typed?;
    }
    let letter = held.settle().await?;
    screen.put(&Settled { dropped: true, letter: letter.summary() }, || {
        format!("{} is dropped", letter.name())
    });
    Ok(Done::Success)
}

/// What is told about a message that was dropped.
#[derive(Serialize)]
struct Settled {
    dropped: bool,
    #[serde(flatten)]
    letter: letter::Summary,
}

fn faint(text: &str) -> String {
    paint(FAINT, text)
}

fn strong(text: &str) -> String {
    paint(STRONG, text)
}
