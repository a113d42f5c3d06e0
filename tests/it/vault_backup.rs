//! All logins of a vault as a file, put back into a vault that lost them, or never had them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use queuegram_tests::stage::ctl::Ctl;
use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::expect::{done, online_as};

const SALES: &str = "acme-sales";
const OTHERS: [&str; 2] = ["acme-support", "beta"];

/// Makes a group that the caller knows by its own key.
async fn make(scene: &Scene, instance: &str, id: &str) -> i64 {
    let body = json!({ "id": id, "external_ref": "deal-77", "params": { "title": id } });
    scene.caller.send_body(instance, "group.create", &body).await.unwrap();
    done(&scene.caller.reply(id).await.unwrap().json())
}

async fn state(ctl: &Ctl, instance: &str) -> String {
    let listed = ctl.json(&["instance", "list"]).await.unwrap();
    let mut rows = listed.as_array().unwrap().iter();
    let row = rows.find(|row| row["instance"] == instance);
    row.map_or("gone".to_owned(), |row| row["state"].as_str().unwrap().to_owned())
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// Stops the worker, takes everything away but the key, and starts another.
async fn lose_everything(scene: &mut Scene) {
    let last = scene.workers.len() - 1;
    scene.workers[last].terminate().unwrap();
    assert!(scene.workers[last].ended().await.unwrap().success());
    fs::remove_dir_all(scene.folder.join("vault")).unwrap();
    scene.redis.flush().await.unwrap();
    scene.add_worker().await.unwrap();
}

async fn restore(ctl: &Ctl, file: &Path, more: &[&str]) -> Output {
    let args = [&["vault", "restore", file.to_str().unwrap(), "--json"], more].concat();
    ctl.run(&args).await.unwrap()
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_comes_back_from_a_file() {
    let mut scene = Scene::open("vault-backup").await.unwrap();
    let person = scene.connect(SALES).await.unwrap();
    for other in OTHERS {
        scene.connect(other).await.unwrap();
    }
    let chat = make(&scene, SALES, "before").await;
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "stop", OTHERS[1]]).await.unwrap();
    let file = scene.folder.join("vault.jsonl");
    let path = file.to_str().unwrap();
    let backup = ctl.json(&["vault", "backup", path]).await.unwrap();
    assert_eq!((&backup["instances"], &backup["records"]), (&json!(3), &json!(7)), "{backup}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = ctl.run(&["vault", "backup", path]).await.unwrap();
    assert_eq!(again.status.code(), Some(2), "not overwritten: {}", said(&again));
    let audit = ctl.ok(&["audit", "--json"]).await.unwrap();
    assert_eq!(audit.matches("vault.backup").count(), 4, "each instance and the whole: {audit}");
    let mark = scene.tgsim.mark().await.unwrap();

    // Nothing is missing: nothing is done.
    let output = restore(&ctl, &file, &["--yes"]).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert_eq!(told(&output)["restored"], json!([]));
    assert_eq!(state(&ctl, SALES).await, "online");

    lose_everything(&mut scene).await;
    let lost = scene.tgsim.mark().await.unwrap();
    assert_eq!(state(&ctl, SALES).await, "gone");
    let unsure = restore(&ctl, &file, &[]).await;
    assert_eq!(unsure.status.code(), Some(2), "nobody confirmed it: {}", said(&unsure));
    assert_eq!(state(&ctl, SALES).await, "gone");
    // One was made anew meanwhile: its settings stay.
    ctl.ok(&["instance", "add", OTHERS[0], "--label", "new"]).await.unwrap();
    let output = restore(&ctl, &file, &["--yes"]).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let report = told(&output);
    assert_eq!(report["restored"], json!([SALES, OTHERS[1]]), "{report}");
    assert_eq!(report["stopped"], json!([SALES, OTHERS[1]]), "{report}");
    assert_eq!(report["skipped"], json!([OTHERS[0]]), "{report}");
    let kept = ctl.json(&["instance", "show", OTHERS[0]]).await.unwrap();
    assert_eq!((&kept["label"], &kept["state"]), (&json!("new"), &json!("new")), "{kept}");

    // It connects when it is told to, and not before.
    patience::until("it is stopped", patience::USUAL, || async {
        Ok((state(&ctl, SALES).await == "stopped").then_some(()))
    })
    .await
    .unwrap();
    let journal = scene.tgsim.journal_after(lost).await.unwrap();
    assert!(journal.iter().all(|entry| entry["user_id"] != person.id), "{journal:?}");
    ctl.ok(&["instance", "start", SALES]).await.unwrap();
    online_as(&scene, SALES, person.id).await;
    let body = json!({ "id": "after", "external_ref": "deal-77", "params": { "title": "Deal" } });
    scene.caller.send_body(SALES, "group.rename", &body).await.unwrap();
    assert_eq!(done(&scene.caller.reply("after").await.unwrap().json()), chat, "by its own key");
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert!(!requests.iter().any(|name| name.starts_with("auth.s")), "no login: {requests:?}");
    let audit = ctl.ok(&["audit", "--json"]).await.unwrap();
    let written = audit.matches("account.restore").count();
    assert_eq!(written, 2, "what was looked at only is not in it: {audit}");

    // Those that were connected can be connected again at once.
    lose_everything(&mut scene).await;
    let output = restore(&ctl, &file, &["--yes", "--start"]).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(told(&output)["stopped"], json!([OTHERS[1]]));
    online_as(&scene, SALES, person.id).await;
    make(&scene, OTHERS[0], "of-another").await;
    assert_ne!(state(&ctl, OTHERS[1]).await, "online");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_or_of_another_key_changes_nothing() {
    let mut scene = Scene::open("vault-backup-refused").await.unwrap();
    scene.connect(SALES).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let file = scene.folder.join("vault.jsonl");
    ctl.ok(&["vault", "backup", file.to_str().unwrap()]).await.unwrap();
    let whole = fs::read(&file).unwrap();

    let key_file = scene.folder.join("vault.key");
    let key = fs::read_to_string(&key_file).unwrap();
    fs::write(&key_file, "0b".repeat(32)).unwrap();
    scene.workers[0].kill();
    fs::remove_dir_all(scene.folder.join("vault")).unwrap();
    scene.redis.flush().await.unwrap();
    let other = scene.add_worker().await.unwrap();
    let output = restore(&ctl, &file, &["--yes"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let refused = told(&output);
    assert_eq!(refused["error_code"], "BACKUP_INVALID", "{refused}");
    let words = refused["error_message"].as_str().unwrap();
    assert!(words.contains("was sealed with the key"), "{words}");
    assert!(!scene.folder.join("vault").join(SALES).exists(), "nothing was written");

    // With the former key behind the new one it opens.
    fs::write(&key_file, format!("{}\n{key}", "0b".repeat(32))).unwrap();
    scene.workers[other].terminate().unwrap();
    scene.workers[other].ended().await.unwrap();
    scene.add_worker().await.unwrap();
    let cut = scene.folder.join("cut.jsonl");
    for (bytes, words) in [
        (whole[..whole.len() - 120].to_vec(), "cut short"),
        ([&whole[..], b"{}\n"].concat(), "goes on after"),
        (b"a letter to somebody\n".to_vec(), "no backup of a vault"),
    ] {
        fs::write(&cut, bytes).unwrap();
        let output = restore(&ctl, &cut, &["--yes"]).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        assert!(!scene.folder.join("vault").join(SALES).exists());
    }
    let output = restore(&ctl, &file, &["--yes"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let verified = ctl.json(&["vault", "verify"]).await.unwrap();
    let sealing = verified["keys"][0].as_str().unwrap();
    let records = verified["records"].as_array().unwrap();
    assert!(records.iter().all(|record| record["key"] == sealing), "{verified}");
}
