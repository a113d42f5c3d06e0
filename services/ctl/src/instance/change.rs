//! `instance set` and `instance key`.

use clap::Args;
use proto::{
    InstanceId, MethodName,
    control::{AccountInfo, AccountSet, AccountSetKey, method},
};

use super::identity::IdentityArgs;
use super::words::words_of;
use crate::{
    api_key,
    broker::connect,
    exit::{Done, Failure},
    limits::Switch,
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::Screen,
    settings::Settings,
};

/// Arguments of `instance set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// Its id.
    instance: InstanceId,
    /// A name for people.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// A word to find it by, instead of those it has. Can be given more than once; empty: none.
    #[arg(long = "tag", value_name = "WORD")]
    tags: Option<Vec<String>>,
    /// A text for people.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Where its admin is told of states and limits: an address (https://…) or the name of a queue; empty: nowhere.
    #[arg(long, value_name = "URL|QUEUE")]
    notify: Option<String>,
    /// Whether its commands must show an API key.
    #[arg(long, value_name = "WHICH")]
    require_api_key: Option<Switch>,
    #[command(flatten)]
    identity: IdentityArgs,
}

/// Changes settings.
pub async fn set(args: &SetArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    // An empty text is none.
    let text =
        |given: &Option<String>| given.clone().map(|text| (!text.is_empty()).then_some(text));
    let tags = args.tags.clone();
    let typed = args.identity.typed().await?;
    let mut params = AccountSet {
        label: text(&args.label),
        tags: tags.map(|tags| tags.into_iter().filter(|tag| !tag.is_empty()).collect()),
        notes: text(&args.notes),
        notify: text(&args.notify),
        require_api_key: args.require_api_key.map(|switch| switch == Switch::On),
        ..AccountSet::default()
    };
    if params == AccountSet::default() && typed.is_empty() {
        return Err(Failure::Usage(String::from("nothing to change is named; see --help")));
    }
    let mut orders = Orders::open(connect(settings).await?).await?;
    let asked = match typed.sealed(&mut orders, &args.instance, screen).await? {
        Ok(asked) => asked,
        Err(done) => return Ok(done),
    };
    params.device = asked.device.map(Some);
    params.application = asked.application.map(Some);
    params.proxy = asked.proxy;
    let answer = orders.ask(&args.instance, method::ACCOUNT_SET, &params, ORDER_TIMEOUT).await?;
    let account: AccountInfo = match read_done(&answer, screen)? {
        Ok(account) => account,
        Err(done) => return Ok(done),
    };
    screen.put(&account, || words_of(&account));
    Ok(Done::Success)
}

/// Makes a new key.
pub async fn new_key(
    instance: &InstanceId,
    keep_old: bool,
    methods: Vec<MethodName>,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let key = api_key::generate()?;
    let params = AccountSetKey { api_key_sha256: api_key::sha256(&key), keep_old, methods };
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::ACCOUNT_SET_KEY, &params, ORDER_TIMEOUT).await?;
    let account: AccountInfo = match read_done(&answer, screen)? {
        Ok(account) => account,
        Err(done) => return Ok(done),
    };
    api_key::show(&account.instance, &key, account.api_keys.len(), screen);
    Ok(Done::Success)
}
