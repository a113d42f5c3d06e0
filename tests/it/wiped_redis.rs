//! Redis loses everything while fifty accounts work: it is emptied, and later an empty one stands in its
//! place. Each time every command gets its answer, nothing is done twice, and every account is online
//! again with the login that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use queuegram_tests::crowd::{Desk, instance, provision};
use queuegram_tests::faults::command::{Deadline, Planned, Role};
use queuegram_tests::faults::ears::Ears;
use queuegram_tests::faults::history::{History, Login, Sent, Told, Via};
use queuegram_tests::faults::scale::Scale;
use queuegram_tests::faults::voice::Voice;
use queuegram_tests::faults::{oracle, quiet};
use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

const ACCOUNTS: usize = 50;
/// Accounts that are logged in at once.
const LOGINS: usize = 16;
/// Leases and graces of a quarter of their usual time: each wipe costs one of each.
const SCALE: Scale = Scale(4);
/// Longest wait for all answers: a lease, a grace, and whatever had to be looked for.
const BOUND: Duration = Duration::from_secs(120);
/// How a worker tells that it noticed.
const NOTICED: &str = "Redis has lost data: a new generation begins";
/// What a login begins with or consists of.
const LOGIN: [&str; 4] =
    ["auth.sendCode", "auth.exportLoginToken", "auth.importLoginToken", "auth.signIn"];

/// How Redis loses everything.
#[derive(Debug, Clone, Copy)]
enum Wipe {
    Emptied,
    Replaced,
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_accounts_outlive_a_redis_that_is_wiped_under_load() {
    let began = Instant::now();
    let mut scene = scene().await;
    let desk = Desk::open(&scene.vhost.amqp_url).await.unwrap();
    let crowd = provision(&scene, &desk, ACCOUNTS, LOGINS, |_| {}).await.unwrap();
    let before = scene.tgsim.journal_after(0).await.unwrap();
    let mark = before.last().unwrap()["n"].as_u64().unwrap();
    let connected = began.elapsed();

    let ears = Ears::open(&scene.vhost.amqp_url).await.unwrap();
    let mut sent = Vec::new();
    for (round, wipe) in [Wipe::Emptied, Wipe::Replaced].into_iter().enumerate() {
        sent.extend(play(&mut scene, &ears, round, wipe).await);
    }
    let mut logins = logins(&crowd.users, &before);
    quiet::serving(&scene.vhost.amqp_url, &mut logins).await.unwrap();
    let (told, journal) = (ears.heard(), scene.tgsim.journal_after(mark).await.unwrap());
    assert_no_login(&journal);
    // Each account by itself: the laws look at everything once for each command.
    for login in logins {
        let history = history(login, &sent, &told, &journal);
        assert_eq!(oracle::judge(&history), []);
        assert_one_answer_each(&history);
    }
    println!(
        "connected after {:.1} s, all of it took {:.1} s",
        connected.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
}

async fn scene() -> Scene {
    let usual = SceneOptions::new("wiped");
    let options =
        SCALE.settings().iter().fold(usual, |options, (key, value)| options.setting(key, value));
    let mut scene = Scene::with(options).await.unwrap();
    scene.add_worker().await.unwrap();
    scene
}

/// Has all accounts work, wipes Redis in the midst of it, and waits until all is answered and online.
async fn play(scene: &mut Scene, ears: &Ears, round: usize, wipe: Wipe) -> Vec<Sent> {
    let (amqp_url, began) = (scene.vhost.amqp_url.clone(), Instant::now());
    let mut speaking = JoinSet::new();
    for n in 0..ACCOUNTS {
        speaking.spawn(Voice::new(&amqp_url, began).speak(plan(round, &instance(n))));
    }
    let all = ACCOUNTS * plan(round, "any").len();
    let answered = || replied(&ears.heard(), round);
    patience::until("a part is answered", BOUND, || async {
        Ok((answered().len() >= all / 5).then_some(()))
    })
    .await
    .unwrap();

    let (done, at) = (answered().len(), began.elapsed());
    match (wipe, scene.redis.process()) {
        (Wipe::Replaced, Some(redis)) => redis.replace().await.unwrap(),
        // A Redis of somebody else's can't be replaced.
        _ => scene.redis.flush().await.unwrap(),
    }
    let wiped = Instant::now();
    assert!(done < all, "all {all} commands were answered before the wipe");
    patience::until("the loss was noticed", BOUND, || async {
        Ok((scene.logs().matches(NOTICED).count() > round).then_some(()))
    })
    .await
    .unwrap();

    let mut sent = Vec::new();
    for spoken in speaking.join_all().await {
        sent.extend(spoken.unwrap());
    }
    assert!(quiet::answered(ears, &sent, BOUND).await, "{}", missing(&ears.heard(), &sent));
    let answers = wiped.elapsed();
    until_online(scene).await;
    println!(
        "{wipe:?} after {:.1} s, with {done} of {all} commands answered: the others {:.1} s later, all online after {:.1} s; {}",
        at.as_secs_f64(),
        answers.as_secs_f64(),
        wiped.elapsed().as_secs_f64(),
        statuses(&ears.heard(), round),
    );
    sent.sort_by_key(|sent| sent.planned.instance.clone());
    sent
}

/// What one account is asked for: two groups, and in each of them names and links.
fn plan(round: usize, instance: &str) -> Vec<Planned> {
    let one = |number: usize, method: &'static str, group: usize, params: Value| {
        let id = id(round, instance, number);
        let mut params = params;
        if method != "group.get_invite_link" {
            params["title"] = json!(id);
        }
        Planned {
            id,
            instance: instance.to_owned(),
            method,
            params,
            group: Some(format!("group-{round}-{group}")),
            role: Role::First,
            deadline: Deadline::None,
            pause: Duration::ZERO,
            cancel: false,
        }
    };
    // Two links of the same terms could not be told apart where a ledger is lost.
    let link = |uses: u32| json!({ "usage_limit": uses });
    let mut plan = Vec::new();
    for group in 0..2 {
        let steps = [
            ("group.create", json!({})),
            ("group.get_invite_link", link(2)),
            ("group.rename", json!({})),
            ("group.get_invite_link", link(3)),
        ];
        for (method, params) in steps {
            plan.push(one(plan.len(), method, group, params));
        }
    }
    plan
}

fn id(round: usize, instance: &str, number: usize) -> String {
    format!("{instance}:{round}:{number}")
}

fn is_of(round: usize, id: &str) -> bool {
    id.split(':').nth(1) == Some(round.to_string().as_str())
}

/// The commands of a round that were answered to their asker, with the statuses they were told.
fn replied(heard: &[Told], round: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mut replied: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for told in heard.iter().filter(|told| told.via == Via::Reply && told.is_outcome()) {
        let (id, status) = (told.body["id"].as_str(), told.body["status"].as_str());
        if let (Some(id), Some(status)) = (id.filter(|id| is_of(round, id)), status) {
            replied.entry(id.to_owned()).or_default().insert(status.to_owned());
        }
    }
    replied
}

/// How many commands ended how, and how many of the answers came more than once.
fn statuses(heard: &[Told], round: usize) -> String {
    let replied = replied(heard, round);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for status in replied.values().flatten() {
        *counts.entry(status).or_default() += 1;
    }
    let answers = heard
        .iter()
        .filter(|told| told.via == Via::Reply && told.is_outcome())
        .filter(|told| told.body["id"].as_str().is_some_and(|id| is_of(round, id)))
        .count();
    format!("{counts:?}, {} answers came again", answers - replied.len())
}

fn missing(heard: &[Told], sent: &[Sent]) -> String {
    let told = |sent: &&Sent| !heard.iter().any(|told| told.body["id"] == *sent.planned.id);
    let ids: Vec<&str> = sent.iter().filter(told).map(|sent| sent.planned.id.as_str()).collect();
    format!("{} of {} have no answer: {ids:?}", ids.len(), sent.len())
}

async fn until_online(scene: &Scene) {
    let ctl = scene.ctl().await.unwrap();
    patience::until("all accounts are online", BOUND, || async {
        let listed = ctl.json(&["instance", "list"]).await?;
        let accounts = listed.as_array().map(Vec::as_slice).unwrap_or_default();
        let online = accounts.iter().filter(|account| account["state"] == "online").count();
        Ok((online == ACCOUNTS).then_some(()))
    })
    .await
    .unwrap();
}

/// The accounts, each with the key that it connected with.
fn logins(users: &[i64], journal: &[Value]) -> Vec<Login> {
    let key = |user: i64| {
        let mut entries = journal.iter().rev();
        let last = entries.find(|entry| entry["user_id"] == user && entry["kind"] == "request");
        last.unwrap()["auth_key_id"].as_str().unwrap().to_owned()
    };
    let login = |(n, user): (usize, &i64)| Login {
        instance: instance(n),
        user: *user,
        key: key(*user),
        serves: false,
    };
    users.iter().enumerate().map(login).collect()
}

/// What happened to one account.
fn history(login: Login, sent: &[Sent], told: &[Told], journal: &[Value]) -> History {
    let of_user = |entry: &&Value| entry["user_id"] == login.user || entry["kind"] != "request";
    History {
        sent: sent.iter().filter(|s| s.planned.instance == login.instance).cloned().collect(),
        told: told.iter().filter(|t| t.body["instance"] == *login.instance).cloned().collect(),
        journal: journal.iter().filter(of_user).cloned().collect(),
        logins: vec![login],
        ledger_lost: true,
        interruptions: 2,
        ..History::default()
    }
}

/// Also where the ledger was lost, a command whose id was published once ends in one way only.
fn assert_one_answer_each(history: &History) {
    for sent in history.commands() {
        let told: BTreeSet<(&str, String)> = history
            .outcomes(&sent.planned.id)
            .map(|told| (told.message_id.as_str(), told.essence().to_string()))
            .collect();
        assert_eq!(told.len(), 1, "{} was told {told:#?}", sent.planned.id);
        let status = history.status(&sent.planned.id);
        assert!(matches!(status, "done" | "unknown"), "{told:#?}");
    }
}

fn assert_no_login(journal: &[Value]) {
    let is_login =
        |entry: &&Value| entry["request"].as_str().is_some_and(|request| LOGIN.contains(&request));
    let logins: Vec<&Value> = journal.iter().filter(is_login).collect();
    assert!(logins.is_empty(), "somebody logged in: {logins:#?}");
}
