//! `dead`: what lies in the queue of dead letters. It only talks to the broker: every message is
//! held while it is looked at and goes back to its place, unless it is acknowledged by a person's
//! wish. So a look that is broken off loses nothing.

mod letter;
mod replay;

use bus::{Bus, Glance};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::letter::Letter;
use self::replay::ReplayArgs;
use crate::{
    broker::connect,
    exit::{Done, Failure},
    prompt,
    screen::{FAINT, STRONG, Screen, paint, plain},
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
older one is replayed or dropped.

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
command. What would be refused again needs --force.

Examples:
  queuegram dead replay 3
  queuegram dead replay --id deal-77:create --new-id
  queuegram dead replay 1 --new-id=deal-77:create:2 --api-key-file acme.key")]
    Replay(ReplayArgs),
    /// Take one of them out for good.
    #[command(after_help = "Example:\n  queuegram dead drop 3 --yes")]
    Drop {
        #[command(flatten)]
        which: Which,
        /// Don't ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// One message, by its place or by its command's id.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Its place in the list, from 1.
    #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(LOOK_MAX)))]
    n: Option<u16>,
    /// The id of its command.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// Does it.
pub async fn run(action: DeadAction, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let bus = connect(settings).await?;
    match action {
        DeadAction::List { limit } => list(&bus, limit, screen).await,
        DeadAction::Show(which) => show(&bus, &which, screen).await,
        DeadAction::Replay(args) => replay::run(&bus, args, screen).await,
        DeadAction::Drop { which, yes } => drop_one(&bus, &which, yes, screen).await,
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
            &["N", "WHEN", "REASON", "INSTANCE", "COMMAND", "METHOD", "FROM", "BYTES"],
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
        let typed = prompt::line(&question, "--yes").await;
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

/// Exactly one message, held while something is done with it.
struct Held {
    glance: Glance,
    letter: Letter,
}

impl Held {
    async fn take(bus: &Bus, which: &Which) -> Result<Self, Failure> {
        let glance = bus.browse(&bus.names().dead()).await?;
        let letters = Letter::read_all(&glance, bus.names());
        let mut found: Vec<Letter> =
            letters.into_iter().filter(|letter| which.means(letter)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(letter), true) => Ok(Self { glance, letter }),
            (None, _) => {
                let missing = which.missing(glance.waiting);
                glance.close().await;
                Err(missing)
            }
            (Some(last), false) => {
                let places: Vec<String> =
                    found.iter().chain([&last]).map(|letter| letter.n.to_string()).collect();
                glance.close().await;
                let places = places.join(", ");
                Err(Failure::Usage(format!("--id: means more than one: give one of {places}")))
            }
        }
    }

    /// Takes it out; all others go back to their places.
    async fn settle(mut self) -> Result<Letter, Failure> {
        let delivery = self.glance.seen.remove(self.letter.n - 1);
        let settled = delivery.ack().await;
        self.glance.close().await;
        settled?;
        Ok(self.letter)
    }
}

impl Which {
    fn means(&self, letter: &Letter) -> bool {
        match (self.n, &self.id) {
            (Some(n), _) => letter.n == usize::from(n),
            (None, id) => id.is_some() && letter.id == *id,
        }
    }

    fn missing(&self, waiting: u32) -> Failure {
        Failure::Usage(match (self.n, &self.id) {
            (Some(n), _) => format!("N: there is no dead letter {n}; {waiting} lie there"),
            (None, id) => format!(
                "--id: none of the first {LOOK_MAX} dead letters has the id {}",
                plain(id.as_deref().unwrap_or_default())
            ),
        })
    }
}

fn faint(text: &str) -> String {
    paint(FAINT, text)
}

fn strong(text: &str) -> String {
    paint(STRONG, text)
}
