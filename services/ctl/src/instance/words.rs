//! An instance as people read it.

use proto::{
    MethodName,
    control::{AccountInfo, ApiKeyInfo, IdentityInfo, ProxyInfo},
    event::AccountState,
    time,
};

use crate::{
    pause,
    screen::{BAD, GOOD, STRONG, UNSURE, paint, plain},
    table::table,
};

/// One account for people.
pub fn words_of(account: &AccountInfo) -> String {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let mut rows = vec![
        row("instance", paint(STRONG, account.instance.as_str())),
        row("state", state_word(account.state)),
    ];
    let optional = [
        ("reason", account.reason.as_deref().map(plain)),
        ("since", account.since.map(time::format)),
        ("until", account.until.map(time::format)),
        ("label", account.label.as_deref().map(plain)),
        ("username", account.username.as_ref().map(|name| plain(&format!("@{name}")))),
        ("user id", account.user_id.map(|id| id.to_string())),
    ];
    rows.extend(optional.into_iter().filter_map(|(name, text)| Some(row(name, text?))));
    rows.extend(account.pauses.iter().map(|pause| row("paused", pause::words_of(pause))));
    if !account.tags.is_empty() {
        rows.push(row("tags", plain(&account.tags.join(", "))));
    }
    rows.extend(account.notes.as_deref().map(|notes| row("notes", plain(notes))));
    rows.extend(account.notify.as_deref().map(|place| row("told at", plain(place))));
    rows.push(row(
        "API key",
        if account.require_api_key { "required" } else { "not required" }.into(),
    ));
    rows.extend(account.api_keys.iter().map(|key| row("", key_words(key))));
    rows.extend(account.identity.iter().flat_map(identity_rows));
    let way = account.proxy.as_ref().map(proxy_words);
    rows.extend(way.map(|way| row("proxy", way)));
    rows.push(row("created", time::format(account.created_at)));
    if account.state == AccountState::New || account.state == AccountState::LoggedOut {
        rows.push(row("next", format!("queuegram login {}", account.instance)));
    } else if account.pauses.iter().any(|pause| !pause.all_instances) {
        rows.push(row("next", format!("queuegram resume {}", account.instance)));
    }
    table(&[], rows)
}

/// How it presents itself.
fn identity_rows(identity: &IdentityInfo) -> [Vec<String>; 2] {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let fixed = if identity.fixed { "" } else { " (until the first login: as configured then)" };
    let IdentityInfo { model, system_version, app_version, lang_code, api_id, .. } = identity;
    let device = format!("{model}, {system_version}, version {app_version}, {lang_code}");
    let own = if identity.own_application { ", its own" } else { "" };
    [
        row("device", format!("{}{fixed}", plain(&device))),
        row("application", format!("api_id {api_id}{own}")),
    ]
}

fn proxy_words(proxy: &ProxyInfo) -> String {
    let with = if proxy.has_credentials { ", with a password" } else { "" };
    plain(&format!("{} port {}{with}", proxy.host, proxy.port))
}

/// A live key for people.
fn key_words(key: &ApiKeyInfo) -> String {
    let set = key.set_at.map(|at| format!(", set {}", time::format(at))).unwrap_or_default();
    let methods: Vec<&str> = key.methods.iter().map(MethodName::as_str).collect();
    let scope = if methods.is_empty() { "all methods".to_owned() } else { methods.join(", ") };
    format!("{}…{set}, for {scope}", key.sha256_begins)
}

/// A state in its colour.
pub fn state_word(state: AccountState) -> String {
    let style = match state {
        AccountState::Online => GOOD,
        AccountState::LoggedOut | AccountState::Banned | AccountState::Failed => BAD,
        _ => UNSURE,
    };
    paint(style, state.as_str())
}
