use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use chrono::DateTime;
use queuegram_store::{InstanceRecord, Instances, Keep, Sessions, StoreError, Vault, VaultConfig};

use crate::corner::{Corner, acme};

async fn refusal(config: &VaultConfig) -> StoreError {
    Vault::open(config).await.err().unwrap()
}

/// The files of one kind of the instance's records, in order.
fn files(corner: &Corner, kind: &str) -> Vec<PathBuf> {
    let folder = corner.folder().join("vault").join("acme").join(kind);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_vault_is_made_once_and_opened_again() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    let first = corner.vault().await;
    let mode = fs::metadata(&config.key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = Vault::open(&VaultConfig { create_key: false, ..config }).await.unwrap();
    assert_eq!(first.service_key().unwrap(), again.service_key().unwrap());
    assert!(again.instances().await.unwrap().is_empty());
}

#[tokio::test]
async fn many_that_open_an_empty_vault_at_once_agree_on_its_key() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    let opening = (0..8).map(|_| {
        let config = config.clone();
        tokio::spawn(async move { Vault::open(&config).await.unwrap().service_key().unwrap() })
    });
    let keys = futures_util::future::try_join_all(opening).await.unwrap();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_missing_key_is_never_taken_for_an_empty_vault() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    let without = VaultConfig { create_key: false, ..config.clone() };
    assert!(refusal(&without).await.to_string().contains("does not exist"));
    corner.vault().await;
    fs::remove_file(&config.key_file).unwrap();
    for config in [&config, &without] {
        let refusal = refusal(config).await.to_string();
        assert!(refusal.contains("the vault holds records"), "{refusal}");
    }
    assert!(!config.key_file.exists());
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_name() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    corner.vault().await;
    fs::write(&config.key_file, "00".repeat(32)).unwrap();
    let wrong = refusal(&config).await;
    assert!(matches!(wrong, StoreError::WrongKey { .. }), "{wrong}");
    fs::write(&config.key_file, "no key").unwrap();
    let broken = refusal(&config).await.to_string();
    assert!(broken.contains("vault.key_file") && broken.contains("32 bytes"), "{broken}");
}

#[tokio::test]
async fn a_folder_of_something_else_is_not_taken_over() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    corner.vault().await;
    fs::remove_dir_all(corner.folder().join("vault/_vault")).unwrap();
    fs::create_dir_all(corner.folder().join("vault/acme/session")).unwrap();
    fs::write(corner.folder().join("vault/acme/session/x"), "x").unwrap();
    let refusal = refusal(&config).await.to_string();
    assert!(refusal.contains("no check record"), "{refusal}");
}

#[tokio::test]
async fn only_folders_are_known() {
    let corner = Corner::new().await;
    let url = url::Url::parse("ftp://host/vault").unwrap();
    let refusal = refusal(&VaultConfig { url, ..corner.vault_config() }).await.to_string();
    assert!(refusal.starts_with("vault.url: only `file://`"), "{refusal}");
}

#[tokio::test]
async fn the_highest_name_wins_and_older_ones_go() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let sessions = Sessions::new(&vault, &corner.redis);
    for n in 0..5_u8 {
        sessions.save(&lease, &[n], Keep::InVault).await.unwrap();
    }
    let kept = files(&corner, "session");
    assert_eq!(kept.len(), 2, "the newest and the one before it: {kept:?}");
    let next = corner.usurp(&lease).await;
    sessions.save(&next, b"next", Keep::InVault).await.unwrap();
    assert!(files(&corner, "session")[1] > kept[1]);
    assert_eq!(sessions.load(&acme()).await.unwrap().unwrap().as_slice(), b"next");
    let late = sessions.save(&lease, b"late", Keep::InVault).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "a former owner never gets above: {late:?}");
    let late = sessions.forget(&lease).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "nor removes anything: {late:?}");
    assert_eq!(sessions.load(&acme()).await.unwrap().unwrap().as_slice(), b"next");
}

#[tokio::test]
async fn nothing_can_be_read_from_the_outside() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let instances = Instances::new(&vault, &corner.redis);
    let record = InstanceRecord {
        label: Some("canary-label".to_owned()),
        ..InstanceRecord::new(acme(), DateTime::UNIX_EPOCH)
    };
    instances.put(&lease, &record).await.unwrap();
    let file = &files(&corner, "instance")[0];
    let bytes = fs::read(file).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
    assert!(!format!("{vault:?}{record:?}").contains("canary"));
}

#[tokio::test]
async fn a_damaged_record_is_an_error_and_not_an_older_one() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let sessions = Sessions::new(&vault, &corner.redis);
    sessions.save(&lease, b"old", Keep::InVault).await.unwrap();
    sessions.save(&lease, b"new", Keep::InVault).await.unwrap();
    let newest = &files(&corner, "session")[1];
    let mut bytes = fs::read(newest).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(newest, bytes).unwrap();
    let outcome = sessions.load(&acme()).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn a_record_of_another_instance_opens_nowhere_else() {
    let corner = Corner::new().await;
    let (vault, lease) = (corner.vault().await, corner.lease().await);
    let sessions = Sessions::new(&vault, &corner.redis);
    sessions.save(&lease, b"acme's", Keep::InVault).await.unwrap();
    let other = corner.folder().join("vault/other/session");
    fs::create_dir_all(&other).unwrap();
    let file = &files(&corner, "session")[0];
    fs::copy(file, other.join(file.file_name().unwrap())).unwrap();
    let outcome = sessions.load(&"other".parse().unwrap()).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt { .. })));
}

fn key_text(byte: &str) -> String {
    byte.repeat(32)
}

#[tokio::test]
async fn a_key_is_changed_without_a_moment_in_which_something_can_not_be_read() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    let lease = corner.lease().await;
    let with = |text: String| {
        fs::write(&config.key_file, text).unwrap();
        let config = config.clone();
        async move { Vault::open(&config).await }
    };
    let (old, new) = (key_text("0a"), key_text("0b"));
    let before = with(old.clone()).await.unwrap();
    Sessions::new(&before, &corner.redis).save(&lease, b"login", Keep::InVault).await.unwrap();
    // The new key behind the old one, then before it: each reads what the other writes.
    let step = with(format!("{old}\n{new}\n")).await.unwrap();
    let after = with(format!("# the new one first\n{new}\n{old}\n")).await.unwrap();
    let sessions = Sessions::new(&after, &corner.redis);
    sessions.save(&lease, b"newer login", Keep::InVault).await.unwrap();
    let seen = Sessions::new(&step, &corner.redis).load(&acme()).await.unwrap().unwrap();
    assert_eq!(seen.as_slice(), b"newer login");
    let back = Sessions::new(&step, &corner.redis);
    back.save(&lease, b"newest login", Keep::InVault).await.unwrap();

    let needs_old = |found: Vec<queuegram_store::Found>| {
        let ids = after.key_ids();
        found.iter().filter(|record| record.key.as_deref() != Some(ids[0].as_str())).count()
    };
    let acme = acme();
    assert_eq!(needs_old(after.inspect(Some(&acme)).await.unwrap()), 1);
    assert_eq!(needs_old(after.inspect(None).await.unwrap()), 1, "the check record");
    assert_eq!(after.reseal(&lease).await.unwrap().resealed, 1);
    assert_eq!(after.reseal_own().await.unwrap().resealed, 1);
    assert_eq!(after.reseal(&lease).await.unwrap().resealed, 0, "nothing is left to be done");
    assert_eq!(needs_old(after.inspect(Some(&acme)).await.unwrap()), 0);
    assert_eq!(needs_old(after.inspect(None).await.unwrap()), 0);

    // The old key can go; and without the new one nothing opens.
    let last = with(format!("{new}\n")).await.unwrap();
    let seen = Sessions::new(&last, &corner.redis).load(&acme).await.unwrap().unwrap();
    assert_eq!(seen.as_slice(), b"newest login");
    let refused = with(old).await.err().unwrap().to_string();
    assert!(refused.contains(&last.key_ids()[0]), "{refused}");
}

#[tokio::test]
async fn what_was_sealed_anew_never_covers_what_was_written_meanwhile() {
    let corner = Corner::new().await;
    let config = corner.vault_config();
    fs::write(&config.key_file, format!("{}\n{}", key_text("0b"), key_text("0a"))).unwrap();
    let vault = Vault::open(&config).await.unwrap();
    let lease = corner.lease().await;
    let sessions = Sessions::new(&vault, &corner.redis);
    sessions.save(&lease, b"one", Keep::InVault).await.unwrap();
    let next = corner.usurp(&lease).await;
    sessions.save(&next, b"two", Keep::InVault).await.unwrap();
    let late = vault.reseal(&lease).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "a former owner seals nothing: {late:?}");
    assert_eq!(sessions.load(&acme()).await.unwrap().unwrap().as_slice(), b"two");
}

#[tokio::test]
async fn keys_come_from_the_environment_too() {
    let corner = Corner::new().await;
    let keys = Some(format!("{} {}", key_text("0a"), key_text("0b")).into());
    let config = VaultConfig { keys, create_key: false, ..corner.vault_config() };
    let vault = Vault::open(&config).await.unwrap();
    assert_eq!(vault.key_ids().len(), 2);
    assert!(!config.key_file.exists(), "the file is not looked for");
    let broken = VaultConfig { keys: Some("0a0a".to_owned().into()), ..config };
    let refusal = refusal(&broken).await.to_string();
    assert!(refusal.starts_with("vault.keys: ") && !refusal.contains("0a0a"), "{refusal}");
}
