//! `instance add`.

use clap::Args;
use proto::{
    InstanceId,
    control::{AccountAdd, AccountAdded, method},
};
use serde_json::json;

use super::identity::IdentityArgs;
use crate::{
    api_key,
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::{STRONG, Screen, paint},
    settings::Settings,
};

/// Arguments of `instance add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its id: 1 to 64 of a-z, 0-9, - and _.
    instance: InstanceId,
    /// A name for people.
    #[arg(long)]
    label: Option<String>,
    /// Where its admin is told of states and limits: an address (https://…) or the name of a queue.
    #[arg(long, value_name = "URL|QUEUE")]
    notify: Option<String>,
    /// Have every command to it show the API key (who may publish is otherwise the broker's permissions).
    #[arg(long, conflicts_with = "no_api_key")]
    require_api_key: bool,
    /// Make no API key.
    #[arg(long)]
    no_api_key: bool,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// Makes an instance.
pub async fn add(args: &AddArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let key = if args.no_api_key { None } else { Some(api_key::generate()?) };
    let typed = args.identity.typed().await?;
    let mut orders = Orders::open(connect(settings).await?).await?;
    let asked = match typed.sealed(&mut orders, &args.instance, screen).await? {
        Ok(asked) => asked,
        Err(done) => return Ok(done),
    };
    let params = AccountAdd {
        label: args.label.clone(),
        notify: args.notify.clone(),
        api_key_sha256: key.as_deref().map(api_key::sha256),
        require_api_key: args.require_api_key,
        device: asked.device,
        application: asked.application,
        proxy: asked.proxy.flatten(),
    };
    let answer = orders.ask(&args.instance, method::ACCOUNT_ADD, &params, ORDER_TIMEOUT).await?;
    let added: AccountAdded = match read_done(&answer, screen)? {
        Ok(added) => added,
        Err(done) => return Ok(done),
    };
    let value = json!({ "instance": added.instance, "state": added.state, "api_key": key });
    screen.put(&value, || {
        let mut lines = match &key {
            Some(key) => api_key::words(&added.instance, key),
            None => vec![format!("instance  {}", paint(STRONG, added.instance.as_str()))],
        };
        lines.push(format!("Next: queuegram login {}", added.instance));
        lines.join("\n")
    });
    Ok(Done::Success)
}
