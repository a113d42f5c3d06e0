//! Publishing a dead letter again. It is taken out only when the broker has the new message: where
//! this program ends in between, both are there, and the ledger answers the second as it answered
//! the first, since they have one id.

use std::path::PathBuf;

use bus::{Bus, OutMessage, Published};
use clap::Args;
use proto::canonical::sha256_hex;
use proto::fault::code;
use proto::{CommandId, Fault, Names, Properties};
use serde::Serialize;
use serde_json::{Map, Value};

use super::judge;
use super::letter::{Letter, Summary};
use super::which::{Held, Which};
use crate::{
    exit::{Done, Failure},
    screen::{GOOD, Screen, paint, plain},
};

/// How many characters of the old id the new one keeps: an id has at most 128.
const ID_KEPT_CHARS: usize = 100;
/// What stands where an API key was.
const BLANK: &str = "***";

/// Arguments of `dead replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    #[command(flatten)]
    which: Which,
    /// Give it a new id: this one, or one made from the message.
    #[arg(long, value_name = "ID", num_args = 0..=1, require_equals = true)]
    new_id: Option<Option<CommandId>>,
    /// File with the instance's API key, which was taken out of the message.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Publish it also where it would be refused again.
    #[arg(long)]
    force: bool,
}

/// What the arguments ask for.
pub struct Wishes {
    which: Which,
    new_id: Option<Option<CommandId>>,
    api_key: Option<String>,
    force: bool,
}

impl ReplayArgs {
    /// Reads what they name.
    pub fn read(self) -> Result<Wishes, Failure> {
        let api_key = match &self.api_key_file {
            None => None,
            Some(path) => {
                let told = |why: String| {
                    Failure::Usage(format!("--api-key-file: {}: {why}", path.display()))
                };
                let text =
                    std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
                match text.trim() {
                    "" => return Err(told(String::from("it is empty"))),
                    key => Some(key.to_owned()),
                }
            }
        };
        Ok(Wishes { which: self.which, new_id: self.new_id, api_key, force: self.force })
    }
}

/// What is told about a replay.
#[derive(Serialize)]
struct Replayed {
    replayed: bool,
    published_id: Option<String>,
    #[serde(flatten)]
    letter: Summary,
}

/// Replays one.
pub async fn run(bus: &Bus, wishes: &Wishes, screen: Screen) -> Result<Done, Failure> {
    let held = Held::take(bus, &wishes.which).await?;
    let published = publish(bus, &held.letter, wishes).await;
    let id = match published {
        Ok(id) => id,
        Err(failure) => {
            held.glance.close().await;
            return Err(failure);
        }
    };
    let letter = held.settle().await?;
    let told = Replayed { replayed: true, published_id: id.clone(), letter: letter.summary() };
    screen.put(&told, || {
        let id = id.as_deref().map(plain).unwrap_or_default();
        format!("{} is {}, id {id}", letter.name(), paint(GOOD, "published again"))
    });
    if wishes.new_id.is_none() {
        screen.note("the same id gets its recorded result again, if it has one: see --new-id");
    }
    Ok(Done::Success)
}

/// Publishes it and gives the id under which it went.
async fn publish(bus: &Bus, letter: &Letter, wishes: &Wishes) -> Result<Option<String>, Failure> {
    let mends_id = wishes.new_id.is_some() && letter.refused.as_ref().is_some_and(is_about_id);
    if !mends_id {
        check(letter.refused.as_ref(), wishes)?;
    }
    let (message, id) = message(letter, wishes)?;
    if mends_id {
        // A worker looks at the id first: there may be more behind it.
        check(refused(letter, &message, bus.names()).as_ref(), wishes)?;
    }
    match bus.publisher().publish(message).await? {
        Published::Confirmed => Ok(id),
        Published::Returned { code, text } => Err(Failure::Unrouted {
            what: format!("dead letter {}", letter.n),
            reason: format!("{code} {text}"),
        }),
    }
}

fn check(refused: Option<&Fault>, wishes: &Wishes) -> Result<(), Failure> {
    let Some(fault) = refused.filter(|_| !wishes.force) else { return Ok(()) };
    let why = plain(&fault.to_string());
    let message = format!("it would be refused again ({why}); --force publishes it all the same");
    Err(Failure::Usage(message))
}

fn is_about_id(fault: &Fault) -> bool {
    [code::ID_INVALID, code::ID_MISSING].contains(&fault.code.as_str())
}

/// Why the message would be refused with what was put into it.
fn refused(letter: &Letter, message: &OutMessage, names: &Names) -> Option<Fault> {
    let published = judge::Published {
        exchange: &message.exchange,
        routing_key: &message.routing_key,
        queue: &letter.queue,
        properties: &message.properties,
        body: &message.body,
    };
    published.read(names).err().map(|rejected| rejected.fault)
}

/// What is published, and under which id.
fn message(letter: &Letter, wishes: &Wishes) -> Result<(OutMessage, Option<String>), Failure> {
    let (body, id) = rewritten(letter, wishes)?;
    let message_id = match &wishes.new_id {
        Some(_) => letter.properties.message_id.as_ref().and(id.clone()),
        None => letter.properties.message_id.clone(),
    };
    let message = OutMessage {
        exchange: letter.exchange.clone(),
        routing_key: letter.routing_key.clone(),
        properties: Properties {
            message_id,
            user_id: None,
            expiration: None,
            timestamp: u64::try_from(chrono::Utc::now().timestamp()).ok(),
            ..letter.properties.clone()
        },
        mandatory: true,
        ..OutMessage::json("", "", body)
    };
    Ok((message, id))
}

/// The body as its author wrote it, byte for byte, unless an id or a key is to be put in.
fn rewritten(letter: &Letter, wishes: &Wishes) -> Result<(Vec<u8>, Option<String>), Failure> {
    let id = match &wishes.new_id {
        None => letter.id.clone(),
        Some(None) => Some(made_from(letter)),
        Some(Some(given)) => Some(given.to_string()),
    };
    if wishes.new_id.is_none() && wishes.api_key.is_none() {
        if blanked(&letter.body) {
            let message =
                "its API key was taken out: --api-key-file gives it again, --force leaves it";
            return if wishes.force {
                Ok((letter.body.clone(), id))
            } else {
                Err(Failure::Usage(message.to_owned()))
            };
        }
        return Ok((letter.body.clone(), id));
    }
    let mut fields: Map<String, Value> = match serde_json::from_slice(&letter.body) {
        Ok(Value::Object(fields)) => fields,
        _ if letter.body.is_empty() => Map::new(),
        _ => {
            let message = "--new-id, --api-key-file: its body is no JSON object to put one in";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    if let Some(id) = id.as_ref().filter(|_| wishes.new_id.is_some()) {
        fields.insert("id".to_owned(), id.clone().into());
    }
    if let Some(key) = &wishes.api_key {
        fields.insert("api_key".to_owned(), key.as_str().into());
    }
    Ok((serde_json::to_vec(&fields)?, id))
}

fn blanked(body: &[u8]) -> bool {
    let fields = serde_json::from_slice::<Map<String, Value>>(body).ok();
    fields.is_some_and(|fields| fields.get("api_key").is_some_and(|key| key == BLANK))
}

/// The same id each time for the same message.
fn made_from(letter: &Letter) -> String {
    let at = letter.at.map(proto::time::format).unwrap_or_default();
    let hash = sha256_hex(&[letter.body.as_slice(), b"\n", at.as_bytes()].concat());
    let old: String = letter.id.as_deref().unwrap_or("dead").chars().take(ID_KEPT_CHARS).collect();
    format!("{old}:replay-{}", &hash[..12])
}
