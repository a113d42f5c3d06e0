//! How an instance's account shows itself to Telegram: what was asked for, else what is configured, and from its first
//! login on what it was then. Telegram takes a login that suddenly has another device for a stolen one, so a changed
//! setting or a new release must not reach accounts that are logged in.

mod wishes;

use chrono::{DateTime, Utc};
use proto::control::{IdentityInfo, ProxyInfo};
use store::{Device, InstanceRecord};
use telegram::config::DeviceConfig;
use telegram::{ApiHash, Application, Presence, Proxy, ProxyError, ProxyPassword};

pub use self::wishes::{apply, opened};

/// How the account shows itself. A record whose proxy makes no sense is an error and not "straight on".
///
/// # Errors
/// The proxy.
pub fn presence(record: &InstanceRecord, configured: &Presence) -> Result<Presence, ProxyError> {
    let identity = &record.identity;
    let application = match &identity.application {
        None => configured.application.clone(),
        Some(own) => {
            Application { api_id: own.api_id, api_hash: Some(ApiHash::new(own.api_hash.expose())) }
        }
    };
    let proxy = record.proxy.as_ref().map(|proxy| {
        let at = Proxy::new(&proxy.address)?;
        match &proxy.credentials {
            None => Ok(at),
            Some(with) => {
                let password = ProxyPassword::new(with.password.expose());
                at.with_credentials(with.username.expose(), password)
            }
        }
    });
    Ok(Presence {
        device: device(record, &configured.device),
        application,
        proxy: proxy.transpose()?,
    })
}

/// A login begins: what it presents is noted first, so that a login that succeeds just before a crash is not
/// continued as another device.
pub fn begin(record: &mut InstanceRecord, configured: &Presence) {
    if record.identity.fixed_at.is_none() {
        record.identity.presented = Some(resolved(record, &configured.device));
    }
}

/// The account is logged in, by this application: from now on nothing of it changes.
pub fn fix(
    record: &mut InstanceRecord,
    configured: &Presence,
    logged_in_by: i32,
    now: DateTime<Utc>,
) {
    if record.identity.presented.is_none() {
        record.identity.presented = Some(resolved(record, &configured.device));
    }
    record.identity.logged_in_by = Some(logged_in_by);
    record.identity.fixed_at.get_or_insert(now);
}

/// What is told of it.
pub fn told(record: &InstanceRecord, configured: &Presence) -> IdentityInfo {
    let identity = &record.identity;
    let own = identity.application.as_ref();
    let next = own.map_or(configured.application.api_id, |own| own.api_id);
    let DeviceConfig { model, system_version, app_version, system_lang_code, lang_code } =
        device(record, &configured.device);
    IdentityInfo {
        model,
        system_version,
        app_version,
        system_lang_code,
        lang_code,
        api_id: identity.logged_in_by.unwrap_or(next),
        own_application: own.is_some(),
        fixed: identity.fixed_at.is_some(),
    }
}

/// What is told of the proxy.
pub fn proxy_told(record: &InstanceRecord) -> Option<ProxyInfo> {
    let proxy = record.proxy.as_ref()?;
    let at = Proxy::new(&proxy.address).ok()?;
    let has_credentials = proxy.credentials.is_some();
    Some(ProxyInfo { host: at.host().to_owned(), port: at.port(), has_credentials })
}

/// What the account presents; what it would present if it were logged in now, where it never was.
fn device(record: &InstanceRecord, configured: &DeviceConfig) -> DeviceConfig {
    let identity = &record.identity;
    let noted = identity.presented.clone().filter(|_| identity.fixed_at.is_some());
    let Device { model, system_version, app_version, system_lang_code, lang_code } =
        noted.unwrap_or_default().or(resolved(record, configured));
    let text = |text: Option<String>| text.unwrap_or_default();
    DeviceConfig {
        model: text(model),
        system_version: text(system_version),
        app_version: text(app_version),
        system_lang_code: text(system_lang_code),
        lang_code: text(lang_code),
    }
}

fn resolved(record: &InstanceRecord, configured: &DeviceConfig) -> Device {
    record.identity.wish.clone().or(Device {
        model: Some(configured.model.clone()),
        system_version: Some(configured.system_version.clone()),
        app_version: Some(configured.app_version.clone()),
        system_lang_code: Some(configured.system_lang_code.clone()),
        lang_code: Some(configured.lang_code.clone()),
    })
}

#[cfg(test)]
mod tests;
