//! Finding people, and remembering them.

use serde_json::json;
use telegram::calls::people::{self, Imported, Resolved};
use telegram::calls::{groups, myself};
use telegram::{Gate, PeerRecord, Phone};

use crate::groups::{met, person};
use crate::sim::Sim;

#[tokio::test]
async fn by_username_and_phone() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let ben = person(&sim, "+9996620002", "ben_open").await;
    let account = &logged.account;
    let by_name = met(account, "ben_open").await;
    assert_eq!(by_name.id.get(), ben.id);
    let by_phone = people::resolve_phone(account, &Phone::new("+9996620002")).await.unwrap();
    assert_eq!(by_phone, Some(by_name.clone()));
    assert!(people::resolve_username(account, "nobody_here").await.unwrap().is_none());
    assert!(people::resolve_phone(account, &Phone::new("+9996629999")).await.unwrap().is_none());
    assert_eq!(account.peers().by_username("@Ben_Open"), Some(by_name.clone()));
    assert_eq!(people::users(account, std::slice::from_ref(&by_name)).await.unwrap(), [by_name]);
    sim.stop().await;
}

#[tokio::test]
async fn a_contact_is_saved_on_request_only() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let ben = person(&sim, "+9996620002", "ben_open").await;
    let account = &logged.account;
    assert!(people::contacts(account).await.unwrap().is_empty());
    let phone = Phone::new("+9996620002");
    let imported = people::import_contact(account, &phone, "Ben", "Deal").await.unwrap();
    assert!(
        matches!(&imported, Imported::Contact(user) if user.id.get() == ben.id && user.contact)
    );
    let contacts = people::contacts(account).await.unwrap();
    assert_eq!(contacts.iter().map(|user| user.id.get()).collect::<Vec<_>>(), [ben.id]);
    let unknown = Phone::new("+9996629999");
    let imported = people::import_contact(account, &unknown, "No", "Body").await.unwrap();
    assert_eq!(imported, Imported::NotFound);
    sim.stop().await;
}

#[tokio::test]
async fn who_was_met_is_known_after_a_restart() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let ben = met(&logged.account, "ben_open").await;
    let group = groups::create_supergroup(&logged.account, "Deal", "").await.unwrap().group;
    logged.account.close().await.unwrap();
    let (record, peers) = logged.sink.saved();
    assert!(peers.contains(&PeerRecord::User(ben.clone())));
    let again = sim.telegram().open(record, peers, logged.sink.clone(), Gate::always());
    assert_eq!(again.peers().user(ben.id), Some(ben));
    assert_eq!(again.peers().group(group.chat_id()), Some(group));
    groups::edit_title(&again, &group, "Known").await.unwrap();
    sim.stop().await;
}

#[tokio::test]
async fn an_account_knows_itself() {
    let sim = Sim::start().await;
    let ann = sim.person("+9996620001", "Ann", json!({"username": "ann_boss"})).await;
    let account = sim.log_in(&ann).await.account;
    let me = myself::me(&account).await.unwrap();
    assert_eq!(me.user.id.get(), ann.id);
    assert!(me.user.is_self);
    assert_eq!(me.phone.and_then(|phone| phone.digits()).as_deref(), Some("9996620001"));
    assert_eq!(account.user().map(|user| user.id.get()), Some(ann.id));
    // A public group is no person.
    assert!(matches!(
        people::resolve_username(&account, "ann_boss").await.unwrap(),
        Some(Resolved::User(user)) if user.is_self
    ));
    sim.stop().await;
}
