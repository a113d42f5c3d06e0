//! Publishing a dead letter again. It is taken out only when the broker has the new message: where
//! this program ends in between, both are there, and the ledger answers the second as it answered
//! the first, since they have one id.

use std::path::PathBuf;

use bus::{Bus, OutMessage, Published};
use clap::Args;
use proto::Properties;
use proto::canonical::sha256_hex;
use serde::Serialize;
use serde_json::{Map, Value};

use super::letter::{Letter, Summary};
use super::{Held, Which};
use crate::{
    exit::{Done, Failure},
    order::command_id,
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
    #[arg(long, value_name = "ID", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    new_id: Option<String>,
    /// File with the instance's API key, which was taken out of the message.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Publish it also where it would be refused again.
    #[arg(long)]
    force: bool,
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
pub async fn run(bus: &Bus, args: ReplayArgs, screen: Screen) -> Result<Done, Failure> {
    let held = Held::take(bus, &args.which).await?;
    let published = publish(bus, &held.letter, &args).await;
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
    if args.new_id.is_none() {
        screen.note("the same id gets its recorded result again, if it has one: see --new-id");
    }
    Ok(Done::Success)
}

/// Publishes it and gives the id under which it went.
async fn publish(bus: &Bus, letter: &Letter, args: &ReplayArgs) -> Result<Option<String>, Failure> {
    if let Some(fault) = letter.refused.as_ref().filter(|_| !args.force) {
        let why = plain(&fault.to_string());
        let message =
            format!("it would be refused again ({why}); --force publishes it all the same");
        return Err(Failure::Usage(message));
    }
    let (body, id) = rewritten(letter, args)?;
    let message_id = match &args.new_id {
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
    match bus.publisher().publish(message).await? {
        Published::Confirmed => Ok(id),
        Published::Returned { code, text } => Err(Failure::Unrouted {
            what: format!("dead letter {}", letter.n),
            reason: format!("{code} {text}"),
        }),
    }
}

/// The body as its author wrote it, byte for byte, unless an id or a key is to be put in.
fn rewritten(letter: &Letter, args: &ReplayArgs) -> Result<(Vec<u8>, Option<String>), Failure> {
    let id = match args.new_id.as_deref() {
        None => letter.id.clone(),
        Some("") => Some(made_from(letter)),
        Some(given) => Some(command_id(given)?.to_string()),
    };
    let key = match &args.api_key_file {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Failure::Usage(format!("--api-key-file: {}: {error}", path.display()))
        })?),
    };
    if args.new_id.is_none() && key.is_none() {
        if blanked(&letter.body) {
            let message =
                "its API key was taken out: --api-key-file gives it again, --force leaves it";
            return if args.force {
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
    if let Some(id) = id.as_ref().filter(|_| args.new_id.is_some()) {
        fields.insert("id".to_owned(), id.clone().into());
    }
    if let Some(key) = key {
        fields.insert("api_key".to_owned(), key.trim().into());
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
