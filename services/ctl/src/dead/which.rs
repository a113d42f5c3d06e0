//! Naming one dead letter, and holding it while something is done with it. A place changes when
//! somebody else takes out an older one; a mark stays.

use bus::{Bus, Glance};
use clap::Args;

use super::LOOK_MAX;
use super::letter::Letter;
use crate::{exit::Failure, screen::plain};

/// One message, by its place, its mark or its command's id.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Its place in the list, from 1.
    #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(LOOK_MAX)))]
    n: Option<u16>,
    /// Its mark, as the list shows it; it keeps that wherever it stands.
    #[arg(long, value_name = "MARK")]
    mark: Option<String>,
    /// The id of its command.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

impl Which {
    /// Whether it is named by what stays.
    pub fn is_by_mark(&self) -> bool {
        self.mark.is_some()
    }

    /// Whether it is this one.
    pub fn means(&self, letter: &Letter) -> bool {
        match (self.n, &self.mark) {
            (Some(n), _) => letter.n == usize::from(n),
            (_, Some(mark)) => letter.mark == *mark,
            _ => self.id.is_some() && letter.id == self.id,
        }
    }

    /// What to say where it is none.
    pub fn missing(&self, waiting: u32) -> Failure {
        Failure::Usage(match (self.n, &self.mark, &self.id) {
            (Some(n), _, _) => format!("N: there is no dead letter {n}; {waiting} lie there"),
            (_, Some(mark), _) => format!(
                "--mark: none of the first {LOOK_MAX} dead letters has the mark {}",
                plain(mark)
            ),
            (_, _, id) => format!(
                "--id: none of the first {LOOK_MAX} dead letters has the id {}",
                plain(id.as_deref().unwrap_or_default())
            ),
        })
    }
}

/// Exactly one message, held while something is done with it.
pub struct Held {
    /// All that is held, so that the others stay in their places meanwhile.
    pub glance: Glance,
    /// The message.
    pub letter: Letter,
}

impl Held {
    /// Takes hold of it, or says why there is no such one.
    pub async fn take(bus: &Bus, which: &Which) -> Result<Self, Failure> {
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
            // Messages of one mark are copies of each other: any of them is the one.
            (Some(copy), false) if which.is_by_mark() => Ok(Self { glance, letter: copy }),
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
    pub async fn settle(mut self) -> Result<Letter, Failure> {
        let delivery = self.glance.seen.remove(self.letter.n - 1);
        let settled = delivery.ack().await;
        self.glance.close().await;
        settled?;
        Ok(self.letter)
    }
}
