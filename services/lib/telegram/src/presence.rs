//! What is one account's own towards Telegram: how it presents itself, by which application, and the way that its bytes
//! take. Telegram sees all three, and takes a login that changes them for a stolen one.

use crate::account::Telegram;
use crate::config::DeviceConfig;
use crate::proxy::Proxy;
use crate::secret::ApiHash;

/// Bytes of one of the texts by which an account presents itself, at most.
pub const DEVICE_BYTES_MAX: usize = 128;

/// How one account shows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Told at the beginning of each connection (`initConnection`).
    pub device: DeviceConfig,
    /// By which application it logs in. A session that has a login keeps the one that it was logged in by.
    pub application: Application,
    /// The only way out that its connections take; straight to Telegram without one.
    pub proxy: Option<Proxy>,
}

/// An application of <https://my.telegram.org>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its number.
    pub api_id: i32,
    /// Its secret, which only a login needs. None where it is not known, as of a login that was made elsewhere.
    pub api_hash: Option<ApiHash>,
}

impl Presence {
    /// The same with the application by which a session was logged in. The secret is another one's then, and not used.
    #[must_use]
    pub fn logged_in_by(self, api_id: i32) -> Self {
        if self.application.api_id == api_id {
            return self;
        }
        Self { application: Application { api_id, api_hash: None }, ..self }
    }
}

impl Telegram {
    /// How an account shows itself that has nothing of its own.
    pub fn presence(&self) -> Presence {
        let shared = self.shared();
        Presence {
            device: shared.config.device.clone(),
            application: Application {
                api_id: shared.config.api_id,
                api_hash: Some(shared.api_hash.clone()),
            },
            proxy: None,
        }
    }
}

/// Whether a text can be one of those by which an account presents itself: it stands in the list of the account's
/// devices, where people must be able to read it.
pub fn is_presentable(text: &str) -> bool {
    // Bidi controls turn the order of what stands after them.
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (1..=DEVICE_BYTES_MAX).contains(&text.len())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || turns(c))
}
