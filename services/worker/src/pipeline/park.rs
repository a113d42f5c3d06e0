//! What limits and the order of a chat make of a command: it goes to a lane, stays at a lane's head,
//! or is told at once that it would be late.

use chrono::{DateTime, Utc};
use proto::lane::LaneCopy;
use proto::{OnFlood, Outcome};
use store::Claim;

use super::answer::{answer_apart, repeat, tell_waiting, too_many_askers};
use super::call::{too_late, wind_up};
use super::intake::{Arrival, claim, prepare};
use super::{Done, Undone, conclude, id_taken};
use crate::lanes::{Next, OrderKey, Parking, Place, Source, keys_of};
use crate::limits::{Lane, NotYet};
use crate::persist;
use crate::request::Request;
use crate::stop::throttled;
use crate::tenure::Tenure;

/// When a command may be worked on.
#[derive(Debug)]
pub(super) enum Order {
    /// Now.
    First,
    /// After those of its chat that are parked: it goes to their lane.
    Behind(NotYet),
    /// It is parked already.
    Elsewhere,
}

/// What became of a command that would have to wait.
pub(super) enum Ended {
    /// It is parked: its delivery is acknowledged.
    Parked,
    /// It stays at its lane's head.
    Stays,
    /// It would be late, and is told so.
    Late(Outcome),
}

/// When the command may be worked on, by what is parked of its chat. Where there is no account,
/// nothing is done in any order.
pub(super) async fn order(
    tenure: &Tenure,
    arrival: &Arrival,
    request: &Request,
) -> Result<Order, Undone> {
    if tenure.lanes.parked() == 0 {
        return Ok(Order::First);
    }
    let keys = keys(tenure, arrival, request).await?;
    Ok(match tenure.lanes.place(&arrival.command.id, &arrival.source, &keys) {
        Place::Elsewhere => Order::Elsewhere,
        Place::Behind(lane) if tenure.account.is_ok() => {
            Order::Behind(tenure.lanes.waits_for(lane, tenure.shared.clock.now()))
        }
        Place::Behind(_) | Place::First => Order::First,
    })
}

async fn keys(
    tenure: &Tenure,
    arrival: &Arrival,
    request: &Request,
) -> Result<Vec<OrderKey>, Undone> {
    let params = request.method.normalised();
    let keys = keys_of(&arrival.command, &params, &tenure.groups).await;
    keys.map_err(|_| Undone("the groups can't be read"))
}

/// Parks the command, unless that would make it late.
pub(super) async fn park(
    tenure: &Tenure,
    arrival: &Arrival,
    not_yet: NotYet,
) -> Result<Ended, Undone> {
    let (lanes, command) = (&tenure.lanes, &arrival.command);
    let Ok(Ok(request)) = prepare(tenure, arrival).await else {
        return Err(Undone("its params could not be read again"));
    };
    let keys = keys(tenure, arrival, &request).await?;
    let place = lanes.place(&command.id, &arrival.source, &keys);
    let follows = matches!(place, Place::Behind(_));
    let next = lanes.next(&command.id, not_yet.lane);
    let following = follows.then_some(&keys[..]);
    let retry_at = expected(tenure, &not_yet, next, following);
    let late = retry_at.is_some_and(|at| at >= command.deadline);
    // Who only came up too early waits where it was, and as long.
    let early = follows && lanes.lane_of(&command.id) == Some(not_yet.lane);
    if !early && (late || command.on_flood == OnFlood::Fail) {
        let limit = NotYet { opens: retry_at, ..not_yet };
        return late_outcome(tenure, arrival, request, &limit).await.map(Ended::Late);
    }
    let parking = Parking {
        command,
        sent_at: arrival.sent_at,
        keys: &keys,
        not_yet: &not_yet,
        calls: !follows,
        retry_at,
    };
    let parked = match next {
        Next::Stay => lanes.stay(tenure, parking).await.map(|()| Ended::Stays),
        Next::Move(lane) => lanes.park(tenure, lane, parking).await.map(|()| Ended::Parked),
    };
    parked.map_err(|_| Undone("it could not be parked"))
}

/// When a command is expected to go on: after those that lie in its lane already. One that only follows
/// others goes on as soon as the last of them.
fn expected(
    tenure: &Tenure,
    not_yet: &NotYet,
    next: Next,
    following: Option<&[OrderKey]>,
) -> Option<DateTime<Utc>> {
    let opens = not_yet.opens?;
    let (Next::Move(lane), Lane::Class(class)) = (next, not_yet.lane) else { return Some(opens) };
    let ahead = match following {
        // The last of them is its own slot.
        Some(keys) => tenure.lanes.calls_up_to_last(keys, lane).saturating_sub(1),
        None => tenure.lanes.calls_in(lane),
    };
    let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
    Some(tenure.limiter.forecast(class, ahead).max(opens))
}

/// What a command is told that would be late.
async fn late_outcome(
    tenure: &Tenure,
    arrival: &Arrival,
    request: Request,
    limit: &NotYet,
) -> Result<Outcome, Undone> {
    let (ledger, id) = (&tenure.shared.ledger, &arrival.command.id);
    let found = tenure.retry_store(|| ledger.get(&tenure.instance, id)).await;
    match found {
        Ok(Some(record)) if record.has_begun() => {
            wind_up(tenure, arrival, request, record, limit).await
        }
        Ok(_) => {
            let (now, deadline) = (tenure.shared.clock.now(), arrival.command.deadline);
            Ok(throttled(&limit.code, limit.seconds(deadline, now)).into())
        }
        Err(_) => Err(Undone("its record can't be read")),
    }
}

/// Answers a parked command where it lies: its deadline has come, or it was cancelled.
///
/// # Errors
/// Why it was not: it can wait, the instance is no longer ours, or the worker is going down.
pub async fn answer_parked(tenure: &Tenure, copy: LaneCopy) -> Result<(), &'static str> {
    let Some(lane) = tenure.lanes.lane_of(&copy.command.id) else { return Ok(()) };
    let arrival = Arrival::parked(copy, lane);
    let span = super::span_of(&arrival.command);
    let answering = tracing::Instrument::instrument(answer_now(tenure, &arrival, lane), span);
    answering.await.map(drop).map_err(|Undone(why)| why)
}

async fn answer_now(tenure: &Tenure, arrival: &Arrival, lane: Lane) -> Result<Done, Undone> {
    let Ok(Ok(request)) = prepare(tenure, arrival).await else {
        return Err(Undone("its params could not be read again"));
    };
    let record = match claim(tenure, arrival, &request).await {
        Ok(Claim::Fresh(record) | Claim::Resumed(record)) => record,
        Ok(Claim::Done(record)) => return tell_waiting(tenure, &arrival.command, &record).await,
        Ok(Claim::Conflict) => return Err(Undone("its id stands for another request")),
        Err(_) => return Err(Undone("its record can't be read")),
    };
    let now = tenure.shared.clock.now();
    let outcome = if record.cancelled_at.is_some() && !record.has_begun() {
        persist::cancelled().into()
    } else if now < arrival.command.deadline {
        return Err(Undone("it is neither due nor cancelled"));
    } else if record.has_begun() {
        let limit = tenure.lanes.waits_for(lane, now);
        wind_up(tenure, arrival, request, record.clone(), &limit).await?
    } else {
        too_late(tenure).into()
    };
    conclude(tenure, None, arrival, &record, outcome).await
}

/// The command is parked, and this is not the copy that counts: another one of ours, the original
/// once more, or somebody else who asks for the same.
pub(super) async fn elsewhere(
    tenure: &Tenure,
    arrival: &Arrival,
    request: &Request,
) -> Result<Done, Undone> {
    if arrival.source != Source::Queue {
        return Ok(Done::Parked);
    }
    let (ledger, command) = (&tenure.shared.ledger, &arrival.command);
    let found = tenure.retry_store(|| ledger.get(&tenure.instance, &command.id)).await;
    let hash = match found.map_err(|_| Undone("its record can't be read"))? {
        Some(record) if record.is_finished() => {
            return repeat(tenure, command, record).await;
        }
        Some(record) => record.hash,
        // Redis lost the record, and the parked copy will find this one.
        None => match claim(tenure, arrival, request).await {
            Ok(_) => request.hash.clone(),
            Err(_) => return Err(Undone("it could not be noted")),
        },
    };
    if hash != request.hash {
        return answer_apart(tenure, command, &request.hash, id_taken()).await;
    }
    let parked = tenure.lanes.stored(tenure, &command.id).await;
    let same = parked.is_some_and(|parked| {
        (parked.command.reply_to == command.reply_to)
            && (parked.command.correlation == command.correlation)
    });
    if !same && !note_asker(tenure, arrival).await? {
        return answer_apart(tenure, command, &request.hash, too_many_askers()).await;
    }
    Ok(Done::Parked)
}

/// One more who is to be told the result. False where there are too many.
async fn note_asker(tenure: &Tenure, arrival: &Arrival) -> Result<bool, Undone> {
    let (ledger, command) = (&tenure.shared.ledger, &arrival.command);
    let asker = store::Asker {
        correlation: command.correlation.clone(),
        reply_to: command.reply_to.clone(),
    };
    let noted = tenure.retry_store(|| ledger.ask(&tenure.lease, &command.id, &asker)).await;
    noted.map_err(|_| Undone("one more asker could not be noted"))
}
