//! Reading numbers and flags that came as text. Form-based senders (n8n's fields, for one) have
//! only strings, so `"5"` is read where `5` is meant; nothing looser than that is.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, Visitor};

/// A whole number, or a string of digits that is one: for `#[serde(deserialize_with = …)]`.
///
/// # Errors
/// Anything else, or a number that `T` can't hold.
pub fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let number = deserializer.deserialize_any(IntegerVisitor)?;
    T::try_from(number).map_err(|_| de::Error::custom(format!("{number} is out of range")))
}

/// Like [`integer`], for a field that may be absent or null.
///
/// # Errors
/// As for [`integer`].
pub fn optional_integer<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    deserializer.deserialize_option(OptionalInteger(PhantomData))
}

/// `true`, `false`, or one of these two words as a string.
///
/// # Errors
/// Anything else.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(BooleanVisitor)
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::custom(format!("{number} is out of range")))
    }

    /// Some senders write every number with a fraction (`5.0`).
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() < EXACT_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            return Ok(number as i64);
        }
        Err(E::invalid_value(de::Unexpected::Float(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
        let digits = text.trim();
        digits.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(digits), &self))
    }
}

struct OptionalInteger<T>(PhantomData<T>);

impl<'de, T: TryFrom<i64>> Visitor<'de> for OptionalInteger<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        integer(deserializer).map(Some)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        #[serde(deserialize_with = "integer")]
        count: u32,
        #[serde(default, deserialize_with = "optional_integer")]
        limit: Option<u32>,
        #[serde(default, deserialize_with = "boolean")]
        ban: bool,
    }

    fn form(text: &str) -> Result<Form, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn text_is_read_as_what_it_spells() {
        let expected = Form { count: 5, limit: Some(3), ban: true };
        assert_eq!(form(r#"{"count":"5","limit":"3","ban":"true"}"#).unwrap(), expected);
        assert_eq!(form(r#"{"count":5.0,"limit":3,"ban":true}"#).unwrap(), expected);
        let nulls = Form { count: 5, limit: None, ban: false };
        assert_eq!(form(r#"{"count":5,"limit":null}"#).unwrap(), nulls);
        assert_eq!(form(r#"{"count":5}"#).unwrap(), nulls);
    }

    #[test]
    fn what_spells_nothing_is_refused() {
        for bad in [
            r#"{"count":"five"}"#,
            r#"{"count":1.5}"#,
            r#"{"count":-1}"#,
            r#"{"count":5,"limit":4294967296}"#,
            r#"{"count":5,"ban":"yes"}"#,
            r#"{"count":5,"ban":1}"#,
        ] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }
}
