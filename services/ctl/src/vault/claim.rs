//! `vault claim`: the vault, or a copy of it, becomes this site's.

use proto::{
    InstanceId,
    control::{NoParams, VaultClaimed, method},
    time,
};

use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    prompt,
    screen::{GOOD, STRONG, Screen, paint},
    settings::Settings,
};

const QUESTION: &str = "\
Another site that works with this vault, or with a copy of it, must let go of its accounts first: Telegram
destroys a login that is used twice. Type claim to go on: ";

/// Claims it.
pub async fn run(yes: bool, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    if !yes && prompt::line(QUESTION, "--yes").await?.trim() != "claim" {
        return Err(Failure::Usage(String::from("nothing was claimed")));
    }
    let mut orders = Orders::open(connect(settings).await?).await?;
    let (every, none) = (InstanceId::every(), NoParams::default());
    let answer = orders.ask(&every, method::VAULT_CLAIM, &none, ORDER_TIMEOUT).await?;
    let claimed: VaultClaimed = match read_done(&answer, screen)? {
        Ok(claimed) => claimed,
        Err(done) => return Ok(done),
    };
    screen.put(&claimed, || {
        let (site, claim) = (paint(STRONG, &claimed.site), claimed.claim);
        let since = time::format(claimed.claimed_at);
        match claimed.was_ours {
            true => format!("The vault is this site's already: {site}, claim {claim} of {since}."),
            false => format!(
                "{} The vault is this site's now: {site}, claim {claim}. Its accounts are connected when lease and \
                 grace are over.",
                paint(GOOD, "done")
            ),
        }
    });
    Ok(Done::Success)
}
