//! What grammers' errors mean for the one question that matters: may the request have been executed?

use grammers_mtsender::InvocationError;

use crate::error::{CallError, RpcFault};
use crate::session::SessionError;

/// An error of a request on a connection that had proven itself.
pub(super) fn classify(error: InvocationError) -> CallError {
    match error {
        InvocationError::Rpc(fault) => CallError::Rpc(RpcFault::from_grammers(&fault)),
        // The connection had died after all, and the hop refused the one that grammers wanted to make for the request.
        InvocationError::Io(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {
            CallError::NotSent("the connection had ended".to_owned())
        }
        InvocationError::Deserialize(error) => CallError::Undecodable(error.to_string()),
        InvocationError::Session(_)
        | InvocationError::Authentication(_)
        | InvocationError::InvalidDc => before_sending(error),
        // Also "dropped", which grammers says of requests that were queued while the connection died.
        InvocationError::Io(_) | InvocationError::Transport(_) | InvocationError::Dropped(_) => {
            CallError::Lost(error.to_string())
        }
    }
}

/// An error of the ping before it: whatever it was, the request itself has not been sent.
pub(super) fn before_sending(error: InvocationError) -> CallError {
    match error {
        InvocationError::Session(error) => match error.downcast_ref::<SessionError>() {
            Some(SessionError::KeyReplaced(_)) => CallError::KeyUnknown,
            None => CallError::NotSent(error.to_string()),
        },
        other => CallError::NotSent(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use grammers_mtsender::RpcError;

    use super::*;

    fn key_replaced() -> InvocationError {
        InvocationError::Session(Box::new(SessionError::KeyReplaced(2)))
    }

    #[test]
    fn what_was_surely_not_sent_is_told_apart() {
        let io = |kind: io::ErrorKind| InvocationError::Io(kind.into());
        assert!(matches!(classify(io(io::ErrorKind::ConnectionAborted)), CallError::NotSent(_)));
        assert!(matches!(classify(io(io::ErrorKind::ConnectionReset)), CallError::Lost(_)));
        assert!(matches!(classify(InvocationError::Dropped("x")), CallError::Lost(_)));
        assert!(matches!(classify(InvocationError::InvalidDc), CallError::NotSent(_)));
        let ping = before_sending(io(io::ErrorKind::ConnectionReset));
        assert!(matches!(ping, CallError::NotSent(_)));
    }

    #[test]
    fn a_key_that_the_server_forgot_is_told_apart() {
        assert!(matches!(classify(key_replaced()), CallError::KeyUnknown));
        assert!(matches!(before_sending(key_replaced()), CallError::KeyUnknown));
    }

    #[test]
    fn an_answer_keeps_its_name_and_request() {
        let wire =
            RpcError { code: 420, name: "FLOOD_WAIT".into(), value: Some(3), caused_by: None };
        let error = classify(InvocationError::Rpc(wire));
        assert_eq!(error.to_string(), "Telegram answered 420 FLOOD_WAIT_3");
    }
}
