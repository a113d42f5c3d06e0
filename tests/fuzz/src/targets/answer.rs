//! Results and events, as the command line reads them from the broker: what was read is written again in
//! one spelling.

use proto::event::LoginQr;
use proto::{CommandResult, Event};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub fn run(data: &[u8]) {
    same::<CommandResult>(data);
    same::<Event>(data);
    same::<LoginQr>(data);
}

fn same<T: DeserializeOwned + Serialize>(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(data) else { return };
    let Ok(written) = serde_json::to_value(&read) else { panic!("it can't be written") };
    match serde_json::from_value::<T>(written.clone()).and_then(serde_json::to_value) {
        Ok(again) => assert_eq!(again, written),
        Err(error) => panic!("what was written can't be read: {error}: {written}"),
    }
}
