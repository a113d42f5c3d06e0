//! Who is asked for together, and what of that stays the same when a command goes on.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use MemberStatus as S;
use proto::UserId;
use serde_json::json;

use super::*;
use crate::cx::tests::ground::Ground;
use crate::cx::tests::sandbox::Sandbox;
use crate::limits::{Ask, Budget, Class, Hit, LimitsConfig, Profile};

/// More than the careful budget lets through at once.
const STRANGERS: i64 = 12;

pub fn id(number: i64) -> UserId {
    number.try_into().unwrap()
}

pub fn user(number: i64) -> UserPeer {
    UserPeer {
        id: id(number),
        access_hash: 1,
        username: None,
        first_name: String::new(),
        bot: false,
        bot_blocks_groups: false,
        contact: false,
        is_self: false,
        deleted: false,
    }
}

fn contact(number: i64) -> UserPeer {
    UserPeer { contact: true, ..user(number) }
}

fn bot(number: i64) -> UserPeer {
    UserPeer { bot: true, ..user(number) }
}

/// Strangers 1 to 12, with a contact and a bot in between.
fn mixed() -> Vec<UserPeer> {
    let mut users: Vec<_> = (1..=STRANGERS).map(user).collect();
    users.insert(3, contact(101));
    users.insert(7, bot(102));
    users
}

fn group() -> Group {
    let chat_id = (-1_001_234_567_890).try_into().unwrap();
    Group::new(telegram::GroupPeer::supergroup(chat_id, 1).unwrap(), "Deal 77")
}

/// A ground whose account has the careful budgets.
async fn careful() -> Ground {
    let ground = Ground::new().await;
    ground.limit(&LimitsConfig::default());
    ground
}

/// Shuts the gate of a class for so many seconds.
async fn shut(ground: &Ground, class: Class, wait_s: u64) {
    let ask = Ask { class, cost: NonZeroU32::MIN, chat: None };
    let hit = Hit { ask, code: "FLOOD_WAIT".to_owned(), wait_s: Some(wait_s) };
    ground.tenure.limiter.hit(&hit).await.unwrap();
}

/// Leaves a class a budget that is spent, and gives one call every so many seconds.
async fn spend(ground: &Ground, class: Class, every_s: f64) {
    let burst = NonZeroU32::new(10).unwrap();
    let budgets = [(class, Budget { every_s, burst, per_day: None })].into_iter().collect();
    let profile = Profile::Sandbox;
    ground.limit(&LimitsConfig { profile, budgets, ..LimitsConfig::default() });
    let one = Ask { class, cost: NonZeroU32::MIN, chat: None };
    while ground.tenure.limiter.ask(one).await.unwrap().is_ok() {}
}

/// Leaves an invite as it is after it put everybody in.
async fn invited(ground: &Ground, step: &str) {
    ground.take().await.remember(step, &Vec::<Missing>::new()).await.unwrap();
}

fn status(roll: &Roll, number: i64) -> Option<S> {
    roll.get(id(number)).and_then(|fate| fate.status)
}

#[tokio::test]
async fn a_call_asks_for_no_more_people_than_the_budget_of_their_kind_holds() {
    let ground = careful().await;
    let cx = ground.take().await;
    let sizes = Sizes::of(&cx, &group(), &mixed()).await.unwrap();
    let limiter = &ground.tenure.limiter;
    assert_eq!(sizes.of_kind(Kind::Stranger), limiter.at_once(Class::Invite));
    assert_eq!(sizes.of_kind(Kind::Known), limiter.at_once(Class::InviteKnown));
    assert!(sizes.of_kind(Kind::Stranger) < mixed().len());
}

#[tokio::test]
async fn calls_stay_cut_as_they_were_where_budgets_changed_meanwhile() {
    let ground = careful().await;
    let sizes = Sizes::of(&ground.take().await, &group(), &mixed()).await.unwrap();
    let roomy = LimitsConfig { profile: Profile::Sandbox, ..Default::default() };
    ground.limit(&roomy);
    let later = Sizes::of(&ground.take().await, &group(), &mixed()).await.unwrap();
    assert_eq!(later, sizes);
}

#[tokio::test]
async fn strangers_and_known_people_are_never_in_one_call() {
    let ground = careful().await;
    let size = ground.tenure.limiter.at_once(Class::Invite);
    // The contact and the bot; the first strangers; those left.
    invited(&ground, "invite_from:101").await;
    invited(&ground, "invite_from:1").await;
    invited(&ground, &format!("invite_from:{}", size + 1)).await;
    let (mut cx, mut roll) = (ground.take().await, Roll::default());
    // Anything else would have to be asked of Telegram, which nobody plays here.
    add(&mut cx, &group(), &mixed(), &mut roll).await.unwrap();
    assert_eq!(roll.with(S::Added).len(), mixed().len());
}

#[tokio::test]
async fn a_limit_on_strangers_holds_back_nobody_else() {
    let ground = Ground::new().await;
    invited(&ground, "invite_from:101").await;
    spend(&ground, Class::Invite, 60.0).await;
    let (mut cx, mut roll) = (ground.take().await, Roll::default());
    let parked = add(&mut cx, &group(), &mixed(), &mut roll).await;
    assert!(matches!(parked, Err(Stop::Parked(_))), "{parked:?}");
    assert_eq!(roll.with(S::Added), [id(101), id(102)]);
}

#[tokio::test]
async fn where_it_cannot_be_waited_for_each_stranger_left_is_told_so() {
    let ground = careful().await;
    let size = ground.tenure.limiter.at_once(Class::Invite);
    invited(&ground, "invite_from:101").await;
    invited(&ground, "invite_from:1").await;
    shut(&ground, Class::Invite, 7_200).await;
    let (mut cx, mut roll) = (ground.take().await, Roll::default());
    add(&mut cx, &group(), &mixed(), &mut roll).await.unwrap();
    assert_eq!((status(&roll, 1), status(&roll, 101)), (Some(S::Added), Some(S::Added)));
    assert_eq!(roll.with(S::Throttled).len(), usize::try_from(STRANGERS).unwrap() - size);
    let late = roll.get(id(STRANGERS)).unwrap();
    assert!(late.retry_after_s.is_some_and(|seconds| seconds >= 7_200), "{late:?}");
}

#[tokio::test]
async fn a_limit_on_known_people_leaves_strangers_their_own() {
    let ground = Ground::new().await;
    spend(&ground, Class::InviteKnown, 7_200.0).await;
    invited(&ground, "invite_from:1").await;
    let (mut cx, mut roll) = (ground.take().await, Roll::default());
    add(&mut cx, &group(), &mixed(), &mut roll).await.unwrap();
    assert_eq!(roll.with(S::Throttled), [id(101), id(102)]);
    assert_eq!(roll.with(S::Added).len(), usize::try_from(STRANGERS).unwrap());
}

#[tokio::test]
async fn who_was_inside_before_the_command_is_not_looked_up_again() {
    let ground = careful().await;
    ground.take().await.remember("inside", &[id(3)]).await.unwrap();
    let mut cx = ground.take().await;
    let inside = inside(&mut cx, &group(), &mixed()).await.unwrap();
    assert_eq!(inside.into_iter().collect::<Vec<_>>(), [id(3)]);
}

#[tokio::test]
async fn a_command_that_waited_goes_on_without_asking_anything_again() {
    let sandbox = Sandbox::open().await;
    for (number, name) in ["client", "colleague", "lawyer", "friend"].into_iter().enumerate() {
        sandbox.person(u32::try_from(number).unwrap(), name, json!({})).await;
    }
    sandbox.person(4, "helper_bot", json!({ "bot": true })).await;
    let hidden = json!({ "privacy": { "invite": "nobody" } });
    sandbox.person(5, "hidden", hidden).await;
    let mut ground = sandbox.ground().await;
    let create = json!({ "title": "Deal 77", "members": ["@client"] });
    let made = ground.carry_out("group.create", &create).await.unwrap();

    spend(&ground, Class::Invite, 60.0).await;
    let add = json!({
        "chat_id": made.chat_id, "on_blocked": "invite_link",
        "members": ["@client", "@colleague", "@helper_bot", "@lawyer", "@hidden"],
    });
    let mark = sandbox.tgsim.mark().await.unwrap();
    let parked = ground.carry_out("group.add_members", &add).await;
    assert!(matches!(parked, Err(Stop::Parked(_))), "{parked:?}");
    let asked = asked_since(&sandbox, mark).await;
    assert_eq!(asked["channels.getParticipants"], 1, "{asked:?}");
    assert_eq!(asked["channels.inviteToChannel"], 1, "{asked:?}");
    assert!(!asked.contains_key("channels.getParticipant"), "{asked:?}");

    ground.pass(600);
    let mark = sandbox.tgsim.mark().await.unwrap();
    let done = ground.go_on("group.add_members", &add).await.unwrap();
    let wanted = ["already_member", "added", "added", "added", "privacy_blocked"];
    for (member, status) in done.result["members"].as_array().unwrap().iter().zip(wanted) {
        assert_eq!(member["status"], status, "{}", done.result);
    }
    assert!(done.result["members"][4]["invite_link"].is_string(), "{}", done.result);
    let asked = asked_since(&sandbox, mark).await;
    let kinds: Vec<_> = asked.keys().map(String::as_str).collect();
    let link = ["messages.editExportedChatInvite", "messages.exportChatInvite"];
    assert_eq!(kinds, ["channels.inviteToChannel", link[0], link[1]], "{asked:?}");
    assert_eq!(asked["channels.inviteToChannel"], 1, "{asked:?}");
}

#[tokio::test]
async fn few_people_are_looked_up_one_by_one() {
    let sandbox = Sandbox::open().await;
    sandbox.person(1, "client", json!({})).await;
    sandbox.person(2, "colleague", json!({})).await;
    let mut ground = sandbox.ground().await;
    let create = json!({ "title": "Deal 77", "members": ["@client"] });
    let made = ground.carry_out("group.create", &create).await.unwrap();
    let mark = sandbox.tgsim.mark().await.unwrap();
    let add = json!({ "chat_id": made.chat_id, "members": ["@client", "@colleague"] });
    let done = ground.carry_out("group.add_members", &add).await.unwrap();
    assert_eq!(done.result["members"][0]["status"], "already_member");
    assert_eq!(done.result["members"][1]["status"], "added");
    let asked = asked_since(&sandbox, mark).await;
    assert_eq!(asked["channels.getParticipant"], 2, "{asked:?}");
    assert!(!asked.contains_key("channels.getParticipants"), "{asked:?}");
}

/// How often each request was made after `mark`.
async fn asked_since(sandbox: &Sandbox, mark: u64) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in sandbox.tgsim.requests_after(mark).await.unwrap() {
        *asked.entry(request).or_default() += 1;
    }
    asked
}
