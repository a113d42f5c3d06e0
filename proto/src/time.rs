//! Times on the wire: RFC 3339, always UTC with `Z` and milliseconds, so that readers may compare
//! them as text.

use chrono::{DateTime, SecondsFormat, Utc};

/// A time as it stands on the wire: `2026-11-23T06:54:40.123Z`.
#[must_use]
pub fn format(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Any RFC 3339 time, whatever its offset.
///
/// # Errors
/// Text that is no such time.
pub fn parse(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text.trim()).map(|time| time.with_timezone(&Utc))
}

/// For `#[serde(with = "proto::time::rfc3339_ms")]` on a `DateTime<Utc>`.
pub mod rfc3339_ms {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes UTC with milliseconds.
    ///
    /// # Errors
    /// Only what the serializer itself reports.
    pub fn serialize<S: Serializer>(
        time: &DateTime<Utc>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*time))
    }

    /// Reads any RFC 3339 time.
    ///
    /// # Errors
    /// Text that is no such time.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        super::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// For `#[serde(with = "proto::time::optional_rfc3339_ms")]` on an `Option<DateTime<Utc>>`.
pub mod optional_rfc3339_ms {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes UTC with milliseconds, or null.
    ///
    /// # Errors
    /// Only what the serializer itself reports.
    pub fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::rfc3339_ms::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads any RFC 3339 time, or null.
    ///
    /// # Errors
    /// Text that is no such time.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text)).transpose().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_becomes_utc_with_milliseconds() {
        let time = parse("2026-11-23T08:54:40.1239+02:00").unwrap();
        assert_eq!(format(time), "2026-11-23T06:54:40.123Z");
        assert_eq!(format(parse("2026-11-23T06:54:40Z").unwrap()), "2026-11-23T06:54:40.000Z");
        assert!(parse("2026-11-23 06:54").is_err() && parse("tomorrow").is_err());
    }
}
