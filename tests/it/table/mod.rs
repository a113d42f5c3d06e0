//! The printed table *method × kind of group × form of member × outcome*: every cell is run against
//! tgsim and looked up in its journal, and one whose effect is missing there breaks the test.

mod cell;
mod forms;
mod outcomes;
mod rest;
mod troupe;

use std::collections::BTreeSet;

use queuegram_tests::stage::Scene;

use self::cell::Cell;
use self::troupe::Troupe;

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_true_in_telegrams_journal() {
    let scene = Scene::open("table").await.unwrap();
    let troupe = Troupe::enter(&scene).await;
    let mut cells = Vec::new();
    forms::play(&troupe, &mut cells).await;
    outcomes::play(&troupe, &mut cells).await;
    rest::play(&troupe, &mut cells).await;

    print(&cells);
    let wrong: Vec<&Cell> = cells.iter().filter(|cell| !cell.problem.is_empty()).collect();
    assert!(wrong.is_empty(), "{} of {} cells are wrong: {wrong:#?}", wrong.len(), cells.len());
    let methods: BTreeSet<&str> = cells.iter().map(|cell| cell.at.method).collect();
    assert_eq!(methods.len(), 8, "{methods:?}");
    assert!(cells.iter().all(|cell| !cell.seen.is_empty()), "an empty cell");
}

fn print(cells: &[Cell]) {
    let line = |words: [&str; 5], seen: &str| {
        let [method, kind, form, who, outcome] = words;
        println!("{method:<26} {kind:<11} {form:<15} {who:<7} {outcome:<16} {seen}");
    };
    line(["method", "kind", "form", "who", "outcome"], "in the journal");
    for cell in cells {
        let mark = if cell.problem.is_empty() { "✓" } else { "✗" };
        let at = cell.at;
        line([at.method, at.kind, at.form, at.who, at.outcome], &format!("{mark} {}", cell.seen));
    }
}
