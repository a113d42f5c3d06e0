//! The stored form of a session, versioned. Whoever has one *is* the account: it is only ever stored sealed, and its
//! `Debug` shows no key.

use std::fmt;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use grammers_session::SessionData;
use grammers_session::types::{DcOption, UpdatesState};
use proto::UserId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::config::ServerConfig;

/// The version that is written. A release reads this one and the one before.
const VERSION: u32 = 1;

/// Everything that must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Version of this form.
    pub v: u32,
    /// The data centre that the account lives in.
    pub home_dc: i32,
    /// The data centres known, with the auth keys made there.
    pub dcs: Vec<DcRecord>,
    /// The account, once it is logged in.
    pub user: Option<SelfRecord>,
    /// The application by which the keys were made, and by which they are used ever after; none in a session of a release
    /// that did not note it, or of another program that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<i32>,
    /// Where it is in the stream of updates.
    pub mark: UpdateMark,
    /// The same for each supergroup whose stream was read: Telegram's own number, pts.
    #[serde(default)]
    pub channel_pts: Vec<(i64, i32)>,
}

/// One data centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DcRecord {
    /// Its number.
    pub id: i32,
    /// Its IPv4 address.
    pub ipv4: SocketAddrV4,
    /// Its IPv6 address.
    pub ipv6: SocketAddrV6,
    /// The permanent auth key made with it.
    pub auth_key: Option<AuthKey>,
}

/// Who is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfRecord {
    /// Telegram's number of the account.
    pub id: UserId,
    /// Its access hash of itself.
    pub access_hash: i64,
    /// It is a bot account.
    pub bot: bool,
}

/// A place in the stream of updates (<https://core.telegram.org/api/updates>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateMark {
    /// Counts what happens in private chats and basic groups.
    pub pts: i32,
    /// Counts what happens in secret chats and to bots.
    pub qts: i32,
    /// Telegram's time, Unix seconds.
    pub date: i32,
    /// Counts batches.
    pub seq: i32,
}

/// 256 bytes that Telegram takes for the account. Never shown; wiped when dropped; hexadecimal when stored.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthKey(Box<[u8; 256]>);

/// Why stored bytes are no session.
#[derive(Debug, Error)]
pub enum RecordError {
    /// They can't be read at all.
    #[error("not a session record: {0}")]
    Malformed(String),
    /// A version that this release does not know.
    #[error("session record of version {0}, this release reads {VERSION}")]
    Version(u32),
}

impl SessionRecord {
    /// A session that was never logged in: at the given server, or at Telegram.
    pub fn fresh(server: Option<&ServerConfig>) -> Self {
        let data = SessionData::default();
        let (home_dc, dcs) = match server {
            Some(server) => (server.dc, vec![DcRecord::at(server.dc, server.address)]),
            None => {
                let mut dcs: Vec<DcRecord> = data.dc_options.values().map(DcRecord::from).collect();
                dcs.sort_by_key(|dc| dc.id);
                (data.home_dc, dcs)
            }
        };
        let mark = UpdateMark::default();
        Self { v: VERSION, home_dc, dcs, user: None, api_id: None, mark, channel_pts: Vec::new() }
    }

    /// True once a login was completed with it.
    pub fn is_logged_in(&self) -> bool {
        self.user.is_some()
            && self.dcs.iter().any(|dc| dc.id == self.home_dc && dc.auth_key.is_some())
    }

    /// The login without the places in streams of updates, which grow old and are asked for anew.
    pub fn login_alone(self) -> Self {
        Self { mark: UpdateMark::default(), channel_pts: Vec::new(), ..self }
    }

    /// For the store, to be sealed: JSON, wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Serialising this type can't fail: it has no map with odd keys and no foreign code.
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// From the store.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let malformed = |error: serde_json::Error| RecordError::Malformed(error.to_string());
        let Version { v } = serde_json::from_slice(bytes).map_err(malformed)?;
        if v != VERSION {
            return Err(RecordError::Version(v));
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// Where the configuration names a server, its address is the one to use, whatever was stored: a self-hosted or
    /// simulated server may have moved.
    pub(crate) fn at_server(mut self, server: Option<&ServerConfig>) -> Self {
        let Some(server) = server else { return self };
        let here = DcRecord::at(server.dc, server.address);
        match self.dcs.iter_mut().find(|dc| dc.id == server.dc) {
            Some(dc) => (dc.ipv4, dc.ipv6) = (here.ipv4, here.ipv6),
            None => self.dcs.push(here),
        }
        self
    }

    pub(crate) fn updates_state(&self) -> UpdatesState {
        UpdatesState {
            pts: self.mark.pts,
            qts: self.mark.qts,
            date: self.mark.date,
            seq: self.mark.seq,
            channels: self
                .channel_pts
                .iter()
                .map(|&(id, pts)| grammers_session::types::ChannelState { id, pts })
                .collect(),
        }
    }
}

impl DcRecord {
    /// A data centre at one address, whichever kind it is; the other kind is left unusable.
    fn at(id: i32, address: SocketAddr) -> Self {
        let none_v4 = SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 0);
        let (ipv4, ipv6) = match address {
            SocketAddr::V4(v4) => {
                (v4, SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0))
            }
            SocketAddr::V6(v6) => (none_v4, v6),
        };
        Self { id, ipv4, ipv6, auth_key: None }
    }

    pub(crate) fn to_option(&self) -> DcOption {
        DcOption {
            id: self.id,
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            auth_key: self.auth_key.as_ref().map(|key| *key.0),
        }
    }
}

impl From<&DcOption> for DcRecord {
    fn from(option: &DcOption) -> Self {
        Self {
            id: option.id,
            ipv4: option.ipv4,
            ipv6: option.ipv6,
            auth_key: option.auth_key.map(AuthKey::new),
        }
    }
}

impl AuthKey {
    pub(crate) fn new(key: [u8; 256]) -> Self {
        Self(Box::new(key))
    }
}

impl Drop for AuthKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for AuthKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(hex::encode(self.0.as_slice())))
    }
}

impl<'de> Deserialize<'de> for AuthKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut key = [0; 256];
        // The error must not quote the key, so hex's own words stay out of it.
        hex::decode_to_slice(text.as_bytes(), &mut key)
            .map_err(|_| de::Error::custom("an auth key is 512 hexadecimal digits"))?;
        Ok(Self::new(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> SessionRecord {
        let mut record = SessionRecord::fresh(None);
        record.dcs[1].auth_key = Some(AuthKey::new([0xAB; 256]));
        record.channel_pts = vec![(7, 9)];
        record
    }

    #[test]
    fn a_record_survives_the_store_and_shows_no_key() {
        let record = record();
        let bytes = record.to_bytes();
        assert_eq!(SessionRecord::from_bytes(&bytes).unwrap(), record);
        assert!(!format!("{record:?}").to_lowercase().contains("abab"));
    }

    #[test]
    fn foreign_bytes_and_versions_are_refused_without_quoting_them() {
        assert!(matches!(SessionRecord::from_bytes(b"{}"), Err(RecordError::Malformed(_))));
        let newer = serde_json::to_vec(&SessionRecord { v: 9, ..record() }).unwrap();
        assert!(matches!(SessionRecord::from_bytes(&newer), Err(RecordError::Version(9))));
        let text = String::from_utf8(record().to_bytes().to_vec()).unwrap().replace("abab", "ab");
        let error = SessionRecord::from_bytes(text.as_bytes()).unwrap_err().to_string();
        assert!(!error.contains("abab"), "{error}");
    }

    #[test]
    fn the_configured_address_wins_and_the_key_stays() {
        let server = |address: &str| ServerConfig {
            dc: 2,
            address: address.parse().unwrap(),
            public_key: "k.pem".into(),
        };
        let moved = record().at_server(Some(&server("127.0.0.1:4430")));
        let dc = moved.dcs.iter().find(|dc| dc.id == 2).unwrap();
        assert_eq!(dc.ipv4.to_string(), "127.0.0.1:4430");
        assert!(dc.auth_key.is_some());
        let fresh = SessionRecord::fresh(Some(&server("[::1]:4430")));
        assert_eq!((fresh.home_dc, fresh.dcs.len()), (2, 1));
        assert_eq!(fresh.dcs[0].ipv6.to_string(), "[::1]:4430");
    }
}
