//! The documents say what is true: what they name exists, what exists is named, and what they show
//! can be sent. Each test reads the code, or asks a program, and compares.

mod page;
mod sent;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use queuegram_tests::stage::binaries;
use queuegram_tests::stage::scripts::repository;
use serde_json::Value;

use page::Page;

fn source(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

/// The code of a file, without its unit tests.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

/// The files of a crate, those of its unit tests left out.
fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// The texts between quotes, line by line, comments left out.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// `CHAT_NOT_FOUND`, also `BUDGET`: how error codes look.
fn looks_like_a_code(text: &str) -> bool {
    text.len() >= 6
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn every_error_code_stands_in_the_manual() {
    let faults = source("proto/src/fault.rs");
    let ours = faults.split("pub mod code").nth(1).unwrap().split("\n}").next().unwrap();
    let mut codes: BTreeSet<String> =
        literals(ours).filter(|text| looks_like_a_code(text)).map(str::to_owned).collect();
    assert!(codes.len() > 30, "{codes:?}");
    for path in rust_files(&repository().join("services/worker/src")) {
        let code = code_of(&path);
        // Names that the compiler gives, and placeholders of the command line's help.
        let lines =
            code.lines().filter(|line| !line.contains("env!") && !line.contains("value_name"));
        let kept = lines.collect::<Vec<_>>().join("\n");
        codes.extend(literals(&kept).filter(|text| looks_like_a_code(text)).map(str::to_owned));
    }
    let manual = Page::read("docs/commands.md");
    let missing: Vec<_> = codes.iter().filter(|code| !manual.has_word(code)).collect();
    assert!(missing.is_empty(), "docs/commands.md does not tell of {missing:?}");
}

#[test]
fn every_event_and_status_stands_in_the_manual() {
    let manual = Page::read("docs/commands.md");
    let events = source("proto/src/event/mod.rs");
    let events =
        events.split("\nevents! {").nth(1).unwrap().split("\n}").next().unwrap().to_owned();
    let events: Vec<&str> = literals(&events).collect();
    assert!(events.len() > 15, "{events:?}");
    for event in events {
        assert!(manual.has_word(event), "docs/commands.md has no event {event}");
    }
    for (file, list) in [
        ("proto/src/member.rs", "pub enum MemberStatus {"),
        ("proto/src/outcome.rs", "pub enum Status {"),
        ("proto/src/fault.rs", "pub enum ErrorKind {"),
    ] {
        for word in variants(&source(file), list) {
            assert!(manual.has_word(&word), "docs/commands.md has no {word} ({list})");
        }
    }
    let operations = Page::read("docs/operations.md");
    for state in variants(&source("proto/src/event/account_state.rs"), "pub enum AccountState {") {
        assert!(operations.has_word(&state), "docs/operations.md has no state {state}");
    }
}

/// The variants of an enum in `snake_case`.
fn variants(code: &str, list: &str) -> Vec<String> {
    let body = code.split(list).nth(1).unwrap().split("\n}").next().unwrap();
    let names = body.lines().map(str::trim).filter_map(|line| line.strip_suffix(','));
    let words: Vec<String> = names.map(snake_case).collect();
    assert!(words.len() > 3, "{list} {words:?}");
    words
}

fn snake_case(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[test]
fn every_order_and_every_field_of_an_event_stands_in_the_manual() {
    let manual = Page::read("docs/commands.md");
    let orders = source("proto/src/control.rs");
    let orders = orders.split("pub mod method {").nth(1).unwrap().split("\n}").next().unwrap();
    for order in literals(orders) {
        assert!(manual.has_word(order), "docs/commands.md has no order {order}");
    }
    let data = source("proto/src/event/data.rs");
    let fields = data.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
    for (field, _) in fields {
        assert!(manual.has_word(field), "docs/commands.md has no field {field} of an event");
    }
}

#[test]
fn every_field_of_the_envelope_stands_in_the_manual() {
    let fields = source("proto/src/envelope/fields.rs");
    let fields =
        fields.split("pub const FIELDS").nth(1).unwrap().split("];").next().unwrap().to_owned();
    let manual = Page::read("docs/commands.md");
    for field in literals(&fields) {
        assert!(manual.has_word(field), "docs/commands.md does not tell of {field}");
    }
}

#[test]
fn every_method_stands_in_the_readme() {
    let methods: Value = serde_json::from_str(&source("proto/schema/methods.json")).unwrap();
    let readme = Page::read("README.md");
    for method in methods["methods"].as_array().unwrap() {
        let name = method["name"].as_str().unwrap();
        assert!(readme.has_word(name), "README.md does not tell of {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_is_documented_with_its_default() {
    let optional = [
        ("QUEUEGRAM_AMQP__MANAGEMENT_URL", "http://localhost:15672"),
        ("QUEUEGRAM_TELEGRAM__API_HASH_FILE", "/run/secrets/hash"),
        ("QUEUEGRAM_TELEGRAM__SERVER__ADDRESS", "127.0.0.1:4430"),
        ("QUEUEGRAM_TELEGRAM__SERVER__DC", "2"),
        ("QUEUEGRAM_TELEGRAM__SERVER__PUBLIC_KEY", "/run/tgsim.pem"),
        ("QUEUEGRAM_LIMITS__BUDGETS__CREATE__EVERY_S", "60"),
        ("QUEUEGRAM_LIMITS__BUDGETS__CREATE__BURST", "2"),
        ("QUEUEGRAM_LIMITS__BUDGETS__CREATE__PER_DAY", "9"),
        ("QUEUEGRAM_LIMITS__GROUPS_MAX", "400"),
        ("QUEUEGRAM_VAULT__KEYS", "0a0b"),
        ("QUEUEGRAM_VAULT__URL", "s3://bucket/prefix"),
        ("QUEUEGRAM_VAULT__S3__ENDPOINT", "https://s3.example.com"),
        ("QUEUEGRAM_VAULT__S3__REGION", "eu-central-1"),
        ("QUEUEGRAM_VAULT__S3__ACCESS_KEY_ID", "somebody"),
        ("QUEUEGRAM_VAULT__S3__SECRET_ACCESS_KEY", "secret"),
    ];
    let printed = settings(&optional).await;
    let defaults = settings(&[]).await;
    let documented: BTreeMap<String, Vec<String>> = Page::read("docs/operations.md")
        .table_rows()
        .into_iter()
        .filter(|row| row.len() == 4 && row[1].starts_with("QUEUEGRAM_"))
        .map(|row| (row[0].replace("<class>", "create"), row))
        .collect();
    let (there, told): (BTreeSet<_>, BTreeSet<_>) =
        (printed.keys().cloned().collect(), documented.keys().cloned().collect());
    assert_eq!(there, told, "settings of the worker, settings of docs/operations.md");
    for (key, row) in &documented {
        let variable = format!("QUEUEGRAM_{}", row[0].replace('.', "__").to_uppercase());
        assert_eq!(row[1], variable, "{key}");
        let default = defaults.get(key).map_or("", String::as_str);
        let as_told = match row[2].as_str() {
            "–" | "of the profile" => "",
            "the version" => env!("CARGO_PKG_VERSION"),
            told => told,
        };
        assert_eq!(default, as_told, "the default of {key}");
    }
}

/// What `config print` says, as dotted keys.
async fn settings(environment: &[(&str, &str)]) -> BTreeMap<String, String> {
    let worker = binaries::program("queuegram-worker").await.unwrap();
    let mut command = Command::new(worker);
    command.args(["config", "print"]).env_clear().envs(environment.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut section, mut found) = (String::new(), BTreeMap::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once(" = ") {
            found.insert(format!("{section}.{key}"), value.trim_matches('"').to_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_option_and_path_of_tgsim_is_documented() {
    let tgsim = binaries::program("tgsim").await.unwrap();
    let help = Command::new(tgsim).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = Page::read("docs/tgsim.md");
    let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    for option in options.filter(|option| !["--help", "--version"].contains(option)) {
        assert!(page.has_word(option), "docs/tgsim.md does not tell of {option}");
    }
    let routes = source("services/tgsim/src/admin/mod.rs");
    let paths: Vec<&str> = literals(&routes).filter(|text| text.starts_with('/')).collect();
    assert!(paths.len() > 15, "{paths:?}");
    for path in paths {
        let told = ["GET", "POST", "DELETE"]
            .iter()
            .any(|verb| page.text.contains(&format!("`{verb} {path}`")));
        assert!(told, "docs/tgsim.md does not tell of {path}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for page in page::all() {
        for link in page.links() {
            assert!(page.resolves(&link), "{}: {link} leads nowhere", page.path);
        }
    }
}

#[test]
fn every_json_example_is_json() {
    for page in page::all() {
        for block in page.blocks("json") {
            let read = serde_json::from_str::<Value>(&block);
            assert!(read.is_ok(), "{}: {:?}\n{block}", page.path, read.err());
        }
    }
}

#[test]
fn every_make_target_and_subcommand_that_is_named_exists() {
    let makefile = source("Makefile");
    let help = source("services/ctl/tests/help.txt");
    let (mut targets, mut subcommands) = (0, 0);
    for page in page::all() {
        for words in page.commands("make") {
            let target = &words[0];
            assert!(makefile.contains(&format!("\n{target}:")), "{}: make {target}", page.path);
            targets += 1;
        }
        for words in page.commands("queuegram") {
            if words[0].starts_with('-') {
                continue;
            }
            let told = help.contains(&format!("$ queuegram {} --help", words[0]))
                || help.contains(&format!("\n  {} ", words[0]));
            assert!(told, "{}: queuegram {}", page.path, words[0]);
            subcommands += 1;
        }
    }
    assert!(targets > 5 && subcommands > 20, "{targets} {subcommands}");
}
