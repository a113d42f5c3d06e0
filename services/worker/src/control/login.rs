//! Orders about logging an account in.

use std::sync::Arc;
use std::time::Duration;

use chassis::sealed::Place;
use proto::control::{
    AccountLoggedIn, AccountLogin, LoginAccepted, LoginAnswer, LoginCancel, LoginImport,
};
use proto::fault::code;
use proto::{Command, Fault};
use telegram::{ForeignError, ForeignSession, LoginCode, LoginPassword, Phone, SessionString};
use tokio::sync::oneshot;

use super::account::going_down;
use super::{Control, asker};
use crate::login::{self, Given, Way};
use crate::owner::Order;

/// How long the answer to a login waits for the account to work; longer, and it says `connecting`.
const ONLINE_WITHIN: Duration = Duration::from_secs(15);

impl Control {
    /// Logs an instance in. The answer comes when the login has ended; what it waits for meanwhile
    /// is told by events.
    pub(super) async fn account_login(
        self: &Arc<Self>,
        order: &Command,
        params: AccountLogin,
    ) -> Result<AccountLoggedIn, Fault> {
        let way = self.way(order, &params)?;
        let owned = self.owned(&order.instance).await?;
        let (done, ended) = oneshot::channel();
        self.order(&owned, Order::Login(login::Start { way, done })).await?;
        let logged_in = ended.await.unwrap_or_else(|_| Err(going_down()))?;
        // Whoever reads "online" acts on it: it is said when the owner has come so far.
        let mut standing = owned.standing.clone();
        let online = standing.wait_for(|standing| standing.state.is_connected());
        let _ = tokio::time::timeout(ONLINE_WITHIN, online).await;
        let state = owned.standing.borrow().state;
        Ok(AccountLoggedIn { state, ..logged_in })
    }

    /// The way that a login is asked for.
    fn way(&self, order: &Command, params: &AccountLogin) -> Result<Way, Fault> {
        let invalid = |message: String| Fault::invalid(code::PARAMS_INVALID, message);
        match (&params.phone, &params.qr_key, &params.import) {
            (Some(sealed), None, None) => {
                let phone = self.open(&Place::phone(order.instance.as_str()), "phone", sealed)?;
                Ok(Way::Phone(Phone::new(phone)))
            }
            (None, Some(key), None) => {
                let key = key.parse();
                key.map(Way::Qr).map_err(|error| invalid(format!("params.qr_key: {error}")))
            }
            (None, None, Some(import)) => self.import(order, import),
            _ => Err(invalid("params: needs exactly one of phone, qr_key and import".to_owned())),
        }
    }

    /// The way of a login that is there already.
    fn import(&self, order: &Command, import: &LoginImport) -> Result<Way, Fault> {
        let by = asker(order, import.by.clone())?;
        let way = match (&import.session, &import.backup) {
            (Some(sealed), None) => {
                let place = Place::session(order.instance.as_str());
                let text = SessionString::new(self.open(&place, "import.session", sealed)?);
                let foreign = ForeignSession::read(&text).map_err(refused)?;
                if import.take_over {
                    let session = foreign.take_over(&self.shared.telegram).map_err(refused)?;
                    Way::TakenOver { session: Box::new(session), from_backup: false }
                } else {
                    Way::Accepted(foreign)
                }
            }
            (None, Some(backup)) => {
                let session = Box::new(self.open_backup(&order.instance, backup)?);
                Way::TakenOver { session, from_backup: true }
            }
            _ => {
                let message = "params.import: needs exactly one of session and backup";
                return Err(Fault::invalid(code::PARAMS_INVALID, message));
            }
        };
        tracing::info!(
            instance.id = %order.instance,
            by,
            take_over = matches!(way, Way::TakenOver { .. }),
            from_backup = import.backup.is_some(),
            "a login is imported"
        );
        Ok(way)
    }

    /// Gives a login what it waits for.
    pub(super) async fn login_answer(
        self: &Arc<Self>,
        order: &Command,
        params: LoginAnswer,
    ) -> Result<LoginAccepted, Fault> {
        let instance = order.instance.as_str();
        let given = match (&params.code, &params.password, params.resend) {
            (Some(sealed), None, false) => {
                Given::Code(LoginCode::new(self.open(&Place::code(instance), "code", sealed)?))
            }
            (None, None, true) => Given::Resend,
            (None, Some(sealed), false) => Given::Password(LoginPassword::new(self.open(
                &Place::password(instance),
                "password",
                sealed,
            )?)),
            _ => {
                let message = "params: needs exactly one of code, password and resend";
                return Err(Fault::invalid(code::PARAMS_INVALID, message));
            }
        };
        self.give(order, params.login_id, given).await
    }

    /// Gives a login up.
    pub(super) async fn login_cancel(
        self: &Arc<Self>,
        order: &Command,
        params: LoginCancel,
    ) -> Result<LoginAccepted, Fault> {
        self.give(order, params.login_id, Given::Cancel).await
    }

    async fn give(
        self: &Arc<Self>,
        order: &Command,
        login_id: String,
        given: Given,
    ) -> Result<LoginAccepted, Fault> {
        let owned = self.owned(&order.instance).await?;
        let (done, taken) = oneshot::channel();
        let answer = login::Answer { login_id, given, done };
        self.order(&owned, Order::LoginAnswer(answer)).await?;
        taken.await.unwrap_or_else(|_| Err(going_down()))?;
        Ok(LoginAccepted { accepted: true })
    }

    fn open(&self, place: &Place, field: &str, sealed: &str) -> Result<String, Fault> {
        let opened = self.shared.service_key.open(place, sealed);
        let opened = opened.map_err(|error| {
            Fault::invalid(code::PARAMS_INVALID, format!("params.{field}: {error}"))
        })?;
        Ok(opened.expose().to_owned())
    }
}

fn refused(error: ForeignError) -> Fault {
    telegram::fault::of_login(&error.into())
}
