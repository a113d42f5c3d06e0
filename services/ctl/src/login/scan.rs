//! The QR code: drawn where a person looks, told as a line where a script does.

use std::io::IsTerminal;

use chassis::sealed::{BoxKey, Place};
use chrono::Utc;
use proto::{InstanceId, event::LoginQr};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use serde_json::json;

use crate::{exit::Failure, screen::Screen};

/// Shows the QR codes of one login, each in the place of the last one.
pub struct Scan {
    key: BoxKey,
    screen: Screen,
    /// Lines that the last one takes on a terminal.
    lines: usize,
}

impl Scan {
    /// For one login.
    pub fn new(screen: Screen) -> Result<Self, Failure> {
        let key = BoxKey::fresh().map_err(anyhow::Error::from)?;
        Ok(Self { key, screen, lines: 0 })
    }

    /// What the links are to be sealed to.
    pub fn key(&self) -> String {
        self.key.public().to_string()
    }

    /// Shows a code.
    pub fn show(&mut self, instance: &InstanceId, shown: &LoginQr) -> Result<(), Failure> {
        let place = Place::qr(instance.as_str());
        let url = self.key.open(&place, &shown.sealed_url).map_err(anyhow::Error::from)?;
        if self.screen.is_json() {
            let expires_at = shown.expires_at;
            self.screen.json_line(&json!({
                "event": "account.login.qr", "instance": instance, "login_id": shown.login_id,
                "url": url.expose(), "expires_at": expires_at,
            }));
            return Ok(());
        }
        let code = QrCode::with_error_correction_level(url.expose(), EcLevel::L);
        let code = code.map_err(|error| anyhow::anyhow!("the QR code can't be drawn: {error}"))?;
        // Terminals are dark more often than not: the light modules are what is drawn.
        let drawn = code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build();
        let left = (shown.expires_at - Utc::now()).num_seconds().max(0);
        self.clear();
        let text = format!(
            "Scan this in Telegram: Settings > Devices > Link Desktop Device\n{drawn}\nor open {}\nGood for {left} s; then it is drawn anew.",
            url.expose()
        );
        anstream::eprintln!("{text}");
        self.lines = text.lines().count();
        Ok(())
    }

    /// Takes the code away that is shown: it can't be scanned any more.
    pub fn clear(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines > 0 && std::io::stderr().is_terminal() {
            anstream::eprint!("\x1b[{lines}A\x1b[J");
        }
    }
}
