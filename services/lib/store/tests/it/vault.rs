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
