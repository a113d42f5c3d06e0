//! What orders ask for of an instance's identity and proxy. Its secrets come sealed, and are opened here.

use chassis::Secret;
use chassis::sealed::{BoxKey, Place};
use proto::control::{AccountSet, ApplicationParams, DeviceParams, ProxyParams};
use proto::fault::code;
use proto::{Fault, InstanceId};
use store::{Device, Hidden, InstanceRecord, OwnApplication, ProxyCredentials, ProxyRecord};
use telegram::presence::{DEVICE_BYTES_MAX, is_presentable};
use telegram::{Proxy, ProxyPassword};

/// Digits of an `api_hash`.
const HASH_DIGITS: usize = 32;

/// What is asked for, checked and opened. What is none stays as it is; none inside takes it away.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    device: Option<Option<Device>>,
    application: Option<Option<OwnApplication>>,
    proxy: Option<Option<ProxyRecord>>,
}

/// Reads what an order asks for.
///
/// # Errors
/// What makes no sense, by the name of its field.
pub fn opened(wish: &AccountSet, of: &InstanceId, key: &BoxKey) -> Result<Wishes, Fault> {
    let device = wish.device.as_ref();
    let application = wish.application.as_ref();
    let proxy = wish.proxy.as_ref();
    Ok(Wishes {
        device: device.map(|device| device.as_ref().map(checked).transpose()).transpose()?,
        application: application
            .map(|own| own.as_ref().map(|own| application_of(own, of, key)).transpose())
            .transpose()?,
        proxy: proxy
            .map(|proxy| proxy.as_ref().map(|proxy| proxy_of(proxy, of, key)).transpose())
            .transpose()?,
    })
}

/// Notes them in the record; true where the account has to be connected another way, or a login that is under way has
/// to begin anew.
///
/// # Errors
/// The account has been logged in, and its identity is not to be changed.
pub fn apply(record: &mut InstanceRecord, wishes: Wishes) -> Result<bool, Fault> {
    let before = (record.identity.clone(), record.proxy.clone());
    let identity = &mut record.identity;
    let wish = match wishes.device {
        None => identity.wish.clone(),
        Some(None) => Device::default(),
        Some(Some(device)) => device.or(identity.wish.clone()),
    };
    let application = wishes.application.unwrap_or_else(|| identity.application.clone());
    if identity.fixed_at.is_some()
        && (&wish, &application) != (&identity.wish, &identity.application)
    {
        let message = "the account has been logged in with the identity that it has: Telegram would take a changed one \
                       for a stolen login. Another identity needs another instance";
        return Err(Fault::invalid(code::INSTANCE_IDENTITY_FIXED, message));
    }
    (identity.wish, identity.application) = (wish, application);
    record.proxy = wishes.proxy.unwrap_or_else(|| record.proxy.take());
    Ok(before != (record.identity.clone(), record.proxy.clone()))
}

fn checked(wish: &DeviceParams) -> Result<Device, Fault> {
    for (field, text) in [
        ("model", &wish.model),
        ("system_version", &wish.system_version),
        ("app_version", &wish.app_version),
        ("system_lang_code", &wish.system_lang_code),
        ("lang_code", &wish.lang_code),
    ] {
        if text.as_deref().is_some_and(|text| !is_presentable(text)) {
            let problem = format!(
                "must have 1 to {DEVICE_BYTES_MAX} bytes, no control characters and no blanks around it"
            );
            return Err(invalid(&format!("device.{field}"), &problem));
        }
    }
    Ok(Device {
        model: wish.model.clone(),
        system_version: wish.system_version.clone(),
        app_version: wish.app_version.clone(),
        system_lang_code: wish.system_lang_code.clone(),
        lang_code: wish.lang_code.clone(),
    })
}

fn application_of(
    wish: &ApplicationParams,
    of: &InstanceId,
    key: &BoxKey,
) -> Result<OwnApplication, Fault> {
    if wish.api_id <= 0 {
        return Err(invalid("application.api_id", "must be the number that my.telegram.org gave"));
    }
    let place = Place::api_hash(of.as_str());
    let hash = open(key, &place, "application.api_hash", &wish.api_hash)?;
    let hash = hash.expose().trim();
    if hash.len() != HASH_DIGITS || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let problem = "must be the 32 hexadecimal digits that my.telegram.org gave";
        return Err(invalid("application.api_hash", problem));
    }
    Ok(OwnApplication { api_id: wish.api_id, api_hash: Hidden::new(hash.to_owned()) })
}

fn proxy_of(wish: &ProxyParams, of: &InstanceId, key: &BoxKey) -> Result<ProxyRecord, Fault> {
    let wrong =
        |error: telegram::ProxyError| invalid(&format!("proxy.{}", error.field), error.problem);
    let proxy = Proxy::new(&wish.address).map_err(wrong)?;
    let credentials = match (&wish.username, &wish.password) {
        (None, None) => None,
        (Some(username), Some(sealed)) => {
            let place = Place::proxy_password(of.as_str());
            let password = open(key, &place, "proxy.password", sealed)?;
            let given = ProxyPassword::new(password.expose().clone());
            proxy.with_credentials(username, given).map_err(wrong)?;
            let (username, password) = (username.clone(), password.expose().clone());
            Some(ProxyCredentials {
                username: Hidden::new(username),
                password: Hidden::new(password),
            })
        }
        (Some(_), None) => return Err(invalid("proxy.password", "is missing beside username")),
        (None, Some(_)) => return Err(invalid("proxy.username", "is missing beside password")),
    };
    Ok(ProxyRecord { address: wish.address.clone(), credentials })
}

fn open(key: &BoxKey, place: &Place, field: &str, sealed: &str) -> Result<Secret, Fault> {
    key.open(place, sealed).map_err(|error| invalid(field, &error.to_string()))
}

fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid(code::PARAMS_INVALID, format!("params.{field}: {problem}"))
}
