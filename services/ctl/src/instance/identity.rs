//! How an instance's account shows itself to Telegram, as `instance add` and `instance set` are told it. Secrets are asked
//! for and go to the worker sealed; arguments are read by everybody on this machine.

use chassis::{
    Secret,
    sealed::{Place, SealKey},
};
use clap::Args;
use proto::{
    InstanceId,
    control::{AccountSealKey, ApplicationParams, DeviceParams, NoParams, ProxyParams, method},
};

use crate::{
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    prompt,
    screen::Screen,
};

/// Given instead of a proxy, where there is to be none.
const NONE: &str = "none";
const SCHEME: &str = "socks5://";

/// Arguments of both commands.
#[derive(Debug, Args)]
pub struct IdentityArgs {
    /// The device's name, as Telegram lists it (default: telegram.device.model at the first login).
    #[arg(long, value_name = "TEXT")]
    device_model: Option<String>,
    /// The device's system (default: telegram.device.system_version).
    #[arg(long, value_name = "TEXT")]
    system_version: Option<String>,
    /// The application's version (default: telegram.device.app_version).
    #[arg(long, value_name = "TEXT")]
    app_version: Option<String>,
    /// The language of the device and of Telegram's texts, such as de (default: telegram.device.lang_code).
    #[arg(long, value_name = "CODE")]
    lang: Option<String>,
    /// An application of its own from my.telegram.org, rather than telegram.api_id; its api_hash is asked for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    api_id: Option<i32>,
    /// The SOCKS5 server by which the account goes out, as socks5://[USER@]HOST:PORT, or none; a password is asked for.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
}

/// What is asked of the worker; the innermost none of a proxy takes it away.
#[derive(Debug, Default)]
pub struct Asked {
    /// The device.
    pub device: Option<DeviceParams>,
    /// The application.
    pub application: Option<ApplicationParams>,
    /// The proxy.
    pub proxy: Option<Option<ProxyParams>>,
}

/// The same, before the service's key is known.
#[derive(Debug)]
pub struct Typed {
    device: Option<DeviceParams>,
    application: Option<(i32, Secret)>,
    proxy: Option<Option<Proxy>>,
}

#[derive(Debug)]
struct Proxy {
    address: String,
    credentials: Option<(String, Secret)>,
}

impl IdentityArgs {
    /// Asks the person for the secrets, before anything else is done.
    pub async fn typed(&self) -> Result<Typed, Failure> {
        let device = DeviceParams {
            model: self.device_model.clone(),
            system_version: self.system_version.clone(),
            app_version: self.app_version.clone(),
            system_lang_code: self.lang.clone(),
            lang_code: self.lang.clone(),
        };
        // What is wrong with it is told before a secret is typed in vain.
        let proxy = self.proxy.as_deref().map(read_proxy).transpose()?;
        let application = match self.api_id {
            None => None,
            Some(api_id) => Some((api_id, prompt::secret("api_hash: ").await?)),
        };
        let proxy = match proxy {
            Some(Some((address, Some(user)))) => {
                let password = prompt::secret("Password of the proxy: ").await?;
                Some(Some(Proxy { address, credentials: Some((user, password)) }))
            }
            Some(Some((address, None))) => Some(Some(Proxy { address, credentials: None })),
            Some(None) => Some(None),
            None => None,
        };
        let device = (device != DeviceParams::default()).then_some(device);
        Ok(Typed { device, application, proxy })
    }
}

impl Typed {
    /// Whether nothing of it was named.
    pub fn is_empty(&self) -> bool {
        self.device.is_none() && self.application.is_none() && self.proxy.is_none()
    }

    /// Seals the secrets. The key comes with an answer on our own queue.
    pub async fn sealed(
        self,
        orders: &mut Orders,
        instance: &InstanceId,
        screen: Screen,
    ) -> Result<Result<Asked, Done>, Failure> {
        let has_credentials =
            matches!(&self.proxy, Some(Some(proxy)) if proxy.credentials.is_some());
        let key = if self.application.is_some() || has_credentials {
            match seal_key(orders, screen).await? {
                Ok(key) => Some(key),
                Err(done) => return Ok(Err(done)),
            }
        } else {
            None
        };
        let seal = |place: &Place, text: &Secret| match &key {
            Some(key) => Ok(key.seal(place, text).map_err(anyhow::Error::from)?),
            None => Err(Failure::Usage(String::from("there is no key to seal a secret to"))),
        };
        let application = match self.application {
            None => None,
            Some((api_id, hash)) => {
                let api_hash = seal(&Place::api_hash(instance.as_str()), &hash)?;
                Some(ApplicationParams { api_id, api_hash })
            }
        };
        let proxy = match self.proxy {
            None => None,
            Some(None) => Some(None),
            Some(Some(Proxy { address, credentials })) => {
                let (username, password) = match credentials {
                    None => (None, None),
                    Some((user, password)) => {
                        let place = Place::proxy_password(instance.as_str());
                        (Some(user), Some(seal(&place, &password)?))
                    }
                };
                Some(Some(ProxyParams { address, username, password }))
            }
        };
        Ok(Ok(Asked { device: self.device, application, proxy }))
    }
}

async fn seal_key(orders: &mut Orders, screen: Screen) -> Result<Result<SealKey, Done>, Failure> {
    let every = InstanceId::every();
    let ask = method::ACCOUNT_SEAL_KEY;
    let answer = orders.ask(&every, ask, &NoParams {}, ORDER_TIMEOUT).await?;
    let told: AccountSealKey = match read_done(&answer, screen)? {
        Ok(told) => told,
        Err(done) => return Ok(Err(done)),
    };
    Ok(Ok(told.seal_key.parse().map_err(anyhow::Error::from)?))
}

/// Address and user; none where there is to be no proxy. The errors don't quote the text: a password may stand in it.
fn read_proxy(text: &str) -> Result<Option<(String, Option<String>)>, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("--proxy: {why}"));
    if text == NONE {
        return Ok(None);
    }
    let rest = text.strip_prefix(SCHEME);
    let rest = rest.ok_or_else(|| wrong("must be socks5://[USER@]HOST:PORT, or none"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (user, address) = match rest.rsplit_once('@') {
        None => (None, rest),
        Some((user, address)) => (Some(user), address),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(wrong(
            "a password must not stand here, where everybody on this machine can read it; it is asked for",
        ));
    }
    if user == Some("") || address.is_empty() {
        return Err(wrong("must be socks5://[USER@]HOST:PORT, or none"));
    }
    Ok(Some((address.to_owned(), user.map(str::to_owned))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_and_perhaps_a_user() {
        let read = |text: &str| read_proxy(text).unwrap();
        let at =
            |address: &str, user: Option<&str>| Some((address.to_owned(), user.map(str::to_owned)));
        assert_eq!(read("none"), None);
        assert_eq!(read("socks5://proxy:1080"), at("proxy:1080", None));
        assert_eq!(read("socks5://me@[::1]:1080/"), at("[::1]:1080", Some("me")));
        assert_eq!(read("socks5://me@acme@proxy:1"), at("proxy:1", Some("me@acme")));
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_a_password() {
        for text in [
            "proxy:1080",
            "http://proxy:1",
            "socks5://",
            "socks5://@h:1",
            "socks5://u:canary@h:1",
            "",
        ] {
            let Failure::Usage(said) = read_proxy(text).unwrap_err() else { panic!("{text}") };
            assert!(said.starts_with("--proxy: ") && !said.contains("canary"), "{said}");
        }
    }
}
