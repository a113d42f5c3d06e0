//! Golden examples of what a wrong configuration is told, and of what layers override what.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may fail by panic, as tests do"
)]

use std::{collections::BTreeMap, fs, path::Path};

use queuegram_chassis::{ConfigError, Loader, Secret};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    amqp: Amqp,
    telegram: Telegram,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Amqp {
    url: Secret,
    prefetch: u16,
    #[serde(default)]
    queues: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Telegram {
    api_id: i32,
    api_hash: Secret,
    key_file: Option<String>,
}

const DEFAULTS: &str = "[amqp]\nurl = 'amqp://localhost'\nprefetch = 1\n[telegram]\napi_id = 1\n";

fn loader(file: Option<&Path>, variables: &[(&str, &str)]) -> Result<Loader, ConfigError> {
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Loader::with_environment(&[DEFAULTS], file, &variables)
}

/// What a user would read, with the folder of the test cut out.
fn complaint(file: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.toml");
    fs::write(&path, file).unwrap();
    let read = loader(Some(&path), variables).and_then(|loader| loader.read::<Settings>());
    let text = read.expect_err("the configuration should be refused").to_string();
    text.replace(&format!("{}/", folder.path().display()), "")
}

const HASH: (&str, &str) = ("QUEUEGRAM_TELEGRAM__API_HASH", "0123456789");

#[test]
fn the_environment_overrides_the_file_and_the_file_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.toml");
    fs::write(&path, "[amqp]\nprefetch = 5\nurl = 'amqp://file'\n").unwrap();
    let variables = [HASH, ("QUEUEGRAM_AMQP__URL", "amqp://environment")];
    let settings: Settings = loader(Some(&path), &variables).unwrap().read().unwrap();
    assert_eq!(settings.amqp.url.expose(), "amqp://environment");
    assert_eq!(settings.amqp.prefetch, 5);
    assert_eq!(settings.telegram.api_id, 1);
    // Digits stay text where text is wanted, and become a number where a number is.
    assert_eq!(settings.telegram.api_hash.expose(), "0123456789");
}

#[test]
fn the_environment_can_give_numbers_and_lists() {
    let variables =
        [HASH, ("QUEUEGRAM_AMQP__PREFETCH", "7"), ("QUEUEGRAM_AMQP__QUEUES", r#"["a","b"]"#)];
    let settings: Settings = loader(None, &variables).unwrap().read().unwrap();
    assert_eq!((settings.amqp.prefetch, settings.amqp.queues.len()), (7, 2));
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    assert_eq!(
        complaint("[amqp]\nurll = 'x'\n", &[HASH]),
        "amqp.urll: unknown key (from file q.toml); expected one of `url`, `prefetch`, `queues`"
    );
    assert_eq!(
        complaint("", &[HASH, ("QUEUEGRAM_TELEGRAM__API_KEY", "x")]),
        "telegram.api_key: unknown key (from environment variable QUEUEGRAM_TELEGRAM__API_KEY); \
         expected one of `api_id`, `api_hash`, `key_file`"
    );
    assert_eq!(
        complaint("[ampq]\nurl = 'x'\n", &[HASH]),
        "ampq: unknown key (from file q.toml); expected `amqp` or `telegram`"
    );
}

#[test]
fn a_wrong_type_is_named_with_its_place() {
    assert_eq!(
        complaint("[amqp]\nprefetch = 'many'\n", &[HASH]),
        "amqp.prefetch: is string \"many\", must be an integer (from file q.toml)"
    );
    assert_eq!(
        complaint("", &[HASH, ("QUEUEGRAM_TELEGRAM__API_ID", "x1")]),
        "telegram.api_id: is string \"x1\", must be an integer \
         (from environment variable QUEUEGRAM_TELEGRAM__API_ID)"
    );
    assert_eq!(
        complaint("[amqp]\nprefetch = 70000\n", &[HASH]),
        "amqp.prefetch: is 64-bit unsigned integer `70000`, must be an unsigned 16 bit integer \
         (from file q.toml)"
    );
}

#[test]
fn a_missing_key_says_how_to_set_it() {
    assert_eq!(
        complaint("", &[]),
        "telegram.api_hash: missing; set it in the configuration file or as \
         QUEUEGRAM_TELEGRAM__API_HASH"
    );
}

#[test]
fn broken_toml_is_placed_but_not_quoted() {
    let text = complaint("[telegram]\napi_hash = canary\n", &[]);
    assert!(text.starts_with("file q.toml, line 2: not valid TOML: "), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hash");
    fs::write(&path, "from the file\n").unwrap();
    let path = path.to_str().unwrap();
    let file = ("QUEUEGRAM_TELEGRAM__API_HASH_FILE", path);
    // `key_file` is a key of its own: nothing is read there.
    let key = ("QUEUEGRAM_TELEGRAM__KEY_FILE", "/nowhere");
    let settings: Settings = loader(None, &[file, key]).unwrap().read().unwrap();
    assert_eq!(settings.telegram.api_hash.expose(), "from the file");
    assert_eq!(settings.telegram.key_file.as_deref(), Some("/nowhere"));

    // A default is overridden by the file; two values that somebody gave are not guessed between.
    let settings: Settings =
        loader(None, &[HASH, ("QUEUEGRAM_AMQP__URL_FILE", path)]).unwrap().read().unwrap();
    assert_eq!(settings.amqp.url.expose(), "from the file");
    assert_eq!(
        complaint("", &[HASH, file]),
        "telegram.api_hash: given twice, as telegram.api_hash (from environment variable \
         QUEUEGRAM_TELEGRAM__API_HASH) and as telegram.api_hash_file (from environment variable \
         QUEUEGRAM_TELEGRAM__API_HASH_FILE)"
    );
    assert_eq!(
        complaint("", &[("QUEUEGRAM_TELEGRAM__API_HASH_FILE", "/nowhere/hash")]),
        "telegram.api_hash_file /nowhere/hash can't be read: No such file or directory (os error 2)"
    );
    // A file variant of a key that doesn't exist is an unknown key like any other.
    assert!(
        complaint("", &[HASH, ("QUEUEGRAM_AMQP__PORT_FILE", path)])
            .starts_with("amqp.port_file: unknown key (from environment variable")
    );
}

#[test]
fn sections_of_other_programs_are_passed_over_only_when_asked() {
    let variables = [HASH, ("QUEUEGRAM_REDIS__URL", "redis://localhost")];
    assert!(loader(None, &variables).unwrap().read::<Settings>().is_err());
    let lenient = loader(None, &variables).unwrap().ignore_foreign_sections();
    assert!(lenient.read::<Settings>().is_ok());
    let wrong = [HASH, ("QUEUEGRAM_AMQP__PORT", "1")];
    let lenient = loader(None, &wrong).unwrap().ignore_foreign_sections();
    assert!(lenient.read::<Settings>().is_err(), "own sections stay strict");
}
