//! A command made ready: its method found, its params read and checked, its sender let in.

use proto::canonical;
use proto::fault::code;
use proto::{Command, Fault};

use crate::method::Prepared;
use crate::methods;
use crate::stop::Failure;
use crate::tenure::Tenure;

/// A command whose params make sense and whose sender may send it.
pub struct Request {
    /// The method, ready to be called.
    pub method: Box<dyn Prepared>,
    /// What makes this the same request as another: method, params and ref, compared as the method
    /// itself writes them, so that `"7"` and `7`, or a default left out, are no difference.
    pub hash: String,
}

impl Request {
    /// Reads the command's params. The inner error is the command's fault; the outer one a store's.
    pub async fn prepare(
        tenure: &Tenure,
        command: &Command,
    ) -> Result<Result<Self, Fault>, Failure> {
        if let Some(fault) = not_let_in(tenure, command).await? {
            return Ok(Err(fault));
        }
        let Some(entry) = methods::find(command.method.as_str()) else {
            let message = format!("there is no method {}", command.method);
            return Ok(Err(Fault::invalid(code::METHOD_UNKNOWN, message)));
        };
        let method = match (entry.parse)(&command.params) {
            Ok(method) => method,
            Err(fault) => return Ok(Err(fault)),
        };
        let hash = canonical::request_hash(
            &command.method,
            &method.normalised(),
            command.external_ref.as_ref(),
        );
        Ok(Ok(Self { method, hash }))
    }
}

/// Where the instance asks for an API key: why this one does not do.
async fn not_let_in(tenure: &Tenure, command: &Command) -> Result<Option<Fault>, Failure> {
    let instances = &tenure.shared.instances;
    let record = tenure.retry_store(|| instances.get(&tenure.instance)).await?;
    let Some(record) = record.filter(|record| record.require_api_key) else { return Ok(None) };
    Ok(match &command.api_key {
        None => {
            let message = "api_key: is missing, and this instance asks for one";
            Some(Fault::forbidden(code::API_KEY_MISSING, message))
        }
        Some(key) if record.api_key_hashes.iter().any(|hash| key.matches(hash)) => None,
        Some(_) => {
            Some(Fault::forbidden(code::API_KEY_WRONG, "api_key: is none of this instance's keys"))
        }
    })
}
