//! The ways in which an account is connected, and what the worker is told of each.

use chassis::{
    Secret,
    sealed::{Place, SealKey},
};
use proto::{
    InstanceId,
    control::{AccountLogin, LoginImport},
};

use super::{scan::Scan, seal};
use crate::{exit::Failure, order::myself, prompt};

/// One of the ways.
#[derive(Debug)]
pub enum Way {
    /// A QR code is drawn.
    Qr,
    /// Telegram sends a code to this number; asked for where it is not given.
    Phone(Option<String>),
    /// Another program's login accepts ours, or becomes ours.
    Session {
        /// That program's session string.
        text: Secret,
        /// It becomes ours.
        take_over: bool,
    },
    /// What `instance export` wrote.
    Backup(String),
}

impl Way {
    /// Whether a login is brought along.
    pub fn is_import(&self) -> bool {
        matches!(self, Self::Session { .. } | Self::Backup(_))
    }

    /// What goes on at first, for people.
    pub fn note(&self) -> &'static str {
        match self {
            Self::Qr => "asking Telegram for a QR code",
            Self::Phone(_) => "asking Telegram for a code",
            Self::Session { take_over: false, .. } => "having the session accept a new login",
            Self::Session { .. } | Self::Backup(_) => "asking Telegram whether the session lives",
        }
    }

    /// What the worker is told; secrets sealed to its key.
    pub async fn params(
        self,
        instance: &InstanceId,
        key: &SealKey,
        scan: &Scan,
    ) -> Result<AccountLogin, Failure> {
        let import = match self {
            Self::Qr => {
                return Ok(AccountLogin { qr_key: Some(scan.key()), ..AccountLogin::default() });
            }
            Self::Phone(phone) => {
                let phone = match phone {
                    Some(phone) => phone,
                    None => {
                        prompt::line("Phone number (with +): ", "--phone").await?.trim().to_owned()
                    }
                };
                let sealed = seal(key, &Place::phone(instance.as_str()), &Secret::new(phone))?;
                return Ok(AccountLogin { phone: Some(sealed), ..AccountLogin::default() });
            }
            Self::Session { text, take_over } => {
                let session = Some(seal(key, &Place::session(instance.as_str()), &text)?);
                LoginImport { session, take_over, ..LoginImport::default() }
            }
            Self::Backup(backup) => LoginImport { backup: Some(backup), ..LoginImport::default() },
        };
        let import = Some(LoginImport { by: myself(), ..import });
        Ok(AccountLogin { import, ..AccountLogin::default() })
    }
}
