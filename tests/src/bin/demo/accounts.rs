//! Connecting accounts: the QR code is drawn, and tgsim plays the phone that scans it.

use std::time::Duration;

use anyhow::Result;
use queuegram_tests::stage::ctl::link_in;
use queuegram_tests::stage::{Scene, patience};
use serde_json::json;

use crate::terminal::Terminal;

/// An account to be connected.
pub struct Account {
    /// Its instance.
    pub instance: &'static str,
    first_name: &'static str,
    username: &'static str,
    /// Its two-step password.
    password: Option<&'static str>,
}

/// Both of the demo's.
pub const ACCOUNTS: [Account; 2] = [
    Account { instance: "acme-sales", first_name: "Marta", username: "acme_marta", password: None },
    Account {
        instance: "acme-support",
        first_name: "Sofia",
        username: "acme_sofia",
        password: Some("correct horse"),
    },
];

impl Account {
    /// Connects it: the instance is new, so its API key is shown at the end.
    pub async fn connect(&self, terminal: &Terminal, scene: &Scene) -> Result<()> {
        let instance = self.instance;
        let kind = self.password.map_or("", |_| ", with a two-step password");
        terminal.heading(&format!(
            "Connecting an account by QR code: queuegram login {instance}{kind}"
        ));
        let mut details = json!({ "first_name": self.first_name, "username": self.username });
        let mut more = Vec::new();
        if let Some(password) = self.password {
            details["password"] = json!(password);
            let file = scene.folder.join("password.txt");
            std::fs::write(&file, password)?;
            more.extend(["--password-file".to_owned(), file.display().to_string()]);
        }
        let person = scene.person(details).await?;
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let shown = |line: String| {
            terminal.note(&line);
            let link = link_in(&line).map(str::to_owned);
            async move {
                let Some(link) = link else { return Ok(()) };
                scene.tgsim.scan(person.id, link).await?;
                terminal.line("tgsim", &format!("the phone of @{} scans it", self.username));
                Ok(())
            }
        };
        let ctl = scene.ctl().await?;
        let said = ctl.login_drawn(instance, &more, shown).await?;
        said.lines().for_each(|line| terminal.note(line));
        // The login's end and the state that everybody is shown are two writes.
        patience::until("the account is online", Duration::from_secs(30), || async {
            let account = ctl.json(&["instance", "show", instance]).await?;
            Ok((account["state"] == "online").then_some(()))
        })
        .await
    }
}
