//! The instance that is logged in: found, or made on the way.

use crate::{
    api_key,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::Screen,
};
use proto::{
    InstanceId,
    control::{AccountAdd, AccountAdded, AccountInfo, NoParams, method},
    fault::code,
};

/// An instance that was made for this login.
pub struct Made {
    instance: InstanceId,
    api_key: String,
}

impl Made {
    /// Shows what nobody can be shown again.
    pub fn show(&self, screen: Screen) {
        api_key::show(&self.instance, &self.api_key, 1, screen);
    }
}

/// The instance as it stands; made, where there is none.
pub async fn find_or_make(
    orders: &mut Orders,
    instance: &InstanceId,
    screen: Screen,
) -> Result<Result<(AccountInfo, Option<Made>), Done>, Failure> {
    let ask = method::ACCOUNT_GET;
    let mut answer = orders.ask(instance, ask, &NoParams {}, ORDER_TIMEOUT).await?;
    let mut made = None;
    if answer.error_code.as_deref() == Some(code::INSTANCE_NOT_FOUND) {
        let api_key = api_key::generate()?;
        let api_key_sha256 = Some(api_key::sha256(&api_key));
        let params = AccountAdd { api_key_sha256, ..AccountAdd::default() };
        let added = orders.ask(instance, method::ACCOUNT_ADD, &params, ORDER_TIMEOUT).await?;
        if let Err(done) = read_done::<AccountAdded>(&added, screen)? {
            return Ok(Err(done));
        }
        screen.note(&format!("{instance} is new"));
        made = Some(Made { instance: instance.clone(), api_key });
        answer = orders.ask(instance, ask, &NoParams {}, ORDER_TIMEOUT).await?;
    }
    Ok(read_done(&answer, screen)?.map(|account| (account, made)))
}
