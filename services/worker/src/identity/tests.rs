//! What stays, what changes, and what is refused.

use chassis::Secret;
use chassis::sealed::{BoxKey, Place};
use proto::InstanceId;
use proto::control::{AccountSet, ApplicationParams, DeviceParams, ProxyParams};
use proto::fault::code;

use super::*;

fn configured(model: &str, api_id: i32) -> Presence {
    let device = DeviceConfig { model: model.to_owned(), ..DeviceConfig::default() };
    let application = Application { api_id, api_hash: Some(ApiHash::new("h")) };
    Presence { device, application, proxy: None }
}

fn acme() -> InstanceId {
    "acme".parse().unwrap()
}

fn record() -> InstanceRecord {
    InstanceRecord::new(acme(), DateTime::UNIX_EPOCH)
}

fn key() -> BoxKey {
    BoxKey::from_bytes([7; 32])
}

fn sealed(place: &Place, text: &str) -> String {
    key().public().seal(place, &Secret::new(text.to_owned())).unwrap()
}

fn asking_model(model: &str) -> AccountSet {
    let device = DeviceParams { model: Some(model.to_owned()), ..DeviceParams::default() };
    AccountSet { device: Some(Some(device)), ..AccountSet::default() }
}

fn asking_proxy(address: &str, credentials: Option<(&str, &str)>) -> AccountSet {
    let password = credentials.map(|(_, text)| sealed(&Place::proxy_password("acme"), text));
    let username = credentials.map(|(name, _)| name.to_owned());
    let proxy = ProxyParams { address: address.to_owned(), username, password };
    AccountSet { proxy: Some(Some(proxy)), ..AccountSet::default() }
}

/// As my.telegram.org gives them.
const HASH: &str = "0123456789abcdef0123456789abcdef";

fn asking_application(api_id: i32, hash: &str) -> AccountSet {
    let api_hash = sealed(&Place::api_hash("acme"), hash);
    let own = ApplicationParams { api_id, api_hash };
    AccountSet { application: Some(Some(own)), ..AccountSet::default() }
}

fn set(record: &mut InstanceRecord, wish: &AccountSet) -> Result<bool, proto::Fault> {
    apply(record, opened(wish, &acme(), &key())?)
}

#[test]
fn from_the_first_login_on_nothing_of_it_changes() {
    let mut record = record();
    let (old, new) = (configured("old", 1), configured("new", 2));
    set(&mut record, &asking_model("wished")).unwrap();
    // Before a login settings still reach it, and so does what is asked for.
    begin(&mut record, &old);
    assert_eq!(presence(&record, &new).unwrap().device.model, "wished");
    set(&mut record, &AccountSet { device: Some(None), ..AccountSet::default() }).unwrap();
    assert_eq!(presence(&record, &new).unwrap().device.model, "new");
    begin(&mut record, &old);
    fix(&mut record, &new, 1, DateTime::UNIX_EPOCH);
    assert_eq!(presence(&record, &new).unwrap().device.model, "old");
    let told = told(&record, &new);
    assert_eq!((told.model.as_str(), told.api_id, told.fixed), ("old", 1, true));
    for wish in [asking_model("other"), asking_application(5, HASH)] {
        let refused = set(&mut record, &wish).unwrap_err();
        assert_eq!(refused.code, code::INSTANCE_IDENTITY_FIXED);
    }
    // A new login changes nothing of it either.
    begin(&mut record, &new);
    assert_eq!(presence(&record, &new).unwrap().device.model, "old");
}

#[test]
fn an_account_of_an_older_release_keeps_what_is_configured_when_it_is_seen_first() {
    let mut record = record();
    fix(&mut record, &configured("then", 1), 1, DateTime::UNIX_EPOCH);
    let later = configured("later", 2);
    assert_eq!(presence(&record, &later).unwrap().device.model, "then");
    assert_eq!(told(&record, &later).api_id, 1);
}

#[test]
fn its_own_application_is_the_one_that_logs_in() {
    let mut record = record();
    set(&mut record, &asking_application(77, HASH)).unwrap();
    let presence = presence(&record, &configured("m", 1)).unwrap();
    let own = Application { api_id: 77, api_hash: Some(ApiHash::new(HASH)) };
    assert_eq!(presence.application, own);
    assert!(told(&record, &configured("m", 1)).own_application);
}

#[test]
fn the_proxy_changes_at_any_time_and_says_when_it_does() {
    let (mut record, configured) = (record(), configured("m", 1));
    fix(&mut record, &configured, 1, DateTime::UNIX_EPOCH);
    let wish = asking_proxy("proxy.example:1080", Some(("name", "canary")));
    assert!(set(&mut record, &wish).unwrap());
    assert!(!set(&mut record, &wish).unwrap(), "the same");
    assert!(!set(&mut record, &AccountSet::default()).unwrap());
    let proxy = presence(&record, &configured).unwrap().proxy.unwrap();
    assert!(proxy.has_credentials() && proxy.host() == "proxy.example");
    let told = serde_json::to_string(&proxy_told(&record)).unwrap();
    assert_eq!(told, r#"{"host":"proxy.example","port":1080,"has_credentials":true}"#);
    assert!(set(&mut record, &AccountSet { proxy: Some(None), ..AccountSet::default() }).unwrap());
    assert_eq!(presence(&record, &configured).unwrap().proxy, None);
}

#[test]
fn what_makes_no_sense_is_named() {
    let without_password = ProxyParams {
        address: "proxy:1".to_owned(),
        username: Some("u".to_owned()),
        password: None,
    };
    for (field, wish) in [
        ("device.model", asking_model("")),
        ("device.model", asking_model("a\nb")),
        ("device.model", asking_model(&"x".repeat(129))),
        ("application.api_id", asking_application(0, HASH)),
        ("application.api_hash", asking_application(1, "")),
        ("application.api_hash", asking_application(1, "no hash")),
        ("proxy.address", asking_proxy("proxy", None)),
        ("proxy.username", asking_proxy("proxy:1", Some(("", "p")))),
        ("proxy.password", asking_proxy("proxy:1", Some(("u", "")))),
        (
            "proxy.password",
            AccountSet { proxy: Some(Some(without_password)), ..AccountSet::default() },
        ),
    ] {
        let said = set(&mut record(), &wish).unwrap_err().message;
        assert!(said.starts_with(&format!("params.{field}: ")), "{field}: {said}");
    }
    // Sealed for another instance.
    let other = opened(&asking_application(1, HASH), &"other".parse().unwrap(), &key());
    assert!(other.unwrap_err().message.starts_with("params.application.api_hash: "));
}
