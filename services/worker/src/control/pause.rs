//! Orders that pause and resume. Any worker can follow them: what is paused lies in Redis, and
//! every worker looks there.

use proto::control::{AccountPause, AccountPauses, AccountResume};
use proto::event::LimitResumed;
use proto::fault::code;
use proto::{Command, Fault, InstanceId, MethodName};
use store::{Pause, PauseBook, PauseScope};

use super::account::unavailable;
use super::{Control, asker, bounded};
use crate::answers::Answers;
use crate::limits::Class;
use crate::{methods, pauses};

/// Most characters of a reason.
const REASON_CHARS_MAX: usize = 256;

impl Control {
    /// Pauses an instance, or all of them: whole, or some methods.
    pub(super) async fn account_pause(
        &self,
        order: &Command,
        params: AccountPause,
    ) -> Result<AccountPauses, Fault> {
        let scope = self.scope(order, &params.methods).await?;
        bounded("params.reason", params.reason.as_deref(), REASON_CHARS_MAX)?;
        let (by, since) = (asker(order, params.by)?, self.shared.clock.now());
        let pause = Pause { since, by, reason: params.reason };
        let noted = self.shared.pauses.store().pause(&scope, &params.methods, &pause).await;
        Ok(self.noted(&scope, noted.map_err(unavailable)?))
    }

    /// Ends pauses of an instance, or those of all instances.
    pub(super) async fn account_resume(
        &self,
        order: &Command,
        params: AccountResume,
    ) -> Result<AccountPauses, Fault> {
        let scope = self.scope(order, &params.methods).await?;
        let before = self.shared.pauses.store().load().await.map_err(unavailable)?;
        let noted = self.shared.pauses.store().resume(&scope, &params.methods).await;
        let noted = noted.map_err(unavailable)?;
        if let PauseScope::Instance(instance) = &scope {
            self.tell_resumed(instance, &before, &noted).await;
        }
        Ok(self.noted(&scope, noted))
    }

    /// Tells of each class of calls that may go on from now on.
    async fn tell_resumed(&self, instance: &InstanceId, before: &PauseBook, after: &PauseBook) {
        for class in Class::ALL {
            let Some(name) = class.pause_name() else { continue };
            let paused =
                |book: &PauseBook| book.over(instance).any(|(_, held, _)| held == Some(&name));
            if paused(before) && !paused(after) {
                let told = LimitResumed { class: class.to_string(), until: None };
                let answers = &self.shared.answers;
                answers.tell(Answers::event_id(), instance, &told, |event| event).await;
            }
        }
    }

    async fn scope(&self, order: &Command, named: &[MethodName]) -> Result<PauseScope, Fault> {
        for (n, method) in named.iter().enumerate() {
            let class = method.as_str().strip_prefix("class.");
            if let Some(class) = class {
                if Class::read(class).is_none() {
                    let message = format!("params.methods[{n}]: {class} {}", Class::unknown());
                    return Err(Fault::invalid(code::PARAMS_INVALID, message));
                }
            } else if methods::find(method.as_str()).is_none() {
                let message = format!("params.methods[{n}]: there is no method {method}");
                return Err(Fault::invalid(code::METHOD_UNKNOWN, message));
            }
        }
        if order.instance.is_every() {
            return Ok(PauseScope::All);
        }
        self.known(&order.instance).await?;
        Ok(PauseScope::Instance(order.instance.clone()))
    }

    fn noted(&self, scope: &PauseScope, book: PauseBook) -> AccountPauses {
        tracing::info!(%scope, "pauses were changed");
        let (instance, holding) = match scope {
            PauseScope::All => {
                let of_all = book.of(scope);
                (None, of_all.map(|(method, pause)| pauses::info(scope, method, pause)).collect())
            }
            PauseScope::Instance(instance) => {
                (Some(instance.clone()), pauses::told(&book, instance))
            }
        };
        self.shared.pauses.noted(book);
        AccountPauses { instance, pauses: holding }
    }
}
