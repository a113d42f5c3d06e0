//! Reading requests as leniently as Telegram does: an `InputPeer` is taken where an `InputUser` or an
//! `InputChannel` is due.
//!
//! The Pyrogram family sends every user and channel as an `InputPeer`, and Telegram answers them. The two
//! have the same fields behind different constructor ids.

use std::borrow::Cow;

use grammers_tl_types::deserialize::Error;
use grammers_tl_types::{Cursor, Deserializable, Identifiable, types};

/// Peers in one request that are read so at most.
const REPLACED_MAX: usize = 1000;

/// Reads a request's body.
///
/// # Errors
/// It can't be read, also not leniently.
pub fn read<F: Deserializable>(body: &[u8]) -> Result<F, Error> {
    let mut body = Cow::Borrowed(body);
    for _ in 0..REPLACED_MAX {
        let mut cursor = Cursor::from_slice(&body);
        let (error, at) = match F::deserialize(&mut cursor) {
            Ok(request) => return Ok(request),
            Err(error) => (error, cursor.pos()),
        };
        let Error::UnexpectedConstructor { id } = error else { return Err(error) };
        let (Some(due), Some(from)) = (due_for(id), at.checked_sub(4)) else { return Err(error) };
        body.to_mut()[from..at].copy_from_slice(&due.to_le_bytes());
    }
    Err(Error::UnexpectedEof)
}

/// The constructor with the same fields in the type that was due.
fn due_for(id: u32) -> Option<u32> {
    match id {
        types::InputPeerUser::CONSTRUCTOR_ID => Some(types::InputUser::CONSTRUCTOR_ID),
        types::InputPeerUserFromMessage::CONSTRUCTOR_ID => {
            Some(types::InputUserFromMessage::CONSTRUCTOR_ID)
        }
        types::InputPeerSelf::CONSTRUCTOR_ID => Some(types::InputUserSelf::CONSTRUCTOR_ID),
        types::InputPeerChannel::CONSTRUCTOR_ID => Some(types::InputChannel::CONSTRUCTOR_ID),
        types::InputPeerChannelFromMessage::CONSTRUCTOR_ID => {
            Some(types::InputChannelFromMessage::CONSTRUCTOR_ID)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::{Serializable, enums, functions as f};

    use super::*;

    #[test]
    fn peers_are_taken_for_users_and_channels() {
        let peers: Vec<enums::InputPeer> = vec![
            types::InputPeerUser { user_id: 7, access_hash: 8 }.into(),
            enums::InputPeer::PeerSelf,
        ];
        let channel = types::InputPeerChannel { channel_id: 5, access_hash: 6 };
        let mut bytes = enums::InputPeer::from(channel).to_bytes();
        peers.serialize(&mut bytes);
        let request: f::channels::InviteToChannel = read(&bytes).unwrap();
        let channel = types::InputChannel { channel_id: 5, access_hash: 6 }.into();
        let user = types::InputUser { user_id: 7, access_hash: 8 }.into();
        assert_eq!(request.channel, channel);
        assert_eq!(request.users, [user, enums::InputUser::UserSelf]);
    }

    #[test]
    fn nothing_else_is_taken_for_anything_else() {
        let chat = enums::InputPeer::from(types::InputPeerChat { chat_id: 5 }).to_bytes();
        assert!(read::<f::channels::LeaveChannel>(&chat).is_err());
        assert!(read::<f::channels::LeaveChannel>(&[]).is_err());
        assert!(read::<f::channels::LeaveChannel>(&[1, 2, 3, 4]).is_err());
    }
}
