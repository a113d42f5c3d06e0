//! From a delivery to a command that is claimed: decode, prepare, claim.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bus::Delivery;
use chassis::faults::cut;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use proto::envelope::{Incoming, Rejected};
use proto::lane::{LaneCopy, NoCopy};
use proto::{Command, Fault};
use store::Claim;

use crate::lanes::Source;
use crate::limits::Lane;
use crate::request::Request;
use crate::stop::{Failure, Stop};
use crate::suspect::may_precede;
use crate::tenure::Tenure;

/// A command that has come up.
pub(super) struct Arrival {
    /// The command.
    pub command: Command,
    /// When its author published it, as the message said.
    pub sent_at: Option<DateTime<Utc>>,
    /// Where it came from.
    pub source: Source,
}

impl Arrival {
    /// A parked command, out of its lane.
    pub fn parked(copy: LaneCopy, lane: Lane) -> Self {
        let source = Source::Lane(lane, copy.copy);
        Self { command: copy.command, sent_at: copy.sent_at, source }
    }

    /// Whether it waited in a lane: whoever sent it was let in before, and may not be the only one
    /// that asks for it.
    pub fn was_parked(&self) -> bool {
        matches!(self.source, Source::Lane(..))
    }
}

/// What the delivery asks for.
pub(super) fn decode(
    tenure: &Tenure,
    delivery: &Delivery,
    lane: Option<Lane>,
) -> Result<Arrival, Box<Rejected>> {
    let received_at = tenure.shared.clock.now();
    if let Some(published) = delivery.properties.timestamp.and_then(|at| i64::try_from(at).ok()) {
        let waited = received_at.timestamp().saturating_sub(published);
        tenure.shared.metrics.queued(Duration::from_secs(waited.max(0).unsigned_abs()));
    }
    let incoming = Incoming {
        body: &delivery.body,
        properties: &delivery.properties,
        exchange: &delivery.exchange,
        routing_key: &delivery.routing_key,
        queue_instance: Some(&tenure.instance),
        redelivered: delivery.redelivered,
        received_at,
        rules: &tenure.shared.rules,
    };
    let reading = AssertUnwindSafe(|| {
        cut("delivered");
        if let Some(lane) = lane {
            let copy = LaneCopy::decode(&delivery.body, delivery.redelivered);
            let fault = |error: NoCopy| Fault::internal(error.to_string());
            return copy
                .map(|copy| Arrival::parked(copy, lane))
                .map_err(|error| Box::new(Rejected::salvage(fault(error), &incoming)));
        }
        let sent_at = delivery.properties.sent_at();
        let arrival = |command| Arrival { command, sent_at, source: Source::Queue };
        proto::decode(incoming).map(arrival)
    });
    // Nothing counts how often, before the claim: it is answered at once.
    catch_unwind(reading).unwrap_or_else(|_| {
        tracing::error!("reading a command panicked");
        Err(Box::new(Rejected::salvage(Fault::internal("reading it panicked"), &incoming)))
    })
}

/// Checks the API key and reads the params.
pub(super) async fn prepare(
    tenure: &Tenure,
    arrival: &Arrival,
) -> Result<Result<Request, Fault>, Failure> {
    let preparing = Request::prepare(tenure, &arrival.command, arrival.was_parked());
    let prepared = AssertUnwindSafe(preparing).catch_unwind().await;
    prepared.unwrap_or_else(|_| {
        Err(Failure::Stop(Stop::Fault(Fault::internal("reading its params panicked"))))
    })
}

/// Takes the command in the ledger. Where it may have been taken before the ledger began, it is suspect.
pub(super) async fn claim(
    tenure: &Tenure,
    arrival: &Arrival,
    request: &Request,
) -> Result<Claim, Failure> {
    let (ledger, lease, shared) = (&tenure.shared.ledger, &tenure.lease, &tenure.shared);
    let Command { id, method, received_at, redelivered, .. } = &arrival.command;
    tenure
        .retry_store(|| {
            let since = shared.losses.since(shared.generation.borrow().since);
            let suspect = may_precede(arrival.sent_at, *redelivered, since);
            ledger.claim(lease, id, method, &request.hash, *received_at, suspect)
        })
        .await
}

/// What belongs to the command's trace.
pub(super) fn span_of(command: &Command) -> tracing::Span {
    let span = tracing::info_span!(
        "command",
        otel.name = %format!("process {}", command.method),
        otel.kind = "consumer",
        instance.id = %command.instance,
        command.id = %command.id,
        method = %command.method,
    );
    chassis::trace::continue_from(&span, command.traceparent.as_deref());
    span
}
