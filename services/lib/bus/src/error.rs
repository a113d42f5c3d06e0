//! Everything that can go wrong between us and the broker, as one closed list, and the one place
//! where lapin's errors become it.
//!
//! The question every caller has is "was it sent?", so that is what the variants tell apart:
//! [`BusError::nothing_sent`] is true only where the broker cannot have taken the message.

use std::time::Duration;

use lapin::ErrorKind;

/// Why something asked of the broker did not happen, or may not have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// A setting of the `[amqp]` section cannot be used.
    #[error("amqp.{field}: {why}")]
    Config {
        /// Name of the setting.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// There is no connection. Nothing was sent.
    #[error("RabbitMQ cannot be reached: {why}")]
    Unreachable {
        /// The last thing the connection said.
        why: String,
    },
    /// The broker refuses this user or this vhost. Nothing was sent.
    #[error("RabbitMQ does not let us in: {code} {text}")]
    Denied {
        /// AMQP reply code.
        code: u16,
        /// The broker's words.
        text: String,
    },
    /// The broker takes no messages at the moment (memory or disk alarm). Nothing was sent.
    #[error("RabbitMQ has blocked publishing: {reason}")]
    Blocked {
        /// The broker's words.
        reason: String,
    },
    /// A message was sent and no confirm came. Publish it again **under the same message id**.
    #[error("no confirm from RabbitMQ, the message may or may not be there: {why}")]
    Unknown {
        /// What ended the wait.
        why: String,
    },
    /// The broker answered that it did not take the message, as a full queue does.
    #[error("RabbitMQ did not take the message (basic.nack): a queue is full or unavailable")]
    Nacked,
    /// The broker refused the operation and closed the channel.
    #[error("RabbitMQ refused: {code} {text}")]
    Refused {
        /// AMQP reply code: 403 no permission, 404 no such queue or exchange, 405 somebody else's
        /// exclusive queue, 406 other arguments.
        code: u16,
        /// The broker's words.
        text: String,
    },
    /// An operation other than a publish took too long. It may still happen.
    #[error("{what} took longer than {} s", after.as_secs_f64())]
    Timeout {
        /// What was asked.
        what: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// A delivery can't be settled any more: its channel is gone and the broker delivers it again.
    #[error("the delivery is no longer ours: {why}")]
    Lost {
        /// What ended the channel.
        why: String,
    },
    /// A property doesn't fit AMQP: short strings have at most 255 bytes.
    #[error("{field} cannot be sent: {why}")]
    Unencodable {
        /// Name of the property.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The broker sent a frame that the client library can't read, such as a property that is not
    /// UTF-8, and the connection ended by it. Waiting doesn't help: the message comes again until
    /// its queue's delivery limit sets it aside.
    #[error("RabbitMQ sent a message that cannot be read: {why}")]
    Unreadable {
        /// The parser's words.
        why: String,
    },
    /// The management API failed, or said no.
    #[error("RabbitMQ's management API: {why}")]
    Management {
        /// HTTP status, where there was an answer.
        status: Option<u16>,
        /// What it was asked and what it answered.
        why: String,
    },
    /// The bus was closed by this process.
    #[error("the connection to RabbitMQ is closed")]
    Closed,
}

impl BusError {
    /// True where the broker cannot have taken the message.
    #[must_use]
    pub fn nothing_sent(&self) -> bool {
        match self {
            Self::Config { .. }
            | Self::Unreachable { .. }
            | Self::Denied { .. }
            | Self::Blocked { .. }
            | Self::Nacked
            | Self::Refused { .. }
            | Self::Unencodable { .. }
            | Self::Closed => true,
            Self::Unknown { .. }
            | Self::Timeout { .. }
            | Self::Lost { .. }
            | Self::Unreadable { .. }
            | Self::Management { .. } => false,
        }
    }

    /// True where the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Blocked { .. }
            | Self::Unknown { .. }
            | Self::Nacked
            | Self::Timeout { .. }
            | Self::Unreadable { .. }
            | Self::Lost { .. } => true,
            // No answer, or the server's own trouble, passes; a "no" stays.
            Self::Management { status, .. } => status.is_none_or(|status| status >= 500),
            Self::Config { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::Unencodable { .. }
            | Self::Closed => false,
        }
    }

    /// True where the broker did not answer in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// True where the broker says that the queue or exchange does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }
}

/// What we were doing when lapin failed: the same failure means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Opening a connection.
    Connecting,
    /// Opening a channel, declaring, consuming.
    Operating,
    /// Publishing, from the first byte to the confirm.
    Publishing,
    /// Settling a delivery.
    Settling,
}

/// The whole table from lapin's errors to ours.
pub(crate) fn from_lapin(error: &lapin::Error, doing: Doing) -> BusError {
    let why = error.to_string();
    match (error.kind(), doing) {
        // 403: wrong user or password. 530: no such vhost, or none for this user.
        (ErrorKind::ProtocolError(amqp), Doing::Connecting)
            if [403, 530].contains(&amqp.get_id()) =>
        {
            BusError::Denied { code: amqp.get_id(), text: amqp.get_message().to_string() }
        }
        (_, Doing::Settling) => BusError::Lost { why },
        // A soft error is about this channel, hence about what was just asked on it.
        (ErrorKind::ProtocolError(amqp), _) if error.is_amqp_soft_error() => {
            BusError::Refused { code: amqp.get_id(), text: amqp.get_message().to_string() }
        }
        // lapin refuses these before it writes anything.
        (
            ErrorKind::ChannelsLimitReached
            | ErrorKind::InvalidChannel(_)
            | ErrorKind::InvalidChannelState(..)
            | ErrorKind::InvalidConnectionState(_),
            Doing::Operating,
        ) => BusError::Unreachable { why },
        (ErrorKind::ParsingError(_), Doing::Connecting | Doing::Operating) => {
            BusError::Unreadable { why }
        }
        (_, Doing::Publishing) => BusError::Unknown { why },
        (_, Doing::Connecting | Doing::Operating) => BusError::Unreachable { why },
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use lapin::protocol::{AMQPError, AMQPHardError, AMQPSoftError};
    use lapin::{ChannelState, ConnectionState};

    use super::*;

    fn soft() -> lapin::Error {
        ErrorKind::ProtocolError(AMQPError::new(AMQPSoftError::NOTFOUND.into(), "no queue".into()))
            .into()
    }

    fn hard() -> lapin::Error {
        let forced = AMQPHardError::CONNECTIONFORCED.into();
        ErrorKind::ProtocolError(AMQPError::new(forced, "shutdown".into())).into()
    }

    fn refused_login() -> lapin::Error {
        let access = AMQPSoftError::ACCESSREFUSED.into();
        ErrorKind::ProtocolError(AMQPError::new(access, "login refused".into())).into()
    }

    fn cut() -> lapin::Error {
        io::Error::from(io::ErrorKind::ConnectionReset).into()
    }

    fn channel_closed() -> lapin::Error {
        ErrorKind::InvalidChannelState(ChannelState::Closed, "test").into()
    }

    /// Cause × what we were doing → our variant and whether anything can have been sent.
    #[test]
    fn every_cause_has_one_meaning() {
        use Doing::{Connecting, Operating, Publishing, Settling};
        let connection_closed: lapin::Error =
            ErrorKind::InvalidConnectionState(ConnectionState::Closed).into();
        let silent: lapin::Error = ErrorKind::MissingHeartbeatError.into();
        let full: lapin::Error = ErrorKind::ChannelsLimitReached.into();
        let table = [
            (refused_login(), Connecting, "Denied", true),
            (hard(), Connecting, "Unreachable", true),
            (cut(), Connecting, "Unreachable", true),
            (soft(), Operating, "Refused", true),
            (hard(), Operating, "Unreachable", true),
            (cut(), Operating, "Unreachable", true),
            (channel_closed(), Operating, "Unreachable", true),
            (connection_closed.clone(), Operating, "Unreachable", true),
            (full, Operating, "Unreachable", true),
            (soft(), Publishing, "Refused", true),
            (hard(), Publishing, "Unknown", false),
            (cut(), Publishing, "Unknown", false),
            (silent, Publishing, "Unknown", false),
            (channel_closed(), Publishing, "Unknown", false),
            (connection_closed, Publishing, "Unknown", false),
            (soft(), Settling, "Lost", false),
            (cut(), Settling, "Lost", false),
        ];
        for (cause, doing, variant, nothing_sent) in table {
            let ours = from_lapin(&cause, doing);
            let name = format!("{ours:?}");
            assert!(name.starts_with(variant), "{cause} while {doing:?} became {name}");
            assert_eq!(ours.nothing_sent(), nothing_sent, "{cause} while {doing:?}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_told_apart() {
        let management = |status| BusError::Management { status, why: String::new() };
        assert!(management(None).is_transient());
        assert!(management(Some(503)).is_transient());
        assert!(!management(Some(401)).is_transient());
        assert!(from_lapin(&soft(), Doing::Operating).is_missing());
        assert!(!from_lapin(&soft(), Doing::Operating).is_transient());
        assert!(from_lapin(&cut(), Doing::Operating).is_transient());
    }
}
