//! A door for `tests/fuzz` to what reads a message's properties; nothing else may use it.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::protocol::basic::parse_properties;
use proto::Properties;

use crate::death::{Death, death};
use crate::properties::{delivery_count, inbound, notes, outbound};
use crate::transport::mend_header;

/// What is read from a message's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Those of the contract.
    pub properties: Properties,
    /// Why it was dead-lettered.
    pub death: Option<Death>,
    /// Queuegram's own headers.
    pub notes: BTreeMap<String, String>,
    /// How often it was handed out.
    pub delivery_count: Option<u64>,
}

/// Class, weight and body size, which come before the properties in a header frame.
const FRAME: [u8; 12] = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Reads properties as they are on the wire, as a connection does: mended, parsed by lapin, understood.
/// None where lapin can't read them.
#[must_use]
pub fn header(wire: &[u8]) -> Option<Header> {
    let mended = mend(wire);
    let (_, parsed) = parse_properties(mended.as_slice()).ok()?;
    Some(understood(&parsed))
}

/// The same bytes as lapin gets to see them.
#[must_use]
pub fn mend(wire: &[u8]) -> Vec<u8> {
    let mut payload = [&FRAME, wire].concat();
    mend_header(&mut payload);
    payload.split_off(FRAME.len())
}

/// The properties as somebody reads them to whom they are sent on. None where they don't fit.
#[must_use]
pub fn passed_on(properties: &Properties) -> Option<Properties> {
    outbound(properties, &BTreeMap::new(), true).ok().map(|sent| inbound(&sent))
}

fn understood(parsed: &BasicProperties) -> Header {
    Header {
        properties: inbound(parsed),
        death: death(parsed),
        notes: notes(parsed),
        delivery_count: delivery_count(parsed),
    }
}
