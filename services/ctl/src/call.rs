//! `call`: publishes a command like any caller, waits for its result and prints it.

use std::{path::PathBuf, time::Duration};

use chrono::Utc;
use clap::Args;
use proto::{ApiKey, CommandBody, CommandResult, ExternalRef, InstanceId, OnFlood};
use serde_json::{Map, Value, json};

use crate::{
    answer::words_of,
    broker::{Question, connect, publish},
    exit::{Done, Failure},
    methods,
    order::{command_id, deadline, method_name, new_id, span},
    params,
    schema::Contract,
    screen::Screen,
    settings::Settings,
};

/// What the answer may take beyond the deadline at which the command is answered at the latest.
const GRACE: Duration = Duration::from_secs(10);
/// A body is at most 256 KiB; params from a file can't be more.
const PARAMS_BYTES_MAX: usize = 256 * 1024;

/// Arguments of `call`.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Params: key=value is read as the method's schema says; lists by commas or by repeating the key;
key:=json is taken as JSON; times as RFC 3339 or +7d from now. `queuegram methods METHOD`, or
`queuegram call METHOD --help`, shows what a method takes.

Examples:
  queuegram call group.create --instance acme-sales --external-ref deal-77 \\
      title='Deal 77' members=@client,+4930123456 invite_link=true
  queuegram call group.add_members --instance acme-sales --external-ref deal-77 \\
      members:='[{\"instance\":\"acme-support\"}]'
  queuegram call group.get_invite_link --instance acme-sales chat_id=-1001234567890 \\
      expires_at=+7d usage_limit=1
  queuegram call group.rename --instance acme-sales --params @rename.json --json

The same --id and params again gets the same result again, and nothing is done twice."
)]
pub struct CallArgs {
    /// The method, such as group.create.
    #[arg(required_unless_present = "help")]
    pub method: Option<String>,
    /// The account that does it.
    #[arg(long, short, value_name = "ID", required_unless_present = "help")]
    pub instance: Option<InstanceId>,
    /// Params: key=value, or key:=json.
    #[arg(value_name = "KEY=VALUE")]
    pub arguments: Vec<String>,
    /// Params as a JSON object; @FILE reads a file, - standard input.
    #[arg(long, value_name = "JSON")]
    pub params: Option<String>,
    /// Your own key of the group (a deal id), which names the group from then on.
    #[arg(long, value_name = "REF")]
    pub external_ref: Option<ExternalRef>,
    /// Idempotency key; a new one if not given.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Time after which the command is answered instead of executed, such as 90s or 2h.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = span)]
    pub deadline: Duration,
    /// Time to wait for the result here; the deadline and a little more if not given.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub timeout: Option<Duration>,
    /// What to do when a limit asks for a wait.
    #[arg(long, value_name = "WHAT", value_parser = ["wait", "fail"])]
    pub on_flood: Option<String>,
    /// File with the instance's API key, where it asks for one.
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// The API key itself; better in the environment than here.
    #[arg(long, value_name = "KEY", env = "QUEUEGRAM_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Print the id and don't wait for the result.
    #[arg(long)]
    pub no_wait: bool,
    /// Print help: for the method, if one is given.
    #[arg(long, short)]
    pub help: bool,
}

/// Sends the command.
pub async fn run(args: CallArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let (Some(method), Some(instance)) = (&args.method, &args.instance) else {
        return Err(Failure::Usage(String::from(
            "a method is missing: `queuegram methods` lists them",
        )));
    };
    let (method, instance) = (method_name(method)?, instance.clone());
    let known = Contract::built_in().method(method.as_str());
    if known.is_none() && Contract::built_in().methods().next().is_some() {
        screen.note(&format!("{method} is not known to this version; passed on as it is"));
    }
    let id = args.id.clone().unwrap_or_else(new_id);
    let base = params_from(args.params.as_deref())?;
    let body = CommandBody {
        id: Some(command_id(&id)?),
        method: Some(method.clone()),
        instance: Some(instance.clone()),
        params: params::read(known, base, &args.arguments, Utc::now())?,
        external_ref: args.external_ref.clone(),
        deadline: Some(deadline(args.deadline)?),
        on_flood: args.on_flood.as_deref().map(|what| match what {
            "fail" => OnFlood::Fail,
            _ => OnFlood::Wait,
        }),
        api_key: api_key(&args)?,
        ..CommandBody::default()
    };

    let bus = connect(settings).await?;
    // The reply is bound before the command is sent, so that no answer can be missed.
    let mut replies = if args.no_wait { None } else { Some(bus.call_queue().await?) };
    let names = bus.names();
    let question = Question {
        exchange: names.commands(),
        routing_key: names.command_key(&instance, &method),
        id: id.clone(),
        method: method.to_string(),
        reply_to: replies.as_ref().map(|replies| replies.reply_to().to_owned()),
        body: serde_json::to_vec(&body)?,
    };
    publish(&bus, question).await?;
    let Some(replies) = &mut replies else {
        screen.put(&json!({ "id": id, "instance": instance }), || id.clone());
        return Ok(Done::Success);
    };
    screen.note(&format!("{id} sent; waiting for the result"));
    let within = args.timeout.unwrap_or(args.deadline.saturating_add(GRACE));
    let Some(reply) = replies.wait_for(&id, within).await? else {
        return Err(Failure::NoAnswer {
            what: method.to_string(),
            waited: humantime::format_duration(within).to_string(),
            hint: format!(
                "it may still be executed: `queuegram command get {id} --instance {instance}` tells"
            ),
        });
    };
    let result: CommandResult = serde_json::from_slice(&reply.body)?;
    screen.put(&result, || words_of(&result));
    Ok(Done::Answered(result.status))
}

/// `call --help`: for a method, if one is named.
pub fn help(args: &CallArgs, screen: Screen) -> Result<Done, Failure> {
    if let Some(name) = &args.method {
        return methods::show(name, screen);
    }
    let mut cli = <crate::args::Cli as clap::CommandFactory>::command();
    cli.build();
    if let Some(call) = cli.find_subcommand_mut("call") {
        anstream::println!("{}", call.render_help().ansi());
    }
    Ok(Done::Success)
}

fn params_from(given: Option<&str>) -> Result<Map<String, Value>, Failure> {
    let text = match given {
        None => return Ok(Map::new()),
        Some("-") => {
            std::io::read_to_string(std::io::Read::take(std::io::stdin(), PARAMS_BYTES_MAX as u64))
                .map_err(|error| Failure::Usage(format!("--params: standard input: {error}")))?
        }
        Some(text) => match text.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::Usage(format!("--params: {path}: {error}")))?,
            None => text.to_owned(),
        },
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(_) => Err(Failure::Usage(String::from("--params: must be a JSON object"))),
        Err(error) => Err(Failure::Usage(format!("--params: not JSON: {error}"))),
    }
}

fn api_key(args: &CallArgs) -> Result<Option<ApiKey>, Failure> {
    let Some(path) = &args.api_key_file else { return Ok(args.api_key.clone().map(ApiKey::new)) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("--api-key-file: {}: {error}", path.display())))?;
    Ok(Some(ApiKey::new(text.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_as_json_must_be_an_object() {
        assert!(params_from(Some(r#"{"a":1}"#)).is_ok_and(|params| params["a"] == 1));
        assert!(params_from(Some("[1]")).is_err());
        assert!(params_from(Some("{")).is_err());
        assert!(params_from(Some("@/nowhere")).is_err());
        assert!(params_from(None).is_ok_and(|params| params.is_empty()));
    }
}
