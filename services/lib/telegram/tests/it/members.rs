//! Members of both kinds of group: in, out, banned, promoted, listed.

use serde_json::json;
use telegram::calls::chats::AdminRights;
use telegram::calls::groups;
use telegram::calls::members::{self, Filter, Role};
use telegram::{CallError, fault};

use crate::groups::{met, person};
use crate::sim::Sim;

#[tokio::test]
async fn of_a_supergroup() {
    let sim = Sim::start().await;
    let (ann, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let shy = json!({"username": "cat_shy", "privacy": {"invite": "nobody"}});
    sim.person("+9996620003", "Cat", shy).await;
    let account = &logged.account;
    let group = groups::create_supergroup(account, "Deal", "").await.unwrap().group;
    let (ben, cat) = (met(account, "ben_open").await, met(account, "cat_shy").await);

    assert!(members::participant(account, &group, &ben).await.unwrap().is_none());
    assert!(members::invite(account, &group, std::slice::from_ref(&ben)).await.unwrap().is_empty());
    match members::invite(account, &group, std::slice::from_ref(&cat)).await {
        Ok(missing) => assert_eq!(missing[0].user_id, cat.id),
        Err(error) => assert!(error.is("USER_PRIVACY_RESTRICTED"), "{error}"),
    }
    let place = members::participant(account, &group, &ben).await.unwrap().unwrap();
    assert_eq!((place.role, place.is_member()), (Role::Member, true));

    members::promote(account, &group, &ben, AdminRights::USUAL, Some("sales")).await.unwrap();
    let place = members::participant(account, &group, &ben).await.unwrap().unwrap();
    assert_eq!(place.role, Role::Admin { rights: AdminRights::USUAL, can_edit: true });
    members::promote(account, &group, &ben, AdminRights::NONE, None).await.unwrap();
    let place = members::participant(account, &group, &ben).await.unwrap().unwrap();
    assert_eq!(place.role, Role::Member);

    let page = members::participants(account, &group, &Filter::Recent, 0, 200).await.unwrap();
    let mut ids: Vec<i64> = page.participants.iter().map(|place| place.user_id.get()).collect();
    ids.sort_unstable();
    let mut expected = [ann.id, ben.id.get()];
    expected.sort_unstable();
    assert_eq!((page.count, ids.as_slice()), (2, expected.as_slice()));
    assert_eq!(page.users.len(), 2);

    members::ban(account, &group, &ben, None).await.unwrap();
    let place = members::participant(account, &group, &ben).await.unwrap().unwrap();
    assert_eq!((place.role, place.is_member()), (Role::Banned, false));
    let kicked = members::participants(account, &group, &Filter::Kicked, 0, 10).await.unwrap();
    assert_eq!(kicked.participants[0].user_id, ben.id);
    members::unban(account, &group, &ben).await.unwrap();
    let place = members::participant(account, &group, &ben).await.unwrap();
    assert!(place.is_none_or(|place| place.role == Role::Left));
    sim.stop().await;
}

#[tokio::test]
async fn of_a_basic_group() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    person(&sim, "+9996620003", "cat_open").await;
    let account = &logged.account;
    let (ben, cat) = (met(account, "ben_open").await, met(account, "cat_open").await);
    let group =
        groups::create_basic(account, "Deal", std::slice::from_ref(&ben)).await.unwrap().group;

    assert!(members::add_to_basic(account, &group, &cat, 50).await.unwrap().is_empty());
    let error = members::add_to_basic(account, &group, &cat, 50).await.unwrap_err();
    assert!(fault::already_so(&error), "{error}");
    members::promote(account, &group, &cat, AdminRights::USUAL, None).await.unwrap();
    let info = groups::full(account, &group).await.unwrap();
    let role = |id| {
        let members = info.members.as_ref().unwrap();
        members.iter().find(|member| member.user_id == id).map(|member| member.role)
    };
    assert!(matches!(role(cat.id), Some(Role::Admin { .. })));
    assert_eq!(role(ben.id), Some(Role::Member));

    members::remove_from_basic(account, &group, &cat, false).await.unwrap();
    let error = members::remove_from_basic(account, &group, &cat, false).await.unwrap_err();
    assert!(error.is("USER_NOT_PARTICIPANT"), "{error}");
    assert_eq!(groups::full(account, &group).await.unwrap().member_count, Some(2));
    sim.stop().await;
}

#[tokio::test]
async fn a_request_of_the_wrong_kind_is_not_sent() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let account = &logged.account;
    let ben = met(account, "ben_open").await;
    let supergroup = groups::create_supergroup(account, "S", "").await.unwrap().group;
    let basic = groups::create_basic(account, "B", std::slice::from_ref(&ben)).await.unwrap().group;
    let before = sim.entries().await.len();
    let wrong = [
        members::add_to_basic(account, &supergroup, &ben, 0).await.map(|_| ()),
        members::remove_from_basic(account, &supergroup, &ben, false).await,
        members::ban(account, &basic, &ben, None).await,
        members::invite(account, &basic, &[ben]).await.map(|_| ()),
        groups::migrate(account, &supergroup).await.map(|_| ()),
    ];
    for result in wrong {
        assert!(matches!(result, Err(CallError::WrongKind { .. })), "{result:?}");
    }
    assert_eq!(sim.entries().await.len(), before);
    sim.stop().await;
}

#[tokio::test]
async fn a_bot_is_a_member_like_others() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let bot = json!({"username": "helper_bot", "bot": true});
    sim.person("+9996620004", "Helper", bot).await;
    let account = &logged.account;
    let bot = met(account, "helper_bot").await;
    assert!(bot.bot);
    let group = groups::create_supergroup(account, "Deal", "").await.unwrap().group;
    assert!(members::invite(account, &group, std::slice::from_ref(&bot)).await.unwrap().is_empty());
    let place = members::participant(account, &group, &bot).await.unwrap().unwrap();
    assert!(place.is_member());
    let page = members::participants(account, &group, &Filter::Bots, 0, 10).await.unwrap();
    assert_eq!(page.participants[0].user_id, bot.id);
    sim.stop().await;
}
