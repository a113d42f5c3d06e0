//! The table: *method × kind of group × form of member × outcome*. Each combination is run as a
//! command over RabbitMQ and checked in tgsim's journal, or can't be, for a reason that is printed.
//!
//! `cargo test -p queuegram-tests --test it matrix -- --nocapture` shows it.

mod axes;
mod ground;
mod group_cells;
mod group_rules;
mod judge;
mod lane;
mod member_cells;
mod migration;
mod people;
mod rules;
mod table;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use queuegram_tests::stage::Scene;
use serde_json::{Value, json};

use axes::{Form, Kind, Method, Outcome};
use lane::{Connected, Lane};
use rules::Rule;
use table::{Mark, Table};

/// What one lane runs.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Methods about somebody: every form and outcome.
    Methods(&'static [Method]),
    /// Every method with every address of a group and every right in it.
    Addresses,
    /// What each method has of its own.
    Own,
}

const LANES: [(&str, Part); 6] = [
    ("create", Part::Methods(&[Method::Create])),
    ("add", Part::Methods(&[Method::Add])),
    ("remove", Part::Methods(&[Method::Remove, Method::Ban])),
    ("common", Part::Methods(&[Method::Common])),
    ("addresses", Part::Addresses),
    ("own", Part::Own),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_run_and_checked_in_the_journal() {
    let scene = Scene::open("matrix").await.unwrap();
    let choosy = json!({ "new_chats_require_premium": true, "privacy": { "invite": "nobody" } });
    let premium = Connected::new(&scene, "choosy", choosy).await.unwrap();
    let lanes = LANES.into_iter().flat_map(|lane| Kind::ALL.map(|kind| (lane, kind)));
    let runs = lanes.map(|((label, part), kind)| run(&scene, &premium, label, part, kind));
    let (mut table, mut lanes) = (Table::default(), BTreeSet::new());
    for (part, account) in join_all(runs).await {
        table.add(part);
        lanes.insert(account);
    }
    let strays = strays(&scene, &lanes).await;

    println!("{}", table.print());
    let (run, never, groups, all) = table.counts();
    let wrong = table.wrong();
    println!(
        "{} cells run and checked in the journal ({run} about somebody, {groups} about a group), \
         {} wrong; {never} combinations can't be; {} spoilt journals were refused",
        run + groups,
        wrong.len(),
        table.spoilt
    );
    assert_eq!(run + never, all, "no cell is empty");
    assert!(strays.is_empty(), "done with an account that no command named: {strays:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One lane, cell after cell; a cell that goes wrong is noted, and the next one follows.
async fn run(
    scene: &Scene,
    premium: &Connected,
    label: &str,
    part: Part,
    kind: Kind,
) -> (Table, i64) {
    let lane = Lane::open(scene, premium, label, kind).await.unwrap();
    let mut table = Table::default();
    let (methods, cells) = match part {
        Part::Methods(methods) => (methods, Vec::new()),
        Part::Addresses => (&[][..], group_cells::by_address(kind)),
        Part::Own => (&[][..], group_cells::of_methods(kind)),
    };
    for (method, form, outcome) in combinations(methods) {
        let mark = match rules::rule(method, kind, form, outcome) {
            None => continue,
            Some((_, Rule::Never(why))) => Mark::Never(why),
            Some((_, Rule::Run(cell))) => {
                mark(&mut table, member_cells::play(&lane, method, form, outcome, &cell).await)
            }
        };
        table.enter(method, kind, form, outcome, mark);
    }
    for cell in cells {
        let mark = mark(&mut table, group_cells::play(&lane, &cell).await);
        table.enter_group(kind, &cell, mark);
    }
    (table, lane.me.person.id)
}

/// What the journal says was done, after its login, by an account that got no command: the
/// partners are only named.
async fn strays(scene: &Scene, lanes: &BTreeSet<i64>) -> Vec<Value> {
    let entries = scene.tgsim.journal_after(0).await.unwrap();
    let is_stray = |entry: &Value| {
        entry["kind"] == "request"
            && !entry["effect"].is_null()
            && !entry["request"].as_str().unwrap_or_default().starts_with("auth.")
            && entry["user_id"].as_i64().is_none_or(|user| !lanes.contains(&user))
    };
    entries.into_iter().filter(is_stray).collect()
}

fn mark(table: &mut Table, played: anyhow::Result<usize>) -> Mark {
    match played {
        Ok(spoilt) => {
            table.spoilt += spoilt;
            Mark::Right
        }
        Err(error) => Mark::Wrong(format!("{error:#}")),
    }
}

fn combinations(methods: &[Method]) -> Vec<(Method, Form, Outcome)> {
    let mut all = Vec::new();
    for method in methods {
        for outcome in Outcome::ALL {
            all.extend(Form::ALL.map(|form| (*method, form, outcome)));
        }
    }
    all
}

#[test]
fn the_rules_leave_no_cell_empty_and_each_is_good_for_something() {
    let mut used = BTreeSet::new();
    for (method, form, outcome) in combinations(&Method::ALL) {
        for kind in Kind::ALL {
            let rule = rules::rule(method, kind, form, outcome);
            let (row, _) = rule.unwrap_or_else(|| {
                panic!("no rule: {method:?} {kind:?} {form:?} {outcome:?}");
            });
            used.insert(row);
        }
    }
    let idle: Vec<usize> = (0..rules::rows()).filter(|row| !used.contains(row)).collect();
    assert!(idle.is_empty(), "rows that no combination reaches: {idle:?}");
}

#[test]
fn a_cell_breaks_when_its_effect_is_missing_from_the_journal() {
    let added = json!({ "kind": "chat.member_added", "chat_id": -1, "user_id": 2, "by": 3 });
    let link = json!({ "kind": "link.created", "chat_id": -1, "link": "x", "usage_limit": 1 });
    let wanted = [added.clone(), json!({ "kind": "link.created", "usage_limit": 1 })];
    let journal = [added.clone(), link.clone()];
    assert!(judge::journal_problems(&journal, &wanted).is_empty());

    // What is missing, is about somebody else, or came twice, is seen.
    let other = json!({ "kind": "chat.member_added", "chat_id": -1, "user_id": 9, "by": 3 });
    for spoilt in [
        vec![link.clone()],
        vec![added.clone()],
        vec![],
        vec![other, link.clone()],
        vec![added.clone(), added.clone(), link.clone()],
    ] {
        assert!(!judge::journal_problems(&spoilt, &wanted).is_empty(), "{spoilt:?}");
    }
    assert_eq!(judge::prove_the_check(&journal, &wanted), Ok(3));
    // A check that wants too little would not miss what is taken away.
    assert!(judge::prove_the_check(&[added.clone(), added], &wanted[..1]).is_err());
}
