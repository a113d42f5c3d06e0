//! Lists: dialogs, common groups, and what happened since.

use telegram::calls::messages::{self, Action, Difference};
use telegram::calls::{chats, groups, members, myself};

use crate::groups::{met, person};
use crate::sim::Sim;

#[tokio::test]
async fn common_groups_come_in_pages() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let account = &logged.account;
    let ben = met(account, "ben_open").await;
    let mut made = Vec::new();
    for title in ["A", "B", "C"] {
        let group = groups::create_supergroup(account, title, "").await.unwrap().group;
        members::invite(account, &group, std::slice::from_ref(&ben)).await.unwrap();
        made.push(group.chat_id());
    }
    groups::create_supergroup(account, "without Ben", "").await.unwrap();
    let basic = groups::create_basic(account, "D", std::slice::from_ref(&ben)).await.unwrap();
    made.push(basic.group.chat_id());

    let (mut found, mut max_id) = (Vec::new(), 0);
    for _ in 0..10 {
        let page = chats::common(account, &ben, max_id, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        max_id = last.group.chat_id().bare_id();
        found.extend(page.iter().map(|group| group.group.chat_id()));
    }
    found.sort_unstable();
    made.sort_unstable();
    assert_eq!(found, made);
    sim.stop().await;
}

#[tokio::test]
async fn dialogs_come_newest_first_and_in_pages() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let account = &logged.account;
    let mut made = Vec::new();
    for title in ["A", "B", "C", "D", "E"] {
        let group = groups::create_supergroup(account, title, "").await.unwrap().group;
        made.push(group.chat_id());
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..10 {
        let page = chats::dialogs(account, 2, cursor.as_ref()).await.unwrap();
        found.extend(page.groups.iter().map(|group| group.group.chat_id()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    made.sort_unstable();
    assert_eq!(found, made);
    sim.stop().await;
}

#[tokio::test]
async fn a_group_that_may_have_been_made_is_found_again() {
    let sim = Sim::start().await;
    let (ann, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let account = &logged.account;
    let ben = met(account, "ben_open").await;
    let before = myself::update_mark(account).await.unwrap();
    assert_eq!(messages::difference(account, &before, 100).await.unwrap(), Difference::Empty);
    let basic = groups::create_basic(account, "Deal 5", std::slice::from_ref(&ben)).await.unwrap();

    let Difference::Part { messages: seen, groups: mentioned, next, last } =
        messages::difference(account, &before, 100).await.unwrap()
    else {
        panic!("nothing happened");
    };
    assert!(last && next.pts > before.pts);
    assert!(mentioned.iter().any(|group| group.group.chat_id() == basic.group.chat_id()));
    let made = seen
        .iter()
        .find(|message| matches!(&message.action, Some(Action::BasicGroupCreated { title, .. }) if title == "Deal 5"))
        .unwrap();
    assert_eq!(made.chat_id, Some(basic.group.chat_id()));
    assert!(made.own);
    assert_eq!(made.from.map(proto::UserId::get), Some(ann.id));

    let supergroup = groups::create_supergroup(account, "Deal 6", "").await.unwrap().group;
    let dialogs = chats::dialogs(account, 10, None).await.unwrap();
    let newest =
        dialogs.newest.iter().find(|message| message.chat_id == Some(supergroup.chat_id()));
    assert!(
        matches!(&newest.unwrap().action, Some(Action::ChannelCreated { title }) if title == "Deal 6")
    );
    let history = messages::newest(account, &supergroup, 10).await.unwrap();
    assert!(matches!(&history[0].action, Some(Action::ChannelCreated { .. })), "{history:?}");
    sim.stop().await;
}
