//! Orders about commands; any worker can follow them, since the ledger knows.

use std::collections::HashSet;

use chrono::TimeDelta;
use proto::control::{
    CommandById, CommandCancel, CommandCancelled, CommandDecision, CommandFilter, CommandInfo,
    CommandList, CommandListed, CommandRow, CommandState, Verdict,
};
use proto::fault::code;
use proto::{Command, CommandId, CommandResult, ErrorKind, Fault, Outcome, Status};
use serde::Deserialize;
use serde_json::Value;
use store::{Cancelled, Decision, Record};

use super::Control;
use super::account::unavailable;

/// Rows of one page where nothing is said, and the most.
const ROWS: (u32, u32) = (50, 200);

impl Control {
    /// Tells how a command stands.
    pub(super) async fn command_get(
        &self,
        order: &Command,
        about: CommandById,
    ) -> Result<CommandInfo, Fault> {
        let ledger = &self.shared.ledger;
        let found = ledger.get(&order.instance, &about.id).await.map_err(unavailable)?;
        let Some(record) = found else {
            self.known(&order.instance).await?;
            let mark = ledger.cancelled_at(&order.instance, &about.id).await;
            return Err(not_found(order, mark.map_err(unavailable)?.is_some()));
        };
        let parked = match record.is_finished() {
            true => None,
            false => {
                let lanes = &self.shared.lanes;
                lanes.find(&order.instance, &about.id).await.map_err(unavailable)?
            }
        };
        Ok(CommandInfo {
            state: if parked.is_some() { CommandState::Parked } else { state_of(&record) },
            retry_at: parked.as_ref().and_then(|entry| entry.opens),
            waits_for: parked.as_ref().map(|entry| entry.code.clone()),
            gate: parked.map(|entry| entry.lane),
            attempts: record.attempts,
            received_at: record.received_at,
            result: result_of(&record),
            cancelled_at: record.cancelled_at,
            decision: record.decision.map(|made| told(*made)),
            method: Some(record.method),
        })
    }

    /// Takes a command back before its first step.
    pub(super) async fn command_cancel(
        &self,
        order: &Command,
        about: CommandCancel,
    ) -> Result<Outcome, Fault> {
        self.known(&order.instance).await?;
        let now = self.shared.clock.now();
        let wish = self.shared.ledger.cancel(&order.instance, &about.id, now).await;
        let record = match wish.map_err(unavailable)? {
            Cancelled::Awaited => return cancelled(None, None),
            Cancelled::Marked(record) => {
                let parked = self.shared.lanes.find(&order.instance, &about.id).await;
                let parked = parked.map_err(unavailable)?.map(|_| CommandState::Parked);
                return cancelled(Some(parked.unwrap_or(state_of(&record))), None);
            }
            Cancelled::Late(record) => record,
        };
        let ending = ending_of(&record);
        let (state, status) = (state_of(&record), ending.as_ref().map(|ending| ending.status));
        if ending.is_some_and(|ending| ending.error_kind == Some(ErrorKind::Cancelled)) {
            return cancelled(Some(state), status);
        }
        let fault = match status {
            Some(status) => finished(status),
            None => Fault::invalid(
                code::COMMAND_UNDER_WAY,
                "params.id: a step of the command has begun: it is brought to its end",
            ),
        };
        let result = answer(CommandCancelled { cancelled: false, state: Some(state), status })?;
        Ok(Outcome { result, ..fault.into() })
    }

    /// Lists the commands of an instance, a page at a time.
    pub(super) async fn command_list(
        &self,
        order: &Command,
        asked: CommandList,
    ) -> Result<CommandListed, Fault> {
        self.known(&order.instance).await?;
        let limit = asked.limit.unwrap_or(ROWS.0);
        if !(1..=ROWS.1).contains(&limit) {
            return Err(wrong(format!("params.limit: is none of 1 to {}", ROWS.1)));
        }
        let age = i64::try_from(asked.older_than_s.unwrap_or_default()).ok();
        let before = age.and_then(TimeDelta::try_seconds);
        let before = before.and_then(|age| self.shared.clock.now().checked_sub_signed(age));
        let before = before.ok_or_else(|| wrong("params.older_than_s: is too long".to_owned()))?;
        let board = self.shared.lanes.load(&order.instance).await.map_err(unavailable)?;
        let parked: HashSet<CommandId> = board.parked.into_iter().map(|(id, _)| id).collect();
        let state = |id: &CommandId, record: &Record| match parked.contains(id) {
            true if !record.is_finished() => CommandState::Parked,
            _ => state_of(record),
        };
        let wanted = |id: &CommandId, record: &Record| {
            let fits = |filter| fits(record, state(id, record), filter);
            record.received_at <= before && asked.state.is_none_or(fits)
        };
        let ledger = &self.shared.ledger;
        let page = ledger.list(&order.instance, asked.cursor.as_deref(), limit as usize, wanted);
        let page = page
            .await
            .map_err(unavailable)?
            .ok_or_else(|| wrong("params.cursor: is no `next` of an earlier answer".to_owned()))?;
        let holder = self.shared.leases.holder(&order.instance).await.map_err(unavailable)?;
        let owner = holder.map(|holder| holder.epoch);
        let rows = page.records.into_iter().map(|(id, record)| {
            let state = state(&id, &record);
            row(id, state, record, owner)
        });
        Ok(CommandListed { commands: rows.collect(), next: page.next })
    }
}

fn row(id: CommandId, state: CommandState, record: Record, owner: Option<u64>) -> CommandRow {
    let ending = ending_of(&record);
    CommandRow {
        id,
        state,
        status: ending.as_ref().map(|ending| ending.status),
        error_code: ending.and_then(|ending| ending.error_code),
        attempts: record.attempts,
        received_at: record.received_at,
        in_hand: !record.is_finished() && owner == Some(record.epoch),
        cancelled: record.cancelled_at.is_some(),
        decided: record.decision.is_some(),
        method: record.method,
    }
}

fn fits(record: &Record, state: CommandState, filter: CommandFilter) -> bool {
    match filter {
        CommandFilter::Received => state == CommandState::Received,
        CommandFilter::Parked => state == CommandState::Parked,
        CommandFilter::Started => state == CommandState::Started,
        CommandFilter::Finished => state == CommandState::Finished,
        CommandFilter::Replied => state == CommandState::Replied,
        CommandFilter::Unknown => {
            record.decision.is_none()
                && ending_of(record).is_some_and(|ending| ending.status == Status::Unknown)
        }
    }
}

/// What a list tells of a result: the rest of it may name people.
#[derive(Deserialize)]
pub(super) struct Ending {
    pub status: Status,
    pub error_kind: Option<ErrorKind>,
    pub error_code: Option<String>,
}

pub(super) fn ending_of(record: &Record) -> Option<Ending> {
    serde_json::from_str(record.result.as_deref()?).ok()
}

pub(super) fn result_of(record: &Record) -> Option<CommandResult> {
    serde_json::from_str(record.result.as_deref()?).ok()
}

pub(super) fn state_of(record: &Record) -> CommandState {
    match (record.is_replied(), record.result.is_some(), record.has_begun()) {
        (true, ..) => CommandState::Replied,
        (_, true, _) => CommandState::Finished,
        (.., true) => CommandState::Started,
        _ => CommandState::Received,
    }
}

pub(super) fn told(decision: Decision) -> CommandDecision {
    CommandDecision {
        verdict: if decision.done { Verdict::Done } else { Verdict::Failed },
        chat_id: decision.chat_id,
        note: decision.note,
        by: decision.by,
        at: decision.at,
    }
}

fn cancelled(state: Option<CommandState>, status: Option<Status>) -> Result<Outcome, Fault> {
    Ok(Outcome::done(None, answer(CommandCancelled { cancelled: true, state, status })?))
}

fn answer(told: CommandCancelled) -> Result<Value, Fault> {
    serde_json::to_value(told).map_err(|error| Fault::internal(error.to_string()))
}

pub(super) fn not_found(order: &Command, cancelled: bool) -> Fault {
    let instance = &order.instance;
    let mark = match cancelled {
        true => "; one that comes is answered cancelled",
        false => "",
    };
    let message = format!("params.id: {instance} has no command of this id{mark}");
    Fault::invalid(code::COMMAND_NOT_FOUND, message)
}

pub(super) fn finished(status: Status) -> Fault {
    let message =
        format!("params.id: the command has its result, {}, which is final", status.as_str());
    Fault::invalid(code::COMMAND_FINISHED, message)
}

fn wrong(message: String) -> Fault {
    Fault::invalid(code::PARAMS_INVALID, message)
}
