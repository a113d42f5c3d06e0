//! What was written is read; what was cut, changed or is something else is not.

use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn record(kind: &str) -> BackupRecord {
    BackupRecord { kind: kind.to_owned(), name: String::from("1-1"), sealed: String::from("AAAA") }
}

fn entry(instance: &str) -> Entry {
    let records = vec![record("instance"), record("session")];
    Entry { instance: instance.parse().unwrap(), records }
}

fn written(path: &Path) -> String {
    let mut writer = Writer::create(path, &Header::new(None, None, Some(record("check")))).unwrap();
    for instance in ["acme", "beta"] {
        writer.add(&entry(instance)).unwrap();
    }
    writer.finish().unwrap();
    fs::read_to_string(path).unwrap()
}

#[test]
fn what_was_written_is_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.backup");
    assert_eq!(written(&path).lines().count(), 4);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut archive = Archive::open(&path).unwrap();
    assert_eq!((archive.end.instances, archive.end.records), (2, 4));
    for _ in 0..2 {
        let entries: Vec<Entry> = archive.each().unwrap().map(Result::unwrap).collect();
        assert_eq!(entries, [entry("acme"), entry("beta")]);
    }
    let again = Writer::create(&path, &archive.header).err().unwrap();
    assert!(again.to_string().contains("not overwritten"), "{again}");
    assert!(path.exists());
}

#[test]
fn a_file_that_was_not_finished_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.backup");
    drop(Writer::create(&path, &Header::new(None, None, None)).unwrap());
    assert!(!path.exists());
}

#[test]
fn what_is_cut_changed_or_foreign_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.backup");
    let good = written(&path);
    let said = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let failure = Archive::open(&path).unwrap_err();
        assert_eq!(failure.code(), 2);
        failure.to_string()
    };
    for at in 1..good.len() {
        // Without its last line end it is whole.
        if at < good.len() - 1 {
            said(&good.as_bytes()[..at]);
        }
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
        if at < good.len() - 1 {
            said(&changed);
        }
    }
    let lines: Vec<&str> = good.lines().collect();
    let without_one = format!("{}\n{}\n{}\n", lines[0], lines[1], lines[3]);
    for (text, words) in [
        (String::new(), "is empty"),
        (String::from("hello\n"), "is no backup of a vault"),
        (String::from("{\"v\":1}\n"), "is no backup of a vault"),
        (good.replacen("backup\":1", "backup\":2", 1), "later release"),
        (good[..good.rfind("{\"end").unwrap()].to_owned(), "cut short"),
        (without_one, "not what its last line says"),
        (format!("{good}{}\n", lines[1]), "goes on after its last line"),
    ] {
        let told = said(text.as_bytes());
        assert!(told.contains(words), "{words}: {told}");
    }
}
