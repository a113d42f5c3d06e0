//! The requests that wrap another one: layer, client, order, "without updates".
//!
//! They are taken off here, outermost first; what is left is the request that a handler answers.

use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, deserialize, enums, functions, types,
};

use crate::cluster::Client;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::wire::message;

/// Wrappers around one request at most; clients use three.
const DEPTH_MAX: usize = 8;
/// Levels of the JSON in `initConnection` at most.
const JSON_DEPTH_MAX: usize = 16;
/// The layer of a client that says none.
pub const LAYER_DEFAULT: i32 = 1;

/// A request without its wrappers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwrapped {
    /// The request, with its constructor id.
    pub body: Vec<u8>,
    /// From `invokeWithLayer`.
    pub layer: Option<i32>,
    /// From `initConnection`.
    pub client: Option<Client>,
    /// From `invokeAfterMsg(s)`: executed only after these.
    pub after: Vec<i64>,
    /// From `invokeWithoutUpdates`.
    pub without_updates: bool,
}

/// Takes all wrappers off.
///
/// # Errors
/// `INPUT_REQUEST_INVALID`: cut short, nested too deeply, or packed and not to be unpacked.
pub fn unwrap(mut body: Vec<u8>) -> Reply<Unwrapped> {
    let mut unwrapped = Unwrapped::default();
    for _ in 0..=DEPTH_MAX {
        body = message::unpack(body).map_err(|_| invalid())?;
        let id = message::constructor(&body).ok_or_else(invalid)?;
        match unwrapped.take_off(id, &body[4..]).map_err(|_| invalid())? {
            Some(header) => {
                body.drain(..4 + header);
            }
            None => {
                unwrapped.body = body;
                return Ok(unwrapped);
            }
        }
    }
    Err(invalid())
}

impl Unwrapped {
    /// Reads one wrapper's own fields and gives their length; `None` where `id` is no wrapper.
    fn take_off(&mut self, id: u32, rest: &[u8]) -> deserialize::Result<Option<usize>> {
        let c = &mut Cursor::from_slice(rest);
        match id {
            functions::InvokeWithLayer::<Rest>::CONSTRUCTOR_ID => {
                self.layer = Some(i32::deserialize(c)?);
            }
            functions::InitConnection::<Rest>::CONSTRUCTOR_ID => {
                let flags = i32::deserialize(c)?;
                let mut client = Client { api_id: i32::deserialize(c)?, ..Client::default() };
                for field in
                    [&mut client.device_model, &mut client.system_version, &mut client.app_version]
                {
                    *field = String::deserialize(c)?;
                }
                client.system_lang_code = String::deserialize(c)?;
                let _lang_pack = String::deserialize(c)?;
                client.lang_code = String::deserialize(c)?;
                if flags & 1 != 0 {
                    enums::InputClientProxy::deserialize(c)?;
                }
                if flags & 2 != 0 {
                    skip_json(c, JSON_DEPTH_MAX)?;
                }
                self.client = Some(client);
            }
            functions::InvokeAfterMsg::<Rest>::CONSTRUCTOR_ID => {
                self.after.push(i64::deserialize(c)?);
            }
            functions::InvokeAfterMsgs::<Rest>::CONSTRUCTOR_ID => {
                self.after.extend(Vec::<i64>::deserialize(c)?);
            }
            functions::InvokeWithoutUpdates::<Rest>::CONSTRUCTOR_ID => self.without_updates = true,
            functions::InvokeWithMessagesRange::<Rest>::CONSTRUCTOR_ID => {
                enums::MessageRange::deserialize(c)?;
            }
            functions::InvokeWithTakeout::<Rest>::CONSTRUCTOR_ID => {
                i64::deserialize(c)?;
            }
            functions::InvokeWithReCaptcha::<Rest>::CONSTRUCTOR_ID => {
                String::deserialize(c)?;
            }
            functions::InvokeWithGooglePlayIntegrity::<Rest>::CONSTRUCTOR_ID
            | functions::InvokeWithApnsSecret::<Rest>::CONSTRUCTOR_ID => {
                String::deserialize(c)?;
                String::deserialize(c)?;
            }
            _ => return Ok(None),
        }
        Ok(Some(c.pos()))
    }
}

/// Stands for "any request" in the generic wrappers.
type Rest = functions::help::GetConfig;

/// Steps over a `JSONValue`. Reading it as one could nest as deeply as a message is long.
fn skip_json(c: &mut Cursor<'_>, depth: usize) -> deserialize::Result<()> {
    let id = u32::deserialize(c)?;
    let error = deserialize::Error::UnexpectedConstructor { id };
    let depth = depth.checked_sub(1).ok_or_else(|| error.clone())?;
    match id {
        types::JsonNull::CONSTRUCTOR_ID => {}
        types::JsonBool::CONSTRUCTOR_ID => {
            bool::deserialize(c)?;
        }
        types::JsonNumber::CONSTRUCTOR_ID => {
            f64::deserialize(c)?;
        }
        types::JsonString::CONSTRUCTOR_ID => {
            String::deserialize(c)?;
        }
        types::JsonArray::CONSTRUCTOR_ID | types::JsonObject::CONSTRUCTOR_ID => {
            u32::deserialize(c)?;
            for _ in 0..u32::deserialize(c)? {
                if id == types::JsonObject::CONSTRUCTOR_ID {
                    u32::deserialize(c)?;
                    String::deserialize(c)?;
                }
                skip_json(c, depth)?;
            }
        }
        _ => return Err(error),
    }
    Ok(())
}

fn invalid() -> RpcError {
    bad("INPUT_REQUEST_INVALID")
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::Serializable;

    use super::*;

    fn init(params: Option<enums::Jsonvalue>) -> Vec<u8> {
        let query = functions::InvokeWithoutUpdates { query: functions::help::GetConfig {} };
        let init = functions::InitConnection {
            api_id: 7,
            device_model: "device".into(),
            system_version: "1".into(),
            app_version: "2".into(),
            system_lang_code: "en".into(),
            lang_pack: String::new(),
            lang_code: "en".into(),
            proxy: None,
            params,
            query: functions::InvokeAfterMsg { msg_id: 44, query },
        };
        functions::InvokeWithLayer { layer: 230, query: init }.to_bytes()
    }

    #[test]
    fn what_clients_send_first_is_taken_apart() {
        let number = types::JsonNumber { value: 3.0 }.into();
        let entry = types::JsonObjectValue { key: "tz_offset".into(), value: number };
        let json = types::JsonObject { value: vec![entry.into()] };
        for params in [None, Some(json.into())] {
            let unwrapped = unwrap(init(params)).unwrap();
            assert_eq!(unwrapped.layer, Some(230));
            assert_eq!(unwrapped.after, [44]);
            assert!(unwrapped.without_updates);
            assert_eq!(unwrapped.client.unwrap().device_model, "device");
            assert_eq!(unwrapped.body, functions::help::GetConfig {}.to_bytes());
        }
    }

    #[test]
    fn a_packed_request_is_unpacked_inside_too() {
        let inner = functions::help::GetConfig {}.to_bytes();
        let padded = [inner.clone(), vec![0; 4000]].concat();
        let mut body = functions::InvokeAfterMsg::<Rest>::CONSTRUCTOR_ID.to_bytes();
        44_i64.serialize(&mut body);
        body.extend(message::pack(padded));
        assert_eq!(unwrap(body).unwrap().body[..4], inner);
    }

    #[test]
    fn every_cut_and_any_depth_is_an_error_and_no_crash() {
        let whole = init(None);
        for length in 0..whole.len() - 4 {
            assert!(unwrap(whole[..length].to_vec()).is_err(), "{length}");
        }
        let deep = functions::InvokeWithoutUpdates::<Rest>::CONSTRUCTOR_ID.to_bytes().repeat(1000);
        assert!(unwrap(deep).is_err());
        let mut json = types::JsonNull {}.into();
        for _ in 0..20 {
            json = types::JsonArray { value: vec![json] }.into();
        }
        assert!(unwrap(init(Some(json))).is_err());
    }
}
