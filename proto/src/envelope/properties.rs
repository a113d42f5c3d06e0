//! The AMQP properties of a message, and what is read from them alone.

use chrono::{DateTime, TimeDelta, Utc};

use crate::fault::{Fault, code};
use crate::ids::quoted;
use crate::time;

/// The properties that Queuegram reads or writes, free of any AMQP library's types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// MIME type of the body.
    pub content_type: Option<String>,
    /// The message's own id.
    pub message_id: Option<String>,
    /// The caller's, to be echoed.
    pub correlation_id: Option<String>,
    /// A queue.
    pub reply_to: Option<String>,
    /// The property `type`.
    pub kind: Option<String>,
    /// Milliseconds, as AMQP has them: in text.
    pub expiration: Option<String>,
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    /// The publisher's user, validated by the broker.
    pub user_id: Option<String>,
    /// The publishing application.
    pub app_id: Option<String>,
    /// Header: W3C trace context.
    pub traceparent: Option<String>,
    /// Header: W3C trace state.
    pub tracestate: Option<String>,
}

impl Properties {
    /// JSON may come undeclared, as text or as JSON, in UTF-8.
    pub(super) fn check_content_type(&self) -> Result<(), Fault> {
        let Some(declared) = self.content_type.as_deref().filter(|t| !t.trim().is_empty()) else {
            return Ok(());
        };
        let lower = declared.to_ascii_lowercase();
        let mut parts = lower.split(';').map(str::trim);
        let mime_fits = matches!(parts.next(), Some("application/json" | "text/plain"));
        let charset_fits = parts
            .filter_map(|part| part.strip_prefix("charset="))
            .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
        if mime_fits && charset_fits {
            return Ok(());
        }
        Err(Fault::malformed(
            code::CONTENT_TYPE_UNSUPPORTED,
            format!(
                "content_type {} is not read: send `application/json` in UTF-8",
                quoted(declared)
            ),
        ))
    }

    /// When it was published, by its publisher's clock; `None` where that was not said.
    #[must_use]
    pub fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.timestamp.and_then(timestamp)
    }

    /// The trace context if it has its form; a broken one is no reason to refuse a command.
    /// See <https://www.w3.org/TR/trace-context/#traceparent-header>.
    pub(super) fn valid_traceparent(&self) -> Option<String> {
        const FORM: [usize; 4] = [2, 32, 16, 2];
        let text = self.traceparent.as_deref()?;
        let parts: Vec<&str> = text.splitn(5, '-').collect();
        let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let fits = parts.len() == FORM.len()
            && parts.iter().zip(FORM).all(|(part, chars)| part.len() == chars && hex(part));
        fits.then(|| text.to_owned())
    }
}

/// The earlier of what the body and the property say; the default where neither says anything.
pub(super) fn deadline(
    body: Option<&str>,
    properties: &Properties,
    received_at: DateTime<Utc>,
    default_s: u64,
) -> Result<DateTime<Utc>, Fault> {
    let invalid = |message: String| Fault::invalid(code::DEADLINE_INVALID, message);
    let from_body = body.filter(|text| !text.is_empty()).map(|text| {
        time::parse(text).map_err(|_| {
            invalid(format!(
                "`deadline` is a time like `2026-11-23T06:54:40Z` (RFC 3339); got {}",
                quoted(text)
            ))
        })
    });
    let from_property =
        properties.expiration.as_deref().filter(|text| !text.is_empty()).map(|text| {
            let ms = text.trim().parse().map_err(|_| {
                invalid(format!("`expiration` is a number of milliseconds; got {}", quoted(text)))
            });
            let sent_at = properties.sent_at().unwrap_or(received_at);
            ms.map(|ms| later(sent_at, ms))
        });
    let given = [from_body.transpose()?, from_property.transpose()?];
    let earliest = given.into_iter().flatten().min();
    Ok(earliest.unwrap_or_else(|| later(received_at, default_s.saturating_mul(1000))))
}

/// AMQP counts seconds; some clients put milliseconds there all the same. Seconds that large lie
/// beyond the year 5000.
fn timestamp(number: u64) -> Option<DateTime<Utc>> {
    const LARGEST_S: u64 = 100_000_000_000;
    let number_signed = i64::try_from(number).ok()?;
    if number < LARGEST_S {
        DateTime::from_timestamp(number_signed, 0)
    } else {
        DateTime::from_timestamp_millis(number_signed)
    }
}

/// A time span past all reason is as good as ten years.
fn later(time: DateTime<Utc>, ms: u64) -> DateTime<Utc> {
    const SPAN_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
    let span = TimeDelta::milliseconds(i64::try_from(ms.min(SPAN_MS_MAX)).unwrap_or_default());
    time.checked_add_signed(span).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: &str = "2026-11-23T07:00:00.000Z";

    fn content_type(text: &str) -> bool {
        let properties = Properties { content_type: Some(text.into()), ..Properties::default() };
        properties.check_content_type().is_ok()
    }

    #[test]
    fn json_may_be_declared_in_several_ways() {
        for good in [
            "",
            "application/json",
            "Application/JSON; charset=UTF-8",
            "text/plain",
            "text/plain;charset=\"utf-8\"",
            "application/json; profile=x",
        ] {
            assert!(content_type(good), "{good}");
        }
        for bad in ["application/xml", "application/json;charset=utf-16", "json", "text/html"] {
            assert!(!content_type(bad), "{bad}");
        }
    }

    fn deadline_of(
        body: Option<&str>,
        expiration: Option<&str>,
        timestamp: Option<u64>,
    ) -> Result<String, String> {
        let properties = Properties {
            expiration: expiration.map(str::to_owned),
            timestamp,
            ..Properties::default()
        };
        deadline(body, &properties, time::parse(RECEIVED).unwrap(), 86_400)
            .map(time::format)
            .map_err(|fault| fault.code)
    }

    #[test]
    fn the_earlier_deadline_wins() {
        let sent_s = Some(1_795_417_140); // a minute before it was received
        let body = Some("2026-11-23T09:00:30+02:00");
        for (body, expiration, timestamp, expected) in [
            (None, None, None, "2026-11-24T07:00:00.000Z"),
            (None, Some(""), sent_s, "2026-11-24T07:00:00.000Z"),
            (body, None, None, "2026-11-23T07:00:30.000Z"),
            (None, Some("90000"), None, "2026-11-23T07:01:30.000Z"),
            (None, Some("90000"), sent_s, "2026-11-23T07:00:30.000Z"),
            (None, Some("90000"), sent_s.map(|s| s * 1000), "2026-11-23T07:00:30.000Z"),
            (body, Some("10000"), None, "2026-11-23T07:00:10.000Z"),
            (body, Some("60000"), None, "2026-11-23T07:00:30.000Z"),
            (None, Some("18446744073709551615"), None, "2036-11-20T07:00:00.000Z"),
            (None, Some("1"), Some(u64::MAX), "2026-11-23T07:00:00.001Z"),
        ] {
            assert_eq!(deadline_of(body, expiration, timestamp), Ok(expected.into()));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (body, expiration) in
            [(Some("tomorrow"), None), (None, Some("-1")), (None, Some("1.5")), (None, Some("1s"))]
        {
            assert_eq!(deadline_of(body, expiration, None), Err(code::DEADLINE_INVALID.into()));
        }
    }

    #[test]
    fn only_a_whole_traceparent_goes_on() {
        let of = |text: &str| {
            let properties = Properties { traceparent: Some(text.into()), ..Properties::default() };
            properties.valid_traceparent()
        };
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(of(good).as_deref(), Some(good));
        assert_eq!(of("00-xyz-1-1"), None);
        assert_eq!(of(&good.to_uppercase()), None);
        assert_eq!(of(&format!("{good}-more")), None);
    }
}
